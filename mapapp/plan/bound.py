"""This module proves how cheap a plan can be at best: a dual ascent over the corridors, then over corridors and levels.

What a first, coarse bound and a known plan leave no room for is left out, and the next bound looks closer at the rest. The
arcs that an ascent used up also say where a cheaper plan may lie.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from mapapp.plan.improve import without
from mapapp.plan.layout import Site
from mapapp.plan.steiner import dual
from mapapp.plan.steiner.paths import grow, shortest
from mapapp.plan.storeys import Pieces, Rules, Storeys, pieces, spread

Array = np.ndarray[Any, Any]

LOOKS = tuple((step, falling) for step in (0.5, 0.2, 0.1, 0.05) for falling in (True, False))
"""Metres between the levels and whether they fall towards the network, from the first look to the last."""
MOST_ARCS = 3_000_000
_PACE_S = 4e-7
"""What an arc takes at least; the pace of one look foretells that of the next."""
_WORK = 10_000_000


def lower_bound(
    site: Site, joined: Array, upper: float, deadline: float, better: Callable[[Array], float] | None = None
) -> float:
    """Return a sum that no plan for the compounds ``joined`` undercuts, over these corridors, standard and prices.

    ``upper``: the cost of a plan that is known. Coarser near the deadline (`time.monotonic`), and never above ``upper``.
    ``better`` is shown the tree (corridor edges) that each look suggests, and answers the cost of the best plan known then.
    """
    if not joined.any():
        return 0.0
    rules = Rules.of(site, joined)
    some = pieces(site, joined)
    terminals = site.corridors.compound + np.flatnonzero(joined)
    began = time.monotonic()
    best, room, _ = _ascent(some.n, some.root, some.tail, some.head, some.least, terminals, deadline)
    pace = max((time.monotonic() - began) / len(some.tail), _PACE_S)
    some = some.take(np.flatnonzero(room <= upper - best + _slack(upper)))
    if site.standard.join == "water":  # a level may rise by a diameter there: levels bound nothing
        return min(best, upper)
    floor = None
    arcs = len(some.tail) * site.standard.max_depth_m / LOOKS[0][0]
    for (step, falling), (finer, _) in zip(LOOKS, (*LOOKS[1:], (np.nan, False)), strict=True):
        began = time.monotonic()
        if best >= upper or arcs > MOST_ARCS or began + 0.5 * pace * arcs > deadline:
            break  # nothing to gain, no room, or no time to build the graph and to look at what came out
        tall = spread(site, rules, some, joined, step, floor, falling=falling)
        bound, room, left = _ascent(tall.n, tall.root, tall.tail, tall.head, tall.cost, tall.terminals, deadline)
        best = max(best, bound)
        if better is not None and time.monotonic() < deadline:
            upper = min(upper, better(_suggested(site, some, tall, joined, left)))
        alive = room <= upper - bound + _slack(upper)
        some, floor = _left(some, tall, alive, step)
        pace = max((time.monotonic() - began) / len(tall.tail), _PACE_S)
        arcs = alive.sum() * step / finer
    return min(best, upper)


def _slack(upper: float) -> float:
    return 1e-6 * upper


def _left(some: Pieces, tall: Any, alive: Array, step: float) -> tuple[Pieces, Array]:
    """Return the pieces that some living arc lays, and the lowest level that is still of use at each node."""
    laid = np.unique(tall.piece[alive & (tall.piece >= 0)])
    piece = tall.piece[alive]
    use = piece >= 0
    node, level = some.tail[piece[use]], tall.level[tall.tail[alive][use]]
    floor = np.full(some.n, np.inf)
    finite = np.isfinite(level)
    np.minimum.at(floor, node[finite], level[finite] - step)
    return some.take(laid), np.where(np.isfinite(floor), floor, -np.inf)


def _suggested(site: Site, some: Pieces, tall: Storeys, joined: Array, left: Array) -> Array:
    """Return a tree of corridor edges, grown from the sewers over arcs of which an ascent has ``left`` nothing."""
    c = site.corridors
    back = np.argsort(tall.head, kind="stable")
    terminal, inside = np.zeros(tall.n, bool), np.zeros(tall.n, bool)
    terminal[tall.terminals] = True
    cost = np.where(left == 0.0, tall.cost, np.inf)
    ptr = np.searchsorted(tall.head[back], np.arange(tall.n + 1))
    if grow(tall.root, ptr, tall.tail[back], back, cost, terminal, inside) < len(tall.terminals):
        return np.empty(0, np.int64)  # the clock ended the ascent before all were reached
    use = (left == 0.0) & inside[tall.tail] & inside[tall.head] & (tall.piece >= 0)
    piece = tall.piece[use]
    inner = np.flatnonzero(c.kind == "inside")
    door = np.full(some.n, -1)
    door[c.b[inner]] = inner
    through = piece[
        (c.kind[some.edge[piece]] == "inside") & ~some.own[piece]
    ]  # who comes in by one gate leaves by another
    out = door[some.head[through]]
    out = out[out >= 0]
    edges, which = np.unique(np.concatenate([some.edge[piece], out]), return_inverse=True)
    price = np.bincount(which, np.concatenate([tall.cost[use], np.zeros(len(out))])) + 1.0
    # on several levels it may run in rings: the cheapest of its trees
    tree = csgraph.minimum_spanning_tree(sparse.coo_matrix((price, (c.a[edges], c.b[edges])), shape=(c.n, c.n))).tocoo()
    number = {(a, b): e for e, a, b in zip(edges.tolist(), c.a[edges].tolist(), c.b[edges].tolist(), strict=True)}
    kept = np.array([number[i, j] for i, j in zip(tree.row.tolist(), tree.col.tolist(), strict=True)], np.int64)
    return without(c, np.sort(kept), np.flatnonzero(~joined))


def _ascent(
    n: int, root: int, tail: Array, head: Array, cost: Array, terminals: Array, deadline: float
) -> tuple[float, Array, Array]:
    """Return the bound of a dual ascent from the terminals to the root, the least bound of a tree with each arc, what is left.

    The first two are valid wherever the deadline ends the ascent; ``left`` is the reduced cost of each arc.
    """
    out = np.argsort(tail, kind="stable")
    ptr, adj = np.searchsorted(tail[out], np.arange(n + 1)), head[out]
    rc = cost.copy()
    key, heap, pos = np.zeros(n), np.empty(n, np.int64), np.full(n, -1, np.int64)
    active, mark = np.zeros(n, bool), np.zeros(n, bool)
    size = dual.start(root, terminals, ptr, key, heap, pos, active)
    bound = 0.0
    while size and time.monotonic() < deadline:
        gained, size = dual.ascend(root, ptr, adj, out, rc, key, heap, pos, active, size, mark, _WORK)
        bound += gained
    back = np.argsort(head, kind="stable")
    to_root, from_terminal = np.empty(n), np.empty(n)
    shortest(np.array([root]), np.searchsorted(head[back], np.arange(n + 1)), tail[back], back, rc, False, to_root)
    shortest(terminals, ptr, adj, out, rc, False, from_terminal)
    return bound, from_terminal[tail] + rc + to_root[head], rc
