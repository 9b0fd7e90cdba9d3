"""This module turns the many exceptions of foreign parsers into one sentence about the file."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from mapapp.core.errors import InputError, MapappError
from mapapp.core.text import Text
from mapapp.ingest.result import Notes

MAX_COLUMNS = 1000
_FOLDER = re.compile(r"(?<![\w.])/(?:[^/'\"\s]+/)+")
"""Folders in a parser's own words are those of this machine (an upload lies in a temporary one)."""


@contextmanager
def parsing(file: str, what: str, notes: Notes | None = None) -> Iterator[None]:
    """Run a foreign parser; whatever it raises becomes one `InputError`, what it warns becomes a note.

    Parsers of damaged files raise anything from ``struct.error`` to a Rust panic, so this boundary, and only this
    one, catches broadly. Our own errors pass, as do interrupts and lack of memory.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    except (MapappError, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:  # a PanicException of a Rust parser is no Exception
        said = _FOLDER.sub("", " ".join(str(error).split())).partition("; It might help")[0]
        reason = said[:160] or type(error).__name__
        raise InputError(
            Text(
                f"无法按 {what} 读取，文件可能不完整或已损坏（{reason}）。",
                f"This cannot be read as {what}; it may be incomplete or damaged ({reason}).",
            ),
            Text("请重新导出或重新复制后再试。", "Export or copy it again and retry."),
            where=file,
        ) from error
    for message in dict.fromkeys(str(w.message) for w in caught if not issubclass(w.category, DeprecationWarning)):
        if notes is not None:
            short = " ".join(message.split())[:200]
            notes.info(f"读取时提示：{short}", f"The reader says: {short}", file)


def empty(file: str) -> InputError:
    """Return the error for a file without rows."""
    return InputError(
        Text("文件里没有任何记录。", "The file holds no records."),
        Text("请检查导出范围或图层。", "Check the extent or the layer that was exported."),
        where=file,
    )


def cut_off(file: str, zh: str, en: str) -> InputError:
    """Return the error for a file whose end is missing; ``zh`` and ``en`` say how that is known."""
    return InputError(
        Text(f"文件不完整：{zh}。", f"The file is incomplete: {en}."),
        Text("请重新导出或重新复制后再试。", "Export or copy it again and retry."),
        where=file,
    )


def check_width(count: int, file: str) -> None:
    """Refuse tables that no planner made.

    Raises
    ------
    InputError
        For more than `MAX_COLUMNS` columns.
    """
    if count > MAX_COLUMNS:
        raise InputError(
            Text(
                f"有 {count} 列，超过 {MAX_COLUMNS} 列。",
                f"There are {count} columns; more than {MAX_COLUMNS} cannot be meant.",
            ),
            Text("请删去多余的列，或检查分隔符。", "Delete the empty ones, or check the separator."),
            where=file,
        )
