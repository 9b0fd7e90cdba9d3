"""This module holds the checks that look at one layer alone: ids, shapes, second copies, placeholders."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from mapapp.audit import tables
from mapapp.audit.batch import Batch, points
from mapapp.audit.levels import PIPE_FIELDS
from mapapp.audit.model import SEWAGE_BIT, Town, ends_at
from mapapp.audit.tables import Objects, Points, names
from mapapp.core import loops
from mapapp.core.geometry import Bools, Ints, compiled_pays
from mapapp.core.text import Text

_FIELD_NAMES = {
    "from_invert_m": Text("起点管底标高", "from_invert_m"),
    "to_invert_m": Text("终点管底标高", "to_invert_m"),
    "diameter_mm": Text("管径", "diameter_mm"),
    "from_depth_m": Text("起点埋深", "from_depth_m"),
    "to_depth_m": Text("终点埋深", "to_depth_m"),
    "ground_elev_m": Text("地面高程", "ground_elev_m"),
}


class Shapes(Protocol):
    """Geometry by table row: an array, or something that makes it when asked."""

    def __getitem__(self, rows: Ints) -> Objects:
        """Return the geometry of some rows."""


def duplicate_ids(layer: str, ids: pa.Array, shape_of: Shapes) -> Batch:
    """Find ids that name more than one row, and rows without any; one finding per id."""
    n = len(ids)
    if n == 0 or (ids.null_count == 0 and (_surely_distinct(ids) or pc.count_distinct(ids).as_py() == n)):
        return Batch("duplicate_id", layer, [], np.empty(0, dtype=object))
    counts = pc.value_counts(ids.fill_null(""))
    many = counts.filter(pc.or_(pc.greater(counts.field("counts"), 1), pc.equal(counts.field("values"), "")))
    repeated = many.field("values").to_pylist()
    place = pc.index_in(pa.array(repeated, ids.type), ids.fill_null("")).to_numpy(zero_copy_only=False)
    geometry = shape_of[place]
    value = many.field("counts").to_numpy(zero_copy_only=False).astype(float)
    shown = [v or "（空 / empty）" for v in repeated]
    return Batch("duplicate_id", layer, shown, geometry, value=value)


def _surely_distinct(ids: pa.Array) -> bool:
    """Whether short ids are all different, found by sorting a mix of their bytes; False when that cannot tell."""
    wide = pa.types.is_large_string(ids.type)
    _, offsets, data = ids.buffers()
    if data is None or len(data) < 24:
        return False
    at = np.frombuffer(offsets, np.int64 if wide else np.int32)[ids.offset : ids.offset + len(ids) + 1].astype(np.int64)
    size = np.diff(at)
    if size.max() > 16:
        return False
    raw = np.concatenate([np.frombuffer(data, np.uint8)[: at[-1]], np.zeros(16, np.uint8)])
    if compiled_pays(len(ids)):
        return loops.all_distinct(raw, at)
    eight = np.ndarray((len(raw) - 7,), "<u8", raw, 0, (1,))
    keep = np.array([(1 << 8 * k) - 1 for k in range(9)], dtype=np.uint64)  # the first k of eight bytes
    key = (eight[at[:-1]] & keep[np.minimum(size, 8)]) * np.uint64(0x9E3779B97F4A7C15)
    if size.max() > 8:
        key ^= ((eight[at[:-1] + 8] & keep[np.clip(size - 8, 0, 8)]) + np.uint64(1)) * np.uint64(0xC2B2AE3D27D4EB4F)
    key.sort()
    return not bool((key[1:] == key[:-1]).any())


def pipe_shapes(town: Town) -> list[Batch]:
    """Find pipes without geometry, with a useless one, in pieces that do not meet, and without length."""
    pipes, lines, s = town.pipes, town.lines, town.strings
    none = np.flatnonzero(lines.missing)
    broken = np.flatnonzero(lines.broken)
    out = [
        Batch("null_geometry", "pipes", pipes.names(none), np.full(len(none), None, dtype=object)),
        Batch(
            "invalid_geometry", "pipes", pipes.names(broken), np.full(len(broken), None, dtype=object),
            words={"reason": [Text("不是线，或坐标不是数", "not a line, or with coordinates that are no numbers")] * len(broken)},
        ),
    ]  # fmt: skip
    flat = np.flatnonzero(s.length == 0)
    out.append(
        Batch("zero_length", "pipes", town.ids(flat), points(lines.x[lines.first[flat]], lines.y[lines.first[flat]]),
              value=np.zeros(len(flat)))
    )  # fmt: skip
    return [*out, _pieces(town)]


def _pieces(town: Town) -> Batch:
    """Find pipes whose parts do not hang together even after snapping."""
    row = town.strings.row
    several = np.flatnonzero(np.bincount(row, minlength=len(town.pipes)) > 1)
    gaps: list[int] = []
    for pipe in several.tolist():  # few: only MultiLineStrings whose parts do not merge
        mine = np.flatnonzero(row == pipe)
        near = {int(mine[0])}
        reached = {int(town.strings.a[mine[0]]), int(town.strings.b[mine[0]])}
        while more := [
            int(i) for i in mine if int(i) not in near and {int(town.strings.a[i]), int(town.strings.b[i])} & reached
        ]:
            near |= set(more)
            reached |= {int(n) for i in more for n in (town.strings.a[i], town.strings.b[i])}
        if len(near) < len(mine):
            gaps.append(pipe)
    rows = np.array(gaps, dtype=np.int64)
    first = np.searchsorted(row, rows)
    last = town.lines.last[first] if len(rows) else first
    return Batch(
        "invalid_geometry", "pipes", town.pipes.names(rows), points(town.lines.x[last], town.lines.y[last]),
        words={"reason": [Text("断成几截，截与截之间不相接", "it lies in pieces that do not meet")] * len(rows)},
    )  # fmt: skip


def point_shapes(layer: str, found: Points) -> list[Batch]:
    """Find manholes or outlets without a usable place."""
    out = []
    for rule, rows in (("null_geometry", found.missing), ("invalid_geometry", found.broken)):
        index = np.flatnonzero(rows)
        words = {} if rule == "null_geometry" else {
            "reason": [Text("不是点，或坐标不是数", "not a point, or with coordinates that are no numbers")] * len(index)
        }  # fmt: skip
        out.append(Batch(rule, layer, names(found.ids, index), np.full(len(index), None, dtype=object), words=words))
    return out


def compound_shapes(ids: pa.Array, shapes: Objects) -> list[Batch]:
    """Find compounds without geometry, with one that is no area or point, or whose outline crosses itself."""
    kind = shapely.get_type_id(shapes)
    none = np.flatnonzero((kind < 0) | shapely.is_empty(shapes))
    odd = (kind >= 0) & ~np.isin(kind, (0, 3, 4, 6))
    crossed = (kind >= 0) & ~shapely.is_empty(shapes) & ~odd & ~shapely.is_valid(shapes)
    bad = np.flatnonzero(odd | crossed)
    reason = [
        Text("既不是面也不是点", "it is neither an area nor a point") if odd[i]
        else Text(_reason(shapely.is_valid_reason(shapes[i])), shapely.is_valid_reason(shapes[i]).split("[")[0])
        for i in bad
    ]  # fmt: skip
    return [
        Batch("null_geometry", "compounds", names(ids, none), np.full(len(none), None, dtype=object)),
        Batch("invalid_geometry", "compounds", names(ids, bad), shapes[bad], words={"reason": reason}),
    ]


def _reason(english: str) -> str:
    known = {"Self-intersection": "边界自相交", "Ring Self-intersection": "边界自相接", "Too few points": "点数太少"}
    return next((zh for en, zh in known.items() if english.startswith(en)), "边界无效")


def twins(town: Town) -> Batch:
    """Report pipes drawn twice."""
    twin, of = town.twins
    return Batch(
        "duplicate_geometry", "pipes", town.ids(twin), town.lines.geometry(twin), related=town.ids(of),
        value=town.strings.length[twin],
    )  # fmt: skip


def sentinel_values(town: Town) -> list[Batch]:
    """Report placeholders among levels and sizes."""
    found = town.placeholders
    pipe, manhole = np.flatnonzero(~np.isnan(found.pipe)), np.flatnonzero(~np.isnan(found.manhole))
    first = np.searchsorted(town.strings.row, pipe)
    first = np.minimum(first, max(len(town.strings.row) - 1, 0))
    geometry = np.full(len(pipe), None, dtype=object)
    if len(town.strings.row):
        there = town.strings.row[first] == pipe
        geometry[there] = town.lines.geometry(first[there])
    return [
        Batch(
            "sentinel_value", "pipes", town.pipes.names(pipe), geometry, value=found.pipe[pipe],
            words={"field": [_FIELD_NAMES[PIPE_FIELDS[i]] for i in found.pipe_field[pipe]]},
        ),
        Batch(
            "sentinel_value", "manholes", names(town.manholes.points.ids, manhole),
            points(town.manholes.points.x[manhole], town.manholes.points.y[manhole]), value=found.manhole[manhole],
            words={"field": [_FIELD_NAMES["ground_elev_m"]] * len(manhole)},
        ),
    ]  # fmt: skip


def overlaps(town: Town) -> tuple[Batch, Ints]:
    """Find pipes of one system that share a stretch; also return ``string * n + other`` of the pairs.

    Any two such pipes that are not copies of one another have an end of one on the body of the other.
    """
    touches, s, n = town.touches, town.strings, len(town.strings.row)
    on = np.flatnonzero(touches.distance <= town.settings.snap_m + 1e-9)
    mine, which = ends_at(town, touches.point[on]).at(touches.point[on])
    other = touches.string[on[which]]
    like = (town.pipes.kind[s.row[mine]] == town.pipes.kind[s.row[other]]) & s.usable[mine] & (mine != other)
    pair = np.unique(np.minimum(mine[like], other[like]) * n + np.maximum(mine[like], other[like]))
    if len(pair) == 0:
        return Batch("overlap", "pipes", [], np.empty(0, dtype=object)), pair
    a, b = pair // n, pair % n
    snap = town.settings.snap_m
    common = shapely.intersection(
        town.lines.geometry(a), shapely.buffer(town.lines.geometry(b), snap, cap_style="flat")
    )
    length = shapely.length(common)
    long = length >= town.settings.overlap_m
    a, b, length, common = a[long], b[long], length[long], common[long]
    ids = [sorted(p) for p in zip(town.ids(a), town.ids(b), strict=True)]
    batch = Batch(
        "overlap", "pipes", [p[0] for p in ids], common, related=[p[1] for p in ids], value=np.round(length, 3)
    )
    return batch, pair[long]


def sewage_strings(town: Town) -> Bools:
    """Return the usable strings of the sewage system."""
    s = town.strings
    out: Bools = s.usable & ((s.system & SEWAGE_BIT) != 0)
    return out


def drawn_against(town: Town) -> Batch:
    """Report pipes whose record, drawing order or node names run against the levels."""
    s = town.strings
    rows = np.flatnonzero((s.reversed | s.swapped) & (s.of(town.pipes.status) == tables.IN_USE))
    reason = [
        Text("起终点井的位置", "the places of its own nodes") if s.swapped[i]
        else Text("标高", "its levels") for i in rows
    ]  # fmt: skip
    return Batch("reversed", "pipes", town.ids(rows), town.lines.geometry(rows), words={"reason": reason})
