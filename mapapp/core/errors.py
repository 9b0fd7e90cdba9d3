"""This module names what can go wrong through nobody's data: the file's fault, the request's, or ours.

::

    MapappError                    exit 2, HTTP 400: said in one sentence, nothing was written
    ├── InputError                 a file or a value that cannot be used, with its place
    │   └── QuestionError          we need an answer before we go on (which CRS? which sheet?)
    ├── NotFoundError              HTTP 404
    ├── ForbiddenError             HTTP 403
    ├── ConflictError              HTTP 409: somebody else changed it first
    └── GoneError                  HTTP 410: a share that expired or was revoked

A fault of the *data* is a finding in a table, never an exception. Anything else that is raised is our fault
(exit 1, HTTP 500).
"""

from __future__ import annotations

from mapapp.core.text import Lang, Text


class MapappError(Exception):
    """A fault that the user can mend.

    Parameters
    ----------
    saw : Text
        What we saw, with the value in it.
    need : Text, optional
        What we need instead, and what to do about it.
    where : str, optional
        The place: ``ledger.xlsx › 2022 › C7``. Never a path of the server.
    """

    exit_code = 2
    http_status = 400

    def __init__(self, saw: Text, need: Text | None = None, *, where: str | None = None) -> None:
        self.saw, self.need, self.where = saw, need, where
        super().__init__(self.message("en"))

    def message(self, lang: Lang) -> str:
        """Return place, what we saw and what to do, as one message in ``lang``."""
        colon, gap = (": ", " ") if lang == "en" else ("：", "")
        head = f"{self.where}{colon}" if self.where else ""
        tail = f"{gap}{self.need.pick(lang)}" if self.need else ""
        return f"{head}{self.saw.pick(lang)}{tail}"


class InputError(MapappError):
    """A file, an option or a value that cannot be used as it is."""


class QuestionError(InputError):
    """We could go on with an answer that only the user has.

    Attributes
    ----------
    option : str
        The option that carries the answer, such as ``"crs"``.
    choices : tuple of str
        Sensible answers, best first; may be empty.
    """

    def __init__(
        self,
        saw: Text,
        need: Text | None = None,
        *,
        option: str,
        choices: tuple[str, ...] = (),
        where: str | None = None,
    ) -> None:
        super().__init__(saw, need, where=where)
        self.option, self.choices = option, choices


class NotFoundError(MapappError):
    """The named layer, feature, snapshot, share or user does not exist."""

    http_status = 404


class ForbiddenError(MapappError):
    """The asker may not see or do this."""

    http_status = 403


class ConflictError(MapappError):
    """The stored state differs from what the request was based on."""

    http_status = 409


class GoneError(MapappError):
    """A share that existed and is over."""

    http_status = 410
