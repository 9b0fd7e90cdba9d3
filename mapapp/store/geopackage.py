"""This module holds the GeoPackage side of `mapapp.store.dialects`."""

# ruff: noqa: S608  # every identifier is quoted or our own; every value is bound

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyproj
import shapely
import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from mapapp.core import schema
from mapapp.core.schema import Layer
from mapapp.store import gpkg, native, rtree, triggers
from mapapp.store.frames import ARROW, Geometries, Kind, Rows, storage_kind
from mapapp.store.sql import INTERNAL, Box, python_values, quoted, table, table_of

BUSY_S = 30.0
_CHUNK = 50_000
_MANY = 100_000  # rows from which reading through compiled code pays


class SqliteDialect:
    """A GeoPackage file."""

    name = "sqlite"

    def __init__(self, path: Path, *, read_only: bool = False, immutable: bool = False) -> None:
        self.path, self.srs_id = path, 0
        self.uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}{'&immutable=1' if immutable else ''}"

    _SQL: Mapping[Kind, str] = {"str": "TEXT", "int": "INTEGER", "float": "DOUBLE", "bool": "BOOLEAN"}

    def engine(self) -> sa.Engine:
        """Return an engine whose commits reach the disk and whose writers queue instead of failing."""

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(
                self.uri, uri=True, isolation_level=None, timeout=BUSY_S, check_same_thread=False
            )
            try:
                # FULL: in WAL mode NORMAL may lose the last commits when the power goes
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA cache_size = -65536")
                gpkg.register_functions(connection)
            except sqlite3.Error:
                connection.close()
                raise
            return connection

        return sa.create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=4, max_overflow=60)

    def begin(self, connection: sa.Connection, *, write: bool) -> None:
        """Open the transaction; a writer takes its turn at once, so that what it reads is what it changes."""
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    def opened(self, connection: sa.Connection) -> None:
        """Mark the transaction as ours, so that the triggers that watch other programs let it pass."""
        if triggers.there(connection):
            connection.exec_driver_sql(triggers.MARK)

    def closing(self, connection: sa.Connection) -> None:
        """Take the mark away."""
        if triggers.there(connection):
            connection.exec_driver_sql(triggers.UNMARK)

    def waiting(self, connection: sa.Connection) -> bool:
        """Whether other programs made changes that the history does not have yet."""
        asked = "SELECT 1 FROM mapapp_outside WHERE seq > 0 LIMIT 1"
        return triggers.there(connection) and connection.exec_driver_sql(asked).first() is not None

    def prepare(self, connection: sa.Connection, crs: pyproj.CRS, title: str) -> None:
        """Make the GeoPackage's own tables."""
        for statement in gpkg.metadata_sql():
            connection.exec_driver_sql(statement)
        epsg = crs.to_epsg()
        self.srs_id = epsg or 100_000
        own = (crs.name, self.srs_id, "EPSG" if epsg else "NONE", self.srs_id, crs.to_wkt("WKT1_GDAL"), None)
        for row in (*gpkg.REFERENCE_SYSTEMS, own):
            connection.exec_driver_sql("INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES (?,?,?,?,?,?)", row)

    def create_layer(self, connection: sa.Connection, layer: Layer) -> None:
        """Make one layer's table with all declared columns, its R-tree and its entries in the contents."""
        name = quoted(layer.name)
        columns = [f"{quoted(c.name)} {self._SQL[storage_kind(c.kind)]}" for c in layer.columns if c.name != layer.key]
        geometry = f"geom {_geometry_type(layer)}, " if layer.spatial else ""
        connection.exec_driver_sql(
            f"CREATE TABLE {name} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {geometry}"
            f"{quoted(layer.key)} TEXT NOT NULL UNIQUE, {''.join(c + ', ' for c in columns)}"
            "row_version INTEGER DEFAULT 1)"  # may be missing for a moment: desktop programs write what they do not know as NULL
        )
        connection.exec_driver_sql(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) VALUES (?,?,?,?,?)",
            (
                layer.name,
                "features" if layer.spatial else "attributes",
                layer.name,
                layer.title.zh,
                self.srs_id if layer.spatial else None,
            ),
        )
        if layer.spatial:
            connection.exec_driver_sql(
                "INSERT INTO gpkg_geometry_columns VALUES (?,?,?,?,0,0)",
                (layer.name, "geom", _geometry_type(layer), self.srs_id),
            )
            connection.exec_driver_sql(
                f"CREATE VIRTUAL TABLE {quoted(f'rtree_{layer.name}_geom')} USING rtree(id, minx, maxx, miny, maxy)"
            )
            connection.exec_driver_sql(
                "INSERT INTO gpkg_extensions VALUES (?,?,?,?,?)", (layer.name, "geom", *gpkg.RTREE_EXTENSION)
            )
        for sql in triggers.of_versions(layer).values():
            connection.exec_driver_sql(sql)
        triggers.watch(connection, layer, list(self.columns(connection, layer.name)))

    def renew_triggers(self, connection: sa.Connection) -> None:
        """Give every layer the triggers of today and of the declared version, in place of those made before.

        The declared types of two columns go along: the geometry's is that of ``gpkg_geometry_columns`` (requirement
        31), and ``row_version`` may be missing when another program adds a row.
        """
        types = connection.exec_driver_sql("SELECT table_name, geometry_type_name FROM gpkg_geometry_columns").all()
        spatial = {row[0]: row[1] for row in types}
        known = connection.exec_driver_sql("SELECT layer FROM mapapp_layers").scalars().all()
        connection.exec_driver_sql(triggers.TABLE)
        named = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
        for layer in (schema.layer(n) for n in known if n in schema.layers()):
            for name in connection.exec_driver_sql(named, (layer.name,)).scalars().all():
                connection.exec_driver_sql(f"DROP TRIGGER {quoted(name)}")
            for sql in triggers.of_versions(layer).values():
                connection.exec_driver_sql(sql)
            triggers.watch(connection, layer, list(self.columns(connection, layer.name)))
            if layer.name in spatial:
                self._redeclare(connection, layer.name, "geom GEOMETRY,", f"geom {spatial[layer.name]},")
            self._redeclare(
                connection, layer.name, "row_version INTEGER NOT NULL DEFAULT 1", "row_version INTEGER DEFAULT 1"
            )

    @staticmethod
    def _redeclare(connection: sa.Connection, layer: str, old: str, new: str) -> None:
        """Change how a column is declared; SQLite's own way for what does not touch the rows (lang_altertable.html)."""
        version = int(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())
        connection.exec_driver_sql("PRAGMA writable_schema = ON")
        try:
            done = connection.exec_driver_sql(
                "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ? AND instr(sql, ?)",
                (old, new, layer, old),
            )
            if done.rowcount:
                connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
        finally:
            connection.exec_driver_sql("PRAGMA writable_schema = OFF")

    def columns(self, connection: sa.Connection, layer: str) -> dict[str, Kind]:
        """Return the stored columns with their kinds, those that another program added included."""
        rows = connection.exec_driver_sql(f"PRAGMA table_info({quoted(layer)})").all()
        return {r[1]: self._kind(r[2]) for r in rows if r[1] not in INTERNAL}

    @staticmethod
    def _kind(declared: str) -> Kind:
        word = declared.upper().partition("(")[0]
        if word == "BOOLEAN":
            return "bool"
        if "INT" in word:
            return "int"
        return "float" if word in ("DOUBLE", "FLOAT", "REAL") else "str"

    def add_column(self, connection: sa.Connection, layer: str, column: str, kind: Kind) -> None:
        """Add one column to a layer."""
        connection.exec_driver_sql(f"ALTER TABLE {quoted(layer)} ADD COLUMN {quoted(column)} {self._SQL[kind]}")
        triggers.watch(connection, schema.layer(layer), list(self.columns(connection, layer)))

    def widen(self, connection: sa.Connection, layer: str, column: str) -> None:
        """Turn a column into text, its values kept."""
        name, old, new = quoted(layer), quoted(column), quoted(column[:50] + "__text")
        triggers.unwatch(connection, layer)  # a column that a trigger names cannot be dropped
        for sql in (
            f"ALTER TABLE {name} ADD COLUMN {new} TEXT",
            f"UPDATE {name} SET {new} = CAST({old} AS TEXT)",
            f"ALTER TABLE {name} DROP COLUMN {old}",
            f"ALTER TABLE {name} RENAME COLUMN {new} TO {old}",
        ):
            connection.exec_driver_sql(sql)
        triggers.watch(connection, schema.layer(layer), list(self.columns(connection, layer)))

    @contextmanager
    def bulk(self, connection: sa.Connection, layer: Layer, rows: int) -> Iterator[bool]:
        """Put the triggers aside while many rows are written; yields whether they are aside.

        DDL is part of the transaction, so a failure brings them back.
        """
        aside = rows > 2000
        if aside:
            for name in triggers.of_versions(layer):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {quoted(name)}")
            triggers.unwatch(connection, layer.name)
        yield aside
        if aside:
            for sql in triggers.of_versions(layer).values():
                connection.exec_driver_sql(sql)
            triggers.watch(connection, layer, list(self.columns(connection, layer.name)))
            connection.exec_driver_sql(
                "UPDATE mapapp_layers SET counter = counter + 1, token = lower(hex(randomblob(6))) WHERE layer = ?",
                (layer.name,),
            )

    def insert(self, connection: sa.Connection, layer: Layer, rows: Rows, version: int) -> None:
        """Insert many rows in chunks, then fill the R-tree when the triggers are aside."""
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        names = rows.table.column_names
        into = ", ".join(quoted(n) for n in ("fid", *names, "row_version")) + (", geom" if layer.spatial else "")
        marks = ",".join("?" * (len(names) + 2 + layer.spatial))
        sql = f"INSERT INTO {quoted(layer.name)} ({into}) VALUES ({marks})"
        # the sequence, not the highest fid: a number is never given twice
        start = (
            int(
                connection.exec_driver_sql(
                    f"SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0),"
                    f" coalesce((SELECT max(fid) FROM {quoted(layer.name)}), 0))",
                    (layer.name,),
                ).scalar_one()
            )
            + 1
        )
        indexed = triggers.at_work(connection, layer.name)
        for at in range(0, len(rows), _CHUNK):
            part = rows.table.slice(at, _CHUNK)
            n = part.num_rows
            columns: list[Any] = [
                range(start + at, start + at + n),
                *(python_values(part.column(c)) for c in names),
                [version] * n,
            ]
            if rows.geometry is not None:
                columns.append(self.encode(rows.geometry[at : at + n]))
            raw.executemany(sql, zip(*columns, strict=True))
        if rows.geometry is not None and not indexed:
            self._fill_index(raw, layer.name, rows.geometry, np.arange(start, start + len(rows)))

    def reindex(
        self, connection: sa.Connection, layer: str, keys: str, ids: Sequence[str], geometry: Geometries
    ) -> None:
        """Bring the R-tree up to date for rows whose geometry changed while the triggers were aside."""
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        found = raw.execute(
            f"SELECT {quoted(keys)}, fid FROM {quoted(layer)} WHERE {quoted(keys)} IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        fid = dict(found.fetchall())
        fids = np.array([fid[i] for i in ids])
        raw.executemany(f"DELETE FROM {quoted(f'rtree_{layer}_geom')} WHERE id = ?", [(int(f),) for f in fids])
        self._fill_index(raw, layer, geometry, fids)

    def unindex(self, connection: sa.Connection, layer: Layer) -> None:
        """Take rows that are gone out of the R-tree, after a delete while the triggers were aside."""
        if layer.spatial:
            tree = quoted(f"rtree_{layer.name}_geom")
            connection.exec_driver_sql(f"DELETE FROM {tree} WHERE id NOT IN (SELECT fid FROM {quoted(layer.name)})")

    @staticmethod
    def _fill_index(raw: sqlite3.Connection, layer: str, geometry: Geometries, fids: Any) -> None:
        box = shapely.bounds(geometry)
        there = np.flatnonzero(~np.isnan(box[:, 0]))
        if not len(there):
            return
        box = box[there]
        if rtree.fill(raw, f"rtree_{layer}_geom", fids[there], box):
            return
        # neighbours in strips, so that the tree's leaves stay small and its pages are written once
        middle = (box[:, :2] + box[:, 2:]) / 2
        strips = max(int(np.sqrt(len(there) / 50)), 1)
        rank = np.empty(len(there), dtype=np.int64)
        rank[np.argsort(middle[:, 0], kind="stable")] = np.arange(len(there))
        order = np.lexsort((middle[:, 1], rank * strips // len(there)))
        columns = [fids[there][order].tolist(), *(box[order, i].tolist() for i in (0, 2, 1, 3))]
        raw.executemany(f"INSERT INTO {quoted(f'rtree_{layer}_geom')} VALUES (?,?,?,?,?)", zip(*columns, strict=True))

    def geometry_value(self, name: str) -> Any:
        """Return the bound parameter that takes what `encode` gives."""
        return sa.bindparam(name, type_=sa.LargeBinary)

    def encode(self, geometry: Geometries) -> list[bytes | None]:
        """Return GeoPackage blobs."""
        return gpkg.encode(geometry, self.srs_id).tolist()  # type: ignore[no-any-return]  # numpy's tolist is Any

    def among(self, column: sa.ColumnClause[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that a column holds one of many values."""
        return column.in_(
            sa.text("SELECT value FROM json_each(:v)").bindparams(
                sa.bindparam("v", json.dumps(list(values)), unique=True)
            )
        )

    def within(self, layer: str, box: Box) -> sa.ColumnElement[bool]:
        """Return the condition that a row's envelope meets a box, answered by the R-tree."""
        tree = sa.table(f"rtree_{layer}_geom", *(sa.column(c) for c in ("id", "minx", "maxx", "miny", "maxy")))
        inside = sa.select(tree.c.id).where(
            tree.c.minx <= box[2], tree.c.maxx >= box[0], tree.c.miny <= box[3], tree.c.maxy >= box[1]
        )
        return sa.column("fid").in_(inside)

    def read(
        self,
        connection: sa.Connection,
        layer: str,
        columns: Mapping[str, Kind],
        *,
        geometry: bool,
        where: Sequence[sa.ColumnElement[bool]] = (),
        committed: bool = False,
    ) -> pa.Table:
        """Return rows in their order of arrival; ``geometry`` adds a column of WKB.

        ``committed`` says that the transaction has not changed this layer.
        """
        names = [*columns, *(["geom"] if geometry else [])]
        # a connection of its own sees what is committed, so a writer reads that way only before it wrote
        committed = committed or not connection.get_execution_options().get("mapapp_write")
        if committed and not where and self._many(connection, layer):
            got = native.read(self.uri.replace("?mode=rw", "?mode=ro"), layer, columns, geometry=geometry)
            if got is not None:
                return got
        source = table(layer, names)
        query = sa.select(*(source.c[n] for n in names)).where(*where).order_by(source.c.fid)
        types = [*(ARROW[k] for k in columns.values()), *([pa.binary()] if geometry else [])]
        result = connection.execute(query)

        def batches() -> Iterator[list[tuple[Any, ...]]]:
            while rows := result.fetchmany(_CHUNK):
                yield [(*r[:-1], gpkg.wkb(r[-1])) for r in rows] if geometry else [tuple(r) for r in rows]

        return table_of([*columns, *(["geometry"] if geometry else [])], types, batches())

    @staticmethod
    def _many(connection: sa.Connection, layer: str) -> bool:
        """Whether a layer is worth loading compiled code for."""
        return (connection.exec_driver_sql(f"SELECT max(fid) FROM {quoted(layer)}").scalar() or 0) > _MANY

    def bounds(self, connection: sa.Connection, layer: str) -> Box | None:
        """Return the box around all rows; outwards by a rounding of the R-tree's 32-bit numbers at most."""
        row = connection.exec_driver_sql(
            f"SELECT min(minx), min(miny), max(maxx), max(maxy) FROM {quoted(f'rtree_{layer}_geom')}"
        ).one()
        return None if row[0] is None else (row[0], row[1], row[2], row[3])

    def describe(
        self, connection: sa.Connection, layer: Layer, box: Box | None, types: set[str], *, shrunk: bool
    ) -> None:
        """Keep the contents table true after a write: time, extent, and a geometry type that covers all rows.

        ``box`` is that of the rows just written; ``shrunk`` says that rows went or moved, so that the extent is
        measured anew.
        """
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        if layer.spatial and shrunk:
            box = self.bounds(connection, layer.name)
            connection.exec_driver_sql(
                "UPDATE gpkg_contents SET last_change=?, min_x=?, min_y=?, max_x=?, max_y=? WHERE table_name=?",
                (now, *(box or (None,) * 4), layer.name),
            )
        elif layer.spatial and box is not None:
            connection.exec_driver_sql(
                "UPDATE gpkg_contents SET last_change=?1, min_x=min(coalesce(min_x,?2),?2), "
                "min_y=min(coalesce(min_y,?3),?3), max_x=max(coalesce(max_x,?4),?4), max_y=max(coalesce(max_y,?5),?5) "
                "WHERE table_name=?6",
                (now, *box, layer.name),
            )
        else:
            connection.exec_driver_sql("UPDATE gpkg_contents SET last_change=? WHERE table_name=?", (now, layer.name))
        if layer.spatial and types:
            declared = connection.exec_driver_sql(
                "SELECT geometry_type_name FROM gpkg_geometry_columns WHERE table_name=?", (layer.name,)
            ).scalar_one()
            if declared != "GEOMETRY" and types - {declared}:
                connection.exec_driver_sql(
                    "UPDATE gpkg_geometry_columns SET geometry_type_name='GEOMETRY' WHERE table_name=?", (layer.name,)
                )
                self._redeclare(connection, layer.name, f"geom {declared},", "geom GEOMETRY,")

    def after_commit(self, connection: sa.Connection) -> None:
        """Move what was committed into the main file, so that a copy of that one file is complete."""
        raw = connection.connection.driver_connection  # past SQLAlchemy, which would open a transaction
        assert isinstance(raw, sqlite3.Connection)
        raw.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _geometry_type(layer: Layer) -> str:
    """Return the type that the file declares for a layer: the one it takes, else any."""
    if len(layer.geometry) != 1:
        return "GEOMETRY"
    return {"line": "LINESTRING", "point": "POINT", "polygon": "POLYGON"}[layer.geometry[0]]
