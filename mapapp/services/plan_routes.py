"""This module groups planned pipes into routes, as a planner means "a link": from a compound down to the sewer or the next route.

Where routes meet, the one with more households behind it goes on and the other ends there, so that each pipe belongs to
exactly one route and the sums of the routes are the sums of the plan. A route is named by the compound it begins at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mapapp.plan import tables

Array = np.ndarray[Any, Any]

COLUMNS = (
    "route_id", "compound_ids", "households", "length_m", "pumps", "cost_low", "cost", "cost_high", "stage", "to_node",
    "below", "diameter_mm", "pipes",
)  # fmt: skip


def heads(links: pd.DataFrame) -> Array:
    """Return, for each pipe, the row of the pipe that its route begins with.

    Parameters
    ----------
    links : DataFrame
        `Plan.links`, any order of rows.
    """
    down = tables.below(links)
    n = len(down)
    # of the pipes that end in one place the one with most households goes on; the first of equals
    order = np.lexsort((np.arange(n), -links["households"].to_numpy(float)))
    order = order[down[order] >= 0]
    into, first = np.unique(down[order], return_index=True)
    head = np.arange(n)
    head[into] = order[first]
    for _ in range(max(n, 1).bit_length() + 1):  # pointer doubling
        head = head[head]
    return head


def path(links: pd.DataFrame, row: int) -> Array:
    """Return the rows from a pipe down to the existing sewer, in the order of the flow."""
    down = tables.below(links)
    out: list[int] = []
    while row >= 0 and len(out) < len(down):
        out.append(row)
        row = int(down[row])
    return np.array(out, np.int64)


def names(links: pd.DataFrame) -> Array:
    """Return the route of each pipe: the compound that the route begins at."""
    head = heads(links)
    own = links["own_compounds"].astype("object").to_numpy(object)[head]
    ids = links["link_id"].astype("object").to_numpy(object)[head]
    return np.asarray([o if isinstance(o, str) and o else i for o, i in zip(own, ids, strict=True)], dtype=object)


def routes(links: pd.DataFrame) -> pd.DataFrame:
    """Return one row per route, in the order to build: stage, then households per money.

    Returns
    -------
    DataFrame
        ``route_id compound_ids households length_m pumps cost_low cost cost_high stage to_node below diameter_mm pipes``:
        sums over the route's own pipes; ``compound_ids`` are those that begin on it; ``to_node`` is where it ends, and
        ``below`` the route it ends in (missing at the existing sewer); ``diameter_mm`` its largest. Empty in, empty out.
    """
    if not len(links):
        return pd.DataFrame(columns=list(COLUMNS))
    down = tables.below(links)
    route = names(links)
    last = (down < 0) | (route[np.maximum(down, 0)] != route)
    frame = pd.DataFrame(
        {
            "route_id": route,
            "own": links["own_compounds"].astype("object").to_numpy(object),
            "households": links["own_households"].to_numpy(float),
            "pumps": links["pump"].astype(bool).to_numpy(),
            "stage": links["stage"].astype("Int64").to_numpy(dtype=float, na_value=np.nan),
            "pipes": 1,
            **{k: links[k].to_numpy(float) for k in ("length_m", "cost_low", "cost", "cost_high", "diameter_mm")},
        }
    )
    by = frame.groupby("route_id", sort=False)
    sums = by[["households", "length_m", "pumps", "cost_low", "cost", "cost_high", "pipes"]].sum()
    sums["stage"] = by["stage"].max()
    sums["diameter_mm"] = by["diameter_mm"].max()
    own = frame[frame["own"].map(lambda o: isinstance(o, str) and bool(o))]
    sums["compound_ids"] = own.groupby("route_id")["own"].agg(lambda s: ";".join(sorted(s)))
    ends = pd.DataFrame(
        {
            "to_node": links["to_node"].astype("object").to_numpy(object)[last],
            "below": np.where(down[last] >= 0, route[np.maximum(down[last], 0)], None),
        },
        index=route[last],
    )
    out = sums.join(ends).reset_index(names="route_id")
    out["worth"] = -out["households"] / out["cost"].clip(lower=1.0)
    out = out.sort_values(["stage", "worth", "route_id"], ignore_index=True)
    out["stage"] = out["stage"].astype("Int64")
    out["pumps"] = out["pumps"].astype("int64")
    return out[list(COLUMNS)]


def profile(links: pd.DataFrame, row: int) -> pd.DataFrame:
    """Return the pipes from a row down to the existing sewer with their chainage, ready to be drawn.

    Returns
    -------
    DataFrame
        The links' columns, and ``from_m to_m`` (distance along, m).
    """
    part = pd.DataFrame(links.iloc[path(links, row)]).reset_index(drop=True)
    end = part["length_m"].to_numpy(float).cumsum()
    return part.assign(from_m=end - part["length_m"].to_numpy(float), to_m=end)
