"""This module keeps attribute columns as numbers into a table of distinct values, already in a tile's own bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mapapp.tiles import protobuf
from mapapp.tiles.ragged import ranges, starts_of

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Local:
    """One column for the features of one tile: ``index`` into ``count`` distinct values, -1 where there is none."""

    index: Ints
    values: Bytes
    count: int


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute of a layer.

    Attributes
    ----------
    codes : int32 ndarray, shape (n,)
        Number of the value of each feature, -1 where it is missing.
    values : uint8 ndarray
        The distinct values, each an entry of a vector tile's value table.
    starts : int64 ndarray, shape (k + 1,)
        Where each value begins in ``values``.
    """

    codes: npt.NDArray[np.int32]
    values: Bytes
    starts: Ints

    def local(self, features: Ints) -> Local:
        """Return the column for some features, with only the values that they have."""
        return self.pick(self.codes[features].astype(np.int64))

    def pick(self, codes: Ints) -> Local:
        """Return these codes, with only the values that occur among them."""
        known = len(self.starts) - 1
        present = codes[codes >= 0]
        if known <= 4 * len(codes) + 64:  # few values: count them on a table; many: sort those that occur
            seen = np.zeros(known + 1, dtype=bool)
            seen[present] = True
            used = np.flatnonzero(seen[:known])
            rank = np.cumsum(seen) - 1
            rank[known] = -1  # code -1 reads the last cell
            index = rank[codes]
        else:
            used = np.unique(present)
            index = np.where(codes >= 0, np.searchsorted(used, codes), -1)
        begin = self.starts[used]
        return Local(index, self.values[ranges(begin, self.starts[used + 1] - begin)], len(used))


def numbers(values: npt.NDArray[Any]) -> Local:
    """Return computed numbers (counts, largest diameters) as a column; NaN is missing."""
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
    distinct, index = np.unique(values[~missing], return_inverse=True)
    out = np.full(len(values), -1, dtype=np.int64)
    out[~missing] = index
    encode = protobuf.float_values if values.dtype.kind == "f" else protobuf.int_values
    return Local(out, encode(distinct)[0], len(distinct))


def factorise(values: pd.Series[Any]) -> tuple[npt.NDArray[np.int32], pd.Index[Any]]:
    """Return the number of each row's value (-1 where missing or not finite) and the distinct values."""
    if values.dtype.kind == "f":
        values = values.where(np.isfinite(values.to_numpy(dtype=np.float64, na_value=np.nan)))
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    return codes.astype(np.int32), pd.Index(distinct)


def encode(distinct: pd.Index[Any]) -> tuple[Bytes, Ints]:
    """Return distinct values as entries of a tile's value table, and where each begins (k + 1)."""
    kind = distinct.dtype.kind
    if kind == "b":
        flat, sizes = protobuf.int_values(distinct.to_numpy(dtype=bool), boolean=True)
    elif kind in "iu":
        flat, sizes = protobuf.int_values(distinct.to_numpy(dtype=np.int64))
    elif kind == "f":
        flat, sizes = protobuf.float_values(distinct.to_numpy(dtype=np.float64))
    else:
        flat, sizes = protobuf.string_values([str(v) for v in distinct])
    return flat, starts_of(sizes)
