"""This module turns a tree of corridors into pipes, sizes them, and tells what the whole costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

from mapapp.core.errors import InputError
from mapapp.plan import costs
from mapapp.plan.corridors import Corridors
from mapapp.plan.ground import Ground
from mapapp.plan.hydraulics import size_sewers
from mapapp.plan.prices import Prices
from mapapp.plan.standard import Standard
from mapapp.plan.targets import Targets

Array = np.ndarray[Any, Any]

SIZED = (
    "diameter_mm", "invert_up_m", "invert_down_m", "pump", "cost", "pressure", "slope", "depth_up_m", "depth_down_m", "fill",
    "velocity_ms", "lift_m", "cost_pipe", "cost_manhole", "cost_pump",
)  # fmt: skip
"""What sizing adds to the pipes."""


@dataclass(frozen=True, slots=True)
class Site:
    """All that a layout is judged by."""

    corridors: Corridors
    surface: Array
    ground: Ground
    targets: Targets
    households: Array
    standard: Standard
    prices: Prices


@dataclass(frozen=True, slots=True)
class Layout:
    """Sized pipes of a tree.

    Attributes
    ----------
    pipes : DataFrame
        One row per pipe, upstream to downstream within each edge, as `size_sewers` returns it, with ``edge`` (corridor),
        ``x_up y_up x_down y_down``, ``root`` (which of the separate trees), ``cost_fixed``, ``cost_well``, ``cost_drop``,
        ``total``.
    failed : dict
        Tree number to the sentence why it cannot be sized.
    compounds : ndarray of int
        Tree number of each compound row; -1 where it is not joined.
    cut_short : bool
        Somebody ended the search that found it.
    """

    pipes: pd.DataFrame
    failed: dict[int, InputError]
    compounds: Array
    cut_short: bool = False

    @property
    def cost(self) -> float:
        """True cost of what could be sized."""
        return float(self.pipes["total"].sum()) if len(self.pipes) else 0.0

    @property
    def value(self) -> float:
        """Cost to compare layouts by: a tree that cannot be sized is dearer than everything."""
        return self.cost + 1e12 * len(self.failed)


def lay(site: Site, edges: Array) -> Layout:
    """Return the sized layout over the tree of corridor ``edges``."""
    c = site.corridors
    if not len(edges):
        return Layout(pd.DataFrame(columns=["total"]), {}, np.full(c.compounds, -1))
    child, parent, order, tree = _oriented(c, edges)
    nodes = np.full(c.n, -1)
    nodes[child] = tree
    compounds = nodes[c.compound : c.compound + c.compounds]
    # a compound stands at the gate by which it leaves: that edge is no pipe
    leaving = (child >= c.compound) & (child < c.compound + c.compounds)
    gate = np.arange(c.n)
    gate[child[leaving]] = parent[leaving]
    own = np.full(c.n, -1)
    own[parent[leaving]] = child[leaving] - c.compound
    number = np.cumsum(~leaving) - 1
    order = number[order[~leaving[order]]]
    edges, child, parent, tree = (x[~leaving] for x in (edges, gate[child], gate[parent], tree))
    # households that come through each edge, from the leaves in
    load = np.where(own >= 0, site.households[own], 0.0)
    for e in order[::-1]:
        load[parent[e]] += load[child[e]]
    pipes = _pipes(site, edges, child, parent, load[child], tree, own)
    failed: dict[int, InputError] = {}
    root = pipes["root"].to_numpy(np.int64)
    found = np.full((len(pipes), len(SIZED)), np.nan)
    whole = _sized(site, pipes, np.arange(len(pipes)))
    if not isinstance(whole, InputError):
        found = whole
    else:  # some tree cannot be sized: which one?
        for name in np.unique(root).tolist():
            rows = np.flatnonzero(root == name)
            values = _sized(site, pipes, rows)
            if isinstance(values, InputError):
                failed[name] = values
            else:
                found[rows] = values
    new: dict[str, Array] = dict(zip(SIZED, found.T, strict=True))
    for column in ("pump", "pressure"):
        new[column] = new[column] == 1.0
    pipes = pipes.assign(**new)
    if failed:
        pipes = pipes[~np.isin(root, list(failed))]
    if not len(pipes):
        return Layout(pd.DataFrame(columns=["total"]), failed, compounds)
    return Layout(_priced(site, pipes.sort_values("root", kind="stable")), failed, compounds)


def _sized(site: Site, pipes: pd.DataFrame, rows: Array) -> Array | InputError:
    """Size the trees that are in ``rows``; columns as `SIZED`."""
    try:
        return size_sewers(pipes.iloc[rows], site.standard, site.prices)[list(SIZED)].to_numpy(float)
    except InputError as error:
        return error


def _oriented(c: Corridors, edges: Array) -> tuple[Array, Array, Array, Array]:
    """Return per edge its upper node, its lower node; the order from the root outwards; the number of its tree.

    Separate trees hang at the root by different edges.
    """
    a, b = c.a[edges], c.b[edges]
    graph = sparse.coo_matrix((np.arange(1, len(edges) + 1), (a, b)), shape=(c.n, c.n)).tocsr()
    graph = (graph + graph.T).tocsr()
    nodes, _ = csgraph.breadth_first_order(graph, c.root, directed=False)
    rank = np.full(c.n, -1)
    rank[nodes] = np.arange(len(nodes))
    outward = rank[a] > rank[b]
    child, parent = np.where(outward, a, b), np.where(outward, b, a)
    order = np.argsort(rank[child], kind="stable")
    number = np.full(c.n, -1)
    tops = child[order][parent[order] == c.root]
    number[tops] = np.arange(len(tops))
    for e in order:
        if parent[e] != c.root:
            number[child[e]] = number[parent[e]]
    return child, parent, order, number[child]


def _pipes(site: Site, edges: Array, child: Array, parent: Array, load: Array, tree: Array, own: Array) -> pd.DataFrame:
    c = site.corridors
    upward = (c.a[edges] == child)[:, None]
    up, down = np.where(upward, c.start[edges], c.end[edges]), np.where(upward, c.end[edges], c.start[edges])
    lower = np.full(c.n, -1)  # the edge that goes on from a node
    lower[child] = np.arange(len(edges))
    nxt = lower[parent]
    # foreign sewage runs from its gate to the gate by which the compound leaves
    through = c.kind[edges] == "inside"
    down = np.where(through[:, None], up[np.maximum(nxt, 0)], down)
    length = np.maximum(np.hypot(*(down - up).T), 0.1)
    count = costs.pieces(length, site.standard)
    first = np.cumsum(count) - count
    edge = np.repeat(np.arange(len(edges)), count)
    place = np.arange(len(edge)) - first[edge]
    share = (place / count[edge])[:, None], ((place + 1) / count[edge])[:, None]
    start = up[edge] + (down - up)[edge] * share[0]
    end = up[edge] + (down - up)[edge] * share[1]
    ground_up, sure_up = site.ground.at(*start.T)
    ground_down, sure_down = site.ground.at(*end.T)
    last = place == count[edge] - 1
    after = np.where(nxt >= 0, first[np.maximum(nxt, 0)], -1)
    below = np.where(last, after[edge], np.arange(len(edge)) + 1)
    target = np.where(last & (nxt[edge] < 0), c.target[edges][edge], -1)
    invert = np.where(target >= 0, site.targets.invert_m[np.maximum(target, 0)], np.nan)
    cover = np.where(target >= 0, site.targets.ground_m[np.maximum(target, 0)], np.nan)
    return pd.DataFrame({
        "pipe_id": np.arange(len(edge)), "downstream_pipe_id": pd.arrays.IntegerArray(below, below < 0),
        "ground_up_m": ground_up, "ground_down_m": np.where(np.isfinite(cover), cover, ground_down),
        "length_m": (length / count)[edge],
        "flow_lps": site.standard.design_flow_lps(load)[edge], "outlet_invert_m": invert,
        "edge": edges[edge], "x_up": start[:, 0], "y_up": start[:, 1], "x_down": end[:, 0], "y_down": end[:, 1],
        "sure": sure_up & sure_down, "target": target, "node_up": np.where(place == 0, child[edge], -1),
        "own": np.where(place == 0, own[child[edge]], -1),
        "households": load[edge], "root": tree[edge],
    })  # fmt: skip


def _priced(site: Site, pipes: pd.DataFrame) -> pd.DataFrame:
    """Add reinstatement, crossings and drops."""
    c, prices = site.corridors, site.prices
    edge = pipes["edge"].to_numpy(np.int64)
    first = ~pipes["edge"].duplicated().to_numpy()
    surface = costs.surface_per_metre(site.surface[edge], prices) * pipes["length_m"].to_numpy(float)
    # crossings are paid once per corridor; so is a manhole on the pipe it joins
    well = np.where(pipes["target"].to_numpy(np.int64) >= 0, costs.wells(c, prices)[edge], 0.0)
    once = costs.crossings(c, prices)[edge] - costs.wells(c, prices)[edge]
    pipes = pipes.assign(cost_fixed=surface + np.where(first, once, 0.0), cost_well=well)
    lower = pipes.set_index("pipe_id")["invert_up_m"]
    below = pipes["downstream_pipe_id"].map(lower).to_numpy(float)
    below = np.where(np.isnan(below), pipes["outlet_invert_m"].to_numpy(float), below)
    drop = np.nan_to_num(pipes["invert_down_m"].to_numpy(float) - below)
    pipes = pipes.assign(drop_m=drop, cost_drop=np.where(drop > site.standard.drop_manhole_m, prices.drop_manhole, 0.0))
    return pipes.assign(total=pipes["cost"] + pipes["cost_fixed"] + pipes["cost_well"] + pipes["cost_drop"])
