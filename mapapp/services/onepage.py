"""This module gathers one compound's page (一区一案): map, facts, works, utilities, sewer verdict, problems, photos, history.

Everything is read through the asker's view, so the page holds what that asker may see and nothing else. What a county
has not recorded is said to be missing; it is never shown as none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import geopandas as gpd
import pandas as pd

from mapapp.core import schema
from mapapp.core.text import Lang, Text
from mapapp.programme import problems as reckoning
from mapapp.programme import works
from mapapp.render.style import Class, status_class
from mapapp.services import describing, forms, mapframe, photos, plain, tiling, viewing, words
from mapapp.services.frames import View

Json = dict[str, Any]

FACTS: Final = (
    "address", "built_year", "units", "population", "ownership_origin", "property_mgmt", "drainage_system",
    "sewer_connection", "owner_unit", "contractor", "supervisor", "designer", "start_plan", "start_actual",
    "finish_plan", "finish_actual", "accepted_at", "consent_rate", "participation_rate", "satisfaction_rate",
    "elevators_added", "parking_added", "ev_chargers_added", "ebike_chargers_added", "pipes_renewed_km",
    "illegal_structures", "illegal_removed", "aerial_cable_status", "plan_file",
)  # fmt: skip
FUNDS: Final = (
    "fund_central_wan", "fund_provincial_wan", "fund_local_wan", "fund_bond_wan", "fund_utility_wan",
    "fund_resident_wan", "fund_social_wan",
)  # fmt: skip
TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "utilities": ("kind", "owner", "asked_on", "answered_on", "answer", "handed_over_on"),
    "problems": ("category", "description", "lead_unit", "due", "status"),
    "design_changes": ("item", "reason", "cost_delta_wan", "approved_by", "date"),
    "inspections": ("held_on", "kind", "result", "score", "items", "rectified_on"),
    "management": ("mode", "manager", "takeover_date", "fee", "maintenance_fund", "cleaning", "inspection_date",
                   "inspection_score", "relapse_items"),
    "visits": ("visited_at", "node_id", "found", "note"),
}  # fmt: skip
"""Tables that hang on a compound, and their columns on the page, in its order."""

_NEWEST_FIRST: Final = {"inspections": "held_on", "visits": "visited_at", "design_changes": "date"}
_MOST: Final = 12
_HISTORY: Final = 12
_TECHNICAL: Final = ("snapshot_as_of",)
"""Columns that tell of the file and not of the compound."""
_PHOTOS: Final = 8
_AROUND_DEG: Final = 0.0006  # about 60 m
_MAP_LAYERS: Final = ("streets", "buildings", "compounds", "pipes", "manholes", "links", "candidates", "outlets")


def gather(view: View, compound_id: str, lang: Lang) -> Json:
    """Return everything the page of one compound shows, as words.

    Returns
    -------
    dict
        ``id name status as_of live``; ``figures`` and ``facts``: label, text, unit, those known; ``funds``: by source with
        the sum; ``verdict`` with its evidence, ``candidates``, ``links``, ``findings``; ``works``: by head, planned and
        done; ``tables``: by name (see `TABLES`) columns, rows and how many more; ``photos`` (editors only);
        ``history``; ``at``, ``bounds``: degrees, None without a place.

    Raises
    ------
    NotFoundError
        When there is no such compound for this asker.
    """
    feature = viewing.feature(view, "compounds", compound_id, lang)
    values = {item["name"]: item for item in feature["attributes"]}
    status = (values.get("status") or {}).get("value")
    look = status_class(status)
    return {
        "id": compound_id,
        "name": feature["title"],
        "street": _plain(values, "street"),
        "community": _plain(values, "community"),
        "year": _plain(values, "programme_year"),
        "relapse": _relapse(view, compound_id, lang),
        "status": {"class": look.id, "letter": look.letter, "fill": look.fill, "ink": look.ink,
                   "label": _state(look, status, lang)},
        "as_of": view.as_of,
        "live": view.snapshot is None,
        "edits": view.scope.edits,
        "figures": _figures(values, lang),
        "facts": _facts(values, FACTS, lang),
        "funds": _funds(values, lang),
        "verdict": _verdict(view, feature, lang),
        "candidates": feature.get("candidates", [])[:3],
        "links": feature.get("links", [])[:6],
        "findings": feature.get("findings", []),
        "works": _works(view, compound_id, lang),
        "tables": {name: _table(view, name, compound_id, columns, lang) for name, columns in TABLES.items()},
        "photos": _photos(view, compound_id),
        "history": _history(view, compound_id, lang),
        "at": feature["at"],
        "bounds": _bounds(view, compound_id),
    }  # fmt: skip


def _plain(values: Mapping[str, Json], name: str) -> str:
    found = values.get(name)
    return "" if found is None or found["value"] is None else str(found["value"])


def _relapse(view: View, compound_id: str, lang: Lang) -> str:
    """Return what a look back found and nobody put right; empty without."""
    rows = _related(view, "management", compound_id)
    if rows is None or "relapse_items" not in rows:
        return ""
    return next((_word("management", "relapse_items", v, lang) for v in rows["relapse_items"].dropna()), "")


def _state(look: Class, status: Any, lang: Lang) -> str:
    """Return the legend's word for a status, and the ledger's own where that tells more: 已验收（长效管理）."""
    shown, own = look.label.pick(lang), _word("compounds", "status", status, lang)
    if status in (None, look.id) or own == shown:
        return shown
    return f"{shown} ({own})" if lang == "en" else f"{shown}（{own}）"


def _word(layer: str, column: str, value: object, lang: Lang) -> str:
    """Return a stored value as words: codes by their label, yes and no, lists with commas, dates as they are written."""
    if value is None or value is pd.NA or value != value:  # NaN differs from itself
        return ""
    declared = schema.layer(layer).column(column)
    kind = declared.kind if declared is not None else "str"
    text = str(value)
    if kind == "bool":
        return (Text("是", "yes") if text.lower() in ("true", "1") else Text("否", "no")).pick(lang)
    if kind in ("date", "month") or column.endswith("_at"):
        return _day(text, lang)
    if kind == "list":
        parts = [forms.code_label(layer, column, item.strip(), lang) for item in text.split(";") if item.strip()]
        return Text("、", ", ").pick(lang).join(parts)
    if kind in ("int", "float"):
        number = float(text)
        return f"{number:.0f}" if number.is_integer() else f"{number:.2f}".rstrip("0").rstrip(".")
    return forms.code_label(layer, column, text, lang)


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _day(text: str, lang: Lang) -> str:
    parts = text[:10].split("-")
    if not all(part.isdigit() for part in parts) or not 2 <= len(parts) <= 3:
        return text
    numbers = [int(part) for part in parts]
    if lang == "zh":
        return "".join(f"{n}{unit}" for n, unit in zip(numbers, "年月日", strict=False))
    day = f"{numbers[2]} " if len(numbers) == 3 else ""
    return f"{day}{_MONTHS[(numbers[1] - 1) % 12]} {numbers[0]}"


def _unit(name: str, lang: Lang) -> str:
    _, unit, _ = words.label("compounds", name)
    shown = {"m2": "㎡", "km": Text("公里", "km").pick(lang)}.get(unit, unit)
    if lang == "en":
        shown = {"万元": "10⁴ CNY", "户": "", "栋": "", "个": "", "人": "", "部": "", "处": "", "㎡": "m²"}.get(
            shown, shown
        )
    return "" if shown == "year" else shown


def _figures(values: Mapping[str, Json], lang: Lang) -> list[Json]:
    """Return the large figures: each is shown, with a question mark where it is not known."""
    out = []
    for name in (
        "households",
        "buildings",
        "floor_area_m2",
        "invest_total_wan",
        "invest_done_wan",
        "image_progress_pct",
    ):
        label, _, _ = words.label("compounds", name)
        value = (values.get(name) or {}).get("value")
        text = "?" if value is None else _word("compounds", name, value, lang)
        unit = _unit(name, lang)
        if name == "floor_area_m2" and value is not None and lang == "zh":
            text, unit = f"{float(value) / 10_000:.2f}", "万㎡"
        out.append({"name": name, "label": label.pick(lang), "text": text, "unit": "" if value is None else unit})
    return out


def _facts(values: Mapping[str, Json], names: Sequence[str], lang: Lang) -> list[Json]:
    return [
        {"name": name, "label": values[name]["label"], "text": text, "unit": _unit(name, lang)}
        for name in names
        if name in values and (text := _word("compounds", name, values[name]["value"], lang))
    ]


def _funds(values: Mapping[str, Json], lang: Lang) -> Json:
    rows = _facts(values, FUNDS, lang)
    total = sum(float(values[row["name"]]["value"]) for row in rows)
    for row in rows:
        row["share"] = round(100 * float(values[row["name"]]["value"]) / total) if total else None
    return {
        "rows": rows,
        "total": _word("compounds", "invest_total_wan", total, lang),
        "unit": _unit("invest_total_wan", lang),
    }


def _verdict(view: View, feature: Json, lang: Lang) -> Json | None:
    """Return the verdict with its evidence in the asker's language, sentence by sentence."""
    found: Json | None = feature.get("verdict")
    if found is None:
        return None
    evidence = "\n".join(found.get("evidence") or [])
    if lang == "en" and "verdicts" in view.layers:
        rows = view.table("verdicts")
        row = rows[rows["compound_id"] == feature["id"]]
        if "evidence_en" in row and len(row) and pd.notna(row["evidence_en"].iloc[0]):
            evidence = str(row["evidence_en"].iloc[0])
    parts = [p.strip(" 。.") for p in evidence.replace("；", "\n").replace("; ", "\n").split("\n")]
    return found | {"evidence": [p for p in parts if p]}


def _related(view: View, name: str, compound_id: str) -> pd.DataFrame | None:
    """Return a table's rows of this compound; None where the county has no such table at all."""
    if name not in view.layers or view.access(name).counts_only:
        return None
    table = view.table(name)
    return pd.DataFrame(table[table["compound_id"] == compound_id]) if "compound_id" in table else None


def _works(view: View, compound_id: str, lang: Lang) -> list[Json]:
    """Return the items planned or done, by the county's heads in the catalogue's order."""
    rows = _related(view, "works", compound_id)
    if rows is None or not len(rows):
        return []
    merged = rows.merge(works.catalogue(), on="code", how="left")
    merged["head"] = merged["county_head"].fillna(merged["national_class"]).fillna("")
    heads: dict[str, list[Json]] = {}
    for row in plain.records(merged.sort_values("code", kind="stable")):
        name = row["name_en"] if lang == "en" else row["name"]
        done = row.get("done") is True
        item = {
            "name": name or row["code"],
            "done": done,
            "on": _word("works", "finished_on", row.get("finished_on"), lang),
        }
        heads.setdefault(works.head(str(row["head"])).pick(lang), []).append(item)
    return [{"head": head, "items": items, "done": sum(i["done"] for i in items)} for head, items in heads.items()]


def _table(view: View, name: str, compound_id: str, columns: Sequence[str], lang: Lang) -> Json:
    rows = _related(view, name, compound_id)
    title = schema.layer(name).title.pick(lang)
    if rows is None or not len(rows):
        return {"title": title, "columns": [], "rows": [], "more": 0, "count": 0, "recorded": rows is not None}
    if name in _NEWEST_FIRST:
        rows = rows.sort_values(_NEWEST_FIRST[name], ascending=False, kind="stable", na_position="last")
    if name == "problems":
        rows = reckoning.with_due(rows, view.as_of).sort_values(["settled", "days_left"], kind="stable")
    kept = [c for c in columns if c in rows and bool(rows[c].notna().any())]
    key = schema.layer(name).key
    some = plain.records(rows.iloc[:_MOST])
    return {
        "title": title,
        "columns": [_label(name, c, lang) for c in kept],
        "names": kept,
        "rows": [
            {
                "id": row.get(key),
                "overdue": row.get("overdue") is True,
                "cells": [_word(name, c, row[c], lang) for c in kept],
            }
            for row in some
        ],
        "more": max(len(rows) - _MOST, 0),
        "count": len(rows),
        "recorded": True,
    }


def _label(layer: str, column: str, lang: Lang) -> str:
    """Return what the table itself calls its column: the status of a problem is not that of a compound."""
    declared = schema.layer(layer).column(column)
    return declared.label.pick(lang) if declared is not None else column


def _photos(view: View, compound_id: str) -> list[Json]:
    """Return the newest photos of the compound, its problems and visits; none to anybody but an editor."""
    if not view.scope.edits:
        return []
    pairs = [("compounds", compound_id)]
    for name in ("problems", "visits", "inspections"):
        rows = _related(view, name, compound_id)
        if rows is not None:
            pairs += [(name, str(key)) for key in rows[schema.layer(name).key]]
    stored = view.county.db.read("photos", where={"feature_id": [key for _, key in pairs]})
    wanted = set(pairs)
    hit = [pair in wanted for pair in zip(stored["layer"].astype(str), stored["feature_id"].astype(str), strict=True)]
    out: list[Json] = []
    for layer, key in dict.fromkeys(zip(stored.loc[hit, "layer"], stored.loc[hit, "feature_id"], strict=True)):
        out += photos.listed(view.county, view.scope, str(layer), str(key))
    return out[-_PHOTOS:]


def _history(view: View, compound_id: str, lang: Lang) -> list[Json]:
    """Return the latest changes of the compound, its ledger row and its management, newest first; live data only."""
    if view.snapshot is not None:
        return []
    parts = []
    for layer in ("compounds", "ledger", "management"):
        if layer not in view.layers:
            continue
        told = view.county.db.history(layer, compound_id).assign(layer=layer)
        parts.append(told[(told["kind"] != "add") & (told["column"] != "geometry")])
    if not parts:
        return []
    told = pd.concat(parts, ignore_index=True).sort_values("edit_id", ascending=False, kind="stable")
    told = told[~told["column"].isin(_TECHNICAL)]
    rows: dict[tuple[str, ...], Json] = {}  # one import may write the same change to the outline and to the ledger
    for row in told.to_dict("records"):
        layer, column = str(row["layer"]), row["column"]
        if not isinstance(column, str) or not view.access(layer).allows(column):
            continue
        before, after = (_word(layer, column, row[side], lang) or "?" for side in ("before", "after"))
        by, at = str(row["by"]), _day(str(row["at"]), lang)
        label = words.label(layer, column)[0].pick(lang)
        if before != after:
            rows.setdefault(
                (at, by, label, before, after),
                {"at": at, "by": by, "label": label, "before": before, "after": after},
            )
        if len(rows) == _HISTORY:
            break
    return list(rows.values())


def _bounds(view: View, compound_id: str) -> tuple[float, float, float, float] | None:
    frame = view.frame("compounds")
    if not isinstance(frame, gpd.GeoDataFrame):
        return None
    shape = frame.loc[frame["compound_id"] == compound_id].geometry
    if not len(shape) or shape.iloc[0] is None or shape.iloc[0].is_empty:
        return None
    west, south, east, north = (float(v) for v in shape.iloc[:1].to_crs(4326).total_bounds)
    return west - _AROUND_DEG, south - _AROUND_DEG, east + _AROUND_DEG, north + _AROUND_DEG


def map_parts(view: View, page: Json, lang: Lang, *, nonce: str) -> mapframe.Parts | None:
    """Return the page's small map, its layers already in it; None for a compound without a place."""
    if page["bounds"] is None:
        return None
    from mapapp.render import webmap

    style = describing.style(lang)
    sources = [
        {"id": name, "url": tiling.address(view, name), "style": style[name],
         "key": schema.layer(name).key, "bounds": describing.bounds(view, name), "minZoom": style[name]["min_zoom"],
         "maxZoom": 22, "visible": True, "interactive": False}
        for name in _MAP_LAYERS
        if name in view.layers
    ]  # fmt: skip
    made = webmap.page_parts(webmap.page_map(webmap.MapConfig(bounds=page["bounds"], sources=sources)), nonce=nonce)
    return mapframe.Parts(made.head, made.body, made.script, webmap.MAP_NAME)
