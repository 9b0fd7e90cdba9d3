"""Filters: what passes, and what is said about what is not there."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp.core import filters
from mapapp.core.errors import InputError

TOWN = pd.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "year": pd.array([2020, 2021, None, 2020], dtype="Int64"),
        "area": [1.5, 2.0, float("nan"), 10.0],
        "street": ["东街", " 西街", "", None],
        "rules": ["x;y", "y", None, "z; x"],
        "pump": pd.array([True, False, None, True], dtype="boolean"),
    }
)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, "abcd"),
        ({"year": ["2020"]}, "ad"),
        ({"year": ["2020", "2021"], "street": ["西街"]}, "b"),
        ({"year": ["?"]}, "c"),
        ({"street": ["?"]}, "cd"),
        ({"rules": ["x"]}, "ad"),
        ({"rules": ["?", "y"]}, "abc"),
        ({"pump": ["true"]}, "ad"),
        ({"area": ["2", "1.5"]}, "ab"),
        ({"year": []}, ""),
    ],
)
def test_values_of_one_column_are_alternatives_and_columns_narrow_each_other(wanted, ids) -> None:
    assert "".join(TOWN["id"][filters.mask(TOWN, wanted, lists={"rules"})]) == ids


@pytest.mark.parametrize(
    ("wanted", "words"), [({"nothing": ["1"]}, "year"), ({"street": ["南街"]}, "东街"), ({"rules": ["q"]}, "x")]
)
def test_a_column_or_value_that_is_not_there_is_refused_and_the_choice_is_named(wanted, words: str) -> None:
    with pytest.raises(InputError) as told:
        filters.mask(TOWN, wanted, lists={"rules"})
    assert words in told.value.message("zh")


def test_a_value_of_the_vocabulary_is_right_although_no_row_holds_it() -> None:
    assert not filters.mask(TOWN, {"street": ["北街"]}, vocabulary={"street": ["北街"]}).any()


def test_an_empty_table_passes_nothing_and_refuses_no_value() -> None:
    assert len(filters.mask(TOWN.iloc[:0], {"street": ["南街"]})) == 0


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["u", "v", "w", None]), max_size=30))
def test_counts_add_up_to_the_rows_and_each_value_filters_to_its_count(values) -> None:
    frame = pd.DataFrame({"v": pd.Series(values, dtype="str")})
    counts = filters.count(frame["v"])
    assert sum(counts.values()) == len(frame)
    assert all(filters.mask(frame, {"v": [value]}).sum() == n for value, n in counts.items())


def test_rows_are_counted_once_for_each_item_of_a_list() -> None:
    assert filters.count(TOWN["rules"], is_list=True) == {"x": 2, "y": 2, "?": 1, "z": 1}


@pytest.mark.parametrize(("down", "ids"), [(False, "badc"), (True, "adbc")])
def test_missing_values_come_last_in_both_directions(down: bool, ids: str) -> None:
    frame = TOWN.assign(area=[2.0, 1.0, None, 2.0])
    assert "".join(filters.order(frame, "area", descending=down, tie="id")["id"]) == ids
