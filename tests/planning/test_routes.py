"""Routes: what a planner means by a link."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp.services import plan_routes

from . import town


def test_where_two_meet_the_larger_goes_on():
    """A (100 households) keeps the shared pipe, B (40) ends in it, C is alone."""
    found = plan_routes.routes(town.fork()).set_index("route_id")
    assert found["cost"].to_dict() == {"A": 4000, "B": 2000, "C": 4000}
    assert found["below"].dropna().to_dict() == {"B": "A"}
    assert found.loc["A", "to_node"] == "W1"
    assert found["households"].to_dict() == {"A": 100, "B": 40, "C": 10}


def test_no_links_no_routes():
    """Empty in, empty out, with the same columns."""
    assert list(plan_routes.routes(town.fork().iloc[:0]).columns) == list(plan_routes.COLUMNS)


def test_a_profile_runs_to_the_sewer():
    """From B the profile is its own pipe and the shared one, with the distance along."""
    found = plan_routes.profile(town.fork(), 1)
    assert list(found["link_id"]) == ["L0002", "L0003"]
    assert found[["from_m", "to_m"]].to_numpy().tolist() == [[0, 50], [50, 100]]


@st.composite
def forests(draw: st.DrawFn) -> list[int]:
    """Return pipes that each end in an earlier one, or at the sewer."""
    n = draw(st.integers(1, 25))
    return [draw(st.integers(-1, i - 1)) for i in range(n)]


@settings(max_examples=40, deadline=None)
@given(forests(), st.randoms(use_true_random=False))
def test_each_pipe_is_in_exactly_one_route(below: list[int], random):
    """The sums of the routes are the sums of the plan, each route is one way without forks, whatever the order of rows."""
    n = len(below)
    leaf = [i not in below for i in range(n)]
    own = [f"C{i}" if leaf[i] else "" for i in range(n)]
    links = town.links(
        below, own, [float(i % 7 + 1) if leaf[i] else 0.0 for i in range(n)], [100.0 + i for i in range(n)]
    )
    order = list(range(n))
    random.shuffle(order)
    links = links.iloc[order].reset_index(drop=True)
    found = plan_routes.routes(links)
    assert found["cost"].sum() == pytest.approx(links["cost"].sum())
    assert found["pipes"].sum() == n
    assert set(found["route_id"]) == {o for o in own if o}
    down = links["downstream_link_id"].map(dict(zip(links["link_id"], range(n), strict=True)))
    route = plan_routes.names(links)
    for name in found["route_id"]:
        inside = np.flatnonzero(route == name)
        inner = down[inside].dropna().astype(int)
        kept = [d for d in inner if route[d] == name]
        assert len(kept) == len(set(kept)) == len(inside) - 1
