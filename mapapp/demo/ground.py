"""This module lays the ground of the demo county: valley coordinates, the river and the terrain.

The town is drawn in *valley coordinates*: ``s`` runs down the valley and ``t`` across it, both in metres, the river at
``t = 0``. `to_map` bends them into the county's projected coordinates, so that streets laid out straight follow
the river's bend; `to_valley` undoes it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CRS = "EPSG:4544"
"""CGCS2000, 3-degree Gauss-Krueger zone with the central meridian 105 E, eastings without a prefix."""

RIVER_HALF_WIDTH_M = 30.0
_EAST_M, _NORTH_M = 517_350.0, 2_895_900.0
_TURN = np.deg2rad(-11.0)
_CORE_S, _CORE_T = 1075.0, -310.0
PIT = (568.0, -280.0)
"""Middle of an old clay pit, `s` and `t`."""
_PIT_RADIUS_M, _PIT_DEPTH_M = 30.0, 7.0


def to_map(s: npt.ArrayLike, t: npt.ArrayLike) -> Floats:
    """Bend valley coordinates into easting and northing.

    Parameters
    ----------
    s, t : array_like
        Metres down the valley, and across it (east positive); broadcast against each other.

    Returns
    -------
    ndarray, shape (..., 2)
        Easting and northing in metres, EPSG:4544.
    """
    s, t = np.broadcast_arrays(np.asarray(s, dtype=float), np.asarray(t, dtype=float))
    p, q = 2 * np.pi / 2600, 2 * np.pi / 1250
    bend = 165 * np.sin(p * (s - 120)) + 22 * np.sin(q * s + 0.7)
    slope = 165 * p * np.cos(p * (s - 120)) + 22 * q * np.cos(q * s + 0.7)
    # across the valley the streets leave the river at right angles, far from it they forget the bend
    x = t + bend * np.exp(-((t / 1500) ** 2))
    y = -s + slope * t * np.exp(-((t / 620) ** 2))
    x = x + 16 * np.sin(s / 250 + 1.1) * np.cos(t / 300)
    y = y + 20 * np.sin(t / 280 + 0.4) * np.cos(s / 330 + 0.9)
    core = np.exp(-(((s - _CORE_S) / 270) ** 2) - ((t - _CORE_T) / 230) ** 2)
    x = x + 9 * core * np.sin(s / 46 + t / 120)
    y = y + 9 * core * np.sin(t / 50 - s / 140)
    cos, sin = np.cos(_TURN), np.sin(_TURN)
    return np.stack([_EAST_M + x * cos - y * sin, _NORTH_M + x * sin + y * cos], axis=-1)


def to_valley(xy: npt.ArrayLike) -> Floats:
    """Undo `to_map` by fixed-point iteration, exact to below a millimetre near the town.

    Parameters
    ----------
    xy : array_like, shape (..., 2)
        Easting and northing in metres.

    Returns
    -------
    ndarray, shape (..., 2)
        ``s`` and ``t`` in metres.
    """
    xy = np.asarray(xy, dtype=float)
    cos, sin = np.cos(_TURN), np.sin(_TURN)
    st = np.zeros_like(xy)
    for _ in range(60):
        d = xy - to_map(st[..., 0], st[..., 1])
        st = st + 0.8 * np.stack([d[..., 0] * sin - d[..., 1] * cos, d[..., 0] * cos + d[..., 1] * sin], axis=-1)
    return st


def valley_elevation(s: npt.ArrayLike, t: npt.ArrayLike) -> Floats:
    """Return the ground level in metres (1985 datum) at valley coordinates.

    The valley falls 0.26 % downstream and rises from the river to both sides; the river lies 4.6 m below its banks; an old
    clay pit in the north lies lower than the sewer beside it.
    """
    s, t = np.broadcast_arrays(np.asarray(s, dtype=float), np.asarray(t, dtype=float))
    away = np.maximum(np.abs(t) - 60, 0)
    z = 418.0 - 0.0026 * s + 0.0085 * away + 5.5e-6 * away**2
    z = z + 0.35 * np.sin(s / 170 + 0.5) * np.sin(t / 140) * np.minimum(away / 120, 1)
    z = z - 2.3 * (1 - np.tanh((np.abs(t) - 38) / 3.2))
    pit = ((s - PIT[0]) ** 2 + (t - PIT[1]) ** 2) / _PIT_RADIUS_M**2
    z = z - _PIT_DEPTH_M * np.exp(-(pit**2))
    return np.asarray(z)


def elevation(x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Return the ground level in metres (1985 datum) at easting ``x`` and northing ``y``, EPSG:4544."""
    st = to_valley(np.stack(np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float)), axis=-1))
    return valley_elevation(st[..., 0], st[..., 1])
