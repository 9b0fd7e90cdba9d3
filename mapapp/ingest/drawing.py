"""This module reads DXF drawings through ezdxf: lines, closed outlines, points and blocks, with their CAD layers."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import ezdxf.filemanagement
import ezdxf.lldxf.const
import ezdxf.math
import ezdxf.recover
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from mapapp.core.errors import QuestionError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.ingest.foreign import check_width, cut_off, empty, parsing
from mapapp.ingest.labels import Label, label_of, sizes_beside
from mapapp.ingest.result import Notes, Raw
from mapapp.ingest.words import decode_word

LAYER_COLUMN = "CAD图层"
KIND_COLUMN = "管线类型"
SIZE_COLUMN = "旁注管径"
_XDATA_VALUES = frozenset({1000, 1040, 1041, 1042, 1070, 1071})
_XDATA_MOST = 20
_TAIL = 256
_SAGITTA_M = 0.01
"""Arcs are drawn as chords that stay this close."""
_MARKS = (
    ("WS", "WS"),
    ("污", "WS"),
    ("SEW", "WS"),
    ("YS", "YS"),
    ("雨", "YS"),
    ("STORM", "YS"),
    ("HS", "HS"),
    ("合流", "HS"),
)


def read_dxf(path: Path, target: Layer, *, layer: str | None, encoding: str | None) -> Raw:
    """Return the entities of a drawing's model space that have a place, with CAD layer, block name and attributes.

    Closed polylines are polygons where ``target`` takes polygons. The CAD layer tells sewage from storm where its
    name holds WS, YS, HS or 污, 雨, 合流. A pipe size written beside one line only is a column of its own (旁注管径), which
    is proposed and never applied unasked; extended data (XDATA) are columns by application and place. A drawing has
    no CRS.

    Parameters
    ----------
    layer : str, optional
        Only this CAD layer.
    encoding : str, optional
        Overrules ``$DWGCODEPAGE`` of drawings older than 2007.

    Raises
    ------
    InputError
        When it is no DXF, is damaged or cut off, or holds nothing with a place.
    QuestionError
        When ``layer`` is not in the drawing.
    """
    name = path.name
    notes = Notes()
    logger = logging.getLogger("ezdxf")
    if not logger.handlers:  # else its remarks on damaged drawings go to stderr
        logger.addHandler(logging.NullHandler())
    with parsing(name, "DXF"):
        try:
            document = ezdxf.filemanagement.readfile(path, encoding=encoding or None)
        except (ezdxf.lldxf.const.DXFStructureError, UnicodeDecodeError):
            document, _ = ezdxf.recover.readfile(path)
        space = list(document.modelspace())
    if _cut_off(path):
        raise cut_off(name, "没有结尾标记 EOF", "its end mark EOF is missing")
    layers = sorted({str(e.dxf.layer) for e in space if e.dxf.hasattr("layer")})
    if layer is not None and layer not in layers:
        raise QuestionError(
            Text(f"图纸里没有图层“{layer}”。", f"The drawing has no layer {layer!r}."),
            Text(f"现有：{'、'.join(layers[:20])}。", f"Layers there: {', '.join(layers[:20])}."),
            option="layer",
            choices=tuple(layers),
            where=name,
        )
    rows: list[dict[str, Any]] = []
    shapes: list[BaseGeometry] = []
    labels: list[Label] = []
    others = 0
    polygons = "polygon" in target.geometry
    with parsing(name, "DXF"):
        for entity in space:
            if layer is not None and entity.dxf.layer != layer:
                continue
            if entity.dxftype() in ("TEXT", "MTEXT"):
                labels.append(label_of(entity))
                continue
            shape = _shape(entity, polygons=polygons)
            if shape is None:
                others += 1
                continue
            shapes.append(shape)
            rows.append(_attributes(entity))
    if not rows:
        raise empty(name)
    geometry = np.empty(len(shapes), dtype=object)
    geometry[:] = shapes
    units = document.header.get("$INSUNITS", 0)
    sizes = sizes_beside(geometry, labels, 1000.0 if units == 4 else 1.0) if target.column("diameter_mm") else []
    frame = pd.DataFrame(rows, dtype=object)
    frame = frame.where(frame.notna(), None)
    _tell_kind(frame, target, notes, name)
    if any(sizes):
        frame[SIZE_COLUMN] = pd.Series(sizes, dtype=object)
        read = sum(size is not None for size in sizes)
        notes.warn(
            f"{read} 条线旁只有一个管径文字，列为“{SIZE_COLUMN}”，未采用；核对后用 --column diameter_mm={SIZE_COLUMN} 确认。",
            f"Beside {read} lines stands one pipe size; it is the column {SIZE_COLUMN}, not used until you confirm it "
            f"with --column diameter_mm={SIZE_COLUMN}.",
            name,
        )
    check_width(len(frame.columns), name)
    if labels or others:
        used = "（管径除外）" if any(sizes) else ""
        notes.info(
            f"图中有 {len(labels)} 个文字、{others} 个其他对象没有读取{used}。",
            f"The drawing holds {len(labels)} texts and {others} other objects; "
            f"they were not read{' but for pipe sizes' if used else ''}.",
            name,
        )
    if units == 4:
        notes.warn(
            "图纸单位为毫米，坐标已除以 1000。",
            "The drawing is in millimetres; coordinates were divided by 1000.",
            name,
        )
    if units == 4:
        geometry = shapely.transform(geometry, lambda xy: xy / 1000.0)
    return Raw(frame, geometry, None, name, layer or "", np.arange(1, len(rows) + 1), "dxf", notes=notes)


def _cut_off(path: Path) -> bool:
    """Whether the drawing lacks the last mark of every DXF; ezdxf mends such files by dropping what is incomplete."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        return b"EOF" not in file.read()


def _tell_kind(frame: pd.DataFrame, target: Layer, notes: Notes, name: str) -> None:
    column = target.column("kind")
    if column is None or not column.codes or KIND_COLUMN in frame:
        return
    told = {
        cad: next((code for mark, code in _MARKS if mark in str(cad).upper()), None)
        for cad in frame[LAYER_COLUMN].unique()
    }
    if not any(told.values()):
        return
    frame[KIND_COLUMN] = frame[LAYER_COLUMN].map(told)
    listed = [(cad, decode_word(code, column)) for cad, code in told.items() if code]
    notes.info(
        "由 CAD 图层名认定类别：" + "、".join(f"{cad} 为 {code}" for cad, code in listed[:10]) + "。",
        "The kind comes from the names of the CAD layers: "
        + ", ".join(f"{cad} is {code}" for cad, code in listed[:10])
        + ".",
        name,
    )


def _clean(text: Any) -> str:
    """Replace what could not be decoded (ezdxf keeps such bytes as surrogates)."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def _attributes(entity: Any) -> dict[str, Any]:
    out: dict[str, Any] = {LAYER_COLUMN: _clean(entity.dxf.layer)}
    if entity.dxftype() == "INSERT":
        out["CAD图块"] = _clean(entity.dxf.name)
        out |= {_clean(a.dxf.tag): _clean(a.dxf.text) for a in entity.attribs if a.dxf.hasattr("tag")}
    if entity.xdata is not None:
        for application, tags in entity.xdata.data.items():
            values = [t.value for t in tags if t.code in _XDATA_VALUES][:_XDATA_MOST]
            named = {f"XDATA {_clean(application)} {i}": value for i, value in enumerate(values, start=1)}
            out |= {k: _clean(v) if isinstance(v, str) else v for k, v in named.items()}
    return out


def _shape(entity: Any, *, polygons: bool) -> BaseGeometry | None:
    kind = entity.dxftype()
    if kind == "LINE":
        return _line([entity.dxf.start, entity.dxf.end], closed=False, polygons=False)
    if kind in ("POINT", "INSERT"):
        at = entity.dxf.location if kind == "POINT" else entity.dxf.insert
        return shapely.Point(at.x, at.y)
    if kind == "CIRCLE":
        return shapely.Point(entity.dxf.center.x, entity.dxf.center.y)
    if kind in ("ARC", "ELLIPSE", "SPLINE"):
        return _line(list(entity.flattening(_SAGITTA_M)), closed=False, polygons=polygons)
    if kind == "LWPOLYLINE":
        if entity.has_arc:
            return _line(_flat(entity), closed=bool(entity.closed), polygons=polygons)
        return _line(
            [ezdxf.math.Vec2(p[0], p[1]) for p in entity.get_points("xy")],
            closed=bool(entity.closed),
            polygons=polygons,
        )
    if kind == "POLYLINE" and (entity.is_2d_polyline or entity.is_3d_polyline):
        points = _flat(entity) if entity.has_arc else [v.dxf.location for v in entity.vertices]
        return _line(points, closed=bool(entity.is_closed), polygons=polygons)
    return None


def _flat(entity: Any) -> list[Any]:
    points: list[Any] = []
    for part in entity.virtual_entities():
        piece = [part.dxf.start, part.dxf.end] if part.dxftype() == "LINE" else list(part.flattening(_SAGITTA_M))
        if points and piece and points[-1].distance(piece[-1]) < points[-1].distance(piece[0]):
            piece.reverse()
        points += piece[1:] if points else piece
    return points


def _line(points: list[Any], *, closed: bool, polygons: bool) -> BaseGeometry | None:
    xy = np.array([(p.x, p.y) for p in points], dtype=float)
    if len(xy) < 2:
        return None
    ring = closed or (len(xy) > 3 and bool((xy[0] == xy[-1]).all()))
    if ring and polygons and len(xy) > 2:
        return shapely.Polygon(xy)
    return shapely.LineString(np.vstack([xy, xy[:1]]) if closed and len(xy) > 2 else xy)
