"""This module freezes the county "as of a date" and reads what was frozen.

A layer is cut into blocks by order of arrival; a block is stored under the SHA-256 of its Parquet bytes. An unchanged
layer costs one row of the manifest, a layer with one changed pipe one new block.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
import sqlalchemy as sa

from mapapp.core import schema
from mapapp.core.errors import NotFoundError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.store import layers, tables
from mapapp.store.dialects import Dialect
from mapapp.store.frames import ARROW, Kind, geometries_of, kind_of
from mapapp.store.session import now
from mapapp.store.sql import Box

_BLOCK = 65_536


@dataclass(frozen=True)
class Snapshot:
    """One frozen state: ``id`` for `Database.read`, the date it stands for, when and by whom it was made."""

    id: int
    as_of: str
    created_at: str
    created_by: str
    title: str | None
    revision: int


@dataclass(frozen=True)
class Frozen:
    """One layer of a snapshot."""

    layer: str
    version: str
    rows: int
    blocks: tuple[str, ...]
    bounds: Box | None


def freeze(connection: sa.Connection, dialect: Dialect, as_of: str, by: str, title: str | None) -> Snapshot:
    """Freeze every layer and derived table inside a write transaction."""
    revision = layers.latest_revision(connection)
    made = now()
    done = connection.execute(
        sa.insert(tables.snapshots).values(as_of=as_of, created_at=made, created_by=by, title=title, revision=revision)
    )
    assert done.inserted_primary_key is not None
    number = int(done.inserted_primary_key[0])
    s = tables.snapshot_layers
    for layer in schema.layers().values():
        version = layers.version(connection, layer.name)
        same = connection.execute(
            sa.select(s.c.content, s.c.rows, s.c.blocks, s.c.bounds)
            .where(s.c.layer == layer.name, s.c.version == version)
            .order_by(s.c.snapshot_id.desc())
            .limit(1)
        ).first()
        values: Mapping[str, Any] = dict(same._mapping) if same else _store(connection, dialect, layer)
        connection.execute(sa.insert(s).values(snapshot_id=number, layer=layer.name, version=version, **values))
    return Snapshot(number, as_of, made, by, title, revision)


def _store(connection: sa.Connection, dialect: Dialect, layer: Layer) -> dict[str, Any]:
    stored = dialect.columns(connection, layer.name)
    columns = layers.picked_columns(stored, None, layer)
    got = layers.read_arrow(connection, dialect, layer, columns, committed=True)
    shas = []
    for at in range(0, got.num_rows, _BLOCK):
        part = got.slice(at, _BLOCK).combine_chunks()
        body = pa.BufferOutputStream()
        pq.write_table(part, body, compression="zstd", store_schema=True)
        raw = body.getvalue().to_pybytes()
        sha = hashlib.sha256(raw).hexdigest()
        there = connection.execute(sa.select(tables.blocks.c.rows).where(tables.blocks.c.sha256 == sha)).first()
        if there is None:
            connection.execute(sa.insert(tables.blocks).values(sha256=sha, rows=part.num_rows, body=raw))
        shas.append(sha)
    box = None
    if layer.spatial and got.num_rows:
        box = layers.box_of(layers.rows_of_arrow(got.select(["geometry"]), layer).geometry)
    content = hashlib.sha256("".join([layer.name, *columns, *shas]).encode()).hexdigest()
    return {"content": content[:16], "rows": got.num_rows, "blocks": json.dumps(shas), "bounds": json.dumps(box)}


def all_of(connection: sa.Connection) -> list[Snapshot]:
    """Return every snapshot, oldest first."""
    s = tables.snapshots
    rows = connection.execute(sa.select(s).order_by(s.c.id)).all()
    return [Snapshot(r.id, r.as_of, r.created_at, r.created_by, r.title, r.revision) for r in rows]


def frozen(connection: sa.Connection, snapshot: int, layer: str) -> Frozen:
    """Return one layer of a snapshot; one that was declared later is empty.

    Raises
    ------
    NotFoundError
        When there is no such snapshot.
    """
    s = tables.snapshot_layers
    row = connection.execute(sa.select(s).where(s.c.snapshot_id == snapshot, s.c.layer == layer)).first()
    if row is not None:
        box = json.loads(row.bounds or "null")
        return Frozen(layer, row.content, row.rows, tuple(json.loads(row.blocks)), tuple(box) if box else None)
    there = [m.id for m in all_of(connection)]
    if snapshot not in there:
        raise NotFoundError(
            Text(f"没有编号为 {snapshot} 的快照。", f"There is no snapshot {snapshot}."),
            Text(
                f"现有：{'、'.join(map(str, there)) or '无'}。", f"There are: {', '.join(map(str, there)) or 'none'}."
            ),
        )
    return Frozen(layer, "empty", 0, (), None)


def columns_of(connection: sa.Connection, what: Frozen, live: Mapping[str, Kind]) -> dict[str, Kind]:
    """Return the columns of a frozen layer; those of the live layer when it was empty."""
    if not what.blocks:
        return dict(live)
    body = _body(connection, what.blocks[0])
    return {f.name: kind_of(f.type) for f in pq.read_schema(pa.BufferReader(body)) if f.name != "geometry"}


def read(
    connection: sa.Connection,
    what: Frozen,
    layer: Layer,
    columns: Mapping[str, Kind],
    *,
    geometry: bool,
    ids: Sequence[str] | None = None,
    bbox: Box | None = None,
    where: Mapping[str, Any] | None = None,
) -> pa.Table:
    """Return the rows of a frozen layer; conditions as in `Database.read`."""
    names = [*columns, *(["geometry"] if geometry and layer.spatial else [])]
    extra = [n for n in ([layer.key] if ids is not None else []) + list(where or {}) if n not in names]
    need_box = bbox is not None and layer.spatial and "geometry" not in names
    wanted = [*names, *extra, *(["geometry"] if need_box else [])]
    parts = []
    for sha in what.blocks:
        part = pq.read_table(pa.BufferReader(_body(connection, sha)), columns=list(dict.fromkeys(wanted)))
        mask = np.ones(part.num_rows, dtype=bool)
        if ids is not None:
            mask &= _among(part.column(layer.key), [str(i) for i in ids], missing=False)
        for name, value in (where or {}).items():
            values, missing = layers.wanted_values(value, kind_of(part.column(name).type))
            mask &= _among(part.column(name), values, missing=missing)
        if bbox is not None and layer.spatial:
            box = shapely.bounds(geometries_of(part.column("geometry")))
            mask &= (box[:, 0] <= bbox[2]) & (box[:, 2] >= bbox[0]) & (box[:, 1] <= bbox[3]) & (box[:, 3] >= bbox[1])
        parts.append(part.select(names) if mask.all() else part.select(names).filter(pa.array(mask)))
    if parts:
        return pa.concat_tables(parts)
    kinds = {n: ARROW[k] for n, k in columns.items()} | ({"geometry": pa.binary()} if "geometry" in names else {})
    return pa.schema(list(kinds.items())).empty_table()


def _among(column: pa.ChunkedArray, values: Sequence[Any], *, missing: bool) -> Any:
    hit = pc.is_in(column, pa.array(values, type=column.type)).to_numpy() if values else np.zeros(len(column), bool)
    return hit | column.is_null().to_numpy() if missing else hit & column.is_valid().to_numpy()


def _body(connection: sa.Connection, sha: str) -> bytes:
    return bytes(connection.execute(sa.select(tables.blocks.c.body).where(tables.blocks.c.sha256 == sha)).scalar_one())
