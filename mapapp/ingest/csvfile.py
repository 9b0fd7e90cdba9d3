"""This module reads CSV and text tables as Excel on Windows writes them."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping
from pathlib import Path

from mapapp.core.errors import InputError, QuestionError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.ingest.foreign import check_width, empty, parsing
from mapapp.ingest.grid import ask_columns, find_table, guess_header
from mapapp.ingest.result import Notes, Raw

_TRIES = ("utf-8-sig", "gb18030")
_MAX_FIELD = 1 << 24


def read_csv(path: Path, target: Layer, encoding: str | None, given: Mapping[str, str] | None) -> list[Raw]:
    """Return the table of a text file: UTF-8, else GB 18030; comma, semicolon, tab or bar.

    Rows count from 1 as a spreadsheet shows them, so that a place such as ``C7`` can be found in Excel.

    Raises
    ------
    InputError
        When it is no text, is empty, has too many columns, or holds no header we know.
    QuestionError
        When no encoding fits (option ``encoding``).
    """
    name, notes = path.name, Notes()
    cells = read_cells(path, encoding, notes)
    raw = find_table(cells, (), target, file=name, sheet="", kind="csv", given=given, notes=notes)
    if raw is None and not target.spatial and (guessed := guess_header(cells, ())):
        raise ask_columns(guessed, target, name)
    if raw is None:
        first = "、".join(c.strip()[:20] for c in next(r for r in cells if any(c.strip() for c in r))[:10])
        raise InputError(
            Text(
                f"没有找到“{target.title.zh}”的表头（首行：{first}）。",
                f"No header of {target.name} was found (first row: {first}).",
            ),
            Text(
                "请检查所选图层和分隔符，或用 --column 指明一列。",
                "Check the layer and the separator, or name a column with --column ours=theirs.",
            ),
            where=name,
        )
    return [raw]


def read_cells(path: Path, encoding: str | None, notes: Notes) -> list[list[str]]:
    """Return a text file's cells, row by row; errors as in `read_csv`, but for the header."""
    name = path.name
    text = _decode(path, encoding, notes)
    if "\0" in text:
        raise InputError(
            Text("这不是文本文件。", "This is not a text file."),
            Text("请在 Excel 中另存为 CSV UTF-8。", "In Excel, save it as CSV UTF-8."),
            where=name,
        )
    separator = _separator(text)
    with parsing(name, "CSV"):
        csv.field_size_limit(_MAX_FIELD)
        cells = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    if not any(any(c.strip() for c in row) for row in cells):
        raise empty(name)
    check_width(max(len(row) for row in cells), name)
    return cells


def _decode(path: Path, encoding: str | None, notes: Notes) -> str:
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        tries: tuple[str, ...] = ("utf-16",)
    elif encoding is not None:
        try:
            tries = (codecs.lookup(encoding).name,)
        except LookupError as error:
            raise InputError(
                Text(f"不认识编码“{encoding}”。", f"{encoding!r} is not an encoding that we know."),
                Text("例如 gbk、utf-8、big5。", "Try gbk, utf-8 or big5."),
                where=path.name,
            ) from error
    else:
        tries = _TRIES
    for codec in tries:
        try:
            text = data.decode(codec)
        except (UnicodeDecodeError, UnicodeError):
            continue
        if codec == "gb18030":
            notes.info("按 GB 18030（GBK）读取文字。", "Texts were read as GB 18030 (GBK).", path.name)
        return text
    raise QuestionError(
        Text("文字的编码无法识别。", "The encoding of the text cannot be told."),
        Text("请用 --encoding 指明，例如 gbk、utf-8、big5。", "Name it with --encoding, such as gbk, utf-8 or big5."),
        option="encoding",
        choices=("gb18030", "utf-8", "big5", "latin-1"),
        where=path.name,
    )


def _separator(text: str) -> str:
    """Return the one that the first line with any of them holds most often; lines of WKT further down mislead."""
    marks = (",", ";", "\t", "|")
    first = next((line for line in text.splitlines()[:50] if any(m in line for m in marks)), "")
    return max(marks, key=lambda m: (first.count(m), m == ","))
