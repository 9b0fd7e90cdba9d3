"""What nearly joins is told once, to the right pipe; what only crosses is not told at all."""

from __future__ import annotations

import pytest

from tests.audit.towns import (
    compound,
    falling,
    found,
    lateral,
    layers,
    line,
    main,
    pipe,
    plant,
    rules,
    run,
    verdicts,
    well,
)

HOME, END = compound("C", 0, 15), [plant(90, 0)]


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("undershoot to a body", (10, 0.4)),
        ("overshoot", (10, -0.4)),
        ("undershoot to an end", (30, 0.6)),
        ("sideways", (30.5, 0.5)),
    ],
)
def test_an_end_short_of_a_sewer_is_a_near_miss_and_carries_nothing(name, to):
    pipes = [*main(), falling("L", 10.5, 9.9, (10, 20), to)]
    result = run(layers(pipes, outlets=END, compounds=[HOME]))
    assert found(result, "near_miss") == ["L"], name
    assert rules(result) == ["near_miss"]
    assert verdicts(result) == {"C": "dangling"}
    assert "0." in result.verdicts["evidence"][0]


def test_a_gap_in_a_main_is_told_once_at_the_side_where_water_arrives():
    pipes = [falling("A", 10, 9.7, (0, 0), (30, 0)), falling("B", 9.7, 9.4, (30.5, 0), (90, 0))]
    result = run(layers(pipes, outlets=END))
    assert found(result, "near_miss") == ["A"]
    assert list(result.findings["related"]) == ["B"]
    assert result.findings["value"][0] == pytest.approx(0.5, abs=1e-6)


def test_a_pipe_of_the_other_system_is_no_near_miss():
    storm = pipe("S", (0, 0), (90, 0), kind="storm", from_invert_m=9, to_invert_m=8)
    result = run(layers([storm, falling("L", 10.5, 9.9, (10, 20), (10, 0.4))], outlets=END))
    assert found(result, "near_miss") == []
    assert found(result, "dangling") == ["L"]


def test_its_own_body_is_no_near_miss():
    hook = falling("H", 10, 9, (0, 0), (40, 0), (40, 20), (20, 20), (20, 0.5))
    assert found(run(layers([hook])), "near_miss") == []


def test_a_short_branch_is_not_near_the_main_it_hangs_on():
    pipes = [*main(), falling("L", 10, 9.7, (30, 0.7), (30, 0))]
    assert rules(run(layers(pipes, outlets=END))) == []


def test_the_upper_end_of_a_sewer_beside_another_body_is_no_near_miss():
    pipes = [*main(), falling("L", 9.9, 9, (15, 0.6), (15, 40))]
    assert found(run(layers(pipes, outlets=[plant(90, 0), plant(15, 40, "W2")])), "near_miss") == []


def test_a_manhole_just_missed_is_told_and_is_no_orphan():
    wells = [well("N", 90.4, 0, kind="sewage")]
    result = run(layers(main(), wells, [plant(300, 0)]))
    assert found(result, "near_miss") == ["M2"]
    assert found(result, "orphan_manhole") == []


@pytest.mark.parametrize("vertex", [False, True])
def test_a_touch_in_mid_pipe_without_a_node_carries_nothing_with_or_without_a_vertex(vertex):
    body = pipe("M", *([(0, 0), (30, 0), (90, 0)] if vertex else [(0, 0), (90, 0)]), from_invert_m=10, to_invert_m=9)
    result = run(layers([body, lateral("L", 30)], outlets=END, compounds=[compound("C", 20, 15)]))
    assert found(result, "mid_pipe_junction") == ["L"]
    assert rules(result) == ["mid_pipe_junction"]
    assert verdicts(result) == {"C": "dangling"}
    assert "M" in result.verdicts["evidence"][0]


def test_a_manhole_on_the_body_makes_the_touch_a_junction():
    body = falling("M", 10, 9, (0, 0), (60, 0))
    wells = [well("N", 30, 0, kind="sewage")]
    result = run(layers([body, lateral("L", 30)], wells, [plant(60, 0)], [compound("C", 20, 15)]))
    assert rules(result) == []
    assert verdicts(result) == {"C": "connected"}


def test_a_crossing_is_not_a_junction():
    pipes = [falling("A", 10, 9, (0, 0), (90, 0)), falling("B", 10, 9, (45, -40), (45, 40))]
    result = run(layers(pipes, outlets=[plant(90, 0), plant(45, 40, "W2")]))
    assert rules(result) == []


def test_two_branches_that_meet_on_the_body_are_both_told():
    pipes = [falling("M", 10, 9, (0, 0), (90, 0)), lateral("L", 30), falling("K", 10.5, 9.9, (30, -20), (30, 0))]
    assert found(run(layers(pipes, outlets=END)), "mid_pipe_junction") == ["K", "L"]


def test_two_manholes_close_together_on_a_sound_main_are_no_near_miss():
    pipes = [falling("A", 10, 9.7, (0, 0), (30, 0)), falling("B", 9.7, 9.69, (30, 0), (30.6, 0))]
    pipes.append(falling("C", 9.69, 9.4, (30.6, 0), (90, 0)))
    assert found(run(layers(pipes, outlets=END)), "near_miss") == []


def test_geometry_of_a_near_miss_is_the_place():
    result = run(layers([*main(), falling("L", 10.5, 9.9, (10, 20), (10, 0.4))], outlets=END))
    assert result.findings.geometry[0].distance(line((10, 0.4), (10, 0.41))) < 1e-6
