"""This module keeps what every change replaced: who, when, before and after, and the way back.

One record holds one row changed by hand, or a block of rows changed by an import. Its payload is a compressed Arrow
table: ids alone for rows added (what they held is what the next record replaced, or what is stored), whole rows for
rows removed, and for rows changed the columns that differ, before and after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
import sqlalchemy as sa
from shapely.geometry.base import BaseGeometry

from mapapp.core.schema import Layer
from mapapp.store import tables
from mapapp.store.frames import Rows, geometries_of, series_of
from mapapp.store.layers import arrow_of_rows
from mapapp.store.session import Write

_BLOCK = 200_000
COLUMNS = ("edit_id", "revision", "at", "by", "kind", "id", "column", "before", "after", "row_version", "undoes")


@dataclass(frozen=True)
class Edit:
    """One change that was made.

    Attributes
    ----------
    edit_id : int
        0 when the values were the stored ones already and nothing was written.
    revision : int
    layer : str
    id : str or None
        None for a block of many rows.
    kind : {"add", "change", "remove"}
    before, after : mapping
        The columns that differ; empty for a block.
    rows : int
    row_version : int or None
        Of the row after the edit; None when it is gone, or for a block.
    by, at : str
    """

    edit_id: int
    revision: int
    layer: str
    id: str | None
    kind: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    rows: int
    row_version: int | None
    by: str
    at: str


def pack(table: pa.Table) -> bytes:
    """Return a table as compressed Arrow IPC."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]  # pyarrow is untyped


def unpack(body: bytes) -> pa.Table:
    """Return what `pack` packed."""
    with pa.ipc.open_stream(body) as reader:
        return reader.read_all()


def record(
    write: Write,
    layer: Layer,
    kind: str,
    *,
    before: Rows | None = None,
    after: Rows | None = None,
    row_version: int | None = None,
    undoes: int | None = None,
) -> int:
    """Record rows added (``after``), removed (``before``) or changed (both, aligned); return the last record's id."""
    payload = _payload(layer, before, after)
    last = 0
    for at in range(0, payload.num_rows, _BLOCK):
        part = payload.slice(at, _BLOCK)
        done = write.connection.execute(
            sa.insert(tables.history).values(
                revision=write.revision,
                layer=layer.name,
                kind=kind,
                feature_id=part.column("id")[0].as_py() if payload.num_rows == 1 else None,
                rows=part.num_rows,
                row_version=row_version,
                undoes=undoes,
                payload=pack(part.combine_chunks()),
            )
        )
        assert done.inserted_primary_key is not None
        last = int(done.inserted_primary_key[0])
    return last


def _payload(layer: Layer, before: Rows | None, after: Rows | None) -> pa.Table:
    if before is None:
        assert after is not None
        return pa.table({"id": after.table.column(layer.key)})
    if after is None:
        whole = arrow_of_rows(before)
        some = [n for n in whole.column_names if n != layer.key and whole.column(n).null_count < len(before)]
        return pa.table({"id": whole.column(layer.key)} | {f"before.{n}": whole.column(n) for n in some})
    old, new = arrow_of_rows(before), arrow_of_rows(after)
    columns = {"id": old.column(layer.key)}
    for name in new.column_names:
        if name == layer.key:
            continue
        a, b = old.column(name), new.column(name)
        if a.type != b.type or not a.equals(b):
            columns |= {f"before.{name}": a, f"after.{name}": b}
    return pa.table(columns)


def read(
    connection: sa.Connection, layer: str, feature_id: str | None = None, *, edit_id: int | None = None
) -> pd.DataFrame:
    """Return the history as one row per changed cell, oldest first; see `Database.history`."""
    h, r = tables.history, tables.revisions
    query = (
        sa.select(h, r.c.at, r.c.by)
        .join(r, r.c.revision == h.c.revision)
        .where(h.c.layer == layer)
        .order_by(h.c.edit_id)
    )
    if feature_id is not None:
        query = query.where(sa.or_(h.c.feature_id == feature_id, h.c.feature_id.is_(None)))
    if edit_id is not None:
        query = query.where(h.c.edit_id == edit_id)
    parts = []
    for row in connection.execute(query):
        payload = unpack(row.payload)
        if feature_id is not None:
            payload = payload.filter(pc.equal(payload.column("id"), feature_id))
        if payload.num_rows:
            cells = _cells(payload, row.kind)
            for name in ("edit_id", "revision", "at", "by", "kind", "row_version", "undoes"):
                cells[name] = getattr(row, name)
            parts.append(cells)
    out = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({c: pd.Series(dtype=object) for c in COLUMNS})
    out = out[list(COLUMNS)]
    whole = dict.fromkeys(("edit_id", "revision", "row_version", "undoes"), "Int64")
    return out.astype(whole | dict.fromkeys(("at", "by", "kind", "id", "column"), "str"))


def _cells(payload: pa.Table, kind: str) -> pd.DataFrame:
    ids = series_of(payload.column("id")).to_numpy(dtype=object)
    names = list(dict.fromkeys(n.partition(".")[2] for n in payload.column_names if n != "id"))
    if not names:
        return pd.DataFrame(
            {"_row": range(len(ids)), "id": ids, "column": None, "before": None, "after": None}, dtype=object
        )
    parts = []
    for name in names:
        before, after = (_values(payload, f"{side}.{name}") for side in ("before", "after"))
        keep = _told_apart(before, after) if kind == "change" else ~_missing(before)
        at = np.flatnonzero(keep)
        parts.append(
            pd.DataFrame({"_row": at, "id": ids[at], "column": name, "before": before[at], "after": after[at]})
        )
    return pd.concat(parts, ignore_index=True).sort_values("_row", kind="stable")


def _values(payload: pa.Table, name: str) -> Any:
    if name not in payload.column_names:
        return np.full(payload.num_rows, None, dtype=object)
    if name.endswith(".geometry"):
        return geometries_of(payload.column(name))
    out = series_of(payload.column(name)).astype(object).to_numpy(copy=True)
    out[pd.isna(out)] = None
    return out


def _missing(values: Any) -> Any:
    return np.array([v is None for v in values], dtype=bool)


def _told_apart(before: Any, after: Any) -> Any:
    if any(isinstance(v, BaseGeometry) for v in (*before, *after)):
        both = shapely.equals_exact(before, after, 0)
        return ~(both | (_missing(before) & _missing(after)))
    return np.array([a is not b and a != b for a, b in zip(before, after, strict=True)], dtype=bool)
