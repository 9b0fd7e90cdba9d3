"""This module holds the few loops that are compiled, for networks so large that loading the compiler pays.

Import it only where the data is large: loading numba takes about two seconds, whatever it then does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def sorted_into_cells(x: Any, y: Any, size: float, bits: int) -> Any:
    """Sort points by the cells of a square grid wrapped onto 2**bits cells a side.

    Returns
    -------
    tuple of ndarray
        Where each cell begins in the order, and the order.
    """
    n, mask = len(x), (1 << bits) - 1
    cell, begin, order = np.empty(n, np.int32), np.zeros((1 << 2 * bits) + 1, np.int32), np.empty(n, np.int32)
    for i in range(n):
        h = ((int(np.floor(y[i] / size)) & mask) << bits) | (int(np.floor(x[i] / size)) & mask)
        cell[i] = h
        begin[h + 1] += 1
    for h in range(1 << 2 * bits):
        begin[h + 1] += begin[h]
    for i in range(n - 1, -1, -1):  # each cell's count serves as its cursor, and ends where the cell begins
        h = cell[i] + 1
        begin[h] -= 1
        order[begin[h]] = i
    for h in range(1 << 2 * bits):
        begin[h] = begin[h + 1]
    begin[1 << 2 * bits] = n
    return begin, order


@njit(cache=True)
def _near(
    px: Any, py: Any, reach: Any, ids: Any, begin: Any, order: Any, bits: int, size: float, far: float,
    x: Any, y: Any, offsets: Any, a: Any, b: Any,
) -> Any:  # fmt: skip
    capacity, n, mask = 1024, 0, (1 << bits) - 1
    out_point, out_seg = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    out_string = np.empty(capacity, np.int64)
    out_d, out_t = np.empty(capacity), np.empty(capacity)
    wide = (far + 1e-6) ** 2
    sx, sy = px[order], py[order]
    for string in range(len(offsets) - 1):
        for v in range(offsets[string], offsets[string + 1] - 1):
            x0, y0, dx, dy = x[v], y[v], x[v + 1] - x[v], y[v + 1] - y[v]
            square = dx * dx + dy * dy
            beside, beyond = wide * square, np.sqrt(wide * square)
            pieces = max(1, int(np.ceil(np.sqrt(square) / (4 * size))))
            for k in range(pieces):
                xa, ya = x0 + dx * k / pieces, y0 + dy * k / pieces
                xb, yb = x0 + dx * (k + 1) / pieces, y0 + dy * (k + 1) / pieces
                c0, c1 = int(np.floor((min(xa, xb) - far) / size)), int(np.floor((max(xa, xb) + far) / size))
                r0, r1 = int(np.floor((min(ya, yb) - far) / size)), int(np.floor((max(ya, yb) + far) / size))
                for c in range(c0, c1 + 1):
                    for r in range(r0, r1 + 1):
                        h = ((r & mask) << bits) | (c & mask)
                        for place in range(begin[h], begin[h + 1]):
                            ex, ey = sx[place] - x0, sy[place] - y0
                            if (ex * dy - ey * dx) ** 2 > beside:  # too far from the endless line already
                                continue
                            along = ex * dx + ey * dy
                            if along < -beyond or along > square + beyond:
                                continue
                            p = order[place]
                            if ids[p] == a[string] or ids[p] == b[string]:
                                continue
                            t = 0.0
                            if square > 0:
                                t = min(1.0, max(0.0, along / square))
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
    px: Any, py: Any, reach: Any, ids: Any, bits: int, size: float, far: float,
    x: Any, y: Any, offsets: Any, a: Any, b: Any,
) -> tuple[Any, Any, Any, Any, Any]:  # fmt: skip
    """Stream segments past a grid of points; as `mapapp.core.geometry.points_near_lines` does in numpy.

    Returns
    -------
    tuple of ndarray
        Point, string, first vertex of the segment, distance in metres, share of the segment. A pair may stand there
        twice.
    """
    begin, order = sorted_into_cells(px, py, size, bits)
    found: tuple[Any, Any, Any, Any, Any] = _near(
        px, py, reach, ids, begin, order, bits, size, far, x, y, offsets,
        np.ascontiguousarray(a), np.ascontiguousarray(b),
    )  # fmt: skip
    return found


@njit(cache=True)
def strings_around(
    box: Any, corner_x: Any, corner_y: Any, corners: Any, x: Any, y: Any, first: Any, last: Any, far: float, size: float,
    bits: int, begin: Any, order: Any, half: Any, long: Any,
) -> Any:  # fmt: skip
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
    mask, capacity, n = (1 << bits) - 1, 1024, 0
    out_shape, out_string, out_least = np.empty(capacity, np.int64), np.empty(capacity, np.int64), np.empty(capacity)
    widest = 0.0
    for k in order:
        widest = max(widest, half[k])
    for i in range(len(box)):
        begun, best = n, far
        c0, c1 = int(np.floor(box[i, 0] / size)), int(np.floor(box[i, 2] / size))
        r0, r1 = int(np.floor(box[i, 1] / size)), int(np.floor(box[i, 3] / size))
        ring = -1
        while ring < 0 or (ring - 1) * size - widest <= best:
            for r in range(r0 - max(ring, 0), r1 + max(ring, 0) + 1):
                inner = ring > 0 and r0 - ring < r < r1 + ring
                step = c1 - c0 + 2 * ring if inner else 1
                for c in range(c0 - max(ring, 0), c1 + max(ring, 0) + 1, max(step, 1)):
                    h = ((r & mask) << bits) | (c & mask)
                    from_, to = begin[h], begin[h + 1]
                    if ring < 0:  # once for each shape: the long ones
                        from_, to = 0, len(long)
                    for place in range(from_, to):
                        k = long[place] if ring < 0 else order[place]
                        least, most = np.inf, np.inf
                        for v in range(first[k], last[k]):
                            x0, x1, y0, y1 = x[v], x[v + 1], y[v], y[v + 1]
                            gap_x = max(box[i, 0] - max(x0, x1), min(x0, x1) - box[i, 2], 0.0)
                            gap_y = max(box[i, 1] - max(y0, y1), min(y0, y1) - box[i, 3], 0.0)
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
                            capacity *= 2
                            out_shape, out_string = _grown(out_shape, capacity), _grown(out_string, capacity)
                            out_least = _grown(out_least, capacity)
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
    return out_shape[:n], out_string[:n]


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
    near = tolerance + 1e-8
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
                    if (
                        abs(x[first[k]] - x[i]) <= near
                        and np.hypot(x[first[k]] - x[i], y[first[k]] - y[i]) <= tolerance + 1e-9
                    ):
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


@njit(cache=True)
def plain_wkb(data: Any, u4: Any, start: Any, size: Any, valid: Any) -> Any:
    """Find the records that are one string of vertices in little-endian order, with or without Z and M.

    Returns
    -------
    tuple of ndarray
        Per record the byte where its vertices begin (-1 where it is anything else), their number, and bytes per vertex.
    """
    n = len(start)
    head, count, stride = np.full(n, -1, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    for i in range(n):
        at = start[i]
        if not valid[i] or size[i] < 9 or data[at] != 1:
            continue
        code, vertices, skip = u4[at + 1], np.int64(u4[at + 5]), 9
        if code >= 4000:
            continue
        dims = 2 + (code >= 3000) + (code >= 1000)
        kind = code % 1000
        if kind == 5 and vertices == 1 and size[i] >= 18:
            vertices, skip = np.int64(u4[at + 14]), 18
        elif kind != 2:
            continue
        if vertices >= 2 and size[i] == skip + vertices * 8 * dims:
            head[i], count[i], stride[i] = at + skip, vertices, 8 * dims
    return head, count, stride


@njit(cache=True)
def vertices_of(f8: Any, head: Any, count: Any, stride: Any, rows: Any) -> Any:
    """Return x, y and offsets of the records found by `plain_wkb`; ``f8`` is the bytes seen as numbers from every byte on."""
    offsets = np.zeros(len(rows) + 1, np.int64)
    for k in range(len(rows)):
        offsets[k + 1] = offsets[k] + count[rows[k]]
    x, y = np.empty(offsets[-1]), np.empty(offsets[-1])
    for k in range(len(rows)):
        at, step = head[rows[k]], stride[rows[k]]
        for v in range(offsets[k], offsets[k + 1]):
            x[v], y[v] = f8[at], f8[at + 8]
            at += step
    return x, y, offsets


@njit(cache=True)
def alone(start: Any, end: Any, system: Any, usable: Any, n: int) -> Any:
    """Return which strings meet no other of their system at their first and at their last vertex.

    ``system`` is a bit mask up to 4 per string: those that share a bit meet.
    """
    degree = np.zeros((n, 5), np.int32)
    there = np.zeros(5, np.bool_)
    for k in range(len(start)):
        if usable[k]:
            there[system[k]] = True
    for k in range(len(start)):
        if usable[k]:
            for mask in range(5):
                if there[mask] and (system[k] & mask) != 0:
                    degree[start[k], mask] += 1
                    degree[end[k], mask] += 1
    first, last = np.zeros(len(start), np.bool_), np.zeros(len(start), np.bool_)
    for k in range(len(start)):
        if usable[k]:
            first[k], last[k] = degree[start[k], system[k]] == 1, degree[end[k], system[k]] == 1
    return first, last


@njit(cache=True)
def in_marked_cells(x: Any, y: Any, marked: Any, size: float, bits: int) -> Any:
    """Return which points fall into marked cells of a grid that is hashed as `mapapp.core.geometry.cell_slot` does."""
    out = np.empty(len(x), np.bool_)
    for i in range(len(x)):
        key = np.uint64(np.int64(np.floor(x[i] / size))) * np.uint64(0x9E3779B97F4A7C15)
        key ^= np.uint64(np.int64(np.floor(y[i] / size))) * np.uint64(0xC2B2AE3D27D4EB4F)
        key ^= key >> np.uint64(29)
        out[i] = marked[(key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - bits)]
    return out


@njit(cache=True)
def middles(label: Any, x: Any, y: Any, n: int) -> Any:
    """Return the mean place of the points of each of n clusters, summed from one of them so that no digit is lost."""
    out_x, out_y, count = np.empty(n), np.empty(n), np.zeros(n, np.int32)
    sum_x, sum_y = np.zeros(n), np.zeros(n)
    for i in range(len(label)):
        out_x[label[i]], out_y[label[i]] = x[i], y[i]
        count[label[i]] += 1
    for i in range(len(label)):
        k = label[i]
        if count[k] > 1:
            sum_x[k] += x[i] - out_x[k]
            sum_y[k] += y[i] - out_y[k]
    for k in range(n):
        if count[k] > 1:
            out_x[k] += sum_x[k] / count[k]
            out_y[k] += sum_y[k] / count[k]
    return out_x, out_y


@njit(cache=True)
def all_distinct(eight: Any, at: Any) -> bool:
    """Whether short texts are all different, by a table of mixed bytes; False when two mixes are equal.

    ``eight`` is the bytes seen as 64-bit numbers from every byte on, with 16 spare ones behind; text i is the bytes
    ``at[i]:at[i + 1]``, at most 16.
    """
    n, bits = len(at) - 1, 4
    while (1 << bits) < 2 * n:
        bits += 1
    table, shift = np.zeros(1 << bits, np.uint64), np.uint64(64 - bits)
    mask = np.int64((1 << bits) - 1)
    for i in range(n):
        size = at[i + 1] - at[i]
        low, high = np.uint64(0), np.uint64(size + 1) << np.uint64(58)
        if size >= 8:
            low = eight[at[i]]
        elif size > 0:
            low = eight[at[i]] & ((np.uint64(1) << np.uint64(8 * size)) - np.uint64(1))
        if size >= 16:
            high ^= eight[at[i] + 8]
        elif size > 8:
            high ^= eight[at[i] + 8] & ((np.uint64(1) << np.uint64(8 * (size - 8))) - np.uint64(1))
        key = (low ^ (low >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
        key ^= (high ^ (high >> np.uint64(29))) * np.uint64(0xC2B2AE3D27D4EB4F)
        key ^= key >> np.uint64(32)
        key = key * np.uint64(0x9E3779B97F4A7C15) | np.uint64(1)  # zero stands for an empty place
        place = np.int64(key >> shift)
        while table[place] != 0:
            if table[place] == key:
                return False
            place = (place + 1) & mask
        table[place] = key
    return True


@njit(cache=True)
def lengths(x: Any, y: Any, offsets: Any) -> Any:
    """Return the length of each string of vertices: the first step and the sum of the others, as numpy adds them up."""
    out = np.empty(len(offsets) - 1)
    for k in range(len(out)):
        rest = 0.0
        for v in range(offsets[k] + 1, offsets[k + 1] - 1):
            rest += np.hypot(x[v + 1] - x[v], y[v + 1] - y[v])
        v = offsets[k]
        out[k] = np.hypot(x[v + 1] - x[v], y[v + 1] - y[v]) + rest
    return out


@njit(cache=True)
def taken(x: Any, y: Any, offsets: Any, strings: Any) -> Any:
    """Return x, y and offsets of some strings of vertices, in the order given."""
    begin = np.zeros(len(strings) + 1, np.int64)
    for k in range(len(strings)):
        begin[k + 1] = begin[k] + offsets[strings[k] + 1] - offsets[strings[k]]
    out_x, out_y = np.empty(begin[-1]), np.empty(begin[-1])
    for k in range(len(strings)):
        shift = offsets[strings[k]] - begin[k]
        for v in range(begin[k], begin[k + 1]):
            out_x[v], out_y[v] = x[v + shift], y[v + shift]
    return out_x, out_y, begin
