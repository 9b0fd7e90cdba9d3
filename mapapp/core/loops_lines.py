"""This module holds the compiled loops that read lines and work along them; arrays in, arrays filled.

Written for `mapapp.core.machine`: no loop allocates, and none is called by its own name outside `mapapp.core`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mapapp.core.machine import loop


@loop("u1* i8* u1* i8 f8** i8*! f8*! f8*!")
def _plain_wkb(data: Any, start: Any, valid: Any, n: Any, f8: Any, record: Any, x: Any, y: Any) -> int:
    plain = 0
    for i in range(n):
        at = start[i]
        size = start[i + 1] - at
        record[2 * i], record[2 * i + 1] = -1, 0
        x[i], y[i] = 0.0, 0.0
        if valid[i] == 0 or size < 9 or data[at] != 1:
            continue
        code = (
            np.int64(data[at + 1])
            | np.int64(data[at + 2]) << 8
            | np.int64(data[at + 3]) << 16
            | np.int64(data[at + 4]) << 24
        )
        if code >= 4000:
            continue
        kind, dims, skip, head = code % 1000, 2, 9, at + 5
        if code >= 3000:
            dims = 4
        elif code >= 1000:
            dims = 3
        if (
            kind == 5
            and size >= 18
            and data[at + 5] == 1
            and data[at + 6] == 0
            and data[at + 7] == 0
            and data[at + 8] == 0
        ):
            skip, head = 18, at + 14
        elif kind != 2:
            continue
        count = (
            np.int64(data[head])
            | np.int64(data[head + 1]) << 8
            | np.int64(data[head + 2]) << 16
            | np.int64(data[head + 3]) << 24
        )
        if count >= 2 and size == skip + count * 8 * dims:
            begin = at + skip
            record[2 * i], record[2 * i + 1] = begin, count * 8 + dims
            x[i], y[i] = f8[begin & 7][begin >> 3], f8[begin & 7][(begin >> 3) + 1]
            plain += 1
    return plain


@loop("f8** i8* i8* i8 i8*! f8*! f8*!")
def _vertices(f8: Any, record: Any, rows: Any, n: Any, offsets: Any, x: Any, y: Any) -> int:
    v, infinite = 0, 0
    offsets[0] = 0
    for k in range(n):
        begin, about = record[2 * rows[k]], record[2 * rows[k] + 1]
        dims, count = about & 7, about >> 3
        numbers, at = f8[begin & 7], begin >> 3
        for _ in range(count):
            x[v], y[v] = numbers[at], numbers[at + 1]
            if not (
                x[v] - x[v] == 0.0 and y[v] - y[v] == 0.0
            ):  # NaN and infinite are not equal to themselves less themselves
                infinite = 1
            at += dims
            v += 1
        offsets[k + 1] = v
    return infinite


@loop("f8* f8* i8* i8 f8*!")
def _lengths(x: Any, y: Any, offsets: Any, n: Any, out: Any) -> int:
    for k in range(n):
        rest = 0.0
        for v in range(offsets[k] + 1, offsets[k + 1] - 1):
            rest += np.hypot(x[v + 1] - x[v], y[v + 1] - y[v])
        v = offsets[k]
        out[k] = np.hypot(x[v + 1] - x[v], y[v + 1] - y[v]) + rest
    return 0


@loop("f8* f8* i8* i8* i8 i8*! f8*! f8*!")
def _taken(x: Any, y: Any, offsets: Any, strings: Any, n: Any, begin: Any, out_x: Any, out_y: Any) -> int:
    to = 0
    for k in range(n):
        begin[k] = to
        for v in range(offsets[strings[k]], offsets[strings[k] + 1]):
            out_x[to], out_y[to] = x[v], y[v]
            to += 1
    begin[n] = to
    return to


@loop("u8** i8* i8 u8*! i8")
def _all_distinct(eight: Any, at: Any, n: Any, table: Any, bits: Any) -> int:
    shift, mask, one = np.uint64(64 - bits), (1 << bits) - 1, np.uint64(1)
    for i in range(n):
        begin, size = at[i], at[i + 1] - at[i]
        low, high = np.uint64(0), np.uint64(size + 1) << np.uint64(58)
        if size >= 8:
            low = eight[begin & 7][begin >> 3]
        elif size > 0:
            low = eight[begin & 7][begin >> 3] & ((one << np.uint64(8 * size)) - one)
        begin += 8
        if size >= 16:
            high ^= eight[begin & 7][begin >> 3]
        elif size > 8:
            high ^= eight[begin & 7][begin >> 3] & ((one << np.uint64(8 * (size - 8))) - one)
        key = (low ^ (low >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
        key ^= (high ^ (high >> np.uint64(29))) * np.uint64(0xC2B2AE3D27D4EB4F)
        key ^= key >> np.uint64(32)
        key = key * np.uint64(0x9E3779B97F4A7C15) | one  # zero stands for an empty place
        place = np.int64(key >> shift)
        while table[place] != 0:
            if table[place] == key:
                return 0
            place = (place + 1) & mask
        table[place] = key
    return 1


def _from_every_byte(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Return eight addresses: number i that begins at byte b is element ``b >> 3`` of the address ``b & 7``."""
    return np.uint64(data.ctypes.data) + np.arange(8, dtype=np.uint64)


def plain_wkb(data: Any, start: Any, valid: Any) -> tuple[Any, Any, Any, int]:
    """Find the records that are one string of vertices in little-endian order, with or without Z and M.

    Returns
    -------
    record : ndarray of int, shape (n, 2)
        The byte where the vertices begin (-1 where it is anything else); eight times their number plus numbers per vertex.
    x, y : ndarray of float, shape (n,)
        The first vertex.
    plain : int
        How many there are.
    """
    n = len(valid)
    record, x, y = np.empty((n, 2), np.int64), np.empty(n), np.empty(n)
    return record, x, y, _plain_wkb(data, start, valid, n, _from_every_byte(data), record, x, y)


def vertices_of(data: Any, record: Any, rows: Any) -> tuple[Any, Any, Any, bool]:
    """Return x, y and offsets of some records found by `plain_wkb`, and whether all are finite numbers."""
    total = int((record[:, 1] >> 3).sum()) if len(rows) == len(record) else int((record[rows, 1] >> 3).sum())
    x, y, offsets = np.empty(total), np.empty(total), np.empty(len(rows) + 1, np.int64)
    infinite = _vertices(_from_every_byte(data), record, rows, len(rows), offsets, x, y)
    return x, y, offsets, not infinite


def lengths(x: Any, y: Any, offsets: Any) -> Any:
    """Return the length of each string of vertices: the first step and the sum of the others, as numpy adds them up."""
    out = np.empty(len(offsets) - 1)
    _lengths(x, y, offsets, len(out), out)
    return out


def taken(x: Any, y: Any, offsets: Any, strings: Any) -> tuple[Any, Any, Any]:
    """Return x, y and offsets of some strings of vertices, in the order given."""
    total = int((offsets[strings + 1] - offsets[strings]).sum())
    out_x, out_y, begin = np.empty(total), np.empty(total), np.empty(len(strings) + 1, np.int64)
    _taken(x, y, offsets, strings, len(strings), begin, out_x, out_y)
    return out_x, out_y, begin


def all_distinct(data: Any, at: Any) -> bool:
    """Whether short texts are all different, by a table of mixed bytes; False when two mixes are equal.

    Text i is the bytes ``at[i]:at[i + 1]``, at most 16; 16 spare bytes stand behind the last.
    """
    bits = max(4, (2 * (len(at) - 1) - 1).bit_length())
    table = np.zeros(1 << bits, np.uint64)
    return bool(_all_distinct(_from_every_byte(data), at, len(at) - 1, table, bits))
