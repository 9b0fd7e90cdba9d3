"""This module runs the dynamic programme of `hydraulics.size_sewers` in compiled loops.

A label is one way to build everything above the lower end of a pipe; its columns are named below. Of the labels of one pipe
and size only the Pareto front of "how high" against "how dear" is kept. Prices come as pieces of polynomials of depth, one
list per size, so that tables and formulas are one thing here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mapapp.plan.prices import Polynomial, UnitPrice
from mapapp.plan.steiner.kernel import kernel

Array = np.ndarray[Any, Any]

MOST_LABELS = 400
"""Longest Pareto front; a longer one is thinned evenly, its ends kept."""
JOIN, COST, SIZE, DIAMETER, UP, DOWN, MODE, LIFTED, SUMP, COLUMNS = range(10)
GRAVITY, LIFT, PRESSURE = 0, 1, 2


def by_depth(price: UnitPrice, sizes_mm: Array, *, per_metre: bool) -> tuple[Array, Array, Array, Array]:
    """Return a unit price as pieces by depth (m): first piece of each size, spans, coefficients, powers.

    Within a size the first piece with ``low < depth <= high`` holds, else the last. A span is low, high and what is added to
    the depth; powers are those of depth, then those of length (less one where the price is per metre).
    """
    first: list[int] = [0]
    span: list[tuple[float, float, float]] = []
    terms: list[list[tuple[float, float, float]]] = []
    one = 1.0 if per_metre else 0.0
    for size in np.asarray(sizes_mm, float).tolist():
        if isinstance(price, Polynomial):
            d, unit = size / 1000.0 / price.unit_m, price.unit_m
            for piece in (*price.pieces, price.pieces[-1]):
                last = len(span) - first[-1] == len(price.pieces)
                if last or piece.diameter[0] < d <= piece.diameter[1]:
                    low, high = (-np.inf, np.inf) if last else (piece.depth[0] * unit, piece.depth[1] * unit)
                    span.append((low, high, piece.depth_plus * unit))
                    terms.append([
                        (t[0] * d ** t[1] / unit ** t[2] / unit ** (length := t[3] if len(t) > 3 else one), t[2], length - one)
                        for t in piece.terms
                    ])  # fmt: skip
                elif not last:  # keeps the count, holds nowhere
                    span.append((np.inf, -np.inf, 0.0))
                    terms.append([])
        else:
            row = min(int(np.searchsorted(price.diameters_mm, size - 1e-9)), len(price.diameters_mm) - 1)
            h, v = price.depths_m, price.values[row]
            span.append((-np.inf, h[0] if len(h) > 1 else np.inf, 0.0))
            terms.append([(v[0], 0.0, 0.0)])
            for i in range(len(h) - 1):
                rise = (v[i + 1] - v[i]) / (h[i + 1] - h[i])
                span.append((h[i], h[i + 1] if i + 2 < len(h) else np.inf, 0.0))
                terms.append([(v[i] - rise * h[i], 0.0, 0.0), (rise, 1.0, 0.0)])
        first.append(len(span))
    most = max(len(t) for t in terms)
    padded = np.array([[*t, *[(0.0, 0.0, 0.0)] * (most - len(t))] for t in terms], float).reshape(len(terms), most, 3)
    powers = np.hstack([padded[:, :, 1], padded[:, :, 2]])
    return np.array(first, np.int64), np.array(span, float), padded[:, :, 0].copy(), powers


@kernel
def _price(
    first: Array, span: Array, coefficient: Array, power: Array, size: int, depth: float, length: float
) -> float:  # fmt: skip
    use = first[size + 1] - 1
    for i in range(first[size], first[size + 1]):
        if span[i, 0] < depth <= span[i, 1]:
            use = i
            break
    out, depth, many = 0.0, depth + span[use, 2], coefficient.shape[1]
    for j in range(many):
        c, b = coefficient[use, j], power[use, j]
        if power[use, many + j] != 0.0:
            c *= length ** power[use, many + j]
        if b == 0.0:
            out += c
        elif b == 1.0:
            out += c * depth
        elif c != 0.0:
            out += c * depth**b
    return max(out, 0.0)


@kernel
def _fill(flow: float, d: float, slope: float, roughness: float) -> float:
    """Return the fill at which a flow runs, zero where it does not fit."""
    low, high = 0.0, 0.938
    for turn in range(51):
        h = high if turn == 0 else 0.5 * (low + high)
        t = 2.0 * np.arccos(1.0 - 2.0 * h)
        area = d * d / 8.0 * (t - np.sin(t))
        radius = d / 4.0 * (1.0 - np.sin(t) / t) if t > 0.0 else 0.0
        less = area * radius ** (2.0 / 3.0) * np.sqrt(max(slope, 0.0)) / roughness < flow
        if turn == 0:
            if less or flow <= 0.0:
                return 0.0
        elif less:
            low = h
        else:
            high = h
    return high


@kernel
def _front(level: Array, cost: Array) -> Array:
    """Return rows with no other row at least as high and at most as dear, highest first."""
    order = np.argsort(cost, kind="mergesort")
    order = order[np.argsort(-level[order], kind="mergesort")]
    rows = np.empty(len(order), np.int64)
    m = 0
    best = np.inf
    for i in order:
        if m == 0 or cost[i] < best * (1 - 1e-12):
            rows[m] = i
            m += 1
        best = min(best, cost[i])
    if m <= MOST_LABELS:
        return rows[:m]
    thin = np.empty(MOST_LABELS, np.int64)
    k = 0
    for i in range(MOST_LABELS):
        at = int(np.rint(i * (m - 1) / (MOST_LABELS - 1)))
        if k == 0 or rows[at] != thin[k - 1]:
            thin[k] = rows[at]
            k += 1
    return thin[:k]


@kernel
def _grown(table: Array, need: int) -> Array:
    out = np.empty((max(2 * len(table), need), table.shape[1]))
    out[: len(table)] = table
    return out


@kernel
def _come_in(
    labels: Array, begin: Array, end: Array, kids: Array, size: float, may_fall: bool, inlet: float, top: float
) -> tuple[Array, Array]:
    """Return what the pipes ``kids`` bring under an outgoing ``size``: rows of (level, cost, lowest invert), and picks."""
    n = len(kids)
    if n == 0:
        return np.array([[np.inf, 0.0, min(inlet, top)]]), np.empty((1, 0), np.int64)
    most = 0
    for c in kids:
        most += end[c] - begin[c]
    fronts = np.empty(most, np.int64)
    part = np.zeros(n + 1, np.int64)
    m = 0
    for j in range(n):
        c = kids[j]
        rows = np.empty(end[c] - begin[c], np.int64)
        k = 0
        for i in range(begin[c], end[c]):
            if may_fall or labels[i, SIZE] <= size:
                rows[k] = i
                k += 1
        if k == 0:
            return np.empty((0, 3)), np.empty((0, n), np.int64)
        rows = rows[:k]
        rows = rows[_front(labels[rows, JOIN], labels[rows, COST])]
        fronts[m : m + len(rows)] = rows
        m += len(rows)
        part[j + 1] = m
    levels = np.unique(labels[fronts[:m], JOIN])[::-1]
    out = np.empty((len(levels), 3))
    picks = np.empty((len(levels), n), np.int64)
    at = part[:n].copy()
    r = 0
    for level in levels:
        fits = True
        for j in range(n):
            while at[j] < part[j + 1] and labels[fronts[at[j]], JOIN] >= level:
                at[j] += 1
            fits &= at[j] > part[j]
        if not fits:
            continue
        cost, low = 0.0, inlet
        for j in range(n):
            i = fronts[at[j] - 1]
            picks[r, j] = i
            cost += labels[i, COST]
            low = min(low, labels[i, DOWN])
        out[r, 0], out[r, 1], out[r, 2] = level, cost, low
        r += 1
    out, picks = out[:r], picks[:r]
    if r == 0:
        return out, picks
    keep = _front(out[:, 0].copy(), out[:, 1].copy())
    return out[keep], picks[keep]


@kernel
def _pump_row(
    above: Array, top: float, ground: float, deepest: float, metre: float, size: int,
    first: Array, span: Array, coefficient: Array, power: Array,
) -> int:  # fmt: skip
    """Return the row of ``above`` below ``top`` that is best to pump from, -1 for none: lifting costs by the metre."""
    best, value, count = -1, np.inf, 0
    for i in range(len(above)):
        if above[i, 2] < top - 1e-9:
            count += 1
            depth = ground - above[i, 2]
            v = above[i, 1] + _price(first, span, coefficient, power, size, depth, 1.0) - metre * above[i, 2]
            if depth > deepest:
                v = np.inf
            if best < 0 or v < value:
                best, value = i, v
    return best


@kernel
def advance(
    order: Array, kid_ptr: Array, kid: Array, ground_up: Array, ground_down: Array, length: Array,
    flow: Array, spare_flow: Array, inlet: Array, outlet: Array, rate: Array, need: Array, most: Array, allowed: Array,
    sizes: Array, pressure: Array,
    fastest: float, roughness: float, cover: float, deepest: float, join: int, may_fall: bool, pumps: bool,
    pump: Array, step: float, to_crown: bool, deep_manhole: float,
    p_first: Array, p_span: Array, p_coefficient: Array, p_power: Array,
    h_first: Array, h_span: Array, h_coefficient: Array, h_power: Array,
    labels: Array, picked: Array, chosen: Array, used: int, marks: int, begin: Array, end: Array,
) -> tuple[Array, Array, Array, int, int]:  # fmt: skip
    """Add the labels of the pipes in ``order`` to those of their kids; return the tables, longer if need be.

    ``join``: 0 crown, 1 invert, 2 water. Sizes in mm, inclining then the ``pressure`` sizes in the price pieces.
    ``rate``: row of ``need``, ``most`` and ``allowed`` that holds for a pipe. ``spare_flow``: at least the flow of the pipe
    below, NaN at an outlet: what is dearer than the cheapest by a whole pump down there is of no use. The labels of pipe p
    are rows ``begin[p]:end[p]``, none where it cannot be served; each has its kids' labels in ``chosen`` from ``picked`` on.
    """
    few = len(sizes)
    trial = np.empty((256, COLUMNS))
    source = np.empty((256, 2), np.int64)  # which `above`, which row of it
    for p in order:
        kids = kid[kid_ptr[p] : kid_ptr[p + 1]]
        head = ground_up[p] - cover - sizes[0] / 1000.0
        m = 0
        last, before = np.inf, 0.0
        widest = 0.0  # of what may come in: a size that it needs is of use although a smaller one is as flat
        for c in kids:
            if end[c] > begin[c] and not may_fall:
                widest = max(widest, labels[begin[c] : end[c], SIZE].max())
        tables = [np.empty((0, 3)) for _ in range(0)]
        picks = [np.empty((0, 0), np.int64) for _ in range(0)]
        for k in range(few + 1):
            pressed = k == few
            if pressed and not pumps:
                break
            if not pressed:
                if not allowed[rate[p], k] or not (need[rate[p], k] < last - 1e-12 or widest > before):
                    continue
                last, before = min(last, need[rate[p], k]), sizes[k]
            above, pick = _come_in(labels, begin, end, kids, np.inf if pressed else sizes[k], may_fall, inlet[p], head)
            number = len(tables)
            tables.append(above)
            picks.append(pick)
            if len(trial) < m + len(above) + 64 + int(deepest / step) * 4:
                bigger = np.empty((2 * len(trial) + len(above) + 64 + int(deepest / step) * 4, COLUMNS))
                bigger[:m] = trial[:m]
                trial = bigger
                more = np.empty((len(trial), 2), np.int64)
                more[:m] = source[:m]
                source = more
            if pressed:
                s = 0
                while s < len(pressure) and flow[p] / (np.pi / 4 * (pressure[s] / 1000.0) ** 2) > fastest:
                    s += 1
                row = -1
                if s < len(pressure):
                    row = _pump_row(
                        above, np.inf, ground_up[p], deepest, pump[2] * 1000.0 * flow[p], 0,
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
            d = sizes[k] / 1000.0
            top = min(ground_up[p] - cover - d, ground_down[p] - cover - d + most[rate[p], k] * length[p])
            floor = ground_down[p] - cover - d
            full = _fill(flow[p], d, need[rate[p], k], roughness) if join == 2 else 0.0
            row, lift_from, steps = -1, 0.0, 0
            if pumps:
                row = _pump_row(
                    above, top, ground_up[p], deepest, pump[2] * 1000.0 * flow[p], k, h_first, h_span, h_coefficient,
                    h_power,
                )  # fmt: skip
                if row >= 0:
                    lift_from = above[row, 2]
                    steps = 1 if pump[2] == 0.0 else int(np.ceil((top - lift_from) / step))
                    steps = min(max(steps, 1), len(trial) - m - len(above))
            for i in range(len(above) + steps):
                lifting = i >= len(above)
                if lifting:
                    limit = top - step * (i - len(above))
                    at = row
                    if limit <= lift_from + 1e-9:
                        continue
                else:
                    at = i
                    limit = above[i, 0]
                    if join == 0:
                        limit = min(limit - d, above[i, 2] if len(kids) else np.inf)
                    elif join == 2:
                        limit -= full * d
                    limit = min(limit, inlet[p])
                up = min(limit, top)
                low = min(up - need[rate[p], k] * length[p], floor)
                level = low
                if join == 0:
                    level = low + d
                elif join == 2:
                    level = low + _fill(flow[p], d, (up - low) / length[p], roughness) * d
                trial[m, JOIN], trial[m, COST], trial[m, SIZE], trial[m, DIAMETER] = level, above[at, 1], sizes[k], k
                trial[m, UP], trial[m, DOWN] = up, low
                trial[m, MODE] = LIFT if lifting else GRAVITY
                trial[m, LIFTED] = max(up - above[at, 2], 0.0) if lifting else 0.0
                trial[m, SUMP] = above[at, 2] if lifting else up
                source[m, 0], source[m, 1] = number, at
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
            mean = 0.5 * (ground_up[p] - t[UP] + ground_down[p] - t[DOWN]) - (d if to_crown else 0.0)
            cost = length[p] * _price(p_first, p_span, p_coefficient, p_power, s, mean, length[p])
            cost += _price(h_first, h_span, h_coefficient, h_power, s, ground_up[p] - min(t[UP], t[SUMP]), 1.0)
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
        if pumps and not np.isnan(spare_flow[p]):
            spare = pump[0] + (pump[1] + pump[2] * deepest) * 1000.0 * spare_flow[p] + deep_manhole
        for size in np.unique(trial[:good, SIZE]):
            mine = np.flatnonzero(trial[:good, SIZE] == size)
            front = mine[_front(trial[mine, JOIN], trial[mine, COST])]
            cheapest = trial[front, COST].min()
            if len(labels) < used + len(front):
                labels = _grown(labels, used + len(front))
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
