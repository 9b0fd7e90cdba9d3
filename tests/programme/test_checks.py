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


def test_a_compound_that_was_begun_and_then_withdrawn_is_not_accused_of_its_start() -> None:
    ledger = sound().assign(status=["completed", "withdrawn"])
    assert checks.check(ledger, as_of="2022-11-25").empty


def test_over_spending_is_told_from_130_per_cent_on() -> None:
    ledger = sound().assign(invest_done_wan=[389.0, 90.0])
    assert checks.check(ledger, as_of="2022-11-25").empty
    told = checks.check(ledger.assign(invest_done_wan=[391.0, 90.0]), as_of="2022-11-25")
    assert told["check"].tolist() == ["money_over"]


def test_a_missing_figure_is_not_a_fault() -> None:
    assert checks.check(sound()[["compound_id", "name"]]).empty


def printed(**changes: object) -> pd.DataFrame:
    rows = {
        "sheet": "台账", "cell": ["H9", "H20", "H21"], "label": ["小计", "小计", "合计"], "block": ["2021", "2022", ""],
        "grand": [False, False, True], "column": "households", "printed": [100.0, 50.0, 150.0], "summed": [100.0, 50.0, 150.0],
        "parts": [float("nan"), float("nan"), 150.0], "rows": [2, 1, 3], "tolerance": 1e-6,
    }  # fmt: skip
    return pd.DataFrame(rows | changes)


def test_a_wrong_subtotal_is_one_fault_and_the_total_that_carries_it_none() -> None:
    found = checks.sums(printed(printed=[110.0, 50.0, 160.0], parts=[float("nan"), float("nan"), 160.0]))
    assert found[["check", "cell", "value"]].to_numpy().tolist() == [["sum", "H9", "110"]]
    assert "110" in found.loc[0, "message"]
    assert "10" in found.loc[0, "message_en"]


def test_a_total_that_agrees_with_neither_its_rows_nor_its_subtotals_is_a_fault() -> None:
    assert checks.sums(printed(printed=[100.0, 50.0, 155.0]))["cell"].tolist() == ["H21"]
    assert checks.sums(printed()).empty
    assert checks.sums(printed().iloc[:0]).empty


def counted(planned: int, started: int) -> pd.DataFrame:
    columns = ["planned_compounds", "started_compounds", "completed_compounds"]
    return pd.DataFrame(
        {"sheet": "汇总", "cell": ["B2", "C2", "D2"], "programme_year": 2021, "column": columns, "printed": [planned, started, 1]}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("planned", "started", "faults"),
    [(2, 2, []), (2, 3, [("started_over_planned", "C2")]), (3, 2, [("count", "B2")]), (2, 1, [("count", "C2")])],
)
def test_printed_counts_are_compared_with_the_plan_and_with_the_rows(
    planned: int, started: int, faults: list[tuple[str, str]]
) -> None:
    found = checks.counts(counted(planned, started), sound())
    assert list(found[["check", "cell"]].itertuples(index=False, name=None)) == faults


def test_a_year_with_an_unknown_status_is_not_accused() -> None:
    ledger = sound().assign(status=["completed", None])
    assert checks.counts(counted(2, 2), ledger).empty


def test_a_changed_name_is_told_with_the_old_one_and_blanks_do_not_count() -> None:
    known = pd.DataFrame({"compound_id": ["A", "B"], "name": ["纺织厂 宿舍", "粮食局宿舍"]})
    found = checks.renamed(sound(), known)
    assert found["compound_id"].tolist() == ["B"]
    assert "粮食局宿舍" in found.loc[0, "message"]


def test_one_wrong_area_is_one_fault_although_two_ratios_show_it() -> None:
    ledger = sound()
    ledger.loc[0, "floor_area_m2"] *= 10_000
    found = checks.check(ledger)
    assert found[["compound_id", "check", "column"]].to_numpy().tolist() == [["A", "unit", "floor_area_m2"]]


def test_a_fault_gets_the_place_of_its_value_and_keeps_one_it_has() -> None:
    ledger = sound()
    ledger.loc[0, "households"] = 3000.0
    trace = pd.DataFrame(
        {
            "compound_id": ["A"],
            "column": ["floor_area_m2"],
            "file": ["a.xlsx"],
            "sheet": ["台账"],
            "cell": ["J7"],
            "raw": ["0.9"],
        }
    )
    found = checks.locate(checks.check(ledger), trace).set_index("column")
    assert found.loc["floor_area_m2", ["file", "cell", "raw"]].tolist() == ["a.xlsx", "J7", "0.9"]
    assert found.loc["households", "cell"] is None
