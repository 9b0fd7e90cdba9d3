"""This module tells quickly what a layout costs, when most of it was costed a moment ago.

A search tries thousands of trees that differ in a few corridors. What can stand at the lower end of a pipe depends only on
what lies above it, so the labels of `fronts` are kept from one tree to the next, and only pipes below a change are worked out
again. The sum is the one that `layout.lay` gives; where water levels are matched, ties may make it differ by a trifle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mapapp.plan import costs, fronts
from mapapp.plan.hydraulics import least_slopes, rules
from mapapp.plan.layout import Site
from mapapp.plan.steiner.graph import csr
from mapapp.plan.steiner.kernel import kernel

Array = np.ndarray[Any, Any]

FAILED = 1e12
"""A tree that cannot be sized is dearer than everything."""
_FORGET = 10
"""Old labels are dropped when they take so many times the room of one tree."""


class Slots(NamedTuple):
    """Every pipe that there can be: a corridor one way, the other way, or through a compound, cut at manholes.

    ``first`` and ``pieces`` of shape (2 m,): pipes along edge e from ``a`` to ``b`` at 2 e, back at 2 e + 1. Through compound
    r from its gate i to its gate j: ``(r width + i) width + j`` of ``through``; ``place`` is the number of an inside edge
    among those of its compound.
    """

    first: Array
    pieces: Array
    through: Array
    through_count: Array
    place: Array
    width: int
    ground_up: Array
    ground_down: Array
    length: Array
    outlet: Array
    fixed: Array


class Pipes(NamedTuple):
    """The pipes of one tree, heads first.

    Number in `Slots`, pipe below (-1), households, corridor; node and compound at the upper end (-1 where there is none).
    """

    slot: Array
    down: Array
    load: Array
    edge: Array
    node: Array
    own: Array
    kid_ptr: Array
    kid: Array


@kernel
def _arrange(
    edges: Array, b: Array, ptr: Array, adj: Array, eid: Array, root: int, compound: int, households: Array, inside: Array,
    first: Array, count: Array, through: Array, through_count: Array, place: Array, width: int, intree: Array, via: Array,
    up: Array, order: Array, seat: Array, load: Array, top: Array,
) -> tuple[Array, Array, Array, Array, Array, Array, Array, Array]:  # fmt: skip
    """Return the pipes of the tree ``edges``, as `Pipes`; none where the edges are no tree that holds the root."""
    for e in edges:
        intree[e] = True
    via[root] = -1
    order[0] = root
    reached, head, tree = 1, 0, True
    while head < reached and tree:
        x = order[head]
        head += 1
        for s in range(ptr[x], ptr[x + 1]):
            e = eid[s]
            if intree[e] and e != via[x]:
                if reached > len(edges):
                    tree = False  # more steps than edges: a ring
                    break
                y = adj[s]
                via[y], up[y], seat[y], load[y] = e, x, y, 0.0
                order[reached] = y
                reached += 1
    for e in edges:
        intree[e] = False
    none = np.empty(0, np.int64)
    if not tree or reached != len(edges) + 1:
        return none, none, np.empty(0), none, none, none, none, none
    last = compound + len(households)
    n = 0
    for i in range(1, reached):  # a compound stands at the gate by which it leaves
        x = order[i]
        if compound <= x < last:
            seat[x] = up[x]
            load[up[x]] += households[x - compound]
    for i in range(reached - 1, 0, -1):
        x = order[i]
        if compound <= x < last:
            continue
        e, to = via[x], up[x]
        if inside[e]:
            k = through_count[((to - compound) * width + place[e]) * width + place[via[to]]]
        else:
            k = count[2 * e + (1 if b[e] == x else 0)]
        top[x] = n
        n += k
        if to != root:
            load[seat[to]] += load[x]
    slot, down, edge, node, own = (
        np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    )  # fmt: skip
    flow = np.empty(n)
    m = 0
    for i in range(reached - 1, 0, -1):
        x = order[i]
        if compound <= x < last:
            continue
        e, to = via[x], up[x]
        if inside[e]:
            k = ((to - compound) * width + place[e]) * width + place[via[to]]
            base, pieces = through[k], through_count[k]
        else:
            k = 2 * e + (1 if b[e] == x else 0)
            base, pieces = first[k], count[k]
        for j in range(pieces):
            slot[m], down[m], edge[m], flow[m], node[m], own[m] = base + j, m + 1, e, load[x], -1, -1
            m += 1
        down[m - 1] = top[seat[to]] if to != root else -1
        node[m - pieces] = x
    for i in range(1, reached):
        x = order[i]
        if compound <= x < last:
            own[top[up[x]]] = x - compound
    kid_ptr = np.zeros(n + 1, np.int64)
    for i in range(n):
        if down[i] >= 0:
            kid_ptr[down[i] + 1] += 1
    kid_ptr = np.cumsum(kid_ptr)
    kid = np.empty(kid_ptr[n], np.int64)
    fill = kid_ptr[:n].copy()
    for i in range(n):
        if down[i] >= 0:
            kid[fill[down[i]]] = i
            fill[down[i]] += 1
    return slot, down, flow, edge, node, own, kid_ptr, kid


@kernel
def _changed(
    slot: Array, down: Array, load: Array, kid_ptr: Array, kid: Array, old_load: Array, old_mark: Array, old_spare: Array,
    old_begin: Array, old_end: Array, mark: Array, spare: Array, begin: Array, end: Array, dirty: Array,
) -> None:  # fmt: skip
    """Note which pipes must be worked out again, and where the labels of the others are.

    ``spare``: households of the pipe below, rounded up to a power of two, so that small changes there touch nothing here.
    """
    for i in range(len(slot)):
        s = slot[i]
        total = 0
        again = False
        for j in range(kid_ptr[i], kid_ptr[i + 1]):
            k = slot[kid[j]]
            total += (k + 1) * (k + 7919) * 2654435761
            again |= dirty[kid[j]]
        mark[i] = total
        spare[i] = np.nan if down[i] < 0 else 2.0 ** np.ceil(np.log2(max(load[down[i]], 1e-6)) - 1e-9)
        same = abs(old_load[s] - load[i]) <= 1e-9 * load[i] and old_mark[s] == total  # NaN is the same as nothing
        same &= old_spare[s] == spare[i] or (np.isnan(old_spare[s]) and down[i] < 0)
        dirty[i] = again or not same
        begin[i], end[i] = old_begin[s], old_end[s]


@kernel
def _sum(
    slot: Array, down: Array, kid_ptr: Array, kid: Array, labels: Array, begin: Array, end: Array, found: Array, outlet: Array,
    fixed: Array, drop_m: float, drop_cost: float, failed_cost: float,
) -> float:  # fmt: skip
    """Return the whole cost: cheapest labels at the outlets, what does not depend on sizes, drops."""
    n = len(slot)
    failed = np.zeros(n, np.bool_)
    total = 0.0
    for i in range(n - 1, -1, -1):
        if down[i] >= 0:
            failed[i] = failed[down[i]]
        elif begin[i] == end[i]:
            failed[i] = True
            total += failed_cost
        else:
            total += labels[begin[i] : end[i], 1].min()
        if failed[i]:
            continue
        below = found[down[i], 1] if down[i] >= 0 else outlet[slot[i]]
        total += fixed[slot[i]]
        if found[i, 2] - below > drop_m and below > -1e8:
            total += drop_cost
    return total


@kernel
def _above_pumps(down: Array, own: Array, mode: Array) -> tuple[Array, Array]:
    """Return pairs of a pump (pipe) and a compound whose sewage runs through it."""
    many = 0
    for turn in range(2):
        if turn == 1:
            pump, row = np.empty(many, np.int64), np.empty(many, np.int64)
        k = 0
        for i in range(len(down)):
            if own[i] < 0:
                continue
            at = i
            while at >= 0:
                if mode[at] > 0.0:
                    if turn == 1:
                        pump[k], row[k] = at, own[i]
                    k += 1
                at = down[at]
        many = k
    return pump, row


@dataclass(frozen=True, slots=True)
class Tried:
    """One tree as it was costed: its edges, pipes, a row (mm, up, down, mode, lift, sump) for each, and the sum."""

    edges: Array
    pipes: Pipes
    found: Array
    value: float
    state: tuple[Array, ...]

    def above_pumps(self) -> list[Array]:
        """Return the rows of the compounds above each pump, few first."""
        pump, row = _above_pumps(self.pipes.down, self.pipes.own, np.nan_to_num(self.found[:, 3]))
        order = np.lexsort((row, pump))
        groups = np.split(row[order], np.flatnonzero(np.diff(pump[order])) + 1) if len(pump) else []
        return sorted(groups, key=len)

    def trees(self) -> list[Array]:
        """Return the rows of the compounds of each tree."""
        top = np.arange(len(self.pipes.down))
        for i in range(len(top) - 1, -1, -1):
            if self.pipes.down[i] >= 0:
                top[i] = top[self.pipes.down[i]]
        begins = np.flatnonzero(self.pipes.own >= 0)
        order = begins[np.lexsort((self.pipes.own[begins], top[begins]))]
        return np.split(self.pipes.own[order], np.flatnonzero(np.diff(top[order])) + 1) if len(order) else []

    def levels(self, n: int, compound: int, kept: Array) -> Array:
        """Return the invert at which each of ``n`` nodes takes water, where edges ``kept`` (bool) are laid; else NaN."""
        level = np.full(n, np.nan)
        p = self.pipes
        use = np.flatnonzero((p.node >= 0) & kept[p.edge])
        level[p.node[use]] = np.where(self.found[use, 3] > 0, -np.inf, self.found[use, 1])
        use = use[p.own[use] >= 0]
        level[compound + p.own[use]] = level[p.node[use]]
        return level


class Trial:
    """Costs trees for a site; remembers the labels of the one that was taken last."""

    def __init__(self, site: Site) -> None:
        c = site.corridors
        self.site, self.net = site, csr(c.n, c.a, c.b)
        self.slots = slots(site)
        self.inside = np.asarray(c.kind == "inside")
        self.rules = rules(site.standard, site.prices, pumps=True)
        self.sizes = np.array(site.standard.allowed_mm, float)
        self.row: dict[float, int] = {}
        self.rates: tuple[Array, ...] = tuple(np.empty((64, len(self.sizes)), kind) for kind in (float, float, bool))
        n, k = c.n, len(self.slots.length)
        self.room = (
            np.zeros(len(c.a), bool),
            *(np.full(n, -1, np.int64) for _ in range(4)),
            np.zeros(n),
            np.zeros(n, np.int64),
        )
        self.blank = (
            np.full(k, np.nan),
            np.zeros(k, np.int64),
            np.full(k, np.nan),
            np.zeros(k, np.int64),
            np.zeros(k, np.int64),
        )
        self.old: tuple[Any, ...] = self.blank
        self.tables: tuple[Array, ...] = fronts.empty_tables(0)
        self.used, self.marks, self.fresh = 0, 0, 1
        self.last: Tried | None = None

    def cost(self, edges: Array) -> Tried | None:
        """Return what the tree ``edges`` costs; None where it is no tree at the root."""
        c, slots_, standard, prices = self.site.corridors, self.slots, self.site.standard, self.site.prices
        intree, via, up, order, seat, load, top = self.room
        found = _arrange(
            edges, c.b, self.net.ptr, self.net.adj, self.net.eid, c.root, c.compound, self.site.households, self.inside,
            *slots_[:6], intree, via, up, order, seat, load, top,
        )  # fmt: skip
        p = Pipes(*found)
        n = len(p.slot)
        if n == 0:
            return None
        mark, spare, dirty = np.empty(n, np.int64), np.empty(n), np.empty(n, bool)
        begin, end = np.empty(n, np.int64), np.empty(n, np.int64)
        seen: list[Any] = [p.slot, p.down, p.load, p.kid_ptr, p.kid, *self.old, mark, spare, begin, end, dirty]
        _changed(*seen)
        todo = np.flatnonzero(dirty)
        rate = np.zeros(n, np.int64)
        rate[todo] = self._rates(p.load[todo])
        flow = standard.design_flow_lps(p.load) / 1000.0
        state: list[Any] = [
            todo, p.kid_ptr, p.kid, slots_.ground_up[p.slot], slots_.ground_down[p.slot], slots_.length[p.slot], flow,
            np.where(np.isnan(spare), np.nan, standard.design_flow_lps(spare) / 1000.0), np.full(n, np.inf),
            slots_.outlet[p.slot], rate, *self.rates, *self.rules, *self.tables, self.used, self.marks, begin, end,
        ]  # fmt: skip
        *tables, used, marks = fronts.advance(*state)
        self.tables = tuple(tables)
        labels, picked, chosen = self.tables
        out = fronts.read_back(np.arange(n), p.kid_ptr, p.kid, labels, picked, chosen, begin, end)
        value = _sum(
            p.slot, p.down, p.kid_ptr, p.kid, labels, begin, end, out, slots_.outlet, slots_.fixed,
            standard.drop_manhole_m, prices.drop_manhole, FAILED,
        )  # fmt: skip
        return Tried(edges, p, out, float(value), (p.load, mark, spare, begin, end, np.array([used, marks])))

    def cheapest(self, one: Array, two: Array | None) -> Array:
        """Return the cheaper tree of two; the first where the second is none."""
        a = self.cost(one)
        b = self.cost(two) if two is not None else None
        return two if two is not None and b is not None and (a is None or b.value < a.value) else one

    def take(self, tried: Tried) -> None:
        """Remember this tree; it must be the one costed last."""
        self.used, self.marks = (int(x) for x in tried.state[-1])
        if self.used > _FORGET * self.fresh:  # once more from nothing
            self.old, self.used, self.marks = self.blank, 0, 0
            again = self.cost(tried.edges)
            assert again is not None
            tried = again
            self.used, self.marks = (int(x) for x in tried.state[-1])
            self.fresh = self.used
        old = tuple(x.copy() for x in self.blank)
        for to, values in zip(old, tried.state[:-1], strict=True):
            to[tried.pipes.slot] = values
        self.old, self.last = old, tried

    def _rates(self, households: Array) -> Array:
        """Return the row of slopes for each of these flows, worked out where they are new."""
        keys, which = np.unique(np.round(households, 6), return_inverse=True)
        new = np.array([k for k in keys.tolist() if k not in self.row])
        if len(new):
            flow = self.site.standard.design_flow_lps(new) / 1000.0
            need, most = least_slopes(flow, self.sizes, self.site.standard)
            at, more = len(self.row), len(self.row) + len(new)
            if more > len(self.rates[0]):
                self.rates = tuple(np.resize(x, (2 * more, len(self.sizes))) for x in self.rates)
            for table, values in zip(self.rates, (need, most, need <= most), strict=True):
                table[at:more] = values
            self.row.update(zip(new.tolist(), range(at, more), strict=True))
        return np.array([self.row[k] for k in keys.tolist()], np.int64)[which]


def slots(site: Site) -> Slots:
    """Return all pipes that may be laid."""
    c, prices = site.corridors, site.prices
    m = len(c.a)
    inner = np.flatnonzero(c.kind == "inside")
    row = c.a[inner] - c.compound
    order = np.argsort(row, kind="stable")
    place = np.zeros(m, np.int64)
    sorted_row = row[order]
    place[inner[order]] = np.arange(len(inner)) - np.searchsorted(sorted_row, sorted_row)
    width = int(place.max(initial=0)) + 1
    # from gate to gate of one compound
    by_place = np.full((max(c.compounds, 1), width), -1)
    by_place[row, place[inner]] = inner
    r, i, j = (x.ravel() for x in np.indices((len(by_place), width, width)))
    pair = (by_place[r, i] >= 0) & (by_place[r, j] >= 0) & (i != j)
    one, two = by_place[r[pair], i[pair]], by_place[r[pair], j[pair]]
    street = np.flatnonzero(c.kind != "inside")
    start = np.concatenate([c.start[street], c.end[one]])
    end = np.concatenate([c.end[street], c.end[two]])
    edge = np.concatenate([street, one])
    length = np.maximum(np.hypot(*(end - start).T), 0.1)
    count = costs.pieces(length, site.standard)
    # ground where pieces meet, ends included
    at = np.cumsum(count + 1) - (count + 1)
    who = np.repeat(np.arange(len(edge)), count + 1)
    share = (np.arange(len(who)) - at[who]) / count[who]
    level, _ = site.ground.at(*(start[who] + (end - start)[who] * share[:, None]).T)
    first = np.cumsum(count) - count
    piece = np.repeat(np.arange(len(edge)), count)
    step = np.arange(len(piece)) - first[piece]
    upper, lower = level[at[piece] + step], level[at[piece] + step + 1]
    target = np.where(step == count[piece] - 1, c.target[edge][piece], -1)
    known = np.maximum(target, 0)
    invert, cover = (
        np.where(target >= 0, x[known], np.nan) if len(x) else np.full(len(target), np.nan)
        for x in (site.targets.invert_m, site.targets.ground_m)
    )
    metre = (length / count)[piece]
    surface = costs.surface_per_metre(site.surface[edge], prices)[piece] * metre
    once = np.where(step == 0, costs.crossings(c, prices)[edge][piece], 0.0)
    # the other way: the same pieces, last first
    back = np.flatnonzero(piece < len(street))
    mirror = first[piece[back]] + count[piece[back]] - 1 - step[back]
    forward = len(piece)
    firsts, counts = np.zeros(2 * m, np.int64), np.zeros(2 * m, np.int64)
    firsts[2 * street], counts[2 * street] = first[: len(street)], count[: len(street)]
    firsts[2 * street + 1], counts[2 * street + 1] = forward + first[: len(street)], count[: len(street)]
    through, through_count = np.zeros(len(r), np.int64), np.zeros(len(r), np.int64)
    through[pair], through_count[pair] = first[len(street) :], count[len(street) :]
    return Slots(
        firsts, counts, through, through_count, place, width,
        np.concatenate([upper, lower[mirror]]), np.concatenate([np.where(np.isfinite(cover), cover, lower), upper[mirror]]),
        np.concatenate([metre, metre[mirror]]),
        np.nan_to_num(np.concatenate([invert, np.full(len(back), np.nan)]), nan=-np.inf),
        np.concatenate([surface + once, surface[mirror] + once[back]]),
    )  # fmt: skip
