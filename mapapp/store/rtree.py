"""This module packs a whole SQLite R-tree at once, by its tables, instead of a row at a time.

Source: SQLite, ext/rtree/rtree.c, "Database Format of R-Tree Tables": nodes of 4 bytes (depth in the root, number of
cells) and cells of 24 bytes (rowid, then minx maxx miny maxy), big-endian; node 1 is the root. Rows are tiled into
strips (Leutenegger, Lopez, Edgington 1997, doi:10.1109/ICDE.1997.582015).
"""

# ruff: noqa: S608  # every identifier is quoted; every value is bound

from __future__ import annotations

import sqlite3
from typing import Any

import numpy as np
import numpy.typing as npt

_CELLS = 51
_FILL = 46
"""Cells in a packed node; room is left for rows that come later."""
_CELL = np.dtype([("id", ">i8"), ("box", ">f4", 4)])
_NODE = np.dtype([("depth", ">u2"), ("n", ">u2"), ("cells", _CELL, _CELLS)])

Floats = npt.NDArray[np.float64]


def fill(raw: sqlite3.Connection, tree: str, ids: npt.NDArray[np.int64], box: Floats) -> bool:
    """Fill an empty R-tree inside the open transaction; return False, with nothing done, where it is not empty.

    Parameters
    ----------
    tree : str
        Name of the virtual table.
    ids : ndarray of int, shape (n,)
        Rowids, each once.
    box : ndarray of float, shape (n, 4)
        ``xmin ymin xmax ymax``, finite.
    """
    node, parent, rowid = (f'"{tree}_{part}"' for part in ("node", "parent", "rowid"))
    first = raw.execute(f"SELECT nodeno, length(data) FROM {node} LIMIT 2").fetchall()
    if first != [(1, _NODE.itemsize)] or raw.execute(f"SELECT 1 FROM {rowid} LIMIT 1").fetchone() or not len(ids):
        return False
    order = _tiled(box)
    numbers, cells = ids[order], _rounded(box[order])
    next_free, depth = 2, 0
    while True:
        count = -(-len(numbers) // _FILL)
        made = np.array([1]) if count == 1 else np.arange(next_free, next_free + count)
        next_free += count
        starts = np.arange(0, len(numbers), _FILL)
        inside = np.repeat(made, np.diff([*starts, len(numbers)]))
        nodes = np.zeros(count, dtype=_NODE)
        at = np.arange(len(numbers))
        nodes["n"] = np.diff([*starts, len(numbers)])
        nodes["cells"]["id"][at // _FILL, at % _FILL] = numbers
        nodes["cells"]["box"][at // _FILL, at % _FILL] = cells
        if count == 1:
            nodes["depth"] = depth
        body, size = nodes.tobytes(), _NODE.itemsize
        blobs = (body[k * size : (k + 1) * size] for k in range(count))
        raw.executemany(f"INSERT OR REPLACE INTO {node} VALUES (?,?)", zip(made.tolist(), blobs, strict=True))
        up = np.argsort(numbers, kind="stable") if depth == 0 else at
        into = f"INSERT INTO {rowid if depth == 0 else parent} VALUES (?,?)"
        raw.executemany(into, zip(numbers[up].tolist(), inside[up].tolist(), strict=True))
        if count == 1:
            return True
        low, high = (f.reduceat(cells, starts) for f in (np.minimum, np.maximum))
        numbers, cells, depth = made, np.where([True, False, True, False], low, high), depth + 1


def _tiled(box: Floats) -> npt.NDArray[np.int64]:
    """Return the order in which neighbours share a leaf: strips by x, each by y."""
    middle = (box[:, :2] + box[:, 2:]) / 2
    strips = max(int(np.sqrt(len(box) / _FILL)), 1)
    rank = np.empty(len(box), dtype=np.int64)
    rank[np.argsort(middle[:, 0], kind="stable")] = np.arange(len(box))
    return np.lexsort((middle[:, 1], rank * strips // len(box)))


def _rounded(box: Floats) -> Any:
    """Return ``minx maxx miny maxy`` as 32-bit numbers, rounded outwards."""
    exact = box[:, [0, 2, 1, 3]]
    near = exact.astype(np.float32)
    low = np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)
    high = np.where(near < exact, np.nextafter(near, np.float32(np.inf)), near)
    return np.where([True, False, True, False], low, high)
