"""Months: dates read from titles, blank cells, differences between two states, forms filled from a spec."""

from __future__ import annotations

import tomllib

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapapp import resources
from mapapp.core.errors import InputError
from mapapp.programme import months


def states() -> tuple[pd.DataFrame, pd.DataFrame]:
    before = pd.DataFrame(
        {"compound_id": ["A", "B", "C"], "status": ["planned", "started", None], "households": [10.0, 20.0, 0.1 + 0.2]}
    )
    after = pd.DataFrame(
        {"compound_id": ["D", "B", "A"], "status": ["planned", "started", "started"], "households": [1.0, 25.0, 10.0]}
    )
    return before, after


def test_every_cell_that_differs_is_told_and_compounds_that_came_or_went() -> None:
    found = months.compare(*states(), ["status", "households"])
    told = set(found.itertuples(index=False, name=None))
    assert told == {
        ("D", "", None, "exists"),
        ("C", "", "exists", None),
        ("A", "status", "planned", "started"),
        ("B", "households", 20.0, 25.0),
    }


@given(st.lists(st.tuples(st.sampled_from(["planned", "started", None]), st.floats(0, 1e6)), max_size=12))
def test_a_state_never_differs_from_itself_in_whatever_order(rows: list[tuple[str | None, float]]) -> None:
    table = pd.DataFrame(rows, columns=["status", "households"]).assign(compound_id=[f"C{i}" for i in range(len(rows))])
    assert months.compare(table, table.iloc[::-1].reset_index(drop=True), ["status", "households"]).empty


def test_moves_count_each_change_of_status_once() -> None:
    found = months.compare(*states(), ["status", "status", "households"])
    assert months.moves(found).to_dict("records") == [{"before": "planned", "after": "started", "compounds": 1}]


def test_blank_cells_are_those_of_columns_the_file_has_for_compounds_it_names() -> None:
    stored = pd.DataFrame({"compound_id": ["A", "B"], "finish_actual": ["2022-08", "2022-05"], "name": ["甲", "乙"]})
    incoming = pd.DataFrame({"compound_id": ["A", "N"], "finish_actual": [None, None]})
    found = months.blanked(stored, incoming, ["compound_id", "finish_actual", "name"])
    assert found.itertuples(index=False, name=None).__next__() == ("A", "finish_actual", "2022-08", None)
    assert len(found) == 1


def test_a_ledger_taken_at_its_word_leaves_other_rows_and_columns_alone() -> None:
    stored = pd.DataFrame({"compound_id": ["A", "B"], "finish": ["2022-08", "2022-05"], "name": ["甲", "乙"]})
    incoming = pd.DataFrame({"compound_id": ["N", "A"], "finish": ["2022-09", None]})
    full = months.with_blanks(stored, incoming, ["finish"]).astype("object")
    rows = full.where(full.notna(), None).to_dict("records")
    assert rows == [
        {"compound_id": "A", "finish": None, "name": "甲"},
        {"compound_id": "B", "finish": "2022-05", "name": "乙"},
        {"compound_id": "N", "finish": "2022-09", "name": None},
    ]
    assert stored["finish"].tolist() == ["2022-08", "2022-05"]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("截至：2022-06-25", "2022-06-25"),
        ("截至2022年6月5日 2022-07-01", "2022-06-05"),
        ("台账2024年2月", "2024-02-29"),
        ("2022-13-01", None),
        ("", None),
    ],
)
def test_the_day_a_ledger_stands_for_is_read_from_its_words(text: str, day: str | None) -> None:
    assert months.date_in(text) == day


def town() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "compound_id": ["A", "B", "C"], "name": ["甲", "乙", "丙"], "street": ["东街", None, "东街"],
            "programme_year": [2021, 2021, 2022], "status": ["completed", "started", "withdrawn"],
            "households": [100, 50, 7], "invest_total_wan": [30.5, None, 9.0], "finish_actual": ["2022-05", None, None],
        }
    )  # fmt: skip


def form(name: str) -> months.Form:
    spec = tomllib.loads(resources.geodata("forms", f"{name}.toml").read_text("utf-8"))
    return months.form(town(), spec, county="云岭县", as_of="2022-11-25", as_of_zh="2022年11月25日")


def test_rates_in_a_form_are_by_compounds_and_by_households_apart() -> None:
    row = dict(zip([h[-1] + h[0] for h in form("monthly").heads], form("monthly").rows[0], strict=True))
    assert (row["按小区数开工率（%）"], row["按户数开工率（%）"]) == (100.0, 100.0)
    assert (row["小区数（个）完工"], row["户数（户）完工"], row["其中当年完工（个）完工"]) == (1, 100, 0)


def test_a_row_without_a_street_is_named_and_withdrawn_ones_are_out() -> None:
    rows = form("provincial").rows
    assert [r[1] for r in rows] == ["东街", "街道未填", "小计"]
    assert [r[4] for r in rows] == [100, 50, 150]
    assert rows[1][6] is None


@pytest.mark.parametrize("value", ["wages", "started/wages"])
def test_a_form_that_names_no_known_figure_says_which_there_are(value: str) -> None:
    spec = {"title": "x", "sheet": "x", "group": "street", "column": [{"head": "x", "value": value}]}
    with pytest.raises(InputError, match="households"):
        months.form(town(), spec)
