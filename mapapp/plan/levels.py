"""This module says which sewers no gravity pipe can reach, so that the bound knows that a pump is needed there."""

from __future__ import annotations

from typing import Any

import numpy as np

from mapapp.plan import flow as manning
from mapapp.plan.layout import Site
from mapapp.plan.steiner.graph import csr
from mapapp.plan.steiner.heap import pop, push
from mapapp.plan.steiner.kernel import kernel

Array = np.ndarray[Any, Any]


@kernel
def _highest(
    gates: Array, ptr: Array, adj: Array, eid: Array, length: Array, roof: Array, slope: float, level: Array
) -> None:
    """Fill ``level`` with the highest crown that gravity can bring from any gate to each node."""
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
            if t < key[y]:
                key[y] = t
                size = push(heap, pos, key, size, y)


def pump_surcharge(site: Site, joined: Array) -> Array:
    """Return, per corridor, the least cost of the pump that a link ending there must have; zero where gravity may do.

    Only the last piece into an existing sewer is charged: what enters there has come through pipes no flatter than the
    flattest slope of any size at the greatest possible flow, and never above minimum cover. When even the highest such
    water arrives below the invert, each tree that ends there holds a pump of its own.
    """
    c, standard, prices = site.corridors, site.standard, site.prices
    sizes = np.array(standard.allowed_mm)
    most = standard.design_flow_lps(np.array(site.households[joined].sum())) / 1000.0
    slow = np.nan_to_num(manning.slope_for_velocity(most, sizes / 1000.0, standard.roughness, standard.min_velocity_ms))
    if standard.velocity_exempts_smallest:
        slow[0] = 0.0
    slope = float(np.maximum(standard.slope(sizes), slow).min())
    xy = np.zeros((c.n, 2))
    xy[c.a], xy[c.b] = c.start, c.end
    ground, _ = site.ground.at(*xy.T)
    roof = ground - standard.min_cover_m
    roof[c.root] = -np.inf  # nothing flows out of an existing sewer
    centre = c.compound + np.flatnonzero(joined)
    inside = c.kind == "inside"
    gates = c.b[inside & np.isin(c.a, centre)]
    roof[c.compound : c.compound + c.compounds] = np.inf  # inside a compound nothing is known to be lower
    net = csr(c.n, c.a, c.b)
    level = np.full(c.n, -np.inf)
    length = np.where(inside, 0.0, c.length)
    _highest(gates, net.ptr, net.adj, net.eid, length, roof, slope, level)
    out = np.zeros(len(c.a))
    last = np.flatnonzero(c.target >= 0)
    if len(last):
        top = site.targets.ground_m[c.target[last]] - standard.min_cover_m
        crown = np.minimum(level[np.where(c.a[last] == c.root, c.b[last], c.a[last])] - slope * c.length[last], top)
        invert = site.targets.invert_m[c.target[last]]
        short = np.isfinite(invert) & (crown - sizes[0] / 1000.0 < invert - 1e-6)
        least = standard.design_flow_lps(np.array(site.households[joined].min()))
        out[last[short]] = float(prices.pump_cost(least, 0.0))
    return out
