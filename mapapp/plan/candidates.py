"""This module says what is worth trying for one pipe and size: lifts, other levels, and sizes that bring nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from mapapp.plan.labels import grown
from mapapp.plan.prices_kernel import price_at
from mapapp.plan.steiner.kernel import kernel

Array = np.ndarray[Any, Any]

WATER_SLOPES = 12
"""Slopes above the least that are tried where pipes join by water level."""
LEVEL_STEP_M = 0.05
"""Steps of levels that are tried where a price falls with depth."""


@kernel
def fill(flow: float, d: float, slope: float, roughness: float) -> float:
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
def pump_row(
    above: Array, top: float, ground: float, deepest: float, metre: float, size: int,
    first: Array, span: Array, coefficient: Array, power: Array,
) -> int:  # fmt: skip
    """Return the row of ``above`` below ``top`` that is best to pump from, -1 for none: lifting costs by the metre."""
    best, value = -1, np.inf
    for i in range(len(above)):
        if above[i, 2] < top - 1e-9:
            depth = ground - above[i, 2]
            v = above[i, 1] + price_at(first, span, coefficient, power, size, depth, 1.0) - metre * above[i, 2]
            if depth > deepest:
                v = np.inf
            if best < 0 or v < value:
                best, value = i, v
    return best


@kernel
def needless(
    k: int, sizes: Array, need: Array, most: Array, kept: Array, widest: float, ground_slope: float, bound: bool
) -> bool:  # fmt: skip
    """Return whether a size brings nothing that a narrower one among ``kept`` does not.

    Prices must not fall with the size. The narrower one takes in whatever comes, needs no more slope, and is not too fast on
    ground so steep; ``bound`` says that an inlet holds inverts down while crowns join, where a wider pipe's crown is higher.
    """
    if bound:
        return False
    for j in range(k):
        if kept[j] and sizes[j] >= widest and need[j] <= need[k] + 1e-12 and ground_slope <= most[j]:
            return True
    return False


@kernel
def otherwise(
    up: float,
    most: float,
    water: float,
    floor: float,
    fall: float,
    length: float,
    flow: float,
    d: float,
    roughness: float,
) -> Array:
    """Return further (up, down) worth a look where ``water`` levels join; ``floor``: highest lower end, ``fall``: the least.

    In a steeper pipe the water stands lower, so its upper end may lie higher than ``up``, at most ``most``; in a flatter one
    it comes out higher.
    """
    out = np.empty((9 + WATER_SLOPES, 2))
    m = 0
    if floor < max(up, most) - fall:  # the ground makes it steep
        low, high = up, most
        for _ in range(40):
            middle = 0.5 * (low + high)
            slope = (middle - min(middle - fall, floor)) / length
            if middle + fill(flow, d, slope, roughness) * d <= water:
                low = middle
            else:
                high = middle
        flat = min(floor + fall, low)
        for i in range(9):
            out[m, 0] = flat + (low - flat) * i / 8
            out[m, 1] = min(out[m, 0] - fall, floor)
            m += 1
    if up < most:
        for i in range(WATER_SLOPES):
            more = max(fall, 1e-4 * length) * 1.25 ** (i + 1)
            level = min(water - fill(flow, d, more / length, roughness) * d, most)
            if level - more < floor:
                out[m, 0], out[m, 1] = level, level - more
                m += 1
    return out[:m]


@kernel
def ladder(
    above: Array, top: float, highest: float, ground_up: float, ground_down: float, deepest: float, outlet: float,
    need: float, most: float, length: float, step: float, shift: float, size: int,
    p_first: Array, p_span: Array, h_first: Array, h_span: Array,
) -> Array:  # fmt: skip
    """Return rows of (row of ``above``, up, down) that lie deeper than they must, for prices that fall with depth.

    Both ends in steps, and just before and past the depths where a price changes; ``highest`` is what the lower end may be, ``shift``
    what a pipe's price takes off the depth.
    """
    ups = np.empty(len(above) + int(deepest / step) + 4 + 2 * (h_first[size + 1] - h_first[size]))
    ups[0], ups[1] = ground_up - deepest, min(top, max(ground_down - deepest, outlet) + need * length)
    n = 2
    for i in range(len(above)):
        ups[n] = min(above[i, 0], top)
        n += 1
    level = np.floor(top / step + 1e-9) * step  # one lattice for all pipes, so that what comes in fits what goes on
    while level > ground_up - deepest:
        ups[n] = level
        n += 1
        level -= step
    for i in range(2 * h_first[size], 2 * h_first[size + 1]):
        level = ground_up - h_span[i // 2, 1] + (1e-9 if i % 2 else -1e-9)
        if ground_up - deepest <= level < top:
            ups[n] = level
            n += 1
    out = np.empty((64, 3))
    m = 0
    for i in range(n):
        up = ups[i]
        row = -1
        for j in range(len(above)):
            if above[j, 0] >= up - 1e-9:
                row = j  # the lowest that is high enough is the cheapest
        if row < 0:
            continue
        start = min(up - need * length, highest)
        least = max(max(up - most * length, ground_down - deepest), outlet)
        edges = 2 * (p_first[size + 1] - p_first[size])
        low = np.floor(start / step + 1e-9) * step
        j = -edges - 2
        while j <= 0 or low >= least - 1e-9:
            if j < -edges:
                at = least if j < -edges - 1 else start
            elif j < 0:
                edge = p_span[p_first[size] + (edges + j) // 2, 1] + (1e-9 if j % 2 else -1e-9)
                at = ground_down + ground_up - up - 2.0 * (edge + shift)
            else:
                at = low
                low -= step
            if least - 1e-9 <= at <= start + 1e-9:
                if m == len(out):
                    out = grown(out, m + 1)
                out[m, 0], out[m, 1], out[m, 2] = row, up, at
                m += 1
            j += 1
    return out[:m]
