"""This module draws the street sewers of the demo county: which way each street drains, manholes, outfalls, pump and plants.

Sewage runs down the streets to a trunk along the river and to the one plant in the south; the east bank is pumped over the
bridge; the old core is combined with an interceptor at the river; one quarter discharges straight into the river; the
village has its own plant. Storm water takes the shortest way to the river.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from scipy.sparse import csgraph

from mapapp.demo import ground, streets
from mapapp.demo.ground import Floats

Bools = npt.NDArray[np.bool_]
HILL = (-700.0, 620.0)
"""No sewer west of this ``t`` and north of this ``s``."""
CORNER = (-760.0, 1600.0)
"""Not surveyed west of this ``t`` and south of this ``s``."""
SPACING_M = 46.0
_HEAD_GAP_M = 17.0
_OFFSET = {"sewage": 2.5, "storm": -2.5, "combined": 0.6}


@dataclass
class Draft:
    """A network being drawn: growing columns of nodes and pipes, levels still to come; ``bare`` nodes have no manhole."""

    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    node_kind: list[str] = field(default_factory=list)
    node_type: list[str] = field(default_factory=list)
    node_road: list[str] = field(default_factory=list)
    node_compound: list[int] = field(default_factory=list)
    pipes: list[dict[str, object]] = field(default_factory=list)
    outlets: list[dict[str, object]] = field(default_factory=list)
    bare: set[int] = field(default_factory=set)
    at_junction: dict[tuple[str, int], int] = field(default_factory=dict)

    def node(self, xy: Floats, kind: str, *, type_: str = "排水井", road: str = "", compound: int = -1) -> int:
        """Add a manhole and return its number; coordinates are kept to the millimetre."""
        self.x.append(round(float(xy[0]), 3))
        self.y.append(round(float(xy[1]), 3))
        self.node_kind.append(kind)
        self.node_type.append(type_)
        self.node_road.append(road)
        self.node_compound.append(compound)
        return len(self.x) - 1

    def pipe(self, up: int, down: int, kind: str, level: str, **more: object) -> int:
        """Add a pipe from one node to the next and return its number."""
        self.pipes.append({"up": up, "down": down, "kind": kind, "level": level, **more})
        return len(self.pipes) - 1

    def outlet(self, node: int, facility: str, **more: object) -> None:
        """Put an outlet on a node; a mouth at the river is no manhole."""
        if facility == "outfall":
            self.bare.add(node)
        self.outlets.append({"node": node, "facility": facility, **more})

    def xy(self) -> Floats:
        """Return all nodes' coordinates, shape (n, 2)."""
        return np.column_stack([self.x, self.y])


def drains(plan: streets.Plan, use: Bools, roots: list[int]) -> pd.DataFrame:
    """Decide which way every street drains.

    Parameters
    ----------
    plan : Plan
    use : ndarray of bool
        Edges that carry this system.
    roots : list of int
        Nodes the water runs to.

    Returns
    -------
    DataFrame
        ``edge up down head``: ``head`` tells a sewer that starts short of its upper junction, because another way leads on
        from there.
    """
    e = plan.edges[use]
    u, v = e["u"].to_numpy(), e["v"].to_numpy()
    z = ground.valley_elevation(plan.nodes[:, 0], plan.nodes[:, 1])
    length = np.linalg.norm(plan.nodes[u] - plan.nodes[v], axis=1)
    ease = e["class"].map({"main": 0.8, "secondary": 0.85, "branch": 1.0, "lane": 1.25}).to_numpy()
    # water that has to run against the ground pays for the depth
    back = length * ease + 55 * np.maximum(z[v] - z[u], 0)
    forth = length * ease + 55 * np.maximum(z[u] - z[v], 0)
    n = len(plan.nodes)
    graph = sp.csr_array(
        (np.concatenate([back, forth]), (np.concatenate([v, u]), np.concatenate([u, v]))), shape=(n, n)
    )
    far, before, _ = csgraph.dijkstra(graph, indices=roots, min_only=True, return_predecessors=True)
    tree_up = before[u] == v
    tree_down = before[v] == u
    lower_is_v = np.where(np.isfinite(far[u]) & np.isfinite(far[v]), z[v] + far[v] * 1e-6 <= z[u] + far[u] * 1e-6, True)
    ups = np.where(tree_up, u, np.where(tree_down, v, np.where(lower_is_v, u, v)))
    downs = np.where(tree_up, v, np.where(tree_down, u, np.where(lower_is_v, v, u)))
    out = pd.DataFrame(
        {"edge": np.flatnonzero(use), "up": ups, "down": downs, "head": ~(tree_up | tree_down), "length": length}
    )
    reached = np.isfinite(far[ups]) & np.isfinite(far[downs])
    kept: pd.DataFrame = out[reached & (~out["head"] | (out["length"] > 60))]
    return kept.reset_index(drop=True)


def lay(draft: Draft, plan: streets.Plan, runs: pd.DataFrame, kind: str) -> None:
    """Lay a sewer along each run, with a manhole at least every 46 m, joining others of its kind at the junctions."""
    off = np.full(2, _OFFSET[kind])
    road = plan.edges["name"].to_numpy()
    classes = plan.edges["class"].to_numpy()

    def junction(j: int, edge: int) -> int:
        if (kind, j) not in draft.at_junction:
            st = plan.nodes[j] + off
            draft.at_junction[kind, j] = draft.node(ground.to_map(*st), kind, road=road[edge])
        return draft.at_junction[kind, j]

    for edge, up, down, head, length in runs[["edge", "up", "down", "head", "length"]].itertuples(index=False):
        a, b = plan.nodes[up], plan.nodes[down]
        start = _HEAD_GAP_M / length if head else 0.0
        pieces = max(1, int(np.ceil(length * (1 - start) / SPACING_M)))
        f = np.linspace(start, 1, pieces + 1)
        st = a * (1 - f[:, None]) + b * f[:, None] + off
        chain = [draft.node(ground.to_map(*st[0]), kind, road=road[edge]) if head else junction(up, edge)]
        chain += [draft.node(ground.to_map(*p), kind, road=road[edge]) for p in st[1:-1]]
        chain.append(junction(down, edge))
        level = "main" if classes[edge] in ("main", "secondary") else "branch"
        for m, k in itertools.pairwise(chain):
            draft.pipe(m, k, kind, level, road=road[edge])


def _nearest(plan: streets.Plan, s: float, t: float, among: Bools | None = None) -> int:
    d = np.hypot(plan.nodes[:, 0] - s, plan.nodes[:, 1] - t)
    return int(np.where(among, d, np.inf).argmin()) if among is not None else int(d.argmin())


def _combined_core(plan: streets.Plan, use: Bools) -> tuple[Bools, int]:
    """Return the core's inner streets that hang together with the cross street, and its end at the river."""
    s0, s1, t0, t1 = streets.CORE
    inside = (
        (plan.nodes[:, 0] > s0 + 1)
        & (plan.nodes[:, 0] < s1 - 1)
        & (plan.nodes[:, 1] > t0 + 1)
        & (plan.nodes[:, 1] < t1 - 1)
    )
    e = plan.edges
    u, v = e["u"].to_numpy(), e["v"].to_numpy()
    inner = use & (inside[u] | inside[v]) & ~((plan.nodes[u, 1] == t1) & (plan.nodes[v, 1] == t1))
    both = inner & inside[u] & inside[v]
    n = len(plan.nodes)
    _, group = csgraph.connected_components(
        sp.csr_array((np.ones(both.sum()), (u[both], v[both])), shape=(n, n)), directed=False
    )
    # where the cross street meets the riverside road: the inner edge of the greatest component that ends there
    big = np.bincount(group[inside]).argmax()
    river = inner & (((plan.nodes[u, 1] == t1) & (group[v] == big)) | ((plan.nodes[v, 1] == t1) & (group[u] == big)))
    edge = np.flatnonzero(river)[np.argmin(np.abs(plan.nodes[u[river], 0] - 1075))]
    root = int(u[edge] if plan.nodes[u[edge], 1] == t1 else v[edge])
    mine = inner & ((inside[u] & (group[u] == big)) | (inside[v] & (group[v] == big)))
    return mine, root


def street_sewers(plan: streets.Plan, names: Mapping[str, Any]) -> Draft:
    """Draw all street sewers, outlets and the rising main."""
    draft, nodes, e = Draft(), plan.nodes, plan.edges
    mid = (nodes[e["u"]] + nodes[e["v"]]) / 2
    t = mid[:, 1]
    most_west = np.minimum(nodes[e["u"], 1], nodes[e["v"], 1])
    most_north = np.minimum(nodes[e["u"], 0], nodes[e["v"], 0])
    most_south = np.maximum(nodes[e["u"], 0], nodes[e["v"], 0])
    exits = e["name"].isin(names["streets"]["exits"][:2]).to_numpy()
    corner = (most_west < CORNER[0]) & (most_south > CORNER[1])
    open_ = ~exits & ~e["bridge"].to_numpy() & ~corner
    sewered = open_ & ~((most_west < HILL[0]) & (most_north < HILL[1]))
    west, village = t < 0, t > 900
    direct = (t > 0) & (most_south < 799) & ~village
    # its side streets end short of the bridge road, whose sewer goes to the pump
    sewered &= ~((t > 0) & (most_north < 799) & (most_south > 799))
    core, core_root = _combined_core(plan, sewered & west)

    plant = _nearest(plan, 2330, -86)
    lay(draft, plan, drains(plan, sewered & west & ~core, [plant]), "sewage")
    _cut_at_corner(draft, plan, open_)
    end = draft.at_junction["sewage", plant]
    works = draft.node(ground.to_map(2385, -96), "sewage", road="")
    draft.pipe(end, works, "sewage", "main", road=str(e["name"].iloc[-1]))
    draft.outlet(works, "wwtp", category="sewage", capacity_m3d=15000.0)

    pump = _nearest(plan, 1350, 60)
    lay(draft, plan, drains(plan, sewered & ~west & ~village & ~direct, [pump]), "sewage")
    low, high = draft.at_junction["sewage", pump], draft.at_junction["sewage", _nearest(plan, 1350, -60)]
    draft.outlet(low, "pump", category="sewage", capacity_m3d=4300.0)
    draft.pipe(low, high, "sewage", "main", road=f"{names['streets']['east_west'][2]}桥", flow="pressure")

    spill = _nearest(plan, 660, 60, (nodes[:, 1] == 60) & (nodes[:, 0] < 790))
    lay(draft, plan, drains(plan, sewered & direct, [spill]), "sewage")
    into = draft.node(ground.to_map(nodes[spill, 0] + 4, 32), "sewage", type_="其他")
    draft.pipe(draft.at_junction["sewage", spill], into, "sewage", "main", road=names["streets"]["riverside_east"])
    draft.outlet(into, "outfall", category="sewage", receiving_water=names["river"], dry_flow=True)

    lay(draft, plan, drains(plan, village & open_, [_nearest(plan, 1510, 1010)]), "sewage")
    foot = draft.at_junction["sewage", _nearest(plan, 1510, 1010)]
    tank = draft.node(ground.to_map(1546, 1004), "sewage")
    draft.pipe(foot, tank, "sewage", "main", road="")
    draft.outlet(tank, "wwtp", category="sewage", capacity_m3d=300.0)

    _combined(draft, plan, core, core_root, names)
    storm = (
        open_
        & (e["class"] != "lane").to_numpy()
        & ~core
        & ~village
        & ~((np.abs(t) < 75) & (np.abs(nodes[e["u"], 1] - nodes[e["v"], 1]) < 15))
    )
    _storm(draft, plan, storm & (np.abs(t) > 61), names)
    return draft


def _cut_at_corner(draft: Draft, plan: streets.Plan, open_: Bools) -> None:
    """Sewers that come out of the unsurveyed corner are drawn from the edge of the survey on, with no manhole there."""
    off = _OFFSET["sewage"]
    for edge in np.flatnonzero(~open_ & (plan.edges["bank"] == "west").to_numpy() & ~plan.edges["bridge"].to_numpy()):
        u, v = (int(plan.edges[c].iloc[edge]) for c in ("u", "v"))
        if plan.nodes[u, 1] > plan.nodes[v, 1]:
            u, v = v, u
        a, b = plan.nodes[u] + off, plan.nodes[v] + off
        if ("sewage", v) not in draft.at_junction or not (a[1] < CORNER[0] < b[1]) or max(a[0], b[0]) < CORNER[1]:
            continue
        cut = a + (b - a) * (CORNER[0] - a[1]) / (b[1] - a[1])
        pieces = max(1, int(np.ceil(np.linalg.norm(b - cut) / SPACING_M)))
        road = str(plan.edges["name"].iloc[edge])
        chain = [draft.node(ground.to_map(*(cut + (b - cut) * k / pieces)), "sewage", road=road) for k in range(pieces)]
        draft.bare.add(chain[0])
        for m, k in zip(chain, [*chain[1:], draft.at_junction["sewage", v]], strict=True):
            draft.pipe(m, k, "sewage", "branch", road=road, cut=m == chain[0])


def _combined(draft: Draft, plan: streets.Plan, core: Bools, root: int, names: Mapping[str, Any]) -> None:
    runs = drains(plan, core, [root])
    # inner streets end short of the streets around the core, whose own sewers lie there
    around = (
        (plan.nodes[:, 1] <= streets.CORE[2] + 1)
        | (plan.nodes[:, 0] <= streets.CORE[0] + 1)
        | (plan.nodes[:, 0] >= streets.CORE[1] - 1)
    )
    around |= plan.nodes[:, 1] >= streets.CORE[3] - 1
    around[root] = False
    flipped = around[runs["down"]]
    runs.loc[flipped, ["up", "down"]] = runs.loc[flipped, ["down", "up"]].to_numpy()
    runs["head"] |= around[runs["up"]]
    lay(draft, plan, runs[~around[runs["down"]] & ((runs["length"] > 45) | ~runs["head"])], "combined")
    # an intercepting chamber short of the riverside road: dry weather to the trunk, storms to the river
    chamber = draft.at_junction["combined", root]
    draft.node_type[chamber] = "截流井"
    st = plan.nodes[root]
    xy = ground.to_map(st[0] + 0.6, st[1] - 9.0)
    draft.x[chamber], draft.y[chamber] = round(float(xy[0]), 3), round(float(xy[1]), 3)
    draft.outlet(chamber, "interceptor", category="combined")
    road = names["streets"]["riverside_west"]
    draft.pipe(chamber, draft.at_junction["sewage", root], "combined", "main", road=road)
    into = draft.node(ground.to_map(st[0] - 5.0, -32.0), "combined", type_="其他")
    draft.pipe(chamber, into, "combined", "main", road=road, overflow=True)
    draft.outlet(into, "outfall", category="combined", receiving_water=names["river"], dry_flow=False, flap=True)


def _storm(draft: Draft, plan: streets.Plan, use: Bools, names: Mapping[str, Any]) -> None:
    ends = plan.edges.loc[use, ["u", "v"]].to_numpy()
    at_river = np.abs(np.abs(plan.nodes[:, 1]) - 60) < 0.01
    roots = [int(j) for j in np.unique(ends) if at_river[j]]
    lay(draft, plan, drains(plan, use, roots), "storm")
    for j in roots:
        if ("storm", j) not in draft.at_junction:
            continue
        side = np.sign(plan.nodes[j, 1])
        into = draft.node(ground.to_map(plan.nodes[j, 0] - 2.5, side * 32.0), "storm", type_="其他")
        draft.pipe(
            draft.at_junction["storm", j],
            into,
            "storm",
            "main",
            road=names["streets"]["riverside_west" if side < 0 else "riverside_east"],
        )
        draft.outlet(into, "outfall", category="storm", receiving_water=names["river"], dry_flow=False)
