"""This module reads the served places of the network, and who must be joined to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from mapapp.plan.ground import ASSUMED_DEPTH_M, Ground

Array = np.ndarray[Any, Any]

UNSERVED = frozenset({"not_connected", "no_main", "dangling", "wrong_outlet", "no_gravity"})
"""Verdicts of the audit that ask for a link. Where nobody knows (no data, inlet unknown), a survey comes first."""
AREA_PER_HOUSEHOLD_M2 = 90.0
HOUSEHOLDS_PER_BUILDING = 40.0
HOUSEHOLDS_UNKNOWN = 50.0


@dataclass(frozen=True, slots=True)
class Targets:
    """Served places: point, name, invert, ground; ``assumed`` where the invert is a guess (then NaN)."""

    point: Array
    name: Array
    invert_m: Array
    ground_m: Array

    @classmethod
    def of(cls, served: Any, ground: Ground) -> Targets:
        """Read `AuditResult.served`: ``pipe_id node invert_m ground_m`` and a point (or a pipe's line)."""
        if served is None or not len(served):
            return cls(np.empty(0, object), np.empty(0, object), np.empty(0), np.empty(0))
        shape = shapely.force_2d(served.geometry.to_numpy())
        use = ~shapely.is_missing(shape) & ~shapely.is_empty(shape)
        if "reaches" in served and served["reaches"].dtype == bool:
            use &= served["reaches"].to_numpy()
        frame, shape = served[use], shapely.point_on_surface(shape[use])
        node = frame["node"].astype(object) if "node" in frame else pd.Series(None, frame.index, dtype=object)
        pipe = frame["pipe_id"].astype(object) if "pipe_id" in frame else node
        name = node.where(node.notna() & (node.astype(str) != ""), pipe).to_numpy(object)
        invert = _numbers(frame, "invert_m")
        level = _numbers(frame, "ground_m")
        guess, _ = ground.at(*shapely.get_coordinates(shape).T)
        if not ground.known:
            guess = invert + ASSUMED_DEPTH_M
        level = np.where(np.isnan(level), guess, level)
        # an invert above its own ground is a fault of the data: not one to plan by
        invert = np.where(invert > level, np.nan, invert)
        return cls(shape, name, invert, np.nan_to_num(level))


def _numbers(frame: Any, column: str) -> Array:
    if column not in frame:
        return np.full(len(frame), np.nan)
    return np.asarray(pd.to_numeric(frame[column], errors="coerce").to_numpy(float, na_value=np.nan))


def demand(compounds: Any) -> tuple[Array, Array]:
    """Return households per compound and whether they are assumed.

    Unknown or zero households are taken from floor area, then from the number of buildings, then from a round figure: a
    compound that is to be joined has people.
    """
    known = _numbers(compounds, "households")
    area = _numbers(compounds, "floor_area_m2") / AREA_PER_HOUSEHOLD_M2
    buildings = _numbers(compounds, "buildings") * HOUSEHOLDS_PER_BUILDING
    out = known
    for other in (area, buildings, np.full(len(known), HOUSEHOLDS_UNKNOWN)):
        out = np.where(np.isfinite(out) & (out > 0), out, other)
    return out, ~(known > 0)
