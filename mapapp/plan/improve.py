"""This module improves a layout on its true cost: take compounds out, lead them in again another way, keep what is cheaper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from mapapp.plan.corridors import Corridors
from mapapp.plan.layout import Site
from mapapp.plan.reroute import Router
from mapapp.plan.steiner.kernel import kernel
from mapapp.plan.trial import Trial, Tried

Array = np.ndarray[Any, Any]

_WHOLE = 300
"""Up to so many compounds, whole trees are led in again; beyond, single compounds and what hangs on a pump."""

_DREAD = 4.0
"""How many times their price pumps count when nothing else helps: what one compound cannot pay for, many can share."""


def improve(site: Site, trial: Trial, edges: Array, rng: np.random.Generator, late: Callable[[], bool]) -> Array:
    """Return the corridor edges of a layout at most as dear as that of ``edges``.

    Moves: all compounds above a pump; all of one tree; single compounds. Each is proposed by `Router` and judged by its true
    cost. When a round gains nothing, what hangs on pumps is led again as if pumps were dearer; stops when that gains nothing
    either, or when ``late()``. ``trial`` is left with the tree that is returned.
    """
    best = trial.cost(edges)
    if best is None:
        return edges
    trial.take(best)
    router = Router.of(site)
    dread = 1.0
    while True:
        before = best.value
        for group in _groups(site, best, rng, dread):
            if late():
                return best.edges
            proposal = _led_again(router, site, best, group, dread, rng, late)
            if proposal is None or np.array_equal(proposal, best.edges):
                continue
            other = trial.cost(proposal)
            if other is not None and other.value < best.value * (1 - 1e-9):
                trial.take(other)
                best = other
        if best.value < before * (1 - 1e-4):
            dread = 1.0
        elif dread < _DREAD:
            dread = _DREAD
        else:
            return best.edges


def nearest_first(site: Site, joined: Array) -> Array:
    """Return the rows of the compounds to join, those with the least distance to a served place first."""
    c, rows = site.corridors, np.flatnonzero(joined)
    gate = np.zeros((c.n, 2))
    gate[c.a], gate[c.b] = c.start, c.end
    far, _ = cKDTree(c.end[c.target >= 0]).query(gate[c.compound + rows])
    return np.asarray(rows[np.argsort(far, kind="stable")])


def from_nothing(site: Site, order: Array, late: Callable[[], bool] = lambda: False) -> Array | None:
    """Return a layout that leads compounds in one after the other in this order; None where one finds no way in time."""
    router = Router.of(site)
    level = np.full(site.corridors.n, np.nan)
    chosen = []
    for row in order.tolist():
        way = router.insert(int(row), level) if not late() else None
        if way is None:
            return None
        chosen.append(way)
    return np.unique(np.concatenate(chosen))


def _groups(site: Site, tried: Tried, rng: np.random.Generator, dread: float) -> list[Array]:
    """Return sets of compound rows to move together: what hangs on a pump, on a tree, each alone."""
    groups = tried.above_pumps()
    if dread > 1.0:
        return groups
    rows = np.sort(tried.pipes.own[tried.pipes.own >= 0])
    if len(rows) <= _WHOLE:
        groups += [tree for tree in tried.trees() if 1 < len(tree) <= 40]
    return groups + [np.array([row]) for row in rng.permutation(rows)]


def _led_again(
    router: Router, site: Site, tried: Tried, rows: Array, dread: float, rng: np.random.Generator,
    late: Callable[[], bool],
) -> Array | None:  # fmt: skip
    """Take compounds out of a tree and lead them in again in any order; None where one finds no way in time."""
    c = site.corridors
    kept = np.zeros(len(c.a), bool)
    kept[without(c, tried.edges, rows)] = True
    level = tried.levels(c.n, c.compound, kept)
    for row in (rows if len(rows) == 1 else rng.permutation(rows)).tolist():
        way = router.insert(int(row), level, dread) if not late() else None
        if way is None:
            return None
        kept[way] = True
    return np.flatnonzero(kept)


@kernel
def _peel(a: Array, b: Array, edges: Array, needed: Array, alive: Array) -> None:
    """Take leaves that are not ``needed`` off the tree, one after the other."""
    degree = np.zeros(len(needed), np.int64)
    link = np.zeros(len(needed), np.int64)  # exclusive or of the edges at a node: at a leaf, its only edge
    place = np.zeros(len(a), np.int64)
    for i in range(len(edges)):
        e = edges[i]
        place[e] = i
        for x in (a[e], b[e]):
            degree[x] += 1
            link[x] ^= e
    for i in range(len(edges)):
        for x in (a[edges[i]], b[edges[i]]):
            while degree[x] == 1 and not needed[x]:
                e = link[x]
                alive[place[e]] = False
                degree[x] = 0
                x = b[e] if a[e] == x else a[e]
                degree[x] -= 1
                link[x] ^= e


def without(c: Corridors, edges: Array, rows: Array) -> Array:
    """Return the edges of a tree that are still needed without the compounds ``rows``."""
    needed = np.zeros(c.n, bool)
    needed[c.compound : c.compound + c.compounds] = True
    needed[c.compound + rows] = False
    needed[c.root] = True
    alive = np.ones(len(edges), bool)
    _peel(c.a, c.b, edges, needed, alive)
    return edges[alive]
