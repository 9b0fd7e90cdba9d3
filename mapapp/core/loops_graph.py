"""This module holds the compiled loops over nodes and the links between them; arrays in, arrays filled."""

from __future__ import annotations

from typing import Any

import numpy as np

from mapapp.core.machine import loop


@loop("i8* i8* f8* f8* f8* f8* f8* u1* i8 i8* f8* f8* f8 f8 u1*!")
def _beside_ground(
    a: Any, b: Any, level_a: Any, level_b: Any, depth_a: Any, depth_b: Any, size: Any, usable: Any, m: Any, manhole: Any,
    ground: Any, well: Any, apart: Any, cover: Any, out: Any,
) -> int:  # fmt: skip
    for k in range(m):
        out[k] = 0
        if usable[k] == 0:
            continue
        wide = size[k] if size[k] == size[k] else 0.0
        for end in range(2):
            node = a[k] if end == 0 else b[k]
            level, depth = (level_a[k], depth_a[k]) if end == 0 else (level_b[k], depth_b[k])
            top, bottom = np.nan, np.nan
            if manhole[node] >= 0:
                top, bottom = ground[manhole[node]], well[manhole[node]]
            off, over = top - level - depth, top - level
            if abs(off) > apart and abs(off - wide) > apart:
                out[k] = 1
            if top - bottom - level > apart or -over > apart:
                out[k] = 1
            if over != over:
                over = depth
            if over > 0 and over - wide < cover:
                out[k] = 1
    return 0


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


@loop("i8* i8* i1* u1* i8 i4*! i4*! u1*! i8")
def _same_ends(
    start: Any, end: Any, kind: Any, usable: Any, m: Any, newest: Any, older: Any, out: Any, most: Any
) -> int:
    for k in range(m):
        if usable[k]:
            low, high = min(start[k], end[k]), max(start[k], end[k])
            j, step = np.int64(newest[low]), 0
            while j >= 0:
                if max(start[j], end[j]) == high and kind[j] == kind[k]:
                    out[j] = out[k] = 1
                    break
                j = np.int64(older[j])
                step += 1
                if step > most:
                    return -1
            older[k] = newest[low]
            newest[low] = k
    return 0


@loop("i8* i8* i8* i1* i8 i4*! i4*! i4*!")
def _flow(string: Any, a: Any, b: Any, direction: Any, m: Any, into: Any, out: Any, degree: Any) -> int:
    for k in range(m):
        p, q, way = a[k], b[k], direction[string[k]]
        degree[p] += 1
        degree[q] += 1
        if way >= 0:
            out[p] += 1
            into[q] += 1
        if way <= 0:
            out[q] += 1
            into[p] += 1
    return 0


@loop("i8* i8* i8* i8 i8* i8* f8* f8* i1* i8* f8* i1* i8 f8 f8 f8*! f8*! f8*! u1*! u1*!")
def _steps(
    string: Any, a: Any, b: Any, m: Any, own_a: Any, own_b: Any, level_a: Any, level_b: Any, direction: Any, row: Any,
    size: Any, pressure: Any, n: Any, up: Any, down: Any, arrive: Any, leave: Any, lowest: Any, unsure: Any, out: Any,
) -> int:  # fmt: skip
    for turn in range(2):
        for k in range(m):
            i = string[k]
            if direction[i] == 0:
                continue
            at_a = level_a[i] if a[k] == own_a[i] else np.nan
            at_b = level_b[i] if b[k] == own_b[i] else np.nan
            top, foot, high, low = a[k], b[k], at_a, at_b
            if direction[i] < 0:
                top, foot, high, low = b[k], a[k], at_b, at_a
            gravity, wide = pressure[row[i]] == 0, size[row[i]]
            if turn == 0:
                if gravity and wide == wide:
                    arrive[foot] = max(arrive[foot], wide)
                    leave[top] = max(leave[top], wide)
                else:
                    leave[top] = np.inf
                if high != high or not gravity:
                    unsure[top] = 1
                if high == high:
                    lowest[top] = min(lowest[top], high)
            elif gravity and low == low and lowest[foot] < np.inf and unsure[foot] == 0:
                step = lowest[foot] - low
                if step > up or step < -down:
                    out[foot] = 1
    for i in range(n):
        if leave[i] > 0 and leave[i] < arrive[i] - 1.0:
            out[i] = 1
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


def same_ends(start: Any, end: Any, kind: Any, usable: Any, n: int) -> Any | None:
    """Return which usable strings join the same two nodes as another of their kind; None where too many meet at one node."""
    out, newest = np.zeros(len(start), bool), np.full(n, -1, np.int32)
    told = _same_ends(start, end, kind, usable, len(start), newest, np.empty(len(start), np.int32), out, 10_000)
    return None if told < 0 else out


def flow(string: Any, a: Any, b: Any, direction: Any, n: int) -> tuple[Any, Any, Any]:
    """Return how many links may arrive at and leave each node, and how many meet there."""
    into, out, degree = np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n, np.int32)
    _flow(string, a, b, direction, len(string), into, out, degree)
    return into, out, degree


def steps(
    link: tuple[Any, Any, Any], ends: tuple[Any, Any], levels: tuple[Any, Any], direction: Any, row: Any, size: Any,
    pressure: Any, unsure: Any, up: float, down: float,
) -> Any:  # fmt: skip
    """Return the nodes where all that leaves is smaller than what arrives, or a level steps ``up`` or ``down`` too far.

    ``unsure`` are nodes whose levels do not count; it is changed.
    """
    string, a, b = link
    n = len(unsure)
    arrive, leave, lowest, out = np.full(n, -1.0), np.full(n, -1.0), np.full(n, np.inf), np.zeros(n, bool)
    _steps(
        string,
        a,
        b,
        len(string),
        *ends,
        *levels,
        direction,
        row,
        size,
        pressure,
        n,
        up,
        down,
        arrive,
        leave,
        lowest,
        unsure,
        out,
    )
    return out


def beside_ground(
    ends: tuple[Any, Any], levels: tuple[Any, Any], depths: tuple[Any, Any], size: Any, usable: Any, manhole: Any, ground: Any,
    well: Any, apart: float, cover: float,
) -> Any:  # fmt: skip
    """Return the strings whose levels stand ``apart`` from ground, depth or well, or that lie under less than ``cover``."""
    out = np.empty(len(usable), bool)
    _beside_ground(*ends, *levels, *depths, size, usable, len(usable), manhole, ground, well, apart, cover, out)
    return out
