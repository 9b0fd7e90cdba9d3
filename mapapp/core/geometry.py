"""This module holds lines as flat coordinates, and finds points near lines without a geometry object per point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from mapapp.core import loops, machine

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LINE, _MULTILINE = 1, 5  # shapely type ids
_WKB_LINE, _WKB_MULTILINE = 2, 5
_COMPILED_FROM, _COMPILED_FROM_READY = 1_000_000, 20_000  # below these, compiled loops cost more than they save


@dataclass(frozen=True, slots=True)
class Lines:
    """Connected strings of vertices, several for a table row whose parts do not meet.

    Attributes
    ----------
    x, y : ndarray of float, shape (v,)
        Vertices in a metric CRS.
    offsets : ndarray of int, shape (e + 1,)
        String ``i`` owns vertices ``offsets[i]:offsets[i + 1]``, at least two.
    row : ndarray of int, shape (e,)
        The table row that each string belongs to, ascending.
    missing : ndarray of bool, shape (rows,)
        No geometry, or an empty one.
    broken : ndarray of bool, shape (rows,)
        Not a line, or a coordinate that is NaN or infinite.
    """

    x: Floats
    y: Floats
    offsets: Ints
    row: Ints
    missing: Bools
    broken: Bools

    def __len__(self) -> int:
        return len(self.row)

    @property
    def first(self) -> Ints:
        """Index of each string's first vertex."""
        return self.offsets[:-1]

    @property
    def last(self) -> Ints:
        """Index of each string's last vertex."""
        return self.offsets[1:] - 1

    def segments(self) -> tuple[Ints, Ints]:
        """Return the index of each segment's first vertex, and the string it belongs to."""
        counts = np.diff(self.offsets) - 1
        string = np.repeat(np.arange(len(self)), counts)
        return np.arange(len(string)) + string, string

    def lengths(self) -> Floats:
        """Return the length of each string in metres."""
        if len(self) == 0:
            return np.zeros(0)
        if compiled_pays(len(self.x)):
            found: Floats = loops.lengths(self.x, self.y, self.offsets)
            return found
        step = np.hypot(np.diff(self.x), np.diff(self.y))
        step[self.offsets[1:-1] - 1] = 0.0  # the jump from one string to the next
        return np.add.reduceat(np.append(step, 0.0), self.offsets[:-1])

    def take(self, strings: Ints) -> Lines:
        """Return the strings at the given places, in that order."""
        if compiled_pays(len(strings)):
            x, y, begin = loops.taken(self.x, self.y, self.offsets, strings)
            return Lines(x, y, begin, self.row[strings], self.missing, self.broken)
        vertices, offsets = ragged(self.offsets[:-1][strings], np.diff(self.offsets)[strings])
        return Lines(self.x[vertices], self.y[vertices], offsets, self.row[strings], self.missing, self.broken)

    def geometry(self, strings: Ints) -> npt.NDArray[Any]:
        """Return the strings at the given places as shapely LineStrings."""
        part = self.take(strings)
        owner = np.repeat(np.arange(len(part)), np.diff(part.offsets))
        if len(part) == 0:
            return np.empty(0, dtype=object)
        return np.asarray(shapely.linestrings(np.column_stack([part.x, part.y]), indices=owner))

    def along(self, string: Ints, segment: Ints, at: Floats) -> Floats:
        """Return the distance in metres from a string's start to the share ``at`` of one of its segments."""
        mine, which = np.unique(string, return_inverse=True)
        part = self.take(mine)
        step = np.hypot(np.diff(part.x), np.diff(part.y))
        total = np.concatenate([[0.0], np.cumsum(step)])
        begin = part.offsets[which]
        place = begin + segment - self.offsets[string]
        out: Floats = total[place] - total[begin] + at * step[place]
        return out


def ragged(starts: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Return ``starts[i] + 0 … counts[i] - 1`` for all i in a row, and the offsets of each run."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    index = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)
    return index, offsets


def lines_of(geometry: npt.NDArray[Any]) -> Lines:
    """Take the vertices out of shapely lines.

    Parts of a MultiLineString that meet end to end are one string, in the direction of the first part; parts that do
    not meet stay strings of the same row. Z is dropped.

    Parameters
    ----------
    geometry : ndarray of object, shape (rows,)
        LineStrings, MultiLineStrings, anything else (counted as broken) or None.
    """
    kind = shapely.get_type_id(geometry)
    none = np.zeros(len(geometry), dtype=bool)
    counts = shapely.get_num_points(geometry) if (kind == _LINE).all() else none[:0]
    if len(counts) and counts.min() >= 2:  # lines alone, as nearly all files have them
        missing = broken = none
        whole, row = geometry, np.arange(len(geometry))
    else:
        missing = (kind < 0) | shapely.is_empty(geometry)
        broken = ~missing & ~np.isin(kind, (_LINE, _MULTILINE))
        row = np.flatnonzero(~missing & ~broken)
        whole = geometry[row]
        if (kind[row] == _MULTILINE).any():
            whole = shapely.force_2d(whole)
            multi = kind[row] == _MULTILINE
            whole[multi] = _joined(whole[multi])
            whole, index = shapely.get_parts(whole, return_index=True)
            row = row[index]
        counts = shapely.get_num_points(whole)
    xy = shapely.get_coordinates(whole)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return _without_nonfinite(Lines(xy[:, 0].copy(), xy[:, 1].copy(), offsets, row, missing, broken))


def _joined(multi: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Join the parts that meet, keeping the direction of the first part."""
    merged = shapely.line_merge(multi, directed=True)
    still = shapely.get_num_geometries(merged) > 1
    if still.any():
        free = shapely.line_merge(merged[still])
        single = shapely.get_num_geometries(free) == 1
        first = shapely.get_geometry(multi[still], 0)
        head = shapely.get_point(shapely.get_geometry(free, 0), 0)
        tail = shapely.get_point(shapely.get_geometry(free, 0), -1)
        ends = shapely.get_point(first, 0), shapely.get_point(first, -1)
        turned = single & (shapely.equals(tail, ends[0]) | shapely.equals(head, ends[1]))
        free[turned] = shapely.reverse(free[turned])
        merged[still] = free
    return merged


def _without_nonfinite(lines: Lines) -> Lines:
    """Drop strings with a NaN or infinite coordinate, and mark their rows as broken."""
    if np.isfinite(lines.x).all() and np.isfinite(lines.y).all():
        return lines
    bad_vertex = ~(np.isfinite(lines.x) & np.isfinite(lines.y))
    bad = np.add.reduceat(bad_vertex, lines.offsets[:-1]) > 0
    broken = lines.broken.copy()
    broken[lines.row[bad]] = True
    kept = lines.take(np.flatnonzero(~broken[lines.row]))
    return Lines(kept.x, kept.y, kept.offsets, kept.row, lines.missing, broken)


def lines_of_wkb(
    data: npt.NDArray[np.uint8],
    offsets: Ints,
    valid: Bools,
    *,
    laid: Callable[[Floats, Floats], Ints | None] | None = None,
) -> Lines:
    """Take the vertices straight out of well-known binary, without a geometry object per row.

    Little-endian LineStrings and MultiLineStrings of one part (with or without Z and M) are read as they lie; the rest
    goes through shapely.

    Parameters
    ----------
    data : ndarray of uint8
        The records, one after the other.
    offsets : ndarray of int, shape (rows + 1,)
        Where each record begins.
    valid : ndarray of bool, shape (rows,)
        False where the geometry is null.
    laid : callable, optional
        Given x and y of every first vertex, the order to lay the strings in, or None. Asked only where the table is
        large and all rows are plain lines; `Lines.row` is then that order, and not ascending.
    """
    rows = len(valid)
    u4 = _unaligned(data, "<u4")
    if len(u4) and compiled_pays(rows):
        record, x, y, plain = loops.plain_wkb(data, offsets, valid)
        none = np.zeros(rows, dtype=bool)
        by = laid(x, y) if laid is not None and plain == rows else None
        if by is not None:
            x, y, begin, finite = loops.vertices_of(data, record, by)
            if finite:
                return Lines(x, y, begin, by, none, none)
        simple = record[:, 0] >= 0
        taken = np.flatnonzero(simple)
        x, y, begin, _ = loops.vertices_of(data, record, taken)
        return _with_the_rest(Lines(x, y, begin, taken, none, none), simple, data, offsets, valid)
    start, size = offsets[:-1], np.diff(offsets)
    long = valid & (size >= 9)
    at = np.where(long, start, 0)
    if len(u4) == 0:
        return lines_of(np.full(rows, None, dtype=object))
    order, code, count = data[at], u4[at + 1], u4[np.minimum(at + 5, len(u4) - 1)]
    base, dims = code % 1000, 2 + np.array([0, 1, 1, 2])[np.minimum(code // 1000, 3)]
    plain = long & (order == 1) & (code < 4000) & (base == _WKB_LINE)
    multi = long & (order == 1) & (code < 4000) & (base == _WKB_MULTILINE) & (count == 1) & (size >= 18)
    head = np.where(multi, 18, 9)
    if multi.any():
        count = np.where(multi, u4[np.where(multi, at + 14, 0)], count)
    simple = (plain | multi) & (count >= 2) & (size == head + count.astype(np.int64) * 8 * dims)
    lines = _wkb_vertices(data, np.flatnonzero(simple), at + head, count.astype(np.int64), 8 * dims, rows)
    return _with_the_rest(lines, simple, data, offsets, valid)


def _with_the_rest(lines: Lines, simple: Bools, data: npt.NDArray[np.uint8], offsets: Ints, valid: Bools) -> Lines:
    """Add what is not a simple record to the lines read so far; shapely reads it."""
    rest, rows = np.flatnonzero(~simple), len(simple)
    if len(rest) == 0:
        return _without_nonfinite(lines)
    objects = np.full(rows, None, dtype=object)
    records: Sequence[bytes | None] = [data[offsets[i] : offsets[i + 1]].tobytes() if valid[i] else None for i in rest]
    objects[rest] = shapely.from_wkb(np.array(records, dtype=object), on_invalid="ignore")
    slow = lines_of(objects)
    unread = np.zeros(rows, dtype=bool)
    unread[rest] = valid[rest] & (shapely.get_type_id(objects[rest]) < 0)
    missing = slow.missing & ~simple & ~unread
    both = Lines(
        np.concatenate([lines.x, slow.x]),
        np.concatenate([lines.y, slow.y]),
        np.concatenate([lines.offsets, slow.offsets[1:] + lines.offsets[-1]]),
        np.concatenate([lines.row, slow.row]),
        missing,
        slow.broken | unread,
    )
    return _without_nonfinite(both.take(np.argsort(both.row, kind="stable")))


def _wkb_vertices(data: npt.NDArray[np.uint8], rows: Ints, head: Ints, count: Ints, stride: Ints, total: int) -> Lines:
    counts = count[rows]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    step = stride[rows]
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    place *= step[0] if len(step) and (step == step[0]).all() else np.repeat(step, counts)
    place += np.repeat(head[rows], counts)
    f8 = _unaligned(data, "<f8")
    x = f8[place]
    place += 8
    none = np.zeros(total, dtype=bool)
    return Lines(x, f8[place], offsets, rows.astype(np.int64), none, none)


def _unaligned(data: npt.NDArray[np.uint8], dtype: str) -> npt.NDArray[Any]:
    """View bytes as numbers that may begin at any byte: element i begins at byte i."""
    width = np.dtype(dtype).itemsize
    return np.ndarray((max(len(data) - width + 1, 0),), dtype, data, 0, (1,))


def compiled_pays(n: int) -> bool:
    """Whether n elements are enough for the compiled loops, which take seconds to make unless this machine has them."""
    return n >= (_COMPILED_FROM_READY if machine.ready() else _COMPILED_FROM) and machine.usable()


def distinct(values: Ints) -> Ints:
    """Return the distinct values, ascending; sorting beats the hash table that numpy uses for this."""
    values = np.sort(values)
    fresh = np.ones(len(values), dtype=bool)
    fresh[1:] = values[1:] != values[:-1]
    return values[fresh]


def cells(x: Floats, y: Floats, size: float) -> tuple[Ints, Ints]:
    """Return the column and row of the square cell of ``size`` metres that each point falls into."""
    return np.floor(x / size).astype(np.int64), np.floor(y / size).astype(np.int64)


def cell_key(column: Ints, row: Ints) -> npt.NDArray[np.uint64]:
    """Mix a cell's column and row into one number; two cells may share it, so distances are checked afterwards."""
    key = column.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    key ^= row.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    return key ^ (key >> np.uint64(29))


def marked_cells(column: Ints, row: Ints, bits: int) -> Bools:
    """Return a bitmap of 2**bits hashed cells with these marked; ask it with `in_marked_cells`."""
    marked = np.zeros(1 << bits, dtype=bool)
    marked[cell_slot(column, row, bits)] = True
    return marked


def cell_slot(column: Ints, row: Ints, bits: int) -> npt.NDArray[np.uint64]:
    """Return the place of each cell in a bitmap of 2**bits; two cells may share one."""
    return (cell_key(column, row) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - bits)


def in_marked_cells(x: Floats, y: Floats, marked: Bools, size: float) -> Bools:
    """Return which points fall into marked cells of ``size`` metres, and by chance a few more."""
    bits = len(marked).bit_length() - 1
    if compiled_pays(len(x)):
        found: Bools = loops.in_marked_cells(x, y, marked, size, bits)
        return found
    out: Bools = marked[cell_slot(*cells(x, y, size), bits)]
    return out


def _bucket(column: Ints, row: Ints, bits: int) -> Ints:
    """Wrap the plane onto a square of 2**bits cells a side: neighbours stay neighbours in memory."""
    mask = (1 << bits) - 1
    return ((row & mask) << bits) | (column & mask)


@dataclass(frozen=True, slots=True)
class Near:
    """Which points lie near which segments, sorted by point, then string, then segment.

    ``at`` is the share of the segment (0 to 1) where it comes nearest.
    """

    point: Ints
    string: Ints
    segment: Ints
    distance: Floats
    at: Floats


def points_near_lines(
    x: Floats,
    y: Floats,
    reach: Floats,
    lines: Lines,
    *,
    skip: tuple[Ints, Ints] | None = None,
    usable: Bools | None = None,
) -> Near:
    """Find all points within their own reach of all segments.

    The points are put into a hashed grid once, the segments stream past it.

    Parameters
    ----------
    x, y : ndarray of float, shape (p,)
        Points in metres.
    reach : ndarray of float, shape (p,)
        Greatest distance in metres of each point; a point of negative reach is not looked for. The largest one sets the cost.
    lines : Lines
    skip : tuple of two ndarrays of int, shape (e,), optional
        For each string two points that do not count (its own ends).
    usable : ndarray of bool, shape (e,), optional
        The strings to look at; all of them otherwise.

    Returns
    -------
    Near
        The nearest segment of each string to each point; the earlier one at a tie. Empty when nothing is in reach.
    """
    if len(x) == 0 or len(lines) == 0:
        none = np.zeros(0, dtype=np.int64)
        return Near(none, none, none, np.zeros(0), np.zeros(0))
    a, b = skip if skip is not None else (np.full(len(lines), -1), np.full(len(lines), -1))
    far = max(float(reach.max()), 0.0)
    size, bits = max(32.0, 4.0 * far), max(4, int(np.ceil(np.log2(len(x) + 1))) // 2 + 1)
    if compiled_pays(len(lines.x) + len(x)):
        usable = np.ones(len(lines), dtype=bool) if usable is None else usable
        point, string, segment, d, t = loops.points_near_segments(
            x, y, reach, bits, size, far, lines.x, lines.y, lines.offsets, usable, a, b
        )
        return _nearest_per_string(point, segment, string, d, t)
    bucket = _bucket(*cells(x, y, size), bits)
    order = np.flatnonzero(reach >= 0)
    order = order[np.argsort(bucket[order])]
    begin = np.zeros((1 << 2 * bits) + 1, dtype=np.int32)
    np.cumsum(np.bincount(bucket[order], minlength=1 << 2 * bits), out=begin[1:])
    segment, string = lines.segments()
    if usable is not None:
        segment, string = segment[usable[string]], string[usable[string]]
    point, seg_row = _candidates(lines, segment, order, begin, bits, size, far)
    own = (point == a[string[seg_row]]) | (point == b[string[seg_row]])
    point, seg_row = point[~own], seg_row[~own]
    v = segment[seg_row]
    d, t = distance_to_segments(x[point], y[point], lines.x[v], lines.y[v], lines.x[v + 1], lines.y[v + 1])
    hit = d <= reach[point]
    return _nearest_per_string(point[hit], v[hit], string[seg_row[hit]], d[hit], t[hit])


def _candidates(
    lines: Lines, segment: Ints, order: Ints, begin: npt.NDArray[np.int32], bits: int, size: float, far: float
) -> tuple[Ints, Ints]:
    """Pair points and segments whose cells are shared, by cutting segments into pieces no longer than a cell."""
    x0, y0 = lines.x[segment], lines.y[segment]
    dx, dy = lines.x[segment + 1] - x0, lines.y[segment + 1] - y0
    pieces = np.maximum(1, np.ceil(np.hypot(dx, dy) / size)).astype(np.int64)
    owner = np.repeat(np.arange(len(segment)), pieces)
    k = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = 1.0 / pieces[owner]
    xa, ya = x0[owner] + dx[owner] * k * share, y0[owner] + dy[owner] * k * share
    xb, yb = xa + dx[owner] * share, ya + dy[owner] * share
    c0, r0 = cells(np.minimum(xa, xb) - far, np.minimum(ya, yb) - far, size)
    c1, r1 = cells(np.maximum(xa, xb) + far, np.maximum(ya, yb) + far, size)
    wide, high = c1 - c0 + 1, r1 - r0 + 1
    index, offsets = ragged(np.zeros(len(owner), dtype=np.int64), wide * high)
    piece = np.repeat(np.arange(len(owner)), np.diff(offsets))
    column, row = c0[piece] + index % wide[piece], r0[piece] + index // wide[piece]
    bucket = _bucket(column, row, bits)
    count = begin[bucket + 1] - begin[bucket]
    full = np.flatnonzero(count)
    place, _ = ragged(begin[bucket[full]].astype(np.int64), count[full].astype(np.int64))
    return order[place], np.repeat(owner[piece[full]], count[full])


def distance_to_segments(
    px: Floats, py: Floats, x0: Floats, y0: Floats, x1: Floats, y1: Floats
) -> tuple[Floats, Floats]:
    """Return the distance of each point to its segment, and the share of the segment where it is nearest."""
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    t = ((px - x0) * dx + (py - y0) * dy) / np.where(square > 0, square, 1.0)
    t = np.clip(t, 0.0, 1.0)
    return np.hypot(px - (x0 + t * dx), py - (y0 + t * dy)), t


def _nearest_per_string(point: Ints, segment: Ints, string: Ints, distance: Floats, at: Floats) -> Near:
    order = np.lexsort((segment, np.round(distance, 9), string, point))
    point, string = point[order], string[order]
    first = np.ones(len(point), dtype=bool)
    first[1:] = (point[1:] != point[:-1]) | (string[1:] != string[:-1])
    keep = order[first]
    return Near(point[first], string[first], segment[keep], distance[keep], at[keep])
