"""This module computes partly full flow in round pipes by Manning's formula.

v = (1/n) R^(2/3) S^(1/2); GB 50014-2021, 5.2.2. Diameters in metres, flows in m3/s, fills as depth over diameter. With the
angle t of the wetted arc: A = D^2/8 (t - sin t), R = D/4 (1 - sin t / t), h/D = (1 - cos(t/2)) / 2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray[Any, Any]
GRAVITY_MS2 = 9.81


class Wall(NamedTuple):
    """A pipe wall for Darcy-Weisbach with Colebrook-White, in place of Manning's n."""

    height_m: float
    viscosity_m2s: float = 1.14e-6


Roughness = float | Wall


def speed(radius_m: ArrayLike, slope: ArrayLike, roughness: Roughness) -> Array:
    """Return the mean velocity in m/s at a hydraulic radius and slope.

    Manning, or for a `Wall` v = -2 x lg(k / 14.8 R + 2.51 nu / 4 R x) with x = (8 g R S)^(1/2) (Colebrook-White).
    """
    r, s = np.broadcast_arrays(np.asarray(radius_m, float), np.asarray(slope, float))
    if not isinstance(roughness, Wall):
        return np.asarray(r ** (2 / 3) * np.sqrt(s) / roughness)
    x = np.sqrt(8.0 * GRAVITY_MS2 * r * s)
    safe, wet = np.where(x > 0, x, 1.0), np.where(r > 0, r, 1.0)
    drag = roughness.height_m / (14.8 * wet) + 2.51 * roughness.viscosity_m2s / (4.0 * wet * safe)
    return np.asarray(np.maximum(-2.0 * x * np.log10(drag), 0.0))


def gradient(radius_m: ArrayLike, velocity_ms: ArrayLike, roughness: Roughness) -> Array:
    """Return the slope at which water of a hydraulic radius runs at a velocity; undoes `speed`."""
    r, v = np.broadcast_arrays(np.asarray(radius_m, float), np.asarray(velocity_ms, float))
    if not isinstance(roughness, Wall):
        return np.asarray((v * roughness / r ** (2 / 3)) ** 2)
    rough, smooth = roughness.height_m / (14.8 * r), 2.51 * roughness.viscosity_m2s / (4.0 * r)
    x = v / 8.0 + 1e-12
    for _ in range(60):  # a contraction: the logarithm hardly moves
        x = v / np.maximum(-2.0 * np.log10(rough + smooth / np.maximum(x, 1e-12)), 1e-3)
    return np.asarray(x**2 / (8.0 * GRAVITY_MS2 * r))


FULLEST = 0.938
"""Fill of the greatest flow; above it, more water means less flow."""


def angle(fill: ArrayLike) -> Array:
    """Return the angle of the wetted arc in radians."""
    return np.asarray(2.0 * np.arccos(1.0 - 2.0 * np.asarray(fill, float)))


def area(diameter_m: ArrayLike, fill: ArrayLike) -> Array:
    """Return the wetted area in m2."""
    t = angle(fill)
    return np.asarray(np.square(diameter_m) / 8.0 * (t - np.sin(t)))


def radius(diameter_m: ArrayLike, fill: ArrayLike) -> Array:
    """Return the hydraulic radius in metres; zero when dry."""
    t = angle(fill)
    safe = np.where(t > 0, t, 1.0)
    return np.asarray(np.where(t > 0, np.asarray(diameter_m, float) / 4.0 * (1.0 - np.sin(t) / safe), 0.0))


def capacity(diameter_m: ArrayLike, slope: ArrayLike, roughness: Roughness, fill: ArrayLike) -> Array:
    """Return the flow at a fill, m3/s."""
    return np.asarray(area(diameter_m, fill) * speed(radius(diameter_m, fill), slope, roughness))


def normal_fill(flow: ArrayLike, diameter_m: ArrayLike, slope: ArrayLike, roughness: Roughness) -> Array:
    """Return the fill at which a flow runs; NaN when the pipe cannot carry it."""
    flow, diameter, slope = np.broadcast_arrays(*(np.asarray(x, float) for x in (flow, diameter_m, slope)))
    low, high = np.zeros(flow.shape), np.full(flow.shape, FULLEST)
    for _ in range(50):
        middle = 0.5 * (low + high)
        more = capacity(diameter, slope, roughness, middle) < flow
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    fits = capacity(diameter, slope, roughness, np.full(flow.shape, FULLEST)) >= flow
    return np.where(fits, np.where(flow > 0, high, 0.0), np.nan)


def fill_of_area(wanted_m2: ArrayLike, diameter_m: ArrayLike) -> Array:
    """Return the fill that has a wetted area; one when there is no room for it."""
    ratio = np.asarray(wanted_m2, float) / np.square(np.asarray(diameter_m, float))
    grid = np.linspace(0.0, 1.0, 2049)
    table = area(1.0, grid)
    i = np.clip(np.searchsorted(table, ratio, side="right") - 1, 0, len(grid) - 2)
    low, high = grid[i], grid[i + 1]
    fill = np.clip(low + (high - low) * (ratio - table[i]) / (table[i + 1] - table[i]), low, high)
    for _ in range(6):  # Newton between bounds; the width of the water surface is the slope of the area
        miss = area(1.0, fill) - ratio
        low, high = np.where(miss < 0, fill, low), np.where(miss < 0, high, fill)
        step = fill - miss / np.maximum(2.0 * np.sqrt(fill * (1.0 - fill)), 1e-12)
        fill = np.where((step >= low) & (step <= high), step, 0.5 * (low + high))
    return np.asarray(np.where(ratio >= table[-1], 1.0, fill))


def velocity(flow: ArrayLike, diameter_m: ArrayLike, fill: ArrayLike) -> Array:
    """Return the mean velocity in m/s; zero when dry."""
    wet = area(diameter_m, fill)
    return np.asarray(np.where(wet > 0, np.asarray(flow) / np.where(wet > 0, wet, 1.0), 0.0))


def slope_for_fill(flow: ArrayLike, diameter_m: ArrayLike, roughness: Roughness, fill: ArrayLike) -> Array:
    """Return the slope at which a flow runs at a fill."""
    return gradient(radius(diameter_m, fill), np.asarray(flow) / area(diameter_m, fill), roughness)


def slope_for_velocity(flow: ArrayLike, diameter_m: ArrayLike, roughness: Roughness, velocity_ms: float) -> Array:
    """Return the slope at which a flow runs at a velocity; NaN where it cannot be that slow or the pipe runs full."""
    fill = fill_of_area(np.asarray(flow) / velocity_ms, diameter_m)
    r = radius(diameter_m, fill)
    slope = gradient(np.where(r > 0, r, 1.0), velocity_ms, roughness)
    return np.where((r > 0) & (fill < FULLEST), slope, np.nan)
