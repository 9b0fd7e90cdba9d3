"""This module holds text in the two languages the product speaks, Chinese first."""

from __future__ import annotations

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
