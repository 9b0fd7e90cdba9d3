"""This module reads and changes the records of a compound: utilities, opinions, design changes, inspections, management.

One way for all of them: the schema says which columns a table has, of which kind, unit and allowed values; what is typed
is checked against it, what is stored keeps its history and can be taken back.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import pandas as pd

from mapapp.core import disclosure, schema
from mapapp.core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from mapapp.core.schema import Column
from mapapp.core.text import Lang, Text
from mapapp.programme import opinions
from mapapp.services import accounts, viewing, words
from mapapp.services import scope as scopes
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

Json = dict[str, Any]

TABLES: Final = ("utilities", "opinions", "design_changes", "inspections", "management", "buildings")
"""What the records page of a compound edits, in its order."""

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "buildings": ("building_no", "floors", "units", "households", "elevator", "leader", "leader_phone")
}
"""Columns offered where a table has more than a form should; all others of a table otherwise."""

FIXED: Final = frozenset({"buildings"})
"""Tables whose rows come from an import: they are changed here, not added or removed."""

CHOICES: Final[Mapping[str, tuple[Text, ...]]] = {
    "approved_by": (
        Text("业主", "owner"),
        Text("设计", "designer"),
        Text("监理", "supervisor"),
        Text("施工", "contractor"),
    ),
    "relapse_items": (
        Text("乱搭乱建", "new illegal structures"),
        Text("脏乱差", "dirt"),
        Text("飞线", "aerial cables"),
        Text("占道", "blocked ways"),
        Text("堵塞", "blocked sewers"),
    ),
}
"""Items of list columns that are ticked; the Chinese word is what is stored. Four parties sign a design change."""

_LABELS: Final[Mapping[str, Text]] = {
    "resident_feedback": Text("居民意见", "residents' wish"),
    "site_condition": Text("现场条件", "site condition"),
    "utility": Text("管线权属单位要求", "utility owner"),
    "cost": Text("造价", "cost"),
    "other": Text("其他", "other"),
    "audit": Text("数据检查", "audit"),
    "ask": Text("咨询", "question"),
    "share": Text("分享链接", "share link"),
    "door": Text("入户", "at the door"),
    "site": Text("文明施工", "civilised site"),
    "look_back": Text("回头看", "look back"),
    "rectify": Text("限期整改", "to be put right"),
}
_UNITS_EN: Final[Mapping[str, str]] = {
    "万元": "10 000 yuan", "元/㎡·月": "yuan/m² a month", "分": "points", "层": "", "个": "", "户": "", "栋": "", "year": "",
}  # fmt: skip
_LONG: Final = frozenset({"text", "reply", "note", "items", "description", "measure", "minutes"})
_LONGEST: Final = {True: 4000, False: 200}
_UNIT_COLUMNS: Final = ("owner_unit", "contractor", "supervisor", "designer")


def code_label(layer: str, column: str, value: str, lang: Lang) -> str:
    """Return the word for a stored code: the dictionary's, else ours, else the code."""
    found = words.value_label(layer, column, value, lang)
    if value in _LABELS and found in (value, value.replace("_", " ")):
        return _LABELS[value].pick(lang)
    return found


def column_label(layer: str, column: str, lang: Lang) -> str:
    """Return what a column of a table is called on a form; the dictionary's word, else its own name."""
    declared = schema.layer(layer).column(column)
    return _capital(declared.label.pick(lang) if declared else column.replace("_", " "))


def _capital(words_: str) -> str:
    return words_[:1].upper() + words_[1:]


def unit_words(unit: str, lang: Lang) -> str:
    """Return a unit as people write it: years and counts need none in English."""
    if lang == "en":
        return _UNITS_EN.get(unit, unit)
    return "" if unit == "year" else unit


def fields(layer: str, lang: Lang, *, personal: bool, skip: Sequence[str] = ()) -> list[Json]:
    """Return the form of a table: one field per column, in the dictionary's order.

    Parameters
    ----------
    layer : str
    lang : {"zh", "en"}
    personal : bool
        Whether columns with personal data are offered.
    skip : sequence of str
        Columns that the form does not ask for.
    """
    declared = schema.layer(layer)
    names = COLUMNS.get(layer, tuple(c.name for c in declared.columns))
    out = []
    for column in (declared.column(n) for n in names):
        if column is None or column.name in (declared.key, "compound_id", *skip) or (column.personal and not personal):
            continue
        items = CHOICES.get(column.name, ())
        out.append(
            {
                "name": column.name,
                "label": column_label(layer, column.name, lang),
                "unit": unit_words(column.unit, lang),
                "kind": column.kind,
                "long": column.name in _LONG,
                "longest": _LONGEST[column.name in _LONG],
                "personal": column.personal,
                "minimum": column.minimum,
                "maximum": column.maximum,
                "codes": [(c.value, code_label(layer, column.name, c.value, lang)) for c in column.codes]
                if column.kind == "enum"
                else [],
                "choices": [(item.zh, item.pick(lang)) for item in items],
            }
        )
    return out


def parse(layer: str, sent: Mapping[str, Any], lang: Lang = "zh") -> Json:
    """Return typed values of what was typed; an empty field is missing, a field that was not sent is left alone.

    Raises
    ------
    InputError
        For a column that the table has not, or a value it cannot hold; ``where`` is the column's label.
    """
    declared = schema.layer(layer)
    out: Json = {}
    for name, raw in sent.items():
        column = declared.column(name)
        if column is None or name == "geometry":
            raise InputError(
                Text(f"“{declared.title.zh}”没有名为“{name}”的列。", f"{declared.name} has no column {name!r}."),
                where=name[:60],
            )
        out[name] = _value(column, raw, lang)
    return out


def _value(column: Column, raw: Any, lang: Lang) -> Any:
    if isinstance(raw, list | tuple):
        raw = ";".join(str(item).strip() for item in raw if str(item).strip())
    if raw is None or (isinstance(raw, float) and math.isnan(raw)):
        return None
    text = ("true" if raw else "false") if isinstance(raw, bool) else str(raw).replace("\r\n", "\n").strip()
    if not text:
        return None
    where = _capital(column.label.pick(lang))
    longest = _LONGEST[column.name in _LONG]
    if len(text) > longest:
        raise InputError(
            Text(f"共 {len(text)} 字，太长。", f"{len(text)} characters are too many."),
            Text(f"最多 {longest} 字。", f"At most {longest}."),
            where=where,
        )
    if column.kind in ("date", "month"):
        return _date(text, column, where)
    if column.kind in ("int", "float"):
        return _number(text, column, where)
    if column.kind == "bool":
        if text.lower() not in ("true", "false", "yes", "no", "1", "0", "on"):
            raise InputError(Text(f"“{text}”不是“是”或“否”。", f"{text!r} is neither yes nor no."), where=where)
        return text.lower() in ("true", "yes", "1", "on")
    if column.kind == "enum" and not schema.keeps_unknown_words(column.name):
        known = [c.value for c in column.codes]
        if text not in known:
            raise InputError(
                Text(f"没有“{text}”这个选项。", f"There is no {text!r}."),
                Text(f"可选：{' '.join(known)}。", f"Use one of {' '.join(known)}."),
                where=where,
            )
    if column.kind == "list":
        return ";".join(
            dict.fromkeys(p.strip() for p in text.replace("；", ";").replace("、", ";").split(";") if p.strip())
        )
    return text


def _date(text: str, column: Column, where: str) -> str:
    whole = text if column.kind == "date" else f"{text}-01"
    try:
        day = date.fromisoformat(whole)
    except ValueError as error:
        raise InputError(
            Text(f"“{text}”不是日期。", f"{text!r} is not a date."),
            Text("请写成 2026-11-25 这样。", "Write it like 2026-11-25."),
            where=where,
        ) from error
    return day.isoformat() if column.kind == "date" else day.isoformat()[:7]


def _number(text: str, column: Column, where: str) -> float | int:
    try:
        number = float(text.replace(",", "").replace("，", ""))
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (column.kind == "int" and not number.is_integer()):
        raise InputError(Text(f"“{text}”不是数。", f"{text!r} is not a number."), where=where)
    low, high = column.minimum, column.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        span = f"{low:g} – {high:g}" if low is not None and high is not None else f"≥ {low:g}"
        raise InputError(
            Text(f"{text} 超出范围。", f"{text} is out of range."),
            Text(f"应为 {span}。", f"It is {span}."),
            where=where,
        )
    return int(number) if column.kind == "int" else number


# ------------------------------------------------------------------------------------------------------- who may change


def own_unit(county: County, scope: Scope) -> str | None:
    """Return the unit whose things this editor may change; None for all: administrators, and editors of no unit.

    Raises
    ------
    ForbiddenError
        For a viewer and for a share.
    """
    scope.require_editor()
    if scope.administers:
        return None
    account = accounts.find(county.db, scope.name)
    return (account.unit or "").strip() or None if account else None


def names_unit(row: Mapping[str, Any], unit: str, columns: Sequence[str]) -> bool:
    """Whether a row names the unit in one of the columns, alone or among several."""
    items = (str(row.get(c) or "").replace("；", ";").replace("、", ";").split(";") for c in columns)
    return any(unit == item.strip() for parts in items for item in parts)


def not_yours(unit: str) -> ForbiddenError:
    """Return the refusal for a row of another unit."""
    return ForbiddenError(
        Text(f"这不是{unit}的内容，不能修改。", f"This does not belong to {unit}."),
        Text("请联系牵头单位或管理员。", "Ask the lead unit or an administrator."),
    )


def _require_own(county: County, scope: Scope, compound_id: str, row: Mapping[str, Any]) -> None:
    unit = own_unit(county, scope)
    if unit is None:
        return
    table = county.at(scope).frame("compounds")
    compound = viewing.records(table[table["compound_id"] == compound_id])
    mine = bool(compound) and names_unit(compound[0], unit, _UNIT_COLUMNS)
    if not mine and not names_unit(row, unit, ("owner", "manager")):
        raise not_yours(unit)


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
    return viewing.records(rows.iloc[:1])[0]


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
        free = [c for c in rows.columns if c in scopes.FREE_TEXT or c in _LONG]
        rows = rows.assign(**disclosure.redact(pd.DataFrame(rows[free])))
    return viewing.records(rows)


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
                "fields": fields(layer, lang, personal=personal),
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
    return [(c, code_label("utilities", "kind", c, lang)) for c in codes if c not in there]


def _relapse(tables: list[Json]) -> str | None:
    rows = next(t["rows"] for t in tables if t["name"] == "management")
    return next((str(row["relapse_items"]) for row in rows if row.get("relapse_items")), None)


def history(view: View, layer: str, id_: str, lang: Lang, *, limit: int = 60) -> list[Json]:
    """Return the changes of one row, newest first; see `histories`."""
    return histories(view, layer, [id_], lang, limit=limit)[id_]


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
                "label": column_label(layer, str(name), lang),
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
        return code_label(layer, column, str(value).lower(), lang)
    declared = schema.layer(layer).column(column)
    if declared is not None and declared.kind in ("enum", "bool"):
        return code_label(layer, column, str(value).lower() if declared.kind == "bool" else str(value), lang)
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
    values = parse(layer, {k: v for k, v in sent.items() if k not in (declared.key, "compound_id")}, lang)
    row: Json = {}
    if record is not None:
        row = next((r for r in listed(county.at(scope), layer, compound_id) if str(r[declared.key]) == record), {})
        if not row:
            raise NotFoundError(Text(f"没有记录“{record}”。", f"There is no record {record!r}."))
    elif layer in FIXED:
        raise InputError(Text("楼栋请用导入添加。", "Buildings are added by an import."))
    else:
        compound(county.at(scope), compound_id)
    _require_own(county, scope, compound_id, row or values)
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
    known = [item.zh for item in CHOICES["relapse_items"] if item.zh in found]
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
    _require_own(county, scope, compound_id, row)
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
    _require_own(county, scope, compound_id, rows.get(record, {}))
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
