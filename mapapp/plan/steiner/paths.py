"""This module builds trees: repeated shortest paths, spanning tree of the nodes found, pruning."""

from __future__ import annotations

import numpy as np

from mapapp.plan.steiner.heap import pop, push
from mapapp.plan.steiner.kernel import Array, kernel


@kernel
def grow(start: int, ptr: Array, adj: Array, eid: Array, cost: Array, terminal: Array, intree: Array) -> int:
    """Mark in ``intree`` the nodes of a tree grown from ``start`` to the next terminal again and again.

    Edges of infinite cost are not there. Returns how many terminals were reached (Takahashi and Matsuyama 1980).
    """
    n = len(ptr) - 1
    dist = np.full(n, np.inf)
    pred = np.full(n, -1, np.int64)
    heap = np.empty(n, np.int64)
    pos = np.full(n, -1, np.int64)
    intree[:] = False
    intree[start] = True
    dist[start] = 0.0
    size = push(heap, pos, dist, 0, start)
    reached = 1 if terminal[start] else 0
    want = 0
    for x in range(n):
        if terminal[x]:
            want += 1
    while size > 0 and reached < want:
        x = heap[0]
        size = pop(heap, pos, dist, size)
        if terminal[x] and not intree[x]:
            reached += 1
            y = x
            while not intree[y]:
                intree[y] = True
                if y != x:
                    dist[y] = 0.0
                    size = push(heap, pos, dist, size, y)
                y = pred[y]
            dist[x] = 0.0
        d = dist[x]
        for s in range(ptr[x], ptr[x + 1]):
            y = adj[s]
            t = d + cost[eid[s]]
            if t < dist[y]:
                dist[y] = t
                pred[y] = x
                size = push(heap, pos, dist, size, y)
    return reached


@kernel
def span(
    start: int, ptr: Array, adj: Array, eid: Array, cost: Array, terminal: Array, intree: Array, par: Array, pare: Array
) -> float:
    """Replace ``intree`` by the pruned minimum spanning tree of its nodes, rooted at ``start``; return its cost.

    ``par`` and ``pare`` receive parent node and parent edge (-1 at the root, -2 outside). Prim, then leaves that are no
    terminals fall, youngest first. Infinite when the nodes do not hold together.
    """
    n = len(ptr) - 1
    key = np.full(n, np.inf)
    heap = np.empty(n, np.int64)
    pos = np.full(n, -1, np.int64)
    order = np.empty(n, np.int64)
    done = np.zeros(n, np.bool_)
    par[:] = -2
    pare[:] = -2
    key[start] = 0.0
    par[start] = -1
    pare[start] = -1
    size = push(heap, pos, key, 0, start)
    count = 0
    while size > 0:
        x = heap[0]
        size = pop(heap, pos, key, size)
        done[x] = True
        order[count] = x
        count += 1
        for s in range(ptr[x], ptr[x + 1]):
            y = adj[s]
            if intree[y] and not done[y] and cost[eid[s]] < key[y]:
                key[y] = cost[eid[s]]
                par[y] = x
                pare[y] = eid[s]
                size = push(heap, pos, key, size, y)
    child = np.zeros(n, np.int64)
    for i in range(1, count):
        child[par[order[i]]] += 1
    total = 0.0
    for i in range(count - 1, 0, -1):
        x = order[i]
        if child[x] == 0 and not terminal[x]:
            child[par[x]] -= 1
            par[x] = -2
            pare[x] = -2
        else:
            total += cost[pare[x]]
    for x in range(n):
        if terminal[x] and par[x] == -2:
            return np.inf
        intree[x] = par[x] != -2
    return total


@kernel
def best_of(
    starts: Array, ptr: Array, adj: Array, eid: Array, guide: Array, cost: Array, terminal: Array, best: Array
) -> float:
    """Grow a tree from each start by ``guide``, span it by ``cost``; leave the cheapest parent edges in ``best``."""
    n = len(ptr) - 1
    intree = np.zeros(n, np.bool_)
    par = np.empty(n, np.int64)
    pare = np.empty(n, np.int64)
    value = np.inf
    for s in starts:
        grow(s, ptr, adj, eid, guide, terminal, intree)
        root = s
        if not terminal[s]:
            for x in range(n):
                if terminal[x]:
                    root = x
                    break
        c = span(root, ptr, adj, eid, cost, terminal, intree, par, pare)
        if c < value:
            value = c
            best[:] = pare
    return value


@kernel
def shortest(sources: Array, ptr: Array, adj: Array, inarc: Array, rc: Array, forward: bool, dist: Array) -> None:
    """Fill ``dist`` with arc distances ``rc`` from (``forward``) or to the nearest of ``sources``."""
    n = len(ptr) - 1
    heap = np.empty(n, np.int64)
    pos = np.full(n, -1, np.int64)
    dist[:] = np.inf
    size = 0
    for s in sources:
        dist[s] = 0.0
        size = push(heap, pos, dist, size, s)
    while size > 0:
        x = heap[0]
        size = pop(heap, pos, dist, size)
        for s in range(ptr[x], ptr[x + 1]):
            arc = inarc[s] ^ 1 if forward else inarc[s]
            t = dist[x] + rc[arc]
            y = adj[s]
            if t < dist[y]:
                dist[y] = t
                size = push(heap, pos, dist, size, y)
