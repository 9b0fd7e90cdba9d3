"""This module knows the works catalogue: which items a renovation may hold, and under which heads they are reported."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from mapapp import resources
from mapapp.core.errors import InputError
from mapapp.core.text import Text

COLUMNS = ("code", "name", "name_en", "national_class", "county_head", "ground", "place")


_HEADS_EN = {
    "基础": "Basic", "完善": "Improving", "提升": "Enhancing",
    "居住环境": "Living environment", "基础设施": "Infrastructure", "房屋修缮": "Building repair", "安防系统": "Safety and security",
}  # fmt: skip


def head(name: str) -> Text:
    """Return a head or class of the catalogue as a reader's words; a county's own head is called what the file calls it."""
    return Text(name, _HEADS_EN.get(name, name))


def catalogue(path: Path | None = None) -> pd.DataFrame:
    """Return the catalogue, one row per item, `COLUMNS`; the shipped one without a path.

    Raises
    ------
    InputError
        When the file cannot be read, lacks a column or holds a code twice.
    """
    path = path or resources.geodata("works", "catalogue.csv")
    try:
        table = pd.read_csv(path, dtype="str", encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(
            Text(f"改造内容目录读不出来：{error}。", f"The works catalogue cannot be read: {error}."), where=path.name
        ) from error
    if lacking := [name for name in COLUMNS if name not in table]:
        raise InputError(
            Text(f"改造内容目录缺少列：{'、'.join(lacking)}。", f"The works catalogue lacks: {', '.join(lacking)}."),
            where=path.name,
        )
    twice = table.loc[table["code"].duplicated(), "code"]
    if len(twice):
        raise InputError(
            Text(f"改造内容编号重复：{twice.iloc[0]}。", f"The works catalogue holds {twice.iloc[0]} twice."),
            where=path.name,
        )
    return table[list(COLUMNS)]


def done(lists: Iterable[object], items: pd.DataFrame) -> pd.DataFrame:
    """Return the catalogue items that occur in ``works_done`` cells (codes or names joined by ``;``).

    Returns
    -------
    DataFrame
        ``code`` and ``head`` (the county's head, else the national class), in the catalogue's order; words that are in
        no catalogue are left out, for the report names only what it can place.
    """
    words = {word.strip() for cell in lists if isinstance(cell, str) for word in cell.split(";")}
    hit = items[items["code"].isin(words) | items["name"].isin(words)]
    return pd.DataFrame({"code": hit["code"], "head": hit["county_head"].fillna(hit["national_class"])}).reset_index(
        drop=True
    )
