"""This module runs dispatch meetings: what is on the agenda, what is decided while people talk, and the papers of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import pandas as pd

from mapapp.core.errors import ConflictError, InputError, NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.programme import meetings as keeping
from mapapp.programme import problems as reckoning
from mapapp.services import forms, numbering, plain, problem_list, problems
from mapapp.services import scope as scopes
from mapapp.services.download import File
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

Json = dict[str, Any]

_TRIES: Final = 5
_LONGEST_DECISION: Final = 1000


def listed(view: View) -> list[Json]:
    """Return the meetings, newest first, with how many decisions each noted; the chair for editors only."""
    rows = plain.records(_table(view).sort_values("held_on", ascending=False, kind="stable", na_position="last"))
    for row in rows:
        row["decisions"] = len(keeping.decisions(row.get("minutes")))
    return rows


def _table(view: View) -> pd.DataFrame:
    names = list(view.county.db.columns("meetings"))
    if "meetings" in view.layers:
        return pd.DataFrame(view.table("meetings"))
    allowed = scopes.access(view.scope, "meetings")
    return pd.DataFrame({n: pd.Series(dtype="str") for n in names if allowed is not None and allowed.allows(n)})


def _stored(county: County, meeting_id: str) -> Json:
    names = [*county.db.columns("meetings"), "row_version"]
    rows = plain.records(county.db.read("meetings", ids=[meeting_id], columns=list(dict.fromkeys(names))))
    if not rows:
        raise _none(meeting_id)
    return rows[0]


def _none(meeting_id: str) -> NotFoundError:
    return NotFoundError(Text(f"没有会议“{meeting_id}”。", f"There is no meeting {meeting_id!r}."))


def start(county: County, scope: Scope, sent: Mapping[str, Any], *, lang: Lang = "zh") -> str:
    """Enter a meeting and return its id, made from its month.

    Raises
    ------
    ForbiddenError, InputError
    """
    scope.require_editor()
    values = forms.parse("meetings", {k: v for k, v in sent.items() if k in ("held_on", "title", "chair")}, lang)
    values["held_on"] = values.get("held_on") or date.today().isoformat()
    for _ in range(_TRIES):
        taken = set(county.db.read("meetings", columns=["meeting_id"])["meeting_id"])
        values["title"] = values.get("title") or f"老旧小区改造第{len(taken) + 1}次调度例会"
        meeting_id = keeping.next_id(str(values["held_on"]), taken)
        try:
            county.db.insert("meetings", {**values, "meeting_id": meeting_id}, by=scope.name)
        except ConflictError:
            continue  # somebody else entered a meeting of this month a moment ago
        return meeting_id
    raise numbering.none_free()


def one(view: View, meeting_id: str, lang: Lang, *, unit: str = "") -> Json:
    """Return a meeting with what is on its agenda.

    That is every problem found by its day and not settled yet, and those it dealt with. Overdue is reckoned as of the
    day of the meeting. Problems come in the order they are taken: overdue ones first, by unit.

    Raises
    ------
    NotFoundError
    """
    row = next((r for r in plain.records(_table(view)) if r["meeting_id"] == meeting_id), None)
    if row is None:
        raise _none(meeting_id)
    rows = _on_agenda(view, row)
    if unit:
        rows = problem_list.select(rows, problem_list.Wanted(state="all", unit=unit))
    noted = keeping.decisions(row.get("minutes")).set_index("ticket_id")["decision"].to_dict()
    rows = reckoning.in_order(rows)
    items = problem_list.labelled(rows, lang)
    county = view.county
    versions: dict[str, int] = {}
    if view.scope.edits and view.snapshot is None:
        read = county.db.read("problems", columns=["ticket_id", "row_version"])
        versions = dict(zip(read["ticket_id"], read["row_version"].astype(int), strict=True))
    for item in items:
        item["decision"] = noted.get(item["ticket_id"], "")
        item["row_version"] = versions.get(item["ticket_id"])
        item["may_edit"] = item["ticket_id"] in versions and problems.may_edit(county, view.scope, item)
    return {
        "meeting": {**row, "remarks": keeping.remarks(row.get("minutes"))},
        "items": items,
        "overdue": int(rows["overdue"].sum()),
        "units": plain.records(reckoning.by_unit(rows)),
        "options": problem_list.options(view, rows, lang),
        "may_edit": view.scope.edits and view.snapshot is None,
        "as_of": view.as_of,
    }


def _on_agenda(view: View, meeting: Mapping[str, Any]) -> pd.DataFrame:
    rows = problem_list.table(view)
    day = str(meeting.get("held_on") or view.as_of)[:10]
    rows = reckoning.with_due(rows, day)
    named = keeping.dealt_with(rows, str(meeting["meeting_id"]), meeting.get("minutes"))["ticket_id"]
    found_later = (rows["raised_at"].astype("str") > day).fillna(False).astype(bool)
    return rows[(~rows["settled"] & ~found_later) | rows["ticket_id"].isin(set(named))].reset_index(drop=True)


def decide(
    county: County,
    scope: Scope,
    meeting_id: str,
    ticket_id: str,
    *,
    decision: str,
    values: Mapping[str, Any] | None = None,
    expected: int | None = None,
    lang: Lang = "zh",
) -> Json:
    """Note what a meeting decides about a problem: into its minutes, and onto the problem itself.

    Parameters
    ----------
    county, scope
    meeting_id, ticket_id : str
    decision : str
        In words; an empty one takes an earlier one back.
    values : mapping, optional
        What changes on the problem: ``status due lead_unit measure``.
    expected : int, optional
        The problem's ``row_version`` that the editor saw.

    Returns
    -------
    dict
        As `problems.edit`, with ``decision``.

    Raises
    ------
    ForbiddenError, NotFoundError, InputError, ConflictError
        As `problems.edit`; nothing stands in the minutes then.
    """
    words = " ".join(decision.split())
    if len(words) > _LONGEST_DECISION:
        raise InputError(
            Text(f"决定共 {len(words)} 字，太长。", f"{len(words)} characters are too many."),
            Text(f"最多 {_LONGEST_DECISION} 字。", f"At most {_LONGEST_DECISION}."),
            where="decision",
        )
    _stored(county, meeting_id)
    change = {k: v for k, v in (values or {}).items() if k in ("status", "due", "lead_unit", "measure")}
    done = problems.edit(
        county, scope, ticket_id, {**change, "meeting_id": meeting_id}, expected=expected, note=words, lang=lang
    )
    for _ in range(_TRIES):  # other decisions of the same meeting may be noted at the same moment
        meeting = _stored(county, meeting_id)
        text = keeping.with_decision(meeting.get("minutes"), ticket_id, words)
        try:
            county.db.edit("meetings", meeting_id, {"minutes": text}, by=scope.name, expected=meeting["row_version"])
        except ConflictError:
            continue
        return done | {"decision": words}
    raise ConflictError(
        Text("会议纪要正被多人修改，问题已更新，决定没有记下。", "The minutes are being changed by many; the problem is stored, the decision is not."),
        Text("请再保存一次。", "Please save it once more."),
    )  # fmt: skip


def remark(county: County, scope: Scope, meeting_id: str, sent: Mapping[str, Any], *, lang: Lang = "zh") -> None:
    """Change a meeting's date, title, chair, and its remarks (``remarks``); noted decisions stay.

    Raises
    ------
    ForbiddenError, NotFoundError, InputError
    ConflictError
        When somebody changed the remarks since they read ``remarks_seen``.
    """
    scope.require_editor()
    values = forms.parse("meetings", {k: v for k, v in sent.items() if k in ("held_on", "title", "chair")}, lang)
    for _ in range(_TRIES):
        meeting = _stored(county, meeting_id)
        if "remarks" in sent:
            said = forms.parse("meetings", {"minutes": sent["remarks"]}, lang)["minutes"]
            noted = keeping.decisions(meeting.get("minutes"))
            _require_seen(meeting, sent.get("remarks_seen"), keeping.remarks(said))
            text = "\n".join(keeping.remarks(said))
            for ticket, decision in zip(noted["ticket_id"], noted["decision"], strict=True):
                text = keeping.with_decision(text, ticket, decision)
            values["minutes"] = text.strip("\n") or None
        try:
            county.db.edit("meetings", meeting_id, values, by=scope.name, expected=meeting["row_version"])
        except ConflictError:
            continue
        return
    raise ConflictError(
        Text("会议正被多人修改。", "Many are changing this meeting."), Text("请再试一次。", "Try again.")
    )


def _require_seen(meeting: Mapping[str, Any], seen: object, said: list[str]) -> None:
    """Refuse remarks that were written over others than those there are now."""
    stored = keeping.remarks(meeting.get("minutes"))
    if seen is None or stored in (said, keeping.remarks(str(seen))):
        return
    now = " ".join(stored) or "—"
    raise ConflictError(
        Text(f"要点已被他人改为：{now}", f"Somebody changed the remarks to: {now}"),
        Text("请合并后再保存。", "Bring both together and save again."),
    )


def paper(view: View, meeting_id: str, kind: str) -> File:
    """Return the agenda or the minutes of a meeting as .docx. Papers are written in Chinese.

    Raises
    ------
    NotFoundError
        When there is no such meeting or kind of paper.
    """
    from mapapp.render import minutes as laying_out

    if kind not in ("agenda", "minutes"):
        raise NotFoundError(Text("没有这种文件。", "There is no such paper."))
    found = one(view, meeting_id, "zh")
    meeting = found["meeting"]
    rows = found["items"]
    if kind == "minutes":
        rows = [r for r in rows if r["decision"] or r.get("meeting_id") == meeting_id]
    head = laying_out.Meeting(
        view.county.db.name, str(meeting.get("title") or "调度例会"), laying_out.chinese_day(meeting.get("held_on")),
        str(meeting.get("chair") or ""), meeting["remarks"],
    )  # fmt: skip
    printed = pd.DataFrame(
        [
            {
                "ticket_id": r["ticket_id"], "compound": r.get("compound"),
                "category": r["category_label"], "description": r.get("description"), "unit": r.get("lead_unit"),
                "due": r.get("due"), "status": r["status_label"], "overdue": bool(r["overdue"]),
                "days_late": -r["days_left"] if r["overdue"] else None, "decision": r["decision"],
            }
            for r in rows
        ],
        columns=["ticket_id", "compound", "category", "description", "unit", "due", "status", "overdue",
                 "days_late", "decision"],
    )  # fmt: skip
    printed["days_late"] = printed["days_late"].astype("Int64")
    printed["overdue"] = printed["overdue"].astype(bool)
    body = laying_out.agenda(head, printed) if kind == "agenda" else laying_out.minutes(head, printed)
    return File(f"{head.title}{'议程' if kind == 'agenda' else '纪要'}.docx", body)
