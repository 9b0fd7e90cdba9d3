"""This module answers for tiles of one layer from its memory-mapped cache, for all rows or those that may be seen."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mapapp.tiles import cache, clip, grid, mvt
from mapapp.tiles.columns import Column, Local, numbers
from mapapp.tiles.levels import SMALL_PX, Level, block_rows, meets
from mapapp.tiles.ragged import ranges, starts_of, sums

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
BLOCK = 512
FULL_FEATURES = 4_000
FULL_VERTICES = 20_000
"""Below both of these a tile shows the features themselves, at any zoom."""
_MASKS_KEPT = 16


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a mask comes to: features that may be seen, the ids they get, how many there are per block."""

    alive: Bools
    number: Ints
    per_block: Ints


class TileSource:
    """Tiles of one layer; made by `build` or `open_source`, safe to use from several threads.

    Attributes
    ----------
    version, layer, key : str
        As given to the build.
    attributes : list of str
        Columns that the tiles can carry, the key first.
    bounds : list of float or None
        West, south, east, north in degrees (EPSG:4326); None for a layer without geometry.
    rows_count : int
        Rows of the frame it was built from.
    """

    def __init__(self, arrays: dict[str, npt.NDArray[Any]], meta: dict[str, Any]) -> None:
        self._a = arrays
        self.version: str = meta["version"]
        self.layer: str = meta["layer"]
        self.key: str = meta["key"]
        self.attributes: list[str] = meta["names"]
        self.bounds: list[float] | None = meta["bounds"]
        self.rows_count: int = meta["rows"]
        self._group: list[str] = meta["group"]
        self._worst: str | None = meta["worst"]
        self._largest: str | None = meta["largest"]
        self._columns = {
            name: Column(arrays[f"a{i}_codes"], arrays[f"a{i}_values"], arrays[f"a{i}_starts"])
            for i, name in enumerate(self.attributes)
        }
        self._levels = {z: Level.load(z, arrays) for z in meta["levels"]}
        self._masks: OrderedDict[bytes, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def undrawn(self) -> Ints:
        """Rows of the frame that are in no tile: no geometry, or none that can be placed."""
        return self._a["undrawn"]

    @cached_property
    def ids(self) -> npt.NDArray[np.object_]:
        """The key of every row of the frame, as text; empty where it is missing."""
        blob, starts = self._a["id_bytes"].tobytes(), self._a["id_starts"].tolist()
        out = np.empty(self.rows_count, dtype=object)
        out[:] = [blob[a:b].decode() for a, b in pairwise(starts)]
        return out

    def rows(self, ids: Iterable[object]) -> Ints:
        """Return the row of each id, the first of several, -1 for one that is not there."""
        wanted = pd.Index([str(i) for i in ids], dtype=object)
        return np.asarray(self._index.reindex(wanted, fill_value=-1), dtype=np.int64)

    @cached_property
    def _index(self) -> pd.Series[int]:
        rows = pd.Series(np.arange(self.rows_count), index=pd.Index(self.ids, dtype=object))
        return rows[~rows.index.duplicated()]

    def tile(
        self, z: int, x: int, y: int, *, mask: npt.ArrayLike | None = None, attributes: Collection[str] | None = None
    ) -> bytes:
        """Return one tile, uncompressed; no bytes when nothing is in it.

        Parameters
        ----------
        z, x, y : int
            Address in the XYZ scheme, 256 screen pixels a tile, z from 0 to 22.
        mask : bool array-like, shape (rows of the frame,), optional
            Rows that may be seen. The others are in no tile, no count and no id: ids number the visible rows.
        attributes : collection of str, optional
            Columns that may be seen; default all. The key is a column like the others.

        Raises
        ------
        NotFoundError
            When there is no such tile.
        ValueError
            When the mask has another length than the frame.
        """
        grid.check_tile(z, x, y)
        if self.bounds is None:
            return b""
        seen = None if mask is None else self._seen(np.asarray(mask, dtype=bool))
        names = [n for n in self.attributes if attributes is None or n in attributes]
        box = grid.tile_box(z, x, y)
        address = (z, x, y)
        if self._levels and z <= max(self._levels) and not self._few(box, seen):
            return mvt.tile(self.layer, self._thinned(address, box, seen, names))
        return mvt.tile(self.layer, self._full(self._within(box, seen), address, seen, names))

    def _seen(self, mask: Bools) -> _Seen:
        if mask.shape != (self.rows_count,):
            raise ValueError(f"the mask has shape {mask.shape}, the layer {self.rows_count} rows")
        digest = hashlib.blake2b(np.packbits(mask).tobytes(), digest_size=16).digest()
        with self._lock:
            if digest in self._masks:
                self._masks.move_to_end(digest)
                return self._masks[digest]
        alive = mask[self._a["row"]]
        per_block = np.add.reduceat(alive, np.arange(0, len(alive), BLOCK), dtype=np.int64)
        seen = _Seen(alive, np.cumsum(mask) - 1, per_block)
        with self._lock:
            self._masks[digest] = seen
            while len(self._masks) > _MASKS_KEPT:
                self._masks.popitem(last=False)
        return seen

    def _within(self, box: tuple[int, int, int, int], seen: _Seen | None) -> Ints:
        rows = block_rows(self._a["blocks"], box, len(self._a["row"]), BLOCK)
        rows = rows[meets(self._a["bbox"][rows], box)]
        return rows if seen is None else rows[seen.alive[rows]]

    def _few(self, box: tuple[int, int, int, int], seen: _Seen | None) -> bool:
        """Whether a tile holds so little that it need not be thinned."""
        blocks = self._a["blocks"]
        left, top, right, bottom = box
        inside = (blocks[:, 0] >= left) & (blocks[:, 1] >= top) & (blocks[:, 2] <= right) & (blocks[:, 3] <= bottom)
        sure = (int(inside.sum()) - 1) * BLOCK if seen is None else int(seen.per_block[inside].sum())
        if sure > FULL_FEATURES:
            return False
        rows = self._within(box, seen)
        if len(rows) > FULL_FEATURES:
            return False
        parts, features = self._a["part_starts"], self._a["feature_starts"]
        return int((parts[features[rows + 1]] - parts[features[rows]]).sum()) <= FULL_VERTICES

    # -- the features themselves ---------------------------------------------------------------------------------------

    def _full(
        self, rows: Ints, address: tuple[int, int, int], seen: _Seen | None, names: Sequence[str]
    ) -> list[mvt.Features]:
        kinds = self._a["kind"][rows]
        out = []
        dots = [np.empty(0, dtype=np.int64)]
        for kind, shape in ((mvt.POLYGON, self._polygons), (mvt.LINE, self._lines), (mvt.POINT, self._points)):
            of_kind = rows[kinds == kind]
            if len(of_kind):
                owner, lengths, x, y = shape(of_kind, address)
                out.append(self._features(kind, owner, lengths, x, y, seen, names))
                if kind == mvt.POLYGON:
                    dots.append(self._collapsed(of_kind, owner, address))
        collapsed = np.concatenate(dots)
        if len(collapsed):
            out.append(self._as_points(collapsed, address, seen, names))
        return out

    def _features(
        self, kind: int, owner: Ints, lengths: Ints, x: Ints, y: Ints, seen: _Seen | None, names: Sequence[str]
    ) -> mvt.Features:
        """Write parts (p,) with their features, equal ones side by side."""
        if not len(owner):
            return mvt.Features(kind, owner, owner, owner, {})
        first = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
        features = owner[first]
        parts = np.diff(np.append(first, len(owner)))
        if kind == mvt.POINT:  # one part holds all points
            lengths, parts = np.add.reduceat(lengths, first), np.ones(len(first), dtype=np.int64)
        ints, sizes = mvt.commands(kind, x, y, lengths, parts)
        number = self._a["row"][features] if seen is None else seen.number[self._a["row"][features]]
        return mvt.Features(kind, number, ints, sizes, {n: self._columns[n].local(features) for n in names})

    def _vertices(self, rows: Ints, address: tuple[int, int, int]) -> tuple[Ints, Ints, Ints, Ints]:
        """Return the parts of features: owner and number of each part, and tile units of their vertices."""
        begin = self._a["feature_starts"][rows]
        counts = self._a["feature_starts"][rows + 1] - begin
        part = ranges(begin, counts)
        first = self._a["part_starts"][part]
        lengths = self._a["part_starts"][part + 1] - first
        x, y = grid.to_tile(self._a["xy"][ranges(first, lengths)], *address)
        x, y, lengths = clip.drop_repeats(x, y, lengths)
        return np.repeat(rows, counts), part, lengths, np.stack([x, y])

    def _inside(self, owner: Ints, address: tuple[int, int, int]) -> Bools:
        """Return which parts belong to features that need no cutting."""
        left, top, right, bottom = grid.tile_box(*address)
        b = self._a["bbox"][owner]
        inside: Bools = (b[:, 0] >= left) & (b[:, 1] >= top) & (b[:, 2] <= right) & (b[:, 3] <= bottom)
        return inside

    def _lines(self, rows: Ints, address: tuple[int, int, int]) -> tuple[Ints, Ints, Ints, Ints]:
        owner, _, lengths, xy = self._vertices(rows, address)
        # A line shorter than a unit stays visible and clickable as a stub of one unit.
        stub = lengths == 1
        if stub.any():
            at = starts_of(lengths)[:-1][stub]
            xy = np.insert(xy, at + 1, xy[:, at] + np.array([[1], [0]]), axis=1)
            lengths = lengths + stub
        inside = self._inside(owner, address)
        if inside.all():
            return owner, lengths, xy[0], xy[1]
        vertex = np.repeat(inside, lengths)
        x, y, cut, part = clip.lines(xy[0, ~vertex], xy[1, ~vertex], lengths[~inside])
        return (
            np.concatenate([owner[inside], owner[~inside][part]]),
            np.concatenate([lengths[inside], cut]),
            np.concatenate([xy[0, vertex], x]),
            np.concatenate([xy[1, vertex], y]),
        )

    def _polygons(self, rows: Ints, address: tuple[int, int, int]) -> tuple[Ints, Ints, Ints, Ints]:
        owner, part, lengths, xy = self._vertices(rows, address)
        inside = self._inside(owner, address)
        x, y = xy
        if not inside.all():
            vertex = np.repeat(inside, lengths)
            cut_x, cut_y, cut = clip.rings(x[~vertex], y[~vertex], lengths[~inside])
            owner, part = np.concatenate([owner[inside], owner[~inside]]), np.concatenate([part[inside], part[~inside]])
            lengths = np.concatenate([lengths[inside], cut])
            x, y = np.concatenate([x[vertex], cut_x]), np.concatenate([y[vertex], cut_y])
        area = clip.twice_areas(x, y, lengths)
        hole = self._a["hole"][part]
        good = np.where(hole, area < 0, area > 0)
        # Holes go with the outer ring they follow.
        outer = np.flatnonzero(~hole)
        good &= good[outer[np.cumsum(~hole) - 1]]
        vertex = np.repeat(good, lengths)
        return owner[good], lengths[good], x[vertex], y[vertex]

    def _points(self, rows: Ints, address: tuple[int, int, int]) -> tuple[Ints, Ints, Ints, Ints]:
        owner, _, lengths, (x, y) = self._vertices(rows, address)
        keep = (x >= clip.LOW) & (x <= clip.HIGH) & (y >= clip.LOW) & (y <= clip.HIGH)
        lengths = sums(keep, lengths)
        return owner[lengths > 0], lengths[lengths > 0], x[keep], y[keep]

    def _middles(self, rows: Ints, address: tuple[int, int, int]) -> tuple[Ints, Ints]:
        b = self._a["bbox"][rows].astype(np.int64)
        middle = (b[:, :2] + b[:, 2:]) >> 1
        return grid.to_tile(middle.astype(np.int32), *address)

    def _collapsed(self, rows: Ints, drawn: Ints, address: tuple[int, int, int]) -> Ints:
        """Return polygons too small to have an area in this tile, whose middle is in it."""
        rows = np.setdiff1d(rows, drawn)
        b = self._a["bbox"][rows].astype(np.int64)
        small = np.maximum(b[:, 2] - b[:, 0], b[:, 3] - b[:, 1]) < SMALL_PX << (24 - min(address[0], 22))
        x, y = self._middles(rows, address)
        near = (x >= clip.LOW) & (x <= clip.HIGH) & (y >= clip.LOW) & (y <= clip.HIGH)
        return np.asarray(rows[small & near], dtype=np.int64)

    def _as_points(
        self, rows: Ints, address: tuple[int, int, int], seen: _Seen | None, names: Sequence[str]
    ) -> mvt.Features:
        x, y = self._middles(rows, address)
        return self._features(mvt.POINT, rows, np.ones(len(rows), dtype=np.int64), x, y, seen, names)

    # -- thinned to pixels ---------------------------------------------------------------------------------------------

    def _thinned(
        self, address: tuple[int, int, int], box: tuple[int, int, int, int], seen: _Seen | None, names: Sequence[str]
    ) -> list[mvt.Features]:
        zoom = max(address[0], min(self._levels))
        level = self._levels[zoom]
        alive = None if seen is None else seen.alive
        items = level.within(grid.pixel_box(zoom, *address))
        items, count, rank, size, member = level.visible(items, alive, self._a["rank"], self._a["size"])
        large = level.large[meets(self._a["bbox"][level.large], box)].astype(np.int64)
        out = self._full(large if alive is None else large[alive[large]], address, seen, names)
        pixels = level.pixels[items].astype(np.int64)
        dot = (pixels[:, 0] == pixels[:, 2]) & (pixels[:, 1] == pixels[:, 3])
        alone = dot & (count == 1) & (self._a["kind"][member] != mvt.LINE)
        if alone.any():  # a pixel with one point in it is that point
            out.append(self._as_points(member[alone], address, seen, names))
        for kind, some in ((mvt.LINE, ~dot), (mvt.POINT, dot & ~alone)):
            if some.any():
                about = self._aggregate(level.combo[items[some]], count[some], rank[some], size[some], names)
                out.append(_aggregates(kind, pixels[some], zoom, address, *about))
        return out

    def _aggregate(
        self, combo: npt.NDArray[np.int32], count: Ints, rank: npt.NDArray[np.uint8], size: npt.NDArray[np.float64],
        names: Sequence[str],
    ) -> tuple[Ints, Callable[[Ints], dict[str, Local]]]:  # fmt: skip
        """Return a number for each distinct description of items, and the columns for one item of each."""
        group = [(i, n) for i, n in enumerate(self._group) if n in names]
        codes = self._a["combos"][combo][:, [i for i, _ in group]]
        with_worst, with_size = self._worst in names, self._largest in names
        about = [*codes.T, count]
        if with_worst:
            about.append(rank)
        if with_size:
            about.append(size)
        number = np.zeros(len(combo), dtype=np.int64)
        for values in about:  # packed two by two, so that numbers stay small
            code, distinct = pd.factorize(values, use_na_sentinel=False)
            number = pd.factorize(number * len(distinct) + code)[0].astype(np.int64)

        def describe(one: Ints) -> dict[str, Local]:
            out = {n: self._columns[n].pick(codes[one, i].astype(np.int64)) for i, (_, n) in enumerate(group)}
            out["count"] = numbers(count[one])
            if with_worst:
                table = Column(np.empty(0, np.int32), self._a["worst_values"], self._a["worst_starts"])
                worst = rank[one].astype(np.int64)
                out["worst"] = table.pick(np.where(worst < len(table.starts) - 1, worst, -1))
            if with_size:
                out[f"max_{self._largest}"] = numbers(size[one])
            return out

        return number, describe


def _aggregates(
    kind: int, pixels: Ints, zoom: int, address: tuple[int, int, int], number: Ints,
    describe: Callable[[Ints], dict[str, Local]],
) -> mvt.Features:  # fmt: skip
    """Write items that are described alike as one feature of many parts."""
    order = np.argsort(number, kind="stable")
    pixels, number = pixels[order], number[order]
    ends = 2 if kind == mvt.LINE else 1
    x, y = grid.pixels_to_tile(pixels.reshape(-1, 2) if ends == 2 else pixels[:, :2], zoom, *address)
    lengths = np.full(len(number), ends, dtype=np.int64)
    if kind == mvt.LINE:
        x, y, lengths, part = clip.lines(x, y, lengths)
    else:
        part = np.flatnonzero((x >= clip.LOW) & (x <= clip.HIGH) & (y >= clip.LOW) & (y <= clip.HIGH))
        x, y, lengths = x[part], y[part], lengths[part]
    none = np.empty(0, dtype=np.int64)
    if not len(part):
        return mvt.Features(kind, none, none, none, {})
    number = number[part]
    first = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
    parts = np.diff(np.append(first, len(number)))
    if kind == mvt.POINT:
        lengths, parts = parts, np.ones(len(first), dtype=np.int64)
    ints, sizes = mvt.commands(kind, x, y, lengths, parts)
    return mvt.Features(kind, none, ints, sizes, describe(order[part[first]]))


def open_source(folder: str | Path) -> TileSource:
    """Open a cache that `build` made; takes milliseconds whatever its size.

    Raises
    ------
    NotFoundError
        When there is none, or none that is complete and of this format.
    """
    return TileSource(*cache.read(Path(folder)))
