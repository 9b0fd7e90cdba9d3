"""This module lays text and tables out as a Word document in the layout of official papers.

Sizes and margins follow GB/T 9704-2012: A4, margins 37 mm top, 28 mm left, 26 mm right, 35 mm bottom, a body of
22 lines of 28 characters in 16 pt 仿宋, title in 22 pt 小标宋, level 1 in 黑体, level 2 in 楷体, page numbers between
dashes at the outer edge. Fonts are named, not embedded; Word on the reader's desk has them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol
from unicodedata import east_asian_width

import pandas as pd
from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_ALIGN_VERTICAL, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter

from mapapp.render import files

TITLE, BODY, LEVEL_1, LEVEL_2, PAGE = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312", "宋体"
_TEXT_MM = 156.0
_ONE_LINE = 8  # a header's line of four characters or less does not break
ANNEX = "Annex"
LINE_PITCH = Pt(29)  # 225 mm / 22 lines


class Line(Protocol):
    """A paragraph with its place in the hierarchy: title, h1, h2, body or annex."""

    @property
    def style(self) -> str:
        """Its place in the hierarchy."""

    @property
    def text(self) -> str:
        """Its words."""


def write(lines: Iterable[Line], annex_title: str, annex: pd.DataFrame, date: str, path: Path) -> None:
    """Write the report with its annex table on pages of their own.

    Parameters
    ----------
    lines : iterable of Line
    annex_title : str
        Heading of the table.
    annex : DataFrame
        Printed with its column names; missing cells stay empty. Without rows no annex is written.
    date : str
        Signed under the text, as it is to be printed.
    path : Path
        Written whole beside its place and moved there.
    """
    paper: Any = Document()  # python-docx is only partly typed
    _page(paper)
    _styles(paper)
    for line in lines:
        _paragraph(paper, line)
    signed = paper.add_paragraph(date, style="Body Text")
    signed.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    signed.paragraph_format.right_indent = Pt(16 * 4)  # four characters in, as the standard has it
    if len(annex):
        paper.add_page_break()
        heading = paper.add_paragraph(annex_title.removeprefix("附件："), style="Heading 1")
        heading.paragraph_format.first_line_indent = Pt(0)
        _table(paper, annex)
    with files.whole(path) as beside:
        paper.save(str(beside))


def write_annex(title: str, annex: pd.DataFrame, date: str, path: Path) -> None:
    """Write the annex as a workbook that prints on A4, header rows repeated.

    Parameters
    ----------
    title : str
        Over the table.
    annex : DataFrame
        Written with its column names; missing cells stay empty, rows without a value in the first column are sums.
    date : str
        The as-of date, as it is to be read.
    path : Path
        An .xlsx; written whole beside its place and moved there.
    """
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "一览表"
    last = get_column_letter(max(len(annex.columns), 1))
    sheet.merge_cells(f"A1:{last}1")
    sheet.merge_cells(f"A2:{last}2")
    sheet["A1"], sheet["A2"] = title, f"数据截至{date}"
    sheet["A1"].font, sheet["A1"].alignment = Font(name=LEVEL_1, size=16), Alignment(horizontal="center")
    sheet["A2"].alignment = Alignment(horizontal="right")
    sheet.append(_heads(annex))
    for values in annex.itertuples(index=False):
        sheet.append([_plain(value) for value in values])
    line = Side(style="thin", color="999999")
    for row in sheet.iter_rows(min_row=3, max_row=3 + len(annex)):
        total = row[0].row == 3 or row[0].value is None
        for cell in row:
            cell.border = Border(left=line, right=line, top=line, bottom=line)
            cell.font = Font(name=LEVEL_1 if total else BODY, size=11, bold=total)
            words = isinstance(cell.value, str)
            cell.alignment = Alignment(
                horizontal="center" if words else None, vertical="center", wrap_text=row[0].row == 3
            )
            if words:
                cell.data_type = "s"  # text that begins with "=" is a name, not a formula
            elif isinstance(cell.value, float):
                cell.number_format = "0.00"
    for n, width in enumerate(_widths(annex), start=1):
        sheet.column_dimensions[get_column_letter(n)].width = width + 2
    sheet.row_dimensions[3].height = 48
    sheet.freeze_panes, sheet.print_title_rows = "A4", "1:3"
    sheet.page_setup.paperSize, sheet.page_setup.orientation = sheet.PAPERSIZE_A4, "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.center.text = "— &P —"
    with files.whole(path) as beside:
        book.save(beside)


def _plain(value: object) -> object:
    """Return a value as Excel holds it: whole numbers whole, missing empty."""
    if pd.isna(value):  # type: ignore[call-overload]  # any scalar
        return None
    number = value.item() if hasattr(value, "item") else value
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _page(paper: Any) -> None:  # python-docx is untyped
    section = paper.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.left_margin = Mm(37), Mm(28)
    section.right_margin, section.bottom_margin = Mm(26), Mm(35)
    section.footer_distance = Mm(28)
    paper.settings.odd_and_even_pages_header_footer = True
    for footer, side in (
        (section.footer, WD_ALIGN_PARAGRAPH.RIGHT),
        (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT),
    ):
        paragraph = footer.paragraphs[0]
        paragraph.alignment = side
        paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Pt(14)
        for text in ("— ", None, " —"):
            run = paragraph.add_run(text or "")
            _font(run, PAGE, Pt(14))
            if text is None:
                _page_field(run)


def _page_field(run: Any) -> None:
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        if kind:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        else:
            element = OxmlElement("w:instrText")
            element.text = text
        run._r.append(element)


def _styles(paper: Any) -> None:
    for name, font, size in (
        ("Normal", BODY, 16), ("Body Text", BODY, 16), ("Title", TITLE, 22),
        ("Heading 1", LEVEL_1, 16), ("Heading 2", LEVEL_2, 16),
    ):  # fmt: skip
        style = paper.styles[name]
        _font(style, font, Pt(size))
        style.font.bold = False
        style.font.color.rgb = None
        layout = style.paragraph_format
        layout.line_spacing_rule, layout.line_spacing = WD_LINE_SPACING.EXACTLY, LINE_PITCH
        layout.space_before = layout.space_after = Pt(0)
        if name in ("Body Text", "Heading 1", "Heading 2"):
            layout.first_line_indent = Pt(32)  # two characters
    cell = paper.styles.add_style(ANNEX, WD_STYLE_TYPE.PARAGRAPH)
    cell.base_style = paper.styles["Normal"]
    _font(cell, BODY, Pt(9))
    cell.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    title = paper.styles["Title"].paragraph_format
    title.alignment, title.line_spacing, title.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(36), LINE_PITCH
    border = paper.styles["Title"].element.find(".//" + qn("w:pBdr"))
    if border is not None:  # Word's default title is underlined
        border.getparent().remove(border)


def _font(target: Any, name: str, size: Any) -> None:
    target.font.name, target.font.size = name, size
    fonts = target.element.get_or_add_rPr().get_or_add_rFonts()
    for attribute in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(attribute), None)  # a theme font would win over the named one
    for attribute in ("w:ascii", "w:hAnsi", "w:eastAsia"):
        fonts.set(qn(attribute), name)


def _paragraph(paper: Any, line: Line) -> None:
    style = {"title": "Title", "h1": "Heading 1", "h2": "Heading 2"}.get(line.style, "Body Text")
    if line.style == "annex":
        paper.add_paragraph(style="Body Text")
    paper.add_paragraph(line.text, style=style)


def _table(paper: Any, annex: pd.DataFrame) -> None:
    table = paper.add_table(rows=1, cols=len(annex.columns), style="Table Grid")
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    widths = [width + 3.0 for width in _widths(annex)]  # and the cell's own margins
    _narrow_margins(table)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(_TEXT_MM * width / sum(widths))
    _row(table.rows[0], _heads(annex), LEVEL_1)
    repeat = OxmlElement("w:tblHeader")
    repeat.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(repeat)
    for values in annex.itertuples(index=False):
        total = len(values) > 0 and pd.isna(values[0])
        _row(table.add_row(), [_cell(value) for value in values], LEVEL_1 if total else BODY)


def _narrow_margins(table: Any) -> None:
    margins = OxmlElement("w:tblCellMar")
    for side in ("w:left", "w:right"):
        margin = OxmlElement(side)
        margin.set(qn("w:w"), "40")  # twentieths of a point: 0.7 mm
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tbl.tblPr.append(margins)


def _cell(value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]  # any scalar
        return ""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _heads(table: pd.DataFrame) -> list[str]:
    """Return the column names with their unit on a line of its own."""
    return [str(name).replace("（", "\n（") for name in table.columns]


def _widths(table: pd.DataFrame) -> list[float]:
    """Return how wide each column's words are, in half characters; each line of a header may break once."""
    out = []
    for n, head in enumerate(_heads(table)):
        words = [_cell(value) for value in table.iloc[:, n]]
        out.append(
            float(
                max(
                    [
                        *map(_width, words),
                        *(
                            _width(part) if _width(part) <= _ONE_LINE else math.ceil(_width(part) / 2)
                            for part in head.split("\n")
                        ),
                        4,
                    ]
                )
            )
        )
    return out


def _width(word: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in word)


def _row(row: Any, words: list[str], font: str) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    for cell, word in zip(row.cells, words, strict=True):
        paragraph = cell.paragraphs[0]
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.style = ANNEX
        cell.vertical_alignment = WD_ALIGN_VERTICAL.CENTER
        _font(paragraph.add_run(word), font, Pt(9))
