"""This module lists and freezes states of the county as of a date."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.services import frames
from mapapp.services.scope import Scope

if TYPE_CHECKING:
    from mapapp.store import Database, Snapshot


def listed(db: Database) -> list[dict[str, Any]]:
    """Return all snapshots, newest date first."""
    made = sorted(db.snapshots(), key=lambda s: (str(s.as_of), s.id), reverse=True)
    return [plain(s) for s in made]


def plain(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as JSON values."""
    return {
        "id": str(snapshot.id),
        "as_of": str(snapshot.as_of)[:10],
        "created_at": str(snapshot.created_at),
        "title": snapshot.title,
    }


def day_of(as_of: str, *, where: str) -> date:
    """Return the day that ``as_of`` names; ``where`` is what the asker calls it.

    Raises
    ------
    InputError
        When ``as_of`` is no date written YYYY-MM-DD.
    """
    try:
        return date.fromisoformat(as_of)
    except ValueError as error:
        raise InputError(
            Text(f"“{as_of}”不是日期。", f"{as_of!r} is not a date."),
            Text("请写成 2026-11-25 这样。", "Write it like 2026-11-25."),
            where=where,
        ) from error


def freeze(db: Database, scope: Scope, *, as_of: str, title: str | None = None) -> dict[str, Any]:
    """Freeze the county as of a date.

    Raises
    ------
    ForbiddenError
        When the asker may not change data.
    InputError
        When ``as_of`` is no date written YYYY-MM-DD.
    """
    scope.require_editor()
    day = day_of(as_of, where="as_of")
    return plain(db.snapshot(day.isoformat(), by=scope.name, title=title))


def present(db: Database, *, by: str) -> Snapshot:
    """Return a snapshot of the state as it is now: the newest one when nothing changed since, else a new one.

    A new one is as of the day on which the data last changed.
    """
    existing = db.snapshots()
    if existing:
        newest = max(existing, key=lambda s: s.id)
        if newest.revision == db.revision:
            return newest
    return db.snapshot(frames.changed_on(db), by=by, title=None)
