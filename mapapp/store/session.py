"""This module opens transactions: readers see one state throughout, writers queue and leave all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from mapapp.store import faults, tables
from mapapp.store.dialects import Dialect


def now() -> str:
    """Return the present moment as we store it: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def for_people(at: str) -> str:
    """Return a stored moment as people read it, in this machine's zone: ``2026-11-24 10:54``."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")


class Write:
    """One write transaction: who, when, and the revision it becomes once something really changes."""

    def __init__(self, connection: sa.Connection, by: str, kind: str, layer: str | None) -> None:
        self.connection, self.by, self.kind, self.layer = connection, by, kind, layer
        self.at = now()
        self._revision: int | None = None

    @property
    def revision(self) -> int:
        """The number of this change; taken when first asked for, so that a change of nothing takes none."""
        if self._revision is None:
            done = self.connection.execute(
                sa.insert(tables.revisions).values(at=self.at, by=self.by, kind=self.kind, layer=self.layer)
            )
            assert done.inserted_primary_key is not None
            self._revision = int(done.inserted_primary_key[0])
        return self._revision


class Session:
    """The connections of one database.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    dialect : Dialect
    where : str
        What messages call the database: the file's name, never its folder.
    read_only : bool
        Refuse writes before they begin.
    """

    def __init__(self, engine: sa.Engine, dialect: Dialect, where: str, *, read_only: bool = False) -> None:
        self.engine, self.dialect, self.where, self.read_only = engine, dialect, where, read_only
        self.absorb: Callable[[sa.Connection, Dialect], None] | None = None
        """Called first in each write transaction where other programs made changes (`mapapp.store.outside`)."""
        sa.event.listen(engine, "begin", self._begin)

    def _begin(self, connection: sa.Connection) -> None:
        self.dialect.begin(connection, write=bool(connection.get_execution_options().get("mapapp_write")))

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a transaction that only reads."""
        with faults.told(self.where), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, by: str, kind: str, layer: str | None = None) -> Iterator[Write]:
        """Open a transaction that writes. It is on the disk when the block ends without an error."""
        if self.read_only:
            raise faults.read_only(self.where)
        with faults.told(self.where), self.engine.connect().execution_options(mapapp_write=True) as connection:
            with connection.begin():
                self.dialect.opened(connection)
                if self.absorb is not None and self.dialect.waiting(connection):
                    self.absorb(connection, self.dialect)
                yield Write(connection, by, kind, layer)
                self.dialect.closing(connection)
            self.dialect.after_commit(connection)

    def catch_up(self) -> None:
        """Put what other programs changed into the history, where there is any and writing is allowed."""
        if self.read_only or self.absorb is None:
            return
        with self.reading() as connection:
            there = self.dialect.waiting(connection)
        if there:
            with self.writing("mapapp", "outside"):
                pass

    def close(self) -> None:
        """Close every connection; a GeoPackage is one plain file then."""
        self.engine.dispose()
