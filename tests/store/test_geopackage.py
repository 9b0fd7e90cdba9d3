"""The file is a GeoPackage that other programs open, edit and index correctly."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from mapapp import store
from mapapp.core import schema
from mapapp.core.errors import ConflictError

from .conftest import CRS, E0, N0, pipes, put


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a closed county with pipes, a compound and a ledger row."""
    file = tmp_path / "county.gpkg"
    with store.create(file, "测试县", CRS) as db:
        put(db, "pipes", pipes(40))
        shapes = [shapely.box(E0, N0, E0 + 50, N0 + 40), shapely.Point(E0, N0)]
        put(
            db,
            "compounds",
            gpd.GeoDataFrame({"compound_id": ["a", "b"], "name": ["东苑", "西苑"]}, geometry=shapes, crs=CRS),
        )
        put(db, "ledger", pd.DataFrame({"compound_id": ["a"], "households": [12]}))
    return file


def _info(path: Path, *words: str) -> str:
    if shutil.which("ogrinfo") is None:
        pytest.skip("no ogrinfo here (Debian: gdal-bin)")
    done = subprocess.run(["ogrinfo", "-ro", str(path), *words], capture_output=True, text=True, check=True)
    assert done.stderr == "", "GDAL has nothing to complain of"
    return done.stdout


def test_ogrinfo_opens_it_as_it_lies(path: Path) -> None:
    listed = _info(path)
    assert {n for n in schema.layers() if f": {n}" in listed} == set(schema.layers())
    assert "mapapp_" not in listed
    told = _info(path, "-so", "pipes")
    assert "Geometry: Line String" in told
    assert "Feature Count: 40" in told
    assert f"Extent: ({E0:.6f}, {N0:.6f}) - ({E0 + 400:.6f}, {N0:.6f})" in told
    assert 'ID["EPSG",4544]' in told
    assert "diameter_mm: Real" in told
    assert "households: Integer64" in _info(path, "-so", "ledger")


def test_the_geopackage_says_what_it_is(path: Path) -> None:
    with sqlite3.connect(path) as connection:

        def ask(sql: str) -> list[tuple[object, ...]]:
            return connection.execute(sql).fetchall()

        assert ask("PRAGMA application_id") == [(0x47504B47,)]
        assert ask("PRAGMA integrity_check") == [("ok",)]
        assert ask("PRAGMA foreign_key_check") == []
        assert ask("SELECT data_type FROM gpkg_contents WHERE table_name = 'ledger'") == [("attributes",)]
        assert ask("SELECT geometry_type_name, srs_id FROM gpkg_geometry_columns WHERE table_name = 'compounds'") == [
            ("GEOMETRY", 4544)
        ]
        assert ask("SELECT count(*) FROM gpkg_extensions WHERE extension_name = 'gpkg_rtree_index'") == [
            (sum(layer.spatial for layer in schema.layers().values()),)
        ]
        assert ask("SELECT count(*) FROM rtree_pipes_geom") == [(40,)]
        assert ask("SELECT rtreecheck('rtree_pipes_geom')") == [("ok",)]
    connection.close()


def test_other_readers_see_the_same_rows(path: Path) -> None:
    theirs = pyogrio.read_dataframe(path, layer="pipes", bbox=(E0 + 101, N0 - 1, E0 + 119, N0 + 1))
    with store.open(path) as db:
        ours = db.read("pipes", bbox=(E0 + 101, N0 - 1, E0 + 119, N0 + 1))
    assert theirs["pipe_id"].tolist() == ours["pipe_id"].tolist() == ["p10", "p11"]
    assert theirs.geometry.geom_equals(ours.geometry).all()
    assert theirs.crs == ours.crs


def test_an_edit_by_gdal_is_noticed_and_kept(path: Path) -> None:
    with store.open(path) as db:
        versions = {n: db.version(n) for n in ("pipes", "compounds")}
    moved = "(SELECT geom FROM pipes WHERE pipe_id = 'p30')"
    for sql in (
        "UPDATE pipes SET kind = 'storm' WHERE pipe_id = 'p1'",
        f"UPDATE pipes SET geom = {moved} WHERE pipe_id = 'p2'",
        "DELETE FROM pipes WHERE pipe_id = 'p3'",
    ):
        done = subprocess.run(["ogrinfo", str(path), "-sql", sql], capture_output=True, text=True, check=False)
        assert "ERROR" not in done.stderr, done.stderr
    with store.open(path) as db:
        assert db.version("pipes") != versions["pipes"]
        assert db.version("compounds") == versions["compounds"]
        assert [db.row_version("pipes", p) for p in ("p0", "p1")] == [1, 2]
        assert db.read("pipes", ids=["p1"])["kind"].tolist() == ["storm"]
        assert db.read("pipes", bbox=(E0 + 301, N0 - 1, E0 + 309, N0 + 1))["pipe_id"].tolist() == ["p2", "p30"]
        with pytest.raises(ConflictError, match="external changed p1 at"):
            db.edit("pipes", "p1", {"kind": "other"}, by="li", expected=1)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM rtree_pipes_geom").fetchall() == [(39,)]
    connection.close()


def _gdal(path: Path, *statements: str) -> None:
    for sql in statements:
        done = subprocess.run(["ogrinfo", str(path), "-sql", sql], capture_output=True, text=True, check=False)
        assert "ERROR" not in done.stderr, done.stderr


def test_what_gdal_changes_is_in_the_history_and_can_be_taken_back(path: Path) -> None:
    """Who, when, before and after; several changes of a cell are one, a new id is a row gone and a row come."""
    with store.open(path) as db:
        before = db.read("pipes").set_index("pipe_id")
        own = len(db.history("pipes"))
    _gdal(
        path,
        "UPDATE pipes SET kind = 'storm', note = 'it''s' WHERE pipe_id = 'p1'",
        "UPDATE pipes SET kind = 'other' WHERE pipe_id = 'p1'",
        "DELETE FROM pipes WHERE pipe_id = 'p3'",
        "UPDATE pipes SET pipe_id = 'p9x' WHERE pipe_id = 'p9'",
        "INSERT INTO pipes (pipe_id) VALUES ('brief')",
        "DELETE FROM pipes WHERE pipe_id = 'brief'",
    )
    with store.open(path) as db:
        told = db.history("pipes").iloc[own:]
        assert set(told["by"]) == {"外部编辑 external"}
        assert set(zip(told["kind"], told["id"], strict=True)) == {
            ("change", "p1"), ("remove", "p3"), ("remove", "p9"), ("add", "p9x"),
        }  # fmt: skip
        kind = told[(told["id"] == "p1") & (told["column"] == "kind")].iloc[0]
        assert (kind["before"], kind["after"]) == (before["kind"]["p1"], "other")
        db.undo_revision(int(told["revision"].iloc[0]), by="li")
        after = db.read("pipes").set_index("pipe_id").loc[before.index]
        assert after.equals(before)
        assert len(db.history("pipes", "p1")) == 5  # added, two cells changed, two taken back


def test_what_we_change_is_not_taken_for_another_programs(path: Path) -> None:
    with store.open(path) as db:
        db.edit("pipes", "p1", {"kind": "storm"}, by="li")
        db.delete("pipes", "p2", by="li")
        db.insert("pipes", {"pipe_id": "new", "kind": "storm"}, by="li")
        put(db, "pipes", pipes(3000, pipe_id=[f"b{i}" for i in range(3000)], width=2.5))  # a column of its own
        put(db, "pipes", pipes(3, pipe_id=["c0", "c1", "c2"], width="wide"))  # numbers become words
        assert "外部编辑 external" not in set(db.history("pipes")["by"])
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM mapapp_outside").fetchall() == [(0,)]
    connection.close()


def test_rows_appended_by_gdal_are_read_and_indexed(path: Path) -> None:
    more = pipes(3, pipe_id=["q0", "q1", "q2"]).set_geometry(pipes(3).geometry.translate(0, 500))
    pyogrio.write_dataframe(more, path, layer="pipes", driver="GPKG", append=True)
    with store.open(path) as db:
        assert db.count("pipes") == 43
        assert db.read("pipes", bbox=(E0, N0 + 499, E0 + 9, N0 + 501))["pipe_id"].tolist() == ["q0"]
        assert db.edit("pipes", "q0", {"kind": "storm"}, by="li").row_version == 2


def test_a_column_added_by_gdal_is_read(path: Path) -> None:
    subprocess.run(
        ["ogrinfo", str(path), "-sql", "ALTER TABLE pipes ADD COLUMN checked INTEGER"], capture_output=True, check=True
    )
    with store.open(path) as db:
        assert str(db.read("pipes")["checked"].dtype) == "Int64"
        db.edit("pipes", "p0", {"checked": 3}, by="li")
        assert db.read("pipes", where={"checked": 3})["pipe_id"].tolist() == ["p0"]


def test_a_layer_of_lines_that_gets_multilines_says_so(path: Path) -> None:
    multi = gpd.GeoDataFrame(
        {"pipe_id": ["m"]}, geometry=[shapely.MultiLineString([[(E0, N0), (E0 + 1, N0)]])], crs=CRS
    )
    with store.open(path) as db:
        put(db, "pipes", multi)
    assert "Geometry: Unknown (any)" in _info(path, "-so", "pipes")


def test_the_index_of_a_bulk_import_is_sound(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    n = 6000
    at = np.c_[E0 + rng.random(n) * 5000, N0 + rng.random(n) * 5000]
    nodes = gpd.GeoDataFrame({"node_id": [f"n{i}" for i in range(n)]}, geometry=shapely.points(at), crs=CRS)
    box = (E0 + 1000, N0 + 1000, E0 + 1400, N0 + 1800)
    with store.create(tmp_path / "c.gpkg", "c", CRS) as db:
        put(db, "manholes", nodes)
        inside = (at[:, 0] >= box[0]) & (at[:, 0] <= box[2]) & (at[:, 1] >= box[1]) & (at[:, 1] <= box[3])
        assert db.count("manholes") == n
        found = set(db.read("manholes", bbox=box)["node_id"])
        assert set(nodes["node_id"][inside]) <= found
        assert len(found) - inside.sum() < 5, "32-bit boxes round outwards by centimetres"
    with sqlite3.connect(tmp_path / "c.gpkg") as connection:
        assert connection.execute("SELECT rtreecheck('rtree_manholes_geom')").fetchall() == [("ok",)]
    connection.close()


def test_real_lines_go_in_and_come_out_unchanged(gpkg: store.Database) -> None:
    """Vermont's 20,032 lines, with their MultiLineStrings, as they are."""
    file = Path(__file__).parents[3] / "shared" / "data" / "vermont_sewer_lines.gpkg"
    if not file.is_file():
        pytest.skip("../shared/data is not here: no real network to store")
    lines = gpd.read_file(file).to_crs(CRS)
    lines["pipe_id"] = [f"v{i}" for i in range(len(lines))]
    lines = lines[["pipe_id", "Type", "Owner", "geometry"]].rename(columns={"Type": "their_type"})
    put(gpkg, "pipes", lines)
    back = gpkg.read("pipes")
    assert shapely.equals_exact(back.geometry.to_numpy(), shapely.force_2d(lines.geometry.to_numpy()), 0).all()
    assert gpkg.compare("pipes", lines, "add").nothing


SIX = {f"rtree_pipes_geom_{name}" for name in ("insert", "update1", "update2", "update3", "update4", "delete")}


def _triggers(path: Path) -> set[str]:
    with sqlite3.connect(path) as raw:
        found = raw.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger' AND name LIKE 'rtree!_pipes%' ESCAPE '!'"
        )
        names = {name for (name,) in found}
    raw.close()
    return names


def test_the_index_is_kept_by_the_six_triggers_of_the_declared_version(path: Path) -> None:
    assert _triggers(path) == SIX


def test_an_older_file_gets_the_six_triggers_when_it_is_opened(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TRIGGER rtree_pipes_geom_update1")
        raw.execute("CREATE TRIGGER rtree_pipes_geom_update7 AFTER UPDATE OF geom ON pipes BEGIN SELECT 1; END")
        raw.execute("DELETE FROM mapapp_migrations WHERE version > 2")
    raw.close()
    with store.open(path) as db:
        moved = shapely.LineString([(E0 + 900, N0), (E0 + 950, N0)])
        key = str(db.read("pipes", columns=["pipe_id"])["pipe_id"].iloc[0])
        db.edit("pipes", key, {"geometry": moved}, by="me")
        assert list(db.read("pipes", bbox=(E0 + 890, N0 - 1, E0 + 960, N0 + 1))["pipe_id"]) == [key]
    assert _triggers(path) == SIX


def test_a_row_added_by_a_program_that_writes_null_where_it_knows_nothing_gets_its_version(path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"compound_id": ["q"], "row_version": pd.array([None], dtype="Int64")},
        geometry=[shapely.Point(E0, N0)],
        crs=CRS,
    )
    pyogrio.write_dataframe(frame, path, layer="compounds", append=True)
    with store.open(path) as db:
        assert db.row_version("compounds", "q") == 1
        assert db.edit("compounds", "q", {"name": "新增"}, by="me", expected=1).row_version == 2


def test_the_geometry_column_is_declared_as_the_metadata_says_also_when_other_types_come(path: Path) -> None:
    with store.open(path) as db:
        double = shapely.MultiLineString([[(E0, N0), (E0 + 9, N0)], [(E0, N0 + 5), (E0 + 9, N0 + 5)]])
        db.insert("pipes", {"pipe_id": "M", "geometry": double}, by="me")
    with sqlite3.connect(path) as raw:
        said = dict(raw.execute("SELECT table_name, geometry_type_name FROM gpkg_geometry_columns").fetchall())
        for layer, kind in said.items():
            declared = {name: type_ for _, name, type_, *_ in raw.execute(f"PRAGMA table_info({layer})")}
            assert declared["geom"] == kind
        assert said["pipes"] == "GEOMETRY"
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()
