"""This module draws up the demo county's renovation programme: 71 compounds whose yearly totals are the county report's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

AS_OF = "2022-11-25"
"""The day as of which the demo county tells its story."""


@dataclass(frozen=True)
class Year:
    """Totals of one programme year as the county report gives them; investment None where it gives none."""

    compounds: int
    floor_area_m2: int
    buildings: int
    households: int
    invest_wan: float | None


YEARS: Mapping[int, Year] = MappingProxyType(
    {
        2020: Year(20, 331_800, 58, 2_670, 5_767.33),
        2021: Year(28, 135_800, 47, 1_146, 3_525.75),
        2022: Year(23, 116_200, 37, 1_332, None),
    }
)
LATE_2021 = 3
"""Compounds of the 2021 programme that were finished only by May 2022."""


def apportion(total: int, weight: npt.ArrayLike, *, least: int = 0) -> npt.NDArray[np.int64]:
    """Share a whole number out in proportion, by largest remainders, so that the parts sum to it exactly.

    Parameters
    ----------
    total : int
        At least ``least`` times the number of parts.
    weight : array_like, shape (n,)
        Positive.
    least : int
        What every part gets first.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    weight = np.asarray(weight, dtype=float)
    exact = (total - least * len(weight)) * weight / weight.sum()
    parts = np.floor(exact).astype(np.int64)
    short = total - least * len(weight) - int(parts.sum())
    parts[np.argsort(parts - exact, kind="stable")[:short]] += 1
    return np.asarray(parts + least)


def _names(names: Mapping[str, Any], buildings: npt.NDArray[np.int64], rng: np.random.Generator) -> list[str]:
    words = names["compounds"]
    units, estates = rng.permutation(words["units"]).tolist(), rng.permutation(words["estates"]).tolist()
    big = np.argsort(-buildings, kind="stable")[: len(estates)]
    out = [""] * len(buildings)
    for i in big:
        out[i] = estates.pop()
    for i, name in enumerate(out):
        if not name:
            suffix = "住宅楼" if buildings[i] == 1 and rng.random() < 0.4 else str(rng.choice(words["unit_suffixes"]))
            out[i] = f"{units.pop()}{suffix}"
    return out


def _progress(year: int, n: int, rng: np.random.Generator) -> dict[str, Any]:
    """Status and dates of one programme year as of November 2022."""
    if year == 2022:
        start = rng.integers(3, 10, n)
        image = np.clip(95 - 9 * (start - 3) + rng.integers(-8, 9, n), 12, 92)
        return {
            "status": np.where(start >= 8, "started", "under_way"),
            "start_actual": [f"2022-{m:02d}" for m in start],
            "finish_plan": ["2022-12" if m < 6 else "2023-05" for m in start],
            "finish_actual": [None] * n,
            "accepted_at": [None] * n,
            "image_progress_pct": image.astype(float),
        }
    start, finish = rng.integers(4, 8, n), rng.integers(9, 13, n)
    finished = [f"{year}-{m:02d}" for m in finish]
    status = rng.choice(
        ["accepted", "handed_over", "managed"], n, p=[0.25, 0.25, 0.5] if year == 2021 else [0.05, 0.2, 0.75]
    )
    accepted = [
        f"{year + 1}-{int(m):02d}-{int(d):02d}"
        for m, d in zip(rng.integers(1, 5, n), rng.integers(1, 29, n), strict=True)
    ]
    if year == 2021:
        for i, month in zip(rng.permutation(n)[:LATE_2021], ("2022-03", "2022-04", "2022-05"), strict=True):
            finished[i], status[i], accepted[i] = month, "completed", ""
    return {
        "status": status,
        "start_actual": [f"{year}-{m:02d}" for m in start],
        "finish_plan": [f"{year}-12"] * n,
        "finish_actual": finished,
        "accepted_at": [day or None for day in accepted],
        "image_progress_pct": np.full(n, 100.0),
    }


def _money(year: Year, area: npt.NDArray[np.int64], rng: np.random.Generator) -> dict[str, Any]:
    n = len(area)
    if year.invest_wan is None:
        return {
            f"{c}_wan": np.full(n, np.nan)
            for c in ("invest_total", "fund_central", "fund_provincial", "fund_local", "fund_resident", "invest_done")
        }
    cents = apportion(round(year.invest_wan * 100), area * rng.uniform(0.75, 1.3, n))
    parts = np.stack([apportion(int(c), [0.42, 0.18, 0.34, 0.06]) for c in cents]) / 100
    columns = ("fund_central_wan", "fund_provincial_wan", "fund_local_wan", "fund_resident_wan")
    return {"invest_total_wan": cents / 100, "invest_done_wan": cents / 100} | dict(zip(columns, parts.T, strict=True))


def compounds(names: Mapping[str, Any], rng: np.random.Generator) -> pd.DataFrame:
    """Return the 71 compounds without place: sizes, works, status and money.

    Sizes stay inside the plausible bands of the trade (40-200 m2 and 0.5-12 wan yuan per household, 5-150 households and
    800-15 000 m2 per building, 80-1 500 yuan per m2). Investment of 2022 is not known and therefore missing.
    """
    out = []
    for year, total in YEARS.items():
        n = total.compounds
        buildings = apportion(total.buildings, rng.lognormal(0, 0.4, n), least=1)
        households = apportion(total.households, buildings * rng.uniform(0.75, 1.25, n))
        area = apportion(total.floor_area_m2, households * rng.uniform(0.82, 1.18, n))
        frame = pd.DataFrame({
            "programme_year": year, "buildings": buildings, "households": households, "floor_area_m2": area.astype(float),
            **_progress(year, n, rng), **_money(total, area, rng),
        })  # fmt: skip
        out.append(frame)
    all_years = pd.concat(out, ignore_index=True)
    n = len(all_years)
    every = all_years["buildings"].to_numpy(dtype=np.int64)
    all_years["name"] = _names(names, every, rng)
    all_years["built_year"] = rng.integers(1976, 2001, n)
    all_years["era_class"] = "pre2000"
    unit = all_years["name"].str.contains("家属院|宿舍|住宅").to_numpy()
    all_years["ownership_origin"] = np.where(unit, "单位家属院", rng.choice(["房改房", "商品房", "安置房"], n))
    all_years["population"] = np.round(all_years["households"] * rng.uniform(2.5, 3.1, n)).astype(int)
    done = (all_years["programme_year"] < 2022).to_numpy()
    consent = np.round(rng.uniform(82, 99.5, n), 1)
    all_years["consent_rate"] = consent
    all_years["participation_rate"] = np.round(np.minimum(consent + rng.uniform(-6, 1, n), 100), 1)
    all_years["satisfaction_rate"] = np.where(done, np.round(rng.uniform(86, 98, n), 1), np.nan)
    all_years["illegal_structures"] = rng.poisson(1.6, n)
    all_years["illegal_removed"] = np.where(done, all_years["illegal_structures"], all_years["illegal_structures"] // 2)
    all_years["aerial_cable_status"] = np.where(
        done, rng.choice(["bundled", "buried", "partial"], n), rng.choice(["messy", "partial"], n)
    )
    all_years["party_branch"] = True
    all_years["has_owner_committee"] = rng.random(n) < 0.45
    people = names["owners"]
    all_years["owner_unit"] = "县住房和城乡建设局"
    for column, key in (("contractor", "builders"), ("supervisor", "supervisors"), ("designer", "designers")):
        all_years[column] = rng.choice(people[key], n)
    all_years["district"] = names["county"]
    all_years["snapshot_as_of"] = AS_OF
    all_years["start_plan"] = all_years["programme_year"].map(lambda y: f"{y}-{3 if y == 2022 else 4:02d}")
    return all_years
