"""Nodes, pieces and draining: small graphs with known answers, and networkx as an oracle."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp.core import geometry, network
from mapapp.core.findings import COLUMNS, finding_ids, frame

EDGES = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=25)


def arrays(edges):
    pairs = np.array(edges, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


@pytest.fixture(params=["numpy", "compiled"])
def loops(request, monkeypatch):
    if request.param == "compiled":
        monkeypatch.setattr(network, "compiled_pays", lambda n: True)
        monkeypatch.setattr(geometry, "compiled_pays", lambda n: True)


def check_pieces(edges):
    graph = nx.Graph(edges)
    graph.add_nodes_from(range(12))
    label = network.components(12, *arrays(edges))
    for nodes in nx.connected_components(graph):
        assert len({label[n] for n in nodes}) == 1
    assert label.max() + 1 == nx.number_connected_components(graph)


def check_draining(edges, targets):
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(range(12))
    wanted = set(targets).union(*(nx.ancestors(graph, t) for t in targets))
    found = network.drains_to(12, *arrays(edges), np.array(sorted(targets), dtype=np.int64))
    assert set(np.flatnonzero(found)) == wanted


@given(EDGES)
@settings(deadline=None, max_examples=40)
def test_pieces_are_the_connected_components(edges):
    check_pieces(edges)


@given(EDGES, st.sets(st.integers(0, 11), min_size=1, max_size=3))
@settings(deadline=None, max_examples=40)
def test_water_reaches_what_lies_downstream(edges, targets):
    check_draining(edges, targets)


def test_compiled_loops_give_the_same_answers(loops):
    rng = np.random.default_rng(4)
    for _ in range(20):
        edges = [tuple(e) for e in rng.integers(0, 12, (rng.integers(0, 20), 2)).tolist()]
        check_pieces(edges)
        check_draining(edges, {3, 7})


def test_ends_are_joined_as_all_pairs_within_the_tolerance_say(loops):
    rng = np.random.default_rng(9)
    x, y = np.round(rng.uniform(-20, 20, (2, 400)), 1)
    graph = nx.Graph(zip(*np.nonzero(np.hypot(x[:, None] - x, y[:, None] - y) <= 0.3 + 1e-9), strict=True))
    label = network.join_ends(geometry.lines_of(np.zeros(0, dtype=object)), x, y, 0.3).point
    assert {frozenset(np.flatnonzero(label == k).tolist()) for k in range(label.max() + 1)} == {
        frozenset(int(n) for n in nodes) for nodes in nx.connected_components(graph)
    }


def test_points_near_lines_are_those_of_brute_force(loops):
    import shapely

    rng = np.random.default_rng(7)
    xy = rng.uniform(-300, 300, (40, 3, 2))
    shapes = shapely.linestrings(xy)
    lines = geometry.lines_of(shapes)
    x, y = rng.uniform(-300, 300, (2, 200))
    reach = rng.uniform(0.1, 30, 200)
    found = geometry.points_near_lines(x, y, reach, lines)
    distance = shapely.distance(shapely.points(x, y)[:, None], shapes)
    assert set(zip(found.point, found.string, strict=True)) == set(
        zip(*np.nonzero(distance <= reach[:, None]), strict=True)
    )
    assert found.distance == pytest.approx(distance[found.point, found.string])


def test_lengths_and_places_along_are_shapelys():
    import shapely

    shapes = np.array([shapely.LineString([(0, 0), (3, 4), (3, 10)]), shapely.LineString([(100, 0), (107, 0)])])
    lines = geometry.lines_of(shapes)
    assert lines.lengths() == pytest.approx([11, 7])
    near = geometry.points_near_lines(np.array([3.0, 105.0]), np.array([7.0, 0.2]), np.array([1.0, 1.0]), lines)
    assert lines.along(near.string, near.segment, near.at) == pytest.approx([8, 5])


def test_ids_of_findings_depend_on_rule_and_features_alone():
    one = finding_ids(["near_miss", "overlap"], [["P1", "P2"], ["P1", "P2"]])
    two = finding_ids(["overlap", "near_miss"], [["P2", "P1"], ["P2", "P1"]])
    assert one == two[::-1]
    assert len(set(finding_ids(["dangling"] * 3, [["P1"]] * 3))) == 3


def test_a_table_of_no_findings_has_all_columns():
    empty = frame({}, np.empty(0, dtype=object), "EPSG:4544")
    assert list(empty.columns) == [*COLUMNS, "geometry"]
    assert len(empty) == 0
