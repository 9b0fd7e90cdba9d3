"""This module shows photos to those who may see them, and removes them."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, redirect, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from mapapp.services import photos, problems
from mapapp.web import context, errors, params

blueprint = Blueprint("photos", __name__)


@blueprint.get("/photos/<photo_id>")
def show(photo_id: str) -> Response:
    """Give one photo, to editors only; the browser keeps it for itself alone."""
    response = send_file(photos.path(context.county(), context.scope(), photo_id), mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@blueprint.post("/photos/<photo_id>")
def remove(photo_id: str) -> Response | BaseResponse:
    """Remove a photo for good."""
    params.body()
    county, scope = context.county(), context.scope()
    gone = photos.one(county, scope, photo_id)
    if gone["layer"] == "problems":
        problems.require_own(county, scope, str(gone["feature_id"]))
    photos.remove(county, scope, photo_id)
    if errors.wants_json():
        return jsonify(gone)
    where = gone["layer"] == "problems"
    return redirect(url_for("problems.one", ticket_id=gone["feature_id"]) if where else "/")
