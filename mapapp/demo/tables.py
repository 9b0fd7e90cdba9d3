"""This module writes the demo county's tables without geometry: ledger, projects, problems, meetings, management."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from mapapp.demo.columns import typed

_MEETINGS = ("2022-06-28", "2022-07-26", "2022-08-30", "2022-09-27", "2022-10-25", "2022-11-22")
_SEWER = {
    "no_main": ("sewer_main_missing", "污水主管网没有布局到小区", "纳入主管网建设计划，近期用罐车清运"),
    "not_connected": ("other", "主管在旁边，小区没有接户管", "设计接户管，随改造实施"),
    "inlet_unknown": ("sewer_inlet_unknown", "现场找不到污水接入口", "排水公司派人探查接户井"),
    "no_data": ("sewer_inlet_unknown", "管网资料缺失，接入情况不明", "委托探测"),
    "wrong_outlet": ("sewer_main_missing", "小区污水排入雨水管或河道", "改接污水管"),
    "dangling": ("quality", "接户管断头，污水外溢", "施工单位返工接通"),
    "no_gravity": ("design_change", "小区地势低，污水不能自流接入", "增设一体化提升泵"),
}
_OTHER = (
    (
        "aerial_cables",
        "通信线缆杂乱，四家运营商答复不一",
        "捆扎规整后穿入预留管道",
        "电信公司;移动公司;联通公司;广电公司",
    ),
    ("illegal_structure", "一楼住户搭建小院占用管位", "街道牵头限期拆除", ""),
    ("resident_demand", "居民要求绿化改硬化停车位", "征求意见后设计变更", ""),
    ("water", "供水立管老化，一户一表未到位", "自来水公司纳入年度计划", "自来水公司"),
    ("power", "配电箱占用消防通道", "供电公司迁移", "供电公司"),
    ("gas", "燃气管位与污水管冲突", "协调管位", "燃气公司"),
    ("funding", "居民出资部分未收齐", "社区入户", ""),
    ("management", "无物业，改造后无人管护", "引入国资物业", ""),
)


def _projects(compounds: pd.DataFrame) -> pd.DataFrame:
    """Each street's compounds of a year are one project."""
    grouped = compounds.groupby(["programme_year", "street"], sort=True)
    rows = [
        (f"XM{year}-{k + 1:02d}", f"{year}年{street}老旧小区改造项目", year, ";".join(g["compound_id"]), "renovation", "县住房和城乡建设局",
         float(g["invest_total_wan"].sum(min_count=1)))
        for k, ((year, street), g) in enumerate(grouped)
    ]  # fmt: skip
    names = ["project_id", "name", "year", "compound_ids", "kind", "owner_unit", "invest_total_wan"]
    return typed(pd.DataFrame(rows, columns=names), "projects")


def _meetings() -> pd.DataFrame:
    return typed(
        pd.DataFrame({
            "meeting_id": [f"DD2022-{int(d[5:7]):02d}" for d in _MEETINGS], "held_on": _MEETINGS,
            "title": [f"老旧小区改造第{k + 1}次调度例会" for k in range(len(_MEETINGS))],
            "minutes": ["逐个小区过进度，未接入污水的小区由排水公司逐一答复；超期问题提请领导组协调。"] * len(_MEETINGS),
        }), "meetings",
    )  # fmt: skip


def _problems(compounds: pd.DataFrame, verdicts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    bad = verdicts[verdicts["verdict"] != "connected"]
    # two sewer gaps in five have become a problem so far; the rest waits for a planner
    known = bad[rng.random(len(bad)) < 0.4]
    rows = [
        (c, *_SEWER[v], "县排水公司", "县排水公司") for c, v in zip(known["compound_id"], known["verdict"], strict=True)
    ]
    current = compounds.loc[compounds["programme_year"] == 2022, "compound_id"].to_numpy()
    for c in rng.permutation(current)[:14]:
        category, what, measure, owner = _OTHER[int(rng.integers(len(_OTHER)))]
        rows.append((c, category, what, measure, "县住房和城乡建设局", owner))
    frame = pd.DataFrame(
        rows, columns=["compound_id", "category", "description", "measure", "lead_unit", "utility_owner"]
    )
    n = len(frame)
    month = rng.integers(6, 12, n)
    day = rng.integers(1, 21, n)
    frame["raised_at"] = [f"2022-{m:02d}-{d:02d}" for m, d in zip(month, day, strict=True)]
    due = np.minimum(month + rng.integers(1, 4, n), 12)
    frame["due"] = [f"2022-{m:02d}-25" for m in due]
    frame["meeting_id"] = [f"DD2022-{m:02d}" for m in month]
    settled = (month < 10) & (rng.random(n) < 0.55)
    settled &= np.arange(n) >= len(known)  # a gap that the audit still finds is not settled on paper
    frame["status"] = np.where(
        settled, "closed", np.where(due <= 10, "escalated", np.where(month < 11, "in_progress", "open"))
    )
    frame["raised_by"] = rng.choice(["dispatch", "inspection", "resident", "hotline", "unit"], n)
    frame["utility_owner"] = frame["utility_owner"].replace("", None)
    frame = frame.sort_values(["raised_at", "compound_id"], kind="stable", ignore_index=True)
    frame["ticket_id"] = [f"WT2022-{k + 1:03d}" for k in range(n)]
    return typed(frame, "problems")


def _management(compounds: pd.DataFrame, names: Mapping[str, Any], rng: np.random.Generator) -> pd.DataFrame:
    done = compounds[compounds["status"].isin(["managed", "handed_over"])]
    n = len(done)
    managed = (done["status"] == "managed").to_numpy()
    mode = np.where(
        managed,
        rng.choice(["professional", "state_owned", "community", "self_managed"], n, p=[0.35, 0.35, 0.2, 0.1]),
        "none",
    )
    company = np.isin(mode, ["professional", "state_owned"])
    year = done["programme_year"].to_numpy(dtype=int) + 1
    looked = rng.random(n) < 0.5
    relapse = looked & (rng.random(n) < 0.18)
    items = rng.choice(["乱搭乱建", "飞线", "占道", "堵塞"], n)
    return typed(
        pd.DataFrame({
            "compound_id": done["compound_id"].to_numpy(), "mode": mode,
            "manager": np.where(mode == "state_owned", names["owners"]["managers"][1], np.where(company, names["owners"]["managers"][0], None)),
            "takeover_date": _takeovers(year, managed, rng),
            "fee": np.where(company, rng.choice([0.3, 0.4, 0.5], n), np.nan),
            "maintenance_fund": rng.random(n) < 0.3, "cleaning": managed,
            "inspection_date": [f"2022-09-{d:02d}" if k else None for d, k in zip(rng.integers(5, 29, n), looked, strict=True)],
            "inspection_score": np.where(looked, rng.integers(76, 98, n) - 12.0 * relapse, np.nan),
            "relapse_items": pd.Series(items).where(relapse),
        }), "management",
    )  # fmt: skip


def _takeovers(
    year: npt.NDArray[np.int_], managed: npt.NDArray[np.bool_], rng: np.random.Generator
) -> list[str | None]:
    """Return when managers took over, and when the state-owned company will take the first four that have none."""
    days = [
        f"{y}-{m:02d}-01" if k else None for y, m, k in zip(year, rng.integers(2, 10, len(year)), managed, strict=True)
    ]
    for k in np.flatnonzero(~managed)[:4].tolist():
        days[k] = "2023-03-01"
    return days


def tables(
    compounds: gpd.GeoDataFrame, verdicts: pd.DataFrame, names: Mapping[str, Any], rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Return ledger, projects, problems, meetings and management, consistent with the compounds.

    Parameters
    ----------
    compounds : GeoDataFrame
        The layer.
    verdicts : DataFrame
        True verdicts; some of the gaps have become problems.
    names : mapping
        Shipped names.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to DataFrame
    """
    plain = pd.DataFrame(compounds.drop(columns=["geometry", "outlet_invert_m"]))
    return {
        "ledger": typed(plain, "ledger"),
        "projects": _projects(plain),
        "problems": _problems(plain, verdicts, rng),
        "meetings": _meetings(),
        "management": _management(plain, names, rng),
    }
