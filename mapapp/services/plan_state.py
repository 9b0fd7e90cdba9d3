"""This module keeps the last good plan with all that was said of it, and tells whether the county changed since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from mapapp import plan, store
from mapapp.core import schema
from mapapp.core.errors import MapappError
from mapapp.core.text import Lang, Text
from mapapp.plan import phasing, tables
from mapapp.services import plan_books

Json = dict[str, Any]
Array = np.ndarray[Any, Any]

SETTING: Final = "plan"
INPUTS: Final = (
    "compounds", "ledger", "pipes", "manholes", "outlets", "streets", "buildings", "survey_areas", "waters",
    "railways", "spot_heights",
)  # fmt: skip
"""What a plan rests on; it is out of date when one of these changed."""


def now() -> str:
    """Return the moment, ISO 8601 with its zone."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def versions(db: store.Database) -> dict[str, str]:
    """Return the version of each input; taken before reading, so that a change under way counts as one."""
    return {name: db.version(name) for name in INPUTS}


def keep(
    db: store.Database,
    made: plan.Plan,
    *,
    by: str,
    inputs: Mapping[str, str],
    asked: Mapping[str, Any],
    check: Mapping[str, Any],
) -> None:
    """Store a plan's links, and beside them its figures, refusals, assumptions, choices and check."""
    db.replace_derived({"links": made.links}, by=by)
    db.set_setting(
        SETTING,
        {
            "at": now(),
            "by": by,
            "summary": made.summary,
            "assumptions": [list(text) for text in made.assumptions],
            "remarks": made.remarks.to_dict("records"),
            "refusals": made.refused.astype("object").where(made.refused.notna(), None).to_dict("records"),
            "asked": dict(asked),
            "inputs": dict(inputs),
            "links": db.version("links"),
            "check": dict(check),
        },
    )


def load(db: store.Database) -> Json | None:
    """Return what was kept; None when nothing was planned, or when the stored links are not that plan's."""
    kept: Json | None = db.setting(SETTING)
    return kept if kept and kept["links"] == db.version("links") else None


def changed(db: store.Database, kept: Json, lang: Lang) -> list[str]:
    """Return the titles of what changed since the plan was made: layers, standard, price book."""
    out = [
        schema.layer(name).title.pick(lang) for name, seen in versions(db).items() if kept["inputs"].get(name) != seen
    ]
    for kind, title in (("standards", Text("设计标准", "Design standard")), ("prices", Text("价格本", "Price book"))):
        asked = kept["asked"]
        try:
            same = plan_books.fingerprint(db, kind, asked[kind]) == asked.get(f"{kind}_print")  # type: ignore[arg-type]  # two literals above
        except MapappError:  # a file of the command line, or one that was taken away
            same = not asked.get(f"{kind}_print")
        if not same:
            out.append(title.pick(lang))
    return out


def restage(links: pd.DataFrame, budget: float | None, pinned: frozenset[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut the stages of a plan for a budget; the layout stays.

    Parameters
    ----------
    links : DataFrame
        `Plan.links`.
    budget : float, optional
        Money per stage.
    pinned : set of str
        Compounds that must be in the first stage.

    Returns
    -------
    links, curve : DataFrame
        The links with their new ``stage``; the curve as `plan.phasing.stages`.
    """
    stage, curve = phasing.stages(
        tables.below(links), links["cost"].to_numpy(float), links["own_households"].to_numpy(float), budget,
        links["own_compounds"].isin(pinned).to_numpy(),
    )  # fmt: skip
    cut: pd.DataFrame = links.assign(stage=pd.array(stage, dtype="Int64"))
    return cut, curve


def best_for_each_sum(links: pd.DataFrame) -> Array:
    """Return the most households for each sum of money, as rows of (money, households); see `plan.phasing.frontier`."""
    cost, own = links["cost"].to_numpy(float), links["own_households"].to_numpy(float)
    return phasing.frontier(tables.below(links), cost, own)


def stage_of(links: pd.DataFrame, budget: float | None, pinned: frozenset[str]) -> Array:
    """Return the stage of each pipe for a budget; see `restage`."""
    return np.asarray(restage(links, budget, pinned)[0]["stage"].to_numpy(dtype=np.int64))


def by_stage(links: pd.DataFrame, stage: Array, of_route: pd.Series) -> list[Json]:
    """Return one row per stage: ``stage cost_low cost cost_high households length_m pipes routes``, in order.

    Parameters
    ----------
    links : DataFrame
        `Plan.links`.
    stage : ndarray of int
        Of each pipe.
    of_route : Series of int
        Of each route.
    """
    names = ["cost_low", "cost", "cost_high", "own_households", "length_m"]
    sums = pd.DataFrame(links[names]).assign(pipes=1).groupby(stage).sum()
    sums = sums.rename(columns={"own_households": "households"}).rename_axis("stage")
    sums["routes"] = of_route.value_counts().reindex(sums.index, fill_value=0)
    rows = sums.reset_index().astype({"stage": int, "pipes": int, "routes": int}).to_dict("records")
    return [{str(k): v for k, v in row.items()} for row in rows]
