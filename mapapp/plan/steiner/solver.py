"""This module finds a short Steiner tree with a proof of how good it is.

Reduce, bound from below by dual ascent, build on the arcs that the ascent saturated, improve locally, delete by bound,
and again from other roots; then search large neighbourhoods until nothing helps or time is up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.plan.steiner import dual, local, paths
from mapapp.plan.steiner.exact import fill, remaining, walk_back
from mapapp.plan.steiner.graph import Csr, Graph, csr
from mapapp.plan.steiner.reduce import reduce

Array = np.ndarray[Any, Any]

_WORK = 3_000_000
"""Elementary steps between two looks at the clock, about 20 ms."""
_EXACT_WORK = 3e8
_EXACT_CELLS = 2e7
_LARGE = 60_000
"""Nodes beyond which neighbourhoods are not searched deeper, but trees recombined."""
_SHAKE = 1.3
_UNION_S = 4.0


@dataclass(frozen=True, slots=True)
class SteinerTree:
    """A tree over the terminals.

    Attributes
    ----------
    edges : ndarray of int64
        Numbers of the chosen edges, ascending.
    cost : float
        Sum of their costs.
    lower_bound : float
        No tree costs less; at most ``cost``.
    """

    edges: Array
    cost: float
    lower_bound: float

    @property
    def gap_pct(self) -> float:
        """How far ``cost`` may at most lie above the optimum, in per cent of the bound."""
        if self.cost <= self.lower_bound:
            return 0.0
        return 100.0 * (self.cost / self.lower_bound - 1.0) if self.lower_bound > 0 else float("inf")


def steiner_tree(
    tail: Array, head: Array, cost: Array, terminals: Array, *, seed: int = 0, time_limit_s: float | None = None
) -> SteinerTree:
    """Return a short tree that joins all terminals, and a lower bound.

    Parameters
    ----------
    tail, head : array of int, shape (m,)
        Ends of the undirected edges; node numbers from 0, gaps allowed. Loops and parallel edges are allowed.
    cost : array of float, shape (m,)
        Finite, not negative; zero is allowed.
    terminals : array of int, shape (k,)
        Nodes to join; repeated ones count once. None or one gives an empty tree.
    seed : int
        Two calls with one seed return the same tree, unless the time limit ended one of them.
    time_limit_s : float, optional
        Seconds; kept to about a tenth of a second on street networks. None stops when the search finds nothing more.

    Raises
    ------
    InputError
        Arrays of different length, negative or infinite costs, terminals that are not connected to each other.

    Notes
    -----
    The first call in a process loads compiled kernels (see `warm_up`).
    """
    started = time.monotonic()
    limit = np.inf if time_limit_s is None else float(time_limit_s)

    def late(share: float = 1.0) -> bool:
        return time.monotonic() - started > share * limit

    u, v, w, t = _checked(tail, head, cost, terminals)
    m = len(u)
    nodes, where = np.unique(np.concatenate([u, v, t]), return_inverse=True)
    u, v, t = where[:m], where[m : 2 * m], np.unique(where[2 * m :])
    if len(t) <= 1:
        return SteinerTree(np.empty(0, np.int64), 0.0, 0.0)
    _connected(len(nodes), u, v, t, nodes)
    terminal = np.zeros(len(nodes), bool)
    terminal[t] = True
    graph = Graph(len(nodes), u.copy(), v.copy(), w.copy(), np.arange(m, dtype=np.int64), terminal, m)
    graph.tidy()
    search = _Search(graph, u, v, w, t, np.random.default_rng(seed), late)
    search.run()
    return search.result()


def warm_up() -> None:
    """Compile or load every kernel, so that the first plan is as quick as the second."""
    rng = np.random.default_rng(0)
    side = 12
    x = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([x[:, :-1].ravel(), x[:-1].ravel()])
    head = np.concatenate([x[:, 1:].ravel(), x[1:].ravel()])
    steiner_tree(tail, head, rng.uniform(1, 2, len(tail)), rng.choice(side * side, 24, replace=False), time_limit_s=1.0)
    steiner_tree(tail, head, rng.uniform(1, 2, len(tail)), np.array([0, 40, 77, 143]), time_limit_s=1.0)


def _checked(tail: Array, head: Array, cost: Array, terminals: Array) -> tuple[Array, Array, Array, Array]:
    u, v = np.asarray(tail, np.int64).ravel(), np.asarray(head, np.int64).ravel()
    w, t = np.asarray(cost, np.float64).ravel(), np.asarray(terminals, np.int64).ravel()
    if not len(u) == len(v) == len(w):
        raise InputError(
            Text(
                f"起点 {len(u)}、终点 {len(v)}、费用 {len(w)} 个数不一。",
                f"{len(u)} tails, {len(v)} heads, {len(w)} costs.",
            ),
            Text("三者须等长。", "All three must have one length."),
        )
    if len(w) and not (np.isfinite(w).all() and (w >= 0).all()):
        bad = float(w[~(np.isfinite(w) & (w >= 0))][0])
        raise InputError(
            Text(f"有一条边的费用为 {bad}。", f"An edge costs {bad}."),
            Text("费用须为有限的非负数。", "Costs must be finite and not negative."),
        )
    return u, v, w, t


def _connected(n: int, u: Array, v: Array, t: Array, names: Array) -> None:
    net = csr(n, u, v)
    dist = np.empty(n)
    paths.shortest(t[:1], net.ptr, net.adj, net.inarc, np.zeros(2 * len(u)), True, dist)
    lost = t[np.isinf(dist[t])]
    if len(lost):
        a, b = int(names[t[0]]), int(names[lost[0]])
        raise InputError(
            Text(
                f"{len(lost)} 个端点（如 {b}）与端点 {a} 不连通。",
                f"{len(lost)} terminals (such as {b}) are cut off from {a}.",
            ),
            Text("请按连通分量分别求解。", "Solve each connected component by itself."),
        )


class _Search:
    """One run: the graph as it shrinks, the best tree in original edges, the best bound."""

    def __init__(
        self, graph: Graph, u: Array, v: Array, w: Array, t: Array, rng: np.random.Generator,
        late: Callable[..., bool],
    ) -> None:  # fmt: skip
        self.graph, self.u, self.v, self.w, self.t = graph, u, v, w, t
        self.rng, self.late = rng, late
        self.best = np.inf
        self.edges = np.empty(0, np.int64)
        self.bound = 0.0
        self.whole = bool((w == np.floor(w)).all()) and float(w.sum()) < 2**50

    # -- what is known

    def offer(self, h: Array) -> None:
        """Take the tree over reduced edges ``h`` if it is a better one, after checking it in the original graph."""
        fixed = np.array(self.graph.fixed, np.int64)
        chosen = self.graph.expand(np.concatenate([h, fixed]))
        edges = self._pruned(chosen)
        if edges is None:
            return
        cost = float(self.w[edges].sum())
        if cost < self.best:
            self.best, self.edges = cost, edges

    def _pruned(self, chosen: Array) -> Array | None:
        """Return the pruned minimum spanning tree of original edges ``chosen``; None when terminals fall apart."""
        nodes, where = np.unique(np.concatenate([self.u[chosen], self.v[chosen], self.t]), return_inverse=True)
        k, n = len(chosen), len(nodes)
        net = csr(n, where[:k], where[k : 2 * k])
        terminal = np.zeros(n, bool)
        terminal[where[2 * k :]] = True
        par, pare = np.empty(n, np.int64), np.empty(n, np.int64)
        root = int(where[2 * k])
        inside = np.ones(n, bool)
        cost = paths.span(root, net.ptr, net.adj, net.eid, self.w[chosen], terminal, inside, par, pare)
        return np.sort(chosen[pare[pare >= 0]]) if np.isfinite(cost) else None

    def raise_bound(self, value: float) -> None:
        """Note a bound of the reduced problem; deletions by bound keep ``min(best, value)`` valid."""
        total = value + self.graph.fixed_cost
        total = np.ceil(total - 1e-6) if self.whole else total * (1.0 - 1e-12)
        self.bound = max(self.bound, min(total, self.best))

    def solved(self) -> bool:
        """Whether the bound meets the best tree."""
        return self.bound >= self.best * (1.0 - 1e-12)

    def result(self) -> SteinerTree:
        """Return what was found."""
        return SteinerTree(self.edges, self.best, min(self.bound, self.best))

    # -- the way

    def run(self) -> None:
        """Reduce, bound, build, improve; in turns."""
        self.first_tree()
        if self.late(0.5):
            self.ascent(self.root())
            return
        reduce(self.graph, lambda: self.late(0.4))
        if self.trivial() or self.small():
            return
        roots = 0
        while roots < 10 and not self.solved() and (roots == 0 or not self.late(0.35)):
            before = len(self.graph.u)
            done = self.ascent(self.root(roots), (3,) if roots % 3 == 0 else (3, 5))
            roots += 1
            if self.trivial() or not done:
                break
            if len(self.graph.u) < 0.9 * before or roots == 1:
                reduce(self.graph, lambda: self.late(0.4), rounds=3)
                if self.trivial() or self.small():
                    return
        if not self.solved():
            self.improve()

    def trivial(self) -> bool:
        """Whether reduction alone solved it; then note the tree and the bound."""
        if len(self.graph.terminals) > 1 and len(self.graph.u):
            return False
        self.offer(np.empty(0, np.int64))
        self.raise_bound(0.0)
        self.bound = max(self.bound, min(self.best, self.graph.fixed_cost))
        return True

    def root(self, turn: int = 0) -> int:
        """Return a terminal; the first is the best connected one."""
        t = self.graph.terminals
        if turn == 0:
            degree = np.bincount(np.concatenate([self.graph.u, self.graph.v]), minlength=self.graph.n)
            return int(t[np.argmax(degree[t])])
        return int(self.rng.choice(t))

    def first_tree(self) -> None:
        """Build a tree at once, so that there always is one."""
        g, net = self.graph, self.graph.csr()
        best = np.empty(g.n, np.int64)
        paths.best_of(self._starts(1), net.ptr, net.adj, net.eid, g.w, g.w, g.terminal, best)
        self.offer(g.h[best[best >= 0]])

    def _starts(self, k: int) -> Array:
        t = self.graph.terminals
        return self.rng.choice(t, min(k, len(t)), replace=False)

    def small(self) -> bool:
        """Solve exactly when few terminals are left; return whether that was done."""
        g = self.graph
        t = g.terminals
        s = len(t) - 1
        if s > 12 or 2.0**s * g.n > _EXACT_CELLS or 3.0**s * g.n + 2.0**s * 20 * len(g.u) > _EXACT_WORK:
            return False
        number = np.argsort(np.argsort(~g.terminal, kind="stable"), kind="stable")  # terminals first
        net = csr(g.n, number[g.u], number[g.v])
        own = np.repeat(np.arange(g.n), np.diff(net.ptr))
        cost = g.w[net.eid]
        sets = 1 << s
        d, pred = np.empty((sets, g.n)), np.empty((sets, g.n), np.int64)
        heap, pos = np.empty(g.n, np.int64), np.full(g.n, -1, np.int64)
        limit = np.nextafter((self.best - g.fixed_cost) * (1 + 1e-9), np.inf)
        left = np.empty(g.n)
        remaining(s, g.n, net.ptr, net.adj, cost, own, left, heap, pos)
        chunk = max(1, int(_WORK / (g.n + 4 * len(g.u))))
        for first in range(1, sets, chunk):
            if self.late(0.7):
                return False
            last = min(sets, first + chunk)
            fill(s, g.n, net.ptr, net.adj, cost, limit, first, last, left, d, pred, heap, pos)
        value = float(d[sets - 1, s])
        if np.isinf(value):  # nothing beats the tree at hand
            self.bound = self.best
            return True
        out = np.empty(4 * g.n * (s + 1), np.int64)
        k = walk_back(s, own, pred, np.empty((2 * s + 4, 2), np.int64), out)
        self.offer(g.h[np.unique(net.eid[out[:k]])])
        self.raise_bound(value)
        return True

    def ascent(self, root: int, sweeps: tuple[int, ...] = (3,)) -> bool:
        """Bound from ``root``, build and improve on the saturated arcs, delete by bound; False when time ran out."""
        g, net = self.graph, self.graph.csr()
        n = g.n
        rc = np.repeat(g.w, 2)
        key, heap, pos = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64)
        active, mark = np.zeros(n, bool), np.zeros(n, bool)
        size = dual.start(root, g.terminals, net.ptr, key, heap, pos, active)
        value = 0.0
        first = True
        while size and (first or not self.late()):  # at least one stretch: a bound there must be
            first = False
            gained, size = dual.ascend(root, net.ptr, net.adj, net.inarc, rc, key, heap, pos, active, size, mark, _WORK)
            value += gained
            self.raise_bound(value)
        if size or self.solved():
            return False
        zero = (rc[0::2] == 0.0) | (rc[1::2] == 0.0)
        guide = np.where(zero, g.w, np.inf)
        starts = self._starts(max(2, min(12, 200_000 // (n + 1))))
        best, one, found = np.empty(n, np.int64), np.empty(n, np.int64), np.inf
        for s in starts:
            if self.late(0.8):
                break
            cost = paths.best_of(np.array([s]), net.ptr, net.adj, net.eid, guide, g.w, g.terminal, one)
            if cost < found:
                found, best, one = cost, one, best
        if np.isfinite(found):
            self.refine(net, best, sweeps=sweeps)
        if self.solved() or self.late(0.8):
            return not self.late(0.8)
        down, up = np.empty(n), np.empty(n)
        paths.shortest(np.array([root]), net.ptr, net.adj, net.inarc, rc, True, down)
        others = g.terminals
        paths.shortest(others[others != root], net.ptr, net.adj, net.inarc, rc, False, up)
        drop = np.zeros(len(g.u), bool)
        slack = self.best * (1 + 1e-9) - g.fixed_cost - value
        if self.whole:  # a better tree is better by one
            slack = max(slack - 1.0 + 1e-6, 0.0)
        dual.deletable(g.u, g.v, rc, down, up, slack, drop)
        g.take(~drop)
        g.tidy()
        return self.still_whole()

    def still_whole(self) -> bool:
        """After deletions by bound the terminals may fall apart: then nothing beats the best tree."""
        g, net = self.graph, self.graph.csr()
        dist = np.empty(g.n)
        t = g.terminals
        paths.shortest(t[:1], net.ptr, net.adj, net.inarc, np.zeros(2 * len(g.u)), True, dist)
        if np.isinf(dist[t]).any():
            self.bound = self.best
            return False
        return True

    def refine(self, net: Csr, pare: Array, sweeps: tuple[int, ...], again: bool = False) -> Array:
        """Improve the tree of parent edges ``pare`` by moves of so many parts, offer it and return it (bool per edge)."""
        g = self.graph
        tree = self.plant(net, pare)
        field = local.Net(net.ptr, net.adj, net.eid, g.w, g.terminal)
        room = local.room(g.n, len(g.u))
        seed = np.array([int(self.rng.integers(1 << 30))], np.int64)
        for parts in sweeps:
            while not self.late(0.9):
                order = self.rng.permutation(g.n)
                if self._sweep(order, parts, field, tree, room, seed) == 0:
                    break
        if again:
            self._deepen(field, tree, room, seed)
        self.offer(g.h[tree.edge])
        return tree.edge

    def _sweep(
        self, order: Array, parts: int, field: local.Net, tree: local.Tree, room: local.Room, seed: Array
    ) -> int:
        i, moved = 0, 0
        while i < len(order) and not self.late(0.95):
            i, _, moves = local.sweep(order, i, parts, field, tree, room, seed, _WORK)
            moved += moves
        return moved

    def _deepen(self, field: local.Net, tree: local.Tree, room: local.Room, seed: Array) -> None:
        """Search larger and larger neighbourhoods; stop after two fruitless sweeps of the largest."""
        for parts in (4, 6, 7, 8, 9):
            fruitless = 0
            while fruitless < (1 if parts < 8 else 2) and not self.late(0.95):
                room.idle[:] = 0
                moved = self._sweep(self.rng.permutation(self.graph.n), parts, field, tree, room, seed)
                fruitless = 0 if moved else fruitless + 1

    def plant(self, net: Csr, pare: Array) -> local.Tree:
        """Return the tree of edges ``pare`` (negative: none), rooted at its centroid so that most parts are small."""
        g = self.graph
        chosen = pare[pare >= 0]
        inside = np.zeros(g.n, bool)
        inside[g.u[chosen]] = inside[g.v[chosen]] = True
        guide = np.full(len(g.u), np.inf)
        guide[chosen] = g.w[chosen]
        par, up = np.empty(g.n, np.int64), np.empty(g.n, np.int64)
        root = int(g.terminals[0])
        paths.span(root, net.ptr, net.adj, net.eid, guide, g.terminal, inside.copy(), par, up)
        middle = local.centroid(par)
        paths.span(middle, net.ptr, net.adj, net.eid, guide, g.terminal, inside, par, up)
        return local.tree(g.n, len(g.u), middle, par, up)

    def improve(self) -> None:
        """Search on from the best tree until nothing helps or time is up."""
        g, net = self.graph, self.graph.csr()
        chosen = np.zeros(len(self.w), bool)
        chosen[self.edges] = True
        kept = g.inside(chosen)
        best = np.empty(g.n, np.int64)
        guide = np.where(kept, 1e-6 * g.w, g.w)
        paths.best_of(self._starts(1), net.ptr, net.adj, net.eid, guide, g.w, g.terminal, best)
        if g.n <= _LARGE:
            self.refine(net, best, sweeps=(3, 5), again=True)
        else:
            self.recombine(net, self.refine(net, best, sweeps=(3,)))

    def recombine(self, net: Csr, tree: Array) -> None:
        """Build other trees along shaken costs, and find the best tree within the union of each with the best so far.

        The union of two good trees is a small graph with few rings, which the whole method solves almost exactly.
        """
        g, pare = self.graph, np.empty(self.graph.n, np.int64)
        while not self.late(0.85) and not self.solved():
            shaken = g.w * self.rng.uniform(1.0, _SHAKE, len(g.w))
            paths.best_of(self._starts(1), net.ptr, net.adj, net.eid, shaken, g.w, g.terminal, pare)
            both = np.flatnonzero(tree | self.refine(net, pare, sweeps=(3,)))
            found = steiner_tree(
                g.u[both],
                g.v[both],
                g.w[both],
                g.terminals,
                seed=int(self.rng.integers(1 << 30)),
                time_limit_s=_UNION_S,
            )
            if found.cost < g.w[tree].sum():
                tree = np.zeros(len(g.w), bool)
                tree[both[found.edges]] = True
                self.offer(g.h[tree])
