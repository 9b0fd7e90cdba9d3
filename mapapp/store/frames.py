"""This module turns a caller's frame into typed columns to store, and stored columns into a frame.

Inside the store a table is `Rows`: an Arrow table of attributes beside an array of plane geometry. It is columnar, so
that a million rows are compared, written and frozen without a loop over rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyproj
import shapely

from mapapp.core.errors import InputError
from mapapp.core.schema import Layer
from mapapp.core.text import Text

Kind = Literal["str", "int", "float", "bool"]
Geometries = npt.NDArray[np.object_]

ARROW: Mapping[Kind, pa.DataType] = {"str": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
RESERVED = frozenset({"fid", "geom", "geometry", "row_version"})
MAX_FURTHER_COLUMNS = 500


@dataclass(frozen=True)
class Rows:
    """Attributes as an Arrow table, and plane geometry beside them (None for a table without)."""

    table: pa.Table
    geometry: Geometries | None = None

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def take(self, at: npt.NDArray[Any]) -> Rows:
        """Return the rows at these positions (or where a mask is true)."""
        if at.dtype == bool:
            at = np.flatnonzero(at)
        return Rows(self.table.take(pa.array(at)), None if self.geometry is None else self.geometry[at])

    def with_columns(self, columns: Mapping[str, pa.ChunkedArray]) -> Rows:
        """Return the rows with some of their columns replaced."""
        there = self.table
        return Rows(pa.table({n: columns.get(n, there.column(n)) for n in there.column_names}), self.geometry)


def storage_kind(declared: str) -> Kind:
    """Return how a declared kind is stored: dates, months, enumerations and lists are text."""
    return declared if declared in ("int", "float", "bool") else "str"  # type: ignore[return-value]  # narrowed by `in`


def kind_of(arrow: pa.DataType) -> Kind:
    """Return the kind that an Arrow type is stored as."""
    if pa.types.is_boolean(arrow):
        return "bool"
    if pa.types.is_integer(arrow):
        return "int"
    return "float" if pa.types.is_floating(arrow) else "str"


def rows_of(frame: pd.DataFrame, layer: Layer, crs: pyproj.CRS | None) -> Rows:
    """Return a caller's frame as typed rows, the frame untouched.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        With the layer's key as a column. A missing value of any flavour becomes null. Heights of vertices are dropped.
    layer : Layer
    crs : pyproj.CRS or None
        The county's. None skips the check (tables without geometry).

    Raises
    ------
    InputError
        For another CRS, a missing, blank or repeated key, a value that its column cannot hold, a column name that we
        cannot store, or more than 500 columns that the schema does not know.
    """
    geometry = _geometry(frame, layer, crs)
    attributes = (
        frame.drop(columns=frame.geometry.name)
        if isinstance(frame, gpd.GeoDataFrame) and _has_geometry(frame)
        else frame
    )
    names = [str(c) for c in attributes.columns if str(c) not in RESERVED]
    _check_names(names, layer)
    columns = {}
    for name in names:
        declared = layer.column(name)
        column = attributes[name]
        columns[name] = (
            _typed(column, storage_kind(declared.kind), layer, name) if declared else _inferred(column, layer, name)
        )
    if layer.key not in columns:
        raise InputError(
            Text(f"“{layer.title.zh}”缺少编号列 {layer.key}。", f"{layer.name} has no column {layer.key}."),
            Text("每一行都要有编号。", "Every row needs its id."),
        )
    table = pa.table(columns)
    _check_keys(table.column(layer.key), layer)
    return Rows(table, geometry)


def frame_of(rows: Rows, crs: pyproj.CRS | None) -> pd.DataFrame:
    """Return rows as a frame with a plain index: a GeoDataFrame in ``crs`` when they carry geometry."""
    frame = pd.DataFrame({name: series_of(rows.table.column(name)) for name in rows.table.column_names})
    if rows.geometry is None:
        return frame
    out: pd.DataFrame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(rows.geometry, index=frame.index, crs=crs))
    return out


def series_of(column: pa.ChunkedArray) -> pd.Series[Any]:
    """Return a column in the pandas type of its kind, missing as NaN/NA."""
    kind = kind_of(column.type)
    if kind == "str":
        column = column.cast(pa.large_string())
        return pd.Series(pd.StringDtype("pyarrow", na_value=np.nan).__from_arrow__(column))  # type: ignore[attr-defined]  # pandas-stubs leave it out
    if kind == "int":
        return pd.Series(pd.Int64Dtype().__from_arrow__(column))  # type: ignore[attr-defined]  # as above
    if kind == "bool":
        return pd.Series(pd.BooleanDtype().__from_arrow__(column))  # type: ignore[attr-defined]  # as above
    return pd.Series(column.to_numpy().astype("float64", copy=False))


def geometries_of(wkb: pa.ChunkedArray | Sequence[bytes | None]) -> Geometries:
    """Return the geometry of a WKB column; missing stays None, and so becomes what another program left unreadable."""
    if isinstance(wkb, pa.ChunkedArray):
        wkb = wkb.to_numpy(zero_copy_only=False)
    out: Geometries = shapely.from_wkb(np.asarray(wkb, dtype=object), on_invalid="ignore")
    return out


def nulls(kind: Kind, n: int) -> pa.Array:
    """Return ``n`` missing values of a kind."""
    return pa.nulls(n, ARROW[kind])


def _has_geometry(frame: gpd.GeoDataFrame) -> bool:
    return frame.active_geometry_name is not None


def _geometry(frame: pd.DataFrame, layer: Layer, crs: pyproj.CRS | None) -> Geometries | None:
    if not layer.spatial:
        return None
    if not isinstance(frame, gpd.GeoDataFrame) or not _has_geometry(frame):
        return np.full(len(frame), None, dtype=object)
    theirs = frame.crs
    if crs is not None and len(frame) and (theirs is None or not theirs.equals(crs, ignore_axis_order=True)):
        saw = theirs.to_string()[:60] if theirs is not None else None
        raise InputError(
            Text(
                f"“{layer.title.zh}”{'的坐标系是 ' + saw if saw else '没有坐标系'}，本县用 {crs.to_string()[:60]}。",
                f"{layer.name} {'is in ' + saw if saw else 'has no CRS'}; this county keeps {crs.to_string()[:60]}.",
            ),
            Text("请先转换坐标系。", "Transform it first."),
        )
    plane: Geometries = shapely.force_2d(frame.geometry.to_numpy())
    return plane


def _check_names(names: list[str], layer: Layer) -> None:
    further = [n for n in names if layer.column(n) is None]
    if len(further) > MAX_FURTHER_COLUMNS:
        raise InputError(
            Text(
                f"“{layer.title.zh}”有 {len(further)} 个未知列。", f"{layer.name} has {len(further)} unknown columns."
            ),
            Text(
                f"最多保存 {MAX_FURTHER_COLUMNS} 个，请先删去不用的列。",
                f"At most {MAX_FURTHER_COLUMNS} are kept; drop those not needed.",
            ),
        )
    seen: dict[str, str] = {n.casefold(): n for n in RESERVED} | {c.name.casefold(): c.name for c in layer.columns}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name or not name.strip() or len(name.encode()) > 60 or "\0" in name or names.count(name) > 1:
            raise InputError(
                Text(
                    f"列名“{name[:40]}”不能用（与“{other[:40]}”重复，或太长、为空）。",
                    f"The column name {name[:40]!r} cannot be used (same as {other[:40]!r}, too long, or blank).",
                ),
                Text("请先改名。", "Rename it first."),
            )


def _check_keys(keys: pa.ChunkedArray, layer: Layer) -> None:
    index = pd.Index(series_of(keys))
    blank = np.flatnonzero(index.isna() | (index.str.strip() == "").astype(bool)) if len(index) else np.empty(0, int)
    if len(blank):
        raise InputError(
            Text(
                f"“{layer.title.zh}”有 {len(blank)} 行没有 {layer.key}（第一处：第 {blank[0] + 1} 行）。",
                f"{len(blank)} rows of {layer.name} have no {layer.key} (the first is row {blank[0] + 1}).",
            ),
            Text("请先补上编号。", "Give every row an id first."),
        )
    if not index.is_unique:
        twice = index[index.duplicated()].unique()
        some = " ".join(map(str, twice[:5])) + (" …" if len(twice) > 5 else "")
        raise InputError(
            Text(
                f"“{layer.title.zh}”有 {len(twice)} 个重复的 {layer.key}：{some}。",
                f"{len(twice)} values of {layer.key} in {layer.name} occur more than once: {some}.",
            ),
            Text("每个编号只能出现一次。", "An id may occur once only."),
        )


def _typed(column: pd.Series[Any], kind: Kind, layer: Layer, name: str) -> pa.Array:
    if kind == "str":
        return _text(column)
    try:
        if kind == "bool":
            return pa.array(column.astype("boolean"), type=pa.bool_(), from_pandas=True)
        if not pd.api.types.is_numeric_dtype(column.dtype):
            column = pd.to_numeric(column)
        number = column.to_numpy(dtype="float64", na_value=np.nan) if kind == "float" else None
        if number is not None:
            return pa.array(number, mask=np.isnan(number))
        if pd.api.types.is_float_dtype(column.dtype):
            column = column.astype("Float64")
            if column.mod(1).fillna(0).ne(0).any():
                raise ValueError(next(v for v in column.dropna() if v % 1))
        return pa.array(column.astype("Int64"), type=pa.int64(), from_pandas=True)
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        what = {"int": ("整数", "whole numbers"), "float": ("数值", "numbers"), "bool": ("是/否", "yes/no values")}[
            kind
        ]
        bad = str(error).strip()[:80]
        raise InputError(
            Text(
                f"“{layer.title.zh}”的 {name} 列应为{what[0]}（{bad}）。",
                f"Column {name} of {layer.name} takes {what[1]} ({bad}).",
            ),
            Text("请先改正这些值。", "Correct these values first."),
        ) from error


def _inferred(column: pd.Series[Any], layer: Layer, name: str) -> pa.Array:
    dtype = column.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return _typed(column, "bool", layer, name)
    if pd.api.types.is_integer_dtype(dtype):
        return _typed(column, "int", layer, name)
    if pd.api.types.is_float_dtype(dtype):
        return _typed(column, "float", layer, name)
    if isinstance(dtype, np.dtype) and dtype.hasobject:
        guess = pd.api.types.infer_dtype(column, skipna=True)
        kinds: Mapping[str, Kind] = {
            "boolean": "bool",
            "integer": "int",
            "floating": "float",
            "mixed-integer-float": "float",
        }
        if guess in kinds:
            return _typed(column, kinds[guess], layer, name)
    return _text(column)


def _text(column: pd.Series[Any]) -> pa.Array:
    if isinstance(column.dtype, pd.StringDtype):
        return pa.array(column, type=pa.string(), from_pandas=True)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        whole_days = bool((column.dropna() == column.dropna().dt.normalize()).all())
        words = column.dt.strftime("%Y-%m-%d" if whole_days else "%Y-%m-%dT%H:%M:%S").astype(object)
        return pa.array(
            [None if missing else w for w, missing in zip(words, column.isna(), strict=True)], type=pa.string()
        )
    return pa.array([_word(v) for v in column.astype(object)], type=pa.string())


def _word(value: Any) -> str | None:
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return ";".join(str(v) for v in value)
    if value is None or pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a number read as 12.0 was written 12
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
