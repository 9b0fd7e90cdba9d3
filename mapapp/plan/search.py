"""This module searches the layout of least true cost, and proves how good it is."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from mapapp.core.progress import Progress
from mapapp.core.text import Text
from mapapp.plan import costs
from mapapp.plan.layout import Layout, Site, lay

Array = np.ndarray[Any, Any]

PROOF_SHARE = 0.2
"""Share of the time limit that is kept for the bound."""
_TABLES_SHARE = 0.04
"""Share for what comes after: tables, stages, assumptions."""
_WORTH = 1.1
"""Layouts that are dearer than the best by more than this are not improved."""
RESTARTS = 3
GRAVITY_CELLS = 20_000_000
"""Compounds times nodes up to which a layout is also led in compound by compound, from nothing."""
FEW = 60
"""Up to so many compounds, layouts from nothing are also tried in other orders, and improved."""


def search(
    site: Site, joined: Array, seed: int, deadline: float, tell: Progress, asked: Callable[[], bool]
) -> tuple[Layout, float]:
    """Return the best layout on the true cost, and the bound.

    ``joined``: bool per compound, the ones that corridors reach. ``deadline``: `time.monotonic`. ``asked()`` true, or Ctrl-C,
    ends the search with the best layout so far.
    """
    # these load compiled kernels: not for who only reads a price book
    from mapapp.plan.bound import lower_bound
    from mapapp.plan.improve import from_nothing, improve, nearest_first
    from mapapp.plan.levels import pump_surcharge
    from mapapp.plan.steiner import steiner_tree
    from mapapp.plan.trial import Trial

    c = site.corridors
    if not joined.any():
        return lay(site, np.empty(0, np.int64)), 0.0
    terminals = np.concatenate([[c.root], c.compound + np.flatnonzero(joined)])
    floor = costs.floor(c, site.surface, site.standard, site.prices)
    floor = floor + pump_surcharge(site, joined)
    left = max(deadline - time.monotonic(), 0.5)
    proof = PROOF_SHARE * left
    tell(0.1, Text("正在布线", "Laying out"))
    tree = steiner_tree(c.a, c.b, floor, terminals, seed=seed, time_limit_s=0.4 * left)
    tell(0.45, Text("正在按实际造价改进", "Improving on the true cost"))
    rng, stopped = np.random.default_rng(seed), False
    edges, trial = tree.edges, Trial(site)

    def late() -> bool:
        return asked() or time.monotonic() > deadline - proof

    try:
        if joined.sum() * c.n <= GRAVITY_CELLS:
            edges = trial.cheapest(edges, from_nothing(site, nearest_first(site, joined), late))
        edges = improve(site, trial, edges, rng, late)
        for turn in range(RESTARTS if joined.sum() <= FEW else 0):
            if late():
                break
            tell(0.5 + 0.4 * turn / RESTARTS, Text("正在比较其他布局", "Trying other layouts"))
            other = from_nothing(site, rng.permutation(np.flatnonzero(joined)), late)
            if other is not None:
                edges = trial.cheapest(edges, improve(site, trial, other, rng, late))
    except KeyboardInterrupt:
        stopped = True
        edges = trial.cheapest(edges, trial.last.edges if trial.last else None)
    best = lay(site, edges)
    kept = joined & ~np.isin(best.compounds, list(best.failed))
    tell(0.8, Text("正在求下界", "Proving how good it is"))
    value = best.value

    def better(other: Array) -> float:
        """Improve what the bound suggests; return the cost of the best layout known."""
        nonlocal edges, value
        tried = trial.cost(other) if len(other) else None
        if tried is not None and tried.value < _WORTH * value:
            other = improve(site, trial, other, rng, late)
            tried = trial.cost(other)
            if tried is not None and tried.value < value * (1 - 1e-6):
                edges, value = other, tried.value
        return value

    try:
        bound = lower_bound(site, kept, best.cost, deadline - _TABLES_SHARE * left, None if best.failed else better)
    except KeyboardInterrupt:
        stopped, bound = True, 0.0
    if value < best.value:
        best = lay(site, edges)
    if (kept == joined).all():  # the first tree proved something too, over all corridors
        bound = max(bound, tree.lower_bound - costs.own_gates(c, np.flatnonzero(kept), site.standard, site.prices))
    return dataclasses.replace(best, cut_short=stopped or asked()), min(bound, best.cost)
