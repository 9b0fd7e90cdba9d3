"""This module is the yard: the phone page of a supervisor, what it loads, and where it sends what was found."""

from __future__ import annotations

import math
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.services import yard
from mapapp.web import context, i18n, i18n_yard, params, security

blueprint = Blueprint("yard", __name__)


@blueprint.get("/yard")
def page() -> str:
    """Show the phone page; it works on without signal once it was opened."""
    config = {"api": "/api", "worker": "/yard/worker.js", "edits": context.scope().edits}
    return render_template("yard.html", config=config, texts=i18n_yard.page_texts(i18n.language()))


@blueprint.get("/yard/worker.js")
def worker() -> Response:
    """Give the service worker from a path whose scope holds the page."""
    response = current_app.send_static_file("js/yard-worker.js")
    response.headers["Service-Worker-Allowed"] = "/yard"
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/api/yard")
def pack() -> Response:
    """Give all that the phone needs without signal, and the token to send with later."""
    found = yard.pack(context.view(), i18n.language())
    return make_response(jsonify(found | {"csrf": security.csrf_token(), "user": context.scope().name}))


@blueprint.post("/api/yard/visits")
def record() -> Response:
    """Store a visit; sent again, it changes nothing."""
    sent = params.body()
    visit = yard.Visit(
        visit_id=params.string(sent, "visit_id", longest=64),
        found=params.string(sent, "found", longest=40),
        visited_at=params.string(sent, "visited_at", longest=40),
        node_id=params.string(sent, "node_id", longest=200) or None,
        compound_id=params.string(sent, "compound_id", longest=200) or None,
        lon=_number(sent, "lon"),
        lat=_number(sent, "lat"),
        accuracy_m=_number(sent, "accuracy_m"),
        note=params.string(sent, "note", longest=500),
    )
    photo = request.files.get("photo")
    done = yard.record(context.county(), context.scope(), visit, photo.stream if photo is not None else None)
    return make_response(jsonify(done), 200 if done["already"] else 201)


@blueprint.post("/api/yard/audit")
def audit_again() -> Response:
    """Run the audit again, now that there is newer evidence; the answer names the job."""
    params.body()
    return make_response(jsonify(yard.audit_again(context.county(), context.scope())), 202)


def _number(sent: dict[str, Any], name: str) -> float | None:
    raw = params.string(sent, name, longest=40)
    if not raw:
        return None
    try:
        number = float(raw)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(Text(f"{name}={raw} 不是数。", f"{name}={raw} is not a number."), where=name)
    return number
