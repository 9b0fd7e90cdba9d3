"""This module reads layers, as GeoDataFrames or Arrow tables, into the plain arrays that the audit works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.geometry import Bools, Floats, Ints, Lines, lines_of, lines_of_wkb
from mapapp.core.ordering import area_order
from mapapp.core.text import Text

Codes = npt.NDArray[np.int8]
Objects = npt.NDArray[Any]

SEWAGE, STORM, COMBINED, OTHER, UNKNOWN = range(5)
KINDS = ("sewage", "storm", "combined", "other", "unknown")
GRAVITY, PRESSURE = range(2)
IN_USE, NOT_IN_USE = range(2)
MAIN, BRANCH, LATERAL, INTERNAL, NO_LEVEL = range(5)
WWTP, BOUNDARY, PUMP, INTERCEPTOR, OUTFALL = range(5)
FACILITIES = ("wwtp", "boundary", "pump", "interceptor", "outfall")
FOUND, HIDDEN = range(2)

SYSTEM = np.array([1, 2, 3, 4, 3], dtype=np.int8)
"""Bit 1: belongs to the sewage system; bit 2: to the storm system; combined and unknown to both."""

_GEOMETRY_NAMES = ("geometry", "wkb_geometry", "geom", "SHAPE")


READ: Mapping[str, tuple[str, ...]] = {
    "pipes": (
        "pipe_id", "kind", "flow", "status", "level", "flow_dir", "from_node", "to_node", "from_invert_m", "to_invert_m",
        "from_depth_m", "to_depth_m", "diameter_mm",
    ),
    "manholes": ("node_id", "kind", "type", "found", "ground_elev_m", "depth_m"),
    "outlets": ("id", "facility"),
}  # fmt: skip
"""The columns that are looked at in the layers that may be large; reading no others is quicker."""


_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])  # well-known binary


class Columns(Protocol):
    """A layer whose columns can be asked for one by one."""

    rows: int

    def get(self, name: str) -> pa.Array | None:
        """Return a column as one Arrow array, or None when the layer has none of that name."""

    def lines(self) -> Lines:
        """Return the geometry as flat vertices."""

    def plain_points(self) -> tuple[Floats, Floats] | None:
        """Return x and y of points where that is quicker than through shapely, else None."""

    def shapes(self) -> Objects:
        """Return the geometry as shapely objects."""


class Frame:
    """Columns of a GeoDataFrame."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame, self.rows = frame, len(frame)

    def get(self, name: str) -> pa.Array | None:
        """Return a column as one Arrow array."""
        if name not in self._frame.columns:
            return None
        values = self._frame[name]
        try:
            array = pa.array(values, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # numbers and words in one column
            array = pa.array(values.astype("str"), from_pandas=True)
        return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array

    def lines(self) -> Lines:
        """Return the geometry as flat vertices."""
        return lines_of(self.shapes())

    def plain_points(self) -> tuple[Floats, Floats] | None:
        """Return None: a frame holds its points as objects."""
        return None

    def shapes(self) -> Objects:
        """Return the geometry as shapely objects; all None for a table without geometry."""
        if isinstance(self._frame, gpd.GeoDataFrame) and self._frame._geometry_column_name in self._frame.columns:
            return np.asarray(self._frame.geometry.array)
        return np.full(self.rows, None, dtype=object)


class Table:
    """Columns of an Arrow table with a column of well-known binary."""

    def __init__(self, table: pa.Table, geometry: str | None = None) -> None:
        self._table, self.rows = table, table.num_rows
        names = [geometry] if geometry else [n for n in _GEOMETRY_NAMES if n in table.column_names]
        if not names or names[0] not in table.column_names:
            raise InputError(
                Text(f"表中没有几何列，只有：{' '.join(table.column_names)}。",
                     f"The table has no geometry column, only {' '.join(table.column_names)}."),
                Text("请给出 WKB 列的名称。", "Name the column that holds WKB."),
            )  # fmt: skip
        self._geometry = names[0]

    def get(self, name: str) -> pa.Array | None:
        """Return a column as one Arrow array."""
        if name not in self._table.column_names:
            return None
        return _one(self._table.column(name))

    def lines(self) -> Lines:
        """Return the geometry as flat vertices, straight from the bytes; a large table in the order of the ground."""
        column = _one(self._table.column(self._geometry))
        column = column.storage if isinstance(column, pa.ExtensionArray) else column
        wide = pa.types.is_large_binary(column.type)
        _, offsets, data = column.buffers()
        index = np.frombuffer(offsets, np.int64 if wide else np.int32)[column.offset : column.offset + self.rows + 1]
        raw = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
        valid = np.ones(self.rows, bool) if column.null_count == 0 else column.is_valid().to_numpy(zero_copy_only=False)
        return lines_of_wkb(raw, index.astype(np.int64), valid, laid=area_order)

    def plain_points(self) -> tuple[Floats, Floats] | None:
        """Return x and y where every row is a little-endian point without Z, straight from the bytes; else None."""
        column = _one(self._table.column(self._geometry))
        column = column.storage if isinstance(column, pa.ExtensionArray) else column
        if column.null_count or self.rows == 0:
            return None
        wide = pa.types.is_large_binary(column.type)
        _, offsets, data = column.buffers()
        index = np.frombuffer(offsets, np.int64 if wide else np.int32)[column.offset : column.offset + self.rows + 1]
        if (np.diff(index) != _POINT.itemsize).any():
            return None
        point = np.frombuffer(data, _POINT, self.rows, int(index[0]))
        if (point["order"] != 1).any() or (point["kind"] != 1).any():
            return None
        return point["x"].copy(), point["y"].copy()

    def shapes(self) -> Objects:
        """Return the geometry as shapely objects."""
        column = _one(self._table.column(self._geometry))
        column = column.storage if isinstance(column, pa.ExtensionArray) else column
        return np.asarray(shapely.from_wkb(column.to_numpy(zero_copy_only=False)))


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def strings(columns: Columns, name: str) -> pa.Array:
    """Return a column as text; all missing when it is absent. Whole numbers lose their ``.0``."""
    array = columns.get(name)
    if array is None:
        return pa.nulls(columns.rows, pa.string())
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):
        whole = pc.all(pc.equal(pc.round(array), array)).as_py()
        array = array.cast(pa.int64()) if whole is not False else array
    return array if pa.types.is_string(array.type) or pa.types.is_large_string(array.type) else array.cast(pa.string())


def floats(columns: Columns, name: str) -> Floats:
    """Return a column as numbers; NaN where missing, infinite or not a number."""
    array = columns.get(name)
    if array is None or pa.types.is_null(array.type):
        return np.full(columns.rows, np.nan)
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        values = pd.to_numeric(pd.Series(array.to_numpy(zero_copy_only=False)), errors="coerce").to_numpy(float)
    else:
        values = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isinf(values), np.nan, values) if np.isinf(values).any() else values


def codes(columns: Columns, layer: str, name: str, known: Mapping[str, int], default: int) -> Codes:
    """Return a column of words as small numbers.

    The stored code counts, and so does every word that the schema lists for it. What is missing or strange becomes
    ``default``.
    """
    array = columns.get(name)
    if array is None or pa.types.is_null(array.type):
        return np.full(columns.rows, default, dtype=np.int8)
    words = dict(known)
    column = schema.layer(layer).column(name)
    for code in column.codes if column else ():
        if code.value in known:
            words |= {w.casefold(): known[code.value] for w in code.words}
    coded = array if pa.types.is_dictionary(array.type) else strings(columns, name).dictionary_encode()
    table = [words.get(str(w).strip().casefold(), default) for w in coded.dictionary.to_pylist()]
    index = coded.indices
    place = (pc.fill_null(index, len(table)) if index.null_count else index).to_numpy(zero_copy_only=False)
    out: Codes = np.array([*table, default], dtype=np.int8)[place]
    return out


@dataclass(frozen=True, slots=True)
class Pipes:
    """The pipes: one entry per table row; levels in metres, diameter in millimetres, NaN where unknown.

    ``record`` is +1 where water is recorded to run from the first vertex to the last, -1 for the other way, 0 unknown.
    The rows may stand in another order than in the file (``file_row``); ids and names of nodes are in the file's.
    """

    ids: pa.Array
    lines: Lines
    kind: Codes
    flow: Codes
    status: Codes
    level: Codes
    invert: tuple[Floats, Floats]
    depth: tuple[Floats, Floats]
    diameter_mm: Floats
    record: Codes
    nodes: tuple[pa.Array, pa.Array]
    file_row: Ints | None = None

    def __len__(self) -> int:
        return len(self.kind)

    def names(self, rows: Ints) -> list[str]:
        """Return the ids of rows as text; an empty text where missing."""
        return names(self.ids, rows if self.file_row is None else self.file_row[rows])

    def of_file(self, values: Any) -> Any:
        """Return an array in the order of the file in that of the rows."""
        return values if self.file_row is None else values[self.file_row]

    def rows_of(self, file_rows: Ints) -> Ints:
        """Return where some rows of the file stand."""
        if self.file_row is None:
            return file_rows
        place = np.empty(len(self), dtype=np.int64)
        place[self.file_row] = np.arange(len(self))
        found: Ints = place[file_rows]
        return found


def names(ids: pa.Array, rows: Ints) -> list[str]:
    """Return ids as text; an empty text where missing."""
    return [v if v is not None else "" for v in ids.take(pa.array(rows)).to_pylist()]


def pipes_of(columns: Columns) -> Pipes:
    """Read the layer of pipes."""
    nodes = strings(columns, "from_node"), strings(columns, "to_node")
    record = codes(columns, "pipes", "flow_dir", {"0": 1, "1": -1}, 0)
    if nodes[0].null_count < columns.rows and nodes[1].null_count < columns.rows:
        both = pc.and_(pc.is_valid(nodes[0]), pc.is_valid(nodes[1])).to_numpy(zero_copy_only=False)
        record = np.where((record == 0) & both, np.int8(1), record)
    status = {"in_use": IN_USE}
    return Pipes(
        ids=strings(columns, "pipe_id"),
        lines=columns.lines(),
        kind=codes(columns, "pipes", "kind", {k: i for i, k in enumerate(KINDS)}, UNKNOWN),
        flow=codes(columns, "pipes", "flow", {"gravity": GRAVITY, "pressure": PRESSURE}, GRAVITY),
        status=_status(columns, status),
        level=codes(columns, "pipes", "level", {"main": MAIN, "branch": BRANCH, "lateral": LATERAL, "internal": INTERNAL}, NO_LEVEL),
        invert=(floats(columns, "from_invert_m"), floats(columns, "to_invert_m")),
        depth=(floats(columns, "from_depth_m"), floats(columns, "to_depth_m")),
        diameter_mm=floats(columns, "diameter_mm"),
        record=record,
        nodes=nodes,
    )  # fmt: skip


def _status(columns: Columns, known: Mapping[str, int]) -> Codes:
    """Missing means in use; a word that says something else does not."""
    read = codes(columns, "pipes", "status", known, NOT_IN_USE)
    array = columns.get("status")
    if array is None or pa.types.is_null(array.type):
        return np.full(columns.rows, IN_USE, dtype=np.int8)
    if array.null_count:
        read = np.where(pc.is_null(array).to_numpy(zero_copy_only=False), np.int8(IN_USE), read)
    return read


@dataclass(frozen=True, slots=True)
class Points:
    """A layer of points: manholes or outlets. ``x`` and ``y`` are NaN where there is no usable point."""

    ids: pa.Array
    x: Floats
    y: Floats
    missing: Bools
    broken: Bools

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class Manholes:
    """The manholes; ``found`` is HIDDEN where field crews could not find or open it."""

    points: Points
    kind: Codes
    drop: Bools
    inlet: Bools
    found: Codes
    ground_m: Floats
    depth_m: Floats


@dataclass(frozen=True, slots=True)
class Outlets:
    """The outlets; ``facility`` is one of `FACILITIES`, -1 where unknown."""

    points: Points
    facility: Codes


def points_of(columns: Columns, key: str) -> Points:
    """Read points; a multi-point of one is a point."""
    plain = columns.plain_points()
    if plain is not None and np.isfinite(plain[0]).all() and np.isfinite(plain[1]).all():
        none = np.zeros(columns.rows, dtype=bool)
        return Points(strings(columns, key), *plain, none, none)
    shapes = columns.shapes()
    kind = shapely.get_type_id(shapes)
    missing = (kind < 0) | shapely.is_empty(shapes)
    single = shapes.copy()
    multi = (kind == 4) & (shapely.get_num_geometries(shapes) == 1)
    single[multi] = shapely.get_geometry(shapes[multi], 0)
    broken = ~missing & ~((kind == 0) | multi)
    single[missing | broken] = None
    x, y = shapely.get_x(single), shapely.get_y(single)
    infinite = ~missing & ~broken & ~(np.isfinite(x) & np.isfinite(y))
    x, y = np.where(infinite, np.nan, x), np.where(infinite, np.nan, y)
    return Points(strings(columns, key), x, y, missing, broken | infinite)


def manholes_of(columns: Columns) -> Manholes:
    """Read the layer of manholes."""
    kinds = {"sewage": SEWAGE, "storm": STORM, "combined": COMBINED, "other": OTHER}
    hidden = {"buried": HIDDEN, "covered_by_structure": HIDDEN, "not_found": HIDDEN, "covered": HIDDEN}
    return Manholes(
        points=points_of(columns, "node_id"),
        kind=codes(columns, "manholes", "kind", kinds, UNKNOWN),
        drop=codes(columns, "manholes", "type", {"跌水井": 1}, 0) == 1,
        inlet=codes(columns, "manholes", "type", {"接户井": 1, "预留口": 1}, 0) == 1,
        found=codes(columns, "manholes", "found", hidden, FOUND),
        ground_m=floats(columns, "ground_elev_m"),
        depth_m=floats(columns, "depth_m"),
    )


def outlets_of(columns: Columns) -> Outlets:
    """Read the layer of outlets."""
    known = {name: i for i, name in enumerate(FACILITIES)}
    return Outlets(points_of(columns, "id"), codes(columns, "outlets", "facility", known, -1))
