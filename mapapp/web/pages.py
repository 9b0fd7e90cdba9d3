"""This module serves the pages of the county: the map and the gaps."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template

from mapapp.render.scripts import TILE_SCRIPTS
from mapapp.services import mapframe
from mapapp.web import basemap, i18n, i18n_map, security
from mapapp.web import context as here

blueprint = Blueprint("pages", __name__)


def context() -> dict[str, Any]:
    """Return what every template may use: texts, language, token, nonce, who asks."""
    shared = bool(g.get("shared"))
    scope = g.get("scope")
    known: dict[str, Any] = {
        "t": i18n.t,
        "lang": i18n.language(),
        "nonce": security.nonce,
        "instant": i18n.instant,
        "private": shared,
        "user": None if shared or scope is None or here.settings().local else {"name": scope.name, "role": scope.role},
        "tile_scripts": TILE_SCRIPTS,
        "local": here.settings().local,
        "texts": i18n_map.page_texts(i18n.language()),
    }
    if not shared or g.get("share_gate"):
        known["csrf_token"] = security.csrf_token
    if scope is not None and not shared:
        known["county"] = here.db().name
    return known


def map_config(*, mode: str, base: str) -> dict[str, Any]:
    """Return what the page's scripts need before their first question."""
    settings = here.settings()
    tiles = None
    if settings.basemap != "none" and mode != "share":
        tiles = "/basemap/{z}/{x}/{y}"
    return {"mode": mode, "api": f"{base}/api", "base": base, "lang": i18n.language(), "basemap": tiles}


@blueprint.get("/")
def home() -> str:
    """Show the map; the state of the view is in the address."""
    view = here.view()
    config = map_config(mode="local" if here.settings().local else "user", base="")
    parts = mapframe.parts(
        view,
        i18n.language(),
        base="",
        basemap=config["basemap"],
        attribution=basemap.attribution(here.settings()),
        nonce=security.nonce(),
    )
    return render_template("map.html", parts=parts, config=config | {"map": parts.name}, county=here.db().name)


@blueprint.get("/gaps")
def gaps() -> str:
    """Show the sewer gaps by compound, with evidence."""
    return render_template("gaps.html", config=map_config(mode="user", base=""), as_of=here.view().as_of)
