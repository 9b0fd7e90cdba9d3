"""This module reads the window and the scale that people type for a map sheet. Both doors use it."""

from __future__ import annotations

from mapapp.core.errors import InputError
from mapapp.core.text import Text


def bbox(words: str | None, *, where: str) -> tuple[float, float, float, float] | None:
    """Read W,S,E,N in degrees; None where nothing was typed.

    Raises
    ------
    InputError
        When it is no window on the earth.
    """
    if words is None:
        return None
    try:
        west, south, east, north = (float(part) for part in words.split(","))
    except ValueError:
        west, south, east, north = 0.0, 0.0, 0.0, 0.0
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError(
            Text(f"“{words}”不是范围。", f"{words!r} is not an extent."),
            Text("请写成 西,南,东,北（经纬度）。", "Write west,south,east,north in degrees."),
            where=where,
        )
    return west, south, east, north


def scale(words: str | None, *, where: str) -> int | None:
    """Read 1:2000 or 2000; None where nothing was typed.

    Raises
    ------
    InputError
        When it is no scale.
    """
    if not words:
        return None
    number = words.strip().removeprefix("1:").strip()
    if not (number.isascii() and number.isdecimal() and 3 <= len(number) < 8):
        raise InputError(
            Text(f"“{words}”不是比例尺。", f"{words!r} is not a scale."),
            Text("请写成 1:2000 这样。", "Write it like 1:2000."),
            where=where,
        )
    return int(number)
