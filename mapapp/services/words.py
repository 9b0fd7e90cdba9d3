"""This module finds the words for stored codes: verdicts and rules from the audit, classes from the style table."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from typing import Final

import pandas as pd

from mapapp import resources
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
    "relapsed": Text("反弹", "Relapsed"),
    "programme_year": Text("改造年度", "Programme year"),
    "status": Text("改造状态", "Status"),
    "street": Text("街道", "Street office"),
    "severity": Text("严重程度", "Severity"),
    "message": Text("说明", "Message"),
    "layer": Text("图层", "Layer"),
    "feature_id": Text("对象", "Feature"),
}
_PLAIN: Final[Mapping[str, Text]] = {
    "finding_id": Text("问题编号", "Finding"),
    "related": Text("相关对象", "Related features"),
    "value": Text("数值", "Value"),
    "fix": Text("处理办法", "What to do"),
    "note": Text("备注", "Note"),
    "decided_by": Text("处理人", "Decided by"),
    "decided_at": Text("处理时间", "Decided at"),
    "compound_id": Text("小区编号", "Compound id"),
    "nearest_pipe_id": Text("最近管线", "Nearest pipe"),
    "candidate_id": Text("编号", "Candidate"),
    "rank": Text("排名", "Rank"),
    "manhole_id": Text("检查井", "Manhole"),
    "available_fall_m": Text("可用高差", "Available fall"),
    "required_fall_m": Text("所需高差", "Required fall"),
    "fall_basis": Text("高差依据", "Fall rests on"),
    "gravity": Text("可自流", "By gravity"),
    "link_id": Text("接入管编号", "Link"),
    "compound_ids": Text("服务小区", "Compounds served"),
    "from_node": Text("起点", "From node"),
    "to_node": Text("终点", "To node"),
    "length_m": Text("长度", "Length"),
    "diameter_mm": Text("管径", "Diameter"),
    "slope": Text("坡度", "Slope"),
    "ground_up_m": Text("起点地面高程", "Ground level, upper end"),
    "ground_down_m": Text("终点地面高程", "Ground level, lower end"),
    "invert_up_m": Text("起点管底高程", "Invert, upper end"),
    "invert_down_m": Text("终点管底高程", "Invert, lower end"),
    "depth_up_m": Text("起点埋深", "Depth, upper end"),
    "depth_down_m": Text("终点埋深", "Depth, lower end"),
    "flow_lps": Text("流量", "Flow"),
    "pump": Text("需提升", "Pump"),
    "cost_low": Text("造价下限", "Cost, low"),
    "cost": Text("造价", "Cost"),
    "cost_high": Text("造价上限", "Cost, high"),
    "corridor": Text("走向", "Corridor"),
    "x_north": Text("X（北）", "X (north)"),
    "y_east": Text("Y（东）", "Y (east)"),
}
"""What derived columns are called, which no dictionary names."""


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
    if not _chinese(text.zh):
        text = _PLAIN.get(column, text)
    if declared is not None:  # the dictionary writes them as in the middle of a sentence
        text = Text(text.zh, text.en[:1].upper() + text.en[1:])
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
    if code is not None and (reviewed := _code_words().get((column, value))) is not None:
        return reviewed.pick(lang)
    if code is not None and lang == "zh":  # the words of a code are what files call it: letters and numbers too
        return value if value.isupper() else next((word for word in code.words if _chinese(word)), value)
    dressed = style.STYLE.get(layer)
    if dressed is not None and dressed.column == column and column != "status":
        return dressed.class_of(value).label.pick(lang)
    return value.replace("_", " ") if code is not None else value


def _chinese(word: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in word)


@cache
def _code_words() -> Mapping[tuple[str, str], Text]:
    """Return the words of codes that are stored in Chinese or as bare letters, by column and value."""
    with (resources.folder("geodata") / "code-words.csv").open(encoding="utf-8", newline="") as file:
        return {(row["field"], row["value"]): Text(row["zh"], row["en"]) for row in csv.DictReader(file)}


def in_words(frame: pd.DataFrame, layer: str, lang: Lang) -> list[dict[str, str]]:
    """Return for each row the words of its codes, by column: of those columns alone whose values are codes."""
    said = {
        name: filters.as_words(frame[name]).fillna("").map(known | {"": ""}).tolist()
        for name, known in of_codes(frame, layer, lang).items()
    }
    return [dict(zip(said, row, strict=True)) for row in zip(*said.values(), strict=True)] or [
        {} for _ in range(len(frame))
    ]


def of_codes(frame: pd.DataFrame, layer: str, lang: Lang) -> dict[str, dict[str, str]]:
    """Return the words of the values of each column whose values are codes, by column and value."""
    out: dict[str, dict[str, str]] = {}
    for name in map(str, frame.columns):
        if name == "geometry":
            continue
        _, _, kind = label(layer, name)
        declared = schema.layer(layer).column(name)
        coded = kind in ("bool", "enum") or bool(declared is not None and declared.codes)
        if coded or name in ("verdict", "rule", "rules", "severity", "layer"):
            values = filters.as_words(frame[name]).dropna().unique()
            out[name] = {str(v): _said(layer, name, str(v), lang) for v in values}
    return out


def _said(layer: str, column: str, value: str, lang: Lang) -> str:
    if column == "layer" and value in schema.layers():
        return schema.layer(value).title.pick(lang)
    many = value.split(";") if column in LISTS else [value]
    glue = "、" if lang == "zh" else ", "
    return glue.join(value_label(layer, column, one, lang) for one in many) if value else ""


def status_values(value: str) -> tuple[str, ...]:
    """Return the stored statuses that a word of the legend stands for: ``under_way`` is started and under way."""
    for entry in style.STYLE["compounds"].classes:
        if entry.id == value:
            return tuple(v or filters.MISSING for v in entry.values)  # noqa: PD011  # a class of the legend, no table
    return (value,)


def status_letter(status: object) -> str:
    """Return the letter that stands for a renovation status on the map; a missing status has its letter too."""
    return style.status_class(status).letter
