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
from mapapp.plan.standard import Standard

Array = np.ndarray[Any, Any]

UNSERVED = frozenset({"not_connected", "no_main", "dangling", "wrong_outlet", "no_gravity"})
"""Verdicts of the audit that ask for a link. Where nobody knows (no data, inlet unknown), a survey comes first."""
AREA_PER_HOUSEHOLD_M2 = 90.0
HOUSEHOLDS_PER_BUILDING = 40.0
HOUSEHOLDS_UNKNOWN = 50.0

NEAR_PIPE_M = 150.0
"""A pipe this near to a compound is offered between its manholes."""
PIPES_EACH = 2
BESIDE_M = 40.0
"""A street that ends this near to a pipe leads to it."""
FAR_M = 2000.0
"""Streets farther from all compounds are not looked at."""
CLEAR_M = 10.0
"""So near to a manhole no new one is built, nor nearer to another new one."""
UNKNOWN_SIZE_MM = 300.0
"""Size taken for the new manhole's price where the existing pipe's is unknown."""
LEAST_DEPTH_M = 0.5
MISGUESSED_M = 2.0
"""Interpolated ground may be wrong by so much; a level farther above it is taken for the fault."""


_FIELDS = ("point", "name", "invert_m", "ground_m", "pipe", "well_m", "well_mm", "sure")


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
    sure : ndarray of bool
        Whether the invert is on record; else it is taken from sewers above and below, or NaN.
    """

    point: Array
    name: Array
    invert_m: Array
    ground_m: Array
    pipe: Array
    well_m: Array
    well_mm: Array
    sure: Array

    def __len__(self) -> int:
        return len(self.point)

    @property
    def between(self) -> Array:
        """Whether a new manhole is needed."""
        return self.well_m > 0

    def take(self, rows: Array) -> Targets:
        """Return some of the places."""
        return Targets(*(getattr(self, name)[rows] for name in _FIELDS))

    @classmethod
    def of(
        cls, served: Any, ground: Ground, existing: Existing | None = None, gates: Any = None, tips: Any = None,
        streets: Any = None, standard: Standard | None = None,
    ) -> Targets:  # fmt: skip
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
        streets : GeoDataFrame, optional
            Where one crosses a pipe or ends beside it, the pipe is offered too.
        standard : Standard, optional
            Least slope, to take a level that cannot be from the sewers above and below.
        """
        if served is None or not len(served):
            none = np.empty(0)
            nobody, words = np.empty(0, np.int64), np.empty(0, object)
            return cls(words, words, none, none, nobody, none, none, np.empty(0, bool))
        shape = shapely.force_2d(served.geometry.to_numpy())
        use = ~shapely.is_missing(shape) & ~shapely.is_empty(shape)
        if "reaches" in served and served["reaches"].dtype == bool:
            use &= served["reaches"].to_numpy()
        frame, point = served[use], shapely.point_on_surface(shape[use])
        node = frame["node"].astype(object) if "node" in frame else pd.Series(None, frame.index, dtype=object)
        pipe = frame["pipe_id"].astype(object) if "pipe_id" in frame else node
        name = node.where(node.notna() & (node.astype(str) != ""), pipe).to_numpy(object)
        told, level = numbers(frame, "invert_m"), numbers(frame, "ground_m")
        sure = np.isfinite(told)
        if existing is not None:
            told = np.where(sure, told, existing.guess_m[use])
        invert, known = _levels(point, told, level, ground)
        wrong = np.isnan(invert) & np.isfinite(told)
        if wrong.any() and existing is not None and standard is not None:
            every = np.zeros(len(use), bool)
            every[use] = wrong
            other = existing.levels(every, standard)[use]
            # sewers above and below that bear a level out weigh more than ground guessed from neighbours
            borne = wrong & np.isnan(level) & (told <= other + MISGUESSED_M)
            level = np.where(borne, told + ASSUMED_DEPTH_M, level)
            told = np.where(wrong & ~borne, other, told)
            invert, known = _levels(point, told, level, ground)
            sure &= ~wrong | borne
        level = known
        if existing is not None:
            invert = _over_sills(invert, level, existing, use)
        by = existing.out[use] if existing is not None else np.full(len(point), -1)
        none = np.zeros(len(point))
        at = cls(point, name, invert, level, by, none, none, sure & np.isfinite(invert))
        return at if existing is None or gates is None else at._and(_between(existing, gates, tips, streets, ground))

    def _and(self, other: Targets) -> Targets:
        return Targets(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in _FIELDS))


def _over_sills(invert: Array, level: Array, existing: Existing, use: Array) -> Array:
    """Return the inverts, raised where water stands above them as a pipe below lies against its flow.

    Not above the ground: such a level below is a fault of the data.
    """
    every = existing.guess_m.copy()
    every[use] = invert
    sill = existing.sills(every)[use]
    return np.where(sill < level - LEAST_DEPTH_M, np.fmax(invert, sill), invert)


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


def _between(existing: Existing, gates: Array, tips: Any, streets: Any, ground: Ground) -> Targets:
    """Return places between the manholes of pipes: where compounds come nearest, where drawn lines and streets meet them."""
    line, length = existing.line, existing.length_m
    empty = Targets.of(None, ground)
    if not len(line):
        return empty
    usable = np.flatnonzero((existing.out[existing.up] == np.arange(len(line))) & (length >= 2 * CLEAR_M))
    if not len(usable):
        return empty
    count = len(gates)
    gates = gates if tips is None else np.concatenate([gates, tips])
    tree = shapely.STRtree(line[usable])
    who, row = tree.query(gates, predicate="dwithin", distance=NEAR_PIPE_M)
    row = usable[row]
    far = shapely.distance(gates[who], line[row])
    order = np.lexsort((existing.pipe_id[row].astype(str), far, who))
    rank = np.arange(len(order)) - np.searchsorted(who[order], who[order])
    keep = order[rank < PIPES_EACH]
    who, row = who[keep], row[keep]
    foot = shapely.get_point(shapely.shortest_line(line[row], gates[who]), 0)
    met, spot = _met(tree, usable, line, streets, gates)
    who, row, foot = np.append(who, np.full(len(met), -1)), np.append(row, met), np.append(foot, spot)
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
    ends = existing.up_m[row], existing.down_m[row]
    sure = np.isfinite(ends[0]) & np.isfinite(ends[1])
    above, below = (
        np.where(np.isfinite(z), z, existing.guess_m[k[row]])
        for z, k in zip(ends, (existing.up, existing.down), strict=True)
    )
    sill = existing.sills(existing.guess_m)[existing.down[row]]
    invert = above * (1 - share) + below * share
    known = ground.known
    level = existing.ground_m[existing.up[row]] * (1 - share) + existing.ground_m[existing.down[row]] * share
    level = level if known else np.full(len(row), np.nan)
    # both ends on record weigh more than ground guessed from neighbours
    guess, _ = ground.at(*shapely.get_coordinates(point).T)
    level = np.where(sure & np.isnan(level) & (invert > guess - LEAST_DEPTH_M), invert + ASSUMED_DEPTH_M, level)
    invert, level = _levels(point, invert, level, ground)
    depth = np.where(np.isfinite(invert), level - invert, ASSUMED_DEPTH_M)
    invert = np.where(sill < level - LEAST_DEPTH_M, np.fmax(invert, sill), invert)
    size = np.where(np.isfinite(existing.diameter_mm[row]), existing.diameter_mm[row], UNKNOWN_SIZE_MM)
    return Targets(
        point, existing.pipe_id[row], invert, level, row, np.maximum(depth, 0.5), size, sure & np.isfinite(invert)
    )


def _met(tree: Any, usable: Array, line: Array, streets: Any, gates: Array) -> tuple[Array, Array]:
    """Return pipes that streets near to the compounds cross or end beside, and where."""
    none = np.empty(0, np.int64), np.empty(0, object)
    if streets is None or not len(streets) or not len(gates):
        return none
    street = shapely.force_2d(streets.geometry.to_numpy())
    street = street[np.isin(shapely.get_type_id(street), (1, 5)) & shapely.is_valid(street) & ~shapely.is_empty(street)]
    x0, y0, x1, y1 = shapely.total_bounds(gates)
    street = street[shapely.intersects(street, shapely.box(x0 - FAR_M, y0 - FAR_M, x1 + FAR_M, y1 + FAR_M))]
    street = shapely.get_parts(street)
    if not len(street):
        return none
    who, row = tree.query(street, predicate="crosses")
    cut = shapely.intersection(street[who], line[usable[row]])
    part, owner = shapely.get_parts(cut, return_index=True)
    point = shapely.get_type_id(part) == 0
    ends = np.concatenate([shapely.get_point(street, k) for k in (0, -1)])
    end, beside = tree.query_nearest(ends, max_distance=BESIDE_M, all_matches=False)
    beside = usable[beside]
    foot = shapely.get_point(shapely.shortest_line(line[beside], ends[end]), 0)
    return np.concatenate([usable[row[owner[point]]], beside]), np.concatenate([part[point], foot])


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
