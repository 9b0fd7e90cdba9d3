"""This module chooses diameters and levels of a given sewer tree at least cost.

Dynamic programming from the heads to the outlet. For fixed sizes and pumps every rule bounds a level by another level or
by the ground, so there is one highest solution, and where depth costs money it is the cheapest. What matters downstream
is therefore only how high a branch can arrive, and for how much: each pipe and size keeps its Pareto front of the two.
Levels stay continuous. Exact for prices that do not fall with depth; a lift ends at minimum cover or a multiple of
`LIFT_STEP_M` below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.plan import flow as manning
from mapapp.plan.prices import Prices
from mapapp.plan.standard import Standard

Array = np.ndarray[Any, Any]

LIFT_STEP_M = 0.25
MOST_LABELS = 400
"""Longest Pareto front; a longer one is thinned evenly, its ends kept."""

GRAVITY, LIFT, PRESSURE = 0, 1, 2


def size_sewers(pipes: pd.DataFrame, standard: Standard, prices: Prices, *, pumps: bool = True) -> pd.DataFrame:
    """Return ``pipes`` with the least-cost sizes and levels.

    Parameters
    ----------
    pipes : DataFrame
        ``pipe_id``, ``downstream_pipe_id`` (missing at an outlet), ``ground_up_m``, ``ground_down_m``, ``length_m``,
        ``flow_lps`` (design flow, peak). Optional: ``inlet_invert_m``, the highest invert at the upper end (the level of
        the drains that come in); ``outlet_invert_m``, the lowest invert at the lower end of an outlet pipe (the existing
        sewer); ``sizes_from_mm``, a least diameter.
    standard : Standard
    prices : Prices
    pumps : bool
        Whether a pump may stand at the upper end of a pipe: lifting into a gravity pipe, or into a rising main.

    Returns
    -------
    DataFrame
        A copy, same index, with ``diameter_mm``, ``invert_up_m``, ``invert_down_m``, ``pump``, ``cost`` (pipe, manhole at
        the upper end, pump; the sum is what was minimised), and ``pressure slope depth_up_m depth_down_m fill
        velocity_ms lift_m cost_pipe cost_manhole cost_pump``. Empty in, empty out.

    Raises
    ------
    InputError
        Missing columns or figures, a ring, two pipes of one id, or a pipe that no allowed size and level can serve.
    """
    tree = _Tree.of(pipes)
    if len(pipes) == 0:
        out = pipes.copy()
        for name in ("diameter_mm", "invert_up_m", "invert_down_m", "cost"):
            out[name] = pd.Series(dtype=float)
        return out.assign(pump=pd.Series(dtype=bool))
    solver = _Sizer(tree, standard, prices, pumps)
    return _frame(pipes, tree, standard, prices, solver.solve())


@dataclass(frozen=True, slots=True)
class _Tree:
    """The columns as arrays, and the order from the heads down."""

    ids: Array
    down: Array
    order: Array
    children: list[list[int]]
    ground_up: Array
    ground_down: Array
    length: Array
    flow: Array
    inlet: Array
    outlet: Array
    least: Array

    @classmethod
    def of(cls, pipes: pd.DataFrame) -> _Tree:
        """Read and check the columns."""
        need = ["pipe_id", "downstream_pipe_id", "ground_up_m", "ground_down_m", "length_m", "flow_lps"]
        if missing := [c for c in need if c not in pipes.columns]:
            raise InputError(
                Text(f"缺少列：{' '.join(missing)}。", f"Missing columns: {' '.join(missing)}."),
                Text("每条管段须有这些列。", "Every pipe needs them."),
            )
        ids = pipes["pipe_id"].to_numpy(object)
        if pd.Index(ids).has_duplicates:
            twice = pipes["pipe_id"][pipes["pipe_id"].duplicated()].iloc[0]
            raise InputError(
                Text(f"管段编号 {twice} 重复。", f"Pipe {twice} is there twice."),
                Text("编号须唯一。", "Ids must be unique."),
            )
        number = {p: i for i, p in enumerate(ids)}
        below = pipes["downstream_pipe_id"]
        lost = below.notna() & ~below.isin(number)
        if lost.any():
            raise InputError(
                Text(
                    f"下游管段 {below[lost].iloc[0]} 不存在。", f"Downstream pipe {below[lost].iloc[0]} does not exist."
                ),
                Text("出口管段的下游请留空。", "Leave it missing at an outlet."),
            )
        down = np.array([-1 if pd.isna(b) else number[b] for b in below], np.int64)
        values = {c: pipes[c].to_numpy(float) for c in need[2:]}
        for name, x in values.items():
            low = 0.0 if name in ("length_m", "flow_lps") else -np.inf
            bad = ~np.isfinite(x) | (x < low) | ((x <= 0) if name == "length_m" else False)
            if bad.any():
                raise InputError(
                    Text(
                        f"管段 {ids[bad][0]} 的 {name} = {x[bad][0]}。", f"Pipe {ids[bad][0]} has {name} = {x[bad][0]}."
                    ),
                    Text(
                        "须为有限数值，长度大于零，流量不为负。",
                        "It must be a number; lengths above zero, flows not negative.",
                    ),
                )
        children: list[list[int]] = [[] for _ in ids]
        for i, d in enumerate(down.tolist()):
            if d >= 0:
                children[d].append(i)
        waiting = np.array([len(c) for c in children])
        order = np.flatnonzero(waiting == 0).tolist()
        for i in order:
            d = int(down[i])
            if d >= 0:
                waiting[d] -= 1
                if waiting[d] == 0:
                    order.append(d)
        if len(order) < len(ids):
            ring = ids[waiting > 0][0]
            raise InputError(
                Text(f"管段 {ring} 处于环路中。", f"Pipe {ring} lies on a ring."),
                Text("管网须为树状。", "The pipes must form trees."),
            )

        def optional(name: str, missing: float) -> Array:
            if name not in pipes.columns:
                return np.full(len(ids), missing)
            x = pipes[name].to_numpy(float)
            return np.where(np.isnan(x), missing, x)

        return cls(
            ids, down, np.array(order, np.int64), children,
            values["ground_up_m"], values["ground_down_m"], values["length_m"], values["flow_lps"] / 1000.0,
            optional("inlet_invert_m", np.inf), optional("outlet_invert_m", -np.inf), optional("sizes_from_mm", 0.0),
        )  # fmt: skip


@dataclass(slots=True)
class _Labels:
    """Ways to build everything above the lower end of a pipe: arrays of one length.

    ``join`` is the level that must not rise (crown, invert or water by the standard), ``size`` what no smaller size may
    follow, ``up`` and ``down`` inverts, ``mode`` gravity, lift or pressure, ``pick`` the row of `_Above` it stands on.
    """

    join: Array
    cost: Array
    size: Array
    diameter: Array
    up: Array
    down: Array
    mode: Array
    lift: Array
    sump: Array
    above: Array
    pick: Array

    def take(self, rows: Array) -> _Labels:
        """Return some rows."""
        return _Labels(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(slots=True)
class _Above:
    """What may come in from above under an outgoing size: level, cost, lowest invert, and the label of each child."""

    join: Array
    cost: Array
    low: Array
    labels: Array  # (rows, children)


class _Sizer:
    """One run of the dynamic programme."""

    def __init__(self, tree: _Tree, standard: Standard, prices: Prices, pumps: bool) -> None:
        self.tree, self.standard, self.prices, self.pumps = tree, standard, prices, pumps
        self.sizes = np.array(standard.allowed_mm)
        self.need, self.most = _slopes(tree.flow, self.sizes, standard)
        self.deep_manhole = float(prices.manhole_cost(self.sizes[-1:], np.array([standard.max_depth_m]))[0])
        self.labels: list[_Labels] = [None] * len(tree.ids)  # type: ignore[list-item]  # filled in order
        self.above: list[list[_Above]] = [[] for _ in tree.ids]

    def solve(self) -> list[dict[str, float]]:
        """Return one record per pipe."""
        for p in self.tree.order.tolist():
            self.labels[p] = self.build(p)
        out: list[dict[str, float]] = [{} for _ in self.tree.ids]
        todo = [(int(p), -1) for p in np.flatnonzero(self.tree.down < 0)]
        while todo:
            p, row = todo.pop()
            labels = self.labels[p]
            i = int(np.argmin(labels.cost)) if row < 0 else row
            out[p] = {
                name: float(getattr(labels, name)[i]) for name in ("diameter", "up", "down", "mode", "lift", "sump")
            }
            above = self.above[p][int(labels.above[i])]
            picks = above.labels[int(labels.pick[i])] if self.tree.children[p] else ()
            todo.extend(zip(self.tree.children[p], (int(k) for k in picks), strict=True))
        return out

    def build(self, p: int) -> _Labels:
        """Return the Pareto front of pipe ``p``."""
        tree, standard = self.tree, self.standard
        fits = (self.need[p] <= self.most[p]) & (self.sizes >= tree.least[p])
        sizes = self._useful(p, np.flatnonzero(fits).tolist())
        above = [self.come_in(p, self.sizes[k]) for k in sizes]
        pressed = self.come_in(p, np.inf) if self.pumps else None
        self.above[p] = above + ([pressed] if pressed is not None else [])
        parts = [self.gravity(p, k, a, i) for i, (k, a) in enumerate(zip(sizes, above, strict=True))]
        if self.pumps:
            parts += [self.lifted(p, k, a, i) for i, (k, a) in enumerate(zip(sizes, above, strict=True))]
            parts.append(self.pressed(p, pressed, len(above)))  # type: ignore[arg-type]  # set where pumps are
        labels = _Labels(*(np.concatenate([getattr(x, name) for x in parts]) for name in _Labels.__slots__))
        good = np.flatnonzero(
            (labels.up >= tree.ground_up[p] - standard.max_depth_m - 1e-9)
            & (labels.down >= tree.ground_down[p] - standard.max_depth_m - 1e-9)
            & (labels.down >= tree.outlet[p] - 1e-9)
            & (labels.sump >= tree.ground_up[p] - standard.max_depth_m - 1e-9)
        )
        if len(good) == 0:
            raise InputError(
                Text(
                    f"管段 {tree.ids[p]} 无可行的管径与标高。", f"No allowed size and level serves pipe {tree.ids[p]}."
                ),
                Text(
                    f"最大埋深 {standard.max_depth_m:g} m；可允许提升或放宽标准。",
                    f"Deepest invert {standard.max_depth_m:g} m; allow pumps or relax the standard.",
                ),
                where=str(tree.ids[p]),
            )
        labels = labels.take(good)
        labels.cost = labels.cost + self.price(p, labels)
        return self.thin(p, labels)

    def _useful(self, p: int, sizes: list[int]) -> list[int]:
        """Leave out sizes that need more slope than a smaller one."""
        out: list[int] = []
        for k in sizes:
            if not out or self.need[p, k] < self.need[p, out[-1]] - 1e-12:
                out.append(k)
        return out or sizes

    def come_in(self, p: int, size: float) -> _Above:
        """Return what the children bring under an outgoing ``size``: one row for each level that one of them sets."""
        children = self.tree.children[p]
        if not children:
            inlet = self.tree.inlet[p]
            one = np.array([np.inf])
            low = min(inlet, self.tree.ground_up[p] - self.standard.min_cover_m - self.sizes[0] / 1000.0)
            return _Above(one, np.zeros(1), np.array([low]), np.empty((1, 0), np.int64))
        fronts = []
        for c in children:
            labels = self.labels[c]
            rows = np.arange(len(labels.cost)) if self.standard.sizes_may_fall else np.flatnonzero(labels.size <= size)
            if len(rows) == 0:
                return _Above(np.empty(0), np.empty(0), np.empty(0), np.empty((0, len(children)), np.int64))
            fronts.append(rows[_front(labels.join[rows], labels.cost[rows])])
        levels = np.unique(np.concatenate([self.labels[c].join[f] for c, f in zip(children, fronts, strict=True)]))[
            ::-1
        ]
        cost, low = np.zeros(len(levels)), np.full(len(levels), np.inf)
        picks = np.empty((len(levels), len(children)), np.int64)
        fits = np.ones(len(levels), bool)
        for j, (c, rows) in enumerate(zip(children, fronts, strict=True)):
            labels = self.labels[c]
            # rows fall in level and in cost: the last one that still reaches the level is the cheapest
            k = np.searchsorted(-labels.join[rows], -levels, side="right") - 1
            fits &= k >= 0
            chosen = rows[np.maximum(k, 0)]
            cost += labels.cost[chosen]
            low = np.minimum(low, labels.down[chosen])
            picks[:, j] = chosen
        keep = np.flatnonzero(fits)
        if len(keep):
            keep = keep[_front(levels[keep], cost[keep])]
        low = np.minimum(low, self.tree.inlet[p])
        return _Above(levels[keep], cost[keep], low[keep], picks[keep])

    def gravity(self, p: int, k: int, above: _Above, number: int) -> _Labels:
        """Lay size ``k`` as high as what comes in allows."""
        tree, d = self.tree, self.sizes[k] / 1000.0
        join = self.standard.join
        if join == "crown":
            limit = np.minimum(above.join - d, above.low if tree.children[p] else np.inf)
        elif join == "water":
            fill = manning.normal_fill(tree.flow[p], d, self.need[p, k], self.standard.roughness)
            limit = above.join - np.nan_to_num(fill) * d
        else:
            limit = above.join
        return self._laid(p, k, np.minimum(limit, tree.inlet[p]), above, number, np.full(len(above.cost), GRAVITY))

    def _top(self, p: int, d: float, k: int) -> float:
        """Return the highest invert at the upper end: cover there, and cover below the steepest slope."""
        tree, cover = self.tree, self.standard.min_cover_m
        below = tree.ground_down[p] - cover - d + self.most[p, k] * tree.length[p]
        return float(min(tree.ground_up[p] - cover - d, below))

    def _laid(self, p: int, k: int, limit: Array, above: _Above, number: int, mode: Array) -> _Labels:
        tree, d = self.tree, self.sizes[k] / 1000.0
        up = np.minimum(limit, self._top(p, d, k))
        down = np.minimum(up - self.need[p, k] * tree.length[p], tree.ground_down[p] - self.standard.min_cover_m - d)
        n = len(up)
        lift = np.where(mode == LIFT, np.maximum(up - above.low, 0.0), 0.0)
        return _Labels(
            join=self._join_level(p, d, up, down), cost=above.cost, size=np.full(n, self.sizes[k]),
            diameter=np.full(n, self.sizes[k]), up=up, down=down, mode=mode, lift=lift,
            sump=np.where(mode == LIFT, above.low, up), above=np.full(n, number), pick=np.arange(n),
        )  # fmt: skip

    def _join_level(self, p: int, d: float, up: Array, down: Array) -> Array:
        if self.standard.join == "crown":
            return down + d
        if self.standard.join == "water":
            slope = (up - down) / self.tree.length[p]
            fill = manning.normal_fill(self.tree.flow[p], d, slope, self.standard.roughness)
            return np.asarray(down + np.nan_to_num(fill) * d)
        return down

    def lifted(self, p: int, k: int, above: _Above, number: int) -> _Labels:
        """Lift what comes in to minimum cover, or to steps below, and go on by gravity."""
        top = self._top(p, self.sizes[k] / 1000.0, k)
        rows = self._pumped_from(p, above, self.sizes[k], top)
        if len(rows) and self.prices.pump[2] == 0.0:  # lifting higher costs nothing more
            levels = np.array([top])
        elif len(rows):
            levels = np.arange(top, above.low[rows].min(), -LIFT_STEP_M)
        else:
            levels = np.empty(0)
        pick, level = np.repeat(rows, len(levels)), np.tile(levels, len(rows))
        use = level > above.low[pick] + 1e-9
        pick, level = pick[use], level[use]
        some = _Above(above.join[pick], above.cost[pick], above.low[pick], above.labels[pick])
        out = self._laid(p, k, level, some, number, np.full(len(pick), LIFT))
        out.pick = pick
        return out

    def _pumped_from(self, p: int, above: _Above, size: float, top: float) -> Array:
        """Return the one row of ``above`` below ``top`` that is best to pump from.

        Cost of lifting is linear in the lift, so the same row is best for every level that is lifted to.
        """
        rows = np.flatnonzero(above.low < top - 1e-9)
        if len(rows) < 2:
            return rows
        wells = self.prices.manhole_cost(size, self.tree.ground_up[p] - above.low[rows])
        metre = self.prices.pump[2] * 1000.0 * self.tree.flow[p]
        deep = self.tree.ground_up[p] - above.low[rows] > self.standard.max_depth_m
        value = above.cost[rows] + wells - metre * above.low[rows] + np.where(deep, np.inf, 0.0)
        return rows[[int(np.argmin(value))]]

    def pressed(self, p: int, above: _Above, number: int) -> _Labels:
        """Pump through a rising main at minimum cover."""
        tree, standard = self.tree, self.standard
        sizes = np.array(sorted(standard.pressure_sizes_mm))
        fast = tree.flow[p] / (np.pi / 4 * (sizes / 1000.0) ** 2) <= standard.pressure_velocity_ms[1]
        rows = self._pumped_from(p, above, self.sizes[0], np.inf) if fast.any() else np.empty(0, np.int64)
        above = _Above(above.join[rows], above.cost[rows], above.low[rows], above.labels[rows])
        size = float(sizes[np.argmax(fast)])
        d = size / 1000.0
        up = tree.ground_up[p] - standard.min_cover_m - d
        down = max(tree.ground_down[p] - standard.min_cover_m - d, tree.outlet[p])
        loss = (tree.flow[p] * standard.roughness / (np.pi / 4 * d**2 * (d / 4) ** (2 / 3))) ** 2 * tree.length[p]
        n = len(above.cost)
        return _Labels(
            join=np.full(n, down + (d if standard.join == "crown" else 0.0)), cost=above.cost, size=np.zeros(n),
            diameter=np.full(n, size), up=np.full(n, up), down=np.full(n, down), mode=np.full(n, PRESSURE),
            lift=np.maximum(down - above.low, 0.0) + loss, sump=np.minimum(above.low, up),
            above=np.full(n, number), pick=rows,
        )  # fmt: skip

    def price(self, p: int, labels: _Labels) -> Array:
        """Return what pipe ``p`` itself costs."""
        tree, prices = self.tree, self.prices
        up, down = tree.ground_up[p] - labels.up, tree.ground_down[p] - labels.down
        cost = prices.pipe_cost(labels.diameter, up, down, tree.length[p])
        cost = cost + prices.manhole_cost(labels.diameter, tree.ground_up[p] - np.minimum(labels.up, labels.sump))
        pump = prices.pump_cost(1000.0 * tree.flow[p], labels.lift)
        return np.asarray(cost + np.where(labels.mode == GRAVITY, 0.0, pump))

    def thin(self, p: int, labels: _Labels) -> _Labels:
        """Keep, per size, what is not both lower and dearer; and nothing that a pump at the next node would beat."""
        most = np.inf
        q = int(self.tree.down[p])
        if self.pumps and q >= 0:
            deepest = self.standard.max_depth_m
            most = float(self.prices.pump_cost(1000.0 * self.tree.flow[q], deepest)) + self.deep_manhole
        rows = []
        for size in np.unique(labels.size):
            mine = np.flatnonzero(labels.size == size)
            front = mine[_front(labels.join[mine], labels.cost[mine])]
            rows.append(front[labels.cost[front] <= labels.cost[front].min() + most])
        return labels.take(np.concatenate(rows))


def _front(level: Array, cost: Array) -> Array:
    """Return rows with no other row at least as high and at most as dear, highest first."""
    order = np.lexsort((cost, -level))
    best = np.minimum.accumulate(cost[order])
    keep = np.ones(len(order), bool)
    keep[1:] = cost[order][1:] < best[:-1] * (1 - 1e-12)
    rows = order[keep]
    if len(rows) > MOST_LABELS:
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, MOST_LABELS).round().astype(int))]
    return rows


def _slopes(flow: Array, sizes: Array, standard: Standard) -> tuple[Array, Array]:
    """Return least and greatest slope by pipe and size; least above greatest where a size will not do."""
    q, d = flow[:, None], sizes[None, :] / 1000.0
    fill = standard.fill(sizes)[None, :]
    base = standard.slope(sizes)[None, :]
    need = np.maximum(base, manning.slope_for_fill(q, d, standard.roughness, fill))
    slow = manning.slope_for_velocity(q, d, standard.roughness, standard.min_velocity_ms)
    # a full enough pipe is fast enough; a dry one has no velocity to check
    wanted = np.where((q / standard.min_velocity_ms < manning.area(d, fill)) & (q > 0), np.nan_to_num(slow), 0.0)
    if standard.velocity_exempts_smallest:
        wanted[:, 0] = 0.0
    need = np.maximum(need, wanted)
    most = manning.slope_for_velocity(q, d, standard.roughness, standard.max_velocity_ms)
    most = np.where(np.isnan(most), np.where(q > 0, 0.0, 1.0), np.minimum(most, 1.0))
    return np.broadcast_to(need, (len(flow), len(sizes))), np.broadcast_to(most, (len(flow), len(sizes)))


def _frame(
    pipes: pd.DataFrame, tree: _Tree, standard: Standard, prices: Prices, records: list[dict[str, float]]
) -> pd.DataFrame:
    found = pd.DataFrame(records)
    d, up, down = (found[c].to_numpy(float) for c in ("diameter", "up", "down"))
    mode, lift, sump = (found[c].to_numpy(float) for c in ("mode", "lift", "sump"))
    depth_up, depth_down = tree.ground_up - up, tree.ground_down - down
    gravity = mode != PRESSURE
    slope = (up - down) / tree.length
    fill = manning.normal_fill(tree.flow, d / 1000.0, np.where(gravity, slope, 0.01), standard.roughness)
    fill = np.where(gravity, fill, 1.0)
    cost_pipe = prices.pipe_cost(d, depth_up, depth_down, tree.length)
    cost_manhole = prices.manhole_cost(d, tree.ground_up - np.minimum(up, sump))
    cost_pump = np.where(mode == GRAVITY, 0.0, prices.pump_cost(1000.0 * tree.flow, lift))
    out = pipes.copy()
    out["diameter_mm"] = d
    out["invert_up_m"], out["invert_down_m"] = up, down
    out["pump"] = mode != GRAVITY
    out["cost"] = cost_pipe + cost_manhole + cost_pump
    out["pressure"] = ~gravity
    out["slope"] = slope
    out["depth_up_m"], out["depth_down_m"] = depth_up, depth_down
    out["fill"] = fill
    out["velocity_ms"] = manning.velocity(tree.flow, d / 1000.0, fill)
    out["lift_m"] = np.where(mode == GRAVITY, 0.0, lift)
    out["cost_pipe"], out["cost_manhole"], out["cost_pump"] = cost_pipe, cost_manhole, cost_pump
    return out
