"""This module knows the habits of ledger layout: a row of units, heading rows, signatures, tables side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mapapp.ingest.columns import SEPARATOR, normalise, unit_of
from mapapp.ingest.words import plain

_BAND = re.compile(
    r"^[（(]?[一二三四五六七八九十\d]{0,3}[)）]?\s*[、.．:：]?\s*([\u4e00-\u9fff]{1,10}?(街道办事处|街道|镇|乡|社区|居委会))$"
)
_STREETS = ("街道办事处", "街道", "镇", "乡")
_SIGNATURE = re.compile(r"^[^:：]{0,10}(人|单位|部门|日期|时间|电话|审核|负责|领导|盖章|签字)\s*[:：]")


def blank(value: Any) -> bool:
    """Whether a cell is empty."""
    return value is None or (isinstance(value, str) and not value.strip())


def band(text: str) -> tuple[str, str] | None:
    """Return what a heading row between records names: (``街道`` or ``社区``, its name); None for another text.

    Examples
    --------
    >>> band("一、城关街道")
    ('街道', '城关街道')
    >>> band("（二）东门社区")
    ('社区', '东门社区')
    """
    found = _BAND.match(plain(text))
    if found is None:
        return None
    return ("街道" if found[2] in _STREETS else "社区", found[1])


def is_signature(values: Sequence[Any]) -> bool:
    """Whether a row holds nothing but who filled the table in, checked it, and when: ``审核人：  填表人：``."""
    return bool(values) and all(_SIGNATURE.match(plain(v)) for v in values)  # a record fails at its first cell


def units_row(row: Sequence[Any], headers: Sequence[str]) -> list[str] | None:
    """Return headers with the units that stand in a row of their own under them; None when the row is no such row.

    Two units at least, and nothing but units.
    """
    texts = [plain(v) for v in row]
    told = [t for t in texts if t]
    if len(set(told)) < 2 or not all(unit_of(f"x({t.strip('()')})") for t in told):
        return None
    return [f"{h}({t.strip('()')})" if t and h and not unit_of(h) else h for h, t in zip(headers, texts, strict=True)]


def side_by_side(names: Sequence[str]) -> list[list[int]] | None:
    """Return the columns of each table where a sheet repeats one header to the right; None for one table.

    ``names`` are the headers as they stand, ``""`` for a blank column between. At least three columns must repeat in
    the same order, so that two columns called 备注 are no second table.
    """
    there = [(i, normalise(n.split(SEPARATOR)[-1])) for i, n in enumerate(names) if n]
    for tables in (2, 3, 4):
        width, rest = divmod(len(there), tables)
        if rest or width < 3:
            continue
        blocks = [there[k * width : (k + 1) * width] for k in range(tables)]
        words = [[n for _, n in b] for b in blocks]
        if len(set(words[0])) == width and all(w == words[0] for w in words):
            return [[i for i, _ in b] for b in blocks]
    return None
