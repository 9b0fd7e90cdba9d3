"""This module proves how cheap a plan can be at best: a dual ascent over the corridors, then over corridors and levels.

What a first, coarse bound and a known plan leave no room for is left out, and the next bound looks closer at the rest.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from mapapp.plan.layout import Site
from mapapp.plan.steiner import dual
from mapapp.plan.steiner.paths import shortest
from mapapp.plan.storeys import Pieces, Rules, pieces, spread

Array = np.ndarray[Any, Any]

STEPS_M = (0.5, 0.2, 0.1, 0.05)
"""Distances of the levels, from the first look to the last."""
MOST_ARCS = 3_000_000
_PACE_S = 4e-7
"""What an arc takes at least; the pace of one look foretells that of the next."""
_WORK = 10_000_000


def lower_bound(site: Site, joined: Array, upper: float, deadline: float) -> float:
    """Return a sum that no plan for the compounds ``joined`` undercuts, over these corridors, standard and prices.

    ``upper``: the cost of a plan that is known. Coarser near the deadline (`time.monotonic`), and never above ``upper``.
    """
    if not joined.any():
        return 0.0
    rules = Rules.of(site, joined)
    some = pieces(site, joined)
    terminals = site.corridors.compound + np.flatnonzero(joined)
    began = time.monotonic()
    best, room = _ascent(some.n, some.root, some.tail, some.head, some.least, terminals, deadline)
    pace = max((time.monotonic() - began) / len(some.tail), _PACE_S)
    some = some.take(np.flatnonzero(room <= upper - best + _slack(upper)))
    if site.standard.join == "water":  # a level may rise by a diameter there: levels bound nothing
        return min(best, upper)
    floor = None
    arcs = len(some.tail) * site.standard.max_depth_m / STEPS_M[0]
    for step, finer in zip(STEPS_M, (*STEPS_M[1:], np.nan), strict=True):
        began = time.monotonic()
        if best >= upper or arcs > MOST_ARCS or began + 0.5 * pace * arcs > deadline:
            break  # nothing to gain, no room, or no time to build the graph and to look at what came out
        tall = spread(site, rules, some, joined, step, floor)
        bound, room = _ascent(tall.n, tall.root, tall.tail, tall.head, tall.cost, tall.terminals, deadline)
        best = max(best, bound)
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


def _ascent(
    n: int, root: int, tail: Array, head: Array, cost: Array, terminals: Array, deadline: float
) -> tuple[float, Array]:
    """Return the bound of a dual ascent from the terminals to the root, and the least bound of a tree with each arc.

    Both are valid wherever the deadline ends the ascent.
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
    return bound, from_terminal[tail] + rc + to_root[head]
