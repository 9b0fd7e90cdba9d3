"""This module holds the compiled loop of `mapapp.store.native`; it is imported only when a table is read that way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]  # no type information is shipped
import numba
from numba import types

_i4, _i8, _f8, _p = types.int32, types.int64, types.float64, types.uintp


def compiled(addresses: Mapping[str, int]) -> Any:
    """Return the loop, linked to SQLite's functions at these addresses.

    The functions are called by name, not by address, so that numba can keep the machine code on disk.
    """
    for name, address in addresses.items():
        llvm.add_symbol(f"mapapp_sqlite3_{name}", address)
    return fill


def _function(name: str, signature: Any) -> Any:
    return types.ExternalFunction(name, signature)


_step = _function("mapapp_sqlite3_step", _i4(_p))
_type = _function("mapapp_sqlite3_column_type", _i4(_p, _i4))
_int64 = _function("mapapp_sqlite3_column_int64", _i8(_p, _i4))
_double = _function("mapapp_sqlite3_column_double", _f8(_p, _i4))
_text = _function("mapapp_sqlite3_column_text", _p(_p, _i4))
_blob = _function("mapapp_sqlite3_column_blob", _p(_p, _i4))
_bytes = _function("mapapp_sqlite3_column_bytes", _i4(_p, _i4))
_copy = _function("memcpy", _p(_p, _p, _p))


@numba.njit(nogil=True, cache=True)
def fill(statement, way, slot, numbers, wholes, there, ends, text, waiting):  # type: ignore[no-untyped-def]  # compiled
    """Fetch rows into the columns until the batch is full (code 0), the rows end (101) or a text has no room (100).

    ``way`` says how a column is read (0 number, 1 whole number, 2 text, 3 geometry), ``slot`` where it goes; ``waiting``
    is 1 when the statement stands on a row that the last call had no room for.
    """
    size = numbers.shape[1]
    room = text.shape[1]
    head = 0
    n = 0
    code = 100
    for i in range(ends.shape[0]):
        ends[i, 0] = 0
    while n < size:
        if waiting == 0:
            code = _step(statement)
            if code != 100:
                return n, code
        waiting = 0
        for c in range(way.shape[0]):
            kind = _type(statement, c)
            s = slot[c]
            there[c, n] = kind != 5
            if way[c] == 0:
                if kind <= 2:
                    numbers[s, n] = _double(statement, c)
                else:
                    there[c, n] = False
                    numbers[s, n] = 0.0
            elif way[c] == 1:
                if kind <= 2:
                    wholes[s, n] = _int64(statement, c)
                else:
                    there[c, n] = False
                    wholes[s, n] = 0
            else:
                at = ends[s, n]
                length = 0
                if kind != 5:
                    source = _text(statement, c) if way[c] == 2 else _blob(statement, c)
                    length = _bytes(statement, c)
                    if at + length > room:
                        return n, 100
                    if way[c] == 3 and length >= 8:
                        # the header is copied first, to see in its flags how long it is
                        _copy(text.ctypes.data + s * room + at, source, 8)
                        envelope = (text[s, at + 3] >> 1) & 7
                        head = 8
                        if envelope == 1:
                            head = 40
                        elif envelope == 2 or envelope == 3:
                            head = 56
                        elif envelope == 4:
                            head = 72
                        length -= head
                        source += head
                    if length > 0:
                        _copy(text.ctypes.data + s * room + at, source, length)
                ends[s, n + 1] = at + max(length, 0)
        n += 1
    return n, 0
