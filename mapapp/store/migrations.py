"""This module brings an older database up to date: a list of steps, each committed together with its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.store import tables
from mapapp.store.dialects import Dialect
from mapapp.store.session import Session, now


@dataclass(frozen=True)
class Migration:
    """One step: its number, what it does in a word, and the function that does it."""

    version: int
    name: str
    run: Callable[[sa.Connection, Dialect], None]


def _first_tables(connection: sa.Connection, dialect: Dialect) -> None:
    tables.META.create_all(connection, tables=list(tables.FIRST))


def _people_and_jobs(connection: sa.Connection, dialect: Dialect) -> None:
    tables.META.create_all(connection, tables=list(tables.PEOPLE))


def _standard_triggers(connection: sa.Connection, dialect: Dialect) -> None:
    dialect.renew_triggers(connection)


MIGRATIONS: Sequence[Migration] = (
    Migration(1, "layers, history, sources, snapshots", _first_tables),
    Migration(2, "users, shares, jobs", _people_and_jobs),
    Migration(3, "spatial-index triggers of GeoPackage 1.3", _standard_triggers),
    Migration(4, "triggers that note what other programs change", _standard_triggers),
)
"""In order. A step that was released is never edited; a mistake in it is mended by the next one."""


def step(connection: sa.Connection, dialect: Dialect, migration: Migration) -> None:
    """Run one step and record it, inside the caller's transaction."""
    migration.run(connection, dialect)
    connection.execute(sa.insert(tables.migrations).values(version=migration.version, name=migration.name, at=now()))


def version(connection: sa.Connection) -> int:
    """Return the number of the last step that was run."""
    return int(
        connection.execute(sa.select(sa.func.coalesce(sa.func.max(tables.migrations.c.version), 0))).scalar_one()
    )


def migrate(session: Session, steps: Sequence[Migration] = MIGRATIONS) -> int:
    """Run the steps that a database lacks and return how many they were.

    Raises
    ------
    InputError
        When the database was written by a newer mapapp; it is left alone.
    """
    with session.reading() as connection:
        have = version(connection)
    if have > steps[-1].version:
        raise InputError(
            Text(
                f"县库由更新版本的 mapapp 写成（结构 {have}，本程序 {steps[-1].version}）。",
                f"A newer mapapp wrote this county database (structure {have}, this program {steps[-1].version}).",
            ),
            Text("请升级 mapapp。", "Upgrade mapapp."),
            where=session.where,
        )
    done = 0
    for migration in steps:
        if migration.version > have:
            with session.writing("mapapp", "migration") as write:
                # somebody else may have run it while we waited for our turn
                if version(write.connection) < migration.version:
                    step(write.connection, session.dialect, migration)
                    done += 1
    return done
