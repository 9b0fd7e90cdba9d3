"""This module answers the page's questions in JSON, and gives it tiles. A share answers the same, cut to what it opens."""

from __future__ import annotations

import gzip
import hashlib
from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, request

from mapapp.core.errors import NotFoundError
from mapapp.core.text import Text
from mapapp.services import deciding, describing, exporting_view, photos, searching, snapshots, tiling, viewing
from mapapp.web import context, i18n, openapi, params, sending


def _json(answer: Any, status: int = 200) -> Response:
    return make_response(jsonify(answer), status)


def add_reading(blueprint: Blueprint) -> None:
    """Give a blueprint the questions that users and shares may both ask; each is cut to ``g.scope``."""

    @blueprint.get("/api/view")
    def view() -> Response:
        """Tell what is there to see: title, date, layers, style, filters, bounds."""
        base = request.path.removesuffix("/api/view")
        return _json(describing.describe(context.view(), i18n.language(), base=base) | g.get("share_notice", {}))

    @blueprint.get("/api/summary")
    def summary() -> Response:
        """Give counts and totals of what is filtered."""
        return _json(viewing.summary(context.view(), params.filters(), i18n.language()))

    @blueprint.get("/api/features/<layer>")
    def features(layer: str) -> Response:
        """Give one page of a layer's table."""
        column, down = params.sort()
        answer = viewing.features(
            context.view(), layer, params.filters(), sort=column, descending=down, offset=params.integer("offset", 0),
            limit=params.integer("limit", 50), columns=params.names("columns"), lang=i18n.language(),
        )  # fmt: skip
        return _json(answer)

    @blueprint.get("/api/features/<layer>/<path:id_>")
    def feature(layer: str, id_: str) -> Response:
        """Give one feature with what the audit says of it."""
        seen = context.view()
        return _json(photos.beside(seen, viewing.feature(seen, layer, id_, i18n.language())))

    @blueprint.get("/api/search")
    def search() -> Response:
        """Find names and ids like ``q``."""
        found = searching.search(
            context.view(), params.text("q") or "", i18n.language(), limit=params.integer("limit", 12, low=1, high=50)
        )
        return _json({"results": found})

    @blueprint.get("/api/export/<layer>.<any(csv,xlsx,geojson,gpkg):kind>")
    def export(layer: str, kind: str) -> Response:
        """Give a layer's rows as a file, where the asker may take it away."""
        made = exporting_view.table(context.view(), layer, params.filters(), kind)
        return sending.file(made)

    @blueprint.get("/tiles/<layer>/<int:z>/<int:x>/<int:y>.mvt")
    def tile(layer: str, z: int, x: int, y: int) -> Response:
        """Give one vector tile of what the asker sees of a layer."""
        seen = context.view()
        seen.access(layer)
        version = seen.version(layer)
        tag = hashlib.sha256(f"{version}/{z}/{x}/{y}".encode()).hexdigest()[:24]
        response = Response(mimetype="application/vnd.mapbox-vector-tile")
        response.set_etag(tag)
        fixed = params.text("v") == version
        response.headers["Cache-Control"] = "private, max-age=31536000, immutable" if fixed else "private, no-cache"
        if tag in request.if_none_match:
            response.status_code = 304
            return response
        body = tiling.tile(seen, layer, z, x, y)
        response.vary.add("Accept-Encoding")
        if len(body) > 500 and request.accept_encodings.quality("gzip") > 0:
            body = gzip.compress(body, 5, mtime=0)
            response.headers["Content-Encoding"] = "gzip"
        response.set_data(body)
        return response


def blueprint() -> Blueprint:
    """Return the questions of users: what shares may ask, and what only users may."""
    made = Blueprint("api", __name__)
    add_reading(made)

    @made.get("/healthz")
    def healthz() -> Response:
        """Tell whether the process runs."""
        return _json({"status": "ok"})

    @made.get("/readyz")
    def readyz() -> Response:
        """Tell whether the database can be read."""
        try:
            revision = context.db().revision
        except Exception as error:  # whatever it is, we are not ready; the class says which
            return _json({"status": "not ready", "reason": type(error).__name__}, 503)
        return _json({"status": "ready", "revision": revision} if context.settings().local else {"status": "ready"})

    @made.get("/api/openapi.json")
    def described() -> Response:
        """Give this description."""
        return _json(openapi.describe(i18n.language()))

    @made.get("/api/snapshots")
    def listed() -> Response:
        """List the frozen states of the county."""
        return _json({"snapshots": snapshots.listed(context.db())})

    @made.post("/api/snapshots")
    def freeze() -> Response:
        """Freeze the county as of a date."""
        sent = params.body()
        made_ = snapshots.freeze(
            context.db(),
            context.scope(),
            as_of=params.string(sent, "as_of"),
            title=params.string(sent, "title") or None,
        )
        return _json(made_, 201)

    @made.post("/api/findings/<path:finding_id>")
    def decide(finding_id: str) -> Response:
        """Confirm, dismiss or close a finding, with a note."""
        sent = params.body()
        decided = deciding.decide(
            context.county(), context.scope(), finding_id,
            status=params.string(sent, "status"), note=params.string(sent, "note", longest=2000),
            expected=params.string(sent, "expected") if "expected" in sent else None,
        )  # fmt: skip
        return _json(decided)

    @made.get("/api/jobs/<job_id>")
    def job(job_id: str) -> Response:
        """Tell how far a long piece of work is."""
        found = context.db().jobs.get(int(job_id)) if job_id.isdigit() else None
        if found is None:
            raise NotFoundError(Text(f"没有任务 {job_id}。", f"There is no job {job_id}."))
        return _json({name: getattr(found, name, None) for name in ("id", "kind", "state", "progress", "message")})

    return made
