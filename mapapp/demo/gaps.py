"""This module decides where the demo county's sewers fail: zones without sewers or data, and each compound's own connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from mapapp.demo import connect, ground, sewers
from mapapp.demo.ground import Floats
from mapapp.demo.parcels import Site

QUOTA: Mapping[str, tuple[int, int]] = MappingProxyType({
    "village": (1, 40), "nolat": (3, 24), "direct": (3, 12), "corner": (3, 20), "hill": (3, 30), "pit": (1, 0), "ring": (0, 0),
})  # fmt: skip
"""How many compounds each special zone takes, and from which rank of size on."""

ROLES: tuple[str, ...] = ("none",) * 6 + ("short",) * 2 + ("near", "mid") + ("storm",) * 2
"""What befalls compounds of the town proper; all others there are connected."""

_VERDICT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "served": ("connected", "接户管、支管、干管齐全，流入污水厂"),
        "none": ("not_connected", "旁边有主管，小区没有接户管"),
        "short": ("dangling", "接户管在街上中断"),
        "near": ("dangling", "接户管差不到一米没有接到主管的井"),
        "mid": ("dangling", "接户管搭在主管管身上，没有井"),
        "storm": ("wrong_outlet", "接户管接进了雨水井"),
        "direct": ("wrong_outlet", "接入的管网直排清溪河"),
        "pit": ("no_gravity", "旧取土坑里的小区，比旁边的污水管低"),
        "nolat": ("inlet_unknown", "该片区普查没有查接户管"),
        "corner": ("no_data", "没有普查过"),
        "hill": ("no_main", "坡上没有污水管"),
    }
)


def zones(quads: Floats) -> npt.NDArray[np.object_]:
    """Name the zone of each parcel: ``""`` for the town proper, ``ring`` where no compound of the programme may lie."""
    s0, s1 = quads[..., 0].min(axis=1), quads[..., 0].max(axis=1)
    t0, t1 = quads[..., 1].min(axis=1), quads[..., 1].max(axis=1)
    pit_s, pit_t = ground.PIT
    rules = [
        (t0 > 900, "village"),
        ((t0 > 0) & (s0 > 1350), "nolat"),
        ((t0 > 0) & (s1 < 795), "direct"),
        ((t1 < sewers.CORNER[0] - 12) & (s0 > sewers.CORNER[1] + 12), "corner"),
        ((t0 < sewers.CORNER[0] + 60) & (s1 > sewers.CORNER[1] - 60), "ring"),
        ((t1 < sewers.HILL[0] - 165) & (s1 < sewers.HILL[1] - 165), "hill"),
        ((t0 < sewers.HILL[0]) & (s0 < sewers.HILL[1]), "ring"),
        ((s0 < pit_s) & (s1 > pit_s) & (t0 < pit_t) & (t1 > pit_t), "pit"),
    ]
    return np.select([m for m, _ in rules], np.array([n for _, n in rules], dtype=object), "")  # type: ignore[return-value]


def connect_compounds(
    draft: sewers.Draft,
    sites: Sequence[Site],
    outlines: Sequence[shapely.Polygon],
    zone: npt.NDArray[np.object_],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw the sewers inside the compounds and their connections, good and bad.

    Returns
    -------
    DataFrame
        One row per compound: ``role`` (a key of the verdict table), ``gate`` and ``end`` (node numbers, -1 where none).
    """
    xy, kind = draft.xy(), np.array(draft.node_kind)
    ok = ~np.isin(np.arange(len(xy)), [*draft.bare, *(o["node"] for o in draft.outlets)])
    street = np.flatnonzero(ok & (kind != "storm"))
    storm = np.flatnonzero(ok & (kind == "storm"))
    role = np.where(np.isin(zone, ["pit", "nolat", "corner", "hill"]), zone, "served").astype(object)
    direct = zone == "direct"
    role[direct] = "direct"
    ways = [
        connect.entry(p, i, outlines, xy, street) if r in ("served", "direct") else None
        for i, (p, r) in enumerate(zip(sites, role, strict=True))
    ]
    role[[w is None and r in ("served", "direct") for w, r in zip(ways, role, strict=True)]] = "none"
    to_storm = {}
    town = [i for i in rng.permutation(len(sites)) if role[i] == "served" and zone[i] == ""]
    queue = [r for r in ROLES if r != "none"] + ["none"] * max(0, ROLES.count("none") - int((role == "none").sum()))
    for wanted in queue:
        for i in town:
            way = ways[i]
            assert way is not None
            if role[i] != "served":
                continue
            if wanted == "storm":
                found = connect.entry(sites[i], i, outlines, xy, storm)
                if found is None:
                    continue
                to_storm[i] = found
            if wanted in ("short", "near", "mid") and not _roomy(draft, xy, sites[i], way, wanted):
                continue
            role[i] = wanted
            break
    out = []
    for i, place in enumerate(sites):
        way = to_storm.get(i, ways[i])
        if way is None or role[i] == "none":
            out.append((role[i], -1, -1))
            continue
        node, side, north = way
        gate = connect.inside(draft, place, i, side, north)
        end = _end(draft, np.array([draft.x[gate], draft.y[gate]]), node, str(role[i]))
        draft.pipe(gate, end, "sewage", "lateral", road=draft.node_road[node], compound=i)
        out.append((role[i], gate, end))
    return pd.DataFrame(out, columns=["role", "gate", "end"])


def _roomy(draft: sewers.Draft, xy: Floats, place: Site, way: tuple[int, int, bool], role: str) -> bool:
    """A connection long enough to be cut short, or a pipe in front of the gate that it can touch."""
    gate = next(g for s, n, g in connect.gates(place) if (s, n) == way[1:])
    if role == "mid":
        return _body(draft, gate, way[0]) is not None
    return bool(np.linalg.norm(xy[way[0]] - gate) > (26 if role == "short" else 14))


def _body(draft: sewers.Draft, gate: Floats, node: int) -> Floats | None:
    """Return the point in the middle third of a pipe at this node that lies opposite the gate."""
    for p in draft.pipes:
        if node not in (p["up"], p["down"]) or p["level"] in ("lateral", "internal") or p.get("flow") == "pressure":
            continue
        a, b = (np.array([draft.x[int(str(p[k]))], draft.y[int(str(p[k]))]]) for k in ("up", "down"))
        f = float((gate - a) @ (b - a) / ((b - a) @ (b - a)))
        if 0.25 < f < 0.75 and 6 < np.linalg.norm(a + f * (b - a) - gate) < 30:
            return np.asarray(a + f * (b - a))
    return None


def _end(draft: sewers.Draft, gate: Floats, node: int, role: str) -> int:
    """Return the node where a connection ends: the manhole it was meant for, or where it fails."""
    goal = np.array([draft.x[node], draft.y[node]])
    road, run = draft.node_road[node], goal - gate
    if role == "short":
        return draft.node(gate + run * 0.6, "sewage", road=road)
    if role == "near":
        made = draft.node(goal - run / np.linalg.norm(run) * 0.42, "sewage", road=road)
    elif role == "mid":
        body = _body(draft, gate, node)
        assert body is not None
        made = draft.node(body, "sewage", road=road)
    else:
        return node
    draft.bare.add(made)
    return made


def verdicts(compound_id: pd.Series, drawn: pd.DataFrame) -> pd.DataFrame:
    """Return the true verdict of every compound: ``compound_id verdict note``."""
    told = pd.DataFrame([_VERDICT[str(r)] for r in drawn["role"]], columns=["verdict", "note"])
    return pd.DataFrame({"compound_id": compound_id.to_numpy(), "verdict": told["verdict"], "note": told["note"]})
