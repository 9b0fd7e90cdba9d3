"""This module creates and opens county databases: a GeoPackage by its path, PostGIS by its address."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyproj
import sqlalchemy as sa
from pyproj.exceptions import CRSError

from mapapp.core import schema
from mapapp.core.errors import InputError, NotFoundError
from mapapp.core.text import Text
from mapapp.store import faults, layers, migrations, outside, tables
from mapapp.store.database import Database
from mapapp.store.geopackage import SqliteDialect
from mapapp.store.postgres import PostgresDialect
from mapapp.store.session import Session

_MAGIC = b"SQLite format 3\0"


def create(url: str | Path, name: str, crs: str | pyproj.CRS) -> Database:
    """Create an empty county database and return it open.

    Parameters
    ----------
    url : str or Path
        ``county.gpkg``, or ``postgresql://…`` of a database that is there and may be empty.
    name : str
        What planners call the county.
    crs : str or pyproj.CRS
        A projected CRS in metres; it stays the county's for good.

    Raises
    ------
    InputError
        When there is something already, the folder is missing, or the CRS is unknown or not metric. Nothing is left
        behind.
    """
    system = _metric(crs)
    if not name.strip():
        raise InputError(Text("县库需要名称。", "A county database needs a name."))
    if is_server(url):
        dialect = PostgresDialect()
        session = Session(PostgresDialect.engine(str(url)), dialect, _shown(url))
        try:
            with faults.told(session.where), session.engine.connect() as connection:
                there = sa.inspect(connection).has_table("mapapp_settings")
            if there:
                raise _exists(session.where)
            _fill(session, name, system)
        except BaseException:
            session.close()
            raise
        return Database(session, str(url))
    path = Path(url)
    if not path.parent.is_dir():
        raise InputError(
            Text("要放县库的文件夹不存在。", "The folder for the county database does not exist."),
            Text("请先建立文件夹。", "Make the folder first."),
            where=path.name,
        )
    try:
        with path.open("xb"):
            pass
    except FileExistsError as error:
        raise _exists(path.name) from error
    except OSError as error:
        raise faults.read_only(path.name) from error
    try:
        file = SqliteDialect(path)
        session = Session(file.engine(), file, path.name)
        _fill(session, name, system)
        session.absorb = outside.absorb
        with session.engine.connect() as connection:
            # write-ahead log: readers go on while somebody writes
            connection.connection.driver_connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[union-attr]  # sqlite3's
    except BaseException:
        session.close()
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        raise
    return Database(session, str(url))


def open(url: str | Path, *, read_only: bool = False) -> Database:  # noqa: A001  # store.open is the contract's name
    """Open a county database; an older one is brought up to date first.

    Parameters
    ----------
    url : str or Path
    read_only : bool
        Refuse every write. A file that may not be written is opened so by itself.

    Raises
    ------
    NotFoundError
        When there is no such file.
    InputError
        When it is not a database, not ours, or written by a newer mapapp.
    ConflictError
        When another program holds it.
    """
    session = _server(url) if is_server(url) else _file(Path(url), read_only=read_only)
    session.read_only = session.read_only or read_only
    try:
        _known(session)
        if not session.read_only:
            session.absorb = outside.absorb
            migrations.migrate(session)
            _fit_schema(session)
            session.catch_up()
        elif _behind(session):
            raise InputError(
                Text(
                    "县库由旧版 mapapp 写成，且只读，不能升级。",
                    "An older mapapp wrote this county database, and it is read-only.",
                ),
                Text("请复制到可写的文件夹再打开。", "Copy it to a folder where you may write, and open it there."),
                where=session.where,
            )
        return Database(session, str(url))
    except BaseException:
        session.close()
        raise


def is_server(url: str | Path) -> bool:
    """Whether an address names a PostgreSQL server."""
    return str(url).startswith(("postgresql:", "postgres:", "postgresql+"))


def _server(url: str | Path) -> Session:
    address = str(url).replace("postgres:", "postgresql:", 1) if str(url).startswith("postgres:") else str(url)
    return Session(PostgresDialect.engine(address), PostgresDialect(), _shown(url))


def _shown(url: str | Path) -> str:
    return sa.make_url(str(url)).database or "postgresql"


def _file(path: Path, *, read_only: bool) -> Session:
    if not path.is_file():
        raise NotFoundError(
            Text("没有这个县库文件。", "There is no such county database."),
            Text("请检查名称，或用 mapapp create 新建。", "Check the name, or make one with mapapp create."),
            where=path.name,
        )
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise InputError(
            Text("没有权限读取县库文件。", "The county database may not be read."),
            Text("请检查权限。", "Check its permissions."),
            where=path.name,
        ) from error
    if head != _MAGIC:
        raise faults.not_a_database(path.name)
    read_only = read_only or not os.access(path, os.W_OK)
    # a folder that cannot be written cannot hold the files beside the database that readers share: read it as it lies
    immutable = not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists()
    dialect = SqliteDialect(path, read_only=read_only or immutable, immutable=immutable)
    return Session(dialect.engine(), dialect, path.name, read_only=read_only or immutable)


def _known(session: Session) -> None:
    with session.reading() as connection:
        if not sa.inspect(connection).has_table("mapapp_settings"):
            raise faults.foreign(session.where)
        srs = connection.execute(sa.select(tables.settings.c.value).where(tables.settings.c.key == "srs_id")).scalar()
        if srs is None:
            raise faults.foreign(session.where)
        session.dialect.srs_id = int(json.loads(srs))


def _fill(session: Session, name: str, crs: pyproj.CRS) -> None:
    with session.writing("mapapp", "create") as write:
        session.dialect.prepare(write.connection, crs, name)
        for migration in migrations.MIGRATIONS:
            migrations.step(write.connection, session.dialect, migration)
        layers.create_missing(write.connection, session.dialect)
        values: dict[str, Any] = {
            "name": name.strip(),
            "crs": crs.to_json_dict(),
            "srs_id": session.dialect.srs_id,
            "schema": _fingerprint(),
        }
        write.connection.execute(
            sa.insert(tables.settings),
            [{"key": k, "value": json.dumps(v, ensure_ascii=False)} for k, v in values.items()],
        )


def _fingerprint() -> list[str]:
    return [f"{layer.name}.{c.name}" for layer in schema.layers().values() for c in layer.columns]


def _fit_schema(session: Session) -> None:
    """Add what the field dictionary gained since the database was written."""
    wanted = json.dumps(_fingerprint(), ensure_ascii=False)
    key = tables.settings.c.key == "schema"
    with session.reading() as connection:
        have = connection.execute(sa.select(tables.settings.c.value).where(key)).scalar()
    if have == wanted:
        return
    with session.writing("mapapp", "schema") as write:
        layers.create_missing(write.connection, session.dialect)
        write.connection.execute(sa.delete(tables.settings).where(key))
        write.connection.execute(sa.insert(tables.settings).values(key="schema", value=wanted))


def _behind(session: Session) -> bool:
    with session.reading() as connection:
        have = migrations.version(connection)
    return have < migrations.MIGRATIONS[-1].version


def _exists(where: str) -> InputError:
    return InputError(
        Text("这里已经有文件或县库。", "There is a file or a county database here already."),
        Text("请换一个名称；已有的不会被覆盖。", "Choose another name; nothing is overwritten."),
        where=where,
    )


def _metric(crs: str | pyproj.CRS) -> pyproj.CRS:
    try:
        system = pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise InputError(
            Text(f"不认识坐标系“{crs}”。", f"The CRS {str(crs)[:60]!r} is not known."),
            Text("请写成 EPSG:4544 这样。", "Write it like EPSG:4544."),
            where="--crs",
        ) from error
    units = {axis.unit_name for axis in system.axis_info}
    if not system.is_projected or units - {"metre", "meter"}:
        raise InputError(
            Text(
                f"{system.to_string()[:60]} 不是以米为单位的投影坐标系。",
                f"{system.to_string()[:60]} is not a projected CRS in metres.",
            ),
            Text("请选用，例如 EPSG:4544（CGCS2000 三度带）。", "Use one such as EPSG:4544 (CGCS2000, 3-degree zone)."),
            where="--crs",
        )
    return system
