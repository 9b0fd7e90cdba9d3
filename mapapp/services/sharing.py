"""This module makes, opens, lists and revokes shares: links that show what their maker chose, until a set second."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any, Final

import segno

from mapapp.core import schema
from mapapp.core.errors import ForbiddenError, GoneError, InputError, NotFoundError
from mapapp.core.text import Lang, Text, instant
from mapapp.services import attempts, frames, narrowing, snapshots, words
from mapapp.services import scope as scopes
from mapapp.services.accounts import LockedError
from mapapp.services.frames import County
from mapapp.services.scope import Scope, ShareSpec

DEFAULT_DAYS: Final = 14
LONGEST: Final = timedelta(days=366)
SHORTEST_CODE: Final = 4
FREE_TOGETHER: Final = 50
"""Wrong pass codes of all askers of one share together before everybody waits."""


class OverError(GoneError):
    """A share that expired or was revoked; pages that framed it may still frame the sentence that says so."""

    def __init__(self, saw: Text, need: Text, *, embed: tuple[str, ...]) -> None:
        super().__init__(saw, need)
        self.embed = embed


@dataclass(frozen=True, slots=True)
class Made:
    """A share just made. The token exists here alone: it is not stored."""

    number: int
    token: str
    expires_at: str
    left_out: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A share that somebody opened by its token."""

    number: int
    scope: Scope
    spec: ShareSpec
    title: str
    recipient: str
    created_at: str
    expires_at: str
    has_code: bool

    def watermark(self, lang: Lang) -> str:
        """Return the words that lie over the map: 内部资料 · 接收单位 · 日期."""
        marks = [Text("内部资料", "Internal").pick(lang), self.recipient, self.created_at[:10]]
        return " · ".join(mark for mark in marks if mark)


def create(
    county: County,
    scope: Scope,
    spec: ShareSpec,
    *,
    recipient: str = "",
    expires_at: str | None = None,
    days: int | None = None,
    code: str = "",
    live: bool = False,
    now: datetime | None = None,
) -> Made:
    """Make a share from the state of a view.

    Parameters
    ----------
    county : County
    scope : Scope
        Who makes it: an editor or administrator. A viewer may look, and may not pass on.
    spec : ShareSpec
        What it opens. Layers that its kind never carries are left out and named in the answer.
    recipient : str
        Shown as watermark.
    expires_at : str, optional
        ISO 8601 with zone; kept to the second. Without it ``days`` from now, 14 by default; at most a year.
    code : str
        Pass code of at least four characters; empty for none. A unit link needs one.
    live : bool
        Follow the data. By default the share is fixed to ``spec.snapshot``, or to the state as it is now.

    Raises
    ------
    ForbiddenError, InputError, NotFoundError
        Nothing is stored then.
    """
    scope.require_editor()
    scopes.check_spec(spec)
    moment = now or datetime.now(UTC)
    end = _end(expires_at, days, moment)
    if code and len(code) < SHORTEST_CODE:
        raise InputError(
            Text(f"访问码至少 {SHORTEST_CODE} 位。", f"A pass code has at least {SHORTEST_CODE} characters."),
            where="code",
        )
    if spec.kind == "unit" and not code:
        raise InputError(
            Text("单位链接必须设访问码。", "A unit link needs a pass code."),
            Text("请填写访问码，并用另一途径告知对方。", "Set one, and tell it by another way than the link."),
            where="code",
        )
    if code and spec.embed:
        raise InputError(
            Text("设有访问码的链接不能嵌入其他网站。", "A link with a pass code cannot be embedded."),
            Text(
                "浏览器不向嵌入的页面发送登录信息；请去掉其一。",
                "Browsers send no cookies to a framed page; leave out one.",
            ),
            where="embed",
        )
    allowed = scopes.allowed_layers(spec)
    left_out = tuple(scopes.why_left_out(layer, spec.kind) for layer in spec.layers if layer not in allowed)
    if spec.photos and (spec.kind == "public" or "problems" not in spec.layers):
        left_out += (_no_photos(spec),)
        spec = dataclasses.replace(spec, photos=False)
    spec = dataclasses.replace(spec, layers=tuple(layer for layer in spec.layers if layer in allowed))
    if not spec.layers:
        raise InputError(
            Text("所选图层都不能这样分享。", "None of the chosen layers can be shared this way."), left_out[0] if left_out else None,
            where="layers",
        )  # fmt: skip
    _check_columns(spec)
    spec = _fix_moment(county, scope, spec, live=live)
    spec = _fix_filters(county, scope, spec)
    left_out += _told_by_choice(spec)
    share, token = county.db.shares.add(
        spec.as_json(), by=scope.name, title=spec.title or None, recipient=recipient.strip()[:80] or None,
        expires_at=end, passcode=code or None,
    )  # fmt: skip
    return Made(share.id, token, end, left_out)


def _no_photos(spec: ShareSpec) -> Text:
    if spec.kind == "public":
        return Text("公开链接不含照片。", "A public link never carries photos.")
    return Text("未选“问题”图层，因此不含照片。", "Photos are those of problems; without that layer there are none.")


def _end(expires_at: str | None, days: int | None, now: datetime) -> str:
    if expires_at:
        try:
            end = datetime.fromisoformat(expires_at)
        except ValueError as error:
            raise InputError(
                Text(f"“{expires_at[:40]}”不是时间。", f"{expires_at[:40]!r} is not a time."),
                Text("请写成 2026-12-09T18:00:00+08:00。", "Write it like 2026-12-09T18:00:00+08:00."),
                where="expires_at",
            ) from error
        if end.tzinfo is None:
            raise InputError(
                Text("有效期没有时区。", "The expiry names no time zone."),
                Text("请写成 2026-12-09T18:00:00+08:00。", "Write it like 2026-12-09T18:00:00+08:00."),
                where="expires_at",
            )
    else:
        end = now.astimezone() + timedelta(days=DEFAULT_DAYS if days is None else days)
    if not now < end <= now + LONGEST:
        raise InputError(
            Text("有效期须在现在之后、一年之内。", "The expiry lies after now and within a year."), where="expires_at"
        )
    return end.replace(microsecond=0).isoformat()


def _check_columns(spec: ShareSpec) -> None:
    allowed = scopes.allowed_layers(spec)
    for layer, columns in spec.columns.items():
        if layer not in allowed:
            continue
        limit = allowed[layer].columns
        if limit is not None and (never := sorted(set(columns) - limit)):
            raise InputError(
                Text(f"列“{never[0]}”不能这样分享。", f"The column {never[0]!r} cannot be shared this way."),
                where=f"columns.{layer}",
            )


def _fix_moment(county: County, scope: Scope, spec: ShareSpec, *, live: bool) -> ShareSpec:
    if live:
        return dataclasses.replace(spec, snapshot=None)
    if spec.snapshot is None:
        return dataclasses.replace(spec, snapshot=str(snapshots.present(county.db, by=scope.name).id))
    found = county.at(scope, spec.snapshot).snapshot
    assert found is not None  # `at` refuses a snapshot that does not exist
    return dataclasses.replace(spec, snapshot=str(found.id))


def _fix_filters(county: County, scope: Scope, spec: ShareSpec) -> ShareSpec:
    """Write each filter with the layer it belongs to; those of layers that are not shared go with their layer.

    Raises
    ------
    InputError
        For a column or value that the maker's own view does not have, so that a share is not empty by a slip.
    """
    view = county.at(scope, spec.snapshot)
    kept: dict[str, tuple[str, ...]] = {}
    for layer, wanted in narrowing.split(view, spec.filters).items():
        if layer == "compounds" or layer in spec.layers:
            narrowing.select(view, layer, {f"{layer}.{column}": values for column, values in wanted.items()})
            kept |= {f"{layer}.{column}": tuple(values) for column, values in wanted.items()}
    return dataclasses.replace(spec, filters=kept)


def _told_by_choice(spec: ShareSpec) -> tuple[Text, ...]:
    """Warn of filters by something that the share does not show: what it lists tells that all the same."""
    out, reader = [], Scope("share", share=spec)
    usual = {"letter", "compound_id"} | ({"verdict", "rules"} if spec.gaps else set())
    for name in spec.filters:
        layer, _, column = name.rpartition(".")
        seen = scopes.access(reader, layer)
        if column not in usual and (seen is None or (seen.columns is not None and column not in seen.columns)):
            title = words.label(layer, column)[0]
            out.append(
                Text(
                    f"链接不显示“{title.zh}”，但内容正是按它筛选的：收到的人可以由此推知。",
                    f"The link does not show “{title.en}”, but holds only what was chosen by it: its reader can tell.",
                )
            )
    return tuple(out)


def from_state(sent: Mapping[str, Any]) -> ShareSpec:
    """Return the spec of a posted view state: ``kind layers filters columns snapshot unit`` and the choices.

    Raises
    ------
    InputError
        When a member has not the shape it needs.
    """
    shape = Text("分享内容的格式不对。", "The share is not described as it should be.")
    try:
        lists = {
            name: tuple(_words(sent.get(name) or default))
            for name, default in (("layers", ["compounds"]), ("embed", []))
        }
        maps = {
            name: {str(k): tuple(_words(v)) for k, v in dict(sent.get(name) or {}).items()}
            for name in ("filters", "columns")
        }
    except (TypeError, ValueError) as error:
        raise InputError(shape) from error
    snapshot = sent.get("snapshot")
    ticks = ("investment", "gaps", "levels", "descriptions", "download", "photos", "reply")
    flags = {n: bool(sent.get(n)) for n in ticks}
    kind = str(sent.get("kind") or "public")
    return ShareSpec(
        kind=kind,  # type: ignore[arg-type]  # check_spec refuses any other word
        layers=lists["layers"],
        filters=maps["filters"],
        columns=maps["columns"],
        snapshot=str(snapshot) if snapshot not in (None, "") else None,
        unit=str(sent.get("unit") or "").strip()[:80],
        embed=lists["embed"],
        title=str(sent.get("title") or "").strip()[:80],
        place=_place(str(sent.get("place") or sent.get("at") or "")),
        **flags,
    )


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if (
        not isinstance(value, list | tuple)
        or not all(isinstance(v, str | int | float) for v in value)
        or len(value) > 500
    ):
        raise ValueError(value)
    return [str(v)[:200] for v in value]


def _place(raw: str) -> str:
    return raw if re.fullmatch(r"\d{1,2}(\.\d+)?/-?\d{1,2}(\.\d+)?/-?\d{1,3}(\.\d+)?", raw) else ""


def open_(county: County, token: str, *, now: datetime | None = None) -> Opened:
    """Return what a token opens.

    Raises
    ------
    NotFoundError
        When no share has this token; found out by one look-up of its hash, like a known one.
    OverError
        From the very second it expires, or when it was revoked.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,128}", token):
        raise NotFoundError(Text("没有这个分享。", "There is no such share."))
    share = county.db.shares.by_token(token)
    spec = ShareSpec.from_json(share.spec)
    if share.over(now or datetime.now(UTC)):
        saw = (
            Text("此链接已被发送人撤销。", "The sender revoked this link.")
            if share.revoked_at is not None
            else Text("此链接已于 {at} 到期。", "This link ended at {at}.").format(
                at=instant(datetime.fromisoformat(share.expires_at or ""))
            )
        )
        raise OverError(saw, Text("请联系发送人重新获取。", "Ask the sender for a new one."), embed=spec.embed)
    recipient = share.recipient or ""
    return Opened(
        share.id, Scope(recipient or "share", share=spec), spec, share.title or "", recipient, share.created_at,
        share.expires_at or "", share.has_passcode,
    )  # fmt: skip


def enter(county: County, opened: Opened, code: str, *, who: str = "") -> None:
    """Check a pass code.

    Parameters
    ----------
    county : County
    opened : Opened
    code : str
    who : str
        A mark of who asks that tells nobody their address. Five wrong codes of one asker make that asker wait, fifty
        of all askers together make everybody wait: a minute, then two, four … up to an hour. Nothing shuts for good.

    Raises
    ------
    LockedError
        With the time to wait; a right code does not help before.
    ForbiddenError
        When the code is wrong.
    """
    db, all_ = county.db, f"share:{opened.number}"
    mine = f"{all_}:{who}"
    left = attempts.wait(db, all_) or attempts.claim(db, mine) or attempts.claim(db, all_, free=FREE_TOGETHER)
    if left is not None:
        raise LockedError(left)
    if not db.shares.check_passcode(opened.number, code):
        raise ForbiddenError(Text("访问码不对。", "The pass code is wrong."))
    attempts.right(db, mine)
    attempts.right(db, all_)


def count_view(county: County, opened: Opened) -> None:
    """Count one opening of the page; nothing is kept of who opened it."""
    if not county.db.read_only:
        county.db.shares.count_view(opened.number)


def listed(county: County, scope: Scope, *, now: datetime | None = None) -> list[dict[str, Any]]:
    """Return the shares a user may manage, newest first: their own; an administrator sees all. Never a token.

    Raises
    ------
    ForbiddenError
        For a viewer.
    """
    scope.require_editor()
    moment = now or datetime.now(UTC)
    return [
        {
            "id": share.id,
            "title": share.title or "",
            "recipient": share.recipient or "",
            "kind": share.spec.get("kind", "public"),
            "layers": list(share.spec.get("layers", ())),
            "filters": dict(share.spec.get("filters", {})),
            "snapshot": share.spec.get("snapshot"),
            "created_by": share.created_by,
            "created_at": share.created_at,
            "expires_at": share.expires_at,
            "state": "revoked" if share.revoked_at else "expired" if share.over(moment) else "open",
            "has_code": share.has_passcode,
            "wrong_codes": share.attempts,
            "views": share.views,
            "last_viewed_at": share.last_viewed_at,
        }
        for share in county.db.shares.list()
        if scope.administers or share.created_by == scope.name
    ]


def revoke(county: County, scope: Scope, number: int) -> None:
    """End a share at once: its own maker may, and an administrator.

    Raises
    ------
    ForbiddenError, NotFoundError
        A share of somebody else is not found, to an editor.
    """
    scope.require_editor()
    share = county.db.shares.get(number)
    if not scope.administers and share.created_by != scope.name:
        raise NotFoundError(Text("没有这个分享。", "There is no such share."))
    county.db.shares.revoke(number, by=scope.name)


def qr_svg(link: str) -> str:
    """Return the link as a QR code, an SVG of its own (error correction M, quiet zone of four modules)."""
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(
        out, kind="svg", border=4, scale=4, xmldecl=False, svgns=True, omitsize=False
    )
    return out.getvalue().decode("utf-8")


def embed_html(link: str, title: str) -> str:
    """Return the snippet that shows a share in another site's page."""
    return (
        f'<iframe src="{escape(link, quote=True)}" title="{escape(title or "map", quote=True)}" width="100%" height="600" '
        'style="border:0" loading="lazy" referrerpolicy="no-referrer" allowfullscreen></iframe>'
    )


def layers_on_offer(view: frames.View) -> list[str]:
    """Return the layers of a view that some kind of share may carry."""
    most = [scopes.allowed_layers(ShareSpec(kind=kind, unit="-", gaps=True)) for kind in ("public", "unit")]
    return [name for name in view.layers if any(name in allowed for allowed in most)]


def vanished(view: frames.View) -> list[Text]:
    """Return a sentence for each thing that a share names and that is no longer there."""
    spec = view.scope.share
    if spec is None:
        return []
    gone = [schema.layer(layer).title for layer in spec.layers if layer not in view.layers and layer in schema.layers()]
    notes = [Text("“{layer}”目前没有数据。", "{layer} holds no data any more.").format(layer=layer) for layer in gone]
    if spec.filters and "compounds" in view.layers and not len(view.frame("compounds")):
        notes.append(Text("没有小区符合此分享的筛选条件。", "No compound passes this share's filters any more."))
    elif spec.filters:
        notes += narrowing.gone(view)
    return notes
