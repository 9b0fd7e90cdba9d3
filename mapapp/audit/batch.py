"""This module collects findings rule by rule and puts them into one table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from mapapp.audit.rules import RULES
from mapapp.core import findings
from mapapp.core.text import LANGS, Lang, Text

LAYER_NAMES: Mapping[str, Text] = {
    "pipes": Text("管段", "Pipe"),
    "manholes": Text("检查井", "Manhole"),
    "outlets": Text("排口", "Outlet"),
    "compounds": Text("小区", "Compound"),
}


@dataclass(frozen=True, slots=True)
class Batch:
    """The findings of one rule on one layer.

    ``words`` fill the rule's message besides ``a`` (the feature), ``b`` (the related one), ``layer`` and ``value``: one
    value per finding, plain or `Text`. ``part`` tells findings of the same rule and features apart.
    """

    rule: str
    layer: str
    feature_id: Sequence[str]
    geometry: npt.NDArray[Any]
    related: Sequence[str] | None = None
    value: npt.NDArray[Any] | None = None
    words: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    part: Sequence[str] | None = None
    severity: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.feature_id)


def points(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """Return shapely points; an empty array for none."""
    return np.asarray(shapely.points(np.column_stack([x, y]))) if len(x) else np.empty(0, dtype=object)


def table(batches: Sequence[Batch], crs: Any) -> gpd.GeoDataFrame:
    """Put all findings into one table: rules in the order of the list, then by feature.

    The same findings in any order give the same table.
    """
    order = {rule: i for i, rule in enumerate(RULES)}
    kept = sorted((b for b in batches if len(b)), key=lambda b: (order[b.rule], b.layer))
    told: dict[str, list[Any]] = {
        name: [] for name in ("feature_id", "related", "value", "message", "message_en", "severity")
    }
    shapes: list[npt.NDArray[Any]] = [np.empty(0, dtype=object)]
    features: list[Any] = []
    for batch in kept:
        rule, n = RULES[batch.rule], len(batch)
        value = np.full(n, np.nan) if batch.value is None else np.asarray(batch.value, dtype=float)
        words = {
            "a": batch.feature_id, "b": batch.related or [""] * n, "value": value.tolist(),
            "layer": [LAYER_NAMES[batch.layer]] * n, **batch.words,
        }  # fmt: skip
        zh, en = (filled(rule.message.pick(lang), n, words, lang) for lang in LANGS)
        value = np.round(value, 6)
        parts = batch.part or [""] * n
        keys = list(zip(batch.feature_id, words["b"], parts, en, value.tolist(), strict=True))
        rank = sorted(range(n), key=keys.__getitem__)
        feature, related, part, said, values = zip(*map(keys.__getitem__, rank), strict=True)
        told["feature_id"] += feature
        told["related"] += [r or None for r in related]
        told["value"] += values
        told["message"] += map(zh.__getitem__, rank)
        told["message_en"] += said
        told["severity"] += map(batch.severity.__getitem__, rank) if batch.severity else [rule.severity] * n
        named = (feature, related, part) if batch.rule in _BETWEEN_TWO else (feature, part)  # bystanders do not count
        features += zip([batch.layer] * n, *named, strict=True)
        shapes.append(np.asarray(batch.geometry, dtype=object)[rank])
    of = np.repeat(np.arange(len(kept)), [len(b) for b in kept])
    rules = [RULES[b.rule] for b in kept]
    columns: dict[str, Any] = told | {
        "rule": findings.repeated([rule.id for rule in rules], of),
        "layer": findings.repeated([b.layer for b in kept], of),
        "unit": findings.repeated([rule.unit or None for rule in rules], of),
        "fix": findings.repeated([rule.fix.zh for rule in rules], of),
        "fix_en": findings.repeated([rule.fix.en for rule in rules], of),
        "status": findings.repeated(["open"] * len(rules), of),
        "finding_id": findings.finding_ids([rules[i].id for i in of.tolist()], features),
    }
    return findings.frame(columns, np.concatenate(shapes), crs)


_BETWEEN_TWO = frozenset({
    "duplicate_geometry", "overlap", "near_miss", "mid_pipe_junction", "cross_connection", "diameter_decreases",
    "level_mismatch", "ground_mismatch", "node_missing",
})  # fmt: skip


_FIELD = re.compile(r"\{(\w+)")


def filled(template: str, n: int, words: Mapping[str, Sequence[Any]], lang: Lang) -> list[str]:
    """Fill the ``{name}`` fields of a template n times; a value that is a `Text` is picked in the language."""
    used = list(dict.fromkeys(_FIELD.findall(template)))
    places = {name: f"{{{i}" for i, name in enumerate(used)}
    by_place = _FIELD.sub(lambda m: places[m[1]], template)  # by place and map: a third of the time
    values = ([v.pick(lang) if isinstance(v, Text) else v for v in words[name]] for name in used)
    return list(map(by_place.format, *values)) if used else [template] * n
