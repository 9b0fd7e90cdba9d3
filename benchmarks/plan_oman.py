"""This module plans the peer pysewer's own example: 800 buildings, their roads, a 10 m ground model, no sewers at all.

    python benchmarks/plan_oman.py [--seconds 1.05] [--pump 700000] [--peer PYTHON]

Its demand figures are ours here: 3 persons per building, 0.2 m3 per person and day, peak 2.3, cover 0.25 m, depth up to 8 m. The
plant stands at the lowest point of the roads within the ground model. With ``--peer``, the Python of an environment that holds
pysewer 0.3.1 (`peer_pysewer.py`), the peer runs in a process of its own; both answers are costed with one price book. The clock
of both starts after the imports (ours: after `warm_up`), the memory is that of the whole process. ``--pump``: what a pumping
station costs before flow and lift, running it included, in the place of the example book's figure. Without ``--seconds`` the limit
is 1.05 s, or, beside the peer, a 110th of what the peer took, so that both feel the same load.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from mapapp import plan
from mapapp.plan import costs
from mapapp.plan.terrain import read_terrain

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "oman_pysewer"
DEM = FOLDER / "1_DEM" / "dem_10m1.tif"
CRS = "EPSG:32640"
SECONDS, FASTER = 1.05, 110.0


def case() -> tuple[dict[str, gpd.GeoDataFrame], pd.DataFrame, gpd.GeoDataFrame]:
    """Return layers, verdicts and the plant."""
    homes = gpd.read_file(FOLDER / "2_Buildings" / "buildings_projected.shp")
    roads = gpd.read_file(FOLDER / "3_Roads" / "roads_projected.shp")
    streets = gpd.GeoDataFrame(
        {"street_id": [f"R{i}" for i in range(len(roads))]},
        geometry=shapely.force_2d(roads.geometry.to_numpy()),
        crs=CRS,
    )
    compounds = gpd.GeoDataFrame(
        {"compound_id": [f"B{i:03d}" for i in range(len(homes))], "households": 1.0},
        geometry=shapely.force_2d(homes.geometry.to_numpy()), crs=CRS,
    )  # fmt: skip
    corners = np.unique(shapely.get_coordinates(streets.geometry.to_numpy()), axis=0)
    inside = corners[shapely.distance(shapely.points(corners), shapely.box(*compounds.total_bounds)) < 300]
    level = read_terrain(DEM, CRS).at(*inside.T)
    k = int(np.nanargmin(level))
    plant = gpd.GeoDataFrame(
        {"pipe_id": ["plant"], "node": ["plant"], "ground_m": [level[k]], "invert_m": [level[k] - 8.0]},
        geometry=shapely.points(inside[[k]]), crs=CRS,
    )  # fmt: skip
    verdicts = pd.DataFrame({"compound_id": compounds["compound_id"], "verdict": "no_main"})
    return {"compounds": compounds, "streets": streets}, verdicts, plant


def rules() -> plan.Standard:
    """Return the standard with the peer's figures."""
    return replace(
        plan.load_standard("ten-states"), persons_per_household=3.0, litres_per_person_day=200.0, return_share=1.0,
        peak=((0.0, 2.3),), max_depth_m=8.0, min_cover_m=0.25, infiltration_share=0.0,
    )  # fmt: skip


def peer(python: str, prices: plan.Prices) -> float:
    """Run pysewer and print its figures, costed as ours: pipe, manhole per piece, reinstatement, pump; return its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "sewers.csv"
        script = Path(__file__).with_name("peer_pysewer.py")
        ran = subprocess.run([python, script, FOLDER, out], check=True, capture_output=True, text=True)
        sewers = pd.read_csv(out)
    facts = json.loads(ran.stdout.splitlines()[-1])
    d, length = sewers["diameter_mm"].to_numpy(float), sewers["length_m"].to_numpy(float)
    depth = sewers["mean_depth_m"].clip(0.25).to_numpy(float) + d / 1000.0  # its depths are cover
    cost = prices.pipe_cost(d, depth, depth, length).sum()
    cost += (costs.pieces(length, rules()) * prices.manhole_cost(d, depth)).sum()
    cost += prices.surface_per_m.get("", 0.0) * length.sum()
    # one pump per station, for the greatest of the flows that leave it
    pump = sewers[sewers["station"] == 1]
    cost += prices.pump_cost(pump["flow_lps"].to_numpy(float), pump["lift_m"].to_numpy(float)).sum()
    stations = facts["Pumping Stations"] + facts["Lifting Stations"]
    print(
        f"pysewer 0.3.1: {facts['seconds']:.1f} s ({facts['cpu']:.1f} CPU), peak {facts['peak_gb']:.2f} GB, "
        f"{length.sum() / 1000:.1f} km with house connections, {stations} pumping and lifting stations and "
        f"{facts['Private Pumps']} private pumps, costed {cost / 1e6:.1f} million",
        flush=True,
    )
    return float(facts["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--pump", type=float, default=None)
    parser.add_argument("--peer", default=None)
    option = parser.parse_args()
    if not FOLDER.is_dir():
        raise SystemExit("No data: ../shared/data/oman_pysewer is absent.")
    pa.set_memory_pool(pa.system_memory_pool())  # pandas' own reserves 8 MB that nothing needs
    plan.warm_up()
    layers, verdicts, plant = case()
    prices = plan.load_prices("example")
    if option.pump is not None:
        prices = replace(prices, pump=(option.pump, *prices.pump[1:]))
    took = peer(option.peer, prices) if option.peer else 0.0
    limit = option.seconds or (took / FASTER if took else SECONDS)
    start, cpu = time.perf_counter(), time.process_time()
    made = plan.run(layers, verdicts, plant, standard=rules(), prices=prices, dem=DEM, time_limit_s=limit)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    facts = made.summary
    print(
        f"mapapp: {seconds:.2f} s ({cpu:.2f} CPU), peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.3f} GB, "
        f"{facts['linked']} linked, {facts['length_m'] / 1000:.1f} km, {facts['pumps']} pumps, cost {facts['cost'] / 1e6:.1f} "
        f"million, at most {facts['gap_pct']:.0f} % above the bound",
    )
    if took:
        print(f"mapapp is {took / seconds:.0f} times faster")


if __name__ == "__main__":
    main()
