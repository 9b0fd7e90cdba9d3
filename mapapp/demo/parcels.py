"""This module divides the demo county's blocks into parcels and builds on them: compounds with their slabs, and the rest of town."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from mapapp.demo import ground, streets
from mapapp.demo.ground import Floats

Bools = npt.NDArray[np.bool_]
_STOREY_M = 2.9
_CORNERS = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
_PULL = {"pit": 9.0}
"""How strongly compounds are drawn to the special zones, where the usual 0.45 is not enough."""
ROAD_M = 6.5
"""Width kept free for the road inside a compound, west and east of its rows."""


@dataclass(frozen=True)
class Site:
    """One compound on the ground, in its own axes: origin at the centre, ``a`` along the rows, ``b`` across them (north).

    ``half`` are the half extents of the built area with its roads; it leans by ``lean`` metres along ``a`` per metre of
    ``b``, as blocks do where streets meet askew. ``rows_b`` are the lanes south of each row; ``slabs`` (n, 5) hold
    ``a b length depth floors``.
    """

    centre: Floats
    axes: Floats
    half: tuple[float, float]
    lean: float
    rows_b: Floats
    slabs: Floats

    def place(self, ab: Floats) -> Floats:
        """Return map coordinates of points given in the site's axes."""
        return _placed(ab, self.centre, self.axes, self.lean)

    def footprints(self) -> Floats:
        """Return the slabs' corners in map coordinates, shape (n, 4, 2); they stay square however the site leans."""
        return self.place(self.slabs[:, None, :2]) + (_CORNERS * self.slabs[:, None, 2:4] / 2) @ self.axes


def _placed(ab: Floats, centre: Floats, axes: Floats, lean: float) -> Floats:
    return np.asarray(centre + np.stack([ab[..., 0] + lean * ab[..., 1], ab[..., 1]], axis=-1) @ axes)


def _shrunk(quad: Floats, by_m: float) -> Floats | None:
    """Return the quad with every side moved inwards, or None when nothing is left."""
    inner = shapely.Polygon(quad).buffer(-by_m, join_style="mitre", mitre_limit=10)
    if inner.is_empty or inner.geom_type != "Polygon":
        return None
    ring = shapely.get_coordinates(inner.exterior)[:-1]
    if len(ring) != 4:
        return None
    nearest = np.linalg.norm(ring[None] - quad[:, None], axis=-1).argmin(axis=1)
    return ring[nearest] if len(set(nearest.tolist())) == 4 else None


def divide(plan: streets.Plan, rng: np.random.Generator) -> Floats:
    """Return parcels as quads in valley coordinates, shape (n, 4, 2), with a gap of 1.6 m between neighbours."""
    out: list[Floats] = []
    for block, core in zip(plan.blocks, plan.block_core, strict=True):
        inner = _shrunk(block, 8.0 if core else 12.5)
        if inner is None:
            continue
        todo = [inner]
        while todo:
            quad = todo.pop()
            down, across = streets._sides(quad)
            if (
                streets._area(quad) < rng.choice([2600, 4200, 6000, 11000, 30000], p=[0.13, 0.25, 0.22, 0.2, 0.2])
                or min(down, across) < 34
            ):
                if (small := _shrunk(quad, 0.8)) is not None:
                    out.append(small)
                continue
            f = rng.uniform(0.4, 0.6)
            one, two, _ = streets.split(quad, down > across, float(f), float(f + rng.normal(0, 0.03)))
            todo += [one, two]
    return np.stack(out)


def outline(quad: Floats) -> shapely.Polygon:
    """Return a parcel's outline in map coordinates, with no more vertices than a surveyor would take."""
    sides = [streets.draw(np.stack([quad[i], quad[(i + 1) % 4]]), step_m=30)[:-1] for i in range(4)]
    surveyed = shapely.Polygon(np.round(np.concatenate(sides), 2)).simplify(0.25)
    return shapely.Polygon(shapely.get_coordinates(surveyed))


def site(quad: Floats, polygon: shapely.Polygon) -> tuple[Floats, Floats, tuple[float, float], float]:
    """Return centre, axes (rows: a, b), half extents and lean of the largest area for rows inside the parcel."""
    s0, s1 = max(quad[0, 0], quad[1, 0]), min(quad[2, 0], quad[3, 0])
    t0, t1 = quad[[0, 3], 1].mean(), quad[[1, 2], 1].mean()
    s, t = (s0 + s1) / 2, (t0 + t1) / 2
    centre = ground.to_map(s, t)
    top, bottom = quad[:2].mean(axis=0), quad[2:].mean(axis=0)
    east = ground.to_map(*quad[1:3].mean(axis=0)) - ground.to_map(*quad[[0, 3]].mean(axis=0))
    south = ground.to_map(*bottom) - ground.to_map(*top)
    a = east / np.linalg.norm(east)
    axes = np.stack([a, [-a[1], a[0]]])
    lean = float(south @ axes[0] / (south @ axes[1]))
    half = (float(np.linalg.norm(east)) / 2, float(abs(south @ axes[1])) / 2 * (s1 - s0) / (bottom[0] - top[0]))
    inside = polygon.buffer(-1.5)
    for shrink in np.arange(1.0, 0.3, -0.03):
        for thin in (1.0, 0.92):
            tried = (half[0] * shrink, half[1] * shrink * thin)
            if inside.contains(shapely.Polygon(_placed(_CORNERS * tried, centre, axes, lean))):
                return centre, axes, tried, lean
    return centre, axes, (half[0] * 0.3, half[1] * 0.3), lean


def slabs(half: tuple[float, float], lean: float, count: int, floor_area_m2: float) -> tuple[Floats, Floats] | None:
    """Arrange slab buildings in rows.

    Parameters
    ----------
    half : tuple of float
        Half extents of the rectangle in metres, along and across the rows.
    lean : float
        Metres along the rows per metre across them.
    count : int
        Number of buildings.
    floor_area_m2 : float
        Of all of them together.

    Returns
    -------
    slabs : ndarray, shape (count, 5)
        Centre a, b, length, depth, floors.
    rows_b : ndarray
        Where the lane south of each row runs.
    None
        When they do not fit in eight floors.
    """
    width, height = 2 * half[0] - 2 * ROAD_M, 2 * half[1]
    for floors in (5, 6, 7, 8):
        for columns in range(1, count + 1):
            rows = -(-count // columns)
            pitch = height / rows
            for depth in (11.0, 12.5, 14.0):
                length = floor_area_m2 / count / floors / depth
                fits = (
                    columns * length + (columns - 1) * 7 + abs(lean) * depth <= width
                    and depth + max(7.5, 0.5 * floors * _STOREY_M) <= pitch
                )
                if not fits or length < 1.4 * depth:
                    continue
                k = np.arange(count)
                row, column = k // columns, k % columns
                in_row = np.where(row == rows - 1, count - columns * (rows - 1), columns)
                step = (width + 7) / columns
                a: Floats = (column - (in_row - 1) / 2) * min(step, length + 12)
                b = half[1] - pitch * row - depth / 2 - 0.8
                lane = np.asarray(
                    half[1] - pitch * np.arange(rows) - depth - 0.8 - (pitch - depth) * 0.45, dtype=np.float64
                )
                made: Floats = np.column_stack(
                    [a, b, np.full(count, length), np.full(count, depth), np.full(count, floors)]
                ).astype(float)
                return made, lane
    return None


def rectangles(place: Site) -> npt.NDArray[np.object_]:
    """Return the slabs' footprints in map coordinates."""
    return np.asarray(shapely.polygons(np.round(place.footprints(), 2)))


def assign(
    need: pd.DataFrame,
    quads: Floats,
    zone: npt.NDArray[np.object_],
    quota: dict[str, tuple[int, int]],
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.int64], list[Site]]:
    """Find a parcel for every compound.

    Parameters
    ----------
    need : DataFrame
        ``buildings`` and ``floor_area_m2``, one row per compound.
    quads : ndarray, shape (n, 4, 2)
    zone : ndarray of str, shape (n,)
        Where each parcel lies; compounds fill the quotas of the special zones before any other.
    quota : dict
        Zone to the number of compounds it takes, at most, and the rank of size it starts from.
    rng : numpy.random.Generator

    Returns
    -------
    parcel : ndarray of int, shape (len(need),)
    sites : list of Site
    """
    polygons = [outline(q) for q in quads]
    rects = [site(q, p) for q, p in zip(quads, polygons, strict=True)]
    area = shapely.area(polygons)
    free = np.ones(len(quads), dtype=bool)
    room = {z: n for z, (n, _) in quota.items()}
    parcel = np.full(len(need), -1)
    sites: list[Site | None] = [None] * len(need)
    wanted = need["floor_area_m2"].to_numpy(dtype=float)
    order = np.argsort(-wanted, kind="stable")
    for rank, i in enumerate(order):
        allowed = free & np.array([room.get(z, 99) > 0 and rank >= quota.get(z, (0, 0))[1] for z in zone])
        # a coverage that is usual for old compounds: floor area 0.8 to 1.5 times the site
        ratio = wanted[i] / area
        score = (
            np.abs(np.log(ratio / 1.15))
            + rng.uniform(0, 0.25, len(quads))
            + np.array([_PULL.get(z, 0.45) if room.get(z, 0) > 0 else 0.0 for z in zone]) * -1
        )
        score[~allowed] = np.inf
        for j in np.argsort(score, kind="stable")[:400]:
            if not np.isfinite(score[j]):
                break
            centre, axes, half, lean = rects[j]
            made = slabs(half, lean, int(need["buildings"].iloc[i]), float(wanted[i]))
            if made is None:
                continue
            free[j], parcel[i] = False, j
            if zone[j] in room:
                room[zone[j]] -= 1
            sites[i] = Site(centre, axes, half, lean, made[1], made[0])
            break
    assert (parcel >= 0).all(), need.loc[parcel < 0, ["buildings", "floor_area_m2"]]
    return parcel, [s for s in sites if s is not None]


def others(quads: Floats, rng: np.random.Generator) -> npt.NDArray[np.object_]:
    """Build on the parcels that are in no programme: houses in the small ones, slabs, halls and schools in the others."""
    out = []
    for quad in quads:
        polygon = outline(quad)
        centre, axes, half, lean = site(quad, polygon)
        if rng.random() < 0.08:
            continue  # a square, a market or a building site
        area = float(polygon.area)
        count = max(1, round(area / rng.uniform(1300, 2100)))
        made = slabs(half, lean, count, area * rng.uniform(0.7, 1.1)) if area > 3200 and rng.random() < 0.7 else None
        if made is None:
            made = (_houses(half, rng), np.zeros(0))
        out.append(rectangles(Site(centre, axes, half, lean, made[1], made[0])))
    return np.concatenate(out)


def _houses(half: tuple[float, float], rng: np.random.Generator) -> Floats:
    """Rows of houses of two to four floors, as in old lanes."""
    na, nb = max(1, int(2 * half[0] // 13)), max(1, int(2 * half[1] // 11))
    a, b = np.meshgrid((np.arange(na) + 0.5) / na * 2 - 1, (np.arange(nb) + 0.5) / nb * 2 - 1)
    size = np.array([2 * half[0] / na, 2 * half[1] / nb])
    keep = rng.random(na * nb) < 0.86
    n = na * nb
    made = np.column_stack(
        [
            a.ravel() * half[0],
            b.ravel() * half[1],
            size[0] * rng.uniform(0.7, 0.96, n),
            size[1] * rng.uniform(0.6, 0.9, n),
            rng.integers(2, 5, n),
        ]
    )
    return made[keep] if keep.any() else made
