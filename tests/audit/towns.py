"""Hand-built towns: small networks whose answers are known by looking at them."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
from shapely.geometry import LineString, Point, box

from mapapp import audit

CRS = "EPSG:4544"
X, Y = 500_000.0, 4_000_000.0


def line(*xy):
    return LineString([(X + x, Y + y) for x, y in xy])


def point(x, y):
    return Point(X + x, Y + y)


def square(x, y, size=20.0):
    return box(X + x, Y + y, X + x + size, Y + y + size)


def frame(rows, key):
    table = pd.DataFrame([{k: v for k, v in row.items() if k != "geometry"} for row in rows])
    return gpd.GeoDataFrame(table, geometry=[row["geometry"] for row in rows], crs=CRS)


def pipe(pipe_id, *xy, **more):
    return {"pipe_id": pipe_id, "kind": "sewage", "geometry": line(*xy), **more}


def falling(pipe_id, high, low, *xy, **more):
    """A pipe drawn downhill from level ``high`` to ``low``."""
    return pipe(pipe_id, *xy, from_invert_m=high, to_invert_m=low, **more)


def layers(pipes=(), manholes=(), outlets=(), compounds=(), **more):
    out = {
        "pipes": (pipes, "pipe_id"), "manholes": (manholes, "node_id"), "outlets": (outlets, "id"),
        "compounds": (compounds, "compound_id"),
    }  # fmt: skip
    out |= {name: (rows, None) for name, rows in more.items()}
    return {name: frame(rows, key) for name, (rows, key) in out.items() if rows}


def plant(x, y, id="W1"):
    return {"id": id, "facility": "wwtp", "geometry": point(x, y)}


def outlet(id, facility, x, y):
    return {"id": id, "facility": facility, "geometry": point(x, y)}


def well(node_id, x, y, **more):
    return {"node_id": node_id, "geometry": point(x, y), **more}


def compound(id, x, y, size=20.0, **more):
    return {"compound_id": id, "geometry": square(x, y, size), **more}


def run(town, **settings):
    return audit.run(town, settings=audit.AuditSettings(**settings))


def found(result, rule):
    """The features that a rule names, sorted."""
    table = result.findings
    return sorted(table.loc[table["rule"] == rule, "feature_id"])


def rules(result):
    return sorted(set(result.findings["rule"]))


def verdicts(result):
    return dict(zip(result.verdicts["compound_id"], result.verdicts["verdict"], strict=True))
