"""This module passes base-map tiles on from one configured server, so that its key never reaches a page. Off by default."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort

from mapapp.core.errors import InputError, NotFoundError
from mapapp.core.text import Text
from mapapp.services.tiling import MAX_ZOOM
from mapapp.settings import TIANDITU_KINDS, Settings
from mapapp.web import context

blueprint = Blueprint("basemap", __name__)
_TIMEOUT_S: Final = 8
_LARGEST: Final = 2_000_000
_TYPES: Final = ("image/png", "image/jpeg", "image/webp")


def attribution(settings: Settings) -> Text:
    """Return whose base map it is, as the map's corner has to say."""
    if settings.basemap == "tianditu":
        return Text("底图：天地图", "Base map: Tianditu")
    host = urlsplit(settings.basemap_url).hostname or ""
    return Text(f"底图：{host}", f"Base map: {host}")


def upstream(settings: Settings, kind: str, z: int, x: int, y: int) -> str:
    """Return the address of one tile at the configured server.

    Raises
    ------
    NotFoundError
        When no base map is set, or it has no such kind.
    InputError
        For a tile that does not exist on this zoom.
    """
    if settings.basemap == "none" or (settings.basemap == "tianditu" and kind not in TIANDITU_KINDS):
        raise NotFoundError(Text("没有设置底图。", "No base map is set."))
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise InputError(Text(f"没有瓦片 {z}/{x}/{y}。", f"There is no tile {z}/{x}/{y}."))
    if settings.basemap == "xyz":
        return settings.basemap_url.replace("{z}", str(z)).replace("{x}", str(x)).replace("{y}", str(y))
    return (
        f"https://t{(x + y) % 8}.tianditu.gov.cn/{kind}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={kind}"
        f"&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={settings.tianditu_token}"
    )


@blueprint.get("/basemap/<int:z>/<int:x>/<int:y>")
@blueprint.get("/basemap/<kind>/<int:z>/<int:x>/<int:y>")
def tile(z: int, x: int, y: int, kind: str = "vec") -> Response:
    """One base-map image; 502 when the server behind does not give one. Nothing of the request is passed on."""
    address = upstream(context.settings(), kind, z, x, y)
    request = urllib.request.Request(address, headers={"User-Agent": "mapapp"})  # noqa: S310  # https or http, checked in Settings
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            mimetype = answer.headers.get_content_type()
            body = answer.read(_LARGEST + 1)
    except (urllib.error.URLError, TimeoutError, OSError):
        abort(502)
    if mimetype not in _TYPES or len(body) > _LARGEST:
        abort(502)
    response = Response(body, mimetype=mimetype)
    response.headers["Cache-Control"] = "private, max-age=604800"
    return response
