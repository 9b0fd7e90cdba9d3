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


def frame(rows):
    table = pd.DataFrame([{k: v for k, v in row.items() if k != "geometry"} for row in rows])
    return gpd.GeoDataFrame(table, geometry=[row["geometry"] for row in rows], crs=CRS)


def pipe(pipe_id, *xy, **more):
    return {"pipe_id": pipe_id, "kind": "sewage", "geometry": line(*xy), **more}


def falling(pipe_id, high, low, *xy, **more):
    """Return a pipe drawn downhill from level ``high`` to ``low``."""
    return pipe(pipe_id, *xy, from_invert_m=high, to_invert_m=low, **more)


def layers(pipes=(), manholes=(), outlets=(), compounds=(), **more):
    out = {"pipes": pipes, "manholes": manholes, "outlets": outlets, "compounds": compounds, **more}
    return {name: frame(rows) for name, rows in out.items() if rows}


def plant(x, y, name="W1"):
    return {"id": name, "facility": "wwtp", "geometry": point(x, y)}


def outlet(name, facility, x, y):
    return {"id": name, "facility": facility, "geometry": point(x, y)}


def well(node_id, x, y, **more):
    return {"node_id": node_id, "geometry": point(x, y), **more}


def compound(name, x, y, size=20.0, **more):
    return {"compound_id": name, "geometry": square(x, y, size), **more}


def run(town, **settings):
    return audit.run(town, settings=audit.AuditSettings(**settings))


def found(result, rule):
    """Return the features that a rule names, sorted."""
    table = result.findings
    return sorted(table.loc[table["rule"] == rule, "feature_id"])


def rules(result):
    return sorted(set(result.findings["rule"]))


def verdicts(result):
    return dict(zip(result.verdicts["compound_id"], result.verdicts["verdict"], strict=True))


def main(end=90.0, step=30.0, start=10.0, slope=0.01, **more):
    """Return a sewer along y = 0 from x = 0 to ``end``, falling east, a pipe every ``step`` metres, M0 first."""
    n = round(end / step)
    return [
        falling(
            f"M{i}",
            start - i * step * slope,
            start - (i + 1) * step * slope,
            (i * step, 0),
            ((i + 1) * step, 0),
            **more,
        )
        for i in range(n)
    ]


def lateral(name, x, to_y=0.0, high=10.5, low=9.9, from_y=20.0, **more):
    """Return a pipe from (x, from_y) south to (x, to_y)."""
    return falling(name, high, low, (x, from_y), (x, to_y), level="lateral", **more)
