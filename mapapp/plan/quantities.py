"""This module writes the bill of quantities of a plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

BANDS_M = (0.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, np.inf)
"""Depth bands of the trench, mean depth to invert."""


def bill(links: Any) -> pd.DataFrame:
    """Return quantities and amounts of planned links.

    Parameters
    ----------
    links : DataFrame
        `Plan.links`, or some of its rows (one stage, one compound).

    Returns
    -------
    DataFrame
        ``item group unit quantity amount``: pipes by diameter and depth band (m), manholes by depth band, new manholes on
        existing pipes, pumps, drop manholes (each), reinstatement by surface (m) with its crossings. The amounts add up to the links' cost. Empty in,
        empty out.
    """
    if not len(links):
        return pd.DataFrame(columns=["item", "group", "unit", "quantity", "amount"])
    depth = 0.5 * (links["depth_up_m"] + links["depth_down_m"])
    band = pd.cut(depth, BANDS_M, right=True, include_lowest=True).map(_band).astype(str)
    well = pd.cut(links["depth_up_m"], BANDS_M, right=True, include_lowest=True).map(_band).astype(str)
    size = "DN" + links["diameter_mm"].round().astype(int).astype(str)
    main = np.where(links["pressure"].to_numpy(bool), " 压力管", "")
    surface = links["surface"].fillna("").replace("", "unknown")
    one = pd.Series(1.0, index=links.index)
    extra = links["cost_new_manhole"].fillna(0.0) if "cost_new_manhole" in links else pd.Series(0.0, index=links.index)
    parts = [
        _sum("pipe", size + main + " " + band, "m", links["length_m"], links["cost_pipe"]),
        _sum("manhole", well, "each", one, links["cost_manhole"] - extra),
        _new_manholes(links, extra),
        _sum("surface", surface.astype(str), "m", links["length_m"], links["cost_surface"]),
        _some("pump", links["pump"], one, links["cost_pump"]),
        _some("drop_manhole", links["cost_drop"] > 0, one, links["cost_drop"]),
    ]
    return pd.concat([p for p in parts if len(p)], ignore_index=True)


def _band(interval: Any) -> str:
    high = "" if np.isinf(interval.right) else f"{interval.right:g}"
    return f"{max(interval.left, 0):g}-{high} m" if high else f">{interval.left:g} m"


def _sum(item: str, group: Any, unit: str, quantity: Any, amount: Any) -> pd.DataFrame:
    table = pd.DataFrame({"group": group, "quantity": quantity, "amount": amount})
    out = table.groupby("group", as_index=False, sort=True)[["quantity", "amount"]].sum()
    return out.assign(item=item, unit=unit)[["item", "group", "unit", "quantity", "amount"]]


def _new_manholes(links: Any, extra: Any) -> pd.DataFrame:
    """Return the manholes on existing pipes by depth band; links that meet in one count it once."""
    rows = (extra > 0).to_numpy(bool)
    if not rows.any():
        return pd.DataFrame()
    some = links[rows]
    band = pd.cut(some["new_manhole_depth_m"], BANDS_M, right=True, include_lowest=True).map(_band).astype(str)
    once = (~some["new_manhole"].duplicated()).astype(float)
    return _sum("new_manhole", band, "each", once, extra[rows])


def _some(item: str, which: Any, one: Any, amount: Any) -> pd.DataFrame:
    rows = which.to_numpy(bool)
    return _sum(item, pd.Series("", index=one.index)[rows], "each", one[rows], amount[rows])
