"""This module serves the scripts and styles of installed packages, so that no page asks another host."""

from __future__ import annotations

import importlib
from pathlib import Path

from flask import Blueprint, Response, redirect, send_from_directory, url_for
from werkzeug.wrappers import Response as BaseResponse

blueprint = Blueprint("assets", __name__)


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
