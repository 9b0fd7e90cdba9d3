"""A ledger's faults are all found, each with its row and column, and nothing else is."""

import pandas as pd
import pytest

from mapapp.programme import checks


def sound() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "compound_id": ["A", "B"],
            "name": ["纺织厂宿舍", "粮食局家属院"],
            "street": ["城关街道", "城关街道"],
            "programme_year": [2021, 2021],
            "status": ["completed", "under_way"],
            "households": [100.0, 60.0],
            "buildings": [4.0, 2.0],
            "floor_area_m2": [9000.0, 5000.0],
            "invest_total_wan": [300.0, 180.0],
            "invest_done_wan": [300.0, 90.0],
            "image_progress_pct": [100.0, 50.0],
            "start_actual": ["2021-03", "2021-06"],
            "finish_actual": ["2021-11", None],
        }
    )


FAULTS = [
    ("floor_area_m2", 0.9, "unit"),
    ("households", 3000.0, "ratio"),
    ("finish_actual", "2021-01", "date_order"),
    ("finish_actual", "2023-01", "date_future"),
    ("status", "planned", "date_status"),
    ("invest_done_wan", 900.0, "money_over"),
    ("image_progress_pct", 40.0, "progress_status"),
    ("image_progress_pct", 140.0, "progress_status"),
    ("name", "粮食局家属院", "duplicate"),
]


def test_a_sound_ledger_has_no_faults() -> None:
    assert checks.check(sound(), as_of="2022-11-25").empty


@pytest.mark.parametrize(("column", "value", "fault"), FAULTS)
def test_each_planted_fault_is_found_in_its_row(column: str, value: object, fault: str) -> None:
    ledger = sound()
    ledger.loc[0, column] = value
    found = checks.check(ledger, as_of="2022-11-25")
    assert "A" in set(found.loc[found["check"] == fault, "compound_id"])


def test_a_missing_figure_is_not_a_fault() -> None:
    assert checks.check(sound()[["compound_id", "name"]]).empty
