"""Compounds: near is not connected, no data comes before no main, and the evidence says what it rests on."""

from __future__ import annotations

import json

import pytest
from shapely.geometry import box

from tests.audit.towns import (
    X,
    Y,
    compound,
    falling,
    found,
    lateral,
    layers,
    line,
    main,
    outlet,
    pipe,
    plant,
    point,
    rules,
    run,
    verdicts,
    well,
)

END = [plant(90, 0)]


def area(x0, y0, x1, y1, **more):
    return {"area_id": "A", "covers": "sewage", "geometry": box(X + x0, Y + y0, X + x1, Y + y1), **more}


def test_near_is_not_connected():
    result = run(layers([*main(), lateral("L", 80)], outlets=END, compounds=[compound("C", 20, 3)]))
    assert verdicts(result) == {"C": "not_connected"}
    assert result.verdicts["nearest_pipe_id"][0] == "M0"
    assert result.verdicts["distance_m"][0] == pytest.approx(3)


def test_a_main_passing_through_does_not_serve():
    pipes = [falling("M", 10, 9, (0, 0), (90, 0)), lateral("L", 0)]
    result = run(layers(pipes, outlets=END, compounds=[compound("C", 30, -10)]))
    assert verdicts(result) == {"C": "not_connected"}


def test_a_good_main_beside_a_wrong_outlet_does_not_help():
    ditch = [falling("D", 10, 9, (25, 20), (25, 60), level="lateral"), outlet("R", "outfall", 25, 60)]
    result = run(layers([*main(), ditch[0]], outlets=[*END, ditch[1]], compounds=[compound("C", 20, 5)]))
    assert verdicts(result) == {"C": "wrong_outlet"}


def test_of_two_laterals_the_good_one_counts():
    lost = falling("D", 10.5, 10, (25, 30), (25, 60), level="lateral")
    result = run(layers([*main(), lateral("L", 30), lost], outlets=END, compounds=[compound("C", 20, 15)]))
    assert verdicts(result) == {"C": "connected"}
    assert found(result, "dangling") == ["D"]


def test_a_lateral_on_a_common_border_serves_the_side_it_comes_from():
    homes = [compound("A", 10, 15), compound("B", 30, 15)]
    edge = falling("L", 10.5, 9.9, (20, 25), (30, 20), (30, 0), level="lateral")
    assert verdicts(run(layers([*main(), edge], outlets=END, compounds=homes)))["A"] == "connected"
    inside = falling("L", 10.5, 9.9, (30, 20), (26, 18), (26, 12), (30, 0), level="lateral")
    result = run(layers([*main(), inside], outlets=END, compounds=homes))
    assert verdicts(result) == {"A": "connected", "B": "not_connected"}


def test_the_neighbours_lateral_within_a_metre_does_not_serve():
    homes = [compound("A", 20, 15), compound("B", 40.5, 15)]
    result = run(
        layers([*main(), falling("L", 10.5, 9.7, (39.8, 20), (30, 0), level="lateral")], outlets=END, compounds=homes)
    )
    assert verdicts(result) == {"A": "connected", "B": "not_connected"}


def test_beyond_the_limit_there_is_no_main():
    pipes = [*main(), lateral("L", 0, from_y=-20)]
    result = run(layers(pipes, outlets=END, compounds=[compound("C", 0, 150.1), compound("D", 0, 149.9)]))
    assert verdicts(result) == {"C": "no_main", "D": "not_connected"}


def test_no_data_comes_before_no_main():
    homes = [compound("C", 0, 300), compound("D", 0, 900)]
    town = layers([*main(), lateral("L", 0)], outlets=END, compounds=homes)
    assert verdicts(run(town)) == {"C": "no_main", "D": "no_data"}
    town = layers([*main(), lateral("L", 0)], outlets=END, compounds=homes, survey_areas=[area(-50, -50, 200, 200)])
    assert verdicts(run(town)) == {"C": "no_data", "D": "no_data"}
    assert verdicts(run(town | layers(survey_areas=[area(-50, -50, 2000, 2000, covers="storm")])))["C"] == "no_data"


def test_a_pipe_cut_by_the_edge_of_the_survey_is_not_dangling():
    town = layers(main(), survey_areas=[area(-10, -50, 90, 50)], compounds=[compound("C", -5, -5)])
    result = run(town | layers(outlets=[plant(0, 5000)]))
    assert found(result, "dangling") == found(result, "island") == found(result, "no_outlet") == []
    assert verdicts(result) == {"C": "no_data"}
    assert "runs out of" in result.verdicts["evidence_en"][0]


def test_where_laterals_were_not_surveyed_the_inlet_is_unknown():
    result = run(layers(main(), outlets=END, compounds=[compound("C", 20, 6)]))
    assert verdicts(result) == {"C": "inlet_unknown"}
    assert "6.0 米" in result.verdicts["evidence"][0]
    said = layers(
        main(), outlets=END, compounds=[compound("C", 20, 6)], survey_areas=[area(-50, -50, 200, 200, laterals="yes")]
    )
    assert verdicts(run(said)) == {"C": "not_connected"}


@pytest.mark.parametrize(
    ("state", "expected"), [("not_found", "inlet_unknown"), ("被压埋", "inlet_unknown"), ("located", "not_connected")]
)
def test_an_inlet_manhole_that_nobody_finds_leaves_the_inlet_unknown(state, expected):
    wells = [well("N", 25, 14.5, kind="sewage", type="接户井", found=state)]
    result = run(layers([*main(), lateral("L", 80)], wells, END, [compound("C", 20, 15)]))
    assert verdicts(result) == {"C": expected}


def test_a_compound_below_every_manhole_needs_a_pump():
    wells = [well("S", 0, 0), well("N", 25, 16, kind="sewage", ground_elev_m=9.5, depth_m=1.5)]
    result = run(layers([*main(), lateral("L", 80)], wells, END, [compound("C", 20, 15)]))
    assert verdicts(result) == {"C": "no_gravity"}
    assert result.candidates["gravity"].tolist() == [False]


def test_a_lateral_that_rises_to_the_main_is_no_gravity():
    low = pipe(
        "L", (30, 20), (30, 0), from_invert_m=8.5, to_invert_m=9.7, from_node="C1", to_node="N1", level="lateral"
    )
    result = run(layers([*main(), low], outlets=END, compounds=[compound("C", 20, 15)]))
    assert verdicts(result) == {"C": "no_gravity"}


@pytest.mark.parametrize(
    ("says", "x", "contradiction"),
    [
        ("connected", 30, []),
        ("not_connected", 30, ["C"]),
        ("septic_only", 30, ["C"]),
        ("connected", 80, ["C"]),
        ("not_connected", 80, []),
        ("unknown", 80, []),
    ],
)
def test_the_ledger_is_held_against_the_network(says, x, contradiction):
    town = layers([*main(), lateral("L", x)], outlets=END, compounds=[compound("C", 20, 15, sewer_connection=says)])
    result = run(town)
    assert found(result, "contradicts_ledger") == contradiction
    assert "台账" in result.verdicts["evidence"][0]


def test_a_compound_that_is_only_a_point_takes_laterals_and_not_the_streets_manholes():
    spot = {"compound_id": "C", "geometry": point(30, 20)}
    assert verdicts(run(layers([*main(), lateral("L", 80)], outlets=END, compounds=[spot]))) == {"C": "not_connected"}
    assert verdicts(run(layers([*main(), lateral("L", 30)], outlets=END, compounds=[spot]))) == {"C": "connected"}


def test_a_compound_without_a_place_has_no_data():
    result = run(layers(main(), outlets=END, compounds=[{"compound_id": "C", "geometry": None}, compound("D", 0, 5)]))
    assert verdicts(result)["C"] == "no_data"
    assert found(result, "null_geometry") == ["C"]


def test_a_main_behind_a_compound_is_near_whatever_way_the_streets_go_round():
    streets = [line((0, 0), (400, 0)), line((0, 102), (400, 102)), line((0, 0), (0, 102))]
    home = {"compound_id": "C", "geometry": box(X + 180, Y + 8, X + 220, Y + 90)}
    lateral = pipe("L", (40, 102), (40, 110), level="lateral")
    town = layers(
        pipes=[falling("P1", 5, 4, (400, 102), (40, 102)), falling("P2", 4, 3, (40, 102), (0, 102)), lateral],
        outlets=[plant(0, 102)],
        compounds=[home],
        streets=[{"street_id": str(n), "geometry": street} for n, street in enumerate(streets)],
    )
    assert verdicts(run(town)) == {"C": "not_connected"}


def test_streets_decide_the_distance_where_they_are_known():
    around = line((0, 5), (-200, 5), (-200, 120), (0, 120))
    detour = layers(streets=[{"street_id": "A", "geometry": around}])
    town = layers([*main(), lateral("L", 60, from_y=-20)], outlets=END, compounds=[compound("C", -10, 110, 8)])
    assert verdicts(run(town)) == {"C": "not_connected"}
    result = run(town | detour)
    assert verdicts(result) == {"C": "no_main"}
    assert result.verdicts["street_distance_m"][0] > 400


def test_candidates_are_ranked_with_the_fall_there_is_and_is_needed():
    wells = [well(f"N{i}", 30 * i, 0) for i in range(4)]
    home = compound("C", 20, 15, outlet_invert_m=9.9)
    table = run(layers([*main(), lateral("L", 80)], wells, END, [home])).candidates
    assert table["candidate_id"].tolist() == ["C#1", "C#2", "C#3"]
    assert table["manhole_id"].tolist() == ["N1", "N2", "N3"]
    assert table["length_m"][0] == pytest.approx(15 * 1.3)
    assert table["available_fall_m"][0] == pytest.approx(0.2)
    assert table["required_fall_m"][0] == pytest.approx(15 * 1.3 * 0.003, abs=1e-3)
    assert table["gravity"].all()
    assert set(table["method"]) == {"straight"}
    assert table["cost"].isna().all()


def test_unknown_levels_leave_gravity_unknown():
    table = run(
        layers([pipe("A", (0, 0), (90, 0)), lateral("L", 0, -9)], outlets=END, compounds=[compound("C", 20, 15)])
    ).candidates
    assert table["gravity"].isna().all()


def test_details_are_compact_json():
    result = run(layers([*main(), lateral("L", 30)], outlets=END, compounds=[compound("C", 20, 15)]))
    details = json.loads(result.verdicts["details"][0])
    assert details["outlet"] == "W1"
    assert details["basis"] == "levels"
    assert rules(result) == []
