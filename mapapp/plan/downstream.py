"""This module prepares the existing sewers below planned links for a hydraulic model: every level, size and depth, guesses marked.

Unknown inverts are interpolated between the nearest known ones above and below along the flow; with one of them only, the
least slope of the standard goes on from it; with none, the arriving link gives the level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from mapapp.plan.existing import Existing, filled, topmost_first
from mapapp.plan.ground import ASSUMED_DEPTH_M
from mapapp.plan.standard import Standard

Array = np.ndarray[Any, Any]

_SAME_M = 0.5
_ROOM_M = 0.5
"""Ground above the crown at least, where a manhole's depth is unknown."""


@dataclass(frozen=True, slots=True)
class Below:
    """The sewers below planned links, all figures known; ``…_guessed`` says which were not.

    Nodes are existing places and the new manholes on existing pipes; an outlet has no pipe below.

    Attributes
    ----------
    name, xy, invert_m, ground_m, guessed :
        Of each node.
    inflow_lps : ndarray
        What enters at each node beside the modelled pipes and links: existing sewage, and what rising mains bring;
        negative where branches meet, since their peaks do not.
    outlet : ndarray of bool
    pipe, up, down, length_m, up_m, down_m, diameter_mm, pipe_guessed :
        Of each pipe; ``pipe`` is its id, numbered where a new manhole cuts it.
    joins : ndarray of int, one per link
        Node that a link ends at, -1 where it ends in another link or beside the known sewers.
    """

    name: Array
    xy: Array
    invert_m: Array
    ground_m: Array
    guessed: Array
    inflow_lps: Array
    outlet: Array
    pipe: Array
    up: Array
    down: Array
    length_m: Array
    up_m: Array
    down_m: Array
    diameter_mm: Array
    pipe_guessed: Array
    joins: Array


def below(links: Any, existing: Existing, standard: Standard) -> Below:
    """Return the existing sewers that planned links drain through.

    Parameters
    ----------
    links : GeoDataFrame
        `Plan.links`.
    existing : Existing
        `Plan.existing`, of the same county.
    standard : Standard
        Least slope, and the flow of households.
    """
    last = np.flatnonzero(links["downstream_link_id"].isna().to_numpy(bool))
    place, cut, along, well = _joined(links, last, existing)
    rows = existing.below(*existing.out[place[place >= 0]].tolist(), *cut.tolist())
    # nodes: places, then new manholes, each once
    wells, at_well = np.unique(well[cut >= 0].astype(str), return_inverse=True)
    n = len(existing.xy)
    node = place.copy()
    node[cut >= 0] = n + at_well
    tail, head, source, begin, end = _pieces(existing, rows, cut, along, node)
    used, index = np.unique(np.concatenate([tail, head, node[node >= 0]]), return_inverse=True)
    up, down, mine = np.split(index, [len(tail), 2 * len(tail)])
    joins = np.full(len(links), -1)
    joins[last[node >= 0]] = mine
    old = used < n
    point = shapely.get_coordinates(shapely.get_point(links.geometry.to_numpy(), -1))
    xy = np.zeros((len(used), 2))
    xy[old] = existing.xy[used[old]]
    xy[joins[last[cut >= 0]]] = point[last[cut >= 0]]
    name = [f"N-{_plain(existing.name[k], k)}" if k < n else f"M-{wells[k - n]}" for k in used.tolist()]
    whole = existing.length_m[source]
    share = begin / whole, end / whole
    up_m, down_m = (existing.up_m[source] * (1 - f) + existing.down_m[source] * f for f in share)
    up_m = np.where(begin <= 0, existing.up_m[source], up_m)
    down_m = np.where(end >= whole, existing.down_m[source], down_m)
    z, ground = np.full(len(used), np.nan), np.full(len(used), np.nan)
    z[old], ground[old] = existing.invert_m[used[old]], existing.ground_m[used[old]]
    np.fmin.at(z, up, up_m)
    np.fmin.at(z, down, down_m)
    arrives = np.full(len(used), np.inf)
    ends = np.flatnonzero(joins >= 0)
    np.minimum.at(arrives, joins[ends], links["invert_down_m"].to_numpy(float)[ends])
    # a level above what arrives is one that the plan did not believe, as it lies above its own ground
    wrong = z > arrives + 0.001
    z[wrong] = ground[wrong] = np.nan
    up_m, down_m = np.where(wrong[up], np.nan, up_m), np.where(wrong[down], np.nan, down_m)
    guessed = np.isnan(z)
    guess = np.full(len(used), np.nan)
    guess[old] = existing.guess_m[used[old]]
    z = np.where(guessed & ~wrong & (guess <= arrives + 0.001), guess, z)
    length = np.maximum(end - begin, 0.1)
    z = filled(z, up, down, length, float(standard.slope(np.array(standard.allowed_mm[0]))), arrives)
    size = existing.diameter_mm[source]
    pipe_guessed = np.isnan(size) | np.isnan(up_m) | np.isnan(down_m)
    size = _sizes(size, up, down, float(standard.allowed_mm[0]))
    up_m, down_m = np.where(np.isnan(up_m), z[up], up_m), np.where(np.isnan(down_m), z[down], down_m)
    top = z + ASSUMED_DEPTH_M
    for side, level in ((up, up_m), (down, down_m)):
        np.maximum.at(top, side, level + size / 1000.0 + _ROOM_M)
    outlet = np.ones(len(used), bool)
    outlet[up] = False
    number = pd.Series(source).groupby(source).cumcount().to_numpy()
    pipe = [
        f"{_plain(existing.pipe_id[k], k)}{f'.{i}' if i else ''}" for k, i in zip(source.tolist(), number, strict=True)
    ]
    return Below(
        _apart(name), xy, z, np.where(np.isnan(ground), top, ground), guessed,
        _inflows(links, existing, standard, joins, up, down, source), outlet, _apart(pipe), up, down, length, up_m,
        down_m, size, pipe_guessed, joins,
    )  # fmt: skip


def _plain(name: Any, row: int) -> str:
    """Return an id without what a model file cannot hold; where something had to go, or there is none, with its row."""
    text = str(name) if isinstance(name, str) else ""
    plain = "".join(ch if ch.isascii() and (ch.isalnum() or ch in "-_.") else "_" for ch in text)
    return plain if plain and plain == text else f"{plain}_{row}"


def _apart(names: list[str]) -> Array:
    """Return names of which no two are alike, upper case or lower: a model file has each once."""
    taken = set()
    out = []
    for name in names:
        other, turn = name, 0
        while other.lower() in taken:
            turn += 1
            other = f"{name}_{turn}"
        taken.add(other.lower())
        out.append(other)
    return np.array(out, object)


def _joined(links: Any, last: Array, existing: Existing) -> tuple[Array, Array, Array, Array]:
    """Return, per link that ends at the network, the place or the pipe that it joins (-1), how far along, the new manhole."""
    place, cut, along = np.full(len(last), -1), np.full(len(last), -1), np.zeros(len(last))
    well = np.full(len(last), "", dtype=object)
    if not len(last) or not len(existing.xy):
        return place, cut, along, well
    end = shapely.get_point(links.geometry.to_numpy()[last], -1)
    if "new_manhole" in links:
        told = links["new_manhole"].to_numpy(object)[last]
        row = {str(p): i for i, p in enumerate(existing.pipe_id)}
        for i, name in enumerate(told):
            if isinstance(name, str) and name:
                cut[i], well[i] = row.get(str(links["to_node"].iloc[last[i]]), -1), name
    there = cut >= 0
    along[there] = shapely.line_locate_point(existing.line[cut[there]], end[there])
    far, near = cKDTree(existing.xy).query(shapely.get_coordinates(end))
    at = ~there & (far <= _SAME_M)
    place[at] = near[at]
    return place, cut, along, well


def _pieces(
    existing: Existing, rows: list[int], cut: Array, along: Array, node: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Return the pipes, cut at new manholes: upper and lower node, source, and where each begins and ends along it."""
    inside: dict[int, dict[int, float]] = {}
    for pipe, place, at in zip(cut.tolist(), node.tolist(), along.tolist(), strict=True):
        if pipe >= 0:
            inside.setdefault(pipe, {})[place] = at
    tail, head, source, begin, end = [], [], [], [], []
    for pipe in rows:
        stops = sorted((at, place) for place, at in inside.get(pipe, {}).items())
        places = [int(existing.up[pipe]), *(p for _, p in stops), int(existing.down[pipe])]
        marks = [0.0, *(a for a, _ in stops), float(existing.length_m[pipe])]
        tail += places[:-1]
        head += places[1:]
        source += [pipe] * (len(places) - 1)
        begin += marks[:-1]
        end += marks[1:]
    as_int = (np.array(x, np.int64) for x in (tail, head, source))
    return (*as_int, np.array(begin), np.array(end))  # type: ignore[return-value]  # three and two arrays


def _sizes(size: Array, up: Array, down: Array, usual: float) -> Array:
    """Return the sizes with unknown ones as large as the largest known one above, else the next one below, else the usual."""
    out = size.copy()
    into: dict[int, float] = {}
    order = np.argsort(_depths(up, down), kind="stable")
    for e in order.tolist():
        if np.isnan(out[e]):
            out[e] = into.get(int(up[e]), np.nan)
        if np.isfinite(out[e]):
            into[int(down[e])] = max(into.get(int(down[e]), 0.0), float(out[e]))
    after = {int(u): e for e, u in enumerate(up)}
    for e in order[::-1].tolist():
        if np.isnan(out[e]):
            nxt = after.get(int(down[e]))
            out[e] = out[nxt] if nxt is not None and np.isfinite(out[nxt]) else usual
    return np.asarray(out)


def _depths(up: Array, down: Array) -> Array:
    """Return how many pipes lie above each pipe on the longest way."""
    n = int(max(up.max(), down.max())) + 1 if len(up) else 0
    lower = np.full(n, -1)
    lower[up] = down
    rank = np.zeros(n, np.int64)
    for k in topmost_first(lower):
        if lower[k] >= 0:
            rank[lower[k]] = max(rank[lower[k]], rank[k] + 1)
    return rank[up]


def _inflows(
    links: Any, existing: Existing, standard: Standard, joins: Array, up: Array, down: Array, source: Array
) -> Array:
    """Return what enters at each node so that every pipe carries the design flow of all households above it."""
    size = int(max([*up.tolist(), *down.tolist(), *joins.tolist(), -1])) + 1
    people = np.zeros(size)
    ends = np.flatnonzero(joins >= 0)
    np.add.at(people, joins[ends], links["households"].to_numpy(float)[ends])
    lower, pipe = np.full(size, -1), np.full(size, -1)
    lower[up], pipe[up] = down, source
    for n in topmost_first(lower):
        if lower[n] >= 0:
            people[lower[n]] += people[n]
    flow = np.zeros(size)
    there = pipe >= 0
    flow[there] = standard.design_flow_lps(existing.households[pipe[there]] + people[there])
    inflow = flow.copy()
    np.subtract.at(inflow, lower[there], flow[there])
    gravity = ends[~links["pressure"].to_numpy(bool)[ends]]
    np.subtract.at(inflow, joins[gravity], links["flow_lps"].to_numpy(float)[gravity])  # these come as links
    return np.asarray(np.where(there, inflow, 0.0))
