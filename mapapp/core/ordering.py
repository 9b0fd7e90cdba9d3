"""This module tells in which order to lay things so that neighbours on the ground lie together in memory."""

from __future__ import annotations

import numpy as np

from mapapp.core import loops
from mapapp.core.geometry import Floats, Ints, compiled_pays

_CELLS = 1024  # a side
_LOOK_AT = 100_000  # places, to tell an order
_SCATTERED_M = 250.0  # farther steps from place to place than this are no order


def area_order(x: Floats, y: Floats) -> Ints | None:
    """Return the order of places in metres by area where many lie in no order at all; None where they may stay.

    No answer depends on it: it spares the loops from fetching every neighbour from far away in memory.
    """
    if len(x) == 0 or not compiled_pays(len(x)):
        return None
    if not np.median(np.abs(np.diff(x[:_LOOK_AT])) + np.abs(np.diff(y[:_LOOK_AT]))) > _SCATTERED_M:
        return None
    some = slice(None, None, max(1, len(x) // 10_000))
    west, east = np.percentile(x[some], (1, 99))
    south, north = np.percentile(y[some], (1, 99))
    size = max(east - west, north - south, 1.0) / _CELLS
    edge = (_CELLS - 1) * size  # what lies far out, by a slip of the pen, goes with the border
    _, order = loops.sorted_into_cells(
        np.clip(x - west, 0.0, edge), np.clip(y - south, 0.0, edge), size, _CELLS.bit_length() - 1
    )
    found: Ints = order.astype(np.int64)
    return found
