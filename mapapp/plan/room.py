"""This module asks whether existing sewers have room for what planned links bring.

Room is what a pipe carries at the standard's greatest fill, less the design flow of the households above it. A receiving
sewer without room is not joined. Pipes farther down that would run too full are named, not ruled out: their flow rests on
many compounds that nobody may have on record.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mapapp.plan.existing import Existing
from mapapp.plan.layout import Layout
from mapapp.plan.standard import Standard
from mapapp.plan.targets import Targets

Array = np.ndarray[Any, Any]


def spare_lps(targets: Targets, existing: Existing, standard: Standard) -> Array:
    """Return the room of each target's receiving pipe in L/s, NaN where size, slope or pipe is unknown; may be negative."""
    out = np.full(len(targets), np.nan)
    at = np.flatnonzero(targets.pipe >= 0)
    pipe = targets.pipe[at]
    out[at] = existing.capacity_lps[pipe] - standard.design_flow_lps(existing.households[pipe])
    return out


def full(targets: Targets, existing: Existing, standard: Standard, households: Array) -> Array:
    """Return which targets have not even room for the smallest of the compounds to join."""
    if not len(households):
        return np.zeros(len(targets), bool)
    out = np.zeros(len(targets), bool)
    at = np.flatnonzero(targets.pipe >= 0)
    pipe = targets.pipe[at]
    wanted = standard.design_flow_lps(existing.households[pipe] + households.min())
    out[at] = existing.capacity_lps[pipe] < wanted  # unknown is not full
    return out


def added(layout: Layout, targets: Targets, existing: Existing) -> tuple[Array, Array]:
    """Return, per existing pipe, the households that a layout brings, and whether it brings them right there."""
    at, direct = np.zeros(len(existing.xy)), np.zeros(len(existing.pipe_id), bool)
    if len(layout.pipes) and len(existing.pipe_id):
        last = layout.pipes[layout.pipes["target"] >= 0]
        pipe = targets.pipe[last["target"].to_numpy(np.int64)]
        known = pipe >= 0
        pipe, people = pipe[known], last["households"].to_numpy(float)[known]
        np.add.at(at, existing.up[pipe], people)  # in mid-pipe too: the rest of the pipe carries it
        direct[pipe] = True
    return existing.summed(at)[existing.up] if len(existing.pipe_id) else np.empty(0), direct


def overloaded(layout: Layout, targets: Targets, existing: Existing, standard: Standard) -> tuple[Array, Array]:
    """Return which receiving pipes a layout fills above the standard's fill, and which farther down.

    Pipes that are too full without the plan count among the second, where the plan adds to them.
    """
    more, direct = added(layout, targets, existing)
    flow = standard.design_flow_lps(existing.households + more)
    over = (more > 0) & (flow > existing.capacity_lps * (1 + 1e-9))
    return over & direct, over & ~direct


def surplus(
    layout: Layout, targets: Targets, existing: Existing, standard: Standard, households: Array, over: Array
) -> Array:
    """Return which compounds have to stay away so that each pipe in ``over`` has room; the largest that fit stay.

    At least one compound per such pipe is told.
    """
    out = np.zeros(len(households), bool)
    last = layout.pipes[layout.pipes["target"] >= 0]
    pipe = targets.pipe[last["target"].to_numpy(np.int64)]
    root = last["root"].to_numpy(np.int64)
    more, _ = added(layout, targets, existing)
    for p in np.flatnonzero(over).tolist():
        rows = np.flatnonzero(np.isin(layout.compounds, root[pipe == p]))
        rows = rows[np.argsort(-households[rows], kind="stable")]
        sum_ = existing.households[p] + more[p] - households[rows].sum()  # what comes from farther up
        stays = np.zeros(len(rows), bool)
        for k, row in enumerate(rows.tolist()):
            if standard.design_flow_lps(sum_ + households[row]) <= existing.capacity_lps[p]:
                sum_ += households[row]
                stays[k] = True
        if stays.all() and len(rows):
            stays[-1] = False
        out[rows[~stays]] = True
    return out
