"""This module thins a layer for low zooms to the pixels its features touch, and remembers which features those are.

An item of a level is a segment between two screen pixels, or one pixel (a point, a small polygon, a line shorter than
a pixel). Equal items are kept once per combination of the grouping columns, with the list of their members: counts,
worst classes and largest values are exact for any subset of rows. Every feature is a member of an item, or drawn
itself, at every level. Levels nest: rounding is downward, so a coarse level is computed from the next finer one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mapapp.tiles.cache import Writer
from mapapp.tiles.grid import to_pixels, z_order
from mapapp.tiles.mvt import LINE, POLYGON
from mapapp.tiles.ragged import ranges, starts_of, sums

Ints = npt.NDArray[np.int64]
FINEST = 13
BLOCK = 512
SMALL_PX = 2  # polygons below this many pixels, both ways, become one pixel
ENOUGH = 4096  # items that fit any tile: no coarser level is needed
UNRANKED = 255


@dataclass(frozen=True, slots=True)
class Traits:
    """What aggregates need to know of each feature (n,): ``combo`` (grouping), ``rank`` (0 worst), ``size``."""

    kind: npt.NDArray[np.uint8]
    bbox: npt.NDArray[np.int32]
    combo: Ints
    rank: npt.NDArray[np.uint8]
    size: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Items:
    """Pixel segments (i, 4) as x0 y0 x1 y1 with their grouping (i,), and pairs item-feature, sorted by item."""

    pixels: Ints
    combo: Ints
    item: Ints
    feature: Ints


@dataclass(frozen=True, slots=True)
class Level:
    """One level as stored; arrays by item (i,), members (m,) in item order, ``large`` polygons drawn themselves."""

    zoom: int
    pixels: npt.NDArray[np.int32]
    combo: npt.NDArray[np.int32]
    rank: npt.NDArray[np.uint8]
    size: npt.NDArray[np.float64]
    starts: Ints
    member: npt.NDArray[np.int32]
    blocks: npt.NDArray[np.int32]
    large: npt.NDArray[np.int32]

    @classmethod
    def load(cls, zoom: int, arrays: dict[str, npt.NDArray[Any]]) -> Level:
        """Return the level of this zoom from a cache's arrays."""
        names = ("pixels", "combo", "rank", "size", "starts", "member", "blocks", "large")
        return cls(zoom, *(arrays[f"z{zoom}_{n}"] for n in names))

    def within(self, box: tuple[int, int, int, int]) -> Ints:
        """Return the items whose bounding box meets the box of pixels, ascending."""
        items = block_rows(self.blocks, box, len(self.pixels), BLOCK)
        return items[meets(_bbox(self.pixels[items]), box)]

    def visible(
        self,
        items: Ints,
        alive: npt.NDArray[np.bool_] | None,
        rank: npt.NDArray[np.uint8],
        size: npt.NDArray[np.float64],
    ) -> tuple[Ints, Ints, npt.NDArray[np.uint8], npt.NDArray[np.float64], Ints]:
        """Return items with visible members: items, count, worst rank, largest size, one member each.

        ``alive``, ``rank`` and ``size`` are by feature (n,).
        """
        starts = self.starts[items]
        counts = self.starts[items + 1] - starts
        if alive is None:
            return items, counts, self.rank[items], self.size[items], self.member[starts].astype(np.int64)
        member = self.member[ranges(starts, counts)]
        on = alive[member]
        counts = sums(on, counts)
        member, some = member[on].astype(np.int64), counts > 0
        items, counts = items[some], counts[some]
        first = starts_of(counts)[:-1]
        if not len(items):
            return items, counts, np.empty(0, np.uint8), np.empty(0), items
        worst: npt.NDArray[np.uint8] = np.minimum.reduceat(rank[member], first)
        largest: npt.NDArray[np.float64] = np.fmax.reduceat(size[member], first)
        return items, counts, worst, largest, np.asarray(member[first], dtype=np.int64)


def meets(bbox: npt.NDArray[Any], box: tuple[int, int, int, int]) -> npt.NDArray[np.bool_]:
    """Return which boxes (n, 4) touch the inclusive box left, top, right, bottom."""
    left, top, right, bottom = box
    out: npt.NDArray[np.bool_] = (bbox[:, 0] <= right) & (bbox[:, 2] >= left)
    return out & (bbox[:, 1] <= bottom) & (bbox[:, 3] >= top)


def block_rows(blocks: npt.NDArray[Any], box: tuple[int, int, int, int], rows: int, block: int) -> Ints:
    """Return the row numbers of all blocks that touch the box."""
    first = np.flatnonzero(meets(blocks, box)) * block
    return ranges(first, np.minimum(rows - first, block))


def block_boxes(bbox: npt.NDArray[Any], block: int) -> npt.NDArray[Any]:
    """Return the bounding box of each run of ``block`` rows."""
    if not len(bbox):
        return bbox
    first = np.arange(0, len(bbox), block)
    low, high = np.minimum.reduceat(bbox[:, :2], first), np.maximum.reduceat(bbox[:, 2:], first)
    return np.hstack([low, high])


def build(writer: Writer, traits: Traits, segments: Ints, owner: Ints) -> list[int]:
    """Write all levels that a layer needs; return their zooms, finest first.

    Parameters
    ----------
    segments : int ndarray, shape (s, 4)
        Line segments in pixels of zoom `FINEST`, degenerate ones included.
    owner : int ndarray, shape (s,)
        The feature of each segment.
    """
    zooms = []
    lines = Items(segments, traits.combo[owner], np.arange(len(segments)), owner)
    for zoom in range(FINEST, -1, -1):
        lines = _unite(_thin(lines, len(traits.kind)), len(traits.kind))
        dots, large = _dots(traits, zoom)
        items = _unite(_join(lines, dots), len(traits.kind)) if len(dots.item) else lines
        _write(writer, zoom, items, large, traits)
        zooms.append(zoom)
        if len(items.pixels) + len(large) <= ENOUGH:
            break
        lines = Items(lines.pixels >> 1, lines.combo, lines.item, lines.feature)
    return zooms


def _thin(items: Items, features: int) -> Items:
    """Drop one-pixel items of lines that are seen elsewhere; a line with nothing else keeps the first."""
    p = items.pixels
    dot = ((p[:, 0] == p[:, 2]) & (p[:, 1] == p[:, 3]))[items.item]
    seen = np.zeros(features, dtype=bool)
    seen[items.feature[~dot]] = True
    keep = ~dot
    alone = np.flatnonzero(dot & ~seen[items.feature])
    keep[alone[np.unique(items.feature[alone], return_index=True)[1]]] = True
    return Items(p, items.combo, items.item[keep], items.feature[keep])


def _unite(items: Items, features: int) -> Items:
    """Merge equal items and equal memberships; sort items along the Z-order curve."""
    used = np.zeros(len(items.pixels), dtype=bool)
    used[items.item] = True
    p, combo = items.pixels[used], items.combo[used]
    number = np.cumsum(used) - 1
    turn = (p[:, 0] > p[:, 2]) | ((p[:, 0] == p[:, 2]) & (p[:, 1] > p[:, 3]))
    p = np.where(turn[:, None], p[:, [2, 3, 0, 1]], p)
    begin = z_order(p[:, 0], p[:, 1])
    wide = 1 << 21  # pixels of the world at the finest level; deltas take 22 bits, which leaves 19 for the grouping
    rest = ((p[:, 2] - p[:, 0] + wide) << 41) | ((p[:, 3] - p[:, 1] + wide) << 19) | combo
    order = np.lexsort((rest, begin))
    begin, rest = begin[order], rest[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (begin[1:] != begin[:-1]) | (rest[1:] != rest[:-1])
    target = np.empty(len(order), dtype=np.int64)
    target[order] = np.cumsum(new) - 1
    pairs = np.unique(target[number[items.item]] * features + items.feature)
    kept = order[new]
    return Items(p[kept], combo[kept], pairs // features, pairs % features)


def _dots(traits: Traits, zoom: int) -> tuple[Items, Ints]:
    """Return one-pixel items of points and small polygons, and the polygons that are large enough to be drawn."""
    low, high = to_pixels(traits.bbox[:, :2], zoom), to_pixels(traits.bbox[:, 2:], zoom)
    wide = traits.bbox.astype(np.int64)
    size = np.maximum(wide[:, 2] - wide[:, 0], wide[:, 3] - wide[:, 1]) / float(1 << (24 - zoom))
    large = (traits.kind == POLYGON) & (size >= SMALL_PX)
    feature = np.flatnonzero((traits.kind != LINE) & ~large)
    middle = (low[feature] + high[feature]) >> 1
    dots = Items(np.hstack([middle, middle]), traits.combo[feature], np.arange(len(feature)), feature)
    return dots, np.flatnonzero(large)


def _join(a: Items, b: Items) -> Items:
    return Items(
        np.concatenate([a.pixels, b.pixels]),
        np.concatenate([a.combo, b.combo]),
        np.concatenate([a.item, b.item + len(a.pixels)]),
        np.concatenate([a.feature, b.feature]),
    )


def _bbox(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    a, b = pixels[:, :2], pixels[:, 2:]
    return np.hstack([np.minimum(a, b), np.maximum(a, b)])


def _write(writer: Writer, zoom: int, items: Items, large: Ints, traits: Traits) -> None:
    starts = starts_of(np.bincount(items.item, minlength=len(items.pixels)))
    first = starts[:-1]
    filled = len(items.pixels) > 0
    rank = np.minimum.reduceat(traits.rank[items.feature], first) if filled else np.empty(0, np.uint8)
    size = np.fmax.reduceat(traits.size[items.feature], first) if filled else np.empty(0)
    for name, values in (
        ("pixels", items.pixels.astype(np.int32)),
        ("combo", items.combo.astype(np.int32)),
        ("rank", rank),
        ("size", size),
        ("starts", starts),
        ("member", items.feature.astype(np.int32)),
        ("blocks", block_boxes(_bbox(items.pixels.astype(np.int32)), BLOCK)),
        ("large", large.astype(np.int32)),
    ):
        writer.append(f"z{zoom}_{name}", values)
