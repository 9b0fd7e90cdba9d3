"""This module takes opinions from the holders of a share: few at a time, short, for its compounds only, never shown back."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from mapapp.core.errors import ForbiddenError, InputError, NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.programme import works
from mapapp.services import forms, plain
from mapapp.services.frames import County, View

LONGEST: Final = 500
PER_HOUR: Final = 20
PER_DAY: Final = 100
"""Opinions that one share takes; a link that goes round a compound stays below, a script does not."""
_lock = threading.Lock()


class BusyError(ForbiddenError):
    """The share took as many opinions as it takes for now."""


def offer(view: View, lang: Lang) -> dict[str, Any]:
    """Return what the form offers: ``compounds stances topics``, each a list of (stored, words).

    Raises
    ------
    NotFoundError
        When the share takes no replies.
    """
    if view.scope.share is None or not view.scope.share.reply:
        raise NotFoundError(Text("此分享不收意见。", "This share takes no opinions."))
    compounds: list[tuple[str, str]] = []
    if "compounds" in view.layers:
        rows = plain.records(view.table("compounds").reindex(columns=["compound_id", "name"]))
        compounds = sorted(((r["compound_id"], r["name"] or r["compound_id"]) for r in rows), key=lambda c: c[1])
    stances = next(f["codes"] for f in forms.fields("opinions", lang, personal=True) if f["name"] == "stance")
    items = works.catalogue()
    names = items["name_en"] if lang == "en" else items["name"]
    return {
        "compounds": compounds,
        "stances": stances,
        "topics": list(zip(items["code"], names.fillna(items["name"]), strict=True)),
    }


def take(view: View, share: int, sent: Mapping[str, str], lang: Lang, *, now: datetime | None = None) -> str:
    """Keep an opinion and return its id, which is not told to the sender.

    Parameters
    ----------
    view : View
        What the share opens; its compounds are the only ones that an opinion can be about.
    share : int
        Number of the share, for the count and the history.
    sent : mapping
        ``compound_id stance topic text phone``; all else is ignored.

    Raises
    ------
    NotFoundError
        When the share takes no replies.
    InputError
        For another compound, a stance that does not exist, a text that is missing or too long. Nothing is stored.
    BusyError
        After `PER_HOUR` opinions in an hour or `PER_DAY` in a day.
    """
    offered = offer(view, lang)
    values = {name: sent.get(name, "").strip() for name in ("compound_id", "stance", "topic", "text", "phone")}
    for name, options in (("compound_id", "compounds"), ("stance", "stances")):
        if values[name] not in {stored for stored, _ in offered[options]}:
            label = "小区" if name == "compound_id" else forms.column_label("opinions", name, "zh")
            english = "compound" if name == "compound_id" else name
            raise InputError(Text(f"请选择{label}。", f"Please choose the {english}."), where=name)
    if values["topic"] and values["topic"] not in {stored for stored, _ in offered["topics"]}:
        raise InputError(Text("请从列表中选择事项。", "Please choose the topic from the list."), where="topic")
    if values["stance"] in ("suggest", "ask") and not values["text"]:
        raise InputError(Text("请写下意见。", "Please write your opinion."), where="text")
    if len(values["text"]) > LONGEST or len(values["phone"]) > 30:
        raise InputError(
            Text("内容太长。", "This is too long."),
            Text(f"意见最多 {LONGEST} 字。", f"At most {LONGEST} characters."),
            where="text",
        )
    county = view.county
    with _lock:
        _count(county, share, now or datetime.now(UTC))
    opinion_id = f"YJ{date.today():%y%m%d}-{secrets.token_hex(4)}"
    row = {
        **forms.parse("opinions", {k: v for k, v in values.items() if k != "compound_id"}, lang),
        "opinion_id": opinion_id, "compound_id": values["compound_id"], "channel": "share", "status": "open",
        "received_on": date.today().isoformat(),
    }  # fmt: skip
    county.db.insert("opinions", row, by=f"share:{share}")
    return opinion_id


def _count(county: County, share: int, now: datetime) -> None:
    """Count one more opinion of a share, or refuse it; kept in the database, so that all processes share the count."""
    key = f"replies.{share}"
    hour, day = now.strftime("%Y-%m-%dT%H"), now.strftime("%Y-%m-%d")
    stored = county.db.setting(key) or {}
    in_hour = int(stored.get("in_hour", 0)) if stored.get("hour") == hour else 0
    in_day = int(stored.get("in_day", 0)) if stored.get("day") == day else 0
    if in_hour >= PER_HOUR or in_day >= PER_DAY:
        raise BusyError(
            Text("收到的意见太多，请稍后再提交。", "Too many opinions came in; please send yours later."),
            Text("您写的内容还在。", "What you wrote is still here."),
        )
    county.db.set_setting(key, {"hour": hour, "in_hour": in_hour + 1, "day": day, "in_day": in_day + 1})
