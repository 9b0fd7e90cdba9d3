"""This module reads map files through pyogrio: shapefile, GeoPackage, GeoJSON, FlatGeobuf."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyogrio
import shapely
from pyproj import CRS

from mapapp.core.errors import QuestionError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.ingest.foreign import check_width, cut_off, empty, parsing
from mapapp.ingest.result import Notes, Raw
from mapapp.ingest.shapefile import mend_names, settle_shapefile

NAMES = {"shp": "Shapefile", "gpkg": "GeoPackage", "geojson": "GeoJSON", "fgb": "FlatGeobuf"}
_FAMILY = {"Point": "point", "LineString": "line", "Polygon": "polygon"}
_EDGE = 1 << 16


def read_vector(path: Path, kind: str, target: Layer, room: Path, *, layer: str | None, encoding: str | None) -> Raw:
    """Read one layer of a map file.

    Parameters
    ----------
    kind : str
        ``shp gpkg geojson fgb``.
    room : path
        A folder for temporary copies.
    layer : str, optional
        The layer's name in the file. Without it the only layer, else the only one whose geometry suits ``target``.

    Raises
    ------
    InputError
        When the file is empty, damaged, or has parts missing.
    QuestionError
        When several layers could be meant (option ``layer``) or the encoding cannot be told (``encoding``).
    """
    notes = Notes()
    name = path.name
    if kind == "shp":
        encoding = settle_shapefile(path, encoding, notes)
        mended = room / "mended"
        mended.mkdir(exist_ok=True)
        path = mend_names(path, encoding, mended)
    if kind == "geojson":
        with parsing(name, NAMES[kind]):
            path = _as_utf8(path, room, notes)
    with parsing(name, NAMES[kind]):
        found = [(str(n), None if g is None else str(g)) for n, g in pyogrio.list_layers(path)]
    chosen = _choose(found, target, layer, name, notes)
    with parsing(name, NAMES[kind], notes):
        info = pyogrio.read_info(path, layer=chosen, encoding=encoding)
        check_width(len(info["fields"]), name)
        meta, table = pyogrio.read_arrow(path, layer=chosen, encoding=encoding, datetime_as_string=True)
        table.validate(full=True)  # texts that are not what they claim to be
    if kind == "fgb" and table.num_rows < info["features"]:
        raise cut_off(
            name,
            f"应有 {info['features']} 条记录，只读到 {table.num_rows} 条",
            f"it should have {info['features']} records, {table.num_rows} could be read",
        )
    if not table.num_rows:
        raise empty(name)
    with parsing(name, NAMES[kind], notes):
        geometry_name = meta["geometry_name"] or "wkb_geometry"
        geometry = None
        if geometry_name in table.column_names:
            geometry = shapely.from_wkb(np.asarray(table.column(geometry_name).to_pandas(), dtype=object))
            table = table.drop_columns([geometry_name])
        frame = table.to_pandas()
        crs = CRS.from_user_input(meta["crs"]) if meta["crs"] else None
    if geometry is None and target.spatial:
        geometry = np.full(len(frame), None, dtype=object)
    if kind == "geojson" and not _says_crs(path):
        crs = _by_rfc7946(geometry, crs)
    frame.columns = _distinct([str(c) for c in frame.columns])
    return Raw(frame, geometry, crs, name, chosen, np.arange(1, len(frame) + 1), kind, notes=notes)


def _distinct(names: list[str]) -> list[str]:
    """Tell columns of one name apart: ``管径``, ``管径 (2)``; cut names of a .dbf may well be equal."""
    out: list[str] = []
    for name in names:
        number, candidate = 1, name
        while candidate in out:
            number += 1
            candidate = f"{name} ({number})"
        out.append(candidate)
    return out


def _as_utf8(path: Path, room: Path, notes: Notes) -> Path:
    """Return a GeoJSON, or its copy in ``room`` when it was written in GBK; RFC 8259 wants UTF-8."""
    data = path.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        recoded = room / f"recoded{path.suffix}"
        recoded.write_text(data.decode("gb18030"), encoding="utf-8")
        notes.info(
            "文件不是 UTF-8，按 GB 18030（GBK）读取。", "The file is not UTF-8; read as GB 18030 (GBK).", path.name
        )
        return recoded
    return path


def _choose(found: list[tuple[str, str | None]], target: Layer, layer: str | None, name: str, notes: Notes) -> str:
    names = [n for n, _ in found]
    if not names:
        raise empty(name)
    if layer is not None:
        if layer in names:
            return layer
        raise QuestionError(
            Text(f"文件里没有图层“{layer}”。", f"The file has no layer {layer!r}."),
            Text(f"现有图层：{'、'.join(names[:20])}。", f"Layers there: {', '.join(names[:20])}."),
            option="layer",
            choices=tuple(names),
            where=name,
        )
    if len(names) == 1:
        return names[0]
    fits = [n for n, g in found if g and _family(g) in target.geometry] if target.spatial else names
    if len(fits) == 1:
        notes.info(
            f"读取图层“{fits[0]}”，其余 {len(names) - 1} 个未读。",
            f"Layer {fits[0]!r} was read; {len(names) - 1} others were not.",
            name,
        )
        return fits[0]
    raise QuestionError(
        Text(f"文件里有 {len(names)} 个图层。", f"The file has {len(names)} layers."),
        Text(
            f"请用 --layer 指明：{'、'.join((fits or names)[:20])}。",
            f"Name one with --layer: {', '.join((fits or names)[:20])}.",
        ),
        option="layer",
        choices=tuple(fits or names),
        where=name,
    )


def _family(geometry_type: str) -> str:
    return _FAMILY.get(geometry_type.split()[0].removeprefix("Multi"), "")


def _says_crs(path: Path) -> bool:
    """Whether a GeoJSON has a "crs" member; it stands near the head or the tail."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_EDGE)
        file.seek(max(0, size - _EDGE))
        tail = file.read(_EDGE)
    return any(re.search(rb'"crs"\s*:\s*\{', part) is not None for part in (head, tail))


def _by_rfc7946(geometry: np.ndarray | None, crs: CRS | None) -> CRS | None:
    """WGS 84 by RFC 7946 section 4 where the coordinates are degrees; else nobody said."""
    if geometry is None:
        return crs
    west, south, east, north = shapely.total_bounds(geometry)
    return CRS.from_epsg(4326) if west >= -180 and east <= 180 and south >= -90 and north <= 90 else None
