"""This module cuts the stored plan into stages for a budget, to be looked at or to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from mapapp.core.errors import ConflictError, InputError
from mapapp.core.text import Text
from mapapp.services import plan_jobs, plan_state, plan_view
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

Json = dict[str, Any]
_CURVE_POINTS: Final = 400


def stages(view: View, budget: float | None, pinned: frozenset[str]) -> Json:
    """Return what a budget per stage builds, from the layout that is stored: nothing is planned anew, nothing is written.

    Returns
    -------
    dict
        ``stages`` (sums), ``stage_of`` (route to stage), ``now`` (link ids of stage 1), ``curve`` (the best households for
        each sum, as pairs), ``budget``.

    Raises
    ------
    InputError
        For a budget that is negative or no number.
    """
    return cut(view, plan_view.planned(view), checked_budget(budget), pinned)


def checked_budget(budget: float | None) -> float | None:
    """Return the budget; InputError when it is negative or no number."""
    if budget is not None and not 0 <= budget < float("inf"):
        raise InputError(
            Text(f"预算为 {budget}。", f"The budget is {budget}."),
            Text("须为零或正数。", "It must be zero or more."),
            where="budget",
        )
    return budget


def cut(view: View, links: pd.DataFrame, budget: float | None, pinned: frozenset[str]) -> Json:
    """Return the stages of links for a budget; see `stages`."""
    if not len(links):
        return {"stages": [], "stage_of": {}, "now": [], "curve": [[0.0, 0.0]], "budget": budget}
    best = plan_view.kept(view, "curve", links, lambda rows: pd.DataFrame(plan_state.best_for_each_sum(rows)))
    curve = best.to_numpy(float)
    if len(curve) > _CURVE_POINTS:
        curve = curve[np.linspace(0, len(curve) - 1, _CURVE_POINTS).astype(int)]
    stage = plan_state.stage_of(links, budget, pinned)
    route = plan_view.names(view, links)
    of_route = pd.Series(stage).groupby(route).max()  # a route stands when its last pipe does
    return {
        "stages": plan_state.by_stage(links, stage, of_route),
        "stage_of": {str(r): int(s) for r, s in of_route.items()},
        "now": [str(i) for i in links["link_id"].to_numpy(object)[stage == 1]],
        "curve": curve.round(2).tolist(),
        "budget": budget,
    }


def keep_stages(county: County, scope: Scope, budget: float | None, pinned: Sequence[str]) -> Json:
    """Store the stages of a budget with the plan, so that map, exports and bill carry them.

    Raises
    ------
    ForbiddenError
        For a viewer.
    InputError
        For a bad budget, or pinned compounds that no link serves.
    ConflictError
        When there is no plan that belongs to the stored links.
    """
    scope.require_editor()
    budget, db = checked_budget(budget), county.db
    kept = plan_state.load(db)
    if kept is None or plan_jobs.running(county) is not None:
        raise ConflictError(
            Text("方案正在更新或尚未生成。", "The plan is being made, or there is none."),
            Text("请稍后再试。", "Try again when it is done."),
        )
    links = db.read("links")
    if unknown := sorted(set(pinned) - set(links["own_compounds"].dropna())):
        raise InputError(
            Text(f"这些小区没有拟建接入管：{'、'.join(unknown)}。", f"No planned link serves {', '.join(unknown)}."),
            where="pinned",
        )
    cut, _ = plan_state.restage(links, budget, frozenset(pinned))
    db.replace_derived({"links": cut}, by=scope.name)
    asked = {**kept["asked"], "budget": budget, "pinned": sorted(pinned)}
    now = cut[cut["stage"] == 1]
    summary = {
        **kept["summary"],
        "budget": budget,
        "stages": int(cut["stage"].max()) if len(cut) else 0,
        "cost_stage_1": round(float(now["cost"].sum()), 2),
        "households_stage_1": round(float(now["own_households"].sum())),
    }
    db.set_setting(plan_state.SETTING, {**kept, "asked": asked, "summary": summary, "links": db.version("links")})
    return {"budget": budget, "pinned": sorted(pinned), "stages": summary["stages"]}
