"""This module holds the checks of levels and sizes: along a pipe, from pipe to pipe, from pipe to manhole."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapapp.audit import tables
from mapapp.audit.batch import Batch, points
from mapapp.audit.levels import Base, fall
from mapapp.audit.model import Town
from mapapp.audit.tables import names
from mapapp.core import loops
from mapapp.core.geometry import Bools, Floats, Ints, compiled_pays
from mapapp.core.text import Text

_SIZES = np.array(
    [200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900, 1000, 1100, 1200, 1350, 1500, 1650, 1800, 2000]
)
_STEP_UP, _DROP = Text("下游管底高出", "a step up"), Text("跌落", "a drop")
_TOLERANCE = 1e-6


def run(town: Town) -> list[Batch]:
    """Run all checks of this module."""
    return [
        node_missing(town),
        adverse_slopes(town),
        flat_slopes(town),
        *_along_the_flow(town),
        *_beside_ground(town),
        manhole_spacings(town),
    ]


def _by_size(diameter_mm: Floats, table: tuple[tuple[float, float], ...], unknown: float) -> Floats:
    sizes = np.array([size for size, _ in table])
    values = np.array([value for _, value in table])
    place = np.searchsorted(sizes, np.nan_to_num(diameter_mm, nan=0.0))
    return np.where(np.isnan(diameter_mm), unknown, values[np.minimum(place, len(values) - 1)])


def _gravity(town: Town) -> Bools:
    s = town.strings
    out: Bools = s.usable & (s.of(town.pipes.flow) == tables.GRAVITY)
    return out


def _fall(town: Town, strings: Ints) -> Floats:
    s, rows = town.strings, strings
    gravity = town.pipes.flow[s.row[rows]] == tables.GRAVITY
    return fall(Base(s.a[rows], s.b[rows], s.level_a[rows], s.level_b[rows], s.record[rows], gravity))


def adverse_slopes(town: Town) -> Batch:
    """Report pipes in use that rise in the direction of flow (GB 50014-2021 5.2.10 asks for a fall)."""
    rows = np.flatnonzero(town.strings.adverse)
    return Batch(
        "adverse_slope",
        "pipes",
        town.ids(rows),
        town.lines.geometry(rows),
        value=np.round(np.abs(_fall(town, rows)), 4),
    )


def flat_slopes(town: Town) -> Batch:
    """Report gravity pipes below the least slope of their size; half a centimetre of rounding is allowed for.

    Where the size is unknown, the slope of the largest size counts, so nothing is reported on a guess.
    """
    s, st = town.strings, town.settings
    drop = np.abs(np.where(_gravity(town), s.level_a - s.level_b, np.nan))
    steepest = max(slope for _, slope in st.min_slope)
    rows = np.flatnonzero(~s.adverse & (drop + 0.005 < steepest * s.length))
    limit = _by_size(town.placeholders.diameter_mm[s.row[rows]], st.min_slope, st.min_slope[-1][1])
    flat = drop[rows] + 0.005 < limit * s.length[rows]
    rows, limit = rows[flat], limit[flat]
    return Batch(
        "flat_slope", "pipes", town.ids(rows), town.lines.geometry(rows), value=np.round(drop[rows] / s.length[rows], 6),
        words={"limit": limit.tolist()},
    )  # fmt: skip


def _along_the_flow(town: Town) -> list[Batch]:
    """Compare sizes and levels of what arrives at a node with what leaves it, each system by itself."""
    s = town.strings
    storm = np.flatnonzero(s.usable & (s.system == 2))
    out = []
    for whole in (town.link, (storm, s.a[storm], s.b[storm])):
        told, (string, a, b) = _where_it_may_step(town, *whole)
        way = s.direction[string]
        if not way.all():
            string, a, b, way = (v[way != 0] for v in (string, a, b, way))
        if len(string) == 0:
            continue
        level_a = np.where(a == s.a[string], s.level_a[string], np.nan)
        level_b = np.where(b == s.b[string], s.level_b[string], np.nan)
        down = way > 0
        top, foot = np.where(down, a, b), np.where(down, b, a)
        level_top, level_foot = np.where(down, level_a, level_b), np.where(down, level_b, level_a)
        out += [
            _smaller_downstream(town, string, top, foot, told),
            _levels_meet(town, string, top, foot, level_top, level_foot, told),
        ]
    return out


def _where_it_may_step(town: Town, string: Ints, a: Ints, b: Ints) -> tuple[Bools, tuple[Ints, Ints, Ints]]:
    """Return the nodes to look at, and all links there: in a large town those few that a compiled loop finds."""
    s, st = town.strings, town.settings
    told = np.ones(len(town.nodes), dtype=bool)
    if not compiled_pays(len(string)):
        return told, (string, a, b)
    unsure = np.zeros(len(town.nodes), dtype=bool)
    unsure[town.outlet_at[1]] = True
    told = loops.steps(
        (string, a, b), (s.a, s.b), (s.level_a, s.level_b), s.direction, s.row, town.placeholders.diameter_mm,
        town.pipes.flow, unsure, st.level_step_m + _TOLERANCE, st.drop_m + _TOLERANCE,
    )  # fmt: skip
    rows = np.flatnonzero(told[a] | told[b])
    return told, (string[rows], a[rows], b[rows])


def _smaller_downstream(town: Town, string: Ints, top: Ints, foot: Ints, told: Bools) -> Batch:
    """Find nodes where every pipe that leaves is smaller than one that arrives.

    Allowed where the leaving pipe is steeper: at most two sizes, not below DN300 (GB 50014-2021 5.2.11).
    """
    s, n = town.strings, len(town.nodes)
    size = town.placeholders.diameter_mm[s.row[string]]
    gravity = town.pipes.flow[s.row[string]] == tables.GRAVITY
    arrive, leave = np.full(n, -1.0), np.full(n, -1.0)
    ok = gravity & ~np.isnan(size)
    np.maximum.at(arrive, foot[ok], size[ok])
    np.maximum.at(leave, top[ok], size[ok])
    np.maximum.at(leave, top[~ok], np.inf)  # a pipe of unknown size, or under pressure, may well be wide enough
    node = np.flatnonzero(told & (leave > 0) & (leave < arrive - 1.0))
    if len(node) == 0:
        return Batch("diameter_decreases", "pipes", [], np.empty(0, dtype=object))
    small = _pick(town, node, top, ok & (size == leave[top]), string)
    large = _pick(town, node, foot, ok & (size == arrive[foot]), string)
    slope = np.abs(_fall(town, string)) / s.length[string]
    steeper = slope[small] > slope[large] + 1e-9
    steps = np.searchsorted(_SIZES, size[large]) - np.searchsorted(_SIZES, size[small])
    keep = ~(steeper & (steps <= 2) & (size[small] >= 300))
    node, small, large = node[keep], small[keep], large[keep]
    return Batch(
        "diameter_decreases", "pipes", town.ids(string[small]), points(town.nodes.x[node], town.nodes.y[node]),
        related=town.ids(string[large]), value=size[small], words={"limit": size[large].tolist()},
    )  # fmt: skip


def _pick(town: Town, node: Ints, at: Ints, which: Bools, string: Ints) -> Ints:
    """Return for each node the place of the chosen pipe there with the smallest id."""
    wanted = np.zeros(len(town.nodes), dtype=bool)
    wanted[node] = True
    rows = np.flatnonzero(which & wanted[at])
    ids = np.array(town.ids(string[rows]), dtype=object).astype(str)
    order = rows[np.lexsort((ids, at[rows]))]
    place, first = np.unique(at[order], return_index=True)
    out: Ints = order[first][np.searchsorted(place, node)]
    return out


def _levels_meet(
    town: Town, string: Ints, top: Ints, foot: Ints, level_top: Floats, level_foot: Floats, told: Bools
) -> Batch:
    """Find pipes that arrive below every pipe that leaves, or fall into a manhole from too high.

    Only where the levels of all leaving pipes are known, and nothing leaves under pressure or at an outlet.
    """
    s, n, st = town.strings, len(town.nodes), town.settings
    gravity = town.pipes.flow[s.row[string]] == tables.GRAVITY
    lowest = np.full(n, np.inf)
    unsure = np.zeros(n, dtype=bool)
    unsure[top[np.isnan(level_top) | ~gravity]] = True
    unsure[town.outlet_at[1]] = True
    np.fmin.at(lowest, top, level_top)
    arriving = told[foot] & gravity & ~np.isnan(level_foot) & np.isfinite(lowest[foot]) & ~unsure[foot]
    step = np.where(arriving, np.where(arriving, lowest[foot], 0) - np.where(arriving, level_foot, 0), 0.0)
    manhole = town.manhole[foot]
    dropped = np.zeros(len(foot), dtype=bool)
    if len(town.manholes.drop):
        dropped = (manhole >= 0) & town.manholes.drop[np.maximum(manhole, 0)]
    up, down = step > st.level_step_m + _TOLERANCE, (step < -st.drop_m - _TOLERANCE) & ~dropped
    rows = np.flatnonzero(up | down)
    if len(rows) == 0:
        return Batch("level_mismatch", "pipes", [], np.empty(0, dtype=object))
    node = foot[rows]
    leaving = _pick(town, node, top, level_top == lowest[top], string)
    return Batch(
        "level_mismatch", "pipes", town.ids(string[leaving]), points(town.nodes.x[node], town.nodes.y[node]),
        related=town.ids(string[rows]), value=np.round(np.abs(step[rows]), 4), words={"what": [_STEP_UP if u else _DROP for u in up[rows]]},
    )  # fmt: skip


def _at_ends(town: Town) -> list[tuple[str, Ints, Floats, Floats]]:
    """Return for each end of the strings: its name, its node, its level, its recorded depth."""
    s, pipes, row = town.strings, town.pipes, town.strings.row
    depth = [np.where(s.swapped, np.nan, s.of(d)) for d in pipes.depth]
    if (np.diff(row) == 0).any():
        opening = np.concatenate([[True], row[1:] != row[:-1]])
        closing = np.concatenate([row[1:] != row[:-1], [True]])
        depth = [np.where(opening, depth[0], np.nan), np.where(closing, depth[1], np.nan)]
    return [("a", s.a, s.level_a, depth[0]), ("b", s.b, s.level_b, depth[1])]


def _beside_ground(town: Town) -> list[Batch]:
    """Run the checks against the ground, in a large town on the few strings that a compiled loop finds."""
    s, st, m = town.strings, town.settings, town.manholes
    if len(m.ground_m) == 0 and all(np.isnan(d).all() for d in town.pipes.depth):
        return []
    ends = _at_ends(town)
    strings = np.arange(len(s.row))
    if compiled_pays(len(strings)):
        size = s.of(town.placeholders.diameter_mm) / 1000
        few = loops.beside_ground(
            (s.a, s.b), (s.level_a, s.level_b), (ends[0][3], ends[1][3]), size, s.usable, town.manhole,
            town.placeholders.ground, m.depth_m, st.ground_m, st.cover_m,
        )  # fmt: skip
        strings = np.flatnonzero(few)
        ends = [(part, node[strings], level[strings], depth[strings]) for part, node, level, depth in ends]
    return [ground_mismatches(town, strings, ends), shallow_covers(town, strings, ends)]


def _over(town: Town, node: Ints, values: Floats) -> Floats:
    """Return a figure of the manholes at nodes; NaN where there is none."""
    manhole = town.manhole[node]
    if len(values) == 0:
        return np.full(len(node), np.nan)
    return np.where(manhole >= 0, values[np.maximum(manhole, 0)], np.nan)


def ground_mismatches(town: Town, strings: Ints, ends: list[tuple[str, Ints, Floats, Floats]]) -> Batch:
    """Hold ground level against invert plus depth, and inverts against the manhole's bottom and ground.

    A depth measured to the crown instead of the invert is accepted.
    """
    s, st, m = town.strings, town.settings, town.manholes
    if len(m.ground_m) == 0:
        return Batch("ground_mismatch", "pipes", [], np.empty(0, dtype=object))
    size = np.nan_to_num(town.placeholders.diameter_mm[s.row[strings]]) / 1000
    rows, nodes, values, parts = [], [], [], []
    for part, node, level, depth in ends:
        ground, well = _over(town, node, town.placeholders.ground), _over(town, node, m.depth_m)
        off = ground - level - depth
        wrong = (np.abs(off) > st.ground_m + _TOLERANCE) & (np.abs(off - size) > st.ground_m + _TOLERANCE)
        below = ground - well - level  # positive: the pipe leaves below the bottom of its manhole
        sunk = ~wrong & (well > 0) & (below > st.ground_m + _TOLERANCE)
        above = ~wrong & ~sunk & (level - ground > st.ground_m)
        hit = np.flatnonzero(s.usable[strings] & (wrong | sunk | above))
        rows.append(strings[hit])
        nodes.append(node[hit])
        values.append(np.abs(np.where(wrong, off, np.where(sunk, below, level - ground)))[hit])
        parts += [part] * len(hit)
    row, node = np.concatenate(rows), np.concatenate(nodes)
    return Batch(
        "ground_mismatch", "pipes", town.ids(row), points(town.nodes.x[node], town.nodes.y[node]),
        related=names(m.points.ids, town.manhole[node]), value=np.round(np.concatenate(values), 4), part=parts,
    )  # fmt: skip


def shallow_covers(town: Town, strings: Ints, ends: list[tuple[str, Ints, Floats, Floats]]) -> Batch:
    """Find gravity pipes with too little ground over the crown at one of their ends (GB 50014-2021 5.3.7).

    Ground level of the manhole minus invert, else the recorded depth, minus the size where it is known (an unknown
    size is taken as nothing, so the cover is at most what is said).
    """
    s, st = town.strings, town.settings
    size = np.nan_to_num(town.placeholders.diameter_mm[s.row[strings]]) / 1000
    least = np.full(len(strings), np.inf)
    for _, node, level, depth in ends:
        ground = _over(town, node, town.placeholders.ground)
        over = np.where(np.isnan(ground - level), depth, ground - level)
        over = np.where(over <= 0, np.nan, over)  # above ground is a contradiction of levels, told there
        least = np.fmin(least, over - size)
    low = np.flatnonzero(_gravity(town)[strings] & (least < st.cover_m - _TOLERANCE))
    rows = strings[low]
    return Batch("cover_shallow", "pipes", town.ids(rows), town.lines.geometry(rows), value=np.round(least[low], 3))


def manhole_spacings(town: Town) -> Batch:
    """Find gravity pipes whose manholes stand too far apart (GB 50014-2021 table 5.4.4).

    Only between two manholes on record; those on the body of a pipe count. Where the size is unknown, the spacing of
    the largest size holds.
    """
    s, st = town.strings, town.settings
    known = (town.manhole[s.a] >= 0) & (town.manhole[s.b] >= 0)
    longest = np.where(known, s.length, 0.0)
    string, node, along = town.cuts
    if len(string):
        order = np.lexsort((along, string))
        string, node, along = string[order], node[order], along[order]
        whole = np.unique(string)
        longest[whole] = 0.0
        at = np.concatenate([string, whole, whole])
        spot = np.concatenate([along, np.zeros(len(whole)), s.length[whole]])
        well = town.manhole[np.concatenate([node, s.a[whole], s.b[whole]])] >= 0
        order = np.lexsort((spot, at))
        at, spot, well = at[order], spot[order], well[order]
        both = (at[1:] == at[:-1]) & well[1:] & well[:-1]
        np.maximum.at(longest, at[1:][both], np.diff(spot)[both])
    rows = np.flatnonzero(longest > min(far for _, far in st.spacing) + _TOLERANCE)
    limit = _by_size(town.placeholders.diameter_mm[s.row[rows]], st.spacing, st.spacing[-1][1])
    wide = _gravity(town)[rows] & (longest[rows] > limit + _TOLERANCE)
    rows, limit = rows[wide], limit[wide]
    return Batch(
        "manhole_spacing", "pipes", town.ids(rows), town.lines.geometry(rows), value=np.round(longest[rows], 3),
        words={"limit": limit.tolist()},
    )  # fmt: skip


def node_missing(town: Town) -> Batch:
    """Find pipes that name a node which is neither a manhole nor an outlet; not run without manholes."""
    pipes = town.pipes
    if len(town.manholes.points) == 0 or pipes.nodes[0].null_count + pipes.nodes[1].null_count == 2 * len(pipes):
        return Batch("node_missing", "pipes", [], np.empty(0, dtype=object))
    known = pa.chunked_array([town.manholes.points.ids.cast(pa.string()), town.outlets.points.ids.cast(pa.string())])
    rows, related, parts, words = [], [], [], []
    for part, column, word in zip(
        "ab", pipes.nodes, (Text("起点", "first node"), Text("终点", "last node")), strict=True
    ):
        text = column.cast(pa.string())
        lost = pc.and_(pc.is_valid(text), pc.invert(pc.is_in(text, known.combine_chunks()))).to_numpy(
            zero_copy_only=False
        )
        hit = np.flatnonzero(lost)
        rows.append(pipes.rows_of(hit))
        related += names(text, hit)
        parts += [part] * len(hit)
        words += [word] * len(hit)
    row = np.concatenate(rows)
    place = np.searchsorted(town.strings.row, row)
    place = np.minimum(place, max(len(town.strings.row) - 1, 0))
    geometry = np.full(len(row), None, dtype=object)
    if len(town.strings.row):
        there = town.strings.row[place] == row
        first = np.array([p == "a" for p in parts], dtype=bool)
        node = np.where(first, town.strings.a[place], town.strings.b[place])
        geometry[there] = points(town.nodes.x[node[there]], town.nodes.y[node[there]])
    return Batch("node_missing", "pipes", pipes.names(row), geometry, related=related, part=parts, words={"end": words})
