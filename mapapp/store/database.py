"""This module is the county database as services see it; here its snapshots and its derived tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from mapapp.core import schema
from mapapp.core.errors import ConflictError, InputError, NotFoundError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.store import changes as comparing
from mapapp.store import history, layers, snapshots, tables
from mapapp.store.editing import Editor
from mapapp.store.frames import Rows, rows_of, series_of
from mapapp.store.session import for_people
from mapapp.store.snapshots import Snapshot
from mapapp.store.sql import python_values, table

_LOG = "decisions/"
FINDING_STATES = {
    "open": Text("待确认", "open"),
    "confirmed": Text("已确认", "confirmed"),
    "dismissed": Text("已排除", "dismissed"),
    "fixed": Text("已整改", "fixed"),
}


class Database(Editor):
    """An open county database. Close it, or use it in a ``with`` block.

    Safe to use from several threads; each process opens its own (after a fork, open again).

    Attributes
    ----------
    url : str
    users, shares, jobs : repositories
    """

    def snapshot(self, as_of: str, *, by: str, title: str | None = None) -> Snapshot:
        """Freeze all layers and derived tables as of a date (YYYY-MM-DD). What did not change is not copied again."""
        with self._session.writing(by, "snapshot") as write:
            return snapshots.freeze(write.connection, self._session.dialect, str(as_of), by, title)

    def snapshots(self) -> list[Snapshot]:
        """Return all snapshots, oldest first."""
        with self._session.reading() as connection:
            return snapshots.all_of(connection)

    def compare_snapshots(self, before: int, after: int | None, layer: str) -> pd.DataFrame:
        """Return what differs in a layer between two snapshots, or a snapshot and now (``after`` None).

        Returns
        -------
        DataFrame
            ``id kind column before after``; kind "add", "remove" (both without a column) or "change".
        """
        declared = schema.layer(layer)
        old, new = (layers.rows_of_arrow(self.read_arrow(layer, snapshot=s), declared) for s in (before, after))
        found = comparing.compare(old, new, declared, "replace")
        changed = found.differences.assign(kind="change")
        whole = [
            pd.DataFrame({"id": list(ids), "kind": kind, "column": None, "before": None, "after": None}, dtype=object)
            for kind, ids in (("add", found.added_ids), ("remove", found.removed_ids))
        ]
        out = pd.concat([p.astype(object) for p in (*whole, changed)], ignore_index=True)
        return out[["id", "kind", "column", "before", "after"]].astype({"id": "str", "kind": "str", "column": "str"})

    def replace_derived(self, derived: Mapping[str, pd.DataFrame], *, by: str) -> int:
        """Replace derived tables in one transaction and return the revision; tables not named stay as they are.

        Findings keep what planners decided, by ``finding_id``, also when one vanishes and comes back. A table whose
        content is the stored one is not written, so its version stays.
        """
        crs = self.crs
        incoming = {
            name: rows_of(_keyed(frame, _derived_layer(name)), _derived_layer(name), crs)
            for name, frame in derived.items()
        }
        with self._session.writing(by, "derive") as write:
            connection, dialect = write.connection, self._session.dialect
            changed = False
            for name, rows in incoming.items():
                layer = schema.layer(name)
                # decisions are left out of the hash: `decide` keeps the stored rows in step with them
                sha = hashlib.sha256(history.pack(layers.arrow_of_rows(rows).combine_chunks())).hexdigest()
                known = connection.execute(
                    sa.select(tables.layers.c.content).where(tables.layers.c.layer == name)
                ).scalar()
                if known == f"{layers.version(connection, name)} {sha}":
                    continue
                changed = True
                if name == "findings":
                    rows = _decided(rows, _decisions(connection))
                rows = layers.fit_columns(connection, dialect, layer, rows)
                with dialect.bulk(connection, layer, max(len(rows), layers.count(connection, name))) as aside:
                    connection.execute(sa.delete(table(name)))
                    if aside:
                        dialect.unindex(connection, layer)
                    layers.insert(connection, dialect, layer, rows)
                self._describe(connection, layer, [rows], shrunk=True)
                connection.execute(
                    sa.update(tables.layers)
                    .where(tables.layers.c.layer == name)
                    .values(content=f"{layers.version(connection, name)} {sha}")
                )
            return write.revision if changed else layers.latest_revision(connection)

    def decide(
        self, finding_id: str, status: str, note: str | None = None, *, by: str, expected: str | None = None,
        undoes: str | None = None,
    ) -> str:  # fmt: skip
        """Keep what a planner decided about a finding: open, confirmed, dismissed or fixed, with a note.

        The decision and its entry in the log, see `decisions`, are one transaction: there is never one without the
        other, and of two who decide at the same moment both are in the log.

        Parameters
        ----------
        undoes : str, optional
            ``decided_at`` of the decision that this one takes back; kept in the log.
        expected : str, optional
            ``decided_at`` as the planner saw it, an empty text where nothing was decided; None does not ask.

        Returns
        -------
        str
            ``decided_at`` of this decision.

        Raises
        ------
        ConflictError
            When somebody else decided since; it tells who, when and what.
        InputError
            For another status.
        NotFoundError
            When there is no such finding and never was a decision about it.
        """
        if status not in FINDING_STATES:
            raise InputError(
                Text(f"没有状态“{status}”。", f"There is no status {status!r}."),
                Text(f"可用：{'、'.join(FINDING_STATES)}。", f"Use one of {', '.join(FINDING_STATES)}."),
            )
        layer = schema.layer("findings")
        d = tables.decisions
        with self._session.writing(by, "decision", "findings") as write:
            connection = write.connection
            stored = layers.read(connection, self._session.dialect, layer, ids=[finding_id])
            known = connection.execute(sa.select(d).where(d.c.finding_id == finding_id)).first()
            if not len(stored) and known is None:
                raise NotFoundError(Text(f"没有编号为 {finding_id} 的问题。", f"There is no finding {finding_id}."))
            if expected is not None and expected != (known.decided_at if known else ""):
                raise _decided_since(known)
            values = {"status": status, "note": note, "decided_by": by, "decided_at": write.at}
            connection.execute(sa.delete(d).where(d.c.finding_id == finding_id))
            connection.execute(sa.insert(d).values(finding_id=finding_id, **values))
            entry: dict[str, str | None] = {"at": write.at, "by": by, "status": status, "note": note}
            told = [*_told(connection, finding_id, known), entry | ({"undoes": undoes} if undoes else {})]
            key = _LOG + finding_id
            connection.execute(sa.delete(tables.settings).where(tables.settings.c.key == key))
            connection.execute(sa.insert(tables.settings).values(key=key, value=json.dumps(told, ensure_ascii=False)))
            if not len(stored):
                return write.at
            history.record(write, layer, "change", before=stored, after=_with_values(stored, values))
            of_layer = tables.layers.c.layer == "findings"
            version = layers.version(connection, "findings")
            content = str(connection.execute(sa.select(tables.layers.c.content).where(of_layer)).scalar())
            source = table("findings", ["finding_id", *values])
            connection.execute(sa.update(source).where(source.c.finding_id == finding_id).values(values))
            if content.startswith(f"{version} "):
                now = layers.version(connection, "findings")
                kept = content.replace(version, now, 1)
                connection.execute(sa.update(tables.layers).where(of_layer).values(content=kept))
        return write.at

    def decisions(self, finding_id: str) -> list[dict[str, str | None]]:
        """Return what was decided about a finding, oldest first: ``at by status note``, and ``undoes`` where it took one back."""
        d = tables.decisions
        with self._session.reading() as connection:
            known = connection.execute(sa.select(d).where(d.c.finding_id == finding_id)).first()
            return _told(connection, finding_id, known)


def _told(
    connection: sa.Connection, finding_id: str, known: sa.Row[tuple[str, ...]] | None
) -> list[dict[str, str | None]]:
    """Return the log of a finding's decisions; one that was made before there was a log is its first."""
    mine = tables.settings.c.key == _LOG + finding_id
    told = connection.execute(sa.select(tables.settings.c.value).where(mine)).scalar()
    if told is not None:
        return list(json.loads(told))
    if known is None:
        return []
    return [{"at": known.decided_at, "by": known.decided_by, "status": known.status, "note": known.note}]


def _derived_layer(name: str) -> Layer:
    layer = schema.layer(name)
    if not layer.derived:
        raise ValueError(f"{name} is not a derived table")
    return layer


def _keyed(frame: pd.DataFrame, layer: Layer) -> pd.DataFrame:
    if layer.name != "candidates" or layer.key in frame.columns:
        return frame
    made = frame["compound_id"].astype("str") + ":" + frame["rank"].astype("Int64").astype("str")
    return frame.assign(**{layer.key: made})


def _decisions(connection: sa.Connection) -> pd.DataFrame:
    rows = connection.execute(sa.select(tables.decisions)).all()
    return pd.DataFrame([tuple(r) for r in rows], columns=[c.name for c in tables.decisions.c], dtype=object)


def _decided_since(known: sa.Row[tuple[str, ...]] | None) -> ConflictError:
    need = Text("请刷新后再决定。", "Reload and decide again.")
    if known is None:
        return ConflictError(Text("这条决定已被撤回。", "That decision was taken back."), need)
    note = f"（{known.note}）" if known.note else ""
    at = for_people(known.decided_at)
    return ConflictError(
        Text(
            f"{known.decided_by} 已于 {at} 把它定为“{FINDING_STATES[known.status].zh}”{note}。",
            f"{known.decided_by} decided {known.status!r} at {at}{f' ({known.note})' if note else ''}.",
        ),
        need,
    )


def _decided(rows: Rows, decisions: pd.DataFrame) -> Rows:
    """Return findings with what was decided about them; "open" where nothing was."""
    ids = series_of(rows.table.column("finding_id"))
    at = pd.Index(decisions["finding_id"]).get_indexer(ids)
    columns = {n: rows.table.column(n) for n in rows.table.column_names}
    for name in ("status", *layers.BESIDE_FINDINGS):
        mine = decisions[name].to_numpy(dtype=object)
        theirs = python_values(columns[name]) if name in columns and name == "status" else [None] * len(rows)
        default = "open" if name == "status" else None
        columns[name] = pa.chunked_array(
            [
                pa.array(
                    [mine[i] if i >= 0 else (t or default) for i, t in zip(at, theirs, strict=True)], type=pa.string()
                )
            ]
        )
    return Rows(pa.table(columns), rows.geometry)


def _with_values(rows: Rows, values: Mapping[str, str | None]) -> Rows:
    return rows.with_columns({n: pa.chunked_array([pa.array([v], type=pa.string())]) for n, v in values.items()})
