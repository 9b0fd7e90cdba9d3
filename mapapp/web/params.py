"""This module parses what comes in an address or a body to typed values, and says what is wrong in one sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from mapapp.core.errors import InputError
from mapapp.core.text import Text

_MAX_VALUES = 500


def filters(args: MultiDict[str, str] | None = None) -> dict[str, tuple[str, ...]]:
    r"""Return ``f.<column>=a,b`` parameters as column to values; a comma inside a value is written ``\,``.

    Raises
    ------
    InputError
        For a filter without a column, or with more than 500 values.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, raw in (request.args if args is None else args).items(multi=True):
        if not name.startswith("f."):
            continue
        column = name[2:].strip()
        values = tuple(v.replace("\\,", ",").strip() for v in re.split(r"(?<!\\),", raw) if v.strip())
        if not column or len(values) > _MAX_VALUES:
            raise InputError(Text("筛选条件无效。", "A filter is not valid."), where=name[:60])
        if values:
            found[column] = found.get(column, ()) + values
    return found


def integer(name: str, default: int, *, low: int = 0, high: int = 10_000_000) -> int:
    """Return a whole number of the query.

    Raises
    ------
    InputError
        When it is no whole number from ``low`` to ``high``.
    """
    raw = request.args.get(name, "").strip()
    if not raw:
        return default
    if not re.fullmatch(r"-?\d{1,9}", raw) or not low <= int(raw) <= high:
        raise InputError(
            Text(
                f"{name}={raw[:40]} 不是 {low} 到 {high} 的整数。",
                f"{name}={raw[:40]} is no whole number from {low} to {high}.",
            ),
            where=name,
        )
    return int(raw)


def text(name: str, default: str | None = None, *, longest: int = 200) -> str | None:
    """Return a short text of the query; None or ``default`` when it is absent or blank."""
    raw = request.args.get(name, "").strip()
    if len(raw) > longest:
        raise InputError(Text(f"{name} 太长。", f"{name} is too long."), where=name)
    return raw or default


def sort() -> tuple[str | None, bool]:
    """Return the column to sort by and whether to sort downwards: ``sort=-households`` or ``sort=households&order=desc``."""
    raw = text("sort") or ""
    down = raw.startswith("-") or request.args.get("order") == "desc"
    return raw.lstrip("-") or None, down


def names(name: str) -> list[str] | None:
    """Return a comma-separated list of the query; None when it is absent."""
    raw = text(name, longest=4000)
    return [part.strip() for part in raw.split(",") if part.strip()] if raw else None


def body() -> dict[str, Any]:
    """Return the JSON object or the form that was posted.

    Raises
    ------
    InputError
        When JSON was sent that is no object.
    """
    if request.is_json:
        sent = request.get_json(silent=True)
        if not isinstance(sent, dict):
            raise InputError(Text("请求内容不是 JSON 对象。", "The body is not a JSON object."))
        return sent
    return {
        name: values if len(values) > 1 else values[0] for name, values in request.form.lists() if name != "csrf_token"
    }


def string(sent: Mapping[str, Any], name: str, default: str = "", *, longest: int = 500) -> str:
    """Return one text of a posted body.

    Raises
    ------
    InputError
        When it is no text, or too long.
    """
    value = sent.get(name)
    if value is None:
        return default
    if not isinstance(value, str | int | float) or isinstance(value, bool) or len(str(value)) > longest:
        raise InputError(Text(f"{name} 不是一段短文字。", f"{name} is not a short text."), where=name)
    return str(value).strip()


def flag(sent: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """Return one yes or no of a posted body; a ticked box of a form is ``on``."""
    value = sent.get(name, default)
    if isinstance(value, str):
        return value.lower() in ("1", "true", "on", "yes")
    return bool(value)


def strings(sent: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list of texts of a posted body; a text is split at commas and white space.

    Raises
    ------
    InputError
        When it is neither.
    """
    value = sent.get(name)
    if value is None:
        return ()
    if isinstance(value, str):
        value = re.split(r"[,\s]+", value)
    if not isinstance(value, list) or not all(isinstance(v, str) and len(v) <= 200 for v in value):
        raise InputError(Text(f"{name} 不是一组文字。", f"{name} is not a list of texts."), where=name)
    return tuple(v.strip() for v in value if v.strip())
