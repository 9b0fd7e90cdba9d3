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


@kernel
def _ascend(
    start: Array, root: int, ptr: Array, adj: Array, eid: Array, inarc: Array, rc: Array, passes: Array, enters: Array
) -> float:
    """Return a lower bound by dual ascent in which each start has its own allowed nodes and ends.

    ``passes[t, x]``: sewage of start ``t`` can flow through node ``x``; ``enters[t, e]``: through edge ``e`` into the root.
    Infinite when a start has no way at all.
    """
    n = len(ptr) - 1
    mark = np.full(n, -1, np.int64)
    comp = np.empty(n, np.int64)
    cut = np.empty(len(adj), np.int64)
    active = np.ones(len(start), np.bool_)
    size = np.ones(len(start), np.int64)
    bound = 0.0
    left = len(start)
    turn = 0
    while left > 0:
        t = -1
        for i in range(len(start)):
            if active[i] and (t < 0 or size[i] < size[t]):
                t = i
        turn += 1
        comp[0] = start[t]
        mark[start[t]] = turn
        count, head, cuts = 1, 0, 0
        done = False
        while head < count and not done:
            x = comp[head]
            head += 1
            for s in range(ptr[x], ptr[x + 1]):
                y = adj[s]
                if mark[y] == turn or not (enters[t, eid[s]] if y == root else passes[t, y]):
                    continue
                if rc[inarc[s] ^ 1] <= 0.0:
                    if y == root:
                        done = True
                        break
                    mark[y] = turn
                    comp[count] = y
                    count += 1
                else:
                    cut[cuts] = s
                    cuts += 1
        if done:
            active[t] = False
            left -= 1
            continue
        least = np.inf
        kept = 0
        for i in range(cuts):
            if mark[adj[cut[i]]] != turn:
                cut[kept] = cut[i]
                kept += 1
                least = min(least, rc[inarc[cut[i]] ^ 1])
        if kept == 0:
            return np.inf
        for i in range(kept):
            rc[inarc[cut[i]] ^ 1] -= least
        bound += least
        size[t] = kept
    return bound


class _Fall:
    """How high gravity can bring water, from some compounds or from one."""

    def __init__(self, site: Site, joined: Array) -> None:
        c, standard = site.corridors, site.standard
        self.site, self.net = site, csr(c.n, c.a, c.b)
        sizes = np.array(standard.allowed_mm)
        most = standard.design_flow_lps(site.households[joined].sum()) / 1000.0
        slow = np.nan_to_num(
            manning.slope_for_velocity(most, sizes / 1000.0, standard.roughness, standard.min_velocity_ms)
        )
        if standard.velocity_exempts_smallest:
            slow[0] = 0.0
        self.slope = float(np.maximum(standard.slope(sizes), slow).min())
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


def gravity_bound(site: Site, joined: Array, floor: Array) -> float:
    """Return a lower bound of every plan without any pump; infinite where some compound cannot do without.

    Each compound may only use corridors that its own water can pass between minimum cover and greatest depth, and only
    sewers that lie low enough for it.
    """
    c, fall, rows = site.corridors, _Fall(site, joined), np.flatnonzero(joined)
    passes = np.zeros((len(rows), c.n), bool)
    enters = np.zeros((len(rows), len(c.a)), bool)
    for i, row in enumerate(rows.tolist()):
        level = fall.level(np.array([row]))
        passes[i] = np.isfinite(level)
        passes[i, c.compound : c.compound + c.compounds] = True
        enters[i, fall.last[~fall.short(level)]] = True
    net = fall.net
    rc = np.repeat(floor, 2)
    return float(_ascend(c.compound + rows, c.root, net.ptr, net.adj, net.eid, net.inarc, rc, passes, enters))
