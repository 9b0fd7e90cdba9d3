"""Importing a table: what is added, changed, refused; the same file twice changes nothing."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from mapapp import store
from mapapp.core import schema
from mapapp.core.errors import ConflictError, InputError

from .conftest import CRS, E0, N0, pipes, put


def test_save_then_read_gives_the_same_rows(county: store.Database) -> None:
    frame = pipes(
        3, kind=["sewage", None, "storm"], diameter_mm=[300.0, np.nan, 450.5], 井盖=["铸铁", None, "a'b\"c%s:d"]
    )
    frame.loc[1, "geometry"] = None
    before = frame.copy(deep=True)
    assert put(county, "pipes", frame) == 1
    back = county.read("pipes")
    pd.testing.assert_frame_equal(frame, before)
    assert back.crs == frame.crs
    assert list(back["pipe_id"]) == ["p0", "p1", "p2"]
    assert back["井盖"].tolist()[::2] == ["铸铁", "a'b\"c%s:d"]
    assert back["kind"].isna().tolist() == back["diameter_mm"].isna().tolist() == [False, True, False]
    assert back.geometry[1] is None
    assert back.geometry[2].equals_exact(frame.geometry[2], 0)
    assert {c.name for c in schema.layer("pipes").columns} <= set(back.columns)


def test_kinds_survive_the_round_trip(county: store.Database) -> None:
    frame = pd.DataFrame(
        {
            "compound_id": ["a", "b"],
            "households": pd.array([12, None], dtype="Int64"),
            "floor_area_m2": [1.5, np.nan],
            "party_branch": pd.array([True, None], dtype="boolean"),
            "accepted_at": ["2023-05-01", None],
            "floors_seen": [3, 4],
        }
    )
    put(county, "ledger", frame)
    back = county.read("ledger")
    assert not isinstance(back, gpd.GeoDataFrame)
    assert [
        str(back[c].dtype) for c in ("households", "floor_area_m2", "party_branch", "accepted_at", "floors_seen")
    ] == [
        "Int64",
        "float64",
        "boolean",
        "str",
        "Int64",
    ]
    pd.testing.assert_frame_equal(back[list(frame.columns)], frame.astype({"floors_seen": "Int64"}))


@pytest.mark.parametrize("mode", ["add", "update", "replace"])
def test_the_same_file_twice_changes_nothing(county: store.Database, mode: str) -> None:
    frame = pipes(5, diameter_mm=[300, np.nan, 0.1 + 0.2, 400, 500])
    put(county, "pipes", frame)
    version, revision = county.version("pipes"), county.revision
    noisy = frame.set_geometry(frame.geometry.translate(3e-7, -3e-7))
    for again in (frame, noisy):
        changes = county.compare("pipes", again, mode)
        assert (changes.nothing, changes.unchanged, len(changes.differences)) == (True, 5, 0)
        assert county.apply(changes, by="li") == revision
    assert county.version("pipes") == version


def test_add_refuses_an_id_with_other_content_and_shows_the_difference(county: store.Database) -> None:
    put(county, "pipes", pipes(2))
    changes = county.compare("pipes", pipes(3, kind=["sewage", "storm", "storm"]), "add")
    assert (changes.refused, changes.added, changes.unchanged) == (("p1",), 1, 1)
    assert changes.differences.to_dict("records") == [
        {"id": "p1", "column": "kind", "before": "sewage", "after": "storm"}
    ]
    with pytest.raises(ConflictError, match=r"p1 kind sewage → storm.*--update"):
        county.apply(changes, by="li")
    assert county.count("pipes") == 2


def test_update_changes_by_id_and_a_missing_value_says_nothing(county: store.Database) -> None:
    put(county, "pipes", pipes(3, material=["PE", "PE", "PVC"]))
    news = pipes(2, kind=["storm", None], diameter_mm=[np.nan, 500]).drop(columns="geometry")
    changes = county.compare("pipes", gpd.GeoDataFrame(news, geometry=[None, None], crs=CRS), "update")
    assert (changes.added, changes.changed, changes.removed) == (0, 2, 0)
    county.apply(changes, by="li")
    back = county.read("pipes").set_index("pipe_id")
    assert back["kind"].tolist() == ["storm", "sewage", "sewage"]
    assert back["diameter_mm"].tolist() == [300, 500, 300]
    assert back["material"].tolist() == ["PE", "PE", "PVC"]
    assert back.geometry.notna().all()


def test_replace_makes_the_layer_the_file(county: store.Database) -> None:
    put(county, "pipes", pipes(4, material="PE"))
    changes = county.compare("pipes", pipes(6).iloc[2:].assign(kind="storm").reset_index(drop=True), "replace")
    assert (changes.added, changes.changed, changes.removed, changes.unchanged) == (2, 2, 2, 0)
    county.apply(changes, by="li")
    back = county.read("pipes")
    assert back["pipe_id"].tolist() == ["p2", "p3", "p4", "p5"]
    assert back["material"].isna().all()
    assert county.bounds("pipes") == pytest.approx((E0 + 20, N0, E0 + 60, N0), abs=0.5)


def test_a_comparison_that_no_longer_holds_is_not_applied(county: store.Database) -> None:
    put(county, "pipes", pipes(2))
    changes = county.compare("pipes", pipes(2, kind="storm"), "update")
    county.edit("pipes", "p0", {"kind": "combined"}, by="wang")
    with pytest.raises(ConflictError, match="after the comparison"):
        county.apply(changes, by="li")
    harmless = county.compare("pipes", pipes(2, kind="storm"), "update")
    county.edit("pipes", "p0", {"material": "PE"}, by="wang")
    county.apply(harmless, by="li")
    assert county.read("pipes")["kind"].tolist() == ["storm", "storm"]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pipes(2).assign(pipe_id=["a", "a"]), "occur more than once: a"),
        (pipes(2).assign(pipe_id=["a", None]), "1 rows of pipes have no pipe_id"),
        (pipes(2).drop(columns="pipe_id"), "no column pipe_id"),
        (pipes(2).to_crs(4326), "this county keeps EPSG:4544"),
        (pipes(2).set_crs(None, allow_override=True), "has no CRS"),
        (pipes(2).assign(diameter_mm=["thick", "thin"]), "diameter_mm of pipes takes numbers"),
        (pipes(2).assign(KIND="x"), "cannot be used"),
    ],
)
def test_what_cannot_be_stored_is_said_in_a_sentence(gpkg: store.Database, frame: gpd.GeoDataFrame, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        gpkg.compare("pipes", frame, "add")
    assert len(caught.value.message("zh")) > 8
    assert gpkg.count("pipes") == 0


def test_derived_tables_cannot_be_imported(gpkg: store.Database) -> None:
    with pytest.raises(InputError, match="derived"):
        gpkg.compare("findings", pipes(1), "add")


def test_a_further_column_that_turns_to_words_becomes_text(county: store.Database) -> None:
    put(county, "pipes", pipes(2, grade=[1, 2]))
    put(county, "pipes", pipes(4, grade=[1, 2, "three", 4]).iloc[2:].reset_index(drop=True))
    assert county.read("pipes")["grade"].tolist() == ["1", "2", "three", "4"]
    assert county.count("pipes") == len(county.read("pipes", bbox=(E0 - 1, N0 - 1, E0 + 99, N0 + 1)))


def test_an_empty_frame_adds_nothing(county: store.Database) -> None:
    assert county.compare("pipes", pipes(0), "add").nothing
    assert len(county.read("pipes")) == 0
    assert county.layers() == []
    assert county.bounds() is None


def test_geometry_of_several_types_and_empty_ones_come_back(county: store.Database) -> None:
    shapes = [
        shapely.Point(E0, N0),
        shapely.box(E0, N0, E0 + 5, N0 + 5),
        shapely.Polygon(),
        None,
        shapely.MultiPolygon([shapely.box(E0, N0, E0 + 1, N0 + 1)]),
        shapely.Point(E0, N0, 7),
    ]
    ids = [f"c{i}" for i in range(len(shapes))]
    put(county, "compounds", gpd.GeoDataFrame({"compound_id": ids}, geometry=shapes, crs=CRS))
    back = county.read("compounds").geometry
    assert [g if g is None else g.geom_type for g in back] == [
        "Point",
        "Polygon",
        "Polygon",
        None,
        "MultiPolygon",
        "Point",
    ]
    assert back[2].is_empty
    assert not back[5].has_z


def test_many_rows_go_through_the_bulk_way_and_stay_findable(county: store.Database) -> None:
    """Beyond 2,000 rows triggers are put aside; the spatial index must be as complete as without."""
    frame = pipes(2500)
    put(county, "pipes", frame)
    moved = frame.set_geometry(frame.geometry.translate(0, 1000)).assign(kind="storm")
    put(county, "pipes", moved, "update")
    assert len(county.read("pipes", bbox=(E0, N0 - 1, E0 + 1e6, N0 + 1))) == 0
    assert len(county.read("pipes", bbox=(E0 + 5, N0 + 999, E0 + 25, N0 + 1001))) == 3
    put(county, "pipes", moved.iloc[:10], "replace")
    assert len(county.read("pipes", bbox=(E0, N0, E0 + 1e6, N0 + 2000))) == county.count("pipes") == 10
    assert county.edit("pipes", "p3", {"geometry": shapely.Point(E0, N0)}, by="li").row_version == 3
    assert county.read("pipes", bbox=(E0, N0 - 1, E0 + 1, N0 + 1))["pipe_id"].tolist() == ["p3"]
