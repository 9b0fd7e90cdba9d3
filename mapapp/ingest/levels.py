"""This module finds the numbers that stand for "not measured" among levels and depths, and lets true zeros live."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mapapp.core.crs import Floats
from mapapp.ingest.result import Notes

ALWAYS = 9000.0
"""No land lies that high or that deep; 9999, -9999 and their kin are never levels."""
CONTEXT = (0.0, -1.0, -2.0, -9.0, 99.0, -99.0, 99.99, -99.99, 999.0, -999.0, 999.99, -999.99)
_FAR_M = 5.0
_OFTEN = 5


def clear_sentinels(
    columns: Mapping[str, Floats], notes: Notes, *, what: tuple[str, str], where: str
) -> dict[str, Floats]:
    """Return the columns with sentinel values made missing.

    All columns are judged together, because they speak of one town. Values of at least 9000 either way always go.
    A value of `CONTEXT` goes only when the others say so: it lies outside of the 1st-99th percentile of the other
    values by more than 5 m and more than half their span; or it lies outside at all, stands there five times or
    more, and five times as often as any true value. Zeros amid levels near the sea therefore stay. A column of
    nothing but zeros holds no measurement; three or more go.

    Parameters
    ----------
    columns : mapping of name to array
        Metres; missing is NaN.
    what : pair of str
        "标高" and "levels", for the note.
    """
    if not columns:
        return {}
    pool = np.concatenate(list(columns.values()))
    pool = pool[np.isfinite(pool)]
    doomed = {float(v) for v in np.unique(pool[np.abs(pool) >= ALWAYS])}
    special = np.isin(pool, CONTEXT)
    others = pool[~special & (np.abs(pool) < ALWAYS)]
    kept: list[float] = []
    for value in np.unique(pool[special]):
        count = int((pool == value).sum())
        (doomed.add if _stands_out(float(value), count, others) else kept.append)(float(value))
    out = {}
    for name, values in columns.items():
        hit = np.isin(values, list(doomed))
        out[name] = np.where(hit, np.nan, values)
        if hit.any():
            words = ", ".join(f"{v:g}" for v in sorted(set(values[hit])))
            notes.info(
                f"{name}：{int(hit.sum())} 个值（{words}）表示缺失，留空。",
                f"{name}: {int(hit.sum())} values ({words}) stand for missing; left empty.",
                where,
            )
    if kept and not (len(others) and others.min() <= min(kept) and others.max() >= max(kept)):
        words = ", ".join(f"{v:g}" for v in kept)
        notes.warn(
            f"{what[0]}中的 {words} 可能是真值，也可能表示缺失；已保留，请核对。",
            f"{words} among the {what[1]} may be true or may stand for missing; kept, please check.",
            where,
        )
    return out


def _stands_out(value: float, count: int, others: Floats) -> bool:
    if not len(others):
        return count >= 3
    low, high = np.quantile(others, [0.01, 0.99])
    gap = max(low - value, value - high)
    if gap > max(_FAR_M, 0.5 * (high - low)):
        return True
    _, repeats = np.unique(others, return_counts=True)
    return bool(gap > 0 and count >= _OFTEN and count > _OFTEN * repeats.max())
