"""This module sends supervisors through the demo county's yards: which manholes they looked for, and what they photographed.

Every visit agrees with what the manhole table says, and every photo hangs on a problem, inspection, visit or compound
that is there. The pictures themselves are drawn by `pictures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from mapapp.demo.columns import typed
from mapapp.demo.programme import AS_OF

_HIDDEN: Final = ("buried", "not_found")
_NOTES: Final = {
    "buried": "井盖被渣土压埋，已请施工单位清理",
    "not_found": "按图寻找未见，疑被绿化覆盖",
    "located": None,
}
_SCENES: Final = {
    "aerial_cables": "cables", "illegal_structure": "hut", "quality": "trench", "sewer_main_missing": "puddle",
    "sewer_inlet_unknown": "rubble", "other": "puddle", "water": "trench", "gas": "trench", "resident_demand": "yard",
}  # fmt: skip


def visits(
    manholes: gpd.GeoDataFrame, compounds: gpd.GeoDataFrame, verdicts: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return visits to the manholes that nobody could find and to some beside compounds whose inlet is not known.

    Parameters
    ----------
    manholes, compounds : GeoDataFrame
        The layers, in one metric CRS.
    verdicts : DataFrame
        ``compound_id verdict``, the truth.
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        In the schema's columns; positions in WGS 84, a few metres off as a phone's are.
    """
    unknown = set(verdicts.loc[verdicts["verdict"] == "inlet_unknown", "compound_id"])
    homes = compounds[compounds["compound_id"].isin(unknown)]
    sewage = manholes[(manholes["kind"] != "storm").to_numpy(dtype=bool)].reset_index(drop=True)
    home, hole = sewage.sindex.query(homes.geometry.to_numpy(), predicate="dwithin", distance=25.0)
    pairs = pd.DataFrame({"compound_id": homes["compound_id"].to_numpy()[home], "hole": hole})
    pairs["found"] = sewage["found"].to_numpy()[hole]
    hidden = pairs["found"].isin(_HIDDEN)
    chosen = pd.concat([pairs[hidden], pairs[~hidden].groupby("compound_id").head(2)]).drop_duplicates("hole")
    chosen = chosen.reset_index(drop=True)
    off = rng.normal(0, 2.5, (len(chosen), 2))
    places = gpd.GeoSeries(sewage.geometry.to_numpy()[chosen["hole"]], crs=manholes.crs)
    moved = gpd.GeoSeries.from_xy(places.x + off[:, 0], places.y + off[:, 1], crs=manholes.crs).to_crs(4326)
    days = pd.Timestamp("2022-10-10") + pd.to_timedelta(np.sort(rng.integers(0, 44, len(chosen))), unit="D")
    minutes = pd.to_timedelta(rng.integers(60, 520, len(chosen)), unit="min")
    out = pd.DataFrame({
        "visit_id": [f"demo-visit-{k + 1:04d}" for k in range(len(chosen))],
        "node_id": sewage["node_id"].to_numpy()[chosen["hole"]], "compound_id": chosen["compound_id"],
        "found": chosen["found"], "lon": moved.x.round(7), "lat": moved.y.round(7),
        "accuracy_m": np.round(rng.uniform(3, 12, len(chosen)), 1),
        "visited_at": (days + minutes).strftime("%Y-%m-%dT%H:%M:00Z"), "visited_by": "周某",
        "note": chosen["found"].map(_NOTES),
    })  # fmt: skip
    return typed(out, "visits")


def photos(told: Mapping[str, pd.DataFrame], rng: np.random.Generator) -> pd.DataFrame:
    """Return photos of problems (before, and after where they are settled), failed inspections, visits and compounds.

    Parameters
    ----------
    told : mapping of str to DataFrame
        ``problems inspections visits compounds``.
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        In the schema's columns; `pictures.draw` draws the file of a row by its ``file``, whose first part names the
        scene.
    """
    rows: list[dict[str, Any]] = []

    def add(layer: str, feature: str, stage: str, scene: str, on: str, caption: str | None = None) -> None:
        name = f"{scene}-{rng.bytes(12).hex()}.jpg"
        rows.append({"photo_id": rng.bytes(16).hex(), "layer": layer, "feature_id": feature, "stage": stage,
                     "taken_on": min(on, AS_OF), "file": name, "caption": caption, "width_px": 640, "height_px": 480})  # fmt: skip

    problems = told["problems"]
    for p in problems[problems["category"].isin(list(_SCENES))].to_dict("records"):
        scene = _SCENES[p["category"]]
        add("problems", p["ticket_id"], "before", scene, p["raised_at"])
        if p["status"] in ("closed", "resolved"):
            add("problems", p["ticket_id"], "after", f"{scene}_done", p["due"])
    failed = told["inspections"][told["inspections"]["result"] != "passed"]
    for i in failed.head(6).to_dict("records"):
        scene = "cables" if i["kind"] == "look_back" else "trench"
        add("inspections", i["inspection_id"], "site", scene, i["held_on"], str(i["items"]))
    for v in told["visits"].head(8).to_dict("records"):
        scene = "rubble" if v["found"] in _HIDDEN else "manhole"
        add("visits", v["visit_id"], "site", scene, v["visited_at"][:10])
    current = told["compounds"][told["compounds"]["programme_year"] == 2022]
    for c in current.head(6).to_dict("records"):
        add("compounds", c["compound_id"], "site", "yard", "2022-11-20")
    return typed(pd.DataFrame(rows), "photos")
