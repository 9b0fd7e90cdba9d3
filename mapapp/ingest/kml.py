"""This module reads KML and KMZ: placemarks with their ExtendedData, or with the table in their description."""

from __future__ import annotations

import html.parser
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from mapapp.core.errors import InputError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.ingest.archive import verify
from mapapp.ingest.foreign import check_width, empty, parsing
from mapapp.ingest.result import Notes, Raw

FOLDER = "folder"
"""The column that holds the path of folders above each placemark, joined by ``/``."""
_PAIR = re.compile(r"^\s*([^:：=<>\n]{1,40}?)\s*[:：=]\s*(.+?)\s*$")


def read_kml(path: Path, target: Layer, *, layer: str | None) -> Raw:
    """Return the placemarks of a KML or KMZ in longitude and latitude, folders as the column `FOLDER`.

    Parameters
    ----------
    layer : str, optional
        Only placemarks below the folder of this name.

    Raises
    ------
    InputError
        When it is no KML, is damaged, declares XML entities, or holds no placemarks.
    """
    name = path.name
    data = _bytes(path)
    if b"<!ENTITY" in data:
        raise InputError(
            Text("KML 中声明了 XML 实体，已拒绝。", "The KML declares XML entities and was refused."),
            Text("请重新导出。", "Export it again."),
            where=name,
        )
    with parsing(name, "KML"):
        root = ET.fromstring(data)  # noqa: S314  # entities were refused above
        rows: list[dict[str, str]] = []
        shapes: list[BaseGeometry | None] = []
        for placemark, folder in _placemarks(root, ""):
            if layer is not None and layer not in folder.split("/"):
                continue
            rows.append({FOLDER: folder} | _attributes(placemark))
            shapes.append(_geometry(placemark))
    if not rows:
        raise empty(f"{name} › {layer}" if layer else name)
    frame = pd.DataFrame(rows, dtype=object)
    frame = frame.where(frame.notna(), None)
    check_width(len(frame.columns), name)
    geometry = np.empty(len(shapes), dtype=object)
    geometry[:] = shapes
    folders = sorted({r[FOLDER] for r in rows if r[FOLDER]})
    single = folders[0] if len(folders) == 1 else (layer or "")
    return Raw(frame, geometry, CRS.from_epsg(4326), name, single, np.arange(1, len(rows) + 1), "kml", notes=Notes())


def _bytes(path: Path) -> bytes:
    if zipfile.is_zipfile(path):
        verify(path, "KMZ")
        with parsing(path.name, "KMZ"), zipfile.ZipFile(path) as archive:
            inner = [n for n in archive.namelist() if n.lower().endswith((".kml", ".ovkml"))]
            if not inner:
                raise empty(path.name)
            return archive.read("doc.kml" if "doc.kml" in inner else inner[0])
    if path.suffix.lower() == ".kmz":
        raise InputError(
            Text("这不是 KMZ 文件（不是 zip）。", "This is not a KMZ (it is no zip)."),
            Text("请重新导出。", "Export it again."),
            where=path.name,
        )
    return path.read_bytes()


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: ET.Element, name: str) -> ET.Element | None:
    return next((c for c in element if _local(c) == name), None)


def _text(element: ET.Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _placemarks(element: ET.Element, folder: str) -> Iterator[tuple[ET.Element, str]]:
    stack = [(element, folder)]
    while stack:
        node, path = stack.pop()
        inner = []
        for child in node:
            tag = _local(child)
            if tag == "Placemark":
                yield child, path
            elif tag == "Folder":
                inner.append((child, f"{path}/{_text(_child(child, 'name'))}".strip("/")))
            elif tag in ("Document", "kml"):
                inner.append((child, path))
        stack += reversed(inner)


def _attributes(placemark: ET.Element) -> dict[str, str]:
    out: dict[str, str] = {}
    if name := _text(_child(placemark, "name")):
        out["name"] = name
    description = _text(_child(placemark, "description"))
    if description:
        pairs = _pairs(description)
        out |= pairs or {"description": description}
    extended = _child(placemark, "ExtendedData")
    if extended is not None:
        for item in extended.iter():
            tag = _local(item)
            if tag == "Data":
                out[item.get("name", "")] = _text(_child(item, "value"))
            elif tag == "SimpleData":
                out[item.get("name", "")] = _text(item)
    return {k: v for k, v in out.items() if k and v}


class _Table(html.parser.HTMLParser):
    """Collects the cells of table rows, and the lines of plain text."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.lines: list[str] = [""]
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._cell = []
        elif tag in ("br", "p", "div", "li"):
            self.lines.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            if not self.rows:
                self.rows.append([])
            self.rows[-1].append("".join(self._cell).strip())
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)
        else:
            first, *rest = data.split("\n")
            self.lines[-1] += first
            self.lines += rest


def _pairs(description: str) -> dict[str, str]:
    """Name and value from an HTML table of two columns, or from lines such as ``管径：DN300``."""
    parser = _Table()
    parser.feed(description)
    parser.close()
    cells = {row[0]: row[1] for row in parser.rows if len(row) == 2 and row[0]}
    if cells:
        return cells
    found = (_PAIR.match(line) for line in parser.lines)
    return {m[1]: m[2] for m in found if m}


def _geometry(placemark: ET.Element) -> BaseGeometry | None:
    for child in placemark:
        shape = _shape(child)
        if shape is not None:
            return shape
    return None


def _shape(element: ET.Element) -> BaseGeometry | None:
    tag = _local(element)
    if tag in ("Point", "LineString", "LinearRing"):
        xy = _coordinates(_child(element, "coordinates"))
        if tag == "Point":
            return shapely.Point(xy[0]) if len(xy) else None
        return shapely.LineString(xy) if len(xy) > 1 else None
    if tag == "Polygon":
        rings = [
            _coordinates(_child(ring, "coordinates"))
            for boundary in element
            if _local(boundary) in ("outerBoundaryIs", "innerBoundaryIs")
            for ring in boundary
            if _local(ring) == "LinearRing"
        ]
        rings = [r for r in rings if len(r) > 2]
        return shapely.Polygon(rings[0], rings[1:]) if rings else None
    if tag == "Track":
        points = [_text(c).split()[:2] for c in element if _local(c) == "coord"]
        xy = np.array([p for p in points if len(p) == 2], dtype=float)
        return shapely.LineString(xy) if len(xy) > 1 else None
    if tag in ("MultiGeometry", "MultiTrack"):
        parts = [s for s in map(_shape, element) if s is not None]
        kinds = {type(p) for p in parts}
        if len(parts) == 1:
            return parts[0]
        if kinds == {shapely.LineString}:
            return shapely.MultiLineString(parts)  # type: ignore[arg-type]  # all of them lines, as just seen
        if kinds == {shapely.Polygon}:
            return shapely.MultiPolygon(parts)  # type: ignore[arg-type]  # all of them polygons, as just seen
        return shapely.GeometryCollection(parts) if parts else None
    return None


def _coordinates(element: ET.Element | None) -> np.ndarray:
    parts = [t.split(",")[:2] for t in _text(element).split()]
    return np.array([p for p in parts if len(p) == 2], dtype=float).reshape(-1, 2)
