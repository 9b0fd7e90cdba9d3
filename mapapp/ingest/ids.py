"""This module makes keys that are missing, the same ones each time the same file is read, and keeps keys apart."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from mapapp.core.schema import Layer
from mapapp.ingest.result import Notes

_PREFIX = {
    "compounds": "C", "buildings": "B", "pipes": "P", "manholes": "M", "outlets": "O", "inlets": "I", "streets": "S",
    "survey_areas": "A", "problems": "Q", "projects": "J", "meetings": "T",
}  # fmt: skip


def settle_keys(
    frame: pd.DataFrame, layer: Layer, geometry: NDArray[np.object_] | None, notes: Notes, where: str
) -> pd.DataFrame:
    """Return the frame with its key filled and unique.

    A missing key is made from the name (and street) where there is one, else from the geometry as the file has it,
    else from the row's content: the same file gives the same keys, and rows may be reordered. Rows alike in all of
    this are numbered in the order of the file. A key that is there twice gets ``-2``, ``-3`` ...; both are said.
    Tables joined by compound keep missing keys missing, because the key is somebody else's.
    """
    key = layer.key
    frame = frame.copy(deep=False)
    given = frame[key].astype("str") if key in frame else pd.Series([None] * len(frame), dtype="str")
    missing = given.isna().to_numpy()
    if missing.any() and layer.name in _PREFIX:
        made, basis = _make(frame, layer, geometry, missing)
        given = given.where(~missing, made)
        zh, en = basis
        notes.info(
            f"{int(missing.sum())} 条记录没有编号，已按{zh}生成固定编号。",
            f"{int(missing.sum())} records had no {key}; stable ones were made from {en}.",
            where,
        )
    if layer.name in _PREFIX:
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
    named = layer.name in ("compounds", "problems", "projects", "meetings") and "name" in frame
    if named and frame["name"].nunique() >= 0.9 * len(frame):
        columns = [c for c in ("name", "street", "district") if c in frame]
        hashed = pd.util.hash_pandas_object(frame[columns], index=False).to_numpy()
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
