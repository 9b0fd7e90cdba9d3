"""This module keeps the list of problems: found, assigned, solved, struck off; made from gaps and closed with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import geopandas as gpd
import pandas as pd

from mapapp.core.errors import ConflictError, InputError, NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.programme import problems as reckoning
from mapapp.services import deciding, forms, numbering, photos, plain, problem_list, records, rights
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

Json = dict[str, Any]

FORM_SKIPS: Final = ("photos",)
"""Columns of the dictionary that the form does not ask for: photos are a table of their own."""


def one(view: View, ticket_id: str, lang: Lang) -> Json:
    """Return one problem with its words, version, photos, history and the finding it was made from.

    Raises
    ------
    NotFoundError
        When there is none, to this asker.
    """
    rows = problem_list.table(view)
    rows = rows[rows["ticket_id"] == ticket_id]
    if not len(rows):
        raise _none(ticket_id)
    county = view.county
    found = problem_list.labelled(rows.iloc[:1], lang)[0]
    found["row_version"] = county.db.row_version("problems", ticket_id) if view.snapshot is None else None
    finding = deciding.finding(county, found["finding_id"]) if found["finding_id"] else None
    return {
        "problem": found,
        "fields": forms.fields("problems", lang, personal=view.scope.edits, skip=FORM_SKIPS),
        "photos": photos.listed(county, view.scope, "problems", ticket_id),
        "history": records.history(view, "problems", ticket_id, lang),
        "finding": finding,
        "decisions": deciding.history(county, view.scope, found["finding_id"]) if finding and view.scope.edits else [],
        "may_edit": view.snapshot is None and may_edit(county, view.scope, found),
        "options": problem_list.options(view, problem_list.table(view), lang),
        "as_of": view.as_of,
    }


def may_edit(county: County, scope: Scope, row: Mapping[str, Any]) -> bool:
    """Whether the asker may change this problem: an administrator, an editor of no unit, or of a unit named on it."""
    return rights.may_change(county, scope, row, reckoning.UNIT_COLUMNS)


def _stored(county: County, ticket_id: str) -> Json:
    row = _stored_or_none(county, ticket_id)
    if not row:
        raise _none(ticket_id)
    return row


def _stored_or_none(county: County, ticket_id: str) -> Json:
    names = [*county.db.columns("problems"), "row_version"]
    rows = plain.records(county.db.read("problems", ids=[ticket_id], columns=list(dict.fromkeys(names))))
    return rows[0] if rows else {}


def _none(ticket_id: str) -> NotFoundError:
    return NotFoundError(Text(f"没有问题“{ticket_id}”。", f"There is no problem {ticket_id!r}."))


def require_own(county: County, scope: Scope, ticket_id: str) -> None:
    """Raise `ForbiddenError` unless the asker may change this problem, `NotFoundError` when there is none."""
    rights.require(county, scope, _stored(county, ticket_id), reckoning.UNIT_COLUMNS)


def create(
    county: County, scope: Scope, sent: Mapping[str, Any], *, lang: Lang = "zh", today: str | None = None
) -> str:
    """Add a problem and return its id, the next of the year: WT2026-001.

    Raises
    ------
    ForbiddenError, InputError
        For a viewer; for a value that does not fit, no category or description, or a compound that does not exist.
    """
    scope.require_editor()
    values = forms.parse("problems", {k: v for k, v in sent.items() if k != "ticket_id"}, lang)
    day = today or date.today().isoformat()
    for name in ("category", "description"):
        if not values.get(name):
            label = forms.column_label("problems", name, lang)
            raise InputError(Text("没有填写。", "This is empty."), Text("请填写。", "Please fill it in."), where=label)
    _check(county, values)
    values = {"raised_at": day, "status": "open"} | {k: v for k, v in values.items() if v is not None}
    return numbering.add(county, "problems", f"WT{day[:4]}", values, by=scope.name)[0]


def _check(county: County, values: Mapping[str, Any]) -> None:
    compound_id = values.get("compound_id")
    if compound_id and compound_id not in set(county.db.effective_compounds()["compound_id"]):
        raise InputError(
            Text(f"没有小区“{compound_id}”。", f"There is no compound {compound_id!r}."), where="compound_id"
        )
    raised, due = values.get("raised_at"), values.get("due")
    if raised and due and due < raised:
        raise InputError(Text(f"时限 {due} 早于发现时间 {raised}。", f"Due {due} is before it was found, {raised}."))


def edit(
    county: County,
    scope: Scope,
    ticket_id: str,
    sent: Mapping[str, Any],
    *,
    expected: int | None = None,
    note: str = "",
    lang: Lang = "zh",
    today: str | None = None,
) -> Json:
    """Change a problem; settling it also decides the finding it was made from as fixed, opening it again confirms it.

    Parameters
    ----------
    county, scope
    ticket_id : str
    sent : mapping
        Column to what was typed; what is not sent stays.
    expected : int, optional
        The ``row_version`` that the editor saw.
    note : str
        With a closing: what was done. It is added to the measure with its date, and becomes the finding's note.

    Returns
    -------
    dict
        ``ticket_id row_version status``, and ``finding_id`` where a finding was decided with it.

    Raises
    ------
    ForbiddenError
        For a viewer, and for a problem that does not name the editor's unit.
    InputError
        For a value that does not fit, and for a closing that does not say what was done.
    ConflictError
        When somebody else changed it since; the message says what.
    """
    row = _stored(county, ticket_id)
    rights.require(county, scope, row, reckoning.UNIT_COLUMNS)
    values = forms.parse("problems", {k: v for k, v in sent.items() if k != "ticket_id"}, lang)
    _check(county, {**row, **values})
    closing = values.get("status") == "closed" and row.get("status") != "closed"
    if closing:
        values["measure"] = _struck_off(
            values.get("measure", row.get("measure")), note, today or date.today().isoformat()
        )
    done = county.db.edit("problems", ticket_id, values, by=scope.name, expected=expected)
    out: Json = {
        "ticket_id": ticket_id,
        "row_version": done.row_version,
        "status": values.get("status", row.get("status")),
    }
    why = note.strip() or str(values.get("measure") or "")
    if finding_id := deciding.finding_follows(county, scope, ticket_id, row.get("status"), out["status"], why):
        out["finding_id"] = finding_id
    return out


def _struck_off(measure: str | None, note: str, day: str) -> str:
    words_ = note.strip()
    if not words_ and not (measure or "").strip():
        raise InputError(
            Text("销号要写明采取了什么措施。", "Closing a problem needs what was done."),
            Text("请填写整改措施或销号说明。", "Fill in the measure or the closing note."),
            where="measure",
        )
    return reckoning.struck_off(measure, words_, day)


def remove(county: County, scope: Scope, ticket_id: str, *, expected: int | None = None) -> None:
    """Remove a problem entered by mistake; its history stays. Errors as in `edit`."""
    require_own(county, scope, ticket_id)
    county.db.delete("problems", ticket_id, by=scope.name, expected=expected)


def undo(county: County, scope: Scope, ticket_id: str, edit_id: int) -> None:
    """Take one change back; the finding that a problem was made from follows. Errors as in `edit`."""
    row = _stored_or_none(county, ticket_id)
    if row:
        rights.require(county, scope, row, reckoning.UNIT_COLUMNS)
    elif (unit := rights.own_unit(county, scope)) is not None:  # it was removed, and with it whose it was
        raise rights.not_yours(unit)
    records.take_back(county, scope, "problems", ticket_id, edit_id)
    now = _stored_or_none(county, ticket_id)
    if row and now:
        deciding.finding_follows(county, scope, ticket_id, row.get("status"), now.get("status"))


def undo_decision(county: County, scope: Scope, ticket_id: str, *, expected: str | None = None) -> None:
    """Take the newest decision about the finding a problem was made from back; the problem follows. Errors as in `edit`."""
    require_own(county, scope, ticket_id)
    finding_id = reckoning.finding_of(ticket_id)
    if finding_id is None:
        raise InputError(Text("这条问题不是由缺口转入的。", "This problem was not made from a gap."))
    deciding.undo(county, scope, finding_id, expected=expected)


# ----------------------------------------------------------------------------------------------------------- from a gap


def decided_at(view: View, finding_id: str) -> str:
    """Return when a finding was last decided, an empty text when nobody did: what the next decision rests on."""
    findings = view.table("findings")
    if "decided_at" not in findings.columns:
        return ""
    known = findings.loc[findings["finding_id"] == finding_id, "decided_at"].dropna()
    return str(known.iloc[0]) if len(known) else ""


def of_finding(view: View, finding_id: str, lang: Lang) -> Json | None:
    """Return the problem that a finding became, ``ticket_id status status_label settled``; None when it became none."""
    rows = problem_list.table(view)
    rows = rows[rows["ticket_id"] == reckoning.ticket_of(finding_id)]
    if not len(rows):
        return None
    row = problem_list.labelled(rows, lang)[0]
    return {name: row[name] for name in ("ticket_id", "status", "status_label", "settled")}


def from_finding(county: County, scope: Scope, finding_id: str, *, today: str | None = None) -> tuple[str, bool]:
    """Make a finding a problem; asked twice it is the same problem.

    Returns
    -------
    tuple
        The problem's id, and whether it was made now. An open finding is confirmed by it.

    Raises
    ------
    ForbiddenError, NotFoundError
    """
    scope.require_editor()
    found = county.db.read("findings", ids=[finding_id])
    if not len(found):
        raise NotFoundError(Text(f"没有问题“{finding_id}”。", f"There is no finding {finding_id!r}."))
    row = plain.records(pd.DataFrame(found.drop(columns="geometry", errors="ignore")))[0]
    place = plain.lonlat(found)[0] if isinstance(found, gpd.GeoDataFrame) else None
    location = f"{place[0]:.6f},{place[1]:.6f}" if place else None
    values = reckoning.from_finding(row, raised_at=today or date.today().isoformat(), location=location)
    try:
        county.db.insert("problems", {k: v for k, v in values.items() if v is not None}, by=scope.name)
    except ConflictError:
        return str(values["ticket_id"]), False
    if (row.get("status") or "open") == "open":
        deciding.decide(county, scope, finding_id, status="confirmed", note=str(row.get("note") or ""))
    return str(values["ticket_id"]), True
