"""This module joins a few parts of a graph at least cost, exactly.

Source: Dreyfus and Wagner, The Steiner problem in graphs, Networks 1 (1971), DOI 10.1002/net.3230010302, in the form of
Erickson, Monma and Veinott (1987): one shortest-path search per set of sources.
"""

from __future__ import annotations

import numpy as np

from mapapp.plan.steiner.heap import pop, push
from mapapp.plan.steiner.kernel import Array, kernel


@kernel
def fill(
    sources: int,
    nodes: int,
    ptr: Array,
    adj: Array,
    cost: Array,
    bound: float,
    first: int,
    last: int,
    left: Array,
    d: Array,
    pred: Array,
    heap: Array,
    pos: Array,
) -> None:
    """Fill ``d[set, node]``, the least cost to join a set of sources and a node, for sets ``first`` to ``last - 1``.

    Nodes 0 .. ``sources - 1`` are the sources, node ``sources`` the goal, which no path runs through. ``left``: at
    least so much is still missing from a node to the goal (`remaining`); what cannot end below ``bound`` is left out.
    ``pred``: -1 nothing; an arc number; or ``-2 - subset`` where two sets meet.
    """
    for mask in range(first, last):
        size = 0
        for x in range(nodes):
            d[mask, x] = np.inf
            pred[mask, x] = -1
        if mask & (mask - 1) == 0:
            x = 0
            while mask >> x != 1:
                x += 1
            d[mask, x] = 0.0
            size = push(heap, pos, d[mask], size, x)
        else:
            low = mask & -mask
            rest = mask ^ low
            sub = rest
            while True:  # subsets of `rest`, each together with `low` one half
                sub = (sub - 1) & rest
                one = sub | low
                two = mask ^ one
                for x in range(nodes):
                    t = d[one, x] + d[two, x]
                    if t < d[mask, x] and t + left[x] < bound:
                        d[mask, x] = t
                        pred[mask, x] = -2 - one
                if sub == 0:
                    break
            for x in range(nodes):
                if d[mask, x] < np.inf:
                    size = push(heap, pos, d[mask], size, x)
        key = d[mask]
        while size > 0:
            x = heap[0]
            size = pop(heap, pos, key, size)
            if x == sources or (x < sources and not mask >> x & 1):
                continue  # through another source is the larger set's affair
            for a in range(ptr[x], ptr[x + 1]):
                y = adj[a]
                t = key[x] + cost[a]
                if t < key[y] and t + left[y] < bound:
                    key[y] = t
                    pred[mask, y] = a
                    size = push(heap, pos, key, size, y)


@kernel
def remaining(
    sources: int, nodes: int, ptr: Array, adj: Array, cost: Array, own: Array, left: Array, heap: Array, pos: Array
) -> None:
    """Fill ``left`` with the distance from each node to the goal; arcs come both ways, the goal's own may lack."""
    size = 0
    for x in range(nodes):
        left[x] = np.inf
    left[sources] = 0.0
    for a in range(ptr[nodes]):
        x = own[a]
        if adj[a] == sources and cost[a] < left[x]:
            left[x] = cost[a]
            size = push(heap, pos, left, size, x)
    while size > 0:
        x = heap[0]
        size = pop(heap, pos, left, size)
        for a in range(ptr[x], ptr[x + 1]):
            y = adj[a]
            t = left[x] + cost[a]
            if t < left[y]:
                left[y] = t
                size = push(heap, pos, left, size, y)


@kernel
def walk_back(sources: int, own: Array, pred: Array, stack: Array, out: Array) -> int:
    """Write the arcs of the joining tree to ``out``; return how many. Arcs may repeat where costs are zero."""
    stack[0, 0] = (1 << sources) - 1
    stack[0, 1] = sources
    top = 1
    count = 0
    while top > 0:
        top -= 1
        mask, x = stack[top, 0], stack[top, 1]
        p = pred[mask, x]
        if p >= 0:
            out[count] = p
            count += 1
            stack[top, 1] = own[p]
            top += 1
        elif p <= -2:
            one = -2 - p
            stack[top, 0] = one
            stack[top + 1, 0] = mask ^ one
            stack[top + 1, 1] = x
            top += 2
    return count
