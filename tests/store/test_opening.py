"""Creating, opening, migrating; what cannot be opened is said in one sentence and left alone."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyogrio
import pytest
import sqlalchemy as sa

from mapapp import store
from mapapp.core.errors import ConflictError, ForbiddenError, InputError, MapappError, NotFoundError
from mapapp.store import migrations, tables, triggers
from mapapp.store.geopackage import SqliteDialect

from .conftest import CRS, pipes, put


def test_what_was_created_is_there_when_opened_again(url: str) -> None:
    with store.create(url, "测试县", CRS) as db:
        put(db, "pipes", pipes(2))
        db.set_setting("budget", {"yuan": 1.5})
    with store.open(url) as db:
        assert (db.name, db.crs.to_epsg(), db.revision, db.layers()) == ("测试县", 4544, 1, ["pipes"])
        assert (db.setting("budget"), db.setting("nothing", 7)) == ({"yuan": 1.5}, 7)
        with pytest.raises(InputError, match="cannot be changed"):
            db.set_setting("crs", "EPSG:4326")


def test_nothing_is_overwritten(url: str) -> None:
    store.create(url, "a", CRS).close()
    with pytest.raises(InputError, match="already"):
        store.create(url, "b", CRS)
    with store.open(url) as db:
        assert db.name == "a"


@pytest.mark.parametrize(
    ("crs", "said"),
    [("EPSG:4326", "not a projected CRS in metres"), ("EPSG:2263", "metres"), ("nonsense", "not known")],
)
def test_the_county_needs_a_metric_crs(tmp_path: Path, crs: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        store.create(tmp_path / "c.gpkg", "c", crs)
    assert list(tmp_path.iterdir()) == []


def test_a_crs_without_a_code_is_kept(url: str) -> None:
    local = "+proj=tmerc +lon_0=105.5 +x_0=500000 +ellps=GRS80 +units=m +type=crs"
    with store.create(url, "c", local) as db:
        put(db, "pipes", pipes(1).set_crs(local, allow_override=True))
    with store.open(url) as db:
        assert db.crs.equals(local)
        assert len(db.read("pipes")) == 1


def test_an_older_database_is_brought_up_to_date_on_opening(url: str) -> None:
    with store.create(url, "c", CRS) as db:
        put(db, "pipes", pipes(2))
        # back to the first version: the people's tables did not exist then
        with db._session.writing("test", "test") as write:
            tables.META.drop_all(write.connection, tables=list(tables.PEOPLE))
            write.connection.execute(sa.delete(tables.migrations).where(tables.migrations.c.version > 1))
    if not url.startswith("postgresql"):
        with pytest.raises(InputError, match="older mapapp"):
            store.open(url, read_only=True)
    with store.open(url) as db:
        assert db.users.list() == []
        assert db.count("pipes") == 2
        with db._session.reading() as connection:
            assert migrations.version(connection) == migrations.MIGRATIONS[-1].version


def test_a_step_that_fails_leaves_nothing(county: store.Database) -> None:
    def half(connection: sa.Connection, dialect: object) -> None:
        connection.exec_driver_sql("CREATE TABLE half_done (a integer)")
        raise RuntimeError("power cut")

    steps = [*migrations.MIGRATIONS, migrations.Migration(99, "half", half)]
    with pytest.raises(RuntimeError, match="power cut"):
        migrations.migrate(county._session, steps)
    with county._session.reading() as connection:
        assert migrations.version(connection) < 99
        assert not sa.inspect(connection).has_table("half_done")


def test_a_newer_database_is_refused(url: str) -> None:
    with store.create(url, "c", CRS) as db, db._session.writing("test", "test") as write:
        write.connection.execute(sa.insert(tables.migrations).values(version=99, name="future", at="2030-01-01"))
    with pytest.raises(InputError, match=r"newer mapapp.*structure 99"):
        store.open(url)


def test_columns_that_the_dictionary_gained_are_added(county: store.Database) -> None:
    with county._session.writing("test", "test") as write:
        if county._session.dialect.name == "sqlite":  # triggers name the columns they watch
            for name in triggers.trigger_names("pipes"):
                write.connection.exec_driver_sql(f"DROP TRIGGER {name}")
        write.connection.exec_driver_sql("ALTER TABLE pipes DROP COLUMN material")
        write.connection.execute(sa.delete(tables.settings).where(tables.settings.c.key == "schema"))
    county.close()
    with store.open(county.url) as db:
        assert "material" in db.columns("pipes")


def _foreign(path: Path) -> None:
    pyogrio.write_dataframe(pipes(2), path, layer="pipes", driver="GPKG")


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda p: None, NotFoundError, "no such county database"),
        (lambda p: p.write_bytes(b""), InputError, "not a database"),
        (lambda p: p.write_text("name,x\n"), InputError, "not a database"),
        (lambda p: p.write_bytes(b"SQLite format 3\0" + b"\x07" * 5000), InputError, "not a database|damaged"),
        (_foreign, InputError, "not made by mapapp"),
    ],
)
def test_what_is_no_county_database_is_named_and_left_alone(
    tmp_path: Path, make: object, error: type, said: str
) -> None:
    path = tmp_path / "x.gpkg"
    make(path)  # type: ignore[operator]
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(error, match=said) as caught:
        store.open(path)
    assert str(caught.value).startswith("x.gpkg: ")
    assert str(tmp_path) not in str(caught.value)
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_server_that_does_not_answer_is_said_so() -> None:
    with pytest.raises(InputError, match="cannot be reached"):
        store.open("postgresql://nobody:secret-word@127.0.0.1:9/none")


def test_a_file_held_by_another_program_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.gpkg"
    store.create(path, "c", CRS).close()
    monkeypatch.setattr("mapapp.store.geopackage.BUSY_S", 0.2)
    with store.open(path) as db:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConflictError, match="Another program holds"):
            put(db, "pipes", pipes(1))
        holder.execute("ROLLBACK")
        holder.close()
        put(db, "pipes", pipes(1))


def test_a_database_opened_read_only_refuses_to_be_written(tmp_path: Path) -> None:
    path = tmp_path / "c.gpkg"
    with store.create(path, "c", CRS) as db:
        put(db, "pipes", pipes(2))
    with store.open(path, read_only=True) as db:
        assert len(db.read("pipes")) == 2
        with pytest.raises(ForbiddenError, match="read-only"):
            put(db, "pipes", pipes(3))


_LOOK = """
import sys
from mapapp import store
with store.open(sys.argv[1]) as db:
    print(db.read_only, len(db.read("pipes")))
    try:
        db.edit("pipes", "p0", {"kind": "storm"}, by="li")
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_a_write_protected_file_in_a_write_protected_folder_can_be_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "usb"
    folder.mkdir()
    with store.create(folder / "c.gpkg", "c", CRS) as db:
        put(db, "pipes", pipes(2))
    (folder / "c.gpkg").chmod(0o444)
    folder.chmod(0o555)
    bound = []
    if os.geteuid() == 0:  # permissions mean nothing to root, unless it gives up that right
        bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        if shutil.which("setpriv") is None:
            pytest.skip("running as root without setpriv")
    done = subprocess.run(
        [*bound, sys.executable, "-W", "error", "-c", _LOOK, str(folder / "c.gpkg")],
        capture_output=True,
        text=True,
        check=False,
    )
    folder.chmod(0o755)
    assert done.stdout.splitlines()[:1] == ["True 2"], done.stderr
    assert done.stdout.splitlines()[1].startswith("ForbiddenError c.gpkg: The county database is read-only")
    assert [p.name for p in folder.iterdir()] == ["c.gpkg"]


def test_a_copy_of_the_one_file_is_complete_while_the_database_is_open(tmp_path: Path) -> None:
    """A planner copies the .gpkg alone; what was acknowledged must be in it."""
    with store.create(tmp_path / "c.gpkg", "c", CRS) as db:
        put(db, "pipes", pipes(3))
        db.edit("pipes", "p1", {"kind": "storm"}, by="li")
        shutil.copy(tmp_path / "c.gpkg", tmp_path / "copy.gpkg")
        with store.open(tmp_path / "copy.gpkg") as copy:
            assert copy.read("pipes")["kind"].tolist() == ["sewage", "storm", "sewage"]
            assert copy.version("pipes") == db.version("pipes")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.gpkg", "copy.gpkg"]


def test_messages_are_there_in_both_languages() -> None:
    with pytest.raises(MapappError) as caught:
        store.open("nowhere.gpkg")
    assert caught.value.message("zh") == "nowhere.gpkg：没有这个县库文件。请检查名称，或用 mapapp create 新建。"


def test_the_dialect_of_a_file_names_its_address(tmp_path: Path) -> None:
    assert SqliteDialect(tmp_path / "县 1.gpkg").uri.endswith("/%E5%8E%BF%201.gpkg?mode=rw")
