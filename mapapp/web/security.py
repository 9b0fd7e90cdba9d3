"""This module keeps strangers' pages and scripts out: host check, CSRF tokens, content security policy, headers."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g, request, session

from mapapp.core.errors import ForbiddenError
from mapapp.core.text import Text
from mapapp.settings import Settings

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def nonce() -> str:
    """Return this response's nonce; scripts and styles that carry it may run."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    value: str = g.nonce
    return value


def csrf_token() -> str:
    """Return the token that every form and JSON POST of this session has to carry."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    value: str = session["csrf"]
    return value


def check_host(settings: Settings) -> None:
    """Refuse a request that names another host: a page elsewhere may have pointed its own name at us (DNS rebinding).

    Raises
    ------
    ForbiddenError
    """
    allowed = settings.allowed_hosts
    if allowed is not None and (urlsplit(f"//{request.host}").hostname or "").lower() not in allowed:
        raise ForbiddenError(
            Text("请求的主机名不对。", "The request names another host."),
            Text("请用服务器启动时打印的地址访问。", "Use the address that the server printed."),
        )


def check_csrf() -> None:
    """Refuse a changing request that does not come from our own pages.

    Raises
    ------
    ForbiddenError
    """
    if request.method in _SAFE:
        return
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token") or ""
    expected = session.get("csrf") or ""
    origin = request.headers.get("Origin")
    foreign = request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
    if origin and origin != "null":
        foreign = foreign or urlsplit(origin).netloc != request.host
    if foreign or not expected or not hmac.compare_digest(sent.encode(), expected.encode()):
        raise ForbiddenError(
            Text("页面已过期或请求并非来自本页面。", "The page is too old, or the request did not come from it."),
            Text("请刷新页面后重试。", "Reload the page and try again."),
        )


def policy(frame_ancestors: str) -> str:
    """Return the content security policy: our own files, this response's nonce, no other host."""
    parts = {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonce()}'",
        "style-src": f"'self' 'nonce-{nonce()}'",
        "img-src": "'self' data: blob:",
        "connect-src": "'self'",
        "font-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": frame_ancestors,
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())


def install(app: Flask, settings: Settings) -> None:
    """Give every response its headers."""

    @app.after_request
    def headers(response: Response) -> Response:
        ancestors = " ".join(g.get("embed") or ()) or "'none'"
        head = response.headers
        head["Content-Security-Policy"] = policy(ancestors)
        head["X-Content-Type-Options"] = "nosniff"
        head["Cross-Origin-Opener-Policy"] = "same-origin"
        head["Cross-Origin-Resource-Policy"] = "same-origin"
        head["Permissions-Policy"] = "geolocation=(self), camera=(), microphone=()"
        head.setdefault("Referrer-Policy", "same-origin")
        if ancestors == "'none'":
            head["X-Frame-Options"] = "DENY"
        if g.get("shared"):
            head["Referrer-Policy"] = "no-referrer"
            head["X-Robots-Tag"] = "noindex, nofollow, noarchive"
            if "Cache-Control" not in head or "public" in head["Cache-Control"]:
                head["Cache-Control"] = "private, no-cache"
        head.setdefault("Cache-Control", "private, no-cache")
        if settings.behind_https:
            head["Strict-Transport-Security"] = "max-age=31536000"
        return response
