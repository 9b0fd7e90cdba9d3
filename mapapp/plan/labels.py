"""This module keeps the tables of labels that `fronts` fills: what is worth keeping, and what comes in from above.

A label is one way to build everything above the lower end of a pipe; its columns are named below.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mapapp.plan.steiner.kernel import kernel

Array = np.ndarray[Any, Any]

MOST_LABELS = 400
"""Longest Pareto front; a longer one is thinned evenly, its ends kept."""
JOIN, COST, SIZE, DIAMETER, UP, DOWN, MODE, LIFTED, SUMP, COLUMNS = range(10)
GRAVITY, LIFT, PRESSURE = 0, 1, 2


@kernel
def thinned(rows: Array) -> Array:
    """Return ``rows``, evenly thinned to `MOST_LABELS`, the ends kept."""
    if len(rows) <= MOST_LABELS:
        return rows
    out = np.empty(MOST_LABELS, np.int64)
    for i in range(MOST_LABELS):
        out[i] = rows[int(np.rint(i * (len(rows) - 1) / (MOST_LABELS - 1)))]
    return out


@kernel
def front(level: Array, cost: Array) -> Array:
    """Return rows with no other row at least as high and at most as dear, highest first."""
    order = np.argsort(cost, kind="mergesort")
    order = order[np.argsort(-level[order], kind="mergesort")]
    rows = np.empty(len(order), np.int64)
    m = 0
    best = np.inf
    for i in order:
        if m == 0 or cost[i] < best * (1 - 1e-12):
            rows[m] = i
            m += 1
        best = min(best, cost[i])
    return thinned(rows[:m])


@kernel
def worthwhile(rows: Array, both: bool) -> Array:
    """Return which ``rows`` of labels are worth keeping: high and cheap; by joining level and invert where ``both``."""
    if not both:
        return front(rows[:, JOIN].copy(), rows[:, COST].copy())
    keep = np.empty(len(rows), np.int64)
    m = 0
    for i in np.argsort(rows[:, COST], kind="mergesort"):
        worse = False
        for j in keep[:m]:
            if rows[j, JOIN] >= rows[i, JOIN] and rows[j, DOWN] >= rows[i, DOWN]:
                worse = True
                break
        if not worse:
            keep[m] = i
            m += 1
    return thinned(keep[:m])


@kernel
def grown(table: Array, need: int) -> Array:
    """Return a longer table with the same rows first, at least ``need`` rows."""
    out = np.empty((max(2 * len(table), need), table.shape[1]))
    out[: len(table)] = table
    return out


@kernel
def grown_pairs(table: Array, long: int) -> Array:
    """Return a table of pairs ``long`` rows long, with the same rows first."""
    out = np.empty((long, 2), np.int64)
    out[: len(table)] = table
    return out


@kernel
def come_in(
    labels: Array, begin: Array, end: Array, kids: Array, size: float, may_fall: bool, inlet: float, top: float, reach: float
) -> tuple[Array, Array]:  # fmt: skip
    """Return what the pipes ``kids`` bring under an outgoing ``size``: rows of (level, cost, lowest invert), and picks.

    A kid lets the outgoing pipe's joining level be at most its own, and its invert at most its own; ``reach`` is the outgoing
    joining level above its invert. Below zero only inverts count, as where the water is pumped.
    """
    n = len(kids)
    if n == 0:
        return np.array([[np.inf, 0.0, min(inlet, top)]]), np.empty((1, 0), np.int64)
    most = 0
    for c in kids:
        most += end[c] - begin[c]
    fronts = np.empty(most, np.int64)
    lets = np.empty(most)
    part = np.zeros(n + 1, np.int64)
    m = 0
    for j in range(n):
        c = kids[j]
        rows = np.empty(end[c] - begin[c], np.int64)
        level = np.empty(len(rows))
        k = 0
        for i in range(begin[c], end[c]):
            if may_fall or labels[i, SIZE] <= size:
                rows[k] = i
                level[k] = labels[i, DOWN] if reach < 0.0 else min(labels[i, JOIN], labels[i, DOWN] + reach)
                k += 1
        if k == 0:
            return np.empty((0, 3)), np.empty((0, n), np.int64)
        rows, level = rows[:k], level[:k]
        best = front(level, labels[rows, COST])
        fronts[m : m + len(best)] = rows[best]
        lets[m : m + len(best)] = level[best]
        m += len(best)
        part[j + 1] = m
    levels = np.unique(lets[:m])[::-1]
    out = np.empty((len(levels), 3))
    picks = np.empty((len(levels), n), np.int64)
    at = part[:n].copy()
    r = 0
    for level_ in levels:
        fits = True
        for j in range(n):
            while at[j] < part[j + 1] and lets[at[j]] >= level_:
                at[j] += 1
            fits &= at[j] > part[j]
        if not fits:
            continue
        cost, low = 0.0, inlet
        for j in range(n):
            i = fronts[at[j] - 1]
            picks[r, j] = i
            cost += labels[i, COST]
            low = min(low, labels[i, DOWN])
        out[r, 0], out[r, 1], out[r, 2] = level_, cost, low
        r += 1
    out, picks = out[:r], picks[:r]
    if r == 0:
        return out, picks
    keep = front(out[:, 0].copy(), out[:, 1].copy())
    return out[keep], picks[keep]
