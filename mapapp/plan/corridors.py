"""This module builds the graph of where a sewer can go: along streets, from compounds to them, from them to sewers.

Nodes are points; edges are straight pieces. Where there are no streets, a Delaunay graph over compounds and sewers takes
their place. Straight pieces keep clear of buildings and water while any way is left; what crosses water, a railway or a main
road pays for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import Delaunay, QhullError, cKDTree

from mapapp.plan.drawn import Drawn
from mapapp.plan.footways import offset_pieces, widths
from mapapp.plan.obstacles import clear, crossings, obstacles
from mapapp.plan.targets import Targets

Array = np.ndarray[Any, Any]

ENTRIES = 3
"""Ways from a compound onto streets that are offered to the layout."""
NEAR_M = 120.0
REACH_M = 600.0
"""A compound farther from every street has no corridor."""
STRAIGHT_M = 150.0
"""Served sewers this near may be joined straight."""
FARTHEST_M = 2000.0
"""A last straight corridor, for what streets do not join."""
TARGET_M = 40.0
"""Sewers this near to a street can be reached from it."""
MERGE_M = 2.0
"""Cuts of a street this near to each other or to its end are one."""
_SNAP_M = 0.5
_GATE_M = 10.0
_SIMPLE_M = 1.0


@dataclass(frozen=True, slots=True)
class Corridors:
    """A graph; nodes: street points, compounds, gates of compounds, and last the root (all served sewers as one).

    Attributes
    ----------
    a, b : ndarray of int, shape (m,)
        Ends of the edges.
    start, end : ndarray, shape (m, 2)
        Where the edge begins (at ``a``) and ends (at ``b``): the root is wherever the sewer is.
    length : ndarray, shape (m,)
        Metres.
    target : ndarray of int, shape (m,)
        Row of the served sewer that the edge joins; -1.
    street : ndarray of int, shape (m,)
        Row of the street it follows; -1.
    kind : ndarray of str, shape (m,)
        ``street``, ``connector``, ``straight``, or ``inside``: from a compound (``a``) to its gate (``b``), of no length.
    crossings : ndarray, shape (m, len(CROSSED))
        How often it crosses water, railways, main roads; a side street that ends at a main road crosses half of it.
    compound, compounds : int
        Node number of the first compound, and how many; ``compound + row`` is the node of a row.
    inside_m : ndarray, shape (m,)
        For edges inside a compound, the least distance between two of its gates: who leads pipes through pays it.
    well_m, well_mm : ndarray, shape (m,)
        Depth and size of the manhole to be built on the existing pipe that the edge joins; 0 where there is one.
    """

    n: int
    a: Array
    b: Array
    start: Array
    end: Array
    target: Array
    street: Array
    kind: Array
    crossings: Array
    compound: int
    compounds: int
    inside_m: Array
    well_m: Array
    well_mm: Array

    @property
    def root(self) -> int:
        """Node number of the served network."""
        return self.n - 1

    @property
    def length(self) -> Array:
        """Length of each edge in metres, at least a decimetre."""
        return np.asarray(np.maximum(np.hypot(*(self.end - self.start).T), 0.1))


def build(
    layers: Mapping[str, Any],
    gates: Array,
    targets: Targets,
    forbidden: Any = None,
    *,
    low: Array | None = None,
    footways: bool = False,
    drawn: Drawn | None = None,
) -> Corridors:
    """Return the corridors between compounds and served sewers.

    Parameters
    ----------
    layers : mapping
        ``streets`` (lines), ``buildings`` (polygons), ``water``, ``railways``; each may be absent.
    gates : array of geometry, shape (c,)
        Outlines or points of the unserved compounds, metric.
    targets : Targets
        Places to join.
    forbidden : GeoDataFrame, optional
        What no corridor may touch.
    low : ndarray of Point or None, shape (c,), optional
        Lowest place of each outline: a compound may leave there too.
    footways : bool
        Lay along both footways of each street, and across at its ends, instead of along its centre.
    drawn : Drawn, optional
        Lines drawn by hand: a compound that has one leaves by it alone.
    """
    served = targets.point
    points, a, b, street = _streets(layers.get("streets"), gates, footways=footways)
    houses = obstacles(layers.get("buildings"))
    barriers = obstacles(layers.get("buildings"), layers.get("water"))
    parts = []
    if len(a):
        pieces = np.asarray(shapely.linestrings(np.stack([points[a], points[b]], axis=1)))
        tree = shapely.STRtree(pieces)
        entry = _entries(tree, pieces, gates, low, barriers)
        joint = _joints(tree, pieces, served, 2 if footways else 1)
        where = np.concatenate([entry[1], joint[1]])
        q = np.concatenate([entry[3], joint[2]])
        points, a, b, street, node = _cut(points, a, b, street, where, q)
        n = len(points)
        parts.append((a, b, points[a], points[b], np.full(len(a), -1), street, np.full(len(a), "street")))
        k = len(entry[0])
        parts.append((
            n + entry[0], node[:k], entry[2], points[node[:k]], np.full(k, -1), np.full(k, -1), np.full(k, "connector")
        ))  # fmt: skip
        k2 = len(joint[0])
        at = shapely.get_coordinates(served[joint[0]])
        parts.append((
            node[k:], np.full(k2, n + len(gates)), points[node[k:]], at, joint[0], np.full(k2, -1),
            np.full(k2, "connector"),
        ))  # fmt: skip
        parts.extend(_straight_in(points, a, b, street, node[k:], at, joint[0], n + len(gates)))
    n = len(points)
    root = n + len(gates)
    # manholes and new places on pipes apart, so that many of one kind do not crowd out the other
    for kind in (np.flatnonzero(~targets.between), np.flatnonzero(targets.between)):
        parts.append(_on(kind, _straight(gates, served[kind], n, root, STRAIGHT_M, 3, barriers)))
    beside, within = (np.empty(0, object), NEAR_M) if len(a) else (served, FARTHEST_M)
    parts.extend(_delaunay(gates, beside, n, root, within, barriers))
    graph = _open(_assemble(parts), forbidden)
    if len(served) and layers.get("water") is not None and len(_cut_off(graph, n, root)):
        # no way round the water: across it, at its price
        parts.append(_straight(gates, served, n, root, STRAIGHT_M, 3, houses))
        parts.extend(_delaunay(gates, beside, n, root, within, houses))
        graph = _open(_assemble(parts), forbidden)
    cut_off = _cut_off(graph, n, root)
    if len(cut_off) and len(served):
        # straight is better than nothing: through houses if need be, and the plan says so
        rows = _straight(gates[cut_off], served, 0, root, FARTHEST_M, 1, None)
        parts.append((n + cut_off[rows[0]], *rows[1:]))
        graph = _open(_assemble(parts), forbidden)
    if drawn is not None and len(drawn.row):
        graph, n, root = _with_drawn(graph, n, root, drawn)
    return _with_gates(layers, graph, n, root, targets)


def _on(rows: Array, part: Part) -> Part:
    """Return the part with its targets numbered among all of them, not among the few looked at."""
    a, b, start, end, target, street, kind = part
    return a, b, start, end, rows[target] if len(target) else target, street, kind


def _with_drawn(graph: Part, first: int, root: int, drawn: Drawn) -> tuple[Part, int, int]:
    """Add drawn lines, and take every other way from their compounds away; new points go before the compounds."""
    a, b, start, end, target, street, kind = graph
    away = np.isin(a, first + drawn.row) | np.isin(b, first + drawn.row)
    a, b, start, end, target, street, kind = (x[~away] for x in graph)
    xy, owner = shapely.get_coordinates(drawn.line, return_index=True)
    inner = np.flatnonzero(owner[1:] == owner[:-1])
    opens = np.ones(len(xy), bool)
    opens[1:] = owner[1:] != owner[:-1]
    ends = np.append(opens[1:], True)
    middle = ~opens & ~ends
    more = int(middle.sum())
    node = np.where(middle, first + np.cumsum(middle) - 1, -1)
    shift = np.where(a >= first, more, 0), np.where(b >= first, more, 0)
    a, b = a + shift[0], b + shift[1]
    node[opens] = first + more + drawn.row[owner[opens]]
    node[ends] = root + more
    last = ends[inner + 1]
    k = len(inner)
    part = (
        node[inner], node[inner + 1], xy[inner], xy[inner + 1], np.where(last, drawn.target[owner[inner]], -1),
        np.full(k, -1), np.full(k, "drawn"),
    )  # fmt: skip
    return _assemble([(a, b, start, end, target, street, kind), part]), first + more, root + more


Part = tuple[Array, Array, Array, Array, Array, Array, Array]


def _assemble(parts: list[Part]) -> Part:
    a, b, start, end, target, street, kind = (np.concatenate([np.asarray(p[i]) for p in parts]) for i in range(7))
    return a.astype(np.int64), b.astype(np.int64), start.reshape(-1, 2), end.reshape(-1, 2), target, street, kind


def _open(graph: Part, forbidden: Any) -> Part:
    """Leave out what touches forbidden ground."""
    if forbidden is None or not len(forbidden) or not len(graph[0]):
        return graph
    shape = forbidden.geometry.to_numpy()
    shape = shape[~shapely.is_missing(shape) & ~shapely.is_empty(shape)]
    shape = shapely.make_valid(shapely.force_2d(shape))
    lines = np.asarray(shapely.linestrings(np.stack([graph[2], graph[3]], axis=1)))
    free = np.ones(len(lines), bool)
    free[shapely.STRtree(lines).query(shape, predicate="intersects")[1]] = False
    a, b, start, end, target, street, kind = (x[free] for x in graph)
    return a, b, start, end, target, street, kind


def _cut_off(graph: Part, first: int, root: int) -> Array:
    """Return the rows of compounds from which no corridor leads to the root."""
    link = sparse.coo_matrix((np.ones(len(graph[0])), graph[:2]), shape=(root + 1, root + 1))
    _, piece = csgraph.connected_components(link, directed=False)
    return np.flatnonzero(piece[first:root] != piece[root])


def _with_gates(layers: Mapping[str, Any], graph: Part, first: int, root: int, targets: Targets) -> Corridors:
    """Give each compound a node per gate, so that what runs through it from gate to gate is seen and paid for."""
    a, b, start, end, target, street, kind = graph
    at_a, at_b = ((x >= first) & (x < root) for x in (a, b))
    who = np.concatenate([a[at_a], b[at_b]]) - first
    place = np.concatenate([start[at_a], end[at_b]])
    pairs = cKDTree(place).query_pairs(_GATE_M, output_type="ndarray") if len(place) else np.empty((0, 2), np.int64)
    pairs = pairs[who[pairs[:, 0]] == who[pairs[:, 1]]]
    link = sparse.coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(who), len(who)))
    count, gate = csgraph.connected_components(link, directed=False) if len(who) else (0, np.empty(0, np.int64))
    lead = np.full(count, len(who))
    np.minimum.at(lead, gate, np.arange(len(who)))
    owner, spot = who[lead], place[lead]
    last = root + count
    a, b, start, end = np.where(a == root, last, a), np.where(b == root, last, b), start.copy(), end.copy()
    k = int(at_a.sum())
    a[at_a], start[at_a] = root + gate[:k], spot[gate[:k]]
    b[at_b], end[at_b] = root + gate[k:], spot[gate[k:]]
    order = np.argsort(owner, kind="stable")
    nearest = np.full(root - first, np.inf)
    for step in range(1, int(np.bincount(owner).max()) if count else 0):
        one, two = order[:-step], order[step:]
        same = owner[one] == owner[two]
        np.minimum.at(nearest, owner[one[same]], np.hypot(*(spot[one[same]] - spot[two[same]]).T))
    spread = np.where(np.isfinite(nearest), nearest, 0.0)[owner]
    none = np.full(count, -1)
    joins = target >= 0
    well_m, well_mm = np.zeros(len(a) + count), np.zeros(len(a) + count)
    well_m[: len(a)][joins] = targets.well_m[target[joins]]
    well_mm[: len(a)][joins] = targets.well_mm[target[joins]]
    a, b = np.concatenate([a, first + owner]), np.concatenate([b, root + np.arange(count)])
    start, end = np.concatenate([start, spot]), np.concatenate([end, spot])
    return Corridors(
        n=last + 1, a=a, b=b, start=start, end=end, target=np.concatenate([target, none]),
        street=np.concatenate([street, none]), kind=np.concatenate([kind, np.full(count, "inside")]),
        crossings=crossings(layers, start, end, np.concatenate([street, none])), compound=first,
        compounds=root - first, inside_m=np.concatenate([np.zeros(len(target)), spread]), well_m=well_m, well_mm=well_mm,
    )  # fmt: skip


def _streets(frame: Any, gates: Array, *, footways: bool = False) -> tuple[Array, Array, Array, Array]:
    """Return street points, and straight pieces between crossings with the row of their street."""
    none = np.empty((0, 2)), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
    if frame is None or not len(frame) or not len(gates):
        return none
    shape = shapely.force_2d(frame.geometry.to_numpy())
    use = np.flatnonzero(
        np.isin(shapely.get_type_id(shape), (1, 5)) & ~shapely.is_empty(shape) & shapely.is_valid(shape)
    )
    x0, y0, x1, y1 = shapely.total_bounds(gates)
    near = shapely.box(x0 - FARTHEST_M, y0 - FARTHEST_M, x1 + FARTHEST_M, y1 + FARTHEST_M)
    use = use[shapely.intersects(shape[use], near)]
    if not len(use):
        return none
    noded = shapely.get_parts(shapely.node(shapely.multilinestrings(shapely.get_parts(shape[use]))))
    middle = shapely.line_interpolate_point(noded, 0.5, normalized=True)
    row = use[shapely.STRtree(shape[use]).nearest(middle)]
    noded = shapely.simplify(noded, _SIMPLE_M)
    if footways:
        xy, to, owner = offset_pieces(noded, widths(frame, row))
        ends = np.concatenate([xy, to])
    else:
        xy, owner = shapely.get_coordinates(noded, return_index=True)
        inner = np.flatnonzero(owner[1:] == owner[:-1])
        ends, owner = np.concatenate([xy[inner], xy[inner + 1]]), owner[inner]
    m = len(owner)
    key, which = np.unique(np.round(ends, 3), axis=0, return_inverse=True)
    pairs = cKDTree(key).query_pairs(_SNAP_M, output_type="ndarray")
    size = len(key)
    link = sparse.coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    count, group = csgraph.connected_components(link, directed=False)
    points = np.empty((count, 2))
    points[group] = key
    node = group[which.ravel()]
    a, b = node[:m], node[m:]
    real = a != b
    return points, a[real], b[real], row[owner][real]


def _entries(
    tree: Any, pieces: Array, gates: Array, low: Array | None, barriers: Any
) -> tuple[Array, Array, Array, Array]:
    """Return compound row, street piece, gate and point on the street: the nearest few pieces, and the one nearest the low end.

    Ways through foreign houses or water are left out while the compound has another one.
    """
    who, piece = tree.query(gates, predicate="dwithin", distance=NEAR_M)
    missing = np.setdiff1d(np.arange(len(gates)), who)
    if len(missing):
        (more, far_piece) = tree.query_nearest(gates[missing], max_distance=REACH_M, all_matches=False)
        who, piece = np.concatenate([who, missing[more]]), np.concatenate([piece, far_piece])
    way = shapely.shortest_line(gates[who], pieces[piece])
    if low is not None:
        rows = np.flatnonzero(~shapely.is_missing(low))
        (some, near) = tree.query_nearest(low[rows], max_distance=NEAR_M, all_matches=False)
        rows = rows[some]
        down = shapely.shortest_line(low[rows], pieces[near])
        outward = shapely.length(shapely.intersection(down, gates[rows])) < _SNAP_M  # not back through the compound
        first = len(who)
        who, piece = np.append(who, rows[outward]), np.append(piece, near[outward])
        way = np.append(way, down[outward])
    else:
        first = len(who)
    far = shapely.length(way)
    far[first:] = -1.0  # the low end is one of the few
    blocked = ~clear(way, gates[who], barriers)
    order = np.lexsort((piece, far, blocked, who))
    rank = np.arange(len(order)) - np.searchsorted(who[order], who[order])
    keep = order[(rank < ENTRIES) & ((rank == 0) | ~blocked[order])]
    who, piece, way = who[keep], piece[keep], way[keep]
    ends = shapely.get_coordinates(way).reshape(-1, 2, 2)
    return who, piece, ends[:, 0], ends[:, 1]


def _joints(tree: Any, pieces: Array, served: Array, most: int) -> tuple[Array, Array, Array]:
    """Return served row, street piece and point on the street, for sewers beside a street."""
    if not len(served):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 2))
    if most == 1:
        who, piece = tree.query_nearest(served, max_distance=TARGET_M, all_matches=False)
    else:  # a sewer in the middle of a street can be reached from both footways
        who, piece = tree.query(served, predicate="dwithin", distance=TARGET_M)
        order = np.lexsort((piece, shapely.distance(served[who], pieces[piece]), who))
        rank = np.arange(len(order)) - np.searchsorted(who[order], who[order])
        who, piece = who[order[rank < most]], piece[order[rank < most]]
    at = shapely.line_interpolate_point(pieces[piece], shapely.line_locate_point(pieces[piece], served[who]))
    return who, piece, shapely.get_coordinates(at)


def _straight_in(
    points: Array, a: Array, b: Array, street: Array, node: Array, at: Array, target: Array, root: int
) -> list[Part]:
    """Return street pieces once more, ending in the sewer where one lies in the street: no pipe and no manhole between."""
    there = np.flatnonzero(np.hypot(*(at - points[node]).T) < _SNAP_M)
    which = np.full(len(points), -1)
    which[node[there]] = there
    out = []
    for near, far in ((b, a), (a, b)):
        e = np.flatnonzero(which[near] >= 0)
        k = which[near[e]]
        out.append((
            far[e], np.full(len(e), root), points[far[e]], at[k], target[k], street[e], np.full(len(e), "street"),
        ))  # fmt: skip
    return out


def _cut(
    points: Array, a: Array, b: Array, street: Array, piece: Array, at: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Cut pieces at points on them; points within `MERGE_M` of each other or of an end become one: no tiny pipes."""
    length = np.hypot(*(points[b] - points[a]).T)
    t = np.hypot(*(at - points[a[piece]]).T)
    rest, each = length[piece] - t, len(points) + np.arange(len(piece))
    at_end = np.minimum(t, rest) < MERGE_M
    node = np.where(at_end, np.where(t <= rest, a[piece], b[piece]), each)
    node = np.where(at_end, node, node[_merged(piece, t)])
    points = np.concatenate([points, at])
    m = np.arange(len(a))
    new = node == each
    edge = np.concatenate([m, piece[new], m])
    place = np.concatenate([np.full(len(a), -1.0), t[new], length + 1.0])
    which = np.concatenate([a, node[new], b])
    order = np.lexsort((which, place, edge))
    edge, which = edge[order], which[order]
    run = np.flatnonzero(edge[1:] == edge[:-1])
    return points, which[run], which[run + 1], street[edge[run]], node


def _merged(piece: Array, t: Array) -> Array:
    """Return, for each cut, the first cut of those near to it on the same piece."""
    order = np.lexsort((t, piece))
    who, place = piece[order], t[order]
    fresh = np.ones(len(order), bool)
    fresh[1:] = (who[1:] != who[:-1]) | (place[1:] - place[:-1] >= MERGE_M)
    start = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
    part = np.floor((place - place[start]) / (2.0 * MERGE_M)) if len(order) else place  # long runs are cut again
    fresh[1:] |= part[1:] != part[:-1]
    start = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
    out = np.empty(len(order), np.int64)
    out[order] = order[start]
    return out


def _straight(gates: Array, served: Array, first: int, root: int, within: float, most: int, barriers: Any) -> Part:
    """Return straight edges from compounds to their nearest served sewers, clear of houses that are not their own."""
    empty = np.empty(0, np.int64)
    nothing = empty, empty, np.empty((0, 2)), np.empty((0, 2)), empty, empty, np.empty(0, "U9")
    if not len(served) or not len(gates):
        return nothing
    who, target = shapely.STRtree(served).query(gates, predicate="dwithin", distance=within)
    far = shapely.distance(gates[who], served[target])
    order = np.lexsort((target, far, who))
    rank = np.arange(len(order)) - np.searchsorted(who[order], who[order])
    keep = order[rank < most]
    who, target = who[keep], target[keep]
    lines = shapely.shortest_line(gates[who], served[target])
    free = clear(lines, gates[who], barriers)
    who, target = who[free], target[free]
    ends = shapely.get_coordinates(lines[free]).reshape(-1, 2, 2)
    k = len(who)
    return first + who, np.full(k, root), ends[:, 0], ends[:, 1], target, np.full(k, -1), np.full(k, "straight")


def _delaunay(gates: Array, served: Array, first: int, root: int, within: float, barriers: Any) -> list[Part]:
    """Return straight edges between neighbouring compounds, and to the sewers among their neighbours."""
    middle = shapely.get_coordinates(shapely.point_on_surface(gates))
    at = shapely.get_coordinates(served)
    if len(at):
        _, near = cKDTree(at).query(middle, k=min(5, len(at)))
        near = np.unique(near)
    else:
        near = np.empty(0, np.int64)
    xy = np.concatenate([middle, at[near]])
    if len(xy) < 4:
        i, j = np.triu_indices(len(xy), 1)
    else:
        try:
            corners = Delaunay(xy, qhull_options="QJ").simplices
        except QhullError:  # all on one line
            i = np.argsort(xy[:, 0] + xy[:, 1])
            corners = np.column_stack([i[:-1], i[1:], i[1:]])
        sides = np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=1)
        i, j = np.unique(sides[sides[:, 0] != sides[:, 1]], axis=0).T
    c = len(gates)
    both, one = (j < c), (i < c) & (j >= c)
    shapes = np.concatenate([gates, served[near]])
    lines = shapely.shortest_line(shapes[i], shapes[j])
    fine = clear(lines, shapes[i], barriers) & (shapely.length(lines) <= within)
    ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    out = []
    for use, is_target in ((both & fine, False), (one & fine, True)):
        k = int(use.sum())
        if k:
            far = np.full(k, root) if is_target else first + j[use]
            target = near[j[use] - c] if is_target else np.full(k, -1)
            out.append((
                first + i[use], far, ends[use, 0], ends[use, 1], target, np.full(k, -1), np.full(k, "straight")
            ))  # fmt: skip
    return out
