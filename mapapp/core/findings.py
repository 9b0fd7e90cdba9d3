"""This module makes the table of findings, and ids that stay when the audit runs again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

COLUMNS = (
    "finding_id",
    "rule",
    "severity",
    "layer",
    "feature_id",
    "related",
    "value",
    "unit",
    "message",
    "message_en",
    "fix",
    "fix_en",
    "status",
)


def finding_ids(rule: Sequence[str], features: Sequence[Iterable[str]]) -> list[str]:
    """Return an id for each finding from its rule and the features it names.

    The order of the features, of the table and the place of the town do not matter, so a planner's decision is found
    again after the next run. Findings that share rule and features (an id used twice) are counted up in table order.

    Examples
    --------
    >>> a = finding_ids(["near_miss"], [["P1", "P2"]])
    >>> a == finding_ids(["near_miss"], [["P2", "P1"]])
    True
    """
    seen: dict[str, int] = {}
    out = []
    for name, ids in zip(rule, features, strict=True):
        key = "\x1f".join([name, *sorted(ids)])
        digest = hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
        n = seen[digest] = seen.get(digest, 0) + 1
        out.append(f"{digest}-{n}" if n > 1 else digest)
    return out


def repeated(values: Sequence[str | None], of: npt.NDArray[np.int64]) -> pa.Array:
    """Return a column of text that says value ``of[i]`` in row i."""
    return pa.array(values, pa.large_string()).take(pa.array(of))


def frame(columns: dict[str, Any], geometry: Any, crs: Any) -> gpd.GeoDataFrame:
    """Put the columns into the order and types that the store expects; absent columns stay missing."""
    n = len(geometry)
    data: dict[str, Any] = {}
    for name in COLUMNS:
        given = columns.get(name)
        if name == "value":
            data[name] = np.full(n, np.nan) if given is None else np.asarray(given, dtype=float)
        else:
            text = (
                given
                if isinstance(given, pa.Array)
                else pa.array([None] * n if given is None else given, pa.large_string())
            )
            data[name] = pd.array(text, dtype="str")
    return gpd.GeoDataFrame(data, geometry=geometry, crs=crs)
