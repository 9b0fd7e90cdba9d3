"""This module adds up the programme: what each year planned, started and completed, by compounds and by households.

Unknown stays unknown: a sum over nothing known is missing, and a sum in which some rows are missing says how many.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from mapapp.core import status

FIGURES: Final = ("floor_area_m2", "buildings", "households", "invest_total_wan", "invest_done_wan")
"""What is summed over compounds: m2, buildings, households, 10,000 yuan."""

_KINDS: Final = {"planned": status.IN_PLAN, "started": status.STARTED, "completed": status.COMPLETED,
                 "accepted": status.ACCEPTED, "managed": frozenset({"managed"})}  # fmt: skip


def by_year(compounds: pd.DataFrame) -> pd.DataFrame:
    """Return one row per programme year, first year first.

    Parameters
    ----------
    compounds : DataFrame
        One row per compound: ``programme_year status households ...``; ``relapsed`` (bool) is the flag of `management`,
        which a status of that name raises, too. Columns that are absent count as missing; rows
        without a programme year, and withdrawn ones, are left out.

    Returns
    -------
    DataFrame
        Indexed by ``programme_year``; ``compounds``; the sums of `FIGURES` (missing when no row has the figure) and
        ``<figure>_missing``, the number of rows that have none; ``planned started completed accepted managed relapsed``
        and the same with ``_households``; ``completed_in_year`` (finish month within the programme year) and
        ``finish_known``, how many of the completed carry a finish month.
    """
    table = _complete(compounds)
    table = table[table["programme_year"].notna() & (table["status"] != "withdrawn")]
    years = sorted({int(year) for year in table["programme_year"]})
    rows = {year: _one(table[table["programme_year"] == year]) for year in years}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("programme_year")


def by_groups(compounds: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return what `by_year` does, by any column; rows without a value are a last row of their own, never left out."""
    table = _complete(compounds)
    table = table[table["status"] != "withdrawn"]
    if column not in table:
        table[column] = None
    groups = table.groupby(column, sort=True, dropna=False)
    rows = [_one(group) for _, group in groups]
    index = pd.Index([key for key, _ in groups], name=column)
    return pd.DataFrame(rows, index=index) if rows else pd.DataFrame(columns=list(_one(table)), index=index)


def whole(compounds: pd.DataFrame) -> pd.Series:
    """Return what `by_year` does, for all compounds that are not withdrawn, as one row."""
    table = _complete(compounds)
    return pd.Series(_one(table[table["status"] != "withdrawn"]))


def rate(part: float, whole: float) -> float | None:
    """Return ``part`` in per cent of ``whole``; None where there is no whole. Over 100 is normal."""
    return None if not whole or pd.isna(whole) else 100 * float(part) / float(whole)


def _complete(compounds: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame(compounds.drop(columns="geometry", errors="ignore")).copy()
    for name in (*FIGURES, "programme_year"):
        table[name] = pd.to_numeric(table[name], errors="coerce") if name in table else float("nan")
    for name in ("status", "finish_actual"):
        table[name] = table[name].astype("object") if name in table else None
    flag = table["relapsed"].eq(True).fillna(False) if "relapsed" in table else pd.Series(False, index=table.index)
    table["relapsed"] = flag.to_numpy(dtype=bool) | table["status"].eq("relapsed").to_numpy(dtype=bool)
    return table


def _one(group: pd.DataFrame) -> dict[str, float]:
    row: dict[str, float] = {"compounds": len(group)}
    for name in FIGURES:
        row[name] = group[name].sum(min_count=1)
        row[f"{name}_missing"] = int(group[name].isna().sum())
    for kind, statuses in _KINDS.items():
        hit = group["status"].isin(statuses)
        row[kind] = int(hit.sum())
        row[f"{kind}_households"] = group.loc[hit, "households"].sum()
    row["relapsed"] = int(group["relapsed"].sum())
    row["relapsed_households"] = group.loc[group["relapsed"], "households"].sum()
    finish = group.loc[group["status"].isin(status.COMPLETED), ["finish_actual", "programme_year"]].dropna()
    year = finish["programme_year"].astype("int64").astype("str")
    row["completed_in_year"] = int((finish["finish_actual"].astype("str").str[:4] == year).sum())
    row["finish_known"] = len(finish)
    return row
