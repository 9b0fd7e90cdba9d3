"""This module lays the pipes of a large survey in the order of the ground, so that neighbours lie together in memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from mapapp.audit.tables import Pipes
from mapapp.core.geometry import Ints, Lines, compiled_pays

_CELLS = 1024  # a side
_LOOK_AT = 100_000  # rows, to tell an order
_SCATTERED_M = 250.0  # farther steps from row to row than this are no order


def by_area(pipes: Pipes) -> Pipes:
    """Return the pipes sorted by area where a large table has them in no order; else as they are.

    No answer depends on it: it spares the loops from fetching every neighbour from far away in memory.
    """
    lines = pipes.lines
    if len(lines) == 0 or not compiled_pays(len(lines)):
        return pipes
    from mapapp.core import loops

    x, y = lines.x[lines.first], lines.y[lines.first]
    some = slice(None, None, max(1, len(x) // 10_000))
    west, east = np.percentile(x[some], (1, 99))
    south, north = np.percentile(y[some], (1, 99))
    extent = max(east - west, north - south, 1.0)
    if np.median(np.abs(np.diff(x[:_LOOK_AT])) + np.abs(np.diff(y[:_LOOK_AT]))) <= _SCATTERED_M:
        return pipes
    size = extent / _CELLS
    edge = (_CELLS - 1) * size  # what lies far out, by a slip of the pen, goes with the border
    _, order = loops.sorted_into_cells(
        np.clip(x - west, 0.0, edge), np.clip(y - south, 0.0, edge), size, _CELLS.bit_length() - 1
    )
    return _reordered(pipes, order.astype(np.int64))


def _reordered(pipes: Pipes, strings: Ints) -> Pipes:
    """Return the pipes so that their strings come in the order given, rows without any last."""
    n, row = len(pipes), pipes.lines.row[strings]
    one_each = len(row) == n and bool((np.diff(pipes.lines.row) == 1).all())  # as many strings as rows is not enough
    if one_each:
        rows = row
    else:
        first = np.sort(np.unique(row, return_index=True)[1])
        bare = np.ones(n, dtype=bool)
        bare[row] = False
        rows = np.concatenate([row[first], np.flatnonzero(bare)])
    place = np.empty(n, dtype=np.int64)
    place[rows] = np.arange(n)
    if not one_each:
        at = place[pipes.lines.row]  # parts of one row stay together and in their order
        strings = np.argsort(at, kind="stable")
        row = pipes.lines.row[strings]
    moved = pipes.lines.take(strings)
    lines = Lines(moved.x, moved.y, moved.offsets, place[row], pipes.lines.missing[rows], pipes.lines.broken[rows])
    index = pa.array(rows)
    return replace(
        pipes,
        ids=pipes.ids.take(index),
        lines=lines,
        kind=pipes.kind[rows],
        flow=pipes.flow[rows],
        status=pipes.status[rows],
        level=pipes.level[rows],
        invert=(pipes.invert[0][rows], pipes.invert[1][rows]),
        depth=(pipes.depth[0][rows], pipes.depth[1][rows]),
        diameter_mm=pipes.diameter_mm[rows],
        record=pipes.record[rows],
        nodes=(pipes.nodes[0].take(index), pipes.nodes[1].take(index)),
    )
