"""This module reads whole tables of a GeoPackage into Arrow through SQLite's C interface, without an object per cell.

Why not GDAL: it carries a second copy of SQLite, and closing a file through one copy drops the POSIX locks that the
other holds on it in the same process (sqlite.org/howtocorrupt.html, section 2.2.1). Here the copy is the very one that
Python's ``sqlite3`` uses. Where it cannot be reached (`available` is False), `sqlite3` itself reads, some five times
slower.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import sqlite3
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from mapapp.store.frames import ARROW, Kind
from mapapp.store.sql import quoted

_ROW, _DONE = 100, 101
_READ_ONLY, _URI, _NO_MUTEX = 0x1, 0x40, 0x8000
_BATCH = 65_536
_BYTES = 1 << 22  # per text column and batch, to begin with
_NAMES = ("step", "column_type", "column_int64", "column_double", "column_text", "column_blob", "column_bytes")
_NUMBER, _WHOLE, _TEXT, _GEOMETRY = 0, 1, 2, 3


@cache
def _library() -> ctypes.CDLL | None:
    """Return SQLite as Python's own module has loaded it; None where its functions are not exported."""
    try:
        library = ctypes.CDLL(_sqlite3.__file__)
        library.sqlite3_libversion.restype = ctypes.c_char_p
        same = library.sqlite3_libversion().decode() == sqlite3.sqlite_version
        out = ctypes.POINTER(ctypes.c_void_p)
        library.sqlite3_open_v2.argtypes = [ctypes.c_char_p, out, ctypes.c_int, ctypes.c_char_p]
        library.sqlite3_prepare_v2.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, out, out]
        library.sqlite3_busy_timeout.argtypes = [ctypes.c_void_p, ctypes.c_int]
        for name in ("finalize", "close_v2"):
            getattr(library, f"sqlite3_{name}").argtypes = [ctypes.c_void_p]
        for name in _NAMES:
            getattr(library, f"sqlite3_{name}")
    except (OSError, AttributeError):
        return None
    return library if same else None


def available() -> bool:
    """Whether tables can be read this way on this machine."""
    return _fill() is not None


@cache
def _fill() -> Any:
    """Return the compiled loop over rows; compiled once per machine and kept on disk by numba."""
    library = _library()
    if library is None:
        return None
    try:
        from mapapp.store import _native_loop  # numba takes half a second to import
    except (ImportError, RuntimeError):  # numba is absent, or finds no folder for its cache
        return None
    return _native_loop.compiled(
        {name: ctypes.cast(getattr(library, f"sqlite3_{name}"), ctypes.c_void_p).value or 0 for name in _NAMES}
    )


def read(uri: str, layer: str, columns: Mapping[str, Kind], *, geometry: bool) -> pa.Table | None:
    """Return all rows of a table in order of arrival, as committed; None when SQLite reports any trouble.

    Parameters
    ----------
    uri : str
        ``file:`` address of the database.
    layer : str
    columns : mapping of name to kind
        A value that does not fit the kind of its column (words among numbers, left by another program) is missing.
    geometry : bool
        Adds a last column ``geometry`` of WKB.
    """
    library = _library()
    if library is None or not available():
        return None
    names = [*columns, *(["geom"] if geometry else [])]
    sql = f"SELECT {', '.join(map(quoted, names))} FROM {quoted(layer)} ORDER BY fid"  # noqa: S608  # quoted
    database, statement = ctypes.c_void_p(), ctypes.c_void_p()
    try:
        if library.sqlite3_open_v2(uri.encode(), ctypes.byref(database), _READ_ONLY | _URI | _NO_MUTEX, None):
            return None
        library.sqlite3_busy_timeout(database, 30_000)
        if library.sqlite3_prepare_v2(database, sql.encode(), -1, ctypes.byref(statement), None):
            return None
        return _rows(int(statement.value or 0), columns, geometry=geometry)
    finally:
        library.sqlite3_finalize(statement)
        library.sqlite3_close_v2(database)


def _rows(statement: int, columns: Mapping[str, Kind], *, geometry: bool) -> pa.Table | None:
    ways = {"float": _NUMBER, "int": _WHOLE, "bool": _WHOLE, "str": _TEXT}
    way = np.array([ways[k] for k in columns.values()] + ([_GEOMETRY] if geometry else []), dtype=np.int64)
    slot = np.array([int((way[:i] == w).sum()) for i, w in enumerate(way)], dtype=np.int64)
    wide = way >= _TEXT
    slot[wide] = np.arange(wide.sum())
    numbers = np.empty((max((way == _NUMBER).sum(), 1), _BATCH))
    wholes = np.empty((max((way == _WHOLE).sum(), 1), _BATCH), dtype=np.int64)
    there = np.empty((len(way), _BATCH), dtype=np.bool_)
    ends = np.zeros((max(wide.sum(), 1), _BATCH + 1), dtype=np.int32)
    room = _BYTES
    text = np.empty((max(wide.sum(), 1), room), dtype=np.uint8)
    fill = _fill()
    kinds = [*columns.values(), *(["geometry"] if geometry else [])]
    schema = pa.schema(
        [*((n, ARROW[k]) for n, k in columns.items()), *([("geometry", pa.binary())] if geometry else [])]
    )
    batches, waiting = [], 0
    while True:
        n, code = fill(statement, way, slot, numbers, wholes, there, ends, text, waiting)
        if n:
            arrays = [
                _array(kind, n, there[i, :n], numbers, wholes, ends, text, int(slot[i])) for i, kind in enumerate(kinds)
            ]
            batches.append(pa.record_batch(arrays, schema=schema))
        if code == _DONE:
            return pa.Table.from_batches(batches, schema=schema)
        if code not in (_ROW, 0):
            return None
        waiting = int(code == _ROW)  # 0: the batch is full; _ROW: a row was fetched that found no room
        if waiting and not n:
            room *= 4
            if room > 1 << 30:
                return None
            text = np.empty((len(text), room), dtype=np.uint8)


def _array(kind: str, n: int, there: Any, numbers: Any, wholes: Any, ends: Any, text: Any, slot: int) -> pa.Array:
    missing = None if there.all() else ~there
    if kind == "float":
        return pa.array(numbers[slot, :n].copy(), mask=missing)
    if kind == "int":
        return pa.array(wholes[slot, :n].copy(), mask=missing)
    if kind == "bool":
        return pa.array(wholes[slot, :n] != 0, mask=missing)
    valid = None if missing is None else pa.py_buffer(np.packbits(there, bitorder="little").tobytes())
    offsets = pa.py_buffer(ends[slot, : n + 1].tobytes())
    body = pa.py_buffer(text[slot, : ends[slot, n]].tobytes())
    return pa.Array.from_buffers(pa.string() if kind == "str" else pa.binary(), n, [valid, offsets, body])
