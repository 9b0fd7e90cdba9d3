"""This module lets users make and end shares, and lets strangers open one: a share has its own addresses and no others."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response as BaseResponse

from mapapp.core import schema
from mapapp.core.errors import ForbiddenError, InputError, MapappError
from mapapp.core.text import Text
from mapapp.services import accounts, mapframe, photos, sharing
from mapapp.web import api, context, errors, i18n, pages, params, records, security

blueprint = Blueprint("shares", __name__)


def opened() -> Blueprint:
    """Return the addresses of one share: its page, its gate, and the reading questions, cut to what it opens."""
    made = Blueprint("shared", __name__, url_prefix="/s/<token>")

    @made.url_value_preprocessor
    def take_token(endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.token = (values or {}).pop("token", "")

    @made.url_defaults
    def give_token(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("token", g.get("token", ""))

    made.before_request(_let_in)

    @made.get("")
    def page() -> str | tuple[str, int]:
        """Show the map of a share."""
        found: sharing.Opened = g.opened
        view = context.view()
        base = f"/s/{g.token}"
        config = pages.map_config(mode="share", base=base) | {"reply": found.spec.reply}
        parts = mapframe.parts(view, i18n.language(), base=base, basemap=None, nonce=security.nonce())
        sharing.count_view(context.county(), found)
        return render_template(
            "map.html", parts=parts, config=config | {"map": parts.name}, county=found.title or context.db().name
        )

    @made.post("/enter")
    def enter() -> BaseResponse | tuple[str, int]:
        """Take a pass code."""
        found: sharing.Opened = g.opened
        try:
            code = params.string(params.body(), "code", longest=200)
            sharing.enter(context.county(), found, code, who=_asker())
        except ForbiddenError as error:
            status = 429 if isinstance(error, accounts.LockedError) else 403
            message = error.message(i18n.language())
            return _gate(message), status
        response = redirect(url_for("shared.page", **_view_asked()))
        response.set_cookie(
            _cookie(found), _signer().dumps(_pass(found)), path=f"/s/{g.token}", max_age=43_200, httponly=True,
            samesite="Lax", secure=context.settings().behind_https,
        )  # fmt: skip
        return response

    @made.get("/photos/<photo_id>")
    def photo(photo_id: str) -> Response:
        """Give one photo of the unit's own problems, where the link's maker ticked photos."""
        response = send_file(photos.shared_path(context.view(), photo_id), mimetype="image/jpeg")
        response.headers["Cache-Control"] = "private, no-store"
        return response

    api.add_reading(made)
    records.add_reply(made)
    return made


def _let_in() -> Any:
    """Find the share of this address and make it the scope; nothing of it is told before its pass code is given."""
    g.shared = True
    try:
        found = sharing.open_(context.county(), g.token)
    except sharing.OverError as error:
        g.share_over, g.embed = True, error.embed
        raise
    g.opened, g.scope, g.embed = found, found.scope, found.spec.embed
    if found.has_code and request.endpoint != "shared.enter" and not _passed(found):
        g.share_gate = True
        if request.endpoint != "shared.page":
            raise errors.LoginNeeded(i18n.TEXTS["share.gate.title"])
        return make_response(_gate(), 200)
    if found.has_code and request.endpoint == "shared.enter":
        g.share_gate = True
    if request.endpoint == "shared.view":
        view = context.view()
        lang = i18n.language()
        notes = [note.pick(lang) for note in [*view.notices, *sharing.vanished(view)]]
        share = {
            "title": found.title,
            "expires_at": found.expires_at,
            "watermark": found.watermark(lang),
            "kind": found.spec.kind,
        }
        g.share_notice = {"share": share, "notices": notes}
    return None


def _gate(message: str = "") -> str:
    """Return the page that asks for the pass code: whose link it is, and nothing of what it shows."""
    return render_template(
        "share_gate.html", message=message, over=False, asked=_view_asked(), county=context.db().name
    )


def _view_asked() -> dict[str, Any]:
    """Return the view that the address asks for, so that it is still asked for behind the gate: language and all."""
    wanted = {"at", "on", "sel", "lang"}
    return {name: value for name, value in request.args.items() if name in wanted or name.startswith("f.")}


def _asker() -> str:
    """Return a mark of who asks: the same for one network address, and of no use to learn that address from."""
    key = str(current_app.secret_key or "").encode()
    return hmac.new(key + b"|share-asker", (request.remote_addr or "").encode(), hashlib.sha256).hexdigest()[:20]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="share-pass")


def _cookie(found: sharing.Opened) -> str:
    return f"pass{found.number}"


def _pass(found: sharing.Opened) -> str:
    """Return what the cookie of somebody who knew the pass code says: this share, this token, no other."""
    return hashlib.sha256(f"{found.number}|{g.token}".encode()).hexdigest()


def _passed(found: sharing.Opened) -> bool:
    try:
        value = _signer().loads(request.cookies.get(_cookie(found), ""))
    except BadSignature:
        return False
    return isinstance(value, str) and hmac.compare_digest(value, _pass(found))


def link(token: str) -> str:
    """Return the full address of a share, by the public address where one is set."""
    base = context.settings().public_url.rstrip("/") or request.url_root.rstrip("/")
    return f"{base}/s/{token}"


def _only_here() -> Text | None:
    """Return a warning where the links made here open on this machine alone; None where others can reach us."""
    if not context.settings().local:
        return None
    return Text(
        "这个链接只能在这台电脑上打开。要发给别人，请让服务器监听本机的网络地址（mapapp serve … --host 0.0.0.0），或设置 MAPAPP_PUBLIC_URL。",
        "This link opens on this machine alone. To send it, let the server listen on the machine's network address"
        " (mapapp serve … --host 0.0.0.0), or set MAPAPP_PUBLIC_URL.",
    )


def _make() -> tuple[sharing.Made, str]:
    sent = params.body()
    state = dict(sent)
    at = sent.get("at")
    if isinstance(at, dict):
        state["at"] = "/".join(str(at.get(part, "")) for part in ("z", "lat", "lon"))
    if isinstance(sent.get("columns"), list | str):  # the dialog sends the columns of compounds
        state["columns"] = {"compounds": list(params.strings(sent, "columns"))}
    columns = (state.get("columns") or {}).get("compounds", [])
    state["gaps"] = params.flag(sent, "gaps", default=bool({"sewer_pending", "verdict"} & set(columns)))
    state["investment"] = params.flag(
        sent, "investment", default=any(c.startswith(("invest_", "fund_")) for c in columns)
    )
    for choice in ("levels", "descriptions", "download"):
        state[choice] = params.flag(sent, choice)
    if isinstance(sent.get("layers"), str):
        state["layers"] = list(params.strings(sent, "layers"))
    state["embed"] = list(params.strings(sent, "embed")) or (["*"] if params.flag(sent, "embeddable") else [])
    recipient = params.string(sent, "recipient", longest=80)
    if state.get("kind") == "unit" and not state.get("unit"):
        state["unit"] = recipient
    days = params.string(sent, "days", longest=4)
    if days and not days.isdigit():
        raise InputError(Text(f"天数“{days}”不是整数。", f"{days!r} days is no whole number."), where="days")
    made = sharing.create(
        context.county(), context.scope(), sharing.from_state(state), recipient=recipient,
        expires_at=params.string(sent, "expires_at", longest=60) or None, days=int(days) if days else None,
        code=params.string(sent, "pass_code", longest=200) or params.string(sent, "code", longest=200),
        live=params.flag(sent, "live"),
    )  # fmt: skip
    return made, link(made.token)


@blueprint.get("/api/shares")
def listed() -> Response:
    """List the shares this user may manage; never a token."""
    return jsonify({"shares": sharing.listed(context.county(), context.scope())})


@blueprint.post("/api/shares")
def create() -> Response:
    """Make a share from a view state; the answer alone holds the link."""
    made, url = _make()
    here = _only_here()
    body = {
        "id": made.number, "url": url, "qr": sharing.qr_svg(url), "expires_at": made.expires_at,
        "only_here": here.pick(i18n.language()) if here else None,
        "embed": sharing.embed_html(url, params.string(params.body(), "title", longest=200)), "left_out": [text.pick(i18n.language()) for text in made.left_out],
    }  # fmt: skip
    response = make_response(jsonify(body), 201)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.delete("/api/shares/<int:number>")
def end(number: int) -> Response:
    """Revoke a share."""
    sharing.revoke(context.county(), context.scope(), number)
    return jsonify({"id": number, "state": "revoked"})


def _page(status: int = 200, **more: Any) -> Response:
    found = sharing.listed(context.county(), context.scope())
    offered = sharing.layers_on_offer(context.county().at(context.scope()))
    titles = {name: schema.layer(name).title.pick(i18n.language()) for name in offered}
    page = render_template("shares.html", shares=found, layer_titles=titles, default_days=sharing.DEFAULT_DAYS, **more)
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/shares")
def manage() -> Response:
    """Show the shares, and a form to make one."""
    return _page()


@blueprint.post("/shares")
def act() -> Response | BaseResponse:
    """Make a share, or revoke one (``revoke=<id>``)."""
    sent = params.body()
    if number := params.string(sent, "revoke", longest=12):
        if not number.isdigit():
            raise InputError(Text("没有这个分享。", "There is no such share."), where="revoke")
        sharing.revoke(context.county(), context.scope(), int(number))
        return redirect(url_for("shares.manage"))
    try:
        made, url = _make()
    except MapappError as error:
        return _page(errors.status_of(error), message=error.message(i18n.language()), form=sent)
    framed = params.string(sent, "embed") or params.flag(sent, "embeddable")
    snippet = sharing.embed_html(url, params.string(sent, "title")) if framed else ""
    shown = dataclasses.asdict(made) | {"url": url, "qr": sharing.qr_svg(url), "embed": snippet}
    return _page(201, made=shown, only_here=_only_here())
