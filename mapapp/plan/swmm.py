"""This module writes planned links as an EPA SWMM model, the existing sewers below them included, and has SWMM check them.

Links drain into the existing network with their design flow fed in where it rises, and on to the plant or boundary, with the
flow of the households that are connected already. Where the network is not given, each tree ends in a free outfall. At a
pump the model is cut: what reaches its sump leaves through an outfall, and enters again above. Rising mains are left out,
what they bring enters at their lower end.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.plan import flow as manning
from mapapp.plan.downstream import Below, below
from mapapp.plan.existing import Existing
from mapapp.plan.standard import Standard

Array = np.ndarray[Any, Any]


def to_inp(links: Any, standard: Standard, *, existing: Existing | None = None, hours: int | None = None) -> str:
    """Return the text of a SWMM input file (dynamic wave, L/s, no rain).

    Parameters
    ----------
    links : DataFrame
        `Plan.links`.
    standard : Standard
        For the roughness.
    existing : Existing, optional
        `Plan.existing`: sewers below the links are added, and what of them was guessed is marked ``assumed``.
    hours : int, optional
        Simulated time; the flow is steady. By default as long as water needs across the model at 0.7 m/s, and an hour.

    Raises
    ------
    InputError
        There is nothing to simulate, or levels are unknown.
    """
    return _text(links, standard, _below(links, existing, standard), hours)


def _below(links: Any, existing: Existing | None, standard: Standard) -> Below | None:
    """Return the existing sewers below links that can be simulated, None where no network is given."""
    if not len(links):
        raise InputError(Text("方案中没有管段。", "The plan holds no links."), Text("先规划。", "Plan first."))
    levels = links[["invert_up_m", "invert_down_m", "ground_up_m", "ground_down_m"]]
    if levels.isna().any(axis=None):
        raise InputError(
            Text("有管段没有标高，SWMM 无法计算。", "Some links have no level, which SWMM needs."),
            Text("请补充检查井地面高程。", "Add ground levels of manholes."),
        )
    return below(links, existing, standard) if existing is not None else None


def _text(links: Any, standard: Standard, old: Below | None, hours: int | None = None) -> str:
    sections = _new(links, standard, old, hours or _hours(links, old))
    if old is not None:
        _add_old(sections, old, standard)
    sections["REPORT"] = ["INPUT NO", "CONTROLS NO", "NODES ALL", "LINKS ALL"]
    title = ["mapapp plan"]
    if old is not None:
        title.append(
            f"existing: {len(old.pipe)} pipes, {int(old.pipe_guessed.sum())} with a guessed level or size; "
            f"{int(old.guessed.sum())} of {len(old.name)} manholes with a guessed level (tag assumed)"
        )
    sections = {name: sections[name] for name in _ORDER if sections.get(name)}
    return (
        "[TITLE]\n"
        + "\n".join(title)
        + "\n\n"
        + "\n".join(f"[{name}]\n" + "\n".join(rows) + "\n" for name, rows in sections.items())
    )


def _roughness(standard: Standard, diameter_mm: Array, slope: Array) -> Array:
    """Return Manning's n for each pipe, which is all that SWMM knows; for a wall, the one as fast at the greatest fill."""
    if not standard.wall_mm:
        return np.full(len(diameter_mm), standard.roughness)
    radius = manning.radius(diameter_mm / 1000.0, standard.fill(diameter_mm))
    fall = np.maximum(slope, 1e-4)
    return np.asarray(radius ** (2 / 3) * np.sqrt(fall) / manning.speed(radius, fall, standard.resistance))


def _hours(links: Any, old: Below | None) -> int:
    xy = shapely.get_coordinates(links.geometry.to_numpy())
    xy = np.concatenate([xy, old.xy]) if old is not None else xy
    return int(np.clip(1 + np.ceil((xy.max(axis=0) - xy.min(axis=0)).sum() / 0.7 / 3600.0), 2, 24))


_ORDER = (
    "OPTIONS", "JUNCTIONS", "OUTFALLS", "CONDUITS", "XSECTIONS", "INFLOWS", "REPORT", "TAGS", "COORDINATES",
)  # fmt: skip
_ASSUMED = "assumed"
_LOOK_S = 600
_LOOKS = 3
_SAME = 1e-3
_NOTHING = 1e-4
"""The run ends when no flow (L/s) or depth (m) changes by more than this share of itself, and more than next to nothing."""


def _new(links: Any, standard: Standard, old: Below | None, hours: int) -> dict[str, list[str]]:
    """Return the sections of the planned links."""
    names = links["link_id"].astype(str).to_numpy(object)
    lower = links["downstream_link_id"].astype(object).where(links["downstream_link_id"].notna(), None).to_numpy(object)
    node = "J-" + names  # a link's upper node
    row = {n: i for i, n in enumerate(names)}
    down = np.array([row[b] if b is not None else -1 for b in lower])
    outfall = "O-" + names
    z_up, z_down = links["invert_up_m"].to_numpy(float), links["invert_down_m"].to_numpy(float)
    pressed = links["pressure"].to_numpy(bool)
    sump = (down >= 0) & links["pump"].to_numpy(bool)[down]
    joins = old.joins if old is not None else np.full(len(links), -1)
    ends = ((down < 0) & (joins < 0)) | sump  # at an existing sewer that is not modelled, or in the sump of a pump
    to = np.where(ends, outfall, node[down])
    if old is not None:
        to = np.where(joins >= 0, old.name[np.maximum(joins, 0)] if len(old.name) else to, to)
    q = links["flow_lps"].to_numpy(float)
    feeds = np.zeros(len(links))
    through = (down >= 0) & ~sump & ~pressed
    np.add.at(feeds, down[through], q[through])
    # peak factors fall downstream, as branches' peaks do not meet: where they join, what is too much is taken out again
    inflow = q - feeds
    gravity = ~pressed
    xy = shapely.get_coordinates(shapely.get_point(links.geometry.to_numpy(), 0))
    end = shapely.get_coordinates(shapely.get_point(links.geometry.to_numpy(), -1))
    last = gravity & ends
    depth = links["ground_up_m"].to_numpy(float) - z_up
    roughness = _roughness(standard, links["diameter_mm"].to_numpy(float), links["slope"].to_numpy(float))
    return {
        "OPTIONS": [
            "FLOW_UNITS LPS", "FLOW_ROUTING DYNWAVE", "LINK_OFFSETS ELEVATION", "START_DATE 01/01/2026",
            "START_TIME 00:00:00", "REPORT_START_DATE 01/01/2026", "REPORT_START_TIME 00:00:00", "END_DATE 01/01/2026",
            f"END_TIME {hours:02d}:00:00", "REPORT_STEP 00:05:00", "ROUTING_STEP 2", "LENGTHENING_STEP 2",
            "ALLOW_PONDING NO",
        ],
        "JUNCTIONS": [f"{n} {z:.4f} {max(h, 0.1):.4f} 0 0 0" for n, z, h, u in zip(node, z_up, depth, gravity, strict=True) if u],
        "OUTFALLS": [f"{o} {z:.4f} FREE" for o, z, u in zip(outfall, z_down, last, strict=True) if u],
        "CONDUITS": [
            f"{n} {a} {b} {length:.4f} {rough:.6g} {zu:.4f} {zd:.4f} 0"
            for n, a, b, length, rough, zu, zd, u in zip(
                names, node, to, links["length_m"], roughness, z_up, z_down, gravity, strict=True
            ) if u
        ],
        "XSECTIONS": [
            f"{n} CIRCULAR {d / 1000:.4f} 0 0 0 1"
            for n, d, u in zip(names, links["diameter_mm"], gravity, strict=True) if u
        ],
        "INFLOWS": [f'{n} FLOW "" FLOW 1.0 1.0 {f:.6f}' for n, f, u in zip(node, inflow, gravity, strict=True) if u and f != 0],
        "TAGS": [],
        "COORDINATES": [f"{n} {x:.3f} {y:.3f}" for n, (x, y), u in zip(node, xy, gravity, strict=True) if u]
        + [f"{o} {x:.3f} {y:.3f}" for o, (x, y), u in zip(outfall, end, last, strict=True) if u],
    }  # fmt: skip


def _add_old(sections: dict[str, list[str]], old: Below, standard: Standard) -> None:
    """Add the existing sewers; each outlet drains through a short, wide piece, since an outfall takes one pipe only."""
    tag = np.where(old.guessed, f" ;{_ASSUMED}", "")
    depth = np.maximum(old.ground_m - old.invert_m, 0.1)
    sections["JUNCTIONS"] += [
        f"{n} {z:.4f} {h:.4f} 0 0 0{t}" for n, z, h, t in zip(old.name, old.invert_m, depth, tag, strict=True)
    ]
    rough = _roughness(standard, old.diameter_mm, (old.up_m - old.down_m) / old.length_m)
    rows = zip(
        old.pipe,
        old.name[old.up],
        old.name[old.down],
        old.length_m,
        rough,
        old.up_m,
        old.down_m,
        old.pipe_guessed,
        strict=True,
    )
    sections["CONDUITS"] += [
        f"E-{n} {a} {b} {length:.4f} {r:.6g} {zu:.4f} {zd:.4f} 0{f' ;{_ASSUMED}' if guess else ''}"
        for n, a, b, length, r, zu, zd, guess in rows
    ]
    sections["XSECTIONS"] += [
        f"E-{n} CIRCULAR {d / 1000:.4f} 0 0 0 1" for n, d in zip(old.pipe, old.diameter_mm, strict=True)
    ]
    wide = np.full(len(old.name), 1.0)
    np.maximum.at(wide, old.down, 2.0 * old.diameter_mm / 1000.0)
    for k in np.flatnonzero(old.outlet).tolist():
        name, z, (x, y) = old.name[k], float(old.invert_m[k]), old.xy[k]
        sections["OUTFALLS"].append(f"O-{name} {z - 0.05:.4f} FREE")
        sections["CONDUITS"].append(f"X-{name} {name} O-{name} 5 {standard.roughness:g} {z:.4f} {z - 0.05:.4f} 0")
        sections["XSECTIONS"].append(f"X-{name} CIRCULAR {wide[k]:.4f} 0 0 0 1")
        sections["COORDINATES"].append(f"O-{name} {x + 5:.3f} {y:.3f}")
    sections["INFLOWS"] += [
        f'{n} FLOW "" FLOW 1.0 1.0 {f:.6f}' for n, f in zip(old.name, old.inflow_lps, strict=True) if f != 0
    ]
    sections["TAGS"] += [f"Node {n} {_ASSUMED}" for n in old.name[old.guessed]]
    sections["TAGS"] += [f"Link E-{n} {_ASSUMED}" for n in old.pipe[old.pipe_guessed]]
    sections["COORDINATES"] += [f"{n} {x:.3f} {y:.3f}" for n, (x, y) in zip(old.name, old.xy, strict=True)]


def check(links: Any, standard: Standard, *, existing: Existing | None = None) -> pd.DataFrame:
    """Run SWMM on the gravity links, with the existing sewers below them where given; return what it found.

    Returns
    -------
    DataFrame
        ``link_id flow_lps fill velocity_ms flooding_lps fill_ok velocity_ok new``: at the end of the run, first the planned
        links, then (``new`` false, ids of pipes) the existing ones. ``fill_ok`` is judged with a hundredth of tolerance
        against the standard.

    Raises
    ------
    InputError
        As `to_inp`, or pyswmm is not installed.
    """
    try:
        from pyswmm import Simulation
    except ImportError as error:
        raise InputError(
            Text("未安装 pyswmm。", "pyswmm is not installed."), Text("请安装 mapapp[swmm]。", "Install mapapp[swmm].")
        ) from error
    old = _below(links, existing, standard)
    text = _text(links, standard, old)
    rows = links[~links["pressure"].to_numpy(bool)]  # rising mains are not in the model
    names = rows["link_id"].astype(str).to_numpy(object)
    upper = [f"J-{n}" for n in names]
    size, seen = rows["diameter_mm"].to_numpy(float), list(names)
    shown = list(names)
    if old is not None:
        seen += [f"E-{n}" for n in old.pipe]
        shown += list(old.pipe)
        upper += list(old.name[old.up])
        size = np.concatenate([size, old.diameter_mm])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.inp"
        path.write_text(text, encoding="utf-8")
        try:
            with Simulation(str(path)) as run:
                flow, depth, flood = _steady(run, seen, upper)
        except Exception as error:  # the engine raises nothing narrower
            said = " ".join(str(error).split())
            raise InputError(
                Text(f"SWMM 无法计算此模型：{said}", f"SWMM cannot run the model: {said}"),
                Text("请导出 .inp 在 SWMM 中查看。", "Export the .inp and look at it in SWMM."),
            ) from error
    fill = depth / (size / 1000.0)
    speed = manning.velocity(flow / 1000.0, size / 1000.0, np.clip(fill, 1e-6, 1.0))
    return pd.DataFrame({
        "link_id": shown, "flow_lps": flow, "fill": fill, "velocity_ms": speed,
        "flooding_lps": flood,
        "fill_ok": fill <= standard.fill(size) + 0.01, "velocity_ok": speed <= standard.max_velocity_ms,
        "new": np.arange(len(seen)) < len(names),
    })  # fmt: skip


def _steady(run: Any, links: list[str], nodes: list[str]) -> tuple[Array, Array, Array]:
    """Run the model until nothing changes, at most to its end; return flow (L/s) and depth (m) of links, flooding of nodes.

    The loads are steady, so what no longer changes is the answer. Numbers of the engine are looked up once: pyswmm's own
    objects list all names at every question.
    """
    from swmm.toolkit import solver
    from swmm.toolkit.shared_enum import LinkResult, NodeResult, ObjectType

    link = [solver.project_get_index(ObjectType.LINK, n) for n in links]
    node = [solver.project_get_index(ObjectType.NODE, n) for n in nodes]
    run.step_advance(_LOOK_S)
    now = np.full((2, len(link)), np.nan)
    for turn, _ in enumerate(run):
        was = now
        now = np.array(
            [[solver.link_get_result(k, what) for k in link] for what in (LinkResult.FLOW, LinkResult.DEPTH)]
        )
        if turn >= _LOOKS and (np.abs(now - was) <= _SAME * np.abs(now) + _NOTHING).all():
            break
    flood = np.array([solver.node_get_result(k, NodeResult.FLOOD) for k in node])
    return now[0], now[1], flood
