"""This module offers standards and price books: those shipped, and those a county uploaded, kept in its database."""

from __future__ import annotations

import hashlib
import tomllib
from typing import Any, Final, Literal

from mapapp import resources, store
from mapapp.core.errors import InputError
from mapapp.core.text import Lang, Text
from mapapp.plan.prices import Prices, load_prices, prices_from
from mapapp.plan.standard import Standard, load_standard, standard_from
from mapapp.services.scope import Scope

Kind = Literal["standards", "prices"]
KINDS: Final[tuple[Kind, ...]] = ("standards", "prices")
_SETTING: Final = "plan.books"
_MOST_BYTES: Final = 200_000
_MOST_BOOKS: Final = 40
_TITLES: Final = {"standards": Text("设计标准", "design standard"), "prices": Text("价格本", "price book")}


def shipped(kind: Kind) -> list[str]:
    """Return the names of the shipped files."""
    return sorted(p.stem for p in resources.geodata(kind).glob("*.toml"))


def _own(db: store.Database, kind: Kind) -> dict[str, dict[str, str]]:
    kept: dict[str, dict[str, str]] = (db.setting(_SETTING) or {}).get(kind, {})
    return kept


def get(db: store.Database, kind: Kind, name: str) -> Standard | Prices:
    """Return a book by its name; an uploaded one hides a shipped one of the same name.

    Raises
    ------
    InputError
        There is none of that name. A path is no name: what a browser sends opens no file of the server.
    """
    if (kept := _own(db, kind).get(name)) is not None:
        return _read(kind, kept["text"], name)
    if name in shipped(kind):
        return load_standard(name) if kind == "standards" else load_prices(name)
    there = " ".join([*shipped(kind), *_own(db, kind)])
    raise InputError(
        Text(f"没有名为“{name[:60]}”的{_TITLES[kind].zh}。", f"There is no {_TITLES[kind].en} called {name[:60]!r}."),
        Text(f"可用：{there}。", f"There are: {there}."),
        where=kind,
    )


def _read(kind: Kind, text: str, name: str) -> Standard | Prices:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            Text(f"不是有效的 TOML：{error}。", f"This is no valid TOML: {error}."),
            Text("请按内置示例修改。", "Follow a shipped example."),
            where=name,
        ) from error
    try:
        return standard_from(data, name) if kind == "standards" else prices_from(data, name)
    except InputError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            Text(f"有的值类型不对：{error}。", f"A value has the wrong type: {error}."),
            Text("请按内置示例修改。", "Follow a shipped example."),
            where=name,
        ) from error


def keep(db: store.Database, scope: Scope, kind: Kind, filename: str, body: bytes, *, at: str) -> str:
    """Check an uploaded TOML file, keep it in the county's database, and return its name.

    Raises
    ------
    ForbiddenError
        For a viewer.
    InputError
        When it is no TOML of this kind, too large, or there are too many; nothing is kept then.
    """
    scope.require_editor()
    name = filename.replace("\\", "/").rpartition("/")[2].removesuffix(".toml").strip()[:60]
    if not name or not filename.endswith(".toml"):
        raise InputError(
            Text("请选择 .toml 文件。", "Choose a .toml file."),
            Text("可先下载内置示例，改好再上传。", "Download a shipped one, change it, then upload it."),
            where=filename[:60] or kind,
        )
    if len(body) > _MOST_BYTES:
        raise InputError(
            Text("文件太大。", "The file is too large."),
            Text(f"最多 {_MOST_BYTES // 1000} KB。", f"At most {_MOST_BYTES // 1000} kB."),
            where=name,
        )
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            Text("文件不是 UTF-8 编码。", "The file is not UTF-8."),
            Text("请另存为 UTF-8。", "Save it as UTF-8."),
            where=name,
        ) from error
    _read(kind, text, name)
    books: dict[str, dict[str, Any]] = db.setting(_SETTING) or {}
    mine = dict(books.get(kind, {}))
    mine[name] = {"text": text, "by": scope.name, "at": at}
    if len(mine) > _MOST_BOOKS:
        raise InputError(
            Text("已上传的文件太多。", "Too many files were uploaded."),
            Text("请用同名文件替换旧的。", "Replace an old one by a file of its name."),
            where=name,
        )
    db.set_setting(_SETTING, {**books, kind: mine})
    return name


def text_of(db: store.Database, kind: Kind, name: str) -> str:
    """Return a book as the TOML text it is, to download and change; errors as `get`."""
    get(db, kind, name)
    kept = _own(db, kind).get(name)
    if kept is not None:
        return kept["text"]
    return resources.geodata(kind, f"{name}.toml").read_text(encoding="utf-8-sig")


def fingerprint(db: store.Database, kind: Kind, name: str) -> str:
    """Return a text that changes when the figures of the book change."""
    return hashlib.sha256(text_of(db, kind, name).encode()).hexdigest()[:16]


def listed(db: store.Database, kind: Kind, lang: Lang) -> list[dict[str, Any]]:
    """Return the books on offer: ``name title uploaded example``, shipped ones first."""
    own = _own(db, kind)
    out = []
    for name in [*(n for n in shipped(kind) if n not in own), *sorted(own)]:
        book = get(db, kind, name)
        example = bool(getattr(book, "example", False))
        out.append({"name": name, "title": book.title.pick(lang), "uploaded": name in own, "example": example})
    return out
