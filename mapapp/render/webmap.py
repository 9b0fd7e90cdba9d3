"""This module alone knows Folium: the map of a web page in parts, and the stand-alone page that needs no network.

Folium's own assets come from content networks; here every script and style is a local URL or lies in the page itself.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from folium.elements import JSCSSMixin
from folium.template import Template

import mapapp
from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.text import Lang, Text
from mapapp.render import files
from mapapp.render.scripts import TILE_SCRIPTS
from mapapp.render.style import STYLE, style_json

LEAFLET_JS = "/assets/leaflet/leaflet.js"
LEAFLET_CSS = "/assets/leaflet/leaflet.css"
STATIC = "/static/"
MAP_NAME = "map_mapapp"
"""The map's name as a variable of the page and as the id of its element."""


@dataclass(frozen=True, slots=True)
class BaseMap:
    """Raster tiles beneath everything: an XYZ address (best on the own server) and who made them."""

    url: str
    attribution: str
    max_zoom: int = 18


@dataclass(frozen=True, slots=True)
class MapConfig:
    """What a map page shows.

    Attributes
    ----------
    bounds : (west, south, east, north), optional
        Degrees, EPSG:4326; without them the map opens on China.
    sources : sequence of mappings
        Sources of the canvas layer, as described at the head of ``tilelayer.js``; none when the page adds them itself.
    """

    bounds: tuple[float, float, float, float] | None = None
    sources: Sequence[Mapping[str, Any]] = ()
    basemap: BaseMap | None = None
    max_zoom: int = 21
    leaflet_js: str = LEAFLET_JS
    leaflet_css: str = LEAFLET_CSS
    static: str = STATIC


@dataclass(frozen=True, slots=True)
class Parts:
    """A map as pieces of HTML for a page's own template: in the head, where the map stands, and after it."""

    head: str
    body: str
    script: str


class VectorLayer(JSCSSMixin):
    """The canvas layer of ``tilelayer.js`` as a Folium element.

    Parameters
    ----------
    sources : sequence of mappings
        As `MapConfig.sources`; plain JSON values.
    static : str
        Address of the folder that `TILE_SCRIPTS` are served from.
    bounds : (west, south, east, north), optional
        The map opens on them at once; Folium's own ``fit_bounds`` flies there and overrules a view set meanwhile.
    """

    _template = Template("""
        {% macro script(this, kwargs) %}
            {%- if this.bounds %}
            {{ this._parent.get_name() }}.fitBounds(
                {{ this.bounds }}, {padding: [24, 24], maxZoom: 17, animate: false});
            {%- endif %}
            var {{ this.get_name() }} = MapappTiles.layer({{ this.options }}).addTo({{ this._parent.get_name() }});
        {% endmacro %}
    """)

    def __init__(
        self,
        sources: Sequence[Mapping[str, Any]],
        static: str = STATIC,
        *,
        bounds: tuple[float, float, float, float] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca is partly typed
        self._name = "VectorLayer"
        self._id = "mapapp"
        self.default_js = [(f"mapapp_{Path(name).stem}", static + name) for name in TILE_SCRIPTS]
        self.options = script_json({"sources": list(sources)})
        self.bounds = "" if bounds is None else script_json([[bounds[1], bounds[0]], [bounds[3], bounds[2]]])


def script_json(value: Any) -> str:
    """Return JSON that may stand inside a script element: nothing in it can end the element or a line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char, code in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(char, code)
    return text


def page_map(config: MapConfig) -> folium.Map:
    """Return a Folium map with our canvas layer and local assets only.

    The page finds the map as ``window.map_mapapp`` and the layer as ``window.vector_layer_mapapp``.
    """
    west, south, east, north = config.bounds or (97.0, 21.0, 122.0, 43.0)
    the_map = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        zoom_start=4 if config.bounds is None else 12,
        tiles=None,
        zoom_control=False,
        min_zoom=3,
        max_zoom=config.max_zoom,  # without tiles Leaflet would not know one
        attribution_control=config.basemap is not None,
    )
    the_map._id = "mapapp"  # a stable name: the page's scripts refer to it
    the_map.default_js = [("leaflet", config.leaflet_js)]
    the_map.default_css = [("leaflet_css", config.leaflet_css)]
    if config.basemap is not None:
        folium.TileLayer(
            config.basemap.url,
            attr=html.escape(config.basemap.attribution),
            max_native_zoom=config.basemap.max_zoom,
            max_zoom=config.max_zoom,
            control=False,
        ).add_to(the_map)
    VectorLayer(config.sources, config.static, bounds=config.bounds).add_to(the_map)
    return the_map


def page_parts(the_map: folium.Map, *, nonce: str | None = None) -> Parts:
    """Return a map's HTML in pieces, inline scripts and styles carrying ``nonce`` for the content security policy.

    Renders the map; call it once per map.
    """
    figure: Any = the_map.get_root()  # a Figure; branca declares less
    figure.render()
    head = figure.header.render()
    # Folium styles html and body for a page of its own; ours has a layout.
    head = re.sub(r"<style>\s*(html, body|#map) \{.*?</style>", "", head, flags=re.DOTALL)
    head = re.sub(r'<meta (http-equiv|name="viewport").*?/?>', "", head, flags=re.DOTALL)
    mark = f' nonce="{html.escape(nonce)}"' if nonce else ""
    head = re.sub(r"<(script|style)>", rf"<\1{mark}>", head)
    head = "\n".join(line.strip() for line in head.splitlines() if line.strip())
    return Parts(head, figure.html.render().strip(), f"<script{mark}>\n{figure.script.render()}\n</script>")


# -- the stand-alone page ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StandaloneConfig:
    """What the stand-alone page says.

    Attributes
    ----------
    title, as_of : str
        Head line; the date of the data as the reader should see it.
    columns : mapping of layer to column names, optional
        Columns written into the page; default those of the schema that are not personal in any layer. Columns that a
        foreign file brought along are left out unless they are listed. The key is always written.
    hidden : sequence of str
        Styles (see `STYLE`) that start switched off.
    watermark : str
        Repeated over the map when given.
    labels : mapping of layer to column to (label, unit), optional
        What columns are called; default their declared labels.
    words : mapping of layer to column to value to word, optional
        What stored codes are called.
    """

    title: str
    as_of: str
    lang: Lang = "zh"
    columns: Mapping[str, Sequence[str]] | None = None
    hidden: Sequence[str] = ("verdicts", "candidates", "survey_areas", "inlets")
    watermark: str = ""
    verdicts: Mapping[str, Text] = field(default_factory=dict)
    rules: Mapping[str, tuple[Text, str]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)


_WORDS = {
    "as_of": Text("截至", "As of"),
    "legend": Text("图层与图例", "Layers and legend"),
    "missing": Text("无", "none"),
    "close": Text("关闭", "Close"),
    "count": Text("此处要素数", "features here"),
    "zoom_in": Text("放大", "Zoom in"),
    "zoom_out": Text("缩小", "Zoom out"),
    "not_drawn": Text("无图形", "not drawn"),
}


def standalone(layers: Mapping[str, gpd.GeoDataFrame], config: StandaloneConfig, path: str | Path) -> Path:
    """Write one HTML file with map, data, legend and popups, which opens without a network.

    Parameters
    ----------
    layers : mapping of layer name to GeoDataFrame
        Rows to show, in any CRS; layers without a style or without rows are left out. Everything that is passed is in
        the file and can be read there: filter before.
    config : StandaloneConfig
    path : path
        Replaced whole.

    Raises
    ------
    InputError
        When no layer has anything to draw, one has no CRS, or the folder cannot be written to.
    """
    styles = style_json(config.lang, verdicts=config.verdicts, rules=config.rules)
    sources = []
    for style in STYLE.values():
        frame = layers.get(style.id if style.id in layers else style.layer)
        if frame is None or not len(frame) or style.id == "pipes_cjj61":
            continue
        if style.column and style.column not in frame.columns and style.id != style.layer:
            continue  # verdicts need the verdict column
        declared = schema.layer(style.id if style.id in layers else style.layer)
        names = _columns(frame, declared, config)
        if style.column in frame.columns and style.column not in names and declared.column(style.column) is None:
            names.append(style.column)  # made by the view, such as the relapse flag
        source: dict[str, Any] = {
            "id": style.id, "style": styles[style.id], "key": declared.key, "visible": style.id not in config.hidden,
            "data": pack(frame, names), "labels": _labels(declared, names, config), "minZoom": 0,
            "words": {k: dict(v) for k, v in config.words.get(declared.name, {}).items() if k in names},
        }  # fmt: skip
        if style.id == "relapses":
            source["interactive"] = False  # a click means the compound, not its flag
        if style.id in ("manholes", "inlets"):
            source["minZoom"] = styles[style.id]["min_zoom"]
        if style.id == "findings":  # around a compound, not over it: its colour and letter go on saying its status
            classes = [c | {"opacity": 0, "hatch": False} for c in styles[style.id]["classes"]]
            source["style"] = styles[style.id] | {"classes": classes}
        sources.append(source)
    bounds = [s["data"]["bounds"] for s in sources if s["data"]["bounds"]]
    if not bounds:
        raise InputError(
            Text("没有可绘制的要素。", "There is nothing to draw."),
            Text("请先导入图层。", "Import a layer first."),
        )
    low, high = np.min(np.array(bounds)[:, :2], axis=0), np.max(np.array(bounds)[:, 2:], axis=0)
    extent = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    the_map = page_map(MapConfig(bounds=extent, sources=sources))
    path = Path(path)
    with files.whole(path) as beside:
        beside.write_text(_page(the_map, config, extent), encoding="utf-8")
    return path


def pack(frame: gpd.GeoDataFrame, columns: Sequence[str]) -> dict[str, Any]:
    """Return rows with geometry as plain lists for ``MapappTiles.unpack``: deltas of 1e-6 degrees, values by number.

    Raises
    ------
    InputError
        When the frame has no CRS.
    """
    if frame.crs is None:
        raise InputError(
            Text("图层没有坐标系，无法绘制。", "The layer has no coordinate system, so it cannot be drawn."),
            Text("请指定坐标系。", "Give one."),
        )
    geometry = np.asarray(frame.geometry.to_crs(4326).array, dtype=object)
    bounds = shapely.bounds(geometry)
    rows = np.flatnonzero(np.isfinite(bounds).all(axis=1) & (shapely.get_type_id(geometry) != 7))
    geometry = shapely.orient_polygons(geometry[rows], exterior_cw=True)
    dimension = shapely.get_dimensions(geometry)
    parts, owner = shapely.get_parts(geometry, return_index=True)
    areas = dimension[owner] == 2
    rings, ring_of = shapely.get_rings(parts[areas], return_index=True)
    pieces = np.concatenate([rings, parts[~areas]])
    owner = np.concatenate([owner[areas][ring_of], owner[~areas]])
    order = np.argsort(owner, kind="stable")
    pieces, owner = pieces[order], owner[order]
    xy, piece = shapely.get_coordinates(pieces, return_index=True)
    lengths = np.bincount(piece, minlength=len(pieces))
    whole = np.rint(xy * 1e6).astype(np.int64)
    delta = np.diff(whole, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    own = bounds[rows]
    return {
        "types": (dimension + 1).tolist(),
        "parts": np.bincount(owner, minlength=len(rows)).tolist(),
        "lengths": lengths.tolist(),
        "xy": delta.reshape(-1).tolist(),
        "columns": {name: _codes(frame[name].iloc[rows]) for name in columns},
        "bounds": [*own[:, :2].min(axis=0).tolist(), *own[:, 2:].max(axis=0).tolist()] if len(rows) else None,
        "undrawn": len(frame) - len(rows),
    }


def _codes(values: pd.Series[Any]) -> dict[str, list[Any]]:
    if values.dtype.kind == "f":
        values = values.where(np.isfinite(values.to_numpy(dtype=np.float64, na_value=np.nan)))
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    plain = [v if isinstance(v, bool | int | float | str) else str(v) for v in pd.Index(distinct).tolist()]
    return {"values": plain, "codes": (codes + 1).tolist()}


def _columns(frame: gpd.GeoDataFrame, declared: schema.Layer, config: StandaloneConfig) -> list[str]:
    personal = frozenset().union(*(layer.personal for layer in schema.layers().values()))
    if config.columns is None:
        allowed = {c.name for c in declared.columns}
    else:
        allowed = set(config.columns.get(declared.name, ()))
    names = [c for c in frame.columns if c == declared.key or (c in allowed and c not in personal)]
    return [n for n in names if frame[n].notna().any()]


def _labels(declared: schema.Layer, names: Sequence[str], config: StandaloneConfig) -> dict[str, list[str]]:
    """Return label and unit by column."""
    out = {}
    for name in names:
        column, given = declared.column(name), config.labels.get(declared.name, {}).get(name)
        declared_as = (column.label.pick(config.lang) or name, column.unit) if column else (name, "")
        out[name] = list(given or declared_as)
    return out


def _page(the_map: folium.Map, config: StandaloneConfig, extent: tuple[float, float, float, float]) -> str:
    parts = page_parts(the_map)
    here = Path(__file__).parent
    leaflet = _leaflet()
    css = re.sub(r"url\([^)]*\)", "none", (leaflet / "leaflet.css").read_text(encoding="utf-8"))
    js = (leaflet / "leaflet.js").read_text(encoding="utf-8").split("//# sourceMappingURL")[0]
    static = Path(mapapp.__file__).parent / "web" / "static"
    tilelayer = "\n".join((static / name).read_text(encoding="utf-8") for name in TILE_SCRIPTS)
    words = {k: v.pick(config.lang) for k, v in _WORDS.items()}
    about = script_json({
        "title": config.title, "as_of": config.as_of, "watermark": config.watermark, "words": words, "bounds": extent,
    })  # fmt: skip
    head = re.sub(r"<(script|link) [^>]*(src|href)=[^>]*>(</script>)?", "", parts.head)
    own_css = (here / "standalone.css").read_text(encoding="utf-8")
    own_js = (here / "standalone.js").read_text(encoding="utf-8")
    return (
        f'<!DOCTYPE html>\n<html lang="{"en" if config.lang == "en" else "zh-CN"}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">\n'
        # The file itself forbids every request, whatever a value in it might try.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline'; "
        "style-src 'unsafe-inline'; img-src data: blob:\">\n"
        f"<title>{html.escape(config.title)}</title>\n<style>{css}\n</style>\n{head}\n<style>{own_css}</style>\n"
        f"<script>{js}</script>\n<script>{tilelayer}</script>\n</head>\n<body>\n{parts.body}\n"
        f"{parts.script}\n<script>var MAPAPP_ABOUT = {about};\n{own_js}</script>\n</body>\n</html>\n"
    )


def _leaflet() -> Path:
    from xstatic.pkg import leaflet  # only the stand-alone page reads the files themselves

    return Path(leaflet.BASE_DIR)
