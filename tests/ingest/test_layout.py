"""Ledgers are laid out by people: units in a row of their own, heading rows, signatures, tables side by side."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from mapapp import ingest
from mapapp.ingest import layout

HEAD = ["序号", "小区名称", "户数", "建筑面积(㎡)", "改造状态"]


def book(path: Path, rows: list[list[object]], merges: tuple[str, ...] = ()) -> Path:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for merge in merges:
        made.active.merge_cells(merge)
    made.save(path)
    return path


def test_tables_side_by_side_are_put_under_one_another_and_each_value_keeps_its_cell(tmp_path: Path) -> None:
    body = [
        [k, f"东{k}院", 10 * k, 900.0 * k, "已完工", None, k + 3, f"西{k}院", 20 * k, 1800.0 * k, "未开工"]
        for k in (1, 2)
    ]
    total = ["合计", None, 30, None, None, None, "合计", None, 60, None, None]
    reading = ingest.read(book(tmp_path / "a.xlsx", [[*HEAD, None, *HEAD], *body, total]), "ledger")
    assert list(reading.frame["name"]) == ["东1院", "东2院", "西1院", "西2院"]
    assert list(reading.frame["households"]) == [10, 20, 20, 40]
    trace = reading.trace.set_index(["row", "column"])["cell"]
    assert (trace[0, "households"], trace[3, "households"]) == ("C2", "I3")
    assert any("side by side" in note.text.en for note in reading.notes)


def test_heading_rows_answer_the_street(tmp_path: Path) -> None:
    rows = [HEAD, ["一、城关街道"], [1, "甲院", 10, 900, "在建"], ["二、城南街道"], [2, "乙院", 20, 1800, "√"]]
    reading = ingest.read(book(tmp_path / "a.xlsx", rows), "ledger")
    assert list(reading.frame["street"]) == ["城关街道", "城南街道"]
    assert list(reading.frame["status"]) == ["under_way", "completed"]
    assert any("ticks were read" in note.text.en for note in reading.notes)


def test_units_in_a_row_of_their_own_and_a_year_merged_over_all_rows(tmp_path: Path) -> None:
    rows = [
        ["年度", "小区名称", "户数", "建筑面积", "总投资"],
        [None, None, "户", "万㎡", "亿元"],
        [2022, "甲院", 100, 0.9, 0.03],
        [None, "乙院", 200, 1.8, 0.06],
        ["审核人：", None, "填表人：", None, None],
    ]
    frame = ingest.read(book(tmp_path / "a.xlsx", rows, ("A3:A4",)), "ledger").frame
    assert list(frame["name"]) == ["甲院", "乙院"]
    assert list(frame["programme_year"]) == [2022, 2022]
    assert list(frame["floor_area_m2"]) == [9000.0, 18000.0]
    assert list(frame["invest_total_wan"]) == [300.0, 600.0]


def test_money_without_a_unit_is_in_the_unit_of_the_total(tmp_path: Path) -> None:
    rows = [["小区名称", "户数", "总投资", "已完成投资"], ["甲院", 100, 2_700_000, 1_000_000]]
    reading = ingest.read(book(tmp_path / "a.xlsx", rows), "ledger")
    assert list(reading.frame["invest_done_wan"]) == [100.0]
    assert any("unit of the total" in note.text.en for note in reading.notes)


@pytest.mark.parametrize(("names", "tables"), [
    (["a", "b", "c", "", "a", "b", "c"], 2), (["a", "b", "c", "a", "b", "d"], 0), (["a", "b", "a", "b"], 0),
])  # fmt: skip
def test_only_a_whole_header_that_repeats_is_a_second_table(names: list[str], tables: int) -> None:
    assert len(layout.side_by_side(names) or []) == tables
