"""This module is the county database as services see it: read, compare, apply, edit, undo, freeze, decide."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import shapely
import sqlalchemy as sa

from mapapp.core import schema
from mapapp.core.errors import ConflictError, InputError, NotFoundError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.store import changes as comparing
from mapapp.store import history, layers, snapshots, sources, tables
from mapapp.store.changes import Changes, Mode
from mapapp.store.frames import ARROW, Kind, Rows, frame_of, kind_of, rows_of, series_of
from mapapp.store.history import Edit
from mapapp.store.jobs import Jobs
from mapapp.store.people import Shares, Users
from mapapp.store.session import Session, Write
from mapapp.store.snapshots import Snapshot
from mapapp.store.sources import Source
from mapapp.store.sql import Box, python_values, table

FINDING_STATES = ("open", "confirmed", "dismissed", "fixed")


class Database:
    """An open county database. Close it, or use it in a ``with`` block.

    Safe to use from several threads; each process opens its own (after a fork, open again).

    Attributes
    ----------
    url : str
    users, shares, jobs : repositories
    """

    def __init__(self, session: Session, url: str) -> None:
        self._session, self.url = session, url
        self.users, self.shares, self.jobs = Users(session), Shares(session), Jobs(session)
        self._crs: pyproj.CRS | None = None
        self._boxes: dict[str, tuple[str, Box | None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; a GeoPackage is one plain file again."""
        self._session.close()

    # ------------------------------------------------------------------------------------------------ about the county

    @property
    def name(self) -> str:
        """The county's name."""
        return str(self.setting("name"))

    @property
    def crs(self) -> pyproj.CRS:
        """The county's one metric CRS."""
        if self._crs is None:
            stored = self.setting("crs")
            code = self._session.dialect.srs_id
            # by code where there is one, so that it equals what others make from the same code
            known = code in (stored.get("id") or {}).values()
            self._crs = pyproj.CRS.from_epsg(code) if known else pyproj.CRS.from_json_dict(stored)
        return self._crs

    @property
    def revision(self) -> int:
        """The number of the last change to any layer; 0 for an empty database."""
        with self._session.reading() as connection:
            return _revision(connection)

    @property
    def read_only(self) -> bool:
        """Whether every write is refused."""
        return self._session.read_only

    def setting(self, key: str, default: Any = None) -> Any:
        """Return a setting, ``default`` when it was never set."""
        with self._session.reading() as connection:
            found = connection.execute(sa.select(tables.settings.c.value).where(tables.settings.c.key == key)).scalar()
        return default if found is None else json.loads(found)

    def set_setting(self, key: str, value: Any) -> None:
        """Keep anything that JSON holds under a key.

        Raises
        ------
        InputError
            For the county's CRS, which never changes.
        """
        if key in ("crs", "srs_id", "schema"):
            raise InputError(Text("县库的坐标系不能更改。", "The county's CRS cannot be changed."))
        with self._session.writing("mapapp", "setting") as write:
            write.connection.execute(sa.delete(tables.settings).where(tables.settings.c.key == key))
            write.connection.execute(
                sa.insert(tables.settings).values(key=key, value=json.dumps(value, ensure_ascii=False))
            )

    # --------------------------------------------------------------------------------------------------------- reading

    def layers(self, *, snapshot: int | None = None) -> list[str]:
        """Return the names of layers and tables that hold rows, derived ones included, in the schema's order."""
        with self._session.reading() as connection:
            if snapshot is not None:
                return [n for n in schema.layers() if snapshots.frozen(connection, snapshot, n).rows]
            any_row = {n: sa.select(sa.exists(sa.select(table(n).c.fid))) for n in schema.layers()}
            return [n for n, query in any_row.items() if connection.execute(query).scalar_one()]

    def count(self, layer: str, *, snapshot: int | None = None) -> int:
        """Return how many rows a layer holds."""
        declared = schema.layer(layer)
        with self._session.reading() as connection:
            if snapshot is not None:
                return snapshots.frozen(connection, int(snapshot), declared.name).rows
            return layers.count(connection, declared.name)

    def version(self, layer: str, snapshot: int | None = None) -> str:
        """Return a word that changes exactly when the layer's content does; short, fit for addresses.

        Writes by other programs count, because triggers in the database notice them.
        """
        declared = schema.layer(layer)
        with self._session.reading() as connection:
            if snapshot is not None:
                return snapshots.frozen(connection, int(snapshot), declared.name).version
            return layers.version(connection, declared.name)

    def bounds(self, layer: str | None = None, *, snapshot: int | None = None) -> Box | None:
        """Return (xmin, ymin, xmax, ymax) of a layer or of all that is stored, in `crs`; None when there is nothing.

        A GeoPackage answers from its R-tree, whose 32-bit numbers round outwards (below 0.5 m at northings of 4,000 km).
        """
        names = [schema.layer(layer).name] if layer else [n for n, d in schema.layers().items() if d.spatial]
        boxes = [box for n in names if schema.layer(n).spatial and (box := self._box(n, snapshot)) is not None]
        if not boxes:
            return None
        low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
        return float(low[0]), float(low[1]), float(high[2]), float(high[3])

    def _box(self, layer: str, snapshot: int | None) -> Box | None:
        with self._session.reading() as connection:
            if snapshot is not None:
                return snapshots.frozen(connection, int(snapshot), layer).bounds
            version = layers.version(connection, layer)
            if self._boxes.get(layer, ("", None))[0] != version:
                self._boxes[layer] = version, self._session.dialect.bounds(connection, layer)
            return self._boxes[layer][1]

    def columns(self, layer: str, *, snapshot: int | None = None) -> dict[str, Kind]:
        """Return the stored columns with their kinds: the declared ones, and those that files brought along."""
        declared = schema.layer(layer)
        with self._session.reading() as connection:
            return self._columns(connection, declared, snapshot)

    def _columns(self, connection: sa.Connection, layer: Layer, snapshot: int | None) -> dict[str, Kind]:
        live = self._session.dialect.columns(connection, layer.name)
        if snapshot is None:
            return live
        return snapshots.columns_of(connection, snapshots.frozen(connection, int(snapshot), layer.name), live)

    def read(
        self,
        layer: str,
        *,
        snapshot: int | None = None,
        columns: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        bbox: Box | None = None,
        where: Mapping[str, Any] | None = None,
        geometry: bool = True,
    ) -> pd.DataFrame:
        """Return rows of a layer, in their order of arrival.

        Parameters
        ----------
        layer : str
        snapshot : int, optional
            Id of a snapshot; the live rows otherwise.
        columns : sequence of str, optional
            Only these (``row_version`` may be among them); all otherwise. A column that a snapshot does not know yet
            is missing throughout.
        ids : sequence of str, optional
            Only the rows with these ids; unknown ids give no row.
        bbox : (xmin, ymin, xmax, ymax), optional
            Only rows whose envelope meets the box, in `crs`. Ignored for tables without geometry.
        where : mapping, optional
            Column to a value or several; None among them means missing. Columns narrow each other.
        geometry : bool
            Whether a layer brings its geometry.

        Returns
        -------
        GeoDataFrame in `crs`, or DataFrame for a table without geometry; with a plain index, and all declared columns
        even when there is no row.

        Raises
        ------
        NotFoundError
            For an unknown layer or snapshot.
        InputError
            For an unknown column.
        """
        got = self.read_arrow(layer, columns, snapshot=snapshot, ids=ids, bbox=bbox, where=where, geometry=geometry)
        declared = schema.layer(layer)
        if not (declared.spatial and geometry):
            return frame_of(Rows(got), None)
        return frame_of(layers.rows_of_arrow(got, declared), self.crs)

    def read_arrow(
        self,
        layer: str,
        columns: Sequence[str] | None = None,
        *,
        snapshot: int | None = None,
        ids: Sequence[str] | None = None,
        bbox: Box | None = None,
        where: Mapping[str, Any] | None = None,
        geometry: bool = True,
    ) -> pa.Table:
        """Return what `read` returns as an Arrow table, geometry as WKB in a last column ``geometry``.

        This is the quick way for a million rows: no Python object per cell.
        """
        declared = schema.layer(layer)
        dialect = self._session.dialect
        with self._session.reading() as connection:
            if snapshot is not None:
                what = snapshots.frozen(connection, int(snapshot), declared.name)
                live = dialect.columns(connection, declared.name)
                there = snapshots.columns_of(connection, what, live)
                picked = layers.picked_columns(live | there, columns, declared)
                known = {n: k for n, k in picked.items() if n in there}
                got = snapshots.read(
                    connection,
                    what,
                    declared,
                    known,
                    geometry=geometry,
                    ids=ids,
                    bbox=bbox,
                    where={n: v for n, v in (where or {}).items() if layers.picked_columns(there, [n], declared)},
                )
                return _filled(got, picked)
            stored = dialect.columns(connection, declared.name)
            picked = layers.picked_columns(stored, columns, declared)
            conditions = layers.conditions(dialect, declared, stored, ids=ids, bbox=bbox, where=where)
            return layers.read_arrow(connection, dialect, declared, picked, geometry=geometry, where=conditions)

    def effective_compounds(self, snapshot: int | None = None) -> pd.DataFrame:
        """Return the compounds as the ledger has them: a ledger value that is not missing wins.

        Compounds stand first, in their order; ledger rows without a compound follow with missing geometry.
        """
        compounds = self.read("compounds", snapshot=snapshot)
        ledger = self.read("ledger", snapshot=snapshot)
        return overlay(compounds, ledger, "compound_id")

    # ----------------------------------------------------------------------------------------------- importing a table

    def compare(self, layer: str, frame: pd.DataFrame, mode: Mode) -> Changes:
        """Say what storing a table would do; nothing is written.

        Parameters
        ----------
        layer : str
            Not a derived one.
        frame : GeoDataFrame or DataFrame
            In `crs`, with the layer's key as a column, each id once. Untouched.
        mode : {"add", "update", "replace"}
            With "add" and "update" a missing value in ``frame`` says nothing; "add" refuses ids that are there with
            other content. With "replace" the frame is the whole layer.

        Raises
        ------
        InputError
            For another CRS, missing or repeated ids, or values that a column cannot hold.
        """
        declared = _own_layer(layer)
        if mode not in comparing.MODES:
            raise ValueError(f"mode is one of {comparing.MODES}, not {mode!r}")
        incoming = rows_of(frame, declared, self.crs)
        with self._session.reading() as connection:
            return self._compare(connection, declared, incoming, mode)

    def _compare(self, connection: sa.Connection, layer: Layer, incoming: Rows, mode: Mode) -> Changes:
        version = layers.version(connection, layer.name)
        few = mode != "replace" and len(incoming) < 20_000
        ids = python_values(incoming.table.column(layer.key)) if few else None
        stored = layers.read(connection, self._session.dialect, layer, ids=ids)
        return comparing.compare(stored, incoming, layer, mode, version=version)

    def apply(
        self, changes: Changes, *, by: str, source: Source | None = None, trace: pd.DataFrame | None = None
    ) -> int:
        """Store what `compare` found, in one transaction with its history, and return the revision.

        Parameters
        ----------
        changes : Changes
        by : str
            Who imports.
        source : str or mapping, optional
            The file's name, or ``{"file": ..., "sha256": ...}``.
        trace : DataFrame, optional
            ``row`` (position in the compared frame, from 0), ``column``, ``file``, ``sheet``, ``cell``, ``raw``.

        Raises
        ------
        ConflictError
            When mode "add" met other content, or the layer changed since the comparison in a way that matters.
        """
        layer = _own_layer(changes.layer)
        changes.check(layer)
        if changes.nothing:
            return self.revision
        assert changes.incoming is not None
        with self._session.writing(by, "import", layer.name) as write:
            if layers.version(write.connection, layer.name) != changes.version:
                again = self._compare(write.connection, layer, changes.incoming, changes.mode)
                again.check(layer)
                if not again.same_effect(changes):
                    raise ConflictError(
                        Text(
                            f"“{layer.title.zh}”在比较之后被别人改过。",
                            f"Somebody changed {layer.name} after the comparison.",
                        ),
                        Text("请重新比较再导入。", "Compare again, then import."),
                    )
                changes = again
            self._apply(write, layer, changes)
            sources.record(write, changes, layer.key, source, trace)
            return write.revision

    def _apply(self, write: Write, layer: Layer, changes: Changes, *, undoes: int | None = None) -> None:
        connection, dialect = write.connection, self._session.dialect
        assert changes.to_add is not None
        assert changes.to_change is not None
        # columns first: dropping and making triggers comes after every change of the table's shape
        add = layers.fit_columns(connection, dialect, layer, changes.to_add)
        change = (
            layers.fit_columns(connection, dialect, layer, changes.to_change) if changes.changed else changes.to_change
        )
        total = changes.added + changes.changed + changes.removed
        with dialect.bulk(connection, layer, total) as aside:
            if changes.removed:
                gone = layers.read(connection, dialect, layer, ids=changes.removed_ids)
                history.record(write, layer, "remove", before=gone, undoes=undoes)
                layers.delete(connection, dialect, layer, changes.removed_ids)
                if aside:
                    dialect.unindex(connection, layer)
            if changes.changed:
                history.record(write, layer, "change", before=changes.replaced, after=changes.to_change, undoes=undoes)
                layers.update(connection, dialect, layer, change, indexed=not aside)
            if changes.added:
                history.record(write, layer, "add", after=changes.to_add, undoes=undoes)
                layers.insert(connection, dialect, layer, add)
        self._describe(
            connection,
            layer,
            [add, change],
            shrunk=bool(changes.removed) or "geometry" in set(changes.differences["column"]),
        )

    def _describe(self, connection: sa.Connection, layer: Layer, written: Sequence[Rows], *, shrunk: bool) -> None:
        shapes = [r.geometry for r in written if r.geometry is not None and len(r)]
        both = np.concatenate(shapes) if shapes else None
        self._session.dialect.describe(connection, layer, layers.box_of(both), layers.types_of(both), shrunk=shrunk)

    # -------------------------------------------------------------------------------------------------- editing by hand

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
        declared = _own_layer(layer)
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
        declared = _own_layer(layer)
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
        declared = _own_layer(layer)
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
        self, write: Write, layer: Layer, id: str, changes: Changes, version: int, *, undoes: int | None = None
    ) -> Edit:
        kind = "add" if changes.added else "remove" if changes.removed else "change"
        if changes.nothing:
            return Edit(0, _revision(write.connection), layer.name, id, kind, {}, {}, 0, version, write.by, write.at)
        self._apply(write, layer, changes, undoes=undoes)
        after = None if changes.removed else self._row_version(write.connection, layer, id)
        last = int(write.connection.execute(sa.select(sa.func.max(tables.history.c.edit_id))).scalar_one())
        write.connection.execute(
            sa.update(tables.history).where(tables.history.c.edit_id == last).values(row_version=after)
        )
        columns = changes.differences["column"].tolist()
        values = (dict(zip(columns, changes.differences[side], strict=True)) for side in ("before", "after"))
        before, now = ({k: _plain(v) for k, v in side.items()} for side in values)
        return Edit(last, write.revision, layer.name, id, kind, before, now, 1, after, write.by, write.at)

    def _conflict(self, connection: sa.Connection, layer: Layer, id: str, expected: int, version: int) -> ConflictError:  # noqa: A002
        told = history.read(connection, layer.name, id)
        since = told[told["kind"] == "change"]
        edits = since["edit_id"].drop_duplicates().tail(max(version - expected, 0))
        since = since[since["edit_id"].isin(edits)]
        if len(since):
            fields = "、".join(dict.fromkeys(since["column"]))
            who = "、".join(dict.fromkeys(since["by"]))
            at = since["at"].iloc[-1]
            return ConflictError(
                Text(
                    f"{id} 已被 {who} 于 {at} 改过：{fields}。",
                    f"{who} changed {id} at {at}: {fields.replace('、', ', ')}.",
                ),
                Text("请刷新后再改。", "Reload it and make your change again."),
            )
        return ConflictError(
            Text(f"{id} 已被另一个程序改过。", f"Another program changed {id}."),
            Text("请刷新后再改。", "Reload it and make your change again."),
        )

    # ---------------------------------------------------------------------------------------------------------- history

    def history(self, layer: str, id: str | None = None) -> pd.DataFrame:  # noqa: A002  # the contract's name
        """Return what changed in a layer or one row of it, oldest first.

        Returns
        -------
        DataFrame
            One row per changed cell: ``edit_id revision at by kind id column before after row_version undoes``. A row
            that was added has one line without a column; a value is missing as None; geometry is geometry.
        """
        declared = schema.layer(layer)
        with self._session.reading() as connection:
            return history.read(connection, declared.name, id)

    def revisions(self, *, limit: int = 200) -> pd.DataFrame:
        """Return the latest changes of all layers, newest first: ``revision at by kind layer file rows``."""
        r, h, s = tables.revisions, tables.history, tables.sources
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
        """A row that was added may go again only while it is as it was added."""
        source = table(layer.name, [layer.key])
        among = self._session.dialect.among(sa.column(layer.key), list(ids))
        if int(connection.execute(sa.select(sa.func.max(source.c.row_version)).where(among)).scalar_one() or 1) > 1:
            raise _later(edit_id)

    # -------------------------------------------------------------------------------------------------------- snapshots

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

    # --------------------------------------------------------------------------------------------------- derived tables

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
                if name == "findings":
                    rows = _decided(rows, _decisions(connection))
                sha = hashlib.sha256(history.pack(layers.arrow_of_rows(rows).combine_chunks())).hexdigest()
                known = connection.execute(
                    sa.select(tables.layers.c.content).where(tables.layers.c.layer == name)
                ).scalar()
                if known == f"{layers.version(connection, name)} {sha}":
                    continue
                changed = True
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
            return write.revision if changed else _revision(connection)

    def decide(self, finding_id: str, status: str, note: str | None = None, *, by: str) -> None:
        """Keep what a planner decided about a finding: open, confirmed, dismissed or fixed, with a note.

        Raises
        ------
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
            known = connection.execute(sa.select(d.c.finding_id).where(d.c.finding_id == finding_id)).first()
            if not len(stored) and known is None:
                raise NotFoundError(Text(f"没有编号为 {finding_id} 的问题。", f"There is no finding {finding_id}."))
            values = {"status": status, "note": note, "decided_by": by, "decided_at": write.at}
            connection.execute(sa.delete(d).where(d.c.finding_id == finding_id))
            connection.execute(sa.insert(d).values(finding_id=finding_id, **values))
            if len(stored):
                after = _with_values(stored, values)
                history.record(write, layer, "change", before=stored, after=after)
                source = table("findings", ["finding_id", *values])
                connection.execute(sa.update(source).where(source.c.finding_id == finding_id).values(values))
                # the decision is part of the content, so that the same audit again changes nothing
                connection.execute(
                    sa.update(tables.layers).where(tables.layers.c.layer == "findings").values(content=None)
                )

    # ------------------------------------------------------------------------------------------------------------ ours

    @property
    def path(self) -> Path | None:
        """The GeoPackage's path; None for a server."""
        return getattr(self._session.dialect, "path", None)


def overlay(under: pd.DataFrame, over: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return ``under`` with the values of ``over`` that are not missing, row by row of the same key.

    Rows of ``over`` that ``under`` lacks follow at the end, with missing geometry.
    """
    at = pd.Index(over[key]).get_indexer(under[key])
    hit = at >= 0
    rest = over[~over[key].isin(under[key])]
    columns: dict[str, pd.Series[Any]] = {}
    names = [c for c in dict.fromkeys((*under.columns, *over.columns)) if c != "geometry"]
    for name in names:
        base = under[name] if name in under else pd.Series(pd.NA, index=under.index, dtype=over[name].dtype)
        if name in over and name != key:
            theirs = over[name].take(np.where(hit, at, 0)).reset_index(drop=True) if len(over) else base
            base = base.reset_index(drop=True).where(~(hit & theirs.notna().to_numpy()), theirs) if len(over) else base
        tail = rest[name] if name in rest else pd.Series(pd.NA, index=rest.index, dtype=base.dtype)
        columns[name] = (
            pd.concat([base, tail], ignore_index=True).astype(base.dtype) if len(rest) else base.reset_index(drop=True)
        )
    frame = pd.DataFrame(columns)
    if not isinstance(under, gpd.GeoDataFrame):
        return frame
    shapes = np.concatenate([under.geometry.to_numpy(), np.full(len(rest), None, dtype=object)])
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, index=frame.index, crs=under.crs))


def _revision(connection: sa.Connection) -> int:
    return int(
        connection.execute(sa.select(sa.func.coalesce(sa.func.max(tables.revisions.c.revision), 0))).scalar_one()
    )


def _own_layer(name: str) -> Layer:
    layer = schema.layer(name)
    if layer.derived:
        raise InputError(
            Text(
                f"“{layer.title.zh}”由程序算出，不能导入或编辑。",
                f"{name} is derived; it cannot be imported or edited.",
            ),
            Text("请改它所依据的图层，再运行检查。", "Change the layers it rests on and run the audit again."),
        )
    return layer


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
        out = _with_columns(out, {c: _in_kind(typed.column(c), kinds[c], c) for c in plain})
    if "geometry" in values:
        shape = values["geometry"]
        if shape is not None and not isinstance(shape, shapely.Geometry):
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


def _with_columns(rows: Rows, columns: Mapping[str, pa.ChunkedArray]) -> Rows:
    return Rows(pa.table({n: columns.get(n, rows.table.column(n)) for n in rows.table.column_names}), rows.geometry)


def _with_values(rows: Rows, values: Mapping[str, str | None]) -> Rows:
    return _with_columns(rows, {n: pa.chunked_array([pa.array([v], type=pa.string())]) for n, v in values.items()})


def _restored(stored: Rows, payload: pa.Table, layer: Layer, kind: str, edit_id: int) -> Rows:
    """Return the rows as they were before an edit; refuse when a later one touched the same values."""
    sides = [n.partition(".")[2] for n in payload.column_names if n.startswith("before.") and n != "before.geometry"]
    before = {n: payload.column(f"before.{n}") for n in sides}
    shapes = (
        layers.geometries_of(payload.column("before.geometry")) if "before.geometry" in payload.column_names else None
    )
    if kind == "remove":
        if layer.spatial and shapes is None:
            shapes = np.full(payload.num_rows, None, dtype=object)
        return Rows(pa.table({layer.key: payload.column("id"), **before}), shapes)
    after = pa.table({layer.key: payload.column("id")} | {n: payload.column(f"after.{n}") for n in sides})
    now = None
    if layer.spatial:
        now = layers.geometries_of(payload.column("after.geometry")) if shapes is not None else stored.geometry
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


def _filled(got: pa.Table, picked: Mapping[str, Kind]) -> pa.Table:
    """Add columns that a snapshot does not know, in their place."""
    columns = {
        n: got.column(n) if n in got.column_names else pa.chunked_array([pa.nulls(got.num_rows, ARROW[k])])
        for n, k in picked.items()
    }
    if "geometry" in got.column_names:
        columns["geometry"] = got.column("geometry")
    return pa.table(columns)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, shapely.Geometry):
        return value
    return None if pd.isna(value) else value
