"""This module finds the table in a sheet: title rows, headers of one to three rows, totals, footers, merged cells."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from mapapp.core.errors import QuestionError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.ingest import layout, long, totals
from mapapp.ingest.columns import SEPARATOR, alias_table, keys_of, normalise
from mapapp.ingest.layout import blank
from mapapp.ingest.points import coordinate_columns
from mapapp.ingest.result import Notes, Raw, letter
from mapapp.ingest.words import plain

Cells = list[list[Any]]
Merge = tuple[int, int, int, int]
"""First row, first column, last row, last column, from 0."""
_HEADER_WITHIN = 30
_HEADER_DEPTH = 3
_NO_GAP = re.compile(r"(?<![!-~]) | (?![!-~])")
"""A blank beside a Chinese character: ``小 区``; between English words it stays."""
_REMARK = re.compile(r"^[^:：]{0,8}(单位|部门|日期|时间|人|电话)\s*[:：]\s*\S")
"""Above a table stands who filled it in and when: ``填报单位：县住建局``, ``单位：万元``. No header begins like this."""


def _numeric(value: Any) -> bool:
    if isinstance(value, (bool, dt.date, dt.datetime)):
        return False
    if isinstance(value, (int, float)):
        return True
    return isinstance(value, str) and bool(re.fullmatch(r"[-+]?[\d,]*\.?\d+%?", value.strip()))


def find_table(
    cells: Cells,
    merges: Sequence[Merge],
    target: Layer,
    *,
    file: str,
    sheet: str,
    kind: str,
    given: Mapping[str, str] | None,
    notes: Notes,
) -> Raw | None:
    """Return the table in a grid of cells, or None when no row looks like a header of ``target``.

    Totals are left out and compared with the rows above them; rows with one text only (headings, signatures) are
    left out and said. Merged cells spread their text to every cell, and their number to the first one alone, so that
    no sum counts it twice.
    """
    width = max((len(r) for r in cells), default=0)
    filled = spread_text(cells, merges, width)
    found = _find_header(cells, filled, merges, target, given)
    if found is None:
        return None
    start, depth = found
    names = _join_header(filled[start : start + depth])
    below = start + depth
    if below < len(cells) and (
        with_units := layout.units_row(cells[below] + [None] * (width - len(cells[below])), names)
    ):
        names, below = with_units, below + 1
    title = " ".join(dict.fromkeys(plain(v) for r in cells[:start] for v in r if not blank(v)))[:120]
    if title:
        notes.info(f"表头之上的文字：{title}", f"Text above the header: {title}", _where(file, sheet, kind))
    blocks = layout.side_by_side(names) or [list(range(width))]
    tables = []
    for at in blocks:
        own, spread = filled if not merges else cells, filled
        if len(blocks) > 1 or merges:
            own = [[r[c] if c < len(r) else None for c in at] for r in cells]
            spread = [[r[c] for c in at] for r in filled]
        nothing = Raw(
            pd.DataFrame(), None, None, file, sheet, np.empty(0, dtype=np.int64), kind, notes=notes, title=title
        )
        tables.append(_one_table(own, spread, at, [names[c] for c in at], below, target, merges, nothing))
    if len(tables) == 1:
        return tables[0]
    notes.warn(
        f"表里并排有 {len(tables)} 张同样的表，已上下接成一张，请核对。",
        f"{len(tables)} tables of the same header stand side by side; they were put under one another. Please check.",
        _where(file, sheet, kind),
    )
    return _stacked(tables, [at[0] - blocks[0][0] for at in blocks])


def _one_table(
    cells: Cells,
    filled: Cells,
    at: Sequence[int],
    names: Sequence[str],
    below: int,
    target: Layer,
    merges: Sequence[Merge],
    empty: Raw,
) -> Raw:
    """Return the records under one header; ``at`` says where in the sheet each column of ``cells`` lies."""
    headers, columns = _headers(names, filled[below:], at)
    again = [normalise(h.split(SEPARATOR)[-1]) for h in headers]
    certain = long.records(cells, below, columns) if empty.kind == "csv" else np.empty(0, dtype=bool)
    doubted = np.flatnonzero(~certain) + below if len(certain) else range(below, len(cells))
    rows, sums, asides, signed = [], [], [], []
    for i in map(int, doubted):
        row = filled[i]
        present = [c for c in columns if not blank(row[c])]
        own = [c for c in range(len(at)) if not blank(cells[i][c])]
        if not present:
            continue
        if totals.is_total([row[c] for c in columns[: totals.FIRST]]):
            sums.append(i)
        elif layout.is_signature([cells[i][c] for c in own]):
            signed.append(i)
        elif len(own) <= 1 and len(columns) > 3 and isinstance(cells[i][own[0]] if own else "", str):
            asides.append(i)
        elif all(normalise(plain(row[c])) == name for c, name in zip(columns, again, strict=True)):
            continue  # the header printed again on each page
        else:
            rows.append(i)
    if len(certain):
        rows = np.sort(np.concatenate([np.flatnonzero(certain) + below, np.array(rows, dtype=np.int64)])).tolist()
        frame = long.frame(cells, rows, dict(zip(headers, columns, strict=True)))
    else:
        frame = pd.DataFrame(
            {h: pd.Series([filled[i][c] for i in rows], dtype=object) for h, c in zip(headers, columns, strict=True)}
        )
        frame = frame.where(~frame.map(blank), None) if len(frame) else frame
    letters = {h: letter(at[c]) for h, c in zip(headers, columns, strict=True)}
    raw = replace(empty, frame=frame, rows=np.array([i + 1 for i in rows], dtype=np.int64), letters=letters)
    used = _headings(raw, cells, rows, asides, target)
    asides = sorted({*asides, *signed} - used)
    if asides:
        texts = "；".join(f"{i + 1}: {plain(next(v for v in cells[i] if not blank(v)))[:24]}" for i in asides[:5])
        raw.notes.info(
            f"{len(asides)} 行只有一段文字，不算记录（{texts}）。",
            f"{len(asides)} rows hold a single text and are no records ({texts}).",
            raw.place,
        )
    shared = [m for m in merges if at[0] <= m[1] <= at[-1]]
    _note_merges(raw, cells, [(r0, c0 - at[0], r1, c1 - at[0]) for r0, c0, r1, c1 in shared], rows, columns)
    totals.check(raw, filled, rows, sums, dict(zip(headers, columns, strict=True)), target)
    return raw


def _headings(raw: Raw, cells: Cells, rows: Sequence[int], asides: Sequence[int], target: Layer) -> set[int]:
    """Let heading rows such as ``一、城关街道`` answer street and community where the table has no such column."""
    used: set[int] = set()
    for ours, header in (("street", "街道"), ("community", "社区")):
        table = alias_table(target)
        there = {o for h in raw.frame.columns for k in keys_of(str(h)) for o, _ in table.get(k, ())}
        if target.column(ours) is None or ours in there:
            continue
        told: dict[int, str | None] = {}
        for i in asides:
            found = layout.band(next(str(v) for v in cells[i] if not blank(v)))
            if found is not None and found[0] == header:
                told[i] = found[1]
            elif found is not None and header == "社区":
                told[i] = None  # another street begins, and its communities are not known yet
        if not any(told.values()):
            continue
        heads = sorted(told)
        above = np.searchsorted(heads, rows) - 1
        raw.frame[header] = pd.Series([told[heads[k]] if k >= 0 else None for k in above], dtype=object)
        used |= {i for i, name in told.items() if name}
        listed = "、".join(f"{i + 1}: {told[i]}" for i in heads if told[i])
        raw.notes.info(
            f"{header}由分段标题行认定（{listed[:120]}）。",
            f"The {ours} comes from heading rows ({listed[:120]}).",
            raw.place,
        )
    return used


def _stacked(tables: Sequence[Raw], shifts: Sequence[int]) -> Raw:
    """Put tables of the same header under one another; each value keeps its cell."""
    first = tables[0]
    frames = [t.frame.set_axis(first.frame.columns[: t.frame.shape[1]], axis=1) for t in tables]
    return replace(
        first,
        frame=pd.concat(frames, ignore_index=True),
        rows=np.concatenate([t.rows for t in tables]),
        shifts=np.repeat(np.array(shifts, dtype=np.int64), [len(t.frame) for t in tables]),
    )


def _where(file: str, sheet: str, kind: str) -> str:
    return f"{file} › {sheet}" if sheet and kind == "excel" else file


def spread_text(cells: Cells, merges: Sequence[Merge], width: int) -> Cells:
    """Return the grid, rows of one width, with the text of each merged cell in every cell that it covers."""
    if not merges and all(len(r) == width for r in cells):
        return cells
    out = [list(r) + [None] * (width - len(r)) for r in cells]
    for r0, c0, r1, c1 in merges:
        if r0 >= len(out) or c0 >= width:
            continue
        value = out[r0][c0]
        tall_year = c0 == c1 and _is_year(value)  # a year that stands beside many rows is the year of each
        if blank(value) or not (tall_year or (isinstance(value, str) and not _numeric(value))):
            continue
        for r in range(r0, min(r1, len(out) - 1) + 1):
            for c in range(c0, min(c1, width - 1) + 1):
                out[r][c] = value
    return out


def _is_year(value: Any) -> bool:
    text = plain(value).removesuffix("年")
    return text.isdecimal() and 1990 <= int(text) <= 2040


def _find_header(
    cells: Cells, filled: Cells, merges: Sequence[Merge], target: Layer, given: Mapping[str, str] | None
) -> tuple[int, int] | None:
    """Return first row and depth of the header that most names of ours are found in; shallow and early ones first."""
    table = alias_table(target)
    wanted = {normalise(v) for v in (given or {}).values() if v and not v.startswith("=")}
    best: tuple[float, int, int] | None = None
    for start in range(min(_HEADER_WITHIN, len(cells))):
        if len({plain(v) for v in filled[start] if not blank(v)}) < 2 and len(filled[start]) > 1:
            continue  # a title across the sheet
        if all(_REMARK.match(plain(v)) for v in cells[start] if not blank(v)):
            continue
        for depth in range(1, _HEADER_DEPTH + 1):
            block = filled[start : start + depth]
            if len(block) < depth or any(_numeric(v) for r in block for v in r):
                break
            if depth > 1 and not _belongs(cells, merges, start, depth):
                continue
            names = _join_header(block)
            hits = {o for n in names if n for k in keys_of(n) for o, _ in table.get(k, ())}
            score = len({n for n in names if n and any(k in table for k in keys_of(n))}) + sum(
                normalise(n) in wanted for n in names if n
            )
            score += (
                len(coordinate_columns([n for n in names if n])) if target.spatial or target.name == "ledger" else 0
            )
            filled_in = sum(bool(n) for n in names)
            said = any(normalise(n) in wanted for n in names if n)
            if (len(hits) >= 2 or score >= 2 or said or (score and filled_in <= 3)) and (
                best is None or score > -best[0]
            ):
                best = (-float(score), start, depth)
    return (best[1], best[2]) if best else None


def guess_header(cells: Cells, merges: Sequence[Merge]) -> tuple[str, ...]:
    """Return the column names of the first rows that are built like a header, whatever their words; empty without any.

    Built like one: at least three different texts and no number, with a row of numbers below. What they mean is for the
    user to say.
    """
    filled = spread_text(cells, merges, max((len(r) for r in cells), default=0))
    for start in range(min(_HEADER_WITHIN, len(cells))):
        first = [plain(v) for v in filled[start] if not blank(v)]
        if len(set(first)) < 3 or any(_numeric(v) for v in filled[start]) or any(map(_REMARK.match, first)):
            continue
        depth = 1
        while depth < _HEADER_DEPTH and start + depth < len(cells) and _belongs(cells, merges, start, depth + 1):
            if any(_numeric(v) for v in filled[start + depth]):
                break
            depth += 1
        below = filled[start + depth : start + depth + 3]
        if any(_numeric(v) for row in below for v in row):
            return tuple(dict.fromkeys(n for n in _join_header(filled[start : start + depth]) if n))
    return ()


def ask_columns(headers: Sequence[str], target: Layer, where: str) -> QuestionError:
    """Return the question what the columns are, for a table whose words nobody knows."""
    shown = "、".join(headers[:12])
    return QuestionError(
        Text(
            f"表头的写法都不认识，看不出哪一列是“{target.title.zh}”的什么（{shown}）。",
            f"None of the column names is known; nobody can tell which is what of {target.name} ({shown}).",
        ),
        Text(
            "请指明各列（用 --column ours=theirs），至少指明小区名称。",
            "Say what the columns are (--column ours=theirs), the compound's name at least.",
        ),
        option="columns",
        choices=tuple(headers),
        where=where,
    )


def _belongs(cells: Cells, merges: Sequence[Merge], start: int, depth: int) -> bool:
    """Whether rows below ``start`` continue its header: merged cells say so, or they fill what it leaves blank."""
    last = start + depth - 1
    if any(r0 >= start and r0 <= last and (r1 > r0 or c1 > c0) and r0 < last for r0, c0, r1, c1 in merges):
        return True
    above, below = cells[last - 1], cells[last]
    return any(blank(a) and not blank(b) for a, b in zip(above, below, strict=False)) and any(
        not blank(a) and blank(b) for a, b in zip(above, below, strict=False)
    )


def _join_header(block: Cells) -> list[str]:
    names = []
    width = len(block[0])
    upper = [list(r) for r in block]
    for r in range(len(upper) - 1):  # a text in an upper row without merge info reaches over the blanks to its right
        for c in range(1, width):
            if blank(upper[r][c]) and not blank(upper[r + 1][c]) and not blank(upper[r][c - 1]):
                upper[r][c] = upper[r][c - 1]
    for c in range(width):
        parts = [_NO_GAP.sub("", " ".join(str(r[c]).split())) for r in upper if not blank(r[c])]
        names.append(SEPARATOR.join(dict.fromkeys(parts)))
    return names


def _headers(names: Sequence[str], body: Cells, at: Sequence[int]) -> tuple[list[str], list[int]]:
    headers: list[str] = []
    columns: list[int] = []
    for c, given in enumerate(names):
        name = given
        if not name:
            if all(blank(r[c]) for r in body):
                continue
            name = f"({letter(at[c])})"
        if name in headers:
            name = f"{name} ({letter(at[c])})"
        headers.append(name)
        columns.append(c)
    return headers, columns


def _note_merges(raw: Raw, cells: Cells, merges: Sequence[Merge], rows: Sequence[int], columns: Sequence[int]) -> None:
    body = set(rows)
    tall = [m for m in merges if m[2] > m[0] and m[0] in body and m[1] in columns and m[1] < len(cells[m[0]])]
    shared = [m for m in tall if _numeric(cells[m[0]][m[1]]) and not _is_year(cells[m[0]][m[1]])]
    if shared:
        places = "、".join(f"{letter(c0)}{r0 + 1}:{letter(c1)}{r1 + 1}" for r0, c0, r1, c1 in shared[:5])
        raw.notes.warn(
            f"{len(shared)} 个合并单元格里是多行共有的数（{places}），只记在第一行，未分摊。",
            f"{len(shared)} merged cells hold one number for several "
            f"rows ({places}); it stands in the first row, not shared out.",
            raw.place,
        )
