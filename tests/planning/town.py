"""Hand-built plans whose answers are known by looking."""

from __future__ import annotations

import itertools
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from mapapp import store

CRS = "EPSG:4549"
X0, Y0 = 500_000.0, 3_400_000.0


def links(below: list[int], own: list[str], households: list[float], cost: list[float]) -> gpd.GeoDataFrame:
    """Return planned pipes of 50 m; ``below`` is the row of the pipe below, -1 at the sewer; ``own`` may be ""."""
    n = len(below)
    ids = [f"L{i + 1:04d}" for i in range(n)]
    through = np.array(households, float)
    for i in range(n):
        k = below[i]
        while k >= 0:
            through[k] += households[i]
            k = below[k]
    money = np.array(cost, float)
    fall = 0.2 * np.arange(n)
    frame = gpd.GeoDataFrame(
        {
            "link_id": ids,
            "compound_ids": own,
            "from_node": [o or f"NEW-{i + 1:04d}" for i, o in enumerate(own)],
            "to_node": ["W1" if k < 0 else own[k] or f"NEW-{k + 1:04d}" for k in below],
            "length_m": 50.0,
            "diameter_mm": 300.0,
            "slope": 0.004,
            "ground_up_m": 10.0 - fall,
            "ground_down_m": 9.8 - fall,
            "invert_up_m": 9.0 - fall,
            "invert_down_m": 8.8 - fall,
            "depth_up_m": 1.0,
            "depth_down_m": 1.0,
            "flow_lps": 1.0,
            "pump": False,
            "cost_low": 0.8 * money,
            "cost": money,
            "cost_high": 1.3 * money,
            "corridor": "street",
            "households": through,
            "downstream_link_id": [ids[k] if k >= 0 else None for k in below],
            "surface": "asphalt",
            "crossings": 0,
            "pressure": False,
            "ground_known": True,
            "target_known": True,
            "cost_pipe": 0.7 * money,
            "cost_manhole": 0.2 * money,
            "cost_pump": 0.0,
            "cost_surface": 0.1 * money,
            "cost_drop": 0.0,
            "own_compounds": own,
            "own_households": [float(h) for h in households],
            "stage": pd.array([1] * n, dtype="Int64"),
        },
        geometry=[shapely.LineString([(X0 + 50 * i, Y0), (X0 + 50 * i + 50, Y0)]) for i in range(n)],
        crs=CRS,
    )
    return frame.astype(dict.fromkeys(("downstream_link_id", "own_compounds"), "str"))


def fork() -> gpd.GeoDataFrame:
    """Return A (100 households) and B (40) that meet in one pipe, and C (10) alone."""
    return links([2, 2, -1, -1], ["A", "B", "", "C"], [100, 40, 0, 10], [1000, 2000, 3000, 4000])


def town(path: Path) -> None:
    """Write a county: a main with manholes and a plant, two compounds beside it, one up a street with no sewer, one far away."""
    at = [50.0 * i for i in range(13)]
    points = [shapely.Point(X0 + x, Y0) for x in at]
    manholes = gpd.GeoDataFrame(
        {"node_id": [f"W{i}" for i in range(13)], "ground_elev_m": [20 - 0.005 * x for x in at], "depth_m": 3.0},
        geometry=points, crs=CRS,
    )  # fmt: skip
    pipes = gpd.GeoDataFrame(
        {
            "pipe_id": [f"P{i}" for i in range(12)], "kind": "sewage", "level": "main", "diameter_mm": 400.0,
            "from_node": [f"W{i}" for i in range(12)], "to_node": [f"W{i + 1}" for i in range(12)],
            "from_invert_m": [17 - 0.005 * x for x in at[:-1]], "to_invert_m": [17 - 0.005 * x for x in at[1:]],
        },
        geometry=[shapely.LineString([a, b]) for a, b in itertools.pairwise(points)], crs=CRS,
    )  # fmt: skip
    outlets = gpd.GeoDataFrame({"id": ["厂"], "facility": ["wwtp"]}, geometry=[points[-1]], crs=CRS)
    side = [shapely.Point(X0 + 110, Y0 + y) for y in (0, 60, 120, 180)]
    streets = gpd.GeoDataFrame(
        {"street_id": ["S1", "S2"], "name": ["正街", "后街"], "class": ["main", "branch"]},
        geometry=[shapely.LineString([points[0], points[-1]]), shapely.LineString(side)], crs=CRS,
    )  # fmt: skip
    boxes = [shapely.box(X0 + x, Y0 + y, X0 + x + 60, Y0 + y + 30) for x, y in ((350, 20), (500, 20), (120, 160))]
    boxes.append(shapely.box(X0 + 9000, Y0 + 9000, X0 + 9060, Y0 + 9030))
    compounds = gpd.GeoDataFrame(
        {
            "compound_id": ["C1", "C2", "C3", "C9"], "name": ["一村", "二村", "三村", "远村"],
            "households": [120, 60, 30, 20], "owner_unit": ["住建局", "住建局", "城投公司", "住建局"],
        },
        geometry=boxes, crs=CRS,
    )  # fmt: skip
    surveyed = gpd.GeoDataFrame(
        {"area_id": ["全县"], "covers": ["all"], "laterals": ["yes"]},
        geometry=[shapely.box(X0 - 500, Y0 - 500, X0 + 9500, Y0 + 9500)], crs=CRS,
    )  # fmt: skip
    with store.create(str(path), name="规划县", crs=CRS) as db:
        for name, frame in {
            "compounds": compounds, "pipes": pipes, "manholes": manholes,
            "outlets": outlets, "streets": streets, "survey_areas": surveyed,
        }.items():  # fmt: skip
            db.apply(db.compare(name, frame, "add"), by="test")
        db.users.add("gu", "guest-password", "viewer")
        db.users.add("li", "editor-password", "editor")
        db.users.add("cheng", "editor-password", "editor", unit="城投公司")
