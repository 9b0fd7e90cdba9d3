"""This module holds the compiled loops that find points near points and lines, over grids; arrays in, arrays filled."""

from __future__ import annotations

from typing import Any

import numpy as np

from mapapp.core.machine import loop


@loop("f8* f8* u1* i8 f8 i8 i4*! i4*! i4*!")
def _sorted_into_cells(
    x: Any, y: Any, wanted: Any, n: Any, size: Any, bits: Any, cell: Any, begin: Any, order: Any
) -> int:
    mask, cells = (1 << bits) - 1, 1 << 2 * bits
    for i in range(n):
        h = ((np.int64(np.floor(y[i] / size)) & mask) << bits) | (np.int64(np.floor(x[i] / size)) & mask)
        cell[i] = h
        begin[h] += wanted[i]
    total = 0
    for h in range(cells):
        total += begin[h]
        begin[h] = total
    begin[cells] = total
    for back in range(n):  # each cell's count serves as its cursor, and ends where the cell begins
        i = n - 1 - back
        if wanted[i]:
            begin[cell[i]] -= 1
            order[begin[cell[i]]] = i
    return total


@loop("f8* f8* i8* i8 f8* f8* i8 f8 f8 i8 i4*! i4*! f8*! i8*! i8*! i8*! i8 i8*!")
def _join_ends(
    x: Any, y: Any, offsets: Any, e: Any, px: Any, py: Any, p: Any, tolerance: Any, size: Any, bits: Any,
    head: Any, following: Any, spot: Any, which: Any, a: Any, b: Any, capacity: Any, counts: Any,
) -> int:  # fmt: skip
    mask, found, pairs, near = (1 << bits) - 1, 0, 0, tolerance + 1e-8
    for i in range(2 * e + p):
        if i >= 2 * e:
            xi, yi = px[i - 2 * e], py[i - 2 * e]
        else:
            v = offsets[i >> 1] if i & 1 == 0 else offsets[(i >> 1) + 1] - 1
            xi, yi = x[v], y[v]
        column, row = np.int64(np.floor(xi / size)), np.int64(np.floor(yi / size))
        home = ((row & mask) << bits) | (column & mask)
        k = np.int64(head[home])
        while k >= 0 and not (spot[2 * k] == xi and spot[2 * k + 1] == yi):
            k = np.int64(following[k])
        if k >= 0:
            which[i] = k
            continue
        c0, c1 = np.int64(np.floor((xi - tolerance) / size)), np.int64(np.floor((xi + tolerance) / size))
        r0, r1 = np.int64(np.floor((yi - tolerance) / size)), np.int64(np.floor((yi + tolerance) / size))
        for c in range(c0, c1 + 1):
            for r in range(r0, r1 + 1):
                k = np.int64(head[((r & mask) << bits) | (c & mask)])
                while k >= 0:
                    dx, dy = spot[2 * k] - xi, spot[2 * k + 1] - yi
                    if abs(dx) <= near and abs(dy) <= near and np.hypot(dx, dy) <= tolerance + 1e-9:
                        if pairs < capacity:
                            a[pairs], b[pairs] = k, found
                        pairs += 1
                    k = np.int64(following[k])
        spot[2 * found], spot[2 * found + 1] = xi, yi
        which[i], following[found] = found, head[home]
        head[home] = found
        found += 1
    counts[0], counts[1] = found, pairs
    return 0


@loop("i8* i8* i8 i8 i8*! i8*! i8*! i8*!")
def _labelled(which: Any, label: Any, e: Any, p: Any, start: Any, end: Any, point: Any, closed: Any) -> int:
    n = 0
    for k in range(e):
        start[k], end[k] = label[which[2 * k]], label[which[2 * k + 1]]
        if start[k] == end[k]:
            closed[n] = k
            n += 1
    for k in range(p):
        point[k] = label[which[2 * e + k]]
    return n


@loop("i8* i8* u1* u1* u1* i8 f8 f8 f8*!")
def _reaches(start: Any, end: Any, usable: Any, first: Any, last: Any, m: Any, snap: Any, near: Any, reach: Any) -> int:
    for k in range(m):
        if usable[k]:
            p, q = start[k], end[k]
            reach[p] = max(reach[p], near if first[k] else snap)
            reach[q] = max(reach[q], near if last[k] else snap)
    return 0


@loop("f8* f8* f8* i4* i4* i8 f8 f8 f8* f8* i8* u1* i8* i8* i8 i8*! i8*! i8*! f8*! f8*! i8")
def _near(
    px: Any, py: Any, reach: Any, begin: Any, order: Any, bits: Any, size: Any, far: Any,
    x: Any, y: Any, offsets: Any, usable: Any, a: Any, b: Any, m: Any,
    out_point: Any, out_string: Any, out_seg: Any, out_d: Any, out_t: Any, capacity: Any,
) -> int:  # fmt: skip
    mask, n, wide = (1 << bits) - 1, 0, (far + 1e-6) ** 2
    for string in range(m):
        if usable[string] == 0:
            continue
        for v in range(offsets[string], offsets[string + 1] - 1):
            x0, y0 = x[v], y[v]
            dx, dy = x[v + 1] - x0, y[v + 1] - y0
            square = dx * dx + dy * dy
            beside, beyond = wide * square, np.sqrt(wide * square)
            pieces = max(np.int64(1), np.int64(np.ceil(np.sqrt(square) / (4 * size))))
            for k in range(pieces):
                xa, ya = x0 + dx * k / pieces, y0 + dy * k / pieces
                xb, yb = x0 + dx * (k + 1) / pieces, y0 + dy * (k + 1) / pieces
                c0, c1 = np.int64(np.floor((min(xa, xb) - far) / size)), np.int64(np.floor((max(xa, xb) + far) / size))
                r0, r1 = np.int64(np.floor((min(ya, yb) - far) / size)), np.int64(np.floor((max(ya, yb) + far) / size))
                for r in range(r0, r1 + 1):
                    for c in range(c0, c1 + 1):
                        h = ((r & mask) << bits) | (c & mask)
                        for place in range(begin[h], begin[h + 1]):
                            p = np.int64(order[place])
                            ex, ey = px[p] - x0, py[p] - y0
                            if (ex * dy - ey * dx) ** 2 > beside:  # too far from the endless line already
                                continue
                            along = ex * dx + ey * dy
                            if along < -beyond or along > square + beyond:
                                continue
                            if p == a[string] or p == b[string]:
                                continue
                            t = 0.0
                            if square > 0:
                                t = min(1.0, max(0.0, along / square))
                            d = np.hypot(ex - t * dx, ey - t * dy)
                            if d <= reach[p]:
                                if n < capacity:
                                    out_point[n], out_string[n], out_seg[n], out_d[n], out_t[n] = p, string, v, d, t
                                n += 1
    return n


@loop("f8* i8 f8* f8* i8* f8* f8* i8* i8* f8 f8 i8 i4* i8* f8* i8* i8 f8 i8*! i8*! f8*! i8")
def _strings_around(
    box: Any, shapes: Any, corner_x: Any, corner_y: Any, corners: Any, x: Any, y: Any, first: Any, last: Any, far: Any,
    size: Any, bits: Any, begin: Any, order: Any, half: Any, long: Any, long_n: Any, widest: Any,
    out_shape: Any, out_string: Any, out_least: Any, capacity: Any,
) -> int:  # fmt: skip
    mask, n = (1 << bits) - 1, 0
    for i in range(shapes):
        west, south, east, north = box[4 * i], box[4 * i + 1], box[4 * i + 2], box[4 * i + 3]
        begun, best = n, far
        c0, c1 = np.int64(np.floor(west / size)), np.int64(np.floor(east / size))
        r0, r1 = np.int64(np.floor(south / size)), np.int64(np.floor(north / size))
        ring = -1
        while ring < 0 or (ring - 1) * size - widest <= best:
            for r in range(r0 - max(ring, 0), r1 + max(ring, 0) + 1):
                inner = ring > 0 and r0 - ring < r < r1 + ring
                step = c1 - c0 + 2 * ring if inner else 1
                for c in range(c0 - max(ring, 0), c1 + max(ring, 0) + 1, max(step, 1)):
                    h = ((r & mask) << bits) | (c & mask)
                    from_, to = np.int64(begin[h]), np.int64(begin[h + 1])
                    if ring < 0:  # once for each shape: the long ones
                        from_, to = np.int64(0), long_n
                    for place in range(from_, to):
                        k = long[place] if ring < 0 else order[place]
                        least, most = np.inf, np.inf
                        for v in range(first[k], last[k]):
                            x0, x1, y0, y1 = x[v], x[v + 1], y[v], y[v + 1]
                            gap_x = max(west - max(x0, x1), min(x0, x1) - east, 0.0)
                            gap_y = max(south - max(y0, y1), min(y0, y1) - north, 0.0)
                            gap = np.hypot(gap_x, gap_y)
                            least = min(least, gap)
                            if gap > best:
                                continue
                            dx, dy = x1 - x0, y1 - y0
                            square = dx * dx + dy * dy
                            for q in range(corners[i], corners[i + 1]):
                                ex, ey = corner_x[q] - x0, corner_y[q] - y0
                                t = 0.0
                                if square > 0:
                                    t = min(1.0, max(0.0, (ex * dx + ey * dy) / square))
                                most = min(most, np.hypot(ex - t * dx, ey - t * dy))
                        if least > best + 1e-5:
                            continue
                        best = min(best, most)
                        if n == capacity:
                            return -1
                        out_shape[n], out_string[n], out_least[n] = i, k, least
                        n += 1
                    if ring < 0:
                        break
                if ring < 0:
                    break
            ring += 1
        kept = begun
        for m in range(begun, n):  # what was taken before the best was known
            if out_least[m] <= best + 1e-5:
                out_string[kept] = out_string[m]
                kept += 1
        n = kept
    return n


@loop("f8* f8* i8 u1* f8 i8 u1*!")
def _in_marked_cells(x: Any, y: Any, n: Any, marked: Any, size: Any, bits: Any, out: Any) -> int:
    mix, shift = np.uint64(0x9E3779B97F4A7C15), np.uint64(64 - bits)
    for i in range(n):
        key = np.uint64(np.int64(np.floor(x[i] / size))) * mix
        key ^= np.uint64(np.int64(np.floor(y[i] / size))) * np.uint64(0xC2B2AE3D27D4EB4F)
        key ^= key >> np.uint64(29)
        out[i] = marked[np.int64((key * mix) >> shift)]
    return 0


def sorted_into_cells(x: Any, y: Any, size: float, bits: int, wanted: Any = None) -> tuple[Any, Any]:
    """Sort points by the cells of a square grid wrapped onto 2**bits cells a side; only those wanted.

    Returns
    -------
    tuple of ndarray
        Where each cell begins in the order, and the order.
    """
    n = len(x)
    wanted = np.ones(n, bool) if wanted is None else wanted
    begin, order = np.zeros((1 << 2 * bits) + 1, np.int32), np.empty(n, np.int32)
    total = _sorted_into_cells(x, y, wanted, n, size, bits, np.empty(n, np.int32), begin, order)
    return begin, order[:total]


def join_ends(x: Any, y: Any, offsets: Any, px: Any, py: Any, tolerance: float) -> tuple[Any, Any, Any, Any, Any]:
    """Merge equal ends of strings and further points, and pair those within a tolerance, in one pass over a grid.

    Returns
    -------
    tuple of ndarray
        Distinct point of each end (first and last of a string side by side) and of each further point; x and y of the
        distinct points; the pairs of distinct points.
    """
    e, n = len(offsets) - 1, 2 * (len(offsets) - 1) + len(px)
    size, bits = max(8.0, 4 * tolerance), max(4, (n.bit_length() + 1) // 2)
    which, spot, following = np.empty(n, np.int64), np.empty((n, 2)), np.empty(n, np.int32)
    capacity = n // 4 + 1024
    while True:
        head, counts = np.full(1 << 2 * bits, -1, np.int32), np.zeros(2, np.int64)
        a, b = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
        _join_ends(
            x,
            y,
            offsets,
            e,
            px,
            py,
            len(px),
            tolerance,
            size,
            bits,
            head,
            following,
            spot,
            which,
            a,
            b,
            capacity,
            counts,
        )
        found, pairs = counts.tolist()
        if pairs <= capacity:
            return which, spot[:found, 0].copy(), spot[:found, 1].copy(), a[:pairs], b[:pairs]
        capacity = pairs


def labelled(which: Any, label: Any, strings: int) -> tuple[Any, Any, Any, Any]:
    """Return the label at the first and last end of each string and at each further point, and the strings that are closed."""
    points = len(which) - 2 * strings
    start, end, point, closed = (np.empty(n, np.int64) for n in (strings, strings, points, strings))
    return start, end, point, closed[: _labelled(which, label, strings, points, start, end, point, closed)]


def reaches(start: Any, end: Any, usable: Any, first: Any, last: Any, snap: float, near: float, reach: Any) -> None:
    """Raise each node's reach to ``snap`` where a usable string ends, to ``near`` where one ends loose."""
    _reaches(start, end, usable, first, last, len(start), snap, near, reach)


def points_near_segments(
    px: Any,
    py: Any,
    reach: Any,
    bits: int,
    size: float,
    far: float,
    x: Any,
    y: Any,
    offsets: Any,
    usable: Any,
    a: Any,
    b: Any,
) -> tuple[Any, Any, Any, Any, Any]:
    """Stream segments past a grid of points; as `mapapp.core.geometry.points_near_lines` does in numpy.

    Returns
    -------
    tuple of ndarray
        Point, string, first vertex of the segment, distance in metres, share of the segment. A pair may stand there
        twice.
    """
    begin, order = sorted_into_cells(px, py, size, bits, reach >= 0)
    m, capacity = len(offsets) - 1, (len(offsets) + len(px)) // 8 + 1024
    while True:
        point, string, seg = (np.empty(capacity, np.int64) for _ in range(3))
        d, t = np.empty(capacity), np.empty(capacity)
        n = _near(
            px,
            py,
            reach,
            begin,
            order,
            bits,
            size,
            far,
            x,
            y,
            offsets,
            usable,
            a,
            b,
            m,
            point,
            string,
            seg,
            d,
            t,
            capacity,
        )
        if n <= capacity:
            return point[:n], string[:n], seg[:n], d[:n], t[:n]
        capacity = n


def strings_around(
    box: Any, corner_x: Any, corner_y: Any, corners: Any, x: Any, y: Any, first: Any, last: Any, far: float, size: float,
    bits: int, begin: Any, order: Any, half: Any, long: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """Find the strings that may be the nearest to each of some shapes.

    Parameters
    ----------
    box : ndarray of float, shape (k, 4)
        Bounds of each shape; its corners are ``corner_x[corners[i]:corners[i + 1]]`` and so on.
    x, y, first, last : ndarray
        Vertices in metres, and each string's first and last vertex.
    far : float
        Look no farther than this.
    size, bits, begin, order : see `sorted_into_cells`
        A grid of the middles between the ends of the strings.
    half : ndarray of float
        Half the length of each string; those in ``long`` are looked at for every shape and do not stand in the grid.

    Returns
    -------
    tuple of ndarray
        Place of the shape and string, sorted by shape. The nearest string in reach, and all as near as that, are there.
    """
    widest, capacity = float(half[order].max(initial=0.0)), 64 * len(box) + 1024
    while True:
        shape, string, least = np.empty(capacity, np.int64), np.empty(capacity, np.int64), np.empty(capacity)
        n = _strings_around(
            box, len(box), corner_x, corner_y, corners, x, y, first, last, far, size, bits, begin, order, half, long, len(long),
            widest, shape, string, least, capacity,
        )  # fmt: skip
        if n >= 0:
            return shape[:n], string[:n]
        capacity *= 4


def in_marked_cells(x: Any, y: Any, marked: Any, size: float, bits: int) -> Any:
    """Return which points fall into marked cells of a grid that is hashed as `mapapp.core.geometry.cell_slot` does."""
    out = np.empty(len(x), bool)
    _in_marked_cells(x, y, len(x), marked, size, bits, out)
    return out
