"""This module cuts lines and rings to a tile and its buffer, all of a tile's parts in one go.

Lines: Liang and Barsky, ACM TOG 3(1), 1984, doi:10.1145/357332.357333. Rings: Sutherland and Hodgman, CACM 17(1), 1974,
doi:10.1145/360767.360802; edges that it lays along the border fall into the buffer, where nothing is drawn.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mapapp.tiles.grid import BUFFER, EXTENT
from mapapp.tiles.ragged import starts_of, sums

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
LOW, HIGH = -BUFFER, EXTENT + BUFFER


def drop_repeats(x: Ints, y: Ints, lengths: Ints) -> tuple[Ints, Ints, Ints]:
    """Drop vertices equal to the one before them in the same part; a part keeps its first."""
    if not len(x):
        return x, y, lengths
    keep = np.empty(len(x), dtype=bool)
    keep[1:] = (x[1:] != x[:-1]) | (y[1:] != y[:-1])
    keep[starts_of(lengths)[:-1][lengths > 0]] = True
    return x[keep], y[keep], sums(keep, lengths)


def lines(x: Ints, y: Ints, lengths: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Cut lines to the tile.

    Parameters
    ----------
    x, y : int ndarray, shape (v,)
        Vertices of all parts, in tile units.
    lengths : int ndarray, shape (p,)
        Vertices per part.

    Returns
    -------
    x, y, lengths
        The pieces inside, two vertices or more each.
    part : int ndarray
        For each piece, the part it comes from, ascending. A line that leaves and returns gives two pieces.
    """
    part = np.repeat(np.arange(len(lengths)), lengths)
    first = np.flatnonzero(part[1:] == part[:-1]) if len(part) else np.empty(0, dtype=np.int64)
    x0, y0, x1, y1 = (v.astype(np.float64) for v in (x[first], y[first], x[first + 1], y[first + 1]))
    dx, dy = x1 - x0, y1 - y0
    enter, leave = np.zeros(len(first)), np.ones(len(first))
    seen = np.ones(len(first), dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        for delta, room in ((-dx, x0 - LOW), (dx, HIGH - x0), (-dy, y0 - LOW), (dy, HIGH - y0)):
            t = room / delta
            enter = np.where(delta < 0, np.maximum(enter, t), enter)
            leave = np.where(delta > 0, np.minimum(leave, t), leave)
            seen &= (delta != 0) | (room >= 0)
    seen &= enter < leave
    first, enter, leave = first[seen], enter[seen], leave[seen]
    x0, y0, dx, dy = x0[seen], y0[seen], dx[seen], dy[seen]
    # A piece begins where the segment before it is not ours, was cut off, or this one is cut at its start.
    begins = np.ones(len(first), dtype=bool)
    begins[1:] = (first[1:] != first[:-1] + 1) | (part[first[1:]] != part[first[:-1]])
    begins[1:] |= (enter[1:] > 0) | (leave[:-1] < 1)
    lengths_out = np.diff(np.append(np.flatnonzero(begins), len(first))) + 1
    at = starts_of(lengths_out)
    out_x, out_y = np.empty(at[-1], dtype=np.int64), np.empty(at[-1], dtype=np.int64)
    ends = np.ones(at[-1], dtype=bool)
    ends[at[:-1]] = False
    out_x[at[:-1]] = np.rint((x0 + enter * dx)[begins])
    out_y[at[:-1]] = np.rint((y0 + enter * dy)[begins])
    out_x[ends], out_y[ends] = np.rint(x0 + leave * dx), np.rint(y0 + leave * dy)
    origin = part[first[begins]]
    out_x, out_y, lengths_out = drop_repeats(out_x, out_y, lengths_out)
    return _keep(out_x, out_y, lengths_out, origin, lengths_out >= 2)


def rings(x: Ints, y: Ints, lengths: Ints) -> tuple[Ints, Ints, Ints]:
    """Cut rings to the tile; a ring's closing vertex is not repeated.

    Returns x, y and lengths of as many rings as came in, in order; a ring that lies outside has length 0.
    """
    fx, fy = x.astype(np.float64), y.astype(np.float64)
    for axis, limit, sign in ((0, LOW, 1), (0, HIGH, -1), (1, LOW, 1), (1, HIGH, -1)):
        fx, fy, lengths = _half_plane(fx, fy, lengths, axis, limit, sign)
    return drop_repeats(np.rint(fx).astype(np.int64), np.rint(fy).astype(np.int64), lengths)


def _half_plane(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], lengths: Ints, axis: int, limit: int, sign: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], Ints]:
    if not len(x):
        return x, y, lengths
    following = np.arange(1, len(x) + 1)
    begin = starts_of(lengths)
    some = lengths > 0
    following[begin[1:][some] - 1] = begin[:-1][some]
    side = ((y if axis else x) - limit) * sign
    inside = side >= 0
    crosses = inside != inside[following]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(crosses, side / (side - side[following]), 0.0)
    emitted = inside.astype(np.int64) + crosses
    at = np.cumsum(emitted) - emitted
    out = np.empty((2, int(emitted.sum())))
    out[0, at[inside]], out[1, at[inside]] = x[inside], y[inside]
    cut = at[crosses] + inside[crosses]
    out[0, cut] = (x + t * (x[following] - x))[crosses]
    out[1, cut] = (y + t * (y[following] - y))[crosses]
    return out[0], out[1], sums(emitted, lengths)


def _keep(x: Ints, y: Ints, lengths: Ints, origin: Ints, keep: Bools) -> tuple[Ints, Ints, Ints, Ints]:
    vertices = np.repeat(keep, lengths)
    return x[vertices], y[vertices], lengths[keep], origin[keep]


def twice_areas(x: Ints, y: Ints, lengths: Ints) -> Ints:
    """Return twice the signed area of each ring (surveyor's formula, y down: clockwise on screen is positive)."""
    if not len(x):
        return np.zeros(len(lengths), dtype=np.int64)
    following = np.arange(1, len(x) + 1)
    begin = starts_of(lengths)
    some = lengths > 0
    following[begin[1:][some] - 1] = begin[:-1][some]
    return sums(x * y[following] - x[following] * y, lengths)
