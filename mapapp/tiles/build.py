"""This module turns a table with geometry into a tile cache, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Transformer

from mapapp.tiles import columns, grid, levels, protobuf
from mapapp.tiles.cache import Writer
from mapapp.tiles.mvt import LINE, POINT, POLYGON
from mapapp.tiles.ragged import ranges, starts_of, sums
from mapapp.tiles.source import BLOCK, FULL_FEATURES, FULL_VERTICES, TileSource, open_source

Ints = npt.NDArray[np.int64]
Objects = npt.NDArray[np.object_]
CHUNK = 65_536
GROUPS = ("kind", "status", "verdict", "severity", "rule")
"""Columns that aggregates are kept apart by, where a layer has them: those the map colours and filters by."""
WORST = ("severity", ("error", "warning", "notice", "info"))
LARGEST = "diameter_mm"
_MAX_COMBOS = 1 << 19
_KINDS = np.array([POINT, LINE, LINE, POLYGON, POINT, LINE, POLYGON])  # by shapely's type id


@dataclass(slots=True)
class _Parts:
    """Geometry of features of one kind: rows of the frame, parts per feature, vertices per part, holes, vertices."""

    kind: int
    rows: Ints
    parts: Ints
    lengths: Ints
    hole: npt.NDArray[np.bool_]
    xy: npt.NDArray[np.int32]


@dataclass(slots=True)
class _Totals:
    parts: int = 0
    vertices: int = 0
    rows: list[Ints] = field(default_factory=list)
    kind: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    bbox: list[npt.NDArray[np.int32]] = field(default_factory=list)
    segments: list[npt.NDArray[np.int32]] = field(default_factory=list)
    owners: list[npt.NDArray[np.int32]] = field(default_factory=list)
    features: int = 0


def build(
    frame: gpd.GeoDataFrame,
    folder: str | Path,
    *,
    attributes: Sequence[str],
    key: str,
    version: str,
    layer: str = "layer",
    group: Sequence[str] | None = None,
    worst: tuple[str, Sequence[str]] | None = None,
    largest: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> TileSource:
    """Build a tile cache beside the current one, then put it in its place.

    Parameters
    ----------
    frame : GeoDataFrame
        Points, lines and polygons in any mixture, in a CRS that pyproj knows. Left untouched.
    folder : path
        Made when absent; holds nothing but this cache.
    attributes : sequence of str
        Columns that tiles carry; those that the frame lacks are left out. The key is always among them.
    key : str
        Column with the features' ids.
    version : str
        Kept with the cache as `TileSource.version`.
    layer : str
        Name of the layer inside the tiles.
    group : sequence of str, optional
        Columns that low-zoom aggregates are kept apart by; default those of `GROUPS` among the attributes.
    worst : (column, values from worst to best), optional
        Aggregates carry the worst value as ``worst``; default `WORST` when that is among the attributes.
    largest : str, optional
        Aggregates carry the largest value of this column as ``max_<column>``; default `LARGEST`, likewise.
    progress : callable, optional
        Called with rows done and rows in all.

    Returns
    -------
    TileSource
        Its ``undrawn`` lists the rows without a geometry that can be placed; they are in no tile.

    Raises
    ------
    InputError
        When the frame has no CRS.
    ValueError
        When an attribute is called ``count`` or ``worst``: aggregates have those of their own.
    """
    if reserved := {"count", "worst"} & {key, *attributes}:
        raise ValueError(f"aggregates have attributes of their own called {sorted(reserved)}")
    frame = frame.reset_index(drop=True)
    names = list(dict.fromkeys([key, *(a for a in attributes if a in frame.columns)]))
    chosen = set(GROUPS if group is None else group)
    group = [name for name in names if name in chosen]  # in the order in which `_write_attributes` combines them
    project = grid.transformer(frame.crs)
    folder = Path(folder)
    writer = Writer(folder)
    try:
        totals = _write_geometry(writer, frame, project, progress)
        rows = np.concatenate(totals.rows) if totals.rows else np.empty(0, dtype=np.int64)
        meta = _write_attributes(writer, frame, rows, names, key, group, worst or WORST, largest or LARGEST, totals)
        undrawn = np.setdiff1d(np.arange(len(frame)), rows)
        writer.append("undrawn", undrawn)
        writer.commit({
            "version": version, "layer": layer, "key": key, "names": names, "rows": len(frame), **meta,
        })  # fmt: skip
    except BaseException:
        writer.abandon()
        raise
    return open_source(folder)


def _write_geometry(
    writer: Writer, frame: gpd.GeoDataFrame, project: Transformer, progress: Callable[[int, int], None] | None
) -> _Totals:
    geometry: Objects = np.asarray(frame.geometry.array, dtype=object)
    order = _order(geometry)
    totals = _Totals()
    writer.append("part_starts", np.zeros(1, dtype=np.int64))
    writer.append("feature_starts", np.zeros(1, dtype=np.int64))
    for name, shape in (("xy", (0, 2)), ("bbox", (0, 4))):
        writer.append(name, np.empty(shape, dtype=np.int32))
    writer.append("hole", np.empty(0, dtype=bool))
    thin = len(order) > FULL_FEATURES or int(shapely.get_num_coordinates(geometry).sum()) > FULL_VERTICES
    for begin in range(0, len(order), CHUNK):
        rows = order[begin : begin + CHUNK]
        for parts in _chunk(geometry[rows], rows, project):
            _append(writer, parts, totals, thin=thin)
        if progress is not None:
            progress(min(begin + CHUNK, len(order)), len(order))
    return totals


def _order(geometry: Objects) -> Ints:
    """Return the rows that have a finite geometry, near ones close together."""
    bounds = shapely.bounds(geometry)
    rows = np.flatnonzero(np.isfinite(bounds).all(axis=1))
    if not len(rows):
        return rows
    middle = bounds[rows, :2] / 2 + bounds[rows, 2:] / 2
    low = middle.min(axis=0)
    span = max(float((middle.max(axis=0) - low).max()), 1e-9)
    cells = ((middle - low) / span * ((1 << 20) - 1)).astype(np.int64)
    return rows[np.argsort(grid.z_order(cells[:, 0], cells[:, 1]), kind="stable")]


def _chunk(geometry: Objects, rows: Ints, project: Transformer) -> Iterator[_Parts]:
    types = shapely.get_type_id(geometry)
    mixed = np.flatnonzero(types == 7)
    if len(mixed):  # collections are rare: one by one
        geometry = geometry.copy()
        geometry[mixed] = [_widest(g) for g in geometry[mixed]]
        types = shapely.get_type_id(geometry)
    kinds = _KINDS[types]
    for kind in (POLYGON, LINE, POINT):
        of_kind = kinds == kind
        if of_kind.any():
            parts = _parts(kind, geometry[of_kind], rows[of_kind], project)
            if len(parts.rows):
                yield parts


def _widest(collection: Any) -> Any:
    """Return the parts of a collection that have its highest dimension, as one multi-geometry."""
    parts = shapely.get_parts(collection)
    while (shapely.get_type_id(parts) >= 4).any():
        parts = shapely.get_parts(parts)
    parts = parts[shapely.get_dimensions(parts) == shapely.get_dimensions(parts).max()]
    make = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)
    return make[int(shapely.get_dimensions(parts[0]))](parts)


def _parts(kind: int, geometry: Objects, rows: Ints, project: Transformer) -> _Parts:
    if kind == POLYGON:
        polygons, feature = shapely.get_parts(shapely.orient_polygons(geometry, exterior_cw=True), return_index=True)
        polygons, feature = polygons[~shapely.is_empty(polygons)], feature[~shapely.is_empty(polygons)]
        pieces, polygon = shapely.get_rings(polygons, return_index=True)
        hole = np.zeros(len(pieces), dtype=bool)
        hole[1:] = polygon[1:] == polygon[:-1]
        feature = feature[polygon]
    elif kind == LINE:
        pieces, feature = shapely.get_parts(geometry, return_index=True)
        pieces, feature = pieces[~shapely.is_empty(pieces)], feature[~shapely.is_empty(pieces)]
        hole = np.zeros(len(pieces), dtype=bool)
    else:
        pieces, feature = geometry, np.arange(len(geometry))
        hole = np.zeros(len(pieces), dtype=bool)
    coordinates, piece = shapely.get_coordinates(pieces, return_index=True)
    xy, usable = grid.to_grid(coordinates, project)
    if not usable.all():  # drop the whole feature; the build reports its row
        bad = np.zeros(len(rows), dtype=bool)
        bad[feature[piece[~usable]]] = True
        return _parts(kind, geometry[~bad], rows[~bad], project)
    lengths = np.bincount(piece, minlength=len(pieces))
    if kind == POLYGON:  # tiles close rings with a command
        last = np.cumsum(lengths) - 1
        xy, lengths = np.delete(xy, last, axis=0), lengths - 1
    return _Parts(kind, rows, np.bincount(feature, minlength=len(rows)), lengths, hole, xy)


def _append(writer: Writer, p: _Parts, totals: _Totals, *, thin: bool) -> None:
    part_starts, feature_parts = starts_of(p.lengths), starts_of(p.parts)
    vertex_starts = part_starts[feature_parts]
    low = np.minimum.reduceat(p.xy, vertex_starts[:-1], axis=0)
    bbox = np.hstack([low, np.maximum.reduceat(p.xy, vertex_starts[:-1], axis=0)])
    writer.append("xy", p.xy)
    writer.append("hole", p.hole)
    writer.append("bbox", bbox)
    writer.append("part_starts", part_starts[1:] + totals.vertices)
    writer.append("feature_starts", feature_parts[1:] + totals.parts)
    if thin and p.kind == LINE:
        first = ranges(part_starts[:-1], p.lengths - 1)
        pixels = grid.to_pixels(p.xy, levels.FINEST).astype(np.int32)
        totals.segments.append(np.hstack([pixels[first], pixels[first + 1]]))
        owner = np.repeat(np.arange(len(p.rows), dtype=np.int32), sums(p.lengths - 1, p.parts))
        totals.owners.append(owner + np.int32(totals.features))
    totals.rows.append(p.rows)
    totals.kind.append(np.full(len(p.rows), p.kind, dtype=np.uint8))
    totals.bbox.append(bbox)
    totals.parts += len(p.lengths)
    totals.vertices += len(p.xy)
    totals.features += len(p.rows)


def _write_attributes(
    writer: Writer, frame: gpd.GeoDataFrame, rows: Ints, names: Sequence[str], key: str, group: Sequence[str],
    worst: tuple[str, Sequence[str]], largest: str, totals: _Totals,
) -> dict[str, Any]:  # fmt: skip
    ids = frame[key]
    texts = [b"" if gone else str(v).encode() for v, gone in zip(ids.tolist(), ids.isna(), strict=True)]
    writer.append("id_bytes", np.frombuffer(b"".join(texts), dtype=np.uint8))
    writer.append("id_starts", starts_of(np.array([len(t) for t in texts], dtype=np.int64)))
    combo, combos = np.zeros(len(rows), dtype=np.int64), np.empty((1, 0), dtype=np.int32)
    rank = np.full(len(rows), levels.UNRANKED, dtype=np.uint8)
    for i, name in enumerate(names):
        codes, distinct = columns.factorise(frame[name])
        values, starts = columns.encode(distinct)
        codes = codes[rows]
        writer.append(f"a{i}_codes", codes)
        writer.append(f"a{i}_values", values)
        writer.append(f"a{i}_starts", starts)
        if name in group:
            combo, combos = _combine(combo, combos, codes)
        if name == worst[0]:
            place = {v: r for r, v in enumerate(worst[1])}
            table = np.array([place.get(str(v), levels.UNRANKED) for v in distinct] + [levels.UNRANKED], dtype=np.uint8)
            rank = table[codes]
    kind = np.concatenate(totals.kind) if totals.kind else np.empty(0, dtype=np.uint8)
    bbox = np.concatenate(totals.bbox) if totals.bbox else np.empty((0, 4), dtype=np.int32)
    size = np.full(len(rows), np.nan)
    if largest in names:
        size = pd.to_numeric(frame[largest], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)[rows]
    writer.append("row", rows)
    writer.append("kind", kind)
    writer.append("blocks", levels.block_boxes(bbox, BLOCK))
    writer.append("combos", combos)
    writer.append("rank", rank)
    writer.append("size", size)
    zooms: list[int] = []
    if len(rows) > FULL_FEATURES or totals.vertices > FULL_VERTICES:
        traits = levels.Traits(kind, bbox, combo, rank, size)
        segments = np.concatenate(totals.segments) if totals.segments else np.empty((0, 4), dtype=np.int32)
        owners = np.concatenate(totals.owners) if totals.owners else np.empty(0, dtype=np.int32)
        totals.segments, totals.owners = [], []
        zooms = levels.build(writer, traits, segments.astype(np.int64), owners.astype(np.int64))
    ranks = list(worst[1]) if worst[0] in names else []
    if ranks:
        values, sizes = protobuf.string_values(ranks)
        writer.append("worst_values", values)
        writer.append("worst_starts", starts_of(sizes))
    low, high = (bbox[:, :2].min(axis=0), bbox[:, 2:].max(axis=0)) if len(bbox) else (None, None)
    bounds = None
    if low is not None and high is not None:
        corners = grid.from_grid(np.array([[low[0], high[1]], [high[0], low[1]]], dtype=np.int32))
        bounds = corners.reshape(-1).tolist()
    return {
        "group": list(group), "worst": worst[0] if ranks else None, "largest": largest if largest in names else None,
        "levels": zooms, "bounds": bounds,
    }  # fmt: skip


def _combine(combo: Ints, combos: npt.NDArray[np.int32], codes: npt.NDArray[np.int32]) -> tuple[Ints, Any]:
    """Extend the grouping by one column, unless that would make more combinations than an item can hold."""
    span = int(codes.max(initial=-1)) + 2
    used, joined = np.unique(combo * span + codes + 1, return_inverse=True)
    if len(used) > _MAX_COMBOS:
        return combo, np.hstack([combos, np.full((len(combos), 1), -1, dtype=np.int32)])
    extended = np.hstack([combos[used // span], (used % span - 1)[:, None]]).astype(np.int32)
    return joined, extended
