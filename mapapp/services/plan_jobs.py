"""This module plans in the background: one job at a time, with progress; cancelled or failed it leaves the last good plan."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any, Final

from mapapp import store
from mapapp.core.errors import ConflictError, MapappError, NotFoundError
from mapapp.core.progress import Cancelled
from mapapp.core.text import Lang, Text
from mapapp.services import plan_drawings, plan_state, planning
from mapapp.services.frames import County
from mapapp.services.scope import Scope

Json = dict[str, Any]

KIND: Final = "plan"
_REPORT_S: Final = 0.25
_DEAD_S: Final = 120.0
_starting = threading.Lock()


def running(county: County) -> int | None:
    """Return the job that is under way; None when there is none. One that fell silent died with its process."""
    for job in county.db.jobs.list(limit=20):
        if job.kind == KIND and job.state in ("waiting", "running"):
            silent = (datetime.now(UTC) - datetime.fromisoformat(job.updated_at)).total_seconds()
            if silent < _DEAD_S:
                return job.id
    return None


def current(county: County, lang: Lang) -> Json | None:
    """Return the job that is under way as `told`; None when there is none."""
    job = running(county)
    return None if job is None else told(county, job, lang)


def told(county: County, job_id: int, lang: Lang) -> Json:
    """Return ``id state progress message by`` of a planning job; NotFoundError when there is none."""
    job = county.db.jobs.get(job_id)
    if job.kind != KIND:
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
    with _starting:
        if running(county) is not None:
            raise ConflictError(
                Text("正在规划，请等它完成或先取消。", "A plan is being made: wait for it, or cancel it first.")
            )
        job = county.db.jobs.add(KIND, by=scope.name)
        county.db.jobs.update(job.id, state="running")
    thread = threading.Thread(
        target=_work, args=(county, job.id, scope.name, choices), name=f"plan {job.id}", daemon=True
    )
    thread.start()
    return job.id


def cancel(county: County, scope: Scope, job_id: int) -> None:
    """Ask a job to stop; the plan that is stored stays."""
    scope.require_editor()
    told(county, job_id, "en")
    county.db.jobs.request_cancel(job_id)


class _Report:
    """Tells the database how far the work is, and hears from it that somebody wants it to stop."""

    def __init__(self, db: store.Database, job: int) -> None:
        self._db, self._job = db, job
        self._last, self._done, self._doing, self._stop = -1.0, 0.0, Text("", ""), False

    def __call__(self, done: float, doing: Text) -> None:
        changed = doing != self._doing
        self._done, self._doing = done, doing
        if self.stopped(at_once=changed):
            raise Cancelled

    def stopped(self, *, at_once: bool = False) -> bool:
        """Whether to stop; asks the database four times a second at most, so that it may be called in a tight loop."""
        now = time.monotonic()
        if not self._stop and (at_once or now - self._last >= _REPORT_S):
            self._last = now
            self._stop = self._db.jobs.update(self._job, progress=self._done, message=self._doing).cancel
        return self._stop


def _work(county: County, job: int, by: str, choices: planning.Choices) -> None:
    db = county.db
    report = _Report(db, job)
    try:
        report(0.0, Text("读取图层", "Reading layers"))
        standard, prices = planning.load_books(db, choices)
        inputs, layers = plan_state.versions(db), planning.layers_of(db)
        kept_dem = plan_drawings.dem(db, county.url)
        made = planning.compute(
            layers, standard=standard, prices=prices, budget=choices.budget, pinned=choices.pinned,
            forbidden=choices.forbidden, areas=plan_drawings.grounds(choices.areas, db.crs),
            by_hand=plan_drawings.lines(choices.drawn, db.crs), footways=choices.footways,
            dem=kept_dem[1] if kept_dem else None, progress=report, cancelled=report.stopped,
        )  # fmt: skip
        report(0.92, Text("SWMM 校核", "Checking with SWMM"))
        check = planning.engine_check(made.links, standard, made.existing)
        report(0.98, Text("写入结果", "Storing"))
        if report.stopped(at_once=True):
            raise Cancelled
        plan_state.keep(db, made, by=by, inputs=inputs, asked=planning.asked(db, choices), check=check)
        db.jobs.update(job, state="done", progress=1.0, result=made.summary)
    except Cancelled:
        db.jobs.update(job, state="cancelled", message=Text("已取消，原方案未变。", "Cancelled; the last plan stands."))
    except MapappError as error:
        db.jobs.update(job, state="failed", message=Text(error.message("zh"), error.message("en")))
    except Exception:
        db.jobs.update(
            job, state="failed", message=Text("规划出错，原方案未变。", "Planning failed; the last plan stands.")
        )
        raise
