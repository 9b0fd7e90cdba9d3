"""This module holds the undirected graph that the solver shrinks, and remembers what each shrunken edge stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Csr:
    """Neighbours of each node: slots ``ptr[v]:ptr[v + 1]`` of ``adj`` (other end) and ``eid`` (edge number).

    ``inarc`` is the number of the arc that *enters* ``v`` through the slot: ``2 e`` runs from ``u[e]`` to ``v[e]``,
    ``2 e + 1`` back; ``inarc ^ 1`` leaves ``v``.
    """

    ptr: Array
    adj: Array
    eid: Array
    inarc: Array


def csr(n: int, u: Array, v: Array) -> Csr:
    """Return the neighbour lists of ``n`` nodes under edges ``u``-``v`` (int64 arrays of one length)."""
    m = len(u)
    ends = np.concatenate([v, u])
    order = np.argsort(ends, kind="stable")
    ptr = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(ends, minlength=n), out=ptr[1:])
    edge = order % m if m else order
    # the first half of `order` has its end at v, entered by arc 2e from u; the second half by 2e + 1 from v
    return Csr(ptr, np.concatenate([u, v])[order], edge, 2 * edge + (order >= m))


@dataclass(slots=True)
class Graph:
    """A graph under reduction.

    Attributes
    ----------
    n : int
        Number of nodes, numbered anew after each contraction.
    u, v, w : ndarray
        Ends (int64) and costs (float64) of the living edges; no loops, no parallels.
    h : ndarray
        What each edge stands for: a number below ``m`` is an original edge, others are ``pairs[h - m]``.
    terminal : ndarray of bool, shape (n,)
    m : int
        Number of original edges.
    pairs : list of ndarray
        Chunks of shape (., 2): the two edges that a merged edge stands for.
    fixed : list of int
        Edges that some optimal tree holds, already contracted.
    fixed_cost : float
    """

    n: int
    u: Array
    v: Array
    w: Array
    h: Array
    terminal: Array
    m: int
    pairs: list[Array] = field(default_factory=list)
    fixed: list[int] = field(default_factory=list)
    fixed_cost: float = 0.0

    @property
    def terminals(self) -> Array:
        """Numbers of the terminal nodes."""
        return np.flatnonzero(self.terminal)

    def csr(self) -> Csr:
        """Return the neighbour lists."""
        return csr(self.n, self.u, self.v)

    def new_edges(self, first: Array, second: Array) -> Array:
        """Record edges that stand for two others each; return their numbers."""
        start = self.m + sum(len(p) for p in self.pairs)
        self.pairs.append(np.column_stack([first, second]).astype(np.int64))
        return np.arange(start, start + len(first), dtype=np.int64)

    def take(self, edges: Array) -> None:
        """Keep only these edges (mask or numbers)."""
        self.u, self.v, self.w, self.h = self.u[edges], self.v[edges], self.w[edges], self.h[edges]

    def add(self, u: Array, v: Array, w: Array, h: Array) -> None:
        """Append edges."""
        self.u, self.v = np.concatenate([self.u, u]), np.concatenate([self.v, v])
        self.w, self.h = np.concatenate([self.w, w]), np.concatenate([self.h, h])

    def tidy(self, label: Array | None = None) -> None:
        """Merge nodes of one ``label``, drop loops, dearer parallels and lonely non-terminals, number anew."""
        if label is not None:
            self.u, self.v = label[self.u], label[self.v]
            terminal = np.zeros(self.n, bool)
            terminal[label[self.terminal]] = True
            self.terminal = terminal
        self.u, self.v = np.minimum(self.u, self.v), np.maximum(self.u, self.v)
        order = np.lexsort((self.h, self.w, self.v, self.u))
        a, b = self.u[order], self.v[order]
        first = np.ones(len(order), bool)
        first[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
        self.take(np.sort(order[first & (a != b)]))
        used = self.terminal.copy()
        used[self.u] = used[self.v] = True
        number = np.cumsum(used) - 1
        self.u, self.v = number[self.u], number[self.v]
        self.terminal = self.terminal[used]
        self.n = int(used.sum())

    def inside(self, chosen: Array) -> Array:
        """Return, per edge, whether all original edges that it stands for are ``chosen`` (bool per original edge)."""
        known = chosen
        for chunk in self.pairs:  # a pair stands for edges that are older
            known = np.concatenate([known, known[chunk].all(axis=1)])
        return np.asarray(known[self.h])

    def expand(self, h: Array) -> Array:
        """Return the original edges (sorted, unique) that edges ``h`` stand for, without the fixed ones."""
        pairs = np.concatenate(self.pairs) if self.pairs else np.empty((0, 2), np.int64)
        done, todo = [], np.unique(h)
        while len(todo):
            done.append(todo[todo < self.m])
            todo = np.unique(pairs[todo[todo >= self.m] - self.m])
        return np.unique(np.concatenate(done)) if done else np.empty(0, np.int64)
