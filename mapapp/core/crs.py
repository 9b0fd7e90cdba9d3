"""This module knows coordinate systems: the metric working CRS of a county, Chinese zones, axis order.

Coordinates in our tables are always (easting, northing) or (longitude, latitude), whatever the axis order of the CRS:
pyproj reports EPSG 4491-4554 as (X north, Y east), and survey tables are written that way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from mapapp.core.errors import InputError
from mapapp.core.text import Text

WGS84 = CRS.from_epsg(4326)
CHINA = (73.0, 3.0, 136.0, 54.0)
"""West, south, east, north of the box in which Chinese zones are proposed and datum shifts are possible."""

_NORTHING = (2.0e6, 6.2e6)
_EASTING = (3.3e5, 6.7e5)
_EASTING_6_DEGREE = (1.3e7, 2.4e7)
_EASTING_3_DEGREE = (2.5e7, 4.6e7)
_LEGACY_DATUMS = ("beijing", "xian", "xi'an")

Floats = NDArray[np.float64]


def parse(value: Any) -> CRS:
    """Return the two-dimensional CRS that ``value`` names (``EPSG:4544``, WKT, an int, a CRS).

    Raises
    ------
    InputError
        When PROJ does not know it.
    """
    try:
        return flat(CRS.from_user_input(value))
    except CRSError as error:
        raise InputError(
            Text(f"不认识坐标系“{value}”。", f"{value!r} is not a coordinate system that we know."),
            Text("请写成 EPSG:4544 这样的代码。", "Write a code such as EPSG:4544."),
        ) from error


def flat(crs: CRS) -> CRS:
    """Return ``crs`` without its height: the horizontal part of a compound CRS, the 2-D twin of a 3-D one."""
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    return crs.to_2d() if len(crs.axis_info) > 2 else crs


def is_metric(crs: CRS) -> bool:
    """Whether lengths in ``crs`` are metres: projected, with metre axes."""
    return crs.is_projected and all(a.unit_name in ("metre", "meter", "m") for a in crs.axis_info)


def is_legacy(crs: CRS) -> bool:
    """Whether ``crs`` stands on Beijing 1954 or Xian 1980, from which PROJ has only a path of unknown accuracy."""
    names = f"{crs.name} {crs.datum.name if crs.datum else ''} {crs.geodetic_crs.name if crs.geodetic_crs else ''}"
    return any(word in names.lower() for word in _LEGACY_DATUMS)


def label(crs: CRS) -> str:
    """Return ``EPSG:4544`` where there is a code, else the CRS's name."""
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else crs.name


def in_china(lon: Floats | float, lat: Floats | float) -> NDArray[np.bool_]:
    """Whether each position lies in the box `CHINA` (which holds parts of the neighbours, too)."""
    west, south, east, north = CHINA
    x, y = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


def metric_crs(lon: float, lat: float) -> CRS:
    """Return the metric CRS proposed for a county at this position.

    Inside China the CGCS2000 3-degree zone named by its central meridian (EPSG 4534-4554), else the UTM zone on WGS 84.
    """
    if not (np.isfinite(lon) and np.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise InputError(
            Text(f"位置（{lon}，{lat}）不是经纬度。", f"The position ({lon}, {lat}) is not longitude and latitude."),
            Text("请用 --crs 指明坐标系。", "Name the coordinate system with --crs."),
        )
    if bool(in_china(lon, lat)):
        meridian = int(np.clip(3 * round(lon / 3), 75, 135))
        return CRS.from_epsg(4534 + (meridian - 75) // 3)
    zone = min(int((lon + 180) // 6) + 1, 60)
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def transform(x: Floats, y: Floats, source: CRS, target: CRS) -> tuple[Floats, Floats]:
    """Carry coordinates from ``source`` to ``target``, (east, north) or (lon, lat) in both; out of range gives inf."""
    if source == target:
        return x, y
    try:
        out = _transformer(source.to_wkt(), target.to_wkt()).transform(x, y)
    except ProjError as error:
        raise InputError(
            Text(f"坐标系“{source.name}”无法换算。", f"There is no way to convert from {source.name!r}."),
            Text("请用 --crs 指明 EPSG 代码。", "Name an EPSG code with --crs."),
        ) from error
    return np.asarray(out[0], dtype=float), np.asarray(out[1], dtype=float)


def to_crs(geometry: NDArray[np.object_], source: CRS, target: CRS) -> NDArray[np.object_]:
    """Carry an array of geometries (missing ones stay missing) from ``source`` to ``target`` in one go."""
    if source == target:
        return geometry
    xy = shapely.get_coordinates(geometry)
    if not len(xy):
        return geometry
    x, y = transform(xy[:, 0], xy[:, 1], source, target)
    moved: NDArray[np.object_] = shapely.set_coordinates(geometry.copy(), np.column_stack([x, y]))
    return moved


Axis = Literal["lonlat", "metric", "zone3", "zone6", "unknown"]


@dataclass(frozen=True, slots=True)
class Magnitude:
    """What the size of two columns of numbers says about them.

    Attributes
    ----------
    kind : str
        ``lonlat``, ``metric`` (no zone prefix), ``zone3`` or ``zone6`` (prefix in the easting), ``unknown``.
    swapped : bool
        Whether the first column is the northing (or latitude).
    zone : int or None
        The prefix: 25-45 for 3-degree, 13-23 for 6-degree zones.
    """

    kind: Axis
    swapped: bool = False
    zone: int | None = None


def magnitude(first: Floats, second: Floats) -> Magnitude:
    """Tell northing from easting by size (domain notes 2.2; the ranges do not overlap).

    Northing 2.0e6-6.2e6; easting 3.3e5-6.7e5 without prefix, 1.3e7-2.4e7 with that of a 6-degree zone, 2.5e7-4.6e7
    with that of a 3-degree zone; 73-136 with 3-54 is longitude and latitude. Missing numbers are ignored; with none
    left, or when any number is out of range, the answer is ``unknown``.
    """
    for swapped, (e, n) in ((False, (first, second)), (True, (second, first))):
        east, north = e[np.isfinite(e)], n[np.isfinite(n)]
        if not len(east) or not len(north):
            return Magnitude("unknown")
        if _within(east, CHINA[0], CHINA[2]) and _within(north, CHINA[1], CHINA[3]):
            return Magnitude("lonlat", swapped)
        if not _within(north, *_NORTHING):
            continue
        if _within(east, *_EASTING):
            return Magnitude("metric", swapped)
        for kind, limits in (("zone3", _EASTING_3_DEGREE), ("zone6", _EASTING_6_DEGREE)):
            if _within(east, *limits):
                zones = np.unique((east // 1e6).astype(int))
                return Magnitude(kind, swapped, int(zones[0]) if len(zones) == 1 else None)  # type: ignore[arg-type]  # the two literals above
    if _within(first, -180, 180) and _within(second, -90, 90):
        return Magnitude("lonlat")
    return Magnitude("unknown")


def _within(values: Floats, low: float, high: float) -> bool:
    finite = values[np.isfinite(values)]
    return bool(len(finite)) and bool(finite.min() >= low) and bool(finite.max() <= high)


def candidates(size: Magnitude, county: CRS | None = None) -> tuple[str, ...]:
    """Return the codes that fit a `Magnitude`, best first, as answers to "which coordinate system?".

    A zone prefix names the zone but not the datum: CGCS2000 comes first, then Xian 1980 and Beijing 1954. Without
    prefix the county's own CRS comes first, then the meridians from the middle of the country outwards.
    """
    if size.kind == "lonlat":
        return ("EPSG:4490", "EPSG:4326", "EPSG:4610", "EPSG:4214")
    if size.kind == "zone3" and size.zone and 25 <= size.zone <= 45:
        k = size.zone - 25
        return tuple(f"EPSG:{base + k}" for base in (4513, 2349, 2401))
    if size.kind == "zone6" and size.zone and 13 <= size.zone <= 23:
        k = size.zone - 13
        return tuple(f"EPSG:{base + k}" for base in (4491, 2327, 21413))
    own = (label(county),) if county is not None else ()
    if size.kind == "metric":
        middle = sorted(range(4534, 4555), key=lambda code: abs(code - 4546))
        return own + tuple(c for c in (f"EPSG:{code}" for code in middle) if c not in own)
    return own
