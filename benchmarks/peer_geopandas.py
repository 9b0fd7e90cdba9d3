"""This module is the peer: what a good analyst writes with geopandas, scipy's k-d tree and networkx, no more.

Six rules (near_miss, dangling, no_outlet, island, not_connected, no_main) and who is served, on the generated towns:
kinds kept apart, ends clustered by a k-d tree, bodies by an STRtree with dwithin, direction from inverts.

    python benchmarks/peer_geopandas.py FOLDER PIPES       files as written by benchmarks/audit.py
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely
from scipy.spatial import cKDTree

SNAP, NEAR, REACH, FAR = 0.05, 1.0, 5.0, 150.0


def audit(folder: Path, size: int) -> dict[str, object]:
    pipes = gpd.read_file(folder / f"pipes-{size}.gpkg", use_arrow=True)
    outlets = gpd.read_file(folder / f"outlets-{size}.gpkg", use_arrow=True)
    compounds = gpd.read_file(folder / f"compounds-{size}.gpkg", use_arrow=True)
    sewage = pipes[pipes["kind"] == "sewage"].drop_duplicates("pipe_id").reset_index(drop=True)
    lines = sewage.geometry.to_numpy()
    start, end = shapely.get_point(lines, 0), shapely.get_point(lines, -1)
    xy = np.concatenate([shapely.get_coordinates(start), shapely.get_coordinates(end)])
    # nodes: ends within the tolerance, as connected components of the pairs
    snap = nx.Graph()
    snap.add_nodes_from(range(len(xy)))
    snap.add_edges_from(cKDTree(xy).query_pairs(SNAP))
    node = np.empty(len(xy), dtype=int)
    for i, members in enumerate(nx.connected_components(snap)):
        node[list(members)] = i
    a, b = node[: len(lines)], node[len(lines) :]
    # direction by inverts, without placeholders; pressure as drawn
    high, low = sewage["from_invert_m"].to_numpy(), sewage["to_invert_m"].to_numpy()
    known = ~(np.isin(high, (0, -99, 9999)) | np.isin(low, (0, -99, 9999)))
    back = known & (high < low) & (sewage["flow"] == "gravity").to_numpy()
    graph = nx.DiGraph()
    graph.add_nodes_from(range(node.max() + 1))
    for p, q, turned, sure in zip(a, b, back, known, strict=True):
        graph.add_edge(*((q, p) if turned else (p, q)))
        if not sure:
            graph.add_edge(*((p, q) if turned else (q, p)))
    # outlets: nodes within reach; a pump passes on
    at = cKDTree(outlets.get_coordinates().to_numpy()).query(xy, distance_upper_bound=REACH)
    plants, rivers = set(), set()
    for k in np.flatnonzero(np.isfinite(at[0])):
        facility = outlets["facility"].iat[at[1][k]]
        {"wwtp": plants, "outfall": rivers}.get(facility, set()).add(node[k])
    graph.add_edges_from((n, -1) for n in plants)  # one sink behind all plants, so that one search is enough
    served = nx.ancestors(graph, -1)
    graph.remove_node(-1)
    degree = np.bincount(node)
    loose = np.flatnonzero(degree[node] == 1)
    tree = shapely.STRtree(lines)
    i, j = tree.query(shapely.points(xy[loose]), predicate="dwithin", distance=NEAR)
    end_of = loose[i]
    own = (end_of % len(lines)) == j
    near = {sewage["pipe_id"].iat[e % len(lines)] for e in end_of[~own]}
    dangling = [n for n in graph if graph.out_degree(n) == 0 and graph.in_degree(n) and n not in plants | rivers]
    pieces = list(nx.weakly_connected_components(graph))
    lost = [p for p in pieces if not p & plants]
    islands = [p for p in lost if not p & rivers]
    # compounds: ends inside or within a metre; else the nearest sewer
    ends = gpd.GeoDataFrame({"node": node}, geometry=shapely.points(xy), crs=pipes.crs)
    joined = gpd.sjoin(ends, compounds.set_geometry(compounds.buffer(1.0))[["compound_id", "geometry"]])
    ok = joined["node"].isin(served).groupby(joined["compound_id"]).any()
    rest = compounds[~compounds["compound_id"].isin(ok.index)]
    nearest = gpd.sjoin_nearest(rest, sewage[["geometry"]], distance_col="distance")
    distance = nearest.groupby("compound_id")["distance"].min()
    return {
        "near_miss": len(near), "dangling": len(dangling), "no_outlet": len(lost), "island": len(islands),
        "served": int(ok.sum()), "no_main": int((distance > FAR).sum()), "not_connected": int((distance <= FAR).sum()),
    }  # fmt: skip


if __name__ == "__main__":
    begin = time.process_time()
    answer = audit(Path(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps({"seconds": time.process_time() - begin} | answer))
