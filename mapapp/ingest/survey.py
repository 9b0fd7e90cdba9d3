"""This module joins a survey delivery: a point table with coordinates and a line table that names its points."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.ingest.clean import read_text
from mapapp.ingest.columns import match_columns
from mapapp.ingest.points import coordinate_columns, numbers
from mapapp.ingest.result import Raw

_SHOWN = 8


def is_line_table(raw: Raw) -> bool:
    """Whether a table without geometry names a start and an end point in each row."""
    if raw.geometry is not None or len(coordinate_columns([str(c) for c in raw.frame.columns])) == 1:
        return False
    return {"from_node", "to_node"} <= set(_columns(raw, "pipes"))


def pick_points(raw: Raw) -> tuple[str, str, str] | None:
    """Return the columns (number, first ordinate, second ordinate) of a point table; None when it is none."""
    pair = coordinate_columns([str(c) for c in raw.frame.columns])
    node = _columns(raw, "manholes").get("node_id")
    return (node, *pair) if node and len(pair) == 2 else None


def _columns(raw: Raw, layer: str) -> dict[str, str]:
    found, _ = match_columns(raw.frame, schema.layer(layer), None, place=raw.place)
    return {ours: match.theirs for ours, match in found.items()}


def join_lines(lines: Raw, points: Raw) -> Raw:
    """Return the line table with a straight line from its start to its end point in each row.

    A line whose point is not in the point table keeps its attributes without geometry; the points are named in a
    warning, as are point numbers that stand there twice (the first one counts).

    Raises
    ------
    InputError
        When not one line finds both of its points.
    """
    named = pick_points(points)
    assert named is not None
    node, first, second = named
    ids = read_text(points.frame[node], narrow=True)
    x, y = numbers(points, first), numbers(points, second)
    table = pd.DataFrame({"x": x, "y": y}, index=pd.Index(ids))
    twice = table.index.duplicated() & table.index.notna()
    if twice.any():
        some = list(dict.fromkeys(table.index[twice]))[:_SHOWN]
        lines.notes.warn(
            f"点表里有 {int(twice.sum())} 个点号重复（如 {'、'.join(some)}），以第一次出现为准。",
            f"{int(twice.sum())} point numbers stand twice in the "
            f"point table (such as {', '.join(some)}); the first counts.",
            points.place,
        )
    table = table[~twice & table.index.notna() & np.isfinite(table["x"]) & np.isfinite(table["y"])]
    columns = _columns(lines, "pipes")
    starts = read_text(lines.frame[columns["from_node"]], narrow=True)
    ends = read_text(lines.frame[columns["to_node"]], narrow=True)
    a, b = table.index.get_indexer(pd.Index(starts)), table.index.get_indexer(pd.Index(ends))
    there = (a >= 0) & (b >= 0)
    if not there.any():
        raise InputError(
            Text("线表的点号在点表里一个也找不到。", "Not one point of the line table is in the point table."),
            Text("请核对两张表的点号写法。", "Check how the points are numbered in both tables."),
            where=lines.place,
        )
    xy = table.to_numpy()
    geometry = np.full(len(lines.frame), None, dtype=object)
    geometry[there] = shapely.linestrings(np.stack([xy[a[there]], xy[b[there]]], axis=1))
    if not there.all():
        lost = pd.concat([starts[a < 0], ends[b < 0]]).dropna().unique()
        lines.notes.warn(
            f"{int((~there).sum())} 条线的端点不在点表里（"
            f"{'、'.join(lost[:_SHOWN])}{' 等' if len(lost) > _SHOWN else ''}），没有图形。",
            f"{int((~there).sum())} lines name points that are not in the point table ({', '.join(lost[:_SHOWN])}"
            f"{' ...' if len(lost) > _SHOWN else ''}); they have no geometry.",
            lines.place,
        )
    idle = ~table.index.isin(pd.concat([starts, ends]))
    if idle.any():
        lines.notes.info(
            f"点表里有 {int(idle.sum())} 个点没有线使用（如 {'、'.join(table.index[idle][:_SHOWN])}）。",
            f"No line uses {int(idle.sum())} points of the point "
            f"table (such as {', '.join(table.index[idle][:_SHOWN])}).",
            points.place,
        )
    lines.geometry = geometry
    lines.notes.info(
        f"线表（{len(lines.frame)} 条）与点表（{len(points.frame)} 点）已连接。",
        f"The line table ({len(lines.frame)} rows) was joined with the point table ({len(points.frame)} rows).",
        lines.place,
    )
    return lines
