"""What a page is told about a small town: counts, totals, tables, features, searches, and the words for them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from mapapp import store
from mapapp.core import schema
from mapapp.core.errors import InputError, NotFoundError
from mapapp.services import describing, exporting_view, frames, plain, searching, snapshots, tiling, viewing, words
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope, ShareSpec

CRS = "EPSG:4549"
EDITOR = Scope("li", role="editor")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("view") / "c.gpkg"
    with store.create(str(path), name="试验县", crs=CRS) as db:
        n = 12
        compounds = gpd.GeoDataFrame(
            {
                "compound_id": [f"C{i:02d}" for i in range(n)],
                "name": [f"小区{i}" for i in range(n)],
                "street": ["东街", "西街", None] * 4,
                "status": ["completed", "started", "under_way", "accepted", "managed", None] * 2,
                "programme_year": [2020] * 5 + [2021] * 5 + [None] * 2,
                "households": [10 * i + 3 for i in range(n - 1)] + [None],
                "buildings": [1] * n,
            },
            geometry=[shapely.box(500_000 + 300 * i, 3_400_000, 500_100 + 300 * i, 3_400_080) for i in range(n)],
            crs=CRS,
        )
        lines = [shapely.LineString([(500_000 + 7 * i, 3_399_990), (500_006 + 7 * i, 3_399_990)]) for i in range(40)]
        pipes = gpd.GeoDataFrame(
            {
                "pipe_id": [f"P{i}" for i in range(40)],
                "kind": ["sewage", "storm"] * 20,
                "length_m": 6.0,
                "ownership": ["甲", "乙"] * 20,
            },
            geometry=lines,
            crs=CRS,
        )
        db.apply(db.compare("compounds", compounds, "add"), by="t")
        db.apply(db.compare("pipes", pipes, "add"), by="t")
    return path


@pytest.fixture
def view(county: County) -> View:
    return county.at(EDITOR)


def test_counts_of_every_column_add_up_to_the_rows(view: View) -> None:
    for wanted in ({}, {"year": ["2020"]}, {"status": ["completed", "?"]}):
        summary = viewing.summary(view, wanted, "zh")
        for column in ("year", "status", "street"):
            assert sum(summary["by"][column].values()) == summary["totals"]["compounds"]


def test_a_total_says_for_how_many_it_is_not_known(view: View) -> None:
    summary = viewing.summary(view, {}, "zh")
    assert summary["totals"]["households"] == sum(10 * i + 3 for i in range(11))
    assert summary["missing"]["households"] == 1
    assert "floor_area_m2" not in summary["totals"]  # nothing known is no zero


def test_parts_add_up_to_the_whole(view: View) -> None:
    whole = viewing.summary(view, {}, "zh")
    parts = [viewing.summary(view, {"year": [year]}, "zh") for year in ("2020", "2021", "?")]
    for figure in ("compounds", "households", "buildings"):
        assert sum(part["totals"].get(figure, 0) for part in parts) == whole["totals"][figure]
    assert [row["compounds"] for row in whole["years"]] == [5, 5, 2]


def test_a_word_of_the_legend_stands_for_all_its_statuses(view: View) -> None:
    assert viewing.summary(view, {"status": ["under_way"]}, "zh")["by"]["status"] == {"started": 2, "under_way": 2}
    assert viewing.summary(view, {"status": ["accepted"]}, "zh")["totals"]["compounds"] == 4


def test_filters_on_compounds_leave_pipes_alone_and_the_other_way_round(view: View) -> None:
    assert viewing.summary(view, {"year": ["2020"]}, "zh")["layers"] == {"compounds": 5, "pipes": 40}
    assert viewing.summary(view, {"kind": ["storm"]}, "zh")["layers"] == {"compounds": 12, "pipes": 20}


@pytest.mark.parametrize(
    "wanted", [{"nothing": ["1"]}, {"pipes.nothing": ["1"]}, {"invest_wan": ["1"]}, {"compounds.geometry": ["1"]}]
)
def test_an_unknown_column_is_refused(view: View, wanted) -> None:
    with pytest.raises(InputError):
        viewing.summary(view, wanted, "zh")


@pytest.mark.parametrize(
    ("wanted", "compounds", "pipes", "named"),
    [
        ({"street": ["南街"]}, 0, 40, "南街"),
        ({"year": ["1999"]}, 0, 40, "1999"),
        ({"year": ["2020", "1999"]}, 5, 40, "1999"),
        ({"kind": ["gas"]}, 12, 0, "gas"),
        ({"verdict": ["no_main"]}, 0, 40, "接入结论"),
        ({"manholes.kind": ["storm"]}, 12, 40, "检查井"),
    ],
)
def test_a_filter_that_names_what_has_gone_still_opens_and_says_so(view: View, wanted, compounds, pipes, named) -> None:
    told = viewing.summary(view, wanted, "zh")
    assert told["layers"] == {"compounds": compounds, "pipes": pipes}
    (notice,) = told["notices"]
    assert named in notice
    assert viewing.features(view, "compounds", wanted)["total"] == compounds


def test_live_data_go_by_the_day_of_their_last_change_and_a_share_of_them_too(county: County) -> None:
    last = county.db.revisions(limit=1)["at"].iloc[0]
    day = datetime.fromisoformat(last).astimezone().date().isoformat()
    assert county.at(EDITOR).as_of == day
    county.db.shares.add({}, by="li")
    assert county.at(EDITOR).as_of == day
    assert str(snapshots.present(county.db, by="li").as_of)[:10] == day


def test_pages_of_a_table_join_to_the_whole_in_one_order(view: View) -> None:
    pages = [viewing.features(view, "pipes", {}, sort="length_m", offset=k, limit=7)["rows"] for k in range(0, 40, 7)]
    ids = [row["_id"] for page in pages for row in page]
    assert len(ids) == len(set(ids)) == 40
    assert ids == sorted(ids)  # all lengths are equal: ties by id


def test_a_large_layer_answers_the_same_as_a_small_one(
    county: County, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(view: View) -> list[object]:
        return [viewing.summary(view, {}, "zh"), viewing.features(view, "pipes", {"kind": ["storm"]}, limit=5),
                viewing.feature(view, "pipes", "P7", "zh"), searching.search(view, "P3", "zh")]  # fmt: skip

    small = answers(view)
    monkeypatch.setattr(frames, "_LARGE", 10)
    large = county.at(EDITOR)
    assert large.large("pipes")
    assert answers(large) == small
    assert not isinstance(large.table("pipes"), gpd.GeoDataFrame)


def test_a_feature_is_told_in_degrees_with_its_words(view: View) -> None:
    feature = viewing.feature(view, "compounds", "C04", "zh")
    lon, lat = feature["geometry"]["coordinates"][0][0]
    assert (119 < lon < 121, 30 < lat < 31) == (True, True)
    assert next(a["text"] for a in feature["attributes"] if a["name"] == "status") == "长效管理"
    with pytest.raises(NotFoundError):
        viewing.feature(view, "compounds", "C99", "zh")


@pytest.mark.parametrize(("text", "first"), [("小区3", "C03"), ("c05", "C05"), ("P1", "P1"), ("区1", "C01")])
def test_search_finds_equal_before_beginning_before_containing(view: View, text: str, first: str) -> None:
    assert searching.search(view, text, "zh")[0]["id"] == first
    assert searching.search(view, "  ", "zh") == []


def test_a_view_describes_only_what_is_there(view: View) -> None:
    told = describing.describe(view, "en")
    assert [layer["name"] for layer in told["layers"]] == ["compounds", "pipes"]
    west, south, east, north = told["bounds"]
    assert west < east
    assert south < north
    assert {f["column"] for f in told["filters"]} >= {"year", "status", "street"}


def test_tiles_are_built_once_for_all_roles_and_anew_when_the_data_changes(county: County) -> None:
    before = tiling.source(county.at(EDITOR), "pipes")
    assert tiling.source(county.at(Scope("gu", role="viewer")), "pipes") is before
    county.db.edit("pipes", "P0", {"kind": "combined"}, by="t")
    assert tiling.source(county.at(EDITOR), "pipes") is not before
    assert sum(path.is_dir() for path in county.tiles_folder.glob("pipes-*")) >= 2


def test_a_share_of_an_own_pipe_has_a_tile_cache_of_nothing_else(county: County) -> None:
    spec = ShareSpec(kind="unit", unit="甲", layers=("pipes",))
    source = tiling.source(county.at(Scope("甲", share=spec)), "pipes")
    assert set(source.ids) == {f"P{i}" for i in range(0, 40, 2)}
    assert "ownership" not in source.attributes


def test_while_one_builds_the_tiles_of_a_large_layer_others_are_sent_away(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "_LARGE", 10)
    county.db.edit("pipes", "P2", {"kind": "combined"}, by="t")
    view = county.at(EDITOR)
    folder = county.tiles_folder / f"pipes-{view.version('pipes')}"
    with tiling._one_builder(folder, wait=True), pytest.raises(tiling.BusyError):
        tiling.tile(view, "pipes", 14, 0, 0)
    assert tiling.tile(view, "pipes", 14, 0, 0) == b""


def test_a_snapshot_of_an_unchanged_county_is_taken_once(county: County) -> None:
    first = snapshots.present(county.db, by="t")
    assert snapshots.present(county.db, by="t").id == first.id
    county.db.edit("compounds", "C00", {"households": 4}, by="t")
    assert snapshots.present(county.db, by="t").id != first.id
    assert viewing.feature(county.at(EDITOR, str(first.id)), "compounds", "C00", "zh")["as_of"] == str(first.as_of)[:10]


def test_an_export_holds_the_filtered_rows(view: View) -> None:
    made = exporting_view.table(view, "compounds", {"year": ["2021"]}, "csv")
    assert made.body.decode("utf-8-sig").count("\n") == 6  # a head and five rows


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_code_of_a_filter_has_a_word(lang: str) -> None:
    for layer, column, value in [("compounds", "status", "started"), ("pipes", "kind", "sewage"), ("outlets", "facility", "wwtp"),
                                 ("compounds", "verdict", "no_main"), ("compounds", "rules", "near_miss"), ("compounds", "status", "?")]:  # fmt: skip
        word = words.value_label(layer, column, value, lang)
        assert word
        assert word.isascii() == (lang == "en")


def test_numbers_in_answers_are_plain(view: View) -> None:
    frame = gpd.GeoDataFrame({"a": [1.0, np.nan, np.inf], "b": [True, None, False]}, geometry=[None] * 3, crs=CRS)
    assert [row["a"] for row in plain.records(frame)] == [1, None, None]
    assert plain.lonlat(frame) == [None] * 3


def test_codes_are_told_in_the_language_asked_for_and_never_as_letters_of_a_survey() -> None:
    said = [words.value_label("pipes", "material", "混凝土", lang) for lang in ("zh", "en")]
    assert said == ["混凝土", "concrete"]
    for name in schema.layers():
        for column in schema.layer(name).columns:
            for code in column.codes:
                chinese, english = (words.value_label(name, column.name, code.value, lang) for lang in ("zh", "en"))
                assert words._chinese(chinese) or chinese.isupper(), (name, column.name, code.value)
                assert not words._chinese(english), (name, column.name, code.value)
            text, _, _ = words.label(name, column.name)
            assert words._chinese(text.zh), (name, column.name)
            assert not words._chinese(text.en), (name, column.name)


def test_rows_of_a_table_carry_the_words_of_their_codes(view: View) -> None:
    told = [
        viewing.features(view, "pipes", {}, limit=1, lang=lang)["rows"][0]["_labels"]["kind"] for lang in ("zh", "en")
    ]
    assert told[0] != told[1]
    assert words._chinese(told[0])
    assert "_labels" not in viewing.features(view, "pipes", {}, limit=1, columns=["pipe_id"])["rows"][0]
