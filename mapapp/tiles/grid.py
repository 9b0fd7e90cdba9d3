"""This module places county coordinates on the integer grid that all tiles are cut from.

The grid divides the web-mercator square (EPSG:3857) into 2**32 by 2**32 cells, x east, y south, so one cell is 9.3 mm
on the equator and less elsewhere. A tile of zoom z is 2**(32 - z) cells wide; a screen pixel of 256-pixel tiles
2**(24 - z). Everything below is a shift of integers: rounding is the same on both sides of every tile border.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer

from mapapp.core.errors import InputError, NotFoundError
from mapapp.core.text import Text

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

WORLD_BITS = 32
HALF_WORLD_M = 20037508.342789244  # pi times the semi-major axis of WGS 84, EPSG guidance note 7-2, method 1024
EXTENT_BITS = 12
EXTENT = 1 << EXTENT_BITS  # MVT units per tile
BUFFER = 64  # units kept around a tile, so that strokes and symbols join across its border
PIXEL_BITS = 8  # pixels per tile side, as a power of two
MAX_ZOOM = 22
_BIAS = 1 << 31  # stored as int32; the grid itself counts from 0


def transformer(crs: Any) -> Transformer:
    """Return the transformation from ``crs`` to web mercator, x before y.

    Raises
    ------
    InputError
        When ``crs`` is missing: without one nothing can be placed on the earth.
    """
    if crs is None:
        raise InputError(
            Text("图层没有坐标系，无法生成瓦片。", "The layer has no coordinate system, so no tile can be cut."),
            Text("请指定坐标系，例如 EPSG:4545。", "Give one, such as EPSG:4545."),
        )
    return Transformer.from_crs(CRS.from_user_input(crs), "EPSG:3857", always_xy=True)


def to_grid(xy: Floats, project: Transformer) -> tuple[npt.NDArray[np.int32], Bools]:
    """Project coordinates and place them on the grid.

    Parameters
    ----------
    xy : ndarray, shape (n, 2)
        East and north in the county's CRS.
    project : Transformer
        From `transformer`.

    Returns
    -------
    grid : int32 ndarray, shape (n, 2)
        Cell numbers less 2**31; points off the square lie on its edge.
    usable : bool ndarray, shape (n,)
        False where the projection has no finite answer (NaN, infinite or absurd input).
    """
    east, north = project.transform(xy[:, 0], xy[:, 1])
    out = np.empty(xy.shape, dtype=np.int32)
    usable = np.isfinite(east) & np.isfinite(north)
    scale = 2.0**WORLD_BITS / (2 * HALF_WORLD_M)
    for column, value in ((0, east), (1, -north)):
        cells = np.floor((np.where(usable, value, 0.0) + HALF_WORLD_M) * scale)
        out[:, column] = (np.clip(cells, 0, 2.0**WORLD_BITS - 1) - _BIAS).astype(np.int32)
    return out, usable


def from_grid(grid: npt.NDArray[np.int32]) -> Floats:
    """Return longitude and latitude (EPSG:4326, degrees) of the middle of grid cells, shape (n, 2)."""
    metres = (grid.astype(np.float64) + _BIAS + 0.5) * (2 * HALF_WORLD_M / 2.0**WORLD_BITS) - HALF_WORLD_M
    lon = metres[:, 0] / HALF_WORLD_M * 180
    lat = np.degrees(np.arctan(np.sinh(-metres[:, 1] / HALF_WORLD_M * np.pi)))
    return np.column_stack([lon, lat])


def check_tile(z: int, x: int, y: int) -> None:
    """Refuse a tile address that does not exist.

    Raises
    ------
    NotFoundError
        When z is outside 0..22, or x or y outside 0..2**z - 1.
    """
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
        raise NotFoundError(
            Text(f"没有瓦片 {z}/{x}/{y}。", f"There is no tile {z}/{x}/{y}."),
            Text(f"级别为 0 到 {MAX_ZOOM}。", f"Zooms go from 0 to {MAX_ZOOM}."),
        )


def tile_box(z: int, x: int, y: int) -> tuple[int, int, int, int]:
    """Return what a tile and its buffer cover as stored cells: left, top, right, bottom, all inclusive."""
    size = 1 << (WORLD_BITS - z)
    margin = size * BUFFER >> EXTENT_BITS
    left, top = x * size - _BIAS, y * size - _BIAS
    return left - margin, top - margin, left + size - 1 + margin, top + size - 1 + margin


def to_tile(grid: npt.NDArray[np.int32], z: int, x: int, y: int) -> tuple[Ints, Ints]:
    """Return grid cells as MVT units of one tile, rounded half up; may lie outside 0..4096."""
    shift = WORLD_BITS - EXTENT_BITS - z
    wide = grid.astype(np.int64) + _BIAS
    wide = (wide + (1 << (shift - 1))) >> shift if shift > 0 else wide << -shift
    return wide[:, 0] - (x << EXTENT_BITS), wide[:, 1] - (y << EXTENT_BITS)


def to_pixels(grid: npt.NDArray[np.int32], z: int) -> Ints:
    """Return the number of the screen pixel at zoom z that each cell lies in; same shape."""
    return (grid.astype(np.int64) + _BIAS) >> (WORLD_BITS - PIXEL_BITS - z)


def pixels_to_tile(pixels: Ints, level: int, z: int, x: int, y: int) -> tuple[Ints, Ints]:
    """Return the middles of pixels of zoom ``level`` (n, 2) as MVT units of a tile of zoom z <= level."""
    per_pixel = EXTENT >> PIXEL_BITS
    wide = (pixels * per_pixel + per_pixel // 2) >> (level - z)
    return wide[:, 0] - (x << EXTENT_BITS), wide[:, 1] - (y << EXTENT_BITS)


def pixel_box(level: int, z: int, x: int, y: int) -> tuple[int, int, int, int]:
    """Return the pixels of zoom ``level`` that a tile of zoom z <= level and its buffer cover, inclusive."""
    size = 1 << (PIXEL_BITS + level - z)
    margin = max(size * BUFFER >> EXTENT_BITS, 1)
    return x * size - margin, y * size - margin, (x + 1) * size - 1 + margin, (y + 1) * size - 1 + margin


def z_order(x: Ints, y: Ints) -> Ints:
    """Return the Morton number of non-negative x and y below 2**31: near in the plane, mostly near in the number."""
    return _spread(x) | (_spread(y) << 1)


def _spread(v: Ints) -> Ints:
    out = v.astype(np.uint64)
    for shift, keep in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        out = (out | (out << np.uint64(shift))) & np.uint64(keep)
    return out.astype(np.int64)
