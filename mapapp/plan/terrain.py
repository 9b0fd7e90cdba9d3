"""This module reads a ground model from a GeoTIFF (or a TIFF with a world file), and tells heights between its cells.

Pillow decodes the grid: one band of numbers, no GDAL needed. Place and CRS come from the GeoTIFF tags (OGC 19-008r4), else
from a ``.tfw`` beside the file; a ground model without a CRS is taken to be in the county's.
"""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from mapapp.core.crs import transform
from mapapp.core.errors import InputError
from mapapp.core.text import Text

Array = np.ndarray[Any, Any]

_SCALE, _TIE, _MATRIX, _KEYS, _NODATA = 33550, 33922, 34264, 34735, 42113
_PROJECTED, _GEOGRAPHIC = 3072, 2048
_LOWEST_M, _HIGHEST_M = -500.0, 9000.0
"""Heights beyond these are marks for missing cells."""


@dataclass(frozen=True, slots=True)
class Terrain:
    """A grid of heights in metres, missing as NaN; ``x0 y0`` the centre of the first cell, ``dx dy`` its steps."""

    height: Array
    x0: float
    y0: float
    dx: float
    dy: float
    crs: CRS | None = None
    source: CRS | None = None

    def at(self, x: Array, y: Array) -> Array:
        """Return heights at points of the county's CRS, between the four cells around; NaN beyond the grid."""
        if self.crs is not None and self.source is not None:
            x, y = transform(x, y, self.source, self.crs)
        rows, cols = self.height.shape
        col, row = (np.asarray(x, float) - self.x0) / self.dx, (np.asarray(y, float) - self.y0) / self.dy
        inside = (col >= -0.5) & (col <= cols - 0.5) & (row >= -0.5) & (row <= rows - 0.5)
        col, row = np.clip(np.nan_to_num(col), 0, cols - 1), np.clip(np.nan_to_num(row), 0, rows - 1)
        j, i = np.minimum(col.astype(int), max(cols - 2, 0)), np.minimum(row.astype(int), max(rows - 2, 0))
        j1, i1 = np.minimum(j + 1, cols - 1), np.minimum(i + 1, rows - 1)
        s, t = col - j, row - i
        total, weight = np.zeros(len(col)), np.zeros(len(col))
        for a, b, w in ((i, j, (1 - s) * (1 - t)), (i, j1, s * (1 - t)), (i1, j, (1 - s) * t), (i1, j1, s * t)):
            z = self.height[a, b]
            known = np.isfinite(z)
            total += np.where(known, z, 0.0) * w
            weight += np.where(known, w, 0.0)
        good = inside & (weight > 1e-9)
        return np.where(good, total / np.where(good, weight, 1.0), np.nan)


def read_terrain(path: str | Path, crs: Any) -> Terrain:
    """Return the ground model in a TIFF file.

    Parameters
    ----------
    path : str or Path
        One band of heights in metres.
    crs : anything pyproj reads
        The county's CRS, in which points will be asked for.

    Raises
    ------
    InputError
        No readable TIFF, several bands, too many cells, no place, a rotated grid, an unknown CRS, no height at all.
    """
    from PIL import Image, UnidentifiedImageError

    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                tags = dict(getattr(image, "tag_v2", {}))
                bands = len(image.getbands())
                height = np.array(image, float)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _bad(path, Text("格网过大。", "The grid is too large."), _CUT) from error
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise _bad(path, Text("不是可读的 TIFF 文件。", "This is no TIFF file that can be read."), _TIFF) from error
    if bands != 1 or height.ndim != 2:
        raise _bad(path, Text(f"有 {bands} 个波段。", f"It has {bands} bands."), _TIFF)
    x0, y0, dx, dy = _place(path, tags)
    missing = ~((height > _LOWEST_M) & (height < _HIGHEST_M))
    with contextlib.suppress(ValueError):  # an unreadable mark for missing cells: the bounds above catch the usual ones
        missing |= height == float(str(tags.get(_NODATA, "nan")).strip("\x00 "))
    height[missing] = np.nan
    if missing.all():
        raise _bad(path, Text("没有任何高程值。", "It holds no height."), _TIFF)
    return Terrain(height, x0, y0, dx, dy, _crs(path, tags), CRS.from_user_input(crs) if crs is not None else None)


_TIFF = Text("请给出单波段高程 GeoTIFF（米）。", "Give a GeoTIFF of one band of heights in metres.")
_CUT = Text("请裁剪到县域范围。", "Cut it to the county.")


def _bad(path: Path, saw: Text, need: Text) -> InputError:
    return InputError(saw, need, where=path.name)


def _place(path: Path, tags: dict[int, Any]) -> tuple[float, float, float, float]:
    """Return the centre of the first cell, and the steps to the next column and row."""
    if _SCALE in tags and _TIE in tags:
        sx, sy = float(tags[_SCALE][0]), -float(tags[_SCALE][1])
        i, j, _, x, y = (float(v) for v in tags[_TIE][:5])
        keys = list(tags.get(_KEYS, ()))
        point = any(keys[k] == 1025 and keys[k + 3] == 2 for k in range(4, len(keys) - 3, 4))  # pixel is a point
        half = 0.0 if point else 0.5
        place = x + (half - i) * sx, y + (half - j) * sy, sx, sy
    elif _MATRIX in tags:
        m = [float(v) for v in tags[_MATRIX]]
        if m[1] or m[4]:
            raise _bad(path, Text("格网有旋转。", "The grid is rotated."), _TIFF)
        place = m[3] + 0.5 * m[0], m[7] + 0.5 * m[5], m[0], m[5]
    else:
        world = next((w for w in (path.with_suffix(s) for s in (".tfw", ".TFW", ".tifw")) if w.is_file()), None)
        if world is None:
            raise _bad(path, Text("没有坐标信息，也没有 .tfw。", "It has no place, and there is no .tfw."), _TIFF)
        try:
            a, d, b, e, c, f = (float(line) for line in world.read_text(encoding="ascii").split()[:6])
        except ValueError as error:
            raise _bad(world, Text("坐标文件不可读。", "The world file cannot be read."), _TIFF) from error
        if d or b:
            raise _bad(world, Text("格网有旋转。", "The grid is rotated."), _TIFF)
        place = c, f, a, e
    if not all(np.isfinite(place)) or not place[2] or not place[3]:
        raise _bad(path, Text("坐标信息无效。", "Its place is no use."), _TIFF)
    return place


def _crs(path: Path, tags: dict[int, Any]) -> CRS | None:
    keys = list(tags.get(_KEYS, ()))
    found = {keys[k]: keys[k + 3] for k in range(4, len(keys) - 3, 4) if keys[k + 1] == 0}
    code = found.get(_PROJECTED) or found.get(_GEOGRAPHIC)
    if not code or code == 32767:  # user-defined: nothing to look up
        return None
    try:
        return CRS.from_epsg(code)
    except CRSError as error:
        raise _bad(path, Text(f"未知坐标系 EPSG:{code}。", f"Unknown CRS EPSG:{code}."), _TIFF) from error
