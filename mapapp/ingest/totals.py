"""This module knows rows of totals: they are no records, and they should be the sums of their rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mapapp.core.schema import Layer
from mapapp.ingest.columns import alias_table, keys_of
from mapapp.ingest.layout import blank
from mapapp.ingest.result import Raw
from mapapp.ingest.units import names_its_unit
from mapapp.ingest.values import read_number
from mapapp.ingest.words import is_blank, plain

_TOTAL = re.compile(r"^(?:.{0,12})?(小计|合计|总计|共计|总合计|subtotal|total|sum)[:：]?$", re.IGNORECASE)
GRAND = re.compile(r"(合计|总计|共计|^total|^sum)", re.IGNORECASE)
FIRST = 6
"""A total is called so in one of so many first cells."""


def is_total(values: Sequence[Any]) -> bool:
    """Whether one of these cells calls its row a total: ``小计``, ``城关镇合计``."""
    return any(isinstance(v, str) and _TOTAL.match(re.sub(r"\s+", "", v)) is not None for v in values)


def check(
    raw: Raw,
    filled: Sequence[Sequence[Any]],
    rows: Sequence[int],
    totals: Sequence[int],
    columns: Mapping[str, int],
    target: Layer,
) -> None:
    """Say that totals were left out, and where they differ from the sum of their rows."""
    if not totals:
        return
    table = alias_table(target)
    summed = []
    for header, c in columns.items():
        ours = next((target.column(o) for k in keys_of(header) for o, _ in table.get(k, ())), None)
        if ours is not None and ours.kind in ("int", "float") and ours.unit not in ("", "%", "year"):
            summed.append((header, c))
    wrong = []
    unlike = False
    done = -1
    for i in totals:
        label = "".join(plain(v) for v in filled[i][:FIRST] if isinstance(v, str))
        grand = GRAND.search(label) is not None
        above = [r for r in rows if r < i and (grand or r > done)]
        if not above:  # a total that stands above its rows
            below = [t for t in totals if t > i]
            above = [r for r in rows if r > i and (grand or not below or r < below[0])]
        elif not grand:
            done = i
        for header, c in summed:
            if any(names_its_unit(filled[r][c]) for r in above):
                unlike = True  # rows in units of their own are not summed here
                continue
            told = read_number(filled[i][c]) if not blank(filled[i][c]) else None
            parts = [
                read_number(filled[r][c])
                for r in above
                if not blank(filled[r][c]) and not is_blank(plain(filled[r][c]))
            ]
            total = sum(p for p in parts if p is not None and p == p)
            if (
                told is not None
                and told == told
                and abs(told - total) > max(1e-6 * abs(told), 0.005 + 0.005 * len(parts) * (told % 1 != 0))
            ):
                wrong.append((i, header, told, total))
    raw.notes.info(
        f"{len(totals)} 行小计、合计（第 {'、'.join(str(i + 1) for i in totals[:8])} "
        f"行）不算记录{'' if wrong or unlike else '，与各行之和一致'}。",
        f"{len(totals)} rows of totals (rows {', '.join(str(i + 1) for i in totals[:8])}) are no records"
        f"{'' if wrong or unlike else '; they agree with the sums of their rows'}.",
        raw.place,
    )
    for i, header, told, total in wrong[:10]:
        raw.notes.warn(
            f"第 {i + 1} 行的“{header}”写 {told:g}，各行之和是 {total:g}，相差 {told - total:g}。",
            f"Row {i + 1} says {told:g} for {header!r}; its rows sum to {total:g}, a difference of {told - total:g}.",
            f"{raw.place} › {raw.letters[header]}{i + 1}",
        )
