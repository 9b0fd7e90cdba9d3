"""This module says which sewers no gravity pipe can reach, so that the bound knows that a pump is needed there."""

from __future__ import annotations

from typing import Any

import numpy as np

from mapapp.plan.layout import Site
from mapapp.plan.steiner.graph import csr
from mapapp.plan.steiner.heap import pop, push
from mapapp.plan.steiner.kernel import kernel
from mapapp.plan.storeys import flattest

Array = np.ndarray[Any, Any]


@kernel
def _highest(
    gates: Array, ptr: Array, adj: Array, eid: Array, length: Array, roof: Array, bed: Array, slope: float, level: Array
) -> None:
    """Fill ``level`` with the highest crown that gravity can bring from any gate to each node.

    Never above ``roof``; where it would lie below ``bed``, it cannot pass.
    """
    n = len(ptr) - 1
    heap = np.empty(n, np.int64)
    pos = np.full(n, -1, np.int64)
    key = np.full(n, np.inf)
    size = 0
    for x in gates:
        if -roof[x] < key[x]:
            key[x] = -roof[x]
            size = push(heap, pos, key, size, x)
    while size > 0:
        x = heap[0]
        size = pop(heap, pos, key, size)
        level[x] = -key[x]
        for s in range(ptr[x], ptr[x + 1]):
            y = adj[s]
            t = max(key[x] + slope * length[eid[s]], -roof[y])
            if t < key[y] and -t >= bed[y]:
                key[y] = t
                size = push(heap, pos, key, size, y)


class _Fall:
    """How high gravity can bring water, from some compounds or from one."""

    def __init__(self, site: Site, joined: Array) -> None:
        c, standard = site.corridors, site.standard
        self.site, self.net = site, csr(c.n, c.a, c.b)
        sizes = np.array(standard.allowed_mm, float)
        self.slope = float(flattest(site.households[joined], standard).min())
        # where water levels are matched, an invert may rise by a diameter: count on nothing there
        self.least_m = sizes[0] / 1000.0 if standard.join != "water" else 0.0
        xy = np.zeros((c.n, 2))
        xy[c.a], xy[c.b] = c.start, c.end
        ground, _ = site.ground.at(*xy.T)
        inner = slice(c.compound, c.compound + c.compounds)  # inside a compound nothing is known to be lower
        self.roof, self.bed = ground - standard.min_cover_m, ground - standard.max_depth_m
        self.roof[inner], self.bed[inner] = np.inf, -np.inf
        self.roof[c.root] = -np.inf  # nothing flows out of an existing sewer
        self.length = np.where(c.kind == "inside", 0.0, c.length)
        self.last = np.flatnonzero(c.target >= 0)
        self.upper = np.where(c.a[self.last] == c.root, c.b[self.last], c.a[self.last])

    def level(self, rows: Array) -> Array:
        """Return the highest crown at each node that water of these compounds can have; minus infinity for none."""
        c, net = self.site.corridors, self.net
        gates = c.b[(c.kind == "inside") & np.isin(c.a, c.compound + rows)]
        level = np.full(c.n, -np.inf)
        _highest(gates, net.ptr, net.adj, net.eid, self.length, self.roof, self.bed, self.slope, level)
        return level

    def short(self, level: Array) -> Array:
        """Whether each piece in ``last`` ends too low for the sewer it joins; an unknown invert is low enough."""
        site, target = self.site, self.site.corridors.target[self.last]
        top = site.targets.ground_m[target] - site.standard.min_cover_m
        crown = np.minimum(level[self.upper] - self.slope * self.length[self.last], top)
        invert = np.nan_to_num(site.targets.invert_m[target], nan=-np.inf)
        return np.asarray((crown - self.least_m < invert - 1e-6) | np.isneginf(level[self.upper]))


def least_pump(site: Site, joined: Array) -> float:
    """Return what a pump costs at least: no lift, the smallest compound."""
    flow = site.standard.design_flow_lps(site.households[joined].min())
    return float(site.prices.pump_cost(flow, 0.0))


def pump_surcharge(site: Site, joined: Array) -> Array:
    """Return, per corridor, the least cost of the pump that a link ending there must have; zero where gravity may do.

    Only the last piece into an existing sewer is charged: what enters there has come through pipes no flatter than the
    flattest slope of any size at the greatest possible flow, and never above minimum cover. When even the highest such
    water arrives below the invert, each tree that ends there holds a pump of its own.
    """
    fall = _Fall(site, joined)
    out = np.zeros(len(site.corridors.a))
    out[fall.last[fall.short(fall.level(np.flatnonzero(joined)))]] = least_pump(site, joined)
    return out
