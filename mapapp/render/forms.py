"""This module lays a filled form on an .xlsx sheet: title, merged headers, rows with borders, a bold total."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

_LINE = Side(style="thin", color="000000")
_BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
_HEAD = PatternFill("solid", fgColor="F2F2F2")


def book(
    title: str,
    note: str,
    sheet: str,
    heads: Sequence[Sequence[str]],
    rows: Sequence[Sequence[Any]],
    digits: Sequence[int | None],
    *,
    total: bool,
) -> bytes:
    """Return the workbook.

    Parameters
    ----------
    title, note, sheet : str
        Text above the table, the line under it, and the sheet's name.
    heads : sequence of sequences of str
        Per column its header cells, top to bottom. Equal neighbours in one row, and cells with nothing below, are merged.
    rows : sequence of sequences
        Values by column; None is an empty cell. Text that begins like a formula stays text.
    digits : sequence of int or None
        Places after the point by column; None for text.
    total : bool
        Whether the last row is the total.
    """
    made = Workbook()
    page = made.active
    assert isinstance(page, Worksheet)
    page.title = sheet[:31]
    width, depth = len(heads), max(map(len, heads))
    for line, text, size in ((1, title, 16), (2, note, 11)):
        cell = page.cell(line, 1, text)
        cell.font = Font(name="黑体" if line == 1 else "宋体", size=size, bold=line == 1)
        cell.alignment = Alignment(horizontal="center" if line == 1 else "left", vertical="center")
        page.merge_cells(start_row=line, start_column=1, end_row=line, end_column=width)
    page.row_dimensions[1].height = 32
    _header(page, heads, first=3, depth=depth)
    top = 3 + depth
    for r, row in enumerate(rows):
        last = total and r == len(rows) - 1
        for c, value in enumerate(row):
            cell = page.cell(top + r, c + 1, value)
            if isinstance(value, str):
                cell.data_type = "s"  # a name that begins with "=" is no formula
            cell.border, cell.font = _BOX, Font(name="宋体", size=11, bold=last)
            cell.alignment = Alignment(
                horizontal="left" if digits[c] is None and not last else "center", vertical="center", wrap_text=True
            )
            if digits[c] is not None and isinstance(value, (int, float)):
                cell.number_format = "0" + ("." + "0" * digits[c] if digits[c] else "")  # type: ignore[operator]  # a count
    _widths(page, heads, rows)
    page.freeze_panes = page.cell(top, 1)
    page.print_title_rows = f"{3}:{top - 1}"
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", page.PAPERSIZE_A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _header(page: Worksheet, heads: Sequence[Sequence[str]], *, first: int, depth: int) -> None:
    for c, head in enumerate(heads, start=1):
        for d in range(depth):
            cell = page.cell(first + d, c, head[d] if d < len(head) else None)
            cell.border, cell.alignment, cell.fill = _BOX, _CENTRE, _HEAD
            cell.font = Font(name="宋体", size=11, bold=True)
        page.row_dimensions[first].height = 24
        if len(head) < depth:
            page.merge_cells(start_row=first + len(head) - 1, start_column=c, end_row=first + depth - 1, end_column=c)
    for d in range(depth - 1):
        start = 1
        for c in range(2, len(heads) + 2):
            same = c <= len(heads) and len(heads[c - 1]) > d + 1 and heads[c - 1][: d + 1] == heads[start - 1][: d + 1]
            if not same:
                if c - 1 > start and len(heads[start - 1]) > d + 1:
                    page.merge_cells(start_row=first + d, start_column=start, end_row=first + d, end_column=c - 1)
                start = c


def _widths(page: Worksheet, heads: Sequence[Sequence[str]], rows: Sequence[Sequence[Any]]) -> None:
    for c, head in enumerate(heads):
        longest = max([_width(head[-1]) / 1.6, *(_width(str(r[c])) for r in rows if r[c] is not None)], default=8)
        page.column_dimensions[get_column_letter(c + 1)].width = min(max(longest + 2, 8), 36)


def _width(text: str) -> float:
    """Chinese characters are two columns wide."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)
