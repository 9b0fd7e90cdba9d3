"""This module changes single rows by hand, tells what changed, and takes changes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
import sqlalchemy as sa
from shapely.geometry.base import BaseGeometry

from mapapp.core import schema
from mapapp.core.errors import ConflictError, InputError, NotFoundError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.store import changes as comparing
from mapapp.store import history, layers, sources, tables
from mapapp.store.changes import Changes
from mapapp.store.frames import ARROW, Kind, Rows, geometries_of, kind_of, rows_of, series_of
from mapapp.store.history import Edit
from mapapp.store.importing import Importer, own_layer
from mapapp.store.session import Write, for_people
from mapapp.store.sql import python_values, table


class Editor(Importer):
    """What editing by hand adds to importing."""

    def edit(self, layer: str, id: str, values: Mapping[str, Any], *, by: str, expected: int | None = None) -> Edit:  # noqa: A002  # the contract's name
        """Change some columns of one row.

        Parameters
        ----------
        layer, id : str
        values : mapping
            Column to new value; None makes it missing; ``geometry`` takes a shapely geometry in `crs`.
        by : str
        expected : int, optional
            The ``row_version`` that the editor saw. Without it the last writer wins.

        Returns
        -------
        Edit
            With ``edit_id`` 0 when every value was stored already.

        Raises
        ------
        NotFoundError
            When there is no such row.
        InputError
            For an unknown column, a value that it cannot hold, or a new id.
        ConflictError
            When the row has another version by now; the message says who changed what and when.
        """
        declared = own_layer(layer)
        with self._session.writing(by, "edit", declared.name) as write:
            stored, version = self._row(write.connection, declared, id)
            if expected is not None and expected != version:
                raise self._conflict(write.connection, declared, id, expected, version)
            changed = _edited(stored, declared, id, values)
            changes = comparing.compare(stored, changed, declared, "replace")
            return self._one(write, declared, id, changes, version)

    def insert(self, layer: str, values: Mapping[str, Any], *, by: str) -> Edit:
        """Add one row by hand; ``values`` must hold the key.

        Raises
        ------
        ConflictError
            When there is a row with this id.
        InputError
            For an unknown column, or a value that it cannot hold.
        """
        declared = own_layer(layer)
        key = str(values.get(declared.key) or "").strip()
        if not key:
            raise InputError(Text(f"新的一行需要 {declared.key}。", f"A new row needs its {declared.key}."))
        with self._session.writing(by, "edit", declared.name) as write:
            blank = layers.read(write.connection, self._session.dialect, declared, ids=[])
            there = layers.read(write.connection, self._session.dialect, declared, ids=[key])
            if len(there):
                raise ConflictError(
                    Text(f"编号 {key} 已存在。", f"There is a row {key} already."),
                    Text("请换一个编号，或修改那一行。", "Use another id, or change that row."),
                )
            row = Rows(
                pa.table(
                    {
                        n: pa.array([key if n == declared.key else None], type=blank.table.schema.field(n).type)
                        for n in blank.table.column_names
                    }
                ),
                np.array([None], dtype=object) if declared.spatial else None,
            )
            new = _edited(row, declared, key, {k: v for k, v in values.items() if k != declared.key})
            return self._one(write, declared, key, comparing.compare(blank, new, declared, "replace"), 0)

    def delete(self, layer: str, id: str, *, by: str, expected: int | None = None) -> Edit:  # noqa: A002  # as in `edit`
        """Remove one row by hand; errors as in `edit`."""
        declared = own_layer(layer)
        with self._session.writing(by, "edit", declared.name) as write:
            stored, version = self._row(write.connection, declared, id)
            if expected is not None and expected != version:
                raise self._conflict(write.connection, declared, id, expected, version)
            nobody = stored.take(np.empty(0, dtype=int))
            return self._one(write, declared, id, comparing.compare(stored, nobody, declared, "replace"), version)

    def row_version(self, layer: str, id: str) -> int:  # noqa: A002  # as in `edit`
        """Return the version of a row, for `edit`'s ``expected``; NotFoundError when there is no such row."""
        declared = schema.layer(layer)
        with self._session.reading() as connection:
            return self._row_version(connection, declared, id)

    def _row_version(self, connection: sa.Connection, layer: Layer, id: str) -> int:  # noqa: A002
        source = table(layer.name, [layer.key])
        found = connection.execute(sa.select(source.c.row_version).where(source.c[layer.key] == id)).scalar()
        if found is None:
            raise NotFoundError(Text(f"“{layer.title.zh}”中没有编号 {id}。", f"There is no {id} in {layer.name}."))
        return int(found)

    def _row(self, connection: sa.Connection, layer: Layer, id: str) -> tuple[Rows, int]:  # noqa: A002
        version = self._row_version(connection, layer, id)
        return layers.read(connection, self._session.dialect, layer, ids=[id]), version

    def _one(
        self, write: Write, layer: Layer, feature_id: str, changes: Changes, version: int, *, undoes: int | None = None
    ) -> Edit:
        kind = "add" if changes.added else "remove" if changes.removed else "change"
        if changes.nothing:
            now = layers.latest_revision(write.connection)
            return Edit(0, now, layer.name, feature_id, kind, {}, {}, 0, version, write.by, write.at)
        self._apply(write, layer, changes, undoes=undoes)
        after = None if changes.removed else self._row_version(write.connection, layer, feature_id)
        last = int(write.connection.execute(sa.select(sa.func.max(tables.history.c.edit_id))).scalar_one())
        write.connection.execute(
            sa.update(tables.history).where(tables.history.c.edit_id == last).values(row_version=after)
        )
        columns = changes.differences["column"].tolist()
        values = (dict(zip(columns, changes.differences[side], strict=True)) for side in ("before", "after"))
        before, values_now = ({k: _plain(v) for k, v in side.items()} for side in values)
        return Edit(
            last, write.revision, layer.name, feature_id, kind, before, values_now, 1, after, write.by, write.at
        )

    def _conflict(self, connection: sa.Connection, layer: Layer, id: str, expected: int, version: int) -> ConflictError:  # noqa: A002
        told = history.read(connection, layer.name, id)
        since = told[told["kind"] == "change"]
        edits = since["edit_id"].drop_duplicates().tail(max(version - expected, 0))
        since = since[since["edit_id"].isin(edits)]
        if len(since):
            fields = [_title(layer, str(column)) for column in dict.fromkeys(since["column"])]
            who = list(dict.fromkeys(since["by"]))
            at = for_people(since["at"].iloc[-1])
            return ConflictError(
                Text(
                    f"{id} 已被 {'、'.join(who)} 于 {at} 改过：{'、'.join(f.zh for f in fields)}。",
                    f"{', '.join(who)} changed {id} at {at}: {', '.join(f.en for f in fields)}.",
                ),
                Text("请刷新后再改。", "Reload it and make your change again."),
            )
        return ConflictError(
            Text(f"{id} 已被另一个程序改过。", f"Another program changed {id}."),
            Text("请刷新后再改。", "Reload it and make your change again."),
        )

    def history(self, layer: str, id: str | None = None) -> pd.DataFrame:  # noqa: A002  # the contract's name
        """Return what changed in a layer or one row of it, oldest first.

        Returns
        -------
        DataFrame
            One row per changed cell: ``edit_id revision at by kind id column before after row_version undoes``. A row
            that was added has one line without a column; a value is missing as None; geometry is geometry.
        """
        declared = schema.layer(layer)
        self._session.catch_up()
        with self._session.reading() as connection:
            return history.read(connection, declared.name, id)

    def revisions(self, *, limit: int = 200) -> pd.DataFrame:
        """Return the latest changes of all layers, newest first: ``revision at by kind layer file rows``."""
        r, h, s = tables.revisions, tables.history, tables.sources
        self._session.catch_up()
        rows = sa.select(sa.func.sum(h.c.rows)).where(h.c.revision == r.c.revision).scalar_subquery()
        file = sa.select(sa.func.min(s.c.file)).where(s.c.revision == r.c.revision).scalar_subquery()
        query = sa.select(r.c.revision, r.c.at, r.c.by, r.c.kind, r.c.layer, file.label("file"), rows.label("rows"))
        with self._session.reading() as connection:
            found = connection.execute(query.order_by(r.c.revision.desc()).limit(limit)).all()
        names = ["revision", "at", "by", "kind", "layer", "file", "rows"]
        return pd.DataFrame([tuple(f) for f in found], columns=names)

    def trace(self, layer: str, id: str, column: str | None = None) -> pd.DataFrame:  # noqa: A002  # as in `edit`
        """Return where a row's values came from, newest first.

        Returns
        -------
        DataFrame
            ``column kind file sheet cell raw sha256 at by revision``; kind "import", or "edit" for a value set by hand
            (``raw`` is then that value). Empty when the row is unknown or was stored without a source.
        """
        declared = schema.layer(layer)
        with self._session.reading() as connection:
            return sources.trace(connection, declared.name, id, column)

    def undo(self, edit_id: int, *, by: str) -> Edit:
        """Take one change back, as a change of its own.

        A block of an import is taken back whole.

        Raises
        ------
        NotFoundError
            When there is no such edit.
        ConflictError
            When a later change touched the same values.
        """
        with self._session.writing(by, "undo") as write:
            return self._undo(write, edit_id)

    def undo_revision(self, revision: int, *, by: str) -> int:
        """Take back everything that one revision did to layers, such as an import; returns the new revision."""
        h = tables.history
        with self._session.writing(by, "undo") as write:
            edits = (
                write.connection.execute(
                    sa.select(h.c.edit_id).where(h.c.revision == revision).order_by(h.c.edit_id.desc())
                )
                .scalars()
                .all()
            )
            if not edits:
                raise NotFoundError(Text(f"没有修订 {revision}。", f"There is no revision {revision}."))
            for edit_id in edits:
                self._undo(write, edit_id)
            return write.revision

    def _undo(self, write: Write, edit_id: int) -> Edit:
        h = tables.history
        row = write.connection.execute(sa.select(h).where(h.c.edit_id == edit_id)).first()
        if row is None or row.layer not in schema.layers() or schema.layer(row.layer).derived:
            raise NotFoundError(Text(f"没有可撤销的修改 {edit_id}。", f"There is no edit {edit_id} to undo."))
        layer = schema.layer(row.layer)
        payload = history.unpack(row.payload)
        ids = python_values(payload.column("id"))
        stored = layers.read(write.connection, self._session.dialect, layer, ids=ids)
        if row.kind != "remove":
            stored = (
                stored.take(pd.Index(series_of(stored.table.column(layer.key))).get_indexer(ids))
                if len(stored) == len(ids)
                else stored
            )
            if len(stored) != len(ids):
                raise _later(edit_id)
        elif len(stored):
            raise _later(edit_id)
        if row.kind == "add":
            self._unchanged_since(write.connection, layer, edit_id, ids)
            target = stored.take(np.empty(0, dtype=int))
        else:
            target = _restored(stored, payload, layer, row.kind, edit_id)
        changes = comparing.compare(stored, target, layer, "replace")
        if row.rows == 1:
            version = self._row_version(write.connection, layer, ids[0]) if len(stored) else 0
            return self._one(write, layer, ids[0], changes, version, undoes=edit_id)
        self._apply(write, layer, changes, undoes=edit_id)
        last = int(write.connection.execute(sa.select(sa.func.max(h.c.edit_id))).scalar_one())
        kind = {"add": "remove", "remove": "add", "change": "change"}[row.kind]
        return Edit(last, write.revision, layer.name, None, kind, {}, {}, row.rows, None, write.by, write.at)

    def _unchanged_since(self, connection: sa.Connection, layer: Layer, edit_id: int, ids: Sequence[str]) -> None:
        """Refuse to take rows away that are no longer as they were added."""
        source = table(layer.name, [layer.key])
        among = self._session.dialect.among(sa.column(layer.key), list(ids))
        if int(connection.execute(sa.select(sa.func.max(source.c.row_version)).where(among)).scalar_one() or 1) > 1:
            raise _later(edit_id)


def _title(layer: Layer, column: str) -> Text:
    declared = layer.column(column)
    return declared.label if declared is not None else Text(column, column)


def _edited(stored: Rows, layer: Layer, id: str, values: Mapping[str, Any]) -> Rows:  # noqa: A002
    known = set(stored.table.column_names) | ({"geometry"} if layer.spatial else set())
    unknown = [c for c in values if c not in known]
    if unknown:
        raise InputError(
            Text(f"“{layer.title.zh}”没有名为“{unknown[0]}”的列。", f"{layer.name} has no column {unknown[0]!r}."),
            Text(f"可用的列：{' '.join(sorted(known))}。", f"Columns: {' '.join(sorted(known))}."),
        )
    if layer.key in values and str(values[layer.key]) != id:
        raise InputError(
            Text(f"编号 {id} 不能改。", f"The id {id} cannot be changed."),
            Text("其他表按编号引用它；请新增一行。", "Other tables refer to it; add a new row instead."),
        )
    out = stored
    plain = {c: v for c, v in values.items() if c not in ("geometry", layer.key)}
    if plain:
        kinds = {c: kind_of(stored.table.schema.field(c).type) for c in plain}
        frame = pd.DataFrame({layer.key: [id]} | {c: pd.Series([v], dtype=object) for c, v in plain.items()})
        typed = rows_of(frame, Layer(layer.name, layer.key, layer.title, (), layer.columns), None).table
        out = out.with_columns({c: _in_kind(typed.column(c), kinds[c], c) for c in plain})
    if "geometry" in values:
        shape = values["geometry"]
        if shape is not None and not isinstance(shape, BaseGeometry):
            raise InputError(Text("几何无法识别。", "The geometry is not one."))
        out = Rows(out.table, np.array([None if shape is None else shapely.force_2d(shape)], dtype=object))
    return out


def _in_kind(column: pa.ChunkedArray, kind: Kind, name: str) -> pa.ChunkedArray:
    try:
        return column.cast(ARROW[kind])
    except pa.ArrowException as error:
        raise InputError(
            Text(f"{name} 列不能保存“{column[0]}”。", f"Column {name} cannot hold {str(column[0])!r}.")
        ) from error


def _restored(stored: Rows, payload: pa.Table, layer: Layer, kind: str, edit_id: int) -> Rows:
    """Return the rows as they were before an edit; refuse when a later one touched the same values."""
    sides = [n.partition(".")[2] for n in payload.column_names if n.startswith("before.") and n != "before.geometry"]
    before = {n: payload.column(f"before.{n}") for n in sides}
    shapes = geometries_of(payload.column("before.geometry")) if "before.geometry" in payload.column_names else None
    if kind == "remove":
        if layer.spatial and shapes is None:
            shapes = np.full(payload.num_rows, None, dtype=object)
        return Rows(pa.table({layer.key: payload.column("id"), **before}), shapes)
    after = pa.table({layer.key: payload.column("id")} | {n: payload.column(f"after.{n}") for n in sides})
    now = None
    if layer.spatial:
        now = geometries_of(payload.column("after.geometry")) if shapes is not None else stored.geometry
    current = Rows(stored.table.select([layer.key, *sides]), stored.geometry)
    if comparing.compare(current, Rows(after, now), layer, "replace").changed:
        raise _later(edit_id)
    kept = {n: stored.table.column(n) for n in stored.table.column_names if n not in before}
    return Rows(pa.table(kept | before), shapes if shapes is not None else stored.geometry)


def _later(edit_id: int) -> ConflictError:
    return ConflictError(
        Text(
            f"修改 {edit_id} 之后又有改动，不能撤销。",
            f"Edit {edit_id} cannot be undone: the same values changed since.",
        ),
        Text("请先撤销后来的修改。", "Undo the later edits first."),
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, BaseGeometry):
        return value
    return None if pd.isna(value) else value
