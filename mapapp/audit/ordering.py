"""This module lays the pipes of a large survey in the order of the ground, so that neighbours lie together in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mapapp.audit.tables import Pipes
from mapapp.core.geometry import Ints, Lines
from mapapp.core.ordering import area_order


def by_area(pipes: Pipes) -> Pipes:
    """Return the pipes sorted by area where a large table has them in no order; else as they are.

    Lines that were read in an order of their own keep it, and the rest of the table follows them.
    """
    lines, n = pipes.lines, len(pipes)
    ahead = np.diff(lines.row)
    if (ahead < 0).any():  # read in order of the ground, one string for each row
        order, row = None, lines.row
    else:
        order = area_order(lines.x[lines.first], lines.y[lines.first])
        if order is None:
            return pipes
        row = lines.row[order]
    if len(row) == n and (order is None or bool((ahead == 1).all())):  # as many strings as rows is not enough
        rows, index = row, np.arange(n)
    else:
        first = np.sort(np.unique(row, return_index=True)[1])
        bare = np.ones(n, dtype=bool)
        bare[row] = False
        rows = np.concatenate([row[first], np.flatnonzero(bare)])
        place = np.empty(n, dtype=np.int64)
        place[rows] = np.arange(n)
        order = np.argsort(place[lines.row], kind="stable")  # parts of one row stay together and in their order
        index = place[lines.row[order]]
    moved = lines if order is None else lines.take(order)
    laid = Lines(moved.x, moved.y, moved.offsets, index, lines.missing[rows], lines.broken[rows])
    return _following(pipes, laid, rows)


def _following(pipes: Pipes, lines: Lines, rows: Ints) -> Pipes:
    """Return the pipes with these lines, their numbers in the order of ``rows``; ids and names of nodes stay where they are."""
    both = (pipes.invert, pipes.depth)
    invert, depth = ((_laid(a, rows), _laid(b, rows)) for a, b in both)
    return replace(
        pipes,
        lines=lines,
        kind=_laid(pipes.kind, rows),
        flow=_laid(pipes.flow, rows),
        status=_laid(pipes.status, rows),
        level=_laid(pipes.level, rows),
        invert=invert,
        depth=depth,
        diameter_mm=_laid(pipes.diameter_mm, rows),
        record=_laid(pipes.record, rows),
        file_row=rows,
    )


def _laid(values: Any, rows: Ints) -> Any:
    """Return a column in another order; one that says the same in every row stays as it is."""
    first = values[0]
    alike = np.isnan(values) if first != first else values == first
    return values if alike[: len(alike) // 100].all() and alike.all() else values[rows]
