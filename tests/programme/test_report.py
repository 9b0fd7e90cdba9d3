"""The report's figures are the snapshot's, and its sentences follow the facts."""

import tomllib
from typing import Any

import pandas as pd
import pytest

from mapapp import resources
from mapapp.programme import report, totals


@pytest.fixture
def template() -> dict[str, Any]:
    return tomllib.loads(resources.geodata("report", "county.toml").read_text(encoding="utf-8"))


def compounds(**changes: object) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "compound_id": ["A", "B"],
            "name": ["甲", "乙"],
            "street": ["城关", "城关"],
            "programme_year": [2021, 2021],
            "status": ["completed", "completed"],
            "households": [100, 46],
            "buildings": [3, 2],
            "floor_area_m2": [9000.0, 4580.0],
            "invest_total_wan": [300.0, 152.75],
            "finish_actual": ["2021-10", "2021-12"],
        }
    )
    return table.assign(**changes)


def text(template: dict[str, Any], **changes: object) -> str:
    made = report.compose({"compounds": compounds(**changes)}, template, county="云岭县", as_of="2022-11-25")
    return "\n".join(p.text for p in made.paragraphs)


def test_figures_are_printed_as_official_papers_print_them(template: dict[str, Any]) -> None:
    assert "小区2个，涉及建筑面积1.36万平方米，5栋楼，住户146户，项目总投资452.75万元" in text(template)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "目前已全部完工"),
        ({"finish_actual": ["2021-10", "2022-05"]}, "当年完工1个，剩余1个在2022年5月全部完成"),
        ({"status": ["completed", "under_way"]}, "已启动2个，其中完工1个"),
        ({"status": ["started", "under_way"]}, "2个小区的改造工作已全部启动"),
        ({"status": ["started", "planned"]}, "已启动1个，尚有1个未启动"),
        ({"status": ["planned", "planned"]}, "改造工作尚未启动"),
        ({"status": ["planned", None]}, "其中1个小区的进展待补充"),
    ],
)
def test_the_tail_of_a_year_follows_the_facts(template: dict[str, Any], changes: dict[str, object], said: str) -> None:
    tails = ("全部完工", "剩余", "其中完工", "全部启动", "未启动", "待补充")
    got = text(template, **changes)
    assert said in got
    assert sum(tail in got for tail in tails if tail not in said and tail not in "尚未启动") == 0


def test_a_figure_nobody_knows_is_marked_never_invented(template: dict[str, Any]) -> None:
    got = text(template, invest_total_wan=[300.0, None])
    assert "项目总投资*万元" in got


def test_a_sentence_without_its_fact_is_not_written(template: dict[str, Any]) -> None:
    assert "未接入污水管网" not in text(template)


@pytest.mark.parametrize(("iso", "said"), [("2026-11-05", "2026年11月5日"), ("2022-05", "2022年5月")])
def test_dates_carry_no_leading_zeros(iso: str, said: str) -> None:
    assert report.chinese_date(iso) == said


def facts(compounds_: pd.DataFrame | None = None, **tables: pd.DataFrame) -> dict[str, Any]:
    return report.gather({"compounds": compounds() if compounds_ is None else compounds_, **tables}, "2022-11-25")


def test_only_what_residents_asked_for_is_their_wish(template: dict[str, Any]) -> None:
    changes = pd.DataFrame({"compound_id": ["A", "A", "B"], "reason": ["cost", "resident_feedback", None]})
    made = report.compose({"compounds": compounds(), "design_changes": changes}, template, county="云岭县", as_of="2022-11-25")  # fmt: skip
    assert "设计变更3处，其中根据居民意愿调整1处" in "\n".join(p.text for p in made.paragraphs)


def test_a_meeting_that_is_only_called_has_not_been_held() -> None:
    meetings = pd.DataFrame({"meeting_id": ["1", "2"], "held_on": ["2022-11-22", "2022-12-27"]})
    assert facts(meetings=meetings)["meetings"] == 1


def test_an_inlet_that_nobody_found_is_not_called_unserved() -> None:
    verdicts = pd.DataFrame({"compound_id": ["A", "B"], "verdict": ["inlet_unknown", "dangling"]})
    found = facts(verdicts=verdicts)
    assert (found["unserved"], found["inlet_unknown"], found["unserved_households"]) == (1, 1, 46)


def test_a_relapse_is_read_from_the_flag_and_withdrawn_compounds_count_nowhere() -> None:
    kept = pd.DataFrame({"compound_id": ["A", "B"], "mode": ["none", "unit"], "relapse_items": ["飞线", "占道"]})
    assert facts(management=kept)["relapsed"] == 2
    found = facts(compounds(status=["completed", "withdrawn"]), management=kept, problems=pd.DataFrame(
        {"compound_id": ["A", "B", None], "status": ["open"] * 3, "category": ["other"] * 3}))  # fmt: skip
    assert (found["total"], found["relapsed"], found["managed"], found["unmanaged"], found["problems"]) == (
        1,
        1,
        0,
        1,
        2,
    )


def test_inspections_count_what_was_found_and_what_was_put_right() -> None:
    held = pd.DataFrame({"compound_id": ["A"] * 4, "held_on": ["2022-10-01"] * 3 + ["2022-12-01"], "result": ["passed", "rectify", "stopped", "rectify"],
                         "rectified_on": [None, "2022-10-09", None, None]})  # fmt: skip
    found = facts(inspections=held)
    assert [found[n] for n in ("inspections", "inspections_bad", "inspections_mended")] == [3, 2, 1]


def test_the_rest_followed_later_is_only_said_where_it_did(template: dict[str, Any]) -> None:
    assert "剩余" not in text(template, finish_actual=["2020-12", "2021-10"])


def test_a_flag_counts_beside_the_status_in_totals() -> None:
    whole = totals.whole(compounds(relapsed=pd.array([True, None], dtype="boolean")))
    assert (whole["completed"], whole["relapsed"], whole["relapsed_households"]) == (2, 1, 100)
