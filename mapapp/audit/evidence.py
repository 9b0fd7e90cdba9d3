"""This module words the evidence of each verdict, in both languages, and lays it down as compact JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from mapapp.audit import tables
from mapapp.audit import verdicts as v
from mapapp.audit.batch import filled
from mapapp.audit.compounds import LEDGER, Compounds, Survey
from mapapp.audit.model import Town, ends_at
from mapapp.audit.tables import names
from mapapp.audit.verdicts import Decision, Reach
from mapapp.core.geometry import Floats, Ints
from mapapp.core.network import drains_to
from mapapp.core.text import LANGS, Lang, Text

_LEDGER = {
    "connected": Text("已接入", "connected"),
    "partial": Text("部分接入", "partly connected"),
    "not_connected": Text("未接入", "not connected"),
    "septic_only": Text("仅化粪池", "septic tank only"),
    "discharges_to_water": Text("直排水体", "discharging to water"),
    "unknown": Text("不详", "unknown"),
}

_SENTENCE: Mapping[tuple[int, str], Text] = {
    (v.CONNECTED, ""): Text("管段 {pipe} 接入本小区，污水流到 {outlet}", "Pipe {pipe} joins the compound, and its water reaches {outlet}"),
    (v.WRONG_OUTLET, ""): Text("管段 {pipe} 接自本小区，污水流入 {outlet}，到不了污水厂",
                               "Pipe {pipe} takes its water into {outlet}, not to a plant"),
    (v.NO_GRAVITY, "crest"): Text("管段 {pipe} 起点低于途中最高管底 {crest:.2f} 米，水流不过去",
                                  "Pipe {pipe} starts below the highest invert on its way ({crest:.2f} m): water cannot pass"),
    (v.NO_GRAVITY, "uphill"): Text("管段 {pipe} 与管网相连，但按标高水不会流向污水厂",
                                   "Pipe {pipe} is joined to the network, but by its levels no water runs towards a plant"),
    (v.NO_GRAVITY, "fall"): Text("未接入；最近的管段 {pipe} 在 {distance:.1f} 米处{street}，可接的井都高于小区出口",
                                 "Not joined; the nearest sewer {pipe} is {distance:.1f} m away{street}, and all manholes in reach lie too high"),
    (v.NO_DATA, "leaves"): Text("管段 {pipe} 流出普查范围，去向没有资料", "Pipe {pipe} runs out of the surveyed area; what follows is not known"),
    (v.NO_DATA, "no_outlets"): Text("管段 {pipe} 接入本小区，但资料中没有污水厂或上级管网接口，去向不明",
                                    "Pipe {pipe} joins the compound, but no plant or boundary is on record, so where it leads is not known"),
    (v.NO_DATA, "no_shape"): Text("小区没有可用的位置", "The compound has no usable place"),
    (v.NO_DATA, "not_surveyed"): Text("小区不在污水普查范围内{nearest}", "The compound lies outside the area surveyed for sewage{nearest}"),
    (v.DANGLING, ""): Text("管段 {pipe} 接自本小区，但所在管网没有通往污水厂的出路{ends}",
                           "Pipe {pipe} takes its water, but it finds no way to a plant{ends}"),
    (v.NO_MAIN, ""): Text("{limit:.0f} 米内没有污水主管{nearest}", "There is no sewer within {limit:.0f} m{nearest}"),
    (v.INLET_UNKNOWN, "hidden"): Text("接户井有记录但现场找不到；最近的管段 {pipe} 在 {distance:.1f} 米处{street}",
                                      "An inlet manhole is on record, but was not found on site; the nearest sewer {pipe} is {distance:.1f} m away{street}"),
    (v.INLET_UNKNOWN, "laterals"): Text("管段 {pipe} 在 {distance:.1f} 米处{street}，接户管没有普查",
                                        "Main {pipe} is {distance:.1f} m away{street}; connections were not surveyed"),
    (v.NOT_CONNECTED, ""): Text("最近的管段 {pipe} 在 {distance:.1f} 米处{street}，没有管端或检查井接入本小区",
                                "The nearest sewer {pipe} is {distance:.1f} m away{street}; no pipe end or manhole joins the compound"),
}  # fmt: skip

_STREET = Text("（沿街 {walk:.0f} 米）", " ({walk:.0f} m along streets)")
_GLUE, _STOP = Text("；", "; "), Text("。", ".")
_CREST = Text("途中有倒坡", "there is an adverse slope on the way")
_NEAREST = Text(
    "，最近的管段 {pipe} 在 {distance:.0f} 米处{street}", ": the nearest is {pipe}, {distance:.0f} m away{street}"
)
_ALONG = Text(
    "沿街 {limit:.0f} 米内没有污水主管{nearest}", "There is no sewer within {limit:.0f} m along streets{nearest}"
)
_SAYS = {code: Text(f"台账：{word.zh}", f"ledger: {word.en}") for code, word in _LEDGER.items()}
_BASIS = {
    "levels": Text("流向依据标高", "direction by levels"),
    "record": Text("流向依据记录", "direction by record"),
    "unknown": Text("流向不明，按可双向流分析", "direction unknown, taken as either way"),
    "pressure": Text("压力管", "pressure pipe"),
}
_NO_AREAS = Text(
    "没有普查范围，按 {reach:.0f} 米内有管视为已普查",
    "no survey areas: a place with a pipe within {reach:.0f} m counts as surveyed",
)


def table(
    found: Compounds,
    town: Town,
    decision: Decision,
    reach: Reach,
    survey: Survey,
    piece: Ints,
    causes: Sequence[Text],
    crs: Any,
) -> gpd.GeoDataFrame:
    """Return the table of verdicts, one row per compound in the order given.

    Columns: ``compound_id verdict evidence evidence_en nearest_pipe_id distance_m street_distance_m outlet_id piece
    ledger details`` and the compound's own geometry. ``distance_m`` is missing where no sewer lies within reach.
    """
    n = len(found)
    pipe = np.full(n, "", dtype=object)
    has = np.flatnonzero(decision.string >= 0)
    pipe[has] = town.ids(decision.string[has])
    named = pipe.tolist()
    outlet = outlet_of(town, decision, reach, piece)
    row = town.strings.row[np.maximum(decision.string, 0)] if len(town.strings.row) else np.zeros(n, dtype=np.int64)
    basis = _basis(town, decision)
    number = _piece_numbers(town, piece)
    level = _levels(town, row) if len(town.strings.row) else [""] * n
    surveyed = "areas" if survey.stated else "pipes near"
    need = reach.need[np.maximum(decision.node, 0)] if town.node_count else np.full(n, np.nan)
    pieces = number[np.maximum(decision.node, 0)].tolist() if town.node_count else [0] * n
    ledger = [LEDGER[code] if code >= 0 else "" for code in found.ledger.tolist()]
    texts = _sentences(town, decision, survey, named, outlet, basis, need, ledger, causes)
    judged = (decision.node >= 0).tolist()
    details = [
        f'{{"reason":"{reason or v.NAMES[code]}","joins":{joins},"pipe":{quoted(p)},'
        f'"pipe_level":{quoted(high if p else "")},"piece":{of if own else "null"},"outlet":{quoted(to.en)},'
        f'"basis":{quoted(rests if own else "")},"survey":"{surveyed}","ledger":{quoted(said)}}}'
        for reason, code, joins, p, high, of, own, to, rests, said in zip(
            decision.reason, decision.verdict.tolist(), decision.joins.tolist(), named, level, pieces, judged, outlet,
            basis, ledger, strict=True,
        )
    ]  # fmt: skip
    return gpd.GeoDataFrame(
        {
            "compound_id": pd.array([i or "" for i in found.ids.to_pylist()], dtype="str"),
            "verdict": pd.array([v.NAMES[c] for c in decision.verdict.tolist()], dtype="str"),
            "evidence": pd.array(texts["zh"], dtype="str"),
            "evidence_en": pd.array(texts["en"], dtype="str"),
            "nearest_pipe_id": pd.array([p or None for p in named], dtype="str"),
            "distance_m": np.round(np.where(np.isfinite(decision.distance), decision.distance, np.nan), 3),
            "street_distance_m": np.round(decision.street, 1),
            "outlet_id": pd.array([o.en or None for o in outlet], dtype="str"),
            "details": pd.array(details, dtype="str"),
        },
        geometry=found.given,
        crs=crs,
    )


def _sentences(
    town: Town, decision: Decision, survey: Survey, pipe: list[str], outlet: list[Text], basis: list[str], need: Floats,
    ledger: list[str], causes: Sequence[Text],
) -> dict[Lang, list[str]]:  # fmt: skip
    """Word the evidence, all compounds of one kind of answer at a time."""
    st = town.settings
    own, crested = decision.node >= 0, (decision.verdict == v.CONNECTED) & (need > -np.inf)
    walked = ~np.isnan(decision.street)
    alike: dict[tuple[Any, ...], list[int]] = {}
    kinds = zip(
        decision.verdict.tolist(), decision.reason, own.tolist(), basis, crested.tolist(), ledger, walked.tolist(),
        [bool(p) for p in pipe], strict=True,
    )  # fmt: skip
    for i, kind in enumerate(kinds):
        alike.setdefault(kind, []).append(i)
    columns: dict[str, list[Any]] = {
        "pipe": pipe, "outlet": outlet, "distance": decision.distance.tolist(), "ends": list(causes), "crest": need.tolist(),
        "walk": decision.street.tolist(),
    }  # fmt: skip
    out: dict[Lang, list[str]] = {lang: [""] * len(pipe) for lang in LANGS}
    for (code, reason, mine, rests, crest, said, street, named), rows in alike.items():
        tail = [_BASIS[rests]] if mine else [] if survey.stated else [_NO_AREAS.format(reach=st.survey_reach_m)]
        tail += [_CREST] * (mine and crest) + ([_SAYS[said]] if said else [])
        words = {name: [values[i] for i in rows] for name, values in columns.items()}
        words["limit"] = [st.no_main_m] * len(rows)
        for k, lang in enumerate(LANGS):
            plain = _ALONG if code == v.NO_MAIN and street else _SENTENCE[code, reason]
            sentence = plain[k].replace("{nearest}", _NEAREST[k] if named else "")
            sentence = sentence.replace("{street}", _STREET[k] * street)
            template = _GLUE[k].join([sentence, *(t[k] for t in tail)]) + _STOP[k]
            for i, text in zip(rows, filled(template, len(rows), words, lang), strict=True):
                out[lang][i] = text
    return out


def quoted(text: str) -> str:
    """Return text as a JSON string; nothing as null."""
    return encode_basestring(text) if text else "null"


def _levels(town: Town, row: Ints) -> list[str]:
    return [("main", "branch", "lateral", "internal", "")[code] for code in town.pipes.level[row].tolist()]


def _basis(town: Town, decision: Decision) -> list[str]:
    s, string = town.strings, np.maximum(decision.string, 0)
    if len(s.row) == 0:
        return ["unknown"] * len(string)
    by_record = np.isnan(s.level_a[string]) | np.isnan(s.level_b[string]) | s.adverse[string]
    out = np.where(by_record, "record", "levels")
    out = np.where((s.direction[string] == 0) | (decision.string < 0), "unknown", out)
    pressure = (town.pipes.flow[s.row[string]] == tables.PRESSURE) & (decision.string >= 0)
    return list(np.where(pressure, "pressure", out).tolist())


def _piece_numbers(town: Town, piece: Ints) -> Ints:
    """Return piece numbers by length, the longest first, of equal ones the western first.

    So neither the order of the table nor the way the network was joined matters.
    """
    string, a, b = town.link
    if len(string) == 0:
        return np.zeros(town.node_count, dtype=np.int64)
    of = piece[a]
    length = np.round(np.bincount(of, town.strings.length[string], minlength=int(piece.max()) + 1), 3)
    order = np.argsort(-length, kind="stable")
    same = np.flatnonzero((length[order][1:] == length[order][:-1]) & (length[order][1:] > 0))
    if len(same):
        tied = np.zeros(len(length), dtype=bool)
        tied[order[same]] = tied[order[same + 1]] = True
        rows = np.flatnonzero(tied[of])
        west, south = np.full(len(length), np.inf), np.full(len(length), np.inf)
        for end in (a[rows], b[rows]):
            np.minimum.at(west, of[rows], town.nodes.x[end])
            np.minimum.at(south, of[rows], town.nodes.y[end])
        order = np.lexsort((np.round(south, 2), np.round(west, 2), -length))
    rank = np.empty(len(length), dtype=np.int64)
    rank[order] = np.arange(1, len(length) + 1)
    return rank[piece]


def outlet_of(town: Town, decision: Decision, reach: Reach, piece: Ints) -> list[Text]:
    """Name the outlet that each compound's water reaches: where several are possible, the first by id."""
    n = len(decision.verdict)
    out = [Text("", "")] * n
    nodes = decision.node
    rows = np.flatnonzero((nodes >= 0) & np.isin(decision.verdict, (v.CONNECTED, v.WRONG_OUTLET)))
    if len(rows) == 0:
        return out
    base = len(town.nodes)
    serving = set(town.outlets_that(tables.WWTP, tables.BOUNDARY).tolist())
    good = sorted(serving)
    ids = dict(zip(good, names(town.outlets.points.ids, np.array(good, dtype=np.int64) - base), strict=True))
    for code, targets, label in (
        (v.CONNECTED, sorted(good, key=lambda t: (ids[t], t)), ids),
        (v.WRONG_OUTLET, *_wrong_targets(town, reach)),
    ):
        mine = rows[decision.verdict[rows] == code]
        if len(mine) == 0 or not targets:
            continue
        by_piece: dict[int, list[int]] = {}
        for p, t in zip(piece[targets].tolist(), targets, strict=True):
            by_piece.setdefault(p, []).append(t)
        several: dict[int, list[int]] = {}
        for p, i in zip(piece[nodes[mine]].tolist(), mine.tolist(), strict=True):
            there = by_piece.get(p, [])
            if len(there) == 1:
                out[i] = Text(label[there[0]], label[there[0]])
            elif there:
                several.setdefault(p, []).append(i)
        if several:
            _by_following(town, several, by_piece, nodes, label, out)
    return out


def _wrong_targets(town: Town, reach: Reach) -> tuple[list[int], dict[int, str]]:
    base, targets = len(town.nodes), reach.wrong_nodes
    rivers, storm_nodes = targets[targets >= base], targets[targets < base]
    label = dict(zip(rivers.tolist(), names(town.outlets.points.ids, rivers - base), strict=True))
    string, of = ends_at(town, storm_nodes).at(storm_nodes)
    storm = town.strings.system[string] == 2
    label |= dict.fromkeys(storm_nodes.tolist(), "")
    for i, name in zip(of[storm].tolist(), town.ids(string[storm]), strict=True):
        t = int(storm_nodes[i])
        label[t] = min(label[t] or name, name)
    return sorted(label, key=lambda t: (label[t], t)), label


def _by_following(
    town: Town,
    several: dict[int, list[int]],
    by_piece: dict[int, list[int]],
    nodes: Ints,
    label: dict[int, str],
    out: list[Text],
) -> None:
    """Where a piece has several outlets, follow the water of each in turn; too many are named as a group."""
    upper, lower = town.arcs(climbing=True)
    targets = [t for p in several for t in by_piece[p]]
    if len(targets) > 40:
        for p, compounds in several.items():
            for i in compounds:
                some = label[by_piece[p][0]]
                out[i] = Text(f"{some} 等 {len(by_piece[p])} 处之一", f"one of {len(by_piece[p])} ({some} and others)")
        return
    for t in sorted(targets, key=lambda t: (label[t], t)):
        seen = drains_to(town.node_count, upper, lower, np.array([t]))
        for compounds in several.values():
            for i in compounds:
                if not out[i].en and seen[nodes[i]]:
                    out[i] = Text(label[t], label[t])


def ledger_word(code: str) -> Text:
    """Return the words for an answer of the ledger."""
    return _LEDGER[code]
