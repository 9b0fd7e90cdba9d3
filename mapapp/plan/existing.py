"""This module reads the served sewers as a planner of links sees them: where each drains, what it carries, what it has room for.

The audit says which places are served. Pipes between two such places are oriented towards the plant or boundary (by their
levels, then by their recorded direction), the households of connected compounds are added up along them, and each pipe's
capacity at the standard's fill is set against that flow. What is not known stays NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from mapapp.plan import flow as manning
from mapapp.plan.standard import Standard

Array = np.ndarray[Any, Any]

SNAP_M = 0.25
"""A pipe end this near to a served place is that place."""
OUTLET_M = 2.0
_AGAINST = 1000.0
"""How much dearer a way against the levels is: taken only where the data leave no other."""
_STEEPEST_FLAT = 1e-5


@dataclass(frozen=True, slots=True)
class Existing:
    """The served sewers as trees that drain to their outlets.

    Attributes
    ----------
    xy : ndarray, shape (n, 2)
        Served places, in the order of the table given; metres.
    name : ndarray of str or None, shape (n,)
        Manhole ids.
    invert_m, ground_m : ndarray, shape (n,)
        NaN where unknown.
    pipe_id, line : ndarray, shape (p,)
        Id and LineString of each pipe, from its upper to its lower end.
    up, down : ndarray of int, shape (p,)
        Rows of its ends.
    up_m, down_m : ndarray, shape (p,)
        Inverts at its ends, NaN unknown.
    diameter_mm, length_m, capacity_lps : ndarray, shape (p,)
        Capacity at the standard's greatest fill; NaN where size or slope is unknown, or the slope is none.
    households : ndarray, shape (p,)
        Connected households above.
    out : ndarray of int, shape (n,)
        Pipe by which each place drains; -1 at an outlet.
    guess_m : ndarray, shape (n,)
        Inverts; unknown ones taken from the known ones above and below along the flow, NaN where none below is known.
    """

    xy: Array
    name: Array
    invert_m: Array
    ground_m: Array
    pipe_id: Array
    line: Array
    up: Array
    down: Array
    up_m: Array
    down_m: Array
    diameter_mm: Array
    length_m: Array
    capacity_lps: Array
    households: Array
    out: Array
    guess_m: Array

    @classmethod
    def of(cls, layers: Mapping[str, Any], served: Any, standard: Standard, connected: Any = None) -> Existing:
        """Read the network.

        Parameters
        ----------
        layers : mapping
            ``pipes outlets``; without pipes there are places and nothing between them.
        served : GeoDataFrame
            As `AuditResult.served`.
        standard : Standard
            Roughness and greatest fills.
        connected : DataFrame, optional
            ``households`` and ``nearest_pipe_id`` of the compounds that drain here already, and their geometry.
        """
        xy, name, invert, ground = _places(served)
        rows, start, end = _between(layers.get("pipes"), xy)
        pipes = layers["pipes"].iloc[rows] if len(rows) else pd.DataFrame()
        line = shapely.force_2d(pipes.geometry.to_numpy()) if len(rows) else np.empty(0, object)
        length = shapely.length(line) if len(rows) else np.empty(0)
        z0, z1 = (numbers(pipes, c) for c in ("from_invert_m", "to_invert_m"))
        forward, backward = _ways(pipes, z0, z1, invert, start, end)
        out, ahead = _drained(len(xy), start, end, length, forward, backward, _outlets(layers, xy, invert))
        turned = np.where(ahead >= 0, ahead == 0, forward > backward)
        line = line.copy()
        line[turned] = shapely.reverse(line[turned])
        up, down = np.where(turned, end, start), np.where(turned, start, end)
        up_m, down_m = np.where(turned, z1, z0), np.where(turned, z0, z1)
        size = numbers(pipes, "diameter_mm")
        size = np.where(size > 0, size, np.nan)
        slope = (up_m - down_m) / np.where(length > 0, length, np.nan)
        slope = np.where(slope > _STEEPEST_FLAT, slope, np.nan)
        ids = pipes["pipe_id"].astype(str).to_numpy(object) if len(rows) else np.empty(0, object)
        fill = standard.fill(np.nan_to_num(size, nan=300.0)) if len(rows) else np.empty(0)
        room = 1000.0 * manning.capacity(size / 1000.0, slope, standard.resistance, fill) if len(rows) else np.empty(0)
        made = cls(
            xy, name, invert, ground, ids, line, up, down, up_m, down_m, size, length, room, np.zeros(len(ids)), out,
            np.full(len(xy), np.nan),
        )  # fmt: skip
        made.guess_m[:] = made.levels(np.zeros(len(xy), bool), standard)
        made.households[:] = made.summed(made.entries(connected))[up]
        return made

    def levels(self, wrong: Array, standard: Standard) -> Array:
        """Return the inverts of the places, unknown ones and those that are ``wrong`` (bool) as `guess_m` has them."""
        level, up_m, down_m = (
            np.where(wrong[at], np.nan, z)
            for at, z in ((slice(None), self.invert_m), (self.up, self.up_m), (self.down, self.down_m))
        )
        np.fmin.at(level, self.up, up_m)
        np.fmin.at(level, self.down, down_m)
        drains = self.out[self.up] == np.arange(len(self.pipe_id))
        slope = float(standard.slope(np.array(standard.allowed_mm[0])))
        return filled(level, self.up[drains], self.down[drains], self.length_m[drains], slope, below_only=True)

    def sills(self, level: Array) -> Array:
        """Return the level that water must rise to at each place to run off: the highest invert on its way down.

        Above the place's own invert where a pipe below begins higher or lies against its flow. ``level`` as `levels`; NaN where it is.
        """
        below = np.where(self.out >= 0, self.down[np.maximum(self.out, 0)], -1) if len(self.pipe_id) else self.out
        sill = level.copy()
        highest = np.fmax(self.up_m, self.down_m)
        for place in reversed(topmost_first(below)):
            if below[place] >= 0 and np.isfinite(level[place]):
                sill[place] = np.nanmax([level[place], sill[below[place]], highest[self.out[place]]])
        return sill

    def entries(self, connected: Any) -> Array:
        """Return the households that enter at each place: of each connected compound at the lower end of its pipe."""
        at = np.zeros(len(self.xy))
        if connected is None or not len(connected) or not len(self.xy):
            return at
        number = pd.Series(np.arange(len(self.pipe_id)), index=self.pipe_id)
        number = number[~number.index.duplicated()]
        told = (
            connected["nearest_pipe_id"]
            if "nearest_pipe_id" in connected
            else pd.Series(None, connected.index, dtype=object)
        )
        row = told.astype(object).map(number).to_numpy(float)
        shape = connected.geometry.to_numpy()
        there = ~(shapely.is_missing(shape) | shapely.is_empty(shape))
        place = np.full(len(connected), -1)
        middle = shapely.get_coordinates(shapely.centroid(shape[there]))
        place[there] = cKDTree(self.xy).query(middle)[1]
        known = np.isfinite(row)
        place[known] = self.down[row[known].astype(np.int64)]
        keep = place >= 0
        np.add.at(at, place[keep], connected["households"].to_numpy(float)[keep])
        return at

    def summed(self, at: Array) -> Array:
        """Return, per place, what enters there and above, along the ways the places drain."""
        total = np.asarray(at, float).copy()
        below = np.where(self.out >= 0, self.down[np.maximum(self.out, 0)], -1) if len(self.pipe_id) else self.out
        for place in topmost_first(below):
            if below[place] >= 0:
                total[below[place]] += total[place]
        return total

    def below(self, *pipes: int) -> list[int]:
        """Return pipes (-1 for none) and those below them, down to the outlets, each once."""
        found: dict[int, None] = {}
        for pipe in pipes:
            while pipe >= 0 and pipe not in found:
                found[pipe] = None
                pipe = int(self.out[self.down[pipe]])
        return list(found)


def topmost_first(below: Array) -> list[int]:
    """Return the places of trees, each after all that drain into it; ``below`` is where each drains, -1 at an outlet."""
    waiting = np.bincount(below[below >= 0], minlength=len(below))
    ready: list[int] = np.flatnonzero(waiting == 0).tolist()
    for place in ready:
        nxt = int(below[place])
        if nxt >= 0:
            waiting[nxt] -= 1
            if waiting[nxt] == 0:
                ready.append(nxt)
    return ready


def filled(
    z: Array,
    up: Array,
    down: Array,
    length: Array,
    slope: float,
    arrives: Array | None = None,
    *,
    below_only: bool = False,
) -> Array:
    """Return levels with the unknown ones taken between the known ones above and below along the flow.

    Parameters
    ----------
    z : ndarray, shape (n,)
        Metres, NaN unknown.
    up, down : ndarray of int
        Ends of pipes, one out of each place at most.
    length : ndarray
        Metres.
    slope : float
        From the level below where none above is known, and down from the one above where none below is.
    arrives : ndarray, shape (n,), optional
        Lowest level that comes in, infinite where none does: counts as known above where nothing is.
    below_only : bool
        Leave those unknown below which none is known.
    """
    out = np.full(len(z), -1)
    out[up] = np.arange(len(up))
    order = topmost_first(np.where(out >= 0, down[np.maximum(out, 0)] if len(down) else -1, -1))
    high, far_high = z.copy(), np.where(np.isnan(z), np.inf, 0.0)  # nearest known level above, and its distance
    for n in order:
        if arrives is not None and np.isnan(high[n]) and np.isfinite(arrives[n]):
            high[n], far_high[n] = arrives[n], 0.0
        e = out[n]
        if e >= 0 and np.isfinite(high[n]) and np.isnan(z[down[e]]) and far_high[n] + length[e] < far_high[down[e]]:
            high[down[e]], far_high[down[e]] = high[n], far_high[n] + length[e]
    found = z.copy()
    for n in reversed(order):
        if np.isfinite(found[n]):
            continue
        e = out[n]
        if e >= 0 and np.isfinite(found[down[e]]):
            low, far = found[down[e]], length[e]
            if np.isfinite(high[n]) and high[n] > low:
                found[n] = low + (high[n] - low) * far / (far + far_high[n])
            else:
                found[n] = low + slope * far
        elif np.isfinite(high[n]) and not below_only:
            found[n] = high[n] - slope * far_high[n]
    return found


def _places(served: Any) -> tuple[Array, Array, Array, Array]:
    if served is None or not len(served):
        return np.empty((0, 2)), np.empty(0, object), np.empty(0), np.empty(0)
    xy = shapely.get_coordinates(shapely.point_on_surface(shapely.force_2d(served.geometry.to_numpy())))
    node = served["node"].astype(object) if "node" in served else pd.Series(None, served.index, dtype=object)
    return (
        xy,
        node.where(node.notna(), None).to_numpy(object),
        numbers(served, "invert_m"),
        numbers(served, "ground_m"),
    )


def _between(pipes: Any, xy: Array) -> tuple[Array, Array, Array]:
    """Return the rows of gravity sewers in use whose two ends are different served places, and those places."""
    none = np.empty(0, np.int64)
    if pipes is None or not len(pipes) or not len(xy):
        return none, none, none
    shape = pipes.geometry.to_numpy()
    use = (shapely.get_type_id(shape) == 1) & ~shapely.is_empty(shape)
    for column, wanted in (
        ("kind", ("storm", "other")),
        ("status", ("abandoned", "empty", "planned", "under_construction")),
    ):
        if column in pipes:
            use &= ~pipes[column].isin(wanted).to_numpy(bool)
    if "flow" in pipes:
        use &= ~pipes["flow"].eq("pressure").fillna(False).to_numpy(bool)
    rows = np.flatnonzero(use)
    if not len(rows):
        return none, none, none
    tree = cKDTree(xy)
    start, end = (shapely.get_coordinates(shapely.get_point(shape[rows], k)) for k in (0, -1))
    (far_a, a), (far_b, b) = tree.query(start), tree.query(end)
    keep = (far_a <= SNAP_M) & (far_b <= SNAP_M) & (a != b)
    return rows[keep], a[keep], b[keep]


def _ways(pipes: Any, z0: Array, z1: Array, invert: Array, start: Array, end: Array) -> tuple[Array, Array]:
    """Return how willingly each pipe carries water forward and backward: 1, or `_AGAINST` where the data speak against it."""
    fall = z0 - z1
    if len(start):
        fall = np.where(np.isnan(fall), invert[start] - invert[end], fall)
    told = pipes["flow_dir"].astype(str).to_numpy(object) if "flow_dir" in pipes else np.full(len(z0), "")
    ahead, back = told == "0", told == "1"
    down, up = fall > 0, fall < 0
    level = ~(down | up)
    forward = np.where(up | (level & back), _AGAINST, 1.0)
    backward = np.where(down | (level & ahead), _AGAINST, 1.0)
    return forward, backward


def _outlets(layers: Mapping[str, Any], xy: Array, invert: Array) -> Array:
    """Return the places beside a plant or boundary; where none is on record, the lowest place."""
    frame = layers.get("outlets")
    if not len(xy):
        return np.empty(0, np.int64)
    if frame is not None and len(frame) and "facility" in frame:
        shape = frame.geometry.to_numpy()
        use = (
            frame["facility"].isin(["wwtp", "boundary"]).to_numpy(bool)
            & ~shapely.is_missing(shape)
            & ~shapely.is_empty(shape)
        )
        if use.any():
            near = cKDTree(xy).query_ball_point(shapely.get_coordinates(shapely.centroid(shape[use])), OUTLET_M)
            found = np.unique(np.concatenate([np.asarray(n, np.int64) for n in near]))
            if len(found):
                return found
    return np.array([int(np.nanargmin(invert))]) if np.isfinite(invert).any() else np.empty(0, np.int64)


def _drained(
    n: int, start: Array, end: Array, length: Array, forward: Array, backward: Array, outlets: Array
) -> tuple[Array, Array]:
    """Return the pipe each place drains by, and per pipe whether that is forward (1), backward (0), or neither (-1).

    Pieces of network without an outlet on record drain to a place where water has nowhere to go on.
    """
    out, ahead = np.full(n, -1), np.full(len(start), -1)
    if not len(start):
        return out, ahead
    link = sparse.coo_matrix((np.ones(len(start)), (start, end)), shape=(n, n))
    _, piece = csgraph.connected_components(link, directed=False)
    leaves = np.bincount(np.concatenate([start[forward < 2], end[backward < 2]]), minlength=n)
    lonely = np.setdiff1d(np.unique(piece), np.unique(piece[outlets]))
    ends = np.flatnonzero(leaves == 0)
    first = pd.Series(ends).groupby(piece[ends]).first() if len(ends) else pd.Series(dtype=np.int64)
    more = first[first.index.isin(lonely)].to_numpy(np.int64)
    source = np.concatenate([outlets, more])
    # searched from the outlets up: an arc leads from the lower to the upper end
    tail, head = np.concatenate([end, start]), np.concatenate([start, end])
    weight = np.concatenate([forward, backward]) * np.maximum(np.concatenate([length, length]), 0.01)
    pipe = np.tile(np.arange(len(start)), 2)
    tail, head = np.concatenate([tail, np.full(len(source), n)]), np.concatenate([head, source])
    weight, pipe = (
        np.concatenate([weight, np.full(len(source), 1e-6)]),
        np.concatenate([pipe, np.full(len(source), -1)]),
    )
    order = np.lexsort((weight, head, tail))  # of parallel pipes the best
    best = order[np.unique(np.column_stack([tail, head])[order], axis=0, return_index=True)[1]]
    graph = sparse.csr_matrix((weight[best], (tail[best], head[best])), shape=(n + 1, n + 1))
    _, before = csgraph.dijkstra(graph, indices=n, return_predecessors=True)
    by = {(int(t), int(h)): int(p) for t, h, p in zip(tail[best], head[best], pipe[best], strict=True)}
    for place in range(n):
        if 0 <= before[place] < n:
            k = by[int(before[place]), place]
            out[place] = k
            ahead[k] = int(start[k] == place)
    return out, ahead


def numbers(frame: Any, column: str) -> Array:
    """Return a column as floats, one per row; NaN for what is missing, no number, or all of an absent column."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    return np.asarray(pd.to_numeric(frame[column], errors="coerce").to_numpy(float, na_value=np.nan))
