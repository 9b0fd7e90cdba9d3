"""This module puts pipes, manholes and outlets together into one network that the checks ask.

Rules it stands on: two things no farther apart than the snap tolerance are one node; a manhole on the body of a pipe of
its own system cuts that pipe, anything else that touches a body does not; water runs by inverts, else by record, else
either way; abandoned, planned and unfinished pipes, second copies of a pipe and pipes without length carry nothing; the
sewage system is made of sewage, combined and unknown pipes.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from mapapp.audit import levels, tables
from mapapp.audit.settings import AuditSettings
from mapapp.audit.tables import Manholes, Outlets, Pipes
from mapapp.core import loops
from mapapp.core.geometry import (
    Bools,
    Floats,
    Ints,
    Lines,
    Near,
    cell_key,
    cells,
    compiled_pays,
    in_marked_cells,
    marked_cells,
    points_near_lines,
    ragged,
)
from mapapp.core.network import Nodes, components, drains_to, join_ends

SEWAGE_BIT, STORM_BIT = 1, 2


@dataclass(frozen=True, slots=True)
class Strings:
    """What is known of each string of vertices (mostly one per pipe); a level is NaN where unknown.

    ``direction`` is +1 from ``a`` to ``b``, -1 the other way, 0 unknown; ``adverse`` marks those that run uphill.
    """

    row: Ints
    a: Ints
    b: Ints
    length: Floats
    system: tables.Codes
    usable: Bools
    level_a: Floats
    level_b: Floats
    record: tables.Codes
    direction: tables.Codes
    adverse: Bools
    reversed: Bools
    swapped: Bools
    single: bool  # one string for each table row, in the same order

    def of(self, values: Any) -> Any:
        """Return a column of the pipes for every string."""
        return values if self.single else values[self.row]


@dataclass(frozen=True, slots=True)
class EndsAt:
    """The usable strings that end at some nodes, sorted by node."""

    node: Ints
    string: Ints

    def at(self, nodes: Ints) -> tuple[Ints, Ints]:
        """Return the strings at the nodes, one after another, and for each its place in ``nodes``."""
        first = np.searchsorted(self.node, nodes)
        count = np.searchsorted(self.node, nodes, side="right") - first
        index, _ = ragged(first, count)
        return self.string[index], np.repeat(np.arange(len(nodes)), count)


@dataclass(frozen=True, slots=True)
class Town:
    """The network of one run."""

    settings: AuditSettings
    pipes: Pipes
    manholes: Manholes
    outlets: Outlets
    lines: Lines
    nodes: Nodes
    strings: Strings
    manhole: Ints  # manhole row at each node, -1 where there is none
    placeholders: levels.Placeholders
    twins: tuple[Ints, Ints]  # string drawn again, string it repeats
    touches: Near  # .point is a node, .string a string of the town
    cuts: tuple[Ints, Ints, Floats]  # string, node on its body, metres along it
    outlet_at: tuple[Ints, Ints]  # outlet row, node
    link: tuple[Ints, Ints, Ints]  # usable sewage links: string, node a, node b
    node_count: int  # nodes, then one per outlet row

    def outlet_node(self, rows: Ints) -> Ints:
        """Return the extra node that stands for each outlet."""
        return len(self.nodes) + rows

    def arcs(self, *, climbing: bool) -> tuple[Ints, Ints]:
        """Return upper and lower node of every sewage link, twice where the direction is unknown, outlets included."""
        string, a, b = self.link
        direction = self.strings.direction[string]
        if not climbing:
            keep = ~self.strings.adverse[string]
            a, b, direction = a[keep], b[keep], direction[keep]
        down, up = direction >= 0, direction <= 0
        rows, at = self.outlet_at
        passing = np.isin(self.outlets.facility[rows], (tables.PUMP, tables.INTERCEPTOR))
        outlet = self.outlet_node(rows)
        return (
            np.concatenate([a[down], b[up], at, outlet[passing]]),
            np.concatenate([b[down], a[up], outlet, at[passing]]),
        )

    def outlets_that(self, *facilities: int) -> Ints:
        """Return the extra nodes of the outlets of these kinds."""
        return self.outlet_node(np.flatnonzero(np.isin(self.outlets.facility, facilities)))

    def pieces(self) -> Ints:
        """Return the number of the connected piece of sewage network for each node."""
        _, a, b = self.link
        rows, at = self.outlet_at
        outlet = self.outlet_node(rows)
        return components(self.node_count, np.concatenate([a, at]), np.concatenate([b, outlet]))

    def ids(self, strings: Ints) -> list[str]:
        """Return the pipe ids of strings."""
        return self.pipes.names(self.strings.row[strings])


def build(pipes: Pipes, manholes: Manholes, outlets: Outlets, settings: AuditSettings) -> Town:
    """Join pipes, manholes and outlets into a network."""
    lines = pipes.lines
    spots = np.flatnonzero(~np.isnan(manholes.points.x))
    nodes = join_ends(lines, manholes.points.x[spots], manholes.points.y[spots], settings.snap_m)
    manhole = np.full(len(nodes), -1, dtype=np.int64)
    manhole[nodes.point[::-1]] = spots[::-1]
    row, length = lines.row, lines.lengths()
    single = len(row) == len(pipes) and bool((row[1:] > row[:-1]).all())

    def each(values: Any) -> Any:
        return values if single else values[row]

    system = each(tables.SYSTEM[pipes.kind])
    usable = (each(pipes.status) == tables.IN_USE) & (length > 0) & (system != 4)
    swapped = _swapped(pipes, manholes, nodes, manhole, row)
    placeholders = levels.placeholders(pipes, manholes, nodes, row)
    invert = placeholders.invert
    # levels of a swapped pipe go with its nodes, unless that would run them uphill: then they went with its vertices
    level_a, level_b = each(invert[0]), each(invert[1])
    with_nodes = swapped & ~(level_a < level_b)
    level_a, level_b = _end_levels(row, level_a, level_b, with_nodes)
    record = each(pipes.record)
    if swapped.any():
        record = np.where(swapped, -record, record)  # the record speaks of nodes, so it follows them
    twin, of = _exact_twins(lines, nodes, pipes, usable)
    usable[twin] = False
    system_at = _system_at(nodes, manholes, manhole, system, usable)
    touches = _touches(lines, nodes, settings, system, usable, manhole)
    touches = _past_stubs(touches, nodes, usable, length, settings)
    more, of_more = _offset_twins(lines, nodes, pipes, touches, usable, settings)
    if len(more):
        usable[more] = False
        kept = usable[touches.string]
        touches = Near(
            *(v[kept] for v in (touches.point, touches.string, touches.segment, touches.distance, touches.at))
        )
        twin, of = np.concatenate([twin, more]), np.concatenate([of, of_more])
    on = (touches.distance <= settings.snap_m + 1e-9) & ((system_at[touches.point] & system[touches.string]) != 0)
    at_manhole = on & (manhole[touches.point] >= 0)
    cuts = (
        touches.string[at_manhole],
        touches.point[at_manhole],
        lines.along(touches.string[at_manhole], touches.segment[at_manhole], touches.at[at_manhole]),
    )
    base = levels.Base(nodes.start, nodes.end, level_a, level_b, record, each(pipes.flow) == tables.GRAVITY)
    outlet_at, nodes, cuts = _attach(outlets, lines, nodes, system, usable, cuts, base, settings)
    if len(nodes) > len(manhole):
        manhole = np.concatenate([manhole, np.full(len(nodes) - len(manhole), -1)])
    has_outlet = np.zeros(len(nodes), dtype=bool)
    has_outlet[outlet_at[1]] = True
    weak = levels.drawn_downstream(base, usable, settings)
    direction, adverse, turned = levels.directions(base, usable, has_outlet, weak, settings)
    strings = Strings(
        row,
        nodes.start,
        nodes.end,
        length,
        system,
        usable,
        level_a,
        level_b,
        record,
        direction,
        adverse,
        turned,
        swapped,
        single,
    )
    link = _links(strings, cuts)
    return Town(
        settings, pipes, manholes, outlets, lines, nodes, strings, manhole, placeholders, (twin, of), touches, cuts,
        outlet_at, link, len(nodes) + len(outlets.points),
    )  # fmt: skip


def _end_levels(row: Ints, a: Floats, b: Floats, swapped: Bools) -> tuple[Floats, Floats]:
    """Lay the levels on the ends of strings; the inner ends of a pipe in pieces have none."""
    if len(row) and (np.diff(row) == 0).any():
        opening = np.concatenate([[True], row[1:] != row[:-1]])
        closing = np.concatenate([row[1:] != row[:-1], [True]])
        a, b = np.where(opening, a, np.nan), np.where(closing, b, np.nan)
    return (np.where(swapped, b, a), np.where(swapped, a, b)) if swapped.any() else (a, b)


def _swapped(pipes: Pipes, manholes: Manholes, nodes: Nodes, manhole: Ints, row: Ints) -> Bools:
    """Find pipes whose recorded nodes lie at the opposite ends: drawn against their own attributes."""
    out = np.zeros(len(row), dtype=bool)
    if pipes.nodes[0].null_count == len(pipes) or len(manholes.points) == 0:
        return out
    ids = manholes.points.ids.cast(pa.string())
    place = [pc.index_in(n.cast(pa.string()), ids).fill_null(-1).to_numpy(zero_copy_only=False) for n in pipes.nodes]
    node_of = np.full(len(manholes.points) + 1, -1, dtype=np.int64)
    spots = np.flatnonzero(~np.isnan(manholes.points.x))
    node_of[spots] = nodes.point
    start, end = (pipes.of_file(node_of[p])[row] for p in place)
    known = (start >= 0) & (end >= 0) & (start != end)
    found: Bools = known & (nodes.start == end) & (nodes.end == start)
    return found


def _exact_twins(lines: Lines, nodes: Nodes, pipes: Pipes, usable: Bools) -> tuple[Ints, Ints]:
    """Find strings between the same two nodes, of one kind, that nowhere lie farther apart than the tolerance."""
    none = np.zeros(0, dtype=np.int64)
    kind, shared = pipes.kind[lines.row], None
    if compiled_pays(len(usable)):
        shared = loops.same_ends(nodes.start, nodes.end, kind, usable, len(nodes))
    rows = np.flatnonzero(usable if shared is None else shared)
    low, high = np.minimum(nodes.start[rows], nodes.end[rows]), np.maximum(nodes.start[rows], nodes.end[rows])
    key = np.zeros(len(usable), dtype=np.int64)
    key[rows] = (low * len(nodes) + high) * 8 + kind[rows]
    order = rows[np.argsort(key[rows], kind="stable")]
    same = np.flatnonzero(key[order][1:] == key[order][:-1])
    if len(same) == 0:
        return none, none
    group = order[np.unique(np.concatenate([same, same + 1]))]
    return _pair_off(group, key[group], lines, pipes, 0.2)


def _pair_off(group: Ints, key: Ints, lines: Lines, pipes: Pipes, apart_m: float) -> tuple[Ints, Ints]:
    """Within groups of equal key, pair each string with the first by id that it lies on."""
    ids = np.array(pipes.names(lines.row[group]), dtype=object)
    order = np.lexsort((ids.astype(str), key))
    group, key = group[order], key[order]
    shape = lines.geometry(group)
    twin, of = [], []
    taken = np.zeros(len(group), dtype=bool)
    step = 1
    while step < len(group):
        first, second = np.arange(len(group) - step), np.arange(step, len(group))
        pair = key[first] == key[second]
        if not pair.any():
            break
        pair &= ~taken[second] & ~taken[first]
        near = np.flatnonzero(pair)
        near = near[shapely.hausdorff_distance(shape[near], shape[near + step]) <= apart_m]
        taken[near + step] = True
        twin.append(group[near + step])
        of.append(group[near])
        step += 1
    return (np.concatenate(twin), np.concatenate(of)) if twin else (group[:0], group[:0])


def _offset_twins(
    lines: Lines, nodes: Nodes, pipes: Pipes, touches: Near, usable: Bools, settings: AuditSettings
) -> tuple[Ints, Ints]:
    """Find copies drawn slightly off, beyond the snap tolerance: their loose ends lie beside the original."""
    none = np.zeros(0, dtype=np.int64)
    near = np.flatnonzero((touches.distance > 0) & (touches.distance <= settings.duplicate_m))
    if len(near) == 0:
        return none, none
    at = _ends_at(nodes, usable, touches.point[near])
    mine, which = at.at(touches.point[near])
    single = np.bincount(which, minlength=len(near))[which] == 1
    mine, other = mine[single], touches.string[near[which[single]]]
    like = (pipes.kind[lines.row[mine]] == pipes.kind[lines.row[other]]) & (mine != other)
    mine, other = mine[like], other[like]
    if len(mine) == 0:
        return none, none
    pair = np.unique(np.column_stack([mine, other]), axis=0)
    mine, other = pair[:, 0], pair[:, 1]
    close = shapely.hausdorff_distance(lines.geometry(mine), lines.geometry(other)) <= settings.duplicate_m
    mine, other = mine[close], other[close]
    ids_mine, ids_other = pipes.names(lines.row[mine]), pipes.names(lines.row[other])
    rows = np.flatnonzero(usable)
    ties = np.bincount(nodes.start[rows], minlength=len(nodes)) + np.bincount(nodes.end[rows], minlength=len(nodes))
    joined = ties[nodes.start] + ties[nodes.end]
    twin: dict[int, int] = {}
    for p, q, i, j in sorted(zip(mine.tolist(), other.tolist(), ids_mine, ids_other, strict=True), key=lambda v: v[2:]):
        drop, keep = (p, q) if (joined[p], [-ord(c) for c in i]) < (joined[q], [-ord(c) for c in j]) else (q, p)
        if drop not in twin and keep not in twin:
            twin[drop] = keep
    return np.array(list(twin), dtype=np.int64), np.array(list(twin.values()), dtype=np.int64)


def _ends_at(nodes: Nodes, usable: Bools, at: Ints) -> EndsAt:
    wanted = np.zeros(len(nodes), dtype=bool)
    wanted[at] = True
    head, tail = np.flatnonzero(usable & wanted[nodes.start]), np.flatnonzero(usable & wanted[nodes.end])
    node, string = np.concatenate([nodes.start[head], nodes.end[tail]]), np.concatenate([head, tail])
    order = np.argsort(node, kind="stable")
    return EndsAt(node[order], string[order])


def ends_at(town: Town, nodes: Ints) -> EndsAt:
    """Return the usable strings that end at some nodes; none are listed for the others."""
    return _ends_at(town.nodes, town.strings.usable, nodes)


def _system_at(nodes: Nodes, manholes: Manholes, manhole: Ints, system: tables.Codes, usable: Bools) -> tables.Codes:
    """Return the systems that each node belongs to: its manhole's kind where known, else its pipes', else either."""
    out = np.zeros(len(nodes), dtype=np.int8)
    for bit in (SEWAGE_BIT, STORM_BIT):
        rows = usable & ((system & bit) != 0)
        out[nodes.start[rows]] |= np.int8(bit)
        out[nodes.end[rows]] |= np.int8(bit)
    has = np.flatnonzero(manhole >= 0)
    kind = manholes.kind[manhole[has]]
    known = kind != tables.UNKNOWN
    out[has[known]] = tables.SYSTEM[kind[known]]
    bare = has[~known & (out[has] == 0)]
    out[bare] = SEWAGE_BIT | STORM_BIT
    return out


def loose(nodes: Nodes, system: tables.Codes, usable: Bools) -> tuple[Bools, Bools]:
    """Return which strings end at their first and at their last vertex without another pipe of their system."""
    if compiled_pays(len(system)):
        alone: tuple[Bools, Bools] = loops.alone(nodes.start, nodes.end, system, usable, len(nodes))
        return alone
    degree = np.zeros((5, len(nodes)), dtype=np.int32)
    for mask in np.unique(system[usable]).tolist():
        rows = np.flatnonzero(usable & ((system & mask) != 0))
        degree[mask] = np.bincount(nodes.start[rows], minlength=len(nodes))
        degree[mask] += np.bincount(nodes.end[rows], minlength=len(nodes)).astype(np.int32)
    mask = np.where(usable, system, 0)
    return usable & (degree[mask, nodes.start] == 1), usable & (degree[mask, nodes.end] == 1)


def _touches(
    lines: Lines, nodes: Nodes, settings: AuditSettings, system: tables.Codes, usable: Bools, manhole: Ints
) -> Near:
    """Find nodes on the bodies of pipes, and pipes near loose ends."""
    first, last = loose(nodes, system, usable)
    reach = np.full(len(nodes), -1.0)
    snap, near = settings.snap_m + 1e-9, settings.near_miss_m + 1e-9
    reach[manhole >= 0] = snap
    if compiled_pays(len(usable)):
        loops.reaches(nodes.start, nodes.end, usable, first, last, snap, near, reach)
    else:
        reach[nodes.start[usable]] = reach[nodes.end[usable]] = snap
        reach[nodes.start[first]] = reach[nodes.end[last]] = near
    return points_near_lines(nodes.x, nodes.y, reach, lines, skip=(nodes.start, nodes.end), usable=usable)


def _past_stubs(touches: Near, nodes: Nodes, usable: Bools, length: Floats, settings: AuditSettings) -> Near:
    """Drop nodes that only touch the pipe on the other side of a stub: one shorter than the tolerance joins them."""
    rows = np.flatnonzero(usable & (length <= 2 * settings.snap_m))
    if len(rows) == 0:
        return touches
    n = len(nodes)
    stub = np.minimum(nodes.start[rows], nodes.end[rows]) * n + np.maximum(nodes.start[rows], nodes.end[rows])
    keep = np.ones(len(touches.point), dtype=bool)
    for far in (nodes.start[touches.string], nodes.end[touches.string]):
        keep &= ~np.isin(np.minimum(touches.point, far) * n + np.maximum(touches.point, far), stub)
    return Near(
        touches.point[keep], touches.string[keep], touches.segment[keep], touches.distance[keep], touches.at[keep]
    )


def near_few(x: Floats, y: Floats, few_x: Floats, few_y: Floats, reach: float) -> tuple[Ints, Ints, Floats]:
    """Pair many points with a few others within reach: a bitmap of the few's cells sorts most of the many out.

    Returns
    -------
    tuple of ndarray
        Place among the many, place among the few, distance in metres.
    """
    none = np.zeros(0, dtype=np.int64)
    if len(few_x) == 0 or len(x) == 0:
        return none, none, np.zeros(0)
    size = max(1.001 * reach, 1.0)
    column, row = cells(few_x, few_y, size)
    column = (column[:, None] + np.repeat((-1, 0, 1), 3)).ravel()  # each of the few stands in nine cells
    row = (row[:, None] + np.tile((-1, 0, 1), 3)).ravel()
    bits = min(25, max(16, 5 + len(column).bit_length()))  # so empty that few of the many pass by chance
    many = np.flatnonzero(in_marked_cells(x, y, marked_cells(column, row, bits), size))
    if len(many) == 0:
        return none, none, np.zeros(0)
    key = cell_key(column, row)
    order = np.argsort(key, kind="stable")
    key = key[order]
    there = cell_key(*cells(x[many], y[many], size))
    first = np.searchsorted(key, there)
    many, there, first = (v[key[np.minimum(first, len(key) - 1)] == there] for v in (many, there, first))
    count = np.searchsorted(key, there, side="right") - first
    index, _ = ragged(first, count)
    place, other = np.repeat(many, count), order[index] // 9
    distance = np.hypot(x[place] - few_x[other], y[place] - few_y[other])
    near = np.flatnonzero(distance <= reach + 1e-9)
    near = near[np.lexsort((place[near], other[near]))]
    return place[near], other[near], distance[near]


def _attach(
    outlets: Outlets,
    lines: Lines,
    nodes: Nodes,
    system: tables.Codes,
    usable: Bools,
    cuts: tuple[Ints, Ints, Floats],
    base: levels.Base,
    settings: AuditSettings,
) -> tuple[tuple[Ints, Ints], Nodes, tuple[Ints, Ints, Floats]]:
    """Tie outlets to nodes.

    An outlet takes every node within the snap tolerance, and every node within reach that water only arrives at,
    else the nearest node, else the nearest pipe, which is cut there. A discharge to water takes loose ends only, and
    the nearest one alone.
    """
    none = np.zeros(0, dtype=np.int64)
    points = outlets.points
    where = np.flatnonzero(~np.isnan(points.x))
    if len(where) == 0:
        return (none, none), nodes, cuts
    sewage = usable & ((system & SEWAGE_BIT) != 0)
    touched = np.zeros(len(nodes), dtype=bool)
    touched[nodes.start[sewage]] = touched[nodes.end[sewage]] = True
    candidates = np.flatnonzero(touched)
    node, few, distance = near_few(
        nodes.x[candidates], nodes.y[candidates], points.x[where], points.y[where], settings.outlet_reach_m
    )
    node, row = candidates[node], where[few]
    arriving, leaving = _open_ends(nodes, sewage, base, node)
    water = outlets.facility[row] == tables.OUTFALL
    passing = np.isin(outlets.facility[row], (tables.PUMP, tables.INTERCEPTOR))
    snapped = distance <= settings.snap_m + 1e-9
    taken = snapped | (arriving[node] & ~water) | (leaving[node] & passing)
    done = np.zeros(len(points), dtype=bool)
    done[row[taken]] = True
    nearest = np.lexsort((np.round(distance, 6), row))
    for only, ends in ((water, arriving), (~water, touched)):
        rest = nearest[only[nearest] & ends[node[nearest]] & ~done[row[nearest]]]
        rest = rest[np.unique(row[rest], return_index=True)[1]]
        taken[rest] = True
        done[row[rest]] = True
    at = row[taken], node[taken]
    alone = where[~done[where] & (outlets.facility[where] != tables.OUTFALL)]
    if len(alone) == 0:
        return at, nodes, cuts
    rows = np.flatnonzero(sewage)
    part = lines.take(rows)
    found = points_near_lines(points.x[alone], points.y[alone], np.full(len(alone), settings.outlet_reach_m), part)
    order = np.lexsort((np.round(found.distance, 6), found.point))
    first_of = order[np.unique(found.point[order], return_index=True)[1]]
    if len(first_of) == 0:
        return at, nodes, cuts
    fresh = len(nodes) + np.arange(len(first_of))
    seg, t = found.segment[first_of], found.at[first_of]
    x = part.x[seg] + t * (part.x[seg + 1] - part.x[seg])
    y = part.y[seg] + t * (part.y[seg + 1] - part.y[seg])
    string = rows[found.string[first_of]]
    more = Nodes(nodes.start, nodes.end, nodes.point, np.concatenate([nodes.x, x]), np.concatenate([nodes.y, y]))
    along = part.along(found.string[first_of], seg, t)
    cuts = tuple(np.concatenate(v) for v in zip(cuts, (string, fresh, along), strict=True))  # type: ignore[assignment]  # three arrays stay three
    return (np.concatenate([at[0], alone[found.point[first_of]]]), np.concatenate([at[1], fresh])), more, cuts


def _open_ends(nodes: Nodes, sewage: Bools, base: levels.Base, asked: Ints) -> tuple[Bools, Bools]:
    """Return which nodes water only arrives at, and which it only leaves; one lone unknown pipe may do either.

    True only for nodes that were asked for.
    """
    n = len(nodes)
    wanted = np.zeros(n, dtype=bool)
    wanted[asked] = True
    rows = np.flatnonzero(sewage & (wanted[nodes.start] | wanted[nodes.end]))
    a, b = nodes.start[rows], nodes.end[rows]
    way = levels.plain_direction(base.take(rows))
    out = np.bincount(a[way > 0], minlength=n) + np.bincount(b[way < 0], minlength=n)
    into = np.bincount(b[way > 0], minlength=n) + np.bincount(a[way < 0], minlength=n)
    unknown = np.bincount(a[way == 0], minlength=n) + np.bincount(b[way == 0], minlength=n)
    lone = (unknown == 1) & (out + into == 0)
    arriving = wanted & (out == 0) & (lone | ((unknown == 0) & (into > 0)))
    return arriving, wanted & (into == 0) & (lone | ((unknown == 0) & (out > 0)))


def _links(strings: Strings, cuts: tuple[Ints, Ints, Floats]) -> tuple[Ints, Ints, Ints]:
    """Return the usable sewage links: whole strings, or the pieces between the nodes on their body."""
    sewage = strings.usable & ((strings.system & SEWAGE_BIT) != 0)
    string, node, along = cuts
    mine = sewage[string]
    string, node, along = string[mine], node[mine], along[mine]
    whole = sewage.copy()
    whole[string] = False
    rows = np.flatnonzero(whole)
    if len(string) == 0:
        return rows, strings.a[rows], strings.b[rows]
    order = np.lexsort((along, string))
    string, node = string[order], node[order]
    opening = np.concatenate([[True], string[1:] != string[:-1]])
    closing = np.concatenate([string[1:] != string[:-1], [True]])
    before = np.where(opening, strings.a[string], np.concatenate([[0], node[:-1]]))
    tail = string[closing]
    return (
        np.concatenate([rows, string, tail]),
        np.concatenate([strings.a[rows], before, node[closing]]),
        np.concatenate([strings.b[rows], node, strings.b[tail]]),
    )


def crest_to_pass(town: Town, targets: Ints) -> Floats:
    """Return for each node the highest level in metres that water must pass on its best way to a target.

    Minus infinity where the way falls all along, plus infinity where there is none, else the level of the highest crest
    that a pipe of adverse slope makes on the way: water backs up behind a crest and passes it when it starts above.
    Crests at a target's own pipes count like any other.
    """
    upper, lower = town.arcs(climbing=False)
    reached = drains_to(town.node_count, upper, lower, targets)
    need = np.where(reached, -np.inf, np.inf)
    string, a, b = town.link
    climb = np.flatnonzero(town.strings.adverse[string])
    if len(climb) == 0:
        return need
    s = town.strings
    down = s.direction[string[climb]] > 0
    top, foot = np.where(down, b[climb], a[climb]), np.where(down, a[climb], b[climb])
    crest = np.fmax(s.level_a[string[climb]], s.level_b[string[climb]])
    # only what lies above a crest and has no other way needs the search: little, whatever the size of the town
    near = ~reached[upper]  # water from what has another way never comes here
    above = drains_to(town.node_count, *_with(upper[near], lower[near], foot, top), foot) & ~reached
    inner = np.flatnonzero(above[upper])
    come: dict[int, list[tuple[int, float]]] = {}
    for u, w in zip(upper[inner].tolist(), lower[inner].tolist(), strict=True):
        come.setdefault(w, []).append((u, -np.inf))
    for u, w, c in zip(foot.tolist(), top.tolist(), crest.tolist(), strict=True):
        come.setdefault(w, []).append((u, c))
    heap = [(c, u) for u, w, c in zip(foot.tolist(), top.tolist(), crest.tolist(), strict=True) if reached[w]]
    heapq.heapify(heap)
    while heap:  # a shortest-path search where the length of a way is its highest crest
        value, node = heapq.heappop(heap)
        if value >= need[node]:
            continue
        need[node] = value
        for u, c in come.get(node, ()):
            if max(value, c) < need[u]:
                heapq.heappush(heap, (max(value, c), u))
    return need


def _with(upper: Ints, lower: Ints, more_upper: Ints, more_lower: Ints) -> tuple[Ints, Ints]:
    return np.concatenate([upper, more_upper]), np.concatenate([lower, more_lower])
