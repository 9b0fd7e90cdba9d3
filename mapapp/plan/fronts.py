"""This module runs the dynamic programme of `hydraulics.size_sewers` in compiled loops.

Of the `labels` of one pipe and size only the Pareto front of "how high" against "how dear" is kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mapapp.plan.candidates import LEVEL_STEP_M, WATER_SLOPES, fill, ladder, needless, otherwise, pump_row
from mapapp.plan.labels import (
    COLUMNS,
    COST,
    DIAMETER,
    DOWN,
    GRAVITY,
    JOIN,
    LIFT,
    LIFTED,
    MODE,
    PRESSURE,
    SIZE,
    SUMP,
    UP,
    come_in,
    grown,
    grown_pairs,
    worthwhile,
)
from mapapp.plan.prices_kernel import price_at
from mapapp.plan.steiner.kernel import kernel

Array = np.ndarray[Any, Any]


@kernel
def advance(
    order: Array, kid_ptr: Array, kid: Array, ground_up: Array, ground_down: Array, length: Array,
    flow: Array, spare_flow: Array, inlet: Array, outlet: Array, rate: Array, need: Array, most: Array, allowed: Array,
    sizes: Array, pressure: Array,
    fastest: float, roughness: float, cover: float, deepest: float, join: int, may_fall: bool, pumps: bool,
    pump: Array, step: float, to_crown: bool, deep_manhole: float, narrow: bool, falls: bool,
    p_first: Array, p_span: Array, p_coefficient: Array, p_power: Array,
    h_first: Array, h_span: Array, h_coefficient: Array, h_power: Array,
    l_first: Array, l_span: Array, l_coefficient: Array, l_power: Array,
    labels: Array, picked: Array, chosen: Array, used: int, marks: int, begin: Array, end: Array,
) -> tuple[Array, Array, Array, int, int]:  # fmt: skip
    """Add the labels of the pipes in ``order`` to those of their kids; return the tables, longer if need be.

    ``join``: 0 crown, 1 invert, 2 water. Sizes in mm, inclining then the ``pressure`` sizes in the price pieces: ``p`` by the
    mean depth, ``h`` manholes, ``l`` by the depth at the lower end. ``narrow``: no price falls with the size; ``falls``: one
    falls with depth. ``rate``: row of ``need``, ``most`` and ``allowed`` that holds for a pipe. ``spare_flow``: at least the
    flow of the pipe below, NaN at an outlet: what is dearer than the cheapest by a whole pump down there is of no use. The
    labels of pipe p are rows ``begin[p]:end[p]``, none where it cannot be served; each has its kids' labels in ``chosen`` from
    ``picked`` on.
    """
    few = len(sizes)
    trial = np.empty((256, COLUMNS))
    source = np.empty((256, 2), np.int64)  # which `above`, which row of it
    kept = np.zeros(few, np.bool_)
    none = np.empty((0, 2))
    for p in order:
        kids = kid[kid_ptr[p] : kid_ptr[p + 1]]
        head = ground_up[p] - cover - sizes[0] / 1000.0
        needs, mosts = need[rate[p]], most[rate[p]]
        m = 0
        widest = 0.0  # of what may come in: only a size as wide takes in everything
        for c in kids:
            if end[c] > begin[c] and not may_fall:
                widest = max(widest, labels[begin[c] : end[c], SIZE].max())
        kept[:] = False
        tables = [np.empty((0, 3)) for _ in range(0)]
        picks = [np.empty((0, 0), np.int64) for _ in range(0)]
        for k in range(few + 1):
            pressed = k == few
            if pressed and not pumps:
                break
            if not pressed:
                if not allowed[rate[p], k]:
                    continue
                if narrow and needless(
                    k, sizes, needs, mosts, kept, widest, (ground_up[p] - ground_down[p]) / length[p],
                    join == 0 and inlet[p] < np.inf,
                ):  # fmt: skip
                    continue
                kept[k] = True
            d = 0.0 if pressed else sizes[k] / 1000.0
            full = fill(flow[p], d, needs[k], roughness) * d if join == 2 and not pressed else 0.0
            reach = -1.0 if pressed else (d if join == 0 else full)
            above, pick = come_in(
                labels, begin, end, kids, np.inf if pressed else sizes[k], may_fall, inlet[p], head, reach
            )
            number = len(tables)
            tables.append(above)
            picks.append(pick)
            sump, from_ = above, number
            if pumps and not pressed and join != 1 and len(kids):
                sump, pick = come_in(labels, begin, end, kids, sizes[k], may_fall, inlet[p], head, -1.0)
                from_ = len(tables)
                tables.append(sump)
                picks.append(pick)
            rungs = 64 + int(deepest / step) * 4
            many = (10 + WATER_SLOPES if join == 2 else 1) * len(above) + rungs
            if len(trial) < m + many:
                trial = grown(trial, m + many)
                source = grown_pairs(source, len(trial))
            if pressed:
                s = 0
                while s < len(pressure) and flow[p] / (np.pi / 4 * (pressure[s] / 1000.0) ** 2) > fastest:
                    s += 1
                row = -1
                if s < len(pressure):
                    row = pump_row(
                        above, np.inf, ground_up[p], deepest, pump[2] * 1000.0 * flow[p], few + s,
                        h_first, h_span, h_coefficient, h_power,
                    )  # fmt: skip
                if row >= 0:
                    d = pressure[s] / 1000.0
                    up = ground_up[p] - cover - d
                    low = max(ground_down[p] - cover - d, outlet[p])
                    loss = (flow[p] * roughness / (np.pi / 4 * d**2 * (d / 4) ** (2.0 / 3.0))) ** 2 * length[p]
                    trial[m, JOIN] = low + (d if join == 0 else 0.0)
                    trial[m, COST], trial[m, SIZE], trial[m, DIAMETER] = above[row, 1], 0.0, few + s
                    trial[m, UP], trial[m, DOWN], trial[m, MODE] = up, low, PRESSURE
                    trial[m, LIFTED] = max(low - above[row, 2], 0.0) + loss
                    trial[m, SUMP] = min(above[row, 2], up)
                    source[m, 0], source[m, 1] = number, row
                    m += 1
                continue
            top = min(ground_up[p] - cover - d, ground_down[p] - cover - d + mosts[k] * length[p])
            floor = ground_down[p] - cover - d
            row, lift_from, steps = -1, 0.0, 0
            if pumps:
                row = pump_row(
                    sump, top, ground_up[p], deepest, pump[2] * 1000.0 * flow[p], k, h_first, h_span, h_coefficient,
                    h_power,
                )  # fmt: skip
                if row >= 0:
                    lift_from = sump[row, 2]
                    steps = 1 if pump[2] == 0.0 else int(np.ceil((top - lift_from) / step))
                    steps = min(max(steps, 1), rungs)
            for i in range(len(above) + steps + (1 if steps > 1 and outlet[p] > -np.inf else 0)):
                lifting = i >= len(above)
                if lifting:
                    limit = top - step * (i - len(above))
                    if i == len(above) + steps:  # no higher than the outlet asks
                        limit = min(top, outlet[p] + needs[k] * length[p])
                    at = row
                    if limit <= lift_from + 1e-9:
                        continue
                else:
                    at = i
                    limit = min(above[i, 0] - (d if join == 0 else full), inlet[p])
                up = min(limit, top)
                others = none
                if join == 2 and not lifting:
                    others = otherwise(
                        up, min(min(top, inlet[p]), above[i, 2]), above[i, 0], floor, needs[k] * length[p], length[p],
                        flow[p], d, roughness,
                    )  # fmt: skip
                for turn in range(1 + len(others)):
                    low = min(up - needs[k] * length[p], floor)
                    if turn:
                        up, low = others[turn - 1, 0], others[turn - 1, 1]
                        if up - low > mosts[k] * length[p]:
                            continue
                    level = low
                    if join == 0:
                        level = low + d
                    elif join == 2:
                        level = low + fill(flow[p], d, (up - low) / length[p], roughness) * d
                    trial[m, JOIN], trial[m, SIZE], trial[m, DIAMETER] = level, sizes[k], k
                    trial[m, COST] = sump[at, 1] if lifting else above[at, 1]
                    trial[m, UP], trial[m, DOWN] = up, low
                    trial[m, MODE] = LIFT if lifting else GRAVITY
                    trial[m, LIFTED] = max(up - sump[at, 2], 0.0) if lifting else 0.0
                    trial[m, SUMP] = sump[at, 2] if lifting else up
                    source[m, 0], source[m, 1] = from_ if lifting else number, at
                    m += 1
            for raised in range(2 if row >= 0 else 1) if falls else range(0):
                rows = sump[row : row + 1].copy() if raised else above.copy()
                for i in range(len(rows)):
                    rows[i, 0] = np.inf if raised else min(rows[i, 0] - (d if join == 0 else full), inlet[p])
                deeper = ladder(
                    rows, top, floor, ground_up[p], ground_down[p], deepest, outlet[p], needs[k], mosts[k], length[p],
                    LEVEL_STEP_M, d if to_crown else 0.0, k, p_first, p_span, h_first, h_span,
                )  # fmt: skip
                if len(trial) < m + len(deeper) + rungs:
                    trial = grown(trial, m + len(deeper) + rungs)
                    source = grown_pairs(source, len(trial))
                for i in range(len(deeper)):
                    at, up, low = row if raised else int(deeper[i, 0]), deeper[i, 1], deeper[i, 2]
                    if raised and up <= lift_from + 1e-9:
                        continue
                    level = low
                    if join == 0:
                        level = low + d
                    elif join == 2:
                        level = low + fill(flow[p], d, (up - low) / length[p], roughness) * d
                    trial[m, JOIN], trial[m, SIZE], trial[m, DIAMETER] = level, sizes[k], k
                    trial[m, COST] = sump[at, 1] if raised else above[at, 1]
                    trial[m, UP], trial[m, DOWN], trial[m, MODE] = up, low, LIFT if raised else GRAVITY
                    trial[m, LIFTED], trial[m, SUMP] = up - lift_from if raised else 0.0, lift_from if raised else up
                    source[m, 0], source[m, 1] = from_ if raised else number, at
                    m += 1
        # what is allowed, with its price
        good = 0
        cheapest = np.inf
        for i in range(m):
            t = trial[i]
            deep_up, deep_down = ground_up[p] - deepest - 1e-9, ground_down[p] - deepest - 1e-9
            if t[UP] < deep_up or t[DOWN] < deep_down or t[DOWN] < outlet[p] - 1e-9 or t[SUMP] < deep_up:
                continue
            s = int(t[DIAMETER])
            d = (sizes[s] if s < few else pressure[s - few]) / 1000.0
            shift = d if to_crown else 0.0
            mean = 0.5 * (ground_up[p] - t[UP] + ground_down[p] - t[DOWN]) - shift
            cost = price_at(p_first, p_span, p_coefficient, p_power, s, mean, length[p])
            cost += price_at(l_first, l_span, l_coefficient, l_power, s, ground_down[p] - t[DOWN] - shift, length[p])
            cost *= length[p]
            cost += price_at(h_first, h_span, h_coefficient, h_power, s, ground_up[p] - min(t[UP], t[SUMP]), 1.0)
            if t[MODE] != GRAVITY:
                cost += pump[0] + pump[1] * 1000.0 * flow[p] + pump[2] * 1000.0 * flow[p] * t[LIFTED]
            trial[good] = t
            trial[good, COST] += cost
            trial[good, DIAMETER] = 1000.0 * d
            source[good] = source[i]
            good += 1
        begin[p] = used
        end[p] = used
        if good == 0:
            continue
        spare = np.inf
        if pumps and not falls and not np.isnan(spare_flow[p]):
            spare = pump[0] + (pump[1] + pump[2] * deepest) * 1000.0 * spare_flow[p] + deep_manhole
        for size in np.unique(trial[:good, SIZE]):
            mine = np.flatnonzero(trial[:good, SIZE] == size)
            front = mine[worthwhile(trial[mine], join == 2)]
            cheapest = trial[front, COST].min()
            if len(labels) < used + len(front):
                labels = grown(labels, used + len(front))
                shorter = picked
                picked = np.empty(len(labels), np.int64)
                picked[:used] = shorter[:used]
            if len(chosen) < marks + len(front) * len(kids):
                fewer = chosen
                chosen = np.empty(2 * len(chosen) + len(front) * len(kids), np.int64)
                chosen[:marks] = fewer[:marks]
            for i in front:
                if trial[i, COST] > cheapest + spare:
                    continue
                labels[used] = trial[i]
                picked[used] = marks
                for j in range(len(kids)):
                    chosen[marks] = picks[source[i, 0]][source[i, 1], j]
                    marks += 1
                used += 1
        end[p] = used
    return labels, picked, chosen, used, marks


@kernel
def read_back(
    order: Array, kid_ptr: Array, kid: Array, labels: Array, picked: Array, chosen: Array, begin: Array, end: Array
) -> Array:
    """Return one row (diameter, up, down, mode, lift, sump) per pipe, the outlets at their cheapest; NaN where none."""
    n = len(begin)
    out = np.full((n, 6), np.nan)
    todo = np.full(n, -1, np.int64)
    for x in range(len(order) - 1, -1, -1):
        p = order[x]
        if end[p] == begin[p]:
            continue
        i = todo[p]
        if i < 0:
            i = begin[p] + np.argmin(labels[begin[p] : end[p], COST])
        out[p, 0], out[p, 1], out[p, 2] = labels[i, DIAMETER], labels[i, UP], labels[i, DOWN]
        out[p, 3], out[p, 4], out[p, 5] = labels[i, MODE], labels[i, LIFTED], labels[i, SUMP]
        for j in range(kid_ptr[p + 1] - kid_ptr[p]):
            todo[kid[kid_ptr[p] + j]] = chosen[picked[i] + j]
    return out


def solve(
    order: Array, down: Array, kid_ptr: Array, kid: Array, ground_up: Array, ground_down: Array, length: Array,
    flow: Array, inlet: Array, outlet: Array, need: Array, most: Array, allowed: Array, *rules: Any,
) -> tuple[int, Array]:  # fmt: skip
    """Return -1 and one row (diameter, up, down, mode, lift, sump) per pipe; or the first pipe that cannot be served.

    ``rules``: what `advance` takes from ``sizes`` to the pieces of the prices.
    """
    n = len(order)
    ground_up, ground_down, length = (np.array(x) for x in (ground_up, ground_down, length))  # pandas' are read-only
    spare_flow = np.where(down >= 0, flow[np.maximum(down, 0)], np.nan)
    begin, end = np.zeros(n, np.int64), np.zeros(n, np.int64)
    state: list[Any] = [
        order, kid_ptr, kid, ground_up, ground_down, length, flow, spare_flow, inlet, outlet, np.arange(n), need, most,
        allowed, *rules, *empty_tables(n), 0, 0, begin, end,
    ]  # fmt: skip
    labels, picked, chosen, _, _ = advance(*state)
    failed = order[begin[order] == end[order]]
    if len(failed):
        return int(failed[0]), np.empty((0, 6))
    return -1, read_back(order, kid_ptr, kid, labels, picked, chosen, begin, end)


def empty_tables(n: int) -> tuple[Array, Array, Array]:
    """Return room for the labels of about ``n`` pipes: labels, ``picked``, ``chosen``."""
    return np.empty((64 * n + 1024, COLUMNS)), np.empty(64 * n + 1024, np.int64), np.empty(128 * n + 1024, np.int64)
