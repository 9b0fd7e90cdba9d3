"""Planning on hand-built towns: every unserved compound linked or refused, bounds valid, awkward input answered."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import shapely

from mapapp.core.errors import InputError
from mapapp.core.progress import Cancelled
from mapapp.core.schema import layer
from mapapp.plan import bill, load_prices, load_standard, run
from mapapp.plan.swmm import check, to_inp

from .towns import CRS, frame, line, main_town, square


@pytest.fixture
def town():
    """Build one street of 400 m falling east at one in a hundred, a served manhole at its lower end, three compounds."""
    streets = frame(
        {"street_id": ["S1", "S2"], "surface": ["asphalt", "concrete"]},
        [line((0, 0), (400, 0)), line((200, 0), (200, 150))],
    )
    compounds = frame(
        {"compound_id": ["A", "B", "C"], "households": [100, 50, 80]},
        [square(0, 10), square(210, 100), square(300, -40)],
    )
    manholes = frame(
        {"node_id": ["M1", "M2", "M3"], "ground_elev_m": [34.0, 30.0, 33.5]},
        [shapely.Point(0, 0), shapely.Point(400, 0), shapely.Point(200, 150)],
    )
    served = frame({"pipe_id": ["P1"], "node": ["M2"], "invert_m": [26.5], "ground_m": [30.0]}, [shapely.Point(400, 0)])
    verdicts = pd.DataFrame({"compound_id": ["A", "B", "C", "D"], "verdict": ["no_main"] * 3 + ["connected"]})
    return {"streets": streets, "compounds": compounds, "manholes": manholes}, verdicts, served


def test_every_unserved_compound_is_linked_and_the_links_lead_to_the_existing_manhole(town):
    plan = run(*town)
    assert plan.summary["unserved"] == plan.summary["linked"] == 3
    assert plan.summary["refused"] == len(plan.refused) == 0
    assert set(plan.links["own_compounds"]) - {""} == {"A", "B", "C"}
    ends = plan.links[plan.links["downstream_link_id"].isna()]
    assert set(ends["to_node"]) == {"M2"}
    assert (ends["invert_down_m"] >= 26.5 - 1e-9).all()


def test_links_carry_the_declared_columns_and_fit_end_to_end(town):
    links = run(*town).links.set_index("link_id", drop=False)
    assert {c.name for c in layer("links").columns} <= set(links.columns)
    assert links.crs == CRS
    below = links.dropna(subset="downstream_link_id")
    after = links.loc[below["downstream_link_id"]]
    assert (below["to_node"].to_numpy() == after["from_node"].to_numpy()).all()
    assert np.allclose(
        shapely.get_coordinates(shapely.get_point(below.geometry, -1)),
        shapely.get_coordinates(shapely.get_point(after.geometry, 0)), atol=0.02,
    )  # fmt: skip
    assert (below["invert_down_m"].to_numpy() >= after["invert_up_m"].to_numpy() - 1e-9).all()
    assert np.allclose(links["length_m"], links.geometry.length, atol=0.11)
    assert (links["length_m"] <= 75.0 + 1e-6).all()


def test_the_bound_lies_below_the_cost_and_the_gap_says_by_how_much(town):
    plan = run(*town)
    cost = plan.links["cost"].sum()
    assert 0 < plan.lower_bound <= cost + 1e-6
    assert plan.gap_pct == pytest.approx(100 * (cost / plan.lower_bound - 1))
    assert plan.gap_pct < 10


def test_row_order_and_repetition_change_nothing(town):
    layers, verdicts, served = town
    mixed = {k: v.sample(frac=1, random_state=3) for k, v in layers.items()}
    one, two = run(layers, verdicts, served), run(mixed, verdicts.iloc[::-1], served)
    assert one.summary["cost"] == pytest.approx(two.summary["cost"])
    again = run(layers, verdicts, served)
    pd.testing.assert_frame_equal(one.links.drop(columns="geometry"), again.links.drop(columns="geometry"))


def test_parts_of_the_cost_add_up_and_so_does_the_bill(town):
    links = run(*town).links
    parts = links[["cost_pipe", "cost_manhole", "cost_pump", "cost_surface", "cost_drop"]].sum(axis=1)
    assert np.allclose(parts, links["cost"])
    assert bill(links)["amount"].sum() == pytest.approx(links["cost"].sum())
    assert (links["cost_low"] <= links["cost"]).all()
    assert (links["cost"] <= links["cost_high"]).all()


def test_input_stays_untouched(town):
    layers, verdicts, served = town
    before = {k: v.copy() for k, v in layers.items()}
    run(layers, verdicts, served)
    for name, value in before.items():
        pd.testing.assert_frame_equal(layers[name], value)


def test_without_streets_links_run_straight_and_the_plan_says_so(town):
    layers, verdicts, served = town
    plan = run({k: v for k, v in layers.items() if k != "streets"}, verdicts, served)
    assert plan.summary["linked"] == 3
    assert set(plan.links["corridor"]) <= {"straight", "inside"}
    assert any("follow no street" in a.en for a in plan.assumptions)


def test_without_heights_levels_stay_unknown_and_the_range_widens(town):
    layers, verdicts, served = town
    flat = {k: v for k, v in layers.items() if k != "manholes"}
    plan = run(flat, verdicts, served.assign(invert_m=np.nan, ground_m=np.nan))
    assert plan.summary["linked"] == 3
    assert plan.links[["ground_up_m", "invert_up_m", "invert_down_m"]].isna().all(axis=None)
    assert plan.links["depth_up_m"].notna().all()
    known = run(*town).summary
    assert plan.summary["cost_high"] / plan.summary["cost"] > known["cost_high"] / known["cost"]
    with pytest.raises(InputError, match="no level"):
        to_inp(plan.links, load_standard("gb50014-2021"))


def test_without_a_served_sewer_everyone_gets_a_reason(town):
    layers, verdicts, served = town
    for none in (served.iloc[:0], None):
        plan = run(layers, verdicts, none)
        assert plan.refused["compound_id"].tolist() == ["A", "B", "C"]
        assert set(plan.refused["reason"]) == {"out_of_reach"}
        assert plan.refused["en"].str.len().min() > 10
        assert plan.summary["linked"] == 0
        assert len(plan.links) == 0


def test_a_compound_without_a_place_is_refused_with_that_reason(town):
    layers, verdicts, served = town
    holes = layers | {"compounds": layers["compounds"].set_geometry([None, *layers["compounds"].geometry[1:]], crs=CRS)}
    plan = run(holes, verdicts, served)
    assert plan.refused.set_index("compound_id")["reason"].to_dict() == {"A": "no_geometry"}
    assert plan.summary["linked"] + plan.summary["refused"] == plan.summary["unserved"] == 3


def test_what_no_size_can_carry_is_refused_with_the_reason_and_takes_nobody_else_down(town):
    layers, verdicts, served = town
    plan = run(layers | {"compounds": layers["compounds"].assign(households=[10**8, 50, 80])}, verdicts, served)
    assert plan.refused[["compound_id", "reason"]].to_numpy().tolist() == [["A", "too_many"]]
    assert plan.refused["zh"].str.contains("DN2000").all()
    assert set(plan.links["own_compounds"]) - {""} == {"B", "C"}


def test_where_no_level_is_possible_the_reason_names_depth_and_size(town):
    layers, verdicts, served = town
    shallow = dataclasses.replace(load_standard("gb50014-2021"), max_depth_m=0.9)
    plan = run(layers, verdicts, served, standard=shallow)
    assert set(plan.refused["reason"]) == {"no_levels"}
    assert plan.refused["zh"].str.contains("最大埋深 0.9 米").all()
    assert plan.summary["linked"] == plan.summary["pipes"] == 0


def test_who_is_shut_in_by_forbidden_ground_is_told_so(town):
    layers, verdicts, served = town
    fence = frame({"id": ["F"]}, [square(-40, -30, 100).boundary])
    plan = run(layers, verdicts, served, forbidden=fence)
    assert plan.refused[["compound_id", "reason"]].to_numpy().tolist() == [["A", "forbidden"]]


def test_islands_of_streets_two_parts_points_and_no_households_still_end_in_links(town):
    layers, verdicts, served = town
    compounds = layers["compounds"].assign(households=[0, None, 80])
    shapes = compounds.geometry.tolist()
    shapes[1] = shapely.union(shapes[1], shapely.transform(shapes[1], lambda p: p + np.array([40, 0])))
    shapes[2] = shapes[2].centroid
    far = frame({"street_id": ["S9"], "surface": [None]}, [line((2000, 900), (2100, 900))])
    streets = pd.concat([layers["streets"], far], ignore_index=True)
    plan = run(layers | {"compounds": compounds.set_geometry(shapes, crs=CRS), "streets": streets}, verdicts, served)
    assert plan.summary["linked"] == 3
    assert any("zero households" in a.en for a in plan.assumptions)


def test_a_low_compound_gets_a_pump_and_swmm_is_told_only_of_gravity(town):
    layers, verdicts, served = town
    up = served.assign(invert_m=40.0, ground_m=42.0)
    plan = run(layers, verdicts, up)
    assert plan.summary["linked"] == 3
    assert plan.summary["pumps"] >= 1
    standard = load_standard("gb50014-2021")
    gravity = plan.links[~plan.links["pressure"]]
    assert set(check(plan.links, standard)["link_id"]) == set(gravity["link_id"])


def test_a_river_without_a_bridge_is_paid_for(town):
    layers, verdicts, served = town
    dry = run(layers, verdicts, served)
    river = frame({"name": ["river"]}, [shapely.box(340, -300, 360, 300)])
    wet = run(layers | {"water": river}, verdicts, served)
    assert wet.summary["cost"] >= dry.summary["cost"] + load_prices("example").crossing["river"] - 1
    assert wet.links["crossings"].sum() >= 1
    assert wet.lower_bound <= wet.summary["cost"]


def test_a_budget_cuts_stages_that_can_each_be_built_on_what_is_there(town):
    whole = run(*town)
    plan = run(*town, budget=0.6 * whole.summary["cost"])
    links = plan.links.set_index("link_id", drop=False)
    below = links.dropna(subset="downstream_link_id")
    assert (links.loc[below["downstream_link_id"], "stage"].to_numpy() <= below["stage"].to_numpy()).all()
    assert plan.summary["cost_stage_1"] <= 0.6 * whole.summary["cost"]
    assert plan.stages["households"].sum() == pytest.approx(230)
    assert plan.stages["cost"].sum() == pytest.approx(plan.summary["cost"])


def test_a_budget_of_zero_builds_nothing_now_and_a_pinned_compound_all_the_same(town):
    assert run(*town, budget=0.0).summary["cost_stage_1"] == 0
    plan = run(*town, budget=0.0, pinned=frozenset({"B"}))
    assert "B" in set(plan.links.loc[plan.links["stage"] == 1, "own_compounds"])


@pytest.mark.parametrize("budget", [-1.0, float("nan"), float("inf")])
def test_impossible_budgets_are_refused(town, budget):
    with pytest.raises(InputError, match="budget"):
        run(*town, budget=budget)


def test_nobody_unserved_is_an_empty_plan(town):
    layers, verdicts, served = town
    plan = run(layers, verdicts.assign(verdict="connected"), served)
    assert plan.summary["unserved"] == plan.summary["pipes"] == 0
    assert plan.summary["gap_pct"] == 0.0


def test_cancelling_at_once_says_so_and_later_keeps_the_plan(town):
    with pytest.raises(Cancelled):
        run(*town, cancelled=lambda: True)
    calls = iter([False])
    plan = run(*town, cancelled=lambda: next(calls, True))
    assert plan.summary["linked"] == 3
    assert any("stopped early" in a.en for a in plan.assumptions)


def test_ctrl_c_in_the_search_keeps_the_best_plan_so_far_and_says_so(town, monkeypatch):
    from mapapp.plan import improve

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(improve, "improve", stopped)
    plan = run(*town)
    assert plan.summary["linked"] == 3
    assert plan.lower_bound <= plan.summary["cost"]
    assert any("stopped early" in a.en for a in plan.assumptions)


def test_swmm_agrees_that_nothing_floods_and_no_pipe_is_too_full(town):
    links = run(*town).links
    found = check(links, load_standard("gb50014-2021"))
    assert len(found) == len(links)
    assert found["flooding_lps"].max() == 0
    assert found["fill_ok"].all()
    assert found["velocity_ok"].all()
    end = links[links["downstream_link_id"].isna()]
    got = found.set_index("link_id").loc[end["link_id"], "flow_lps"]
    assert got.to_numpy() == pytest.approx(end["flow_lps"].to_numpy(), rel=0.05)


def test_no_link_touches_forbidden_ground_and_who_is_shut_in_is_refused(town):
    field = frame({"name": ["field"]}, [shapely.box(240, -5, 260, 5)])
    plan = run(*town, forbidden=field)
    assert not shapely.intersects(plan.links.geometry.to_numpy(), field.geometry.iloc[0]).any()
    ring = frame({"name": ["moat"]}, [shapely.Point(10, 20).buffer(60).boundary])
    shut = run(*town, forbidden=ring)
    assert shut.refused["compound_id"].tolist() == ["A"]
    assert shut.summary["linked"] == 2


def test_a_compound_whose_low_end_cannot_drain_to_its_link_is_named():
    """Its back lies 4 m lower than its front, where the sewer is: its own drains are to be looked at."""
    layers, verdicts, served = main_town()
    layers["compounds"] = frame({"compound_id": ["A"], "households": [100]}, [shapely.box(200, 20, 260, 120)])
    flat = run(layers, verdicts.iloc[:1], served)
    behind = frame(
        {"node_id": ["L", "R"], "ground_elev_m": [18.0, 18.0]}, [shapely.Point(200, 125), shapely.Point(260, 125)]
    )
    layers["manholes"] = pd.concat([layers["manholes"], behind], ignore_index=True)
    steep = run(layers, verdicts.iloc[:1], served)
    assert "low_lying" not in set(flat.remarks["kind"])
    assert steep.remarks[["compound_id", "kind"]].to_numpy().tolist() == [["A", "low_lying"]]
