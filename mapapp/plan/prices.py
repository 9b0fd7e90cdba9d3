"""This module holds price books: what a metre of pipe, a manhole, a pump and a crossing cost, low to high.

A unit price is a table by diameter and depth, or a piecewise polynomial, so that a published cost function can be entered
as it stands, in its own unit of length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from mapapp.core.text import Text
from mapapp.plan.books import bad, made, read_toml, titled

Array = np.ndarray[Any, Any]
MOST = 1e12
"""No unit price is as high as this, in any currency."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a polynomial: valid for a range of diameter and depth, lower ends excluded, upper included.

    ``terms`` are ``(coefficient, power of diameter, power of depth)``, whole or broken powers; a fourth number is a power of
    the length of the pipe, one where it is left out. ``depth_plus`` is added to the depth before its powers are taken: what
    is dug below the pipe, say.
    """

    terms: tuple[tuple[float, ...], ...]
    diameter: tuple[float, float] = (-math.inf, math.inf)
    depth: tuple[float, float] = (-math.inf, math.inf)
    depth_plus: float = 0.0


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

    def __call__(self, diameter_mm: ArrayLike, depth_m: ArrayLike, length_m: ArrayLike | None = None) -> Array:
        """Return the money for pipes so long; without a length, the money per unit of length, or each."""
        d = np.asarray(diameter_mm, float) / 1000.0 / self.unit_m
        h = np.asarray(depth_m, float) / self.unit_m
        long = np.asarray(1.0 if length_m is None else np.asarray(length_m, float) / self.unit_m)
        d, h, long = np.broadcast_arrays(d, h, long)
        one = 0.0 if length_m is None else 1.0
        out = np.zeros(d.shape)
        open_ = np.ones(d.shape, bool)
        for i, piece in enumerate((*self.pieces, self.pieces[-1])):
            fits = (d > piece.diameter[0]) & (d <= piece.diameter[1]) & (h > piece.depth[0]) & (h <= piece.depth[1])
            fits = open_ & (fits | (i == len(self.pieces)))
            open_ &= ~fits
            x, y, z = d[fits], h[fits] + piece.depth_plus, long[fits]
            if len(x):
                out[fits] = sum(t[0] * x ** t[1] * y ** t[2] * z ** (t[3] if len(t) > 3 else one) for t in piece.terms)
        return out


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
class Running:
    """What a pumping station costs after it is built, power apart.

    ``yearly``: money at the end of each year; ``renewal``: money every ``renewal_years``, not at the end of the life.
    """

    yearly: float = 0.0
    renewal: float = 0.0
    renewal_years: float = 10.0
    life_years: float = 30.0
    interest: float = 0.04

    @property
    def worth(self) -> float:
        """Today's worth of it all, at ``interest`` per year (share, not per cent)."""
        years = np.arange(1, int(self.life_years) + 1)
        again = np.arange(1, math.ceil(self.life_years / self.renewal_years)) * self.renewal_years
        now = 1.0 + self.interest
        return float(self.yearly * (now**-years).sum() + self.renewal * (now**-again).sum())


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
        What depth means for `pipe` and `lower_end`: ground to invert, or ground to crown (buried depth).
    lower_end : Polynomial or Table, optional
        What a pipe costs besides, by the depth at its lower end; likewise per metre. A term with the power zero of the length
        is money per pipe: a manhole at the lower end. For sizing a given tree, not for plans.
    pump : tuple of float
        Fixed per station, ``running`` included; per L/s; per L/s and metre of lift (power over its life).
    running : Running, optional
        How the part of the fixed sum that is not building was worked out, to be told.
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
    running: Running | None = None
    lower_end: UnitPrice | None = None

    def __post_init__(self) -> None:
        numbers = {"pump": min(self.pump), "drop_manhole": self.drop_manhole}
        numbers |= {f"surface_per_m.{k}": v for k, v in self.surface_per_m.items()}
        numbers |= {f"crossing.{k}": v for k, v in self.crossing.items()}
        for key, value in numbers.items():
            if not 0 <= value < math.inf:
                raise bad(self.name, key, value, ">= 0")
        if not 0 < self.low <= 1 <= self.high < math.inf:
            raise bad(self.name, "low, high", (self.low, self.high), "0 < low <= 1 <= high")
        for key, price in (("pipe", self.pipe), ("manhole", self.manhole), ("lower_end", self.lower_end)):
            if price is not None:
                _check(f"{self.name} › {key}", price)

    @property
    def by_length(self) -> bool:
        """Whether a pipe twice as long costs anything but twice as much."""
        terms = [t for p in self.pipe.pieces for t in p.terms] if isinstance(self.pipe, Polynomial) else []
        return any(len(t) > 3 and t[3] != 1.0 for t in terms)

    def pipe_cost(
        self, diameter_mm: ArrayLike, depth_up_m: ArrayLike, depth_down_m: ArrayLike, length_m: ArrayLike
    ) -> Array:
        """Return the cost of pipes laid between two invert depths; the mean depth is priced.

        Negative values of a formula outside its range count as zero.
        """
        depth = 0.5 * (np.asarray(depth_up_m, float) + np.asarray(depth_down_m, float))
        return self._laid(self.pipe, diameter_mm, depth, length_m)

    def end_cost(self, diameter_mm: ArrayLike, depth_down_m: ArrayLike, length_m: ArrayLike) -> Array:
        """Return what `lower_end` adds for pipes that end at an invert depth; zero without it."""
        if self.lower_end is None:
            return np.zeros(np.broadcast_shapes(*(np.shape(x) for x in (diameter_mm, depth_down_m, length_m))))
        return self._laid(self.lower_end, diameter_mm, np.asarray(depth_down_m, float), length_m)

    def _laid(self, price: UnitPrice, diameter_mm: ArrayLike, depth: Array, length_m: ArrayLike) -> Array:
        if self.depth_to == "crown":
            depth = depth - np.asarray(diameter_mm, float) / 1000.0
        if isinstance(price, Polynomial):
            return np.maximum(price(diameter_mm, depth, length_m), 0.0)
        return np.asarray(np.maximum(price(diameter_mm, depth), 0.0) * np.asarray(length_m, float))

    def manhole_cost(self, diameter_mm: ArrayLike, depth_m: ArrayLike) -> Array:
        """Return the cost of manholes so deep."""
        return np.maximum(self.manhole(diameter_mm, depth_m), 0.0)

    def pump_cost(self, flow_lps: ArrayLike, lift_m: ArrayLike) -> Array:
        """Return the cost of pumping stations."""
        fixed, per_flow, per_lift = self.pump
        return np.asarray(
            fixed + per_flow * np.asarray(flow_lps) + per_lift * np.asarray(flow_lps) * np.asarray(lift_m)
        )


def _check(where: str, price: UnitPrice) -> None:
    """Refuse figures that are no prices."""
    if isinstance(price, Table):
        for key, steps in (("diameters_mm", price.diameters_mm), ("depths_m", price.depths_m)):
            if not steps or any(not a < b for a, b in pairwise(steps)) or not all(map(math.isfinite, steps)):
                raise bad(where, key, steps, "ascending numbers")
        for value in (x for row in price.values for x in row):
            if not 0 <= value < MOST:
                raise bad(where, "values", value, f"0 to {MOST:g}")
        return
    if not price.pieces or not 0 < price.unit_m < math.inf:
        raise bad(where, "pieces, unit_m", price.unit_m, "pieces, and a unit above zero")
    for term in (t for piece in price.pieces for t in (*piece.terms, (piece.depth_plus, 0.0, 0.0))):
        if len(term) not in (3, 4) or not all(abs(x) < MOST for x in term):
            raise bad(
                where, "terms", term, "[coefficient, power of diameter, power of depth] or with a power of length"
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
    values = titled(data, name)
    for key in ("pipe", "manhole", *({"lower_end"} & set(values))):
        if not isinstance(values.get(key), Mapping):
            raise bad(name, key, values.get(key), "a table or pieces")
        values[key] = _unit_price(values[key], f"{name} › {key}")
    pump = values.pop("pump", {})
    try:
        each, *rest = (float(pump.get(k, 0.0)) for k in ("each", "per_lps", "per_lps_m"))
        keys = {f.name: float(pump[f.name]) for f in fields(Running) if f.name in pump}
    except (AttributeError, TypeError, ValueError) as error:
        raise bad(name, "pump", pump, "each, per_lps, per_lps_m") from error
    known = {"each", "per_lps", "per_lps_m", *(f.name for f in fields(Running))}
    if unknown := sorted(set(pump) - known):
        raise bad(name, f"pump › {unknown[0]}", pump[unknown[0]], "one of " + " ".join(sorted(known)))
    if keys:
        running = values["running"] = _running(keys, name)
        each += running.worth
    values["pump"] = (each, *rest)
    return made(Prices, values, name)


def _running(keys: Mapping[str, float], name: str) -> Running:
    """Return the running cost of stations; absurd figures are named."""
    running = Running(**keys)
    for key, value in keys.items():
        low, high = {"life_years": (1.0, 200.0), "renewal_years": (1.0, 200.0)}.get(key, (0.0, MOST))
        if not low <= value < (1.0 if key == "interest" else high):
            raise bad(name, f"pump › {key}", value, "0 to 1" if key == "interest" else f"{low:g} to {high:g}")
    return running


def _unit_price(data: Mapping[str, Any], where: str) -> UnitPrice:
    try:
        if "pieces" in data:
            pieces = tuple(
                Piece(
                    terms=tuple(tuple(float(x) for x in term) for term in p["terms"]),
                    diameter=_range(p.get("diameter")),
                    depth=_range(p.get("depth")),
                    depth_plus=float(p.get("depth_plus", 0.0)),
                )
                for p in data["pieces"]
            )
            return Polynomial(pieces, float(data.get("unit_m", 1.0)))
        diameters = tuple(float(d) for d in data["diameters_mm"])
        values = tuple(tuple(float(x) for x in row) for row in data["values"])
        depths = tuple(float(h) for h in data["depths_m"])
    except (KeyError, TypeError, ValueError) as error:
        raise bad(where, str(error), dict(data), "pieces, or diameters_mm, depths_m, values") from error
    if len(values) != len(diameters) or any(len(row) != len(depths) for row in values):
        raise bad(where, "values", f"{len(values)} rows", f"{len(diameters)} rows of {len(depths)}")
    return Table(diameters, depths, values)


def _range(value: Any) -> tuple[float, float]:
    return (float(value[0]), float(value[1])) if value else (-math.inf, math.inf)
