"""This module finds lower bounds by dual ascent, and deletes edges that no better tree can use.

Source: R. T. Wong, A dual ascent approach for Steiner tree problems on a directed graph, Mathematical Programming 28
(1984), DOI 10.1007/BF02612335; order of the cuts after Pajor, Uchoa and Werneck, A robust and scalable algorithm for
the Steiner problem in graphs, Mathematical Programming Computation 10 (2018), DOI 10.1007/s12532-017-0123-4.
"""

from __future__ import annotations

import numpy as np

from mapapp.plan.steiner.heap import pop, push
from mapapp.plan.steiner.kernel import Array, kernel


@kernel
def start(root: int, terminals: Array, ptr: Array, key: Array, heap: Array, pos: Array, active: Array) -> int:
    """Fill the queue of active terminals (all but the root), keyed by their number of entering arcs."""
    size = 0
    active[:] = False
    pos[:] = -1
    for t in terminals:
        if t != root:
            key[t] = ptr[t + 1] - ptr[t]
            active[t] = True
            size = push(heap, pos, key, size, t)
    return size


@kernel
def ascend(
    root: int,
    ptr: Array,
    adj: Array,
    inarc: Array,
    rc: Array,
    key: Array,
    heap: Array,
    pos: Array,
    active: Array,
    size: int,
    mark: Array,
    work: int,
) -> tuple[float, int]:
    """Raise cuts until every terminal is reached from ``root`` over arcs of reduced cost zero, or ``work`` is spent.

    Returns
    -------
    gained : float
        Sum of the raises: a lower bound together with what was gained before, valid at any moment.
    size : int
        Terminals still in the queue; call again while it is not zero.

    Notes
    -----
    The component of a terminal is what reaches it over zero arcs. It is grown in place while it stays the smallest.
    """
    n = len(ptr) - 1
    comp = np.empty(n, np.int64)
    cut = np.empty(len(adj), np.int64)
    gained = 0.0
    spent = 0
    while size > 0 and spent < work:
        t = heap[0]
        size = pop(heap, pos, key, size)
        comp[0] = t
        count = 1
        head = 0
        mark[t] = True
        cuts = 0
        dead = False
        while True:
            while head < count and not dead:  # everything that reaches t over zero arcs
                x = comp[head]
                head += 1
                for s in range(ptr[x], ptr[x + 1]):
                    y = adj[s]
                    if mark[y]:
                        continue
                    if rc[inarc[s]] == 0.0:
                        if y == root or active[y]:
                            dead = True  # the root is reached, or another active component lies inside this one
                            break
                        mark[y] = True
                        comp[count] = y
                        count += 1
                    else:
                        cut[cuts] = s
                        cuts += 1
                spent += ptr[x + 1] - ptr[x]
            if dead:
                active[t] = False
                break
            least = np.inf
            keep = 0
            for i in range(cuts):
                s = cut[i]
                if not mark[adj[s]]:
                    cut[keep] = s
                    keep += 1
                    if rc[inarc[s]] < least:
                        least = rc[inarc[s]]
            cuts = keep
            spent += cuts
            if cuts == 0:  # cut off from the root: the caller made sure that this cannot be
                active[t] = False
                break
            if size > 0 and cuts > key[heap[0]]:
                key[t] = cuts
                size = push(heap, pos, key, size, t)
                break
            gained += least
            for i in range(cuts):
                s = cut[i]
                arc = inarc[s]
                rc[arc] -= least
                y = adj[s]
                if rc[arc] == 0.0 and not mark[y] and not dead:
                    if y == root or active[y]:
                        dead = True
                    else:
                        mark[y] = True
                        comp[count] = y
                        count += 1
            if dead:
                active[t] = False
                break
            if spent >= work:
                key[t] = cuts
                size = push(heap, pos, key, size, t)
                break
        for i in range(count):
            mark[comp[i]] = False
    return gained, size


@kernel
def deletable(u: Array, v: Array, rc: Array, down: Array, up: Array, slack: float, out: Array) -> None:
    """Mark edges of which neither direction fits into a tree cheaper than the bound by ``slack``.

    ``down``: distance from the root, ``up``: distance to the nearest terminal, both in reduced cost.
    """
    for e in range(len(u)):
        one = down[u[e]] + rc[2 * e] + up[v[e]]
        two = down[v[e]] + rc[2 * e + 1] + up[u[e]]
        out[e] = one > slack and two > slack
