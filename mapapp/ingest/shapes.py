"""This module makes foreign geometry fit a layer: one type, two dimensions, finite numbers, parts that chain merged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from mapapp.core.errors import InputError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.ingest.result import Raw

Shapes = NDArray[np.object_]

_FAMILY = np.full(9, 3)
"""GEOS type number (shifted by one, so that -1 is missing) to point 0, line 1, polygon 2, other 3, missing 4."""
_FAMILY[[0]] = 4
_FAMILY[[1, 5]] = 0
_FAMILY[[2, 3, 6]] = 1
_FAMILY[[4, 7]] = 2
_FARTHEST = 1e9
"""No coordinate on Earth, in metres and with a zone prefix, comes near this."""
_NAMES = ("point", "line", "polygon", "collection")
_WORDS = {
    "point": Text("点", "points"),
    "line": Text("线", "lines"),
    "polygon": Text("面", "polygons"),
    "collection": Text("混合集合", "collections"),
}


def families(shapes: Shapes) -> NDArray[np.int64]:
    """Return 0 point, 1 line, 2 polygon, 3 collection, 4 missing or empty, for each geometry."""
    out = _FAMILY[shapely.get_type_id(shapes) + 1]
    out[shapely.is_empty(shapes)] = 4
    return out


def fit(raw: Raw, layer: Layer, *, lenient: bool) -> Raw:
    """Return the rows whose geometry suits the layer, in two dimensions and without empty shapes.

    Missing and empty geometry stays as missing, with a note: the audit reports it. Other types are an error, or with
    ``lenient`` (KML and drawings always hold everything) left out with a note.

    Raises
    ------
    InputError
        For a wrong or mixed geometry type, or coordinates that are not finite, with the first row of its kind.
    """
    if raw.geometry is None:
        return raw
    check_finite(raw)
    kind = families(raw.geometry)
    wanted = np.isin(kind, [_NAMES.index(g) for g in layer.geometry])
    missing = kind == 4
    wrong = ~wanted & ~missing
    if wrong.any():
        if not lenient or not wanted.any():
            raise _wrong_type(raw, layer, kind)
        counted = _count(kind[wrong])
        raw.notes.warn(
            f"另有{counted.zh}不属于图层“{layer.title.zh}”，未读取。",
            f"{counted.en} do not belong in layer {layer.name}; not read.",
            raw.place,
        )
        raw = raw.take(wanted)
        missing = np.zeros(len(raw.frame), dtype=bool)
    if missing.all():
        raise InputError(
            Text("没有一条记录带有图形。", "Not one record has a geometry."),
            Text("请检查导出的图层。", "Check the layer that was exported."),
            where=raw.place,
        )
    assert raw.geometry is not None
    shapes = raw.geometry
    if shapely.has_z(shapes).any():
        raw.frame = _heights(raw.frame, shapes, layer)
        shapes = shapely.force_2d(shapes)
    if missing.any():
        shapes = shapes.copy()
        shapes[missing] = None
        first = int(raw.rows[int(np.flatnonzero(missing)[0])])
        raw.notes.warn(
            f"{int(missing.sum())} 条记录没有图形（首条：第 {first} 条），已保留属性。",
            f"{int(missing.sum())} records have no geometry (the first: {first}); their attributes are kept.",
            raw.place,
        )
    raw.geometry = single_parts(shapes, raw) if "line" in layer.geometry else _single(shapes)
    return raw


def _heights(frame: pd.DataFrame, shapes: NDArray[np.object_], layer: Layer) -> pd.DataFrame:
    """Return the table with the third coordinate of spot heights as ``elev_m``, where no column holds a height."""
    column = layer.column("elev_m")
    if column is None or {c.lower() for c in map(str, frame.columns)} & {"elev_m", *map(str.lower, column.aliases)}:
        return frame
    return frame.assign(elev_m=shapely.get_z(shapes))  # NaN for what is no point


def check_finite(raw: Raw) -> None:
    """Refuse NaN and infinite coordinates.

    Raises
    ------
    InputError
        With the first record that has them.
    """
    assert raw.geometry is not None
    xy, owner = shapely.get_coordinates(raw.geometry, return_index=True)
    bad = ~(np.abs(xy) < _FARTHEST).all(axis=1)  # NaN is less than nothing
    if bad.any():
        rows = np.unique(owner[bad])
        raise InputError(
            Text(
                f"有 {len(rows)} 条记录的坐标不是数字或大得不可能（NaN、无穷大），首条是第 {raw.rows[rows[0]]} 条。",
                f"{len(rows)} records have coordinates that are no numbers or impossibly large "
                f"(NaN, infinite); the first is {raw.rows[rows[0]]}.",
            ),
            Text("请修正或删除后再导入。", "Mend or delete them and import again."),
            where=f"{raw.place} › {raw.rows[rows[0]]}",
        )


def single_parts(shapes: Shapes, raw: Raw) -> Shapes:
    """Merge the parts of multi-part lines where they chain; the others stay multi-part, with a note.

    A merged line runs the way its first part runs, because ``from_`` belongs to the first vertex.
    """
    multi = np.flatnonzero(shapely.get_type_id(shapes) == 5)
    if not len(multi):
        return shapes
    parts = shapes[multi]
    merged = shapely.line_merge(parts, directed=True)
    stubborn = shapely.get_type_id(merged) == 5
    if stubborn.any():
        loose = shapely.line_merge(parts[stubborn])
        first = shapely.get_geometry(parts[stubborn], 0)
        chained = shapely.get_type_id(loose) == 1
        start = shapely.line_locate_point(loose, shapely.get_point(first, 0))
        end = shapely.line_locate_point(loose, shapely.get_point(first, -1))
        backwards = chained & (start > end)
        loose[backwards] = shapely.reverse(loose[backwards])
        merged[stubborn] = np.where(chained, loose, parts[stubborn])
    nothing = shapely.is_empty(merged)  # merging drops lines without length; the audit reports them
    merged[nothing] = shapely.get_geometry(parts[nothing], 0)
    out = shapes.copy()
    out[multi] = merged
    left = multi[shapely.get_type_id(merged) == 5]
    joined = int((shapely.get_num_geometries(parts) > 1).sum()) - len(left)
    if joined:
        raw.notes.info(
            f"{joined} 条多部件线已首尾相接合并。", f"{joined} multi-part lines were merged end to end.", raw.place
        )
    if len(left):
        first_row = int(raw.rows[left[0]])
        raw.notes.warn(
            f"{len(left)} 条多部件线各部分不相接，保留为多部件（首条：第 {first_row} 条）。",
            f"{len(left)} multi-part lines do not chain and stay multi-part (the first: {first_row}).",
            raw.place,
        )
    return out


def _single(shapes: Shapes) -> Shapes:
    """Unpack collections of one."""
    one = np.isin(shapely.get_type_id(shapes), [4, 6]) & (shapely.get_num_geometries(shapes) == 1)
    return np.where(one, shapely.get_geometry(shapes, 0), shapes) if one.any() else shapes


def _count(kind: NDArray[np.int64]) -> Text:
    parts = [(int((kind == i).sum()), _WORDS[name]) for i, name in enumerate(_NAMES)]
    return Text("、".join(f" {n} 个{w.zh}" for n, w in parts if n), ", ".join(f"{n} {w.en}" for n, w in parts if n))


def _wrong_type(raw: Raw, layer: Layer, kind: NDArray[np.int64]) -> InputError:
    there = _count(kind)
    needs = Text("或".join(_WORDS[g].zh for g in layer.geometry), " or ".join(_WORDS[g].en for g in layer.geometry))
    wrong = np.flatnonzero(~np.isin(kind, [_NAMES.index(g) for g in layer.geometry]) & (kind != 4))
    row = int(raw.rows[wrong[0]])
    return InputError(
        Text(
            f"文件里有{there.zh}（第 {row} 条起），而图层“{layer.title.zh}”需要{needs.zh}。",
            f"The file holds {there.en} (record {row} is the first wrong one); layer {layer.name} needs {needs.en}.",
        ),
        Text("请分开导出，或换一个图层导入。", "Export them separately, or import into another layer."),
        where=raw.place,
    )
