"""This module keeps what planners decide about findings: confirmed, dismissed or fixed, with a note."""

from __future__ import annotations

from typing import Any, Final

from mapapp.core.errors import InputError, NotFoundError
from mapapp.core.text import Text
from mapapp.services.frames import County
from mapapp.services.scope import Scope

STATUSES: Final = ("open", "confirmed", "dismissed", "fixed")


def decide(
    county: County, scope: Scope, finding_id: str, *, status: str, note: str = "", expected: str | None = None
) -> dict[str, Any]:
    """Store a decision; it survives the next audit.

    Parameters
    ----------
    expected : str, optional
        ``decided_at`` as the asker saw it (empty where nothing was decided); None does not ask.

    Raises
    ------
    ConflictError
        When somebody else decided since.
    ForbiddenError
        When the asker may not change data.
    InputError
        For a status that does not exist, or a dismissal without a reason.
    NotFoundError
        When there is no such finding.
    """
    scope.require_editor()
    if status not in STATUSES:
        raise InputError(
            Text(f"没有状态“{status}”。", f"There is no status {status!r}."),
            Text(f"可用：{' '.join(STATUSES)}。", f"Use one of {' '.join(STATUSES)}."),
            where="status",
        )
    if status == "dismissed" and not note.strip():
        raise InputError(
            Text("驳回需要说明理由。", "A dismissal needs its reason."),
            Text("请填写说明。", "Fill in the note."),
            where="note",
        )
    found = county.db.read("findings", ids=[finding_id])
    if not len(found):
        raise NotFoundError(Text(f"没有问题“{finding_id}”。", f"There is no finding {finding_id!r}."))
    at = county.db.decide(finding_id, status, note.strip() or None, by=scope.name, expected=expected)
    return {
        "finding_id": finding_id, "status": status, "note": note.strip() or None, "by": scope.name, "decided_at": at,
    }  # fmt: skip
