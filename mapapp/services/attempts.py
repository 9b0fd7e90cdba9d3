"""This module limits guessing: after some wrong secrets for one name, further ones wait, longer each time."""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mapapp.store import Database

FREE: Final = 5
"""Wrong answers before the first wait."""
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
_lock = threading.Lock()


def _key(what: str) -> str:
    return "attempts." + hashlib.sha256(what.encode()).hexdigest()[:32]


def _read(db: Database, what: str) -> tuple[int, datetime | None]:
    stored = db.setting(_key(what)) or {}
    until = stored.get("until")
    return int(stored.get("wrong", 0)), datetime.fromisoformat(until) if until else None


def wait(db: Database, what: str, *, now: datetime | None = None) -> timedelta | None:
    """Return how long further attempts have to wait; None when one may be made.

    Parameters
    ----------
    db : Database
        Counts are kept there, so that all processes share them.
    what : str
        What is guessed at: ``user:li`` or ``share:7``.
    """
    _, until = _read(db, what)
    left = until - (now or datetime.now(UTC)) if until else None
    return left if left is not None and left > timedelta(0) else None


def wrong(db: Database, what: str, *, now: datetime | None = None) -> None:
    """Count a wrong answer; from the fifth on each starts a wait of a minute, then two, four … up to an hour."""
    with _lock:
        count = _read(db, what)[0] + 1
        moment = now or datetime.now(UTC)
        pause = min(FIRST_WAIT * 2 ** min(count - FREE, 10), LONGEST_WAIT) if count >= FREE else None
        stored = {"wrong": count, "until": (moment + pause).isoformat() if pause else None}
        db.set_setting(_key(what), stored)


def right(db: Database, what: str) -> None:
    """Forget the wrong answers."""
    with _lock:
        if _read(db, what)[0]:
            db.set_setting(_key(what), {})
