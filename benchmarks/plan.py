"""This module measures the plan on a generated town: N unserved compounds on a street grid, a served main along one side.

python benchmarks/plan.py [--compounds 3000] [--side 185] [--seconds 20]
"""

from __future__ import annotations

import argparse
import resource
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from mapapp import plan
from mapapp.plan.steiner import warm_up

CRS = "EPSG:4547"


def town(
    compounds: int, side: int, seed: int = 0
) -> tuple[dict[str, gpd.GeoDataFrame], pd.DataFrame, gpd.GeoDataFrame]:
    """Return layers, verdicts and served places: a shaken grid of ``side`` x ``side`` crossings 100 m apart, sloping south."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(side) * 100.0, np.arange(side) * 100.0)
    x, y = x + rng.normal(0, 12, x.shape), y + rng.normal(0, 12, y.shape)
    p = np.stack([x, y], axis=-1)
    lines = np.concatenate([
        np.stack([p[:, :-1], p[:, 1:]], axis=2).reshape(-1, 2, 2), np.stack([p[:-1], p[1:]], axis=2).reshape(-1, 2, 2)
    ])  # fmt: skip
    lines = lines[rng.random(len(lines)) > 0.1]
    streets = gpd.GeoDataFrame(
        {"street_id": [f"S{i}" for i in range(len(lines))]}, geometry=shapely.linestrings(lines), crs=CRS
    )
    at = rng.uniform(0, side * 100.0, (compounds, 2))
    homes = gpd.GeoDataFrame(
        {"compound_id": [f"C{i:05d}" for i in range(compounds)], "households": rng.integers(20, 200, compounds)},
        geometry=shapely.box(at[:, 0], at[:, 1], at[:, 0] + 40, at[:, 1] + 40), crs=CRS,
    )  # fmt: skip
    spots = rng.uniform(0, side * 100.0, (4 * side, 2))
    height = 30 + 0.004 * spots[:, 1] + rng.normal(0, 0.5, len(spots))
    wells = gpd.GeoDataFrame(
        {"node_id": [f"M{i}" for i in range(len(spots))], "ground_elev_m": height},
        geometry=shapely.points(spots), crs=CRS,
    )  # fmt: skip
    rows = list(range(0, side, 25))
    main = p[rows].reshape(-1, 2)
    ground = 30 + 0.004 * main[:, 1]
    served = gpd.GeoDataFrame(
        {"pipe_id": [f"P{i}" for i in range(len(main))], "node": [f"W{i}" for i in range(len(main))],
         "invert_m": ground - 4.0, "ground_m": ground}, geometry=shapely.points(main), crs=CRS,
    )  # fmt: skip
    verdicts = pd.DataFrame({"compound_id": homes["compound_id"], "verdict": "no_main"})
    return {"streets": streets, "compounds": homes, "manholes": wells}, verdicts, served


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compounds", type=int, default=3000)
    parser.add_argument("--side", type=int, default=185)
    parser.add_argument("--seconds", type=float, default=20.0)
    option = parser.parse_args()
    layers, verdicts, served = town(option.compounds, option.side)
    start = time.perf_counter()
    warm_up()
    print(
        f"warm-up {time.perf_counter() - start:.1f} s; {len(layers['streets'])} streets, {option.compounds} compounds"
    )
    start = time.perf_counter()
    seen: list[str] = []

    def tell(share: float, text: object) -> None:
        seen.append(f"{time.perf_counter() - start:6.1f} s {share:4.0%} {text.en}")  # type: ignore[attr-defined]

    made = plan.run(layers, verdicts, served, time_limit_s=option.seconds, progress=tell)
    print("\n".join(seen))
    print(made.summary)
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
