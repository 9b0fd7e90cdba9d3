"""This module measures distances along streets, where streets are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from mapapp.audit.compounds import Compounds, Nearest
from mapapp.audit.model import Town
from mapapp.audit.settings import AuditSettings
from mapapp.audit.tables import Columns, Objects
from mapapp.core.geometry import Floats, Ints
from mapapp.core.network import merge_equal

_MOST_CELLS = 20_000_000


@dataclass(frozen=True, slots=True)
class Streets:
    """Streets as a graph of straight pieces; crossings at grade are junctions."""

    pieces: Objects
    a: Ints
    b: Ints
    graph: Any  # scipy's csr_matrix
    tree: shapely.STRtree
    reach_m: float

    @classmethod
    def of(cls, columns: Columns | None, settings: AuditSettings) -> Streets | None:
        """Read the layer of streets; None when there is nothing to go along."""
        if columns is None or columns.rows == 0:
            return None
        shapes = columns.shapes()
        lines = shapes[np.isin(shapely.get_type_id(shapes), (1, 5)) & ~shapely.is_empty(shapes)]
        if len(lines) == 0:
            return None
        from scipy import sparse  # a sixth of a second to load, and many counties have no streets

        noded = shapely.get_parts(shapely.node(shapely.multilinestrings(shapely.get_parts(shapely.force_2d(lines)))))
        xy, owner = shapely.get_coordinates(noded, return_index=True)
        inner = np.flatnonzero(owner[1:] == owner[:-1])
        start, end = xy[inner], xy[inner + 1]
        length = np.hypot(*(end - start).T)
        long = length > 0
        start, end, length = start[long], end[long], length[long]
        both = np.concatenate([start, end])
        _, which = merge_equal(both[:, 0].copy(), both[:, 1].copy())
        a, b = which[: len(start)], which[len(start) :]
        n = int(which.max()) + 1
        graph = sparse.coo_matrix((length, (a, b)), shape=(n, n)).tocsr()
        pieces = np.asarray(shapely.linestrings(np.stack([start, end], axis=1)))
        return cls(pieces, a, b, graph, shapely.STRtree(pieces), settings.street_reach_m)

    def between(self, origin: Objects, of: Ints, target: Objects) -> Floats:
        """Return the distance in metres from origins to targets: to the street, along it, and from it again.

        A target within ``street_reach_m`` of its origin is reached straight: a compound between two streets opens on both,
        and a link to the main behind it does not go round the block.

        Parameters
        ----------
        origin : ndarray of geometry, shape (k,)
        of : ndarray of int, shape (t,)
            The origin that each target is measured from.
        target : ndarray of geometry, shape (t,)

        Returns
        -------
        ndarray of float, shape (t,)
            NaN where either lies too far from any street, or no street leads there.
        """
        out = np.full(len(target), np.nan)
        if len(target) == 0:
            return out
        from scipy.sparse import csgraph

        go, come = self._access(origin), self._access(target)
        for chunk in np.array_split(
            np.arange(len(origin)), max(1, 2 * len(origin) * self.graph.shape[0] // _MOST_CELLS)
        ):
            rows = np.flatnonzero(np.isin(of, chunk))
            rows = rows[(go.piece[of[rows]] >= 0) & (come.piece[rows] >= 0)]
            if len(rows) == 0:
                continue
            starts, place = np.unique(
                np.concatenate([self.a[go.piece[of[rows]]], self.b[go.piece[of[rows]]]]), return_inverse=True
            )
            far = csgraph.dijkstra(self.graph, directed=False, indices=starts)
            best = np.full(len(rows), np.inf)
            for k, leave in enumerate((go.to_a, go.to_b)):
                from_ = place[k * len(rows) : (k + 1) * len(rows)]
                for node, arrive in ((self.a, come.to_a), (self.b, come.to_b)):
                    best = np.minimum(best, leave[of[rows]] + far[from_, node[come.piece[rows]]] + arrive[rows])
            same = go.piece[of[rows]] == come.piece[rows]
            best = np.where(same, np.minimum(best, np.abs(go.to_a[of[rows]] - come.to_a[rows])), best)
            total = best + go.off[of[rows]] + come.off[rows]
            out[rows] = np.where(np.isfinite(total), total, np.nan)
        straight = shapely.distance(origin[of], target)
        # where no street leads there, the distance along streets stays unknown
        return np.where(straight <= self.reach_m, np.minimum(out, straight), out)

    def _access(self, shape: Objects) -> _Access:
        n = len(shape)
        (i, j), off = self.tree.query_nearest(shape, max_distance=self.reach_m, return_distance=True, all_matches=False)
        piece, away = np.full(n, -1, dtype=np.int64), np.full(n, np.nan)
        piece[i], away[i] = j, off
        to_a, to_b = np.zeros(n), np.zeros(n)
        spot = shapely.get_point(shapely.shortest_line(self.pieces[j], shape[i]), 0)
        along = shapely.line_locate_point(self.pieces[j], spot)
        to_a[i], to_b[i] = along, shapely.length(self.pieces[j]) - along
        return _Access(piece, away, to_a, to_b)

    def to_pipes(self, found: Compounds, town: Town) -> Callable[[Ints, Nearest], Floats]:
        """Return a function that measures from compounds to their nearest pipe along streets."""

        def measure(rows: Ints, near: Nearest) -> Floats:
            out = np.full(len(rows), np.nan)
            has = np.flatnonzero(near.string >= 0)
            if len(has) == 0:
                return out
            shape = found.shape[rows[has]]
            touch = shapely.get_point(shapely.shortest_line(shape, town.lines.geometry(near.string[has])), 1)
            out[has] = self.between(shape, np.arange(len(has)), touch)
            return out

        return measure


@dataclass(frozen=True, slots=True)
class _Access:
    """Where shapes come to the street: piece (-1 none), metres off it, metres to either end of the piece."""

    piece: Ints
    off: Floats
    to_a: Floats
    to_b: Floats
