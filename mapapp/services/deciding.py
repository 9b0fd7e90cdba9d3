"""This module keeps what planners decide about findings: confirmed, dismissed or fixed, with a note, a history and an undo.

A finding that became a problem and that problem go together: settling one settles the other, opening one again opens
both, and a gap that the audit no longer finds resolves its problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from mapapp.core.errors import ConflictError, InputError, NotFoundError
from mapapp.core.text import Text
from mapapp.programme import problems as reckoning
from mapapp.services import plain, rights
from mapapp.services.frames import County
from mapapp.services.scope import Scope

if TYPE_CHECKING:
    from mapapp.store import Database

Json = dict[str, Any]

STATUSES: Final = ("open", "confirmed", "dismissed", "fixed")
_OVER: Final = frozenset({"dismissed", "fixed"})
_TRIES: Final = 3


def decide(
    county: County, scope: Scope, finding_id: str, *, status: str, note: str = "", expected: str | None = None
) -> Json:
    """Store a decision; it survives the next audit.

    A problem that was made of the finding follows: it is closed with a finding that is fixed or dismissed, and goes on
    with one that is opened again.

    Parameters
    ----------
    expected : str, optional
        ``decided_at`` as the asker saw it (empty where nothing was decided); None does not ask.

    Returns
    -------
    dict
        ``finding_id status note by decided_at``, and ``problem`` (``ticket_id status settled``; None where there is none).

    Raises
    ------
    ConflictError
        When somebody else decided since.
    ForbiddenError
        When the asker may not change data, or the finding is about things of another unit.
    InputError
        For a status that does not exist, or a dismissal without a reason.
    NotFoundError
        When there is no such finding.
    """
    row = _allowed(county, scope, finding_id)
    _check(status, note)
    out = keep(county, scope, row, status=status, note=note, expected=expected)
    return out | {"problem": _problem_follows(county, scope, finding_id, status, note)}


def undo(county: County, scope: Scope, finding_id: str, *, expected: str | None = None) -> Json:
    """Take the newest decision back, as a decision of its own: what held before holds again. As `decide` otherwise.

    Raises
    ------
    InputError
        When nothing was decided yet.
    """
    row = _allowed(county, scope, finding_id)
    told = county.db.decisions(finding_id)
    if not told:
        raise InputError(Text("还没有作出决定。", "Nothing was decided yet."))
    before = told[-2] if len(told) > 1 else {"status": "open", "note": None}
    status, note = str(before["status"]), str(before["note"] or "")
    out = keep(county, scope, row, status=status, note=note, expected=expected, undoes=str(told[-1]["at"]))
    return out | {"problem": _problem_follows(county, scope, finding_id, status, note)}


def history(county: County, scope: Scope, finding_id: str) -> list[Json]:
    """Return what was decided about a finding, newest first: ``at by status note undoes``.

    Raises
    ------
    ForbiddenError, NotFoundError
        For anybody but an editor, because notes are free text; when there is no such finding.
    """
    scope.require_editor()
    return county.db.decisions(str(_row(county, finding_id)["finding_id"]))[::-1]


def _allowed(county: County, scope: Scope, finding_id: str) -> Json:
    """Return the finding; an editor who belongs to a unit decides about that unit's compounds and pipes alone."""
    scope.require_editor()
    row = _row(county, finding_id)
    layer, feature = str(row.get("layer")), str(row.get("feature_id"))
    if layer == "compounds":
        rights.require_compound(county, scope, feature)
        return row
    held: Json = {}
    if layer == "pipes":
        held = next(iter(plain.records(county.db.read("pipes", ids=[feature], geometry=False))), {})
    rights.require(county, scope, held, ("ownership", "operator"))
    return row


def finding(county: County, finding_id: str) -> Json | None:
    """Return a finding without its place; None when the audit finds it no longer."""
    return next(iter(plain.records(county.db.read("findings", ids=[finding_id], geometry=False))), None)


def _row(county: County, finding_id: str) -> Json:
    row = finding(county, finding_id)
    if row is None:
        raise NotFoundError(Text(f"没有问题“{finding_id}”。", f"There is no finding {finding_id!r}."))
    return row


def _check(status: str, note: str) -> None:
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


def keep(
    county: County, scope: Scope, row: Mapping[str, Any], *, status: str, note: str, expected: str | None = None,
    undoes: str | None = None,
) -> Json:  # fmt: skip
    """Store a decision with its history, in one transaction, and nothing else; the caller has checked the rights."""
    finding_id, words = str(row["finding_id"]), note.strip() or None
    at = county.db.decide(finding_id, status, words, by=scope.name, expected=expected, undoes=undoes)
    return {"finding_id": finding_id, "status": status, "note": words, "by": scope.name, "decided_at": at}


# ------------------------------------------------------------------------------------------------- a gap and its problem


def _problem_follows(county: County, scope: Scope, finding_id: str, status: str, note: str) -> Json | None:
    ticket = reckoning.ticket_of(finding_id)
    for _ in range(_TRIES):
        found = plain.records(county.db.read("problems", ids=[ticket]))
        if not found:
            return None
        held = found[0]
        settled = held.get("status") in reckoning.SETTLED
        if settled == (status in _OVER):
            return {"ticket_id": ticket, "status": held.get("status"), "settled": settled}
        values: Json = {"status": "in_progress"}
        if not settled:
            why = note.strip() or Text("缺口已解决", "the gap is mended").zh
            values = {"status": "closed", "measure": reckoning.struck_off(held.get("measure"), why, _today())}
        version = county.db.row_version("problems", ticket)
        try:
            county.db.edit("problems", ticket, values, by=scope.name, expected=version)
        except ConflictError:
            continue
        return {"ticket_id": ticket, "status": values["status"], "settled": not settled}
    return None


def finding_follows(
    county: County, scope: Scope, ticket_id: str, before: object, after: object, note: str = ""
) -> str | None:
    """Settle or open the finding that a problem was made of, when the problem was; return its id when it changed."""
    was, now = before in reckoning.SETTLED, after in reckoning.SETTLED
    finding_id = reckoning.finding_of(ticket_id)
    if was == now or finding_id is None:
        return None
    row = finding(county, finding_id)
    if row is None or now == (row.get("status") in _OVER):
        return None  # the audit no longer finds it, or it is decided so: there is nothing left to decide
    keep(county, scope, row, status="fixed" if now else "confirmed", note=note)
    return finding_id


def problems_follow(db: Database, *, by: str) -> int:
    """Bring the problems that were made of findings in step with a new audit; returns how many changed.

    One whose finding is no longer found is resolved (a person still strikes it off); one that was settled and whose
    finding stands open again goes on.
    """
    held = db.read("problems") if "problems" in db.layers() else None
    if held is None or not len(held):
        return 0
    made = held[held["ticket_id"].astype("str").str.startswith(reckoning.FROM_GAP).to_numpy(dtype=bool)]
    if not len(made):
        return 0
    wanted = [str(reckoning.finding_of(str(t))) for t in made["ticket_id"]]
    found = db.read("findings", ids=wanted, geometry=False)
    state = dict(zip(found["finding_id"], found["status"], strict=True))
    changed = 0
    for finding_id, row in zip(wanted, plain.records(made), strict=True):
        settled = row.get("status") in reckoning.SETTLED
        values: Json = {}
        if finding_id not in state and not settled:
            words = f"{_today()} 数据检查已不再发现此缺口"
            values = {"status": "resolved", "measure": "\n".join(w for w in (row.get("measure"), words) if w)}
        elif settled and state.get(finding_id) in ("open", "confirmed"):
            values = {"status": "in_progress"}
        if values:
            db.edit("problems", str(row["ticket_id"]), values, by=by)
            changed += 1
    return changed


def _today() -> str:
    return date.today().isoformat()
