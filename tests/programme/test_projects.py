"""Projects and compounds are many to many; works are counted once per compound; money and progress stay apart."""

from __future__ import annotations

import pandas as pd
import pytest

from mapapp.programme import funding, projects, works
from mapapp.programme import management as caring


def town() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "compound_id": ["A", "B", "C", "D"], "programme_year": [2021, 2021, 2022, 2022],
            "status": ["completed", "managed", "under_way", "withdrawn"], "households": [100, 50, 30, 99],
            "floor_area_m2": [9000.0, 5000.0, 1000.0, 1.0], "finish_actual": ["2021-11", "2022-05", None, None],
            "invest_total_wan": [100.0, 50.0, 40.0, 1.0], "invest_done_wan": [100.0, 60.0, None, 1.0],
            "image_progress_pct": [100.0, None, 40.0, 1.0],
            "fund_central_wan": [60.0, 20.0, None, 1.0], "fund_local_wan": [40.0, None, None, None],
        }
    )  # fmt: skip


PROJECTS = pd.DataFrame(
    {
        "project_id": ["P1", "P2", "P3", "P4"],
        "compound_ids": ["A;B;A", "B；C", "X", None],
        "year": [2021, 2022, 2022, 2022],
    }
)


def test_a_compound_may_sit_in_several_projects_and_counts_once_in_each() -> None:
    found = projects.summary(PROJECTS, town())
    assert found["compounds"].tolist() == [2, 2, 0, 0]
    assert found["shared"].tolist() == [1, 1, 0, 0]
    assert found["unknown"].tolist() == [0, 0, 1, 0]
    assert found["households"].tolist()[:2] == [150, 80]


def test_a_project_is_finished_only_when_all_its_compounds_are_and_not_in_its_programme_year() -> None:
    found = projects.summary(PROJECTS, town())
    assert found.loc["P1", "finished_on"] == "2022-05"
    assert pd.isna(found.loc["P2", "finished_on"])
    assert (found["started"].tolist(), found["completed"].tolist()) == ([2, 2, 0, 0], [2, 1, 0, 0])


def test_a_relapse_is_a_flag_and_leaves_the_compound_completed() -> None:
    management = pd.DataFrame({"compound_id": ["B", "A"], "relapse_items": ["飞线", " "]})
    towns = town()
    flagged = set(towns.loc[caring.relapse(towns, management).eq(True).fillna(False), "compound_id"])
    assert flagged == {"B"}
    assert projects.summary(PROJECTS, town(), flagged).loc["P1", ["completed", "relapsed"]].tolist() == [2, 1]


def test_works_count_each_compound_once_and_strange_codes_are_named() -> None:
    recorded = pd.DataFrame(
        {"compound_id": ["A", "A", "B", "B"], "code": ["B01", "B01", "B01", "Z99"],
         "planned": [True, True, True, True], "done": pd.array([True, True, None, False], dtype="boolean")}
    )  # fmt: skip
    items = works.catalogue()
    found = projects.works(recorded, items).set_index("code")
    assert found.loc["B01", ["planned", "done"]].tolist() == [2, 1]
    assert projects.strangers(recorded, items) == ["Z99"]


def test_money_is_never_taken_for_progress_nor_progress_for_money() -> None:
    found = funding.progress(town())
    assert found.loc[2021, ["money_known", "image_known"]].tolist() == [2, 1]
    assert found.loc[2021, "money_pct"] == pytest.approx(100 * 160 / 150)
    assert found.loc[2021, "image_pct"] == 100
    assert pd.isna(found.loc[2022, "money_pct"])
    assert found.loc[2022, "image_pct"] == 40


def test_sources_add_up_without_withdrawn_compounds_and_the_rest_is_named() -> None:
    found = funding.by_source(town())
    assert found["amount_wan"].to_dict() == {"fund_central_wan": 80.0, "fund_local_wan": 40.0}
    assert found["compounds"].tolist() == [2, 1]
    assert funding.unassigned(town()) == 30.0
    assert funding.unassigned(town().drop(columns=["fund_central_wan", "fund_local_wan"])) is None


def test_nothing_known_gives_empty_tables_not_zeros() -> None:
    bare = town()[["compound_id"]]
    assert funding.by_source(bare).empty
    assert funding.progress(bare).empty
    assert projects.summary(PROJECTS.iloc[:0], bare).empty
