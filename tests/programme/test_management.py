"""Who looks after a compound, and the flag of a relapse: what nobody recorded stays unknown."""

import pandas as pd

from mapapp.programme import management

TOWN = pd.DataFrame({"compound_id": list("ABCDE"), "status": ["managed", "managed", "completed", "relapsed", None]})
KEPT = pd.DataFrame(
    {
        "compound_id": ["B", "C", "E"], "mode": ["none", "unit", "unknown"],
        "inspection_date": ["2022-09-01", "2022-09-02", None], "relapse_items": ["飞线", " ", None],
    }
)  # fmt: skip


def test_a_record_outranks_the_ledger_and_the_ledger_counts_where_there_is_none() -> None:
    assert management.managed(TOWN, KEPT).tolist() == [True, False, True, pd.NA, pd.NA]
    assert management.managed(TOWN, None).tolist() == [True, True, pd.NA, pd.NA, pd.NA]


def test_the_flag_is_raised_by_a_look_back_or_by_the_ledger_and_unknown_where_nobody_looked() -> None:
    assert management.relapse(TOWN, KEPT).tolist() == [pd.NA, True, False, True, pd.NA]


def test_an_empty_town_has_neither() -> None:
    assert management.relapse(TOWN.iloc[:0], KEPT).tolist() == management.managed(TOWN.iloc[:0], KEPT).tolist() == []
