"""This module gives the drawn network of the demo county its diameters and levels: every gravity sewer falls, cover is enough."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mapapp.demo.ground import Floats

_SEWAGE_MM = np.array([300, 400, 500, 600, 800])
_SEWAGE_LOAD = np.array([1_000, 3_200, 7_500, 16_000])
_STORM_MM = np.array([400, 500, 600, 800, 1000])
_STORM_LOAD = np.array([250, 600, 1_200, 2_400])
# well above the least slopes of GB 50014-2021 table 5.2.10 and of common practice for larger sizes
_SLOPE = {200: 0.0065, 300: 0.0042, 400: 0.0024, 500: 0.0020, 600: 0.0017, 800: 0.0014, 1000: 0.0014}
_COVER_M = {"main": 1.05, "branch": 1.0, "lateral": 0.85, "internal": 0.8}


def order(up: npt.NDArray[np.int64], down: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Return pipe numbers from the heads down: each comes after all that drain into its upper end.

    Raises
    ------
    ValueError
        When the network runs in a circle; a drawn town must not.
    """
    waiting = np.bincount(down, minlength=n)
    leaving = pd.Series(np.arange(len(up))).groupby(up).indices
    ready = np.flatnonzero(waiting == 0).tolist()
    out: list[int] = []
    while ready:
        for p in leaving.get(ready.pop(), ()):
            out.append(int(p))
            waiting[down[p]] -= 1
            if waiting[down[p]] == 0:
                ready.append(int(down[p]))
    if len(out) != len(up):
        raise ValueError("the demo network runs in a circle")
    return np.array(out)


def design(pipes: pd.DataFrame, ground_m: Floats, length_m: Floats, load: Floats) -> pd.DataFrame:
    """Size a network and set its levels.

    Parameters
    ----------
    pipes : DataFrame
        ``up down`` (node numbers), ``kind level flow``, ``overflow`` (bool).
    ground_m : ndarray
        Ground level per node, metres.
    length_m : ndarray
        Per pipe, metres.
    load : ndarray
        What each pipe itself adds: people for sewage, drained metres for storm.

    Returns
    -------
    DataFrame
        ``diameter_mm from_invert_m to_invert_m``, index of ``pipes``. Sizes never fall downstream; sizes join crown to crown
        (GB 50014-2021, 5.3.1); cover is at least 0.8 m.
    """
    up, down = pipes["up"].to_numpy(), pipes["down"].to_numpy()
    storm, level = (pipes["kind"] == "storm").to_numpy(), pipes["level"].to_numpy()
    pressure, overflow = (pipes["flow"] == "pressure").to_numpy(), pipes["overflow"].to_numpy(dtype=bool)
    combined = (pipes["kind"] == "combined").to_numpy()
    n = len(ground_m)
    sequence = order(up, down, n)
    carried, largest = np.zeros(n), np.zeros(n)
    size = np.zeros(len(up))
    for p in sequence:
        total = load[p] + carried[up[p]]
        if level[p] == "internal":
            d = 200
        elif storm[p]:
            d = _STORM_MM[np.searchsorted(_STORM_LOAD, total)]
        else:
            d = max(
                _SEWAGE_MM[np.searchsorted(_SEWAGE_LOAD, total)], 400 if combined[p] and level[p] != "lateral" else 0
            )
        if pressure[p]:
            size[p] = 250
        else:
            size[p] = max(d, largest[up[p]])
            largest[down[p]] = max(largest[down[p]], size[p])
        carried[down[p]] += 0.0 if overflow[p] else total
    # crown of each node's water way: as low as its inlets force it, and no higher than cover allows
    cover = np.array([_COVER_M[x] for x in level])
    crown = np.full(n, np.inf)
    slope = np.array([_SLOPE.get(int(d), 0.002) for d in size])
    for p in sequence:
        crown[up[p]] = min(crown[up[p]], ground_m[up[p]] - cover[p])
        if not pressure[p] and not overflow[p]:
            crown[down[p]] = min(crown[down[p]], crown[up[p]] - slope[p] * length_m[p], ground_m[down[p]] - cover[p])
    for p in sequence[::-1]:
        if overflow[p]:  # over the weir and freely into the river
            crown[down[p]] = crown[up[p]] - 0.012 * length_m[p]
    a, b = crown[up] - size / 1000, crown[down] - size / 1000
    b = np.where(pressure, ground_m[down] - 1.5, b)
    return pd.DataFrame(
        {"diameter_mm": size, "from_invert_m": np.round(a, 3), "to_invert_m": np.round(b, 3)}, index=pipes.index
    )
