"""This module holds price books: what a metre of pipe, a manhole, a pump and a crossing cost, low to high.

A unit price is a table by diameter and depth, or a piecewise polynomial, so that a published cost function can be entered
as it stands, in its own unit of length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.plan.standard import read_toml

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a polynomial: valid for a range of diameter and depth, lower ends excluded, upper included.

    ``terms`` are ``(coefficient, power of diameter, power of depth)``.
    """

    terms: tuple[tuple[float, float, float], ...]
    diameter: tuple[float, float] = (-math.inf, math.inf)
    depth: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A piecewise polynomial of diameter and depth; the first piece that fits holds, else the nearest end piece.

    Parameters
    ----------
    pieces : tuple of Piece
    unit_m : float
        Metres in the unit of length of the formula (0.3048 for feet). Diameter, depth and, for a price per length, the
        length itself are in this unit.
    """

    pieces: tuple[Piece, ...]
    unit_m: float = 1.0

    def __call__(self, diameter_mm: ArrayLike, depth_m: ArrayLike) -> Array:
        """Return the value, in money per unit of length or in money."""
        d = np.asarray(diameter_mm, float) / 1000.0 / self.unit_m
        h = np.asarray(depth_m, float) / self.unit_m
        d, h = np.broadcast_arrays(d, h)
        out = np.full(d.shape, np.nan)
        for piece in (*self.pieces, self.pieces[-1]):
            value = np.zeros(d.shape)
            for coefficient, a, b in piece.terms:
                value += coefficient * d**a * h**b
            fits = (d > piece.diameter[0]) & (d <= piece.diameter[1]) & (h > piece.depth[0]) & (h <= piece.depth[1])
            out = np.where(np.isnan(out) & fits, value, out)
        last = np.zeros(d.shape)
        for coefficient, a, b in self.pieces[-1].terms:
            last += coefficient * d**a * h**b
        return np.where(np.isnan(out), last, out)


@dataclass(frozen=True, slots=True)
class Table:
    """Values by diameter (mm, rows) and depth (m, columns: upper ends of bands), interpolated in depth.

    Between listed diameters the next larger one holds; beyond the ends the end values, depth going on along the last step.
    """

    diameters_mm: tuple[float, ...]
    depths_m: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def __call__(self, diameter_mm: ArrayLike, depth_m: ArrayLike) -> Array:
        """Return the value for each diameter and depth."""
        d, h = np.broadcast_arrays(np.asarray(diameter_mm, float), np.asarray(depth_m, float))
        row = np.minimum(np.searchsorted(self.diameters_mm, d - 1e-9), len(self.diameters_mm) - 1)
        depths, values = np.array(self.depths_m), np.array(self.values)
        if len(depths) == 1:
            return np.asarray(values[row, 0])
        col = np.clip(np.searchsorted(depths, h) - 1, 0, len(depths) - 2)
        share = np.maximum((h - depths[col]) / (depths[col + 1] - depths[col]), 0.0)
        return np.asarray(values[row, col] * (1 - share) + values[row, col + 1] * share)


UnitPrice = Polynomial | Table


@dataclass(frozen=True, slots=True)
class Prices:
    """A price book, in one currency.

    Attributes
    ----------
    pipe : Polynomial or Table
        Per metre laid (or per the polynomial's unit), by diameter and mean depth.
    manhole : Polynomial or Table
        Each, by outgoing diameter and depth.
    depth_to : {"invert", "crown"}
        What depth means for `pipe`: ground to invert, or ground to crown (buried depth).
    pump : tuple of float
        Fixed per station; per L/s; per L/s and metre of lift (capitalised running cost included).
    drop_manhole : float
        Surcharge where the drop passes the standard's limit.
    surface_per_m : mapping
        Reinstatement by surface; ``""`` for unknown.
    crossing : mapping
        Surcharge per crossing: river, railway, main_road.
    low, high : float
        Factors for the range; `unknown_ground` widens it where heights are guessed.
    example : bool
        The figures are no one's real prices.
    """

    name: str
    title: Text
    pipe: UnitPrice
    manhole: UnitPrice
    depth_to: Literal["invert", "crown"] = "invert"
    pump: tuple[float, float, float] = (0.0, 0.0, 0.0)
    drop_manhole: float = 0.0
    surface_per_m: Mapping[str, float] = field(default_factory=dict)
    crossing: Mapping[str, float] = field(default_factory=dict)
    low: float = 1.0
    high: float = 1.0
    unknown_ground: float = 1.0
    currency: str = "CNY"
    example: bool = False

    def __post_init__(self) -> None:
        numbers = {"pump": min(self.pump), "drop_manhole": self.drop_manhole}
        numbers |= {f"surface_per_m.{k}": v for k, v in self.surface_per_m.items()}
        numbers |= {f"crossing.{k}": v for k, v in self.crossing.items()}
        for key, value in numbers.items():
            if not 0 <= value < math.inf:
                raise _bad(self.name, key, value, ">= 0")
        if not 0 < self.low <= 1 <= self.high < math.inf:
            raise _bad(self.name, "low, high", (self.low, self.high), "0 < low <= 1 <= high")
        if isinstance(self.pipe, Table) and min(map(min, self.pipe.values)) < 0:
            raise _bad(self.name, "pipe", min(map(min, self.pipe.values)), ">= 0")

    def pipe_cost(
        self, diameter_mm: ArrayLike, depth_up_m: ArrayLike, depth_down_m: ArrayLike, length_m: ArrayLike
    ) -> Array:
        """Return the cost of pipes laid between two invert depths; the mean depth is priced.

        Negative values of a formula outside its range count as zero.
        """
        depth = 0.5 * (np.asarray(depth_up_m, float) + np.asarray(depth_down_m, float))
        if self.depth_to == "crown":
            depth = depth - np.asarray(diameter_mm, float) / 1000.0
        unit = self.pipe.unit_m if isinstance(self.pipe, Polynomial) else 1.0
        return np.asarray(np.maximum(self.pipe(diameter_mm, depth), 0.0) * np.asarray(length_m, float) / unit)

    def manhole_cost(self, diameter_mm: ArrayLike, depth_m: ArrayLike) -> Array:
        """Return the cost of manholes so deep."""
        return np.maximum(self.manhole(diameter_mm, depth_m), 0.0)

    def pump_cost(self, flow_lps: ArrayLike, lift_m: ArrayLike) -> Array:
        """Return the cost of pumping stations."""
        fixed, per_flow, per_lift = self.pump
        return np.asarray(
            fixed + per_flow * np.asarray(flow_lps) + per_lift * np.asarray(flow_lps) * np.asarray(lift_m)
        )


def load_prices(name: str | Path) -> Prices:
    """Return a shipped price book by name (``example``), or one read from a TOML file.

    Raises
    ------
    InputError
        The file is missing, is no TOML, or holds an unknown or impossible figure; the message names the key.
    """
    path, data = read_toml(name, "prices", Text("价格本", "price book"))
    return prices_from(data, path.stem)


def prices_from(data: Mapping[str, Any], name: str) -> Prices:
    """Return the price book that a parsed TOML table describes."""
    values = dict(data)
    values.setdefault("name", name)
    title = values.pop("title", {})
    values["title"] = Text(title.get("zh", name), title.get("en", name))
    for key in ("pipe", "manhole"):
        if key not in values:
            raise _bad(name, key, None, "a table or pieces")
        values[key] = _unit_price(values[key], f"{name} › {key}")
    pump = values.pop("pump", {})
    values["pump"] = tuple(float(pump.get(k, 0.0)) for k in ("each", "per_lps", "per_lps_m"))
    try:
        return Prices(**values)
    except TypeError as error:
        known = set(Prices.__dataclass_fields__)
        unknown = sorted(set(values) - known)
        raise _bad(
            name, unknown[0] if unknown else "?", values.get(unknown[0]) if unknown else None, "a known key"
        ) from (error)


def _unit_price(data: Mapping[str, Any], where: str) -> UnitPrice:
    try:
        if "pieces" in data:
            pieces = tuple(
                Piece(
                    terms=tuple((float(c), float(a), float(b)) for c, a, b in p["terms"]),
                    diameter=_range(p.get("diameter")),
                    depth=_range(p.get("depth")),
                )
                for p in data["pieces"]
            )
            return Polynomial(pieces, float(data.get("unit_m", 1.0)))
        diameters = tuple(float(d) for d in data["diameters_mm"])
        values = tuple(tuple(float(x) for x in row) for row in data["values"])
        depths = tuple(float(h) for h in data["depths_m"])
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(where, str(error), dict(data), "pieces, or diameters_mm, depths_m, values") from error
    if len(values) != len(diameters) or any(len(row) != len(depths) for row in values):
        raise _bad(where, "values", f"{len(values)} rows", f"{len(diameters)} rows of {len(depths)}")
    return Table(diameters, depths, values)


def _range(value: Any) -> tuple[float, float]:
    return (float(value[0]), float(value[1])) if value else (-math.inf, math.inf)


def _bad(name: str, key: str, value: object, wanted: str) -> InputError:
    return InputError(
        Text(f"{key} = {value!r} 不可用。", f"{key} = {value!r} cannot be used."),
        Text(f"应为：{wanted}。", f"Wanted: {wanted}."),
        where=name,
    )
