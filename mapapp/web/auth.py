"""This module finds out who asks: the person at this machine, a user who logged in, or nobody."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from mapapp.services import accounts
from mapapp.services.scope import Scope
from mapapp.web import context, errors, i18n, params, security

blueprint = Blueprint("auth", __name__)

_LOGIN = frozenset({"auth.login", "auth.enter"})
_OPEN = _LOGIN | {"static", "assets.leaflet", "assets.jquery", "assets.favicon", "api.healthz", "api.readyz"}
"""What everybody may have; shares let themselves in (`web.shares`)."""


def begin() -> Any:
    """Set ``g.scope`` for this request, or send the asker to the login page.

    Raises
    ------
    LoginNeeded
        For scripts that nobody is logged in for.
    ForbiddenError
        For a changing request without its CSRF token.
    """
    endpoint = request.endpoint or ""
    if endpoint.startswith("shared.") or (not endpoint and request.path.startswith("/s/")):
        g.shared = True
        security.check_csrf()
        return None
    if endpoint in _OPEN - _LOGIN:
        return None
    security.check_csrf()
    g.scope = current()
    if g.scope is not None or endpoint in _OPEN:
        return None
    if errors.wants_json() or request.method != "GET":
        raise errors.LoginNeeded(errors.LOGIN, i18n.TEXTS["login.hint"])
    wanted = request.full_path.rstrip("?")
    return redirect(url_for("auth.login", next=wanted if wanted != "/" else None))


def current() -> Scope | None:
    """Return the user of this session; on a loopback address the person at this machine, who administers."""
    if context.settings().local:
        return Scope("local", role="administrator")
    name = session.get("user")
    if not isinstance(name, str):
        return None
    account = accounts.find(context.db(), name)
    # a changed password or a removed user ends every session
    if account is None or session.get("mark") != account.mark:
        session.clear()
        return None
    return Scope(account.name, role=account.role)


@blueprint.get("/login")
def login() -> str | BaseResponse:
    """Show the login page."""
    if g.scope is not None:
        return redirect(_next())
    return render_template("login.html", next=_next())


@blueprint.post("/login")
def enter() -> BaseResponse | tuple[str, int]:
    """Log in; a new session begins, so that one prepared by somebody else is worth nothing."""
    sent = params.body()
    name, password = params.string(sent, "name", longest=100), params.string(sent, "password", longest=1000)
    try:
        account = accounts.log_in(context.db(), name, password)
    except accounts.WrongError as error:
        return render_template("login.html", next=_next(), message=error.message(i18n.language()), name=name), 403
    except accounts.LockedError as error:
        return render_template("login.html", next=_next(), message=error.message(i18n.language()), name=name), 429
    session.clear()
    session.permanent = True
    session["user"], session["mark"], session["csrf"] = account.name, account.mark, secrets.token_urlsafe(24)
    return redirect(_next())


@blueprint.post("/logout")
def logout() -> Response | BaseResponse:
    """End the session."""
    session.clear()
    return redirect(url_for("auth.login"))


def _next() -> str:
    """Return the address to go on to, on this server only."""
    wanted = request.values.get("next", "/")
    parts = urlsplit(wanted)
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return wanted if inside and "\\" not in wanted else "/"
