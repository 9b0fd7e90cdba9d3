"""This module builds geometry from the columns of a table: WKT, or a pair of coordinates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from mapapp.core.crs import Floats
from mapapp.core.errors import InputError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.ingest import long
from mapapp.ingest.columns import normalise
from mapapp.ingest.result import Raw
from mapapp.ingest.values import read_number
from mapapp.ingest.words import is_blank, plain

_WKT = ("wkt", "geometry", "geom", "thegeom", "几何", "空间数据", "图形", "shape")
# easting or longitude first, unless the names are X and Y, whose size decides
_AXES = (
    (("经度", "lon", "lng", "longitude", "long"), ("纬度", "lat", "latitude")),
    (("东坐标", "easting", "横坐标", "yeast", "east"), ("北坐标", "northing", "纵坐标", "xnorth", "north")),
    (
        ("x坐标", "x", "xcoor", "坐标x", "pointx", "xcoord", "中心点x"),
        ("y坐标", "y", "ycoor", "坐标y", "pointy", "ycoord", "中心点y"),
    ),
)


def coordinate_columns(headers: list[str]) -> tuple[str, ...]:
    """Return the WKT column, or the pair of coordinate columns; nothing when there are none."""
    by_key = _by_key(headers)
    if found := next((by_key[key] for key in _WKT if key in by_key), None):
        return (found,)
    return _pair(by_key)


def _by_key(headers: list[str]) -> dict[str, str]:
    by_key: dict[str, str] = {}
    for header in headers:
        for key in (normalise(header), normalise(header.split(" › ")[-1])):
            by_key.setdefault(key, header)
    return by_key


def _pair(by_key: dict[str, str]) -> tuple[str, ...]:
    for firsts, seconds in _AXES:
        first, second = (next((by_key[n] for n in names if n in by_key), None) for names in (firsts, seconds))
        if first is not None and second is not None:
            return first, second
    return ()


def geometry_from_columns(raw: Raw, layer: Layer, *, required: bool) -> tuple[Raw, tuple[str, ...]]:
    """Return the table with geometry from its own columns, and the columns that were used.

    Rows without coordinates keep missing geometry. For a pair named X and Y the numbers are taken as they stand;
    `mapapp.ingest.georef` tells northing from easting by size.

    Raises
    ------
    InputError
        When ``required`` and there are no coordinate columns; when a cell holds no coordinate or no WKT.
    """
    by_key = _by_key([str(c) for c in raw.frame.columns])
    written = (by_key[key] for key in _WKT if key in by_key)  # 断面形式 may be called shape as well
    wkt = next((column for column in written if _looks_like_wkt(raw, column)), None)
    used = (wkt,) if wkt is not None else _pair(by_key)
    if not used:
        if not required:
            raw.notes.warn(
                "表里没有坐标列，记录暂无位置，不会出现在地图上。",
                "The table has no coordinates; its records have no place and will not show on the map.",
                raw.place,
            )
            return raw, ()
        raise InputError(
            Text(
                f"表里没有坐标（{'、'.join(map(str, raw.frame.columns[:12]))}）。",
                f"The table has no coordinates (columns: {', '.join(map(str, raw.frame.columns[:12]))}).",
            ),
            Text(
                "需要 X、Y 两列，经度、纬度两列，或 WKT 一列；线表请同时给出点表。",
                "It needs X and Y, longitude and latitude, or WKT; give the point table along with a line table.",
            ),
            where=raw.place,
        )
    if len(used) == 1:
        raw.geometry = _from_wkt(raw, used[0])
    elif "point" not in layer.geometry:
        raise InputError(
            Text(
                f"表里只有点坐标，而图层“{layer.title.zh}”不是点。",
                f"The table holds points; layer {layer.name} needs other shapes.",
            ),
            Text(
                "线表请同时给出点表，或提供 WKT 列。", "Give the point table along with a line table, or a WKT column."
            ),
            where=raw.place,
        )
    else:
        first, second = (numbers(raw, c) for c in used)
        there = np.isfinite(first) & np.isfinite(second)
        shapes = np.full(len(raw.frame), None, dtype=object)
        shapes[there] = shapely.points(first[there], second[there])
        raw.geometry = shapes
    return raw, used


def numbers(raw: Raw, column: str) -> Floats:
    """Return a coordinate column; blanks are NaN.

    Raises
    ------
    InputError
        For a text that is no number, or an infinite one, with its cell.
    """
    if (quick := long.numbers(raw.frame[column])) is not None:
        return quick
    values = raw.frame[column].to_numpy(dtype=object)
    out = np.array([np.nan if pd.isna(v) else _coordinate(v) for v in values], dtype=float)
    text_nan = np.array([isinstance(v, str) and plain(v).casefold() == "nan" for v in values], dtype=bool)
    bad = np.flatnonzero(np.isinf(out) | text_nan)
    if len(bad):
        at = int(bad[0])
        raise InputError(
            Text(f"“{plain(values[at])[:40]}”不是坐标。", f"{plain(values[at])[:40]!r} is not a coordinate."),
            Text("请修正该单元格。", "Mend this cell."),
            where=raw.where(column, at),
        )
    return out


def _coordinate(value: object) -> float:
    number = read_number(value)
    return np.inf if number is None else number


def _looks_like_wkt(raw: Raw, column: str) -> bool:
    values = raw.frame[column].dropna()
    words = ("POINT", "LINESTRING", "POLYGON", "MULTI", "GEOMETRYCOLLECTION", "SRID")
    return any(str(v).strip().upper().startswith(words) for v in values.head(50))


def _from_wkt(raw: Raw, column: str) -> np.ndarray:
    values = raw.frame[column].to_numpy(dtype=object)
    with np.errstate(all="ignore"):  # 1e400 becomes infinite, which is refused with its row later
        shapes = np.asarray(shapely.from_wkt([v if isinstance(v, str) else None for v in values], on_invalid="ignore"))
        rest = np.flatnonzero(shapely.is_missing(shapes))
        words = [plain(v) for v in values[rest]]
        texts = [None if is_blank(w) else w.split(";")[-1] for w in words]  # "SRID=4490;POINT (...)"
        shapes[rest] = shapely.from_wkt(texts, on_invalid="ignore")
    bad = np.flatnonzero(shapely.is_missing(shapes[rest]) & np.array([t is not None for t in texts], dtype=bool))
    if len(bad):
        text, at = texts[int(bad[0])] or "", int(rest[bad[0]])
        raise InputError(
            Text(f"“{text[:40]}”不是 WKT。", f"{text[:40]!r} is not WKT."),
            Text("请修正该单元格。", "Mend this cell."),
            where=raw.where(column, at),
        )
    return shapes
