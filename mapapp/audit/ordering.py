"""This module lays the pipes of a large survey in the order of the ground, so that neighbours lie together in memory."""

from __future__ import annotations

from dataclasses import replace

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
    return replace(
        pipes,
        lines=lines,
        kind=pipes.kind[rows],
        flow=pipes.flow[rows],
        status=pipes.status[rows],
        level=pipes.level[rows],
        invert=(pipes.invert[0][rows], pipes.invert[1][rows]),
        depth=(pipes.depth[0][rows], pipes.depth[1][rows]),
        diameter_mm=pipes.diameter_mm[rows],
        record=pipes.record[rows],
        file_row=rows,
    )
