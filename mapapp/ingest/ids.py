"""This module makes keys that are missing, the same ones each time the same file is read, and keeps keys apart."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from mapapp.core.schema import Layer
from mapapp.ingest.names import normalise_name
from mapapp.ingest.result import Notes

_PREFIX = {
    "compounds": "C", "buildings": "B", "pipes": "P", "manholes": "M", "outlets": "O", "inlets": "I", "streets": "S",
    "survey_areas": "A", "waters": "H", "railways": "R", "spot_heights": "E", "problems": "Q", "projects": "J", "meetings": "T", "ledger": "C", "management": "C",
}  # fmt: skip

ONE_ROW_PER_COMPOUND = ("ledger", "management")
_NAMED = ("compounds", "projects", *ONE_ROW_PER_COMPOUND)
_MOSTLY = 0.9
"""Names make keys only where nearly all differ: 800 buildings called "Building" are told apart by their shape."""


def settle_keys(
    frame: pd.DataFrame, layer: Layer, geometry: NDArray[np.object_] | None, notes: Notes, where: str
) -> pd.DataFrame:
    """Return the frame with its key filled and unique.

    A missing key is made from the name (and street) where there is one, else from the geometry as the file has it,
    else from the row's content: the same file gives the same keys, and rows may be reordered. Rows alike in all of
    this are numbered in the order of the file. A key that is there twice gets ``-2``, ``-3`` ...; both are said.
    Ledger and management rows that match no compound get the key that a compound of that name and street would get;
    they are not told apart, because two rows of one compound are two rows of one compound.
    """
    key = layer.key
    frame = frame.copy(deep=False)
    given = frame[key].astype("str") if key in frame else pd.Series([None] * len(frame), dtype="str")
    missing = given.isna().to_numpy()
    if missing.any():
        made, basis = _make(frame, layer, geometry, missing)
        given = given.where(~missing, made)
        zh, en = basis
        notes.info(
            f"{int(missing.sum())} 条记录没有编号，已按{zh}生成固定编号。",
            f"{int(missing.sum())} records had no {key}; stable ones were made from {en}.",
            where,
        )
    if layer.name not in ONE_ROW_PER_COMPOUND:
        given = _apart(given, key, notes, where)
    rest = frame.drop(columns=[key]) if key in frame else frame
    rest.insert(0, key, given.to_numpy())
    rest[key] = rest[key].astype("str")
    return rest


def _make(
    frame: pd.DataFrame, layer: Layer, geometry: NDArray[np.object_] | None, missing: NDArray[np.bool_]
) -> tuple[pd.Series, tuple[str, str]]:
    hashed: NDArray[Any] = np.zeros(len(frame), dtype=np.uint64)
    basis = ("记录内容", "their content")
    named = layer.name in _NAMED and "name" in frame and bool(frame.loc[missing, "name"].notna().all())
    if named and frame["name"].nunique() >= _MOSTLY * len(frame):
        hashed = pd.util.hash_pandas_object(_call(frame), index=False).to_numpy()
        basis = ("名称", "their names")
    elif geometry is not None and not shapely.is_missing(geometry[missing]).all():
        wkb = shapely.to_wkb(geometry[missing], output_dimension=2, byte_order=1)
        digests = [b"" if w is None else hashlib.blake2b(w, digest_size=8).digest() for w in wkb]
        hashed[missing] = [int.from_bytes(d, "big") for d in digests]
        empty = missing & shapely.is_missing(geometry)
        if empty.any():
            hashed[empty] = pd.util.hash_pandas_object(frame[empty].astype("str"), index=False).to_numpy()
        basis = ("图形", "their geometry")
    elif len(frame.columns):
        hashed = pd.util.hash_pandas_object(frame.astype("str"), index=False).to_numpy()
    prefix = _PREFIX[layer.name]
    return pd.Series([f"{prefix}{h & 0xFFFFFFFFFFFF:012x}" for h in hashed.tolist()], dtype="str"), basis


def _call(frame: pd.DataFrame) -> pd.Series:
    """Name and street in plain form, so that a ledger and an outline file of one county make the same keys."""
    street = frame["street"] if "street" in frame else pd.Series([None] * len(frame), index=frame.index, dtype="str")
    return frame["name"].fillna("").map(normalise_name) + "|" + street.fillna("").map(normalise_name)


def _apart(keys: pd.Series, key: str, notes: Notes, where: str) -> pd.Series:
    twin = keys.duplicated() & keys.notna()
    if not twin.any():
        return keys
    taken = set(keys.dropna())
    out = keys.to_numpy(dtype=object).copy()
    counter: dict[str, int] = {}
    for i in np.flatnonzero(twin.to_numpy()):  # only the twins, in the order of the file
        base = str(out[i])
        number = counter.get(base, 1) + 1
        while f"{base}-{number}" in taken:
            number += 1
        counter[base] = number
        out[i] = f"{base}-{number}"
        taken.add(out[i])
    some = list(dict.fromkeys(keys[twin]))[:5]
    notes.warn(
        f"{int(twin.sum())} 条记录的编号与前面重复（如 {'、'.join(some)}），已加后缀 -2、-3 区分，请核对。",
        f"{int(twin.sum())} records repeat a {key} (such as "
        f"{', '.join(some)}); they were told apart as -2, -3. Please check.",
        where,
    )
    return pd.Series(out, dtype="str")
