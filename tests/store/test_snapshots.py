"""Snapshots stay as they were, and what did not change is not stored again."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
import sqlalchemy as sa

from mapapp import store
from mapapp.core.errors import NotFoundError
from mapapp.store import tables

from .conftest import CRS, E0, N0, pipes, put


def _blocks(db: store.Database) -> int:
    with db._session.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(tables.blocks)).scalar_one())


def test_a_snapshot_stays_as_it_was(county: store.Database) -> None:
    put(county, "pipes", pipes(3, 井盖="铸铁"))
    frozen = county.snapshot("2026-11-25", by="li", title="十一月")
    before, version = county.read("pipes"), county.version("pipes", frozen.id)
    put(county, "pipes", pipes(1, kind="storm"), "replace")
    after = county.read("pipes", snapshot=frozen.id)
    assert after.drop(columns="geometry").equals(before.drop(columns="geometry"))
    assert after.geometry.geom_equals(before.geometry).all()
    assert after.crs == before.crs
    assert county.version("pipes", frozen.id) == version != county.version("pipes")
    assert (county.count("pipes", snapshot=frozen.id), county.count("pipes")) == (3, 1)
    assert county.bounds("pipes", snapshot=frozen.id) == (E0, N0, E0 + 30, N0)
    assert county.layers(snapshot=frozen.id) == ["pipes"]
    assert [(s.id, s.as_of, s.title, s.created_by) for s in county.snapshots()] == [(1, "2026-11-25", "十一月", "li")]


def test_an_unchanged_layer_is_not_copied_again(county: store.Database) -> None:
    put(county, "pipes", pipes(3))
    county.snapshot("2026-11-25", by="li")
    once = _blocks(county)
    county.snapshot("2026-12-25", by="li")
    assert _blocks(county) == once == 1
    edit = county.edit("pipes", "p0", {"kind": "storm"}, by="li")
    county.snapshot("2027-01-25", by="li")
    county.undo(edit.edit_id, by="li")
    county.snapshot("2027-02-25", by="li")
    assert _blocks(county) == 2, "content that comes back is found by its hash"
    assert county.version("pipes", 1) == county.version("pipes", 4)


def test_two_snapshots_are_compared_row_by_row(county: store.Database) -> None:
    put(county, "pipes", pipes(3))
    old = county.snapshot("2026-11-25", by="li")
    put(county, "pipes", pipes(4, kind=["storm"] + ["sewage"] * 3).iloc[[0, 1, 3]].reset_index(drop=True), "replace")
    new = county.snapshot("2026-12-25", by="li")
    for after in (new.id, None):
        found = county.compare_snapshots(old.id, after, "pipes")
        assert found[["id", "kind"]].to_numpy().tolist() == [["p3", "add"], ["p2", "remove"], ["p0", "change"]]
        assert found.iloc[2][["column", "before", "after"]].tolist() == ["kind", "sewage", "storm"]
    with pytest.raises(NotFoundError, match="no snapshot 9"):
        county.compare_snapshots(9, None, "pipes")


def test_derived_tables_are_frozen_too(county: store.Database) -> None:
    findings = gpd.GeoDataFrame({"finding_id": ["f"], "rule": ["dangling"]}, geometry=[shapely.Point(E0, N0)], crs=CRS)
    county.replace_derived({"findings": findings}, by="li")
    frozen = county.snapshot("2026-11-25", by="li")
    county.decide("f", "dismissed", None, by="li")
    county.replace_derived({"findings": findings.iloc[:0]}, by="li")
    assert county.read("findings", snapshot=frozen.id)[["finding_id", "status"]].to_numpy().tolist() == [["f", "open"]]


def test_a_column_younger_than_the_snapshot_is_missing_in_it(county: store.Database) -> None:
    put(county, "pipes", pipes(1))
    frozen = county.snapshot("2026-11-25", by="li")
    put(county, "pipes", pipes(1, grade="II"), "update")
    got = county.read("pipes", snapshot=frozen.id, columns=["grade", "pipe_id"])
    assert got["grade"].isna().all()
