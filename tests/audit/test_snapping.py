"""Two things within the snap tolerance are one node, wherever a grid line or a rounding step falls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp.core.geometry import lines_of
from mapapp.core.network import join_ends, merge_equal
from tests.audit.towns import compound, falling, found, lateral, layers, line, main, plant, rules, run, verdicts

HOME = compound("C", 20, 15)


@pytest.mark.parametrize("offset", [0.0, 0.013, 0.5, 0.9949, 0.4999, 1e-9])
def test_ends_one_centimetre_apart_join_wherever_a_rounding_step_falls(offset):
    pipes = [lateral("L", 30 + offset, 0.0), *main(30 + offset)[:0]]
    pipes += [falling("A", 10, 9.7, (0, 0), (30 + offset, 0)), falling("B", 9.7, 9.4, (30.01 + offset, 0), (60, 0))]
    result = run(layers(pipes, outlets=[plant(60, 0)], compounds=[HOME]))
    assert verdicts(result) == {"C": "connected"}
    assert rules(result) == []


def test_a_chain_of_ends_each_within_tolerance_is_one_node():
    pipes = [
        falling(f"P{i}", 10, 9.5, (30 * np.cos(a), 30 * np.sin(a)), (0.04 * i, 0.0)) for i, a in enumerate((2, 3, 4))
    ]
    pipes.append(falling("OUT", 9.5, 9.0, (0.12, 0), (60, 0)))
    assert rules(run(layers(pipes, outlets=[plant(60, 0)]))) == []


def test_a_stub_shorter_than_the_tolerance_neither_vanishes_nor_swallows_its_neighbours():
    pipes = [falling("A", 10, 9.7, (0, 0), (30, 0)), falling("S", 9.7, 9.69, (30, 0), (30.03, 0))]
    pipes += [falling("B", 9.69, 9.4, (30.03, 0), (60, 0)), lateral("L", 30)]
    town = layers(pipes, outlets=[plant(60, 0)], compounds=[HOME])
    lines = lines_of(np.asarray(town["pipes"].geometry.array))
    nodes = join_ends(lines, np.zeros(0), np.zeros(0), 0.05)
    assert nodes.start[1] != nodes.end[1]
    assert verdicts(run(town)) == {"C": "connected"}
    assert found(run(town), "zero_length") == []


def test_a_ring_whose_ends_nearly_meet_is_closed():
    ring = lines_of(np.array([line((0, 0), (50, 0), (50, 50), (0.01, 0.01))]))
    nodes = join_ends(ring, np.zeros(0), np.zeros(0), 0.05)
    assert nodes.start[0] == nodes.end[0]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
@settings(deadline=None, max_examples=50)
def test_merging_equal_points_agrees_with_a_dictionary(points):
    x, y = np.array(points, dtype=float).T
    first, which = merge_equal(x.copy(), y.copy())
    assert len(first) == len(set(points))
    assert all((x[first[w]], y[first[w]]) == p for w, p in zip(which, points, strict=True))


@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=2, max_size=25))
@settings(deadline=None, max_examples=50)
def test_clusters_are_those_of_all_pairs_within_the_tolerance(points):
    x, y = np.array(points).T
    near = np.hypot(x[:, None] - x, y[:, None] - y) <= 0.3 + 1e-9
    while (more := near @ near).sum() != near.sum():
        near = more
    none = lines_of(np.zeros(0, dtype=object))
    label = join_ends(none, x.copy(), y.copy(), 0.3).point
    assert ((label[:, None] == label) == near).all()
