"""Hand-built towns for planning, whose answers are known by looking."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

CRS = "EPSG:4547"
X, Y = 500_000.0, 3_000_000.0


def frame(rows, geometry):
    return gpd.GeoDataFrame(
        rows, geometry=[shapely.transform(g, lambda p: p + np.array([X, Y])) for g in geometry], crs=CRS
    )


def square(x, y, size=20.0):
    return shapely.box(x, y, x + size, y + size)


def line(*points):
    return shapely.LineString(points)


def main_town(*, diameter=400.0, households=100, length=150.0):
    """Return a main of three pipes along y = 0 that falls east at 5 per mille to a plant; one compound north of its middle.

    Ground lies 3 m above the inverts. There are no streets. Compound ``C`` is connected and drains into the first pipe.
    """
    at = [length * k for k in range(4)]
    invert = [20.0 - 0.005 * x for x in at]
    points = [shapely.Point(x, 0) for x in at]
    manholes = frame({"node_id": [f"M{k}" for k in range(4)], "ground_elev_m": [z + 3 for z in invert]}, points)
    pipes = frame(
        {
            "pipe_id": ["P0", "P1", "P2"], "kind": "sewage", "diameter_mm": diameter,
            "from_invert_m": invert[:-1], "to_invert_m": invert[1:],
        },
        [line((a.x, 0), (b.x, 0)) for a, b in itertools.pairwise(points)],
    )  # fmt: skip
    served = frame(
        {"pipe_id": ["P0", "P0", "P1", "P2"], "node": [f"M{k}" for k in range(4)], "invert_m": invert,
         "ground_m": [z + 3 for z in invert]}, points,
    )  # fmt: skip
    outlets = frame({"id": ["W"], "facility": ["wwtp"]}, points[-1:])
    compounds = frame(
        {"compound_id": ["A", "C"], "households": [households, 200]}, [square(1.5 * length - 10, 30), square(0, -40)]
    )
    verdicts = pd.DataFrame(
        {"compound_id": ["A", "C"], "verdict": ["no_main", "connected"], "nearest_pipe_id": [None, "P0"]}
    )
    return {"pipes": pipes, "manholes": manholes, "outlets": outlets, "compounds": compounds}, verdicts, served
