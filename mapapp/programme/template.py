"""This module reads the editable words of the report: which figures a sentence may name, and how they are filled in."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.text import Text

Facts = Mapping[str, float | str | None]

NUMERALS: Final = "零一二三四五六七八九十"
NUMBERS: Final = ("1.", "一是")
"""How the paragraphs of a part may be counted."""

LABELS: Final[Mapping[str, Text]] = MappingProxyType({
    "county": Text("县名", "county"),
    "as_of": Text("截至日期", "as-of date"),
    "total": Text("小区总数", "compounds in all"),
    "relapsed": Text("反弹小区数", "compounds that relapsed"),
    "problems": Text("登记问题数", "problems on record"),
    "problems_closed": Text("办结问题数", "problems closed"),
    "open_sewer": Text("污水类未办结问题数", "open sewer problems"),
    "meetings": Text("调度例会次数", "dispatch meetings"),
    "design_changes": Text("设计变更数", "design changes"),
    "design_changes_wished": Text("因居民意愿的设计变更数", "design changes that residents wished"),
    "opinions": Text("居民意见数", "residents' opinions"),
    "opinions_answered": Text("已答复的居民意见数", "residents' opinions answered"),
    "inspections": Text("检查次数", "inspections"),
    "inspections_bad": Text("查出问题的检查次数", "inspections that found something"),
    "inspections_mended": Text("已整改的检查次数", "inspections whose findings were put right"),
    "aerial_cable_owners": Text("线缆权属单位数", "owners of aerial cables"),
    "managed": Text("已落实管理的小区数", "managed compounds"),
    "unmanaged": Text("无物业的小区数", "compounds without management"),
    "management_unknown": Text("管理情况未登记的小区数", "compounds whose management is not on record"),
    "takeovers": Text("计划接管的小区数", "takeovers planned"),
    "audited": Text("已排查小区数", "compounds audited"),
    "connected": Text("已接入小区数", "compounds connected"),
    "unserved": Text("未接入小区数", "compounds without a sewer"),
    "unserved_households": Text("未接入户数", "households without a sewer"),
    "no_main": Text("周边无主管的小区数", "compounds without a main nearby"),
    "inlet_unknown": Text("接入口不明的小区数", "compounds with an unknown inlet"),
    "no_data": Text("无资料的小区数", "compounds without data"),
    "heads": Text("改造内容类别", "heads of works"),
    "head_count": Text("改造内容类别数", "number of heads"),
    "items": Text("改造内容项数", "items of works"),
    "area": Text("建筑面积", "floor area"),
    "buildings": Text("楼栋数", "buildings"),
    "households": Text("户数", "households"),
    "invest": Text("总投资", "total investment"),
})  # fmt: skip
"""The figures that sentences may name, besides ``open_<category>`` for each category of problems."""

YEAR_FIGURES: Final = {
    "area": "floor_area_m2",
    "buildings": "buildings",
    "households": "households",
    "invest": "invest_total_wan",
}
_YEAR_NAMES: Final = frozenset(YEAR_FIGURES) | {
    "year", "compounds", "started", "completed", "waiting", "in_year", "later", "later_until", "unknown",
}  # fmt: skip
YEAR_KEYS: Final = (
    "facts", "all_completed", "completed_later", "part_completed", "all_started", "part_started", "none_started", "unknown",
)  # fmt: skip


def fact_names() -> frozenset[str]:
    """Return the names that a sentence outside the years may use."""
    column = schema.layer("problems").column("category")
    categories = {f"open_{code.value}" for code in column.codes} if column is not None else set()
    return frozenset(set(LABELS) - set(YEAR_FIGURES)) | categories


class Filler:
    """Fills ``{name}``; a figure that is not known becomes the mark, and its name is remembered.

    A template may come from anybody who edits it, so this knows plain names only: no attribute, index or format.
    """

    def __init__(self, mark: str) -> None:
        self.mark, self.missing = mark, dict[str, None]()

    def format(self, text: str, **facts: float | str | None) -> str:
        """Return the sentence with its figures."""
        return "".join(literal + self._value(name, facts) for literal, name in pieces(text))

    def _value(self, name: str | None, facts: Facts) -> str:
        if name is None:
            return ""
        value = facts.get(name)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            self.missing[name] = None
            return self.mark
        return value if isinstance(value, str) else plain(float(value))


def pieces(text: str) -> list[tuple[str, str | None]]:
    """Cut a sentence into literals, each with the name that follows it.

    Raises
    ------
    InputError
        For a brace without its partner, or anything but a name between braces.
    """
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise _bad(text, Text("花括号不成对", "a brace lacks its partner")) from error
    for _, name, spec, conversion in parts:
        if name is not None and (not name.isidentifier() or spec or conversion):
            raise _bad(text, Text(f"“{{{name}}}”不是一个名称", f"{{{name}}} is not a name"))
    return [(literal, name) for literal, name, _, _ in parts]


def _bad(text: str, why: Text) -> InputError:
    return InputError(
        Text(
            f"模板的句子“{text[:40]}”写错了：{why.zh}。",
            f"A sentence of the template, {text[:40]!r}, is wrong: {why.en}.",
        ),
        Text("花括号里只能写数字的名称。", "Only names of figures stand between braces."),
    )


def checked(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the template when it is whole and names only figures that exist.

    Raises
    ------
    InputError
        Naming the key or the sentence.
    """
    sentences = [_sentence(template, key) for key in ("title", "missing", "intro", "closing", "annex")]
    year, works = template.get("year"), template.get("works")
    words = [_sentence(year if isinstance(year, Mapping) else {}, key, "year.") for key in YEAR_KEYS]
    sentences.append(_sentence(works if isinstance(works, Mapping) else {}, "facts", "works."))
    sections = template.get("section")
    if not isinstance(sections, list) or not sections or len(sections) >= len(NUMERALS):
        raise _lacks("section")
    for section in sections:
        parts = section.get("part", ()) if isinstance(section, Mapping) else None
        if parts is None or not isinstance(parts, list | tuple) or len(parts) >= len(NUMERALS):
            raise _lacks("section.part")
        for piece in (section, *parts):
            _sentence(piece if isinstance(piece, Mapping) else {}, "heading", "section.")
            if piece.get("number", "") not in ("", *NUMBERS):
                raise _lacks(f"number = {str(piece['number'])[:20]!r}")
            sentences += _sentences_of(piece.get("body", ()))
    known = fact_names()
    for group, names in ((sentences, known), (words, known | _YEAR_NAMES)):
        for text in group:
            if strange := sorted({name for _, name in pieces(text) if name} - names):
                raise _bad(text, Text(f"没有名为“{strange[0]}”的数字", f"there is no figure {strange[0]!r}"))
    return template


def _sentences_of(body: Any) -> list[str]:
    out = []
    for item in body if isinstance(body, list | tuple) else (None,):
        text = item.get("text") if isinstance(item, Mapping) else item
        when = item.get("when") if isinstance(item, Mapping) else None
        if not isinstance(text, str) or (when is not None and when not in fact_names()):
            raise _lacks(f"body: {str(item)[:60]}")
        if text not in ("@years", "@works"):
            out.append(text)
    return out


def _sentence(part: Mapping[str, Any], key: str, under: str = "") -> str:
    text = part.get(key)
    if not isinstance(text, str) or not text or len(text) > 2000:
        raise _lacks(under + key)
    return text


def _lacks(key: str) -> InputError:
    return InputError(
        Text(f"模板里的 {key} 缺少或写错了。", f"The template's {key} is absent or wrong."),
        Text("可先下载现有模板，在它上面改。", "Download the present template and change that one."),
    )


def plain(number: float) -> str:
    """Return a figure as official papers print it: at most two decimals, none where they are zero, no separators.

    Examples
    --------
    >>> plain(33.18), plain(2670.0), plain(5767.3), plain(0.1 + 0.2)
    ('33.18', '2670', '5767.3', '0.3')
    """
    return f"{number:.2f}".rstrip("0").rstrip(".")
