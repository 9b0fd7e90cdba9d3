"""This module reads what stands beside a line in a drawing: the size of the pipe, where only one line can be meant."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from mapapp.ingest.words import plain

_SIZE = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:DN|De|D|Φ|φ|Ø|ø|⌀)\s*=?\s*\d{2,4}(?!\d)|\d{2,4}\s*[x×*]\s*\d{2,4}(?!\d))", re.IGNORECASE
)
_REACH_HEIGHTS = 3.0
_REACH_M = 2.0
_CLEARLY_NEARER = 1.5
_GLYPH = 0.7
"""A letter is about this wide, in text heights."""


@dataclass(frozen=True, slots=True)
class Label:
    """One text of a drawing: the middle of its words and their height, in the drawing's units."""

    x: float
    y: float
    height: float
    text: str


def label_of(entity: Any) -> Label:
    """Return a TEXT or MTEXT of ezdxf; the middle of a left-aligned text lies half its length after its insertion."""
    mtext = entity.dxftype() == "MTEXT"
    text = plain(entity.plain_text()).split("\n")[0]
    height = float(entity.dxf.get("char_height" if mtext else "height", 1.0)) or 1.0
    at = entity.dxf.insert
    turn = math.radians(float(entity.get_rotation() if mtext else entity.dxf.get("rotation", 0.0)))
    left = entity.dxf.get("attachment_point", 1) % 3 == 1 if mtext else not entity.dxf.get("halign", 0)
    if not left and not mtext and entity.dxf.hasattr("align_point"):
        at = entity.dxf.align_point
    half = 0.5 * _GLYPH * height * len(text) if left else 0.0
    return Label(at.x + half * math.cos(turn), at.y + half * math.sin(turn), height, text)


def sizes_beside(shapes: NDArray[np.object_], labels: Sequence[Label], metre: float = 1.0) -> list[str | None]:
    """Return for each line the pipe size written beside it, None where there is none or it could belong elsewhere.

    A text counts where it holds one size (``DN300``, ``Φ300``, ``600x400``), lies within three text heights or two
    metres of a line, and no other line is nearly as near (1.5 times the distance). A line whose texts disagree has
    none. Lines that are no lines have none.

    Parameters
    ----------
    metre : float
        Drawing units in a metre.
    """
    out: list[str | None] = [None] * len(shapes)
    told = [(label, found[0]) for label in labels if len(found := _SIZE.findall(label.text)) == 1]
    lines = np.flatnonzero(shapely.get_type_id(shapes) == 1)
    if not told or not len(lines):
        return out
    points = shapely.points([(label.x, label.y) for label, _ in told])
    reach = np.array([max(_REACH_HEIGHTS * label.height, _REACH_M * metre) for label, _ in told])
    which, near = shapely.STRtree(shapes[lines]).query(points, predicate="dwithin", distance=reach * _CLEARLY_NEARER)
    away = shapely.distance(points[which], shapes[lines[near]])
    order = np.lexsort((away, which))
    which, near, away = which[order], near[order], away[order]
    first = np.flatnonzero(np.diff(which, prepend=-1))
    second = first + 1
    rivalled = np.zeros(len(first), dtype=bool)
    there = second < len(which)
    there[there] = which[second[there]] == which[first[there]]
    rivalled[there] = away[second[there]] < _CLEARLY_NEARER * away[first[there]] + 0.1 * metre
    sure = first[~rivalled & (away[first] <= reach[which[first]])]
    said: dict[int, set[str]] = {}
    for text, line in zip(which[sure], lines[near[sure]], strict=True):
        said.setdefault(int(line), set()).add(re.sub(r"\s", "", told[text][1]).upper())
    for line, sizes in said.items():
        if len(sizes) == 1:
            out[line] = sizes.pop()
    return out
