"""This module holds the texts of the map, compound and gap pages, by key, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mapapp.core.text import Lang, Text

TEXTS: Mapping[str, Text] = MappingProxyType({
    "page.skip": Text("跳到内容", "Skip to content"),
    "page.skip_table": Text("跳到表格", "Skip to the table"),
    "page.one_map": Text("一张图", "One map"),
    "page.pages": Text("页面", "Pages"),
    "nav.map": Text("一张图", "Map"),
    "nav.gaps": Text("缺口清单", "Sewer gaps"),
    "nav.import": Text("导入台账", "Import"),
    "nav.shares": Text("分享", "Shares"),
})
"""Every text of the pages; scripts receive them as one JSON object, so no text is written twice."""


def page_texts(lang: Lang) -> dict[str, str]:
    """Return every text in one language, by key, ready for JSON."""
    return {key: text.pick(lang) for key, text in TEXTS.items()}
