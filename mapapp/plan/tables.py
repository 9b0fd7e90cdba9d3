"""This module writes a plan as tables: links, refusals, summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from mapapp.core.text import Text
from mapapp.plan.corridors import FARTHEST_M, Corridors
from mapapp.plan.layout import Layout, Site
from mapapp.plan.standard import Standard

Array = np.ndarray[Any, Any]

REASONS: dict[str, Text] = {
    "no_geometry": Text(
        "小区没有位置，无法规划。请补充边界或点位。",
        "The compound has no place on the map. Add its outline or a point.",
    ),
    "out_of_reach": Text(
        "{far:g} 米以内没有可接入的污水管。", "There is no served sewer within {far:g} m that a corridor leads to."
    ),
    "forbidden": Text(
        "所有走廊都被禁止敷设的区域隔断。",
        "Ground that no link may touch shuts it in: without it there would be a corridor.",
    ),
    "too_many": Text(
        "户数过多：设计流量超过标准中最大管径（DN{largest:g}）的输水能力。请核对户数。",
        "Too many households: their flow is more than the largest size of the standard, DN{largest:g}, carries. Check the number.",
    ),
    "no_room": Text(
        "可达的受纳管都没有剩余能力（现状流量按已接入户数推算）。",
        "Every sewer that can be reached is full: its flow, taken from the households connected to it, leaves no room.",
    ),
    "no_levels": Text(
        "沿线没有可行的管径与标高（最大埋深 {deepest:g} 米，最大 DN{largest:g}）。",
        "No size and level is possible on its way: {deepest:g} m is the deepest, DN{largest:g} the largest of the standard.",
    ),
}

LINK_COLUMNS = (
    "link_id", "compound_ids", "from_node", "to_node", "length_m", "diameter_mm", "slope", "ground_up_m", "ground_down_m",
    "invert_up_m", "invert_down_m", "depth_up_m", "depth_down_m", "flow_lps", "pump", "cost_low", "cost", "cost_high",
    "corridor", "stage", "households", "downstream_link_id", "street", "surface", "crossings", "pressure", "lift_m", "fill",
    "velocity_ms", "drop_m", "cost_pipe", "cost_manhole", "cost_pump", "cost_surface", "cost_drop", "ground_known",
    "target_known", "own_compounds", "own_households", "new_manhole", "new_manhole_depth_m", "cost_new_manhole",
    "target_spare_lps",
)  # fmt: skip


def surfaces(streets: Any, corridors: Corridors) -> Array:
    """Return the surface of each corridor, from its street; empty where unknown."""
    out = np.full(len(corridors.a), "", dtype=object)
    on = corridors.street >= 0
    if streets is not None and "surface" in streets and on.any():
        words = streets["surface"].astype(object).where(streets["surface"].notna(), "").to_numpy(object)
        out[on] = words[corridors.street[on]]
    return out


def links(site: Site, layout: Layout, compounds: Any, layers: Mapping[str, Any], spare: Array) -> gpd.GeoDataFrame:
    """Return one row per pipe, ordered from the heads down within each tree.

    Columns as the interface names them; levels are missing where no height is known anywhere. ``own_compounds`` is the
    compound that begins at the pipe, ``own_households`` its households: what a stage counts once. Where a link joins a pipe
    between two manholes, ``to_node`` is that pipe, ``new_manhole`` the name of the manhole to be built there, and
    ``cost_manhole`` holds its ``cost_new_manhole`` too. ``spare``: room of each target's sewer in L/s, NaN unknown.
    """
    crs = compounds.crs if len(compounds) else None
    p = layout.pipes
    if not len(p):
        frame = gpd.GeoDataFrame(
            {c: pd.Series(dtype=object) for c in LINK_COLUMNS}, geometry=gpd.GeoSeries([]), crs=crs
        )
        return frame.astype(
            {c: float for c in LINK_COLUMNS if c.endswith(("_m", "_mm", "_lps")) or c.startswith("cost")}
        )
    c = site.corridors
    p = p.sort_values(["root", "pipe_id"], ignore_index=True)
    width = max(4, len(str(len(p))))
    ids = np.array([f"L{i + 1:0{width}d}" for i in range(len(p))], dtype=object)
    row = pd.Series(np.arange(len(p)), index=p["pipe_id"])
    below = p["downstream_pipe_id"].map(row).to_numpy(float)
    down = np.where(np.isnan(below), -1, np.nan_to_num(below)).astype(np.int64)
    own = p["own"].to_numpy(np.int64)
    names = compounds["compound_id"].to_numpy(object)
    point = _nodes(p, down, own, names)
    target = p["target"].to_numpy(np.int64)
    joined = (
        np.array([str(x) for x in site.targets.name], dtype=object) if len(site.targets.name) else np.empty(0, object)
    )
    to = np.where(down >= 0, point[np.maximum(down, 0)], np.where(target >= 0, joined[np.maximum(target, 0)], ""))
    edge = p["edge"].to_numpy(np.int64)
    street = c.street[edge]
    known = site.ground.known
    into = np.maximum(target, 0)
    well = (target >= 0) & (site.targets.between[into] if len(site.targets) else False)
    cost_well = p["cost_well"].to_numpy(float)
    missing = np.nan if not known else 0.0
    sure, prices = p["sure"].to_numpy(bool), site.prices
    target_known = (target < 0) | (site.targets.sure[into] if len(site.targets) else True)
    spread = np.where(sure & target_known, 1.0, prices.unknown_ground)
    total = p["total"].to_numpy(float)
    lines = shapely.linestrings(
        np.stack([p[["x_up", "y_up"]].to_numpy(float), p[["x_down", "y_down"]].to_numpy(float)], axis=1)
    )
    frame = gpd.GeoDataFrame(
        {
            "link_id": ids,
            "compound_ids": _through(down, own, names),
            "from_node": point,
            "to_node": to,
            **{k: p[k].to_numpy(float) for k in ("length_m", "diameter_mm", "slope")},
            **{
                k: p[k].to_numpy(float) + missing
                for k in ("ground_up_m", "ground_down_m", "invert_up_m", "invert_down_m")
            },
            **{k: p[k].to_numpy(float) for k in ("depth_up_m", "depth_down_m", "flow_lps")},
            "pump": p["pump"].to_numpy(bool),
            "cost_low": total * prices.low / spread,
            "cost": total,
            "cost_high": total * prices.high * spread,
            "corridor": np.where(street >= 0, _street_names(layers.get("streets"), street), c.kind[edge]),
            "households": p["households"].to_numpy(float),
            "downstream_link_id": pd.Series(ids[np.maximum(down, 0)]).where(down >= 0),
            "street": pd.Series(_street_names(layers.get("streets"), street)).where(street >= 0),
            "surface": site.surface[edge],
            # a corridor of several pipes is crossed once
            "crossings": np.where(pd.Series(edge).duplicated(), 0.0, c.crossings[edge].sum(axis=1)),
            "pressure": p["pressure"].to_numpy(bool),
            **{k: p[k].to_numpy(float) for k in ("lift_m", "fill", "velocity_ms", "drop_m")},
            "cost_pipe": p["cost_pipe"].to_numpy(float),
            "cost_manhole": p["cost_manhole"].to_numpy(float) + cost_well,
            "cost_pump": p["cost_pump"].to_numpy(float),
            "cost_surface": p["cost_fixed"].to_numpy(float),
            "cost_drop": p["cost_drop"].to_numpy(float),
            "ground_known": sure,
            "target_known": target_known,
            "own_compounds": np.where(own >= 0, names[np.maximum(own, 0)], ""),
            "own_households": np.where(own >= 0, site.households[np.maximum(own, 0)], 0.0),
            "new_manhole": pd.Series(_wells(target, well)),
            "new_manhole_depth_m": np.where(well, site.targets.well_m[into], np.nan) if len(site.targets) else np.nan,
            "cost_new_manhole": cost_well,
            "target_spare_lps": np.where(target >= 0, spare[into], np.nan) if len(site.targets) else np.nan,
        },
        geometry=lines,
        crs=crs,
    )
    texts = ["link_id", "compound_ids", "from_node", "to_node", "corridor", "street", "surface", "downstream_link_id"]
    return frame.astype(dict.fromkeys([*texts, "own_compounds", "new_manhole"], "str"))


def _wells(target: Array, well: Array) -> Array:
    """Return the names of the manholes to be built on existing pipes, None elsewhere; links that meet there share one."""
    out = np.full(len(target), None, dtype=object)
    _, number = np.unique(target[well], return_inverse=True)
    out[well] = [f"NEW-M{n + 1:03d}" for n in number]
    return out


def _nodes(p: pd.DataFrame, down: Array, own: Array, names: Array) -> Array:
    """Return the name of the node at the upper end of each pipe: a compound's id, or a new manhole."""
    at = p["node_up"].to_numpy(np.int64)
    key = np.where(at >= 0, at, -1 - np.arange(len(p)))  # pieces of one corridor have nodes of their own
    _, number = np.unique(key, return_inverse=True)
    order = np.full(number.max() + 1, len(p))
    np.minimum.at(order, number, np.arange(len(p)))
    rank = np.argsort(np.argsort(order))[number]
    fresh = np.array([f"NEW-{r + 1:04d}" for r in rank], dtype=object)
    return np.asarray(np.where(own >= 0, names[np.maximum(own, 0)], fresh))


def _through(down: Array, own: Array, names: Array) -> list[str]:
    """Return the compounds whose sewage runs through each pipe, joined by ``;``, sorted."""
    sets: list[list[str]] = [[] for _ in down]
    waiting = np.bincount(down[down >= 0], minlength=len(down))
    ready = np.flatnonzero(waiting == 0).tolist()
    for i in ready:
        if own[i] >= 0:
            sets[i].append(str(names[own[i]]))
        if (d := int(down[i])) >= 0:
            sets[d].extend(sets[i])
            waiting[d] -= 1
            if waiting[d] == 0:
                ready.append(d)
    return [";".join(sorted(s)) for s in sets]


def _street_names(streets: Any, row: Array) -> Array:
    if streets is None or not len(streets):
        return np.full(len(row), "street", dtype=object)
    column = "street_id" if "street_id" in streets else None
    words = (
        streets[column].astype(str).to_numpy(object) if column else np.arange(len(streets)).astype(str).astype(object)
    )
    return np.asarray(words[np.maximum(row, 0)])


def below(frame: Any) -> Array:
    """Return the row of the link below each link, -1 at the network."""
    row = pd.Series(np.arange(len(frame)), index=frame["link_id"])
    return np.asarray(frame["downstream_link_id"].map(row).fillna(-1).to_numpy(), np.int64)


def refusals(refused: list[tuple[str, str]], standard: Standard) -> pd.DataFrame:
    """Return one row per refused compound: ``compound_id reason zh en``; ``refused`` holds ids and kinds of `REASONS`."""
    figures = {"far": FARTHEST_M, "deepest": standard.max_depth_m, "largest": max(standard.allowed_mm)}
    rows = [(str(name), kind, *REASONS[kind].format(**figures)) for name, kind in refused]
    frame = pd.DataFrame(rows, columns=["compound_id", "reason", "zh", "en"])
    return frame.sort_values("compound_id", ignore_index=True)


def summary(frame: Any, refused: pd.DataFrame, unserved: int, bound: float, gap: float) -> dict[str, Any]:
    """Return the plain figures of the command line."""
    now = frame[frame["stage"] == 1]
    return {
        "unserved": unserved,
        "linked": unserved - len(refused),
        "refused": len(refused),
        "pipes": len(frame),
        "length_m": round(float(frame["length_m"].sum()), 1),
        "pumps": int(frame["pump"].sum()),
        "households": round(float(frame["own_households"].sum())),
        "cost_low": round(float(frame["cost_low"].sum()), 2),
        "cost": round(float(frame["cost"].sum()), 2),
        "cost_high": round(float(frame["cost_high"].sum()), 2),
        "lower_bound": round(float(bound), 2),
        "gap_pct": round(float(gap), 3) if np.isfinite(gap) else None,
        "stages": int(frame["stage"].max()) if len(frame) else 0,
        "cost_stage_1": round(float(now["cost"].sum()), 2),
        "households_stage_1": round(float(now["own_households"].sum())),
    }
