"""This module lays out the streets and blocks of the demo county in valley coordinates.

A frame of main roads follows the river and crosses it twice; the blocks between are split again and again, finely and
crookedly in the old core, coarsely outside, so that every street ends at a T or a crossing.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from mapapp.demo import ground
from mapapp.demo.ground import Floats

Ints = npt.NDArray[np.int64]

# rows of the frame by s, with the outermost t on the west and on the east of each
_ROWS_S = (140.0, 800.0, 1350.0, 2000.0)
_WEST_T = (-60.0, -560.0, -930.0)
_WEST_EDGE_T = (-1120.0, -1235.0, -1075.0)
_TOP_S, _BOTTOM_S = (140.0, 215.0, 370.0), (2000.0, 1925.0, 1790.0)
_EAST_T = (60.0, 330.0)
_EAST_EDGE_T = (None, 590.0, 540.0)
_EAST_TOP_S, _EAST_BOTTOM_S = (500.0, 800.0), (1770.0, 1650.0)
CORE = (800.0, 1350.0, -560.0, -60.0)
"""Old core: least and greatest ``s``, least and greatest ``t``."""
_CORE_M2 = (6_500.0, 13_000.0)  # blocks of the old core are smaller


@dataclass(frozen=True)
class Plan:
    """Streets as a planar graph, and the blocks between them, in valley coordinates.

    ``nodes`` (n, 2) holds ``s, t``; ``edges`` has ``u v name class bank``; ``blocks`` (m, 4, 2) are quads whose corners run
    upstream-west, upstream-east, downstream-east, downstream-west; ``block_core`` tells those of the old core.
    """

    nodes: Floats
    edges: pd.DataFrame
    blocks: Floats
    block_core: npt.NDArray[np.bool_]


def _area(quad: Floats) -> float:
    s, t = quad[:, 0], quad[:, 1]
    return float(abs(np.dot(s, np.roll(t, 1)) - np.dot(t, np.roll(s, 1))) / 2)


def _sides(quad: Floats) -> tuple[float, float]:
    """Return the mean extents along s and along t."""
    down = np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])
    across = np.linalg.norm(quad[1] - quad[0]) + np.linalg.norm(quad[2] - quad[3])
    return float(down / 2), float(across / 2)


def split(quad: Floats, across_s: bool, f: float, g: float) -> tuple[Floats, Floats, Floats]:
    """Cut a quad in two.

    Parameters
    ----------
    quad : ndarray, shape (4, 2)
        Corners as in `Plan`.
    across_s : bool
        Cut the extent along ``s`` (the cut runs east-west), else that along ``t``.
    f, g : float
        Where the cut meets the two sides, as fractions.

    Returns
    -------
    first, second : ndarray, shape (4, 2)
    cut : ndarray, shape (2, 2)
    """
    a, b, c, d = quad
    if across_s:
        p, q = a + f * (d - a), b + g * (c - b)
        return np.stack([a, b, q, p]), np.stack([p, q, c, d]), np.stack([p, q])
    p, q = a + f * (b - a), d + g * (c - d)
    return np.stack([a, p, q, d]), np.stack([p, b, c, q]), np.stack([p, q])


def _frame() -> tuple[list[tuple[Floats, bool]], list[tuple[Floats, str, str, bool]]]:
    """Return the super-blocks (quad, in the old core) and the frame's segments (line, name key, class, outer)."""
    quads: list[tuple[Floats, bool]] = []
    lines: list[tuple[Floats, str, str, bool]] = []

    def add(a: tuple[float, float], b: tuple[float, float], name: str, kind: str, outer: bool = False) -> None:
        lines.append((np.array([a, b]), name, kind, outer))

    for r in range(3):
        top, bottom = _ROWS_S[r], _ROWS_S[r + 1]
        for c in range(3):
            east, west = _WEST_T[c], (*_WEST_T[1:], _WEST_EDGE_T[r])[c]
            s0 = _TOP_S[c] if r == 0 else top
            s1 = _BOTTOM_S[c] if r == 2 else bottom
            quads.append((np.array([[s0, west], [s0, east], [s1, east], [s1, west]]), r == 1 and c == 0))
            if r == 0:
                add((s0, west), (s0, east), "ew0", "secondary", True)
            kind = ("main", "main", "main", "secondary")[r + 1]
            add((s1, west), (s1, east), f"ew{r + 1}", kind, r == 2)
            add((s0, east), (s1, east), ("river_w", "ns0", "ns1")[c], ("secondary", "main", "secondary")[c])
            if c == 2:
                add((s0, west), (s1, west), "ns2", "branch", True)
            if r == 0 and c:  # the north-south road goes on to the next row's higher top
                add(
                    (_TOP_S[c - 1], east),
                    (s0, east),
                    ("river_w", "ns0", "ns1")[c],
                    ("secondary", "main", "secondary")[c],
                )
            if r == 2 and c:
                add((s1, east), (_BOTTOM_S[c - 1], east), ("river_w", "ns0", "ns1")[c], "secondary")
        for c in range(2):
            edge = _EAST_EDGE_T[r]
            if c == 1 and edge is None:
                continue
            west, east = _EAST_T[c], (_EAST_T[1] if c == 0 else float(edge or 0))
            s0 = _EAST_TOP_S[c] if r == 0 else top
            s1 = _EAST_BOTTOM_S[c] if r == 2 else bottom
            quads.append((np.array([[s0, west], [s0, east], [s1, east], [s1, west]]), False))
            if r == 0:
                add((s0, west), (s0, east), "lane", "branch", True)
            if r == 0 or r == 1:
                add((s1, west), (s1, east), f"ew{r + 1}", "main")
            else:
                add((s1, west), (s1, east), "lane", "branch", True)
            add((s0, west), (s1, west), ("river_e", "eb0")[c], ("secondary", "main")[c])
            if c == 1 or edge is None:
                add(
                    (s0, east),
                    (s1, east),
                    "eb0" if edge is None else "eb1",
                    "main" if edge is None else "branch",
                    c == 1,
                )
        if r == 1:
            add((top, 330.0), (top, 590.0), "ew1", "main")
        if r == 2:
            add((_EAST_BOTTOM_S[1], 330.0), (_EAST_BOTTOM_S[0], 330.0), "eb0", "main")
    for i in (1, 2):
        add((_ROWS_S[i], -60.0), (_ROWS_S[i], 60.0), f"bridge{i}", "main")
    add((2000.0, -60.0), (2330.0, -86.0), "exit_s", "secondary")
    add((-210.0, -600.0), (140.0, -560.0), "exit_n", "secondary")
    add((1350.0, 540.0), (1420.0, 1010.0), "exit_e", "secondary")
    return quads, lines


def _village(rng: np.random.Generator) -> tuple[list[Floats], list[tuple[Floats, str, str, bool]]]:
    quad = np.array([[1300.0, 1010.0], [1290.0, 1240.0], [1520.0, 1250.0], [1510.0, 1010.0]])
    mid = np.array([1420.0, 1010.0])
    upper, lower, cut = split(quad, True, (1420 - 1300) / 210, 0.5)
    cut[0] = upper[3] = lower[0] = mid
    names = [(quad[[0, 1]], "lane"), (quad[[1, 2]], "lane"), (quad[[3, 2]], "lane"), (cut, "village")]
    lines = [(line, name, "lane", False) for line, name in names]
    lines += [(np.stack([quad[0], mid]), "lane", "lane", False), (np.stack([mid, quad[3]]), "lane", "lane", False)]
    quads, more = _subdivide([(upper, False), (lower, False)], rng, target_m2=(11_000, 15_000), first="lane")
    return [q for q, _ in quads], lines + more


def _subdivide(
    quads: Sequence[tuple[Floats, bool]],
    rng: np.random.Generator,
    *,
    target_m2: tuple[float, float] = (17_000, 31_000),
    first: str = "branch",
) -> tuple[list[tuple[Floats, bool]], list[tuple[Floats, str, str, bool]]]:
    """Split every quad until it is a block; return blocks and the streets made on the way."""
    done: list[tuple[Floats, bool]] = []
    lines: list[tuple[Floats, str, str, bool]] = []
    todo = [(q, core, 0) for q, core in quads]
    corners = list(np.concatenate([q for q, _ in quads]))
    while todo:
        quad, core, depth = todo.pop()
        down, across = _sides(quad)
        if _area(quad) < rng.uniform(*(_CORE_M2 if core else target_m2)) or max(down, across) < 75:
            done.append((quad, core))
            continue
        # the old core's first cut runs from its main road to the river: the cross street
        across_s = True if core and depth == 0 else bool(down > across * rng.uniform(0.8, 1.2))
        f = rng.uniform(0.4, 0.6) if depth else rng.uniform(0.44, 0.56)
        g = f + rng.normal(0, 0.055 if core else 0.022)
        f, g = _snapped(quad, across_s, (float(f), float(np.clip(g, 0.3, 0.7))), np.array(corners))
        one, two, cut = split(quad, across_s, f, g)
        corners += list(cut)
        kind = (
            "branch"
            if depth == 0 and first == "branch"
            else ("lane" if core or depth > 1 or first == "lane" else "branch")
        )
        lines.append((cut, "lane" if kind == "lane" else "road", kind, False))
        todo += [(one, core, depth + 1), (two, core, depth + 1)]
    return done, lines


def _snapped(quad: Floats, across_s: bool, at: tuple[float, float], corners: Floats) -> tuple[float, float]:
    """Move the ends of a cut to a corner already there within 22 m, so that no two junctions nearly meet."""
    a, b, c, d = quad
    out = []
    for (p, q), f in zip(((a, d), (b, c)) if across_s else ((a, b), (d, c)), at, strict=True):
        run = q - p
        where = (corners - p) @ run / (run @ run)
        off = np.linalg.norm(corners - (p + where[:, None] * run), axis=1)
        gap = np.where((off < 1e-3) & (where > 0.02) & (where < 0.98), np.abs(where - f), np.inf)
        near = int(gap.argmin())
        out.append(float(where[near]) if gap[near] * np.linalg.norm(run) < 22 else f)
    return out[0], out[1]


def _node(lines: Sequence[tuple[Floats, str, str, bool]]) -> tuple[Floats, pd.DataFrame]:
    """Cut every street where another one meets it; return junctions and edges."""
    segments = np.stack([line for line, *_ in lines])
    _, first = np.unique(np.round(segments.reshape(-1, 2), 4), axis=0, return_index=True)
    nodes = segments.reshape(-1, 2)[first]
    a, b = segments[:, :1], segments[:, 1:]
    run = b - a
    length2 = (run**2).sum(-1)
    at = ((nodes[None] - a) * run).sum(-1) / length2
    off = np.linalg.norm(nodes[None] - (a + at[..., None] * run), axis=-1)
    on = (off < 1e-3) & (at > -1e-6) & (at < 1 + 1e-6)
    rows: list[tuple[int, int, int]] = []
    for i in range(len(segments)):
        order = np.flatnonzero(on[i])[np.argsort(at[i, on[i]])]
        rows += [(int(u), int(v), i) for u, v in itertools.pairwise(order)]
    edges = pd.DataFrame(rows, columns=["u", "v", "line"])
    pair = np.sort(edges[["u", "v"]].to_numpy(), axis=1)
    edges = edges[~pd.DataFrame(pair).duplicated().to_numpy()].reset_index(drop=True)
    return nodes, edges


def lay_out(names: Mapping[str, Any], rng: np.random.Generator) -> Plan:
    """Return the street plan; the same generator state gives the same plan."""
    quads, lines = _frame()
    blocks, cuts = _subdivide(quads, rng)
    village_blocks, village_lines = _village(rng)
    lines = [*lines, *cuts, *village_lines]
    nodes, edges = _node(lines)
    edges["name"] = _names(lines, names["streets"], names["village"], rng)[edges["line"]]
    edges["class"] = np.array([kind for _, _, kind, _ in lines], dtype=object)[edges["line"]]
    outer = np.array([o for *_, o in lines])[edges["line"]]
    # some of the edge of town was never closed by a street
    keep = ~outer | (rng.random(len(edges)) > 0.42)
    edges = edges[keep].reset_index(drop=True)
    edges["bank"] = np.where((nodes[edges["u"], 1] + nodes[edges["v"], 1]) / 2 < 0, "west", "east")
    edges["bridge"] = (np.sign(nodes[edges["u"], 1]) != np.sign(nodes[edges["v"], 1])).astype(bool)
    used = np.unique(edges[["u", "v"]].to_numpy())
    new = np.full(len(nodes), -1)
    new[used] = np.arange(len(used))
    edges["u"], edges["v"] = new[edges["u"]], new[edges["v"]]
    all_blocks = np.stack([q for q, _ in blocks] + village_blocks)
    core = np.array([c for _, c in blocks] + [False] * len(village_blocks))
    return Plan(nodes[used], edges.drop(columns="line"), all_blocks, core)


def _names(
    lines: Sequence[tuple[Floats, str, str, bool]], names: Mapping[str, Any], village: str, rng: np.random.Generator
) -> npt.NDArray[np.object_]:
    fixed = {"river_w": names["riverside_west"], "river_e": names["riverside_east"], "village": f"{village}路"}
    fixed |= {f"ns{i}": n for i, n in enumerate(names["north_south"])} | {
        f"ew{i}": n for i, n in enumerate(names["east_west"])
    }
    fixed |= {f"eb{i}": n for i, n in enumerate(names["east_bank"])}
    fixed |= {"bridge1": f"{names['east_west'][1]}桥", "bridge2": f"{names['east_west'][2]}桥"}
    fixed |= dict(zip(("exit_n", "exit_e", "exit_s"), names["exits"], strict=True))
    pools = {kind: iter(_cycled(rng.permutation(names[kind + "s"]).tolist())) for kind in ("road", "lane")}
    return np.array([fixed.get(key) or next(pools[key]) for _, key, _, _ in lines], dtype=object)


def _cycled(words: list[str]) -> list[str]:
    """Add further names for a town with more lanes than names, told apart as north, south and so on."""
    return words + [f"{d}{w}" for d in "北南东西上下新老" for w in words]


def draw(line: Floats, step_m: float = 20.0) -> Floats:
    """Bend a straight run of valley coordinates into map coordinates, a vertex at least every ``step_m`` metres."""
    count = max(1, int(np.ceil(np.linalg.norm(line[1] - line[0]) / step_m)))
    f = np.linspace(0, 1, count + 1)[:, None]
    along = line[0] * (1 - f) + line[1] * f
    along[-1] = line[1]  # not a rounding away: streets meet exactly
    return ground.to_map(along[:, 0], along[:, 1])


def frame(plan: Plan) -> gpd.GeoDataFrame:
    """Return the streets layer: one row per run between two junctions, EPSG:4544."""
    lines = [shapely.linestrings(draw(plan.nodes[[u, v]])) for u, v in plan.edges[["u", "v"]].to_numpy()]
    kind = plan.edges["class"].to_numpy()
    return gpd.GeoDataFrame(
        {
            "street_id": [f"DL{i + 1:04d}" for i in range(len(lines))],
            "name": plan.edges["name"].to_numpy(),
            "class": kind,
            "surface": np.where(np.isin(kind, ["main", "secondary"]), "asphalt", "concrete"),
        },
        geometry=lines,
        crs=ground.CRS,
    )
