"""Shapes as they come: pieces, nothing, copies, parallels."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import LineString, MultiLineString, Point, Polygon

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
    pipe,
    plant,
    rules,
    run,
    verdicts,
)

END, HOME = [plant(90, 0)], compound("C", 20, 15)


def bent(*parts, **more):
    return pipe("M", (0, 0), (1, 1), **more) | {"geometry": MultiLineString([line(*p) for p in parts])}


@pytest.mark.parametrize(
    "parts",
    [
        [[(0, 0), (30, 0)], [(30, 0), (90, 0)]],
        [[(30, 0), (90, 0)], [(0, 0), (30, 0)]],
        [[(0, 0), (30, 0)], [(90, 0), (30, 0)]],
        [[(0, 0), (30, 0)], [(30.03, 0), (90, 0)]],
    ],
)
def test_parts_that_meet_are_one_pipe_in_whatever_order_they_come(parts):
    town = layers(
        [bent(*parts), falling("L", 10.5, 10, (0, 20), (0, 0))], outlets=END, compounds=[compound("C", -10, 15)]
    )
    result = run(town)
    assert rules(result) == []
    assert verdicts(result) == {"C": "connected"}


def test_parts_with_a_gap_are_told_and_carry_nothing_over_it():
    town = layers(
        [bent([(0, 0), (30, 0)], [(40, 0), (90, 0)]), lateral("L", 0)], outlets=END, compounds=[compound("C", -10, 15)]
    )
    result = run(town)
    assert found(result, "invalid_geometry") == ["M"]
    assert verdicts(result) == {"C": "dangling"}


@pytest.mark.parametrize(
    ("shape", "rule"),
    [
        (None, "null_geometry"),
        (LineString(), "null_geometry"),
        (Point(X, Y), "invalid_geometry"),
        (LineString([(X, Y), (np.inf, Y)]), "invalid_geometry"),
        (LineString([(X, Y + 9), (X, Y + 9)]), "zero_length"),
    ],
)
def test_a_pipe_without_a_usable_shape_is_told_and_the_rest_goes_on(shape, rule):
    broken = pipe("B", (0, 0), (1, 1)) | {"geometry": shape}
    result = run(layers([*main(), lateral("L", 30), broken], outlets=END, compounds=[HOME]))
    assert rules(result) == [rule]
    assert found(result, rule) == ["B"]
    assert verdicts(result) == {"C": "connected"}


@pytest.mark.parametrize(
    "again", [[(30, 0), (60, 0)], [(60, 0), (30, 0)], [(30.02, 0.02), (60, -0.01)], [(30.1, 0.08), (60.1, 0.08)]]
)
def test_a_copy_is_told_once_drawn_either_way_or_slightly_off(again):
    result = run(layers([*main(), pipe("Z", *again)], outlets=END))
    assert rules(result) == ["duplicate_geometry"]
    assert found(result, "duplicate_geometry") == ["Z"]
    assert list(result.findings["related"]) == ["M1"]


def test_a_copy_does_not_hide_a_dangling_end():
    lost = falling("D", 9.7, 9.2, (30, 0), (30, -50))
    result = run(layers([*main(), lost, lost | {"pipe_id": "E"}], outlets=END))
    assert rules(result) == ["dangling", "duplicate_geometry"]
    assert found(result, "dangling") == ["D"]


def test_parallel_pipes_and_a_bifurcation_are_no_copies():
    twin = [
        falling("A", 10, 9.7, (30, 0), (45, 1), (60, 0)),
        pipe("S", (30, 0), (60, 0), kind="storm", from_invert_m=9, to_invert_m=8),
    ]
    result = run(layers([*main(), *twin], outlets=END))
    assert found(result, "duplicate_geometry") == []


def test_a_shared_stretch_is_an_overlap():
    more = [falling("A", 9.5, 9.2, (50, 0), (75, 0), (75, 30))]
    result = run(layers([*main(), *more], outlets=[plant(90, 0), plant(75, 30, "W2")]))
    assert found(result, "overlap") == ["A", "A"]
    assert sorted(result.findings["related"].dropna()) == ["M1", "M2"]
    assert sorted(np.round(result.findings["value"].dropna(), 1)) == [10.0, 15.0]


def test_ids_that_name_two_rows_or_none_are_told():
    pipes = main()
    pipes[1]["pipe_id"] = "M0"
    pipes[2]["pipe_id"] = None
    result = run(layers(pipes, outlets=END))
    assert len(found(result, "duplicate_id")) == 2
    assert len(set(result.findings["finding_id"])) == len(result.findings)


def test_a_compound_whose_outline_crosses_itself_is_told_and_judged():
    bow = Polygon([(X + 20, Y + 15), (X + 40, Y + 35), (X + 40, Y + 15), (X + 20, Y + 35)])
    result = run(
        layers([*main(), lateral("L", 30, from_y=25)], outlets=END, compounds=[{"compound_id": "C", "geometry": bow}])
    )
    assert rules(result) == ["invalid_geometry"]
    assert verdicts(result) == {"C": "connected"}


def test_nothing_at_all_is_an_empty_answer():
    result = run({})
    assert len(result.findings) == len(result.verdicts) == len(result.candidates) == 0
    assert list(result.findings.columns[:3]) == ["finding_id", "rule", "severity"]
