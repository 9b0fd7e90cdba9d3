"""Numbers, diameters, dates, units and sentinels as people write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp import ingest
from mapapp.ingest.levels import clear_sentinels
from mapapp.ingest.result import Notes
from mapapp.ingest.values import read_date, read_number

Book = Callable[..., Path]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.5", 1234.5),
        ("１２３．５", 123.5),
        ("约300户", 300),
        ("3.2万", 32000),
        ("-0.5", -0.5),
        ("12 ㎡", 12),
        ("1e3", 1000),
        ("200余户", 200),
    ],
)
def test_numbers_in_texts_are_read(text: str, number: float) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["3-5", "三百", "DN300", "1,23", "1.2.3", "见附件"])
def test_a_text_that_is_no_number_is_not_guessed(text: str) -> None:
    assert read_number(text) is None


@settings(deadline=None)
@given(st.floats(-1e12, 1e12))
def test_a_number_survives_its_own_text(number: float) -> None:
    assert read_number(repr(number)) == number


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("2023.5", "2023-05"),
        (2023.5, "2023-05"),
        ("2023年5月", "2023-05"),
        ("2023年5月6日", "2023-05-06"),
        ("2023-05-06", "2023-05-06"),
        (45052, "2023-05-06"),
        ("20230506", "2023-05-06"),
        ("202305", "2023-05"),
        ("2023", "2023"),
        ("2023/5/6 10:00", "2023-05-06"),
    ],
)
def test_dates_are_read(value: object, date: str) -> None:
    assert read_date(value, month=False) == date


@pytest.mark.parametrize("value", ["2023.13", "2023-02-30", "明年", "12", "5月"])
def test_what_is_no_date_is_not_guessed(value: str) -> None:
    assert read_date(value, month=False) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DN300", 300),
        ("Φ300", 300),
        ("φ300", 300),
        ("d300", 300),
        ("D300", 300),
        ("300", 300),
        ("0.3", 300),
        ("300mm", 300),
        ("0.3m", 300),
        ("1.2", 1200),
        ("800X600", 800),
        ("800×600", 800),
        ("800*600", 800),
    ],
)
def test_diameters_become_millimetres(tmp_path: Path, text: str, expected: float) -> None:
    (tmp_path / "p.csv").write_text(
        f'管线编号,管径,WKT\na,{text},"LINESTRING (500000 3930000,500010 3930000)"\n', "utf-8"
    )
    frame = ingest.read(tmp_path / "p.csv", "pipes", crs=4544).frame
    assert frame["diameter_mm"].tolist() == [expected]
    assert ("shape" in frame) == text.startswith("800")  # a box


def levels(*values: float) -> list[float]:
    notes = Notes()
    out = clear_sentinels({"x": np.array(values)}, notes, what=("标高", "levels"), where="f")["x"]
    return [v for v in out if not np.isnan(v)]


def test_impossible_levels_always_go() -> None:
    assert levels(101.0, 9999.0, -9999.0, 99999.0, 100.0) == [101.0, 100.0]


def test_zero_far_from_all_others_goes() -> None:
    assert levels(66.1, 0.0, 67.3, 70.2, -99.0) == [66.1, 67.3, 70.2]


def test_true_zero_and_negative_levels_by_the_sea_survive() -> None:
    sea = (-0.8, -0.2, 0.0, 0.4, 1.1, 2.3, 4.0)
    assert levels(*sea) == list(sea)
    assert levels(0.0, 0.9, 1.4, 3.2) == [0.0, 0.9, 1.4, 3.2]


def test_many_zeros_at_the_edge_go_and_a_lone_one_stays_with_a_note() -> None:
    town = [3.0 + 0.37 * i for i in range(60)]
    assert 0.0 not in levels(*town, *([0.0] * 20))
    notes = Notes()
    kept = clear_sentinels({"x": np.array([*town, 0.0])}, notes, what=("标高", "levels"), where="f")["x"]
    assert kept[-1] == 0.0
    assert notes[0].severity == "warning"


def test_a_column_of_zeros_holds_no_measurement() -> None:
    assert levels(0.0, 0.0, 0.0, 0.0) == []


@settings(deadline=None)
@given(st.lists(st.floats(10, 500).map(lambda v: round(v, 3)), min_size=1, max_size=40))
def test_plain_levels_are_never_touched(values: list[float]) -> None:
    plain = [v for v in values if v not in (99.0, 99.99)]
    assert levels(*plain) == plain


def area(workbook: Book, header: str, values: list[float], extra: str = "户数") -> tuple[list[float], str]:
    rows: list[list[object]] = [["小区名称", extra, header], *[[f"小区{i}", 300, v] for i, v in enumerate(values)]]
    reading = ingest.read(workbook(rows), "ledger")
    column = "floor_area_m2" if "面积" in header else "invest_total_wan"
    warned = " ".join(n.text.en for n in reading.notes if n.severity == "warning")
    return reading.frame[column].round(3).tolist(), warned


def test_a_header_unit_that_fits_is_followed(workbook: Book) -> None:
    assert area(workbook, "建筑面积(万平方米)", [3.0, 2.7]) == ([30000, 27000], "")
    assert area(workbook, "建筑面积（㎡）", [30000, 27000]) == ([30000, 27000], "")
    assert area(workbook, "总投资（亿元）", [0.09, 0.08]) == ([900, 800], "")
    assert area(workbook, "总投资（元）", [9e6, 8e6]) == ([900, 800], "")


def test_without_a_unit_the_ratio_decides(workbook: Book) -> None:
    assert area(workbook, "建筑面积", [3.0, 2.7])[0] == [30000, 27000]
    assert area(workbook, "总投资", [900, 800])[0] == [900, 800]


def test_a_header_unit_that_cannot_be_is_contradicted_plainly(workbook: Book) -> None:
    values, warned = area(workbook, "建筑面积（㎡）", [3.0, 2.7])
    assert values == [30000, 27000]
    assert "the header says m2" in warned


def test_one_row_that_is_ten_thousand_times_off_is_named_and_left(workbook: Book) -> None:
    values, warned = area(workbook, "建筑面积（㎡）", [30000, 27000, 2.8])
    assert values == [30000, 27000, 2.8]
    assert "C4" in warned


def test_no_unit_and_nothing_to_compare_with_is_said(workbook: Book) -> None:
    _, warned = area(workbook, "建筑面积", [30000, 27000], extra="地址")
    assert "no unit is given" in warned


@pytest.mark.parametrize(
    ("cells", "stored", "said"),
    [
        ([0.6, 0.55, 1.0], [60.0, 55.0, 100.0], "as shares"),  # percent cells of a workbook hold shares
        ([60.0, 0.5, 100.0], [60.0, 0.5, 100.0], None),
        (["60%", "0.5%", "1%"], [60.0, 0.5, 1.0], None),
        (["0.6%", "0.5%", 0.4], [0.6, 0.5, 0.4], None),
        ([1.0, 0.0, 1.0], [1.0, 0.0, 1.0], "0 and 1 alone"),
        ([0.0, 0.0, None], [0.0, 0.0, None], None),
    ],
)
def test_percent_cells_are_percentages_and_it_is_said(
    workbook: Book, cells: list[object], stored: list[float | None], said: str | None
) -> None:
    rows = [["小区名称", "户数", "形象进度"], *([f"小区{i}", 50 + i, c] for i, c in enumerate(cells))]
    reading = ingest.read(workbook(rows), "ledger")
    found = [None if v != v else v for v in reading.frame["image_progress_pct"].tolist()]
    assert found == stored
    told = [n.text.en for n in reading.notes if n.severity == "warning" and "形象进度" in n.text.en]
    assert len(told) == (said is not None)
    assert said is None or said in told[0]


@pytest.mark.parametrize(
    ("header", "depths", "metres"),
    [
        ("起点埋深", [150, 160, 145], [1.5, 1.6, 1.45]),
        ("起点埋深", [1650, 2100, 1800], [1.65, 2.1, 1.8]),
        ("起点埋深", [1.5, 2.5, 12], [1.5, 2.5, 12]),
        ("起点埋深(cm)", [15, 20, 25], [0.15, 0.2, 0.25]),
        ("起点埋深", [800, 900, 700], [800, 900, 700]),
    ],
)
def test_depths_that_cannot_be_metres_are_read_in_the_unit_that_they_can_be(
    tmp_path: Path, header: str, depths: list[float], metres: list[float]
) -> None:
    rows = [f'P{i},{d},"LINESTRING(500000 393000{i}, 500040 393000{i})"' for i, d in enumerate(depths)]
    (tmp_path / "a.csv").write_text("\n".join([f"管线编号,{header},WKT", *rows]), encoding="utf-8")
    told = ingest.read(tmp_path / "a.csv", "pipes", crs=4544)
    assert told.frame["from_depth_m"].tolist() == pytest.approx(metres)
    doubted = any("起点埋深" in n.text.zh for n in told.notes if n.severity == "warning")
    assert doubted == (max(depths) > 100)


def test_ids_that_became_floats_are_whole_again_and_the_words_of_a_kind_are_proposed(tmp_path: Path) -> None:
    rows = [
        f'{i}.0,{w},"LINESTRING(500000 393000{i}, 500040 393000{i})"' for i, w in enumerate(("污水", "雨水", "合流"))
    ]
    (tmp_path / "a.csv").write_text("\n".join(["管线编号,系统,WKT", *rows]), encoding="utf-8")
    told = ingest.read(tmp_path / "a.csv", "pipes", crs=4544)
    assert told.frame["pipe_id"].tolist() == ["0", "1", "2"]
    assert told.proposals["kind"].theirs == "系统"
    assert "kind" not in told.mapping


def test_a_cell_that_names_its_own_unit_is_in_that_one(workbook: Book) -> None:
    """Whatever the column's is; nor does its sum contradict the total in silence."""
    rows = [["小区名称", "户数", "建筑面积（万㎡）", "总投资（万元）", "其中：中央补助", "形象进度"],
            ["甲", 120, 1.1, 300, 100, 0.5], ["乙", 90, "8000㎡", "0.025亿元", 80, "40%"], ["合计", 210, 1.9, 550, 180, None]]  # fmt: skip
    read = ingest.read(workbook(rows), "ledger")
    assert read.frame["floor_area_m2"].tolist() == [11000, 8000]
    assert read.frame["invest_total_wan"].tolist() == [300, 250]
    assert read.frame["fund_central_wan"].tolist() == [100, 80]
    assert read.frame["image_progress_pct"].tolist() == [50, 40]
    assert not any("its rows sum to" in n.text.en for n in read.notes)
