"""This module finds the words for stored codes: verdicts and rules from the audit, classes from the style table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mapapp.audit.rules import RULES, Rule
from mapapp.audit.verdicts import VERDICTS, Verdict
from mapapp.core import filters, schema
from mapapp.core.text import Lang, Text
from mapapp.render import style

LISTS: Final = frozenset({"rules", "rule", "unit", "co_units", "works_done", "relapse_items", "compound_ids"})
"""Columns whose cells hold several items joined by ``;``."""
UNKNOWN = Text("未知", "Unknown")
_LABELS: Final[Mapping[str, Text]] = {
    "verdict": Text("接入结论", "Sewer verdict"),
    "evidence": Text("依据", "Evidence"),
    "distance_m": Text("到管线距离", "distance to the pipe"),
    "rules": Text("问题", "Findings"),
    "rule": Text("问题", "Finding"),
    "unit": Text("责任单位", "Unit"),
    "letter": Text("符号", "Letter"),
    "problems_open": Text("未销号问题", "Open problems"),
    "sewer_pending": Text("污水待接入", "Waiting for a sewer"),
    "programme_year": Text("改造年度", "Programme year"),
    "status": Text("改造状态", "Status"),
    "street": Text("街道", "Street office"),
    "severity": Text("严重程度", "Severity"),
    "message": Text("说明", "Message"),
    "layer": Text("图层", "Layer"),
    "feature_id": Text("对象", "Feature"),
}


def verdicts() -> Mapping[str, Verdict]:
    """Return the audit's verdicts by id."""
    return VERDICTS


def rules() -> Mapping[str, Rule]:
    """Return the audit's rules by id."""
    return RULES


def label(layer: str, column: str) -> tuple[Text, str, str]:
    """Return a column's label, unit and kind; a column that a file brought along is called what the file calls it."""
    declared = schema.layer(layer).column(column)
    text = _LABELS.get(column) or (declared.label if declared else Text(column, column))
    if declared is None:
        return text, "m" if column.endswith("_m") else "", "list" if column in LISTS else "str"
    return text, declared.unit, declared.kind


def value_label(layer: str, column: str, value: str, lang: Lang) -> str:
    """Return the word for a stored code in the asker's language, or the value itself.

    Examples
    --------
    >>> value_label("pipes", "kind", "sewage", "zh"), value_label("compounds", "status", "handed_over", "en")
    ('污水', 'handed over')
    """
    if value == filters.MISSING:
        return UNKNOWN.pick(lang)
    if column in ("verdict", "rule", "rules"):
        found = (verdicts() if column == "verdict" else rules()).get(value)
        return found.title.pick(lang) if found is not None else value
    if value in ("true", "false"):
        return (Text("是", "yes") if value == "true" else Text("否", "no")).pick(lang)
    declared = schema.layer(layer).column(column)
    code = next((c for c in declared.codes if c.value == value), None) if declared else None
    if code is not None and lang == "zh":
        return code.words[0] if code.words else value
    dressed = style.STYLE.get(layer)
    if dressed is not None and dressed.column == column and column != "status":
        return dressed.class_of(value).label.pick(lang)
    return value.replace("_", " ") if code is not None else value


def status_values(value: str) -> tuple[str, ...]:
    """Return the stored statuses that a word of the legend stands for: ``under_way`` is started and under way."""
    for entry in style.STYLE["compounds"].classes:
        if entry.id == value:
            return tuple(v or filters.MISSING for v in entry.values)
    return (value,)


def status_letter(status: object) -> str:
    """Return the letter that stands for a renovation status on the map; a missing status has its letter too."""
    return style.status_class(status).letter
