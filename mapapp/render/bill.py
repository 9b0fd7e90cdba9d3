"""This module writes a bill of quantities as an Excel workbook that can be printed and gone on with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from mapapp.core.text import Lang, Text
from mapapp.render import files

_ILLEGAL_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_HEAD: Final = PatternFill("solid", fgColor="E9EBF7")
_WARN: Final = Font(bold=True, color="B3261E")
_LINE: Final = Border(bottom=Side("thin", color="C8CCD1"))
_FORMATS: Final = {"quantity": "#,##0.0", "low": "#,##0", "middle": "#,##0", "high": "#,##0"}

SHEETS: Final = {
    "bill": Text("工程量清单", "Bill"),
    "routes": Text("接入管", "Links"),
    "pipes": Text("管段", "Pipes"),
    "refused": Text("不能接入", "Refused"),
    "assumptions": Text("假设", "Assumptions"),
}
_BILL: Final = {
    "item": Text("项目", "Item"), "group": Text("规格", "Size"), "unit": Text("单位", "Unit"),
    "quantity": Text("数量", "Quantity"), "low": Text("低（元）", "Low (yuan)"),
    "middle": Text("中（元）", "Middle (yuan)"), "high": Text("高（元）", "High (yuan)"),
}  # fmt: skip
_ROUTES: Final = {
    "route_id": Text("起点小区", "Begins at"), "compound_ids": Text("接入小区", "Compounds"),
    "households": Text("户数", "Households"), "length_m": Text("长度（m）", "Length (m)"),
    "diameter_mm": Text("最大管径（mm）", "Largest size (mm)"), "pumps": Text("泵站", "Pumps"),
    "cost_low": Text("低（元）", "Low (yuan)"), "cost": Text("中（元）", "Middle (yuan)"),
    "cost_high": Text("高（元）", "High (yuan)"), "stage": Text("分期", "Stage"),
    "to_node": Text("接入点", "Joins at"), "below": Text("汇入的接入管", "Joins link"),
}  # fmt: skip
_EXAMPLE: Final = Text(
    "价格为示例，不是真实造价，请换成当地价格后再使用合计。",
    "The prices are examples, nobody's real ones: put in your own before you use a sum.",
)


def write(
    path: Path,
    *,
    title: str,
    made: str,
    example: bool,
    bill: pd.DataFrame,
    routes: pd.DataFrame,
    pipes: pd.DataFrame,
    refused: pd.DataFrame,
    assumptions: Sequence[str],
    lang: Lang,
) -> None:
    """Write the workbook: quantities with sums, links, pipes, refused compounds, assumptions.

    Parameters
    ----------
    path : Path
        Replaced, and only by a complete file.
    title, made : str
        Heading; when the plan was made.
    example : bool
        Prices are examples: said in red above the sums.
    bill : DataFrame
        ``item group unit quantity low middle high``, words for people; money missing where it is part of another row.
    routes, pipes, refused : DataFrame
        As `services.plan_routes.routes`, the links, ``compound_id`` and a reason.
    assumptions : sequence of str
    lang : {"zh", "en"}

    Raises
    ------
    InputError
        When the folder cannot be written to.
    """
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = SHEETS["bill"].pick(lang)
    _bill(sheet, title, made, bill, example=example, lang=lang)
    known = {k: v for k, v in _ROUTES.items() if k in routes.columns}
    _table(book.create_sheet(SHEETS["routes"].pick(lang)), routes[list(known)], [t.pick(lang) for t in known.values()])
    _table(book.create_sheet(SHEETS["pipes"].pick(lang)), pipes, [str(c) for c in pipes.columns])
    heads = [Text("小区", "Compound").pick(lang), Text("原因", "Reason").pick(lang)]
    _table(book.create_sheet(SHEETS["refused"].pick(lang)), refused, heads)
    notes = pd.DataFrame({"text": list(assumptions)})
    _table(book.create_sheet(SHEETS["assumptions"].pick(lang)), notes, [SHEETS["assumptions"].pick(lang)], wide=100)
    with files.whole(path) as beside:
        book.save(beside)


def _bill(sheet: Worksheet, title: str, made: str, bill: pd.DataFrame, *, example: bool, lang: Lang) -> None:
    sheet["A1"] = title
    sheet["A1"].font = Font(bold=True, size=14)
    sheet["A2"] = Text(f"编制时间：{made}", f"Made: {made}").pick(lang)
    top = 4
    if example:
        sheet["A3"] = _EXAMPLE.pick(lang)
        sheet["A3"].font = _WARN
        top = 5
    for i, (name, head) in enumerate(_BILL.items(), 1):
        _put(sheet, top, i, head.pick(lang), bold=True).fill = _HEAD
        for j, value in enumerate(bill.get(name, []), top + 1):
            cell = _put(sheet, j, i, value)
            cell.number_format = _FORMATS.get(name, "General")
            cell.border = _LINE
    last = top + len(bill)
    _put(sheet, last + 1, 1, Text("合计", "Total").pick(lang), bold=True)
    for i in (5, 6, 7):
        letter = get_column_letter(i)
        # a formula, so that a changed amount changes the sum
        cell = sheet.cell(last + 1, i, f"=SUM({letter}{top + 1}:{letter}{last})" if len(bill) else 0)
        cell.font, cell.number_format = Font(bold=True), "#,##0"
    for letter, width in zip("ABCDEFG", (24, 24, 8, 12, 16, 16, 16), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = f"A{top + 1}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _table(sheet: Worksheet, frame: pd.DataFrame, heads: Sequence[str], *, wide: int = 16) -> None:
    for i, (head, name) in enumerate(zip(heads, frame.columns, strict=True), 1):
        _put(sheet, 1, i, head, bold=True).fill = _HEAD
        values = frame[name].astype("object")
        for j, value in enumerate(values.where(values.notna(), None), 2):
            cell = _put(sheet, j, i, value)
            if wide > 16:
                cell.alignment = Alignment(wrap_text=True, vertical="top")
            elif isinstance(value, float):
                cell.number_format = "#,##0.00##"
        sheet.column_dimensions[get_column_letter(i)].width = wide
    sheet.freeze_panes = "A2"


def _put(sheet: Worksheet, row: int, column: int, value: Any, *, bold: bool = False) -> Any:
    missing = value is None or (isinstance(value, float) and value != value) or value is pd.NA
    plain = None if missing else _ILLEGAL_XML.sub("", value) if isinstance(value, str) else value
    cell = sheet.cell(row, column, plain)
    if isinstance(plain, str):
        cell.data_type = "s"  # what strangers wrote is text, never a formula
    if bold:
        cell.font = Font(bold=True)
    return cell
