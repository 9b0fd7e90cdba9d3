"""This module plans in the background: one job at a time, with progress; cancelled or failed it leaves the last good plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mapapp.core.errors import ConflictError, NotFoundError
from mapapp.core.progress import Cancelled
from mapapp.core.text import Lang, Text
from mapapp.services import jobs, plan_drawings, plan_engine, plan_state, planning
from mapapp.services.frames import County
from mapapp.services.scope import Scope

Json = dict[str, Any]

PLAN: Final = jobs.Kind(
    "plan",
    cancelled=Text("已取消，原方案未变。", "Cancelled; the last plan stands."),
    failed=Text("规划出错，原方案未变。", "Planning failed; the last plan stands."),
)


def running(county: County) -> int | None:
    """Return the planning job that is under way; None when there is none."""
    return jobs.running(county, PLAN)


def current(county: County, lang: Lang) -> Json | None:
    """Return the job that is under way as `told`; None when there is none."""
    job = running(county)
    return None if job is None else told(county, job, lang)


def told(county: County, job_id: int, lang: Lang) -> Json:
    """Return ``id state progress message by`` of a planning job; NotFoundError when there is none."""
    job = county.db.jobs.get(job_id)
    if job.kind != PLAN.name:
        raise NotFoundError(Text(f"没有编号为 {job_id} 的规划任务。", f"There is no planning job {job_id}."))
    return {
        "id": job.id,
        "state": job.state,
        "progress": job.progress,
        "message": job.message.pick(lang) if job.message else "",
        "by": job.created_by,
        "cancel": job.cancel,
    }


def start(county: County, scope: Scope, choices: planning.Choices) -> int:
    """Plan in the background and return the job's id.

    Raises
    ------
    ForbiddenError
        For a viewer.
    InputError
        For a standard, price book or budget that cannot be used: said at once, not by the job.
    ConflictError
        When somebody is planning already.
    """
    scope.require_editor()
    planning.load_books(county.db, choices)
    job, new = jobs.start(county, PLAN, lambda report: make(county, choices, report, by=scope.name), by=scope.name)
    if not new:
        raise ConflictError(
            Text("正在规划，请等它完成或先取消。", "A plan is being made: wait for it, or cancel it first.")
        )
    return job


def cancel(county: County, scope: Scope, job_id: int) -> None:
    """Ask a job to stop; the plan that is stored stays."""
    scope.require_editor()
    told(county, job_id, "en")
    county.db.jobs.request_cancel(job_id)


def make(county: County, choices: planning.Choices, report: jobs.Report, *, by: str) -> Mapping[str, Any]:
    """Make a plan, have it checked, keep it, and return its summary; the last plan stands until then."""
    db = county.db
    report(0.0, Text("读取图层", "Reading layers"))
    standard, prices = planning.load_books(db, choices)
    inputs, layers = plan_state.versions(db), planning.layers_of(db)
    kept_dem = plan_drawings.dem(db, county.url)
    plan = planning.compute(
        layers, standard=standard, prices=prices, budget=choices.budget, pinned=choices.pinned,
        forbidden=choices.forbidden, areas=plan_drawings.grounds(choices.areas, db.crs),
        by_hand=plan_drawings.lines(choices.drawn, db.crs), footways=choices.footways,
        dem=kept_dem[1] if kept_dem else None, progress=report, cancelled=report.stopped,
    )  # fmt: skip
    report(0.92, Text("SWMM 校核", "Checking with SWMM"))
    check = plan_engine.check(plan.links, standard, plan.existing)
    report(0.98, Text("写入结果", "Storing"))
    if report.stopped(at_once=True):
        raise Cancelled
    plan_state.keep(db, plan, by=by, inputs=inputs, asked=planning.asked(db, choices), check=check)
    return plan.summary
