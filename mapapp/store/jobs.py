"""This module keeps long work visible to every process: its state, how far it is, and the wish to stop it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from mapapp.core.errors import InputError, NotFoundError
from mapapp.core.text import Text
from mapapp.store import tables
from mapapp.store.session import Session, now

State = Literal["waiting", "running", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = ("waiting", "running", "done", "failed", "cancelled")


@dataclass(frozen=True)
class Job:
    """One piece of long work; ``progress`` from 0 to 1, ``cancel`` when somebody asked it to stop."""

    id: int
    kind: str
    state: State
    progress: float
    message: Text | None
    result: Mapping[str, Any] | None
    cancel: bool
    created_by: str
    created_at: str
    updated_at: str


class Jobs:
    """The jobs of a database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, kind: str, *, by: str) -> Job:
        """Enter a job that waits to be run."""
        at = now()
        with self._session.writing(by, "job") as write:
            done = write.connection.execute(
                sa.insert(tables.jobs).values(
                    kind=kind, state="waiting", progress=0.0, cancel=False, created_by=by, created_at=at, updated_at=at
                )
            )
            assert done.inserted_primary_key is not None
        return self.get(int(done.inserted_primary_key[0]))

    def get(self, number: int) -> Job:
        """Return a job; NotFoundError when there is none."""
        with self._session.reading() as connection:
            row = connection.execute(sa.select(tables.jobs).where(tables.jobs.c.id == number)).first()
        if row is None:
            raise NotFoundError(Text(f"没有编号为 {number} 的任务。", f"There is no job {number}."))
        return self._job(row)

    def list(self, *, limit: int = 100) -> list[Job]:
        """Return the latest jobs, newest first."""
        with self._session.reading() as connection:
            rows = connection.execute(sa.select(tables.jobs).order_by(tables.jobs.c.id.desc()).limit(limit)).all()
        return [self._job(r) for r in rows]

    def update(
        self,
        number: int,
        *,
        state: State | None = None,
        progress: float | None = None,
        message: Text | None = None,
        result: Mapping[str, Any] | None = None,
    ) -> Job:
        """Enter how far a job is; returns it with the wish to cancel, if there is one.

        Raises
        ------
        InputError
            For a state that is not one of `STATES`.
        NotFoundError
            When there is no such job.
        """
        if state is not None and state not in STATES:
            raise InputError(Text(f"没有任务状态“{state}”。", f"There is no job state {state!r}."))
        given = {
            "state": state,
            "progress": progress,
            "message": json.dumps(message._asdict(), ensure_ascii=False) if message is not None else None,
            "result": json.dumps(result, ensure_ascii=False) if result is not None else None,
        }
        self._set(number, {k: v for k, v in given.items() if v is not None})
        return self.get(number)

    def request_cancel(self, number: int) -> Job:
        """Ask a job to stop; it does so at its next report."""
        self._set(number, {"cancel": True})
        return self.get(number)

    def _set(self, number: int, values: Mapping[str, Any]) -> None:
        with self._session.writing("job", "job") as write:
            write.connection.execute(
                sa.update(tables.jobs).where(tables.jobs.c.id == number).values(**values, updated_at=now())
            )

    @staticmethod
    def _job(row: Any) -> Job:
        message = Text(**json.loads(row.message)) if row.message else None
        return Job(
            row.id,
            row.kind,
            row.state,
            row.progress,
            message,
            json.loads(row.result) if row.result else None,
            bool(row.cancel),
            row.created_by,
            row.created_at,
            row.updated_at,
        )
