"""This module keeps what a dispatch meeting decided, line by line in its minutes, each tied to the problem it is about.

A decision is a line ``【WT2022-003】words``: people read it, and the tie survives copying, Excel and QGIS. Lines without
such a head are the meeting's own words and are left alone.
"""

from __future__ import annotations

import re
from datetime import date

import pandas as pd

_LINE = re.compile(r"^【(?P<ticket_id>[^】\n]+)】(?P<decision>.*)$")


def decisions(minutes: str | None) -> pd.DataFrame:
    """Return the decisions in the minutes, in their order: ``ticket_id decision``; no rows for missing minutes."""
    found = [m.groupdict() for m in map(_LINE.match, (minutes or "").splitlines()) if m]
    return pd.DataFrame(found, columns=["ticket_id", "decision"]).astype("str")


def remarks(minutes: str | None) -> list[str]:
    """Return the lines of the minutes that are about no single problem, without blank ones."""
    return [line.strip() for line in (minutes or "").splitlines() if line.strip() and not _LINE.match(line)]


def with_decision(minutes: str | None, ticket_id: str, decision: str) -> str:
    r"""Return the minutes with the decision about one problem: its line is replaced, else added at the end.

    A line break inside the decision becomes a space. An empty decision takes the line away.

    Examples
    --------
    >>> with_decision("开会。\n【A】旧", "A", "新")
    '开会。\n【A】新'
    """
    head = f"【{ticket_id}】"
    words = " ".join(decision.split())
    lines = (minutes or "").splitlines()
    at = next((i for i, line in enumerate(lines) if line.startswith(head)), len(lines))
    return "\n".join([*lines[:at], *([head + words] if words else []), *lines[at + 1 :]])


def dealt_with(problems: pd.DataFrame, meeting_id: str, minutes: str | None) -> pd.DataFrame:
    """Return the problems that a meeting dealt with: named in its minutes, or whose latest meeting it is."""
    named = set(decisions(minutes)["ticket_id"])
    hit = problems["ticket_id"].isin(named)
    if "meeting_id" in problems.columns:
        hit |= (problems["meeting_id"] == meeting_id).fillna(False).astype(bool)
    return problems[hit.to_numpy(dtype=bool)].reset_index(drop=True)


def next_id(held_on: str, taken: set[str]) -> str:
    """Return the id of a new meeting: DD2022-11 for its month, DD2022-11-2 for the second one.

    Raises
    ------
    ValueError
        When ``held_on`` is no ISO date.
    """
    day = date.fromisoformat(held_on)
    first = f"DD{day.year}-{day.month:02d}"
    free = (first if n == 1 else f"{first}-{n}" for n in range(1, len(taken) + 2))
    return next(name for name in free if name not in taken)
