"""This module finds the cheapest way for one compound into what is already laid, levels and pumps included.

A label is a place, what it cost to get there, and the highest invert it can arrive at; one label beats another when it is
both cheaper and higher. Prices are those of the smallest size at its least slope: most links are that, and the caller
checks each proposal on the true cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mapapp.plan import costs
from mapapp.plan.layout import Site
from mapapp.plan.steiner.graph import csr
from mapapp.plan.steiner.heap import pop, push
from mapapp.plan.steiner.kernel import kernel

Array = np.ndarray[Any, Any]

_LABELS = 8
_DEPTH_STEP_M = 0.1


@kernel
def _search(
    gates: Array,
    gate_edges: Array,
    ptr: Array,
    adj: Array,
    eid: Array,
    length: Array,
    fixed: Array,
    ground: Array,
    level: Array,
    root: int,
    invert: Array,
    top: Array,
    pipe: Array,
    hole: Array,
    cover: float,
    slope: float,
    deepest: float,
    pump: float,
    lift: float,
    path: Array,
) -> tuple[int, float, float]:
    """Write the edges of the cheapest way to ``path``, last first; return how many, its cost, its level at the end.

    ``level``: lowest invert at which a node takes water, NaN where nothing is laid; ``invert`` and ``top`` per edge into
    the root. ``pipe`` and ``hole``: price by depth in steps. No way: -1.
    """
    n = len(ptr) - 1
    room = n * _LABELS
    node = np.empty(room, np.int64)
    cost = np.empty(room)
    z = np.empty(room)
    prev = np.empty(room, np.int64)
    by = np.empty(room, np.int64)
    count = np.zeros(n, np.int64)
    heap = np.empty(room, np.int64)
    pos = np.full(room, -1, np.int64)
    size = 0
    for i in range(len(gates)):
        x = gates[i]
        if count[x] == 0:
            k = x * _LABELS
            count[x] = 1
            node[k], cost[k], z[k], prev[k], by[k] = x, 0.0, ground[x] - cover, -1, gate_edges[i]
            size = push(heap, pos, cost, size, k)
    while size > 0:
        k = heap[0]
        size = pop(heap, pos, cost, size)
        x = node[k]
        if x == root or not np.isnan(level[x]):
            m = 0
            end = z[k]
            total = cost[k]
            while k >= 0:
                path[m] = by[k]
                m += 1
                k = prev[k]
            return m, total, end
        for s in range(ptr[x], ptr[x + 1]):
            e = eid[s]
            if e == by[k]:
                continue
            y = adj[s]
            gy = top[e] if y == root else ground[y]
            for lifted in range(2):
                up = min(z[k], ground[x] - cover)
                extra = 0.0
                if lifted == 1:
                    rise = ground[x] - cover - up
                    extra = pump + lift * rise
                    up += rise
                down = min(up - slope * length[e], gy - cover)
                need = invert[e] if y == root else level[y]
                if lifted == 1 and down < need <= gy - cover:
                    extra += lift * (need - down)  # a rising main ends where it must
                    down = need
                if gy - down > deepest or ground[x] - up > deepest:
                    continue
                if y == root and down < invert[e]:
                    continue
                if y != root and not np.isnan(level[y]) and down < level[y]:
                    continue
                mean = 0.5 * (ground[x] - up + gy - down)
                a = min(int(mean / _DEPTH_STEP_M + 0.5), len(pipe) - 1)
                b = min(int((ground[x] - up) / _DEPTH_STEP_M + 0.5), len(hole) - 1)
                c = (
                    cost[k]
                    + extra
                    + fixed[e]
                    + length[e] * pipe[max(a, 0)]
                    + (hole[max(b, 0)] if length[e] > 0 else 0.0)
                )
                first = y * _LABELS
                beaten = count[y] == _LABELS
                for j in range(first, first + count[y]):
                    if cost[j] <= c and z[j] >= down:
                        beaten = True
                if not beaten:
                    j = first + count[y]
                    count[y] += 1
                    node[j], cost[j], z[j], prev[j], by[j] = y, c, down, k, e
                    size = push(heap, pos, cost, size, j)
    return -1, np.inf, 0.0


@dataclass(slots=True)
class Router:
    """The corridors with prices, ready for many searches."""

    site: Site
    net: Any
    length: Array
    fixed: Array
    ground: Array
    pipe: Array
    hole: Array
    cover: float
    slope: float
    invert: Array
    top: Array
    path: Array
    flow_lps: Array

    @classmethod
    def of(cls, site: Site) -> Router:
        """Prepare prices by depth, ground by node."""
        c, standard, prices = site.corridors, site.standard, site.prices
        ground = np.zeros(c.n)
        xy = np.zeros((c.n, 2))
        xy[c.a], xy[c.b] = c.start, c.end
        ground, _ = site.ground.at(*xy.T)
        size = standard.allowed_mm[0]
        depth = np.arange(0.0, standard.max_depth_m + 1.0, _DEPTH_STEP_M)
        inside = c.kind == "inside"
        length = np.where(inside, c.inside_m, c.length)
        extra = costs.surface_per_metre(site.surface, prices) * length + costs.crossings(c, prices)
        more = costs.pieces(length, standard) - 1
        hole = prices.manhole_cost(size, depth)
        invert, top = np.full(len(c.a), -np.inf), np.zeros(len(c.a))
        at = np.flatnonzero(c.target >= 0)
        if len(at):
            invert[at] = np.nan_to_num(site.targets.invert_m[c.target[at]], nan=-np.inf)
            top[at] = site.targets.ground_m[c.target[at]]
        return cls(
            site, csr(c.n, c.a, c.b), length, extra + more * hole[min(15, len(hole) - 1)], ground,
            prices.pipe_cost(size, depth, depth, 1.0), hole, standard.min_cover_m + size / 1000.0,
            float(standard.slope(np.array(size))), invert, top, np.empty(c.n * _LABELS, np.int64),
            standard.design_flow_lps(site.households),
        )  # fmt: skip

    def insert(self, row: int, level: Array, dread: float = 1.0) -> Array | None:
        """Return the edges of the cheapest way for compound ``row``, and note the levels along it; None without a way.

        ``dread``: how many times their price pumps count: what one compound cannot pay for, many can share.
        """
        c, site, n = self.site.corridors, self.site, self.net
        centre = c.compound + row
        slots = slice(n.ptr[centre], n.ptr[centre + 1])
        flow = float(self.flow_lps[row])
        each, per_flow, per_lift = (dread * x for x in site.prices.pump)
        path = self.path
        m, _, _ = _search(
            n.adj[slots], n.eid[slots], n.ptr, n.adj, n.eid, self.length, self.fixed, self.ground, level, c.root, self.invert,
            self.top, self.pipe, self.hole, self.cover, self.slope, site.standard.max_depth_m, each + per_flow * flow,
            per_lift * flow, path,
        )  # fmt: skip
        if m < 0:
            return None
        edges = path[:m][::-1].copy()
        self._note(centre, edges, level)
        return edges

    def _note(self, centre: int, edges: Array, level: Array) -> None:
        """Set levels along a new way, by gravity from minimum cover."""
        c = self.site.corridors
        x, z = centre, np.inf
        for e in edges.tolist():
            y = int(c.b[e]) if int(c.a[e]) == x else int(c.a[e])
            z = min(z, self.ground[x] - self.cover)
            if np.isnan(level[x]):
                level[x] = z
            z = z - self.slope * float(self.length[e])
            x = y
