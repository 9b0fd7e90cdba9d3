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

from mapapp.core.errors import InputError
from mapapp.core.progress import Cancelled, Progress, silent
from mapapp.core.text import Text
from mapapp.plan import drawn, notes, phasing, room, tables
from mapapp.plan.existing import Existing
from mapapp.plan.ground import Ground
from mapapp.plan.layout import Layout, Site
from mapapp.plan.prices import Prices, load_prices
from mapapp.plan.remarks import remarks
from mapapp.plan.search import search
from mapapp.plan.standard import Standard, load_standard
from mapapp.plan.targets import UNSERVED, Targets
from mapapp.plan.town import Town, unserved

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
    town = Town.of(
        layers, verdicts, served, standard, prices, dem=dem, forbidden=forbidden, footways=footways, by_hand=by_hand
    )
    tell(0.05, Text("正在生成走廊", "Building corridors"))
    if asked():
        raise Cancelled
    deadline = started + (TIME_LIMIT_S if time_limit_s is None else time_limit_s)
    found = _settled(town, seed, deadline, tell, asked)
    tell(0.9, Text("正在分期", "Cutting stages"))
    made = _written(town, found, budget, pinned)
    made.summary["seconds"] = round(time.monotonic() - started, 3)
    tell(1.0, Text("完成", "Done"))
    return made


@dataclass(frozen=True, slots=True)
class _Settled:
    """A layout that fills no receiving sewer too much: its corridors, its bound, who is joined, who stays away, what is shut."""

    site: Site
    layout: Layout
    bound: float
    joined: Array
    lost: Array
    shut: Array


def _settled(town: Town, seed: int, deadline: float, tell: Progress, asked: Callable[[], bool]) -> _Settled:
    """Search layouts, and close the sewers that one fills too much, until none is."""
    shut = town.full()
    lost = np.zeros(len(town.compounds), bool)
    site, joined = town.offer(shut)
    for turn in itertools.count():
        layout, bound = search(site, joined, seed, deadline, tell, asked)
        over, _ = room.overloaded(layout, site.targets, town.existing, town.standard)
        over[town.every.pipe[town.hand.target]] = False
        if not over.any():
            return _Settled(site, layout, bound, joined, lost, shut)
        closed = shut | np.append(over, False)[town.every.pipe]
        other, still = town.offer(closed)
        if turn < CLOSINGS and (still | ~joined).all():
            shut, site, joined = closed, other, still & ~lost
        else:  # closing full sewers would cut somebody off: some of those who fill them stay away
            lost |= room.surplus(layout, site.targets, town.existing, town.standard, town.households, over)
            joined &= ~lost
    raise AssertionError  # the count never ends


def _written(town: Town, found: _Settled, budget: float | None, pinned: frozenset[str]) -> Plan:
    """Return the plan as tables."""
    site, layout, standard, prices = found.site, found.layout, town.standard, town.prices
    failed = np.isin(layout.compounds, list(layout.failed))
    refused = town.reasons(found.joined, found.lost, found.shut)
    refused += [(c, "no_levels") for c in town.compounds["compound_id"][failed]]
    refusals = tables.refusals(refused, standard)
    links = tables.links(
        site, layout, town.compounds, town.layers, room.spare_lps(site.targets, town.existing, standard)
    )
    stage, curve = phasing.stages(
        tables.below(links), links["cost"].to_numpy(float), links["own_households"].to_numpy(float), budget,
        links["own_compounds"].isin(pinned).to_numpy(),
    )  # fmt: skip
    links["stage"] = pd.array(stage, dtype="Int64")
    bound = found.bound
    gap = 0.0 if layout.cost <= bound else 100.0 * (layout.cost / bound - 1.0) if bound > 0 else np.inf
    summary = tables.summary(links, refusals, len(town.compounds) + len(town.placeless), bound, gap)
    summary |= {"budget": budget, "standard": standard.name, "prices": prices.name, "example_prices": prices.example}
    taken = notes.assumptions(site, links, town.guessed, layout)
    taken += notes.way_notes(site, layout, links, town.layers, town.gates)
    taken += notes.room_notes(links, town.existing, int(found.shut.sum()), footways=town.footways, standard=standard)
    said = remarks(site, layout, links, town)
    return Plan(links, refusals, summary, taken, curve, bound, gap, town.existing, said)


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
    compounds, _ = unserved(layers.get("compounds"), verdicts)
    places = Targets.of(served, Ground.of(layers, served))
    hand, _ = drawn.match(by_hand, compounds, places, reach_m=np.inf)
    some = set(compounds["compound_id"].iloc[hand.row]) if len(compounds) else set()
    if verdicts is not None and len(verdicts):
        name = verdicts["compound_id"].astype(str)
        verdicts = verdicts[name.isin(some) | ~verdicts["verdict"].isin(UNSERVED)]
    return run(layers, verdicts, served, by_hand=by_hand, **options)


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
