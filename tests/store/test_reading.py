"""Reading rows: columns, ids, boxes and conditions, live and frozen."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp import store
from mapapp.core.errors import InputError, NotFoundError
from mapapp.store import gpkg as blobs
from mapapp.store import native
from mapapp.store.reading import overlay

from .conftest import CRS, E0, N0, pipes, put


@pytest.mark.parametrize("frozen", [False, True])
def test_conditions_narrow_alike_in_live_and_frozen_rows(county: store.Database, frozen: bool) -> None:
    put(
        county,
        "pipes",
        pipes(6, kind=["sewage", "storm", None, "storm", "sewage", "other"], diameter_mm=[1, 2, 3, 4, 5, np.nan]),
    )
    snapshot = county.snapshot("2026-11-25", by="li").id if frozen else None

    def ids(**how: object) -> str:
        return "".join(i[1] for i in county.read("pipes", snapshot=snapshot, **how)["pipe_id"])  # type: ignore[arg-type]

    assert ids() == "012345"
    assert ids(ids=["p4", "p1", "nobody"]) == "14"
    assert ids(ids=[]) == ""
    assert ids(where={"kind": "storm"}) == "13"
    assert ids(where={"kind": ["storm", None]}) == "123"
    assert ids(where={"kind": ["storm", "sewage"], "diameter_mm": [1, 4]}) == "03"
    assert ids(where={"kind": []}) == ""
    assert ids(bbox=(E0 + 21, N0 - 1, E0 + 39, N0 + 1)) == "23"
    assert ids(bbox=(E0 + 21, N0 - 1, E0 + 39, N0 + 1), where={"kind": "storm"}) == "3"


def test_columns_are_those_asked_for(county: store.Database) -> None:
    put(county, "pipes", pipes(1))
    assert list(county.read("pipes", columns=["kind", "pipe_id", "row_version"]).columns) == [
        "kind",
        "pipe_id",
        "row_version",
        "geometry",
    ]
    assert list(county.read("pipes", columns=["kind"], geometry=False).columns) == ["kind"]
    with pytest.raises(InputError, match=r"no column 'colour'.*pipe_id"):
        county.read("pipes", columns=["colour"])
    with pytest.raises(InputError, match="colour"):
        county.read("pipes", where={"colour": 1})
    with pytest.raises(NotFoundError, match="no layer called 'pips'"):
        county.read("pips")
    with pytest.raises(NotFoundError, match="no snapshot 7"):
        county.read("pipes", snapshot=7)


def test_the_compiled_reader_and_sqlite_read_the_same(gpkg: store.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert native.available(), "Python's sqlite3 hides its functions here; only the slow reader is tested"
    rng = np.random.default_rng(4)
    frame = pipes(
        21_000, kind=rng.choice(["污水", "", None], 21_000), note=["x" * int(n) for n in rng.integers(0, 400, 21_000)]
    )
    frame.loc[::7, "geometry"] = None
    frame.loc[3, "geometry"] = shapely.Point(E0, N0)
    put(gpkg, "pipes", frame)
    quick = gpkg.read_arrow("pipes")
    monkeypatch.setattr("mapapp.store.native.read", lambda *a, **k: None)
    slow = gpkg.read_arrow("pipes")
    assert quick.num_rows == 21_000
    assert quick.equals(slow)


def test_a_text_larger_than_the_readers_room_is_read_whole(gpkg: store.Database) -> None:
    put(gpkg, "pipes", pipes(2, note=["a" * 9_000_000, "b"]))
    uri = gpkg.path.as_uri() + "?mode=ro"
    got = native.read(uri, "pipes", {"pipe_id": "str", "note": "str"}, geometry=True)
    assert got is not None
    assert [len(n) for n in got.column("note").to_pylist()] == [9_000_000, 1]


def test_the_ledger_wins_where_it_says_something(county: store.Database) -> None:
    compounds = gpd.GeoDataFrame(
        {"compound_id": ["a", "b"], "name": ["A", "B"], "households": pd.array([1, 2], dtype="Int64")},
        geometry=[shapely.Point(E0, N0)] * 2,
        crs=CRS,
    )
    put(county, "compounds", compounds)
    put(
        county,
        "ledger",
        pd.DataFrame(
            {"compound_id": ["c", "a"], "name": [None, "甲"], "status": ["started", None], "households": [9, np.nan]}
        ),
    )
    out = county.effective_compounds()
    assert out["compound_id"].tolist() == ["a", "b", "c"]
    assert out["name"].tolist()[:2] == ["甲", "B"]
    assert out["households"].tolist() == [1, 2, 9]
    assert str(out["households"].dtype) == "Int64"
    assert out["status"].isna().tolist() == [True, True, False]
    assert out.geometry.isna().tolist() == [False, False, True]
    assert out.crs == county.crs


def test_an_overlay_of_nothing_is_the_table_itself() -> None:
    under = pd.DataFrame({"k": ["a"], "v": [1.0]})
    pd.testing.assert_frame_equal(overlay(under, under.iloc[:0], "k"), under)
    assert overlay(under.iloc[:0], under, "k")["v"].tolist() == [1.0]


_numbers = st.floats(-1e7, 1e7, allow_nan=False, width=32)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.lists(st.tuples(_numbers, _numbers), min_size=1, max_size=5)), max_size=6))
def test_blobs_give_back_the_geometry_and_its_envelope(shapes: list[list[tuple[float, float]] | None]) -> None:
    """Whatever goes into a GeoPackage blob comes out, and the header's box is the geometry's."""
    geometry = np.array(
        [None if s is None else shapely.Point(s[0]) if len(s) == 1 else shapely.LineString(s) for s in shapes],
        dtype=object,
    )
    for shape, blob in zip(geometry, blobs.encode(geometry, 4544), strict=True):
        if shape is None:
            assert blob is None
            continue
        assert blob[:2] == b"GP"
        assert shapely.from_wkb(blobs.wkb(blob)).equals_exact(shape, 0)
        xmin, ymin, xmax, ymax = shape.bounds
        assert blobs.envelope(blob) == (xmin, xmax, ymin, ymax)
