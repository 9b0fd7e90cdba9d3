"""This module reads books of rules and prices: a TOML file into a frozen value, each fault named by its key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

from mapapp import resources
from mapapp.core.errors import InputError
from mapapp.core.text import Text

Book = TypeVar("Book")


def read_toml(name: str | Path, folder: str, what: Text) -> tuple[Path, dict[str, Any]]:
    """Return path and content of a shipped file by name, or of any TOML file by path."""
    path = Path(name)
    if not path.suffix and not path.is_file():
        path = resources.geodata(folder, f"{name}.toml")
    if not path.is_file():
        shipped = " ".join(sorted(p.stem for p in resources.geodata(folder).glob("*.toml")))
        raise InputError(
            Text(f"没有名为“{Path(name).name}”的{what.zh}。", f"There is no {what.en} called {Path(name).name!r}."),
            Text(f"内置：{shipped}；也可给出 TOML 文件。", f"Shipped: {shipped}; or give a TOML file."),
        )
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            Text(f"不是有效的 TOML：{error}。", f"This is no valid TOML: {error}."),
            Text("请按内置示例修改。", "Follow a shipped example."),
            where=path.name,
        ) from error


def titled(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a copy of a parsed table with its name and its title in two languages; the name stands in for either."""
    values = {"name": name, **data}
    title = values.get("title", {})
    if not isinstance(title, Mapping):
        raise bad(name, "title", title, "a table { zh = ..., en = ... }, no other type")
    values["title"] = Text(title.get("zh", name), title.get("en", name))
    return values


def made(kind: type[Book], values: Mapping[str, Any], name: str) -> Book:
    """Return the frozen value of class ``kind``.

    Raises
    ------
    InputError
        A key that is not known, one that is missing, or a value of the wrong type.
    """
    known = fields(kind)  # type: ignore[arg-type]  # a dataclass, which a type variable cannot say
    if unknown := sorted(set(values) - {f.name for f in known}):
        raise bad(name, unknown[0], values[unknown[0]], "one of " + " ".join(sorted(f.name for f in known)))
    for f in known:
        if f.name not in values and f.default is MISSING and f.default_factory is MISSING:
            raise bad(name, f.name, None, "a value")
        if f.type == "float" and f.name in values and not isinstance(values[f.name], int | float):
            raise bad(name, f.name, values[f.name], "a number")
    try:
        return kind(**values)
    except TypeError as error:
        raise bad(name, "?", str(error), "numbers") from error


def bad(name: str, key: str, value: object, wanted: str) -> InputError:
    """Return the refusal of a value: key, what it is, what is wanted."""
    return InputError(
        Text(f"{key} = {value!r} 不可用。", f"{key} = {value!r} cannot be used."),
        Text(f"应为：{wanted}。", f"Wanted: {wanted}."),
        where=name,
    )
