"""This module holds the few loops that are compiled, for networks so large that loading the compiler pays.

Import it only where the data is large: loading numba takes about two seconds, whatever it then does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def _near(
    px: Any, py: Any, reach: Any, ids: Any, begin: Any, bits: int, size: float, far: float,
    x: Any, y: Any, offsets: Any, a: Any, b: Any,
) -> Any:  # fmt: skip
    capacity, n, mask = 1024, 0, (1 << bits) - 1
    out_point, out_seg = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    out_string = np.empty(capacity, np.int64)
    out_d, out_t = np.empty(capacity), np.empty(capacity)
    for string in range(len(offsets) - 1):
        for v in range(offsets[string], offsets[string + 1] - 1):
            x0, y0, dx, dy = x[v], y[v], x[v + 1] - x[v], y[v + 1] - y[v]
            square = dx * dx + dy * dy
            pieces = max(1, int(np.ceil(np.sqrt(square) / (4 * size))))
            for k in range(pieces):
                xa, ya = x0 + dx * k / pieces, y0 + dy * k / pieces
                xb, yb = x0 + dx * (k + 1) / pieces, y0 + dy * (k + 1) / pieces
                c0, c1 = int(np.floor((min(xa, xb) - far) / size)), int(np.floor((max(xa, xb) + far) / size))
                r0, r1 = int(np.floor((min(ya, yb) - far) / size)), int(np.floor((max(ya, yb) + far) / size))
                for c in range(c0, c1 + 1):
                    for r in range(r0, r1 + 1):
                        h = ((r & mask) << bits) | (c & mask)
                        for p in range(begin[h], begin[h + 1]):
                            if ids[p] == a[string] or ids[p] == b[string]:
                                continue
                            ex, ey = px[p] - x0, py[p] - y0
                            t = 0.0
                            if square > 0:
                                t = min(1.0, max(0.0, (ex * dx + ey * dy) / square))
                            d = np.hypot(ex - t * dx, ey - t * dy)
                            if d <= reach[p]:
                                if n == capacity:
                                    capacity *= 2
                                    out_point, out_seg = _grown(out_point, capacity), _grown(out_seg, capacity)
                                    out_d, out_t = _grown(out_d, capacity), _grown(out_t, capacity)
                                    out_string = _grown(out_string, capacity)
                                out_point[n], out_string[n], out_seg[n], out_d[n], out_t[n] = p, string, v, d, t
                                n += 1
    return out_point[:n], out_string[:n], out_seg[:n], out_d[:n], out_t[:n]


@njit(cache=True)
def _grown(array: Any, capacity: int) -> Any:
    out = np.empty(capacity, array.dtype)
    out[: len(array)] = array
    return out


def points_near_segments(
    px: Any, py: Any, reach: Any, ids: Any, begin: Any, bits: int, size: float, far: float,
    x: Any, y: Any, offsets: Any, a: Any, b: Any,
) -> tuple[Any, Any, Any, Any, Any]:  # fmt: skip
    """Stream segments past a grid of points, which are sorted by its cells; as `mapapp.core.geometry.points_near_lines` does in numpy.

    Returns
    -------
    tuple of ndarray
        Place of the point, string, first vertex of the segment, distance in metres, share of the segment. A pair may
        stand there twice.
    """
    found: tuple[Any, Any, Any, Any, Any] = _near(
        px, py, reach, ids, begin, bits, size, far, x, y, offsets,
        np.ascontiguousarray(a), np.ascontiguousarray(b),
    )  # fmt: skip
    return found


@njit(cache=True)
def components(n: int, a: Any, b: Any) -> Any:
    """Return the number of each node's connected piece: union-find with path halving."""
    parent = np.arange(n)
    for k in range(len(a)):
        p, q = a[k], b[k]
        while parent[p] != p:
            parent[p] = parent[parent[p]]
            p = parent[p]
        while parent[q] != q:
            parent[q] = parent[parent[q]]
            q = parent[q]
        if p < q:
            parent[q] = p
        elif q < p:
            parent[p] = q
    out, found = np.empty(n, np.int64), 0
    for i in range(n):
        p = i
        while parent[p] != p:
            parent[p] = parent[parent[p]]
            p = parent[p]
        if p == i:
            out[i] = found
            found += 1
        else:
            out[i] = out[p]
    return out


@njit(cache=True)
def drains_to(upper: Any, lower: Any, reached: Any) -> None:
    """Mark in ``reached`` every node that sends water to a marked one."""
    n = len(reached)
    begin = np.zeros(n + 1, np.int64)
    for k in range(len(lower)):
        begin[lower[k] + 1] += 1
    for i in range(n):
        begin[i + 1] += begin[i]
    place, above = begin[:-1].copy(), np.empty(len(lower), np.int32)
    for k in range(len(lower)):
        above[place[lower[k]]] = upper[k]
        place[lower[k]] += 1
    queue, head, tail = np.empty(n, np.int32), 0, 0
    for i in range(n):
        if reached[i]:
            queue[tail] = i
            tail += 1
    while head < tail:
        i = queue[head]
        head += 1
        for k in range(begin[i], begin[i + 1]):
            j = above[k]
            if not reached[j]:
                reached[j] = True
                queue[tail] = j
                tail += 1


@njit(cache=True)
def join_points(x: Any, y: Any, tolerance: float, size: float, bits: int) -> Any:
    """Merge equal points and pair those within a tolerance, in one pass over a grid that keeps neighbours together.

    Returns
    -------
    tuple of ndarray
        First place of each distinct point, distinct point of each place, and the pairs of distinct points.
    """
    n, mask, found, pairs, capacity = len(x), (1 << bits) - 1, 0, 0, 1024
    head, following = np.full(1 << 2 * bits, -1, np.int32), np.empty(n, np.int32)
    first, which = np.empty(n, np.int64), np.empty(n, np.int64)
    a, b = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    for i in range(n):
        h = ((int(np.floor(y[i] / size)) & mask) << bits) | (int(np.floor(x[i] / size)) & mask)
        k = head[h]
        while k >= 0 and not (x[first[k]] == x[i] and y[first[k]] == y[i]):
            k = following[k]
        if k >= 0:
            which[i] = k
            continue
        c0, c1 = int(np.floor((x[i] - tolerance) / size)), int(np.floor((x[i] + tolerance) / size))
        r0, r1 = int(np.floor((y[i] - tolerance) / size)), int(np.floor((y[i] + tolerance) / size))
        for c in range(c0, c1 + 1):
            for r in range(r0, r1 + 1):
                k = head[((r & mask) << bits) | (c & mask)]
                while k >= 0:
                    if np.hypot(x[first[k]] - x[i], y[first[k]] - y[i]) <= tolerance + 1e-9:
                        if pairs == capacity:
                            capacity *= 2
                            a, b = _grown(a, capacity), _grown(b, capacity)
                        a[pairs], b[pairs] = k, found
                        pairs += 1
                    k = following[k]
        first[found], which[i], following[found] = i, found, head[h]
        head[h] = found
        found += 1
    return first[:found], which, a[:pairs], b[:pairs]
