"""This module gives new rows the next number of a series: WT2026-001, WT2026-002, and no number twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from mapapp.core import schema
from mapapp.core.errors import ConflictError
from mapapp.core.text import Text
from mapapp.services.frames import County

TRIES: Final = 20
"""How often a number is asked for again that somebody else took a moment before."""


def add(county: County, layer: str, series: str, values: Mapping[str, Any], *, by: str) -> tuple[str, int]:
    """Add a row under the next number of a series and return its id and the number of the edit.

    Parameters
    ----------
    series : str
        What stands before the dash: ``WT2026``.
    values : mapping
        The row without its key.

    Raises
    ------
    ConflictError
        When others take each number a moment before.
    """
    key = schema.layer(layer).key
    for _ in range(TRIES):
        id_ = _next(county, layer, key, series)
        try:
            return id_, county.db.insert(layer, {**values, key: id_}, by=by).edit_id
        except ConflictError:
            continue
    raise none_free()


def none_free() -> ConflictError:
    """Return the refusal for a row that found no number."""
    return ConflictError(
        Text("暂时排不上号。", "No number is free just now."), Text("请再试一次。", "Please try again.")
    )


def _next(county: County, layer: str, key: str, series: str) -> str:
    taken = county.db.read(layer, columns=[key])[key]
    told = county.db.history(layer)["id"]  # a number that was removed is not given to another row
    numbers = pd.concat([taken, told]).astype("str").str.extract(rf"^{series}-(\d+)$", expand=False)
    last = pd.to_numeric(numbers, errors="coerce").max()
    return f"{series}-{(0 if pd.isna(last) else int(last)) + 1:03d}"
