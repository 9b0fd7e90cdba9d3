"""This module reads and writes the rows of one layer inside an open transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
import sqlalchemy as sa

from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.store import tables
from mapapp.store.dialects import Dialect
from mapapp.store.frames import ARROW, Geometries, Kind, Rows, geometries_of, kind_of, storage_kind
from mapapp.store.sql import Box, python_values, table

BESIDE_FINDINGS = ("note", "decided_by", "decided_at")
"""What a decision adds to a finding."""

_CHUNK = 20_000


def create_missing(connection: sa.Connection, dialect: Dialect) -> None:
    """Make tables and columns that the schema declares and the database lacks."""
    known = set(connection.execute(sa.select(tables.layers.c.layer)).scalars())
    for layer in schema.layers().values():
        if layer.name not in known:
            connection.execute(sa.insert(tables.layers).values(layer=layer.name, counter=0, token="new"))  # noqa: S106  # no secret
            dialect.create_layer(connection, layer)
        there = dialect.columns(connection, layer.name)
        for column in layer.columns:
            if column.name not in there:
                dialect.add_column(connection, layer.name, column.name, storage_kind(column.kind))
        if layer.name == "findings":
            for name in BESIDE_FINDINGS:
                if name not in there:
                    dialect.add_column(connection, layer.name, name, "str")


def version(connection: sa.Connection, layer: str) -> str:
    """Return the layer's version: another after every write by anybody."""
    row = connection.execute(
        sa.select(tables.layers.c.counter, tables.layers.c.token).where(tables.layers.c.layer == layer)
    ).one()
    return f"{row.counter}-{row.token}"


def latest_revision(connection: sa.Connection) -> int:
    """Return the number of the last change to any layer; 0 when there was none."""
    latest = sa.select(sa.func.coalesce(sa.func.max(tables.revisions.c.revision), 0))
    return int(connection.execute(latest).scalar_one())


def count(connection: sa.Connection, layer: str) -> int:
    """Return how many rows a layer holds."""
    return int(connection.execute(sa.select(sa.func.count()).select_from(table(layer))).scalar_one())


def picked_columns(stored: Mapping[str, Kind], columns: Sequence[str] | None, layer: Layer) -> dict[str, Kind]:
    """Return the columns to read with their kinds.

    Raises
    ------
    InputError
        For a column that there is not.
    """
    if columns is None:
        order = [layer.key, *(c.name for c in layer.columns), *stored]
        return {name: stored[name] for name in dict.fromkeys(order) if name in stored}
    known = {**stored, "row_version": "int"}
    unknown = [c for c in columns if c not in known and c != "geometry"]
    if unknown:
        raise InputError(
            Text(f"“{layer.title.zh}”没有名为“{unknown[0]}”的列。", f"{layer.name} has no column {unknown[0]!r}."),
            Text(f"可用的列：{' '.join(known)}。", f"Columns: {' '.join(known)}."),
        )
    return {name: known[name] for name in dict.fromkeys(columns) if name != "geometry"}


def conditions(
    dialect: Dialect,
    layer: Layer,
    stored: Mapping[str, Kind],
    *,
    ids: Sequence[str] | None = None,
    bbox: Box | None = None,
    where: Mapping[str, Any] | None = None,
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of a read; see `Database.read`."""
    out: list[sa.ColumnElement[bool]] = []
    if ids is not None:
        out.append(dialect.among(sa.column(layer.key), [str(i) for i in ids]))
    if bbox is not None and layer.spatial:
        out.append(dialect.within(layer.name, bbox))
    for name, wanted in (where or {}).items():
        picked_columns(stored, [name], layer)
        values, missing = wanted_values(wanted, stored.get(name, "int"))
        column: sa.ColumnClause[Any] = sa.column(name)
        some = dialect.among(column, values) if values else sa.false()
        out.append(sa.or_(some, column.is_(None)) if missing else some)
    return out


def wanted_values(wanted: Any, kind: Kind) -> tuple[list[Any], bool]:
    """Return the values that a condition accepts, in the column's kind, and whether it accepts missing ones.

    Raises
    ------
    InputError
        For a value that a column of this kind cannot hold.
    """
    several = isinstance(wanted, (list, tuple, set, frozenset, np.ndarray))
    items = list(wanted) if several else [wanted]
    cast = {"str": str, "int": int, "float": float, "bool": bool}[kind]
    try:
        return [cast(v) for v in items if v is not None], any(v is None for v in items)
    except (TypeError, ValueError) as error:
        raise InputError(Text(f"条件的值不合适：{items}。", f"These values do not fit the column: {items}.")) from error


def read_arrow(
    connection: sa.Connection,
    dialect: Dialect,
    layer: Layer,
    columns: Mapping[str, Kind],
    *,
    geometry: bool = True,
    where: Sequence[sa.ColumnElement[bool]] = (),
    committed: bool = False,
) -> pa.Table:
    """Return rows as Arrow, geometry as WKB in a last column ``geometry``.

    ``committed`` says that the transaction has not changed this layer, which lets a writer read as fast as a reader.
    """
    with_geometry = geometry and layer.spatial
    return dialect.read(connection, layer.name, columns, geometry=with_geometry, where=where, committed=committed)


def rows_of_arrow(got: pa.Table, layer: Layer) -> Rows:
    """Return an Arrow table with its WKB decoded."""
    if "geometry" not in got.column_names:
        return Rows(got, np.full(got.num_rows, None, dtype=object) if layer.spatial else None)
    return Rows(got.drop_columns(["geometry"]), geometries_of(got.column("geometry")))


def arrow_of_rows(rows: Rows) -> pa.Table:
    """Return rows as one Arrow table, geometry as WKB."""
    if rows.geometry is None:
        return rows.table
    return rows.table.append_column("geometry", pa.array(shapely.to_wkb(rows.geometry, byte_order=1), type=pa.binary()))


def read(connection: sa.Connection, dialect: Dialect, layer: Layer, *, ids: Sequence[str] | None = None) -> Rows:
    """Return all columns of all rows, or of the rows with these ids."""
    stored = dialect.columns(connection, layer.name)
    where = conditions(dialect, layer, stored, ids=ids)
    columns = picked_columns(stored, None, layer)
    return rows_of_arrow(read_arrow(connection, dialect, layer, columns, where=where), layer)


def fit_columns(connection: sa.Connection, dialect: Dialect, layer: Layer, rows: Rows) -> Rows:
    """Add columns that a frame brings along, and return the rows in the kinds that are stored.

    A column that held numbers and now brings words becomes text.
    """
    stored = dialect.columns(connection, layer.name)
    by_fold = {name.casefold(): name for name in stored}
    columns = {}
    for name in rows.table.column_names:
        column = rows.table.column(name)
        kind = kind_of(column.type)
        there = by_fold.get(name.casefold())
        if there is None:
            dialect.add_column(connection, layer.name, name, kind)
        elif stored[there] != kind:
            column = _refit(connection, dialect, layer, there, stored[there], column)
        columns[there or name] = column
    return Rows(pa.table(columns), rows.geometry)


def _refit(
    connection: sa.Connection, dialect: Dialect, layer: Layer, name: str, stored: Kind, column: pa.ChunkedArray
) -> pa.ChunkedArray:
    try:
        return column.cast(ARROW[stored])
    except pa.ArrowException:
        dialect.widen(connection, layer.name, name)
        return column.cast(pa.string())


def insert(connection: sa.Connection, dialect: Dialect, layer: Layer, rows: Rows) -> None:
    """Insert rows whose columns are there (`fit_columns`)."""
    if len(rows):
        dialect.insert(connection, layer, rows, 1)


def update(connection: sa.Connection, dialect: Dialect, layer: Layer, rows: Rows, *, indexed: bool) -> None:
    """Give existing rows new values in all columns of ``rows`` but the key; each row's version goes up by one.

    ``indexed`` says that triggers keep the spatial index; otherwise it is brought up to date here.
    """
    if not len(rows):
        return
    names = [c for c in rows.table.column_names if c != layer.key]
    target = table(layer.name, [layer.key, *names])
    values: dict[str, Any] = {name: sa.bindparam(f"p{i}") for i, name in enumerate(names)}
    if rows.geometry is not None:
        values["geom"] = dialect.geometry_value("g")
    values["row_version"] = target.c.row_version + 1
    statement = sa.update(target).where(target.c[layer.key] == sa.bindparam("k")).values(values)
    ids = python_values(rows.table.column(layer.key))
    for at in range(0, len(rows), _CHUNK):
        part = rows.table.slice(at, _CHUNK)
        columns = {f"p{i}": python_values(part.column(name)) for i, name in enumerate(names)}
        columns["k"] = ids[at : at + _CHUNK]
        if rows.geometry is not None:
            columns["g"] = dialect.encode(rows.geometry[at : at + _CHUNK])
        keys = list(columns)
        connection.execute(statement, [dict(zip(keys, r, strict=True)) for r in zip(*columns.values(), strict=True)])
    if rows.geometry is not None and not indexed:
        dialect.reindex(connection, layer.name, layer.key, ids, rows.geometry)


def delete(connection: sa.Connection, dialect: Dialect, layer: Layer, ids: Sequence[str]) -> None:
    """Delete the rows with these ids."""
    if len(ids):
        connection.execute(sa.delete(table(layer.name)).where(dialect.among(sa.column(layer.key), list(ids))))


def box_of(geometry: Geometries | None) -> Box | None:
    """Return the box around geometry; None when there is none."""
    if geometry is None or not len(geometry):
        return None
    box = shapely.total_bounds(geometry)
    return None if np.isnan(box[0]) else (float(box[0]), float(box[1]), float(box[2]), float(box[3]))


def types_of(geometry: Geometries | None) -> set[str]:
    """Return the names of the geometry types that occur."""
    if geometry is None:
        return set()
    ids = np.unique(shapely.get_type_id(geometry))
    return {_TYPES[i] for i in ids.tolist() if i >= 0}


_TYPES = (
    "POINT",
    "LINESTRING",
    "LINESTRING",
    "POLYGON",
    "MULTIPOINT",
    "MULTILINESTRING",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
)
