"""This module reads one foreign delivery into one of our layers: open, map columns, clean, place, key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from mapapp.core import crs as crs_
from mapapp.core import schema
from mapapp.core.errors import InputError, QuestionError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.ingest import clean, georef, shapes
from mapapp.ingest import control as control_
from mapapp.ingest.columns import is_row_number, match_columns
from mapapp.ingest.foreign import check_width, empty
from mapapp.ingest.ids import ONE_ROW_PER_COMPOUND, settle_keys
from mapapp.ingest.names import DOUBTFUL_COLUMNS, keep_one_row_each, match_names
from mapapp.ingest.opening import open_delivery
from mapapp.ingest.points import geometry_from_columns
from mapapp.ingest.result import Match, Notes, Raw, Reading
from mapapp.ingest.sheets import require_calculated
from mapapp.ingest.words import plain

Source = str | Path
_LENIENT = ("kml", "dxf")
_MAY_LACK_GEOMETRY = ("compounds", "buildings")
_SAMPLES = 3


def read(
    path: Source | Sequence[Source],
    target: str,
    *,
    layer: str | None = None,
    crs: Any = None,
    datum: str | None = None,
    encoding: str | None = None,
    columns: Mapping[str, str] | None = None,
    county_crs: Any = None,
    points: Source | None = None,
    compounds: pd.DataFrame | None = None,
    control: Source | None = None,
) -> Reading:
    """Read a foreign file into the columns of one of our layers.

    Parameters
    ----------
    path : path or list of paths
        One file, the parts of one shapefile, or the point table and the line table of a survey.
    target : str
        Our layer or table, such as ``pipes`` or ``ledger``.
    layer : str, optional
        Layer or sheet of the file; ``*`` reads all sheets of a workbook that look alike.
    crs : optional
        Anything pyproj understands; outranks what the file declares.
    datum : {"wgs84", "cgcs2000", "gcj02", "bd09"}, optional
        The last two are undone.
    encoding : str, optional
        Codec of attribute texts (shapefile, CSV).
    columns : mapping of ours to theirs, optional
        Confirmed columns; ``""`` leaves one out, ``=value`` sets a constant.
    county_crs : optional
        The county's metric CRS; the proposed one when missing.
    points : path, optional
        Point table for a line table given as ``path``.
    compounds : GeoDataFrame, optional
        For ``ledger`` and ``management``: compounds to join by id, else by name.
    control : path, optional
        Control points of a local system, see `mapapp.ingest.control`; their known coordinates are in ``crs``, else in
        the county's CRS.

    Returns
    -------
    Reading
        Nothing is written anywhere.

    Raises
    ------
    QuestionError
        When an answer is needed: which CRS, sheet, layer or encoding.
    InputError
        When the file cannot be used, with its place.
    NotFoundError
        When there is no layer ``target``.
    """
    definition = schema.layer(target)
    if definition.derived:
        raise InputError(
            Text(
                f"“{definition.title.zh}”由系统计算得出，不能导入。",
                f"{target} is computed here and cannot be imported.",
            ),
            Text("请导入原始图层。", "Import a source layer instead."),
        )
    county = None if county_crs is None else _metric(county_crs)
    paths = [Path(p) for p in ([path] if isinstance(path, (str, Path)) else path)]
    extra = [] if points is None else [Path(points)]
    with open_delivery(paths, extra, definition, layer=layer, encoding=encoding, columns=columns) as delivery:
        sha256 = _sha256(paths + extra)
        local = None if control is None else Path(control)
        readings = [
            _understand(r, definition, crs, datum, columns, county, compounds, sha256, local) for r in delivery.raws
        ]
    return readings[0] if len(readings) == 1 else _together(readings, definition)


def _metric(value: Any) -> CRS:
    county = crs_.parse(value)
    if not crs_.is_metric(county):
        raise InputError(
            Text(
                f"县坐标系 {crs_.label(county)} 不是以米为单位的投影坐标系。",
                f"The county's CRS {crs_.label(county)} is not projected in metres.",
            ),
            Text("请选用 EPSG:4534-4554 之一。", "Choose one such as EPSG:4534-4554, or a UTM zone."),
        )
    return county


def _of_control(crs: Any, county: CRS | None, place: str) -> CRS:
    """Return the metric CRS that control points are known in: the one that was named, else the county's."""
    if crs is None and county is None:
        raise QuestionError(
            Text("控制点的已知坐标属于哪个坐标系？", "Which CRS are the known coordinates of the control points in?"),
            Text("请用 --crs 指明。", "Name it with --crs."),
            option="crs",
            where=place,
        )
    return _metric(crs) if crs is not None else county  # type: ignore[return-value]  # one of the two is there


def _understand(
    raw: Raw,
    layer: Layer,
    crs: Any,
    datum: str | None,
    columns: Mapping[str, str] | None,
    county: CRS | None,
    compounds: pd.DataFrame | None,
    sha256: str,
    local: Path | None,
) -> Reading:
    if not len(raw.frame):
        raise empty(raw.place)
    check_width(len(raw.frame.columns), raw.place)
    reserved: tuple[str, ...] = ()
    if layer.spatial and raw.geometry is None:
        raw, reserved = geometry_from_columns(raw, layer, required=layer.name not in _MAY_LACK_GEOMETRY)
    placed = layer.spatial and raw.geometry is not None
    if placed:
        raw = shapes.fit(raw, layer, lenient=raw.kind in _LENIENT)
    mapping, proposals = match_columns(raw.frame, layer, columns, place=raw.place, reserved=reserved)
    used = {m.theirs for m in mapping.values()} | set(reserved)
    require_calculated(raw, used, {mapping[c].theirs for c in ("name", layer.key) if c in mapping})
    if not mapping and not placed:
        raise _nothing_recognised(raw, layer)
    if layer.name in ONE_ROW_PER_COMPOUND:
        _require_compound(raw, layer, mapping)
    frame = clean.fill(raw, layer, mapping)
    traced = clean.trace(raw, frame, layer, mapping)
    doubtful = pd.DataFrame({c: pd.Series(dtype="str") for c in DOUBTFUL_COLUMNS})
    if layer.name in ONE_ROW_PER_COMPOUND and compounds is not None:
        frame, doubtful = match_names(frame, compounds)
    frame = settle_keys(frame, layer, raw.geometry, raw.notes, raw.place)
    if layer.name in ONE_ROW_PER_COMPOUND:
        frame, traced, twice = keep_one_row_each(frame, traced, layer.key)
        doubtful = pd.concat([doubtful, twice], ignore_index=True)
    target_crs = source = proposed = None
    if placed:
        if local is not None:
            raw, crs, datum = control_.apply(raw, local, _of_control(crs, county, raw.place)), None, None
        geometry, target_crs, source, proposed = georef.place(raw, crs=crs, datum=datum, county=county)
        frame = gpd.GeoDataFrame(frame, geometry=geometry, crs=target_crs)
    elif layer.spatial:
        target_crs = county
        frame = gpd.GeoDataFrame(frame, geometry=[None] * len(frame), crs=county)
    return Reading(
        frame=frame,
        target=layer.name,
        mapping=mapping,
        proposals=proposals,
        unmapped=_unmapped(raw, used),
        notes=list(raw.notes),
        trace=traced,
        doubtful=doubtful,
        crs=target_crs,
        source_crs=source,
        proposed_crs=proposed,
        sha256=sha256,
        file=raw.file,
        layer=raw.layer,
    )


def _together(readings: list[Reading], layer: Layer) -> Reading:
    """Put sheets that look alike under one another; keys are kept apart anew, places stay those of each sheet."""
    first = readings[0]
    notes = Notes(dict.fromkeys(note for r in readings for note in r.notes))
    offsets = [0, *np.cumsum([len(r.frame) for r in readings])[:-1].tolist()]
    frame = pd.concat([r.frame for r in readings], ignore_index=True)
    trace = pd.concat([r.trace.assign(row=r.trace["row"] + n) for r, n in zip(readings, offsets, strict=True)])
    doubtful = pd.concat([r.doubtful for r in readings], ignore_index=True)
    geometry = frame.pop("geometry").to_numpy() if layer.spatial else None
    plain_frame = settle_keys(pd.DataFrame(frame), layer, geometry, notes, first.file)
    if layer.spatial:
        plain_frame = gpd.GeoDataFrame(plain_frame, geometry=geometry, crs=first.crs)
    else:
        plain_frame, trace, twice = keep_one_row_each(plain_frame, trace.reset_index(drop=True), layer.key)
        doubtful = pd.concat([doubtful, twice], ignore_index=True)
    return Reading(
        frame=plain_frame,
        target=first.target,
        mapping={k: m for r in reversed(readings) for k, m in r.mapping.items()},
        proposals={k: m for r in reversed(readings) for k, m in r.proposals.items()},
        unmapped={k: v for r in reversed(readings) for k, v in r.unmapped.items()},
        notes=list(notes),
        trace=trace.reset_index(drop=True),
        doubtful=doubtful,
        crs=first.crs,
        source_crs=first.source_crs,
        proposed_crs=first.proposed_crs,
        sha256=first.sha256,
        file=first.file,
        layer="、".join(r.layer for r in readings),
    )


def _unmapped(raw: Raw, used: set[str]) -> dict[str, tuple[str, ...]]:
    out = {}
    for header in map(str, raw.frame.columns):
        if header in used:
            continue
        values = dict.fromkeys(plain(v)[:60] for v in raw.frame[header].dropna().head(200))
        out[header] = tuple(v for v in values if v)[:_SAMPLES]
    return out


def _nothing_recognised(raw: Raw, layer: Layer) -> InputError:
    names = [str(c) for c in raw.frame.columns][:20]
    return InputError(
        Text(
            f"没有一列能对应到图层“{layer.title.zh}”（文件的列：{'、'.join(names)}）。",
            f"No column could be matched to {layer.name} (columns there: {', '.join(names)}).",
        ),
        Text(
            "请换一个图层或工作表，或用 --column 指明对应关系。",
            "Choose another layer or sheet, or name columns with --column ours=theirs.",
        ),
        where=raw.place,
    )


def _require_compound(raw: Raw, layer: Layer, mapping: Mapping[str, Match]) -> None:
    """Ask which compound each row is about where neither name nor id says it; a row number names nobody.

    Raises
    ------
    QuestionError
        Option ``columns``.
    """
    key = mapping.get(layer.key)
    if "name" in mapping or (key is not None and not is_row_number(key)):
        return
    headers = [str(c) for c in raw.frame.columns]
    raise QuestionError(
        Text(
            f"看不出每一行是哪个小区：没有认出小区名称或小区编号（列：{'、'.join(headers[:20])}）。",
            "Nobody can tell which compound each row is about: neither name nor id was recognised (columns: "
            f"{', '.join(headers[:20])}).",
        ),
        Text("请用 --column ours=theirs 指明一列。", "Name a column with --column ours=theirs."),
        option="columns",
        choices=tuple(headers),
        where=raw.place,
    )


def _sha256(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths) if len(paths) > 1 else paths:
        if path.is_file():
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
