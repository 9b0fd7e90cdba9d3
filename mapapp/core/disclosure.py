"""This module takes exactness out of tables before strangers see them: rounded, coarse, without phones.

Sources: positions in publicly shown maps are kept to about 100 m, three decimals of a degree (the planners' guide,
section 4); personal data never leaves the office (PIPL, art. 6: the least that is needed).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

Precision = Literal["full", "coarse", "point", "route", "none"]
"""How exactly a geometry is shown: as it is, rounded to about 100 m, as one symbol inside it, as a planned route that ends
short of the existing sewer, or not at all."""

STEPS: Final[Mapping[str, int]] = {
    "households": 10,
    "population": 50,
    "buildings": 2,
    "floor_area_m2": 500,
    "invest_total_wan": 50,
}
"""Figures that a public link shows rounded, and to what; a single building or stairwell cannot be told from it."""

GRID_DEG: Final = 0.001
SHORT_M: Final = 10.0
"""A shared route keeps so far from the existing manhole or pipe that it joins; a shorter one shows its upper half."""
_SIMPLIFY_M: Final = 30.0
# Mobile and landline numbers, 18- and 15-digit identity numbers, wherever they stand in a text.
_PERSONAL: Final = (
    r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)|(?<!\d)0\d{2,3}[- ]\d{7,8}(?!\d)"
    r"|(?<!\d)\d{17}[\dXx](?!\d)|(?<!\d)[1-9]\d{5}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?!\d)"
)
HIDDEN: Final = "***"
PERSONAL_WORDS: Final = (
    "姓名", "户主", "业主", "联系人", "联系方式", "电话", "手机", "身份证", "楼长", "单元长", "负责人", "照片", "备注",
    "phone", "mobile", "contact", "person", "owner_name", "id_card", "email", "photo", "leader",
)  # fmt: skip
"""A column that a file brought along and that sounds like one of these is treated as personal."""


def sounds_personal(column: str) -> bool:
    """Whether an undeclared column's name suggests data about a person.

    Examples
    --------
    >>> sounds_personal("户主姓名"), sounds_personal("Contact_Phone"), sounds_personal("管径")
    (True, True, False)
    """
    lowered = column.lower()
    return any(word in lowered for word in PERSONAL_WORDS)


def redact(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with phone and identity numbers in its text columns replaced by `HIDDEN`.

    Key columns with long digit strings are texts too; give only the columns that are free text. Missing stays missing.
    """
    out = frame.copy(deep=False)
    for name in frame.columns:
        if pd.api.types.is_string_dtype(frame[name].dtype) and name != "geometry":
            column = frame[name].astype("str")
            hit = column.str.contains(_PERSONAL, regex=True, na=False)
            if bool(hit.any()):
                out[name] = column.where(~hit, column.str.replace(_PERSONAL, HIDDEN, regex=True))
    return out


def round_figures(frame: pd.DataFrame, steps: Mapping[str, int] = STEPS) -> pd.DataFrame:
    """Return the table with each named figure rounded to its step, half to even.

    A figure above zero never becomes zero (it becomes one step), so that something is not shown as nothing. Missing
    stays missing.
    """
    out = frame.copy(deep=False)
    for name, step in steps.items():
        if name in frame.columns:
            exact = pd.to_numeric(frame[name], errors="coerce").astype("float64")
            rounded = (exact / step).round() * step
            out[name] = rounded.mask((exact > 0) & (rounded == 0), float(step))
    return out


def coarsen(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the outlines simplified and rounded to three decimals of a degree (about 100 m), in the frame's own CRS.

    An outline of less than four cells of that grid becomes the cell that its middle lies in; a point moves to the
    nearest grid point. Empty and missing geometries stay as they are. Attributes are untouched.
    """
    if frame.crs is None or not len(frame):
        return frame.copy()
    geographic = frame.geometry.simplify(_SIMPLIFY_M).to_crs(4326)
    shapes = np.asarray(geographic.values, dtype=object)
    exact = np.asarray(frame.geometry.to_crs(4326).values, dtype=object)
    present = ~(shapely.is_missing(exact) | shapely.is_empty(exact))
    rounded = np.full(len(frame), None, dtype=object)
    rounded[present] = shapely.set_precision(shapely.make_valid(shapes[present]), GRID_DEG)
    areal = present & np.isin(shapely.get_type_id(exact), (3, 6))
    # below four cells what rounding leaves is a triangle or a line that says nothing true of the shape
    gone = areal & ((shapely.area(rounded) < 4 * GRID_DEG**2) | ~np.isin(shapely.get_type_id(rounded), (3, 6)))
    rounded[gone] = _cells(exact[gone])
    lost = present & ~gone & shapely.is_empty(rounded)
    rounded[lost] = _grid_points(exact[lost])
    # transform() leaves full floats behind; the grid is exact again to a millimetre, which tells nothing more
    coarse = gpd.GeoSeries(rounded, index=frame.index, crs=4326).to_crs(frame.crs)
    return frame.set_geometry(coarse.rename(frame.geometry.name))


def _cells(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return the grid cell around the middle of each shape."""
    middle = shapely.centroid(shapes)
    west = np.floor(shapely.get_x(middle) / GRID_DEG) * GRID_DEG
    south = np.floor(shapely.get_y(middle) / GRID_DEG) * GRID_DEG
    boxes = shapely.box(west, south, west + GRID_DEG, south + GRID_DEG)
    return np.asarray(shapely.transform(boxes, lambda xy: np.round(xy, 3)), dtype=object)


def _grid_points(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    middle = shapely.centroid(shapes)
    return np.asarray(
        shapely.points(np.round(shapely.get_x(middle), 3), np.round(shapely.get_y(middle), 3)), dtype=object
    )


def as_points(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return each geometry replaced by one point inside it: a symbol, no line, no outline. Missing stays missing."""
    points = frame.geometry.representative_point()
    return frame.set_geometry(points.rename(frame.geometry.name))


def as_routes(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return planned links with nothing within `SHORT_M` of where they join an existing sewer, whose place is not shown.

    They join one where a ``to_node`` is no link's ``from_node``; where either column is absent, at every end. A line that
    lies within that distance whole has no geometry then, but its upper half where it is all there is of a link.
    """
    line = np.asarray(frame.geometry.values, dtype=object)
    last = first = np.ones(len(frame), bool)
    if {"from_node", "to_node"} <= set(frame.columns):
        last = ~frame["to_node"].isin(set(frame["from_node"].dropna())).to_numpy(bool)
        first = ~frame["from_node"].isin(set(frame["to_node"].dropna())).to_numpy(bool)
    end = shapely.get_point(line, -1)
    routes = shapely.difference(line, shapely.union_all(shapely.buffer(end[last], SHORT_M)))
    upper = shapely.difference(line, shapely.buffer(end, shapely.length(line) / 2))
    routes = np.where(shapely.is_empty(routes) & first & last, upper, routes)
    routes[shapely.is_empty(routes)] = None
    return frame.set_geometry(gpd.GeoSeries(routes, index=frame.index, crs=frame.crs).rename(frame.geometry.name))


def show(frame: gpd.GeoDataFrame, precision: Precision) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return the table with its geometry as exact as ``precision`` allows; ``none`` drops the column."""
    if precision == "none":
        return pd.DataFrame(frame.drop(columns=frame.geometry.name))
    if precision == "coarse":
        return coarsen(frame)
    if precision == "point":
        return as_points(frame)
    if precision == "route":
        return as_routes(frame)
    return frame.copy(deep=False)
