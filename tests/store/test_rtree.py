"""A packed R-tree is one that SQLite itself accepts, finds in, and goes on with."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from mapapp.store import rtree


@pytest.mark.parametrize("n", [1, 46, 47, 2_117, 120_000])
def test_a_packed_tree_is_sound_finds_all_and_takes_changes(n: int) -> None:
    rng = np.random.default_rng(n)
    low = np.c_[rng.uniform(4e5, 6e5, n), rng.uniform(3.8e6, 3.9e6, n)]
    box = np.c_[low, low + rng.uniform(0, 50, (n, 2))]
    ids = rng.permutation(np.arange(1, n + 1))
    raw = sqlite3.connect(":memory:")
    raw.execute("CREATE VIRTUAL TABLE t USING rtree(id, minx, maxx, miny, maxy)")
    assert rtree.fill(raw, "t", ids, box)
    assert raw.execute("SELECT rtreecheck('t')").fetchall() == [("ok",)]
    window = (4.5e5, 3.82e6, 5.2e5, 3.88e6)
    inside = (box[:, 0] <= window[2]) & (box[:, 2] >= window[0]) & (box[:, 1] <= window[3]) & (box[:, 3] >= window[1])
    found = {i for (i,) in raw.execute("SELECT id FROM t WHERE minx<=? AND miny<=? AND maxx>=? AND maxy>=?", (window[2], window[3], *window[:2]))}  # fmt: skip
    assert set(ids[inside].tolist()) <= found
    raw.executemany("INSERT INTO t VALUES (?,?,?,?,?)", [(n + 1 + k, 5e5, 5e5, 3.85e6, 3.85e6) for k in range(200)])
    raw.execute("DELETE FROM t WHERE id % 3 = 0")
    assert raw.execute("SELECT rtreecheck('t')").fetchall() == [("ok",)]
    assert not rtree.fill(raw, "t", ids, box), "a tree that holds rows is left alone"
    raw.execute("DELETE FROM t")
    assert rtree.fill(raw, "t", ids, box)
    assert raw.execute("SELECT rtreecheck('t')").fetchall() == [("ok",)]
    raw.close()
