"""This module reads levels: which are placeholders, which way the water runs, and what is drawn the wrong way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapapp.audit import tables
from mapapp.audit.settings import AuditSettings
from mapapp.audit.tables import Manholes, Pipes
from mapapp.core.geometry import Bools, Floats, Ints
from mapapp.core.network import Nodes

_PLACEHOLDERS = np.array([0, -99, 99, -999, 999, -9999, 9999, -99999, 99999, -9.99, -99.99, -999.99, 999.99, 9999.99])
_LOWEST_M, _HIGHEST_M = -450.0, 8900.0  # no land on earth lies outside
_FAR_M = 20.0  # a placeholder is told from a true level by how far it stands from its neighbours
_ZERO_FAR_M = 5.0  # an exact zero more than this below all of them: a sewer hardly drops so far in one pipe


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Levels with placeholders taken out, and where they were.

    ``pipe`` and ``manhole`` hold, per table row, the first placeholder found, NaN where there was none.
    """

    invert: tuple[Floats, Floats]
    ground: Floats
    diameter_mm: Floats
    pipe: Floats
    pipe_field: Ints
    manhole: Floats


PIPE_FIELDS = ("from_invert_m", "to_invert_m", "diameter_mm", "from_depth_m", "to_depth_m")


def placeholders(pipes: Pipes, manholes: Manholes, nodes: Nodes, row: Ints) -> Placeholders:
    """Tell placeholders from true levels.

    A round figure such as -99 or 9999 is a placeholder when it stands more than 20 m (a zero: 5 m) from all other levels
    known at its own node and at the pipe's other end; where none is known there, from the range of all levels. A zero
    by the sea stays. Levels that no land has are placeholders too, and so is a diameter that is not positive or above 9 m.
    """
    a, b = pipes.invert
    ground = manholes.ground_m
    doubt = [_doubtful(v) for v in (a, b, ground)]
    first = np.full(len(pipes), np.nan)
    field = np.full(len(pipes), -1, dtype=np.int64)
    values = [a, b, ground]
    if any(d.any() for d in doubt):
        sure = [np.where(d, np.nan, v) for d, v in zip(doubt, values, strict=True)]
        low, high = _around(pipes, manholes, nodes, row, sure, doubt)
        known = [v for v in sure if not np.isnan(v).all()]
        span = (min(np.nanmin(v) for v in known), max(np.nanmax(v) for v in known)) if known else (np.nan, np.nan)
        for i, value in enumerate(values):
            rows = np.flatnonzero(doubt[i])
            values[i] = value.copy()
            values[i][rows[_stands_out(value[rows], low[i], high[i], span)]] = np.nan
    for i, name in enumerate(("from_invert_m", "to_invert_m")):
        gone = np.isnan(values[i]) & ~np.isnan(pipes.invert[i]) & (field < 0)
        first[gone], field[gone] = pipes.invert[i][gone], PIPE_FIELDS.index(name)
    diameter = pipes.diameter_mm
    absurd = (diameter <= 0) | (diameter >= 9000)
    new = absurd & (field < 0)
    first[new], field[new] = diameter[new], PIPE_FIELDS.index("diameter_mm")
    gone = np.isnan(values[2]) & ~np.isnan(ground)
    return Placeholders(
        invert=(values[0], values[1]),
        ground=values[2],
        diameter_mm=np.where(absurd, np.nan, diameter),
        pipe=first,
        pipe_field=field,
        manhole=np.where(gone, ground, np.nan),
    )


def _doubtful(value: Floats) -> Bools:
    return np.isin(value, _PLACEHOLDERS) | (value < _LOWEST_M) | (value > _HIGHEST_M)


def _stands_out(value: Floats, low: Floats, high: Floats, span: tuple[float, float]) -> Bools:
    lone = np.isnan(low)
    low, high = np.where(lone, span[0], low), np.where(lone, span[1], high)
    far = np.where(value == 0, _ZERO_FAR_M, _FAR_M)
    out: Bools = (value < _LOWEST_M) | (value > _HIGHEST_M) | ~((value >= low - far) & (value <= high + far))
    return out


def _around(
    pipes: Pipes, manholes: Manholes, nodes: Nodes, row: Ints, sure: list[Floats], doubt: list[Bools]
) -> tuple[list[Floats], list[Floats]]:
    """Return lowest and highest sure level around each doubtful value: at its node, and at the other end of its pipes."""
    spots = np.flatnonzero(~np.isnan(manholes.points.x))
    # two steps around the doubtful are enough, and they are few
    wanted = np.zeros(len(nodes), dtype=bool)
    wanted[nodes.start[doubt[0][row] | doubt[1][row]]] = True
    wanted[nodes.end[doubt[0][row] | doubt[1][row]]] = True
    wanted[nodes.point[doubt[2][spots]]] = True
    for _ in range(2):
        rows = np.flatnonzero(wanted[nodes.start] | wanted[nodes.end])
        wanted[nodes.start[rows]] = wanted[nodes.end[rows]] = True
    wells = np.flatnonzero(wanted[nodes.point])
    start, end = nodes.start[rows], nodes.end[rows]
    where = np.concatenate([start, end, nodes.point[wells]])
    level = np.concatenate([sure[0][row[rows]], sure[1][row[rows]], sure[2][spots[wells]]])
    low, high = np.full(len(nodes), np.inf), np.full(len(nodes), -np.inf)
    known = ~np.isnan(level)
    np.minimum.at(low, where[known], level[known])
    np.maximum.at(high, where[known], level[known])
    wide_low, wide_high = low.copy(), high.copy()
    np.minimum.at(wide_low, start, low[end])
    np.minimum.at(wide_low, end, low[start])
    np.maximum.at(wide_high, start, high[end])
    np.maximum.at(wide_high, end, high[start])
    lows: list[Floats] = []
    highs: list[Floats] = []
    for index, at, mine in ((row, nodes.start, doubt[0]), (row, nodes.end, doubt[1]), (spots, nodes.point, doubt[2])):
        asked = np.flatnonzero(mine[index])
        place = np.searchsorted(np.flatnonzero(mine), index[asked])
        for wide, out in ((wide_low, lows), (wide_high, highs)):
            value = np.full(int(mine.sum()), np.nan)
            there = wide[at[asked]]
            value[place] = np.where(np.isfinite(there), there, np.nan)
            out.append(value)
    return lows, highs


@dataclass(frozen=True, slots=True)
class Base:
    """What the direction of each string rests on."""

    a: Ints
    b: Ints
    level_a: Floats
    level_b: Floats
    record: tables.Codes
    gravity: Bools

    def take(self, rows: Ints) -> Base:
        """Return some strings of it."""
        return Base(
            self.a[rows], self.b[rows], self.level_a[rows], self.level_b[rows], self.record[rows], self.gravity[rows]
        )


def fall(base: Base) -> Floats:
    """Return how far each string falls from ``a`` to ``b`` in metres; NaN when unknown, or when it is under pressure."""
    return np.where(base.gravity, base.level_a - base.level_b, np.nan)


def plain_direction(base: Base) -> tables.Codes:
    """Return the direction by inverts, else by record, else 0: before contradictions are looked at."""
    drop = fall(base)
    by_level = np.sign(np.where(np.abs(np.nan_to_num(drop)) > 1e-9, np.nan_to_num(drop), 0.0)).astype(np.int8)
    return np.where(by_level != 0, by_level, base.record)


def drawn_downstream(base: Base, usable: Bools, settings: AuditSettings) -> bool:
    """Whether this survey draws its pipes downhill, so that drawing order is a (weak) record."""
    drop = fall(base)[usable]
    clear = np.abs(np.nan_to_num(drop)) > settings.adverse_m
    return bool(clear.any()) and float((drop[clear] > 0).mean()) >= settings.drawn_downstream


def directions(
    base: Base, usable: Bools, has_outlet: Bools, weak: bool, settings: AuditSettings
) -> tuple[tables.Codes, Bools, Bools]:
    """Decide which way each string runs, where record and levels disagree.

    A pipe whose record and levels disagree is either drawn the wrong way (the levels are right) or truly adverse (the
    record is right). The neighbours tell: the reading under which water that arrives can go on is the true one.

    Returns
    -------
    direction : ndarray of int8
        +1, -1, or 0 where neither levels nor record are known.
    adverse : ndarray of bool
        Runs uphill.
    turned : ndarray of bool
        Recorded (or, where the survey draws downhill, drawn) against its true direction.
    """
    n = len(has_outlet)
    direction = plain_direction(base)
    drop = np.nan_to_num(fall(base))
    claim = np.where(base.record != 0, base.record, np.int8(1 if weak else 0))
    disputed = usable & (np.abs(drop) > settings.adverse_m) & (claim * np.sign(drop) < 0)
    tiny = usable & (drop != 0) & (np.abs(drop) <= settings.adverse_m) & (base.record * np.sign(drop) < 0)
    direction = np.where(tiny, base.record, direction)
    adverse, turned = np.zeros(len(direction), dtype=bool), np.zeros(len(direction), dtype=bool)
    p = np.flatnonzero(disputed)
    if len(p) == 0:
        return direction, adverse, turned
    settled = usable & ~disputed

    def flows(rows: Ints, way: tables.Codes) -> tuple[Ints, Ints]:
        leave = np.bincount(np.concatenate([base.a[rows[way >= 0]], base.b[rows[way <= 0]]]), minlength=n)
        enter = np.bincount(np.concatenate([base.b[rows[way >= 0]], base.a[rows[way <= 0]]]), minlength=n)
        return leave, enter

    asked = np.zeros(n, dtype=bool)
    asked[base.a[p]] = asked[base.b[p]] = True
    rest = np.flatnonzero(settled & (asked[base.a] | asked[base.b]))
    out, into = flows(rest, direction[rest])
    by_level, by_claim = np.sign(drop[p]).astype(np.int8), claim[p]
    out_level, in_level = flows(p, by_level)
    out_claim, in_claim = flows(p, by_claim)
    lower = np.where(by_level > 0, base.b[p], base.a[p])
    upper = np.where(by_level > 0, base.a[p], base.b[p])
    level_goes_on = (out[lower] + out_level[lower] > 0) | has_outlet[lower]
    claim_goes_on = (out[upper] + out_claim[upper] > 0) | has_outlet[upper]
    fed_by_level = into[upper] + in_level[upper] > 0
    fed_by_claim = into[lower] + in_claim[lower] > 0
    score = 2 * (claim_goes_on.astype(int) - level_goes_on) + (fed_by_claim.astype(int) - fed_by_level)
    truly = (score > 0) | ((score == 0) & (base.record[p] != 0))
    adverse[p[truly]] = True
    turned[p[~truly]] = True
    direction = direction.copy()
    direction[p] = np.where(truly, by_claim, by_level)
    return direction, adverse, turned
