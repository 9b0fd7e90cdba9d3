"""This module runs long work in the background, one job of a kind at a time; every process sees how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mapapp.core.errors import MapappError
from mapapp.core.progress import Cancelled
from mapapp.core.text import Text
from mapapp.services.frames import County
from mapapp.store import Database

_REPORT_S: Final = 0.25
_DEAD_S: Final = 120.0
_starting = threading.Lock()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of long work: its name, and what is said when it was stopped or went wrong through our fault."""

    name: str
    cancelled: Text
    failed: Text


class Report:
    """Tells the database how far the work is, and hears from it that somebody wants it to stop."""

    def __init__(self, db: Database, job: int) -> None:
        self._db, self._job = db, job
        self._last, self._done, self._doing, self._stop = -1.0, 0.0, Text("", ""), False

    def __call__(self, done: float, doing: Text) -> None:
        """Note how much is done, from 0 to 1, and what is being done; raise `Cancelled` when it is to stop."""
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


Work = Callable[[Report], Mapping[str, Any]]
"""What a job does; it returns what is kept as its result."""


def running(county: County, kind: Kind) -> int | None:
    """Return the job of a kind that is under way; None when there is none. One that fell silent died with its process."""
    for job in county.db.jobs.list(limit=20):
        if job.kind == kind.name and job.state in ("waiting", "running"):
            silent = (datetime.now(UTC) - datetime.fromisoformat(job.updated_at)).total_seconds()
            if silent < _DEAD_S:
                return job.id
    return None


def start(county: County, kind: Kind, work: Work, *, by: str) -> tuple[int, bool]:
    """Begin work in a thread of its own; return the job's id, and whether it is a new one.

    While a job of the kind is under way no second one begins: the id is that job's.
    """
    with _starting:
        if (there := running(county, kind)) is not None:
            return there, False
        job = county.db.jobs.add(kind.name, by=by).id
        county.db.jobs.update(job, state="running")
    threading.Thread(target=carry_out, args=(county, kind, job, work), name=f"{kind.name} {job}", daemon=True).start()
    return job, True


def carry_out(county: County, kind: Kind, job: int, work: Work) -> None:
    """Do a job's work here and now, and write down how it ended; what we did wrong is raised as well."""
    jobs = county.db.jobs
    try:
        result = work(Report(county.db, job))
        jobs.update(job, state="done", progress=1.0, result=result)
    except Cancelled:
        jobs.update(job, state="cancelled", message=kind.cancelled)
    except MapappError as error:
        jobs.update(job, state="failed", message=Text(error.message("zh"), error.message("en")))
    except Exception:
        jobs.update(job, state="failed", message=kind.failed)
        raise
