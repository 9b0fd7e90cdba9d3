"""Papers say the day their figures hold for: a snapshot's, else that of the last change, on this machine's calendar."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from mapapp import store
from mapapp.core.errors import NotFoundError
from mapapp.services import counties, frames, reporting, sheets, standalone
from mapapp.services.frames import County
from mapapp.services.scope import Scope
from mapapp.store import session

CRS = "EPSG:4549"


@pytest.fixture
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def url(tmp_path: Path, shanghai: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a county frozen as of 1 November and last changed late on the 24th in London, early on the 25th in Shanghai."""
    path = str(tmp_path / "c.gpkg")
    homes = gpd.GeoDataFrame(
        {
            "compound_id": ["C1", "C2"],
            "name": ["东苑", "西苑"],
            "status": ["started", "started"],
            "programme_year": 2022,
        },
        geometry=[shapely.box(500_000 + 90 * i, 3_400_000, 500_060 + 90 * i, 3_400_050) for i in range(2)],
        crs=CRS,
    )
    with store.create(path, name="试验县", crs=CRS) as db:
        monkeypatch.setattr(session, "now", lambda: "2022-11-24T18:30:00.000Z")
        db.apply(db.compare("compounds", homes, "add"), by="t")
        db.snapshot("2022-11-01", by="t", title=None)
    return path


def test_live_data_go_by_the_day_of_their_last_change(url: str) -> None:
    with store.open(url) as db:
        assert frames.changed_on(db) == "2022-11-25"
        assert counties.moment(db, None) == (None, "2022-11-25")
    county = County(url)
    assert county.at(Scope("li", role="viewer")).as_of == "2022-11-25"
    county.close()


def test_a_snapshot_goes_by_its_own_day_and_an_unknown_one_is_refused(url: str) -> None:
    with store.open(url) as db:
        number = db.snapshots()[0].id
        assert counties.moment(db, "2022-11-01") == counties.moment(db, str(number)) == (number, "2022-11-01")
        with pytest.raises(NotFoundError, match="2022-11-02"):
            counties.moment(db, "2022-11-02")


def test_every_paper_of_live_data_says_that_day(url: str, tmp_path: Path) -> None:
    with store.open(url) as db:
        assert reporting.preview(db, "zh")["as_of"] == "2022-11-25"
        assert reporting.preview(db, "zh", as_of="newest")["as_of"] == "2022-11-01"
    assert standalone.write(url, tmp_path / "m.html")["as_of"] == "2022-11-25"
    assert sheets.write(url, tmp_path / "s.png", by="t")["as_of"] == "2022-11-25"


def test_a_sheet_of_a_snapshot_shows_what_has_gone_since(url: str, tmp_path: Path) -> None:
    with store.open(url) as db:
        for compound in ("C1", "C2"):
            db.delete("compounds", compound, by="t")
    assert standalone.write(url, tmp_path / "m.html", snapshot="2022-11-01")["layers"] == ["compounds"]
    assert sheets.write(url, tmp_path / "s.png", by="t", snapshot="2022-11-01")["pages"] == 1
