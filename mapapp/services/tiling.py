"""This module serves vector tiles of what one asker sees, from derived, versioned caches built on first use.

A cache is built from a `frames.View`'s own frame, so that a tile can only hold what that asker may see: a share gets a
cache of its own rows, columns and outlines, and askers who see the same share one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import geopandas as gpd

from mapapp import tiles
from mapapp.core import schema
from mapapp.core.errors import InputError, MapappError, NotFoundError
from mapapp.core.text import Text
from mapapp.services import scope as scopes
from mapapp.services.frames import View
from mapapp.services.scope import Scope

ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "compounds": (
        "name",
        "street",
        "programme_year",
        "status",
        "letter",
        "verdict",
        "unit",
        "rules",
        "sewer_pending",
        "relapsed",
    ),
    "verdicts": ("verdict", "distance_m"),
    "findings": ("rule", "severity", "status", "layer", "feature_id"),
    "pipes": ("kind", "status", "level", "flow", "flow_dir", "diameter_mm", "material"),
    "manholes": ("kind", "type", "found"),
    "outlets": ("facility", "category"),
    "inlets": ("form",),
    "streets": ("name", "class"),
    "buildings": ("building_no", "floors", "households", "compound_id"),
    "survey_areas": ("covers", "date"),
    "waters": ("name", "class"),
    "railways": ("name",),
    "spot_heights": ("elev_m",),
    "links": ("diameter_mm", "length_m", "pump", "cost", "compound_ids"),
    "candidates": ("compound_id", "rank", "manhole_id", "gravity", "length_m"),
}
"""What a tile carries of each layer besides its key, where the asker may see it; never free text, never people."""

TILE_NAMES: Final[Mapping[str, str]] = {"programme_year": "year", "rules": "rule"}
"""Columns that go by the address's short name in tiles, so that the page filters by one name."""

MAX_ZOOM: Final = 22
_KEEP_DAYS: Final = 3.0
_MOST_OPEN: Final = 64
_open: OrderedDict[Path, tiles.TileSource] = OrderedDict()
"""The caches used last: every version of a layer has its own, and each keeps files open."""
_lock = threading.Lock()


class BusyError(MapappError):
    """The cache is being built by somebody else; ask again soon."""

    http_status = 503


def attributes(view: View, layer: str) -> list[str]:
    """Return the attribute names in this asker's tiles of a layer, the key first."""
    allowed = view.access(layer)
    key = schema.layer(layer).key
    names = [key, *(c for c in ATTRIBUTES.get(layer, ()) if c in view.table(layer).columns and allowed.allows(c))]
    return [TILE_NAMES.get(name, name) for name in names]


def address(view: View, layer: str, base: str = "") -> str:
    """Return where a page asks for this asker's tiles of a layer, with ``{z}/{x}/{y}``; ``base`` as in `describing.describe`."""
    as_of = f"&as={view.snapshot.id}" if view.snapshot is not None and view.scope.share is None else ""
    return f"{base}/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt?v={view.version(layer)}{as_of}"


def tile(view: View, layer: str, z: int, x: int, y: int) -> bytes:
    """Return one Mapbox vector tile (not compressed); empty bytes where there is nothing.

    Raises
    ------
    NotFoundError
        For a layer that this asker does not see, or one without geometry.
    InputError
        For a tile that does not exist on this zoom.
    """
    view.access(layer)
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise InputError(Text(f"没有瓦片 {z}/{x}/{y}。", f"There is no tile {z}/{x}/{y}."))
    return source(view, layer, wait=False).tile(z, x, y)


def source(view: View, layer: str, *, wait: bool = True) -> tiles.TileSource:
    """Return the tile cache of what this asker sees of a layer; build it first when it is not there.

    Several processes may ask at once: one builds, the others wait for it. Building is atomic, so a process killed while
    it builds leaves nothing that another would open.

    Raises
    ------
    BusyError
        Without ``wait``, while another thread or process builds that of a large layer: a page asks for many tiles at
        once, and they must not hold all threads of the server.
    """
    folder = view.county.tiles_folder / f"{layer}-{view.version(layer)}"
    with _lock:
        if folder in _open:
            _open.move_to_end(folder)
            return _open[folder]
    opened = _ready(folder)
    if opened is None:
        with _one_builder(folder, wait=wait or not view.large(layer)):  # counts a million rows: never for each tile
            opened = _ready(folder) or _build(view, layer, folder)
    with contextlib.suppress(OSError):
        os.utime(folder)
    with _lock:
        while len(_open) >= _MOST_OPEN:
            _open.popitem(last=False)
        return _open.setdefault(folder, opened)


def prepare(view: View) -> None:
    """Build the tile caches that are not there yet, so that the first look at the map need not wait for them."""
    for layer in view.layers:
        if view.access(layer).precision != "none" and schema.layer(layer).spatial:
            source(view, layer)


def _ready(folder: Path) -> tiles.TileSource | None:
    try:
        return tiles.open(folder)
    except NotFoundError:  # never built, or not to its end
        return None


def _build(view: View, layer: str, folder: Path) -> tiles.TileSource:
    frame = view.frame(layer)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise NotFoundError(Text(f"“{layer}”没有图形。", f"{layer} has no geometry."))
    key = schema.layer(layer).key
    # users of every role share one cache, so it holds what the least of them may see
    least = scopes.access(view.scope if view.scope.share else Scope("", role="viewer"), layer)
    names = [c for c in ATTRIBUTES.get(layer, ()) if c in frame.columns and least is not None and least.allows(c)]
    shown = frame[[key, *names, "geometry"]]
    shown = shown.rename(columns=dict(TILE_NAMES))
    names = [c for c in shown.columns if c not in (key, "geometry")]
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = tiles.build(shown, folder, attributes=names, key=key, version=view.version(layer), layer=layer)
    _forget_old(folder)
    return made


def _forget_old(newest: Path) -> None:
    """Remove caches of the same layer that nobody opened for some days."""
    layer = newest.name.rpartition("-")[0]
    for other in newest.parent.glob(f"{layer}-*"):
        with contextlib.suppress(OSError):
            if other != newest and time.time() - other.stat().st_mtime > _KEEP_DAYS * 86400:
                with _lock:
                    _open.pop(other, None)
                if other.is_dir():
                    shutil.rmtree(other, ignore_errors=True)
                else:
                    other.unlink()


@contextlib.contextmanager
def _one_builder(folder: Path, *, wait: bool) -> Iterator[None]:
    """Hold the right to build a cache among threads and processes; freed by the system when its holder dies."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("a+b") as handle:
        try:
            import fcntl
        except ImportError:  # no such locks here: two may build, the last to finish wins, both are right
            yield
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(
                Text("地图正在准备，请稍候。", "The map is being prepared."),
                Text("几秒后重试。", "Try again in some seconds."),
            ) from error
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)
