"""This module opens, creates and freezes county databases."""

from __future__ import annotations

from mapapp import store
from mapapp.core.errors import NotFoundError
from mapapp.core.text import Text
from mapapp.services import frames, snapshots


def create(url: str, *, name: str, crs: str) -> dict[str, str]:
    """Create an empty county database and return its name, CRS and place.

    Raises
    ------
    InputError
        When there is a database already, or the CRS is not metric.
    """
    with store.create(url, name=name, crs=crs) as db:
        return {"database": url, "name": db.name, "crs": db.crs.to_string()}


def snapshot(url: str, *, as_of: str, title: str | None, by: str) -> dict[str, object]:
    """Freeze every layer and derived table as of a date.

    Raises
    ------
    InputError
        When ``as_of`` is not a date written YYYY-MM-DD.
    """
    day = snapshots.day_of(as_of, where="--as-of")
    with store.open(url) as db:
        made = db.snapshot(day.isoformat(), by=by, title=title)
    return {"id": made.id, "as_of": str(made.as_of), "title": made.title}


def snapshot_id(db: store.Database, wanted: str | None) -> int | None:
    """Return the id of the snapshot that an id or a date names; None for the live data.

    Of several snapshots as of one day the newest is meant.

    Raises
    ------
    NotFoundError
        When there is none; the message lists those there are.
    """
    if wanted is None:
        return None
    made = db.snapshots()
    hits = [s.id for s in made if str(s.id) == wanted or str(s.as_of) == wanted]
    if not hits:
        there = "、".join(f"{s.id} ({s.as_of})" for s in made) or "-"
        raise NotFoundError(
            Text(f"没有快照“{wanted}”。", f"There is no snapshot {wanted!r}."),
            Text(f"现有：{there}。", f"There are: {there}."),
        )
    return max(hits)


def moment(db: store.Database, wanted: str | None) -> tuple[int | None, str]:
    """Return the id of the snapshot that an id or a date names, and the day its figures hold for, ISO 8601.

    For the live data that is None, and the day of their last change: see `frames.changed_on`. Errors as in `snapshot_id`.
    """
    at = snapshot_id(db, wanted)
    if at is None:
        return None, frames.changed_on(db)
    return at, next(str(made.as_of)[:10] for made in db.snapshots() if made.id == at)
