"""This module turns every exception into an answer: one table from class to HTTP status, as a page or as JSON."""

from __future__ import annotations

import logging
import secrets
import traceback

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from mapapp.core import errors
from mapapp.core.text import Text
from mapapp.services.tiling import BusyError
from mapapp.web import i18n

log = logging.getLogger("mapapp.web")


class LoginNeeded(errors.MapappError):
    """Nobody is logged in, and this address is not for everybody."""

    http_status = 401


STATUS: dict[type[Exception], int] = {
    errors.NotFoundError: 404,
    errors.ForbiddenError: 403,
    errors.ConflictError: 409,
    errors.GoneError: 410,
    errors.QuestionError: 422,
    errors.InputError: 400,
    errors.MapappError: 400,
    BusyError: 503,
    LoginNeeded: 401,
}

LOGIN = Text("请先登录。", "Please log in first.")
_HTTP: dict[int, Text] = {
    400: Text("请求有误。", "The request is not right."),
    401: LOGIN,
    403: Text("您不能这样做。", "You may not do this."),
    404: Text("没有这个页面。", "There is no such page."),
    405: Text("此地址不支持这种操作。", "This address does not take that."),
    413: Text("文件太大。", "The upload is too large."),
    415: Text("请发送 JSON。", "Send JSON."),
    429: Text("尝试次数过多，请稍后再试。", "Too many attempts; try again later."),
}


def status_of(error: Exception) -> int:
    """Return the HTTP status of an exception: the table's entry for its nearest class, else 500."""
    for cls in type(error).__mro__:
        if cls in STATUS:
            return STATUS[cls]
    return 500


def wants_json() -> bool:
    """Whether the asker is a script: an API or tile address, or one that prefers JSON."""
    if "/api/" in request.path or "/tiles/" in request.path or request.is_json:
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def answer(status: int, message: str, *, where: str | None = None, extra: dict[str, object] | None = None) -> Response:
    """Return an error as JSON or as a page, in the asker's language."""
    if wants_json():
        body = {"error": message, "status": status, **({"where": where} if where else {}), **(extra or {})}
        response = make_response(jsonify(body), status)
    else:
        template = "share_gate.html" if g.get("share_over") else "error.html"
        page = render_template(template, message=message, status=status, over=True, private=g.get("shared", False))
        response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    if status == 503:
        response.headers["Retry-After"] = "3"
    return response


def install(app: Flask) -> None:
    """Give the application its error answers."""

    @app.errorhandler(errors.MapappError)
    def told(error: errors.MapappError) -> Response:
        extra: dict[str, object] = {}
        if isinstance(error, errors.QuestionError):
            extra = {"option": error.option, "choices": list(error.choices)}
        return answer(status_of(error), error.message(i18n.language()), where=error.where, extra=extra)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400 and isinstance(error.response, Response):
            return error.response
        text = _HTTP.get(status)
        return answer(status, text.pick(i18n.language()) if text else f"HTTP {status}")

    @app.errorhandler(Exception)
    def ours(error: Exception) -> Response:
        number = secrets.token_hex(4)
        # the path of a share holds its token, and a message may hold data: the log gets the endpoint, class and places
        places = "".join(traceback.format_tb(error.__traceback__))
        log.error("fault %s in %s: %s\n%s", number, request.endpoint, type(error).__name__, places)
        try:
            return answer(500, i18n.t("error.ours", number=number))
        except Exception:  # the page that tells of faults may be the one at fault
            return Response(f"500 {number}", 500, mimetype="text/plain")
