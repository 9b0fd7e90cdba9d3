"""This module keeps the list of problems: found, assigned, solved, struck off; made from gaps and closed with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import geopandas as gpd
import pandas as pd

from mapapp.core import schema
from mapapp.core.errors import ConflictError, InputError, NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.programme import problems as reckoning
from mapapp.services import deciding, forms, photos, records, rights, viewing
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

Json = dict[str, Any]

FORM_SKIPS: Final = ("photos",)
"""Columns of the dictionary that the form does not ask for: photos are a table of their own."""
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which problems are asked for; an empty member asks nothing.

    Parameters
    ----------
    category, status, unit, street, compound : str
        One code, one unit named anywhere on the problem, one street, one compound's id.
    state : {"open", "overdue", "settled", "all"}
        Whether settled.
    text : str
        Words in the description, measure, id or the compound's name.
    """

    category: str = ""
    status: str = ""
    unit: str = ""
    street: str = ""
    compound: str = ""
    state: str = "open"
    text: str = ""


def table(view: View) -> pd.DataFrame:
    """Return all problems this asker sees with ``settled overdue days_left age_days``, ``compound`` (name) and ``street``."""
    declared = schema.layer("problems")
    if "problems" in view.layers and not view.access("problems").counts_only:
        rows = pd.DataFrame(view.table("problems"))
    else:
        rows = pd.DataFrame({c.name: pd.Series(dtype="str") for c in declared.columns})
    rows = reckoning.with_due(rows.reindex(columns=list(dict.fromkeys([*rows.columns, "compound_id"]))), view.as_of)
    names = pd.DataFrame({"compound_id": pd.Series(dtype="str")})
    if "compounds" in view.layers:
        compounds = pd.DataFrame(view.table("compounds"))
        names = compounds.reindex(columns=["compound_id", "name", "street"]).drop_duplicates("compound_id")
    at = names.set_index("compound_id")
    for ours, theirs in (("compound", "name"), ("street", "street")):
        known = at[theirs] if theirs in at.columns else pd.Series(dtype="str")
        rows[ours] = rows["compound_id"].map(known).astype("str")
    return rows


def select(rows: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """Return the rows of `table` that are asked for."""
    keep = pd.Series(True, index=rows.index)
    if wanted.state == "open":
        keep &= ~rows["settled"]
    elif wanted.state == "overdue":
        keep &= rows["overdue"]
    elif wanted.state == "settled":
        keep &= rows["settled"]
    for column, value in (("category", wanted.category), ("status", wanted.status), ("street", wanted.street),
                          ("compound_id", wanted.compound)):  # fmt: skip
        if value:
            keep &= (rows[column] == value).fillna(False).astype(bool)
    if wanted.unit:
        keep &= _units(rows).map(lambda named: wanted.unit in named)
    if wanted.text:
        said = [
            rows[c].astype("str").fillna("") for c in ("ticket_id", "description", "measure", "compound") if c in rows
        ]
        hay = said[0].str.cat(pd.concat(said[1:], axis=1), sep="\n").str.lower()
        keep &= hay.str.contains(wanted.text.lower(), regex=False).fillna(False).astype(bool)
    return rows[keep.to_numpy(dtype=bool)]


def _units(rows: pd.DataFrame) -> pd.Series:
    there = [rows[c].astype("str").fillna("") for c in reckoning.UNIT_COLUMNS if c in rows.columns]
    if not there:
        return pd.Series([[]] * len(rows), index=rows.index, dtype=object)
    joined = there[0].str.cat(pd.concat(there[1:], axis=1), sep=";") if len(there) > 1 else there[0]
    return joined.str.split(r"[;；、]", regex=True).map(lambda items: {i.strip() for i in items if i.strip()})


def listed(view: View, wanted: Wanted, lang: Lang) -> Json:
    """Return the list: rows in the order a meeting takes them, counts, and what can be filtered by.

    Returns
    -------
    dict
        ``rows`` (values with ``category_label status_label``), ``total`` of all there are, ``counts`` by state,
        ``units`` (per lead unit), ``options`` for the filters, ``as_of``.
    """
    everything = table(view)
    some = reckoning.in_order(select(everything, wanted))
    return {
        "rows": labelled(some, lang),
        "total": len(everything),
        "counts": {
            "open": int((~everything["settled"]).sum()),
            "overdue": int(everything["overdue"].sum()),
            "settled": int(everything["settled"].sum()),
            "all": len(everything),
        },
        "units": viewing.records(reckoning.by_unit(everything)),
        "options": options(view, everything, lang),
        "removed": removed(view),
        "as_of": view.as_of,
    }


def removed(view: View) -> list[Json]:
    """Return the five newest removals that can be brought back, ``id edit_id at by``; none but to who edits all of them."""
    if view.snapshot is not None or not view.scope.edits or rights.own_unit(view.county, view.scope) is not None:
        return []
    told = view.county.db.history("problems")
    gone = told[told["kind"] == "remove"].drop_duplicates("edit_id")
    there = set(view.county.db.read("problems", columns=["ticket_id"])["ticket_id"])
    gone = gone[~gone["id"].isin(there)].drop_duplicates("id", keep="last").tail(5)
    return [
        {"id": str(i), "edit_id": int(e), "at": str(a), "by": str(b)}
        for i, e, a, b in zip(gone["id"], gone["edit_id"], gone["at"], gone["by"], strict=True)
    ]


def labelled(rows: pd.DataFrame, lang: Lang) -> list[Json]:
    """Return rows as JSON values, with the words for their codes."""
    out = viewing.records(rows)
    for row in out:
        for name in ("category", "status", "raised_by"):
            value = row.get(name)
            row[f"{name}_label"] = "" if value is None else forms.code_label("problems", name, str(value), lang)
        row["finding_id"] = reckoning.finding_of(str(row["ticket_id"]))
        row["at"] = _at(row.get("location"))
    return out


def _at(location: object) -> str | None:
    """Return where the map opens for a place written as ``lon,lat``; None for one in words."""
    found = re.fullmatch(r"\s*(-?\d{1,3}\.\d+)\s*[,，]\s*(-?\d{1,2}\.\d+)\s*", str(location or ""))
    return f"18/{float(found[2]):.5f}/{float(found[1]):.5f}" if found else None


def options(view: View, rows: pd.DataFrame, lang: Lang) -> Json:
    """Return what the filters and the form offer: codes with their words, units, streets, compounds (id, name)."""
    declared = schema.layer("problems")
    out: Json = {}
    for name in ("category", "status"):
        column = declared.column(name)
        out[name] = [
            (c.value, forms.code_label("problems", name, c.value, lang)) for c in (column.codes if column else ())
        ]
    out["units"] = sorted({unit for named in _units(rows) for unit in named})
    out["streets"], out["compounds"] = [], []
    if "compounds" in view.layers:
        compounds = pd.DataFrame(view.table("compounds")).reindex(columns=["compound_id", "name", "street"])
        out["streets"] = sorted(compounds["street"].dropna().unique().tolist())
        named = compounds["name"].fillna(compounds["compound_id"])
        out["compounds"] = sorted(
            zip(compounds["compound_id"].tolist(), named.tolist(), strict=True), key=lambda c: c[1]
        )
    return out


def one(view: View, ticket_id: str, lang: Lang) -> Json:
    """Return one problem with its words, version, photos, history and the finding it was made from.

    Raises
    ------
    NotFoundError
        When there is none, to this asker.
    """
    rows = table(view)
    rows = rows[rows["ticket_id"] == ticket_id]
    if not len(rows):
        raise _none(ticket_id)
    county = view.county
    found = labelled(rows.iloc[:1], lang)[0]
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
        "options": options(view, table(view), lang),
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
    rows = viewing.records(county.db.read("problems", ids=[ticket_id], columns=list(dict.fromkeys(names))))
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
    for _ in range(_TRIES):
        ticket_id = _next_id(county, day[:4])
        try:
            county.db.insert("problems", {**values, "ticket_id": ticket_id}, by=scope.name)
        except ConflictError:
            continue  # somebody else took the number a moment ago
        return ticket_id
    raise ConflictError(
        Text("暂时排不上号。", "No number is free just now."), Text("请再试一次。", "Please try again.")
    )


def _next_id(county: County, year: str) -> str:
    taken = county.db.read("problems", columns=["ticket_id"])["ticket_id"]
    told = county.db.history("problems")["id"]  # a number that was removed is not given to another problem
    numbers = pd.concat([taken, told]).astype("str").str.extract(rf"^WT{year}-(\d+)$", expand=False)
    last = pd.to_numeric(numbers, errors="coerce").max()
    return f"WT{year}-{(0 if pd.isna(last) else int(last)) + 1:03d}"


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
    rows = table(view)
    rows = rows[rows["ticket_id"] == reckoning.ticket_of(finding_id)]
    if not len(rows):
        return None
    row = labelled(rows, lang)[0]
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
    row = viewing.records(pd.DataFrame(found.drop(columns="geometry", errors="ignore")))[0]
    place = viewing.lonlat(found)[0] if isinstance(found, gpd.GeoDataFrame) else None
    location = f"{place[0]:.6f},{place[1]:.6f}" if place else None
    values = reckoning.from_finding(row, raised_at=today or date.today().isoformat(), location=location)
    try:
        county.db.insert("problems", {k: v for k, v in values.items() if v is not None}, by=scope.name)
    except ConflictError:
        return str(values["ticket_id"]), False
    if (row.get("status") or "open") == "open":
        deciding.decide(county, scope, finding_id, status="confirmed", note=str(row.get("note") or ""))
    return str(values["ticket_id"]), True
