"""This module keeps what a planner draws or brings for a plan: links by hand, ground that no link may touch, a ground model.

Drawings come from the map as longitude and latitude, or from a file in any CRS it names.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

import geopandas as gpd
import numpy as np
import shapely

from mapapp import ingest, store
from mapapp.core import crs as crss
from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.plan.terrain import read_terrain
from mapapp.services import frames
from mapapp.services.scope import Scope

Json = dict[str, Any]
Points = tuple[tuple[float, float], ...]

MOST: Final = 200
"""Drawings of one kind, and points of one drawing."""
_MOST_POINTS: Final = 500
DEM_SETTING: Final = "plan_dem"
_GROUND: Final = "ground"
LARGEST_DEM_MB: Final = 100


def points_of(sent: Any, least: int, where: str) -> Points:
    """Read a drawing of a page: a list of ``[longitude, latitude]``.

    Raises
    ------
    InputError
        When it is not one, or has fewer than ``least`` points.
    """
    good = isinstance(sent, list) and least <= len(sent) <= _MOST_POINTS
    try:
        xy = np.array(sent, float) if good else np.empty(0)
    except (TypeError, ValueError):
        xy = np.empty(0)
    if xy.ndim != 2 or xy.shape[1:] != (2,) or not (np.abs(xy) <= (180.0, 90.0)).all():
        raise InputError(
            Text("手绘内容不可用。", "The drawing cannot be used."),
            Text(
                f"须为 {least} 至 {_MOST_POINTS} 个经纬度点。",
                f"Give {least} to {_MOST_POINTS} points, longitude and latitude.",
            ),
            where=where,
        )
    return tuple((float(x), float(y)) for x, y in xy.round(8))


def links_of(sent: Any) -> tuple[tuple[str, Points], ...]:
    """Read links drawn by hand: a list of ``{"compound_id", "line"}``; errors as `points_of`."""
    rows = _list(sent, "drawn")
    return tuple(
        (str(r.get("compound_id") or ""), points_of(r.get("line"), 2, "drawn")) for r in rows if isinstance(r, Mapping)
    )


def areas_of(sent: Any) -> tuple[Points, ...]:
    """Read areas that no link may touch: a list of rings; errors as `points_of`."""
    return tuple(points_of(ring, 3, "areas") for ring in _list(sent, "areas"))


def _list(sent: Any, where: str) -> Sequence[Any]:
    if sent is None:
        return []
    if not isinstance(sent, list) or len(sent) > MOST:
        raise InputError(Text(f"最多 {MOST} 条手绘。", f"{MOST} drawings are the most."), where=where)
    return sent


def lines(drawn: Sequence[tuple[str, Points]], crs: Any) -> gpd.GeoDataFrame | None:
    """Return links drawn by hand in the county's CRS; None for none."""
    if not drawn:
        return None
    shape = crss.to_crs(np.array([shapely.LineString(p) for _, p in drawn], dtype=object), crss.WGS84, crs)
    return gpd.GeoDataFrame({"compound_id": [name or None for name, _ in drawn]}, geometry=shape, crs=crs)


def grounds(areas: Sequence[Points], crs: Any) -> gpd.GeoDataFrame | None:
    """Return areas that no link may touch in the county's CRS; None for none."""
    if not areas:
        return None
    shape = shapely.make_valid(np.array([shapely.Polygon(p) for p in areas], dtype=object))
    return gpd.GeoDataFrame(geometry=crss.to_crs(shape, crss.WGS84, crs), crs=crs)


def read_lines(path: Path, crs: Any) -> tuple[tuple[str, Points], ...]:
    """Read links drawn by hand from a file of lines; ``compound_id`` where the file has it.

    Raises
    ------
    InputError
        A file that cannot be read, holds no line, or names no CRS.
    """
    frame, names = _read(path, crs, "pipes")
    shape = crss.to_crs(shapely.line_merge(frame.geometry.to_numpy()), crs, crss.WGS84)
    return tuple(
        (name, tuple(map(tuple, shapely.get_coordinates(g).round(8).tolist())))
        for name, g in zip(names, shape, strict=True)
        if g is not None and g.geom_type == "LineString"
    )


def read_areas(path: Path, crs: Any) -> tuple[Points, ...]:
    """Read areas that no link may touch from a file of polygons; errors as `read_lines`."""
    frame, _ = _read(path, crs, "survey_areas")
    rings = shapely.get_exterior_ring(shapely.get_parts(frame.geometry.to_numpy()))
    shape = crss.to_crs(rings, crs, crss.WGS84)
    return tuple(tuple(map(tuple, shapely.get_coordinates(g).round(8).tolist())) for g in shape)


def _read(path: Path, crs: Any, target: str) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Return the rows of a file and the compound each one names, through the reader of layers of that shape."""
    reading = ingest.read(path, target, county_crs=crs)
    key = schema.layer(target).key
    named = "compound_id" in reading.unmapped
    if named:
        reading = ingest.read(path, target, county_crs=crs, columns={key: "compound_id"})
    frame = reading.frame
    shape = frame.geometry.to_numpy()
    use = np.isin(shapely.get_type_id(shape), (1, 5) if target == "pipes" else (3, 6))
    if not use.any():
        raise InputError(
            Text("文件里没有可用的线或面。", "The file holds no line or area that can be used."),
            Text("请给出线（手绘接入管）或面（禁止区域）。", "Give lines for links, polygons for forbidden ground."),
            where=path.name,
        )
    names = frame.loc[use, key].astype(str).tolist() if named else [""] * int(use.sum())
    return frame[use], names


# ---------------------------------------------------------------------------------------------------------- ground model


def keep_dem(db: store.Database, url: str, scope: Scope, filename: str, stream: IO[bytes], *, at: str) -> str:
    """Keep an uploaded ground model beside the county, once it was read; it takes the place of an earlier one.

    Returns
    -------
    str
        Its name.

    Raises
    ------
    ForbiddenError
        For a viewer.
    InputError
        No GeoTIFF of heights that `plan.terrain.read_terrain` reads, or too large. Nothing is kept then.
    """
    scope.require_editor()
    name = Path(filename.replace("\\", "/")).name[:80]
    place = frames.beside(url, _GROUND)
    place.mkdir(mode=0o750, exist_ok=True, parents=True)
    path = place / f"{secrets.token_hex(8)}.tif"
    try:
        body = stream.read(LARGEST_DEM_MB * 1_000_000 + 1)
        if len(body) > LARGEST_DEM_MB * 1_000_000:
            raise InputError(
                Text(f"文件超过 {LARGEST_DEM_MB} MB。", f"The file is larger than {LARGEST_DEM_MB} MB."),
                Text("请裁剪到县域范围。", "Cut it to the county."),
                where=name,
            )
        path.write_bytes(body)
        try:
            read_terrain(path, db.crs)
        except InputError as error:
            raise InputError(error.saw, error.need, where=name) from error
        before = db.setting(DEM_SETTING)
        db.set_setting(DEM_SETTING, {"name": name, "file": path.name, "by": scope.name, "at": at})
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if before:
        (place / Path(before["file"]).name).unlink(missing_ok=True)
    return name


def drop_dem(db: store.Database, url: str, scope: Scope) -> None:
    """Take the ground model away."""
    scope.require_editor()
    kept = db.setting(DEM_SETTING)
    db.set_setting(DEM_SETTING, None)
    if kept:
        (frames.beside(url, _GROUND) / Path(kept["file"]).name).unlink(missing_ok=True)


def dem(db: store.Database, url: str) -> tuple[str, Path] | None:
    """Return name and file of the county's ground model; None when there is none, or its file is lost."""
    kept = db.setting(DEM_SETTING)
    path = frames.beside(url, _GROUND) / Path(kept["file"]).name if kept else None
    return (str(kept["name"]), path) if path is not None and path.is_file() else None
