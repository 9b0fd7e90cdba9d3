"""This module draws map sheets: A3 or A4, title, legend, scale, north arrow, CRS, as-of date, page n of m.

Vector PDF or PNG, drawn on the server from the one style table, at a true scale of 1:500 to 1:100 000. What does not
fit on one page at the wished scale becomes several, numbered from north-west.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import shapely
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.render import files, surround
from mapapp.render.style import STYLE, Class, LayerStyle
from mapapp.render.surround import FOOT_MM, LEGEND_MM, MARGIN_MM, MARKERS, MM, PX, TITLE_MM, Imprint

Paper = Literal["A3", "A4"]
SIZES_MM: Final[Mapping[Paper, tuple[float, float]]] = {"A3": (420.0, 297.0), "A4": (297.0, 210.0)}
SCALES: Final = (500, 1000, 2000, 5000, 10_000, 15_000, 20_000, 25_000, 50_000, 100_000)
"""Scales a sheet may have; 1:500 to 1:5000 are those of the survey's own plans."""

_DETAIL: Final[Mapping[str, int]] = {"manholes": 5000, "inlets": 2000, "candidates": 5000}
"""Smallest scale (largest denominator) at which small things are drawn; below it they would only cover the rest."""
_NAMES_FROM: Final = 5000
_FONTS: Final = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Micro Hei", "SimHei")
_MAX_PAGES: Final = 60


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its extent in the county's CRS (m) and its place among the pages."""

    bounds: tuple[float, float, float, float]
    number: int
    count: int


def frame_mm(paper: Paper) -> tuple[float, float]:
    """Return width and height of the map frame on the paper, mm."""
    width, height = SIZES_MM[paper]
    return width - 2 * MARGIN_MM - LEGEND_MM, height - 2 * MARGIN_MM - TITLE_MM - FOOT_MM


def fitting_scale(bounds: Sequence[float], paper: Paper) -> int:
    """Return the largest of `SCALES` at which ``bounds`` (m) fits on one page; the smallest when none does."""
    width, height = (1000 * side for side in (bounds[2] - bounds[0], bounds[3] - bounds[1]))
    across, up = frame_mm(paper)
    return next((s for s in SCALES if width / s <= across and height / s <= up), SCALES[-1])


def pages(bounds: Sequence[float], scale: int, paper: Paper) -> list[Page]:
    """Cut an extent (m) into pages of one scale, rows from the north, centred on the extent.

    Raises
    ------
    InputError
        When that would be more than 60 pages; the message names the scale that fits on one.
    """
    across, up = (side * scale / 1000 for side in frame_mm(paper))
    columns = max(1, math.ceil((bounds[2] - bounds[0]) / across - 1e-9))
    rows = max(1, math.ceil((bounds[3] - bounds[1]) / up - 1e-9))
    if columns * rows > _MAX_PAGES:
        fits = fitting_scale(bounds, paper)
        raise InputError(
            Text(f"按 1:{scale} 要 {columns * rows} 页。", f"At 1:{scale} this takes {columns * rows} pages."),
            Text(f"请缩小范围，或用 1:{fits}（一页）。", f"Choose a smaller extent, or 1:{fits} (one page)."),
        )
    west = (bounds[0] + bounds[2]) / 2 - columns * across / 2
    north = (bounds[1] + bounds[3]) / 2 + rows * up / 2
    corners = [(west + c * across, north - (r + 1) * up) for r in range(rows) for c in range(columns)]
    return [Page((x, y, x + across, y + up), n, len(corners)) for n, (x, y) in enumerate(corners, start=1)]


def write(
    layers: Mapping[str, gpd.GeoDataFrame],
    extent: Iterable[Page],
    scale: int,
    imprint: Imprint,
    paper: Paper,
    path: Path,
) -> None:
    """Draw the pages into a PDF (all) or a PNG (one page only).

    Parameters
    ----------
    layers : mapping of layer name to GeoDataFrame
        In the county's metric CRS; drawn in the order of the style table. Layers without a style are left out.
    extent : iterable of Page
        From `pages`.
    scale : int
        The denominator.

    Raises
    ------
    InputError
        When the extension is neither .pdf nor .png, a PNG would need several pages, or no Chinese font is installed.
    """
    sheets = list(extent)
    if path.suffix.lower() not in (".pdf", ".png"):
        raise InputError(
            Text(
                f"图幅只能写成 .pdf 或 .png，不是“{path.suffix}”。",
                f"A sheet is a .pdf or a .png, not {path.suffix!r}.",
            ),
            where=path.name,
        )
    if path.suffix.lower() == ".png" and len(sheets) > 1:
        raise InputError(
            Text(f"共 {len(sheets)} 页，.png 只能放一页。", f"{len(sheets)} pages; a .png holds one."),
            Text("请写成 .pdf，或换更小的比例尺。", "Write a .pdf, or choose a smaller scale."),
            where=path.name,
        )
    look: Any = {"font.family": _family(), "pdf.fonttype": 42, "axes.unicode_minus": False, "hatch.linewidth": 0.4}
    with files.whole(path) as beside, mpl.rc_context(look):
        if path.suffix.lower() == ".png":
            canvas: Any = FigureCanvasAgg(_draw(layers, sheets[0], scale, imprint, paper))
            canvas.print_png(beside)
        else:
            with PdfPages(beside, metadata={"Title": imprint.title, "CreationDate": None}) as book:
                for page in sheets:
                    book.savefig(_draw(layers, page, scale, imprint, paper))


def _family() -> list[str]:
    there = {font.name for font in font_manager.fontManager.ttflist}
    found = [name for name in _FONTS if name in there]
    if not found:
        raise InputError(
            Text("服务器上没有中文字体，图上会出现方框。", "No Chinese font is installed; the sheet would show boxes."),
            Text("请安装 fonts-noto-cjk。", "Install fonts-noto-cjk (Noto Sans CJK)."),
        )
    return [*found, "DejaVu Sans"]


def _draw(layers: Mapping[str, gpd.GeoDataFrame], page: Page, scale: int, imprint: Imprint, paper: Paper) -> Figure:
    width, height = SIZES_MM[paper]
    across, up = frame_mm(paper)
    figure = Figure(figsize=(width * MM, height * MM), dpi=200)
    box = (MARGIN_MM / width, (MARGIN_MM + FOOT_MM) / height, across / width, up / height)
    axes = figure.add_axes(box)
    axes.set(xlim=page.bounds[::2], ylim=page.bounds[1::2], xticks=[], yticks=[], facecolor="#FBFAF7")
    used: list[tuple[LayerStyle, list[Class]]] = []
    for style in STYLE.values():
        if scale > _DETAIL.get(style.layer, SCALES[-1]):
            continue
        if style.layer in layers and style.id not in ("pipes_cjj61", "verdicts"):
            window = layers[style.layer]
            window = window.iloc[window.sindex.query(shapely.box(*page.bounds))]
            if len(window) and (drawn := _layer(axes, window, style, scale)):
                used.append((style, drawn))
    if "streets" in layers and scale <= _NAMES_FROM:
        _street_names(axes, layers["streets"], page.bounds)
    surround.ticks(axes, page.bounds, scale)
    surround.around(figure, page.number, page.count, scale, imprint, SIZES_MM[paper], (across, up))
    surround.legend(figure, used, imprint, SIZES_MM[paper], (across, up))
    homes = layers.get("compounds")
    if homes is not None:
        surround.locator(figure, homes, page.bounds, imprint, SIZES_MM[paper], (across, up))
    return figure


def _layer(axes: Any, frame: gpd.GeoDataFrame, style: LayerStyle, scale: int) -> list[Class]:
    """Draw the rows class by class; return the classes that occur."""
    values = frame[style.column] if style.column in frame.columns else pd.Series("", index=frame.index)
    by_id = pd.Series([style.class_of(v).id for v in values.astype("object")], index=frame.index)
    drawn = []
    for look in style.classes:
        rows = frame[(by_id == look.id).to_numpy()]
        if not len(rows) or not (look.fill or look.width):
            continue  # a class without a look has no line in the legend either
        drawn.append(look)
        shapes = shapely.get_parts(rows.geometry.to_numpy())
        kinds = shapely.get_type_id(shapes)
        if (kinds == 3).any():
            # what is wrong with an area is an outline around it: its colour goes on saying its status
            _polygons(
                axes, shapes[kinds == 3], replace(look, fill="", hatch=False) if style.layer == "findings" else look
            )
        if (kinds == 1).any():
            dash: Any = (0, [d * PX for d in look.dash]) if look.dash else "solid"
            lines = [shapely.get_coordinates(line) for line in shapes[kinds == 1]]
            axes.add_collection(LineCollection(lines, colors=look.stroke, linewidths=look.width * PX, linestyles=dash))
        if (kinds == 0).any():
            at = shapely.get_coordinates(shapes[kinds == 0])
            axes.scatter(
                *at.T,
                s=(2 * look.radius * PX) ** 2,
                marker=MARKERS[look.symbol],
                facecolor=look.fill or "none",
                edgecolor=look.stroke,
                linewidths=look.width * PX,
                zorder=3,
            )
            if look.letter and look.radius >= 6:
                _letters(axes, at, [look.letter] * len(at), look.ink, 5.5)
        if style.id == "compounds" and scale <= 20_000:
            inside = shapely.get_coordinates(shapely.point_on_surface(rows.geometry.to_numpy()))
            _letters(axes, inside, [look.letter] * len(rows), look.ink, 8 if scale <= _NAMES_FROM else 5)
            if "name" in rows and scale <= _NAMES_FROM:
                _names(axes, inside, rows["name"].fillna("").astype("str").tolist(), 7.5 if scale <= 2000 else 6)
    return drawn


def _polygons(axes: Any, shapes: np.ndarray[Any, Any], look: Class) -> None:
    outlines = []
    for shape in shapes:
        rings = [shape.exterior, *shape.interiors]
        outlines.append(Outline.make_compound_path(*[Outline(np.asarray(r.coords), closed=True) for r in rings]))
    face = mpl.colors.to_rgba(look.fill, look.opacity) if look.fill else "none"
    dash: Any = (0, [d * PX for d in look.dash]) if look.dash else "solid"
    axes.add_collection(
        PathCollection(
            outlines,
            facecolor=face,
            edgecolor=look.stroke or "none",
            linewidths=look.width * PX,
            linestyles=dash,
            hatch="////" if look.hatch else None,
        )
    )


def _letters(axes: Any, at: np.ndarray[Any, Any], words: Sequence[str], ink: str, size: float) -> None:
    for (x, y), word in zip(at, words, strict=True):
        axes.text(x, y, word, color=ink, fontsize=size, ha="center", va="center", clip_on=True, zorder=4)


_HALO: Final = (withStroke(linewidth=2.2, foreground="#FFFFFF", alpha=0.92),)


def _names(axes: Any, at: np.ndarray[Any, Any], words: Sequence[str], size: float) -> None:
    """Write names under the letters, with a halo that keeps them readable on any ground."""
    for (x, y), word in zip(at, words, strict=True):
        axes.annotate(word, (x, y), (0, -6), textcoords="offset points", color="#1d2329", fontsize=size, ha="center",
                      va="top", zorder=5, path_effects=_HALO, annotation_clip=True)  # fmt: skip


def _street_names(axes: Any, streets: gpd.GeoDataFrame, bounds: tuple[float, float, float, float]) -> None:
    """Write each street's name once, along its longest straight piece in the window."""
    if "name" not in streets:
        return
    seen = streets[streets["name"].notna()]
    parts, row = shapely.get_parts(
        shapely.intersection(seen.geometry.to_numpy(), shapely.box(*bounds)), return_index=True
    )
    lines = shapely.get_type_id(parts) == 1
    xy, of = shapely.get_coordinates(parts[lines], return_index=True)
    if len(xy) < 2:
        return
    step = np.diff(xy, axis=0)
    pieces = pd.DataFrame({
        "name": seen["name"].to_numpy()[row[lines][of[:-1]]],
        "length": np.where(of[1:] == of[:-1], np.hypot(step[:, 0], step[:, 1]), 0.0),
        "x": (xy[1:, 0] + xy[:-1, 0]) / 2,
        "y": (xy[1:, 1] + xy[:-1, 1]) / 2,
        "angle": (np.degrees(np.arctan2(step[:, 1], step[:, 0])) + 90) % 180 - 90,
    }).sort_values(["length", "x", "y"], ascending=False, kind="stable").drop_duplicates("name")  # fmt: skip
    long = pieces[pieces["length"] > 0.04 * (bounds[2] - bounds[0])]
    for name, _, x, y, angle in long.itertuples(index=False):
        axes.text(x, y, name, fontsize=6.5, color="#56606b", rotation=angle, rotation_mode="anchor", ha="center",
                  va="center", clip_on=True, zorder=2.5, path_effects=_HALO)  # fmt: skip
