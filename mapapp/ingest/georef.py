"""This module decides where foreign coordinates lie: CRS, datum, axis order, zone prefix; and carries them home."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod

from mapapp.core import crs as crs_
from mapapp.core.crs import Floats, Magnitude
from mapapp.core.errors import InputError, QuestionError
from mapapp.core.text import Text
from mapapp.ingest.datum import UNDO
from mapapp.ingest.result import Raw

DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")
_PROBES = 5000
_OF_DATUM = {"wgs84": 4326, "cgcs2000": 4490, "gcj02": 4326, "bd09": 4326}


def place(
    raw: Raw, *, crs: Any = None, datum: str | None = None, county: CRS | None = None
) -> tuple[NDArray[np.object_], CRS, CRS, CRS]:
    """Carry the geometry of ``raw`` into the county's metric CRS.

    Parameters
    ----------
    crs, datum : optional
        What the user says; they outrank what the file says.
    county : pyproj.CRS, optional
        The county's CRS; without it the proposed one is used.

    Returns
    -------
    geometry, crs, source_crs, proposed_crs

    Raises
    ------
    QuestionError
        When nobody says which CRS the coordinates are in; its choices are those that fit their size. Also for a KML
        in China: the format says WGS 84, but phone maps there write GCJ-02 into it.
    InputError
        When the coordinates cannot be in the CRS that is named.
    """
    assert raw.geometry is not None
    if datum is not None and datum not in DATUMS:
        raise InputError(
            Text(f"不认识的 datum“{datum}”。", f"{datum!r} is not a datum that we know."),
            Text(f"可用：{'、'.join(DATUMS)}。", f"Use one of {', '.join(DATUMS)}."),
        )
    xy = shapely.get_coordinates(raw.geometry)
    first, second = xy[:, 0], xy[:, 1]
    size = crs_.magnitude(first, second)
    source = _source(raw, size, crs, datum, county)
    x, y = _axes(raw, first, second, size, source)
    x, y = _prefix(raw, x, y, source)
    probe = _probe(x, y)
    lon, lat = crs_.transform(x[probe], y[probe], source, crs_.WGS84)
    _in_range(raw, lon, lat, source)
    centre = float(np.median(lon)), float(np.median(lat))
    if datum in UNDO:
        x, y = UNDO[datum](*crs_.transform(x, y, source, crs_.WGS84))
        source = crs_.WGS84
        name = {"gcj02": "GCJ-02", "bd09": "BD-09"}[datum]
        raw.notes.info(f"已消除 {name} 偏移。", f"The {name} offset was undone.", raw.place)
    elif raw.kind == "kml" and datum is None and crs is None and bool(crs_.in_china(*centre)):
        raise _which_datum(raw, *centre)
    if crs_.is_legacy(source):
        raw.notes.warn(
            f"坐标系 {crs_.label(source)}（{source.name}）到 CGCS2000 "
            "没有公开的精确参数，换算精度没有保证，可能差几十米甚至上百米。",
            f"From {crs_.label(source)} ({source.name}) to CGCS2000 there are no public parameters; the accuracy is "
            "unknown, positions may be tens of metres or more than a hundred metres off.",
            raw.place,
        )
    proposed = crs_.metric_crs(*centre)
    target = county or proposed
    moved_x, moved_y = crs_.transform(x, y, source, target)
    if not (np.isfinite(moved_x).all() and np.isfinite(moved_y).all()):
        raise _misplaced(raw, source)
    geometry = raw.geometry
    if moved_x is not first or moved_y is not second:  # setting coordinates copies every geometry
        geometry = shapely.set_coordinates(geometry.copy(), np.column_stack([moved_x, moved_y]))
    return geometry, target, source, proposed


def _probe(x: Floats, y: Floats) -> NDArray[np.int64]:
    """Rows that stand for all: the extremes, and some thousands evenly between."""
    ends = [int(np.argmin(x)), int(np.argmax(x)), int(np.argmin(y)), int(np.argmax(y))] if len(x) else []
    return np.unique(np.array([*ends, *np.linspace(0, len(x) - 1, min(len(x), _PROBES)).astype(int)], dtype=np.int64))


def _source(raw: Raw, size: Magnitude, crs: Any, datum: str | None, county: CRS | None) -> CRS:
    if crs is not None:
        given = crs_.parse(crs)
        if raw.crs is not None and crs_.flat(raw.crs) != given:
            raw.notes.warn(
                f"文件声明 {crs_.label(raw.crs)}，按您指定的 {crs_.label(given)} 读取。",
                f"The file declares {crs_.label(raw.crs)}; read as {crs_.label(given)}, as you said.",
                raw.place,
            )
        return given
    if raw.crs is not None:
        declared = crs_.flat(raw.crs)
        if not (declared.is_geographic and size.kind != "lonlat"):
            return declared
        saw = Text(
            f"文件声明经纬度（{crs_.label(declared)}），但坐标不是经纬度。",
            f"The file declares degrees ({crs_.label(declared)}), but its coordinates are not longitude and latitude.",
        )
    elif datum is not None and size.kind == "lonlat":
        return CRS.from_epsg(_OF_DATUM[datum])
    else:
        saw = Text("文件没有坐标系，长度无从算起。", "The file has no coordinate system; lengths need one.")
    choices = crs_.candidates(size, county)
    if size.kind == "lonlat" and raw.geometry is not None:
        xy = shapely.get_coordinates(raw.geometry)[0]
        if not bool(crs_.in_china(*xy)) and not size.swapped:
            choices = ("EPSG:4326",)
    some = choices[:4]
    hint_zh = f"，可能是 {'、'.join(some)}" if some else ""
    hint_en = f"; it may be {', '.join(some)}" if some else ""
    raise QuestionError(
        saw,
        Text(f"请用 --crs 指明{hint_zh}。", f"Name it with --crs{hint_en}."),
        option="crs",
        choices=choices,
        where=raw.place,
    )


def _which_datum(raw: Raw, lon: float, lat: float) -> QuestionError:
    """Ask for the datum of a KML, and say how far apart the answers are at its place."""
    there = [np.array([value]) for value in (lon, lat)]
    shifts = []
    for name in ("gcj02", "bd09"):
        x, y = UNDO[name](*there)
        shifts.append(round(float(Geod(ellps="WGS84").inv(lon, lat, x[0], y[0])[2])))
    near, far = shifts
    return QuestionError(
        Text(
            f"KML 不说明坐标是否加偏：此处（{lon:.4f}，{lat:.4f}）若是 GCJ-02 相差 {near} 米，若是 BD-09 相差 {far} 米。",
            f"A KML does not say whether it is shifted: here ({lon:.4f}, {lat:.4f}) GCJ-02 would be {near} m off, "
            f"BD-09 {far} m.",
        ),
        Text(
            "请用 --datum 指明：wgs84（GPS、Google Earth）、gcj02（奥维、高德、腾讯等手机地图）或 bd09（百度）。",
            "Name it with --datum: wgs84 (GPS, Google Earth), gcj02 (phone maps: Ovital, Gaode, Tencent) or bd09 (Baidu).",
        ),
        option="datum",
        choices=("wgs84", "gcj02", "bd09"),
        where=raw.place,
    )


def _axes(raw: Raw, x: Floats, y: Floats, size: Magnitude, source: CRS) -> tuple[Floats, Floats]:
    """Swap coordinates that were written northing first (X = north, as survey tables have it)."""
    north_first = size.swapped and (source.is_projected or bool((np.abs(y) > 90).any()))
    if not north_first:
        return x, y
    raw.notes.info(
        "坐标按“X 为北、Y 为东”（测量习惯）书写，已识别并对调。",
        "The coordinates are written northing first (X = north, the surveyors' habit); recognised and swapped.",
        raw.place,
    )
    return y, x


def _false_easting(crs: CRS) -> tuple[float, float] | None:
    """Return (false easting in m, central meridian in degrees) of a transverse Mercator CRS, else None."""
    operation = crs.coordinate_operation
    if operation is None or "Transverse Mercator" not in operation.method_name:
        return None
    values = {p.name: p.value for p in operation.params}
    return float(values.get("False easting", 0.0)), float(values.get("Longitude of natural origin", 0.0))


def _prefix(raw: Raw, x: Floats, y: Floats, source: CRS) -> tuple[Floats, Floats]:
    """Add or take the zone prefix of the easting where the CRS has it otherwise than the coordinates.

    Raises
    ------
    InputError
        When the prefix names another zone than the CRS.
    """
    known = _false_easting(source) if source.is_projected else None
    if known is None:
        return x, y
    false_easting, meridian = known
    zone_of_crs = int(false_easting // 1e6)
    size = crs_.magnitude(x, y)
    if size.kind == "metric" and zone_of_crs:
        raw.notes.info(
            f"东坐标没有带号，坐标系 {crs_.label(source)} 带号为 {zone_of_crs}，已补上。",
            f"The eastings lack the zone prefix {zone_of_crs} of {crs_.label(source)}; it was added.",
            raw.place,
        )
        return x + zone_of_crs * 1e6, y
    if size.kind in ("zone3", "zone6") and size.zone != zone_of_crs:
        middle = None if size.zone is None else (3.0 * size.zone if size.kind == "zone3" else 6.0 * size.zone - 3.0)
        if zone_of_crs or middle is None or abs(middle - meridian) > 1e-6:
            fitting = crs_.candidates(size)
            raise InputError(
                Text(
                    f"东坐标的带号是 {size.zone or '多个'}，与坐标系 {crs_.label(source)} 不符。",
                    f"The eastings carry zone prefix {size.zone or '(several)'},"
                    f" which contradicts {crs_.label(source)}.",
                ),
                Text(
                    f"请改用 {'、'.join(fitting) or '各带分开导入'}。",
                    f"Use {', '.join(fitting) or 'one file per zone'}.",
                ),
                where=raw.place,
            )
        raw.notes.info(
            f"东坐标带有带号 {size.zone}，坐标系 {crs_.label(source)} 不带，已去掉。",
            f"The eastings carry zone prefix {size.zone}, which {crs_.label(source)} has not; it was taken off.",
            raw.place,
        )
        return x - (size.zone or 0) * 1e6, y
    return x, y


def _in_range(raw: Raw, lon: Floats, lat: Floats, source: CRS) -> None:
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()) or (np.abs(lat) > 90).any():
        raise _misplaced(raw, source)
    area = source.area_of_use
    if area is None or not source.is_projected:
        return
    centre_lon, centre_lat = float(np.median(lon)), float(np.median(lat))
    if not (area.west - 3 <= centre_lon <= area.east + 3 and area.south - 3 <= centre_lat <= area.north + 3):
        raw.notes.warn(
            f"按 {crs_.label(source)} 计算，位置在东经 {centre_lon:.2f}°、"
            f"北纬 {centre_lat:.2f}°，超出该坐标系的适用范围，请核对。",
            f"In {crs_.label(source)} this lies at {centre_lon:.2f},"
            f" {centre_lat:.2f} degrees, outside of its area of use; "
            "please check.",
            raw.place,
        )


def _misplaced(raw: Raw, source: CRS) -> InputError:
    return InputError(
        Text(f"坐标不可能属于坐标系 {crs_.label(source)}。", f"The coordinates cannot be in {crs_.label(source)}."),
        Text("请核对坐标系（--crs）。", "Check the coordinate system (--crs)."),
        where=raw.place,
    )
