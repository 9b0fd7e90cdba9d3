"""This module plants faults of the data into the demo county's network, each at one place, and writes down the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from mapapp.demo import ground, levels
from mapapp.demo.ground import Floats

Bools = npt.NDArray[np.bool_]
TRUTH = ("rule", "layer", "feature_id", "compound_id", "verdict", "note")
_PAIRS = (("from_node", "to_node"), ("from_invert_m", "to_invert_m"), ("from_depth_m", "to_depth_m"))


class Planter:
    """Layers under change, and what was planted so far.

    Faults keep apart from one another: every place chosen makes its surroundings busy.
    """

    def __init__(self, layers: Mapping[str, pd.DataFrame], rng: np.random.Generator, busy: set[str]) -> None:
        self.pipes: gpd.GeoDataFrame = layers["pipes"].copy()
        self.manholes: gpd.GeoDataFrame = layers["manholes"].copy()
        self.compounds: gpd.GeoDataFrame = layers["compounds"].copy()
        self.rng, self.busy = rng, set(busy)
        self.rows: list[dict[str, object]] = []
        self.made = dict.fromkeys(("WS", "YS"), 0)
        p = self.pipes
        nodes = pd.Index(pd.unique(pd.concat([p["from_node"], p["to_node"]]).dropna()))
        self.up, self.down = nodes.get_indexer(p["from_node"]), nodes.get_indexer(p["to_node"])
        n = len(nodes)
        self.into = np.bincount(self.down[self.down >= 0], minlength=n)
        self.out = np.bincount(self.up[self.up >= 0], minlength=n)
        self.served = self._served(n)

    def _served(self, n: int) -> npt.NDArray[np.int64]:
        """Count the connections that drain into each node, its own included."""
        known = np.flatnonzero((self.up >= 0) & (self.down >= 0))
        lateral = (self.pipes["level"] == "lateral").to_numpy()
        total = np.zeros(n, dtype=np.int64)
        for k in levels.order(self.up[known], self.down[known], n):
            p = known[k]
            total[self.down[p]] += total[self.up[p]] + lateral[p]
        return total

    def tell(self, rule: str, feature: str, note: str, *, layer: str = "pipes", compound: str | None = None) -> None:
        """Write one row of truth."""
        self.rows.append({"rule": rule, "layer": layer, "feature_id": feature, "compound_id": compound, "note": note})

    def choose(self, where: Bools) -> int:
        """Return the row of a pipe in mid-run (one in, one out at either end) that satisfies ``where``, and keep its place.

        Raises
        ------
        ValueError
            When there is none: the town is too small for another fault.
        """
        p = self.pipes
        simple = (self.up >= 0) & (self.down >= 0) & p["level"].isin(["main", "branch"]).to_numpy()
        simple &= (p["flow"] == "gravity").to_numpy()
        simple &= (
            (self.into[self.up] == 1)
            & (self.out[self.up] == 1)
            & (self.into[self.down] == 1)
            & (self.out[self.down] == 1)
        )
        free = ~(p["from_node"].isin(self.busy) | p["to_node"].isin(self.busy)).to_numpy()
        rows = np.flatnonzero(simple & free & where)
        if len(rows) == 0:
            raise ValueError("no place is left for another fault")
        row = int(rows[self.rng.integers(len(rows))])
        self.keep(row)
        return row

    def keep(self, row: int) -> None:
        """Make a pipe's two ends, and the ends of the pipes that meet it, busy."""
        p = self.pipes
        ends = {p.at[row, "from_node"], p.at[row, "to_node"]}
        near = p["from_node"].isin(ends) | p["to_node"].isin(ends)
        self.busy |= set(p.loc[near, "from_node"].dropna()) | set(p.loc[near, "to_node"].dropna())

    def above(self, row: int) -> int:
        """Return the pipe that runs into this one."""
        return int(np.flatnonzero(self.down == self.up[row])[0])

    def below(self, row: int) -> int:
        """Return the pipe that this one runs into."""
        return int(np.flatnonzero(self.up == self.down[row])[0])

    def length_below(self) -> Floats:
        """Return for every pipe the length in metres of the one pipe that follows it, infinite where that is not one."""
        length = np.full(len(self.out), np.inf)
        known = (self.up >= 0) & (self.pipes["flow"] == "gravity").to_numpy()
        length[self.up[known]] = self.pipes["length_m"].to_numpy()[known]
        one = (self.down >= 0) & (self.out[self.down] == 1)
        return np.where(one, length[self.down], np.inf)

    def xy(self, row: int) -> Floats:
        """Return a pipe's vertices."""
        return np.asarray(shapely.get_coordinates(self.pipes.geometry.iloc[row]))

    def id(self, row: int) -> str:
        """Return a pipe's id."""
        return str(self.pipes.at[row, "pipe_id"])

    def add(self, like: int, geometry: Any, **values: object) -> str:
        """Add a pipe with the attributes of another one, but for those given; return its id."""
        letters = "YS" if self.pipes.at[like, "kind"] == "storm" else "WS"
        self.made[letters] += 1
        row = self.pipes.iloc[[like]].copy()
        row["pipe_id"] = f"GD{letters}{8000 + self.made[letters]}"
        for column, value in values.items():
            row[column] = value
        row = row.set_geometry(gpd.GeoSeries([geometry], index=row.index, crs=row.crs))
        if geometry is not None:
            row["length_m"] = round(float(geometry.length), 2)
        self.pipes = pd.concat([self.pipes, row.astype(self.pipes.dtypes.to_dict())], ignore_index=True)
        self.up, self.down = np.append(self.up, -1), np.append(self.down, -1)
        return str(row["pipe_id"].iloc[0])

    def manhole(self, xy: Floats, node_id: str) -> None:
        """Add a sewage manhole at map coordinates, with the ground level there."""
        row = self.manholes.iloc[[0]].copy()
        row[["node_id", "kind", "type"]] = node_id, "sewage", "排水井"
        row["ground_elev_m"], row["depth_m"], row["road"] = round(float(ground.elevation(*xy)), 2), np.nan, None
        row = row.set_geometry(gpd.GeoSeries(shapely.points([xy]), index=row.index, crs=row.crs))
        self.manholes = pd.concat([self.manholes, row.astype(self.manholes.dtypes.to_dict())], ignore_index=True)

    def set_end(self, row: int, end: str, invert_m: float) -> None:
        """Set the level of a pipe's end; depth follows, ground stays."""
        p = self.pipes
        shift = invert_m - p.at[row, f"{end}_invert_m"]
        p.at[row, f"{end}_invert_m"] = round(invert_m, 3)
        p.at[row, f"{end}_depth_m"] = round(p.at[row, f"{end}_depth_m"] - shift, 3)

    def swap(self, row: int) -> None:
        """Draw a pipe the other way: shape, nodes, levels."""
        p = self.pipes
        for a, b in _PAIRS:
            p.at[row, a], p.at[row, b] = p.at[row, b], p.at[row, a]
        p.geometry = p.geometry.where(p.index != row, shapely.reverse(p.geometry.iloc[row]))


def _sewage(t: Planter) -> Bools:
    return np.asarray(t.pipes["kind"] == "sewage")


def _idle(t: Planter) -> Bools:
    """Sewers that no compound above drains through: a fault here changes no verdict."""
    return np.asarray(_sewage(t) & (t.served[t.down] == 0))


def plant_shapes(t: Planter) -> None:
    """Plant faults of shapes and ids: pieces, empty, twice, zero, overlap, a crossed outline."""
    p = t.pipes
    storm = np.asarray(p["kind"] == "storm")
    row = t.choose(storm & (p["length_m"] > 35).to_numpy())
    (a, b), f = t.xy(row), np.array([[0.4], [0.58]])
    c, d = a + (b - a) * f
    t.pipes.geometry = p.geometry.where(p.index != row, shapely.MultiLineString([[a, c], [d, b]]))
    t.tell("invalid_geometry", t.id(row), "两截之间断开 6 m 以上")

    row = t.choose(_idle(t))
    fake = t.add(row, None, status="in_use", note="坐标丢失")
    t.tell("null_geometry", fake, "管段没有坐标")

    row = t.choose(_idle(t))
    copy = {b: t.pipes.at[row, a] for a, b in _PAIRS} | {a: t.pipes.at[row, b] for a, b in _PAIRS}
    fake = t.add(row, shapely.reverse(t.pipes.geometry.iloc[row]), flow_dir="1", **copy)
    t.tell("duplicate_geometry", fake, f"与 {t.id(row)} 重合，画向相反")

    row = t.choose(_idle(t))
    spot = t.xy(row)[0]
    end = {
        "to_node": t.pipes.at[row, "from_node"],
        "to_invert_m": t.pipes.at[row, "from_invert_m"],
        "to_depth_m": t.pipes.at[row, "from_depth_m"],
    }
    fake = t.add(row, shapely.LineString([spot, spot]), **end)
    t.tell("zero_length", fake, "起点与终点相同")

    row = t.choose(_idle(t) & (t.pipes["length_m"] + t.length_below() < 73).to_numpy())
    low = t.below(row)
    t.keep(low)
    line = shapely.LineString([t.xy(row)[0], t.xy(row)[1], t.xy(low)[1]])
    end = {c: t.pipes.at[low, c] for c in ("to_node", "to_invert_m", "to_depth_m")}
    fake = t.add(row, line, **end)
    for part in (row, low):
        t.tell("overlap", t.id(part), f"{fake} 与它共线")


def plant_levels(t: Planter) -> None:
    """Plant faults of levels and sizes, each with one finding."""
    p = t.pipes
    fall = (p["from_invert_m"] - p["to_invert_m"]).to_numpy()
    depth = p[["from_depth_m", "to_depth_m"]].min(axis=1).to_numpy()

    row = t.choose(_idle(t) & (fall < 0.3) & (depth > 1.5))
    t.set_end(row, "to", p.at[row, "from_invert_m"] + 0.09)
    t.tell("adverse_slope", t.id(row), "下游管底比上游高 9 cm，流向记录无误")

    row = t.choose(_idle(t) & (fall > 0.12) & (fall < 0.4) & (depth > 1.5))
    t.set_end(row, "to", p.at[row, "from_invert_m"] - 0.03)
    t.tell("flat_slope", t.id(row), "全长只降 3 cm")

    size = p["diameter_mm"].to_numpy(copy=True)
    slope = fall / p["length_m"].to_numpy()
    before = np.array([t.above(i) if t.up[i] >= 0 and t.into[t.up[i]] == 1 else -1 for i in range(len(p))])
    row = t.choose(_sewage(t) & (size >= 500) & (size[before] == size) & (slope < slope[before]))
    step = {500.0: 400.0, 600.0: 500.0, 800.0: 600.0}[float(size[row])]
    p.at[row, "diameter_mm"] = step
    t.tell("diameter_decreases", t.id(row), f"上游 DN{size[row]:.0f} 接 DN{step:.0f}")

    row = t.choose(_idle(t) & (fall > 0.45) & (depth > 1.25))
    t.set_end(row, "from", p.at[row, "from_invert_m"] + 0.22)
    t.tell("level_mismatch", t.id(row), f"比流入它的 {t.id(t.above(row))} 高 22 cm")

    row = t.choose(_sewage(t))
    p.at[row, "from_depth_m"] = round(p.at[row, "from_depth_m"] + 0.6, 3)
    t.tell("ground_mismatch", t.id(row), "埋深多记 0.6 m")

    heads = (before >= 0) & (t.into[t.up[before]] == 0)
    head = t.above(t.choose(_idle(t) & heads))
    shallow = p.at[head, "diameter_mm"] / 1000 + 0.38
    t.set_end(head, "from", p.at[head, "from_invert_m"] + p.at[head, "from_depth_m"] - shallow)
    t.manholes.loc[t.manholes["node_id"] == p.at[head, "from_node"], "depth_m"] = round(shallow, 3)
    t.tell("cover_shallow", t.id(head), "起端覆土只有 0.38 m")

    row = t.choose(_sewage(t) & (t.served[t.down] < 3))
    p.at[row, "to_invert_m"] = 9999.0
    t.tell("sentinel_value", t.id(row), "终点管底标高填了 9999")

    row = t.choose(_idle(t) & (fall > 0.1))
    t.swap(row)
    t.tell("reversed", t.id(row), "起终点画反，标高与记录的流向相反")


def plant_network(t: Planter, names: Mapping[str, Any]) -> None:
    """Plant faults of nodes and whole pieces: names that lead nowhere, lonely manholes, long runs, an island."""
    row = t.choose(_sewage(t))
    t.pipes.at[row, "from_node"] = "WS9701"
    t.tell("node_missing", t.id(row), "起点井号 WS9701 不在井点表")

    row = t.choose(
        _idle(t)
        & (t.pipes["length_m"] + t.length_below()).between(80, 120).to_numpy()
        & (t.pipes["diameter_mm"] <= 400).to_numpy()
    )
    low = t.below(row)
    t.keep(low)
    gone = t.pipes.at[row, "to_node"]
    line = shapely.LineString([t.xy(row)[0], t.xy(row)[1], t.xy(low)[1]])
    for column in ("to_node", "to_invert_m", "to_depth_m"):
        t.pipes.at[row, column] = t.pipes.at[low, column]
    t.pipes.at[row, "length_m"] = round(line.length, 2)
    t.pipes.geometry = t.pipes.geometry.where(t.pipes.index != row, line)
    t.tell("manhole_spacing", t.id(row), "中间漏测一座井")
    t.manholes = t.manholes[t.manholes["node_id"] != gone].reset_index(drop=True)
    t.pipes.at[low, "status"] = "drop"

    hill = ground.to_map(455.0, -905.0)
    t.manhole(hill, "WS9702")
    t.tell("orphan_manhole", "WS9702", "没有管段相连", layer="manholes")

    # a few sewers of an old factory on the road north, joined to nothing, without levels or direction
    at = [ground.to_map(s, -600 + (s + 210) * 40 / 350 + 3) for s in (-120.0, -86.0, -50.0, -14.0)]
    for k, spot in enumerate(at):
        t.manhole(spot, f"WS971{k}")
    made = []
    unknown = {c: np.nan for pair in _PAIRS[1:] for c in pair} | {
        "flow_dir": "unknown",
        "data_source": "estimate",
        "road": names["streets"]["exits"][0],
    }
    for k in range(3):
        made.append(t.add(row, shapely.LineString(at[k : k + 2]), from_node=None, to_node=None, **unknown))
    t.tell("island", min(made), "老厂区的一段管，不接任何管网")


def plant_traps(t: Planter) -> None:
    """Add what looks like a fault and is none: abandoned, planned and parallel pipes, a drop manhole."""
    row = t.choose(_sewage(t))
    a, b = t.xy(row)
    side = np.array([-(b - a)[1], (b - a)[0]]) / np.linalg.norm(b - a)
    t.add(
        row,
        shapely.LineString([a + side * 3 + (b - a) * 0.1, a - side * 4 + (b - a) * 0.6]),
        status="abandoned",
        from_node=None,
        to_node=None,
        note="旧管，已封堵",
    )
    row = t.choose(_sewage(t))
    a, b = t.xy(row)
    side = np.array([-(b - a)[1], (b - a)[0]]) / np.linalg.norm(b - a)
    t.add(
        row,
        shapely.LineString([a + (b - a) * 0.5 + side * 22, a + (b - a) * 0.5 + side * 0.4]),
        status="planned",
        from_node=None,
        to_node=None,
        level="lateral",
    )
    # a branch that comes in above the main
    fall = (t.pipes["from_invert_m"] - t.pipes["to_invert_m"]).to_numpy()
    high = _idle(t) & (fall > 0.9) & (fall < 3) & (t.into[t.down] > 1)
    free = ~(t.pipes["from_node"].isin(t.busy) | t.pipes["to_node"].isin(t.busy)).to_numpy()
    row = int(np.flatnonzero(high & free)[0])
    t.keep(row)
    t.set_end(row, "to", t.pipes.at[row, "to_invert_m"] + 0.5)
    row = t.choose(_idle(t) & (t.pipes["length_m"] > 30).to_numpy())
    a, b = t.xy(row)
    side = 1.3 * np.array([-(b - a)[1], (b - a)[0]]) / np.linalg.norm(b - a)
    t.add(row, shapely.LineString([a, a + side + (b - a) * 0.06, b + side - (b - a) * 0.06, b]), note="双管")


def plant_outline(t: Planter, compound: int) -> None:
    """Cross a compound's outline at one corner, as a slipping hand does."""
    ring = shapely.get_coordinates(t.compounds.geometry.iloc[compound].exterior)[:-1]
    a, v, b = ring[-1], ring[0], ring[1]
    p = v + (a - v) / np.linalg.norm(a - v) * 3.0 + (v - b) / np.linalg.norm(v - b) * 1.0
    q = v + (b - v) / np.linalg.norm(b - v) * 3.0 + (v - a) / np.linalg.norm(v - a) * 1.0
    crossed = shapely.Polygon(np.concatenate([[q], [p], ring[1:]]).round(2))
    assert not crossed.is_valid
    t.compounds.geometry = t.compounds.geometry.where(t.compounds.index != compound, crossed)
    t.tell(
        "invalid_geometry",
        str(t.compounds.at[compound, "compound_id"]),
        "边界在一角自相交",
        layer="compounds",
        compound=str(t.compounds.at[compound, "compound_id"]),
    )
