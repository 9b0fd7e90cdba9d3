"""This module holds design standards: the figures of a code, as a plain TOML file or as a value made in Python."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from mapapp.core.text import Text
from mapapp.plan.books import bad, made, read_toml, titled
from mapapp.plan.flow import Roughness, Wall

Array = np.ndarray[Any, Any]
Steps = tuple[tuple[float, float], ...]
"""A figure by diameter (mm) or flow (L/s): pairs of threshold and value, ascending."""


@dataclass(frozen=True, slots=True)
class Standard:
    """Rules for gravity sewers.

    Attributes
    ----------
    sizes_mm : tuple of float
        Diameters that may be built; those below `min_diameter_mm` are left out.
    min_slope : Steps
        Least slope by diameter; the value of the largest threshold not above the diameter holds.
    max_fill : Steps
        Greatest depth of flow over diameter, by diameter, likewise.
    roughness : float
        Manning's n.
    wall_mm : float
        Height of the wall's roughness; above zero, Darcy-Weisbach with Colebrook-White takes the place of Manning's formula in
        gravity sewers.
    min_velocity_ms, max_velocity_ms : float
        At the design flow; a least velocity of zero asks for none.
    velocity_at : {"design", "full"}
        Whether the least velocity is that of the design flow, or that of the pipe running full.
    min_shear_pa : Steps
        Least mean shear at the wall by diameter (Pa), weight of water x hydraulic radius x slope; zero asks for none.
    slope_steps : tuple of float
        Least slopes are rounded up to the next of these, for slopes that are set out in steps; above the last there is none.
        Where the ground is steeper than a pipe must be, its slope is the ground's. Empty: any slope.
    velocity_exempts_smallest : bool
        The smallest size at its least slope needs no check of velocity or shear: at the head of a network no flow would reach it.
    min_cover_m, max_depth_m : float
        Ground to crown at least; ground to invert at most.
    join : {"crown", "invert", "water"}
        Which level must not rise where pipes meet.
    sizes_may_fall : bool
        Whether a smaller size may follow downstream.
    spacing_m : Steps
        Greatest distance of manholes by diameter.
    peak : Steps
        Peak factor by mean flow in L/s, interpolated; outside, the end values hold.
    litres_per_person_day, return_share, persons_per_household, infiltration_share : float
        For the sewage flow of households.
    drop_manhole_m : float
        From this drop on a manhole counts as a drop manhole.
    pressure_velocity_ms : tuple of float
        Least and greatest velocity in a rising main.
    pressure_sizes_mm : tuple of float
        Sizes for rising mains.
    """

    name: str
    title: Text
    sizes_mm: tuple[float, ...]
    min_slope: Steps
    max_fill: Steps
    min_diameter_mm: float = 0.0
    roughness: float = 0.013
    wall_mm: float = 0.0
    velocity_at: Literal["design", "full"] = "design"
    min_velocity_ms: float = 0.6
    max_velocity_ms: float = 5.0
    min_shear_pa: Steps = ((0.0, 0.0),)
    slope_steps: tuple[float, ...] = ()
    velocity_exempts_smallest: bool = True
    min_cover_m: float = 0.7
    max_depth_m: float = 7.0
    join: Literal["crown", "invert", "water"] = "crown"
    sizes_may_fall: bool = False
    spacing_m: Steps = ((0.0, 75.0),)
    peak: Steps = ((0.0, 1.0),)
    litres_per_person_day: float = 180.0
    return_share: float = 0.9
    persons_per_household: float = 3.2
    infiltration_share: float = 0.0
    drop_manhole_m: float = 1.0
    pressure_velocity_ms: tuple[float, float] = (0.7, 2.0)
    pressure_sizes_mm: tuple[float, ...] = (50.0, 80.0, 100.0, 150.0, 200.0, 250.0, 300.0, 400.0, 500.0)
    notes: tuple[Text, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.allowed_mm:
            raise bad(self.name, "sizes_mm", self.sizes_mm, f">= min_diameter_mm {self.min_diameter_mm:g}")
        for key in ("roughness", "max_velocity_ms", "max_depth_m", "litres_per_person_day", "persons_per_household"):
            if not 0 < getattr(self, key) < math.inf:
                raise bad(self.name, key, getattr(self, key), "> 0")
        for key in ("min_slope", "max_fill", "spacing_m", "peak", "min_shear_pa"):
            steps = getattr(self, key)
            if not steps or any(b[0] <= a[0] for a, b in pairwise(steps)):
                raise bad(self.name, key, steps, "ascending [threshold, value] pairs")
            if any(not 0 <= value < math.inf for _, value in steps):
                raise bad(self.name, key, steps, "values >= 0")
        if any(not 0 <= a < b < math.inf for a, b in pairwise((0.0, *self.slope_steps))):
            raise bad(self.name, "slope_steps", self.slope_steps, "ascending slopes above 0")
        if any(not 0 < value <= 1 for _, value in self.max_fill):
            raise bad(self.name, "max_fill", self.max_fill, "above 0, at most 1 (flowing full)")
        for key in ("min_velocity_ms", "wall_mm", "min_cover_m"):
            if not 0 <= getattr(self, key) < math.inf:
                raise bad(self.name, key, getattr(self, key), ">= 0")
        if self.velocity_at not in ("design", "full"):
            raise bad(self.name, "velocity_at", self.velocity_at, "design | full")
        if self.wall_mm and self.join == "water":
            raise bad(self.name, "wall_mm", self.wall_mm, "0 where pipes join by water level")
        if self.join not in ("crown", "invert", "water"):
            raise bad(self.name, "join", self.join, "crown | invert | water")

    @property
    def allowed_mm(self) -> tuple[float, ...]:
        """Sizes that may be built, ascending."""
        return tuple(sorted(d for d in self.sizes_mm if d >= self.min_diameter_mm))

    @property
    def resistance(self) -> Roughness:
        """What slows the water in a gravity sewer: Manning's n, or a wall."""
        return Wall(self.wall_mm / 1000.0) if self.wall_mm else self.roughness

    def slope(self, diameter_mm: ArrayLike) -> Array:
        """Return the least slope by diameter, before any check of flow."""
        return step_value(self.min_slope, diameter_mm)

    def fill(self, diameter_mm: ArrayLike) -> Array:
        """Return the greatest fill h/D by diameter."""
        return step_value(self.max_fill, diameter_mm)

    def shear(self, diameter_mm: ArrayLike) -> Array:
        """Return the least shear at the wall (Pa) by diameter."""
        return step_value(self.min_shear_pa, diameter_mm)

    def spacing(self, diameter_mm: ArrayLike) -> Array:
        """Return the greatest distance of manholes in metres by diameter."""
        return step_value(self.spacing_m, diameter_mm)

    def design_flow_lps(self, households: ArrayLike) -> Array:
        """Return the peak sewage flow of so many households (L/s).

        Mean flow from persons, quota and return share; times the peak factor; plus infiltration as a share of the mean.
        Zero or unknown households give zero.
        """
        people = np.nan_to_num(np.asarray(households, float)) * self.persons_per_household
        mean = people * self.litres_per_person_day * self.return_share / 86_400.0
        flow, factor = np.array(self.peak).T
        return np.asarray(mean * np.interp(mean, flow, factor) + mean * self.infiltration_share)


def step_value(steps: Steps, x: ArrayLike) -> Array:
    """Return the value of the largest threshold not above ``x``; below the first, the first."""
    at, value = np.array(steps).T
    return np.asarray(value[np.maximum(np.searchsorted(at, np.asarray(x, float), side="right") - 1, 0)])


def load_standard(name: str | Path) -> Standard:
    """Return a shipped standard by name (``gb50014-2021``), or one read from a TOML file.

    Raises
    ------
    InputError
        The file is missing, is no TOML, or holds an unknown or impossible figure; the message names the key.
    """
    path, data = read_toml(name, "standards", Text("设计标准", "design standard"))
    return standard_from(data, path.stem)


def standard_from(data: Mapping[str, Any], name: str) -> Standard:
    """Return the standard that a parsed TOML table describes."""
    values = titled(data, name)
    notes = values.pop("notes", ())
    if not all(isinstance(n, Mapping) for n in notes):
        raise bad(name, "notes", notes, "[[notes]] with zh and en")
    values["notes"] = tuple(Text(n.get("zh", ""), n.get("en", "")) for n in notes)
    for key in (
        "min_slope",
        "max_fill",
        "spacing_m",
        "peak",
        "sizes_mm",
        "pressure_sizes_mm",
        "pressure_velocity_ms",
        "min_shear_pa",
        "slope_steps",
    ):
        if key in values:
            try:
                values[key] = _tuple(values[key])
            except (TypeError, ValueError) as error:
                raise bad(name, key, values[key], "numbers") from error
    return made(Standard, values, name)


def _tuple(values: Any) -> tuple[Any, ...]:
    return tuple(tuple(float(x) for x in v) if isinstance(v, list | tuple) else float(v) for v in values)
