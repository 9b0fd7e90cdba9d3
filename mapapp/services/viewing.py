"""This module answers what a page asks about the county: its counts, totals, tables, and one feature.

Every function takes a `frames.View`, which shows only what the asker may see; nothing here looks past it. Answers are
plain values ready for JSON, in the asker's language.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from mapapp.core import filters, schema
from mapapp.core.errors import InputError, NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.services import narrowing, plain, words
from mapapp.services.frames import ALIASES, SHORT, View

Json = dict[str, Any]

_TOTALS: Final = ("households", "floor_area_m2", "buildings", "population", "invest_total_wan", "invest_done_wan")
_MAX_LIMIT: Final = 1000


def summary(view: View, wanted: filters.Filters, lang: Lang) -> Json:
    """Return counts and totals of what is filtered, with the date they hold for.

    Returns
    -------
    dict
        ``as_of``; ``totals``: compounds, gaps, households, floor_area_m2 (m2), buildings, invest_total_wan (万元)…;
        ``missing``: compounds for which a total is not known; ``by``: column to value to count; ``layers``: layer to
        count of rows; ``years``: one row per programme year; ``rounded``: whether figures are; ``notices``: a sentence
        for each filter that names what is no longer there.
    """
    asked, sifted = wanted, narrowing.sift(view, wanted)  # refuses what never was before anything is counted
    wanted = sifted.filters
    out: Json = {
        "as_of": view.as_of,
        "live": view.snapshot is None,
        "totals": {},
        "missing": {},
        "by": {},
        "layers": {},
    }
    out["filters"] = {column: list(values) for column, values in asked.items()}
    out["notices"] = [note.pick(lang) for note in sifted.notes]
    if "compounds" in view.layers:
        shown = narrowing.select(view, "compounds", wanted)
        rounded = view.access("compounds").rounded
        out["totals"] = {"compounds": len(shown), **view.sums(shown, _TOTALS, exact=narrowing.published(view, wanted))}
        out["missing"] = {c: n for c in out["totals"] if c in shown and (n := int(shown[c].isna().sum()))}
        for column in narrowing.FILTER_COLUMNS:
            if column in shown.columns:
                out["by"][SHORT.get(column, column)] = filters.count(shown[column], is_list=column in words.LISTS)
        if "sewer_pending" in shown.columns:
            out["totals"]["gaps"] = int(shown["sewer_pending"].fillna(False).sum())
        out["years"] = _years(view, shown, exact=not narrowing.split(view, wanted).get("compounds"))
        out["rounded"] = rounded
        if rounded:
            out["note"] = Text("数字为约数。", "Figures are rounded.").pick(lang)
    for layer in view.layers:
        frame = narrowing.select(view, layer, wanted)
        out["layers"][layer] = len(frame)
        classed = narrowing.CLASS_COLUMN.get(layer)
        if classed and layer != "compounds" and classed in frame.columns:
            counts = filters.count(frame[classed])
            out["by"][f"{layer}.{classed}"] = counts
            # the legend counts findings by rule, not compounds that have some
            if layer == "findings" or classed not in out["by"]:
                out["by"][classed] = counts
    out["filtered"] = bool(wanted)
    return out


def _years(view: View, frame: pd.DataFrame, *, exact: bool) -> list[Json]:
    if "programme_year" not in frame.columns or not len(frame):
        return []
    years = filters.as_words(frame["programme_year"]).fillna(filters.MISSING)
    return [
        {"year": str(year), "compounds": len(part), **view.sums(part, _TOTALS, exact=exact)}
        | ({"by_status": filters.count(part["status"])} if "status" in part.columns else {})
        for year, part in frame.groupby(years)
    ]


def features(
    view: View,
    layer: str,
    wanted: filters.Filters,
    *,
    sort: str | None = None,
    descending: bool = False,
    offset: int = 0,
    limit: int = 50,
    columns: Sequence[str] | None = None,
    lang: Lang = "zh",
) -> Json:
    """Return one page of a layer's table.

    Returns
    -------
    dict
        ``columns``: name, label, unit, kind; ``rows``: values by column, ``_id``, ``_at`` (lon, lat of a point in it)
        and ``_labels`` (the words of its codes, by column);
        ``total``, ``offset``, ``limit``, ``as_of``, ``notices``.

    Raises
    ------
    NotFoundError, InputError
        For a layer, column or value that this asker does not see, or figures out of range.
    """
    allowed = view.access(layer)
    sifted = narrowing.sift(view, wanted)
    frame = narrowing.select(view, layer, sifted.filters)
    if offset < 0 or not 0 <= limit <= _MAX_LIMIT:
        raise InputError(
            Text(f"offset={offset} 或 limit={limit} 超出范围。", f"offset={offset} or limit={limit} is out of range."),
            Text(f"limit 最大 {_MAX_LIMIT}。", f"At most {_MAX_LIMIT} rows at a time."),
        )
    told = {"notices": [note.pick(lang) for note in sifted.notes]}
    names = [str(c) for c in in_language(frame.iloc[:0], lang).columns if c != "geometry"]
    if columns is not None:
        if unknown := [c for c in columns if c not in names]:
            raise InputError(
                Text(f"没有名为“{unknown[0]}”的列。", f"There is no column {unknown[0]!r}."), where="columns"
            )
        names = [schema.layer(layer).key, *(c for c in columns if c != schema.layer(layer).key)]
    if allowed.counts_only:
        return _page(view, layer, frame.iloc[:0], [], len(frame), 0, 0, lang) | told
    frame = filters.order(
        frame,
        ALIASES.get(sort, sort) if sort else schema.layer(layer).key,
        descending=descending,
        tie=schema.layer(layer).key,
    )
    return _page(view, layer, frame.iloc[offset : offset + limit], names, len(frame), offset, limit, lang) | told


def _page(
    view: View, layer: str, page: pd.DataFrame, names: list[str], total: int, offset: int, limit: int, lang: Lang
) -> Json:
    key = schema.layer(layer).key
    rows = plain.records(in_language(page, lang)[names])
    said = words.in_words(pd.DataFrame(page)[names], layer, lang)
    for row, point, spoken in zip(rows, plain.lonlat(view.shapes(page, layer)), said, strict=True):
        row["_id"], row["_at"] = row.get(key), point
        if spoken:
            row["_labels"] = spoken
    described = [(name, *words.label(layer, name)) for name in names]
    return {
        "layer": layer,
        "title": schema.layer(layer).title.pick(lang),
        "key": key,
        "columns": [{"name": n, "label": t.pick(lang), "unit": u, "kind": k} for n, t, u, k in described],
        "rows": rows,
        "total": total,
        "offset": offset,
        "limit": limit,
        "as_of": view.as_of,
    }


SPOKEN: Final = ("message", "fix", "evidence")
"""Sentences of the audit; the English ones lie beside them in a column that ends in ``_en``."""


def in_language(frame: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    """Return the table with each sentence of the audit once, in ``lang`` where it is known in it."""
    out = frame
    for name in SPOKEN:
        if f"{name}_en" in out.columns:
            if lang == "en" and name in out.columns:
                out = out.assign(**{name: out[f"{name}_en"].fillna(out[name])})
            out = out.drop(columns=f"{name}_en")
    return out


def feature(view: View, layer: str, id_: str, lang: Lang) -> Json:
    """Return one feature: its attributes, geometry (EPSG:4326), and what the audit and the lists say of it.

    Raises
    ------
    NotFoundError
        With the same message whether it does not exist or is not for this asker.
    """
    allowed = view.access(layer)
    frame = view.table(layer)
    key = schema.layer(layer).key
    row = frame[frame[key].astype("str") == id_] if key in frame.columns and not allowed.counts_only else frame.iloc[:0]
    if not len(row):
        raise NotFoundError(Text(f"“{layer}”中没有“{id_}”。", f"There is no {id_!r} in {layer}."))
    row = view.shapes(in_language(row.iloc[:1], lang), layer)
    values = plain.records(row)[0]
    attributes = []
    for name, value in values.items():
        text, unit, kind = words.label(layer, name)
        word = (
            ""
            if value is None
            else words.value_label(layer, name, str(value).lower() if kind == "bool" else str(value), lang)
        )
        attributes.append(
            {"name": name, "label": text.pick(lang), "value": value, "text": word, "unit": unit, "kind": kind}
        )
    out: Json = {
        "layer": layer,
        "id": id_,
        "title": str(values.get("name") or id_),
        "layer_title": schema.layer(layer).title.pick(lang),
        "attributes": attributes,
        "geometry": None,
        "at": plain.lonlat(row)[0],
        "as_of": view.as_of,
    }
    if isinstance(row, gpd.GeoDataFrame) and row.crs is not None:
        shape = row.geometry.iloc[:1].to_crs(4326).iloc[0]
        if shape is not None and not shape.is_empty:
            out["geometry"] = shapely.geometry.mapping(shapely.transform(shape, lambda xy: np.round(xy, 7)))
    return out | _about(view, layer, id_, values, lang)


def _about(view: View, layer: str, id_: str, values: Json, lang: Lang) -> Json:
    out: Json = {"findings": _related(view, "findings", layer, id_, lang)}
    if layer in ("compounds", "verdicts"):
        out["verdict"] = _verdict(values, lang)
        for name in ("candidates", "links", "problems", "buildings"):
            out[name] = _related(view, name, layer, id_, lang)
    return out


def _verdict(values: Json, lang: Lang) -> Json | None:
    found = words.verdicts().get(str(values.get("verdict")))
    if found is None:
        return None
    out: Json = {
        "id": str(values["verdict"]),
        "title": found.title.pick(lang),
        "sentence": found.sentence.pick(lang),
        "severity": found.severity,
        "served": found.served,
    }
    if values.get("evidence"):
        out["evidence"] = str(values["evidence"]).splitlines()
    return out


def _related(view: View, other: str, layer: str, id_: str, lang: Lang) -> list[Json]:
    """Return what another layer holds about one feature, as far as this asker sees it; at most 100 rows."""
    if other not in view.layers or view.access(other).counts_only:
        return []
    frame = view.table(other)
    if other == "findings":
        hit = ((frame["layer"] == layer) & (frame["feature_id"] == id_)).to_numpy(dtype=bool, na_value=False)
        if "related" in frame.columns:
            hit = hit | (narrowing.any_in(frame["related"], {id_}) & (frame["layer"] != layer).to_numpy(dtype=bool))
    elif "compound_ids" in frame.columns:
        hit = narrowing.any_in(frame["compound_ids"], {id_})
    elif "compound_id" in frame.columns:
        hit = (frame["compound_id"] == id_).to_numpy(dtype=bool, na_value=False)
    else:
        return []
    some = in_language(frame[hit].iloc[:100], lang)
    if "rank" in some.columns:
        some = some.sort_values("rank", kind="stable")
    rows = plain.records(some)
    for row, point in zip(rows, plain.lonlat(view.shapes(some, other)), strict=True):
        row["_at"] = point
        if "rule" in row:
            row["title"] = words.value_label("findings", "rule", str(row["rule"]), lang)
    return rows
