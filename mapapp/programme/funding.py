"""This module adds up where the money comes from, and how far money and work have got, each for itself."""

from __future__ import annotations

from typing import Final

import pandas as pd

from mapapp.core.text import Text

SOURCES: Final = {
    "fund_central_wan": Text("中央补助", "Central grants"),
    "fund_provincial_wan": Text("省级补助", "Provincial grants"),
    "fund_local_wan": Text("市县配套", "City and county"),
    "fund_bond_wan": Text("专项债、特别国债", "Bonds"),
    "fund_utility_wan": Text("专营单位出资", "Utilities"),
    "fund_resident_wan": Text("居民出资", "Residents"),
    "fund_social_wan": Text("社会资本", "Private capital"),
}
"""Sources of money by their column, in 10,000 yuan."""


def by_source(compounds: pd.DataFrame) -> pd.DataFrame:
    """Return one row per source that any compound names, in the order of `SOURCES`.

    Parameters
    ----------
    compounds : DataFrame
        One row per compound; columns of `SOURCES` in 10,000 yuan. Withdrawn compounds count nowhere.

    Returns
    -------
    DataFrame
        Indexed by column name: ``amount_wan`` and ``compounds``, how many name it.
    """
    table = _counted(compounds)
    figures = {c: pd.to_numeric(table[c], errors="coerce").astype("float64") for c in SOURCES if c in table}
    rows = {c: (v.sum(), int(v.notna().sum())) for c, v in figures.items() if bool(v.notna().any())}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["amount_wan", "compounds"]).rename_axis("source")


def unassigned(compounds: pd.DataFrame) -> float | None:
    """Return investment less its named sources, in 10,000 yuan, over compounds that have both; None without any.

    Negative where the sources exceed the investment: something is entered twice, and that is shown, not mended.
    """
    table = _counted(compounds)
    there = [c for c in SOURCES if c in table]
    if not there or "invest_total_wan" not in table:
        return None
    named = table[there].apply(pd.to_numeric, errors="coerce").astype("float64").sum(axis=1, min_count=1)
    rest = pd.to_numeric(table["invest_total_wan"], errors="coerce").astype("float64") - named
    return None if not bool(rest.notna().any()) else round(float(rest.sum()), 6)


def progress(compounds: pd.DataFrame) -> pd.DataFrame:
    """Return money spent and physical progress per programme year; neither is ever derived from the other.

    Parameters
    ----------
    compounds : DataFrame
        ``programme_year invest_total_wan invest_done_wan image_progress_pct floor_area_m2``; absent columns are missing.

    Returns
    -------
    DataFrame
        Indexed by ``programme_year``: ``compounds``; ``money_pct``, spent in per cent of the total over the
        ``money_known`` compounds that have both figures (may exceed 100); ``image_pct``, progress in per cent weighted
        by floor area over the ``image_known`` compounds that have both. Missing where nothing is known.
    """
    table = _counted(compounds)
    for name in ("programme_year", "invest_total_wan", "invest_done_wan", "image_progress_pct", "floor_area_m2"):
        given = table[name] if name in table else pd.Series(float("nan"), index=table.index)
        table[name] = pd.to_numeric(given, errors="coerce").astype("float64")
    money = table["invest_total_wan"].gt(0) & table["invest_done_wan"].notna()
    image = table["image_progress_pct"].notna() & table["floor_area_m2"].gt(0)
    table["total"], table["spent"] = (table[c].where(money) for c in ("invest_total_wan", "invest_done_wan"))
    table["weight"] = table["floor_area_m2"].where(image)
    table["weighted"] = table["image_progress_pct"] * table["weight"]
    table["money"], table["image"] = money, image
    table = table[table["programme_year"].notna()]
    year = table["programme_year"].astype("int64").rename("programme_year")
    sums = table.groupby(year)[["total", "spent", "weight", "weighted"]].sum(min_count=1)
    known = table.groupby(year)[["money", "image"]].sum()
    return pd.DataFrame({
        "compounds": table.groupby(year).size(),
        "money_pct": 100 * sums["spent"] / sums["total"], "money_known": known["money"],
        "image_pct": sums["weighted"] / sums["weight"], "image_known": known["image"],
    })  # fmt: skip


def _counted(compounds: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame(compounds.drop(columns="geometry", errors="ignore")).copy()
    return table[table["status"].astype("object") != "withdrawn"] if "status" in table else table
