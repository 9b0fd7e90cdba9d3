"""This module turns unit prices into pieces of polynomials of depth, one list per size, and prices in compiled loops.

Tables and formulas are one thing here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mapapp.plan.prices import Polynomial, UnitPrice
from mapapp.plan.steiner.kernel import kernel

Array = np.ndarray[Any, Any]


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
def price_at(
    first: Array, span: Array, coefficient: Array, power: Array, size: int, depth: float, length: float
) -> float:  # fmt: skip
    """Return the money at a depth (m) for row ``size`` of what `by_depth` made; negative values count as zero."""
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
