"""This module joins pipe ends into nodes, and answers what hangs together and what drains where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapapp.core import loops
from mapapp.core.geometry import Floats, Ints, Lines, cell_key, cells, compiled_pays, distinct, ragged
from mapapp.core.ordering import area_order

_CELL_PER_TOLERANCE = 20.0


@dataclass(frozen=True, slots=True)
class Nodes:
    """Where pipes meet.

    Attributes
    ----------
    start, end : ndarray of int, shape (e,)
        Node at the first and at the last vertex of each string of `Lines`.
    point : ndarray of int, shape (p,)
        Node of each further point (manholes).
    x, y : ndarray of float, shape (n,)
        The middle of what was joined, in metres.
    """

    start: Ints
    end: Ints
    point: Ints
    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.x)


def join_ends(lines: Lines, x: Floats, y: Floats, tolerance_m: float) -> Nodes:
    """Join pipe ends and further points that lie within a tolerance of one another into nodes.

    Parameters
    ----------
    lines : Lines
        Pipes in a metric CRS.
    x, y : ndarray of float, shape (p,)
        Further points such as manholes; not NaN.
    tolerance_m : float
        Two points no farther apart are one node, and so are chains of such points. The two ends of a pipe that is
        itself no longer than twice the tolerance stay apart, or it would vanish.

    Notes
    -----
    Bit-equal points are merged first by sorting; the rest is single-linkage clustering over a grid, so the answer does
    not depend on where a grid line or a rounding step falls.
    """
    by = area_order(x, y)
    if by is None:
        return _joined(lines, x, y, tolerance_m)
    laid = _joined(lines, x[by], y[by], tolerance_m)  # in no order at all, each would be fetched from far away
    point = np.empty_like(laid.point)
    point[by] = laid.point
    return Nodes(laid.start, laid.end, point, laid.x, laid.y)


def _joined(lines: Lines, x: Floats, y: Floats, tolerance_m: float) -> Nodes:
    e = len(lines)
    compiled = tolerance_m > 0 and compiled_pays(2 * e + len(x))
    if compiled:
        which, ux, uy, a, b = loops.join_ends(lines.x, lines.y, lines.offsets, x, y, tolerance_m)
    else:
        px = np.stack([lines.x[lines.first], lines.x[lines.last]], axis=1).ravel()
        py = np.stack([lines.y[lines.first], lines.y[lines.last]], axis=1).ravel()
        px, py = np.concatenate([px, x]), np.concatenate([py, y])
        unique, which = merge_equal(px, py)
        ux, uy = px[unique], py[unique]
        a, b = _pairs_within(ux, uy, tolerance_m)
    label = _labels(len(ux), a, b) if len(a) else np.arange(len(ux))
    start, end, point, closed = _ends(which, label, e)
    if len(a) == 0:
        return Nodes(start, end, point, ux, uy)
    same = lines.take(closed)
    reach = np.hypot(same.x[same.first] - same.x[same.last], same.y[same.first] - same.y[same.last])
    closed = closed[(reach > 0) & (reach <= tolerance_m * 2) & (same.lengths() <= 2 * tolerance_m)]
    if len(closed):
        label = _keep_apart(label, a, b, ux, uy, which[2 * closed], which[2 * closed + 1])
        start, end, point, _ = _ends(which, label, e)
    return Nodes(start, end, point, *_middles(label, ux, uy))


def _ends(which: Ints, label: Ints, strings: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Return the label at both ends of each string and at each further point, and the strings that are closed."""
    if compiled_pays(len(which)):
        found: tuple[Ints, Ints, Ints, Ints] = loops.labelled(which, label, strings)
        return found
    at = label[which]
    start, end = at[: 2 * strings : 2].copy(), at[1 : 2 * strings : 2].copy()
    return start, end, at[2 * strings :], np.flatnonzero(start == end)


def _middles(label: Ints, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the middle of each cluster; most are single points, which stay as they are."""
    if compiled_pays(len(x)):
        middles: tuple[Floats, Floats] = loops.middles(label, x, y, int(label.max()) + 1)
        return middles
    count = np.bincount(label)
    out_x, out_y = np.empty(len(count)), np.empty(len(count))
    out_x[label], out_y[label] = x, y
    rows = np.flatnonzero(count[label] > 1)
    several = np.flatnonzero(count > 1)
    which = np.searchsorted(several, label[rows])
    for out, value in ((out_x, x), (out_y, y)):
        base = out[several]
        out[several] = base + np.bincount(which, value[rows] - base[which], minlength=len(several)) / count[several]
    return out_x, out_y


def merge_equal(x: Floats, y: Floats) -> tuple[Ints, Ints]:
    """Merge points with the very same coordinates.

    Returns
    -------
    first : ndarray of int
        One place in the input for each distinct point.
    which : ndarray of int
        For each input point, its distinct point.
    """
    n = len(x)
    if n == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    bx, by = (x + 0.0).view(np.uint64), (y + 0.0).view(np.uint64)  # + 0.0 makes -0.0 equal to 0.0
    key = bx * np.uint64(0x9E3779B97F4A7C15) ^ (by * np.uint64(0xC2B2AE3D27D4EB4F) + (bx >> np.uint64(31)))
    order = np.argsort(key)
    sx, sy, sk = bx[order], by[order], key[order]
    fresh = np.ones(n, dtype=bool)
    fresh[1:] = sk[1:] != sk[:-1]
    if ((sx[1:] != sx[:-1]) | (sy[1:] != sy[:-1]))[~fresh[1:]].any():  # two points share a key: sort the long way
        order = np.lexsort((by, bx))
        fresh[1:] = (bx[order][1:] != bx[order][:-1]) | (by[order][1:] != by[order][:-1])
    which = np.empty(n, dtype=np.int64)
    which[order] = np.cumsum(fresh) - 1
    return order[fresh], which


def _pairs_within(x: Floats, y: Floats, tolerance_m: float, size: float | None = None) -> tuple[Ints, Ints]:
    """Return all pairs of points at most the tolerance apart."""
    none = np.zeros(0, dtype=np.int64)
    if len(x) < 2 or tolerance_m <= 0:
        return none, none
    size = size or _CELL_PER_TOLERANCE * tolerance_m
    column, row = cells(x, y, size)
    edge = tolerance_m * 1.001
    right, up = (column + 1) * size - x <= edge, (row + 1) * size - y <= edge
    point, keys = [np.arange(len(x))], [cell_key(column, row)]
    for rows, dc, dr in ((right, 1, 0), (up, 0, 1), (right & up, 1, 1)):  # points near a border also go over it
        near = np.flatnonzero(rows)
        point.append(near)
        keys.append(cell_key(column[near] + dc, row[near] + dr))
    who, key = np.concatenate(point), np.concatenate(keys)
    order = np.argsort(key)
    who, key = who[order], key[order]
    firsts, seconds = [none], [none]
    place = np.flatnonzero(key[1:] == key[:-1])
    step = 1
    while len(place):
        if step > 64 and size > 2.5 * tolerance_m:  # a crowd in one cell: smaller cells
            return _pairs_within(x, y, tolerance_m, 2 * tolerance_m)
        a, b = who[place], who[place + step]
        close = (np.hypot(x[a] - x[b], y[a] - y[b]) <= tolerance_m + 1e-9) & (a != b)
        firsts.append(a[close])
        seconds.append(b[close])
        step += 1
        place = place[place + step < len(key)]
        place = place[key[place] == key[place + step]]
    a, b = np.concatenate(firsts), np.concatenate(seconds)
    pair = distinct(np.minimum(a, b) * len(x) + np.maximum(a, b))
    return pair // len(x), pair % len(x)


def _labels(n: int, a: Ints, b: Ints) -> Ints:
    """Return the number of each point's cluster, given pairs of n points; without gaps."""
    if compiled_pays(n):
        return components(n, a, b)
    used = distinct(np.concatenate([a, b]))
    sub = components(len(used), np.searchsorted(used, a), np.searchsorted(used, b))
    lowest = np.full(sub.max() + 1, n)
    np.minimum.at(lowest, sub, used)
    root = np.arange(n)
    root[used] = lowest[sub]
    return _without_gaps(root)


def _keep_apart(label: Ints, a: Ints, b: Ints, x: Floats, y: Floats, left: Ints, right: Ints) -> Ints:
    """Split the clusters that swallowed a short pipe: join the nearest first, never the two ends of such a pipe."""
    hit = np.unique(label[left])
    pair = np.flatnonzero(np.isin(label[a], hit))
    distance = np.hypot(x[a[pair]] - x[b[pair]], y[a[pair]] - y[b[pair]])
    group = {int(p): {int(p)} for p in np.flatnonzero(np.isin(label, hit))}
    foes: dict[int, set[int]] = {}
    for p, q in zip(left.tolist(), right.tolist(), strict=True):
        foes.setdefault(p, set()).add(q)
        foes.setdefault(q, set()).add(p)
    for k in pair[np.argsort(np.round(distance, 7), kind="stable")].tolist():  # few: only round swallowed pipes
        one, two = group[int(a[k])], group[int(b[k])]
        if one is two or any(foes.get(p, set()) & two for p in one):
            continue
        one |= two
        for p in two:
            group[p] = one
    out = label.copy()
    following = int(label.max()) + 1
    for members in {id(g): g for g in group.values()}.values():
        out[list(members)] = following
        following += 1
    return np.unique(out, return_inverse=True)[1].astype(np.int64)


def components(n: int, a: Ints, b: Ints) -> Ints:
    """Return the number of the connected piece that each of n nodes belongs to, given undirected edges."""
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    if compiled_pays(max(n, len(a))):
        found: Ints = loops.components(n, a, b)
        return found
    label = np.arange(n)
    while len(a):  # each piece joins the lowest of its neighbours; what has become one drops out
        la, lb = label[a], label[b]
        apart = la != lb
        a, b, la, lb = a[apart], b[apart], la[apart], lb[apart]
        np.minimum.at(label, np.maximum(la, lb), np.minimum(la, lb))
        while not np.array_equal(further := label[label], label):
            label = further
    return _without_gaps(label)


def _without_gaps(root: Ints) -> Ints:
    """Return the number of each node's piece, by first node, given each node's lowest companion."""
    out: Ints = (np.cumsum(root == np.arange(len(root))) - 1)[root]
    return out


def drains_to(n: int, upper: Ints, lower: Ints, targets: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which of n nodes send water to one of the targets.

    Parameters
    ----------
    n : int
        Number of nodes.
    upper, lower : ndarray of int, shape (m,)
        Water runs from ``upper`` to ``lower``; a pipe of unknown direction stands here twice, once each way.
    targets : ndarray of int
        Nodes that water is to reach; they reach themselves.
    """
    out = np.zeros(n, dtype=bool)
    out[targets] = True
    if len(targets) == 0 or len(upper) == 0:
        return out
    if compiled_pays(len(upper)):
        loops.drains_to(upper, lower, out)
        return out
    order = np.argsort(lower, kind="stable")
    above, begin = upper[order], np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(lower, minlength=n), out=begin[1:])
    front, seen = np.asarray(targets, dtype=np.int64), np.empty(n, dtype=np.int64)
    while len(front):  # one step against the water
        place, _ = ragged(begin[front], begin[front + 1] - begin[front])
        front = above[place]
        front = front[~out[front]]
        seen[front] = np.arange(len(front))
        front = front[seen[front] == np.arange(len(front))]  # each once
        out[front] = True
    return out
