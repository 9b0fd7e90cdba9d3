"""This module holds the checks that need the network: what does not join, what ends nowhere, what drains to no plant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from mapapp.audit import tables
from mapapp.audit.batch import Batch, points
from mapapp.audit.checks_layer import sewage_strings
from mapapp.audit.model import Town, ends_at, loose, near_few
from mapapp.audit.tables import names
from mapapp.core import loops
from mapapp.core.geometry import Bools, Floats, Ints, compiled_pays
from mapapp.core.text import Text


@dataclass(frozen=True, slots=True)
class Flow:
    """What arrives at and leaves each node through usable pipes of one system; unknown directions count as both."""

    into: Ints
    out: Ints
    degree: Ints


def flow_at(town: Town, strings: Bools) -> Flow:
    """Count pipes that may arrive at and leave each node."""
    s, rows = town.strings, np.flatnonzero(strings)
    return _flow(town, rows, s.a[rows], s.b[rows])


def sewage_flow(town: Town) -> Flow:
    """Count the sewage links at each node; a pipe that a manhole on its body cuts arrives there and leaves."""
    return _flow(town, *town.link)


def _flow(town: Town, string: Ints, a: Ints, b: Ints) -> Flow:
    n, direction = len(town.nodes), town.strings.direction
    if compiled_pays(len(string)):
        return Flow(*loops.flow(string, a, b, direction, n))
    way = direction[string]
    out = np.bincount(a[way >= 0], minlength=n) + np.bincount(b[way <= 0], minlength=n)
    into = np.bincount(b[way >= 0], minlength=n) + np.bincount(a[way <= 0], minlength=n)
    return Flow(into, out, np.bincount(a, minlength=n) + np.bincount(b, minlength=n))


def _own_ends(town: Town) -> tuple[Ints, Ints, Bools]:
    """Return node, string and whether it is the first end, for each loose end."""
    first, last = loose(town.nodes, town.strings.system, town.strings.usable)
    one, two = np.flatnonzero(first), np.flatnonzero(last)
    node = np.concatenate([town.strings.a[one], town.strings.b[two]])
    return node, np.concatenate([one, two]), np.arange(len(node)) < len(one)


def mid_pipe_junctions(town: Town, overlapping: Ints) -> tuple[Batch, Ints]:
    """Find ends that touch the body of a pipe of their own system where there is no manhole; also return the node of each.

    A crossing is none (no end there); a manhole on the body cuts the pipe and joins; a shared stretch is an overlap; a
    pipe that shoots over a node and ends less than a metre behind it is a near miss, told there.
    """
    touches, s, n = town.touches, town.strings, len(town.strings.row)
    on = (touches.distance <= town.settings.snap_m + 1e-9) & (town.manhole[touches.point] < 0)
    cut = np.unique(town.cuts[0] * len(town.nodes) + town.cuts[1])
    on &= ~np.isin(touches.string * len(town.nodes) + touches.point, cut)
    hit = np.flatnonzero(on)
    mine, which = ends_at(town, touches.point[hit]).at(touches.point[hit])
    which = hit[which]
    other = touches.string[which]
    keep = ((s.system[mine] & s.system[other]) != 0) & (mine != other)
    keep &= ~np.isin(np.minimum(mine, other) * n + np.maximum(mine, other), overlapping)
    mine, other, node = mine[keep], other[keep], touches.point[which[keep]]
    told = ~np.isin(node, town.outlet_at[1]) & ~_overshot(town, mine, other, node)
    mine, other, node = mine[told], other[told], node[told]
    batch = Batch(
        "mid_pipe_junction", "pipes", town.ids(mine), points(town.nodes.x[node], town.nodes.y[node]), related=town.ids(other),
        value=town.touches.distance[which[keep]][told], part=["a" if s.a[i] == k else "b" for i, k in zip(mine, node, strict=True)],
    )  # fmt: skip
    return batch, node


def _overshot(town: Town, mine: Ints, other: Ints, node: Ints) -> Bools:
    """Whether the touched pipe shoots over a node where others meet, and its water ends loose less than a metre on."""
    s, nodes, reach = town.strings, town.nodes, town.settings.near_miss_m
    close = [
        np.hypot(nodes.x[end[other]] - nodes.x[node], nodes.y[end[other]] - nodes.y[node]) <= reach
        for end in (s.a, s.b)
    ]
    out = np.zeros(len(node), dtype=bool)
    if not (close[0] | close[1]).any():
        return out
    first, last = loose(nodes, s.system, s.usable)
    for near, free, leaves in ((close[0], first, s.direction > 0), (close[1], last, s.direction < 0)):
        out |= near & free[other] & ~leaves[other]
    alone = np.where(s.a[mine] == node, first[mine], last[mine])
    return out & ~alone


def near_misses(town: Town, joined_mid: Ints) -> tuple[Batch, Ints, Ints, Ints]:
    """Find loose ends that stop within reach of a pipe, node or manhole of their own system.

    Not counted: its own body, a neighbour that it already meets a step away, ends at outlets, the upper end of a pipe
    of known direction beside another pipe's body or upper end (water leaves there). A gap between two loose ends is told once.

    Returns
    -------
    batch : Batch
    here : ndarray of int
        The node of each finding.
    nodes : ndarray of int
        Nodes at either side of a gap.
    manholes : ndarray of int
        Rows of manholes that an end stops short of.
    """
    s, nodes, touches, st = town.strings, town.nodes, town.touches, town.settings
    node, string, head = _own_ends(town)
    blocked = np.zeros(len(nodes), dtype=bool)
    blocked[joined_mid] = blocked[town.outlet_at[1]] = blocked[town.cuts[1]] = True
    free = ~blocked[node]
    node, string, head = node[free], string[free], head[free]
    owner = np.full(len(nodes), -1, dtype=np.int64)  # a mixed node may hold two loose ends; one finding tells of it
    owner[node[::-1]] = np.arange(len(node))[::-1]
    # bodies within reach
    far = np.flatnonzero((touches.distance > st.snap_m + 1e-9) & (owner[touches.point] >= 0))
    end = owner[touches.point[far]]
    target = touches.string[far]
    seg, t = touches.segment[far], touches.at[far]
    x0, y0 = town.lines.x[seg], town.lines.y[seg]
    px, py = x0 + t * (town.lines.x[seg + 1] - x0), y0 + t * (town.lines.y[seg + 1] - y0)
    to_a = np.hypot(px - nodes.x[s.a[target]], py - nodes.y[s.a[target]])
    to_b = np.hypot(px - nodes.x[s.b[target]], py - nodes.y[s.b[target]])
    at_node = np.where(to_a <= st.near_miss_m, s.a[target], np.where(to_b <= st.near_miss_m, s.b[target], -1))
    ok = ((s.system[string[end]] & s.system[target]) != 0) & (string[end] != target)
    leaving = np.where(head[end], s.direction[string[end]] > 0, s.direction[string[end]] < 0)
    ok &= ~(leaving & (at_node < 0))
    if (leaving & ok).any():
        ok &= ~(leaving & _goes_on(town)[np.maximum(at_node, 0)])
    ok &= ~_joined_nearby(town, end, string, head, target, seg, t)
    end, target, at_node, distance = end[ok], target[ok], at_node[ok], touches.distance[far][ok]
    # manholes within reach that no pipe of the town ends at
    mh_end, mh_node, mh_distance = _bare_manholes(town, node, string)
    kind = np.concatenate([np.zeros(len(end), dtype=np.int64), np.ones(len(mh_end), dtype=np.int64)])
    end = np.concatenate([end, mh_end])
    distance = np.concatenate([distance, mh_distance])
    other = np.concatenate([target, np.full(len(mh_end), -1)])
    at_node = np.concatenate([at_node, mh_node])
    names_of = np.array(
        town.ids(target) + names(town.manholes.points.ids, town.manhole[mh_node]), dtype=object
    ).astype(str)  # fmt: skip
    order = np.lexsort((names_of, np.round(distance, 4), end))
    best = order[np.unique(end[order], return_index=True)[1]]
    end, other, at_node, distance, kind, names_of = (v[best] for v in (end, other, at_node, distance, kind, names_of))
    mine = np.array(town.ids(string[end]), dtype=object)
    keep = _told_once(town, node[end], at_node, string[end], leaving_of(town, string[end], head[end]), mine)
    end, at_node, distance, kind, names_of, mine = (v[keep] for v in (end, at_node, distance, kind, names_of, mine))
    here = node[end]
    batch = Batch(
        "near_miss", "pipes", mine.tolist(), points(nodes.x[here], nodes.y[here]), related=names_of.tolist(), value=distance,
        part=["" if k == 0 else "manhole" for k in kind],
    )  # fmt: skip
    causes = np.unique(np.concatenate([here, at_node[at_node >= 0]]))
    return batch, here, causes, np.unique(town.manhole[at_node[kind == 1]])


def _goes_on(town: Town) -> Bools:
    """Whether water of a node has a known way out, so that no upper end beside it can be meant to take it."""
    s = town.strings
    rows = np.flatnonzero(s.usable & (s.direction != 0))
    out = np.zeros(len(town.nodes), dtype=bool)
    out[np.where(s.direction[rows] > 0, s.a[rows], s.b[rows])] = True
    return out


def leaving_of(town: Town, string: Ints, head: Bools) -> Bools:
    """Whether water of known direction leaves through these ends of strings."""
    way = town.strings.direction[string]
    out: Bools = np.where(head, way > 0, way < 0)
    return out


def _joined_nearby(town: Town, end: Ints, string: Ints, head: Bools, target: Ints, seg: Ints, t: Floats) -> Bools:
    """Whether the target is met anyway: it shares the other node, and the way over that node is short."""
    s = town.strings
    far_node = np.where(head[end], s.b[string[end]], s.a[string[end]])
    along = town.lines.along(target, seg, t)
    over = np.where(s.a[target] == far_node, along, np.where(s.b[target] == far_node, s.length[target] - along, np.inf))
    out: Bools = s.length[string[end]] + over <= 3 * town.settings.near_miss_m
    return out


def _bare_manholes(town: Town, node: Ints, string: Ints) -> tuple[Ints, Ints, Floats]:
    """Pair loose ends with manholes in reach that stand alone or at other pipes; their own manhole does not count."""
    st, nodes = town.settings, town.nodes
    alone = np.flatnonzero(town.manhole >= 0)
    used = np.zeros(len(nodes), dtype=bool)
    used[town.strings.a], used[town.strings.b] = True, True
    used[town.cuts[1]] = True
    alone = alone[~used[alone]]
    bare = np.flatnonzero(town.manhole[node] < 0)
    i, j, distance = near_few(nodes.x[node[bare]], nodes.y[node[bare]], nodes.x[alone], nodes.y[alone], st.near_miss_m)
    end, there = bare[i], alone[j]
    kind = tables.SYSTEM[town.manholes.kind[town.manhole[there]]]
    ok = (kind & town.strings.system[string[end]]) != 0
    return end[ok], there[ok], distance[ok]


def _told_once(town: Town, here: Ints, there: Ints, string: Ints, leaving: Bools, ids: npt.NDArray[Any]) -> Bools:
    """Keep one of two findings that face each other: the side where water arrives, else the smaller id."""
    pair_of: dict[tuple[int, int], int] = {}
    keep = np.ones(len(here), dtype=bool)
    for k, (p, q) in enumerate(zip(here.tolist(), there.tolist(), strict=True)):
        if q < 0:
            continue
        key = (min(p, q), max(p, q))
        if key not in pair_of:
            pair_of[key] = k
            continue
        rival = pair_of[key]
        winner = min((k, rival), key=lambda i: (bool(leaving[i]), str(ids[i])))
        keep[k if winner == rival else rival] = False
        pair_of[key] = winner
    return keep


def edge_nodes(town: Town, flow: Flow, surveyed: Any) -> Bools:
    """Return nodes where the survey ends: outside the surveyed area, or within reach of its border."""
    out = np.zeros(len(town.nodes), dtype=bool)
    if surveyed is None:
        return out
    who = np.flatnonzero((flow.degree > 0) & ((flow.degree == 1) | (flow.out == 0)))
    place = points(town.nodes.x[who], town.nodes.y[who])
    shapely.prepare(surveyed)
    outside = ~shapely.intersects(surveyed, place)
    near = shapely.distance(shapely.boundary(surveyed), place) <= town.settings.survey_edge_m + 1e-9
    out[who[outside | near]] = True
    return out


def dangling_ends(town: Town, flow: Flow, excused: Bools) -> tuple[Batch, Ints]:
    """Find nodes of the sewage system that water reaches and cannot leave; also return the nodes.

    Only where the direction of every pipe there is known. Not counted: outlets, gaps that have their own finding,
    the edge of the survey, sewage that runs into a storm pipe.
    """
    sink = np.flatnonzero((flow.degree > 0) & (flow.out == 0) & (flow.into > 0) & ~excused)
    s = town.strings
    rows = np.flatnonzero(sewage_strings(town))
    low = np.where(s.direction[rows] > 0, s.b[rows], s.a[rows])
    at_sink = np.isin(low, sink) & (s.direction[rows] != 0)
    rows, low = rows[at_sink], low[at_sink]
    ids = np.array(town.ids(rows), dtype=object).astype(str)
    order = np.lexsort((ids, low))
    low, ids = low[order], ids[order]
    first = np.unique(low, return_index=True)[1]
    related = [";".join(chunk[1:]) for chunk in np.split(ids, first[1:])] if len(first) else []
    node = low[first]
    batch = Batch(
        "dangling", "pipes", ids[first].tolist(), points(town.nodes.x[node], town.nodes.y[node]), related=related,
        part=_which_end(town, rows[order][first], node),
    )  # fmt: skip
    return batch, node


def _which_end(town: Town, strings: Ints, node: Ints) -> list[str]:
    return ["a" if town.strings.a[i] == n else "b" for i, n in zip(strings, node, strict=True)]


def cross_connections(town: Town, foul: Flow) -> tuple[Batch, Ints]:
    """Find sewage that runs into storm pipes and storm water that runs into sewers; also return the former's nodes.

    Two systems at one place in plan are not joined while each goes on by itself; one that ends there runs into the
    other. Combined pipes take both.
    """
    s, pipes = town.strings, town.pipes
    kind = s.of(pipes.kind)
    sewage, storm = s.usable & np.isin(kind, (tables.SEWAGE, tables.COMBINED)), s.usable & (kind == tables.STORM)
    none = Batch("cross_connection", "pipes", [], np.empty(0, dtype=object))
    if not storm.any() or not sewage.any():
        return none, np.zeros(0, dtype=np.int64)
    rain = flow_at(town, storm)
    combined = flow_at(town, s.usable & np.isin(kind, (tables.COMBINED, tables.UNKNOWN)))
    outlet = np.zeros(len(town.nodes), dtype=bool)
    outlet[town.outlet_at[1]] = True
    cut = np.zeros(len(town.nodes), dtype=bool)
    cut[town.cuts[1]] = True
    pure = np.zeros(len(town.nodes), dtype=bool)
    pure[s.a[sewage]] = pure[s.b[sewage]] = True
    both = (foul.degree > 0) & (rain.degree > 0) & ~outlet & ~cut & pure
    ends_foul = (foul.out == 0) | ((foul.degree == 1) & (foul.into == 1) & (foul.out == 1))
    into_storm = both & ends_foul & (rain.out > 0)
    ends_rain = rain.out == 0
    into_sewer = both & ~into_storm & ends_rain & (foul.out > 0) & (combined.degree == 0)
    out: list[tuple[str, str, int, Text]] = []
    ends = ends_at(town, np.flatnonzero(into_storm | into_sewer))
    label = dict(zip(ends.string.tolist(), town.ids(ends.string), strict=True))
    for node in np.flatnonzero(into_storm | into_sewer).tolist():  # few
        mine, _ = ends.at(np.array([node]))
        names_of = {k: label[k] for k in mine.tolist()}
        foul_here = sorted(names_of[i] for i in mine.tolist() if sewage[i])
        rain_here = sorted(names_of[i] for i in mine.tolist() if storm[i])
        leave = {
            i
            for i in mine.tolist()
            if (s.direction[i] >= 0 and s.a[i] == node) or (s.direction[i] <= 0 and s.b[i] == node)
        }
        if into_storm[node]:
            to = sorted(names_of[i] for i in leave if storm[i]) or rain_here
            out += [(a, to[0], node, Text("污水接入雨水管", "Sewage into a storm pipe")) for a in foul_here]
        else:
            to = sorted(names_of[i] for i in leave if not storm[i]) or foul_here
            out += [(a, to[0], node, Text("雨水接入污水管", "Storm water into a sewer")) for a in rain_here]
    where = np.array([o[2] for o in out], dtype=np.int64)
    batch = Batch(
        "cross_connection", "pipes", [o[0] for o in out], points(town.nodes.x[where], town.nodes.y[where]),
        related=[o[1] for o in out], words={"what": [o[3] for o in out]},
        severity=["error" if into_storm[n] else "warning" for n in where],
    )  # fmt: skip
    return batch, np.flatnonzero(into_storm)


def pieces_without_outlet(town: Town, piece: Ints, excused: Ints) -> list[Batch]:
    """Find pieces of sewage network that no plant or boundary belongs to.

    ``island`` where nothing at all belongs to them while others do have an outlet that serves; ``no_outlet`` otherwise.
    Pieces with a node in ``excused`` (a gap that has its own finding, the edge of the survey) are left out.
    """
    string, a, _ = town.link
    n = int(piece.max()) + 1 if len(piece) else 0
    rows, at = town.outlet_at
    serves = np.zeros(n, dtype=bool)
    any_outlet = np.zeros(n, dtype=bool)
    facility = town.outlets.facility[rows]
    serves[piece[at[np.isin(facility, (tables.WWTP, tables.BOUNDARY))]]] = True
    any_outlet[piece[at]] = True
    river = np.zeros(n, dtype=bool)
    river[piece[at[facility == tables.OUTFALL]]] = True
    skip = np.zeros(n, dtype=bool)
    skip[piece[excused]] = True
    count = np.bincount(piece[a], minlength=n)
    bad = (count > 0) & ~serves & ~skip
    lost = bad[piece[a]]
    string, of = string[lost], piece[a][lost]
    if len(string) == 0:
        return []
    share = town.strings.length[string] / np.bincount(town.link[0], minlength=len(town.strings.row))[string]
    length = np.bincount(of, share, minlength=n)
    distinct = np.bincount(np.unique(of * len(town.strings.row) + string) // len(town.strings.row), minlength=n)
    ids = np.array(town.ids(string), dtype=object).astype(str)
    order = np.lexsort((ids, of))
    first = order[np.unique(of[order], return_index=True)[1]]
    out = []
    island = ~any_outlet[of[first]] & bool(serves.any())
    for rule, chosen in (("island", first[island]), ("no_outlet", first[~island])):
        mine = of[chosen]
        pipes = distinct[mine].tolist()
        words: dict[str, list[object]] = {"n": list(pipes)}
        if rule == "no_outlet":
            words["reason"] = [
                Text("，只排入水体", ": it only runs into water") if river[m]
                else Text("，资料中没有这样的出路", "; none is on record") if not any_outlet[m]
                else Text("", "") for m in mine
            ]  # fmt: skip
        out.append(
            Batch(
                rule,
                "pipes",
                ids[chosen].tolist(),
                town.lines.geometry(string[chosen]),
                value=np.round(length[mine], 3),
                words=words,
            )
        )
    return out


def orphan_manholes(town: Town, short_of: Ints, edge: Any) -> Batch:
    """Find manholes that no pipe ends at or passes through; not those that an end stops short of, or at the edge."""
    at = town.nodes.point
    spots = np.flatnonzero(~np.isnan(town.manholes.points.x))
    used = np.zeros(len(town.nodes), dtype=bool)
    used[town.strings.a] = used[town.strings.b] = used[town.cuts[1]] = True
    on = town.touches.point[town.touches.distance <= town.settings.snap_m + 1e-9]
    used[on] = True
    rows = spots[~used[at]]
    rows = np.setdiff1d(rows, short_of)
    m = town.manholes.points
    place = points(m.x[rows], m.y[rows])
    if edge is not None and len(rows):
        inside = shapely.intersects(edge, place)
        rows, place = rows[inside], place[inside]
    return Batch("orphan_manhole", "manholes", names(m.ids, rows), place)
