"""This module shrinks a graph without losing its optimal Steiner tree.

Tests, after Duin and Volgenant (1989) and Polzin and Vahdati Daneshmand (2001): nodes of degree one and two, edges
dearer than the bottleneck Steiner distance of their ends, edges with a way round, non-terminals of degree three and
four that can be passed by, and the nearest neighbour of a terminal.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mapapp.plan.steiner.bottleneck import NEAR, bound, dearer, detours, nearest, terminal_tree
from mapapp.plan.steiner.graph import Graph
from mapapp.plan.steiner.kernel import Array, kernel

_CHUNK = 20_000
"""Edges between two looks at the clock."""
_DENSE = 40
"""Edges per node from which no way round is looked for: a few arcs more and the search has seen one node."""


@kernel
def _degree_one(ptr: Array, adj: Array, eid: Array, terminal: Array, want: int, label: Array, state: Array) -> None:
    """Strip leaves. ``state`` of an edge: 0 stays, 1 gone, 2 in every tree (its leaf end is a terminal)."""
    n = len(ptr) - 1
    degree = np.empty(n, np.int64)
    mark = terminal.copy()
    stack = np.empty(n, np.int64)
    top = 0
    for x in range(n):
        label[x] = x
        degree[x] = ptr[x + 1] - ptr[x]
        if degree[x] == 1:
            stack[top] = x
            top += 1
    while top > 0:
        top -= 1
        x = stack[top]
        if degree[x] != 1 or (mark[x] and want <= 1):
            continue
        for s in range(ptr[x], ptr[x + 1]):
            e = eid[s]
            if state[e] != 0:
                continue
            y = adj[s]
            if mark[x]:
                state[e] = 2
                if mark[y]:
                    want -= 1
                mark[y] = True
                mark[x] = False
                label[x] = y
            else:
                state[e] = 1
            degree[x] = 0
            degree[y] -= 1
            if degree[y] == 1:
                stack[top] = y
                top += 1
            break
    for x in range(n):  # chains of contracted leaves
        y = x
        while label[y] != y:
            y = label[y]
        label[x] = y


@kernel
def _pass_by(
    ptr: Array,
    adj: Array,
    eid: Array,
    w: Array,
    terminal: Array,
    base: Array,
    dist: Array,
    parent: Array,
    step: Array,
    most: int,
    gone: Array,
    out_u: Array,
    out_v: Array,
    out_e: Array,
    out_f: Array,
) -> int:
    """Replace non-terminals of degree 2 to ``most`` by edges between their neighbours; return how many edges appear.

    No two that touch are replaced in one call, so that each sees the graph it was tested on. A node of degree three or
    more may go when for each choice of three or more neighbours a spanning tree over their bottleneck distances costs
    no more than their edges to the node. A new edge dearer than the bottleneck distance of its ends is left out.
    """
    n = len(ptr) - 1
    locked = np.zeros(n, np.bool_)
    count = 0
    sd = np.empty((4, 4))
    for x in range(n):
        k = ptr[x + 1] - ptr[x]
        if terminal[x] or locked[x] or k < 2 or k > most:
            continue
        free = True
        for s in range(ptr[x], ptr[x + 1]):
            if locked[adj[s]]:
                free = False
        if not free:
            continue
        s0 = ptr[x]
        fresh = 0
        for i in range(k):
            for j in range(i):
                both = w[eid[s0 + i]] + w[eid[s0 + j]]
                d = np.inf if k == 2 else bound(adj[s0 + i], adj[s0 + j], 0.0, base, dist, parent, step)
                if d >= both:
                    fresh += 1
                sd[i, j] = min(d, both)
                sd[j, i] = sd[i, j]
        ok = k == 2 or fresh <= k
        if k >= 3 and ok:
            for chosen in range(1, 1 << k):
                size = 0
                star = 0.0
                for i in range(k):
                    if chosen >> i & 1:
                        size += 1
                        star += w[eid[s0 + i]]
                if size < 3:
                    continue
                inside = chosen & -chosen
                tree = 0.0
                for _ in range(size - 1):  # Prim on at most four nodes
                    least = np.inf
                    pick = -1
                    for i in range(k):
                        if inside >> i & 1:
                            for j in range(k):
                                if chosen >> j & 1 and not inside >> j & 1 and sd[i, j] < least:
                                    least = sd[i, j]
                                    pick = j
                    tree += least
                    inside |= 1 << pick
                if tree > star:
                    ok = False
                    break
        if not ok:
            continue
        gone[x] = True
        locked[x] = True
        for i in range(k):
            locked[adj[s0 + i]] = True
            for j in range(i):
                if sd[i, j] >= w[eid[s0 + i]] + w[eid[s0 + j]]:
                    out_u[count], out_v[count] = adj[s0 + i], adj[s0 + j]
                    out_e[count], out_f[count] = eid[s0 + i], eid[s0 + j]
                    count += 1
    return count


@kernel
def _nearest_vertex(
    ptr: Array, adj: Array, eid: Array, w: Array, terminal: Array, base: Array, dist: Array, label: Array, state: Array
) -> int:
    """Contract a terminal's cheapest edge where some optimal tree must hold it; return how many."""
    n = len(ptr) - 1
    done = 0
    touched = np.zeros(n, np.bool_)
    for x in range(n):
        label[x] = x
    for x in range(n):
        if not terminal[x] or touched[x] or ptr[x + 1] == ptr[x]:
            continue
        first = -1
        second = np.inf
        for s in range(ptr[x], ptr[x + 1]):
            c = w[eid[s]]
            if first < 0 or c < w[eid[first]]:
                if first >= 0:
                    second = w[eid[first]]
                first = s
            elif c < second:
                second = c
        y = adj[first]
        if touched[y]:
            continue
        far = np.inf
        for j in range(y * NEAR, y * NEAR + NEAR):
            if base[j] >= 0 and base[j] != x:
                far = dist[j]
                break
        if w[eid[first]] + far <= second and far < np.inf:
            # one contraction per neighbourhood: the next round sees the new distances
            touched[x] = touched[y] = True
            for s in range(ptr[x], ptr[x + 1]):
                touched[adj[s]] = True
            for s in range(ptr[y], ptr[y + 1]):
                touched[adj[s]] = True
            label[x] = y
            state[eid[first]] = 2
            done += 1
    return done


def _apply(graph: Graph, label: Array, state: Array) -> None:
    """Contract edges of state 2 along ``label``, drop those of state 1 and 2."""
    sure = state == 2
    graph.fixed.extend(graph.h[sure].tolist())
    graph.fixed_cost += float(graph.w[sure].sum())
    graph.take(state == 0)
    graph.tidy(label)


def leaves(graph: Graph) -> None:
    """Strip leaves; a leaf that is a terminal pulls its edge into the tree."""
    net = graph.csr()
    label = np.empty(graph.n, np.int64)
    state = np.zeros(len(graph.u), np.int8)
    _degree_one(net.ptr, net.adj, net.eid, graph.terminal, len(graph.terminals), label, state)
    _apply(graph, label, state)


def distances(graph: Graph) -> tuple[Array, Array, Array, Array]:
    """Return nearest terminals, their distances, and the bottleneck tree over terminals."""
    net = graph.csr()
    base = np.empty(graph.n * NEAR, np.int64)
    dist = np.empty(graph.n * NEAR)
    nearest(net.ptr, net.adj, net.eid, graph.w, graph.terminal, base, dist)
    length = dist[graph.u * NEAR] + graph.w + dist[graph.v * NEAR]
    parent = np.empty(graph.n, np.int64)
    step = np.empty(graph.n)
    terminal_tree(np.argsort(length, kind="stable"), graph.u, graph.v, length, base, parent, step)
    return base, dist, parent, step


def pass_by(graph: Graph, most: int) -> int:
    """Replace non-terminals of degree 2 to ``most`` (at most 4); return how many went."""
    net = graph.csr()
    near = distances(graph) if most > 2 else (np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0))
    gone = np.zeros(graph.n, bool)
    room = 2 * len(graph.u) + 8
    u, v, e, f = (np.empty(room, np.int64) for _ in range(4))
    base, dist, parent, step = near
    k = _pass_by(net.ptr, net.adj, net.eid, graph.w, graph.terminal, base, dist, parent, step, most, gone, u, v, e, f)
    if not gone.any():
        return 0
    e, f = e[:k], f[:k]
    fresh = graph.new_edges(graph.h[e], graph.h[f])
    w = graph.w[e] + graph.w[f]
    graph.take(~(gone[graph.u] | gone[graph.v]))
    graph.add(u[:k], v[:k], w, fresh)
    return int(gone.sum())


def reduce(graph: Graph, late: Callable[[], bool], *, rounds: int = 12, reach: int = 150) -> None:
    """Shrink ``graph`` in place until a round takes less than four per cent, or ``late()`` says stop.

    Parameters
    ----------
    graph : Graph
        Connected over its terminals.
    late : callable
        Asked between the tests; what was done until then is kept and right.
    rounds : int
        At most so many rounds.
    reach : int
        Arcs that the search for a way round an edge may look at.
    """
    for _ in range(rounds):
        before = len(graph.u)
        if before == 0 or len(graph.terminals) <= 1:
            return
        leaves(graph)
        if late() or len(graph.u) == 0 or len(graph.terminals) <= 1:
            return
        out = np.zeros(len(graph.u), bool)
        dearer(graph.u, graph.v, graph.w, *distances(graph), out)
        graph.take(~out)
        if late():
            break
        net = graph.csr()
        alive = np.ones(len(graph.u), bool)
        order = np.argsort(-graph.w, kind="stable")
        if len(order) < _DENSE * graph.n:
            for k in range(0, len(order), _CHUNK):
                if late():
                    break
                part = order[k : k + _CHUNK]
                detours(part, net.ptr, net.adj, net.eid, graph.u, graph.v, graph.w, reach, alive)
        graph.take(alive)
        graph.tidy()
        leaves(graph)
        for most in (2, 2, 4):
            if late() or len(graph.u) == 0:
                break
            if pass_by(graph, most):
                graph.tidy()
        if late() or len(graph.terminals) <= 1 or len(graph.u) == 0:
            break
        near = distances(graph)
        net = graph.csr()
        label = np.empty(graph.n, np.int64)
        state = np.zeros(len(graph.u), np.int8)
        _nearest_vertex(net.ptr, net.adj, net.eid, graph.w, graph.terminal, near[0], near[1], label, state)
        _apply(graph, label, state)
        if len(graph.u) > 0.96 * before:
            break
    graph.tidy()
