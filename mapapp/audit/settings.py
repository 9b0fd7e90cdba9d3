"""This module holds the figures that the audit judges by, each with its source, in one frozen value."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from mapapp.core.errors import InputError
from mapapp.core.text import Text


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Figures of the audit; every one can be replaced.

    Distances are in metres, slopes are ratios. The design figures are those of GB 50014-2021; the slopes of sizes above
    DN300 and of DN200 are in common use beside it.

    Attributes
    ----------
    snap_m
        Pipe ends and manholes no farther apart are one node.
    near_miss_m
        A loose end that comes this near to another pipe of its system, without joining, is a near miss.
    join_m
        A pipe end or manhole this near to a compound's outline joins the compound; outside it, a manhole that the
        street's main passes through does not.
    point_radius_m
        A compound that is only a point stands for a circle of this radius, and only laterals, internal pipes and
        loose ends join it (a manhole of the street's main may well lie inside the circle).
    no_main_m
        Beyond this distance (along streets where known) there is no main near.
    survey_reach_m
        Without survey areas, a place counts as surveyed when a pipe lies within this distance.
    survey_edge_m
        A pipe end this near to the border of the surveyed area was cut by it, and is not loose.
    outlet_reach_m
        An outlet farther from every node than `snap_m` is joined to the loose ends within this distance, else to the
        nearest node or pipe.
    street_reach_m
        How far a compound or a main may lie from a street to be reached along it.
    straight_factor
        Length of a link per straight metre where streets are unknown.
    duplicate_m
        Two pipes nowhere farther apart are one, drawn twice.
    overlap_m
        Shortest common stretch of two pipes that is an overlap.
    level_step_m, drop_m
        Largest step up at a manhole that passes for survey noise; largest drop without a drop manhole (5.5.1-5.5.2).
    ground_m
        Largest difference of ground level against invert plus depth.
    adverse_m
        Smallest rise along a pipe that is an adverse slope.
    cover_m
        Least cover over the crown: 0.6 m under footways, 0.7 m under carriageways (5.3.7).
    min_slope
        Diameter in mm up to which a least slope holds; table 5.2.10 for DN300.
    spacing
        Diameter in mm up to which a greatest manhole spacing in metres holds (table 5.4.4).
    link_slope
        Least slope of a new link, DN300 (table 5.2.10).
    candidate_reach_m, candidates
        How far to look for manholes that could take a compound's sewage, and how many to name.
    outlet_depth_m, ground_reach_m
        Where a compound's own outlet has no level, candidates estimate it: this far below the ground (0.7 m of cover,
        5.3.7, and a DN300) of the nearest manhole with a ground level within the reach.
    lateral_share
        Share of compounds that pipe ends must join before a survey without a single pipe of level lateral or internal
        counts as one that surveyed laterals: a main's end that happens to lie in an outline does not make it one.
    drawn_downstream
        From this share on of pipes with levels that are drawn downhill, drawing order counts as a record of flow.
    """

    snap_m: float = 0.05
    near_miss_m: float = 1.0
    join_m: float = 1.0
    point_radius_m: float = 30.0
    no_main_m: float = 150.0
    survey_reach_m: float = 500.0
    survey_edge_m: float = 1.0
    outlet_reach_m: float = 5.0
    street_reach_m: float = 60.0
    straight_factor: float = 1.3
    duplicate_m: float = 0.2
    overlap_m: float = 1.0
    level_step_m: float = 0.05
    drop_m: float = 2.0
    ground_m: float = 0.1
    adverse_m: float = 0.005
    cover_m: float = 0.6
    min_slope: tuple[tuple[float, float], ...] = (
        (250, 0.004),
        (350, 0.003),
        (450, 0.0015),
        (550, 0.0012),
        (700, 0.0010),
        (900, 0.0008),
        (math.inf, 0.0006),
    )
    spacing: tuple[tuple[float, float], ...] = ((600, 75), (1000, 100), (1500, 150), (math.inf, 200))
    link_slope: float = 0.003
    candidate_reach_m: float = 500.0
    candidates: int = 3
    outlet_depth_m: float = 1.0
    ground_reach_m: float = 100.0
    lateral_share: float = 0.02
    drawn_downstream: float = 0.6

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name in ("min_slope", "spacing"):
                bad = not value or list(value) != sorted(value)
            else:
                bad = not isinstance(value, int | float) or not math.isfinite(value) or value < 0
            if bad:
                raise InputError(
                    Text(f"审查参数 {f.name} 的值 {value!r} 不可用。", f"The audit setting {f.name} is {value!r}."),
                    Text(
                        "需要不小于零的数，表格按管径递增。",
                        "It needs a number not below zero; tables rise with diameter.",
                    ),
                )
        if self.snap_m >= self.near_miss_m:
            raise InputError(
                Text(
                    f"捕捉容差 {self.snap_m} 米不小于近失容差 {self.near_miss_m} 米。",
                    f"The snap tolerance {self.snap_m} m is not below the near-miss distance {self.near_miss_m} m.",
                ),
                Text("请让 snap_m 小于 near_miss_m。", "Make snap_m smaller than near_miss_m."),
            )
