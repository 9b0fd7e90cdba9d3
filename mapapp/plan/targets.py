"""This module reads the served places that a link may join, and who must be joined to them.

A place is a manhole that the audit found served, or a point between two manholes of a served pipe, where a new manhole
is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from mapapp.plan.existing import Existing, numbers
from mapapp.plan.ground import ASSUMED_DEPTH_M, Ground

Array = np.ndarray[Any, Any]

UNSERVED = frozenset({"not_connected", "no_main", "dangling", "wrong_outlet", "no_gravity"})
"""Verdicts of the audit that ask for a link. Where nobody knows (no data, inlet unknown), a survey comes first."""
AREA_PER_HOUSEHOLD_M2 = 90.0
HOUSEHOLDS_PER_BUILDING = 40.0
HOUSEHOLDS_UNKNOWN = 50.0

NEAR_PIPE_M = 150.0
"""A pipe this near to a compound is offered between its manholes."""
PIPES_EACH = 2
CLEAR_M = 10.0
"""So near to a manhole no new one is built, nor nearer to another new one."""
UNKNOWN_SIZE_MM = 300.0
"""Size taken for the new manhole's price where the existing pipe's is unknown."""
LEAST_DEPTH_M = 0.5
MISGUESSED_M = 2.0
"""Interpolated ground may be wrong by so much; a level farther above it is taken for the fault."""


_FIELDS = ("point", "name", "invert_m", "ground_m", "pipe", "well_m", "well_mm")


@dataclass(frozen=True, slots=True)
class Targets:
    """Places to join; every field has one entry per place, unknown levels are NaN.

    Attributes
    ----------
    point : ndarray of Point
    name : ndarray of str
        Manhole id; the pipe's id where the place is between two manholes or no manhole is on record.
    invert_m, ground_m : ndarray
    pipe : ndarray of int
        Row of the receiving pipe in `Existing`, -1 unknown.
    well_m, well_mm : ndarray
        Depth and pipe size of the manhole that must be built there, in metres and millimetres; 0 where one stands.
    """

    point: Array
    name: Array
    invert_m: Array
    ground_m: Array
    pipe: Array
    well_m: Array
    well_mm: Array

    def __len__(self) -> int:
        return len(self.point)

    @property
    def between(self) -> Array:
        """Whether a new manhole is needed."""
        return self.well_m > 0

    def take(self, rows: Array) -> Targets:
        """Return some of the places."""
        point, name, invert, ground, pipe, well, size = (getattr(self, name)[rows] for name in _FIELDS)
        return Targets(point, name, invert, ground, pipe, well, size)

    @classmethod
    def of(
        cls, served: Any, ground: Ground, existing: Existing | None = None, gates: Any = None, tips: Any = None
    ) -> Targets:
        """Read the places.

        Parameters
        ----------
        served : GeoDataFrame
            `AuditResult.served`: ``pipe_id node invert_m ground_m`` and a point (or a pipe's line).
        ground : Ground
        existing : Existing, optional
            The pipes between those places, read from the same table.
        gates : array of geometry, optional
            Unserved compounds: pipes near to them are offered between their manholes.
        tips : array of Point, optional
            Where lines drawn by hand end: the pipe there is offered at that very place.
        """
        if served is None or not len(served):
            none = np.empty(0)
            return cls(np.empty(0, object), np.empty(0, object), none, none, np.empty(0, np.int64), none, none)
        shape = shapely.force_2d(served.geometry.to_numpy())
        use = ~shapely.is_missing(shape) & ~shapely.is_empty(shape)
        if "reaches" in served and served["reaches"].dtype == bool:
            use &= served["reaches"].to_numpy()
        frame, point = served[use], shapely.point_on_surface(shape[use])
        node = frame["node"].astype(object) if "node" in frame else pd.Series(None, frame.index, dtype=object)
        pipe = frame["pipe_id"].astype(object) if "pipe_id" in frame else node
        name = node.where(node.notna() & (node.astype(str) != ""), pipe).to_numpy(object)
        invert, level = _levels(point, numbers(frame, "invert_m"), numbers(frame, "ground_m"), ground)
        by = existing.out[use] if existing is not None else np.full(len(point), -1)
        none = np.zeros(len(point))
        at = cls(point, name, invert, level, by, none, none)
        return at if existing is None or gates is None else at._and(_between(existing, gates, tips, ground))

    def _and(self, other: Targets) -> Targets:
        point, name, invert, ground, pipe, well, size = (
            np.concatenate([getattr(self, n), getattr(other, n)]) for n in _FIELDS
        )
        return Targets(point, name, invert, ground, pipe, well, size)


def _levels(point: Array, invert: Array, level: Array, ground: Ground) -> tuple[Array, Array]:
    guess, _ = ground.at(*shapely.get_coordinates(point).T)
    if not ground.known:
        guess = invert + ASSUMED_DEPTH_M
    # ground guessed from its neighbours gives way to a level on record that is a little above it
    unlikely = np.isnan(level) & (invert > guess - LEAST_DEPTH_M) & (invert <= guess + MISGUESSED_M)
    guess = np.where(unlikely, invert + ASSUMED_DEPTH_M, guess)
    level = np.where(np.isnan(level), guess, level)
    # an invert above its own ground is a fault of the data: not one to plan by
    return np.where(invert > level, np.nan, invert), np.nan_to_num(level)


def _between(existing: Existing, gates: Array, tips: Any, ground: Ground) -> Targets:
    """Return places between the manholes of pipes near to compounds: where each comes nearest."""
    line, length = existing.line, existing.length_m
    empty = Targets.of(None, ground)
    if not len(line):
        return empty
    usable = np.flatnonzero((existing.out[existing.up] == np.arange(len(line))) & (length >= 2 * CLEAR_M))
    if not len(usable):
        return empty
    count = len(gates)
    gates = gates if tips is None else np.concatenate([gates, tips])
    who, row = shapely.STRtree(line[usable]).query(gates, predicate="dwithin", distance=NEAR_PIPE_M)
    row = usable[row]
    far = shapely.distance(gates[who], line[row])
    order = np.lexsort((existing.pipe_id[row].astype(str), far, who))
    rank = np.arange(len(order)) - np.searchsorted(who[order], who[order])
    keep = order[rank < PIPES_EACH]
    who, row = who[keep], row[keep]
    foot = shapely.get_point(shapely.shortest_line(line[row], gates[who]), 0)
    along = shapely.line_locate_point(line[row], foot)
    fine = (along >= CLEAR_M) & (along <= length[row] - CLEAR_M)
    exact, row, along = who[fine] >= count, row[fine], along[fine]
    slot = np.where(exact, -1.0 - np.floor(along), np.floor(along / CLEAR_M))
    order = np.lexsort((along, slot, row))
    row, along, slot = row[order], along[order], slot[order]
    first = np.ones(len(row), bool)
    first[1:] = (row[1:] != row[:-1]) | (slot[1:] != slot[:-1])
    row, along = row[first], along[first]
    if not len(row):
        return empty
    point = shapely.line_interpolate_point(line[row], along)
    share = along / length[row]
    invert = existing.up_m[row] * (1 - share) + existing.down_m[row] * share
    known = ground.known
    level = existing.ground_m[existing.up[row]] * (1 - share) + existing.ground_m[existing.down[row]] * share
    invert, level = _levels(point, invert, level if known else np.full(len(row), np.nan), ground)
    depth = np.where(np.isfinite(invert), level - invert, ASSUMED_DEPTH_M)
    size = np.where(np.isfinite(existing.diameter_mm[row]), existing.diameter_mm[row], UNKNOWN_SIZE_MM)
    return Targets(point, existing.pipe_id[row], invert, level, row, np.maximum(depth, 0.5), size)


def demand(compounds: Any) -> tuple[Array, Array]:
    """Return households per compound and whether they are assumed.

    Unknown or zero households are taken from floor area, then from the number of buildings, then from a round figure: a
    compound that is to be joined has people.
    """
    known = numbers(compounds, "households")
    area = numbers(compounds, "floor_area_m2") / AREA_PER_HOUSEHOLD_M2
    buildings = numbers(compounds, "buildings") * HOUSEHOLDS_PER_BUILDING
    out = known
    for other in (area, buildings, np.full(len(known), HOUSEHOLDS_UNKNOWN)):
        out = np.where(np.isfinite(out) & (out > 0), out, other)
    return out, ~(known > 0)


def connected(compounds: Any, verdicts: Mapping[str, Any] | Any) -> Any:
    """Return the compounds that drain into the network already: ``households nearest_pipe_id`` and geometry."""
    if compounds is None or verdicts is None or not len(verdicts) or not len(compounds):
        return None
    some = verdicts[verdicts["verdict"] == "connected"]
    ids = some["compound_id"].astype(str)
    frame = compounds[compounds["compound_id"].astype(str).isin(ids)].drop_duplicates("compound_id")
    pipe = some["nearest_pipe_id"] if "nearest_pipe_id" in some else pd.Series(None, some.index, dtype=object)
    by = pd.Series(pipe.to_numpy(object), index=ids.to_numpy(object))
    by = by[~by.index.duplicated()]
    people, _ = demand(frame)
    return frame.assign(households=people, nearest_pipe_id=frame["compound_id"].astype(str).map(by).to_numpy(object))
