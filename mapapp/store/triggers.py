"""This module holds the triggers of a GeoPackage's layers: versions that go up, and notes of what other programs change.

QGIS and GDAL know nothing of our history. The triggers of each layer write what a row held into ``mapapp_outside``,
unless the transaction is ours: it lays a mark there while it lasts, which nobody else sees, because SQLite has one
writer at a time and readers see what is committed. `mapapp.store.outside` puts the notes into the history.
"""

# ruff: noqa: S608  # every identifier is quoted or our own

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from mapapp.core.schema import Layer
from mapapp.store import gpkg
from mapapp.store.sql import quoted

TABLE = (
    "CREATE TABLE IF NOT EXISTS mapapp_outside (seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, "
    'layer TEXT NOT NULL, kind TEXT NOT NULL, feature_id TEXT NOT NULL, "column" TEXT, before)'
)
MARK = "INSERT OR REPLACE INTO mapapp_outside (seq, at, layer, kind, feature_id) VALUES (0, '', '', 'ours', '')"
UNMARK = "DELETE FROM mapapp_outside WHERE seq = 0"
_NAMES = ("add", "change", "rekey", "remove")
_TERMS = 100
"""SQLite takes 500 terms in one compound SELECT; tables may be wider."""


def of_versions(layer: Layer) -> dict[str, str]:
    """Return the triggers that notice every writer: version of the layer, version of the row; and the R-tree's."""
    name, literal = quoted(layer.name), layer.name.replace("'", "''")
    bump = (
        f"UPDATE mapapp_layers SET counter = counter + 1, token = lower(hex(randomblob(6))) WHERE layer = '{literal}'; "
    )
    row = f"UPDATE {name} SET row_version = OLD.row_version + 1 WHERE fid = NEW.fid; "
    first = f"UPDATE {name} SET row_version = 1 WHERE fid = NEW.fid AND row_version IS NULL; "
    own = {
        f"mapapp_{layer.name}_insert": f"AFTER INSERT ON {name} BEGIN {first}{bump}END",
        f"mapapp_{layer.name}_delete": f"AFTER DELETE ON {name} BEGIN {bump}END",
        f"mapapp_{layer.name}_update": f"AFTER UPDATE ON {name} WHEN NEW.row_version = OLD.row_version "
        f"BEGIN {row}{bump}END",
        f"mapapp_{layer.name}_version": f"AFTER UPDATE OF row_version ON {name} "
        f"WHEN NEW.row_version != OLD.row_version BEGIN {bump}END",
    }
    own = {key: f"CREATE TRIGGER {quoted(key)} {body}" for key, body in own.items()}
    return own | (gpkg.rtree_triggers(layer.name) if layer.spatial else {})


def there(connection: sa.Connection) -> bool:
    """Whether the database has the table of notes yet."""
    named = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'mapapp_outside'"
    return connection.exec_driver_sql(named).first() is not None


def at_work(connection: sa.Connection, layer: str) -> bool:
    """Whether the layer has its triggers, or they are aside for a bulk write."""
    named = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name = ?"
    return bool(connection.exec_driver_sql(named, (f"mapapp_{layer}_insert",)).scalar_one())


def watch(connection: sa.Connection, layer: Layer, columns: Sequence[str]) -> None:
    """Note what other programs change in a layer, in its columns of today; derived layers are nobody's to edit."""
    unwatch(connection, layer.name)
    if not layer.derived:
        for sql in of_notes(layer, columns).values():
            connection.exec_driver_sql(sql)


def unwatch(connection: sa.Connection, layer: str) -> None:
    """Take the notes' triggers away, while columns change or our own rows come by the thousand."""
    for name in trigger_names(layer):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {quoted(name)}")


def trigger_names(layer: str) -> tuple[str, ...]:
    """Return the names of the triggers that note."""
    return tuple(f"mapapp_{layer}_outside_{name}" for name in _NAMES)


def of_notes(layer: Layer, columns: Sequence[str]) -> dict[str, str]:
    """Return the triggers, by name, that note what other programs do to a layer with these stored columns."""
    name, key = quoted(layer.name), quoted(layer.key)
    literal = layer.name.replace("'", "''")
    watched = [c for c in columns if c != layer.key] + (["geom"] if layer.spatial else [])
    foreign = "NOT EXISTS (SELECT 1 FROM mapapp_outside WHERE seq = 0)"
    same_row = "NEW.row_version IS OLD.row_version"

    def note(kind: str, whose: str, what: str) -> str:
        into = 'INSERT INTO mapapp_outside (at, layer, kind, feature_id, "column", before)'
        moment = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
        return f"{into} SELECT {moment}, '{literal}', '{kind}', {whose}.{key}, {what};"

    def cells(kind: str, whose: str, condition: str) -> str:
        out = []
        for at in range(0, len(watched), _TERMS):
            terms = " UNION ALL ".join(
                f"SELECT '{c.replace(chr(39), chr(39) * 2)}' AS c, OLD.{quoted(c)} AS v WHERE {condition.format(c=quoted(c))}"
                for c in watched[at : at + _TERMS]
            )
            out.append(note(kind, whose, f"c, v FROM ({terms})"))
        return " ".join(out)

    added = note("add", "NEW", "NULL, NULL")
    removed = note("remove", "OLD", "NULL, NULL") + " " + cells("remove", "OLD", "OLD.{c} IS NOT NULL")
    same_key, other_key = (f"OLD.{key} IS {no}NEW.{key} AND {same_row} AND {foreign}" for no in ("", "NOT "))
    bodies = {
        "add": f"AFTER INSERT ON {name} WHEN {foreign} BEGIN {added} END",
        "change": f"AFTER UPDATE ON {name} WHEN {same_key} "
        f"BEGIN {cells('change', 'NEW', 'OLD.{c} IS NOT NEW.{c}')} END",
        "rekey": f"AFTER UPDATE ON {name} WHEN {other_key} BEGIN {removed} {added} END",
        "remove": f"AFTER DELETE ON {name} WHEN {foreign} BEGIN {removed} END",
    }
    return {
        called: f"CREATE TRIGGER {quoted(called)} {bodies[word]}"
        for called, word in zip(trigger_names(layer.name), _NAMES, strict=True)
    }
