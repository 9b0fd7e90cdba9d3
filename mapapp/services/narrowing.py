"""This module turns filters into rows: which layer each belongs to, which rows pass, and what they name that has gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from mapapp.core import filters, schema
from mapapp.core.errors import InputError
from mapapp.core.text import Lang, Text
from mapapp.services import words
from mapapp.services.frames import ALIASES, ENOUGH, View

CLASS_COLUMN: Final[Mapping[str, str]] = {
    "compounds": "status", "verdicts": "verdict", "pipes": "kind", "manholes": "kind", "outlets": "facility",
    "findings": "rule", "problems": "category", "streets": "class",
}  # fmt: skip
"""The column a layer is coloured and counted by."""

_GLUE: Final[tuple[tuple[str, Lang], ...]] = (("、", "zh"), (", ", "en"))
FILTER_COLUMNS: Final = ("programme_year", "status", "street", "unit", "verdict", "rules", "relapsed")


@dataclass(frozen=True, slots=True)
class Sifted:
    """Filters that can be answered, and a sentence for each thing they name that is no longer there."""

    filters: dict[str, tuple[str, ...]]
    notes: tuple[Text, ...]


def sift(view: View, wanted: filters.Filters) -> Sifted:
    """Return filters without what has vanished, so that an old address still opens.

    A value that no row holds any more passes no row, and a column that is empty now passes none: an old address never
    shows more than it did. A filter on a layer that is not here says nothing about the others and is left out.

    Raises
    ------
    InputError
        For a column that this asker could never filter by: a slip of the pen, not a thing that went.
    """
    kept: dict[str, tuple[str, ...]] = {}
    notes: list[Text] = []
    for column, values in wanted.items():
        prefix = column.rpartition(".")[0]
        if prefix in schema.layers() and prefix not in view.layers:
            title = schema.layer(prefix).title
            notes.append(
                Text("这里没有“{layer}”，对它的筛选未采用。", "There is no {layer} here; its filter was left out.").format(layer=title)
            )  # fmt: skip
            continue
        if (gone := _emptied(view, column)) is not None:
            notes.append(gone)
            if "compounds" in view.layers:
                kept["compounds.compound_id"] = ()
            continue
        for layer, own in split(view, {column: values}).items():
            for name, some in own.items():
                known = _known(view, layer, name)
                there = tuple(v for v in some if known is None or v in known)
                kept[f"{layer}.{name}"] = there
                if len(there) < len(some):
                    notes.append(_no_more(layer, name, sorted(set(some) - set(there))))
    return Sifted(kept, tuple(notes))


def published(view: View, wanted: filters.Filters) -> bool:
    """Whether the compounds that pass these filters are a group that a county publishes totals of.

    Groups are whole years, street offices or statuses of five or more. Who could ask for the exact total of any choice
    of compounds, rounded once, could learn each one's figure from how the totals of many choices jump.
    """
    own = split(view, wanted).get("compounds", {})
    if not own:
        return True
    if len(own) > 1:
        return False
    ((column, values),) = own.items()
    if column not in FILTER_COLUMNS or column in words.LISTS:
        return False
    sizes = filters.count(view.table("compounds")[column])
    return all(sizes.get(value, ENOUGH) >= ENOUGH for value in values)


def gone(view: View) -> list[Text]:
    """Return a sentence for what a share's own filters name and no compound holds any more."""
    return [_no_more("compounds", column, values) for column, values in view.lost().items()]


def _no_more(layer: str, column: str, values: Sequence[str]) -> Text:
    text, _, _ = words.label(layer, column)
    zh, en = (glue.join(_word(layer, column, v, lang) for v in values) for glue, lang in _GLUE)
    return Text("“{label}”中已没有“{value}”。", "Nothing has {value} in {label} any more.").format(
        label=text, value=Text(zh, en)
    )


def _word(layer: str, column: str, value: str, lang: Lang) -> str:
    """Return the word for a value; a value that no code knows as it was asked, not as unknown."""
    said = words.value_label(layer, column, value, lang)
    return value if said == words.UNKNOWN.pick(lang) and value != filters.MISSING else said


def _emptied(view: View, column: str) -> Text | None:
    """Return a sentence when compounds could have this column, for this asker, and nothing is known in it now."""
    layer, _, own = column.rpartition(".")
    own = own if layer else ALIASES.get(own, own)
    if own not in FILTER_COLUMNS or layer not in ("", "compounds"):
        return None
    if "compounds" not in view.layers:
        return Text("目前没有小区。", "There are no compounds now.")
    if own in view.table("compounds").columns or not view.access("compounds").allows(own):
        return None
    if not layer and any(own == CLASS_COLUMN.get(name) or (own, name) == ("rules", "findings") for name in view.layers):
        return None  # another layer answers it
    text, _, _ = words.label("compounds", own)
    return Text("“{label}”目前没有数据。", "{label} holds no data now.").format(label=text)


def _known(view: View, layer: str, column: str) -> set[str] | None:
    """Return the values that are right for a column; None when any is, or when `select` is to refuse the column."""
    frame = view.table(layer)
    own = "rule" if (layer, column) == ("findings", "rules") else column
    if own not in frame.columns or own == "geometry" or not len(frame):
        return None
    there = set(filters.count(frame[own], is_list=own in words.LISTS)) | {filters.MISSING}
    return there | _vocabulary(layer, [own]).get(own, set())


def split(view: View, wanted: filters.Filters) -> dict[str, filters.Filters]:
    """Return filters by the layer they belong to.

    ``pipes.kind`` names its layer. A bare column belongs to the compounds when they have it (``status``, ``year``,
    ``street``, ``unit``, ``verdict``, ``rule``, …), else to the layer that is classed by it, else to the first that has it.

    Raises
    ------
    InputError
        When this asker sees no layer with such a column.
    """
    out: dict[str, dict[str, tuple[str, ...]]] = {}
    for column, values in wanted.items():
        layer, _, own = column.rpartition(".")
        if not layer:
            layer, own = _owner(view, ALIASES.get(column, column)), ALIASES.get(column, column)
        view.access(layer)
        many = [
            v
            for value in values
            for v in (words.status_values(value) if (layer, own) == ("compounds", "status") else (value,))
        ]
        out.setdefault(layer, {})[own] = tuple(dict.fromkeys(many))
    return dict(out)


def _owner(view: View, column: str) -> str:
    if "compounds" in view.layers and column in view.table("compounds").columns:
        return "compounds"
    if column == "rules" and "findings" in view.layers:
        return "findings"
    declared = [
        name
        for name in view.layers
        if view.access(name).allows(column) and schema.layer(name).column(column) is not None
    ]
    classed = [name for name in declared if CLASS_COLUMN.get(name) == column]
    if not declared:
        raise InputError(
            Text(f"没有可用来筛选的列“{column}”。", f"There is no column {column!r} to filter by."), where=f"f.{column}"
        )
    return (classed or declared)[0]


def _vocabulary(layer: str, columns: Sequence[str]) -> dict[str, set[str]]:
    """Return values that are right although no row may hold them now: codes, verdicts, rules."""
    out: dict[str, set[str]] = {}
    for column in columns:
        declared = schema.layer(layer).column(column)
        if declared is not None and declared.codes:
            out[column] = {code.value for code in declared.codes}
        if column in ("verdict", "rule", "rules"):
            out[column] = set(words.verdicts() if column == "verdict" else words.rules())
    return out


def select(view: View, layer: str, wanted: filters.Filters) -> pd.DataFrame:
    """Return the rows of a layer that pass the filters, as this asker sees them.

    Filters on compounds also narrow what hangs on a compound (verdicts, problems, findings about it, links to it);
    layers that hang on none (pipes, streets) they leave as they are.

    Raises
    ------
    NotFoundError, InputError
        For a layer, column or value that this asker does not see.
    """
    frame = view.table(layer)
    by_layer = split(view, wanted)
    own = dict(by_layer.get(layer, {}))
    about = dict(by_layer.get("compounds", {}))
    if layer == "findings" and "rules" in about | own:
        own["rule"] = (about | own)["rules"]
        about.pop("rules", None)
        own.pop("rules", None)
    kept = filters.mask(frame, own, lists=words.LISTS, vocabulary=_vocabulary(layer, list(own)))
    if layer != "compounds" and about:
        ids = set(select(view, "compounds", {f"compounds.{k}": v for k, v in about.items()})["compound_id"])
        kept &= _hangs_on(frame, layer, ids)
    return frame[kept]


def _hangs_on(frame: pd.DataFrame, layer: str, ids: set[str]) -> filters.Mask:
    if layer == "findings":
        itself = (frame["layer"] == "compounds") & frame["feature_id"].isin(ids)
        hit = itself.to_numpy(dtype=bool, na_value=False)
        return hit | any_in(frame["related"], ids) if "related" in frame.columns else hit
    if "compound_ids" in frame.columns:
        return any_in(frame["compound_ids"], ids)
    if "compound_id" in frame.columns:
        return frame["compound_id"].isin(ids).to_numpy(dtype=bool)
    return np.ones(len(frame), dtype=bool)


def any_in(column: pd.Series, ids: set[str]) -> filters.Mask:
    """Return which cells, each a list joined by ``;`` or ``,``, hold one of the ids."""
    items = (
        column.astype("str").reset_index(drop=True).str.split(r"[;,]", regex=True).explode().astype("str").str.strip()
    )
    hit = np.zeros(len(column), dtype=bool)
    hit[items.index[items.isin(ids)].to_numpy(dtype=np.intp)] = True
    return hit
