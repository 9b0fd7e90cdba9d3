"""This module writes the few protobuf pieces that vector tiles consist of, for whole arrays at once.

Wire format: Protocol Buffers encoding; meaning of the fields: Mapbox Vector Tile specification 2.1, section 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
_LIMITS = [1 << (7 * k) for k in range(1, 10)]


def zigzag(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Map 0, -1, 1, -2 … to 0, 1, 2, 3 …, so that small numbers of either sign take one byte."""
    return (values << 1) ^ (values >> (values.dtype.itemsize * 8 - 1))


def varint_sizes(values: npt.NDArray[Any]) -> Ints:
    """Return the number of bytes that each non-negative integer takes."""
    sizes = np.ones(len(values), dtype=np.int64)
    top = int(values.max()) if len(values) else 0
    for limit in _LIMITS:
        if top < limit:
            break
        sizes += values >= limit
    return sizes


def varints(values: npt.NDArray[Any], sizes: Ints | None = None) -> Bytes:
    """Encode non-negative integers one after another.

    Parameters
    ----------
    values : integer ndarray, shape (n,)
    sizes : int ndarray, shape (n,), optional
        What `varint_sizes` says, when the caller has it already.
    """
    if sizes is None:
        sizes = varint_sizes(values)
    if not len(values):
        return np.empty(0, dtype=np.uint8)
    longest = int(sizes.max())
    if longest == 1:
        return values.astype(np.uint8)
    ends = np.cumsum(sizes)
    at = ends - sizes
    out = np.empty(int(ends[-1]), dtype=np.uint8)
    out[at] = (values & 0x7F).astype(np.uint8) | np.where(sizes > 1, np.uint8(0x80), np.uint8(0))
    rest = np.flatnonzero(sizes > 1)
    for k in range(1, longest):
        more = sizes[rest] > k + 1
        seven = ((values[rest] >> values.dtype.type(7 * k)) & 0x7F).astype(np.uint8)
        out[at[rest] + k] = seven | np.where(more, np.uint8(0x80), np.uint8(0))
        rest = rest[more]
    return out


def varint(value: int) -> bytes:
    """Encode one non-negative integer."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def message(field: int, body: bytes) -> bytes:
    """Return a length-delimited field: a string, bytes or a nested message."""
    return varint(field << 3 | 2) + varint(len(body)) + body


def string_values(values: list[str]) -> tuple[Bytes, Ints]:
    """Encode strings as entries of a layer's value table; return the bytes and the length of each entry."""
    entries = []
    for value in values:
        body = value.encode("utf-8", "replace")
        body = b"\x0a" + varint(len(body)) + body
        entries.append(b"\x22" + varint(len(body)) + body)
    return np.frombuffer(b"".join(entries), dtype=np.uint8), np.array([len(e) for e in entries], dtype=np.int64)


def float_values(values: npt.NDArray[Any]) -> tuple[Bytes, Ints]:
    """Encode numbers as doubles of a layer's value table, 11 bytes each; as `string_values`."""
    out = np.empty(len(values), dtype=[("tag", "u1"), ("size", "u1"), ("kind", "u1"), ("value", "<f8")])
    out["tag"], out["size"], out["kind"], out["value"] = 0x22, 9, 0x19, values
    return out.view(np.uint8).reshape(-1), np.full(len(values), 11, dtype=np.int64)


def int_values(values: npt.NDArray[Any], *, boolean: bool = False) -> tuple[Bytes, Ints]:
    """Encode integers (or truth values) for a layer's value table; as `string_values`."""
    whole = values.astype(np.int64)
    coded = whole.astype(np.uint64) if boolean else zigzag(whole).view(np.uint64)
    sizes = varint_sizes(coded)
    flat = np.empty((len(values), 4), dtype=np.uint64)
    flat[:, 0], flat[:, 1], flat[:, 2], flat[:, 3] = 0x22, sizes + 1, 0x38 if boolean else 0x30, coded
    return varints(flat.reshape(-1)), sizes + 3
