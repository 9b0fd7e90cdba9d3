"""This module spreads the corridors over levels, so that a layout pays for its depth and its pumps while it is bounded.

Each corridor node becomes a column of states, "sewage is here, its crown at this level"; a piece of pipe leads from a state
to the highest one that its size and least slope allow, a drop leads down for nothing, a pump from the lowest state to the
top of the next column. Every plan is a tree in this graph, at no more than its own cost: so a lower bound for trees here is
a lower bound for plans. Levels are rounded up, to the plan's favour; along the shortest way to a sewer the rows of the
columns fall with the least slope, so that rounding does not add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mapapp.plan import costs
from mapapp.plan.hydraulics import least_slopes
from mapapp.plan.layout import Site
from mapapp.plan.standard import Standard
from mapapp.plan.steiner.kernel import kernel
from mapapp.plan.steiner.paths import shortest

Array = np.ndarray[Any, Any]

_DEPTH_M = 0.02
"""Step of the depths at which prices are tabled."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of pipe that may be laid, in the direction of the water; nodes: corridor nodes, then ends of pieces.

    ``tail head`` nodes; ``length`` in metres; ``ground_up ground_down``; ``fixed`` surface and crossings in money;
    ``target`` row of the served sewer, -1; ``edge`` corridor; ``least`` what the piece costs at least. Where a compound
    begins (``own``) nothing is laid.
    """

    n: int
    root: int
    tail: Array
    head: Array
    length: Array
    ground_up: Array
    ground_down: Array
    fixed: Array
    target: Array
    edge: Array
    own: Array
    least: Array

    def take(self, rows: Array) -> Pieces:
        """Return some pieces."""
        arrays = (getattr(self, name)[rows] for name in self.__slots__[2:])
        return Pieces(self.n, self.root, *arrays)


def pieces(site: Site, joined: Array) -> Pieces:
    """Return all pieces for the compounds ``joined`` (bool per row), none out of a sewer."""
    c, prices = site.corridors, site.prices
    inner = np.flatnonzero(c.kind == "inside")
    street = np.flatnonzero(c.kind != "inside")
    xy = np.zeros((c.n, 2))
    xy[c.a], xy[c.b] = c.start, c.end
    # from gate to gate of one compound
    owner, gate = c.a[inner], c.b[inner]
    pair = pd.DataFrame({"owner": owner, "gate": gate, "edge": inner})
    both = pair.merge(pair, on="owner")
    both = both[both["gate_x"] != both["gate_y"]]
    one, two = both["gate_x"].to_numpy(np.int64), both["gate_y"].to_numpy(np.int64)
    a = np.concatenate([c.a[street], c.b[street], one])
    b = np.concatenate([c.b[street], c.a[street], two])
    edge = np.concatenate([street, street, both["edge_x"].to_numpy(np.int64)])
    back = np.concatenate([np.zeros(len(street), bool), np.ones(len(street), bool), np.zeros(len(one), bool)])
    start = np.where(back[:, None], c.end[edge], c.start[edge])
    end = np.where(back[:, None], c.start[edge], c.end[edge])
    through = np.arange(len(a)) >= 2 * len(street)
    end[through] = xy[two]
    use = a != c.root
    a, b, edge, back, start, end, through = (x[use] for x in (a, b, edge, back, start, end, through))
    length = np.maximum(np.hypot(*(end - start).T), 0.1)
    count = costs.pieces(length, site.standard)
    first = np.cumsum(count) - count
    row = np.repeat(np.arange(len(a)), count)
    place = np.arange(len(row)) - first[row]
    p0 = start[row] + (end - start)[row] * (place / count[row])[:, None]
    p1 = start[row] + (end - start)[row] * ((place + 1) / count[row])[:, None]
    # inner ends are shared by both directions of a corridor, those through a compound stand alone
    inner_first = c.n + (np.cumsum(count - 1) - (count - 1))
    forward = np.full(len(c.a), -1)
    ahead = np.flatnonzero(~back & ~through)
    forward[edge[ahead]] = ahead
    twin = np.where(back & (forward[edge] >= 0), forward[edge], np.arange(len(a)))

    def inside(step: Array) -> Array:
        """Return the node after so many pieces."""
        at = np.where(back[row] & (twin[row] != row), count[row] - step, step)
        return np.asarray(inner_first[twin[row]] + at - 1)

    tail = np.where(place == 0, a[row], inside(place))
    head = np.where(place == count[row] - 1, b[row], inside(place + 1))
    ground_up, _ = site.ground.at(*p0.T)
    ground_down, _ = site.ground.at(*p1.T)
    target = np.where((place == count[row] - 1) & (b[row] == c.root), c.target[edge][row], -1)
    cover = np.where(target >= 0, site.targets.ground_m[np.maximum(target, 0)] if len(site.targets.ground_m) else 0, 0)
    ground_down = np.where(target >= 0, cover, ground_down)
    metre = (length / count)[row]
    crossing = np.where(through, 0.0, costs.crossings(c, prices)[edge])[row]
    at_first = place == np.where(back[row], count[row] - 1, 0)
    fixed = costs.surface_per_metre(site.surface[edge], prices)[row] * metre + np.where(at_first, crossing, 0.0)
    least = fixed + metre * costs.least_per_metre(site.standard, prices) + costs.least_manhole(site.standard, prices)
    # a compound begins at any of its gates; and, which helps it to nothing but lets an ascent waste nothing, between them
    mine = np.flatnonzero(joined[owner - c.compound])
    between = np.flatnonzero(through[row] & (place > 0))
    lord = np.full(c.n, -1)
    lord[gate] = owner
    between = between[joined[lord[a[row[between]]] - c.compound]]
    owner = np.concatenate([owner[mine], lord[a[row[between]]]])
    gate = np.concatenate([gate[mine], tail[between]])
    inner = np.concatenate([inner[mine], edge[row[between]]])
    k, zero = len(owner), np.zeros(len(owner))
    level = np.concatenate([site.ground.at(*xy[gate[: len(mine)]].T)[0], ground_up[between]])

    def add(x: Array, y: Array) -> Array:
        return np.concatenate([x, y])

    return Pieces(
        n=int(c.n + (count - 1).sum()), root=c.root, tail=add(tail, owner), head=add(head, gate),
        length=add(metre, zero), ground_up=add(ground_up, level), ground_down=add(ground_down, level),
        fixed=add(fixed, zero), target=add(target, np.full(k, -1)), edge=add(edge[row], inner),
        own=add(np.zeros(len(row), bool), np.ones(k, bool)), least=add(least, zero),
    )  # fmt: skip


def flattest(households: Array, standard: Standard) -> Array:
    """Return the least slope by size at any flow there can be: from the smallest compound to all; infinite for none."""
    flow = np.append(np.geomspace(max(households.min(), 1e-3), households.sum(), 400), households.sum())
    sizes = np.array(standard.allowed_mm)
    need, most = least_slopes(standard.design_flow_lps(flow) / 1000.0, sizes, standard)
    slope = np.where(need <= most, need, np.inf).min(axis=0)
    return np.asarray(np.maximum(slope * 0.999, np.minimum(standard.slope(sizes), slope)))


@dataclass(frozen=True, slots=True)
class Rules:
    """What every pipe keeps to: sizes worth looking at, their least slopes, prices by size and depth that never fall."""

    diameter: Array
    offset: Array
    slope: Array
    pipe: Array
    hole: Array
    cover: float
    deepest: float
    pump: float
    drop: float
    drop_m: float

    @classmethod
    def of(cls, site: Site, joined: Array) -> Rules:
        """Collect them for the flows there can be: from the smallest compound to all of them."""
        standard, prices = site.standard, site.prices
        sizes = np.array(standard.allowed_mm)
        some = site.households[joined]
        slope = flattest(some, standard)
        use = [0]
        for j in range(1, len(sizes)):
            if slope[j] < slope[use[-1]] - 1e-12:
                use.append(j)
        use = [j for j in use if np.isfinite(slope[j])] or [0]
        depth = np.arange(0.0, standard.max_depth_m + 2 * _DEPTH_M, _DEPTH_M)
        pipe = np.stack([prices.pipe_cost(sizes[j], depth, depth, 1.0) for j in use])
        hole = np.stack([prices.manhole_cost(sizes[j], depth) for j in use])
        # never less than what is deeper: then the highest levels are the cheapest in the bound, whatever the prices
        pipe, hole = (np.minimum.accumulate(x[:, ::-1], axis=1)[:, ::-1].copy() for x in (pipe, hole))
        pump = float(prices.pump_cost(standard.design_flow_lps(some.min()), 0.0))
        diameter = sizes[use] / 1000.0
        return cls(
            diameter, diameter if standard.join == "crown" else np.zeros(len(use)), slope[use], pipe, hole,
            standard.min_cover_m, standard.max_depth_m, pump, prices.drop_manhole, standard.drop_manhole_m,
        )  # fmt: skip


@kernel
def _lay(
    tail: Array, head: Array, length: Array, ground_up: Array, ground_down: Array, fixed: Array, invert: Array, own: Array,
    least: Array, root: int, far: Array, roof: Array, low: Array, high: Array, base: Array, step: float, fall: float,
    diameter: Array, offset: Array, slope: Array, pipe: Array, hole: Array, cover: float, deepest: float, drop: float,
    drop_m: float, depth_m: float, hubs: int, x_out: Array, y_out: Array, c_out: Array, e_out: Array, write: bool,
) -> int:  # fmt: skip
    """Write (or only count) the arcs between states; ``e_out`` is the piece, return how many."""
    m = 0
    last = pipe.shape[1] - 1
    for i in range(len(tail)):
        x, y = tail[i], head[i]
        if own[i]:
            if write:
                x_out[m], y_out[m], c_out[m], e_out[m] = base[x], base[y] + high[y] - low[y], 0.0, i
            m += 1
            continue
        # pumped: the piece at its least, up to the top
        if write:
            x_out[m] = hubs + x
            y_out[m] = base[y] + high[y] - low[y] if y != root else base[root]
            c_out[m], e_out[m] = least[i], i
        m += 1
        for k in range(low[x], high[x] + 1):
            z = min(k * step - fall * far[x], roof[x])
            before = low[y] - 1
            for j in range(len(diameter)):
                d = diameter[j]
                up = min(z - offset[j], ground_up[i] - cover - d)
                down = min(up - slope[j] * length[i], ground_down[i] - cover - d)
                if ground_up[i] - up > deepest + 1e-6 or ground_down[i] - down > deepest + 1e-6:
                    continue
                if y == root:
                    if down < invert[i] - 1e-6:
                        continue
                    to = 0
                else:
                    to = int(np.ceil((down + offset[j] + fall * far[y]) / step - 1e-7))
                    to = min(to, high[y])
                    if to < low[y]:
                        continue
                    if to <= before:  # a smaller size arrives as high
                        continue
                    before = to
                mean = 0.5 * (ground_up[i] - up + ground_down[i] - down)
                a = min(max(int(mean / depth_m), 0), last)
                b = min(max(int((ground_up[i] - up) / depth_m), 0), last)
                cost = fixed[i] + length[i] * pipe[j, a] + hole[j, b]
                if y == root and down - invert[i] > drop_m + 1e-6 and invert[i] > -1e8:
                    deeper = 0.5 * (down - invert[i] - drop_m)
                    a2 = min(max(int((mean + deeper) / depth_m), 0), last)
                    cost += min(drop, length[i] * (pipe[j, a2] - pipe[j, a]))
                if write:
                    x_out[m], y_out[m], c_out[m], e_out[m] = base[x] + k - low[x], base[y] + to, cost, i
                    if y != root:
                        y_out[m] -= low[y]
                m += 1
    return m


@dataclass(frozen=True, slots=True)
class Storeys:
    """Arcs between states, ``piece`` the row of `Pieces` that each one lays, -1 for drops and pumps."""

    n: int
    root: int
    tail: Array
    head: Array
    cost: Array
    piece: Array
    terminals: Array
    level: Array  # of each state, in steps; hubs and the root: large


def spread(
    site: Site, rules: Rules, some: Pieces, joined: Array, step: float, floor: Array | None, *, falling: bool = True
) -> Storeys:
    """Return the graph of states at rows ``step`` metres apart; ``floor``: lowest useful level per node, in metres.

    Rows that fall towards the network (``falling``) lose nothing to rounding on the shortest way there; level rows lose less
    on every other way. Both round in favour of the plan, so that either gives a valid bound.
    """
    c, n = site.corridors, some.n
    fall = float(rules.slope.max() if len(rules.slope) == 1 else rules.slope[0])
    roof = np.full(n, -np.inf)
    bed = np.full(n, np.inf)
    shallow = rules.cover + float((rules.diameter - rules.offset).min())
    np.maximum.at(roof, some.tail, some.ground_up - shallow)
    np.minimum.at(bed, some.tail, some.ground_up - rules.deepest)
    lower = some.head != some.root
    np.maximum.at(roof, some.head[lower], some.ground_down[lower] - shallow)
    np.minimum.at(bed, some.head[lower], some.ground_down[lower] - rules.deepest)
    if floor is not None:
        bed = np.maximum(bed, floor)
    there = np.isfinite(roof)
    roof, bed = np.where(there, roof, 0.0), np.where(there, bed, 0.0)
    far = -_way(some) if falling else np.zeros(n)
    low = np.floor((bed + fall * far) / step).astype(np.int64)
    high = np.ceil((roof + fall * far) / step - 1e-7).astype(np.int64)
    low = np.minimum(low, high)
    begin = np.zeros(n, bool)
    begin[c.compound : c.compound + c.compounds] = True
    begin[some.root] = True
    low[begin] = high[begin] = 0
    wide = np.where(there | begin, high - low + 1, 0)
    base = np.cumsum(wide) - wide
    hubs = int(wide.sum())
    invert = np.full(len(some.tail), -1e9)
    at = some.target >= 0
    invert[at] = np.nan_to_num(site.targets.invert_m[some.target[at]], nan=-1e9)
    rest = (
        some.tail, some.head, some.length, some.ground_up, some.ground_down, some.fixed, invert, some.own, some.least,
        some.root, far, roof, low, high, base, step, fall, rules.diameter, rules.offset, rules.slope, rules.pipe,
        rules.hole, rules.cover, rules.deepest, rules.drop, rules.drop_m, _DEPTH_M, hubs,
    )  # fmt: skip
    none = np.empty(0, np.int64)
    m = _lay(*rest, none, none, np.empty(0), none, False)
    tail, head, cost, piece = np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m), np.empty(m, np.int64)
    _lay(*rest, tail, head, cost, piece, True)
    # drops, and pumps in the lowest state
    node = np.repeat(np.arange(n), wide)
    state = np.arange(hubs)
    above = state[(state > base[node]) & ~begin[node]]
    real = np.flatnonzero(there & ~begin)
    tail = np.concatenate([tail, above, base[real]])
    head = np.concatenate([head, above - 1, hubs + real])
    cost = np.concatenate([cost, np.zeros(len(above)), np.full(len(real), rules.pump)])
    piece = np.concatenate([piece, np.full(len(above) + len(real), -1)])
    level = np.full(hubs + n, np.inf)
    level[:hubs] = np.where(begin[node], np.inf, (state - base[node] + low[node]) * step - fall * far[node])
    terminals = base[c.compound + np.flatnonzero(joined)]
    return Storeys(hubs + n, int(base[some.root]), tail, head, cost, piece, terminals, level)


def _way(some: Pieces) -> Array:
    """Return the distance of each node to the served network along the water, in metres; nought where no way leads."""
    order = np.argsort(some.head, kind="stable")
    ptr = np.searchsorted(some.head[order], np.arange(some.n + 1))
    far = np.empty(some.n)
    shortest(np.array([some.root]), ptr, some.tail[order], order, some.length, False, far)
    return np.where(np.isfinite(far), far, 0.0)


__all__ = ["Pieces", "Rules", "Storeys", "pieces", "spread"]
