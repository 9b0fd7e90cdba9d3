"""The page of one compound: everything that is recorded, the rest said to be missing, and nothing personal to a viewer."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from mapapp import store
from mapapp.core.errors import NotFoundError
from mapapp.render import style
from mapapp.services import onepage
from mapapp.services.frames import County
from mapapp.services.scope import Scope

EDITOR, VIEWER = Scope("li", role="editor"), Scope("gu", role="viewer")


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    path = str(tmp_path_factory.mktemp("page") / "c.gpkg")
    homes = gpd.GeoDataFrame(
        {"compound_id": ["C1", "C2"], "name": ["甲院", "乙院"], "status": ["under_way", None], "households": [50, None],
         "floor_area_m2": [4800.0, None], "built_year": [1993, None], "fund_central_wan": [60.0, None], "fund_local_wan": [40.0, None]},
        geometry=[shapely.box(500_000, 3_400_000, 500_080, 3_400_060), None], crs="EPSG:4549",
    )  # fmt: skip
    tables = {
        "problems": pd.DataFrame({"ticket_id": ["T1", "T2"], "compound_id": "C1", "category": ["water", "power"], "description": ["13812345678 反映漏水", "停电"],
                                  "due": ["2022-01-31", "2022-01-31"], "status": ["open", "closed"]}),
        "works": pd.DataFrame({"works_id": ["a", "b"], "compound_id": "C1", "code": ["B02", "B05"], "planned": True, "done": [True, False]}),
        "utilities": pd.DataFrame({"utility_id": ["u"], "compound_id": ["C1"], "owner": ["供电公司"], "kind": ["power"], "answer": ["bury"]}),
    }  # fmt: skip
    with store.create(path, name="试验县", crs="EPSG:4549") as db:
        for name, frame in {"compounds": homes, **tables}.items():
            db.apply(db.compare(name, frame, "add"), by="test")
        db.edit("compounds", "C1", {"households": 56}, by="王")
    made = County(path)
    yield made
    made.close()


def test_codes_units_and_dates_are_words(county: County) -> None:
    page = onepage.gather(county.at(EDITOR), "C1", "zh")
    figures = {f["name"]: (f["text"], f["unit"]) for f in page["figures"]}
    assert (figures["households"], figures["floor_area_m2"]) == (("56", "户"), ("0.48", "万㎡"))
    assert page["tables"]["utilities"]["rows"][0]["cells"] == ["供电", "供电公司", "入地"]
    assert page["facts"][0]["text"] == "1993"


def test_open_problems_come_first_and_are_overdue_against_the_pages_date(county: County) -> None:
    rows = onepage.gather(county.at(EDITOR), "C1", "zh")["tables"]["problems"]["rows"]
    assert [(r["id"], r["overdue"]) for r in rows] == [("T1", True), ("T2", False)]


def test_works_stand_under_their_heads_with_what_is_done(county: County) -> None:
    works = onepage.gather(county.at(VIEWER), "C1", "zh")["works"]
    assert {w["head"]: (w["done"], len(w["items"])) for w in works} == {"基础设施": (1, 1), "居住环境": (0, 1)}


def test_funding_adds_up(county: County) -> None:
    funds = onepage.gather(county.at(VIEWER), "C1", "zh")["funds"]
    assert (funds["total"], [r["share"] for r in funds["rows"]]) == ("100", [60, 40])


def test_a_viewer_sees_no_phone_and_no_photos(county: County) -> None:
    page = onepage.gather(county.at(VIEWER), "C1", "zh")
    assert "13812345678" not in str(page)
    assert page["photos"] == []
    assert "13812345678" in str(onepage.gather(county.at(EDITOR), "C1", "zh"))


def test_changes_are_told_with_before_and_after(county: County) -> None:
    change = onepage.gather(county.at(EDITOR), "C1", "zh")["history"][0]
    assert (change["by"], change["before"], change["after"]) == ("王", "50", "56")


def test_what_nobody_knows_is_a_question_mark_and_no_place_is_no_map(county: County) -> None:
    page = onepage.gather(county.at(EDITOR), "C2", "en")
    assert {f["text"] for f in page["figures"]} == {"?"}
    assert onepage.map_parts(county.at(EDITOR), page, "en", nonce="n") is None
    assert page["status"]["class"] == "unknown"


def test_a_compound_that_is_not_there_is_said(county: County) -> None:
    with pytest.raises(NotFoundError, match="no 'C9'"):
        onepage.gather(county.at(EDITOR), "C9", "en")


def test_heads_of_works_are_in_the_readers_language(county: County) -> None:
    works = onepage.gather(county.at(VIEWER), "C1", "en")["works"]
    assert {w["head"] for w in works} == {"Infrastructure", "Living environment"}


def test_history_leaves_out_what_tells_of_the_file_and_says_the_same_change_once(county: County) -> None:
    """An import writes outline and ledger alike; the planner changed one thing."""
    county.db.edit("compounds", "C1", {"households": 77, "snapshot_as_of": "2022-11-25"}, by="li")
    told = onepage.gather(county.at(EDITOR), "C1", "zh")["history"]
    assert [(h["label"], h["after"]) for h in told].count(("户数", "77")) == 1
    assert not any("截至" in h["label"] for h in told)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("accepted", "已验收"),
        ("managed", "已验收（长效管理）"),
        ("under_way", "在建"),
        ("started", "在建（已开工）"),
        (None, "未知"),
    ],
)
def test_the_page_says_a_status_in_the_words_of_the_maps_legend(status: str | None, said: str) -> None:
    """What the legend calls 已验收 is called so here; the ledger's finer word stands beside it."""
    assert onepage._state(style.status_class(status), status, "zh") == said
