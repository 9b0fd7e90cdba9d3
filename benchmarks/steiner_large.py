"""This module measures the layout's certificate on 300,000 street segments: real streets mirrored side by side, or a shaken grid.

    python benchmarks/steiner_large.py [shanghai|wuhan|grid] [--terminals 1000] [--segments 300000] [--seconds 60]

Streets of OpenStreetMap, cut at the edge of their box and mirrored there, so that they meet their own image; every vertex is a
node, every piece between two vertices a segment. The grid has a tenth of its edges taken out and its crossings shaken by a fifth.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from mapapp.plan.steiner import steiner_tree, warm_up

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "china_osm"
Case = tuple[np.ndarray, np.ndarray, np.ndarray]


def city(name: str, segments: int) -> Case:
    """Return tail, head and length of at least so many segments."""
    import geopandas as gpd
    import shapely

    roads = gpd.read_file(DATA / f"{name}_roads.geojson").to_crs("EPSG:3857")
    lines = roads.geometry[roads.geom_type.isin(["LineString", "MultiLineString"])].to_numpy()
    x0, y0, x1, y1 = np.quantile(shapely.get_coordinates(lines), [0.01, 0.99], axis=0).ravel()
    lines = shapely.get_parts(shapely.clip_by_rect(shapely.force_2d(lines), x0, y0, x1, y1))
    lines = lines[shapely.get_type_id(lines) == 1]
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    step = np.flatnonzero(owner[1:] == owner[:-1])
    one, two = xy[step] - (x0, y0), xy[step + 1] - (x0, y0)
    size = np.array([x1 - x0, y1 - y0])
    side = int(np.ceil(np.sqrt(segments / len(step))))
    parts = []
    for i in range(side):
        for j in range(side):
            flip = np.array([i % 2, j % 2], bool)
            parts.append([np.where(flip, size - p, p) + size * (i, j) for p in (one, two)])
    ends = np.round(np.concatenate([np.concatenate([p[k] for p in parts]) for k in (0, 1)]), 2)
    _, node = np.unique(ends, axis=0, return_inverse=True)
    m = len(ends) // 2
    a, b = node[:m], node[m:]
    length = np.hypot(*(ends[m:] - ends[:m]).T)
    keep = np.flatnonzero(a != b)
    _, first = np.unique(np.minimum(a, b)[keep] * (node.max() + 1) + np.maximum(a, b)[keep], return_index=True)
    keep = keep[first]
    return a[keep], b[keep], length[keep]


def grid(segments: int) -> Case:
    """Return tail, head and length of a shaken grid with a tenth of its edges gone."""
    rng = np.random.default_rng(0)
    side = int(np.sqrt(segments / 1.8)) + 1
    x, y = np.meshgrid(np.arange(side) * 100.0, np.arange(side) * 100.0)
    x, y = (x + rng.normal(0, 20, x.shape)).ravel(), (y + rng.normal(0, 20, y.shape)).ravel()
    node = np.arange(side * side).reshape(side, side)
    a = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    b = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    keep = rng.random(len(a)) > 0.1
    a, b = a[keep], b[keep]
    return a, b, np.hypot(x[a] - x[b], y[a] - y[b])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="?", choices=["shanghai", "wuhan", "grid"])
    parser.add_argument("--terminals", type=int, default=1000)
    parser.add_argument("--segments", type=int, default=300_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    option = parser.parse_args()
    warm_up()
    for name in ("shanghai", "wuhan", "grid"):
        if option.case not in (None, name):
            continue
        if name != "grid" and not DATA.is_dir():
            print(f"{name}: no data, ../shared/data is absent")
            continue
        a, b, length = grid(option.segments) if name == "grid" else city(name, option.segments)
        n = int(max(a.max(), b.max())) + 1
        _, part = connected_components(coo_matrix((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)
        whole = part == np.bincount(part).argmax()
        use = whole[a]
        a, b, length = a[use], b[use], length[use]
        terminals = np.random.default_rng(option.seed).choice(np.flatnonzero(whole), option.terminals, replace=False)
        start, cpu = time.perf_counter(), time.process_time()
        tree = steiner_tree(a, b, length, terminals, seed=option.seed, time_limit_s=option.seconds)
        print(
            f"{name}: {len(a)} segments, {option.terminals} terminals: {tree.cost / 1000:.1f} km, certificate "
            f"{tree.gap_pct:.2f} %, {time.perf_counter() - start:.1f} s ({time.process_time() - cpu:.1f} CPU), peak "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB",
            flush=True,
        )


if __name__ == "__main__":
    main()
