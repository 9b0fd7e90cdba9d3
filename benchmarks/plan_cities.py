"""This module plans on real streets and sewers: Kamloops with buildings cut off, central Shanghai with a made network.

    python benchmarks/plan_cities.py [kamloops|shanghai] [--cut 60] [--seed 0]

Kamloops: the buildings nearest to sanitary mains are the compounds, their ground is the rim of the manholes; the network
within 60 m of the ones cut off is taken away, the rest is served. Shanghai: buildings on OpenStreetMap streets, manholes every
300 m of the longest streets stand for the network, ground made of a plane.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from mapapp import plan
from mapapp.plan.steiner import warm_up
from mapapp.plan.swmm import check

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
Case = tuple[dict[str, gpd.GeoDataFrame], pd.DataFrame, gpd.GeoDataFrame]


def number(frame: gpd.GeoDataFrame, *names: str) -> np.ndarray:
    """Return the first column there is as numbers, 9999 and 0 missing."""
    column = next(n for n in names if n in frame)
    x = pd.to_numeric(frame[column], errors="coerce").to_numpy(float)
    return np.where((x >= 9000) | (x <= 0), np.nan, x)


def kamloops(cut: int, seed: int) -> Case:
    crs = "EPSG:26910"
    pipes = gpd.read_file(DATA / "kamloops" / "sanitary_mains.geojson").to_crs(crs).explode(ignore_index=True)
    wells = gpd.read_file(DATA / "kamloops" / "sanitary_manholes.geojson").to_crs(crs)
    houses = gpd.read_file(DATA / "kamloops" / "buildings.geojson").to_crs(crs)
    rng = np.random.default_rng(seed)
    invert = number(pipes, "DOWNSTREAMINVERT")
    end = shapely.get_point(pipes.geometry.to_numpy(), -1)
    ground = number(wells, "RIMELEVATION")
    near = shapely.STRtree(pipes.geometry.to_numpy()).query(
        houses.geometry.to_numpy(), predicate="dwithin", distance=60
    )[0]
    chosen = rng.choice(np.unique(near), cut, replace=False)
    homes = houses.iloc[np.sort(chosen)].reset_index(drop=True)
    homes = gpd.GeoDataFrame(
        {"compound_id": [f"B{i:03d}" for i in range(cut)], "households": rng.integers(2, 40, cut)},
        geometry=homes.geometry.to_numpy(), crs=crs,
    )  # fmt: skip
    zone = shapely.union_all(homes.geometry.buffer(60).to_numpy())
    left = ~shapely.intersects(pipes.geometry.to_numpy(), zone) & ~shapely.intersects(end, zone)
    served = gpd.GeoDataFrame(
        {"pipe_id": [f"P{i}" for i in np.flatnonzero(left)], "node": None, "invert_m": invert[left], "ground_m": np.nan},
        geometry=end[left], crs=crs,
    )  # fmt: skip
    # no streets are in the data: the mains themselves lie in them
    streets = gpd.GeoDataFrame(
        {"street_id": [f"S{i}" for i in range(len(pipes))]}, geometry=pipes.geometry.to_numpy(), crs=crs
    )
    manholes = gpd.GeoDataFrame(
        {"node_id": range(len(wells)), "ground_elev_m": ground}, geometry=wells.geometry.to_numpy(), crs=crs
    )
    verdicts = pd.DataFrame({"compound_id": homes["compound_id"], "verdict": "no_main"})
    return {"compounds": homes, "streets": streets, "manholes": manholes, "buildings": houses}, verdicts, served


def shanghai(cut: int, seed: int) -> Case:
    crs = "EPSG:4549"
    roads = gpd.read_file(DATA / "china_osm" / "shanghai_roads.geojson").to_crs(crs)
    roads = roads[roads.geom_type.isin(["LineString", "MultiLineString"])].reset_index(drop=True)
    houses = gpd.read_file(DATA / "china_osm" / "shanghai_buildings.geojson").to_crs(crs)
    houses = houses[houses.geom_type.isin(["Polygon", "MultiPolygon"])].reset_index(drop=True)
    rng = np.random.default_rng(seed)
    homes = houses.iloc[np.sort(rng.choice(len(houses), cut, replace=False))]
    homes = gpd.GeoDataFrame(
        {"compound_id": [f"B{i:03d}" for i in range(cut)], "households": rng.integers(20, 300, cut)},
        geometry=homes.geometry.to_numpy(), crs=crs,
    )  # fmt: skip
    streets = gpd.GeoDataFrame(
        {"street_id": [f"S{i}" for i in range(len(roads))]}, geometry=roads.geometry.to_numpy(), crs=crs
    )
    longest = streets.iloc[np.argsort(-streets.length.to_numpy())[:12]].geometry.explode()
    at = np.concatenate([g.interpolate(np.arange(0, g.length, 300.0)) for g in longest])
    xy = shapely.get_coordinates(at)
    spot = rng.uniform(streets.total_bounds[:2], streets.total_bounds[2:], (300, 2))

    def plane(p: np.ndarray) -> np.ndarray:
        return 4.0 + 0.0005 * (p[:, 0] - streets.total_bounds[0])

    served = gpd.GeoDataFrame(
        {"pipe_id": [f"P{i}" for i in range(len(at))], "node": [f"W{i}" for i in range(len(at))],
         "invert_m": plane(xy) - 3.5, "ground_m": plane(xy)}, geometry=at, crs=crs,
    )  # fmt: skip
    manholes = gpd.GeoDataFrame(
        {"node_id": range(len(spot)), "ground_elev_m": plane(spot)}, geometry=shapely.points(spot), crs=crs
    )
    verdicts = pd.DataFrame({"compound_id": homes["compound_id"], "verdict": "no_main"})
    return {"compounds": homes, "streets": streets, "manholes": manholes, "buildings": houses}, verdicts, served


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("city", nargs="?", choices=["kamloops", "shanghai"])
    parser.add_argument("--cut", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    option = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("No data: ../shared/data is absent.")
    warm_up()
    for name, case in (("kamloops", kamloops), ("shanghai", shanghai)):
        if option.city not in (None, name):
            continue
        layers, verdicts, served = case(option.cut, option.seed)
        start = time.perf_counter()
        made = plan.run(layers, verdicts, served, seed=option.seed)
        print(name, f"{time.perf_counter() - start:.1f} s", made.summary)
        print(made.refused["reason"].value_counts().to_dict())
        for sentence in made.assumptions:
            print("  -", sentence.en)
        found = check(made.links, plan.load_standard("gb50014-2021"))
        print(f"  SWMM: {len(found)} pipes, flooding {found['flooding_lps'].max():.3f} L/s, "
              f"fill ok {found['fill_ok'].mean():.1%}, velocity ok {found['velocity_ok'].mean():.1%}")  # fmt: skip


if __name__ == "__main__":
    main()
