"""This module lays both footways beside street centrelines, joined round the corners and across each arm of a crossing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely

Array = np.ndarray[Any, Any]

OFFSET_M = {"main": 12.0, "secondary": 9.0, "branch": 6.0, "lane": 3.0, "footway": 0.5}
"""Distance of a footway's middle from the centreline by class of street, where no width is on record."""
USUAL_M = 5.0
_SHARP = 2.0
_SNAP_M = 0.05


def widths(streets: Any, row: Array) -> Array:
    """Return the distance of the footways from the centreline, metres, for rows of streets: half of ``width_m``, else by class."""
    out = np.full(len(row), USUAL_M)
    if "class" in streets:
        words = streets["class"].astype(object).to_numpy(object)[row]
        out = pd.Series(words, dtype=object).map(OFFSET_M).fillna(USUAL_M).to_numpy(float)
    if "width_m" in streets:
        wide = pd.to_numeric(streets["width_m"], errors="coerce").to_numpy(float)[row]
        out = np.where(wide > 0, 0.5 * wide, out)
    return np.asarray(out)


def offset_pieces(lines: Array, offset_m: Array) -> tuple[Array, Array, Array]:
    """Return straight pieces of both footways of lines that meet at their ends only.

    Returns
    -------
    start, end : ndarray, shape (m, 2)
        Metres.
    owner : ndarray of int, shape (m,)
        Row of the line. Pieces across an arm and round a corner belong to the arm.

    Notes
    -----
    At each end the arms are sorted by direction; the left side of one is joined to the right side of the next, and the two
    sides of each arm to one another.
    """
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    if len(xy) < 2:
        return np.empty((0, 2)), np.empty((0, 2)), np.empty(0, np.int64)
    inner = np.flatnonzero(owner[1:] == owner[:-1])
    first = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    last = np.append(first[1:] - 1, len(xy) - 1)
    place = np.concatenate([xy[first], xy[last]])
    node = np.unique(np.round(place / _SNAP_M).astype(np.int64), axis=0, return_inverse=True)[1].ravel()
    arm = np.concatenate([owner[first], owner[last]])
    along = np.concatenate([xy[first + 1] - xy[first], xy[last - 1] - xy[last]])  # arms look away from where they meet
    xy = _set_back(xy, first, last, along, node, offset_m[arm])
    side = _normals(xy, owner) * offset_m[owner][:, None]
    left, right = xy + side, xy - side
    start, end = [left[inner], right[inner]], [left[inner + 1], right[inner + 1]]
    who = [owner[inner], owner[inner]]
    arm_left = np.concatenate([left[first], right[last]])
    arm_right = np.concatenate([right[first], left[last]])
    start.append(arm_left)
    end.append(arm_right)
    who.append(arm)
    order = np.lexsort((np.arctan2(along[:, 1], along[:, 0]), node))
    count = np.bincount(node)
    begin = np.cumsum(count) - count
    rank = np.arange(len(order)) - begin[node[order]]
    after = order[begin[node[order]] + (rank + 1) % count[node[order]]]
    corner = count[node[order]] > 1
    start.append(arm_left[order[corner]])
    end.append(arm_right[after[corner]])
    who.append(arm[order[corner]])
    return np.concatenate(start), np.concatenate(end), np.concatenate(who)


def _set_back(xy: Array, first: Array, last: Array, along: Array, node: Array, offset: Array) -> Array:
    """Return the vertices with each end drawn back by the widest street that it meets: one crosses beside a crossing, not in it."""
    widest = np.zeros(int(node.max()) + 1)
    np.maximum.at(widest, node, offset)
    alone = np.bincount(node)[node] < 2
    length = np.hypot(*along.T)
    step = np.where(alone, 0.0, np.minimum(widest[node], 0.4 * length))
    move = along * (step / np.where(length > 0, length, 1.0))[:, None]
    out = xy.copy()
    out[first] += move[: len(first)]
    out[last] += move[len(first) :]
    return out


def _normals(xy: Array, owner: Array) -> Array:
    """Return the direction to the left at each vertex, longer at bends so that the offset keeps its distance."""
    step = xy[1:] - xy[:-1]
    same = owner[1:] == owner[:-1]
    length = np.hypot(*step.T)
    unit = np.where(
        same[:, None], np.column_stack([-step[:, 1], step[:, 0]]) / np.where(length > 0, length, 1.0)[:, None], 0.0
    )
    before, after = np.vstack([[0.0, 0.0], unit]), np.vstack([unit, [0.0, 0.0]])
    both = before + after
    size = np.hypot(*both.T)
    mean = both / np.where(size > 0, size, 1.0)[:, None]
    one = np.where(np.hypot(*after.T)[:, None] > 0, after, before)
    cosine = (mean * one).sum(axis=1)
    return np.asarray(mean * np.minimum(1.0 / np.maximum(cosine, 1.0 / _SHARP), _SHARP)[:, None])
