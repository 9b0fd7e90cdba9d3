"""This module undoes the offsets of Chinese web maps: GCJ-02 and BD-09 to WGS 84, and back.

The forward functions follow the formulas that circulate in public since 2013 (Krasovsky ellipsoid a = 6378245 m,
e^2 = 0.00669342162296594323); they are no one's standard. The inverse is found by iteration: the offset changes by
less than 1 in 1,000 over its own length, so each step gains about three digits.
Inside the box `mapapp.core.crs.CHINA` only; positions outside come back as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mapapp.core.crs import Floats, in_china

_A = 6378245.0
_EE = 0.00669342162296594323
_BD = np.pi * 3000.0 / 180.0
_STEPS = 8
"""Far more than needed: two steps reach a centimetre."""


def _wave(value: Floats, *terms: tuple[float, float]) -> Floats:
    total = np.zeros_like(value)
    for weight, divisor in terms:
        total += weight * np.sin(value * np.pi / divisor)
    return total * (2.0 / 3.0)


def _offset(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Offset of GCJ-02 from WGS 84 in degrees."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    short = _wave(x, (20.0, 1.0 / 6.0), (20.0, 0.5))
    d_north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + short
    d_north += _wave(y, (20.0, 1.0), (40.0, 3.0), (160.0, 12.0), (320.0, 30.0))
    d_east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + short
    d_east += _wave(x, (20.0, 1.0), (40.0, 3.0), (150.0, 12.0), (300.0, 30.0))
    phi = np.radians(lat)
    w2 = 1.0 - _EE * np.sin(phi) ** 2
    meridian = _A * (1.0 - _EE) / (w2 * np.sqrt(w2))
    parallel = _A / np.sqrt(w2) * np.cos(phi)
    return np.degrees(d_east / parallel), np.degrees(d_north / meridian)


def wgs84_to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Shift WGS 84 degrees to GCJ-02 degrees, as Gaode and Tencent maps show them."""
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    inside = in_china(lon, lat)
    d_lon, d_lat = _offset(lon, lat)
    return np.where(inside, lon + d_lon, lon), np.where(inside, lat + d_lat, lat)


def gcj02_to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Shift GCJ-02 degrees to BD-09 degrees, as Baidu maps show them."""
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    inside = in_china(lon, lat)
    radius = np.hypot(lon, lat) + 2e-5 * np.sin(lat * _BD)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * _BD)
    x, y = radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006
    return np.where(inside, x, lon), np.where(inside, y, lat)


def wgs84_to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Shift WGS 84 degrees to BD-09 degrees."""
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def gcj02_to_wgs84(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Undo GCJ-02: degrees whose `wgs84_to_gcj02` is the input, to about 1e-9 degrees (0.1 mm)."""
    return _inverse(wgs84_to_gcj02, lon, lat)


def bd09_to_wgs84(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Undo BD-09: degrees whose `wgs84_to_bd09` is the input, to about 1e-9 degrees (0.1 mm)."""
    return _inverse(wgs84_to_bd09, lon, lat)


def _inverse(
    forward: Callable[[Floats, Floats], tuple[Floats, Floats]], lon: Floats, lat: Floats
) -> tuple[Floats, Floats]:
    target_lon, target_lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    x, y = target_lon.copy(), target_lat.copy()
    for _ in range(_STEPS):
        shifted_x, shifted_y = forward(x, y)
        x, y = x + (target_lon - shifted_x), y + (target_lat - shifted_y)
    return x, y


UNDO: dict[str, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}
"""Datum names of the command line whose offset has to be undone."""
