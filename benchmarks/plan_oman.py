"""This module plans the peer pysewer's own example: 800 buildings, their roads, a 10 m ground model, no sewers at all.

    python benchmarks/plan_oman.py [--seconds 1]

pysewer 0.3.1 on the same data, measured before: 113 to 128 s, 1.7 GB, 34.6 km of pipe, 24 pumping and lifting stations, no cost.
Its demand figures are ours here: 3 persons per building, 0.2 m3 per person and day, peak 2.3, depth up to 8 m. The plant stands
at the lowest point of the roads within the ground model.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from mapapp import plan
from mapapp.plan.terrain import read_terrain

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "oman_pysewer"
DEM = FOLDER / "1_DEM" / "dem_10m1.tif"
CRS = "EPSG:32640"


def case() -> tuple[dict[str, gpd.GeoDataFrame], pd.DataFrame, gpd.GeoDataFrame]:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    option = parser.parse_args()
    if not FOLDER.is_dir():
        raise SystemExit("No data: ../shared/data/oman_pysewer is absent.")
    plan.warm_up()
    layers, verdicts, plant = case()
    standard = replace(
        plan.load_standard("ten-states"), persons_per_household=3.0, litres_per_person_day=200.0, return_share=1.0,
        peak=((0.0, 2.3),), max_depth_m=8.0, min_cover_m=0.25, infiltration_share=0.0,
    )  # fmt: skip
    start = time.perf_counter()
    made = plan.run(layers, verdicts, plant, standard=standard, dem=DEM, time_limit_s=option.seconds)
    print(
        f"{time.perf_counter() - start:.1f} s, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB"
    )
    print(made.summary)
    print(made.refused["reason"].value_counts().to_dict())
    print(
        "lift stations",
        int((made.links["pump"] & ~made.links["pressure"]).sum()),
        "rising mains",
        int(made.links["pressure"].sum()),
    )


if __name__ == "__main__":
    main()
