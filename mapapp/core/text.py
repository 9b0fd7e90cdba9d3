"""This module holds text in the two languages the product speaks, Chinese first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")


class Text(NamedTuple):
    """One sentence or label in Chinese and in English.

    Examples
    --------
    >>> Text("小区", "compound").pick("en")
    'compound'
    >>> Text("{n} 个小区", "{n} compounds").format(n=3).zh
    '3 个小区'
    """

    zh: str
    en: str

    def pick(self, lang: Lang) -> str:
        """Return the text in ``lang``; anything but ``"en"`` is Chinese."""
        return self.en if lang == "en" else self.zh

    def format(self, **values: object) -> Text:
        """Fill ``{name}`` fields in both languages.

        A value that is itself a `Text` is filled in its own language.
        """
        zh = {k: v.zh if isinstance(v, Text) else v for k, v in values.items()}
        en = {k: v.en if isinstance(v, Text) else v for k, v in values.items()}
        return Text(self.zh.format(**zh), self.en.format(**en))


def instant(moment: datetime) -> Text:
    """Return a moment as people write it, with its own zone and kept to the second: 2026年12月7日 18:00:05（UTC+8）."""
    clock = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
    zone = f"UTC{(moment.utcoffset() or timedelta()).total_seconds() / 3600:+g}"
    return Text(
        f"{moment.year}年{moment.month}月{moment.day}日 {clock}（{zone}）",
        f"{moment.day} {moment:%b} {moment.year} {clock} ({zone})",
    )
