"""This module improves a layout on its true cost: take compounds out, lead them in again another way, keep what is cheaper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from mapapp.plan.layout import Layout, Site, lay
from mapapp.plan.reroute import Router

Array = np.ndarray[Any, Any]

_WHOLE = 300
"""Up to so many compounds, whole trees are led in again; beyond, single compounds and what hangs on a pump."""


def improve(
    site: Site, edges: Array, layout: Layout, rng: np.random.Generator, late: Callable[[], bool]
) -> tuple[Array, Layout]:
    """Return a layout at most as dear as the given one, and its corridor edges.

    Moves: single compounds; all compounds above a pump; all of one tree. Each is proposed by `Router` and judged by
    sizing the trees that it touches. Stops after a round without gain, or when ``late()``.
    """
    router = Router.of(site)
    while True:
        before = layout.value
        for group in _groups(site, layout, rng):
            if late():
                return edges, layout
            proposal = _led_again(router, site, edges, layout, group, rng)
            if proposal is None or np.array_equal(proposal, edges):
                continue
            other = lay(site, proposal)
            if other.value < layout.value * (1 - 1e-9):
                edges, layout = proposal, other
        if layout.value >= before * (1 - 1e-4):
            return edges, layout


def nearest_first(site: Site, joined: Array) -> Array:
    """Return the rows of the compounds to join, those with the least distance to a served place first."""
    c, rows = site.corridors, np.flatnonzero(joined)
    gate = np.zeros((c.n, 2))
    gate[c.a], gate[c.b] = c.start, c.end
    far, _ = cKDTree(c.end[c.target >= 0]).query(gate[c.compound + rows])
    return np.asarray(rows[np.argsort(far, kind="stable")])


def from_nothing(site: Site, order: Array) -> Array | None:
    """Return a layout that leads compounds in one after the other in this order; None where one finds no way."""
    router = Router.of(site)
    level = np.full(site.corridors.n, np.nan)
    chosen = []
    for row in order.tolist():
        way = router.insert(int(row), level)
        if way is None:
            return None
        chosen.append(way)
    edges = np.unique(np.concatenate(chosen))
    return edges if _is_forest(site.corridors, edges) else None


def _groups(site: Site, layout: Layout, rng: np.random.Generator) -> list[Array]:
    """Return sets of compound rows to move together, the dearest first."""
    p = layout.pipes
    joined = np.flatnonzero(layout.compounds >= 0)
    groups: list[Array] = []
    if len(p):
        down = dict(zip(p["pipe_id"], p["downstream_pipe_id"], strict=True))
        pumps = set(p.loc[p["pump"], "pipe_id"])
        above: dict[Any, list[int]] = {}
        for pipe, own in zip(p["pipe_id"], p["own"], strict=True):
            if own < 0:
                continue
            at = pipe
            while not pd.isna(at):
                if at in pumps:
                    above.setdefault(at, []).append(int(own))
                at = down[at]
        groups += [np.array(sorted(rows)) for _, rows in sorted(above.items())]
    for number in np.unique(layout.compounds[joined]).tolist():
        rows = np.flatnonzero(layout.compounds == number)
        if 1 < len(rows) <= 40 and len(joined) <= _WHOLE:
            groups.append(rows)
    groups += [np.array([row]) for row in rng.permutation(joined)]
    return groups


def _led_again(
    router: Router, site: Site, edges: Array, layout: Layout, rows: Array, rng: np.random.Generator
) -> Array | None:
    """Take compounds out of a tree and lead them in again, nearest first; None where one finds no way."""
    c = site.corridors
    kept = _without(site, edges, rows)
    level = router.levels(layout, kept)
    chosen = [kept]
    order = rows if len(rows) == 1 else rng.permutation(rows)
    for row in order.tolist():
        way = router.insert(int(row), level)
        if way is None:
            return None
        chosen.append(way)
    out = np.unique(np.concatenate(chosen))
    return out if _is_forest(c, out) else None


def _without(site: Site, edges: Array, rows: Array) -> Array:
    """Return the edges that are still needed without the compounds ``rows``."""
    c = site.corridors
    gone = np.zeros(c.n, bool)
    gone[c.compound + rows] = True
    needed = np.zeros(c.n, bool)
    needed[c.compound : c.compound + c.compounds] = True
    needed[c.root] = True
    needed &= ~gone
    alive = np.ones(len(edges), bool)
    while True:
        degree = np.bincount(np.concatenate([c.a[edges[alive]], c.b[edges[alive]]]), minlength=c.n)
        leaf = (degree == 1) & ~needed
        drop = alive & (leaf[c.a[edges]] | leaf[c.b[edges]])
        if not drop.any():
            return edges[alive]
        alive &= ~drop


def _is_forest(c: Any, edges: Array) -> bool:
    nodes = np.unique(np.concatenate([c.a[edges], c.b[edges]]))
    return len(nodes) == len(edges) + 1 and c.root in nodes
