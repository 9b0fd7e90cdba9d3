"""This module describes a view to the page: its title, date, layers, tiles, style, filters."""

from __future__ import annotations

import math
from typing import Any

import geopandas as gpd

from mapapp.core import filters, schema
from mapapp.core.text import Lang
from mapapp.render import style as table
from mapapp.services import narrowing, snapshots, tiling, words
from mapapp.services import scope as scopes
from mapapp.services.frames import SHORT, View

Json = dict[str, Any]

_SHAPES = ("polygon", "line", "point")


def describe(view: View, lang: Lang, *, base: str = "") -> Json:
    """Return what a page needs to know before it asks for anything else.

    Parameters
    ----------
    view : View
    lang : str
    base : str
        Path that tile addresses begin with; empty for users, ``/s/<token>`` for a share.

    Returns
    -------
    dict
        ``county as_of as_of_now live crs bounds layers filters style snapshots user can shares notices``. Bounds are
        ``[west, south, east, north]`` in degrees, of what this asker sees, and None when there is nothing.
    """
    db, share = view.county.db, view.scope.share
    boxes = {name: bounds(view, name) for name in view.layers}
    out: Json = {
        "title": (share.title if share else "") or db.name,
        "county": db.name,
        "as_of": view.as_of,
        "as_of_now": view.county.changed_on,
        "live": view.snapshot is None,
        "snapshot": None if view.snapshot is None else str(view.snapshot.id),
        "crs": _crs(view),
        "bounds": whole(view),
        "layers": [_layer(view, name, lang, base, boxes[name]) for name in view.layers],
        "filters": _filters(view, lang),
        "style": style(lang),
        "notices": [note.pick(lang) for note in view.notices],
        "lang": lang,
        "can": {
            "edit": view.scope.edits,
            "share": view.scope.edits,
            "import": view.scope.edits,
            "download": view.scope.downloads,
            "administer": view.scope.administers,
        },
    }
    if share is None:
        out["user"] = {"name": view.scope.name, "role": view.scope.role}
        out["snapshots"] = snapshots.listed(db)
        out["shares"] = {kind: _offer(kind) for kind in ("public", "unit")} if view.scope.edits else {}
    elif share.place:
        out["place"] = share.place
    return out


def style(lang: Lang) -> Json:
    """Return the style table in one language, with the audit's own titles of verdicts and rules."""
    return table.style_json(
        lang,
        verdicts={name: found.title for name, found in words.verdicts().items()},
        rules={name: (rule.title, rule.severity) for name, rule in words.rules().items()},
    )


def _crs(view: View) -> str:
    return view.county.db.crs.to_string() if view.scope.share is None else ""


def _layer(view: View, name: str, lang: Lang, base: str, box: list[float] | None) -> Json:
    declared, allowed, frame = schema.layer(name), view.access(name), view.table(name)
    drawn = (view.large(name) or isinstance(frame, gpd.GeoDataFrame)) and not allowed.counts_only
    out: Json = {
        "name": name,
        "title": declared.title.pick(lang),
        "key": declared.key,
        "count": len(frame),
        "geometry": next((s for s in _SHAPES if s in declared.geometry), None) if drawn else None,
        "on": name in ("compounds", "findings", "pipes", "outlets", "streets", "waters", "links") and drawn,
        "class_column": narrowing.CLASS_COLUMN.get(name),
        "table": not allowed.counts_only,
        "bounds": box,
        "columns": [],
        "values": {},
    }
    if allowed.precision == "point":
        out["geometry"] = "point"
    column = narrowing.CLASS_COLUMN.get(name)
    if column and column in frame.columns:
        out["values"][column] = filters.count(frame[column])
    if not allowed.counts_only:
        out["columns"] = [
            {"name": c, "label": text.pick(lang), "unit": unit, "kind": kind}
            for c in map(str, frame.columns)
            if c != "geometry"
            for text, unit, kind in [words.label(name, c)]
        ]
    if drawn:
        tiling.source(view, name)  # built before the page asks for twenty tiles of it at once
        out["version"] = view.version(name)
        out["tiles"] = tiling.address(view, name, base)
        out["attributes"] = tiling.attributes(view, name)
    return out


def bounds(view: View, layer: str) -> list[float] | None:
    """Return the box around what this asker sees of a layer, in degrees; None when nothing has a place."""
    box: Any = None
    if view.large(layer) and view.scope.share is None:
        box = view.county.db.bounds(layer, snapshot=view.snapshot_id)
    else:
        frame = view.frame(layer)
        if isinstance(frame, gpd.GeoDataFrame) and len(frame):
            box = frame.total_bounds
    if box is None or not all(math.isfinite(v) for v in box):
        return None
    crs = view.county.db.crs
    corners = gpd.GeoSeries.from_xy([box[0], box[2], box[0], box[2]], [box[1], box[3], box[3], box[1]], crs=crs)
    west, south, east, north = corners.to_crs(4326).total_bounds
    places = 3 if view.access(layer).precision == "coarse" else 6
    return [round(float(v), places) for v in (west, south, east, north)]


def whole(view: View) -> tuple[float, float, float, float] | None:
    """Return the box around compounds and pipes, or around whatever else has a place; see `bounds`."""
    main = [box for name in ("compounds", "pipes") if name in view.layers and (box := bounds(view, name))]
    boxes = main or [box for name in view.layers if (box := bounds(view, name))]
    if not boxes:
        return None
    wests, souths, easts, norths = zip(*boxes, strict=True)
    return min(wests), min(souths), max(easts), max(norths)


def _filters(view: View, lang: Lang) -> list[Json]:
    if "compounds" not in view.layers:
        return []
    frame = view.frame("compounds")
    out = []
    for column in narrowing.FILTER_COLUMNS:
        if column not in frame.columns:
            continue
        counts = filters.count(frame[column], is_list=column in words.LISTS)
        if column == "programme_year":
            counts = dict(sorted(counts.items()))
        text, _, _ = words.label("compounds", column)
        values = [
            {"value": v, "label": words.value_label("compounds", column, v, lang), "count": n}
            for v, n in counts.items()
        ]
        out.append({"column": SHORT.get(column, column), "label": text.pick(lang), "values": values})
    return out


def _offer(kind: scopes.Kind) -> Json:
    """Return what a share of this kind may carry, so that the dialog offers nothing else."""
    most = scopes.ShareSpec(kind=kind, unit="-", investment=True, gaps=True, levels=True, descriptions=True)
    usual = scopes.allowed_layers(scopes.ShareSpec(kind=kind, unit="-"))
    allowed = scopes.allowed_layers(most)
    return {
        "layers": list(allowed),
        "columns": sorted(allowed["compounds"].columns or ()),
        "defaults": sorted(usual["compounds"].columns or ()),
    }
