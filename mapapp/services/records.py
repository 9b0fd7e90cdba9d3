"""This module reads and changes the records of a compound: utilities, opinions, design changes, inspections, management.

One way for all of them: the schema says which columns a table has, of which kind, unit and allowed values; what is typed
is checked against it, what is stored keeps its history and can be taken back.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import pandas as pd

from mapapp.core import disclosure, schema
from mapapp.core.errors import ConflictError, InputError, NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.programme import opinions
from mapapp.services import forms, plain, rights
from mapapp.services import scope as scopes
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

Json = dict[str, Any]

TABLES: Final = ("utilities", "opinions", "design_changes", "inspections", "management", "buildings")
"""What the records page of a compound edits, in its order."""

FIXED: Final = frozenset({"buildings"})
"""Tables whose rows come from an import: they are changed here, not added or removed."""

_OWNERS: Final = ("owner", "manager")
"""Where a record itself names the unit whose it is."""


# ---------------------------------------------------------------------------------------------------------------- reading


def compound(view: View, compound_id: str) -> Json:
    """Return the compound that records hang on, as this asker sees it.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    rows = pd.DataFrame()
    if "compounds" in view.layers:
        table = view.table("compounds")
        rows = table[table["compound_id"] == compound_id]
    if not len(rows):
        raise NotFoundError(Text(f"没有小区“{compound_id}”。", f"There is no compound {compound_id!r}."))
    return plain.records(rows.iloc[:1])[0]


def listed(view: View, layer: str, compound_id: str) -> list[Json]:
    """Return a compound's rows of a table, as this asker sees them, each with its ``row_version``.

    Raises
    ------
    NotFoundError
        For a table that has no records page, or that this asker does not see.
    """
    declared = _table(layer)
    allowed = scopes.access(view.scope, layer)
    if allowed is None or allowed.counts_only:
        raise NotFoundError(Text(f"没有“{layer}”。", f"There is no {layer!r}."))
    names = [n for n in view.county.db.columns(layer) if allowed.allows(n)]
    names = list(dict.fromkeys([declared.key, "compound_id", *names, "row_version"]))
    rows = view.county.db.read(layer, columns=names, where={"compound_id": compound_id}, geometry=False)
    if not allowed.personal:
        free = [c for c in rows.columns if c in scopes.FREE_TEXT or c in forms.LONG]
        rows = rows.assign(**disclosure.redact(pd.DataFrame(rows[free])))
    return plain.records(rows)


def _table(layer: str) -> schema.Layer:
    if layer not in TABLES:
        raise NotFoundError(
            Text(f"没有“{layer}”这种记录。", f"There are no records called {layer!r}."),
            Text(f"可用：{' '.join(TABLES)}。", f"There are: {' '.join(TABLES)}."),
        )
    return schema.layer(layer)


def page(view: View, compound_id: str, lang: Lang) -> Json:
    """Return all records of a compound with the forms to change them, and what the opinions add up to."""
    about = compound(view, compound_id)
    personal = view.scope.edits
    tables = []
    for layer in TABLES:
        rows = listed(view, layer, compound_id)
        if layer in FIXED and not rows:
            continue
        tables.append(
            {
                "name": layer,
                "title": schema.layer(layer).title.pick(lang),
                "key": schema.layer(layer).key,
                "fields": forms.fields(layer, lang, personal=personal),
                "rows": rows,
                "fixed": layer in FIXED,
                "single": schema.layer(layer).key == "compound_id",
            }
        )
    held = view.county.db.read("opinions", columns=["stance"], where={"compound_id": compound_id})
    return {
        "compound": about,
        "tables": tables,
        "rates": opinions.rates(held, about.get("households"))._asdict(),
        "ledger_rates": {n: about.get(n) for n in ("participation_rate", "consent_rate", "satisfaction_rate")},
        "unasked": _unasked(tables, lang),
        "relapse": _relapse(tables),
        "owners": sorted(set(view.county.db.read("utilities", columns=["owner"])["owner"].dropna())),
    }


def _unasked(tables: list[Json], lang: Lang) -> list[tuple[str, str]]:
    """Return the kinds of pipe and cable that no owner was entered for yet."""
    table = next(t for t in tables if t["name"] == "utilities")
    there = {row.get("kind") for row in table["rows"]}
    column = schema.layer("utilities").column("kind")
    codes = [c.value for c in column.codes if c.value != "other"] if column else []
    return [(c, forms.code_label("utilities", "kind", c, lang)) for c in codes if c not in there]


def _relapse(tables: list[Json]) -> str | None:
    rows = next(t["rows"] for t in tables if t["name"] == "management")
    return next((str(row["relapse_items"]) for row in rows if row.get("relapse_items")), None)


def history(view: View, layer: str, id_: str, lang: Lang) -> list[Json]:
    """Return the changes of one row, newest first; see `histories`."""
    return histories(view, layer, [id_], lang)[id_]


def histories(view: View, layer: str, ids: Sequence[str], lang: Lang, *, limit: int = 60) -> dict[str, list[Json]]:
    """Return the changes of some rows by id, each row's newest first.

    Returns
    -------
    dict of str to list
        Of each change ``edit_id at by kind undoes``, ``alone`` (whether it was made to this row only, so that it can be
        taken back by itself) and ``cells`` with label, before and after. Personal columns are left out for those who
        do not see them; free text loses phone and identity numbers.
    """
    out: dict[str, list[Json]] = {id_: [] for id_ in ids}
    allowed = scopes.access(view.scope, layer)
    told = view.county.db.history(layer)
    touched = told[["edit_id", "id"]].drop_duplicates()["edit_id"].value_counts()
    alone = {int(str(edit_id)) for edit_id in touched.index[touched == 1]}
    told = told[told["id"].isin(out)]
    if allowed is None or not len(told):
        return out
    if not allowed.personal:
        told = told.assign(**disclosure.redact(told[["before", "after"]].astype("str")))
    for (id_, edit_id), part in told.groupby(["id", "edit_id"], sort=True):
        head = part.iloc[0]
        cells = [
            {
                "label": forms.column_label(layer, str(name), lang),
                "before": _shown(layer, str(name), before, lang),
                "after": _shown(layer, str(name), after, lang),
            }
            for name, before, after in zip(part["column"], part["before"], part["after"], strict=True)
            if pd.notna(name) and name != "geometry" and allowed.allows(str(name))
        ]
        undoes = None if pd.isna(head["undoes"]) else int(head["undoes"])
        change = {"edit_id": int(str(edit_id)), "at": str(head["at"]), "by": str(head["by"]), "kind": str(head["kind"])}
        out[str(id_)].append({**change, "undoes": undoes, "alone": int(str(edit_id)) in alone, "cells": cells})
    return {id_: changes[::-1][:limit] for id_, changes in out.items()}


def _shown(layer: str, column: str, value: Any, lang: Lang) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, bool):
        return forms.code_label(layer, column, str(value).lower(), lang)
    declared = schema.layer(layer).column(column)
    if declared is not None and declared.kind in ("enum", "bool"):
        return forms.code_label(layer, column, str(value).lower() if declared.kind == "bool" else str(value), lang)
    return f"{value:g}" if isinstance(value, float) else str(value)


# --------------------------------------------------------------------------------------------------------------- changing


def save(
    county: County,
    scope: Scope,
    layer: str,
    compound_id: str,
    sent: Mapping[str, Any],
    *,
    record: str | None = None,
    expected: int | None = None,
    lang: Lang = "zh",
) -> str:
    """Add a record, or change one, and return its id.

    A look-back inspection that did not pass raises the relapse flag in the compound's management; see `_look_back`.

    Parameters
    ----------
    county, scope
    layer, compound_id : str
    sent : mapping
        Column to what was typed; columns that are not sent stay as they are.
    record : str, optional
        Id of the record; None adds one.
    expected : int, optional
        The ``row_version`` that the editor saw.

    Raises
    ------
    ForbiddenError, NotFoundError, InputError
        Nothing is written then.
    ConflictError
        When somebody else changed the record since; the message says what.
    """
    declared = _table(layer)
    values = forms.parse(layer, {k: v for k, v in sent.items() if k not in (declared.key, "compound_id")}, lang)
    row: Json = {}
    if record is not None:
        row = next((r for r in listed(county.at(scope), layer, compound_id) if str(r[declared.key]) == record), {})
        if not row:
            raise NotFoundError(Text(f"没有记录“{record}”。", f"There is no record {record!r}."))
    elif layer in FIXED:
        raise InputError(Text("楼栋请用导入添加。", "Buildings are added by an import."))
    else:
        compound(county.at(scope), compound_id)
    rights.require_compound(county, scope, compound_id, or_named=(row or values, _OWNERS))
    if not any(v is not None for v in {**row, **values}.values()):
        raise InputError(Text("什么都没有填写。", "Nothing was filled in."))
    if record is None:
        record = compound_id if declared.key == "compound_id" else _new_id(layer)
        county.db.insert(layer, {**values, declared.key: record, "compound_id": compound_id}, by=scope.name)
    else:
        county.db.edit(layer, record, values, by=scope.name, expected=expected)
    if layer == "inspections":
        _look_back(county, scope, compound_id, {**row, **values})
    return record


def _new_id(layer: str) -> str:
    letters = {"utilities": "QS", "opinions": "YJ", "design_changes": "BG", "inspections": "JC"}[layer]
    return f"{letters}{date.today():%y%m%d}-{secrets.token_hex(3)}"


def _look_back(county: County, scope: Scope, compound_id: str, inspection: Mapping[str, Any]) -> None:
    """Keep the relapse flag of the compound's management in step with its look-back inspection.

    A look back with something to put right sets the items (what was found, cut to what the list knows, else the words)
    and its date and score; once it is put right, or a look back passes, the items are taken away. The renovation
    status stays: a relapse is a flag, not a step back.
    """
    if inspection.get("kind") != "look_back" or inspection.get("result") is None:
        return
    bad = inspection["result"] != "passed" and not inspection.get("rectified_on")
    found = str(inspection.get("items") or "")
    known = [item.zh for item in forms.CHOICES["relapse_items"] if item.zh in found]
    values: Json = {"relapse_items": (";".join(known) or found[:200] or "反弹") if bad else None}
    for column, source in (("inspection_date", "held_on"), ("inspection_score", "score")):
        if inspection.get(source) is not None:
            values[column] = inspection[source]
    for _ in range(3):  # somebody else may write the first management row at the same moment
        try:
            if len(county.db.read("management", ids=[compound_id])):
                county.db.edit("management", compound_id, values, by=scope.name)
            else:
                county.db.insert("management", {"compound_id": compound_id, **values}, by=scope.name)
            return
        except ConflictError:
            continue


def remove(
    county: County, scope: Scope, layer: str, compound_id: str, record: str, *, expected: int | None = None
) -> None:
    """Remove a record; it stays in the history and can be brought back. Errors as in `save`."""
    declared = _table(layer)
    if layer in FIXED:
        raise InputError(Text("楼栋请用导入删除。", "Buildings are removed by an import."))
    row = next((r for r in listed(county.at(scope), layer, compound_id) if str(r[declared.key]) == record), None)
    if row is None:
        raise NotFoundError(Text(f"没有记录“{record}”。", f"There is no record {record!r}."))
    rights.require_compound(county, scope, compound_id, or_named=(row, _OWNERS))
    county.db.delete(layer, record, by=scope.name, expected=expected)


def undo(county: County, scope: Scope, layer: str, compound_id: str, record: str, edit_id: int) -> None:
    """Take one change of a record back, as a change of its own.

    Raises
    ------
    ForbiddenError
        For a record of another unit.
    NotFoundError
        When the change is not one of this record's.
    ConflictError
        When the same values changed since.
    """
    _table(layer)
    rows = {str(r[schema.layer(layer).key]): r for r in listed(county.at(scope), layer, compound_id)}
    rights.require_compound(county, scope, compound_id, or_named=(rows.get(record, {}), _OWNERS))
    take_back(county, scope, layer, record, edit_id)


def take_back(county: County, scope: Scope, layer: str, id_: str, edit_id: int) -> None:
    """Undo an edit after checking that it is one of this row's alone; the caller has checked the rights."""
    told = county.db.history(layer)
    touched = set(told.loc[told["edit_id"] == edit_id, "id"])
    if id_ not in touched:
        raise NotFoundError(Text(f"没有可撤销的修改 {edit_id}。", f"There is no edit {edit_id} to undo."))
    if len(touched) > 1:
        raise InputError(
            Text(f"这是一次导入的 {len(touched)} 行。", f"This was an import of {len(touched)} rows."),
            Text("请直接修改这一行，或整批撤销导入。", "Change this row, or take the whole import back."),
        )
    county.db.undo(edit_id, by=scope.name)


def removed(view: View, layer: str, compound_id: str) -> list[Json]:
    """Return the newest removals of a compound's records, so that they can be brought back: ``id edit_id at by``."""
    declared = _table(layer)
    if declared.key == "compound_id":
        told = view.county.db.history(layer, compound_id)
        gone = told[told["kind"] == "remove"].drop_duplicates("edit_id")
        if len(view.county.db.read(layer, ids=[compound_id])):
            gone = gone.iloc[:0]
    else:
        told = view.county.db.history(layer)
        gone = told[(told["kind"] == "remove") & (told["column"] == "compound_id") & (told["before"] == compound_id)]
    there = {str(r[declared.key]) for r in listed(view, layer, compound_id)}
    gone = gone[~gone["id"].isin(there)].tail(5)
    return [
        {"id": str(i), "edit_id": int(e), "at": str(a), "by": str(b)}
        for i, e, a, b in zip(gone["id"], gone["edit_id"], gone["at"], gone["by"], strict=True)
    ]
