"""This module lays the sewers inside the demo county's compounds and their connections to the street."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import shapely

from mapapp.demo.ground import Floats
from mapapp.demo.parcels import ROAD_M, Site
from mapapp.demo.sewers import Draft
from mapapp.demo.streets import Ints

_LONGEST_M = 36.0
REACH_M = 62.0
"""No connection is longer than this."""


def _runs(place: Site, side: int, north: bool) -> tuple[list[Floats], list[list[Floats]], Floats]:
    """Return the spine from its far end to the gate, the branch of each row (far end first), and the gate, in site axes."""
    a = side * (place.half[0] - ROAD_M / 2)
    rows = np.sort(place.rows_b) if north else -np.sort(-place.rows_b)
    gate = (place.half[1] - 1.2) if north else -(place.half[1] - 1.2)
    stops = [float(b) for b in rows if abs(b - gate) > 5]
    spine = [np.array([a, b]) for b in (*stops, gate)]
    far = -side * (place.half[0] - ROAD_M - 3)
    branches = []
    for b in rows:
        span = abs(a - far)
        pieces = max(1, int(np.ceil(span / _LONGEST_M)))
        end = b if abs(b - gate) > 5 else gate
        branches.append([np.array([far + (a - far) * k / pieces, b + (end - b) * k / pieces]) for k in range(pieces)])
    return spine, branches, spine[-1]


def gates(place: Site) -> list[tuple[int, bool, Floats]]:
    """Return the four places where the road inside may leave the compound: side, north, map coordinates."""
    return [(s, n, place.place(_runs(place, s, n)[2][None])[0]) for s in (-1, 1) for n in (True, False)]


def entry(
    place: Site, own: int, outlines: Sequence[shapely.Polygon], xy: Floats, street: Ints
) -> tuple[int, int, bool] | None:
    """Choose manhole and gate for a compound's connection.

    Parameters
    ----------
    place : Site
    own : int
        The compound's number among ``outlines``.
    outlines : sequence of Polygon
        All compounds; a connection crosses no other one.
    xy : ndarray, shape (n, 2)
        The draft's nodes.
    street : ndarray of int
        Those of them in streets that a compound may join.

    Returns
    -------
    (int, int, bool) or None
        Node, side and north; None when nothing is in reach.
    """
    best: list[tuple[float, int, int, bool]] = []
    for side, north, gate in gates(place):
        d = np.linalg.norm(xy[street] - gate, axis=1)
        best += [(float(d[k]), int(street[k]), side, north) for k in np.argsort(d, kind="stable")[:4]]
    slabs = np.asarray(shapely.polygons(place.footprints()))
    others = [o for i, o in enumerate(outlines) if i != own]
    for length, node, side, north in sorted(best):
        if length > REACH_M:
            return None
        gate = place.place(_runs(place, side, north)[2][None])[0]
        line = shapely.linestrings([gate, xy[node]])
        if length > 9 and not shapely.intersects(slabs, line).any() and not shapely.intersects(others, line).any():
            return node, side, north
    return None


def inside(draft: Draft, place: Site, compound: int, side: int, north: bool) -> int:
    """Lay the sewers inside one compound and return the node at its gate, its inspection chamber."""
    spine, branches, _ = _runs(place, side, north)

    def node(ab: Floats, type_: str = "排水井") -> int:
        return draft.node(place.place(ab[None])[0], "sewage", type_=type_, compound=compound)

    nodes = [node(ab) for ab in spine[:-1]] + [node(spine[-1], "接户井")]
    for m, k in itertools.pairwise(nodes):
        draft.pipe(m, k, "sewage", "internal", compound=compound)
    for i, branch in enumerate(branches):
        chain = [node(ab) for ab in branch] + [nodes[min(i, len(nodes) - 1)]]
        for m, k in itertools.pairwise(chain):
            draft.pipe(m, k, "sewage", "internal", compound=compound)
    return nodes[-1]
