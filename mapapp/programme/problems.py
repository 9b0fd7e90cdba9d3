"""This module reckons with the list of problems: what is overdue, in which order they are dealt with, what a gap becomes.

Unknown stays unknown: a problem without a due date is never overdue, one without a status counts as not settled, for
nobody said that it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

SETTLED: Final = frozenset({"resolved", "closed"})
"""Statuses in which nothing is left to do; ``closed`` (销号) is also checked and struck off."""

UNIT_COLUMNS: Final = ("lead_unit", "co_units", "utility_owner")
"""Where a unit is named on a problem."""

FROM_GAP: Final = "WT-"
"""Ids of problems that were made from a finding begin so; the finding's id follows."""

_CATEGORY: Final[Mapping[str, str]] = {
    "no_main": "sewer_main_missing",
    "wrong_outlet": "sewer_main_missing",
    "inlet_unknown": "sewer_inlet_unknown",
    "no_data": "sewer_inlet_unknown",
    "no_gravity": "design_change",
    "not_connected": "other",
}
"""The county report's category for a rule of the audit; rules about drawings and levels are matters of quality."""


def with_due(problems: pd.DataFrame, as_of: str) -> pd.DataFrame:
    """Return the problems with how late and how old they are on a day.

    Parameters
    ----------
    problems : DataFrame
        ``status``, ``due`` and ``raised_at`` (ISO dates) where there are any; absent columns count as missing.
    as_of : str
        ISO date.

    Returns
    -------
    DataFrame
        With ``settled`` and ``overdue`` (bool: not settled and due before that day), ``days_left`` (Int64, negative
        when late, missing without a due date or when settled) and ``age_days`` (Int64, missing without a date).
    """
    today = pd.Timestamp(date.fromisoformat(as_of[:10]))
    status = _column(problems, "status")
    settled = status.isin(SETTLED).to_numpy(dtype=bool)
    left = _days(_column(problems, "due"), today)
    age = -_days(_column(problems, "raised_at"), today)
    left = left.mask(settled)
    return problems.assign(
        settled=settled, overdue=(left < 0).fillna(False).to_numpy(dtype=bool), days_left=left, age_days=age
    )


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name] if name in frame.columns else pd.Series(None, index=frame.index, dtype="str")


def _days(column: pd.Series, today: pd.Timestamp) -> pd.Series:
    """Return whole days from ``today`` to each ISO date; a month without a day counts as its last day."""
    text = column.astype("str").str.strip()
    moment = pd.to_datetime(text.where(text.str.len() >= 10), format="%Y-%m-%d", errors="coerce", exact=False)
    month = pd.to_datetime(text.where(text.str.len() == 7), format="%Y-%m", errors="coerce")
    moment = moment.fillna(month + pd.offsets.MonthEnd(0))
    return (moment - today).dt.days.astype("Int64")


def in_order(problems: pd.DataFrame) -> pd.DataFrame:
    """Return problems in the order a meeting takes them: overdue ones first, by unit, the latest first.

    Units with more overdue problems come first, then by name; within a unit what is due earlier comes first and what
    has no due date last. Ties keep the order of the input. Needs the columns of `with_due`.
    """
    unit = _column(problems, "lead_unit").astype("object").fillna("\uffff").to_numpy()
    keys = pd.DataFrame({"unit": unit, "calm": ~problems["overdue"].to_numpy(dtype=bool)})
    keys["late"] = keys.groupby("unit")["calm"].transform("size") - keys.groupby("unit")["calm"].transform("sum")
    keys["late"] = -keys["late"]
    keys["left"] = problems["days_left"].astype("float64").fillna(np.inf).to_numpy()
    order = keys.sort_values(["calm", "late", "unit", "left"], kind="stable").index.to_numpy()
    return problems.iloc[order].reset_index(drop=True)


def by_unit(problems: pd.DataFrame) -> pd.DataFrame:
    """Return one row per lead unit, most overdue first: ``lead_unit total settled overdue``; no unit is a row of its own."""
    unit = _column(problems, "lead_unit")
    counts = (
        pd.DataFrame({"lead_unit": unit, "total": 1, "settled": problems["settled"], "overdue": problems["overdue"]})
        .groupby("lead_unit", dropna=False, sort=True)
        .sum()
        .astype("int64")
        .reset_index()
    )
    return counts.sort_values(["overdue", "total"], ascending=False, kind="stable", ignore_index=True)


def ticket_of(finding_id: str) -> str:
    """Return the id of the problem that a finding becomes; one finding can become one problem only."""
    return FROM_GAP + finding_id


def finding_of(ticket_id: str) -> str | None:
    """Return the finding that a problem was made from; None for one that somebody wrote.

    Examples
    --------
    >>> finding_of(ticket_of("3f9ac0d1e2b4a577")), finding_of("WT2022-003")
    ('3f9ac0d1e2b4a577', None)
    """
    return ticket_id.removeprefix(FROM_GAP) or None if ticket_id.startswith(FROM_GAP) else None


def struck_off(measure: str | None, words: str, day: str) -> str:
    """Return the measure with what was done on the day a problem was struck off (销号) as its last line."""
    return (f"{measure}\n" if measure and words else measure or "") + (f"{day} 销号：{words}" if words else "")


def from_finding(finding: Mapping[str, Any], *, raised_at: str, location: str | None) -> dict[str, Any]:
    """Return the problem that a finding becomes.

    Parameters
    ----------
    finding : mapping
        A row of the findings: ``finding_id rule layer feature_id message fix``.
    raised_at : str
        ISO date.
    location : str, optional
        ``lon,lat`` in degrees.

    Returns
    -------
    dict
        Columns of ``problems``. Lead unit and due date stay missing: the meeting decides them.
    """
    about_compound = finding.get("layer") == "compounds"
    return {
        "ticket_id": ticket_of(str(finding["finding_id"])),
        "compound_id": finding.get("feature_id") if about_compound else None,
        "category": _CATEGORY.get(str(finding.get("rule")), "quality"),
        "description": finding.get("message"),
        "measure": finding.get("fix"),
        "raised_at": raised_at,
        "raised_by": "audit",
        "status": "open",
        "location": location,
    }
