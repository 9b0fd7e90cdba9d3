"""This module plans on real streets and sewers: Kamloops with buildings cut off, central Shanghai with a made network.

    python benchmarks/plan_cities.py [kamloops|shanghai] [--cut 60] [--seed 0] [--county FILE.gpkg]

Kamloops: the buildings nearest to sanitary mains are the compounds, their ground is the rim of the manholes; the network
within 60 m of the ones cut off is taken away, the rest is served. Shanghai: buildings on OpenStreetMap streets, manholes every
300 m of the longest streets and DN800 between them stand for the network, ground made of a plane. SWMM runs the links and the
existing sewers below them. `--county` writes the case as a county database instead, for `mapapp plan` and `mapapp serve`: there
the audit says who is served, and houses that a main still passes within reach may be.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from mapapp import plan, store
from mapapp.core import schema
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
    mains = gpd.GeoDataFrame(
        {"pipe_id": [f"P{i}" for i in range(len(pipes))], "kind": "sewage", "diameter_mm": number(pipes, "DIAMETER"),
         "from_invert_m": number(pipes, "UPSTREAMINVERT"), "to_invert_m": number(pipes, "DOWNSTREAMINVERT")},
        geometry=pipes.geometry.to_numpy(), crs=crs,
    )  # fmt: skip
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
    mains = mains[~shapely.intersects(mains.geometry.to_numpy(), zone)].reset_index(drop=True)
    served = ends_of(mains)
    # no streets are in the data: the mains themselves lie in them
    streets = gpd.GeoDataFrame(
        {"street_id": [f"S{i}" for i in range(len(pipes))]}, geometry=pipes.geometry.to_numpy(), crs=crs
    )
    manholes = gpd.GeoDataFrame(
        {"node_id": range(len(wells)), "ground_elev_m": ground}, geometry=wells.geometry.to_numpy(), crs=crs
    )
    verdicts = pd.DataFrame({"compound_id": homes["compound_id"], "verdict": "no_main"})
    layers = {"compounds": homes, "streets": streets, "manholes": manholes, "buildings": houses, "pipes": mains}
    layers["outlets"] = lowest(mains, served)
    return layers, verdicts, served


def lowest(mains: gpd.GeoDataFrame, served: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the lowest known place of each connected piece of the network: there it leaves the window of the data."""
    tree = shapely.STRtree(served.geometry.to_numpy())
    at = [tree.nearest(shapely.get_point(mains.geometry.to_numpy(), k)) for k in (0, -1)]
    n = len(served)
    piece = csgraph.connected_components(sparse.coo_matrix((np.ones(len(mains)), at), (n, n)), directed=False)[1]
    order = np.lexsort((served["invert_m"].fillna(np.inf), piece))
    row = order[np.unique(piece[order], return_index=True)[1]]
    ids = [f"O{i}" for i in range(len(row))]
    return gpd.GeoDataFrame(
        {"id": ids, "facility": "boundary"}, geometry=served.geometry.iloc[row].array, crs=mains.crs
    )


def ends_of(mains: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the ends of pipes as served places, one for each spot, at the lowest invert known there."""
    ends = [shapely.get_point(mains.geometry.to_numpy(), k) for k in (0, -1)]
    table = pd.DataFrame({
        "pipe_id": pd.concat([mains["pipe_id"]] * 2, ignore_index=True),
        "invert_m": pd.concat([mains["from_invert_m"], mains["to_invert_m"]], ignore_index=True),
    })  # fmt: skip
    xy = shapely.get_coordinates(np.concatenate(ends))
    spot = pd.DataFrame(xy.round(1)).groupby([0, 1]).ngroup()
    table = table.assign(x=xy[:, 0], y=xy[:, 1]).sort_values("invert_m").groupby(spot.reindex(table.index)).first()
    point = gpd.points_from_xy(table["x"], table["y"])
    return gpd.GeoDataFrame(
        {"pipe_id": table["pipe_id"], "node": None, "invert_m": table["invert_m"], "ground_m": np.nan},
        geometry=point, crs=mains.crs,
    ).reset_index(drop=True)  # fmt: skip


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
    # the made network: each manhole of a street drains to the next one, at the ground's slope
    street = np.repeat(np.arange(len(longest)), [len(np.arange(0, g.length, 300.0)) for g in longest])
    up = np.flatnonzero(street[1:] == street[:-1])
    turned = plane(xy[up]) < plane(xy[up + 1])
    up, down = np.where(turned, up + 1, up), np.where(turned, up, up + 1)
    mains = gpd.GeoDataFrame(
        {"pipe_id": [f"Q{i}" for i in range(len(up))], "kind": "sewage", "diameter_mm": 800.0,
         "from_invert_m": plane(xy[up]) - 3.5, "to_invert_m": plane(xy[down]) - 3.5},
        geometry=shapely.linestrings(np.stack([xy[up], xy[down]], axis=1)), crs=crs,
    )  # fmt: skip
    layers = {"compounds": homes, "streets": streets, "manholes": manholes, "buildings": houses, "pipes": mains}
    layers["outlets"] = lowest(mains, served)
    return layers, verdicts, served


KEYS = {
    "compounds": "compound_id", "streets": "street_id", "manholes": "node_id", "buildings": "building_id",
    "pipes": "pipe_id", "outlets": "id",
}  # fmt: skip


def county(name: str, layers: dict[str, gpd.GeoDataFrame], path: Path) -> None:
    """Write the layers of a case as a county database."""
    with store.create(str(path), name, layers["compounds"].crs) as db:
        for layer, frame in layers.items():
            key = KEYS[layer]
            ids = frame[key] if key in frame else pd.Series(range(len(frame)), index=frame.index)
            wanted = [c.name for c in schema.layer(layer).columns if c.name in frame and c.name != key]
            rows = frame[[*wanted, frame.geometry.name]].assign(**{key: ids.astype(str)})
            db.apply(db.compare(layer, rows, "add"), by="benchmark")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("city", nargs="?", choices=["kamloops", "shanghai"])
    parser.add_argument("--cut", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--county", type=Path, metavar="FILE.gpkg")
    option = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("No data: ../shared/data is absent.")
    warm_up()
    for name, case in (("kamloops", kamloops), ("shanghai", shanghai)):
        if option.city not in (None, name):
            continue
        layers, verdicts, served = case(option.cut, option.seed)
        if option.county is not None:
            county(name, layers, option.county)
            print(f"{option.county}: mapapp plan {option.county}")
            return
        start = time.perf_counter()
        made = plan.run(layers, verdicts, served, seed=option.seed)
        print(name, f"{time.perf_counter() - start:.1f} s", made.summary)
        print(made.refused["reason"].value_counts().to_dict())
        for sentence in made.assumptions:
            print("  -", sentence.en)
        every = check(made.links, plan.load_standard("gb50014-2021"), existing=made.existing)
        found, old = every[every["new"]], every[~every["new"]]
        print(f"  Existing below: {len(old)} pipes, flooding {int((old['flooding_lps'] > 1e-6).sum())}, "
              f"too full {int((~old['fill_ok'].astype(bool)).sum())}")  # fmt: skip
        print(f"  SWMM: {len(found)} pipes, flooding {found['flooding_lps'].max():.3f} L/s, "
              f"fill ok {found['fill_ok'].mean():.1%}, velocity ok {found['velocity_ok'].mean():.1%}")  # fmt: skip


if __name__ == "__main__":
    main()
