"""This module is the commands for who may look: users of a served county, and share links."""

from __future__ import annotations

from collections.abc import Sequence

import click

from mapapp.cli.group import main
from mapapp.cli.terminal import Answer, say, subcommand, who
from mapapp.core.errors import InputError
from mapapp.core.progress import Progress
from mapapp.core.text import Text


@main.group("user")
@click.argument("db")
@click.pass_context
def user(context: click.Context, db: str) -> None:
    """Users of a served county: viewers read, editors change, administrators do all."""
    context.obj = db


@subcommand(user, "add")
@click.argument("name")
@click.option("--role", type=click.Choice(["viewer", "editor", "administrator"]), default="viewer", show_default=True)
@click.option("--unit", help="The unit they belong to.")
@click.password_option(envvar="MAPAPP_PASSWORD", help="Asked for when not given; or in MAPAPP_PASSWORD.")
@click.pass_obj
def user_add(db: str, *, name: str, role: str, unit: str | None, password: str, progress: Progress) -> Answer:
    """Add a user."""
    from mapapp import store
    from mapapp.services import accounts

    with store.open(db) as county:
        made = accounts.add(county, name=name, password=password, role=role, unit=unit)
    words = Text("已添加用户 {name}（{role}）。", "Added user {name} ({role}).")
    return {"name": made.name, "role": made.role, "unit": unit}, say(words.format(name=made.name, role=made.role))


@subcommand(user, "list")
@click.pass_obj
def user_list(db: str, *, progress: Progress) -> Answer:
    """List the users."""
    from mapapp import store
    from mapapp.services import accounts

    with store.open(db) as county:
        users = accounts.listed(county)
    lines = [f"{u['name']}  {u['role']}  {u['unit'] or ''}".rstrip() for u in users]
    return {"users": users}, "\n".join(lines) or say(Text("还没有用户。", "There are no users yet."))


@subcommand(user, "remove")
@click.argument("name")
@click.pass_obj
def user_remove(db: str, *, name: str, progress: Progress) -> Answer:
    """Remove a user and end their sessions."""
    from mapapp import store
    from mapapp.services import accounts

    with store.open(db) as county:
        accounts.remove(county, name, by=who())
    return {"name": name, "removed": True}, say(Text("已移除用户 {name}。", "Removed user {name}.").format(name=name))


@main.group("share")
@click.argument("db")
@click.pass_context
def share(context: click.Context, db: str) -> None:
    """Share links: make, list, revoke."""
    context.obj = db


def _filters(words: Sequence[str]) -> dict[str, list[str]]:
    """Read ``--filter column=a,b``."""
    pairs = [word.partition("=") for word in words]
    if bad := [word for word, (_, sign, values) in zip(words, pairs, strict=True) if not (sign and values)]:
        raise InputError(
            Text("“{word}”不是“列=值”的形式。", "{word!r} is not of the form column=value.").format(word=bad[0]),
            Text("例如 --filter programme_year=2021,2022。", "For example --filter programme_year=2021,2022."),
            where="--filter",
        )
    return {column.strip(): values.split(",") for column, _, values in pairs}


@subcommand(share, "create")
@click.option("--kind", type=click.Choice(["public", "unit"]), default="public", show_default=True)
@click.option("--layer", "layers", multiple=True, default=("compounds",), show_default=True, help="Repeatable.")
@click.option("--filter", "filters", multiple=True, metavar="COLUMN=A,B", help="Fixes the rows. Repeatable.")
@click.option("--title", default="", help="Heading of the shared page.")
@click.option("--recipient", default="", help="Whom it is for; shown as a watermark.")
@click.option("--unit", default="", help="The receiving unit, as it stands in ownership columns (unit links).")
@click.option("--days", type=click.IntRange(1, 366), help="Valid for so many days; 14 otherwise.")
@click.option("--expires", metavar="ISO", help="Valid until this moment, such as 2026-12-24T18:00+08:00.")
@click.option("--code", default="", help="Pass code of at least 4 characters; unit links need one.")
@click.option("--live", is_flag=True, help="Follow the data instead of the state as it is now.")
@click.option("--address", default="http://127.0.0.1:8000", show_default=True, help="Where the county is served.")
@click.pass_obj
def share_create(
    db: str,
    /,
    *,
    filters: tuple[str, ...],
    recipient: str,
    days: int | None,
    expires: str | None,
    code: str,
    live: bool,
    address: str,
    progress: Progress,
    **spec: object,
) -> Answer:
    """Make a share link and print it; the link is not stored and cannot be shown again."""
    from mapapp.services import scope as scopes
    from mapapp.services import sharing
    from mapapp.services.frames import County

    county = County(db)
    try:
        made = sharing.create(
            county,
            scopes.Scope(who(), role="administrator"),
            sharing.from_state({**spec, "filters": _filters(filters)}),
            recipient=recipient,
            expires_at=expires,
            days=days,
            code=code,
            live=live,
        )
    finally:
        county.close()
    link = f"{address.rstrip('/')}/s/{made.token}"
    facts = {
        "id": made.number,
        "link": link,
        "expires_at": made.expires_at,
        "left_out": [say(t) for t in made.left_out],
    }
    words = Text("{link}\n有效期至 {end}。{out}", "{link}\nValid until {end}. {out}")
    return facts, say(words.format(link=link, end=made.expires_at, out=" ".join(say(t) for t in made.left_out)))


@subcommand(share, "list")
@click.pass_obj
def share_list(db: str, *, progress: Progress) -> Answer:
    """List the shares, newest first. Tokens are not stored and cannot be listed."""
    from mapapp.services import scope as scopes
    from mapapp.services import sharing
    from mapapp.services.frames import County

    county = County(db)
    try:
        shares = sharing.listed(county, scopes.Scope(who(), role="administrator"))
    finally:
        county.close()
    lines = [
        f"{s['id']}  {s['state']}  {s['expires_at']}  {s['views']}x  {s['title']} {s['recipient']}" for s in shares
    ]
    return {"shares": shares}, "\n".join(lines) or say(Text("还没有分享。", "There are no shares yet."))


@subcommand(share, "revoke")
@click.argument("number", type=int)
@click.pass_obj
def share_revoke(db: str, *, number: int, progress: Progress) -> Answer:
    """End a share at once."""
    from mapapp.services import scope as scopes
    from mapapp.services import sharing
    from mapapp.services.frames import County

    county = County(db)
    try:
        sharing.revoke(county, scopes.Scope(who(), role="administrator"), number)
    finally:
        county.close()
    return {"id": number, "revoked": True}, say(Text("已撤销分享 {n}。", "Share {n} is revoked.").format(n=number))
