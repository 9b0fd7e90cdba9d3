"""This module measures the link layout against proven optima and against networkx and rustworkx, in one run.

python benchmarks/steiner.py [--seconds 5] [--only vienna] [--peer]

With ``--peer`` networkx (Mehlhorn) runs beside it, and rustworkx where it is installed (it need not be).
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np

from mapapp.plan.steiner import steiner_tree, warm_up

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "steiner"


def read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return tail, head, cost and terminals of a PACE file, from zero."""
    edges, terminals = [], []
    for line in path.read_text().splitlines():
        word = line.split()
        if word and word[0] == "E":
            edges.append((int(word[1]) - 1, int(word[2]) - 1, float(word[3])))
        elif word and word[0] == "T":
            terminals.append(int(word[1]) - 1)
    table = np.array(edges)
    return table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2], np.array(terminals)


def mehlhorn(tail: np.ndarray, head: np.ndarray, cost: np.ndarray, terminals: np.ndarray) -> tuple[float, float]:
    """Return cost and seconds of the peer."""
    import networkx as nx
    from networkx.algorithms.approximation import steiner_tree as peer

    graph = nx.Graph()
    graph.add_weighted_edges_from(zip(tail.tolist(), head.tolist(), cost.tolist(), strict=True))
    start = time.perf_counter()
    tree = peer(graph, terminals.tolist(), method="mehlhorn")
    return tree.size(weight="weight"), time.perf_counter() - start


def rust(tail: np.ndarray, head: np.ndarray, cost: np.ndarray, terminals: np.ndarray) -> tuple[float, float]:
    """Return cost and seconds of rustworkx; NaN where it is not installed."""
    try:
        import rustworkx as rx  # type: ignore[import-not-found]  # a peer, no dependency
    except ImportError:
        return np.nan, np.nan
    graph = rx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(int(max(tail.max(), head.max())) + 1))
    graph.extend_from_weighted_edge_list(list(zip(tail.tolist(), head.tolist(), cost.tolist(), strict=True)))
    graph.remove_nodes_from([x for x in graph.node_indices() if graph.degree(x) == 0])  # numbers with gaps
    start = time.perf_counter()
    tree = rx.steiner_tree(graph, terminals.tolist(), weight_fn=float)
    return sum(tree.edges()), time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--peer", action="store_true", help="run networkx and rustworkx too")
    parser.add_argument("--seed", type=int, default=0)
    option = parser.parse_args()
    if not FOLDER.is_dir():
        raise SystemExit("No instances: ../shared/data/steiner is absent.")
    start = time.perf_counter()
    warm_up()
    print(f"warm-up {time.perf_counter() - start:.1f} s, limit {option.seconds} s")
    with (FOLDER / "optima.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if option.only in row["origin_group"]]
    print(
        f"{'instance':<28}{'nodes':>7}{'k':>6}{'gap %':>9}{'cert. %':>9}{'s':>7}{'nx gap %':>10}{'nx s':>7}{'rx gap %':>10}{'rx s':>7}"
    )
    out = []
    for row in rows:
        instance = read(FOLDER / row["file"])
        optimum = float(row["optimum"])
        start = time.perf_counter()
        tree = steiner_tree(*instance, seed=option.seed, time_limit_s=option.seconds)
        seconds = time.perf_counter() - start
        assert tree.cost >= optimum * (1 - 1e-12), (row["file"], tree.cost, optimum)
        assert tree.lower_bound <= optimum * (1 + 1e-12), (row["file"], tree.lower_bound, optimum)
        gap = 100 * (tree.cost / optimum - 1)
        peer, peer_s = mehlhorn(*instance) if option.peer else (np.nan, np.nan)
        other, other_s = rust(*instance) if option.peer else (np.nan, np.nan)
        out.append((
            gap, tree.gap_pct, seconds, 100 * (peer / optimum - 1), peer_s, 100 * (other / optimum - 1), other_s
        ))  # fmt: skip
        name = f"{row['origin_group'][:14]} {row['origin_name']}"
        g, c, s, pg, ps, rg, rs = out[-1]
        print(
            f"{name:<28}{row['nodes']:>7}{row['terminals']:>6}{g:9.4f}{c:9.4f}{s:7.2f}{pg:10.3f}{ps:7.2f}{rg:10.3f}{rs:7.2f}",
            flush=True,
        )
    table = np.array(out)
    for title, values in (("mean", table.mean(axis=0)), ("worst", table.max(axis=0))):
        g, c, s, pg, ps, rg, rs = values
        print(f"{title:<28}{'':>13}{g:9.4f}{c:9.4f}{s:7.2f}{pg:10.3f}{ps:7.2f}{rg:10.3f}{rs:7.2f}")


if __name__ == "__main__":
    main()
