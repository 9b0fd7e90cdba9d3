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
from mapapp.plan.prices import MOST, Piece, Polynomial, Prices, UnitPrice
from mapapp.plan.standard import Standard

Array = np.ndarray[Any, Any]

LIFT_STEP_M = 0.05
WATER_N_M3 = 9810.0
GRAVITY, PRESSURE = 0, 2


def size_sewers(pipes: pd.DataFrame, standard: Standard, prices: Prices, *, pumps: bool = True) -> pd.DataFrame:
    """Return ``pipes`` with the least-cost sizes and levels.

    Parameters
    ----------
    pipes : DataFrame
        ``pipe_id``, ``downstream_pipe_id`` (missing at an outlet), ``ground_up_m``, ``ground_down_m``, ``length_m``,
        ``flow_lps`` (design flow, peak). Optional: ``inlet_invert_m``, the highest invert at the upper end (the level of
        the drains that come in); ``outlet_invert_m``, the lowest invert at the lower end of an outlet pipe (the existing
        sewer); ``sizes_from_mm``, a least diameter; ``cleansing_flow_lps``, the flow at which the least velocity and shear
        are asked for, where it is not the design flow (that of the first years, say).
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
    return _frame(pipes, tree, standard, prices, _solved(tree, standard, prices, pumps))


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
    cleansing: Array

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
            optional("cleansing_flow_lps", np.nan) / 1000.0,
        )  # fmt: skip


def _solved(tree: _Tree, standard: Standard, prices: Prices, pumps: bool) -> Array:
    """Return diameter (mm), inverts, mode, lift and sump per pipe."""
    from mapapp.plan import fronts  # loads compiled kernels: not for who only reads a price book

    sizes = np.array(standard.allowed_mm, float)
    cleansing = np.where(np.isnan(tree.cleansing), tree.flow, tree.cleansing)
    need, most = least_slopes(tree.flow, sizes, standard, cleansing)
    allowed = (need <= most) & (sizes >= tree.least[:, None])
    kids = np.array([k for c in tree.children for k in c], np.int64)
    first = np.concatenate([[0], np.cumsum([len(c) for c in tree.children])])
    failed, out = fronts.solve(
        tree.order, tree.down, first, kids, tree.ground_up, tree.ground_down, tree.length, tree.flow, tree.inlet,
        tree.outlet, np.ascontiguousarray(need), np.ascontiguousarray(most), allowed,
        *rules(standard, prices, pumps=pumps, whole=True),
    )  # fmt: skip
    if failed >= 0:
        raise InputError(
            Text(
                f"管段 {tree.ids[failed]} 无可行的管径与标高。",
                f"No allowed size and level serves pipe {tree.ids[failed]}.",
            ),
            Text(
                f"最大埋深 {standard.max_depth_m:g} m；可允许提升或放宽标准。",
                f"Deepest invert {standard.max_depth_m:g} m; allow pumps or relax the standard.",
            ),
            where=str(tree.ids[failed]),
        )
    return out


def rules(standard: Standard, prices: Prices, *, pumps: bool, whole: bool = False) -> tuple[Any, ...]:
    """Return standard and prices as `fronts.advance` takes them, from the sizes on.

    Raises
    ------
    InputError
        A formula gives a negative or absurd price for a pipe or manhole that the standard allows; or a price by a power of
        the length where pipes are cut up (``whole`` false), as in a plan.
    """
    from mapapp.plan.prices_kernel import by_depth

    sizes = np.array(standard.allowed_mm, float)
    _check_prices(sizes, standard, prices)
    if (prices.by_length or prices.lower_end is not None) and not whole:
        raise InputError(
            Text(
                "随管长的幂变化的价格、按下游端埋深的价格，方案无法使用。",
                "A price by a power of the length, or by the depth of the lower end, cannot be used in a plan.",
            ),
            Text("请给出每米价格。", "Give prices per metre."),
            where=prices.name,
        )
    pressure = np.array(sorted(standard.pressure_sizes_mm), float)
    both = np.concatenate([sizes, pressure])
    narrow, falls, deep = _shape(sizes, standard, prices)
    wide = standard.join == "water" or (standard.join == "crown" and standard.sizes_may_fall)
    return (
        sizes, pressure, float(standard.pressure_velocity_ms[1]), standard.roughness, standard.min_cover_m,
        standard.max_depth_m, ("crown", "invert", "water").index(standard.join), standard.sizes_may_fall, pumps,
        np.array(prices.pump, float), LIFT_STEP_M, prices.depth_to == "crown", deep, narrow and not wide, falls,
        *by_depth(prices.pipe, both, per_metre=True), *by_depth(prices.manhole, both, per_metre=False),
        *by_depth(prices.lower_end or _FREE, both, per_metre=True),
    )  # fmt: skip


_FREE = Polynomial((Piece(((0.0, 0.0, 0.0),)),))


def _shape(sizes: Array, standard: Standard, prices: Prices) -> tuple[bool, bool, float]:
    """Return whether no price falls with the size, whether one falls with depth, and the dearest manhole.

    Looked at where pipes may lie, in 200 steps and on both sides of every depth that a price names; at the same invert and
    at the same crown.
    """
    steps = np.linspace(standard.min_cover_m, standard.max_depth_m, 200)
    named = [h for price in (prices.pipe, prices.manhole, prices.lower_end) for h in _depths(price)]
    shifts = np.array([0.0, *sizes / 1000.0])
    edges = (np.array(named)[:, None] + shifts[None, :]).ravel()
    depth = np.unique(np.concatenate([steps, edges - 1e-6, edges + 1e-6]))
    depth = depth[(depth >= standard.min_cover_m) & (depth <= standard.max_depth_m)]
    d, h = sizes[:, None], depth[None, :]
    laid = h >= standard.min_cover_m + d / 1000.0 - 1e-9
    narrow, falls, deep = True, False, 0.0
    for price, off in (
        (prices.pipe, prices.depth_to == "crown"), (prices.lower_end, prices.depth_to == "crown"), (prices.manhole, False),
    ):  # fmt: skip
        if price is None:
            continue
        at = h - (d / 1000.0 if off else 0.0)
        value = np.where(laid, price(d, at), np.nan)
        least = 1e-9 * np.nanmax(np.abs(value), initial=0.0)
        falls |= bool((np.diff(value, axis=1) < -least).any())
        crown = price(d, h + (0.0 if off else d / 1000.0))
        narrow &= not (np.diff(value, axis=0) < -least).any() and not (np.diff(crown, axis=0) < -least).any()
        deep = float(np.nanmax(value, initial=0.0))
    return narrow and not falls, falls, deep


def _depths(price: UnitPrice | None) -> list[float]:
    """Return the depths (m) at which a unit price changes its formula."""
    if price is None:
        return []
    if isinstance(price, Polynomial):
        ends = {x * price.unit_m for p in price.pieces for x in p.depth}
        return sorted(x for x in ends if np.isfinite(x))
    return list(price.depths_m)


def _check_prices(sizes: Array, standard: Standard, prices: Prices) -> None:
    depth = standard.min_cover_m + sizes[:, None] / 1000.0
    depth = depth + np.linspace(0.0, 1.0, 9) * np.maximum(standard.max_depth_m - depth, 0.0)
    size = np.broadcast_to(sizes[:, None], depth.shape)
    buried = depth - (size / 1000.0 if prices.depth_to == "crown" else 0.0)
    every = (("pipe", prices.pipe, buried), ("manhole", prices.manhole, depth), ("lower_end", prices.lower_end, buried))
    for what, price, at in every:
        if price is None:
            continue
        with np.errstate(all="ignore"):
            value = price(size, at)
        bad = ~((value >= 0) & (value < MOST))
        if bad.any():
            raise InputError(
                Text(
                    f"{what}：DN{size[bad][0]:g}、埋深 {at[bad][0]:.2f} m 的单价为 {value[bad][0]:.4g}。",
                    f"{what}: the price is {value[bad][0]:.4g} at DN{size[bad][0]:g} and {at[bad][0]:.2f} m.",
                ),
                Text("单价不能为负，也不能大得离谱。", "A price cannot be negative or absurdly high."),
                where=prices.name,
            )


def least_slopes(flow: Array, sizes: Array, standard: Standard, cleansing: Array | None = None) -> tuple[Array, Array]:
    """Return least and greatest slope by pipe and size; least above greatest where a size will not do.

    Flows in m3/s; ``cleansing`` where the least velocity and shear are asked for at another flow.
    """
    if cleansing is None or np.array_equal(flow, cleansing):
        some, which = np.unique(flow, return_inverse=True)  # many pipes carry the same
        q = clean = some[:, None]
    else:
        pairs, which = np.unique(np.column_stack([flow, cleansing]), axis=0, return_inverse=True)
        q, clean = pairs[:, :1], pairs[:, 1:]
    d = sizes[None, :] / 1000.0
    fill = standard.fill(sizes)[None, :]
    need = np.maximum(standard.slope(sizes)[None, :], manning.slope_for_fill(q, d, standard.resistance, fill))
    wanted = np.maximum(_swift(clean, d, fill, standard), _scouring(clean, d, fill, standard, sizes))
    if standard.velocity_exempts_smallest:
        wanted[:, 0] = 0.0
    need = np.maximum(need, wanted)
    if standard.slope_steps:
        steps = np.array([*standard.slope_steps, np.inf])
        need = steps[np.searchsorted(steps, need * (1.0 - 1e-9))]
    most = manning.slope_for_velocity(q, d, standard.resistance, standard.max_velocity_ms)
    most = np.where(np.isnan(most), np.where(q > 0, 0.0, 1.0), np.minimum(most, 1.0))
    full = len(q), len(sizes)
    return np.broadcast_to(need, full)[which.ravel()], np.broadcast_to(most, full)[which.ravel()]


def _swift(q: Array, d: Array, fill: Array, standard: Standard) -> Array:
    """Return the slope at which a flow is as fast as it must be."""
    slowest = standard.min_velocity_ms
    if slowest == 0.0:
        return np.zeros(np.broadcast_shapes(q.shape, d.shape))
    if standard.velocity_at == "full":
        return np.asarray(np.where(q > 0, manning.gradient(d / 4.0, slowest, standard.resistance), 0.0))
    slow = manning.slope_for_velocity(q, d, standard.resistance, slowest)
    # a full enough pipe is fast enough; a dry one has no velocity to check
    return np.asarray(np.where((q / slowest < manning.area(d, fill)) & (q > 0), np.nan_to_num(slow), 0.0))


def _scouring(q: Array, d: Array, fill: Array, standard: Standard, sizes: Array) -> Array:
    """Return the slope at which a flow shears the wall as it must: weight of water x hydraulic radius x slope."""
    wanted = standard.shear(sizes)[None, :]
    shape = np.broadcast_shapes(q.shape, d.shape)
    if not wanted.any():
        return np.zeros(shape)
    q, d = np.broadcast_arrays(q, d)
    wet = np.where(q > 0, q, 1.0)

    def shear(h: Array) -> Array:
        return np.asarray(WATER_N_M3 * manning.radius(d, h) * manning.slope_for_fill(wet, d, standard.resistance, h))

    low, high = np.full(shape, 1e-4), np.broadcast_to(np.minimum(fill, manning.FULLEST), shape)
    enough = (q <= 0) | (shear(high) >= wanted) | (wanted <= 0)  # as full as it may be, and scouring still
    for _ in range(50):  # the fuller, the flatter and the weaker
        middle = 0.5 * (low + high)
        strong = shear(middle) >= wanted
        low, high = np.where(strong, middle, low), np.where(strong, high, middle)
    return np.asarray(np.where(enough, 0.0, manning.slope_for_fill(wet, d, standard.resistance, low)))


def _frame(pipes: pd.DataFrame, tree: _Tree, standard: Standard, prices: Prices, found: Array) -> pd.DataFrame:
    d, up, down, mode, lift, sump = found.T
    depth_up, depth_down = tree.ground_up - up, tree.ground_down - down
    gravity = mode != PRESSURE
    slope = (up - down) / tree.length
    fill = manning.normal_fill(tree.flow, d / 1000.0, np.where(gravity, slope, 0.01), standard.resistance)
    fill = np.where(gravity, fill, 1.0)
    cost_pipe = prices.pipe_cost(d, depth_up, depth_down, tree.length) + prices.end_cost(d, depth_down, tree.length)
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
