"""This module bounds the bottleneck Steiner distance between nodes from their nearest terminals.

The bottleneck distance of two nodes is the longest step that cannot be avoided on a walk between them that may rest at
terminals. An edge dearer than it is in no optimal tree (Duin and Volgenant 1989; Polzin and Vahdati Daneshmand,
Discrete Applied Mathematics 112 (2001), DOI 10.1016/S0166-218X(00)00318-8).
"""

from __future__ import annotations

import numpy as np

from mapapp.plan.steiner.heap import find, pop, push
from mapapp.plan.steiner.kernel import Array, kernel

NEAR = 4
"""How many nearest terminals each node keeps."""


@kernel
def nearest(ptr: Array, adj: Array, eid: Array, w: Array, terminal: Array, base: Array, dist: Array) -> None:
    """Fill ``base`` and ``dist`` (flat, ``NEAR`` per node, in order of distance) with the nearest terminals.

    Paths do not run through other terminals. Missing entries are -1 and infinite.
    """
    n = len(ptr) - 1
    base[:] = -1
    dist[:] = np.inf
    heap = np.empty(n * NEAR, np.int64)
    pos = np.full(n * NEAR, -1, np.int64)
    settled = np.zeros(n, np.int64)
    size = 0
    for t in range(n):
        if terminal[t]:
            base[t * NEAR] = t
            dist[t * NEAR] = 0.0
            size = push(heap, pos, dist, size, t * NEAR)
    while size > 0:
        item = heap[0]
        size = pop(heap, pos, dist, size)
        x = item // NEAR
        b = base[item]
        d = dist[item]
        # settled labels stand first: swap the item into the next settled place
        k = x * NEAR + settled[x]
        if k != item:
            ob, od = base[k], dist[k]
            if pos[k] >= 0:
                i = pos[k]
                heap[i] = item
                pos[item] = i
                pos[k] = -1
            base[item], dist[item] = ob, od
            base[k], dist[k] = b, d
        settled[x] += 1
        if terminal[x] and b != x:
            continue
        for s in range(ptr[x], ptr[x + 1]):
            y = adj[s]
            t = d + w[eid[s]]
            slot = -1
            worst = -1
            known = False
            for j in range(y * NEAR, y * NEAR + NEAR):
                if base[j] == b:
                    known = True
                    if t < dist[j] and pos[j] >= 0:
                        slot = j
                    break
                if base[j] < 0:
                    slot = j
                    break
                if pos[j] >= 0 and (worst < 0 or dist[j] > dist[worst]):
                    worst = j
            if slot < 0 and not known and worst >= 0 and t < dist[worst]:
                slot = worst
                # the label in the heap is replaced by a nearer one: its key falls
            if slot >= 0:
                base[slot] = b
                dist[slot] = t
                size = push(heap, pos, dist, size, slot)


@kernel
def terminal_tree(order: Array, u: Array, v: Array, length: Array, base: Array, parent: Array, step: Array) -> None:
    """Build the bottleneck tree over terminals by joining along ``order`` (edges by ``length`` ascending).

    ``parent``/``step``: union by size without compression, so the bottleneck of two terminals is the largest step on
    their short way to each other.
    """
    n = len(parent)
    rank = np.ones(n, np.int64)
    for x in range(n):
        parent[x] = x
        step[x] = np.inf
    for e in order:
        a, b = base[u[e] * NEAR], base[v[e] * NEAR]
        if a < 0 or b < 0 or a == b:
            continue
        while parent[a] != a:
            a = parent[a]
        while parent[b] != b:
            b = parent[b]
        if a == b:
            continue
        if rank[a] > rank[b]:
            a, b = b, a
        parent[a] = b
        step[a] = length[e]
        rank[b] += rank[a]


@kernel
def between(a: int, b: int, parent: Array, step: Array) -> float:
    """Return the bottleneck distance of two terminals; steps grow towards the root of the tree."""
    worst = 0.0
    while a != b:
        if step[a] <= step[b]:
            worst = max(worst, step[a])
            if parent[a] == a:
                return np.inf
            a = parent[a]
        else:
            worst = max(worst, step[b])
            b = parent[b]
    return worst


@kernel
def bound(x: int, y: int, limit: float, base: Array, dist: Array, parent: Array, step: Array) -> float:
    """Return an upper bound of the bottleneck Steiner distance of ``x`` and ``y``; stops once below ``limit``."""
    best = float(np.inf)
    for i in range(x * NEAR, x * NEAR + NEAR):
        if base[i] < 0 or dist[i] >= best:
            break
        for j in range(y * NEAR, y * NEAR + NEAR):
            if base[j] < 0 or dist[j] >= best:
                break
            d = max(dist[i], dist[j])
            if base[i] != base[j]:
                d = max(d, between(base[i], base[j], parent, step))
            if d < best:
                best = float(d)
                if best < limit:
                    return best
    return best


@kernel
def dearer(u: Array, v: Array, w: Array, base: Array, dist: Array, parent: Array, step: Array, out: Array) -> None:
    """Mark edges that are dearer than the bottleneck distance of their ends."""
    for e in range(len(u)):
        out[e] = bound(u[e], v[e], w[e], base, dist, parent, step) < w[e]


@kernel
def detours(
    order: Array, ptr: Array, adj: Array, eid: Array, u: Array, v: Array, w: Array, reach: int, alive: Array
) -> None:
    """Delete from ``alive``, one after the other along ``order``, edges with a way round that is no longer."""
    n = len(ptr) - 1
    dist = np.full(n, np.inf)
    heap = np.empty(n, np.int64)
    pos = np.full(n, -1, np.int64)
    seen = np.empty(n, np.int64)
    for e in order:
        goal = v[e]
        limit = w[e]
        dist[u[e]] = 0.0
        seen[0] = u[e]
        count = 1
        size = push(heap, pos, dist, 0, u[e])
        steps = 0
        found = False
        while size > 0 and steps < reach and not found:
            x = heap[0]
            size = pop(heap, pos, dist, size)
            steps += ptr[x + 1] - ptr[x]
            for s in range(ptr[x], ptr[x + 1]):
                f = eid[s]
                if f == e or not alive[f]:
                    continue
                t = dist[x] + w[f]
                y = adj[s]
                if t <= limit and t < dist[y]:
                    if y == goal:
                        found = True
                        break
                    if dist[y] == np.inf:
                        seen[count] = y
                        count += 1
                    dist[y] = t
                    size = push(heap, pos, dist, size, y)
        if found:
            alive[e] = False
        for i in range(size):
            pos[heap[i]] = -1
        for i in range(count):
            dist[seen[i]] = np.inf


__all__ = ["NEAR", "bound", "dearer", "detours", "find", "nearest", "terminal_tree"]
