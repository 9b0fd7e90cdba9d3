"""This module holds the one style table: what every class of every layer is called, coloured, lettered and dashed.

Legend, map, map sheet and report read it. No class is told apart by colour alone: each has a letter, a dash, a hatch or
a shape of its own. Colours follow the conventions of county plans (grey not started, orange under way, green done) and,
for drainage, a readable palette beside the single brown of CJJ 61-2017, appendix C.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from mapapp.core.text import Lang, Text

Symbol = Literal["circle", "square", "diamond", "triangle", "drop", "cross", "rect"]
CJJ61_BROWN = "#4C3926"  # RGB 76, 57, 38
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Class:
    """How the features of one class look.

    Attributes
    ----------
    values : tuple of str
        Values of the layer's column that fall in the class; "" stands for a missing one.
    fill, stroke, ink : str
        ``#rrggbb`` of area or symbol, of line or outline, of the letter; "" for none.
    opacity : float
        Of the fill.
    width, radius : float
        Screen pixels.
    dash : tuple of float
        Screen pixels on and off; empty for a full line.
    """

    id: str
    label: Text
    values: tuple[str, ...] = ()
    fill: str = ""
    opacity: float = 1.0
    stroke: str = ""
    width: float = 1.0
    dash: tuple[float, ...] = ()
    letter: str = ""
    ink: str = "#FFFFFF"
    hatch: bool = False
    symbol: Symbol = "circle"
    radius: float = 5.0
    arrow: bool = False

    @property
    def color(self) -> str:
        """The colour that speaks for the class where there is room for one: the fill, unless that is white."""
        return self.fill if self.fill and self.fill != "#FFFFFF" else self.stroke


@dataclass(frozen=True, slots=True)
class LayerStyle:
    """How one layer looks: the column that decides, its classes in legend order, zooms, labels."""

    id: str
    layer: str
    column: str
    title: Text
    classes: tuple[Class, ...]
    fallback: str = UNKNOWN
    min_zoom: int = 0
    label_column: str = ""
    label_zoom: int = 99
    label_suffix: str = ""
    letters: bool = False  # along lines

    def class_of(self, value: object) -> Class:
        """Return the class of a value; missing and unlisted values fall in the fallback class."""
        text = "" if value is None or value is pd.NA or value != value else str(value)  # NaN differs from itself
        for entry in self.classes:
            if text in entry.values:  # noqa: PD011  # a tuple of ours
                return entry
        return next(c for c in self.classes if c.id == self.fallback)


_UNKNOWN_AREA = Class(
    UNKNOWN, Text("未知", "Unknown"), ("", "unknown"), fill="#FFFFFF", opacity=0.85, stroke="#5F6368", width=1.2,
    letter="?", ink="#3C4043", hatch=True,
)  # fmt: skip

_STATUSES: tuple[Class, ...] = (
    Class("not_started", Text("未开工", "Not started"), ("surveyed", "reserved", "planned"),
          fill="#9AA0A6", opacity=0.75, stroke="#5F6368", width=1.4, letter="未", ink="#202124"),
    Class("preparing", Text("前期", "Preparing"), ("preparing",),
          fill="#7FB3E6", opacity=0.75, stroke="#2F6DA8", width=1.4, letter="前", ink="#123A5E"),
    Class("under_way", Text("在建", "Under way"), ("started", "under_way"),
          fill="#F2A33A", opacity=0.8, stroke="#A8620A", width=1.4, letter="建", ink="#3D2400"),
    Class("completed", Text("已完工", "Completed"), ("completed",),
          fill="#3DA35D", opacity=0.8, stroke="#1F6F43", width=1.4, letter="完", ink="#06210F"),
    Class("accepted", Text("已验收", "Accepted"), ("accepted", "handed_over", "managed"),
          fill="#1F6F43", opacity=0.85, stroke="#0E4427", width=1.4, letter="验"),
    Class("relapsed", Text("反弹", "Relapsed"), ("relapsed",),
          fill="#FFFFFF", opacity=0.75, stroke="#D93025", width=2.4, dash=(6, 3), letter="反", ink="#B3261E"),
    Class("withdrawn", Text("调出计划", "Withdrawn"), ("withdrawn",),
          fill="#FFFFFF", opacity=0.45, stroke="#9AA0A6", width=1.2, dash=(2, 3), letter="调", ink="#5F6368"),
    _UNKNOWN_AREA,
)  # fmt: skip

_STATUSES = tuple(replace(c, radius=9) for c in _STATUSES)  # compounds known as a point only

_VERDICTS: tuple[Class, ...] = (
    Class("connected", Text("已接入", "Connected"), ("connected",),
          fill="#2F7FB8", opacity=0.75, stroke="#174A70", width=1.4, letter="通"),
    Class("not_connected", Text("未接入", "Not connected"), ("not_connected",),
          fill="#C2255C", opacity=0.8, stroke="#7A1238", width=1.6, letter="缺"),
    Class("no_main", Text("周边无主管", "No main nearby"), ("no_main",),
          fill="#862E9C", opacity=0.8, stroke="#521B60", width=1.6, letter="无"),
    Class("dangling", Text("断头", "Dangling"), ("dangling",),
          fill="#E8590C", opacity=0.8, stroke="#8A3405", width=1.6, letter="断", ink="#2B0F00"),
    Class("wrong_outlet", Text("去向不对", "Wrong outlet"), ("wrong_outlet",),
          fill="#E03131", opacity=0.8, stroke="#8A1818", width=1.6, letter="错"),
    Class("no_gravity", Text("无法自流", "No gravity fall"), ("no_gravity",),
          fill="#B08900", opacity=0.8, stroke="#6B5400", width=1.6, letter="低", ink="#1F1800"),
    Class("inlet_unknown", Text("接口不明", "Inlet unknown"), ("inlet_unknown",),
          fill="#FFF3BF", opacity=0.9, stroke="#8A6D00", width=1.4, letter="口", ink="#4A3A00", hatch=True),
    Class("no_data", Text("无数据", "No data"), ("no_data", ""),
          fill="#FFFFFF", opacity=0.85, stroke="#5F6368", width=1.2, letter="?", ink="#3C4043", hatch=True),
)  # fmt: skip

_VERDICTS = tuple(replace(c, radius=9) for c in _VERDICTS)

_PIPES = (
    Class("sewage", Text("污水", "Sewage"), ("sewage",), stroke="#7A4A2E", width=2.2, letter="W", arrow=True),
    Class("storm", Text("雨水", "Storm water"), ("storm",),
          stroke="#1C7C9C", width=1.8, dash=(7, 4), letter="Y", arrow=True),
    Class("combined", Text("合流", "Combined"), ("combined",),
          stroke="#7B3FA0", width=2.2, dash=(9, 3, 2, 3), letter="H", arrow=True),
    Class("other", Text("其他", "Other"), ("other",), stroke="#80868B", width=1.4, dash=(2, 2)),
    Class(UNKNOWN, Text("未知", "Unknown"), ("", "unknown"), stroke="#80868B", width=1.6, dash=(2, 4), letter="?"),
)  # fmt: skip

_CJJ61_LETTERS = {"sewage": "WS", "storm": "YS", "combined": "HS"}

_MANHOLES = tuple(
    replace(c, fill="#FFFFFF", width=1.3, dash=(), ink=c.stroke, radius=3.2, arrow=False, symbol="circle")
    for c in _PIPES
)

_OUTLETS = (
    Class("wwtp", Text("污水处理厂", "Treatment plant"), ("wwtp",),
          fill="#1A5D3A", stroke="#FFFFFF", width=1.5, letter="厂", symbol="square", radius=10),
    Class("boundary", Text("管网边界", "Network boundary"), ("boundary",),
          fill="#2F6DA8", stroke="#FFFFFF", width=1.5, letter="界", symbol="square", radius=9),
    Class("pump", Text("泵站", "Pumping station"), ("pump",),
          fill="#5F3DC4", stroke="#FFFFFF", width=1.5, letter="泵", symbol="diamond", radius=10),
    Class("interceptor", Text("截流井", "Interceptor"), ("interceptor",),
          fill="#8A6D00", stroke="#FFFFFF", width=1.5, letter="截", symbol="diamond", radius=10),
    Class("outfall", Text("排口（入水体）", "Outfall to water"), ("outfall",),
          fill="#1C7C9C", stroke="#FFFFFF", width=1.5, letter="排", symbol="drop", radius=9),
    Class(UNKNOWN, Text("未知", "Unknown"), ("", "unknown"),
          fill="#FFFFFF", stroke="#5F6368", width=1.5, letter="?", ink="#3C4043", symbol="square", radius=8),
)  # fmt: skip

_SEVERITIES = (
    Class("error", Text("严重", "Serious"), ("error",),
          fill="#D93025", stroke="#D93025", width=3.0, letter="!", symbol="triangle", radius=7.5),
    Class("warning", Text("注意", "Warning"), ("warning",),
          fill="#F2A33A", stroke="#C77700", width=2.6, letter="!", ink="#3D2400", symbol="diamond", radius=7),
    Class("info", Text("提示", "Notice"), ("info", "notice"),
          fill="#2F6DA8", stroke="#2F6DA8", width=2.2, letter="i", symbol="circle", radius=6),
    Class(UNKNOWN, Text("未知", "Unknown"), ("", "unknown"),
          fill="#FFFFFF", stroke="#5F6368", width=2.0, letter="?", ink="#3C4043", symbol="circle", radius=6),
)  # fmt: skip


def _one(name: str, label: Text, **look: Any) -> tuple[Class, ...]:
    return (Class(name, label, ("",), **look),)


STYLE: Mapping[str, LayerStyle] = MappingProxyType({
    s.id: s
    for s in (
        LayerStyle("waters", "waters", "", Text("水系", "Waters"),
                   _one("water", Text("水系", "Water"), fill="#C9DFEA", stroke="#A5C6D6", width=0.8),
                   fallback="water", label_column="name", label_zoom=15),
        LayerStyle("survey_areas", "survey_areas", "", Text("普查范围", "Survey areas"),
                   _one("survey_area", Text("普查范围", "Survey area"), fill="#2F6DA8", opacity=0.06,
                        stroke="#2F6DA8", width=1.2, dash=(8, 4)), fallback="survey_area"),
        LayerStyle("streets", "streets", "class", Text("道路", "Streets"), (
            Class("main", Text("主干路", "Main road"), ("main",), stroke="#C4C8CC", width=5),
            Class("secondary", Text("次干路", "Secondary road"), ("secondary",), stroke="#CDD1D4", width=3.6),
            Class("other", Text("支路", "Minor road"), ("",), stroke="#D7DADD", width=2.2),
        ), fallback="other", min_zoom=10, label_column="name", label_zoom=15),
        LayerStyle("railways", "railways", "", Text("铁路", "Railways"),
                   _one("railway", Text("铁路", "Railway"), stroke="#6B6B6B", width=2, dash=(10, 4)),
                   fallback="railway", min_zoom=10, label_column="name", label_zoom=15),
        LayerStyle("spot_heights", "spot_heights", "", Text("高程点", "Spot heights"),
                   _one("spot_height", Text("高程点", "Spot height"), fill="#8A6D3B", stroke="#FFFFFF", width=0.5, radius=2),
                   fallback="spot_height", min_zoom=15, label_column="elev_m", label_zoom=17),
        LayerStyle("buildings", "buildings", "", Text("楼栋", "Buildings"),
                   _one("building", Text("楼栋", "Building"), fill="#D8D2C8", opacity=0.9, stroke="#B8AFA2", width=0.6),
                   fallback="building", min_zoom=13),
        LayerStyle("compounds", "compounds", "status", Text("改造状态", "Renovation status"), _STATUSES,
                   label_column="name", label_zoom=16),
        LayerStyle("verdicts", "compounds", "verdict", Text("污水接入", "Sewer verdict"), _VERDICTS,
                   fallback="no_data", label_column="name", label_zoom=16),
        LayerStyle("relapses", "compounds", "relapsed", Text("反弹", "Relapsed"), (
            Class("relapsed", Text("反弹", "Relapsed"), ("true", "True"),
                  opacity=0, stroke="#D93025", width=3.2, dash=(6, 3), radius=9),
            Class("not", Text("没有反弹", "Not relapsed"), ("", "false", "False"), opacity=0, stroke="#FFFFFF", width=0),
        ), fallback="not"),
        LayerStyle("pipes", "pipes", "kind", Text("排水管线", "Pipes"), _PIPES, min_zoom=8),
        LayerStyle("pipes_cjj61", "pipes", "kind", Text("排水管线（CJJ 61）", "Pipes (CJJ 61)"), tuple(
            replace(c, stroke=CJJ61_BROWN, letter=_CJJ61_LETTERS.get(c.id, c.letter), ink=CJJ61_BROWN) for c in _PIPES
        ), min_zoom=8, letters=True),
        LayerStyle("inlets", "inlets", "", Text("雨水口", "Storm inlets"),
                   _one("inlet", Text("雨水口", "Storm inlet"), fill="#FFFFFF", stroke="#1C7C9C", width=1.2,
                        symbol="rect", radius=3), fallback="inlet", min_zoom=16),
        LayerStyle("manholes", "manholes", "kind", Text("检查井", "Manholes"), _MANHOLES, min_zoom=17),
        LayerStyle("links", "links", "pump", Text("拟建接入管", "Planned links"), (
            Class("gravity", Text("拟建（自流）", "Planned, gravity"), ("", "False", "false"),
                  stroke="#D93025", width=3, dash=(8, 5), arrow=True),
            Class("pumped", Text("拟建（提升）", "Planned, pumped"), ("True", "true"),
                  stroke="#D93025", width=3, dash=(2, 4), arrow=True),
        ), fallback="gravity", label_column="length_m", label_zoom=16, label_suffix=" m"),
        LayerStyle("candidates", "candidates", "gravity", Text("候选接入井", "Candidate inlets"), (
            Class("gravity", Text("可自流", "By gravity"), ("True", "true"), stroke="#2F7FB8", width=2, dash=(3, 3)),
            Class("pumped", Text("需提升", "Needs a pump"), ("False", "false"), stroke="#B08900", width=2, dash=(1, 3)),
            Class(UNKNOWN, Text("高程未知", "Levels unknown"), ("",), stroke="#80868B", width=2, dash=(1, 5)),
        ), min_zoom=14),
        LayerStyle("outlets", "outlets", "facility", Text("排口与厂站", "Outlets and plants"), _OUTLETS,
                   label_column="name", label_zoom=15),
        LayerStyle("findings", "findings", "severity", Text("缺口与问题", "Findings"), _SEVERITIES),
    )
})  # fmt: skip
"""All styles, in drawing order from the ground up; two styles may dress one layer."""


def status_class(status: object) -> Class:
    """Return the shown class of a canonical renovation status; missing and unlisted ones are unknown."""
    return STYLE["compounds"].class_of(status)


def style_json(
    lang: Lang,
    *,
    verdicts: Mapping[str, Text] | None = None,
    rules: Mapping[str, tuple[Text, str]] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the table as plain values in one language, for the page and the map.

    Parameters
    ----------
    lang : str
        Language of the labels.
    verdicts : mapping of verdict id to title, optional
        The audit's own titles, instead of the short ones here.
    rules : mapping of rule id to (title, severity), optional
        Listed under ``findings`` as ``rules``, each with the look of its severity.

    Returns
    -------
    dict
        By style id: ``layer column title fallback min_zoom label_column label_zoom label_suffix letters order`` and
        ``classes``, a list of dicts with the fields of `Class` and ``color``, the one that speaks for the class.
    """
    titles = {"verdicts": dict(verdicts or {})}
    out: dict[str, dict[str, Any]] = {}
    for order, style in enumerate(STYLE.values()):
        own = titles.get(style.id, {})
        entry = asdict(style)
        entry["title"], entry["order"] = style.title.pick(lang), order
        entry["classes"] = [
            asdict(c)
            | {
                "label": own.get(c.id, c.label).pick(lang),
                "values": list(c.values),
                "dash": list(c.dash),
                "color": c.color,
            }
            for c in style.classes
        ]
        out[style.id] = entry
    out["findings"]["rules"] = [
        {"id": rule, "label": title.pick(lang), "severity": severity}
        for rule, (title, severity) in (rules or {}).items()
    ]
    return out
