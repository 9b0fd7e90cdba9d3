"""The planner's month on the demo county's six ledgers: every planted error is found with its cell, nothing else is."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from mapapp import demo, store
from mapapp.core.errors import ConflictError, ForbiddenError, InputError, NotFoundError, QuestionError
from mapapp.services import comparing, months, returns, uploads
from mapapp.services.frames import County
from mapapp.services.scope import Scope

EDITOR, VIEWER = Scope("li", role="editor"), Scope("gu", role="viewer")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[demo.County, demo.Story, list[Path]]:
    made = demo.county()
    story = demo.months(made)
    return made, story, demo.month_files(made, story, tmp_path_factory.mktemp("ledgers"))


@pytest.fixture(scope="module")
def empty(told, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a county that knows its compounds' names and places and nothing else."""
    path = tmp_path_factory.mktemp("county") / "county.gpkg"
    county = told[0]
    with store.create(str(path), name=county.name, crs=county.crs) as db:
        outlines = county.layers["compounds"][["compound_id", "name", "street", "geometry"]]
        db.apply(db.compare("compounds", outlines, "add"), by="li")
    return path


def opened(path: Path, tmp_path: Path) -> County:
    copy = tmp_path / "county.gpkg"
    shutil.copy(path, copy)
    return County(str(copy))


@pytest.fixture
def county(empty: Path, tmp_path: Path) -> Iterator[County]:
    made = opened(empty, tmp_path)
    yield made
    made.close()


def upload(path: Path) -> str:
    return uploads.keep([(path.name, io.BytesIO(path.read_bytes()))], EDITOR)


@pytest.fixture(scope="module")
def year(
    told, empty: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[County, list[dict], list[list]]]:
    """Walk the six months: import each ledger, blanks mending what last month had wrong, and freeze it."""
    made = opened(empty, tmp_path_factory.mktemp("year"))
    previews, standing = [], []
    for path in told[2]:
        word = upload(path)
        previews.append(months.preview(made, EDITOR, word, {"blanks": "clear"}, "zh"))
        months.apply(made, EDITOR, word, "zh")
        standing.append(months.standing(made.at(EDITOR), "zh"))
        months.freeze(made, EDITOR, as_of=previews[-1]["as_of"], title="")
    yield made, previews, standing
    made.close()


def keys(faults: list[dict]) -> set[tuple[str, str | None, str]]:
    return {(f["check"], f["compound_id"], f["column"]) for f in faults}


def planted(story: demo.Story, as_of: str) -> set[tuple[str, str | None, str]]:
    mine = story.truth[story.truth["as_of"] == as_of].astype("object")
    return set(mine.where(mine.notna(), None)[["check", "compound_id", "column"]].itertuples(index=False, name=None))


def test_all_planted_errors_are_found_in_the_preview_and_nothing_else_is(year, told) -> None:
    _, previews, _ = year
    assert [p["as_of"] for p in previews] == [m.as_of for m in told[1].months]
    for preview in previews:
        assert keys(preview["faults"]) == planted(told[1], preview["as_of"]), preview["as_of"]


def test_what_is_wrong_stays_told_after_the_import_and_goes_with_the_next_ledger(year, told) -> None:
    for preview, standing in zip(year[1], year[2], strict=True):
        assert keys(standing) == planted(told[1], preview["as_of"])


def test_every_fault_names_the_cell_that_holds_what_it_says(year, told) -> None:
    """The place is read back from the workbook by another reader, and holds the words quoted."""
    for preview, path in zip(year[1], told[2], strict=True):
        book = openpyxl.load_workbook(path)
        for fault in preview["faults"]:
            file, sheet, cell = fault["where"].split(" › ")
            assert file == path.name
            there = book[sheet][cell].value
            wanted = fault["raw"].replace(",", "")
            assert there == pytest.approx(float(wanted)) if isinstance(there, int | float) else str(there) == wanted


def test_the_same_file_twice_changes_nothing(county: County, told) -> None:
    word = upload(told[2][0])
    months.preview(county, EDITOR, word, {}, "zh")
    assert months.apply(county, EDITOR, word, "zh")["added"] == 71
    again = months.preview(county, EDITOR, upload(told[2][0]), {}, "zh")
    assert again["nothing"]
    assert not again["differences"]


def test_a_blank_cell_says_nothing_unless_the_planner_says_it_does(year, told, tmp_path: Path) -> None:
    """September leaves August's wrong finish month blank: kept by default, emptied when asked, with the way back."""
    made, _, _ = year
    copy = tmp_path / "august.gpkg"
    shutil.copy(made.url, copy)
    county = County(str(copy))
    row = told[1].truth.query("as_of == '2022-08-25'")["compound_id"].iloc[0]
    for path in told[2][2:3]:
        word = upload(path)
        months.preview(county, EDITOR, word, {}, "zh")
        months.apply(county, EDITOR, word, "zh")
    word = upload(told[2][3])
    kept = months.preview(county, EDITOR, word, {"blanks": "keep"}, "zh")
    assert (row, "finish_actual") in {(b["compound_id"], b["column"]) for b in kept["blanked"]}
    assert "finish_actual" not in {d["column"] for d in kept["differences"]}
    cleared = months.preview(county, EDITOR, word, {"blanks": "clear"}, "zh")
    assert [d["after"] for d in cleared["differences"] if d["column"] == "finish_actual"] == ["—"]
    assert cleared["removed"] == 0
    county.close()


def test_who_changed_what_since_the_snapshot_is_listed_with_the_file(county: County, told) -> None:
    for path in told[2][:2]:
        word = upload(path)
        months.preview(county, EDITOR, word, {}, "zh")
        months.apply(county, EDITOR, word, "zh")
        if path == told[2][0]:
            months.freeze(county, EDITOR, as_of="2022-06-25", title="")
    changed = months.changed(county.at(EDITOR), "zh")
    assert changed["since"] == "2022-06-25"
    assert {(r["by"], r["file"]) for r in changed["rows"]} == {("li", told[2][1].name)}
    assert any(r["column"] == "image_progress_pct" and r["after"].endswith("%") for r in changed["rows"])


def test_a_preview_that_is_out_of_date_is_not_written(county: County, told) -> None:
    word = upload(told[2][0])
    months.preview(county, EDITOR, word, {}, "zh")
    county.db.edit("compounds", "YL2022001", {"name": "改名小区"}, by="wang")
    with pytest.raises(ConflictError, match="changed by somebody"):
        months.apply(county, EDITOR, word, "zh")
    assert county.db.count("ledger") == 0


def test_a_viewer_neither_imports_nor_freezes(county: County, told) -> None:
    with pytest.raises(ForbiddenError):
        months.preview(county, VIEWER, upload(told[2][0]), {}, "zh")
    with pytest.raises(ForbiddenError):
        months.freeze(county, VIEWER, as_of="2022-06-25", title="")


def two_sheets(path: Path) -> Path:
    book = openpyxl.Workbook()
    for name, ident in (("城中", "YL2022001"), ("西关", "YL2022002")):
        sheet = book.create_sheet(name)
        sheet.append(["2022年10月老旧小区台账"])
        sheet.append(["序号", "小区编号", "院落名称", "总户数", "概算投资（亿元）", "工程状态"])
        sheet.append([1, ident, None, 100, 0.03, "在建"])
        sheet.append(["合计", None, None, 101 if name == "西关" else 100, 0.03, None])
    book.save(path)
    return path


def test_a_ledger_in_several_sheets_is_asked_about_and_read_whole(county: County, tmp_path: Path) -> None:
    """Another layout: other words, 亿元, a sheet per street; the wrong total is found in its own sheet."""
    word = upload(two_sheets(tmp_path / "两街.xlsx"))
    with pytest.raises(QuestionError) as asked:
        months.preview(county, EDITOR, word, {}, "zh")
    assert asked.value.choices == ("城中", "西关", "*")
    found = months.preview(county, EDITOR, word, {"source_layer": "*"}, "zh")
    assert (found["rows"], found["as_of"]) == (2, "2022-10-31")
    sums = [f["where"] for f in found["faults"] if f["check"] == "sum"]
    assert sums == ["两街.xlsx › 西关 › D4"]


def test_two_files_at_once_are_refused_in_one_sentence(county: County, told) -> None:
    word = uploads.keep([(p.name, io.BytesIO(p.read_bytes())) for p in told[2][:2]], EDITOR)
    with pytest.raises(InputError, match="one file"):
        months.preview(county, EDITOR, word, {}, "zh")


def test_comparing_two_snapshots_tells_status_then_and_now(year, told) -> None:
    """Exactly the compounds of 2022 moved on; the counts of the moves are those of the ledgers."""
    made, _, _ = year
    found = comparing.compare(made, EDITOR, "2022-06-25", "2022-10-25", "zh")
    june, october = (told[1].months[k].ledger.set_index("compound_id")["status"] for k in (0, 4))
    moved = {i for i in october.index if june[i] != october[i]}
    assert {r["compound_id"] for r in found["rows"] if r["moved"]} == moved
    assert sum(m["compounds"] for m in found["moves"]) == len(moved)
    started = next(t for t in found["totals"] if t["figure"] == "started")
    assert (started["before"], started["after"]) == (65, 71)


def test_a_state_compared_with_itself_does_not_differ(year) -> None:
    found = comparing.compare(year[0], EDITOR, "2022-06-25", "2022-06-25", "zh")
    assert found["same"]
    assert found["rows"] == []
    with pytest.raises(NotFoundError):
        comparing.compare(year[0], EDITOR, "1999-01-01", None, "zh")


def test_forms_hold_the_snapshots_figures_and_leave_unknown_empty(year) -> None:
    """The year 2021 of the monthly form is the county report's; nobody knows 2022's money, so its cell is empty."""
    view = year[0].at(VIEWER, "2022-10-25")
    book = openpyxl.load_workbook(io.BytesIO(returns.fill(view, "monthly", "zh").body))
    sheet = book.active
    assert "截至：2022年10月25日" in sheet["A2"].value
    rows = {r[0]: r for r in sheet.iter_rows(min_row=5, values_only=True)}
    assert rows["2021年"][1:5] == (28, 47, 1146, 13.58)
    assert rows["2022年"][-2:] == (None, None)
    assert rows["合计"][1] == 71
    assert {str(m) for m in sheet.merged_cells.ranges} >= {"B3:E3", "A3:A4"}


def test_forms_are_the_same_for_every_row_that_is_asked(year) -> None:
    """The annex lists each compound once, and the provincial form's streets add up to its total."""
    view = year[0].at(VIEWER, "2022-10-25")
    annex = openpyxl.load_workbook(io.BytesIO(returns.fill(view, "compounds", "zh").body)).active
    names = [r[1] for r in annex.iter_rows(min_row=4, values_only=True) if r[0]]
    assert len(names) == 71 == len(set(names))
    sheet = openpyxl.load_workbook(io.BytesIO(returns.fill(view, "provincial", "zh").body)).active
    *streets, total = list(sheet.iter_rows(min_row=4, values_only=True))
    assert [sum(r[k] for r in streets) for k in (2, 3, 4)] == [total[k] for k in (2, 3, 4)]
    with pytest.raises(NotFoundError, match="monthly"):
        returns.fill(view, "weekly", "zh")


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_each_form(year, tmp_path: Path) -> None:
    view = year[0].at(VIEWER, "2022-10-25")
    for form in returns.listed("zh"):
        (tmp_path / f"{form['name']}.xlsx").write_bytes(returns.fill(view, form["name"], "zh").body)
    files = sorted(map(str, tmp_path.glob("*.xlsx")))
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "csv"]
    subprocess.run(
        [*command, "--outdir", str(tmp_path), *files], check=True, timeout=120, env=os.environ, capture_output=True
    )
    assert all(
        pd.read_csv(tmp_path / f"{Path(f).stem}.csv", header=None, encoding_errors="replace").shape[0] > 3
        for f in files
    )
