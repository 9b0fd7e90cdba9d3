"""This module takes links that a planner drew by hand: from which compound to which sewer each one leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from mapapp.core.text import Text
from mapapp.plan.targets import Targets

Array = np.ndarray[Any, Any]

NEAR_M = 30.0
"""A drawn end this near to a compound or a served sewer means it."""
PREFER_M = 10.0
"""A manhole is meant rather than the middle of a pipe when it is at most so much farther."""

FAULTS = {
    "no_line": Text("手绘线无法使用：须为至少两点的折线。", "The drawing is no line of two points or more."),
    "no_compound": Text(
        "手绘线两端 {near:g} 米内没有待接入的小区。",
        "Neither end of the drawn line lies within {near:g} m of a compound that waits for a link.",
    ),
    "unknown_compound": Text("手绘线所指小区 {id} 不需要接入或不存在。", "The drawing names {id}, which needs no link or does not exist."),
    "far_from_compound": Text("手绘线离所指小区 {far:.0f} 米，应在 {near:g} 米以内。", "The drawn line begins {far:.0f} m from its compound; within {near:g} m is wanted."),
    "no_sewer": Text(
        "手绘线末端 {near:g} 米内没有可接入的污水管或检查井（最近 {far:.0f} 米）。",
        "The drawn line ends at no served sewer: none within {near:g} m (the nearest is {far:.0f} m away).",
    ),
    "twice": Text("该小区画了两条线，只采用第一条。", "The compound has two drawn lines; the first is used."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """Drawn lines that can be used: from row ``row`` of the compounds along ``line`` to row ``target`` of the targets."""

    row: Array
    line: Array
    target: Array


Fault = tuple[str, str, Text]
"""Compound (empty where it is not known), kind, sentence."""


def ends(frame: Any) -> Array:
    """Return the ends of drawn lines as points: places where a link may join a pipe."""
    if frame is None or not len(frame):
        return np.empty(0, object)
    line = _lines(frame)
    line = line[~shapely.is_missing(line)]
    return np.concatenate([shapely.get_point(line, 0), shapely.get_point(line, -1)])


def match(frame: Any, compounds: Any, targets: Targets, *, reach_m: float = NEAR_M) -> tuple[Drawn, list[Fault]]:
    """Return the drawn lines that can be used, and what is wrong with the others.

    Parameters
    ----------
    frame : GeoDataFrame
        Lines in the CRS of the compounds, drawn in either direction; ``compound_id`` where the planner says which.
    compounds : GeoDataFrame
        Those that wait for a link.
    targets : Targets
    reach_m : float
        How far the sewer may lie from the end of the line.

    Notes
    -----
    Ends are put onto the compound's outline and onto the sewer.
    """
    faults: list[Fault] = []
    rows: list[int] = []
    lines: list[Any] = []
    aims: list[int] = []
    if frame is None or not len(frame):
        return Drawn(np.empty(0, np.int64), np.empty(0, object), np.empty(0, np.int64)), faults
    named = frame["compound_id"] if "compound_id" in frame else pd.Series(None, frame.index, dtype=object)
    shape = shapely.force_2d(compounds.geometry.to_numpy()) if len(compounds) else np.empty(0, object)
    ids = compounds["compound_id"].to_numpy(object)
    for line, name in zip(_lines(frame), named.to_numpy(object), strict=True):
        told = str(name) if isinstance(name, str) and name else ""
        if line is None:
            faults.append((told, "no_line", FAULTS["no_line"]))
            continue
        tips = np.asarray(shapely.points(shapely.get_coordinates(line)[[0, -1]]))
        found = _compound(tips, told, shape, ids)
        if isinstance(found[1], Text):
            faults.append((told, str(found[0]), found[1]))
            continue
        row, turned = int(found[0]), found[1]
        if turned:
            line, tips = shapely.reverse(line), tips[::-1]
        if row in rows:
            faults.append((str(ids[row]), "twice", FAULTS["twice"]))
            continue
        far = shapely.distance(targets.point, tips[1]) if len(targets) else np.array([np.inf])
        wish = np.where(targets.between, far + PREFER_M, far) if len(targets) else far
        aim = int(np.argmin(wish))
        if not len(targets) or far.min() > reach_m:
            text = FAULTS["no_sewer"].format(near=NEAR_M, far=far.min() if np.isfinite(far.min()) else np.nan)
            faults.append((str(ids[row]), "no_sewer", text))
            continue
        aim = aim if far[aim] <= reach_m else int(np.argmin(far))
        xy = shapely.get_coordinates(line)
        xy[0] = shapely.get_coordinates(shapely.shortest_line(shape[row], tips[0]))[0]
        xy[-1] = shapely.get_coordinates(targets.point[aim])[0]
        rows.append(row)
        lines.append(shapely.linestrings(xy))
        aims.append(aim)
    made = np.empty(len(lines), object)
    made[:] = lines
    return Drawn(np.array(rows, np.int64), made, np.array(aims, np.int64)), faults


def _lines(frame: Any) -> Array:
    """Return one line per row, None where there is none."""
    shape = shapely.line_merge(shapely.force_2d(frame.geometry.to_numpy()))
    good = (shapely.get_type_id(shape) == 1) & ~shapely.is_empty(shape) & (shapely.length(shape) > 0)
    out = np.full(len(shape), None, dtype=object)
    good[good] = np.isfinite(shapely.bounds(shape[good])).all(axis=1)
    out[good] = shapely.remove_repeated_points(shape[good])
    return out


def _compound(tips: Array, told: str, shape: Array, ids: Array) -> tuple[int, bool] | tuple[str, Text]:
    """Return the compound's row and whether the line ends there instead of beginning; or a kind of fault and its sentence."""
    if not len(shape):
        return "no_compound", FAULTS["no_compound"].format(near=NEAR_M)
    far = np.stack([shapely.distance(shape, tip) for tip in tips])
    if told:
        hit = np.flatnonzero(ids == told)
        if not len(hit):
            return "unknown_compound", FAULTS["unknown_compound"].format(id=told)
        row = int(hit[0])
        if far[:, row].min() > NEAR_M:
            return "far_from_compound", FAULTS["far_from_compound"].format(far=float(far[:, row].min()), near=NEAR_M)
        return row, bool(far[1, row] < far[0, row])
    tip, nearest = divmod(int(np.argmin(far)), far.shape[1])
    if far[tip, nearest] > NEAR_M:
        return "no_compound", FAULTS["no_compound"].format(near=NEAR_M)
    return nearest, tip == 1
