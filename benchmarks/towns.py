"""This module makes networks of any size whose faults are known, in Arrow tables as a file reader gives them.

A town is a trunk of 20 sewers with 40 branches of 4, a storm pipe across the branches, a plant (one in three behind a
pump and a rising main), and one to three compounds (a county of 20,000 pipes has some hundred). 2 cm of noise at a
tenth of the pipe ends, placeholders among the levels, some towns with nothing but a river at the end, and faults of
every kind are planted by a seeded generator. Rows come in no order at all. Manholes stand at the planned nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import shapely

PER_TOWN = 200
CRS = "EPSG:4544"


@dataclass
class Town:
    """Arrow tables by layer, and the planted truth: ids by rule, and the verdict of every compound."""

    layers: dict[str, pa.Table]
    truth: dict[str, set[str]]
    verdicts: dict[str, str]


def _wkb(x: np.ndarray, y: np.ndarray) -> pa.Array:
    """Return LineStrings of equally many vertices as WKB, from arrays of shape (lines, vertices)."""
    n, v = x.shape
    record = np.zeros((n, 9 + 16 * v), dtype=np.uint8)
    record[:, 0] = 1
    record[:, 1] = 2
    record[:, 5:9] = np.frombuffer(np.uint32(v).tobytes(), np.uint8)
    record[:, 9:] = np.ascontiguousarray(np.stack([x, y], axis=2)).reshape(n, -1).view(np.uint8)
    offsets = np.arange(n + 1, dtype=np.int64) * record.shape[1]
    return pa.Array.from_buffers(pa.large_binary(), n, [None, pa.py_buffer(offsets), pa.py_buffer(record)])


def _points(x: np.ndarray, y: np.ndarray) -> pa.Array:
    """Return points as WKB."""
    record = np.zeros(len(x), dtype=[("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
    record["order"], record["kind"], record["x"], record["y"] = 1, 1, x, y
    offsets = np.arange(len(x) + 1, dtype=np.int32) * record.itemsize
    return pa.Array.from_buffers(pa.binary(), len(x), [None, pa.py_buffer(offsets), pa.py_buffer(record.tobytes())])


def _ids(prefix: str, numbers: np.ndarray) -> pa.Array:
    return pa.array(np.char.add(prefix, np.char.zfill(numbers.astype(str), 8)).tolist())


def make(pipes: int, seed: int = 1) -> Town:
    """Make about so many pipes."""
    rng = np.random.default_rng(seed)
    t = max(1, pipes // PER_TOWN)
    side = int(np.ceil(np.sqrt(t)))
    ox = 400_000.0 + 1_200.0 * (np.arange(t) % side)
    oy = 3_500_000.0 + 1_100.0 * (np.arange(t) // side)
    base = rng.uniform(300, 900, t)
    j = np.arange(21)
    trunk_level = base[:, None] - 0.2 * j
    rows: list[dict[str, np.ndarray]] = []

    def add(x0, y0, x1, y1, a, b, kind, size, flow=0, town=None):
        shape = np.broadcast_shapes(np.shape(x0), np.shape(x1), np.shape(a))
        row = {k: np.broadcast_to(v, shape).ravel().astype(float) for k, v in
               {"x0": x0, "y0": y0, "x1": x1, "y1": y1, "a": a, "b": b, "kind": kind, "size": size, "flow": flow}.items()}  # fmt: skip
        rows.append(row)
        return shape

    add(40.0 * j[None, :-1] + ox[:, None], oy[:, None], 40.0 * j[None, 1:] + ox[:, None], oy[:, None],
        trunk_level[:, :-1], trunk_level[:, 1:], 0, 600)  # fmt: skip
    n_trunk = t * 20
    s = np.array([1.0, -1.0])
    k = np.arange(4)
    bx = np.broadcast_to((ox[:, None] + 40.0 * j[None, 1:])[:, None, :, None], (t, 2, 20, 4)).copy()
    by0 = oy[:, None, None, None] + s[None, :, None, None] * (160.0 - 40.0 * k)
    by1 = oy[:, None, None, None] + s[None, :, None, None] * (120.0 - 40.0 * k)
    by0, by1 = (np.broadcast_to(v, (t, 2, 20, 4)).copy() for v in (by0, by1))
    lb0 = trunk_level[:, None, 1:, None] + 0.4 * (4 - k)
    lb0 = np.broadcast_to(lb0, (t, 2, 20, 4)).copy()
    lb1 = lb0 - 0.4
    bx1 = bx.copy()
    # faults of branches: one at most per branch
    fault = rng.choice(
        ["", "near", "mid", "cut", "adverse", "copy"], (t, 2, 20), p=[0.955, 0.012, 0.008, 0.008, 0.009, 0.008]
    )
    fault[:, :, 19] = ""  # beside the plant an end that stops short would still reach it
    near, mid, cut, adverse, copy = (fault == f for f in ("near", "mid", "cut", "adverse", "copy"))
    by1[..., 3] += np.where(near, s[None, :, None] * rng.uniform(0.2, 0.9, near.shape), 0.0)
    bx1[..., 3] -= np.where(mid, 15.0, 0.0)
    rise = np.where(adverse, 0.5, 0.0)  # the node below pipe 2 is raised: pipe 2 rises 0.1 m, pipe 3 falls the more
    lb1[..., 2] += rise
    lb0[..., 3] += rise
    start_branch = n_trunk
    add(bx, by0, bx1, by1, lb0, lb1, 0, 300)
    n_branch = t * 160
    i = np.arange(20)
    sx = ox[:, None] - 20.0 + 42.0 * i
    level_s = base[:, None] - 1.0 - 0.3 * i
    add(sx, oy[:, None] + 60.0, sx + 42.0, oy[:, None] + 60.0, level_s, level_s - 0.3, 1, 500)
    n_storm = t * 20
    river, pumped = rng.random(t) < 0.03, rng.random(t) < 0.33
    pumped &= ~river
    up = np.flatnonzero(pumped)
    add(ox[up] + 800, oy[up], ox[up] + 900, oy[up], trunk_level[up, 20], trunk_level[up, 20] + 9.0, 0, 250, 1)
    # sewage into storm: a pipe from a compound of its own to a storm node
    wrong = np.flatnonzero(rng.random(t) < 0.1)
    add(ox[wrong] + 1, oy[wrong] + 100, ox[wrong] + 1, oy[wrong] + 60, level_s[wrong, 0] + 1, level_s[wrong, 0], 0, 300)
    start_wrong = n_trunk + n_branch + n_storm + len(up)
    rows[-1]["x1"] = ox[wrong] + 22.0
    dup_at = np.flatnonzero(copy.ravel())
    pick = start_branch + dup_at * 4 + 1
    col = {name: np.concatenate([r[name] for r in rows]) for name in rows[0]}
    keep = np.ones(len(col["x0"]), dtype=bool)
    cut_at = np.flatnonzero(cut.ravel())
    keep[start_branch + cut_at * 4 + 3] = False
    # 2 cm of noise at a tenth of the ends
    for end in ("0", "1"):
        noisy = rng.random(len(keep)) < 0.1
        angle, far = rng.uniform(0, 2 * np.pi, len(keep)), rng.uniform(0, 0.02, len(keep))
        touching = np.zeros(len(keep), dtype=bool)
        touching[start_branch + np.flatnonzero(mid.ravel()) * 4 + 3] = True
        noisy &= ~touching
        col["x" + end] = col["x" + end] + np.where(noisy, far * np.cos(angle), 0)
        col["y" + end] = col["y" + end] + np.where(noisy, far * np.sin(angle), 0)
    number = np.arange(len(keep))
    again = {name: v[pick] for name, v in col.items()}  # copies, drawn the other way, one centimetre off
    again["x0"], again["x1"], again["y0"], again["y1"] = again["x1"] + 0.01, again["x0"], again["y1"], again["y0"]
    again["a"], again["b"] = again["b"], again["a"]
    col = {name: np.concatenate([v[keep], again[name]]) for name, v in col.items()}
    number = np.concatenate([number[keep], 90_000_000 + pick])
    ids = _ids("P", number)
    name = np.array(ids.to_pylist(), dtype=object)
    a, b = col["a"].copy(), col["b"].copy()
    holes = np.flatnonzero((rng.random(len(a)) < 0.003) & (col["kind"] == 0) & (number < start_branch + n_branch))
    # without levels there is no telling that a pipe rises, or that water cannot go back from a cut end
    fragile = np.isin(
        number, np.concatenate([start_branch + np.flatnonzero((adverse | cut).ravel()) * 4 + d for d in range(4)])
    )
    holes = holes[~fragile[holes]]
    a[holes] = rng.choice([0.0, -99.0, 9999.0], len(holes))
    jitter = rng.uniform(-0.2, 0.2, len(a))
    x = np.stack([col["x0"], (col["x0"] + col["x1"]) / 2, col["x1"]], axis=1)
    y = np.stack([col["y0"], (col["y0"] + col["y1"]) / 2, col["y1"]], axis=1)
    straight = np.isin(number, np.arange(n_trunk)) | (number >= 90_000_000) | np.isin(number, pick)
    x[:, 1] += np.where(straight, 0, jitter)
    order = rng.permutation(len(a))  # in no order at all, the worst a file can be
    kinds = pa.DictionaryArray.from_arrays(pa.array(col["kind"][order].astype(np.int8)), ["sewage", "storm"])
    flows = pa.DictionaryArray.from_arrays(pa.array(col["flow"][order].astype(np.int8)), ["gravity", "pressure"])
    table = pa.table(
        {
            "pipe_id": ids.take(pa.array(order)),
            "kind": kinds.cast(pa.string()),
            "flow": flows.cast(pa.string()),
            "from_invert_m": a[order],
            "to_invert_m": b[order],
            "diameter_mm": col["size"][order],
            "geometry": _wkb(x[order], y[order]),
        }
    )
    outlet_x = np.concatenate(
        [ox[~river & ~pumped] + 802, ox[pumped] + 800, ox[pumped] + 900, ox[river] + 800, ox + 820]
    )
    outlet_y = np.concatenate([oy[~river & ~pumped] + 1, oy[pumped], oy[pumped], oy[river], oy + 60])
    facility = (
        ["wwtp"] * int((~river & ~pumped).sum())
        + ["pump"] * len(up)
        + ["wwtp"] * len(up)
        + ["outfall"] * int(river.sum() + t)
    )
    outlets = pa.table(
        {
            "id": _ids("W", np.arange(len(outlet_x))),
            "facility": facility,
            "geometry": shapely.to_wkb(shapely.points(outlet_x, outlet_y)),
        }
    )
    # a manhole where trunk, branch and storm pipes were planned to meet: true places, the pipes' ends are the noisy ones
    node_x = [ox[:, None] + 40.0 * j, bx, sx, sx[:, -1:] + 42.0]
    node_y = [
        np.broadcast_to(oy[:, None], (t, 21)),
        by0,
        np.broadcast_to(oy[:, None] + 60.0, (t, 20)),
        oy[:, None] + 60.0,
    ]
    ground = [trunk_level, lb0, level_s, level_s[:, -1:] - 0.3]
    kind_of = np.repeat([0, 0, 1, 1], [v.size for v in node_x])
    mix = rng.permutation(len(kind_of))
    flat_x, flat_y, level = (np.concatenate([np.ravel(v) for v in part]) for part in (node_x, node_y, ground))
    manholes = pa.table(
        {
            "node_id": _ids("M", mix),
            "kind": pa.DictionaryArray.from_arrays(pa.array(kind_of[mix].astype(np.int8)), ["sewage", "storm"]).cast(
                pa.string()
            ),
            "ground_elev_m": level[mix] + 2.5,
            "geometry": _points(flat_x[mix], flat_y[mix]),
        }
    )
    # compounds: at the head of a northern branch; beside the trunk's head; far north; at wrong outlets
    heads = np.array([4])
    cx = (ox[:, None] + 40.0 * (heads + 1)).ravel()
    cy = np.repeat(oy + 165.0, len(heads))
    broken = (near | mid | cut)[:, 0, :][:, heads]
    verdict = np.where(broken, "dangling", np.where(river[:, None], "wrong_outlet", "connected")).ravel()
    far_towns = np.arange(0, t, 3)
    cx = np.concatenate([cx, ox[::2] - 40.0, ox[far_towns] + 400, ox[wrong] + 1])
    cy = np.concatenate([cy, oy[::2], oy[far_towns] + 420, oy[wrong] + 105])
    verdict = np.concatenate(
        [verdict, ["not_connected"] * len(ox[::2]), ["no_main"] * len(far_towns), ["wrong_outlet"] * len(wrong)]
    )
    homes = shapely.box(cx - 10, cy - 10, cx + 10, cy + 10)
    cid = _ids("C", np.arange(len(cx)))
    compounds = pa.table({"compound_id": cid, "geometry": shapely.to_wkb(homes)})
    truth = {
        "near_miss": _set(start_branch, near, 3),
        "mid_pipe_junction": _set(start_branch, mid, 3),
        "dangling": _set(start_branch, cut, 2),
        "island": _set(start_branch, cut, 0),
        "adverse_slope": _set(start_branch, adverse, 2),
        "duplicate_geometry": {"P" + str(v) for v in (90_000_000 + pick)},
        "sentinel_value": set(name[holes]),
        "cross_connection": {"P" + str(start_wrong + i).zfill(8) for i in range(len(wrong))},
        "no_outlet": {_first_of_river(int(v)) for v in np.flatnonzero(river)},
    } | {v: {c for c, w in zip(cid.to_pylist(), verdict, strict=True) if w == v} for v in ("not_connected", "no_main", "wrong_outlet")}  # fmt: skip
    return Town(
        {"pipes": table, "manholes": manholes, "outlets": outlets, "compounds": compounds}, truth,
        dict(zip(cid.to_pylist(), verdict.tolist(), strict=True)),
    )  # fmt: skip


def _set(start: int, fault: np.ndarray, k: int) -> set[str]:
    return {"P" + str(start + 4 * i + k).zfill(8) for i in np.flatnonzero(fault.ravel())}


def _first_of_river(town: int) -> str:
    """The trunk's first pipe has the smallest id of its town."""
    return "P" + str(town * 20).zfill(8)
