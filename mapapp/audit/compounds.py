"""This module reads compounds, finds the network nodes that belong to each, and the mains and surveys around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from mapapp.audit import tables
from mapapp.audit.batch import points
from mapapp.audit.checks_network import Flow
from mapapp.audit.model import SEWAGE_BIT, Town, ends_at
from mapapp.audit.settings import AuditSettings
from mapapp.audit.tables import Columns, Objects, floats, names, strings
from mapapp.core import loops
from mapapp.core.geometry import Bools, Floats, Ints, cells, compiled_pays, in_marked_cells, marked_cells

LEDGER = ("connected", "partial", "not_connected", "septic_only", "discharges_to_water", "unknown")


@dataclass(frozen=True, slots=True)
class Compounds:
    """The compounds: ``shape`` is valid or None; ``point`` marks those that are only a point."""

    ids: pa.Array
    given: Objects
    shape: Objects
    point: Bools
    ledger: tables.Codes  # place in LEDGER, -1 where missing
    outlet_m: Floats  # level of the compound's own outlet, where the table knows it

    def __len__(self) -> int:
        return len(self.shape)


def compounds_of(columns: Columns) -> Compounds:
    """Read the layer of compounds; outlines that cross themselves are repaired for the analysis alone."""
    given = columns.shapes()
    kind = shapely.get_type_id(given)
    shape = given.copy()
    usable = np.isin(kind, (0, 3, 4, 6)) & ~shapely.is_empty(given)
    shape[~usable] = None
    shape = shapely.force_2d(shape)
    crossed = usable & ~shapely.is_valid(shape)
    shape[crossed] = shapely.make_valid(shape[crossed])
    ledger = tables.codes(columns, "compounds", "sewer_connection", {k: i for i, k in enumerate(LEDGER)}, -1)
    return Compounds(
        strings(columns, "compound_id"), given, shape, np.isin(kind, (0, 4)), ledger, floats(columns, "outlet_invert_m")
    )


@dataclass(frozen=True, slots=True)
class Joined:
    """Nodes that belong to compounds, sorted by compound, nearest first."""

    compound: Ints
    node: Ints
    distance: Floats


def join(found: Compounds, town: Town, flow: Flow) -> Joined:
    """Find the pipe ends and manholes of the sewage system that belong to each compound.

    Inside the outline, or within the settings' ``join_m`` of it when no other compound holds it; outside it, a manhole
    that the street's main passes through does not (unless it is an inlet manhole). One that lies on the common border
    of two compounds belongs to the one its pipe comes from. A compound that is only a point stands for a circle, and
    takes laterals, internal pipes, inlet manholes and loose ends.
    """
    st, nodes = town.settings, town.nodes
    sewer = flow.degree > 0
    has = town.manhole >= 0
    kind = (
        tables.SYSTEM[town.manholes.kind[np.where(has, town.manhole, 0)]]
        if len(town.manholes.kind)
        else np.zeros(len(nodes), np.int8)
    )
    kind_known = has & (kind & SEWAGE_BIT != 0)
    storm_only = np.zeros(len(nodes), dtype=bool)  # an unknown manhole at storm pipes alone is a storm manhole
    s = town.strings
    rain = s.usable & (s.system == 2)
    storm_only[s.a[rain]] = storm_only[s.b[rain]] = True
    who = np.flatnonzero(sewer | (kind_known & ~storm_only))
    none = np.zeros(0, dtype=np.int64)
    rows = np.flatnonzero(~shapely.is_missing(found.shape))
    if len(who) == 0 or len(rows) == 0:
        return Joined(none, none, np.zeros(0))
    reach = np.where(found.point[rows], st.point_radius_m, st.join_m) + 1e-9
    box = shapely.bounds(found.shape[rows]) + reach[:, None] * np.array([-1, -1, 1, 1])
    who = who[_in_boxes(nodes.x[who], nodes.y[who], box)]
    place = points(nodes.x[who], nodes.y[who])
    tree = shapely.STRtree(found.shape[rows])
    i, j = tree.query(place, predicate="dwithin", distance=float(reach.max())) if len(place) else (none, none)
    distance = shapely.distance(place[i], found.shape[rows[j]])
    node, compound = who[i], rows[j]
    ok = distance <= reach[j]
    at_point = found.point[compound]
    inner = s.usable & np.isin(s.of(town.pipes.level), (tables.LATERAL, tables.INTERNAL))
    outside = np.flatnonzero(ok & ~at_point & (distance > 1e-3))
    if len(outside):
        ends = np.bincount(np.concatenate([s.a[inner], s.b[inner]]), minlength=len(nodes))
        street = flow.degree - ends >= 2
        street[has] &= ~town.manholes.inlet[town.manhole[has]]
        ok[outside] &= ~street[node[outside]]
    if at_point.any():
        own = np.zeros(len(nodes), dtype=bool)
        own[s.a[inner]] = own[s.b[inner]] = True
        own |= flow.degree == 1
        own[has] |= town.manholes.inlet[town.manhole[has]]
        ok &= ~at_point | own[node]
    node, compound, distance = node[ok], compound[ok], distance[ok]
    nearest = np.full(len(nodes), np.inf)
    np.minimum.at(nearest, node, distance)
    keep = distance <= nearest[node] + 1e-6
    node, compound, distance = node[keep], compound[keep], distance[keep]
    keep = ~_belongs_next_door(found, town, node, compound)
    node, compound, distance = node[keep], compound[keep], distance[keep]
    order = np.lexsort((_smallest_ids(town, node), np.round(distance, 6), compound))
    return Joined(compound[order], node[order], distance[order])


def _smallest_ids(town: Town, node: Ints) -> Objects:
    """Return the smallest pipe id at each node, else its manhole's: what settles a tie, whatever the order of rows."""
    here, place = np.unique(node, return_inverse=True)
    wells = town.manhole[here]
    label = np.full(len(here), "", dtype=object)
    label[wells >= 0] = names(town.manholes.points.ids, wells[wells >= 0])
    ends = ends_at(town, here)
    at = ends.node
    if len(at):
        ids = np.array(town.ids(ends.string), dtype=object).astype(str)
        order = np.lexsort((ids, at))
        first = order[np.unique(at[order], return_index=True)[1]]
        label[np.searchsorted(here, at[first])] = ids[first]
    out: Objects = label.astype(str)[place]
    return out


def _in_boxes(x: Floats, y: Floats, box: Floats) -> Bools:
    """Return which points may lie in one of many boxes: a bitmap of the boxes' cells, so a few too many."""
    size = float(np.clip(np.median(box[:, 2:] - box[:, :2]), 16.0, 64.0)) if len(box) else 64.0
    c0, r0 = cells(box[:, 0], box[:, 1], size)
    c1, r1 = cells(box[:, 2], box[:, 3], size)
    high = r1 - r0 + 1
    count = (c1 - c0 + 1) * high
    if count.sum() > 20_000_000:  # an outline as large as a province: look at every point
        return np.ones(len(x), dtype=bool)
    of = np.repeat(np.arange(len(box)), count)
    k = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    return in_marked_cells(x, y, marked_cells(c0[of] + k // high[of], r0[of] + k % high[of], 22), size)


def _belongs_next_door(found: Compounds, town: Town, node: Ints, compound: Ints) -> Bools:
    """Among compounds at the same distance from a node, drop those that none of the node's pipes comes from."""
    out = np.zeros(len(node), dtype=bool)
    shared = np.flatnonzero(np.bincount(node, minlength=len(town.nodes))[node] > 1)
    if len(shared) == 0:
        return out
    here = np.unique(node[shared])
    s = town.strings
    rows = np.flatnonzero(s.usable & (np.isin(s.a, here) | np.isin(s.b, here)))
    lines = town.lines.geometry(rows)
    for n in here.tolist():  # few: only nodes on a common border
        mine = shared[node[shared] == n]
        own = lines[(s.a[rows] == n) | (s.b[rows] == n)]
        if len(own):
            inside = shapely.length(shapely.intersection(found.shape[compound[mine]][:, None], own[None, :])).sum(
                axis=1
            )
            out[mine] = inside < inside.max() - 1e-6
    return out


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest string per compound: -1 and infinity where there is none in reach."""

    string: Ints
    distance: Floats


def nearest_strings(found: Compounds, rows: Ints, town: Town, which: Bools, reaches: tuple[float, ...]) -> Nearest:
    """Find the nearest of some strings to some compounds, looking farther only where nothing was near.

    At a tie the smaller pipe id.
    """
    string, best = np.full(len(rows), -1, dtype=np.int64), np.full(len(rows), np.inf)
    candidates = np.flatnonzero(which)
    open_ = np.flatnonzero(~shapely.is_missing(found.shape[rows])) if len(rows) else np.zeros(0, dtype=np.int64)
    if len(open_) and len(candidates) and compiled_pays(len(candidates)):
        shape = found.shape[rows[open_]]
        i, near = _around_compiled(shape, town, candidates, reaches[-1] + 1e-9)
        place, line = np.unique(near, return_inverse=True)
        d = shapely.distance(shape[i], town.lines.geometry(place)[line])
        nearest = np.full(len(shape), np.inf)
        np.minimum.at(nearest, i, d)
        ties = (d <= nearest[i] + 1e-6) & (nearest[i] <= reaches[-1] + 1e-9)
        i, near = i[ties], near[ties]
        _take_first(town, open_[i], near, nearest[i] + 1e-6, string, best)
        return Nearest(string, best)
    for reach in reaches:
        if len(open_) == 0 or len(candidates) == 0:
            break
        box = shapely.bounds(found.shape[rows[open_]]) + reach * np.array([-1, -1, 1, 1])
        near = candidates[_strings_in_boxes(town, candidates, box)]
        if len(near) == 0:
            continue
        tree = shapely.STRtree(town.lines.geometry(near))
        shape = found.shape[rows[open_]]
        (i, j), d = tree.query_nearest(shape, max_distance=reach + 1e-9, return_distance=True, all_matches=False)
        hit, limit = np.unique(i), np.zeros(len(shape))
        limit[i] = d + 1e-6  # ask again for all that are as near, so that rounding does not choose
        i, j = tree.query(shape[hit], predicate="dwithin", distance=limit[hit])
        i = hit[i]
        _take_first(town, open_[i], near[j], limit[i], string, best)
        open_ = open_[string[open_] < 0]
    return Nearest(string, best)


def _take_first(town: Town, of: Ints, near: Ints, limit: Floats, string: Ints, best: Floats) -> None:
    """Write down the string with the smallest pipe id among those that are equally near."""
    ids = np.array(town.ids(near), dtype=object).astype(str)
    order = np.lexsort((ids, of))
    first = order[np.unique(of[order], return_index=True)[1]]
    string[of[first]], best[of[first]] = near[first], limit[first] - 1e-6


def _around_compiled(shape: Objects, town: Town, which: Ints, far: float) -> tuple[Ints, Ints]:
    """Pair shapes with the strings that may be the nearest to them, by compiled loops over a grid."""
    lines, half = town.lines, town.strings.length[which] / 2
    first, last = lines.first[which], lines.last[which]
    # no point of a string lies farther from the middle between its ends than half its length; a few long ones apart
    many = np.count_nonzero(half > 250.0) > 1000
    limit = float(np.partition(half, -1000)[-1000]) if many else 250.0
    short, long = np.flatnonzero(half <= limit), np.flatnonzero(half > limit)
    x, y = (lines.x[first] + lines.x[last]) / 2, (lines.y[first] + lines.y[last]) / 2
    size, bits = 64.0, max(4, int(np.ceil(np.log2(len(which) + 1))) // 2)
    begin, order = loops.sorted_into_cells(x[short], y[short], size, bits)
    xy, owner = shapely.get_coordinates(shape, return_index=True)
    corners = np.searchsorted(owner, np.arange(len(shape) + 1))
    i, near = loops.strings_around(
        shapely.bounds(shape), np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1]), corners, lines.x, lines.y,
        first, last, far, size, bits, begin, short[order], half, long,
    )  # fmt: skip
    return i, which[near]


def _strings_in_boxes(town: Town, strings_: Ints, box: Floats) -> Bools:
    """Return which strings may come into one of the boxes."""
    # no point of a string lies farther from the middle between its ends than half its length
    lines, half = town.lines, town.strings.length[strings_] / 2
    first, last = lines.first[strings_], lines.last[strings_]
    wide = half > 250.0
    grow = float(half[~wide].max(initial=0.0)) * np.array([-1, -1, 1, 1])
    x, y = (lines.x[first] + lines.x[last]) / 2, (lines.y[first] + lines.y[last]) / 2
    return wide | _in_boxes(x, y, box + grow)


@dataclass(frozen=True, slots=True)
class Survey:
    """What was surveyed: the area for sewage, and per compound whether it and its laterals were.

    ``laterals`` is 1 yes, 0 no, -1 not said. ``stated`` is False where no survey areas exist.
    """

    area: Any
    stated: bool
    covered: Bools
    laterals: tables.Codes


def survey_of(columns: Columns | None, found: Compounds, settings: AuditSettings) -> Survey:
    """Read survey areas; where there are none, ``covered`` is left to the pipes around (all False here)."""
    n = len(found)
    if columns is None or columns.rows == 0:
        return Survey(None, False, np.zeros(n, dtype=bool), np.full(n, -1, dtype=np.int8))
    covers = tables.codes(columns, "survey_areas", "covers", {"sewage": 1, "storm": 0, "all": 1}, 1)
    laterals = tables.codes(columns, "survey_areas", "laterals", {"yes": 1, "no": 0}, -1)
    shapes = columns.shapes()
    good = ~shapely.is_missing(shapes) & (covers == 1) & (shapely.get_dimensions(shapes) == 2)
    area = shapely.make_valid(shapely.force_2d(shapes[good]))
    whole = shapely.union_all(area) if len(area) else None
    covered, said = np.zeros(n, dtype=bool), np.full(n, -1, dtype=np.int8)
    rows = np.flatnonzero(~shapely.is_missing(found.shape))
    if len(area) and len(rows):
        inside = shapely.point_on_surface(found.shape[rows])
        i, j = shapely.STRtree(area).query(inside, predicate="intersects")
        covered[rows[i]] = True
        np.maximum.at(said, rows[i], laterals[good][j])
    return Survey(whole, True, covered, said)
