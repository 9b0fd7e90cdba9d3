"""This module limits guessing: after some wrong secrets for one name, further ones wait, longer each time.

Waits end: nobody can shut another person out for good by guessing wrong. What is guessed at may be counted by who
guesses, so that one who guesses does not make others wait.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

_MOST_NAMES: Final = 1000

FREE: Final = 5
"""Wrong answers before the first wait."""
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
_lock = threading.Lock()


class Book(Protocol):
    """What keeps the counts: a county database, so that all processes share them, or a `Notepad`."""

    def setting(self, key: str) -> Any:
        """Return what was kept under a key; None for nothing."""

    def set_setting(self, key: str, value: Any) -> None:
        """Keep something under a key."""


class Notepad:
    """A book in this process alone, for the latest thousand names that nobody has: they leave no trace on the disk."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def setting(self, key: str) -> Any:
        """Return what was kept under a key; None for nothing."""
        return self._kept.get(key)

    def set_setting(self, key: str, value: Any) -> None:
        """Keep something under a key."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_NAMES:
            self._kept.popitem(last=False)


def _key(what: str) -> str:
    return "attempts." + hashlib.sha256(what.encode()).hexdigest()[:32]


def _read(db: Book, what: str) -> tuple[int, datetime | None]:
    stored = db.setting(_key(what)) or {}
    until = stored.get("until")
    return int(stored.get("wrong", 0)), datetime.fromisoformat(until) if until else None


def wait(db: Book, what: str, *, now: datetime | None = None) -> timedelta | None:
    """Return how long further attempts have to wait; None when one may be made.

    Parameters
    ----------
    db : Book
        Counts are kept there.
    what : str
        What is guessed at: ``user:li`` or ``share:7``.
    """
    _, until = _read(db, what)
    left = until - (now or datetime.now(UTC)) if until else None
    return left if left is not None and left > timedelta(0) else None


def claim(db: Book, what: str, *, free: int = FREE, now: datetime | None = None) -> timedelta | None:
    """Count an attempt before its answer is known, or return how long it has to wait.

    Counted first and taken back by `right`, so that many guesses at once cannot outrun the count. From the ``free``-th
    wrong answer on each starts a wait of a minute, then two, four … up to an hour.
    """
    with _lock:
        if (left := wait(db, what, now=now)) is not None:
            return left
        count = _read(db, what)[0] + 1
        pause = min(FIRST_WAIT * 2 ** min(count - free, 10), LONGEST_WAIT) if count >= free else None
        until = ((now or datetime.now(UTC)) + pause).isoformat() if pause else None
        db.set_setting(_key(what), {"wrong": count, "until": until})
        return None


def right(db: Book, what: str) -> None:
    """Forget the wrong answers."""
    with _lock:
        if _read(db, what)[0]:
            db.set_setting(_key(what), {})
