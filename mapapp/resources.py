"""This module knows where the shipped files lie, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """Return the folder ``geodata`` or ``templates`` of this installation.

    In a wheel they lie inside the package; in a checkout beside it.
    """
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def geodata(*parts: str) -> Path:
    """Return the path of a shipped data file, such as ``geodata("field-dictionary.csv")``."""
    return folder("geodata").joinpath(*parts)
