"""This module puts the demo county together: one call gives every layer and table, with the truth about its sewers."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from mapapp import resources
from mapapp.demo import gaps, ground, levels, parcels, programme, records, sewers, streets, tables, visits
from mapapp.demo.columns import typed
from mapapp.demo.ground import Floats

Ints = npt.NDArray[np.int64]
_LETTERS: Mapping[str, str] = {"sewage": "WS", "storm": "YS", "combined": "HS"}
"""What an id begins with, by the kind of water (the initials of 污水, 雨水, 合流)."""


@dataclass(frozen=True)
class County:
    """A whole county.

    Attributes
    ----------
    name, crs, as_of : str
        ``crs`` is metric; ``as_of`` is the day (ISO 8601) as of which everything is told.
    layers : mapping of str to GeoDataFrame or DataFrame
        By layer name, columns of `mapapp.core.schema`; ``compounds`` to ``survey_areas`` with geometry, the tables without.
    truth : DataFrame
        What the audit has to find and nothing else: ``rule layer feature_id compound_id verdict note``.
    verdicts : DataFrame
        ``compound_id verdict note`` for every compound.
    elevation : callable
        Ground level in metres at easting and northing.
    """

    name: str
    crs: str
    as_of: str
    layers: Mapping[str, gpd.GeoDataFrame | pd.DataFrame]
    truth: pd.DataFrame
    verdicts: pd.DataFrame
    elevation: Callable[[npt.ArrayLike, npt.ArrayLike], Floats]


def read_names() -> dict[str, Any]:
    """Return the shipped lists of invented names."""
    return tomllib.loads(resources.geodata("demo", "names.toml").read_text("utf-8"))


def _ribbon(s0: float, s1: float, t0: float, t1: float) -> shapely.Polygon:
    """Bend a rectangle of valley coordinates into the map."""
    corners = np.array([[s0, t0], [s0, t1], [s1, t1], [s1, t0]])
    return shapely.Polygon(
        np.round(
            np.concatenate(
                [streets.draw(np.stack([corners[i], corners[(i + 1) % 4]]), step_m=15)[:-1] for i in range(4)]
            ),
            2,
        )
    )


def _survey_areas() -> gpd.GeoDataFrame:
    town = shapely.union_all([_ribbon(-170, 2450, -1320, 50), _ribbon(440, 1356, 49, 640)])
    west = shapely.difference(town, _ribbon(sewers.CORNER[1], 2460, -1330, sewers.CORNER[0]))
    rows = [
        ("PC-01", "all", "yes", "2021-10-20", west),
        ("PC-02", "all", "no", "2019-06-12", _ribbon(1356.5, 1830, 50, 640)),
        ("PC-03", "all", "yes", "2021-11-05", _ribbon(1270, 1580, 960, 1290)),
    ]
    frame = pd.DataFrame(rows, columns=["area_id", "covers", "laterals", "date", "geometry"])
    return gpd.GeoDataFrame(typed(frame, "survey_areas"), geometry="geometry", crs=ground.CRS)


def _districts(names: Mapping[str, Any], st: Floats) -> tuple[list[str], list[str]]:
    s, t = st[:, 0], st[:, 1]
    which = np.select(
        [t > 0, s < 800, t < -560, s < 1350], ["河东街道", "北门街道", "西关街道", "城中街道"], "南园街道"
    )
    community = []
    for place, (si, ti) in zip(which, st, strict=True):
        choices = names["subdistricts"][place]
        f = {"河东街道": (si - 500) / 1050, "北门街道": (ti + 1150) / 1100, "西关街道": (si - 800) / 1200}.get(
            place, (ti + 560) / 500
        )
        if place == "南园街道":
            f = (si - 1350) / 650
        community.append(names["village"] if ti > 900 else choices[int(np.clip(f * len(choices), 0, len(choices) - 1))])
    return which.tolist(), community


def _buildings(
    table: pd.DataFrame, sites: list[parcels.Site], rest: npt.NDArray[np.object_], rng: np.random.Generator
) -> gpd.GeoDataFrame:
    out = []
    for (_, row), place in zip(table.iterrows(), sites, strict=True):
        n = len(place.slabs)
        area = place.slabs[:, 2] * place.slabs[:, 3]
        floor = programme.apportion(int(row["floor_area_m2"]), area)
        homes = programme.apportion(int(row["households"]), area * place.slabs[:, 4], least=1)
        out.append(pd.DataFrame({
            "building_id": [f"{row['compound_id']}-{k + 1:02d}" for k in range(n)], "compound_id": row["compound_id"],
            "building_no": [f"{k + 1}号楼" for k in range(n)], "floors": place.slabs[:, 4].astype(int),
            "units": np.maximum(1, np.round(place.slabs[:, 2] / 15)).astype(int), "households": homes,
            "floor_area_m2": floor.astype(float), "built_year": row["built_year"], "structure": "砖混", "danger_grade": "none",
            "elevator": "none", "geometry": parcels.rectangles(place),
        }))  # fmt: skip
    more = pd.DataFrame(
        {
            "building_id": [f"QT-{k + 1:04d}" for k in range(len(rest))],
            "geometry": rest,
            "floors": rng.integers(1, 7, len(rest)),
        }
    )
    both = pd.concat([*out, more], ignore_index=True)
    return gpd.GeoDataFrame(typed(both, "buildings"), geometry="geometry", crs=ground.CRS)


def county(seed: int = 2022) -> County:
    """Generate the demo county.

    Parameters
    ----------
    seed : int
        The same seed gives the same county, to the byte.

    Returns
    -------
    County
    """
    names, rng = read_names(), np.random.default_rng(seed)
    plan = streets.lay_out(names, rng)
    table = programme.compounds(names, rng)
    quads = parcels.divide(plan, rng)
    zone = gaps.zones(quads)
    parcel, sites = parcels.assign(table, quads, zone, dict(gaps.QUOTA), rng)
    outlines = [parcels.outline(quads[i]) for i in parcel]
    rest = parcels.others(quads[np.setdiff1d(np.arange(len(quads)), parcel)], rng)
    table["compound_id"] = [
        f"YL{y}{k:03d}"
        for y, k in zip(table["programme_year"], table.groupby("programme_year").cumcount() + 1, strict=True)
    ]
    middle = quads[parcel].mean(axis=1)
    table["street"], table["community"] = _districts(names, middle)
    roads = streets.frame(plan)
    _, near = roads.sindex.nearest(shapely.centroid(outlines), return_all=False)
    table["address"] = [
        f"{road}{n}号" for road, n in zip(roads["name"].to_numpy()[near], rng.integers(2, 160, len(table)), strict=True)
    ]
    table["site_area_m2"] = np.round(shapely.area(outlines), 1)

    draft = sewers.street_sewers(plan, names)
    drawn = gaps.connect_compounds(draft, sites, outlines, zone[parcel], rng)
    pipes, manholes, outlets, node_ids = _network(draft, table, names, rng)
    layers: dict[str, gpd.GeoDataFrame | pd.DataFrame] = {
        "compounds": gpd.GeoDataFrame(table, geometry=np.array(outlines, dtype=object), crs=ground.CRS),
        "buildings": _buildings(table, sites, rest, rng),
        "pipes": pipes,
        "manholes": manholes,
        "outlets": outlets,
        "inlets": _inlets(manholes, pipes),
        "streets": gpd.GeoDataFrame(typed(roads, "streets"), geometry="geometry", crs=ground.CRS),
        "survey_areas": _survey_areas(),
        "waters": _river(names),
    }
    changed, truth, verdicts = gaps.plant(layers, drawn, node_ids, names, rng)
    layers |= changed
    layers["compounds"] = gpd.GeoDataFrame(typed(layers["compounds"], "compounds"), geometry="geometry", crs=ground.CRS)
    layers |= tables.tables(layers["compounds"], verdicts, names, rng)
    told = {name: pd.DataFrame(layers[name]) for name in ("ledger", "problems", "management")}
    layers |= records.records(told["ledger"], verdicts, told, names, np.random.default_rng([seed, 1]))
    walked = np.random.default_rng([seed, 2])
    layers["visits"] = visits.visits(changed["manholes"], layers["compounds"], verdicts, walked)
    seen = {name: pd.DataFrame(layers[name]) for name in ("problems", "inspections", "visits", "compounds")}
    layers["photos"] = visits.photos(seen, walked)
    return County(names["county"], ground.CRS, programme.AS_OF, layers, truth, verdicts, ground.elevation)


def _river(names: Mapping[str, Any]) -> gpd.GeoDataFrame:
    s = np.linspace(-250, 2650, 150)
    banks = [ground.to_map(s, -ground.RIVER_HALF_WIDTH_M), ground.to_map(s[::-1], ground.RIVER_HALF_WIDTH_M)]
    surface = shapely.Polygon(np.round(np.concatenate(banks), 2))
    row = typed(pd.DataFrame({"water_id": ["H1"], "name": [names["river"]], "class": ["river"]}), "waters")
    return gpd.GeoDataFrame(row, geometry=[surface], crs=ground.CRS)


def _network(
    draft: sewers.Draft, table: pd.DataFrame, names: Mapping[str, Any], rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame, npt.NDArray[np.object_]]:
    """Turn the drawing into layers: levels, sizes, owners, ids."""
    xy = draft.xy()
    pipes = pd.DataFrame(draft.pipes)
    for column in ("flow", "road", "compound", "overflow", "cut"):
        if column not in pipes:
            pipes[column] = None
    pipes["overflow"] = pipes["overflow"].eq(True)
    up, down = pipes["up"].to_numpy(), pipes["down"].to_numpy()
    surface = _surface(draft, up, down)
    geometry = shapely.linestrings(xy[np.column_stack([up, down])])
    length = shapely.length(geometry)
    has = pipes["compound"].notna().to_numpy()
    made = levels.design(pipes, surface, length, _load(pipes, length, table["households"].to_numpy(dtype=float)))
    node_id = _numbered(pd.Series(draft.node_kind).map(_LETTERS)).to_numpy(dtype=object)
    bare = np.isin(np.arange(len(xy)), list(draft.bare))
    with_hole = node_id.copy()
    with_hole[bare] = None
    storm, plastic = (pipes["kind"] == "storm").to_numpy(), (made["diameter_mm"] <= 400).to_numpy()
    owner = np.where(
        storm, rng.choice(names["owners"]["storm"], len(pipes)), rng.choice(names["owners"]["sewage"], len(pipes))
    )
    road_owner = dict(zip(pipes["road"], owner, strict=True))  # one owner per road and system
    frame = gpd.GeoDataFrame(
        {
            "pipe_id": "GD" + _numbered(pipes["kind"].map(_LETTERS)),
            "kind": pipes["kind"],
            "from_node": with_hole[up],
            "to_node": with_hole[down],
            "from_invert_m": made["from_invert_m"],
            "to_invert_m": made["to_invert_m"],
            "from_depth_m": np.where(bare[up], np.nan, np.round(surface[up] - made["from_invert_m"], 3)),
            "to_depth_m": np.where(bare[down], np.nan, np.round(surface[down] - made["to_invert_m"], 3)),
            "diameter_mm": made["diameter_mm"],
            "shape": "circular",
            "material": np.where(pipes["flow"] == "pressure", "球墨铸铁", np.where(plastic, "HDPE", "混凝土")),
            "length_m": np.round(length, 2),
            "flow_dir": "0",
            "embed_type": "直埋",
            "status": "in_use",
            "flow": pipes["flow"].where(pipes["flow"].notna(), "gravity"),
            "level": pipes["level"],
            "ownership": np.where(has, "小区业主", pipes["road"].map(road_owner)),
            "road": pipes["road"],
            "data_source": np.where(has, "as_built", "survey"),
            "survey_unit": "云岭测绘队",
            "survey_date": "2021-10-20",
        },
        geometry=geometry,
        crs=ground.CRS,
    )
    frame = gpd.GeoDataFrame(typed(frame, "pipes"), geometry="geometry", crs=ground.CRS)
    lowest = np.full(len(xy), np.inf)
    np.minimum.at(lowest, up, made["from_invert_m"])
    np.minimum.at(lowest, down, np.where(pipes["flow"] == "pressure", np.inf, made["to_invert_m"]))
    manholes = _manholes(draft, node_id, surface, lowest)
    return frame, manholes[~bare].reset_index(drop=True), _outlets(draft, lowest), node_id


def _surface(draft: sewers.Draft, up: Ints, down: Ints) -> Floats:
    """Return the ground level in metres at each node; ``up`` and ``down`` are the nodes of each pipe."""
    xy = draft.xy()
    surface: Floats = np.round(ground.elevation(xy[:, 0], xy[:, 1]), 2)
    for outlet in draft.outlets:
        if outlet["facility"] == "outfall":  # the mouth is in the quay wall, not in the river bed
            mouth = int(str(outlet["node"]))
            surface[mouth] = surface[up[down == mouth][0]]
    return surface


def _load(pipes: pd.DataFrame, length_m: Floats, households: Floats) -> Floats:
    """Return what each pipe takes up along its way, as `levels.design` wants it; a compound's is shared by its pipes."""
    has = pipes["compound"].notna().to_numpy()
    count = pipes["compound"].value_counts()
    load = np.where(pipes["kind"] == "storm", length_m, length_m * 1.3)
    load[has] = [2.8 * households[int(c)] / count[c] for c in pipes.loc[has, "compound"]]
    return load


def _numbered(letters: pd.Series) -> pd.Series:
    """Return each row's letters with its number among the rows of the same letters: WS0001, WS0002, YS0001."""
    return letters + (letters.groupby(letters).cumcount() + 1).map("{:04d}".format)


def _manholes(
    draft: sewers.Draft, node_id: npt.NDArray[np.object_], surface_m: Floats, lowest_m: Floats
) -> gpd.GeoDataFrame:
    """Lay a manhole over every node; its depth is down to the lowest pipe, missing where no level is known."""
    frame = pd.DataFrame({
        "node_id": node_id,
        "kind": draft.node_kind,
        "type": draft.node_type,
        "ground_elev_m": surface_m,
        "depth_m": np.where(np.isfinite(lowest_m), np.round(surface_m - lowest_m, 3), np.nan),
        "road": draft.node_road,
        "cover": "铸铁",
        "found": "located",
        "data_source": "survey",
    })  # fmt: skip
    frame["road"] = frame["road"].replace("", None)
    return gpd.GeoDataFrame(typed(frame, "manholes"), geometry=shapely.points(draft.xy()), crs=ground.CRS)


def _outlets(draft: sewers.Draft, lowest_m: Floats) -> gpd.GeoDataFrame:
    """Plants, pumps, interceptors and outfalls at their nodes, each as deep as the lowest pipe there."""
    frame = pd.DataFrame(draft.outlets)
    place = frame.pop("node").to_numpy()
    letters = {"wwtp": "CL", "pump": "BZ", "interceptor": "JL", "outfall": "PK"}
    frame["id"] = [f"{letters[f]}{k + 1:02d}" for k, f in enumerate(frame["facility"])]
    frame["bottom_elev_m"] = lowest_m[place]
    return gpd.GeoDataFrame(typed(frame, "outlets"), geometry=shapely.points(draft.xy()[place]), crs=ground.CRS)


def _inlets(manholes: gpd.GeoDataFrame, pipes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Storm inlets at the kerb beside the storm manholes."""
    storm = manholes[(manholes["kind"] == "storm").to_numpy() & manholes["node_id"].isin(pipes["from_node"]).to_numpy()]
    xy = shapely.get_coordinates(storm.geometry) + np.array([3.1, 2.2])
    frame = pd.DataFrame({
        "id": [f"YB{k + 1:04d}" for k in range(len(storm))], "form": "平篦式", "max_depth_m": 0.9,
        "ground_elev_m": np.round(ground.elevation(xy[:, 0], xy[:, 1]), 2),
    })  # fmt: skip
    return gpd.GeoDataFrame(typed(frame, "inlets"), geometry=shapely.points(np.round(xy, 3)), crs=ground.CRS)
