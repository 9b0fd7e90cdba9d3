"""This module chooses which links a budget builds first, and orders them by households served per yuan.

A pipe is of use only with all pipes below it. Under that rule the choice for a sum of money is a knapsack on a forest: solved
from the leaves down along a preorder (Johnson and Niemi 1983, DOI 10.1287/moor.8.1.1), it serves the most households, and
among those costs least. Within a stage the blocks of greatest ratio come first (Sidney 1975, DOI 10.1287/opre.23.2.283; Horn
1972, DOI 10.1137/0123021): a branch joins the pipe below it while it is worth more per yuan.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Array = np.ndarray[Any, Any]

CELLS = 2_000_000
"""Nodes times households up to which the choice is exact; beyond, households are counted in larger units."""
CHOSEN = 40_000
"""Stages times pipes up to which stages are chosen by knapsack, the first one always; later ones take blocks by ratio."""
_CENT = 1e-6


def blocks(down: Array, cost: Array, worth: Array) -> tuple[Array, Array]:
    """Return the block of each pipe, numbered in the order to build them, and which block each one needs.

    Parameters
    ----------
    down : ndarray of int, shape (p,)
        Row of the pipe below, -1 at an outlet; a forest.
    cost, worth : ndarray, shape (p,)
        Money and households of the pipe itself; not negative.
    """
    n = len(down)
    children: list[list[int]] = [[] for _ in range(n)]
    left = np.zeros(n, np.int64)
    for i, d in enumerate(down.tolist()):
        if d >= 0:
            children[d].append(i)
            left[d] += 1
    ready = [i for i in range(n) if left[i] == 0]
    queues: list[list[tuple[float, int]]] = [[] for _ in range(n)]  # best first: (-ratio, head of the block)
    money, people = cost.astype(float).copy(), worth.astype(float).copy()
    owner = np.arange(n)

    def ratio(i: int) -> float:
        return people[i] / money[i] if money[i] > 0 else np.inf

    while ready:
        i = ready.pop()
        queue: list[tuple[float, int]] = []
        for c in children[i]:  # the smaller heap goes into the larger
            other = queues[c]
            if len(other) > len(queue):
                queue, other = other, queue
            for item in other:
                heapq.heappush(queue, item)
            queues[c] = []
        while queue and -queue[0][0] >= ratio(i):
            _, j = heapq.heappop(queue)
            money[i] += money[j]
            people[i] += people[j]
            owner[j] = i
        heapq.heappush(queue, (-ratio(i), i))
        queues[i] = queue
        if (d := int(down[i])) >= 0:
            left[d] -= 1
            if left[d] == 0:
                ready.append(d)
    head = owner.copy()
    for i in range(n):
        while owner[head[i]] != head[i]:
            head[i] = owner[head[i]]
    heads = np.unique(head)
    depth = np.zeros(n, np.int64)  # ties: the lower block first
    for i in heads.tolist():
        d = int(down[i])
        while d >= 0:
            depth[i] += 1
            d = int(down[head[d]])
    order = heads[np.lexsort((heads, depth[heads], np.array([-ratio(int(i)) for i in heads])))]
    number = np.empty(n, np.int64)
    number[order] = np.arange(len(order))
    below = np.array([number[head[down[i]]] if down[i] >= 0 else -1 for i in order], np.int64)
    return number[head], below


def best_within(down: Array, cost: Array, worth: Array, money: float) -> Array:
    """Return which pipes to build (bool) so that the most households are served for the money, and that at least cost.

    Parameters
    ----------
    down : ndarray of int, shape (p,)
        Row of the pipe below, -1 at an outlet; a forest.
    cost, worth : ndarray, shape (p,)
        Money and households of the pipe itself; not negative.
    money : float

    Notes
    -----
    Exact for whole numbers of households while nodes times households stay within `CELLS`; beyond, at most a share of
    nodes / `CELLS` of all households is lost at each node, and never less is served than by taking blocks in order.
    """
    if not len(down):
        return np.zeros(0, bool)
    some = _Choice.of(down, cost, worth)
    got = some.within(money)
    if some.unit == 1.0:
        return got
    greedy = _in_order(down, cost, worth, money) == 1
    return got if worth[got].sum() >= worth[greedy].sum() else greedy


def frontier(down: Array, cost: Array, worth: Array) -> Array:
    """Return the most households for each sum of money, as rows of (money, households), both rising; from (0, 0) on.

    Parameters as `best_within`; exact within the same bounds.
    """
    if not len(down):
        return np.zeros((1, 2))
    some = _Choice.of(down, cost, worth)
    money = some.table[0]
    cheapest = np.minimum.accumulate(money[::-1])[::-1]
    at = np.flatnonzero(np.isfinite(money) & (money <= cheapest + _CENT))
    at = at[np.append(money[at][1:] > money[at][:-1], True)]
    return np.column_stack([money[at], at * some.unit])


@dataclass(frozen=True, slots=True)
class _Choice:
    """The least money for each number of households, over the pipes from each place of a preorder on.

    ``node`` is the place of each pipe: pipes that are only built together share one. ``table[i, h]``: of the nodes from ``i``
    on; ``skip[i]`` is the place after all that hangs on node ``i``.
    """

    node: Array
    skip: Array
    gain: Array
    money: Array
    table: Array
    unit: float

    @classmethod
    def of(cls, down: Array, cost: Array, worth: Array) -> _Choice:
        lower, node = _joined(down, worth)
        n = len(lower)
        money, people = np.bincount(node, cost, n), np.bincount(node, worth, n)
        order, skip = _preorder(lower)
        place = np.empty(n, np.int64)
        place[order] = np.arange(n)
        money, people = money[order], people[order]
        most = max(CELLS // n, 1)
        whole = people.sum() <= most and bool((people == np.round(people)).all())
        unit = 1.0 if whole else max(float(people.sum()) / most, 1e-9)
        gain = np.floor(people / unit + 1e-9).astype(np.int64)
        width = int(gain.sum()) + 1
        table = np.full((n + 1, width), np.inf)
        table[n, 0] = 0.0
        for i in range(n - 1, -1, -1):
            row, g = table[i], int(gain[i])
            row[g:] = table[i + 1, : width - g] + money[i]
            np.minimum(row, table[skip[i]], out=row)
        return cls(place[node], skip, gain, money, table, unit)

    def within(self, money: float) -> Array:
        """Return the pipes of the best choice for the money."""
        h = int(np.flatnonzero(self.table[0] <= money + _CENT)[-1])
        built = np.zeros(len(self.gain), bool)
        i = 0
        while i < len(built):
            if self.table[i, h] == self.table[self.skip[i], h]:
                i = int(self.skip[i])
            else:
                built[i] = True
                h -= int(self.gain[i])
                i += 1
        return built[self.node]


def _joined(down: Array, worth: Array) -> tuple[Array, Array]:
    """Return a smaller forest, and the node of it that each pipe belongs to.

    A pipe that serves nobody itself is of use only with one above it: with its only one it is one node.
    """
    kids = np.bincount(down[down >= 0], minlength=len(down))
    into = down.copy()  # the row a pipe is one with, below it
    up = np.flatnonzero(down >= 0)
    alone = (kids[down[up]] == 1) & (worth[down[up]] == 0)
    into[:] = np.arange(len(down))
    into[up[alone]] = down[up[alone]]
    for _ in range(len(down).bit_length() + 1):  # pointer doubling
        into = into[into]
    heads, node = np.unique(into, return_inverse=True)
    below = down[heads]
    return np.where(below >= 0, node[np.maximum(below, 0)], -1), node


def _preorder(down: Array) -> tuple[Array, Array]:
    """Return the rows of a forest, each before all that drain into it, and the place after those."""
    n = len(down)
    kids: list[list[int]] = [[] for _ in range(n)]
    for i, d in enumerate(down.tolist()):
        if d >= 0:
            kids[d].append(i)
    order: list[int] = []
    todo = np.flatnonzero(down < 0)[::-1].tolist()
    while todo:
        i = todo.pop()
        order.append(i)
        todo += reversed(kids[i])
    place = {row: k for k, row in enumerate(order)}
    size = np.ones(n, np.int64)
    for k in range(n - 1, -1, -1):
        if (d := int(down[order[k]])) >= 0:
            size[place[d]] += size[k]
    return np.array(order, np.int64), np.arange(n) + size


def _in_order(down: Array, cost: Array, worth: Array, money: float) -> Array:
    """Return the stage of each pipe, from 1 on, when blocks are taken by ratio while the money of a stage lasts.

    A block dearer than a whole stage is one of its own, but never the first.
    """
    block, below = blocks(down, cost, worth)
    price = np.bincount(block, cost)
    stage = np.zeros(len(price), np.int64)
    now, waiting = 1, list(range(len(price)))
    while waiting:
        rest, later = money, []
        for k in waiting:
            if (below[k] < 0 or 0 < stage[below[k]] <= now) and price[k] <= rest + _CENT:
                stage[k] = now
                rest -= price[k]
            else:
                later.append(k)
        if len(later) == len(waiting) and now > 1:
            k = next(k for k in later if below[k] < 0 or stage[below[k]] > 0)
            stage[k] = now
            later.remove(k)
        waiting, now = later, now + 1
    return np.asarray(stage[block])


def _least(down: Array, cost: Array, worth: Array) -> Array:
    """Return the cheapest pipes that serve anybody."""
    whole = cost.astype(float).copy()
    order, _ = _preorder(down)
    for i in order.tolist():
        if down[i] >= 0:
            whole[i] += whole[down[i]]
    at = int(np.argmin(np.where(worth > 0, whole, np.inf)))
    return with_below(down, np.arange(len(down)) == at)


def with_below(down: Array, some: Array) -> Array:
    """Return some pipes (bool) and all below them."""
    out = np.zeros(len(down), bool)
    for i in np.flatnonzero(some).tolist():
        while i >= 0 and not out[i]:
            out[i] = True
            i = int(down[i])
    return out


def _part(down: Array, rows: Array) -> Array:
    """Return ``down`` among some rows; -1 where the pipe below is none of them."""
    number = np.full(len(down) + 1, -1)
    number[rows] = np.arange(len(rows))
    return np.asarray(number[down[rows]])


def stages(
    down: Array, cost: Array, worth: Array, budget: float | None, pinned: Array | None = None
) -> tuple[Array, pd.DataFrame]:
    """Return the stage of each pipe and the curve of households against money.

    Parameters
    ----------
    budget : float, optional
        Money per stage. None puts everything into stage 1; zero builds nothing now (stage 1 stays empty).
    pinned : ndarray of bool, optional
        Pipes that must be in stage 1, with all below them, whatever they cost.

    Returns
    -------
    stage : ndarray of int
        1 is now: `best_within` the budget, and so on with what is left. Where a whole budget serves nobody, the cheapest
        pipes that do are a stage of their own.
    curve : DataFrame
        ``block stage cost households cost_sum households_sum``, in the order to build.
    """
    if not len(down):
        empty = ["block", "stage", "cost", "households", "cost_sum", "households_sum"]
        return np.empty(0, np.int64), pd.DataFrame(columns=empty)
    stage = np.zeros(len(down), np.int64)
    if budget is None:
        stage[:] = 1
    elif pinned is not None:
        stage[with_below(down, pinned)] = 1
    now = 0
    while budget is not None and not stage.all():
        now += 1
        rows = np.flatnonzero(stage == 0)
        here, price, people = _part(down, rows), cost[rows], worth[rows]
        if now > 1 and now * len(down) > CHOSEN:
            stage[rows] = now + np.unique(_in_order(here, price, people, budget), return_inverse=True)[1]
            break
        some = best_within(here, price, people, max(budget - cost[stage == 1].sum(), 0.0) if now == 1 else budget)
        if now > 1 and not people[some].any():
            some = _least(here, price, people) if people.any() else np.ones(len(rows), bool)
        stage[rows[some]] = now
    return stage, _curve(down, cost, worth, stage)


def _curve(down: Array, cost: Array, worth: Array, stage: Array) -> pd.DataFrame:
    """Return the blocks of each stage in the order to build, with running sums."""
    tables, count = [], 0
    for now in np.unique(stage).tolist():
        rows = np.flatnonzero(stage == now)
        block, _ = blocks(_part(down, rows), cost[rows], worth[rows])
        number = np.arange(int(block.max()) + 1)
        tables.append(pd.DataFrame({
            "block": count + number, "stage": now, "cost": np.bincount(block, cost[rows]),
            "households": np.bincount(block, worth[rows]),
        }))  # fmt: skip
        count += len(number)
    out = pd.concat(tables, ignore_index=True)
    return out.assign(cost_sum=out["cost"].cumsum(), households_sum=out["households"].cumsum())
