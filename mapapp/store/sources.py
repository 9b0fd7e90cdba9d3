"""This module keeps where every stored value came from: file, sheet, cell and the words that stood there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from mapapp.store import history, tables
from mapapp.store.changes import Changes
from mapapp.store.frames import series_of
from mapapp.store.session import Write

COLUMNS = ("column", "kind", "file", "sheet", "cell", "raw", "sha256", "at", "by", "revision")
_BLOCK = 500_000

Source = str | Mapping[str, Any]
"""A file's name, or a mapping with ``file`` and ``sha256``."""


def record(write: Write, changes: Changes, key: str, source: Source | None, trace: pd.DataFrame | None) -> None:
    """Record a source and, of its trace, the cells of the rows that were added or changed.

    Parameters
    ----------
    trace : DataFrame, optional
        ``row`` (position in the imported frame, from 0), ``column``, ``file``, ``sheet``, ``cell``, ``raw``.
    """
    if source is None and trace is None:
        return
    given: Mapping[str, Any] = source if isinstance(source, Mapping) else {"file": source}
    files = list(trace["file"].dropna().unique()) if trace is not None and "file" in trace else []
    name = str(given.get("file") or (files[0] if files else "") or "-")
    bodies: list[bytes | None] = [history.pack(part) for part in _parts(changes, key, trace)] or [None]
    for body in bodies:
        write.connection.execute(
            sa.insert(tables.sources).values(
                revision=write.revision, layer=changes.layer, file=name, sha256=given.get("sha256"), trace=body
            )
        )


def _parts(changes: Changes, key: str, trace: pd.DataFrame | None) -> list[pa.Table]:
    if trace is None or not len(trace) or changes.incoming is None or changes.to_change is None:
        return []
    ids = series_of(changes.incoming.table.column(key))
    kept = set(changes.added_ids) | set(series_of(changes.to_change.table.column(key)))
    rows = pd.to_numeric(trace["row"])
    trace = trace[rows.between(0, len(ids) - 1)]
    columns = {"id": ids.iloc[trace["row"].astype(int)].reset_index(drop=True)}
    columns |= {c: trace[c].reset_index(drop=True) for c in ("column", "file", "sheet", "cell", "raw") if c in trace}
    frame = pd.DataFrame(columns)
    frame = frame[frame["id"].isin(kept)]
    words = {
        c: pa.array([None if pd.isna(v) else str(v) for v in frame[c]], type=pa.string()).dictionary_encode()
        for c in frame
    }
    table = pa.table(words)
    return [table.slice(at, _BLOCK) for at in range(0, table.num_rows, _BLOCK)]


def trace(connection: sa.Connection, layer: str, feature_id: str, column: str | None) -> pd.DataFrame:
    """Return where a row's values came from, newest first; see `Database.trace`."""
    s, r = tables.sources, tables.revisions
    parts = [_edits(connection, layer, feature_id, column)]
    told = history.read(connection, layer, feature_id)
    touched = set(told["revision"].dropna().astype(int))
    query = sa.select(s, r.c.at, r.c.by).join(r, r.c.revision == s.c.revision).where(s.c.layer == layer)
    for row in connection.execute(query):
        if row.revision not in touched:
            continue
        if row.trace is None:
            found = pd.DataFrame({"column": [column], "file": [row.file]})
        else:
            packed = history.unpack(row.trace)
            found = (
                packed.filter(pc.equal(packed.column("id").cast(pa.string()), feature_id)).to_pandas().astype(object)
            )
            found = found.drop(columns="id")
            if "file" in found:
                found["file"] = found["file"].where(found["file"].notna(), row.file)
            else:
                found["file"] = row.file
            if column is not None:
                found = found[found["column"] == column]
        found = found.assign(kind="import", sha256=row.sha256, at=row.at, by=row.by, revision=row.revision)
        parts.append(found)
    out = pd.concat([p.astype(object) for p in parts], ignore_index=True).reindex(columns=list(COLUMNS))
    out = out.sort_values("revision", ascending=False, kind="stable").reset_index(drop=True)
    return out.astype({c: "str" for c in COLUMNS if c != "revision"} | {"revision": "Int64"})


def _edits(connection: sa.Connection, layer: str, feature_id: str, column: str | None) -> pd.DataFrame:
    told = history.read(connection, layer, feature_id)
    imports = set(
        connection.execute(sa.select(tables.sources.c.revision).where(tables.sources.c.layer == layer)).scalars()
    )
    by_hand = told[~told["revision"].isin(imports) & told["column"].notna()]
    if column is not None:
        by_hand = by_hand[by_hand["column"] == column]
    out = by_hand[["column", "after", "at", "by", "revision"]].rename(columns={"after": "raw"})
    out["raw"] = [None if v is None else str(v)[:200] for v in out["raw"]]
    return out.assign(kind="edit")
