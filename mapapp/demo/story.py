"""This module tells the demo county's year 2022 month by month: six ledgers, each with its planted errors and their truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mapapp.demo import delivery
from mapapp.demo.assembly import County

DAYS = ("2022-06-25", "2022-07-25", "2022-08-25", "2022-09-25", "2022-10-25", "2022-11-25")
_STARTED = ("started", "under_way")
_FRESH_MONTHS = 3
"""How long work counts as started before it is under way: what begins in August still is in November's ledger."""
_DONE = ("completed", "accepted", "handed_over", "managed")
TRUTH = ("as_of", "check", "compound_id", "column", "note")


@dataclass(frozen=True)
class Month:
    """One monthly ledger as the streets handed it in.

    Attributes
    ----------
    as_of : str
        ISO date.
    ledger : DataFrame
        Columns and units of the schema's ledger, planted errors included.
    printed : DataFrame
        Indexed by programme year: the sums as printed, in the units of the ledger; not always right.
    summary : DataFrame
        Indexed by programme year: ``planned_compounds started_compounds completed_compounds`` as printed.
    true : DataFrame
        The ledger as it truly stood, without the planted errors.
    """

    as_of: str
    ledger: pd.DataFrame
    printed: pd.DataFrame
    summary: pd.DataFrame
    true: pd.DataFrame


@dataclass(frozen=True)
class Story:
    """Six months, oldest first, and ``truth``: ``as_of check compound_id column note``, one row per planted error."""

    months: tuple[Month, ...]
    truth: pd.DataFrame


def _as_of(ledger: pd.DataFrame, day: str) -> pd.DataFrame:
    """Return the ledger as it truly stood on that day: what starts later has not started, what ends later goes on."""
    out = ledger.copy()
    month = day[:7]
    out["snapshot_as_of"] = day
    begun, now = out["start_actual"], int(month[5:])
    current = (out["programme_year"] == 2022).to_numpy()
    later = current & (begun > month).to_numpy()
    out.loc[later, ["status", "start_actual"]] = ["preparing", None]
    out.loc[later, "image_progress_pct"] = 0.0
    running = current & ~later
    first = begun.str[5:].astype("Int64").fillna(now).to_numpy(dtype=int)
    share = (now - first + 1) / (int(ledger["snapshot_as_of"].iloc[0][5:7]) - first + 1)
    progress = np.round(ledger["image_progress_pct"].to_numpy(dtype=float) * np.clip(share, 0, 1))
    out.loc[running, "image_progress_pct"] = progress[running]
    fresh = now - first <= _FRESH_MONTHS
    out.loc[running & fresh, "status"] = "started"
    out.loc[running & ~fresh, "status"] = "under_way"
    if month == ledger["snapshot_as_of"].iloc[0][:7]:
        out.loc[current, "status"] = ledger.loc[current, "status"]
    # acceptance and handing over of earlier years came step by step, too
    unaccepted = (out["accepted_at"] > day).fillna(False).to_numpy(dtype=bool)
    out.loc[unaccepted, "status"] = "completed"
    out.loc[unaccepted, "accepted_at"] = None
    return out


def _summary(ledger: pd.DataFrame) -> pd.DataFrame:
    grouped = ledger.groupby("programme_year")["status"]
    return pd.DataFrame({
        "planned_compounds": grouped.size(),
        "started_compounds": grouped.agg(lambda s: int(s.isin((*_STARTED, *_DONE)).sum())),
        "completed_compounds": grouped.agg(lambda s: int(s.isin(_DONE).sum())),
    })  # fmt: skip


def months(county: County) -> Story:
    """Tell the county's second half of 2022 in six monthly ledgers.

    Parameters
    ----------
    county : County
        The last month is its own ledger, but for the planted errors.

    Returns
    -------
    Story
        Every month holds at least one error of those that ledgers have: sums that do not add up, 万 mistaken for 1, dates
        against status, more started than there are, a row twice, a changed name, an implausible ratio. Each is mended by
        the next month.
    """
    ledger: Any = county.layers["ledger"]
    told: list[tuple[str, str, str | None, str, str]] = []
    true: list[Any] = [_as_of(ledger, day) for day in DAYS]
    frames: list[Any] = [m.copy() for m in true]  # single cells are typed as every scalar there is
    printed: list[Any]
    summary: list[Any]
    printed, summary = [delivery.sums(m) for m in true], [_summary(m) for m in true]
    current = ledger.index[ledger["programme_year"] == 2022]
    waiting = [i for i in current if pd.isna(true[1].at[i, "start_actual"])]
    under_way = [i for i in current if true[2].at[i, "status"] == "under_way"]

    def tell(k: int, check: str, row: int | None, column: str, note: str) -> None:
        told.append((DAYS[k], check, None if row is None else str(ledger.at[row, "compound_id"]), column, note))

    printed[0].loc[2021, "households"] += 10
    tell(0, "sum", None, "households", "2021年度小计比各行之和多 10 户")

    row = int(current[2])
    frames[1].loc[row, "floor_area_m2"] = true[1].at[row, "floor_area_m2"] * 10_000
    printed[1] = delivery.sums(true[1])
    printed[1].loc[2022, "floor_area_m2"] = delivery.sums(frames[1]).loc[2022, "floor_area_m2"]
    tell(1, "unit", row, "floor_area_m2", "面积按㎡填进了万㎡的列")
    row = waiting[0]
    frames[1].loc[row, "start_actual"] = "2022-07"
    tell(1, "date_status", row, "start_actual", "填了开工时间，状态仍是前期")

    row = under_way[0]
    frames[2].loc[row, "finish_actual"] = "2022-08"
    tell(2, "date_status", row, "finish_actual", "填了完工时间，状态仍是在建")

    row = int(current[5])
    frames[3] = pd.concat([frames[3], frames[3].loc[[row]]], ignore_index=True)
    printed[3] = delivery.sums(frames[3])
    tell(3, "duplicate", row, "name", "同一小区报了两行")

    row = int(current[8])
    old = str(ledger.at[row, "name"])
    frames[4].loc[row, "name"] = f"原{old}"
    tell(4, "name_changed", row, "name", f"“{old}”改写成了“原{old}”")

    per = ledger["floor_area_m2"] / ledger["households"]
    dense = ledger["households"] / ledger["buildings"]
    row = int(next(i for i in current if per[i] < 98 and dense[i] < 58))
    frames[5].loc[row, "households"] = round(int(ledger.at[row, "households"]) * 2.5)
    printed[5] = delivery.sums(frames[5])
    tell(5, "ratio", row, "floor_area_m2", "户数填错，户均面积不足 40 ㎡")
    summary[5].loc[2022, "started_compounds"] += 2
    tell(5, "started_over_planned", None, "started_compounds", "新开工小区数多于计划数，各行中也没有这么多")

    made = (
        Month(day, frame.reset_index(drop=True), p, s, stood)
        for day, frame, p, s, stood in zip(DAYS, frames, printed, summary, true, strict=True)
    )
    return Story(tuple(made), pd.DataFrame(told, columns=list(TRUTH)))


def month_files(county: County, story: Story, folder: str | Path) -> list[Path]:
    """Write the six ledgers as workbooks in the layout of `delivery.ledger_book`; return their paths, oldest first."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return [
        delivery.ledger_book(
            m.ledger,
            m.printed,
            folder / f"改造台账{m.as_of[:7]}.xlsx",
            county=county.name,
            as_of=m.as_of,
            summary=m.summary,
        )
        for m in story.months
    ]
