"""This module declares every layer and table once: key, geometry, columns, units, aliases, allowed values.

The columns come from the field dictionary (``geodata/field-dictionary.csv``), a plain reviewed file; the tables that
we derive (findings, verdicts, links, candidates) are declared here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Literal

from mapapp import resources
from mapapp.core.errors import NotFoundError
from mapapp.core.text import Text

Kind = Literal["str", "int", "float", "bool", "date", "month", "enum", "list"]
Geometry = Literal["point", "line", "polygon"]

PANDAS_DTYPES: Mapping[Kind, str] = MappingProxyType(
    {
        "str": "str",
        "int": "Int64",
        "float": "float64",
        "bool": "boolean",
        "date": "str",  # ISO 8601, YYYY-MM-DD
        "month": "str",  # ISO 8601, YYYY-MM
        "enum": "str",
        "list": "str",  # list: items joined by ";"
    }
)
"""How a column of each kind is held in a frame; missing is NaN/NA, never a sentinel."""


@dataclass(frozen=True, slots=True)
class Code:
    """One allowed value of an enumeration: what we store, and the words found in files for it."""

    value: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a layer: name, kind, unit, and how strangers call it."""

    name: str
    kind: Kind = "str"
    unit: str = ""
    label: Text = Text("", "")
    aliases: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    personal: bool = False
    meaning: str = ""

    @property
    def dtype(self) -> str:
        """The pandas dtype this column is held in."""
        return PANDAS_DTYPES[self.kind]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer (with geometry) or table (without)."""

    name: str
    key: str
    title: Text
    geometry: tuple[Geometry, ...] = ()
    columns: tuple[Column, ...] = ()
    derived: bool = False
    _by_name: Mapping[str, Column] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {c.name: c for c in self.columns})

    @property
    def spatial(self) -> bool:
        """Whether rows may carry geometry."""
        return bool(self.geometry)

    def column(self, name: str) -> Column | None:
        """Return the declared column, or None for one that a file brought along."""
        return self._by_name.get(name)

    @property
    def personal(self) -> frozenset[str]:
        """Names of columns that hold personal data: editors only, never in a share, log or tile."""
        return frozenset(c.name for c in self.columns if c.personal)


# name: (dictionary tables, key, geometry, title)
_DECLARED: Mapping[str, tuple[tuple[str, ...], str, tuple[Geometry, ...], Text]] = MappingProxyType(
    {
        "compounds": (("compound", "programme_year"), "compound_id", ("polygon", "point"), Text("小区", "Compounds")),
        "buildings": (("building",), "building_id", ("polygon", "point"), Text("楼栋", "Buildings")),
        "pipes": (("sewer_pipe",), "pipe_id", ("line",), Text("排水管线", "Pipes")),
        "manholes": (("manhole",), "node_id", ("point",), Text("检查井", "Manholes")),
        "outlets": (("outfall_or_plant",), "id", ("point",), Text("排口与厂站", "Outlets and plants")),
        "inlets": (("inlet",), "id", ("point",), Text("雨水口", "Storm inlets")),
        "streets": (("street",), "street_id", ("line",), Text("道路", "Streets")),
        "survey_areas": (("survey_area",), "area_id", ("polygon",), Text("普查范围", "Survey areas")),
        "waters": (("water",), "water_id", ("polygon",), Text("水系", "Waters")),
        "railways": (("railway",), "railway_id", ("line",), Text("铁路", "Railways")),
        "spot_heights": (("spot_height",), "spot_id", ("point",), Text("高程点", "Spot heights")),
        "ledger": (("compound", "programme_year"), "compound_id", (), Text("改造台账", "Ledger")),
        "problems": (("problem",), "ticket_id", (), Text("问题清单", "Problems")),
        "projects": (("project",), "project_id", (), Text("项目", "Projects")),
        "management": (("management",), "compound_id", (), Text("长效管理", "Management")),
        "meetings": (("meeting",), "meeting_id", (), Text("调度会", "Meetings")),
        "design_changes": (("design_change",), "change_id", (), Text("设计变更", "Design changes")),
        "utilities": (("utility",), "utility_id", (), Text("管线权属", "Utilities")),
        "opinions": (("opinion",), "opinion_id", (), Text("群众意见", "Opinions")),
        "inspections": (("inspection",), "inspection_id", (), Text("检查", "Inspections")),
        "visits": (("visit",), "visit_id", (), Text("现场踏勘", "Field visits")),
        "works": (("works",), "works_id", (), Text("改造内容", "Works")),
        "photos": (("photo",), "photo_id", (), Text("照片", "Photos")),
    }
)

_RENAMED = {("programme_year", "year"): "programme_year"}
_LABELS_EN = {"compound_id": "compound id", "programme_year": "programme year"}
_SENSITIVE = {"leader", "leader_phone", "photos", "note", "raised_by_person"}
_OPEN_ENUMS = {"material", "type", "style", "embed_type", "raised_by"}
"""Enumerations that keep a word which is not on the list, instead of refusing it."""


def _codes(kind: str, allowed: str) -> tuple[Code, ...]:
    """``in_use(在用,0,IN SERVICE);abandoned(废弃,1)``: what is stored, and in brackets the words found for it."""
    if kind not in ("enum", "bool") or not allowed:
        return ()
    codes = []
    for item in allowed.split(";"):
        head, _, inner = item.strip().partition("(")
        codes.append(Code(head.strip(), tuple(w.strip() for w in inner.removesuffix(")").split(",") if w.strip())))
    return tuple(codes)


def _bounds(kind: str, allowed: str) -> tuple[float | None, float | None]:
    if kind in ("int", "float"):
        if m := re.match(r">=\s*(\d+(?:\.\d+)?)", allowed):
            return float(m[1]), None
        if m := re.match(r"(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)?", allowed):
            return float(m[1]), float(m[2]) if m[2] else None
    return None, None


def _column(row: Mapping[str, str]) -> Column | None:
    name = _RENAMED.get((row["table"], row["field"]), row["field"])
    if name == "geometry":
        return None
    kind, _, remark = row["type"].partition(" ")
    kind = kind if kind in PANDAS_DTYPES else "str"
    aliases = tuple(a.strip() for a in row["aliases"].split(";") if a.strip())
    low, high = _bounds(kind, row["allowed"])
    return Column(
        name=name,
        kind=kind,  # type: ignore[arg-type]  # checked against PANDAS_DTYPES above
        unit=row["unit"],
        label=Text(aliases[0] if aliases else name, _LABELS_EN.get(name, _english(name))),
        aliases=aliases,
        codes=_codes(kind, row["allowed"]),
        minimum=low,
        maximum=high,
        personal="personal" in remark or name in _SENSITIVE,
        meaning=row["meaning"],
    )


def _english(name: str) -> str:
    """``from_invert_m`` reads "from invert"; the unit stands beside the number."""
    return re.sub(r"_(m2|m3d|mm|km|m|pct|wan|wan_m2)$", "", name).replace("_", " ")


def _derived() -> dict[str, Layer]:
    def columns(spec: str) -> tuple[Column, ...]:
        out = []
        for word in spec.split():
            name, _, kind = word.partition(":")
            unit = next((u for u in ("mm", "lps", "m") if name.endswith("_" + u)), "")
            out.append(Column(name, kind or "str", unit, Text(name, _english(name))))  # type: ignore[arg-type]
        return tuple(out)

    specs: tuple[tuple[str, str, tuple[Geometry, ...], Text, str], ...] = (
        (
            "findings",
            "finding_id",
            ("point", "line", "polygon"),
            Text("缺口与问题", "Findings"),
            "finding_id rule severity layer feature_id related value:float unit message fix status",
        ),
        (
            "verdicts",
            "compound_id",
            ("polygon", "point"),
            Text("接入结论", "Verdicts"),
            "compound_id verdict evidence nearest_pipe_id distance_m:float",
        ),
        (
            "links",
            "link_id",
            ("line",),
            Text("拟建接入管", "Planned links"),
            "link_id compound_ids from_node to_node length_m:float diameter_mm:float slope:float ground_up_m:float "
            "ground_down_m:float invert_up_m:float invert_down_m:float depth_up_m:float depth_down_m:float "
            "flow_lps:float pump:bool cost_low:float cost:float cost_high:float corridor",
        ),
        (
            "candidates",
            "candidate_id",
            ("line",),
            Text("候选接入井", "Candidate inlets"),
            "candidate_id compound_id rank:int manhole_id length_m:float available_fall_m:float required_fall_m:float "
            "gravity:bool cost:float",
        ),
    )
    return {n: Layer(n, key, title, geom, columns(spec), derived=True) for n, key, geom, title, spec in specs}


@cache
def layers() -> Mapping[str, Layer]:
    """Return every layer and table, stored ones first, by name."""
    with resources.geodata("field-dictionary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    out: dict[str, Layer] = {}
    for name, (tables, key, geometry, title) in _DECLARED.items():
        columns: dict[str, Column] = {}
        for row in rows:
            if row["table"] in tables and (column := _column(row)) is not None:
                columns.setdefault(column.name, column)
        out[name] = Layer(name, key, title, geometry, tuple(columns.values()))
    return MappingProxyType(out | _derived())


def layer(name: str) -> Layer:
    """Return one layer.

    Raises
    ------
    NotFoundError
        When there is no layer of that name; the message lists those there are.
    """
    found = layers().get(name)
    if found is None:
        names = " ".join(layers())
        raise NotFoundError(
            Text(f"没有名为“{name}”的图层。", f"There is no layer called {name!r}."),
            Text(f"可用的图层：{names}。", f"Layers: {names}."),
        )
    return found


def keeps_unknown_words(column: str) -> bool:
    """Whether an enumerated column keeps words that are not on its list (materials, manhole types)."""
    return column in _OPEN_ENUMS
