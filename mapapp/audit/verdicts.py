"""This module decides for each compound whether its sewage has a way to a plant, and on what that rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from mapapp.audit import tables
from mapapp.audit.checks_network import Flow
from mapapp.audit.compounds import Compounds, Joined, Nearest, Survey, nearest_strings
from mapapp.audit.model import Town, crest_to_pass
from mapapp.audit.rules import Severity
from mapapp.core.geometry import Bools, Floats, Ints
from mapapp.core.network import drains_to
from mapapp.core.text import Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """One possible answer. ``served`` is True, False, or None where nobody knows."""

    id: str
    title: Text
    sentence: Text
    severity: Severity
    served: bool | None


_LIST = (
    Verdict("connected", Text("已接入", "Connected"),
            Text("污水能流到污水处理厂或上级管网。", "Its sewage reaches a treatment plant or the boundary to a greater network."), "info", True),
    Verdict("not_connected", Text("未接入", "Not connected"),
            Text("附近有污水管，小区没有接上。", "A sewer is near, and the compound is not joined to it."), "error", False),
    Verdict("no_main", Text("没有主管", "No main"),
            Text("附近没有污水主管。", "There is no sewer near."), "error", False),
    Verdict("dangling", Text("断头", "Dead end"),
            Text("小区有管，但水流到断头处没有去路。", "The compound has pipes, and they end where water cannot go on."), "error", False),
    Verdict("wrong_outlet", Text("排向错误", "Wrong outlet"),
            Text("污水进了雨水管或直排水体。", "Its sewage runs into a storm pipe or into water."), "error", False),
    Verdict("no_gravity", Text("重力流不通", "No gravity flow"),
            Text("可接的管比小区出口高，需要提升。", "The pipe that could take it lies higher: a pump is needed."), "error", False),
    Verdict("inlet_unknown", Text("接入口不明", "Inlet unknown"),
            Text("主管在旁边，接户情况没有查清。", "A main is near; whether the compound is joined to it is not known."), "warning", None),
    Verdict("no_data", Text("没有资料", "No data"),
            Text("没有普查资料，不能下结论。", "Nothing was surveyed, so nothing can be said."), "info", None),
)  # fmt: skip

VERDICTS: Mapping[str, Verdict] = MappingProxyType({v.id: v for v in _LIST})
"""Every verdict by id."""

NAMES = tuple(VERDICTS)
(CONNECTED, NOT_CONNECTED, NO_MAIN, DANGLING, WRONG_OUTLET, NO_GRAVITY, INLET_UNKNOWN, NO_DATA) = range(len(NAMES))


@dataclass(frozen=True, slots=True)
class Reach:
    """Where water from each node goes: ``need`` as in `crest_to_pass`, the rest yes or no."""

    need: Floats
    wrong: Bools
    uphill: Bools
    leaves: Bools
    wrong_nodes: Ints


def reach_of(town: Town, into_storm: Ints, cut: Bools, asked: Ints, piece: Ints) -> Reach:
    """Follow the water from every node.

    ``need`` to a plant or boundary; ``wrong`` when it comes to a discharge or into a storm pipe; ``uphill`` when it
    would come to a plant if pipes that only levels give a direction could be passed the other way; ``leaves`` when it
    comes to the edge of the survey. The last three hold for the nodes ``asked`` whose water has no free way to a plant,
    and are found in their pieces of network alone.
    """
    n = town.node_count
    serving = town.outlets_that(tables.WWTP, tables.BOUNDARY)
    need = crest_to_pass(town, serving)
    lost = np.zeros(n, dtype=bool)
    lost[piece[asked[need[asked] > -np.inf]]] = True
    upper, lower = town.arcs(climbing=True)
    mine = lost[piece[upper]]
    upper, lower = upper[mine], lower[mine]
    wrong_nodes = np.concatenate([town.outlets_that(tables.OUTFALL), into_storm])
    wrong = drains_to(n, upper, lower, wrong_nodes)
    leaves = drains_to(n, upper, lower, np.flatnonzero(cut))
    s = town.strings
    string, a, b = town.link
    mine = lost[piece[a]]
    string, a, b = string[mine], a[mine], b[mine]
    free = (s.direction[string] != 0) & (s.record[string] == 0) & (town.pipes.flow[s.row[string]] == tables.GRAVITY)
    free |= s.adverse[string]
    uphill = drains_to(n, np.concatenate([upper, a[free], b[free]]), np.concatenate([lower, b[free], a[free]]), serving)
    return Reach(need, wrong, uphill, leaves, wrong_nodes)


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer per compound, with what it rests on; -1 where there is none.

    ``node`` is the joined node that decided, ``string`` the nearest pipe, ``distance`` to it, ``street`` the distance
    along streets (NaN unless known), ``reason`` a short word that picks the sentence of evidence.
    """

    verdict: Ints
    node: Ints
    string: Ints
    distance: Floats
    street: Floats
    reason: list[str]
    joins: Ints


def sewers_at(town: Town, nodes: Ints) -> Ints:
    """Return the usable sewage strings that end at some nodes, in the order of the table."""
    s = town.strings
    wanted = np.zeros(town.node_count, dtype=bool)
    wanted[nodes] = True
    return np.flatnonzero(s.usable & (s.system & 1 != 0) & (wanted[s.a] | wanted[s.b]))


def node_level(town: Town, nodes: Ints) -> Floats:
    """Return the highest known level of a sewage pipe at each of some nodes, -inf where none is known."""
    s, rows = town.strings, sewers_at(town, nodes)
    out = np.full(town.node_count, -np.inf)
    np.fmax.at(out, s.a[rows], s.level_a[rows])
    np.fmax.at(out, s.b[rows], s.level_b[rows])
    return out[nodes]


def decide(
    found: Compounds,
    town: Town,
    joined: Joined,
    flow: Flow,
    reach: Reach,
    survey: Survey,
    street_distance: object = None,
) -> Decision:
    """Decide every compound.

    A compound with pipes of its own is judged by where their water goes, the best of them counting: connected, else
    wrong outlet, no gravity flow, out of the survey (no data), dead end. One without is judged by what lies around it:
    not surveyed is no data, which outranks no main; a hidden inlet manhole or unsurveyed laterals make the inlet
    unknown; else not connected.
    """
    n, st = len(found), town.settings
    verdict = np.full(n, -1, dtype=np.int64)
    node = np.full(n, -1, dtype=np.int64)
    reason = np.full(n, "", dtype=object)
    piped = flow.degree[joined.node] > 0
    joins = np.bincount(joined.compound[piped], minlength=n)
    level = node_level(town, joined.node)
    need = reach.need[joined.node]
    passes = piped & ((need == -np.inf) | ((need < np.inf) & ((level >= need) | (level == -np.inf))))

    def settle(mask: Bools, code: int, why: str) -> None:
        rows = np.flatnonzero(mask & (verdict[joined.compound] < 0))
        compound, first = np.unique(joined.compound[rows], return_index=True)
        verdict[compound], node[compound], reason[compound] = code, joined.node[rows[first]], why

    settle(passes, CONNECTED, "")
    settle(piped & reach.wrong[joined.node], WRONG_OUTLET, "")
    settle(piped & (need < np.inf), NO_GRAVITY, "crest")
    settle(piped & reach.uphill[joined.node], NO_GRAVITY, "uphill")
    settle(piped & reach.leaves[joined.node], NO_DATA, "leaves")
    if not np.isin(town.outlets.facility, (tables.WWTP, tables.BOUNDARY)).any():
        settle(piped, NO_DATA, "no_outlets")
    settle(piped, DANGLING, "")

    string, distance = np.full(n, -1, dtype=np.int64), np.full(n, np.inf)
    _own_pipe(town, joined, verdict, node, string, distance)
    street = np.full(n, np.nan)
    rest = np.flatnonzero(verdict < 0)
    near = _around(found, town, rest)
    string[rest], distance[rest] = near.string, near.distance
    covered = survey.covered[rest] if survey.stated else _pipes_around(found, town, rest, near)
    nowhere = np.array([found.shape[i] is None for i in rest], dtype=bool)
    along = near.distance.copy()
    if street_distance is not None and len(rest):
        street[rest] = street_distance(rest, near)  # type: ignore[operator]  # a function given by `run`
        along = np.where(np.isnan(street[rest]), along, np.maximum(street[rest], near.distance))
    hidden = np.zeros(n, dtype=bool)
    bare = joined.compound[~piped]
    if len(bare):
        wells = town.manhole[joined.node[~piped]]
        hidden[bare[town.manholes.found[wells] == tables.HIDDEN]] = True
    leveled = np.isin(town.pipes.level, (tables.LATERAL, tables.INTERNAL)).any()
    surveyed_laterals = bool(leveled) or float((joins > 0).sum()) > st.lateral_share * n
    said = survey.laterals[rest]
    unknown_inlet = hidden[rest] | (said == 0) | ((said < 0) & (not surveyed_laterals))
    far = along > st.no_main_m + 1e-9
    for mask, code, why in (
        (nowhere, NO_DATA, "no_shape"),
        (~covered, NO_DATA, "not_surveyed"),
        (far, NO_MAIN, ""),
        (unknown_inlet & hidden[rest], INLET_UNKNOWN, "hidden"),
        (unknown_inlet, INLET_UNKNOWN, "laterals"),
        (np.ones(len(rest), dtype=bool), NOT_CONNECTED, ""),
    ):
        chosen = rest[mask & (verdict[rest] < 0)]
        verdict[chosen], reason[chosen] = code, why
    return Decision(verdict, node, string, distance, street, reason.tolist(), joins)


def _own_pipe(town: Town, joined: Joined, verdict: Ints, node: Ints, string: Ints, distance: Floats) -> None:
    """Name the pipe at the deciding node: the smallest id among those that end there or pass through it."""
    rows = np.flatnonzero(node >= 0)
    if len(rows) == 0:
        return
    link, a, b = town.link
    wanted = np.zeros(town.node_count, dtype=bool)
    wanted[node[rows]] = True
    hit = np.flatnonzero(wanted[a] | wanted[b])
    at = np.concatenate([a[hit], b[hit]])
    who = np.concatenate([link[hit], link[hit]])
    keep = wanted[at]
    at, who = at[keep], who[keep]
    ids = np.array(town.ids(who), dtype=object).astype(str)
    order = np.lexsort((ids, at))
    place, first = np.unique(at[order], return_index=True)
    best = who[order][first]
    string[rows] = best[np.searchsorted(place, node[rows])]
    key = joined.compound * town.node_count + joined.node
    order = np.argsort(key, kind="stable")
    where = np.searchsorted(key[order], rows * town.node_count + node[rows])
    distance[rows] = joined.distance[order][where]


def _around(found: Compounds, town: Town, rows: Ints) -> Nearest:
    s, st = town.strings, town.settings
    far = max(st.survey_reach_m, st.no_main_m) * 2
    stages = tuple(r for r in (40.0, st.no_main_m, 2 * st.no_main_m) if r < far)
    return nearest_strings(found, rows, town, s.usable & (s.system & 1 != 0), (*stages, far))


def _pipes_around(found: Compounds, town: Town, rows: Ints, near: Nearest) -> Bools:
    """Whether any pipe at all lies within the survey reach."""
    covered = near.distance <= town.settings.survey_reach_m
    rest = np.flatnonzero(~covered)
    every = np.ones(len(town.strings.row), dtype=bool)
    more = nearest_strings(found, rows[rest], town, every, (town.settings.survey_reach_m,))
    covered[rest] = more.string >= 0
    return covered
