"""This module gathers what a plan starts from, offers corridors to the sewers that are open, and says why somebody has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from mapapp.plan import drawn, room, tables
from mapapp.plan.corridors import Corridors, build
from mapapp.plan.existing import Existing
from mapapp.plan.ground import Ground, lowest_edge
from mapapp.plan.hydraulics import least_slopes
from mapapp.plan.layout import Site
from mapapp.plan.prices import Prices
from mapapp.plan.standard import Standard
from mapapp.plan.targets import UNSERVED, Targets, connected, demand
from mapapp.plan.terrain import read_terrain

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Town:
    """What a plan starts from; compounds are those that wait for a link, sorted by id.

    Attributes
    ----------
    compounds : GeoDataFrame
    placeless : list of str
        Ids of compounds that wait and have no place on the map.
    gates : ndarray of geometry, shape (c,)
        Their outlines or points.
    low : ndarray of Point or None, shape (c,)
        Lowest place of their outline, `ground.lowest_edge`.
    households, guessed : ndarray, shape (c,)
    too_many : ndarray of bool, shape (c,)
        Whose sewage no size of the standard carries.
    every : Targets
        All places to join, whether they have room or not.
    hand, faults :
        Links drawn by hand that can be used, and what is wrong with the others.
    """

    layers: Mapping[str, Any]
    compounds: Any
    placeless: list[str]
    gates: Array
    low: Array
    households: Array
    guessed: Array
    too_many: Array
    ground: Ground
    existing: Existing
    every: Targets
    hand: drawn.Drawn
    faults: list[drawn.Fault]
    standard: Standard
    prices: Prices
    forbidden: Any
    footways: bool

    @classmethod
    def of(
        cls, layers: Mapping[str, Any], verdicts: Any, served: Any, standard: Standard, prices: Prices, *,
        dem: str | Path | None = None, forbidden: Any = None, footways: bool = False, by_hand: Any = None,
    ) -> Town:  # fmt: skip
        """Gather it; parameters as `plan.run`.

        Raises
        ------
        InputError
            A ground model that cannot be used.
        """
        compounds, placeless = unserved(layers.get("compounds"), verdicts)
        terrain = read_terrain(dem, compounds.crs) if dem is not None else None
        ground = Ground.of(layers, served, terrain)
        households, guessed = demand(compounds)
        existing = Existing.of(layers, served, standard, connected(layers.get("compounds"), verdicts))
        gates = shapely.force_2d(compounds.geometry.to_numpy()) if len(compounds) else np.empty(0, object)
        every = Targets.of(served, ground, existing, gates, drawn.ends(by_hand), layers.get("streets"), standard)
        hand, faults = drawn.match(by_hand, compounds, every)
        return cls(
            layers, compounds, placeless, gates, lowest_edge(gates, ground), households, guessed,
            _too_many(households, standard), ground, existing, every, hand, faults, standard, prices, forbidden, footways,
        )  # fmt: skip

    def full(self) -> Array:
        """Return which places are offered to nobody, as their sewer has no room; a link drawn by hand is taken all the same."""
        shut = room.full(self.every, self.existing, self.standard, self.households)
        shut[self.hand.target] = False
        return shut

    def offer(self, shut: Array) -> tuple[Site, Array]:
        """Return corridors to the places that are not ``shut``, and which compounds are joined by them."""
        corridors = self._corridors(shut, self.forbidden)
        rows = np.flatnonzero(~shut)
        surface = tables.surfaces(self.layers.get("streets"), corridors)
        targets = self.every.take(rows)
        site = Site(corridors, surface, self.ground, targets, self.households, self.standard, self.prices)
        return site, _joined(corridors, len(self.compounds)) & ~self.too_many

    def reasons(self, joined: Array, lost: Array, shut: Array) -> list[tuple[str, str]]:
        """Return each compound without a link and the kind of its reason.

        Parameters
        ----------
        joined : ndarray of bool, shape (c,)
            Who has a link.
        lost : ndarray of bool, shape (c,)
            Who stays away as a sewer has no room for all.
        shut : ndarray of bool
            Places that were not offered.
        """
        kind = np.where(self.too_many, "too_many", "out_of_reach").astype(object)
        none = np.zeros(len(self.every), bool)
        left = ~joined & ~self.too_many
        if shut.any() and left.any():
            kind[left & (lost | _joined(self._corridors(none, self.forbidden), len(left)))] = "no_room"
        kind[left & lost] = "no_room"
        left &= kind == "out_of_reach"
        if self.forbidden is not None and len(self.forbidden) and left.any():
            kind[left & _joined(self._corridors(none, None), len(left))] = "forbidden"
        some = ~joined
        rows = list(zip(self.compounds["compound_id"][some], kind[some], strict=True))
        return [*((c, "no_geometry") for c in self.placeless), *rows]

    def _corridors(self, shut: Array, forbidden: Any) -> Corridors:
        rows = np.flatnonzero(~shut)
        use = ~shut[self.hand.target]
        here = drawn.Drawn(self.hand.row[use], self.hand.line[use], np.searchsorted(rows, self.hand.target[use]))
        return build(
            self.layers, self.gates, self.every.take(rows), forbidden, low=self.low, footways=self.footways, drawn=here
        )


def unserved(compounds: Any, verdicts: Any) -> tuple[Any, list[str]]:
    """Return the compounds to join, sorted by id so that row order does not matter, and the ids of those without a place."""
    empty = gpd.GeoDataFrame({"compound_id": pd.Series(dtype="str")}, geometry=gpd.GeoSeries([]))
    if verdicts is None or not len(verdicts):
        return empty, []
    wanted = verdicts.loc[verdicts["verdict"].isin(UNSERVED), "compound_id"].astype(str).unique()
    if compounds is None:
        return empty, sorted(wanted)
    frame = compounds[compounds["compound_id"].astype(str).isin(wanted)]
    shape = frame.geometry
    usable = (~(shape.isna() | shape.is_empty)).to_numpy().copy()
    usable[usable] = np.isfinite(shapely.bounds(shape.to_numpy()[usable])).all(axis=1)
    frame = frame[usable].assign(compound_id=lambda f: f["compound_id"].astype(str))
    # a compound in several rows is one compound in several parts
    if frame["compound_id"].duplicated().any():
        merged = frame.dissolve("compound_id", aggfunc="first").reset_index()
        frame = merged[frame.columns]
    frame = frame.sort_values("compound_id", ignore_index=True)
    frame = frame.set_geometry(shapely.make_valid(frame.geometry.to_numpy()), crs=frame.crs)
    return frame, sorted(set(wanted) - set(frame["compound_id"]))


def _joined(corridors: Corridors, count: int) -> Array:
    """Whether each compound has a corridor to the served network."""
    graph = sparse.coo_matrix((np.ones(len(corridors.a)), (corridors.a, corridors.b)), shape=(corridors.n, corridors.n))
    _, piece = csgraph.connected_components(graph, directed=False)
    return np.asarray(piece[corridors.compound : corridors.compound + count] == piece[corridors.root])


def _too_many(households: Array, standard: Standard) -> Array:
    """Whether the sewage of a compound is more than any sewer or rising main of the standard carries."""
    if not len(households):
        return np.zeros(0, bool)
    flow = standard.design_flow_lps(households) / 1000.0
    need, most = least_slopes(flow, np.array(standard.allowed_mm, float), standard)
    main = max(standard.pressure_sizes_mm, default=0.0) / 1000.0
    pumped = flow <= standard.pressure_velocity_ms[1] * np.pi / 4.0 * main**2
    return np.asarray(~((need <= most).any(axis=1) | pumped))
