"""This module writes features as one Mapbox Vector Tile (specification 2.1), without a loop over features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mapapp.tiles.columns import Local
from mapapp.tiles.grid import EXTENT
from mapapp.tiles.protobuf import message, varint, varint_sizes, varints, zigzag
from mapapp.tiles.ragged import ranges, starts_of, sums

Ints = npt.NDArray[np.int64]
POINT, LINE, POLYGON = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Features:
    """Features of one geometry type, ready to be written.

    Attributes
    ----------
    ids : int ndarray, shape (n,)
        Non-negative feature ids, or empty for features that have none (aggregates).
    geometry : int ndarray
        Command integers of all features (specification 4.3).
    sizes : int ndarray, shape (n,)
        Command integers per feature.
    columns : mapping of name to Local
    """

    kind: int
    ids: Ints
    geometry: Ints
    sizes: Ints
    columns: Mapping[str, Local]


def commands(kind: int, x: Ints, y: Ints, lengths: Ints, parts: Ints) -> tuple[Ints, Ints]:
    """Return the command integers of features.

    Parameters
    ----------
    kind : int
        `POINT`: each feature one part of its points. `LINE`: a part is a line. `POLYGON`: a part is a ring without its
        closing vertex, outer rings clockwise on screen, each followed by its holes.
    x, y : int ndarray, shape (v,)
        Tile units, y down.
    lengths : int ndarray, shape (p,)
        Vertices per part, none empty.
    parts : int ndarray, shape (n,)
        Parts per feature, none empty.

    Returns
    -------
    ints, sizes
        All command integers and how many belong to each feature.
    """
    extra = {POINT: 1, LINE: 2, POLYGON: 3}[kind]
    part_sizes = 2 * lengths + extra
    at = starts_of(part_sizes)
    first = starts_of(lengths)[:-1]
    # The cursor runs on from part to part and starts at 0, 0 with each feature.
    dx, dy = np.diff(x, prepend=0), np.diff(y, prepend=0)
    opening = first[starts_of(parts)[:-1]]
    dx[opening], dy[opening] = x[opening], y[opening]
    out = np.empty(int(at[-1]), dtype=np.int64)
    within = np.arange(len(x)) - np.repeat(first, lengths)
    place = np.repeat(at[:-1], lengths) + 2 * within + 1
    if kind == POINT:
        out[at[:-1]] = lengths << 3 | 1
    else:
        place += within > 0
        out[at[:-1]] = 1 << 3 | 1
        out[at[:-1] + 3] = (lengths - 1) << 3 | 2
        if kind == POLYGON:
            out[at[1:] - 1] = 1 << 3 | 7
    out[place], out[place + 1] = zigzag(dx), zigzag(dy)
    return out, sums(part_sizes, parts)


def tile(layer: str, sets: Sequence[Features]) -> bytes:
    """Return a tile with one layer, or no bytes at all when there are no features."""
    sets = [s for s in sets if len(s.sizes)]
    if not sets:
        return b""
    keys: list[str] = []
    values: list[npt.NDArray[np.uint8]] = []
    offset = 0
    bodies = []
    for features in sets:
        tags, counts, offset = _tags(features, keys, values, offset)
        bodies.append(_features(features, tags, counts))
    body = b"".join(
        [
            message(1, layer.encode()),
            *bodies,
            *(message(3, k.encode()) for k in keys),
            *(v.tobytes() for v in values),
            b"\x28" + varint(EXTENT),
            b"\x78\x02",
        ]
    )
    return message(3, body)


def _tags(
    features: Features, keys: list[str], values: list[npt.NDArray[np.uint8]], offset: int
) -> tuple[Ints, Ints, int]:
    """Return the key and value numbers of all features, and how many each has; extends the tables."""
    n = len(features.sizes)
    pairs = np.empty((n, len(features.columns), 2), dtype=np.int64)
    for i, (name, column) in enumerate(features.columns.items()):
        if name not in keys:
            keys.append(name)
        pairs[:, i, 0] = keys.index(name)
        pairs[:, i, 1] = np.where(column.index >= 0, column.index + offset, -1)
        values.append(column.values)
        offset += column.count
    has = pairs[:, :, 1] >= 0
    return pairs[has].reshape(-1), 2 * has.sum(axis=1), offset


def _features(features: Features, tags: Ints, tag_counts: Ints) -> bytes:
    tag_bytes = sums(varint_sizes(tags), tag_counts)
    geometry_bytes = sums(varint_sizes(features.geometry), features.sizes)
    with_id = len(features.ids) > 0
    head: list[tuple[int, int | Ints]] = [(0, 0x12), (1, 0)]
    if with_id:
        head += [(2, 0x08), (3, features.ids)]
    at_tags = len(head) + 2
    head += [(len(head), 0x12), (len(head) + 1, tag_bytes)]
    inner = (
        (1 + varint_sizes(features.ids) if with_id else 0)
        + 1 + varint_sizes(tag_bytes) + tag_bytes + 3 + varint_sizes(geometry_bytes) + geometry_bytes
    )  # fmt: skip
    head[1] = (1, inner)
    sizes = at_tags + tag_counts + 4 + features.sizes
    at = starts_of(sizes)
    begin = at[:-1]
    out = np.empty(int(at[-1]), dtype=np.int64)
    for place, value in head:
        out[begin + place] = value
    after = begin + at_tags + tag_counts
    for place, number in ((0, 0x18), (1, features.kind), (2, 0x22), (3, geometry_bytes)):
        out[after + place] = number
    out[ranges(begin + at_tags, tag_counts)] = tags
    out[ranges(after + 4, features.sizes)] = features.geometry
    return varints(out).tobytes()
