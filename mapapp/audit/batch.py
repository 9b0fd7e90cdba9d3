"""This module collects findings rule by rule and puts them into one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from mapapp.audit.rules import RULES
from mapapp.core import findings
from mapapp.core.text import LANGS, Text

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
    columns: dict[str, list[Any]] = {name: [] for name in findings.COLUMNS}
    shapes: list[Any] = []
    features: list[list[str]] = []
    for batch in sorted((b for b in batches if len(b)), key=lambda b: (order[b.rule], b.layer)):
        rule, n = RULES[batch.rule], len(batch)
        related = list(batch.related) if batch.related is not None else [""] * n
        value = batch.value if batch.value is not None else np.full(n, np.nan)
        part = list(batch.part) if batch.part is not None else [""] * n
        texts = _messages(batch, related, value)
        rank = [i for *_, i in sorted(zip(batch.feature_id, related, part, texts["en"], range(n), strict=True))]
        severity = batch.severity or [rule.severity] * n
        columns["rule"] += [rule.id] * n
        columns["severity"] += [severity[i] for i in rank]
        columns["layer"] += [batch.layer] * n
        columns["feature_id"] += [batch.feature_id[i] for i in rank]
        columns["related"] += [related[i] or None for i in rank]
        columns["value"] += [round(float(value[i]), 6) for i in rank]
        columns["unit"] += [rule.unit or None] * n
        columns["message"] += [texts["zh"][i] for i in rank]
        columns["message_en"] += [texts["en"][i] for i in rank]
        columns["fix"] += [rule.fix.zh] * n
        columns["fix_en"] += [rule.fix.en] * n
        columns["status"] += ["open"] * n
        features += [[batch.layer, batch.feature_id[i], *_pair(batch, related[i]), part[i]] for i in rank]
        shapes += [batch.geometry[i] for i in rank]
    columns["finding_id"] = findings.finding_ids(columns["rule"], features)
    return findings.frame(columns, np.array(shapes, dtype=object), crs)


def _pair(batch: Batch, related: str) -> list[str]:
    """Return the related feature where it belongs to the identity of a finding; bystanders do not."""
    return [related] if batch.rule in _BETWEEN_TWO else []


_BETWEEN_TWO = frozenset({
    "duplicate_geometry", "overlap", "near_miss", "mid_pipe_junction", "cross_connection", "diameter_decreases",
    "level_mismatch", "ground_mismatch", "node_missing",
})  # fmt: skip


def _messages(batch: Batch, related: Sequence[str], value: npt.NDArray[Any]) -> dict[str, list[str]]:
    template, layer = RULES[batch.rule].message, LAYER_NAMES[batch.layer]
    out: dict[str, list[str]] = {}
    for lang in LANGS:
        words = {
            name: [v.pick(lang) if isinstance(v, Text) else v for v in values] for name, values in batch.words.items()
        }
        text, what = template.pick(lang), layer.pick(lang)
        out[lang] = [
            text.format(a=a, b=b, value=v, layer=what, **{name: values[i] for name, values in words.items()})
            for i, (a, b, v) in enumerate(zip(batch.feature_id, related, value.tolist(), strict=True))
        ]
    return out
