"""This module holds the compiled loops over nodes and the links between them; arrays in, arrays filled."""

from __future__ import annotations

from typing import Any

import numpy as np

from mapapp.core.machine import loop


@loop("i8 i8* i8* i8 i4*! i8*!")
def _components(n: Any, a: Any, b: Any, m: Any, parent: Any, out: Any) -> int:
    for i in range(n):
        parent[i] = i
    for k in range(m):
        p, q = a[k], b[k]
        while parent[p] != p:
            parent[p] = parent[parent[p]]
            p = np.int64(parent[p])
        while parent[q] != q:
            parent[q] = parent[parent[q]]
            q = np.int64(parent[q])
        if p < q:
            parent[q] = p
        elif q < p:
            parent[p] = q
    found = 0
    for i in range(n):
        p = np.int64(i)
        while parent[p] != p:
            parent[p] = parent[parent[p]]
            p = np.int64(parent[p])
        if p == i:
            out[i] = found
            found += 1
        else:
            out[i] = out[p]
    return found


@loop("i8* i8* i8 i8 u1*! i4*! i4*! i4*!")
def _drains_to(upper: Any, lower: Any, m: Any, n: Any, reached: Any, begin: Any, above: Any, queue: Any) -> int:
    for k in range(m):
        begin[lower[k]] += 1
    total = 0
    for i in range(n):
        total += begin[i]
        begin[i] = total
    begin[n] = total
    for k in range(m):  # each node's count serves as its cursor, and ends where its links begin
        begin[lower[k]] -= 1
        above[begin[lower[k]]] = upper[k]
    head, tail = 0, 0
    for i in range(n):
        if reached[i]:
            queue[tail] = i
            tail += 1
    while head < tail:
        node = np.int64(queue[head])
        head += 1
        for k in range(begin[node], begin[node + 1]):
            j = np.int64(above[k])
            if reached[j] == 0:
                reached[j] = 1
                queue[tail] = j
                tail += 1
    return tail


@loop("i8* i8* i1* u1* i8 u1*! u1*! u1*!")
def _alone(start: Any, end: Any, system: Any, usable: Any, m: Any, degree: Any, first: Any, last: Any) -> int:
    for k in range(m):
        if usable[k]:
            for mask in range(1, 4):
                if system[k] & mask:
                    p, q = 4 * start[k] + mask, 4 * end[k] + mask
                    if degree[p] < 2:
                        degree[p] += 1
                    if degree[q] < 2:
                        degree[q] += 1
    for k in range(m):
        first[k] = last[k] = 0
        if usable[k]:
            first[k], last[k] = degree[4 * start[k] + system[k]] == 1, degree[4 * end[k] + system[k]] == 1
    return 0


@loop("i8* f8* f8* i8 i8 f8*! f8*! i4*!")
def _middles(label: Any, x: Any, y: Any, m: Any, n: Any, out: Any, total: Any, count: Any) -> int:
    for i in range(m):
        k = label[i]
        out[2 * k], out[2 * k + 1] = x[i], y[i]
        count[k] += 1
    for i in range(m):
        k = label[i]
        if count[k] > 1:
            total[2 * k] += x[i] - out[2 * k]
            total[2 * k + 1] += y[i] - out[2 * k + 1]
    for k in range(n):
        if count[k] > 1:
            out[2 * k] += total[2 * k] / count[k]
            out[2 * k + 1] += total[2 * k + 1] / count[k]
    return 0


def components(n: int, a: Any, b: Any) -> Any:
    """Return the number of each node's connected piece: union-find with path halving."""
    out = np.empty(n, np.int64)
    _components(n, a, b, len(a), np.empty(n, np.int32), out)
    return out


def drains_to(upper: Any, lower: Any, reached: Any) -> None:
    """Mark in ``reached`` every node that sends water to a marked one."""
    n, m = len(reached), len(upper)
    begin, above, queue = np.zeros(n + 1, np.int32), np.empty(m, np.int32), np.empty(n, np.int32)
    _drains_to(upper, lower, m, n, reached, begin, above, queue)


def alone(start: Any, end: Any, system: Any, usable: Any, n: int) -> tuple[Any, Any]:
    """Return which strings meet no other of their system at their first and at their last vertex.

    ``system`` is a bit mask up to 3 per usable string: those that share a bit meet.
    """
    m = len(start)
    first, last = np.empty(m, bool), np.empty(m, bool)
    _alone(start, end, system, usable, m, np.zeros(4 * n, np.uint8), first, last)
    return first, last


def middles(label: Any, x: Any, y: Any, n: int) -> tuple[Any, Any]:
    """Return the mean place of the points of each of n clusters, summed from one of them so that no digit is lost."""
    out = np.empty((n, 2))
    _middles(label, x, y, len(label), n, out, np.zeros((n, 2)), np.zeros(n, np.int32))
    return out[:, 0].copy(), out[:, 1].copy()
