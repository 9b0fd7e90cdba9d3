"""This module wires the web application: one place, nothing opened or read before the first request."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask, Response, g, request

from mapapp import resources
from mapapp.services.frames import County
from mapapp.settings import Settings
from mapapp.web import (
    api,
    assets,
    auth,
    basemap,
    choosing,
    dashboard,
    errors,
    i18n,
    imports,
    meetings,
    months,
    pages,
    papers,
    photos,
    planning,
    problems,
    records,
    secret,
    security,
    shares,
    users,
    yard,
)


def create_app(settings: Settings) -> Flask:
    """Return the application that serves one county.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    InputError
        When the key that signs sessions can neither be read nor kept.
    """
    app = Flask("mapapp.web", template_folder=str(resources.folder("templates")), static_folder="static")
    app.config.update(
        SECRET_KEY=settings.secret_key or secret.beside(settings.database),
        MAX_CONTENT_LENGTH=settings.upload_mb * 1_000_000,
        MAX_FORM_MEMORY_SIZE=2_000_000,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        SESSION_COOKIE_NAME="mapapp",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.behind_https,
        SESSION_REFRESH_EACH_REQUEST=False,
        SEND_FILE_MAX_AGE_DEFAULT=None,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["mapapp_settings"] = settings
    app.extensions["mapapp_county"] = County(settings.database, tiles_folder=settings.tiles_folder)

    @app.before_request
    def begin() -> Any:
        g.lang = i18n.choose(request, settings.language)
        security.check_host(settings)
        return auth.begin()

    @app.after_request
    def remember_language(response: Response) -> Response:
        if i18n.asked_explicitly() and not g.get("shared") and response.mimetype == "text/html":
            response.set_cookie(i18n.COOKIE, g.lang, max_age=31_536_000, samesite="Lax", secure=settings.behind_https)
        if response.mimetype in ("text/html", "application/json"):
            response.vary.update(("Accept-Language", "Cookie"))
        return response

    security.install(app, settings)
    assets.install(app)
    errors.install(app)
    app.context_processor(pages.context)
    app.add_template_filter(choosing.spoken)
    for blueprint in (
        pages.blueprint, api.blueprint(), assets.blueprint, auth.blueprint, basemap.blueprint, imports.blueprint, months.blueprint, dashboard.blueprint,
        shares.blueprint, shares.opened(), users.blueprint, yard.blueprint, planning.blueprint, papers.blueprint,
        problems.blueprint, photos.blueprint, meetings.blueprint, records.blueprint,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
    return app
