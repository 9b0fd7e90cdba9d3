"""This module writes figures as planners read them, with their units, in both languages."""

from __future__ import annotations

from mapapp.web import i18n


def number(value: float | None, digits: int = 0) -> str:
    """Return a figure with separators; what is not known is a question mark, never zero."""
    if value is None:
        return "?"
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def quantity(name: str, value: float | None) -> tuple[str, str]:
    """Return a figure and its unit as planners write them: 万㎡ and 万元 in Chinese, m² and million CNY in English."""
    english = i18n.language() == "en"
    if name == "area":
        return (number(value), "m²") if english else (number(value and value / 1e4, 2), "万㎡")
    if name == "money":
        return (number(value and value / 100, 2), "m CNY") if english else (number(value, 2), "万元")
    units = {"compounds": "个", "households": "户", "buildings": "栋", "unserved": "户", "problems": "件"}
    return number(value), "" if english else units.get(name, "")


def per_cent(value: float | None) -> str:
    """Return a rate with one place, or a dash where there is no whole."""
    return "—" if value is None else f"{value:.1f}".removesuffix(".0") + " %"
