"""This module gathers the compiled loops, so that they are one piece of machine code: lines, points, graph."""

from __future__ import annotations

from mapapp.core.loops_graph import alone, beside_ground, components, drains_to, flow, middles, same_ends, steps
from mapapp.core.loops_lines import all_distinct, lengths, plain_wkb, taken, vertices_of
from mapapp.core.loops_points import (
    in_marked_cells,
    join_ends,
    labelled,
    points_near_segments,
    reaches,
    sorted_into_cells,
    strings_around,
)

__all__ = [
    "all_distinct", "alone", "beside_ground", "components", "drains_to", "flow", "in_marked_cells", "join_ends", "labelled", "lengths", "middles",
    "plain_wkb", "points_near_segments", "reaches", "same_ends", "sorted_into_cells", "steps", "strings_around", "taken", "vertices_of",
]  # fmt: skip
