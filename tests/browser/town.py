"""This module builds a small town by hand whose counts are known, for the browser tests."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import pandas as pd
from shapely.geometry import LineString, Point, box

from mapapp import store

CRS = "EPSG:4548"  # CGCS2000, 3 degrees, central meridian 117 E
EAST, NORTH = 502_000.0, 3_486_000.0
EVIL = '<img src=x onerror="window.stolen=1"> & "巷"'
"""A name from a stranger's file; the page must show it and never run it."""

STATUS = ["completed"] * 5 + ["under_way"] * 3 + ["accepted", "planned", "planned", None]
VERDICT = ["connected"] * 7 + ["not_connected", "not_connected", "no_main", "inlet_unknown", "no_data"]
YEAR = [2020] * 5 + [2021] * 4 + [2022] * 3
NAMES = [
    "粮食局家属院", "纺织厂宿舍", "向阳小区", "桥头新村", "人民路12号院", "供销社家属楼",
    "建设局宿舍", EVIL, "酒厂家属院", "东风新村", "农机站小区", "河西单栋楼",
]  # fmt: skip


def compounds() -> gpd.GeoDataFrame:
    """Return twelve compounds in three rows: 5 completed, 3 under way, 1 accepted, 2 planned, 1 nobody knows."""
    count = range(12)
    return gpd.GeoDataFrame(
        {
            "compound_id": [f"C{i + 1:02d}" for i in count],
            "name": NAMES,
            "street": ["城关街道" if i < 8 else "河西街道" for i in count],
            "community": [f"第{i // 3 + 1}社区" for i in count],
            "status": STATUS,
            "programme_year": YEAR,
            "households": [60 + 10 * i for i in count],
            "buildings": [2 + i % 3 for i in count],
            "floor_area_m2": [6000.0 + 500 * i for i in count],
            "owner_unit": ["县住建局;县自来水公司" if i % 4 == 0 else "县住建局" for i in count],
            "invest_total_wan": [100.0 + 10 * i if i < 9 else None for i in count],
        },
        geometry=[_outline(i) for i in count],
        crs=CRS,
    )


def _outline(i: int) -> object:
    east, north = EAST + 200 * (i % 4), NORTH + 160 * (i // 4)
    return box(east, north, east + 150, north + 110)


def sewers() -> dict[str, gpd.GeoDataFrame]:
    """Return one sewage main and one storm drain under two streets, with manholes and a plant."""
    east = [EAST - 40 + 60 * i for i in range(15)]
    points = [Point(x, NORTH - 20) for x in east]
    manholes = gpd.GeoDataFrame(
        {"node_id": [f"W{i}" for i in range(15)], "kind": "污水井", "ground_elev_m": 50.0, "depth_m": 2.5},
        geometry=points, crs=CRS,
    )  # fmt: skip
    sewage = [LineString([a, b]) for a, b in pairwise(points)]
    storm = [LineString([(x, NORTH + 135), (x + 100, NORTH + 135)]) for x in (EAST, EAST + 100, EAST + 200, EAST + 300)]
    pipes = gpd.GeoDataFrame(
        {
            "pipe_id": [f"P{i}" for i in range(14)] + [f"Y{i}" for i in range(4)],
            "kind": ["sewage"] * 14 + ["storm"] * 4,
            "diameter_mm": [400.0] * 14 + [600.0] * 4,
            "from_invert_m": [47.5 - 0.2 * i for i in range(14)] + [48.0] * 4,
            "ownership": ["县自来水公司"] * 14 + ["县住建局"] * 4,
        },
        geometry=sewage + storm, crs=CRS,
    )  # fmt: skip
    plant = gpd.GeoDataFrame({"id": ["WWTP"], "facility": ["wwtp"]}, geometry=[points[-1]], crs=CRS)
    lines = [
        LineString([(EAST - 60, NORTH - 20), (EAST + 820, NORTH - 20)]),
        LineString([(EAST - 60, NORTH + 135), (EAST + 820, NORTH + 135)]),
    ]
    streets = gpd.GeoDataFrame(
        {"street_id": ["S1", "S2"], "name": ["人民路", "解放路"], "class": ["main", "secondary"]},
        geometry=lines,
        crs=CRS,
    )
    return {"pipes": pipes, "manholes": manholes, "outlets": plant, "streets": streets}


def derived(homes: gpd.GeoDataFrame) -> dict[str, pd.DataFrame]:
    """Say by hand what an audit would say of it: 4 gaps, 1 without data, 5 findings, candidates for one compound."""
    evidence = "最近的污水管 P3 在 28 m 外。\n该管经 11 段流到污水处理厂 WWTP。\n小区内没有管线终点。\n第四条依据。"
    verdicts = gpd.GeoDataFrame(
        {"compound_id": homes["compound_id"], "verdict": VERDICT, "evidence": evidence, "nearest_pipe_id": "P3", "distance_m": 28.0},
        geometry=homes.geometry, crs=CRS,
    )  # fmt: skip
    gaps = [i for i, verdict in enumerate(VERDICT) if verdict != "connected"]
    findings = gpd.GeoDataFrame(
        {
            "finding_id": [f"F{i}" for i in gaps],
            "rule": [VERDICT[i] for i in gaps],
            "severity": ["info" if VERDICT[i] == "no_data" else "error" for i in gaps],
            "layer": "compounds",
            "feature_id": [homes["compound_id"].iloc[i] for i in gaps],
            "related": ["P3", None, None, None, None],
            "value": 28.0,
            "unit": "m",
            "message": [f"{NAMES[i]}：没有可用的污水接入。" for i in gaps],
            "fix": "现场核查后补建接户管。",
            "status": "open",
        },
        geometry=[homes.geometry.iloc[i].centroid for i in gaps], crs=CRS,
    )  # fmt: skip
    home = homes.geometry.iloc[7].centroid
    candidates = gpd.GeoDataFrame(
        {
            "candidate_id": ["K1", "K2"], "compound_id": ["C08", "C08"], "rank": [1, 2], "manhole_id": ["W11", "W12"],
            "length_m": [120.5, 140.0], "available_fall_m": [1.2, 0.3], "required_fall_m": [0.5, 0.6],
            "gravity": [True, False], "cost": [180_000.0, 260_000.0],
        },
        geometry=[LineString([home, (EAST + 620, NORTH - 20)]), LineString([home, (EAST + 680, NORTH - 20)])], crs=CRS,
    )  # fmt: skip
    return {"verdicts": verdicts, "findings": findings, "candidates": candidates}


def build(path: Path) -> None:
    """Store the town in a county database."""
    homes = compounds()
    with store.create(str(path), name="云桥县", crs=CRS) as db:
        for layer, frame in {"compounds": homes, **sewers()}.items():
            db.apply(db.compare(layer, frame, "add"), by="test", source="town")
        db.replace_derived(derived(homes), by="test")
        db.snapshot("2022-11-25", by="test", title=None)
