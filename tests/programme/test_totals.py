"""Totals follow the rows; unknown stays unknown."""

import pandas as pd
import pytest

from mapapp.programme import totals


def town() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "compound_id": list("ABCD"),
            "programme_year": [2021, 2021, 2022, 2022],
            "status": ["completed", "accepted", "under_way", "withdrawn"],
            "households": [100, 50, 30, 99],
            "floor_area_m2": [9000.0, 5000.0, None, 1.0],
            "invest_total_wan": [300.0, 150.5, None, None],
            "finish_actual": ["2021-11", "2022-05", None, None],
        }
    )


def test_a_programme_year_is_not_a_finish_year() -> None:
    assert totals.by_year(town()).loc[2021, ["completed", "completed_in_year", "finish_known"]].tolist() == [2, 1, 2]


def test_a_sum_over_nothing_known_is_missing_not_zero() -> None:
    year = totals.by_year(town()).loc[2022]
    assert pd.isna(year["invest_total_wan"])
    assert year["invest_total_wan_missing"] == 1


def test_withdrawn_compounds_count_nowhere() -> None:
    assert totals.by_year(town()).loc[2022, "compounds"] == 1


def test_an_accepted_compound_is_also_completed_and_started() -> None:
    year = totals.by_year(town()).loc[2021]
    assert (year["started"], year["completed"], year["accepted"]) == (2, 2, 1)


def test_years_add_up_to_the_whole() -> None:
    years = totals.by_year(town())
    kept = town()[town()["status"] != "withdrawn"]
    assert years["households"].sum() == kept["households"].sum()


def test_groups_come_in_order_and_compounds_of_no_group_last() -> None:
    found = totals.by_groups(town().assign(street=["西街", None, "东街", "东街"]), "street")
    assert [None if pd.isna(street) else street for street in found.index] == ["东街", "西街", None]
    assert found["households"].tolist() == [30, 100, 50]
    assert (found.index.name, totals.by_year(town()).index.name) == ("street", "programme_year")


def test_a_relapse_is_counted_from_the_flag_and_from_the_ledgers_own_word() -> None:
    flagged = town().assign(
        relapsed=[True, None, False, True], status=["completed", "relapsed", "under_way", "withdrawn"]
    )
    year = totals.by_year(flagged).loc[2021]
    assert (year["relapsed"], year["relapsed_households"]) == (2, 150)
    assert totals.by_year(town())["relapsed"].tolist() == [0, 0]


def test_columns_that_are_absent_count_as_missing() -> None:
    year = totals.by_year(pd.DataFrame({"compound_id": ["A"], "programme_year": ["2021"]})).loc[2021]
    assert (year["compounds"], year["started"], year["finish_known"], year["households_missing"]) == (1, 0, 0, 1)


def test_a_managed_compound_counts_at_every_step_of_the_chain() -> None:
    year = totals.by_year(town().assign(status=["managed", "handed_over", "started", "planned"])).loc[2021]
    assert year[["planned", "started", "completed", "accepted", "managed"]].tolist() == [2, 2, 2, 2, 1]


def test_an_empty_county_has_no_years() -> None:
    assert totals.by_year(town().iloc[:0]).empty


@pytest.mark.parametrize(("part", "whole", "rate"), [(5, 4, 125.0), (0, 4, 0.0), (1, 0, None)])
def test_rates_may_exceed_a_hundred_and_have_no_value_without_a_plan(part: int, whole: int, rate: float | None) -> None:
    assert totals.rate(part, whole) == rate
