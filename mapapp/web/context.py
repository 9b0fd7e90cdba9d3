"""This module knows what one request works with: the settings, the county, who asks, and the view they see."""

from __future__ import annotations

from typing import Any

from flask import current_app, g

from mapapp.services.frames import County, View
from mapapp.services.scope import Scope
from mapapp.settings import Settings
from mapapp.web import params


def settings() -> Settings:
    """Return the settings of this server."""
    found: Settings = current_app.extensions["mapapp_settings"]
    return found


def county() -> County:
    """Return the county served."""
    found: County = current_app.extensions["mapapp_county"]
    return found


def scope() -> Scope:
    """Return who asks; set before any view runs."""
    found: Scope = g.scope
    return found


def view() -> View:
    """Return what the asker sees, live or as of ``?as=``."""
    return county().at(scope(), params.text("as"))


def db() -> Any:
    """Return the open database."""
    return county().db
