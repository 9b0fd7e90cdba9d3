"""This module tells what stands in the way of a straight piece: houses and water to keep clear of, and what is crossed for money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

Array = np.ndarray[Any, Any]

CROSSED = ("river", "railway", "main_road")
_CROSSED_LAYERS = {"river": "water", "railway": "railways"}
MAIN_CLASSES = ("main",)
"""Classes of streets that cost a surcharge to cross."""
_TOUCH_M = 0.5


def obstacles(*frames: Any) -> Any:
    """Return a tree of what is to be kept clear of; None where there is nothing."""
    shapes = [f.geometry.to_numpy() for f in frames if f is not None and len(f)]
    shape = np.concatenate(shapes) if shapes else np.empty(0, object)
    shape = shape[np.isin(shapely.get_type_id(shape), (1, 3, 5, 6)) & shapely.is_valid(shape)]
    return shapely.STRtree(shape) if len(shape) else None


def clear(lines: Array, own: Array, there: Any) -> Array:
    """Whether lines miss every building that does not belong to the compound they leave."""
    out = np.ones(len(lines), bool)
    if there is not None and len(lines):
        line, house = there.query(lines, predicate="crosses")
        foreign = ~shapely.intersects(there.geometries[house], own[line])
        out[line[foreign]] = False
    return out


def crossings(layers: Mapping[str, Any], start: Array, end: Array, street: Array) -> Array:
    """Return how often each piece crosses what `CROSSED` names; ``street`` is the row of the street it follows, -1."""
    lines = np.asarray(shapely.linestrings(np.stack([start, end], axis=1))) if len(start) else np.empty(0, object)
    out = np.zeros((len(lines), len(CROSSED)))
    if not len(lines):
        return out
    tree = shapely.STRtree(lines)
    for column, name in enumerate(CROSSED[:2]):
        frame = layers.get(_CROSSED_LAYERS[name])
        if frame is None or not len(frame):
            continue
        shape = frame.geometry.to_numpy()
        shape = shape[~shapely.is_missing(shape) & shapely.is_valid(shape)]
        out[:, column] = np.bincount(tree.query(shape, predicate="intersects")[1], minlength=len(lines))
    out[:, 2] = _main_roads(layers.get("streets"), tree, lines, street)
    return out


def _main_roads(streets: Any, tree: Any, lines: Array, street: Array) -> Array:
    """Return how many main roads each piece crosses; a side street that ends on one crosses half of it."""
    out = np.zeros(len(lines))
    if streets is None or not len(streets) or "class" not in streets:
        return out
    shape = streets.geometry.to_numpy()
    main = np.isin(streets["class"].astype(str).to_numpy(object), MAIN_CLASSES)
    rows = np.flatnonzero(main & ~shapely.is_missing(shape) & np.isin(shapely.get_type_id(shape), (1, 5)))
    hit, piece = tree.query(shape[rows], predicate="intersects")
    hit = rows[hit]
    side = street[piece] >= 0
    own = street[piece] == hit
    across = shapely.crosses(lines[piece], shape[hit]) & (shapely.distance(shape[hit], _ends(lines[piece])) > _TOUCH_M)
    side &= ~main[np.maximum(street[piece], 0)] & ~across
    np.add.at(out, piece[across & ~own], 1.0)
    # each of the roads that meet there counts once, in whatever pieces it is stored
    met = np.unique(piece[side & ~own])
    out[met] += 0.5
    # from one footway to the other of the same road
    np.add.at(out, piece[across & own], 1.0)
    return out


def _ends(lines: Array) -> Array:
    xy = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    return np.asarray(shapely.multipoints(xy))
