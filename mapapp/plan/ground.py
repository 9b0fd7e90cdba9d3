"""This module gives ground levels from scattered heights, and from a ground model where there is one.

Manhole covers and spot heights lift or lower the ground model near to them: it keeps the shape, they the level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from mapapp.plan.terrain import Terrain

Array = np.ndarray[Any, Any]

NEIGHBOURS = 6
SURE_WITHIN_M = 250.0
"""A level counts as known when a height lies this near."""
EDGE_STEP_M = 10.0
"""Distance of the places on an outline whose levels are compared."""
RELIEF_M = 0.3
"""An outline that is flatter has no lowest place worth naming: levels between known points are not better than this."""
ASSUMED_DEPTH_M = 2.5
"""Ground above a sewer of which only the invert is known."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Heights in metres at points of the county's CRS, interpolated by inverse square distance."""

    tree: Any
    height: Array
    terrain: Terrain | None = None
    middle: float = 0.0
    """Median of the ground model: the level where it has none."""

    @classmethod
    def of(cls, layers: Mapping[str, Any], served: Any, terrain: Terrain | None = None) -> Ground:
        """Collect heights: manholes, ``spot_heights`` (column ``elev_m``), served nodes; else inverts plus a depth."""
        xy: list[Array] = []
        z: list[Array] = []
        for frame, column in (
            (layers.get("manholes"), "ground_elev_m"), (layers.get("spot_heights"), "elev_m"), (served, "ground_m")
        ):  # fmt: skip
            _add(frame, column, 0.0, xy, z)
        if not z and terrain is None:
            _add(served, "invert_m", ASSUMED_DEPTH_M, xy, z)
        points = np.concatenate(xy) if xy else np.empty((0, 2))
        height = np.concatenate(z) if z else np.empty(0)
        if terrain is not None:
            height = height - terrain.at(points[:, 0], points[:, 1])  # what the ground model misses there
            points, height = points[np.isfinite(height)], height[np.isfinite(height)]
        middle = float(np.nanmedian(terrain.height)) if terrain is not None else 0.0
        return cls(cKDTree(points) if len(points) else None, height, terrain, middle)

    @property
    def known(self) -> bool:
        """Whether there is any height at all."""
        return self.tree is not None or self.terrain is not None

    def at(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return levels and whether each is sure; zero and unsure everywhere when there is no height."""
        n = len(x)
        if self.terrain is not None and n:
            model = self.terrain.at(x, y)
            more, far = self._between(x, y)
            near = np.clip(1.0 - far / SURE_WITHIN_M, 0.0, 1.0)
            sure = np.isfinite(model)
            return np.where(sure, model, self.middle) + more * near, sure
        level, far = self._between(x, y)
        return level, far <= SURE_WITHIN_M

    def _between(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return what the scattered heights say, and how far the nearest of them is."""
        n = len(x)
        if self.tree is None or n == 0:
            return np.zeros(n), np.full(n, np.inf)
        k = min(NEIGHBOURS, len(self.height))
        far, which = self.tree.query(np.column_stack([x, y]), k=k)
        far, which = far.reshape(n, k), which.reshape(n, k)
        weight = 1.0 / np.maximum(far, 0.01) ** 2
        level = (weight * self.height[which]).sum(axis=1) / weight.sum(axis=1)
        return level, far[:, 0]


def lowest_edge(outlines: Array, ground: Ground) -> Array:
    """Return the lowest place on each outline as a point; None for points, flat outlines, and where no level is sure."""
    out = np.full(len(outlines), None, dtype=object)
    area = np.flatnonzero(np.isin(shapely.get_type_id(outlines), (3, 6)))
    if not ground.known or not len(area):
        return out
    xy, owner = shapely.get_coordinates(
        shapely.segmentize(shapely.boundary(outlines[area]), EDGE_STEP_M), return_index=True
    )
    level, sure = ground.at(*xy.T)
    order = np.lexsort((xy[:, 1], xy[:, 0], level, owner))
    first = order[np.searchsorted(owner[order], np.arange(len(area)))]
    high, every = np.full(len(area), -np.inf), np.ones(len(area), bool)
    np.maximum.at(high, owner, level)
    np.logical_and.at(every, owner, sure)
    good = every & (high - level[first] >= RELIEF_M)
    out[area[good]] = shapely.points(xy[first[good]])
    return out


def _add(frame: Any, column: str, plus: float, xy: list[Array], z: list[Array]) -> None:
    if frame is None or column not in frame or not len(frame):
        return
    shape = frame.geometry.to_numpy()
    value = pd.to_numeric(frame[column], errors="coerce").to_numpy(float)
    good = np.isfinite(value) & ~shapely.is_missing(shape) & ~shapely.is_empty(shape)
    if good.any():
        xy.append(shapely.get_coordinates(shapely.centroid(shape[good])))
        z.append(value[good] + plus)
