"""This module makes forms from the schema, and typed values from what was typed into them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.schema import Column
from mapapp.core.text import Lang, Text
from mapapp.services import words

Json = dict[str, Any]

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "buildings": ("building_no", "floors", "units", "households", "elevator", "leader", "leader_phone")
}
"""Columns offered where a table has more than a form should; all others of a table otherwise."""

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
LONG: Final = frozenset({"text", "reply", "note", "items", "description", "measure", "minutes"})
_LONGEST: Final = {True: 4000, False: 200}


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
                "long": column.name in LONG,
                "longest": _LONGEST[column.name in LONG],
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
    longest = _LONGEST[column.name in LONG]
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
