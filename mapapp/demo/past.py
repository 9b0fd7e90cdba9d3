"""This module turns the demo county back: every table as it stood on the day of each monthly ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from mapapp.demo.assembly import County
from mapapp.demo.story import months

# of each table: the date before which a row does not exist, and what is not yet known before a later date of its own
_KNOWN: Final[Mapping[str, tuple[str | None, Mapping[str, Mapping[str, Any]]]]] = {
    "meetings": ("held_on", {}),
    "management": (
        None,
        {
            "takeover_date": {"takeover_date": None},
            "inspection_date": {"inspection_date": None, "inspection_score": np.nan, "relapse_items": None},
        },
    ),
    "utilities": (
        "asked_on",
        {
            "answered_on": {"answered_on": None, "answer": "pending"},
            "handed_over_on": {"handed_over_on": None},
        },
    ),
    "opinions": ("received_on", {"replied_on": {"replied_on": None, "reply": None, "status": "open"}}),
    "design_changes": ("date", {}),
    "inspections": ("held_on", {"rectified_on": {"rectified_on": None}}),
    "visits": ("visited_at", {}),
    "photos": ("taken_on", {}),
    "works": (None, {"finished_on": {"finished_on": None, "done": False}}),
}
_STATES: Final = ("status", "start_actual", "accepted_at", "image_progress_pct", "snapshot_as_of")


def past(county: County) -> Iterator[tuple[str, dict[str, gpd.GeoDataFrame | pd.DataFrame]]]:
    """Tell the county month by month, oldest first; the last month is the county as it is.

    Parameters
    ----------
    county : County

    Yields
    ------
    tuple of str and dict
        ISO date, and by name every table that changes from month to month, whole. The ledgers are the true ones,
        without planted errors; their ``snapshot_as_of`` is missing but in the last (a ledger's rows do not carry it, the
        snapshot does). The outlines carry what was known of them in the first month until the last one: between the two
        the ledger speaks, as in any office.
    """
    told = months(county).months
    for k, month in enumerate(told):
        if k == len(told) - 1:
            yield month.as_of, {n: county.layers[n] for n in ("compounds", "ledger", "problems", *_KNOWN)}
            return
        ledger = month.true.assign(snapshot_as_of=pd.Series(None, index=month.true.index, dtype="str"))
        out = {name: _known(pd.DataFrame(county.layers[name]), name, month.as_of) for name in _KNOWN}
        out |= {"ledger": ledger, "problems": _problems(county, month.as_of)}
        if k == 0:
            outlines = county.layers["compounds"]
            out["compounds"] = outlines.assign(**{c: ledger[c].to_numpy() for c in _STATES}).astype(
                {c: outlines[c].dtype for c in _STATES}
            )
        yield month.as_of, out


def _known(table: pd.DataFrame, name: str, day: str) -> pd.DataFrame:
    begins, later = _KNOWN[name]
    out = table if begins is None else table[(table[begins].str[:10] <= day).to_numpy(dtype=bool)]
    out = out.reset_index(drop=True)
    for date, values in later.items():
        ahead = (out[date] > day).fillna(False).to_numpy(dtype=bool)
        for column, value in values.items():
            out[column] = out[column].mask(ahead, value).astype(table[column].dtype)
    return out


def _problems(county: County, day: str) -> pd.DataFrame:
    """Return the problems raised by then: closed ones are under way until they are due, late ones not yet escalated.

    A problem names its meeting only when that has been held.
    """
    table, meetings = pd.DataFrame(county.layers["problems"]), county.layers["meetings"]
    out = table[(table["raised_at"] <= day).to_numpy(dtype=bool)].reset_index(drop=True)
    early = (out["due"] > day) & out["status"].isin(["closed", "resolved", "escalated"])
    out.loc[early.to_numpy(dtype=bool) & (out["due"] <= county.as_of).to_numpy(dtype=bool), "status"] = "in_progress"
    fresh = (out["raised_at"].str[:7] == day[:7]) & (out["status"] == "in_progress")
    out.loc[fresh.to_numpy(dtype=bool), "status"] = "open"
    held = set(meetings.loc[(meetings["held_on"] <= day).to_numpy(dtype=bool), "meeting_id"])
    out["meeting_id"] = out["meeting_id"].where(out["meeting_id"].isin(held)).astype(table["meeting_id"].dtype)
    return out
