"""Levels: placeholders against true zeros, steps, drops, flats; what is missing stays missing."""

from __future__ import annotations

import pytest

from tests.audit.towns import falling, found, layers, main, pipe, plant, rules, run, well

END = [plant(90, 0)]


def levels(*pairs, **more):
    pipes = [falling(f"P{i}", a, b, (30 * i, 0), (30 * (i + 1), 0), **more) for i, (a, b) in enumerate(pairs)]
    return layers(pipes, outlets=[plant(30 * len(pairs), 0)])


@pytest.mark.parametrize("value", [0.0, -99.0, 9999.0, -999.0, 99999.0])
def test_a_placeholder_is_told_and_makes_no_slope(value):
    result = run(levels((412, 411.7), (411.7, value), (411.4, 411.1)))
    assert rules(result) == ["sentinel_value"]
    assert found(result, "sentinel_value") == ["P1"]
    assert result.findings["value"][0] == value


def test_by_the_sea_zero_and_negative_levels_are_true():
    result = run(levels((0.3, 0.0), (0.0, -0.3), (-0.3, -0.6)))
    assert rules(result) == []


def test_a_survey_of_zeros_alone_has_no_levels():
    assert found(run(levels((0, 0), (0, 0))), "flat_slope") == []


def test_a_zero_ground_level_far_above_the_sea_is_a_placeholder():
    wells = [well("N0", 0, 0, ground_elev_m=0.0, depth_m=2.0)]
    town = layers(main(start=400), wells, END)
    assert rules(run(town)) == ["sentinel_value"]


def test_an_impossible_diameter_is_a_placeholder():
    assert found(run(layers(main(diameter_mm=9999), outlets=END)), "sentinel_value") == ["M0", "M1", "M2"]


def test_a_step_up_stops_water_and_a_great_drop_wears_the_bottom():
    up = run(levels((10, 9.7), (9.9, 9.5)))
    drop = run(levels((10, 9.7), (7.0, 6.7)))
    assert rules(up) == rules(drop) == ["level_mismatch"]
    assert up.findings["value"][0] == pytest.approx(0.2)
    assert drop.findings["value"][0] == pytest.approx(2.7)
    assert "drop" in drop.findings["message_en"][0]


def test_a_drop_manhole_may_drop_and_a_branch_may_come_in_high():
    town = levels((10, 9.7), (7.0, 6.7))
    town["manholes"] = layers(manholes=[well("N", 30, 0, type="跌水井")])["manholes"]
    assert rules(run(town)) == []
    assert rules(run(levels((10, 9.7), (8.7, 8.4)))) == []


def test_flat_is_told_and_missing_stays_missing():
    assert found(run(levels((10, 10), (10, 9.7), diameter_mm=300)), "flat_slope") == ["P0"]
    assert rules(run(levels((10, None), (None, 9.7)))) == []


def test_least_slope_depends_on_size_and_survey_rounding_is_forgiven():
    assert found(run(levels((10, 9.96), diameter_mm=300)), "flat_slope") == ["P0"]
    assert found(run(levels((10, 9.96), diameter_mm=800)), "flat_slope") == []
    assert found(run(levels((10, 9.907), diameter_mm=300)), "flat_slope") == []


def test_a_smaller_pipe_downstream_is_told_unless_it_is_steeper():
    small = [
        falling("A", 10, 9.7, (0, 0), (30, 0), diameter_mm=500),
        falling("B", 9.7, 9.4, (30, 0), (60, 0), diameter_mm=300),
    ]
    steep = [small[0], falling("B", 9.7, 8.9, (30, 0), (60, 0), diameter_mm=400)]
    result = run(layers(small, outlets=[plant(60, 0)]))
    assert found(result, "diameter_decreases") == ["B"]
    assert list(result.findings["related"]) == ["A"]
    assert rules(run(layers(steep, outlets=[plant(60, 0)]))) == []


def test_a_small_branch_into_a_large_main_is_right():
    branch = falling("L", 10.5, 9.7, (30, 20), (30, 0), diameter_mm=200)
    assert rules(run(layers([*main(diameter_mm=400), branch], outlets=END))) == []


def test_ground_level_is_invert_plus_depth_measured_to_invert_or_crown():
    wells = [well("N0", 0, 0, ground_elev_m=12.0)]
    for depth, expected in ((2.0, []), (1.7, []), (1.2, ["P"])):
        only = falling("P", 10, 9, (0, 0), (90, 0), from_depth_m=depth, diameter_mm=300)
        assert found(run(layers([only], wells, END)), "ground_mismatch") == expected


def test_a_pipe_below_the_bottom_of_its_manhole_is_told():
    wells = [well("N0", 0, 0, ground_elev_m=12.0, depth_m=1.5)]
    result = run(layers(main(), wells, END))
    assert found(result, "ground_mismatch") == ["M0"]
    assert list(result.findings["related"]) == ["N0"]


def test_cover_is_ground_over_the_crown():
    wells = [well("N0", 0, 0, ground_elev_m=10.8)]
    assert found(run(layers(main(diameter_mm=300), wells, END)), "cover_shallow") == ["M0"]
    assert found(run(layers(main(diameter_mm=150), wells, END)), "cover_shallow") == []


def test_spacing_counts_manholes_on_the_body():
    ends = [well("N0", 0, 0), well("N1", 90, 0)]
    only = [falling("P", 10, 9, (0, 0), (90, 0), diameter_mm=400)]
    assert found(run(layers(only, ends, END)), "manhole_spacing") == ["P"]
    assert found(run(layers(only, [*ends, well("N2", 45, 0)], END)), "manhole_spacing") == []


def test_a_node_that_is_not_in_the_point_table_is_missing_unless_it_is_an_outlet():
    wells = [well("N0", 0, 0)]
    pipes = [
        pipe("P", (0, 0), (90, 0), from_node="N0", to_node="W1"),
        pipe("Q", (0, 0), (0, 50), from_node="N0", to_node="N7"),
    ]
    result = run(layers(pipes, wells, END))
    assert found(result, "node_missing") == ["Q"]
    assert list(result.findings.query("rule == 'node_missing'")["related"]) == ["N7"]
