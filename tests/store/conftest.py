"""This module gives every test of the store a fresh county, in a GeoPackage and on a PostgreSQL of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa

from mapapp import store

CRS = "EPSG:4544"
E0, N0 = 500_000.0, 3_900_000.0
_numbers = count()


def _run_sql(base: str, database: str, *statements: str) -> list[object]:
    """Run statements outside a transaction, on a connection of their own."""
    address = base.replace("postgresql:", "postgresql+psycopg:") + database
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        results = [connection.exec_driver_sql(s) for s in statements]
        return [r.scalar() if r.returns_rows else None for r in results]


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")) if Path("/usr/lib/postgresql").is_dir() else []
    where = found[-1] if found else shutil.which("pg_ctl")
    return Path(where).resolve().parent if where else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL with PostGIS on a free loopback port; yields the address without a database."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server binaries here (Debian: postgresql-postgis)")
    memory = "/dev/shm"  # a server made of some thousand small files starts and ends quickly there
    folder = Path(tempfile.mkdtemp(prefix="mapapp-pg-", dir=memory if os.access(memory, os.W_OK) else "/tmp"))
    as_postgres = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        as_postgres = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(*command: str) -> None:
        subprocess.run([*as_postgres, *command], check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=120)

    data = str(folder / "data")
    run(str(binaries / "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c autovacuum=off -c max_connections=50"
    run(str(binaries / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        base = f"postgresql://postgres@127.0.0.1:{port}/"
        if not _run_sql(base, "postgres", "SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'")[0]:
            pytest.skip("PostgreSQL is here, PostGIS is not (Debian: postgresql-postgis)")
        _run_sql(base, "postgres", "CREATE EXTENSION postgis")
        yield base
    finally:
        run(str(binaries / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _schema(base: str) -> str:
    """Make an empty schema, which is as good as a database and far quicker to have; it goes with the server."""
    name = f"county_{next(_numbers)}"
    _run_sql(base, "postgres", f"CREATE SCHEMA {name}")
    return f"{base}postgres?options=-csearch_path%3D{name},public"


@pytest.fixture(params=["geopackage", pytest.param("postgis", marks=pytest.mark.postgis)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a database that is not there yet (GeoPackage) or empty (PostGIS)."""
    if request.param == "geopackage":
        yield str(tmp_path / "county.gpkg")
        return
    yield _schema(request.getfixturevalue("postgres"))


@pytest.fixture
def county(url: str) -> Iterator[store.Database]:
    """Give an empty county, in both kinds of database."""
    with store.create(url, "测试县", CRS) as db:
        yield db


@pytest.fixture
def gpkg(tmp_path: Path) -> Iterator[store.Database]:
    """Give an empty county in a GeoPackage, for what only a file does."""
    with store.create(tmp_path / "county.gpkg", "测试县", CRS) as db:
        yield db


def pipes(n: int = 4, **columns: object) -> gpd.GeoDataFrame:
    """``n`` pipes of 10 m, one after the other towards the east."""
    x = E0 + 10.0 * np.arange(n)
    lines = shapely.linestrings(np.stack([np.c_[x, np.full(n, N0)], np.c_[x + 10, np.full(n, N0)]], axis=1))
    frame = pd.DataFrame({"pipe_id": [f"p{i}" for i in range(n)], "kind": "sewage", "diameter_mm": 300.0})
    return gpd.GeoDataFrame(frame.assign(**columns), geometry=lines, crs=CRS)


def put(db: store.Database, layer: str, frame: pd.DataFrame, mode: str = "add", **more: object) -> int:
    """Compare and apply."""
    return db.apply(db.compare(layer, frame, mode), by="li", **more)  # type: ignore[arg-type]
