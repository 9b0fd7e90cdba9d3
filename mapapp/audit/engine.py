"""This module runs the audit: layers in, findings, verdicts and candidates out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa

from mapapp.audit import (
    batch,
    candidates,
    checks_layer,
    checks_levels,
    checks_network,
    compounds,
    evidence,
    tables,
    verdicts,
)
from mapapp.audit.batch import Batch
from mapapp.audit.compounds import Compounds
from mapapp.audit.model import Town, build
from mapapp.audit.ordering import by_area
from mapapp.audit.rules import RULES
from mapapp.audit.settings import AuditSettings
from mapapp.audit.streets import Streets
from mapapp.audit.tables import Columns, Frame, Table, names
from mapapp.core import machine, memory
from mapapp.core.errors import InputError, QuestionError
from mapapp.core.progress import Progress, silent
from mapapp.core.text import Text

_LAYERS = ("pipes", "manholes", "outlets", "compounds", "streets", "survey_areas")
_COMPILED_FROM = 150_000  # pipes; a county has fewer, and is audited sooner than the compiled loops are loaded


@dataclass(frozen=True)
class AuditResult:
    """What an audit found; unpacks as ``findings, verdicts``.

    Attributes
    ----------
    findings, verdicts : GeoDataFrame
        As declared in `mapapp.core.schema`, with further columns, in the CRS of the layers.
    summary : dict
        Counts: pipes, compounds, findings by rule, verdicts by verdict.
    """

    findings: gpd.GeoDataFrame
    verdicts: gpd.GeoDataFrame
    summary: Mapping[str, Any]
    _offers: Callable[[], gpd.GeoDataFrame] = field(repr=False)
    _town: Town = field(repr=False)
    _need: Any = field(repr=False)
    _crs: Any = field(repr=False)

    def __iter__(self) -> Iterator[gpd.GeoDataFrame]:
        yield self.findings
        yield self.verdicts

    @cached_property
    def candidates(self) -> gpd.GeoDataFrame:
        """Ranked places to join for every compound that is not served; see `mapapp.audit.candidates.table`.

        Worked out when first asked for: findings and verdicts do not need it.
        """
        return self._offers()

    @cached_property
    def served(self) -> gpd.GeoDataFrame:
        """Every place of the network that a link could join: one row per served node.

        Columns: ``pipe_id`` (a pipe there, the smallest id), ``node`` (manhole id, missing where there is none),
        ``invert_m`` (lowest known level there, NaN unknown), ``ground_m``, ``found`` (False where the manhole was not
        found), ``reaches`` (piece of network) and the point.
        """
        return candidates.served(self._town, self._need, self._crs)


def run(
    layers: Mapping[str, Any],
    *,
    settings: AuditSettings | None = None,
    progress: Progress | None = None,
    crs: Any = None,
) -> AuditResult:
    """Audit a county.

    Parameters
    ----------
    layers : mapping of str to GeoDataFrame or pyarrow.Table
        ``pipes manholes outlets compounds streets survey_areas`` in one metric CRS, columns and units of
        `mapapp.core.schema`; absent layers absent, others ignored. An Arrow table carries WKB in a column called
        ``geometry`` or ``wkb_geometry``. Nothing is changed in them.
    settings : AuditSettings, optional
        Distances and design figures.
    progress : callable, optional
        Told the share done and what is being done.
    crs : optional
        The metric CRS of the answer where the layers are Arrow tables, which carry none.

    Returns
    -------
    AuditResult
        Also for empty layers. The same layers give the same tables, and so do the same rows in another order.

    Raises
    ------
    QuestionError
        When the layers are in degrees: lengths need a metric CRS.
    InputError
        When two layers have different CRSs.
    """
    pipes = layers.get("pipes")
    large = pipes is not None and len(pipes) >= _COMPILED_FROM
    with _uncollected(), memory.kept() if large else nullcontext():
        return _run(layers, settings or AuditSettings(), progress or silent, _crs_of(layers) or crs)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python's search for cycles from walking the texts of all findings again and again: none are made here."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _run(layers: Mapping[str, Any], st: AuditSettings, tell: Progress, crs: Any) -> AuditResult:
    """Do the work of `run`."""
    given = {name: _columns(layers[name]) for name in _LAYERS if layers.get(name) is not None}
    empty = _columns(pd.DataFrame())
    tell(0.0, Text("读取管线", "reading pipes"))
    if given.get("pipes", empty).rows >= _COMPILED_FROM:
        machine.prepare()  # compiled once on this machine: every audit from now on takes half the time
    pipes = by_area(tables.pipes_of(given.get("pipes", empty)))
    manholes = tables.manholes_of(given.get("manholes", empty))
    outlets = tables.outlets_of(given.get("outlets", empty))
    found = compounds.compounds_of(given.get("compounds", empty))
    tell(0.2, Text("构建管网", "joining the network"))
    town = build(pipes, manholes, outlets, st)
    tell(0.5, Text("逐条检查", "checking"))
    survey = compounds.survey_of(given.get("survey_areas"), found, st)
    flow = checks_network.sewage_flow(town)
    cut = checks_network.edge_nodes(town, flow, survey.area)
    all_cut = np.concatenate([cut, np.zeros(town.node_count - len(cut), dtype=bool)])
    piece = town.pieces()
    batches, into_storm, stops = _pipe_checks(town, flow, piece, cut, survey.area)
    tell(0.7, Text("判定小区", "judging compounds"))
    joined = compounds.join(found, town, flow)
    reach = verdicts.reach_of(town, into_storm, all_cut, joined.node, piece)
    streets = Streets.of(given.get("streets"), st)
    decision = verdicts.decide(
        found, town, joined, flow, reach, survey, streets.to_pipes(found, town) if streets else None
    )
    decision = candidates.without_fall(found, town, decision, reach, joined, streets)
    causes = _ends_in_piece(decision, piece, stops)
    judged = evidence.table(found, town, decision, reach, survey, piece, causes, crs)
    batches += _compound_checks(found, judged)
    tell(0.95, Text("汇总", "putting it together"))
    table = batch.table(batches, crs)
    summary = {
        "pipes": len(pipes),
        "compounds": len(found),
        "findings": len(table),
        "by_rule": table["rule"].value_counts().to_dict(),
        "by_verdict": judged["verdict"].value_counts().to_dict(),
    }
    tell(1.0, Text("完成", "done"))

    def offers() -> gpd.GeoDataFrame:
        return candidates.table(found, town, decision, reach, joined, streets, crs)

    return AuditResult(table, judged, summary, offers, town, reach.need, crs)


def _columns(layer: Any) -> Columns:
    return Table(layer) if isinstance(layer, pa.Table) else Frame(layer)


def _crs_of(layers: Mapping[str, Any]) -> Any:
    """Return the layers' CRS; None when none has one."""
    known = {name: layers[name].crs for name in _LAYERS if getattr(layers.get(name), "crs", None) is not None}
    if not known:
        return None
    first, crs = next(iter(known.items()))
    for name, other in known.items():
        if other != crs:
            raise InputError(
                Text(f"图层 {first} 与 {name} 的坐标系不同。", f"The layers {first} and {name} have different coordinate systems."),
                Text("请先统一到县库的坐标系。", "Bring them into the county's one coordinate system first."),
            )  # fmt: skip
    if crs.is_geographic:
        raise QuestionError(
            Text(f"图层 {first} 是经纬度坐标。", f"The layer {first} is in degrees."),
            Text(
                "长度需要平面坐标系，请先投影。",
                "Lengths need a projected coordinate system; project the layers first.",
            ),
            option="crs",
        )
    return crs


def _pipe_checks(
    town: Town, flow: checks_network.Flow, piece: Any, cut: Any, area: Any
) -> tuple[list[Batch], Any, Any]:
    """Run the checks of pipes, manholes and outlets; also return where sewage enters storm pipes, and what stops water."""
    overlap, pairs = checks_layer.overlaps(town)
    mid, mid_nodes = checks_network.mid_pipe_junctions(town, pairs)
    near, near_nodes, gap_nodes, short_of = checks_network.near_misses(town, mid_nodes)
    cross, into_storm = checks_network.cross_connections(town, flow)
    excused = cut.copy()
    for nodes in (mid_nodes, gap_nodes, into_storm, town.outlet_at[1]):
        excused[nodes] = True
    dangling, ends = checks_network.dangling_ends(town, flow, excused)
    stops = [(mid, mid_nodes, _TOUCH), (near, near_nodes, _SHORT), (dangling, ends, _END)]
    told = np.concatenate([mid_nodes, near_nodes, into_storm, np.flatnonzero(cut)])
    pipes, manholes, outlets = town.pipes, town.manholes.points, town.outlets.points
    shape = _first_shapes(town)
    return (
        [
            checks_layer.duplicate_ids("pipes", pipes.ids, shape),
            checks_layer.duplicate_ids("manholes", manholes.ids, _Spots(manholes)),
            checks_layer.duplicate_ids("outlets", outlets.ids, _Spots(outlets)),
            *checks_layer.pipe_shapes(town),
            *checks_layer.point_shapes("manholes", manholes),
            *checks_layer.point_shapes("outlets", outlets),
            checks_layer.twins(town),
            *checks_layer.sentinel_values(town),
            checks_layer.drawn_against(town),
            overlap,
            mid,
            near,
            cross,
            dangling,
            *checks_network.pieces_without_outlet(town, piece, told),
            checks_network.orphan_manholes(town, short_of, area),
            *checks_levels.run(town),
        ],
        into_storm,
        stops,
    )


def _first_shapes(town: Town) -> Any:
    """Return the geometry of each pipe's first string, made only when asked for by place."""
    return _Shapes(town)


class _Shapes:
    """Geometry of pipes by row of the file, made on demand: a million objects would cost more than the audit."""

    def __init__(self, town: Town) -> None:
        self._town = town

    def __getitem__(self, rows: Any) -> Any:
        out = np.full(len(rows), None, dtype=object)
        rows = self._town.pipes.rows_of(rows)
        place = np.minimum(np.searchsorted(self._town.strings.row, rows), max(len(self._town.strings.row) - 1, 0))
        if len(self._town.strings.row):
            there = self._town.strings.row[place] == rows
            out[there] = self._town.lines.geometry(place[there])
        return out


class _Spots:
    """Manholes or outlets by table row, made on demand."""

    def __init__(self, found: tables.Points) -> None:
        self._found = found

    def __getitem__(self, rows: Any) -> Any:
        return batch.points(self._found.x[rows], self._found.y[rows])


_TOUCH = Text(
    "管段 {a} 只是搭在管段 {b} 的管身上，没有井，不算接通", "pipe {a} only touches the body of {b}, without a manhole"
)
_SHORT = Text("管段 {a} 离 {b} 差 {value:.2f} 米没有接上", "pipe {a} stops {value:.2f} m short of {b}")
_END = Text("断头在管段 {a}", "it ends at pipe {a}")


def _ends_in_piece(decision: verdicts.Decision, piece: Any, stops: list[tuple[Batch, Any, Text]]) -> list[Text]:
    """Say what stops the water of the piece of network that a compound drains into; three places at most."""
    out = [Text("", "")] * len(decision.verdict)
    stuck = np.flatnonzero((decision.verdict == verdicts.DANGLING) & (decision.node >= 0))
    if len(stuck) == 0:
        return out
    wanted = np.zeros(int(piece.max()) + 1, dtype=bool)
    wanted[piece[decision.node[stuck]]] = True
    by_piece: dict[int, set[Text]] = {}
    for found, nodes, sentence in stops:
        value = found.value if found.value is not None else np.zeros(len(found))
        for k in np.flatnonzero(wanted[piece[nodes]]).tolist():
            text = sentence.format(
                a=found.feature_id[k], b=(found.related or [""] * len(found))[k], value=float(value[k])
            )
            by_piece.setdefault(int(piece[nodes[k]]), set()).add(text)
    for i in stuck.tolist():
        here = sorted(by_piece.get(int(piece[decision.node[i]]), ()), key=lambda t: t.en)[:3]
        out[i] = Text("".join(f"；{t.zh}" for t in here), "".join(f"; {t.en}" for t in here))
    return out


def _compound_checks(found: Compounds, judged: gpd.GeoDataFrame) -> list[Batch]:
    """Turn verdicts into findings, and hold them against the ledger."""
    out = [
        checks_layer.duplicate_ids("compounds", found.ids, found.given),
        *checks_layer.compound_shapes(found.ids, found.given),
    ]
    verdict = judged["verdict"].to_numpy()
    evidence_text = [Text(zh, en) for zh, en in zip(judged["evidence"], judged["evidence_en"], strict=True)]
    for rule in verdicts.NAMES:
        if rule not in RULES or rule == "dangling":
            continue
        rows = np.flatnonzero(verdict == rule)
        out.append(
            Batch(
                rule, "compounds", names(found.ids, rows), found.given[rows],
                related=[p if isinstance(p, str) else "" for p in judged["nearest_pipe_id"].iloc[rows]],
                value=judged["distance_m"].to_numpy()[rows], words={"evidence": [evidence_text[i] for i in rows]},
            )
        )  # fmt: skip
    served = np.array([verdicts.VERDICTS[v].served for v in verdict], dtype=object)
    says = np.array([compounds.LEDGER[c] if c >= 0 else "" for c in found.ledger], dtype=object)
    wrong = (says == "connected") & (served == False)  # noqa: E712  # None is neither
    wrong |= np.isin(says.astype(str), ("not_connected", "septic_only", "discharges_to_water")) & (served == True)  # noqa: E712
    rows = np.flatnonzero(wrong)
    out.append(
        Batch(
            "contradicts_ledger", "compounds", names(found.ids, rows), found.given[rows],
            words={
                "ledger": [evidence.ledger_word(says[i]) for i in rows],
                "verdict": [verdicts.VERDICTS[verdict[i]].title for i in rows],
            },
        )
    )  # fmt: skip
    return out
