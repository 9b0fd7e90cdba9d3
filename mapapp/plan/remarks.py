"""This module says in sentences what is wrong with links drawn by hand, and which existing sewers a plan fills too much."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.plan import room
from mapapp.plan.existing import Existing
from mapapp.plan.hydraulics import size_sewers
from mapapp.plan.layout import Layout, Site
from mapapp.plan.town import Town

Array = np.ndarray[Any, Any]

COLUMNS = ("compound_id", "kind", "zh", "en")
COVER_SLACK_M = 0.1
"""What ground levels between known points are worth: less missing cover than this is not told."""
LOW_M = 1.0
"""What ground levels on an outline, and pipes inside it, are worth: an outline that is less too low is not told."""
STEP_M = 5.0
"""Distance of the places along a drawn pipe at which its cover is looked at."""

SAID = {
    "building": Text("穿过 {n} 栋建筑（{first}）。", "It runs through {n} buildings ({first})."),
    "river": Text("穿越水体 {n} 次。", "It crosses water {n} times."),
    "railway": Text("穿越铁路 {n} 次。", "It crosses a railway {n} times."),
    "main_road": Text("穿越主要道路 {n} 次。", "It crosses a main road {n} times."),
    "forbidden": Text("经过不得敷设的区域。", "It touches ground that no link may touch."),
    "fall": Text(
        "落差不够：可用 {have:.2f} 米，最小坡度需 {need:.2f} 米；按设泵计算。",
        "The fall is not available: {have:.2f} m there, {need:.2f} m needed at the least slope. A pump is counted in.",
    ),
    "pump": Text("沿线须设提升泵站 {n} 座。", "It needs {n} pumps along its way."),
    "cover": Text(
        "覆土不足：距起点 {at:.0f} 米处 {cover:.2f} 米，最少 {least:g} 米。",
        "Not enough cover: {cover:.2f} m at {at:.0f} m from its start, {least:g} m is the least.",
    ),
    "slope": Text("坡度 {have:.4f} 小于最小坡度 {least:.4f}（{link}）。", "Its slope {have:.4f} is below the least, {least:.4f} ({link})."),
    "deep": Text("埋深达 {deep:.1f} 米，接近最大 {most:g} 米。", "It lies {deep:.1f} m deep; {most:g} m is the most."),
    "drop": Text("接入时跌落 {drop:.2f} 米，须设跌水井。", "It drops {drop:.2f} m where it joins: a drop manhole."),
    "no_levels": Text("沿线没有可行的管径与标高。", "No size and level is possible along it."),
    "low_lying": Text(
        "小区边界最低处比接入管起点所需低 {short:.1f} 米：须核对内部管能否自流到起点。",
        "The lowest place of its outline lies {short:.1f} m too low to drain to where its link begins: look at its own drains.",
    ),
    "no_room": Text(
        "受纳管 {pipe} 能力不足：剩余 {spare:.1f} L/s，需要 {need:.1f} L/s。",
        "The receiving sewer {pipe} has {spare:.1f} L/s left, and {need:.1f} L/s come.",
    ),
    "levels_unknown": Text("沿线没有高程，标高未核对。", "No heights are known along it: its levels were not checked."),
    "downstream": Text(
        "下游现状管 {pipe} 将超过设计充满度：能力 {room:.1f} L/s，现状加规划 {flow:.1f} L/s。",
        "The existing sewer {pipe} farther down would run above the standard's fill: it carries {room:.1f} L/s, {flow:.1f} L/s come.",
    ),
}  # fmt: skip
MOST_DOWNSTREAM = 20


def remarks(site: Site, layout: Layout, links: Any, town: Town) -> pd.DataFrame:
    """Return one row per remark: ``compound_id kind zh en``; the compound is empty for remarks on existing sewers.

    Parameters
    ----------
    site, layout, links :
        What was laid; ``links`` as `tables.links`.
    town : Town
        What the plan started from.
    """
    rows = [(name, kind, text.zh, text.en) for name, kind, text in town.faults]
    by_hand = np.flatnonzero((links["corridor"] == "drawn").to_numpy(bool)) if len(links) else np.empty(0, np.int64)
    groups = pd.Series(by_hand).groupby(_way(links, by_hand)) if len(by_hand) else ()
    ids = town.compounds["compound_id"].to_numpy(object) if len(town.compounds) else np.empty(0, object)
    for name, members in groups:
        part = links.iloc[members.to_numpy()].reset_index(drop=True)
        own = town.compounds.geometry.iloc[int(np.flatnonzero(ids == name)[0])]
        rows += [(str(name), kind, text.zh, text.en) for kind, text in _of_link(site, part, town, own)]
    failed = np.isin(layout.compounds, list(layout.failed))
    for row in np.intersect1d(np.flatnonzero(failed), town.hand.row).tolist():
        rows.append((str(ids[row]), "no_levels", SAID["no_levels"].zh, SAID["no_levels"].en))
    rows += _low_lying(links, town)
    rows += _downstream(site, layout, town.existing)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype("str")


def _low_lying(links: Any, town: Town) -> list[tuple[str, str, str, str]]:
    """Return the compounds whose link begins too high for the lowest place of their outline."""
    if not len(links) or not town.ground.known:
        return []
    low = pd.Series(town.low, index=town.compounds["compound_id"])
    begins = links[links["own_compounds"].isin(low[low.notna()].index) & ~links["pump"]]
    if not len(begins):
        return []
    point = low.loc[begins["own_compounds"]].to_numpy(object)
    level, _ = town.ground.at(*shapely.get_coordinates(point).T)
    crown = begins["invert_up_m"].to_numpy(float) + begins["diameter_mm"].to_numpy(float) / 1000.0
    short = crown - (level - town.standard.min_cover_m)
    names = begins["own_compounds"].to_numpy(object)
    out = []
    for name, x in zip(names[short > LOW_M], short[short > LOW_M], strict=True):
        text = SAID["low_lying"].format(short=x)
        out.append((str(name), "low_lying", text.zh, text.en))
    return out


def _way(links: Any, rows: Array) -> Array:
    """Return, for pipes of drawn links, the compound that each belongs to: a drawn line has no branches."""
    down = pd.Series(np.arange(len(links)), index=links["link_id"])
    below = links["downstream_link_id"].map(down).fillna(-1).astype(int).to_numpy()
    own = links["own_compounds"].fillna("").to_numpy(object)
    name = np.full(len(links), "", dtype=object)
    drawn = np.zeros(len(links), bool)
    drawn[rows] = True
    for start in rows[own[rows] != ""].tolist():
        at = start
        while at >= 0 and drawn[at] and name[at] == "":
            name[at] = own[start]
            at = int(below[at])
    return np.asarray(name[rows])


def _of_link(site: Site, part: Any, town: Town, own: Any) -> list[tuple[str, Text]]:
    """Return the remarks on the pipes of one drawn link, head first or not."""
    standard, out = site.standard, []
    houses = town.layers.get("buildings")
    if houses is not None and len(houses):
        shape = houses.geometry.to_numpy()
        hit = shapely.STRtree(shape).query(part.geometry.to_numpy(), predicate="crosses")[1]
        hit = np.unique(hit[~shapely.intersects(shape[hit], own)])
        if len(hit):
            key = "building_id" if "building_id" in houses else houses.columns[0]
            out.append(("building", SAID["building"].format(n=len(hit), first=str(houses[key].iloc[int(hit[0])]))))
    if town.forbidden is not None and len(town.forbidden):
        ground = shapely.make_valid(shapely.force_2d(town.forbidden.geometry.dropna().to_numpy()))
        if len(shapely.STRtree(ground).query(part.geometry.to_numpy(), predicate="intersects")[0]):
            out.append(("forbidden", SAID["forbidden"]))
    edges = np.isin(site.corridors.kind, ("drawn",))
    lines = shapely.linestrings(np.stack([site.corridors.start[edges], site.corridors.end[edges]], axis=1))
    mine = (
        shapely.distance(
            shapely.line_interpolate_point(lines, 0.5, normalized=True), shapely.union_all(part.geometry.to_numpy())
        )
        < 0.01
    )
    for column, kind in enumerate(("river", "railway", "main_road")):
        times = float(site.corridors.crossings[edges][mine, column].sum())
        if times:
            out.append((kind, SAID[kind].format(n=f"{times:g}")))
    if not site.ground.known:
        return [*out, ("levels_unknown", SAID["levels_unknown"])]
    out += _levels(site, part)
    last = part[part["downstream_link_id"].isna()]
    for row in last.itertuples():
        if row.drop_m > standard.drop_manhole_m:
            out.append(("drop", SAID["drop"].format(drop=row.drop_m)))
        if np.isfinite(row.target_spare_lps) and row.flow_lps > row.target_spare_lps + 1e-6:
            text = SAID["no_room"].format(pipe=row.to_node, spare=row.target_spare_lps, need=row.flow_lps)
            out.append(("no_room", text))
    return out


def _levels(site: Site, part: Any) -> list[tuple[str, Text]]:
    """Return remarks on fall, cover, slope and depth."""
    standard, out = site.standard, []
    head = part[part["own_compounds"].fillna("") != ""].iloc[0]
    down = part.set_index("link_id")
    order = [head["link_id"]]
    while isinstance(nxt := down.at[order[-1], "downstream_link_id"], str) and nxt in down.index:
        order.append(nxt)
    way = down.loc[order].reset_index()
    if way["pump"].any():
        size = standard.allowed_mm[0]
        goal = float(way["invert_down_m"].iloc[-1] - way["drop_m"].iloc[-1])
        have = float(way["ground_up_m"].iloc[0]) - standard.min_cover_m - size / 1000.0 - goal
        need = float(way["length_m"].sum()) * float(standard.slope(np.array(size)))
        out.append(("fall", SAID["fall"].format(have=have, need=need)) if have < need and _cannot(way, standard, site, goal)
                   else ("pump", SAID["pump"].format(n=int(way["pump"].sum()))))  # fmt: skip
    flat = way[~way["pressure"].astype(bool) & (way["slope"] < standard.slope(way["diameter_mm"]) - 1e-9)]
    for row in flat.head(1).itertuples():
        least = float(standard.slope(np.array(row.diameter_mm)))
        out.append(("slope", SAID["slope"].format(have=row.slope, least=least, link=row.link_id)))
    at, cover = _covers(site, way)
    if len(cover) and cover.min() < standard.min_cover_m - COVER_SLACK_M:
        worst = int(np.argmin(cover))
        out.append(("cover", SAID["cover"].format(at=at[worst], cover=cover[worst], least=standard.min_cover_m)))
    deep = float(way[["depth_up_m", "depth_down_m"]].max(axis=None))
    if deep > 0.9 * standard.max_depth_m:
        out.append(("deep", SAID["deep"].format(deep=deep, most=standard.max_depth_m)))
    return out


def _cannot(way: Any, standard: Any, site: Site, goal: float) -> bool:
    """Whether gravity alone finds no levels along the way."""
    n = len(way)
    pipes = pd.DataFrame({
        "pipe_id": np.arange(n), "downstream_pipe_id": pd.array([*range(1, n), pd.NA], dtype="Int64"),
        "ground_up_m": way["ground_up_m"], "ground_down_m": way["ground_down_m"], "length_m": way["length_m"],
        "flow_lps": way["flow_lps"], "outlet_invert_m": [*[np.nan] * (n - 1), goal],
    })  # fmt: skip
    try:
        size_sewers(pipes, standard, site.prices, pumps=False)
    except InputError:
        return True
    return False


def _covers(site: Site, way: Any) -> tuple[Array, Array]:
    """Return distance from the start and cover every few metres: between its manholes the ground may dip."""
    length = way["length_m"].to_numpy(float)
    begin = np.cumsum(length) - length
    count = np.maximum(np.ceil(length / STEP_M).astype(int), 1)
    row = np.repeat(np.arange(len(way)), count + 1)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count + 1) - (count + 1), count + 1)
    share = place / count[row]
    xy = shapely.get_coordinates(shapely.line_interpolate_point(way.geometry.to_numpy()[row], share, normalized=True))
    ground, _ = site.ground.at(*xy.T)
    up, down = way["invert_up_m"].to_numpy(float), way["invert_down_m"].to_numpy(float)
    crown = up[row] * (1 - share) + down[row] * share + way["diameter_mm"].to_numpy(float)[row] / 1000.0
    inner = (share > 0) & (share < 1)  # at the manholes the sizing saw to it
    return (begin[row] + share * length[row])[inner], (ground - crown)[inner]


def _downstream(site: Site, layout: Layout, existing: Existing) -> list[tuple[str, str, str, str]]:
    _, over = room.overloaded(layout, site.targets, existing, site.standard)
    more, _ = room.added(layout, site.targets, existing)
    out = []
    for pipe in np.flatnonzero(over)[:MOST_DOWNSTREAM].tolist():
        flow = float(site.standard.design_flow_lps(existing.households[pipe] + more[pipe]))
        text = SAID["downstream"].format(pipe=existing.pipe_id[pipe], room=existing.capacity_lps[pipe], flow=flow)
        out.append(("", "downstream", text.zh, text.en))
    return out
