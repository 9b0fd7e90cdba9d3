"""This module puts into the history what other programs changed in a GeoPackage, from the notes of `triggers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
import sqlalchemy as sa

from mapapp.core import schema
from mapapp.core.schema import Layer
from mapapp.store import gpkg, history, layers
from mapapp.store.dialects import Dialect
from mapapp.store.frames import ARROW, Kind, Rows, kind_of
from mapapp.store.session import Write
from mapapp.store.sql import table

EXTERNAL = "外部编辑 external"
"""Who changed it, as the history says: another program, which does not tell its user's name."""

_ONE_BY_ONE = 500
"""So many rows get a record each, which can be taken back alone; more are one block."""


@dataclass(slots=True)
class _Fate:
    """What became of one row since we looked last."""

    kind: str
    at: str
    before: dict[str, Any] = field(default_factory=dict)


def absorb(connection: sa.Connection, dialect: Dialect) -> None:
    """Turn the notes into history, one revision for each layer, and clear them; inside a write transaction of ours."""
    noted = connection.exec_driver_sql(
        'SELECT at, layer, kind, feature_id, "column", before FROM mapapp_outside WHERE seq > 0 ORDER BY seq'
    ).all()
    if not noted:
        return
    connection.exec_driver_sql("DELETE FROM mapapp_outside WHERE seq > 0")
    by_layer: dict[str, dict[str, _Fate]] = {}
    for at, layer, kind, feature_id, column, before in noted:
        _follow(by_layer.setdefault(layer, {}), at, kind, str(feature_id), column, before)
    for name, fates in by_layer.items():
        if name in schema.layers() and fates:
            write = Write(connection, EXTERNAL, "outside", name)
            write.at = max(fate.at for fate in fates.values())
            _record(write, dialect, schema.layer(name), fates)


def _follow(fates: dict[str, _Fate], at: str, kind: str, key: str, column: str | None, before: Any) -> None:
    """Fold one note into the fates: of several changes of a cell the first tells what it held."""
    fate = fates.get(key)
    if kind == "add":
        if fate is None:
            fates[key] = _Fate("add", at)
        else:  # it went and came back
            fate.kind, fate.at = "change", at
        return
    if fate is None:
        fate = fates[key] = _Fate(kind, at)
    elif fate.kind == "add":
        if kind == "remove":
            del fates[key]  # it came and went: the notes of its cells find nothing to tell
            fates[key] = _Fate("gone", at)
        return
    elif fate.kind == "gone":
        return
    fate.at = at
    if kind == "remove":
        fate.kind = "remove"
    if column is not None:
        fate.before.setdefault(column, before)


def _record(write: Write, dialect: Dialect, layer: Layer, fates: Mapping[str, _Fate]) -> None:
    there = [key for key, fate in fates.items() if fate.kind in ("add", "change")]
    stored = layers.read(write.connection, dialect, layer, ids=there)
    at_key = {str(k): i for i, k in enumerate(stored.table.column(layer.key).to_pylist())}
    new = [k for k, fate in fates.items() if fate.kind == "add" and k in at_key]
    if new:  # the first we see of a row is its first version, whatever became of it before
        source = table(layer.name, [layer.key])
        fresh = dialect.among(source.c[layer.key], new)
        write.connection.execute(sa.update(source).where(fresh, source.c.row_version != 1).values(row_version=1))
    for kind in ("remove", "change", "add"):
        keys = [k for k, fate in fates.items() if fate.kind == kind and (kind == "remove" or k in at_key)]
        size = 1 if len(keys) <= _ONE_BY_ONE else len(keys)
        for start in range(0, len(keys), size):
            some = keys[start : start + size]
            after = None if kind == "remove" else stored.take(np.array([at_key[k] for k in some]))
            before = None if kind == "add" else _held(stored, layer, some, [fates[k].before for k in some], after)
            version = _row_version(write, layer, some[0]) if size == 1 and kind != "remove" else None
            history.record(write, layer, kind, before=before, after=after, row_version=version)


def _row_version(write: Write, layer: Layer, key: str) -> int | None:
    source = table(layer.name, [layer.key])
    return write.connection.execute(sa.select(source.c.row_version).where(source.c[layer.key] == key)).scalar()


def _held(like: Rows, layer: Layer, keys: Sequence[str], told: Sequence[Mapping[str, Any]], after: Rows | None) -> Rows:
    """Return what the rows held: as ``after`` but for what was noted; as noted alone where they are gone."""
    columns = {}
    for name in like.table.column_names:
        kind = kind_of(like.table.schema.field(name).type)
        now: list[Any] = [None] * len(keys) if after is None else after.table.column(name).to_pylist()
        values = [_typed(one[name], kind) if name in one else v for one, v in zip(told, now, strict=True)]
        columns[name] = pa.chunked_array([pa.array(list(keys) if name == layer.key else values, type=ARROW[kind])])
    geometry = None
    if like.geometry is not None:
        geometry = (
            np.full(len(keys), None, dtype=object) if after is None or after.geometry is None else after.geometry.copy()
        )
        for i, one in enumerate(told):
            if "geom" in one:
                geometry[i] = shapely.from_wkb(gpkg.wkb(one["geom"])) if one["geom"] is not None else None
    return Rows(pa.table(columns), geometry)


def _typed(value: Any, kind: Kind) -> Any:
    """Return a value of SQLite, which stores anything anywhere, as the column's kind; None where it is no such thing."""
    if value is None:
        return None
    try:
        return {"str": str, "int": int, "float": float, "bool": bool}[kind](value)
    except (TypeError, ValueError):
        return None
