"""This module reads long text tables by columns: a million rows are no ledger, and most of them are plainly records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mapapp.core.crs import Floats

LONG = 5_000
"""Rows from which a text table is read by columns."""
_DOUBTFUL = r"(?i)计|total|sum|:|："
"""A cell of a total or of a signature has one of these in it."""
_CELLS = 6
_BLOCK = 100_000


def records(cells: Sequence[Sequence[str]], below: int, columns: Sequence[int]) -> NDArray[np.bool_]:
    """Return which rows from ``below`` on are records without a doubt; nothing for a short table.

    Those have two filled cells or more, no word of a total or a signature among their first six, and another first cell
    than the header's. What is left is looked at row by row.
    """
    if len(cells) - below < LONG or len(columns) < 2:
        return np.empty(0, dtype=bool)
    heads = {row[columns[0]].strip() for row in cells[:below] if columns[0] < len(row)}
    parts = []
    for at in range(below, len(cells), _BLOCK):
        rows = cells[at : at + _BLOCK]
        filled = np.zeros(len(rows), dtype=np.int64)
        doubt = np.zeros(len(rows), dtype=bool)
        for number, c in enumerate(columns):
            texts = _texts(rows, c)
            filled += _flags(pc.not_equal(texts, ""))
            if number < _CELLS:
                doubt |= _flags(pc.match_substring_regex(texts, _DOUBTFUL))
            if not number:
                doubt |= _flags(pc.is_in(texts, value_set=pa.array(sorted(heads), type=pa.string())))
        parts.append((filled >= 2) & ~doubt)
    return np.concatenate(parts)


def frame(cells: Sequence[Sequence[str]], rows: Sequence[int], columns: Mapping[str, int]) -> pd.DataFrame:
    """Return the rows as columns of text, blank cells missing."""
    out = {}
    for header, c in columns.items():
        parts = []
        for at in range(0, len(rows), _BLOCK):
            texts = _texts([cells[i] for i in rows[at : at + _BLOCK]], c)
            parts.append(pc.if_else(pc.equal(texts, ""), None, texts))
        out[header] = pd.Series(pa.chunked_array(parts, type=pa.string()).to_pandas(), dtype="str")
    return pd.DataFrame(out)


def numbers(series: pd.Series) -> Floats | None:
    """Return a column of text as numbers where every cell is a plain finite one or missing; None otherwise."""
    if not isinstance(series.dtype, pd.StringDtype):
        return None
    texts = pc.utf8_trim_whitespace(pa.array(series, from_pandas=True))
    try:
        values = pc.cast(texts, pa.float64())
    except pa.ArrowInvalid:
        return None
    out = np.asarray(values.to_numpy(zero_copy_only=False), dtype=float)
    finite = np.isfinite(out) | np.asarray(texts.is_null())
    return out if bool(finite.all()) else None


def _texts(rows: Sequence[Sequence[str]], column: int) -> pa.Array:
    cells = [row[column] if column < len(row) else "" for row in rows]
    return pc.utf8_trim_whitespace(pa.array(cells, type=pa.string()))


def _flags(mask: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(mask.to_numpy(zero_copy_only=False), dtype=bool)
