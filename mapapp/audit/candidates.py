"""This module names manholes that could take an unserved compound's sewage, with the fall there is and is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from mapapp.audit import tables
from mapapp.audit import verdicts as v
from mapapp.audit.batch import points
from mapapp.audit.compounds import Compounds, Joined, _in_boxes
from mapapp.audit.model import Town
from mapapp.audit.streets import Streets
from mapapp.audit.tables import names
from mapapp.audit.verdicts import Decision, Reach, node_level, sewers_at
from mapapp.core.geometry import Bools, Floats, Ints

_LOOK_AT = 12  # nearest in a straight line, before streets and falls are looked at
_RADII_M = (60.0, 150.0, 300.0)
_UNSERVED = (v.NOT_CONNECTED, v.NO_MAIN, v.DANGLING, v.WRONG_OUTLET, v.NO_GRAVITY, v.INLET_UNKNOWN)


def served_nodes(town: Town, need: Floats) -> Bools:
    """Return the nodes of the sewage network from which water reaches a plant or boundary."""
    _, a, b = town.link
    used = np.zeros(len(town.nodes), dtype=bool)
    used[a] = used[b] = True
    need = need[: len(town.nodes)]
    out: Bools = used & (need == -np.inf)
    crested = np.flatnonzero(used & (need > -np.inf) & (need < np.inf))
    out[crested] = node_level(town, crested) >= need[crested]
    return out


def lowest_level(town: Town, nodes: Ints) -> Floats:
    """Return the lowest known level at each of some nodes: of its sewage pipes, else of its manhole's bottom; NaN unknown."""
    s, rows = town.strings, sewers_at(town, nodes)
    lowest = np.full(len(town.nodes), np.nan)
    np.fmin.at(lowest, s.a[rows], s.level_a[rows])
    np.fmin.at(lowest, s.b[rows], s.level_b[rows])
    out = lowest[nodes]
    bare = np.flatnonzero(np.isnan(out) & (town.manhole[nodes] >= 0))
    if len(bare):
        well = town.manhole[nodes[bare]]
        out[bare] = town.placeholders.ground[well] - town.manholes.depth_m[well]
    return out


def served(town: Town, need: Floats, crs: Any) -> gpd.GeoDataFrame:
    """Return every place of the network that a link could join; see `AuditResult.served`."""
    node = np.flatnonzero(served_nodes(town, need))
    string, a, b = town.link
    at, who = np.concatenate([a, b]), np.concatenate([string, string])
    keep = np.isin(at, node)
    at, who = at[keep], who[keep]
    ids = np.array(town.ids(who), dtype=object).astype(str)
    order = np.lexsort((ids, at))
    first = order[np.unique(at[order], return_index=True)[1]]
    manhole = town.manhole[node]
    has = manhole >= 0
    name = np.full(len(node), None, dtype=object)
    name[has] = names(town.manholes.points.ids, manhole[has])
    ground = np.full(len(node), np.nan)
    ground[has] = town.placeholders.ground[manhole[has]]
    hidden = np.zeros(len(node), dtype=bool)
    hidden[has] = town.manholes.found[manhole[has]] == tables.HIDDEN
    return gpd.GeoDataFrame(
        {
            "pipe_id": pd.array(ids[first], dtype="str"),
            "node": pd.array(name, dtype="str"),
            "invert_m": lowest_level(town, node),
            "ground_m": ground,
            "found": ~hidden,
            "reaches": town.pieces()[node],
        },
        geometry=points(town.nodes.x[node], town.nodes.y[node]),
        crs=crs,
    )


def table(
    found: Compounds, town: Town, decision: Decision, reach: Reach, joined: Joined, streets: Streets | None, crs: Any
) -> gpd.GeoDataFrame:
    """Rank places to join for every compound that is not served.

    Returns
    -------
    GeoDataFrame
        ``candidate_id compound_id rank manhole_id node_kind length_m method available_fall_m required_fall_m fall_basis
        gravity cost`` and a line from the compound to the place. ``node_kind`` is ``manhole``, or ``pipe`` where the place has
        no manhole and ``manhole_id`` is a pipe's id. ``method`` is ``streets`` or ``straight``. ``fall_basis`` is ``levels`` where
        the level of the compound's own outlet is known; ``ground`` where the fall is an estimate, from the ground level
        of the nearest manhole less the depth that an outlet has (settings' ``outlet_depth_m``); missing where neither
        is known. ``gravity`` is missing where a level is unknown: an estimate decides nothing. ``cost`` is missing: prices belong to the plan. Places that water can run to come
        first, then those of unknown level; within these the shorter link.
    """
    rows = np.flatnonzero(np.isin(decision.verdict, _UNSERVED) & ~shapely.is_missing(found.shape))
    places = _places(found, town, reach, joined, streets, rows, _outlet_guess(found, town, rows))
    best = places[places["rank"] <= town.settings.candidates]
    of_compound, of_node = best["at"].to_numpy(), best["node"].to_numpy()
    ids = names(found.ids, of_compound)
    ends = points(town.nodes.x[of_node], town.nodes.y[of_node])
    lines = shapely.shortest_line(found.shape[of_compound], ends) if len(best) else np.empty(0, dtype=object)
    return gpd.GeoDataFrame(
        {
            "candidate_id": pd.array([f"{c}#{r}" for c, r in zip(ids, best["rank"], strict=True)], dtype="str"),
            "compound_id": pd.array(ids, dtype="str"),
            "rank": pd.array(best["rank"].to_numpy(), dtype="Int64"),
            "manhole_id": pd.array(best["name"].to_numpy(), dtype="str"),
            "node_kind": pd.array(np.where(best["manhole"], "manhole", "pipe"), dtype="str"),
            "length_m": best["length"].round(2).to_numpy(),
            "method": pd.array(best["method"].to_numpy(), dtype="str"),
            "available_fall_m": best["available"].round(3).to_numpy(),
            "required_fall_m": best["required"].round(3).to_numpy(),
            "fall_basis": pd.array(best["basis"].to_numpy(), dtype="str"),
            "gravity": best["uphill"].map({0: True, 2: False}).astype("boolean").to_numpy(),
            "cost": np.full(len(best), np.nan),
        },
        geometry=lines,
        crs=crs,
    )


def without_fall(
    found: Compounds, town: Town, decision: Decision, reach: Reach, joined: Joined, streets: Streets | None
) -> Decision:
    """Turn ``not_connected`` into ``no_gravity`` where levels are known and every place to join lies too high."""
    own = _outlet_level(found, town, joined)
    rows = np.flatnonzero((decision.verdict == v.NOT_CONNECTED) & ~np.isnan(own))
    if len(rows) == 0:
        return decision
    places = _places(found, town, reach, joined, streets, rows)
    too_high = places.groupby("at")["uphill"].min()
    chosen = too_high.index[too_high == 2].to_numpy()
    verdict, reason = decision.verdict.copy(), list(decision.reason)
    verdict[chosen] = v.NO_GRAVITY
    for i in chosen.tolist():
        reason[i] = "fall"
    return replace(decision, verdict=verdict, reason=reason)


def _places(
    found: Compounds,
    town: Town,
    reach: Reach,
    joined: Joined,
    streets: Streets | None,
    rows: Ints,
    guess: Floats | None = None,
) -> pd.DataFrame:
    """Look at the places near some compounds, best first: ``uphill`` is 0 where water runs, 1 unknown, 2 too high.

    ``guess`` is an estimated outlet level per compound, for those whose own is unknown.
    """
    own = _outlet_level(found, town, joined)
    known = ~np.isnan(own)
    guess = np.full(len(own), np.nan) if guess is None else guess
    own = np.where(known, own, guess)
    # where neither streets nor levels can change the order, the nearest few are enough (a pipe may come twice)
    few = np.isnan(own[rows]) & (streets is None)
    look = np.where(few, 2 * town.settings.candidates, max(_LOOK_AT, 2 * town.settings.candidates))
    at, node, distance = _near(found, town, reach, rows, look)
    length, method = distance * town.settings.straight_factor, np.full(len(at), "straight", dtype=object)
    if streets is not None and len(at):
        origin, of = np.unique(at, return_inverse=True)
        along = streets.between(found.shape[origin], of, points(town.nodes.x[node], town.nodes.y[node]))
        walked = ~np.isnan(along)
        length = np.where(walked, np.maximum(along, distance), length)
        method[walked] = "streets"
    required = length * town.settings.link_slope
    available = own[at] - lowest_level(town, node)
    hidden = np.zeros(len(node), dtype=bool)
    well = town.manhole[node]
    hidden[well >= 0] = town.manholes.found[well[well >= 0]] == tables.HIDDEN
    name = _place_names(town, node)
    doubt = np.isnan(available)
    rises = ~doubt & (available < required)
    basis = np.where(known[at], "levels", "ground").astype(object)
    basis[doubt] = None
    places = pd.DataFrame({
        "at": at, "hidden": hidden, "uphill": np.select([doubt | ~known[at], ~rises], [1, 0], 2), "rises": rises,
        "basis": basis, "length": np.round(length, 3), "name": name, "node": node, "method": method, "available": available,
        "required": required, "manhole": well >= 0,
    })  # fmt: skip
    places = places.sort_values(["at", "hidden", "uphill", "rises", "length", "name"], kind="stable")
    places = places.drop_duplicates(["at", "name"])  # both ends of a pipe are one place to join
    places["rank"] = places.groupby("at").cumcount() + 1
    return places


def _near(found: Compounds, town: Town, reach: Reach, rows: Ints, look: Ints) -> tuple[Ints, Ints, Floats]:
    """Pair compounds with their nearest served places; with manholes on record, only those."""
    none = np.zeros(0, dtype=np.int64)
    node = np.flatnonzero(served_nodes(town, reach.need))
    wells = town.manhole[node] >= 0
    node = node[wells] if wells.any() else node
    if len(rows) == 0 or len(node) == 0:
        return none, none, np.zeros(0)
    far = town.settings.candidate_reach_m
    shape = found.shape[rows]
    bounds = shapely.bounds(shape)
    open_, pairs = np.arange(len(rows)), [(none, none)]
    for radius in (*(r for r in _RADII_M if r < far), far):  # look farther only where too little was near
        box = bounds[open_] + radius * np.array([-1, -1, 1, 1])
        near = np.flatnonzero(_in_boxes(town.nodes.x[node], town.nodes.y[node], box))
        tree = shapely.STRtree(points(town.nodes.x[node[near]], town.nodes.y[node[near]]))
        i, j = tree.query(shape[open_], predicate="dwithin", distance=radius)
        enough = (np.bincount(i, minlength=len(open_)) >= look[open_]) | (radius == far)
        done = enough[i]
        pairs.append((open_[i[done]], near[j[done]]))
        open_ = open_[~enough]
        if len(open_) == 0:
            break
    i, j = (np.concatenate(v) for v in zip(*pairs, strict=True))
    distance = (
        shapely.distance(shape[i], points(town.nodes.x[node[j]], town.nodes.y[node[j]])) if len(i) else np.zeros(0)
    )
    order = np.lexsort((np.round(distance, 6), i))
    i, j, distance = i[order], j[order], distance[order]
    # everything as near as the last that we look at, then names decide
    last = np.minimum(np.searchsorted(i, i) + look[i], np.searchsorted(i, i, side="right")) - 1
    keep = distance <= distance[last] + 1e-6
    i, j, distance = i[keep], j[keep], distance[keep]
    order = np.lexsort((_place_names(town, node[j]), np.round(distance, 6), i))
    i, j, distance = i[order], j[order], distance[order]
    keep = np.arange(len(i)) - np.searchsorted(i, i) < look[i]
    return rows[i[keep]], node[j[keep]], distance[keep]


def _place_names(town: Town, node: Ints) -> Any:
    """Name each node by its manhole, else by the pipe there with the smallest id."""
    out = np.full(len(node), "", dtype=object)
    well = town.manhole[node]
    out[well >= 0] = names(town.manholes.points.ids, well[well >= 0])
    bare = np.unique(node[well < 0])
    if len(bare):
        string, a, b = town.link
        wanted = np.zeros(town.node_count, dtype=bool)
        wanted[bare] = True
        at, who = np.concatenate([a, b]), np.concatenate([string, string])
        keep = wanted[at]
        ids = np.array(town.ids(who[keep]), dtype=object).astype(str)
        order = np.lexsort((ids, at[keep]))
        place, first = np.unique(at[keep][order], return_index=True)
        out[well < 0] = ids[order][first][np.searchsorted(place, node[well < 0])]
    return out.astype(str)


def _outlet_level(found: Compounds, town: Town, joined: Joined) -> Floats:
    """Return the level each compound's sewage leaves at: from the table, else the lowest of its own nodes."""
    out = found.outlet_m.copy()
    lowest = np.full(len(found), np.nan)
    np.fmin.at(lowest, joined.compound, lowest_level(town, joined.node))
    return np.where(np.isnan(out), lowest, out)


def _outlet_guess(found: Compounds, town: Town, rows: Ints) -> Floats:
    """Estimate the level of outlets from the ground at the nearest manhole; NaN where none is known within reach."""
    st, ground = town.settings, town.placeholders.ground
    out = np.full(len(found), np.nan)
    wells = (
        np.flatnonzero(~np.isnan(ground) & ~np.isnan(town.manholes.points.x[: len(ground)]))
        if len(ground)
        else rows[:0]
    )
    if len(rows) == 0 or len(wells) == 0:
        return out
    at = town.manholes.points
    tree = shapely.STRtree(points(at.x[wells], at.y[wells]))
    i, j = tree.query_nearest(found.shape[rows], max_distance=st.ground_reach_m, all_matches=True)
    low = np.full(len(rows), np.inf)  # of several as near, the lowest: the careful guess, whatever the order of rows
    np.minimum.at(low, i, ground[wells[j]])
    out[rows] = np.where(np.isfinite(low), low - st.outlet_depth_m, np.nan)
    return out
