"""This module turns tables into plain values, ready for JSON, pages and papers."""

from __future__ import annotations

import math
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from mapapp.core import disclosure

Json = dict[str, Any]


def records(frame: pd.DataFrame) -> list[Json]:
    """Return rows as JSON values: missing and non-finite numbers are None, whole numbers are whole."""
    columns = {str(name): [_plain(v) for v in frame[name].tolist()] for name in frame.columns if name != "geometry"}
    return (
        [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        if columns
        else [{} for _ in range(len(frame))]
    )


def _plain(value: object) -> object:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return None if not math.isfinite(number) else int(number) if number.is_integer() else round(number, 6)
    return str(value)


def lonlat(frame: pd.DataFrame) -> list[list[float] | None]:
    """Return a point inside each row's geometry as ``[lon, lat]`` in EPSG:4326; None where there is none."""
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None:
        return [None] * len(frame)
    points = np.asarray(disclosure.as_points(frame).geometry.to_crs(4326).values, dtype=object)
    x, y = shapely.get_x(points), shapely.get_y(points)
    return [
        [round(a, 6), round(b, 6)] if math.isfinite(a) and math.isfinite(b) else None for a, b in zip(x, y, strict=True)
    ]
