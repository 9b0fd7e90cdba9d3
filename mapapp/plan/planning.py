"""This module plans: corridors, targets, layout, sizes, cost, proof and stages, for all unserved compounds at once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from mapapp.core.errors import InputError
from mapapp.core.progress import Cancelled, Progress, silent
from mapapp.core.text import Text
from mapapp.plan import drawn, phasing, room, tables
from mapapp.plan.corridors import FARTHEST_M, Corridors, build
from mapapp.plan.existing import Existing
from mapapp.plan.ground import Ground
from mapapp.plan.layout import Layout, Site
from mapapp.plan.prices import Prices, load_prices
from mapapp.plan.remarks import remarks
from mapapp.plan.search import search
from mapapp.plan.standard import Standard, load_standard
from mapapp.plan.targets import UNSERVED, Targets, connected, demand
from mapapp.plan.terrain import read_terrain

Array = np.ndarray[Any, Any]

_loaded: set[str] = set()

TIME_LIMIT_S = 20.0
CLOSINGS = 4
"""How often sewers that a layout fills too much are closed and the rest is laid out anew, before compounds are refused."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build.

    Attributes
    ----------
    links : GeoDataFrame
        One row per pipe, columns as `core.schema.layer("links")` and more; see `tables.links`.
    refused : DataFrame
        ``compound_id reason zh en``: compounds that get no link, and why.
    summary : dict
        Plain numbers, ready for JSON.
    assumptions : list of Text
        Everything that was taken for granted.
    stages : DataFrame
        The curve of households against money: ``block stage cost households cost_sum households_sum``.
    lower_bound : float
        No plan over the same corridors, compounds, standard and prices costs less.
    gap_pct : float
        How far the plan may lie above the best possible, in per cent of the bound.
    existing : Existing
        The served sewers with their flows and capacities, as the plan took them.
    remarks : DataFrame
        ``compound_id kind zh en``: what is to be said of links drawn by hand, and of sewers that run too full.
    """

    links: gpd.GeoDataFrame
    refused: pd.DataFrame
    summary: dict[str, Any]
    assumptions: list[Text]
    stages: pd.DataFrame
    lower_bound: float
    gap_pct: float
    existing: Existing = field(repr=False)
    remarks: pd.DataFrame


def run(
    layers: Mapping[str, Any],
    verdicts: Any,
    served: Any,
    *,
    standard: Standard | str = "gb50014-2021",
    prices: Prices | str = "example",
    budget: float | None = None,
    seed: int = 0,
    time_limit_s: float | None = None,
    pinned: frozenset[str] = frozenset(),
    dem: str | Path | None = None,
    forbidden: Any = None,
    footways: bool = False,
    by_hand: Any = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Plan:
    """Plan a link for every unserved compound, or say why there is none.

    Parameters
    ----------
    layers : mapping of str to GeoDataFrame
        ``compounds``, and where there are any ``streets buildings pipes manholes outlets water railways spot_heights``, one
        metric CRS. Without ``pipes`` links join manholes only, and no capacity is known.
    verdicts : DataFrame
        ``compound_id verdict`` of the audit, and ``nearest_pipe_id`` where it is known.
    served : GeoDataFrame
        Places a link may join, as `AuditResult.served`.
    standard, prices : value, or name of a shipped file, or path
    budget : float, optional
        Money per stage; zero is allowed and builds nothing beyond what is pinned.
    seed : int
        One seed, one plan, as long as the time limit does not end the search.
    time_limit_s : float, optional
        For the layout; default `TIME_LIMIT_S`.
    pinned : set of str
        Compounds that must be in the first stage.
    dem : str or Path, optional
        A ground model, `terrain.read_terrain`.
    forbidden : GeoDataFrame, optional
        Areas or lines that no link may touch, in the CRS of the layers. A compound that they shut in is refused.
    footways : bool
        Lay along both footways of each street instead of along its centre.
    by_hand : GeoDataFrame, optional
        Links drawn by hand, `drawn.match`: a compound that has one is led by it, and `Plan.remarks` says what is wrong with it.
    progress, cancelled : callable, optional
        ``progress`` is told the share done and may raise `Cancelled`; ``cancelled()`` true ends the search and keeps the best
        plan so far, or raises `Cancelled` when there is none yet.

    Raises
    ------
    InputError
        A standard, price book or ground model that cannot be used, a negative or infinite budget.
    """
    tell = progress or silent
    if not _loaded:  # compiling takes a minute, once per installation: no part of the time limit
        _loaded.add("kernels")
        tell(0.0, Text("正在准备计算程序（首次约一分钟）", "Loading the solver (the first time takes about a minute)"))
        warm_up()
    started = time.monotonic()
    asked = cancelled or (lambda: False)
    standard = load_standard(standard) if isinstance(standard, str) else standard
    prices = load_prices(prices) if isinstance(prices, str) else prices
    if budget is not None and not 0 <= budget < np.inf:
        raise InputError(
            Text(f"预算为 {budget}。", f"The budget is {budget}."), Text("须为零或正数。", "It must be zero or more.")
        )
    tell(0.0, Text("正在查找未接入的小区", "Finding unserved compounds"))
    compounds, refused = _unserved(layers.get("compounds"), verdicts)
    terrain = read_terrain(dem, compounds.crs) if dem is not None else None
    ground = Ground.of(layers, served, terrain)
    households, guessed = demand(compounds)
    existing = Existing.of(layers, served, standard, connected(layers.get("compounds"), verdicts))
    gates = shapely.force_2d(compounds.geometry.to_numpy()) if len(compounds) else np.empty(0, object)
    every = Targets.of(served, ground, existing, gates, drawn.ends(by_hand))
    tell(0.05, Text("正在生成走廊", "Building corridors"))
    if asked():
        raise Cancelled
    hand, faults = drawn.match(by_hand, compounds, every)
    shut = room.full(every, existing, standard, households)
    shut[hand.target] = False  # drawn by hand is taken, and its want of room told
    deadline = started + (TIME_LIMIT_S if time_limit_s is None else time_limit_s)

    def offer(shut: Array) -> tuple[Site, Array]:
        """Return corridors to the sewers that are open, and who is joined by them."""
        rows = np.flatnonzero(~shut)
        here = drawn.Drawn(hand.row, hand.line, np.searchsorted(rows, hand.target))
        targets = every.take(rows)
        corridors = build(layers, gates, targets, forbidden, footways=footways, drawn=here)
        surface = tables.surfaces(layers.get("streets"), corridors)
        site = Site(corridors, surface, ground, targets, households, standard, prices)
        return site, _joined(corridors, len(compounds))

    lost = np.zeros(len(compounds), bool)
    site, joined = offer(shut)
    for turn in itertools.count():
        layout, bound = search(site, joined, seed, deadline, tell, asked)
        over, _ = room.overloaded(layout, site.targets, existing, standard)
        over[every.pipe[hand.target]] = False
        if not over.any():
            break
        closed = shut | np.append(over, False)[every.pipe]
        other, still = offer(closed)
        if turn < CLOSINGS and (still | ~joined).all():
            shut, site, joined = closed, other, still & ~lost
        else:  # closing full sewers would cut somebody off: some of those who fill them stay away
            lost |= room.surplus(layout, site.targets, existing, standard, households, over)
            joined &= ~lost
    reached = _reached(joined | lost, layers, gates, every, forbidden) if shut.any() else joined | lost
    refused += [
        (c, "no_room" if r else "out_of_reach")
        for c, r in zip(compounds["compound_id"][~joined], reached[~joined], strict=True)
    ]
    for number, error in layout.failed.items():
        failed = np.flatnonzero(layout.compounds == number)
        refused += [(c, "no_levels", error) for c in compounds["compound_id"].iloc[failed]]
    tell(0.9, Text("正在分期", "Cutting stages"))
    links = tables.links(site, layout, compounds, layers, room.spare_lps(site.targets, existing, standard))
    stage, curve = phasing.stages(
        tables.below(links), links["cost"].to_numpy(float), links["own_households"].to_numpy(float), budget,
        links["own_compounds"].isin(pinned).to_numpy(),
    )  # fmt: skip
    links["stage"] = pd.array(stage, dtype="Int64")
    gap = 0.0 if layout.cost <= bound else 100.0 * (layout.cost / bound - 1.0) if bound > 0 else np.inf
    refusals = tables.refusals(refused, FARTHEST_M)
    summary = tables.summary(
        links, refusals, len(refusals) + int((layout.compounds >= 0).sum()) - _failed(layout), bound, gap
    )
    summary |= {"budget": budget, "standard": standard.name, "prices": prices.name, "example_prices": prices.example}
    summary["seconds"] = round(time.monotonic() - started, 3)
    tell(1.0, Text("完成", "Done"))
    notes = tables.assumptions(site, links, guessed, layout)
    notes += tables.room_notes(links, existing, int(shut.sum()), footways=footways, standard=standard)
    said = remarks(site, layout, links, layers, existing, faults, compounds)
    return Plan(links, refusals, summary, notes, curve, bound, gap, existing, said)


def check_drawn(layers: Mapping[str, Any], verdicts: Any, served: Any, by_hand: Any, **options: Any) -> Plan:
    """Return what links drawn by hand come to, each by itself: levels, sizes, costs, and `Plan.remarks` on them.

    Parameters
    ----------
    layers, verdicts, served, by_hand :
        As for `run`.
    **options
        As for `run`.

    Notes
    -----
    Compounds without a usable drawing are left out, so that nothing is laid but what was drawn.
    """
    compounds, _ = _unserved(layers.get("compounds"), verdicts)
    places = Targets.of(served, Ground.of(layers, served))
    hand, _ = drawn.match(by_hand, compounds, places, reach_m=np.inf)
    some = set(compounds["compound_id"].iloc[hand.row]) if len(compounds) else set()
    if verdicts is not None and len(verdicts):
        name = verdicts["compound_id"].astype(str)
        verdicts = verdicts[name.isin(some) | ~verdicts["verdict"].isin(UNSERVED)]
    return run(layers, verdicts, served, by_hand=by_hand, **options)


def _reached(joined: Array, layers: Mapping[str, Any], gates: Array, every: Targets, forbidden: Any) -> Array:
    """Return which compounds could be joined if every sewer had room."""
    return joined if joined.all() else _joined(build(layers, gates, every, forbidden), len(gates))


def _failed(layout: Layout) -> int:
    return int(np.isin(layout.compounds, list(layout.failed)).sum())


def _unserved(compounds: Any, verdicts: Any) -> tuple[Any, list[tuple[Any, ...]]]:
    """Return the compounds to join, sorted by id so that row order does not matter, and those without a place."""
    empty = gpd.GeoDataFrame({"compound_id": pd.Series(dtype="str")}, geometry=gpd.GeoSeries([]))
    if verdicts is None or not len(verdicts):
        return empty, []
    wanted = verdicts.loc[verdicts["verdict"].isin(UNSERVED), "compound_id"].astype(str).unique()
    if compounds is None:
        return empty, [(c, "no_geometry") for c in sorted(wanted)]
    frame = compounds[compounds["compound_id"].astype(str).isin(wanted)]
    shape = frame.geometry
    usable = (~(shape.isna() | shape.is_empty)).to_numpy().copy()
    usable[usable] = np.isfinite(shapely.bounds(shape.to_numpy()[usable])).all(axis=1)
    frame = frame[usable].assign(compound_id=lambda f: f["compound_id"].astype(str))
    # a compound in several rows is one compound in several parts
    if frame["compound_id"].duplicated().any():
        merged = frame.dissolve("compound_id", aggfunc="first").reset_index()
        frame = merged[frame.columns]
    frame = frame.sort_values("compound_id", ignore_index=True)
    frame = frame.set_geometry(shapely.make_valid(frame.geometry.to_numpy()), crs=frame.crs)
    lost = sorted(set(wanted) - set(frame["compound_id"]))
    return frame, [(c, "no_geometry") for c in lost]


def _joined(corridors: Corridors, count: int) -> Array:
    """Whether each compound has a corridor to the served network."""
    graph = sparse.coo_matrix((np.ones(len(corridors.a)), (corridors.a, corridors.b)), shape=(corridors.n, corridors.n))
    _, piece = csgraph.connected_components(graph, directed=False)
    return np.asarray(piece[corridors.compound : corridors.compound + count] == piece[corridors.root])


def warm_up() -> None:
    """Compile or load every kernel, so that the first plan of a server is as quick as the second."""
    _loaded.add("kernels")
    from mapapp.plan.steiner import warm_up as steiner

    steiner()
    crs = "EPSG:4547"
    streets = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (200, 0)])], crs=crs)
    compounds = gpd.GeoDataFrame({"compound_id": ["1", "2"]}, geometry=shapely.points([[0, 20], [100, 20]]), crs=crs)
    served = gpd.GeoDataFrame(
        {"pipe_id": ["1"], "ground_m": [5.0], "invert_m": [4.5]}, geometry=shapely.points([[200, 0]]), crs=crs
    )
    run({"streets": streets, "compounds": compounds}, compounds.assign(verdict="no_main"), served)


__all__ = ["Plan", "check_drawn", "run", "warm_up"]
