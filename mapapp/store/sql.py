"""This module holds the little SQL that both databases share: quoting, tables for SQLAlchemy, rows to Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from mapapp.store.frames import kind_of

Box = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax in the county's CRS."""

INTERNAL = frozenset({"fid", "geom", "row_version"})
"""Columns that are ours and not the layer's."""


def quoted(name: str) -> str:
    """Return an identifier quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def table(name: str, columns: Iterable[str] = ()) -> sa.TableClause:
    """Return a layer's table for SQLAlchemy Core, with these columns besides the internal ones."""
    return sa.table(name, *(sa.column(c) for c in dict.fromkeys((*columns, "fid", "geom", "row_version"))))


def table_of(names: Sequence[str], types: Sequence[pa.DataType], parts: Iterable[list[tuple[Any, ...]]]) -> pa.Table:
    """Return fetched rows as an Arrow table; 0 and 1 in a boolean column become booleans."""
    schema = pa.schema(list(zip(names, types, strict=True)))
    batches = []
    for rows in parts:
        columns = [
            pa.array([None if v is None else bool(v) for v in column] if kind == pa.bool_() else column, type=kind)
            for column, kind in zip(zip(*rows, strict=True), types, strict=True)
        ]
        batches.append(pa.record_batch(columns, schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


def python_values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column as Python values, missing as None."""
    if kind_of(column.type) in ("str", "bool") or column.null_count:
        return column.to_pylist()  # type: ignore[no-any-return]  # pyarrow is untyped
    return column.to_numpy(zero_copy_only=False).tolist()  # type: ignore[no-any-return]  # three times as fast
