"""This module serves scripts and styles, those of installed packages too, so that no page asks another host: packed, and once.

A page asks for some forty small files. Each has its state in its address and is kept for good; a reader with a slow line
gets them, and the answers in JSON, at a quarter of their size. Pages themselves are not packed: they hold a token beside
words that an address may bring in, and the length of such a page could be made to tell it.
"""

from __future__ import annotations

import gzip
import importlib
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Flask, Response, redirect, request, send_from_directory, url_for
from werkzeug.wrappers import Response as BaseResponse

blueprint = Blueprint("assets", __name__)

_PACKED: Final = frozenset(
    {"text/css", "text/javascript", "application/javascript", "application/json", "image/svg+xml"}
)
_LEAST: Final = 1000
"""Bytes below which packing gains nothing."""
_MOST_KEPT: Final = 200
_kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
"""Packed files by path and tag, so that each is packed once in a process."""


def install(app: Flask) -> None:
    """Let addresses of files name their state, and answers that are text travel packed."""

    def state(name: str) -> str:
        try:
            return f"{(Path(app.static_folder or '') / name).stat().st_mtime_ns:x}"
        except OSError:
            return ""

    @app.url_defaults
    def name_state(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and (found := state(values["filename"])):
            values.setdefault("v", found)

    @app.after_request
    def pack(response: Response) -> Response:
        asked = request.args.get("v")
        if request.endpoint == "static" and asked and asked == state((request.view_args or {})["filename"]):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        if response.mimetype not in _PACKED or response.status_code != 200 or "Content-Encoding" in response.headers:
            return response
        response.vary.add("Accept-Encoding")
        if (response.content_length or 0) < _LEAST or not request.accept_encodings.quality("gzip"):
            return response
        tag = response.headers.get("ETag")
        response.direct_passthrough = False
        response.set_data(_pack(response.get_data(), (request.path, tag) if tag else None))
        response.headers["Content-Encoding"] = "gzip"
        return response


def _pack(body: bytes, key: tuple[str, str] | None) -> bytes:
    if key is None:
        return gzip.compress(body, 5, mtime=0)
    packed = _kept.get(key)
    if packed is None:
        packed = _kept[key] = gzip.compress(body, 9, mtime=0)
        if len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return packed


def _base(package: str) -> Path:
    return Path(importlib.import_module(f"xstatic.pkg.{package}").BASE_DIR)


@blueprint.get("/assets/leaflet/<path:name>")
def leaflet(name: str) -> Response:
    """Leaflet's script, style and images."""
    return _send("leaflet", name)


@blueprint.get("/assets/jquery/<path:name>")
def jquery(name: str) -> Response:
    """JQuery's script."""
    return _send("jquery", name)


def _send(package: str, name: str) -> Response:
    response = send_from_directory(_base(package), name)
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


@blueprint.get("/favicon.ico")
def favicon() -> BaseResponse:
    """Browsers ask for this one by themselves."""
    return redirect(url_for("static", filename="icons/mark.svg"))
