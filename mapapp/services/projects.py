"""This module lists and keeps projects, and the works of the catalogue that a compound plans and has done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from mapapp.core import schema
from mapapp.core.errors import InputError, NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.programme import management, projects, totals, works
from mapapp.services import plain, rights, words
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

Json = dict[str, Any]

FIELDS: Final = ("project_id", "name", "year", "kind", "owner_unit", "invest_total_wan", "compound_ids")
OWNER: Final = ("owner_unit",)
"""Where a project, and a compound as far as its works go, names the unit that may change it."""
_HISTORY: Final = 40


def _table(view: View, layer: str) -> pd.DataFrame:
    if layer in view.layers:
        return pd.DataFrame(view.table(layer))
    return pd.DataFrame({c.name: pd.Series(dtype=c.dtype) for c in schema.layer(layer).columns})


def overview(view: View, lang: Lang) -> Json:
    """Return projects with what their compounds add up to, and works by item.

    Returns
    -------
    dict
        ``as_of rows total outside twice compounds kinds works strangers history``; the total counts each compound once.
    """
    table, compounds = _table(view, "projects"), _table(view, "compounds")
    relapse = management.relapse(compounds, _table(view, "management"))
    flagged = set(compounds.loc[relapse.eq(True).fillna(False).to_numpy(dtype=bool), "compound_id"])
    found = projects.summary(table, compounds, flagged)
    facts = found.reset_index(drop=True)  # in the order of the projects
    own = table.drop(columns=[c for c in facts.columns if c in table]).reset_index(drop=True)
    rows = plain.records(pd.concat([own, facts], axis=1))
    for row in rows:
        row["kind_label"] = words.value_label("projects", "kind", str(row["kind"]), lang) if row.get("kind") else None
        row["ids"] = [i for i in str(row.get("compound_ids") or "").split(";") if i]
    pairs = projects.pairs(table)
    inside = compounds[compounds["compound_id"].isin(pairs["compound_id"])]
    counts = pairs["compound_id"].value_counts()
    catalogue, recorded = works.catalogue(), _table(view, "works")
    counted = projects.works(recorded, catalogue)
    whole = totals.whole(inside)
    return {
        "as_of": view.as_of,
        "rows": rows,
        "total": {k: None if pd.isna(whole[k]) else float(whole[k]) for k in ("compounds", "households", "started", "completed")},
        "outside": len(compounds) - len(inside),
        "twice": int((counts > 1).sum()),
        "compounds": _choices(compounds),
        "kinds": [(c.value, words.value_label("projects", "kind", c.value, lang)) for c in _codes("kind")],
        "works": plain.records(_worded(counted[(counted["planned"] > 0) | (counted["done"] > 0)], lang)),
        "strangers": projects.strangers(recorded, catalogue),
        "history": _history(view, lang),
    }  # fmt: skip


def _codes(column: str) -> Sequence[schema.Code]:
    declared = schema.layer("projects").column(column)
    return declared.codes if declared else ()


def _choices(compounds: pd.DataFrame) -> list[tuple[str, str]]:
    street = compounds["street"].fillna("") if "street" in compounds else pd.Series("", index=compounds.index)
    named = compounds["name"].fillna(compounds["compound_id"])
    labels = street.astype("str") + " · " + named.astype("str")
    return sorted(zip(compounds["compound_id"], labels.str.removeprefix(" · "), strict=True), key=lambda c: c[1])


def one(view: View, project_id: str) -> Json:
    """Return one project with its row version; NotFoundError when there is none."""
    table = _table(view, "projects")
    rows = plain.records(table[table["project_id"] == project_id])
    if not rows:
        raise NotFoundError(Text(f"没有项目“{project_id}”。", f"There is no project {project_id!r}."))
    ids = [i.strip() for i in str(rows[0].get("compound_ids") or "").split(";")]
    return rows[0] | {"ids": ids, "row_version": view.county.db.row_version("projects", project_id)}


def row_version(view: View, project_id: str) -> int | None:
    """Return the version of the stored project; None when there is none."""
    there = len(view.county.db.read("projects", ids=[project_id], columns=["project_id"]))
    return view.county.db.row_version("projects", project_id) if there else None


def save(county: County, scope: Scope, values: Mapping[str, str], *, seen: str = "") -> str:
    """Add a project (``seen`` empty) or change one; return its id.

    Parameters
    ----------
    values : mapping
        `FIELDS` as texts; blank is missing; ``compound_ids`` joined by ``;``.
    seen : str
        Row version the editor saw.

    Raises
    ------
    ForbiddenError
        For a viewer, or an editor of a unit who names another owner.
    InputError
        For a missing id or name, a figure that is none, or a compound that there is not.
    ConflictError
        When somebody changed it first; the message says what.
    """
    scope.require_editor()
    ident = values.get("project_id", "").strip()
    if not ident or not values.get("name", "").strip():
        raise InputError(
            Text("项目要有编号和名称。", "A project needs an id and a name."),
            where="project_id" if not ident else "name",
        )
    rights.require(county, scope, values, OWNER)
    typed: dict[str, Any] = {k: values.get(k, "").strip() or None for k in FIELDS if k != "project_id"}
    for name, kind in (("year", int), ("invest_total_wan", float)):
        typed[name] = _number(name, typed[name], kind)
    known = set(_table(county.at(scope), "compounds")["compound_id"])
    strangers = [i for i in (typed["compound_ids"] or "").split(";") if i and i not in known]
    if strangers:
        raise InputError(
            Text(f"没有小区 {strangers[0]}。", f"There is no compound {strangers[0]}."), where="compound_ids"
        )
    if seen:
        rights.require(county, scope, _stored(county, ident), OWNER)
        county.db.edit("projects", ident, typed, by=scope.name, expected=_number("row_version", seen, int))
    else:
        county.db.insert("projects", {"project_id": ident, **typed}, by=scope.name)
    return ident


def _number(name: str, text: str | None, kind: type) -> Any:
    if text is None:
        return None
    try:
        return kind(text.replace(",", ""))
    except ValueError as error:
        raise InputError(Text(f"“{text}”不是数字。", f"{text!r} is no number."), where=name) from error


def _stored(county: County, project_id: str) -> Json:
    """Return a project as it is stored; empty when there is none."""
    return next(iter(plain.records(county.db.read("projects", ids=[project_id]))), {})


def undo(county: County, scope: Scope, edit_id: str) -> None:
    """Take back one change of a project; InputError for what is no change of a project."""
    scope.require_editor()
    told = county.db.history("projects")
    mine = told[told["edit_id"].astype("str") == edit_id]
    if not len(mine):
        raise InputError(Text("没有这条修改。", "There is no such change."), where="undo")
    for ident in mine["id"].dropna().unique():
        rights.require(county, scope, _stored(county, str(ident)), OWNER)
    county.db.undo(int(edit_id), by=scope.name)


def _history(view: View, lang: Lang) -> list[Json]:
    told = view.county.db.history("projects")
    told = told[told["column"].notna() | told["id"].notna()].tail(_HISTORY).iloc[::-1]
    return [
        {
            "edit_id": int(r["edit_id"]), "at": str(r["at"])[:16].replace("T", " "), "by": r["by"], "id": r["id"], "kind": r["kind"],
            "label": words.label("projects", str(r["column"]))[0].pick(lang) if r["column"] else "",
            "before": _word(r["before"]), "after": _word(r["after"]), "undoes": not pd.isna(r["undoes"]),
        }
        for r in told.to_dict("records")
    ]  # fmt: skip


def _word(value: object) -> str:
    return "—" if value is None or pd.isna(value) else str(value)[:120]  # type: ignore[call-overload]  # one value


def _worded(items: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    """Return items of the catalogue with their class and head in the reader's language."""
    out = items.copy()
    for label, column in (("class_label", "national_class"), ("head_label", "county_head")):
        out[label] = [None if pd.isna(name) else works.head(str(name)).pick(lang) for name in items[column]]
    return out


def works_of(view: View, compound_id: str, lang: Lang) -> Json:
    """Return the catalogue with what one compound plans and has done.

    Raises
    ------
    NotFoundError
        When there is no such compound.
    """
    compounds = _table(view, "compounds")
    row = compounds[compounds["compound_id"] == compound_id]
    if not len(row):
        raise NotFoundError(Text(f"没有小区“{compound_id}”。", f"There is no compound {compound_id!r}."))
    mine = _table(view, "works")
    mine = mine[mine["compound_id"] == compound_id].drop_duplicates("code").set_index("code")
    items = works.catalogue()
    for name in ("planned", "done"):
        items[name] = items["code"].map(mine[name].astype("object") if name in mine else {}).eq(True)
    items["finished_on"] = items["code"].map(mine["finished_on"].astype("object") if "finished_on" in mine else {})
    items["label"] = items["name_en" if lang == "en" else "name"]
    items = _worded(items, lang)
    return {
        "compound_id": compound_id,
        "name": str(row["name"].iloc[0]) if pd.notna(row["name"].iloc[0]) else compound_id,
        "items": plain.records(items),
        "strangers": projects.strangers(mine.reset_index(), items) if len(mine) else [],
        "history": _works_history(view, compound_id, items) if view.scope.edits and view.snapshot is None else [],
        "as_of": view.as_of,
    }


def record_works(
    county: County,
    scope: Scope,
    compound_id: str,
    *,
    planned: Sequence[str],
    done: Sequence[str],
    seen: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, int]:
    """Store which items a compound plans and has done, as one import with history; return how many of each.

    Items that are neither planned nor done keep their row, as "no", where there was one; a finish date that is stored stays.
    With ``seen`` (what was ``planned`` and ``done`` when the editor began), only what this editor changed is stored, so
    that two editors of one compound lose nothing of each other.

    Raises
    ------
    ForbiddenError
        For a viewer, or an editor of a unit that does not own the compound's renovation.
    NotFoundError, InputError
        For a compound or a code that there is not.
    """
    scope.require_editor()
    compounds = _table(county.at(scope), "compounds")
    row = compounds[compounds["compound_id"] == compound_id]
    if not len(row):
        raise NotFoundError(Text(f"没有小区“{compound_id}”。", f"There is no compound {compound_id!r}."))
    if "owner_unit" in row:
        rights.require(county, scope, plain.records(row)[0], OWNER)
    items = works.catalogue()
    strangers = sorted({*planned, *done} - set(items["code"]))
    if strangers:
        raise InputError(Text(f"目录里没有 {strangers[0]}。", f"The catalogue has no {strangers[0]}."), where="code")
    there = county.db.read("works")
    stored = set(there.loc[there["compound_id"] == compound_id, "code"]) if len(there) else set()
    if seen is not None:  # only what this editor ticked or cleared; what somebody else changed since stays theirs
        planned, done = (
            _merged(there[there["compound_id"] == compound_id], name, ticked, seen[name])
            for name, ticked in (("planned", planned), ("done", done))
        )
    wanted = items[items["code"].isin({*planned, *done, *stored})]
    frame = pd.DataFrame({
        "works_id": [f"{compound_id}-{code}" for code in wanted["code"]], "compound_id": compound_id,
        "code": wanted["code"].to_numpy(), "planned": wanted["code"].isin(planned).to_numpy(),
        "done": wanted["code"].isin(done).to_numpy(),
    }).astype({"planned": "boolean", "done": "boolean"})  # fmt: skip
    if len(there):
        ids = there[there["compound_id"] == compound_id].set_index("code")["works_id"]
        frame["works_id"] = frame["code"].map(ids).fillna(frame["works_id"]).astype("str")
    county.db.apply(county.db.compare("works", frame, "update"), by=scope.name)
    return {"planned": len(set(planned)), "done": len(set(done))}


def _merged(there: pd.DataFrame, name: str, ticked: Sequence[str], seen: Sequence[str]) -> list[str]:
    """Return the codes that are ticked now: the stored ones with what this editor changed of what they saw."""
    held = (
        set(there.loc[there[name].astype("boolean").fillna(False).to_numpy(dtype=bool), "code"])
        if name in there
        else set()
    )
    return sorted((held | (set(ticked) - set(seen))) - (set(seen) - set(ticked)))


def _works_history(view: View, compound_id: str, items: pd.DataFrame) -> list[Json]:
    """Return the latest changes of a compound's works, newest first: ``edit_id at by items``."""
    told = view.county.db.history("works")
    words_ = dict(zip(items["code"], items["label"], strict=True))
    ids = told["id"].astype("str")
    mine = told[ids.str.rpartition("-")[0] == compound_id] if len(told) else told
    out = []
    for edit_id, part in mine.groupby("edit_id", sort=True):
        if told.loc[told["edit_id"] == edit_id, "id"].nunique() == part["id"].nunique():  # not a whole import
            codes = dict.fromkeys(part["id"].astype("str").str.rpartition("-")[2])
            head = part.iloc[0]
            row = {"edit_id": int(str(edit_id)), "at": str(head["at"]), "by": str(head["by"])}
            out.append(row | {"items": [words_.get(code, code) for code in codes]})
    return out[::-1][:_HISTORY]


def undo_works(county: County, scope: Scope, compound_id: str, edit_id: str) -> None:
    """Take one change of a compound's works back. Errors as in `record_works`, and InputError for no such change."""
    scope.require_editor()
    view = county.at(scope)
    found = works_of(view, compound_id, "zh")
    if edit_id not in {str(h["edit_id"]) for h in found["history"]}:
        raise InputError(Text("没有这条修改。", "There is no such change."), where="undo")
    row = _table(view, "compounds").set_index("compound_id").loc[[compound_id]]
    if "owner_unit" in row:
        rights.require(county, scope, plain.records(row)[0], OWNER)
    county.db.undo(int(edit_id), by=scope.name)
