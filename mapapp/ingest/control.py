"""This module fits a local city system to the county's CRS by control points, which never leave the planner's machine.

Parameters between national and local systems are no public matter, so none are shipped, stored or shown: the points are
read from the planner's own file at each import, and only the residuals are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import python_calamine as calamine
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from mapapp.core import crs as crs_
from mapapp.core.crs import Floats
from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.ingest.csvfile import read_cells
from mapapp.ingest.foreign import parsing
from mapapp.ingest.result import Notes, Raw
from mapapp.ingest.values import read_number
from mapapp.ingest.words import plain

LEAST = 3
_GOOD_M = 0.5
_ONE_LINE = 1e-4
"""Points whose spread across is less than this share of their spread along lie on one line."""
_STRETCH = 1e-3
_CGCS2000 = CRS.from_epsg(4490)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """An affine map: ``(xy - middle) @ matrix + to``, with what it leaves at each control point, in metres."""

    middle: Floats
    matrix: Floats
    to: Floats
    residuals_m: Floats

    def __call__(self, xy: Floats) -> Floats:
        """Return local coordinates in the county's CRS; shape (n, 2) in and out."""
        return (xy - self.middle) @ self.matrix + self.to


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Control points: their names, where they lie in the local system, and where they really lie; both (n, 2)."""

    file: str
    names: list[str]
    local: Floats
    known: Floats


def read_points(path: Path) -> Points:
    """Read control points from a CSV or a workbook's first sheet.

    Columns in this order: name (may be missing), local X, local Y, known X, known Y. One row may be a header. The known
    pair may be northing first, carry a zone prefix, or be longitude and latitude.

    Raises
    ------
    InputError
        When the file cannot be read, or a row holds anything but four numbers.
    """
    cells: list[list[Any]]
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls"):
        with parsing(path.name, "Excel"):
            cells = calamine.load_workbook(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    else:
        cells = list(read_cells(path, None, Notes()))
    names, rows = [], []
    for number, row in enumerate(cells, start=1):
        filled = [v for v in row if plain(v)]
        values = [read_number(v) for v in filled[-4:]]
        if not filled or (number == 1 and None in values):
            continue
        if len(values) < 4 or None in values:
            raise InputError(
                Text("这一行没有四个坐标。", "This row does not hold four coordinates."),
                Text(
                    "控制点表每行依次写：点名、本地 X、本地 Y、已知 X、已知 Y。",
                    "Each row of control points: name, local X, local Y, known X, known Y.",
                ),
                where=f"{path.name} › {number}",
            )
        names.append(plain(filled[0]) if len(filled) > 4 else str(number))
        rows.append(values)
    table = np.array(rows, dtype=float).reshape(-1, 4)
    return Points(path.name, names, table[:, :2], table[:, 2:])


def fit(local: Floats, known: Floats) -> Fit:
    """Return the affine map that leaves the least squares; shapes (n, 2), at least three points not on one line.

    Six parameters, so that another unit and a turned grid need no question.

    Raises
    ------
    InputError
        For fewer than three points, or points on one line.
    """
    if len(local) < LEAST:
        raise InputError(
            Text(f"只有 {len(local)} 个控制点。", f"There are {len(local)} control points."),
            Text("至少需要三个，最好四个以上。", "Three are needed at least; four or more can be checked."),
        )
    middle, to = local.mean(axis=0), known.mean(axis=0)
    for points in (local - middle, known - to):
        along, across = np.linalg.svd(points, compute_uv=False)
        if across <= _ONE_LINE * along:
            raise InputError(
                Text("控制点几乎在一条直线上。", "The control points lie on one line."),
                Text("请换用分布在四周的点。", "Choose points that surround the area."),
            )
    matrix = np.linalg.lstsq(local - middle, known - to, rcond=None)[0]
    left = known - ((local - middle) @ matrix + to)
    return Fit(middle, matrix, to, np.hypot(left[:, 0], left[:, 1]))


def apply(raw: Raw, path: Path, target: CRS) -> Raw:
    """Return ``raw`` with its geometry carried from its local system to ``target``; the fit is told in the notes.

    Parameters
    ----------
    path : Path
        The control points, see `read_points`.
    target : pyproj.CRS
        In metres; that of the known coordinates, unless those are degrees.
    """
    assert raw.geometry is not None
    points = read_points(path)
    xy = shapely.get_coordinates(raw.geometry)
    local, known = points.local, _home(points.known, target)
    found = fit(local, known)
    if _northing_first(raw, xy, local, found):
        raw.notes.info(
            "控制点表的本地坐标先写北、后写东，与文件中的先后相反，已识别并对调。",
            "The control points' local coordinates are written northing first, the file's are not; recognised and swapped.",
            points.file,
        )
        local = local[:, ::-1]
        found = fit(local, known)
    _tell(raw, points, found)
    outside = _beyond(xy, local)
    if outside:
        raw.notes.warn(
            f"{outside} 个坐标在控制点范围之外很远，外推不可靠，请在四周补充控制点。",
            f"{outside} coordinates lie far outside of the control points, where the fit is a guess; add points there.",
            raw.place,
        )
    raw.geometry = shapely.set_coordinates(raw.geometry.copy(), found(xy))
    raw.crs = target
    return raw


def _northing_first(raw: Raw, xy: Floats, local: Floats, found: Fit) -> bool:
    """Whether the control points' local pair stands the other way round than the file's: the fit is a mirror then.

    Nobody surveys in a mirror. A table's own X and Y may stand northing first as well, which the fit undoes with the
    mirror: there the pair is turned only where the file's coordinates lie about the points that way alone.
    """
    if np.linalg.det(found.matrix) > 0:
        return False
    return not raw.letters or _beyond(xy, local[:, ::-1]) < _beyond(xy, local)


def _home(known: Floats, target: CRS) -> Floats:
    """Return known coordinates as (easting, northing) in ``target``, whatever way they were written."""
    first, second = known[:, 0], known[:, 1]
    size = crs_.magnitude(first, second)
    x, y = (second, first) if size.swapped else (first, second)
    if size.kind == "lonlat":
        x, y = crs_.transform(x, y, _CGCS2000, target)
    elif size.kind in ("zone3", "zone6") and size.zone is not None and (codes := crs_.candidates(size)):
        x, y = crs_.transform(x, y, crs_.parse(codes[0]), target)
    return np.column_stack([x, y])


def _tell(raw: Raw, points: Points, found: Fit) -> None:
    worst = int(np.argmax(found.residuals_m))
    freedom = 2 * len(points.names) - 6
    if not freedom:
        raw.notes.warn(
            "三个控制点恰好确定换算，没有多余的点可检核；请再加一个。",
            "Three control points fix the conversion and leave nothing to check it with; add one more.",
            points.file,
        )
        return
    spread = float(np.sqrt((found.residuals_m**2).sum() / freedom))
    say = raw.notes.warn if found.residuals_m[worst] > _GOOD_M else raw.notes.info
    say(
        f"按 {len(points.names)} 个控制点拟合本地坐标系：中误差 {spread:.3f} 米，"
        f"最大 {found.residuals_m[worst]:.3f} 米（{points.names[worst]}）。",
        f"The local system was fitted by {len(points.names)} control points: standard error {spread:.3f} m, "
        f"largest {found.residuals_m[worst]:.3f} m ({points.names[worst]}).",
        points.file,
    )
    longer, shorter = np.linalg.svd(found.matrix, compute_uv=False)
    if longer > shorter * (1 + _STRETCH):
        raw.notes.warn(
            f"拟合后两个方向的比例相差 {longer / shorter - 1:.2%}，可能有控制点写错，请核对。",
            f"The fit stretches one direction {longer / shorter - 1:.2%} more than the other; a control point may be "
            "wrong. Please check.",
            points.file,
        )


def _beyond(xy: NDArray[np.float64], local: Floats) -> int:
    """Count coordinates that lie more than the control points' own extent outside of it."""
    low, high = local.min(axis=0), local.max(axis=0)
    reach = high - low
    return int(((xy < low - reach) | (xy > high + reach)).any(axis=1).sum())
