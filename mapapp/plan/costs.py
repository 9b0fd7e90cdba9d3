"""This module prices corridors: what each metre costs at least, and what a laid pipe costs beyond its size and depth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mapapp.plan.corridors import Corridors
from mapapp.plan.obstacles import CROSSED
from mapapp.plan.prices import Prices
from mapapp.plan.standard import Standard

Array = np.ndarray[Any, Any]


def least_per_metre(standard: Standard, prices: Prices) -> float:
    """Return what a metre of pipe costs at least, over all sizes and depths that the standard allows."""
    sizes = np.array([*standard.allowed_mm, min(standard.pressure_sizes_mm)])
    depth = np.linspace(standard.min_cover_m, standard.max_depth_m, 200)
    d, h = np.meshgrid(sizes, depth)
    fits = h >= standard.min_cover_m + d / 1000.0 - (depth[1] - depth[0])
    least = prices.pipe_cost(d, h, h, 1.0)[fits].min()
    shallow = prices.pipe_cost(sizes, standard.min_cover_m + sizes / 1000, standard.min_cover_m + sizes / 1000, 1.0)
    return float(min(least, shallow.min()))


def least_manhole(standard: Standard, prices: Prices) -> float:
    """Return what a manhole costs at least."""
    sizes = np.array([*standard.allowed_mm, min(standard.pressure_sizes_mm)])
    d, h = np.meshgrid(sizes, np.linspace(0.0, standard.max_depth_m, 200))
    fits = h >= standard.min_cover_m
    return float(prices.manhole_cost(d, h)[fits].min())


def surface_per_metre(surface: Array, prices: Prices) -> Array:
    """Return reinstatement per metre by surface; unknown words count as unknown surface."""
    unknown = prices.surface_per_m.get("", 0.0)
    known = {
        "brick": prices.surface_per_m.get("paving", unknown),
        **prices.surface_per_m,
    }  # the layers' word for paving
    words = pd.Series(surface, dtype=object).fillna("")
    return np.asarray(words.map(lambda w: known.get(w, unknown)).to_numpy(float))


def pieces(length: Array, standard: Standard) -> Array:
    """Return into how many pipes an edge falls by the spacing of manholes of the smallest size."""
    spacing = float(standard.spacing(np.array(standard.allowed_mm[0])))
    return np.maximum(np.ceil(np.asarray(length) / max(spacing, 1.0) - 1e-9), 1.0).astype(np.int64)


def wells(corridors: Corridors, prices: Prices) -> Array:
    """Return what the manhole costs that an edge needs on the existing pipe it joins between two manholes."""
    new = corridors.well_m > 0
    out = np.zeros(len(new))
    out[new] = prices.manhole_cost(corridors.well_mm[new], corridors.well_m[new])
    return out


def crossings(corridors: Corridors, prices: Prices) -> Array:
    """Return what an edge costs once, whatever its length: its crossings, and a manhole on the pipe it joins."""
    money = np.array([prices.crossing.get(name, 0.0) for name in CROSSED])
    return np.asarray(corridors.crossings @ money + wells(corridors, prices))


def floor(corridors: Corridors, surface: Array, standard: Standard, prices: Prices) -> Array:
    """Return what each edge costs at least: the least pipe, a manhole per pipe, reinstatement, crossings.

    A tree of least sum over these costs is a lower bound of the true cost of every plan over the same corridors and
    compounds: no pipe lies shallower than minimum cover, and pumps, depth and size only add.
    """
    pipe = corridors.length * least_per_metre(standard, prices)
    manhole = pieces(corridors.length, standard) * least_manhole(standard, prices)
    surfaces = corridors.length * surface_per_metre(surface, prices)
    out = pipe + manhole + surfaces + crossings(corridors, prices)
    return np.asarray(np.where(corridors.kind == "inside", inside(corridors, standard, prices), out))


def inside(corridors: Corridors, standard: Standard, prices: Prices) -> Array:
    """Return what the edges inside compounds count in `floor`.

    A compound that is only joined uses one such edge, which is no pipe: `own_gates` takes it off the bound again. Each
    further gate in use brings foreign sewage, in a pipe at least as long as from one gate to the next.
    """
    metre = least_per_metre(standard, prices) + prices.surface_per_m.get("", 0.0)
    return np.asarray(corridors.inside_m * metre)


def own_gates(corridors: Corridors, rows: Array, standard: Standard, prices: Prices) -> float:
    """Return what one edge inside each of the compounds ``rows`` counts in `floor`."""
    cost = inside(corridors, standard, prices)
    each = np.zeros(corridors.compounds)
    within = corridors.kind == "inside"
    each[corridors.a[within] - corridors.compound] = cost[within]
    return float(each[rows].sum())
