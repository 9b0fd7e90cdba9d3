"""This module writes planned links as an EPA SWMM model, and has SWMM itself check them.

Each tree of links drains freely to an outfall at the existing sewer it joins, with its design flow fed in where it
rises. At a pump the model is cut: what reaches its sump leaves through an outfall, and enters again above. Rising mains
are left out, what they bring enters at their lower end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.plan import flow as manning
from mapapp.plan.standard import Standard

Array = np.ndarray[Any, Any]


def to_inp(links: Any, standard: Standard, *, hours: int = 6) -> str:
    """Return the text of a SWMM input file (dynamic wave, L/s, no rain).

    Parameters
    ----------
    links : DataFrame
        `Plan.links`.
    standard : Standard
        For the roughness.
    hours : int
        Simulated time; the flow is steady.

    Raises
    ------
    InputError
        There is nothing to simulate, or levels are unknown.
    """
    if not len(links):
        raise InputError(Text("方案中没有管段。", "The plan holds no links."), Text("先规划。", "Plan first."))
    levels = links[["invert_up_m", "invert_down_m", "ground_up_m", "ground_down_m"]]
    if levels.isna().any(axis=None):
        raise InputError(
            Text("有管段没有标高，SWMM 无法计算。", "Some links have no level, which SWMM needs."),
            Text("请补充检查井地面高程。", "Add ground levels of manholes."),
        )
    names = links["link_id"].astype(str).to_numpy(object)
    below = links["downstream_link_id"].astype(object).where(links["downstream_link_id"].notna(), None).to_numpy(object)
    node = "J-" + names  # a link's upper node
    row = {n: i for i, n in enumerate(names)}
    down = np.array([row[b] if b is not None else -1 for b in below])
    outfall = "O-" + names
    z_up, z_down = links["invert_up_m"].to_numpy(float), links["invert_down_m"].to_numpy(float)
    pressed = links["pressure"].to_numpy(bool)
    ends = (down < 0) | links["pump"].to_numpy(bool)[down]  # at an existing sewer, or in the sump of a pump
    to = np.where(ends, outfall, node[down])
    q = links["flow_lps"].to_numpy(float)
    feeds = np.zeros(len(links))
    through = ~ends & ~pressed
    np.add.at(feeds, down[through], q[through])
    inflow = np.maximum(q - feeds, 0.0)  # peak factors fall downstream: never less than nothing
    gravity = ~pressed
    xy = shapely.get_coordinates(shapely.get_point(links.geometry.to_numpy(), 0))
    end = shapely.get_coordinates(shapely.get_point(links.geometry.to_numpy(), -1))
    last = gravity & ends
    depth = links["ground_up_m"].to_numpy(float) - z_up
    sections: dict[str, list[str]] = {
        "OPTIONS": [
            "FLOW_UNITS LPS", "FLOW_ROUTING DYNWAVE", "LINK_OFFSETS ELEVATION", "START_DATE 01/01/2026",
            "START_TIME 00:00:00", "REPORT_START_DATE 01/01/2026", "REPORT_START_TIME 00:00:00", "END_DATE 01/01/2026",
            f"END_TIME {hours:02d}:00:00", "REPORT_STEP 00:05:00", "ROUTING_STEP 2", "ALLOW_PONDING NO",
        ],
        "JUNCTIONS": [f"{n} {z:.4f} {max(h, 0.1):.4f} 0 0 0" for n, z, h, u in zip(node, z_up, depth, gravity, strict=True) if u],
        "OUTFALLS": [f"{o} {z:.4f} FREE" for o, z, u in zip(outfall, z_down, last, strict=True) if u],
        "CONDUITS": [
            f"{n} {a} {b} {length:.4f} {standard.roughness:g} {zu:.4f} {zd:.4f} 0"
            for n, a, b, length, zu, zd, u in zip(
                names, node, to, links["length_m"], z_up, z_down, gravity, strict=True
            ) if u
        ],
        "XSECTIONS": [
            f"{n} CIRCULAR {d / 1000:.4f} 0 0 0 1"
            for n, d, u in zip(names, links["diameter_mm"], gravity, strict=True) if u
        ],
        "INFLOWS": [f'{n} FLOW "" FLOW 1.0 1.0 {f:.6f}' for n, f, u in zip(node, inflow, gravity, strict=True) if u and f > 0],
        "REPORT": ["INPUT NO", "CONTROLS NO", "NODES ALL", "LINKS ALL"],
        "COORDINATES": [f"{n} {x:.3f} {y:.3f}" for n, (x, y), u in zip(node, xy, gravity, strict=True) if u]
        + [f"{o} {x:.3f} {y:.3f}" for o, (x, y), u in zip(outfall, end, last, strict=True) if u],
    }  # fmt: skip
    return "[TITLE]\nmapapp plan\n\n" + "\n".join(
        f"[{name}]\n" + "\n".join(rows) + "\n" for name, rows in sections.items() if rows
    )


def check(links: Any, standard: Standard) -> pd.DataFrame:
    """Run SWMM on the gravity links; return what it found, one row per link.

    Returns
    -------
    DataFrame
        ``link_id flow_lps fill velocity_ms flooding_lps fill_ok velocity_ok``: at the end of the run. ``fill_ok`` is
        judged with a hundredth of tolerance against the standard.

    Raises
    ------
    InputError
        As `to_inp`, or pyswmm is not installed.
    """
    try:
        from pyswmm import Links, Nodes, Simulation
    except ImportError as error:
        raise InputError(
            Text("未安装 pyswmm。", "pyswmm is not installed."), Text("请安装 mapapp[swmm]。", "Install mapapp[swmm].")
        ) from error
    text = to_inp(links, standard)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.inp"
        path.write_text(text, encoding="utf-8")
        found: dict[str, Mapping[str, float]] = {}
        flood: dict[str, float] = {}
        with Simulation(str(path)) as run:
            pipes, wells = Links(run), Nodes(run)
            for _ in run:
                pass
            found = {p.linkid: {"flow": p.flow, "depth": p.depth} for p in pipes}
            flood = {w.nodeid: w.flooding for w in wells}
    rows = links[links["link_id"].isin(list(found))]
    flow = np.array([found[n]["flow"] for n in rows["link_id"]])
    diameter = rows["diameter_mm"].to_numpy(float)
    fill = np.array([found[n]["depth"] for n in rows["link_id"]]) / (diameter / 1000.0)
    speed = manning.velocity(flow / 1000.0, diameter / 1000.0, np.clip(fill, 1e-6, 1.0))
    return pd.DataFrame({
        "link_id": rows["link_id"].to_numpy(), "flow_lps": flow, "fill": fill, "velocity_ms": speed,
        "flooding_lps": [flood.get(f"J-{n}", 0.0) for n in rows["link_id"]],
        "fill_ok": fill <= standard.fill(diameter) + 0.01, "velocity_ok": speed <= standard.max_velocity_ms,
    })  # fmt: skip
