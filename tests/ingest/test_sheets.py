"""Excel ledgers as they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from mapapp import ingest
from mapapp.core.errors import InputError, QuestionError
from mapapp.ingest import Reading

Book = Callable[..., Path]
LEDGER: list[list[object]] = [
    ["某县2022年老旧小区改造台账"],
    ["序号", "街道", "小区名称", "基本情况", None, None, "投资情况（万元）", None, "工程进展", "开工时间"],
    [None, None, None, "户数", "楼栋数", "建筑面积（万㎡）", "总投资", "已完成投资", None, None],
    [1, "城关镇", "阳光小区", 300, 6, 3.1, 900, 500, "已完工", 2022.5],
    [2, None, "和平家属院", "约200户", 4, 1.9, 700, 300, "在建", "2022年6月"],
    [None, "小计", None, 500, 10, 5.0, 1600, 800, None, None],
    [1, "河东街道", "幸福里（一期）", "1,200", 20, 11.5, 3600, 0, "快完了", 44713],
    ["合计", None, None, 1700, 31, 16.5, 5200, 800, None, None],
    ["填表人：张三"],
]
MERGES = ("A1:J1", "A2:A3", "B2:B3", "C2:C3", "D2:F2", "G2:H2", "I2:I3", "J2:J3", "B4:B5")


@pytest.fixture
def ledger(workbook: Book) -> Reading:
    return ingest.read(workbook(LEDGER, merges=MERGES, sheet="2022"), "ledger")


def notes(reading: Reading, severity: str = "warning") -> str:
    return "\n".join(n.text.en for n in reading.notes if n.severity == severity)


def test_title_rows_and_two_row_headers_are_understood(ledger: Reading) -> None:
    assert list(ledger.frame["name"]) == ["阳光小区", "和平家属院", "幸福里（一期）"]
    assert list(ledger.frame["households"]) == [300, 200, 1200]
    assert ledger.mapping["invest_total_wan"].theirs == "投资情况（万元） › 总投资"
    assert list(ledger.frame["invest_done_wan"]) == [500, 300, 0]


def test_headers_without_merged_cells_are_understood_too(workbook: Book) -> None:
    plain = ingest.read(workbook(LEDGER, sheet="2022"), "ledger")
    assert list(plain.frame["floor_area_m2"].round()) == [31000, 19000, 115000]


def test_merged_text_reaches_every_row(ledger: Reading) -> None:
    assert list(ledger.frame["street"]) == ["城关镇", "城关镇", "河东街道"]


def test_totals_are_no_compounds_and_their_sums_are_checked(ledger: Reading) -> None:
    assert len(ledger.frame) == 3
    assert "Row 8 says 31 for '基本情况 › 楼栋数'; its rows sum to 30" in notes(ledger)
    assert notes(ledger).count("its rows sum to") == 1


def test_units_come_from_header_and_ratio(ledger: Reading) -> None:
    assert list(ledger.frame["floor_area_m2"].round()) == [31000, 19000, 115000]
    assert "95.83 m2 per household" in notes(ledger, "info")


def test_months_are_read_as_people_write_them(ledger: Reading) -> None:
    assert list(ledger.frame["start_actual"]) == ["2022-05", "2022-06", "2022-06"]


def test_a_word_we_do_not_know_is_named_with_its_cell(ledger: Reading) -> None:
    assert ledger.frame["status"].tolist()[:2] == ["completed", "under_way"]
    assert ledger.frame["status"].isna().tolist() == [False, False, True]
    assert "“快完了” (I7, 1x)" in notes(ledger)


def test_the_year_of_a_sheet_is_used_and_said(ledger: Reading) -> None:
    assert set(ledger.frame["programme_year"]) == {2022}
    assert "2022 was inferred" in notes(ledger)


def test_every_value_leads_back_to_its_cell(workbook: Book) -> None:
    path = workbook(LEDGER, merges=MERGES, sheet="2022")
    reading = ingest.read(path, "ledger")
    sheet = openpyxl.load_workbook(path)["2022"]
    trace = reading.trace
    assert set(trace.columns) == {"row", "column", "file", "sheet", "cell", "raw"}
    stored = [c for c in reading.frame.columns if c not in ("programme_year", "compound_id")]
    assert len(trace) == int(reading.frame[stored].notna().sum().sum()) + 1  # and the word that was not understood
    numbers = trace[~trace["column"].isin(["street", "start_actual"])]  # merged text stands in its first cell only
    for cell, raw in zip(numbers["cell"], numbers["raw"], strict=True):
        assert str(sheet[cell].value) == raw


def test_a_number_merged_over_rows_is_counted_once(workbook: Book) -> None:
    rows: list[list[object]] = [
        ["小区名称", "户数", "总投资(万元)"],
        ["甲", 100, 500],
        ["乙", 100, None],
        ["丙", 100, 300],
    ]
    reading = ingest.read(workbook(rows, merges=("C2:C3",)), "ledger")
    assert reading.frame["invest_total_wan"].sum() == 800
    assert "C2:C3" in notes(reading)


def test_hidden_sheets_are_named_and_not_read(workbook: Book) -> None:
    path = workbook([["小区名称", "户数"], ["甲", 100]])
    book = openpyxl.load_workbook(path)
    hidden = book.create_sheet("旧数据")
    hidden.sheet_state = "hidden"
    for row in (["小区名称", "户数"], ["乙", 1]):
        hidden.append(row)
    book.save(path)
    reading = ingest.read(path, "ledger")
    assert list(reading.frame["name"]) == ["甲"]
    assert "旧数据" in notes(reading)
    assert list(ingest.read(path, "ledger", layer="旧数据").frame["name"]) == ["乙"]


def test_real_dates_and_spreadsheet_errors(workbook: Book) -> None:
    rows: list[list[object]] = [
        ["小区名称", "户数", "开工时间"],
        ["甲", "#REF!", dt.datetime(2023, 5, 6)],
        ["乙", "—", "尽快"],
    ]
    reading = ingest.read(workbook(rows), "ledger")
    assert list(reading.frame["start_actual"].fillna("")) == ["2023-05", ""]
    assert reading.frame["households"].isna().all()
    assert "尽快" in notes(reading)


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [("开工情况", "√", "started"), ("完工情况", "√", "completed"), ("改造状态", "已竣工验收", "accepted"),
     ("进展", "2022年5月完工", "completed"), ("当前状态", "未开工", "planned")],
)  # fmt: skip
def test_ticks_mean_what_the_header_asks(workbook: Book, header: str, value: str, expected: str) -> None:
    reading = ingest.read(workbook([["小区名称", "户数", header], ["甲", 10, value]]), "ledger")
    assert reading.frame["status"].tolist() == [expected]


def test_a_row_number_is_never_the_key_where_names_are_known(workbook: Book) -> None:
    reading = ingest.read(workbook([["序号", "小区名称", "户数"], [1, "甲", 10], [1, "乙", 20]]), "ledger")
    assert reading.frame["compound_id"].str.fullmatch("C[0-9a-f]{12}").all()
    assert "序号" in reading.unmapped


def test_a_row_saying_who_filled_it_in_and_the_unit_is_no_header(workbook: Book) -> None:
    remark = ["填报单位：县住建局", None, None, None, None, None, "单位：万元、万平方米"]
    merges = [m.translate(str.maketrans("2345", "3456")) for m in MERGES]
    reading = ingest.read(workbook([LEDGER[0], remark, *LEDGER[1:]], merges=merges, sheet="2022"), "ledger")
    assert reading.mapping["street"].theirs == "街道"
    assert "单位：县" not in str(reading.unmapped)


def test_progress_told_in_words_is_the_status_and_in_percent_the_progress(workbook: Book) -> None:
    head = ["小区名称", "户数", "形象进度"]
    words = ingest.read(workbook([head, ["甲院", 20, "已完工"], ["乙院", 30, "在建"]]), "ledger").frame
    shares = ingest.read(workbook([head, ["甲院", 20, "40%"], ["乙院", 30, "100%"]]), "ledger").frame
    assert list(words["status"]) == ["completed", "under_way"]
    assert list(shares["image_progress_pct"]) == [40, 100]


def test_money_in_another_unit_grows_no_tail(workbook: Book) -> None:
    rows = [["小区名称", "户数", "总投资（亿元）"], ["甲院", 280, 0.07], ["乙院", 120, 0.0305]]
    assert list(ingest.read(workbook(rows), "ledger").frame["invest_total_wan"]) == [700.0, 305.0]


def test_our_own_workbook_comes_back_without_a_question(tmp_path: Path) -> None:
    from mapapp.core import schema
    from mapapp.render import files

    table = pd.DataFrame(
        {"compound_id": ["A", "B"], "name": ["甲院", "乙院"], "aerial_cable_status": ["none", "messy"]}
    )
    files.write(table, schema.layer("ledger"), tmp_path / "ledger.xlsx")
    back = ingest.read(tmp_path / "ledger.xlsx", "ledger").frame
    assert list(back["name"]) == ["甲院", "乙院"]
    assert list(back["aerial_cable_status"]) == ["none", "messy"]  # a code of ours, not a missing value


def test_formulas_that_were_never_calculated_are_refused_with_their_cell(workbook: Callable[..., Path]) -> None:
    """A reader of values would see empty cells and lose every number without a word."""
    path = workbook([["小区名称", "户数", "建筑面积(㎡)"], ["甲院", 40, "=B2*90"], ["乙院", 50, "=B3*90"]])
    with pytest.raises(InputError) as said:
        ingest.read(path, "ledger")
    assert said.value.where.endswith("C2")
    assert "2 formulas" in said.value.message("en")


@pytest.mark.parametrize("head", ["序号", "物业情况"])
def test_a_ledger_that_names_no_compound_is_asked_and_gets_no_made_up_ids(workbook: Book, head: str) -> None:
    """A row number is nobody's id; once somebody says it is, it is."""
    rows = [[head, "户数", "总投资（万元）"], [1, 300, 900], [2, 200, 600]]
    with pytest.raises(QuestionError, match="which compound each row is about") as asked:
        ingest.read(workbook(rows), "ledger")
    assert asked.value.option == "columns"
    told = ingest.read(workbook(rows), "ledger", columns={"compound_id": head})
    assert list(told.frame["compound_id"]) == ["1", "2"]


def test_a_code_beside_its_word_is_that_code(tmp_path: Path) -> None:
    """``1圆形`` as the dictionary writes it; a number that contradicts the word is no code."""
    line = '"LINESTRING (500000 3930000,500010 3930000)"'
    rows = [f"{n},{shape},{line}" for n, shape in enumerate(("1圆形", "5-矩形", "2圆形"))]
    (tmp_path / "p.csv").write_text("管线编号,断面形式,WKT\n" + "\n".join(rows), "utf-8")
    shapes = ingest.read(tmp_path / "p.csv", "pipes", crs=4544).frame["shape"]
    assert shapes.tolist()[:2] == ["circular", "rect"]
    assert shapes.isna().tolist() == [False, False, True]


def test_formulas_without_a_result_matter_only_where_they_are_read(workbook: Book) -> None:
    """Sums below the table and a column nobody maps do not; a record made of formulas alone does."""
    head = ["小区名称", "户数", "我的算式"]
    harmless = [head, ["甲", 300, "=B2*2"], ["乙", 200, "=B3*2"], ["合计", "=SUM(B2:B3)", None], [None, "=B4", None]]
    assert list(ingest.read(workbook(harmless), "ledger").frame["households"]) == [300, 200]
    for rows in (
        [head, ["甲", "=1+1", 1]],
        [head, ["甲", 300, 1], ["=A2", "=B2", "=C2"]],
        [head, ["=A9", "=B9", "=C9"]],
    ):
        with pytest.raises(InputError, match="formulas have no result"):
            ingest.read(workbook(rows), "ledger")
