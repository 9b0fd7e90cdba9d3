"""This module decides where the demo county's sewers fail: zones without sewers or data, and each compound's own connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from mapapp.demo import connect, faults, ground, sewers
from mapapp.demo.ground import Floats
from mapapp.demo.parcels import Site

QUOTA: Mapping[str, tuple[int, int]] = MappingProxyType({
    "village": (1, 40), "nolat": (3, 24), "direct": (3, 12), "corner": (3, 20), "hill": (3, 30), "pit": (1, 0), "ring": (0, 0),
})  # fmt: skip
"""How many compounds each special zone takes, and from which rank of size on."""

ROLES: tuple[str, ...] = ("none",) * 5 + ("short",) * 2 + ("near", "mid") + ("storm",) * 2 + ("hidden",) * 2
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
        "hidden": ("inlet_unknown", "接户井被压埋，管道走向不明"),
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
        ((s0 < pit_s - 18) & (s1 > pit_s + 18) & (t0 < pit_t - 18) & (t1 > pit_t + 18), "pit"),
    ]
    return np.select([m for m, _ in rules], np.array([n for _, n in rules], dtype=object), "")


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
    ok = ~np.isin(np.arange(len(xy)), [*draft.bare, *(int(str(o["node"])) for o in draft.outlets)])
    street = np.flatnonzero(ok & (kind != "storm"))
    storm = np.flatnonzero(ok & (kind == "storm"))
    st = ground.to_valley(xy)
    spilling = (st[:, 1] > 0) & (st[:, 0] < 797)  # the quarter that discharges into the river has its own sewers
    role = np.where(np.isin(zone, ["pit", "nolat", "corner", "hill"]), zone, "served").astype(object)
    direct = zone == "direct"
    role[direct] = "direct"
    ways: list[tuple[int, int, bool] | None] = [
        connect.entry(p, i, outlines, xy, street[spilling[street] == (r == "direct")])
        if r in ("served", "direct")
        else None
        for i, (p, r) in enumerate(zip(sites, role, strict=True))
    ]
    role[[w is None and r in ("served", "direct") for w, r in zip(ways, role, strict=True)]] = "none"
    lines = np.array(
        [None if w is None else shapely.linestrings([_gate(p, w), xy[w[0]]]) for p, w in zip(sites, ways, strict=True)]
    )
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
                if found is None or (shapely.distance(np.delete(lines, i), shapely.points(xy[found[0]])) < 4).any():
                    continue
                to_storm[i] = found
            if wanted in ("short", "near", "mid") and not _roomy(draft, xy, sites[i], way, wanted, np.delete(lines, i)):
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
        if role[i] == "hidden":
            out.append(
                (
                    role[i],
                    draft.node(_gate(place, way), "sewage", type_="接户井", road=draft.node_road[node], compound=i),
                    -1,
                )
            )
            continue
        gate = connect.inside(draft, place, i, side, north)
        end = _end(draft, np.array([draft.x[gate], draft.y[gate]]), node, str(role[i]))
        draft.pipe(gate, end, "sewage", "lateral", road=draft.node_road[node], compound=i)
        out.append((role[i], gate, end))
    return pd.DataFrame(out, columns=["role", "gate", "end"])


def _gate(place: Site, way: tuple[int, int, bool]) -> Floats:
    return next(g for s, n, g in connect.gates(place) if (s, n) == way[1:])


def _roomy(
    draft: sewers.Draft, xy: Floats, place: Site, way: tuple[int, int, bool], role: str, others: npt.NDArray[np.object_]
) -> bool:
    """Tell whether a connection is long enough to fail, has a pipe to touch, and would fail away from all others."""
    gate, goal = _gate(place, way), xy[way[0]]
    if role == "mid":
        end = _body(draft, gate, way[0])
    else:
        long = np.linalg.norm(goal - gate) > (17 if role == "short" else 12)
        end = gate + (goal - gate) * (0.5 if role == "short" else 1.0) if long else None
    return end is not None and not bool((shapely.distance(others, shapely.points(end)) < 4).any())


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
        return draft.node(gate + run * 0.5, "sewage", road=road)
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


def plant(
    layers: Mapping[str, pd.DataFrame],
    drawn: pd.DataFrame,
    node_ids: npt.NDArray[np.object_],
    names: Mapping[str, Any],
    rng: np.random.Generator,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, pd.DataFrame]:
    """Plant every fault and write the truth.

    Parameters
    ----------
    layers : mapping
        The clean layers; left as they are.
    drawn : DataFrame
        What `connect_compounds` returned.
    node_ids : ndarray of str
        Manhole id of each drawn node.
    names, rng
        As elsewhere.

    Returns
    -------
    changed : dict of str to GeoDataFrame
        ``pipes``, ``manholes`` and ``compounds`` with their faults.
    truth : DataFrame
        ``rule layer feature_id compound_id verdict note``: what an audit has to report, and nothing else.
    verdicts : DataFrame
        ``compound_id verdict note``, one row per compound.
    """
    ids = layers["compounds"]["compound_id"]
    told = verdicts(ids, drawn)
    at_gate = node_ids[drawn["gate"].to_numpy()[drawn["gate"] >= 0]]
    t = faults.Planter(layers, rng, set(at_gate) | set(node_ids[drawn["end"].to_numpy()[drawn["end"] >= 0]]))
    _tell_compounds(t, drawn, told)
    mouth = layers["outlets"].query("facility == 'outfall' and category == 'sewage'").geometry
    last = t.pipes["pipe_id"][
        (t.pipes["kind"] == "sewage") & (shapely.distance(t.pipes.geometry.to_numpy(), mouth.iloc[0]) < 0.01)
    ]
    t.tell("no_outlet", str(t.pipes.loc[_own(t, last.iloc[0]), "pipe_id"].min()), "这一片污水管直排清溪河")
    faults.plant_levels(t)
    faults.plant_shapes(t)
    faults.plant_network(t, names)
    faults.plant_traps(t)
    served = np.flatnonzero(told["verdict"] == "connected")
    faults.plant_outline(t, int(served[3]))
    _pit(t, drawn)
    for i, word in zip(np.flatnonzero(drawn["role"] == "hidden"), ("buried", "not_found"), strict=True):
        node, compound = str(node_ids[drawn["gate"].to_numpy()[i]]), str(ids[i])
        t.manholes.loc[t.manholes["node_id"] == node, "found"] = word
        t.tell("orphan_manhole", node, "接户井找不到，没有测到管", layer="manholes", compound=compound)
    _ledger(t, told, served)
    t.pipes = t.pipes[t.pipes["status"] != "drop"].reset_index(drop=True)
    truth = pd.DataFrame(t.rows, columns=list(faults.TRUTH)).sort_values(["rule", "feature_id"], ignore_index=True)
    return {"pipes": t.pipes, "manholes": t.manholes, "compounds": t.compounds}, truth, told


def _tell_compounds(t: faults.Planter, drawn: pd.DataFrame, told: pd.DataFrame) -> None:
    """Write the truth that follows from the compounds' connections."""
    lateral = t.pipes[t.pipes["level"] == "lateral"]
    of = dict(zip(np.flatnonzero(drawn["end"] >= 0).tolist(), lateral["pipe_id"], strict=True))
    for i, (role, row) in enumerate(zip(drawn["role"], told.itertuples(index=False), strict=True)):
        compound = str(row.compound_id)
        if row.verdict not in ("connected", "dangling"):
            t.rows.append(
                {
                    "rule": row.verdict,
                    "layer": "compounds",
                    "feature_id": compound,
                    "compound_id": compound,
                    "verdict": row.verdict,
                    "note": row.note,
                }
            )
        rule = {"short": "dangling", "near": "near_miss", "mid": "mid_pipe_junction", "storm": "cross_connection"}.get(
            role
        )
        if rule:
            t.tell(rule, of[i], str(row.note), compound=compound)
        if role == "short":  # what ends dead is joined to nothing, too
            own = t.pipes.loc[_own(t, of[i]), "pipe_id"].min()
            t.tell("island", own, "断头以上的管段不接任何管网", compound=compound)


def _pit(t: faults.Planter, drawn: pd.DataFrame) -> None:
    """Give the compound in the old clay pit the level of its own outlet, which the designer measured."""
    t.compounds["outlet_invert_m"] = np.nan
    for i in np.flatnonzero(drawn["role"] == "pit"):
        t.compounds.loc[i, "outlet_invert_m"] = round(float(ground.valley_elevation(*ground.PIT)) - 1.2, 2)


def _own(t: faults.Planter, lateral: str) -> npt.NDArray[np.bool_]:
    """Return the pipes of the piece that a connection belongs to: itself and all above it."""
    row = int(np.flatnonzero(t.pipes["pipe_id"] == lateral)[0])
    out = np.zeros(len(t.pipes), dtype=bool)
    out[row] = True
    while (more := np.isin(t.down, t.up[out]) & ~out).any():
        out |= more
    return out


def _ledger(t: faults.Planter, told: pd.DataFrame, served: npt.NDArray[np.int64]) -> None:
    """Fill in the ledger's own answer: silent or right, but for two compounds where it contradicts the network."""
    answer = np.where(
        told["verdict"] == "connected",
        "connected",
        np.where(told["verdict"].isin(["not_connected", "no_main"]), "septic_only", "unknown"),
    ).astype(object)
    quiet = t.rng.random(len(told)) < 0.3
    answer[quiet] = "unknown"
    wrong = {int(np.flatnonzero(told["verdict"] == "not_connected")[1]): "connected", int(served[5]): "not_connected"}
    for i, said in wrong.items():
        answer[i] = said
        compound = str(told.at[i, "compound_id"])
        t.tell(
            "contradicts_ledger",
            compound,
            f"台账：{said}；管网：{told['verdict'].iloc[i]}",
            layer="compounds",
            compound=compound,
        )
    t.compounds["sewer_connection"] = answer


def verdicts(compound_id: pd.Series, drawn: pd.DataFrame) -> pd.DataFrame:
    """Return the true verdict of every compound: ``compound_id verdict note``."""
    told = pd.DataFrame([_VERDICT[str(r)] for r in drawn["role"]], columns=["verdict", "note"])
    return pd.DataFrame({"compound_id": compound_id.to_numpy(), "verdict": told["verdict"], "note": told["note"]})
