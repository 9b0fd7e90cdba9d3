"""This module orders links by households served per yuan, and cuts the order where the money ends.

A pipe is of use only with all pipes below it. Under that rule the blocks of greatest ratio are found from the leaves down
(Sidney 1975, DOI 10.1287/opre.23.2.283; Horn 1972, DOI 10.1137/0123021): a branch joins the pipe below it while it is worth
more per yuan. Taken in order of ratio, they give the best households for each sum at which a block ends.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
import pandas as pd

Array = np.ndarray[Any, Any]


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


def stages(
    down: Array, cost: Array, worth: Array, budget: float | None, pinned: Array | None = None
) -> tuple[Array, pd.DataFrame]:
    """Return the stage of each pipe and the curve of households against money.

    Parameters
    ----------
    budget : float, optional
        Money per stage. None puts everything into stage 1; zero builds nothing now (stage 1 stays empty).
    pinned : ndarray of bool, optional
        Pipes that must be in stage 1, with all below them.

    Returns
    -------
    stage : ndarray of int
        1 is now; a block dearer than a whole budget gets a stage of its own.
    curve : DataFrame
        ``block stage cost households cost_sum households_sum``, in the order to build.
    """
    if not len(down):
        empty = ["block", "stage", "cost", "households", "cost_sum", "households_sum"]
        return np.empty(0, np.int64), pd.DataFrame(columns=empty)
    block, below = blocks(down, cost, worth)
    count = int(block.max()) + 1
    money = np.bincount(block, cost, count)
    people = np.bincount(block, worth, count)
    first = np.zeros(count, bool)
    if pinned is not None:
        for k in np.unique(block[pinned]).tolist():
            while k >= 0:
                first[k] = True
                k = int(below[k])
    stage = np.zeros(count, np.int64)
    if budget is None:
        stage[:] = 1
    else:
        now, waiting = 1, list(np.flatnonzero(first)) + list(np.flatnonzero(~first))
        while waiting:
            rest, later = float(budget), []
            for k in waiting:
                ready = below[k] < 0 or 0 < stage[below[k]] <= now
                if ready and (money[k] <= rest or (now == 1 and first[k])):
                    stage[k] = now
                    rest -= money[k]
                else:
                    later.append(k)
            if len(later) == len(waiting) and now > 1:  # dearer than any budget: alone
                k = next(k for k in later if below[k] < 0 or stage[below[k]] > 0)
                stage[k] = now
                later.remove(k)
            waiting, now = later, now + 1
    order = np.lexsort((np.arange(count), stage))
    curve = pd.DataFrame({
        "block": order, "stage": stage[order], "cost": money[order], "households": people[order],
        "cost_sum": np.cumsum(money[order]), "households_sum": np.cumsum(people[order]),
    })  # fmt: skip
    return stage[block], curve
