"""This module reads Excel workbooks, .xlsx and .xls, through calamine: visible sheets only, cell addresses kept."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import python_calamine as calamine

from mapapp.core.errors import InputError, QuestionError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.ingest.archive import verify
from mapapp.ingest.foreign import check_width, empty, parsing
from mapapp.ingest.grid import ask_columns, find_table, guess_header
from mapapp.ingest.result import Notes, Raw

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_EXPLAINS = "字段说明 columns"
"""The sheet that our own exports explain their columns on (`render.files`)."""
_FORMULA_ALONE = re.compile(
    rb'<c r="([A-Z]{1,3}[0-9]+)"(?:(?! t="str")[^<>])*><f\b(?:[^<>]*/>|[^<>]*>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_workbook(path: Path, target: Layer, layer: str | None, given: Mapping[str, str] | None) -> list[Raw]:
    """Return the tables of a workbook that look like ``target`` (or are point and line tables of a survey).

    Hidden sheets are read only when ``layer`` names them; otherwise a note says that they are there.

    Raises
    ------
    InputError
        When it is no workbook, is damaged, protected or empty, records are formulas that were never calculated, or no
        sheet holds a header we know.
    QuestionError
        When ``layer`` is no sheet (option ``layer``).
    """
    name = path.name
    _check_bytes(path)
    with parsing(name, "Excel"):
        book = calamine.load_workbook(str(path))
    try:
        with parsing(name, "Excel"):
            metadata = [
                (m.name, m.visible == calamine.SheetVisibleEnum.Visible)
                for m in book.sheets_metadata
                if m.typ == calamine.SheetTypeEnum.WorkSheet
            ]
        names = [n for n, _ in metadata]
        if layer not in (None, "*", *names):
            raise QuestionError(
                Text(f"没有工作表“{layer}”。", f"There is no sheet {layer!r}."),
                Text(f"现有：{'、'.join(names)}。", f"Sheets: {', '.join(names)}."),
                option="layer",
                choices=tuple(names),
                where=name,
            )
        chosen = [layer] if layer in names else [n for n, visible in metadata if visible and n != _EXPLAINS]
        notes = Notes()
        hidden = [n for n, visible in metadata if not visible and n not in chosen]
        if hidden:
            notes.warn(
                f"隐藏的工作表没有读取：{'、'.join(hidden)}。需要时用 --layer 指明。",
                f"Hidden sheets were not read: {', '.join(hidden)}. Name one with --layer if it is wanted.",
                name,
            )
        found: list[Raw] = []
        guessed: tuple[str, tuple[str, ...]] | None = None
        seen: set[str] = set()
        for sheet in chosen:
            with parsing(name, "Excel"):
                cells, merges = _cells(book, sheet, name)
            if cells:
                seen.add(sheet)
            own = Notes(notes)
            raw = find_table(cells, merges, target, file=name, sheet=sheet, kind="excel", given=given, notes=own)
            if raw is not None and len(raw.frame):
                found.append(raw)
            elif not (guessed and guessed[1]):
                guessed = (sheet, guess_header(cells, merges))
    finally:
        book.close()
    empties = _not_calculated(path, seen)
    for raw in found:
        raw.uncalculated = tuple(empties.get(raw.layer, ()))
    if not found and empties:
        sheet, alone = next(iter(empties.items()))
        raise _uncalculated(f"{name} › {sheet}", alone)
    if not seen:
        raise empty(f"{name} › {layer}" if layer else name)
    if not found and guessed and guessed[1] and not target.spatial:
        raise ask_columns(guessed[1], target, f"{name} › {guessed[0]}")
    if not found:
        raise InputError(
            Text(
                f"在{'、'.join(chosen[:5])}里没有找到“{target.title.zh}”的表头。",
                f"No header of {target.name} was found in {', '.join(chosen[:5])}.",
            ),
            Text(
                "请检查所选图层，或用 --column 指明一列。",
                "Check the layer, or name a column with --column ours=theirs.",
            ),
            where=name,
        )
    others = [s for s in chosen if s not in {r.layer for r in found}]
    if others and len(found) == 1:
        found[0].notes.info(f"未用的工作表：{'、'.join(others)}。", f"Sheets not used: {', '.join(others)}.", name)
    return found


def _cells(book: Any, sheet: str, file: str) -> tuple[list[list[Any]], list[tuple[int, int, int, int]]]:
    table = book.get_sheet_by_name(sheet)
    check_width(table.width, f"{file} › {sheet}")
    cells = table.to_python(skip_empty_area=False)
    merges = [(a[0], a[1], b[0], b[1]) for a, b in (table.merged_cell_ranges or [])]
    return cells, merges


def require_calculated(raw: Raw, used: Set[str], naming: Set[str]) -> None:
    """Refuse a table whose records hold formulas without a result.

    Formulas elsewhere, such as sums under the table that a program wrote and never calculated, do not matter.

    Parameters
    ----------
    used : set of str
        Their columns that are read.
    naming : set of str
        Those of them that say what a record is: a row that looks empty is a record where these hold a formula.

    Raises
    ------
    InputError
        With the first such cell.
    """
    rows = set(raw.rows.tolist())
    read, telling = ({raw.letters[h] for h in columns if h in raw.letters} for columns in (used, naming))
    alone = []
    for cell in raw.uncalculated:
        column, row = _split(cell)
        record = row in rows or (column in telling and row > min(rows))
        if record and (raw.shifts is not None or column in read):
            alone.append(cell)
    if alone:
        raise _uncalculated(raw.place, alone)


def _uncalculated(place: str, alone: Sequence[str]) -> InputError:
    return InputError(
        Text(f"有 {len(alone)} 个公式没有计算结果。", f"{len(alone)} formulas have no result in them."),
        Text(
            "写出此表的程序没有计算。请用 Excel 或 WPS 打开、保存后再导入。",
            "The program that wrote it did not calculate. Open it in Excel or WPS, save it and import again.",
        ),
        where=f"{place} › {alone[0]}",
    )


def _split(cell: str) -> tuple[str, int]:
    column = cell.rstrip("0123456789")
    return column, int(cell[len(column) :])


def _not_calculated(path: Path, asked: Set[str]) -> dict[str, list[str]]:
    """Return by sheet the cells of an .xlsx that hold a formula and no value: a reader of values sees them empty.

    Sheets that were not asked for are not unpacked. Python programs write such workbooks. The places of the parts
    follow ECMA-376 part 1, clauses 12.3 and 18.3.1.4.
    """
    out: dict[str, list[str]] = {}
    if not zipfile.is_zipfile(path):
        return out
    with zipfile.ZipFile(path) as book:
        parts = {name.lower(): name for name in book.namelist()}
        index = parts.get("xl/workbook.xml"), parts.get("xl/_rels/workbook.xml.rels")
        if index[0] is None or index[1] is None:
            return out
        targets = {
            identity[1]: target[1].removeprefix("/xl/")
            for tag in re.findall(r"<Relationship\b[^>]*>", book.read(index[1]).decode("utf-8", "replace"))
            if (identity := re.search(r'\bId="([^"]*)"', tag)) and (target := re.search(r'\bTarget="([^"]*)"', tag))
        }
        for tag in re.findall(r"<(?:\w+:)?sheet\b[^>]*>", book.read(index[0]).decode("utf-8", "replace")):
            named, at = re.search(r'\bname="([^"]*)"', tag), re.search(r'\br:id="([^"]*)"', tag)
            part = parts.get(f"xl/{targets.get(at[1] if at else '', '')}".lower())
            sheet = html.unescape(named[1]) if named else ""
            if sheet not in asked or part is None:
                continue
            text = book.read(part)
            if b"<f" in text and (alone := _FORMULA_ALONE.findall(text)):
                out[sheet] = [c.decode("ascii") for c in alone]
    return out


def _check_bytes(path: Path) -> None:
    """Refuse what only calls itself a workbook, saying what it is.

    Raises
    ------
    InputError
        For a web page or text saved as .xls, a protected workbook, a zip bomb.
    """
    with path.open("rb") as file:
        head = file.read(512)
        body = head + file.read(1 << 20)
    if head.startswith(_ZIP):
        verify(path, "Excel")
        return
    if head.startswith(_OLE):
        if _ENCRYPTED in body:
            raise InputError(
                Text("工作簿设有密码。", "The workbook is protected by a password."),
                Text("请去掉密码后另存再导入。", "Remove the password, save it and import again."),
                where=path.name,
            )
        return
    if head.lstrip()[:1] == b"<":
        raise InputError(
            Text(
                "这其实是网页（HTML 或 XML），只是扩展名为 Excel。",
                "This is a web page (HTML or XML) that is only named like a workbook.",
            ),
            Text("请用 Excel 或 WPS 打开，另存为 .xlsx。", "Open it in Excel or WPS and save it as .xlsx."),
            where=path.name,
        )
    raise InputError(
        Text("这不是 Excel 文件（文件头不符）。", "This is not an Excel workbook (its first bytes are wrong)."),
        Text("请检查扩展名，或重新导出。", "Check the extension, or export it again."),
        where=path.name,
    )
