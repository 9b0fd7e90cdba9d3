"""Moving, turning, mirroring or reordering a town changes no finding; the same input gives the same bytes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.towns import X, Y, compound, falling, lateral, layers, main, outlet, pipe, plant, run, well


def everything():
    """Return a town with most faults at once."""
    pipes = [
        *main(240, start=20, diameter_mm=400),
        lateral("L", 30, high=21, low=19.8),
        falling("NEAR", 21, 20, (60, 20), (60, 0.43)),
        falling("TOUCH", 21, 19.5, (75, 20), (75, 0)),
        falling("LOST", 19.4, 19, (60, 0), (60, -40)),
        falling("COPY", 19.4, 19, (60, 0.02), (60.01, -40)),
        pipe("ISLE", (400, 0), (440, 7)),
        falling("STORM", 19.5, 18, (100, -20), (100, -60), kind="storm"),
        falling("CROSS", 21, 19.5, (100, -5), (100, -20)),
        falling("SENT", 9999, 17.5, (180, 30), (180, 0)),
        falling("SMALL", 17.6, 17, (240, 0), (270, 0), diameter_mm=200),
        falling("RIVER", 21, 20, (330, 0), (330, 50)),
        pipe("REV", (20, 100), (50, 100), from_invert_m=18, to_invert_m=19, flow_dir="0"),
        falling("REV2", 18, 17, (20, 100), (0, 100)),
    ]
    wells = [well(f"N{i}", 30 * i, 0, ground_elev_m=22.0 - i * 0.3) for i in range(9)] + [well("ALONE", 500, 500)]
    ends = [plant(270, 0), outlet("R", "outfall", 330, 50), plant(0, 100, "W2")]
    homes = [compound("A", 20, 15), compound("B", 55, 15, 10), compound("C", 70, 15, 10), compound("D", 120, 5)]
    homes += [
        compound("E", 95, -10, 8),
        compound("F", 325, -10),
        compound("G", 0, 420),
        compound("H", 0, 900),
        compound("I", 395, -9),
    ]
    return layers(pipes, wells, ends, homes)


def answers(result):
    """Return what a planner would see, without places."""
    table = result.findings[["finding_id", "rule", "feature_id", "related"]].fillna("")
    found = sorted(zip(table["finding_id"], table["rule"], table["feature_id"], table["related"], strict=True))
    judged = (
        result.verdicts.set_index("compound_id").sort_index()[["verdict", "nearest_pipe_id", "outlet_id"]].fillna("")
    )
    return found, judged.to_dict(), result.candidates.set_index("candidate_id")["manhole_id"].to_dict()


@cache
def expected():
    return answers(run(everything()))


def moved(change):
    return {name: frame.set_geometry(change(frame.geometry), crs=frame.crs) for name, frame in everything().items()}


def test_the_town_has_many_faults():
    rules = {r for _, r, _, _ in expected()[0]}
    assert len(rules) >= 15, rules


@given(st.floats(-3e6, 3e6), st.floats(-3e6, 3e6))
@settings(deadline=None, max_examples=12)
def test_moving_the_town_changes_no_finding(dx, dy):
    assert answers(run(moved(lambda g: g.translate(dx, dy)))) == expected()


@given(st.floats(0, 360))
@settings(deadline=None, max_examples=12)
def test_turning_the_town_changes_no_finding(angle):
    assert answers(run(moved(lambda g: g.rotate(angle, origin=(X, Y))))) == expected()


@given(st.sampled_from([(-1, 1), (1, -1), (-1, -1)]))
@settings(deadline=None, max_examples=3)
def test_mirroring_the_town_changes_no_finding(factors):
    assert answers(run(moved(lambda g: g.scale(*factors, origin=(X, Y))))) == expected()


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=12)
def test_reordering_the_town_changes_no_finding(random):
    seed = random.randrange(1 << 30)
    town = {
        name: frame.sample(frac=1, random_state=seed).reset_index(drop=True) for name, frame in everything().items()
    }
    assert answers(run(town)) == expected()


def test_the_same_town_twice_gives_the_same_bytes():
    one, two = run(everything()), run(everything())
    for name in ("findings", "verdicts", "candidates"):
        a, b = getattr(one, name), getattr(two, name)
        assert a.to_wkb().to_csv() == b.to_wkb().to_csv()


def test_the_input_stays_as_it_was():
    town = everything()
    before = {name: frame.to_wkb().copy() for name, frame in town.items()}
    run(town)
    for name, frame in town.items():
        pd.testing.assert_frame_equal(frame.to_wkb(), before[name])


def test_ids_of_findings_are_unique_and_geometry_lies_at_the_place():
    result = run(everything())
    assert result.findings["finding_id"].is_unique
    located = result.findings[~result.findings["rule"].isin(["no_data", "no_main"])]
    assert not np.asarray(shapely.is_missing(located.geometry.array)).any()
    assert (result.findings["status"] == "open").all()
