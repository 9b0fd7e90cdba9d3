"""What a ledger prints besides its records is read from text files as it is from workbooks, each figure with its cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapapp.ingest.printed import read_printed

LEDGER = """云桥县2021年老旧小区改造台账,,,
街道,小区名称,规模,
,,栋数,户数
城关,甲院,2,40户
城关,乙院,3,50户
小计,,5,90
城北,丙院,1,20
小计,,1,20
合计,,6,114
"""


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_printed_sums_of_a_text_file_carry_their_cells(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "台账.csv"
    path.write_bytes(LEDGER.encode(encoding))
    told = read_printed(path)
    sums = told.totals.query("column == 'households'").set_index("cell")
    assert sums["printed"].to_dict() == {"D6": 90, "D8": 20, "D9": 114}
    assert sums.loc["D9", ["summed", "parts", "rows"]].tolist() == [110, 110, 3]
    assert told.ledgers == ()
    assert told.names["cell"].tolist() == ["B4", "B5", "B7"]


def test_a_total_above_its_rows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "台账.csv"
    path.write_text("小区名称,街道,栋数,户数\n合计,,5,90\n甲院,城关,2,40\n乙院,城北,3,55\n", encoding="utf-8")
    sums = read_printed(path).totals.set_index("cell")
    assert sums.loc["D2", ["printed", "summed", "rows"]].tolist() == [90, 95, 2]


def test_each_of_two_tables_side_by_side_has_its_own_total(tmp_path: Path) -> None:
    head, path = "小区名称,街道,栋数,户数", tmp_path / "台账.csv"
    rows = [
        f"{head},,{head}",
        "甲院,城关,2,40,,丙院,城关,1,20",
        "乙院,城北,3,50,,丁院,城北,1,31",
        "合计,,5,90,,合计,,2,50",
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    sums = read_printed(path).totals.query("column == 'households'").set_index("cell")
    assert sums["summed"].to_dict() == {"D4": 90, "I4": 51}
    assert sums["rows"].tolist() == [2, 2]
