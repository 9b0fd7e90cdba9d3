"""This module says how long work reports where it is, and how it is told to stop."""

from __future__ import annotations

from collections.abc import Callable

from mapapp.core.text import Text

Progress = Callable[[float, Text], None]
"""Called with the share done (0 to 1) and what is being done now. It may raise `Cancelled` to stop the work."""


class Cancelled(Exception):  # noqa: N818  # a request, not an error
    """Somebody asked the work to stop; nothing half-done may stay behind."""


def silent(done: float, doing: Text) -> None:
    """Report to nobody."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """Return a reporter for one stretch of the work, from ``start`` to ``end`` of the whole.

    Examples
    --------
    >>> seen = []
    >>> part(lambda done, doing: seen.append(done), 0.5, 1.0)(0.5, Text("", ""))
    >>> seen
    [0.75]
    """
    return lambda done, doing: progress(start + (end - start) * min(max(done, 0.0), 1.0), doing)
