"""This module draws map sheets of a county, a compound or a window."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Final, get_args

import geopandas as gpd
import shapely
from pyproj import Transformer

from mapapp import store
from mapapp.core.errors import InputError, NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.programme.report import chinese_date
from mapapp.render import sheet, surround
from mapapp.services import compound_table, counties
from mapapp.services.download import File

SCALES: Final = sheet.SCALES
LAYERS = (
    "waters",
    "survey_areas",
    "streets",
    "buildings",
    "compounds",
    "pipes",
    "manholes",
    "outlets",
    "links",
    "findings",
)
"""What a sheet shows, where the county holds it."""

_AROUND_COMPOUND_M = 60.0
_drawing = threading.Lock()  # matplotlib's settings belong to the whole process


def drawn(
    url: str,
    kind: str,
    *,
    maker: str,
    compound: str | None = None,
    bbox: tuple[float, float, float, float] | None = None,
    scale: int | None = None,
    paper: str = "A3",
    snapshot: str | None = None,
    lang: Lang = "zh",
) -> File:
    """Return a map sheet as a file in memory; parameters and errors as in `write`.

    Parameters
    ----------
    kind : {"pdf", "png"}
    maker : str
        Printed as the maker; a dash when empty.
    """
    size = next((p for p in get_args(sheet.Paper) if p == paper), None)
    if size is None:
        raise InputError(
            Text(f"没有纸张“{paper}”。", f"There is no paper {paper!r}."),
            Text("可用：A3 A4。", "Use A3 or A4."),
            where="paper",
        )
    with tempfile.TemporaryDirectory(prefix="mapapp-") as folder:
        path = Path(folder) / f"sheet.{kind}"
        done = write(
            url, path, by=maker, compound=compound, bbox=bbox, scale=scale, paper=size, snapshot=snapshot, lang=lang
        )
        body = path.read_bytes()
    return File(f"{done['title']}{done['as_of']}.{kind}".replace(" · ", "-").replace("/", "-"), body)


def compounds(db: store.Database) -> list[tuple[str, str]]:
    """Return id and name of every compound that has a place, by name."""
    rows = db.effective_compounds()
    if not isinstance(rows, gpd.GeoDataFrame):
        return []
    rows = rows[rows.geometry.notna()]
    names = rows["name"].fillna(rows["compound_id"]) if "name" in rows else rows["compound_id"]
    return sorted(zip(rows["compound_id"].astype(str), names.astype(str), strict=True), key=lambda pair: pair[1])


def write(
    url: str,
    out: Path,
    *,
    by: str,
    compound: str | None = None,
    bbox: tuple[float, float, float, float] | None = None,
    scale: int | None = None,
    paper: sheet.Paper = "A3",
    snapshot: str | None = None,
    lang: Lang = "zh",
) -> dict[str, object]:
    """Write a map sheet and return its scale and number of pages.

    Parameters
    ----------
    url : str
        The county database.
    out : Path
        A .pdf, or a .png of one page.
    by : str
        Printed as the maker.
    compound : str, optional
        The compound to draw, with its surroundings.
    bbox : tuple of float, optional
        West, south, east, north in degrees (EPSG:4326).
    scale : int, optional
        The denominator; the largest that fits on one page otherwise.
    paper : {"A3", "A4"}
    snapshot : str, optional
        Id or date; the live data otherwise.

    Raises
    ------
    NotFoundError
        When there is no such compound or snapshot.
    InputError
        When there is nothing to draw, or the scale is none that a sheet may have.
    """
    if scale is not None and scale not in sheet.SCALES:
        known = " ".join(f"1:{s}" for s in sheet.SCALES)
        raise InputError(
            Text(f"没有比例尺 1:{scale}。", f"A sheet cannot have the scale 1:{scale}."),
            Text(f"可用：{known}。", f"Use one of {known}."),
            where="--scale",
        )
    with store.open(url) as db:
        at, day = counties.moment(db, snapshot)
        there = set(db.layers(snapshot=at))
        layers = {n: db.read(n, snapshot=at) for n in LAYERS if n in there and n != "compounds"}
        if there & {"compounds", "ledger"}:
            layers["compounds"] = compound_table.read(db, at)
        layers_drawn = {n: f for n, f in layers.items() if isinstance(f, gpd.GeoDataFrame) and _drawable(f)}
        name, crs = db.name, db.crs
    title, bounds = _extent(name, layers_drawn, compound, bbox, crs.to_string())
    chosen = scale or sheet.fitting_scale(bounds, paper)
    cut = sheet.pages(bounds, chosen, paper)
    label = f"{crs.name} ({crs.to_string()})"
    imprint = surround.Imprint(title, chinese_date(day) if lang == "zh" else day, label, by, lang=lang)
    with _drawing:
        sheet.write(layers_drawn, cut, chosen, imprint, paper, out)
    return {"file": out.name, "scale": f"1:{chosen}", "pages": len(cut), "as_of": day, "title": title}


def _drawable(frame: gpd.GeoDataFrame) -> bool:
    """Whether a row has a shape; missing and empty ones are none."""
    shapes = frame.geometry.to_numpy()
    return bool((~(shapely.is_missing(shapes) | shapely.is_empty(shapes))).any())


def _extent(
    county: str,
    layers: dict[str, gpd.GeoDataFrame],
    compound: str | None,
    bbox: tuple[float, float, float, float] | None,
    crs: str,
) -> tuple[str, tuple[float, float, float, float]]:
    title = f"{county}老旧小区改造与污水管网图"
    if compound is not None:
        homes = layers.get("compounds")
        row = homes[homes["compound_id"] == compound] if homes is not None else None
        if row is None or not len(row):
            raise NotFoundError(
                Text(f"没有小区“{compound}”。", f"There is no compound {compound!r}."), where="--compound"
            )
        if not _drawable(row):
            raise InputError(
                Text(f"小区“{compound}”没有位置。", f"Compound {compound!r} has no place on the map."),
                where="--compound",
            )
        label = row["name"].iloc[0] if "name" in row else compound
        west, south, east, north = row.total_bounds
        d = _AROUND_COMPOUND_M
        return f"{county} · {label}", (west - d, south - d, east + d, north + d)
    if bbox is not None:
        west, south, east, north = Transformer.from_crs(4326, crs, always_xy=True).transform_bounds(*bbox)
        return title, (west, south, east, north)
    framing = [layers[n] for n in ("compounds", "pipes") if n in layers] or list(layers.values())
    if not framing:
        raise InputError(
            Text("县库里还没有可画的图层。", "The county holds nothing to draw yet."),
            Text("请先导入小区或管线。", "Import compounds or pipes first."),
        )
    every = [frame.total_bounds for frame in framing]
    return title, (
        min(b[0] for b in every), min(b[1] for b in every), max(b[2] for b in every), max(b[3] for b in every)
    )  # fmt: skip
