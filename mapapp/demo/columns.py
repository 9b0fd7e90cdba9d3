"""This module gives the demo county's tables the columns and types that the schema declares."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mapapp.core import schema


def typed(frame: pd.DataFrame, layer: str) -> pd.DataFrame:
    """Return the frame with the layer's own columns first, in the dictionary's order, and each in its declared type.

    Columns that the schema does not know follow as they are; the index becomes a plain range.
    """
    declared = schema.layer(layer)
    types: dict[str, Any] = {c.name: c.dtype for c in declared.columns if c.name in frame}
    ordered = frame[[*types, *(c for c in frame.columns if c not in types)]]
    return ordered.astype(types).reset_index(drop=True)
