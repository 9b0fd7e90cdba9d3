"""This module draws map sheets: A3 or A4, title, legend, scale, north arrow, CRS, as-of date, page n of m.

Vector PDF or PNG, drawn on the server from the one style table, at a true scale of 1:500 to 1:100 000. What does not
fit on one page at the wished scale becomes several, numbered from north-west.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle
from matplotlib.path import Path as Outline

from mapapp.core.errors import InputError
from mapapp.core.text import Lang, Text
from mapapp.render.style import STYLE, Class, LayerStyle

Paper = Literal["A3", "A4"]
SIZES_MM: Final[Mapping[Paper, tuple[float, float]]] = {"A3": (420.0, 297.0), "A4": (297.0, 210.0)}
SCALES: Final = (500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
"""Scales a sheet may have; 1:500 to 1:5000 are those of the survey's own plans."""

_MARGIN_MM, _TITLE_MM, _LEGEND_MM, _FOOT_MM = 12.0, 16.0, 62.0, 14.0
_MM = 1 / 25.4
_PX = 0.75  # a screen pixel of the style table is 0.75 pt on paper
_FONTS: Final = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Micro Hei", "SimHei")
_MARKERS: Final = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle": "^",
    "drop": "v",
    "cross": "X",
    "rect": "s",
}
_MAX_PAGES: Final = 60


@dataclass(frozen=True, slots=True)
class Imprint:
    """What stands around the map."""

    title: str
    as_of: str
    crs: str
    maker: str = ""
    classification: Text = Text("内部资料  注意保管", "Internal. Keep safe.")
    lang: Lang = "zh"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its extent in the county's CRS (m) and its place among the pages."""

    bounds: tuple[float, float, float, float]
    number: int
    count: int


def frame_mm(paper: Paper) -> tuple[float, float]:
    """Return width and height of the map frame on the paper, mm."""
    width, height = SIZES_MM[paper]
    return width - 2 * _MARGIN_MM - _LEGEND_MM, height - 2 * _MARGIN_MM - _TITLE_MM - _FOOT_MM


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
    beside = path.with_name(f".{path.name}.part")
    try:
        with mpl.rc_context(look):
            if path.suffix.lower() == ".png":
                canvas: Any = FigureCanvasAgg(_draw(layers, sheets[0], scale, imprint, paper))
                canvas.print_png(beside)
            else:
                with PdfPages(beside, metadata={"Title": imprint.title, "CreationDate": None}) as book:
                    for page in sheets:
                        book.savefig(_draw(layers, page, scale, imprint, paper))
        beside.replace(path)
    except OSError as error:
        raise InputError(
            Text(f"无法写入：{error.strerror or error}。", f"Cannot write there: {error.strerror or error}."),
            where=path.name,
        ) from error
    finally:
        beside.unlink(missing_ok=True)


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
    figure = Figure(figsize=(width * _MM, height * _MM), dpi=200)
    box = (_MARGIN_MM / width, (_MARGIN_MM + _FOOT_MM) / height, across / width, up / height)
    axes = figure.add_axes(box)
    axes.set(xlim=page.bounds[::2], ylim=page.bounds[1::2], xticks=[], yticks=[])
    used: list[tuple[LayerStyle, list[Class]]] = []
    for style in STYLE.values():
        if style.layer in layers and style.id not in ("pipes_cjj61", "verdicts"):
            window = layers[style.layer]
            window = window.iloc[window.sindex.query(shapely.box(*page.bounds))]
            if len(window):
                used.append((style, _layer(axes, window, style, scale)))
    _around(figure, page, scale, imprint, paper)
    _legend(figure, used, imprint, paper)
    return figure


def _layer(axes: Any, frame: gpd.GeoDataFrame, style: LayerStyle, scale: int) -> list[Class]:
    """Draw the rows class by class; return the classes that occur."""
    values = frame[style.column] if style.column in frame.columns else pd.Series("", index=frame.index)
    by_id = pd.Series([style.class_of(v).id for v in values.astype("object")], index=frame.index)
    drawn = []
    for look in style.classes:
        rows = frame[(by_id == look.id).to_numpy()]
        if not len(rows):
            continue
        drawn.append(look)
        shapes = shapely.get_parts(rows.geometry.to_numpy())
        kinds = shapely.get_type_id(shapes)
        if (kinds == 3).any():
            _polygons(axes, shapes[kinds == 3], look)
        if (kinds == 1).any():
            dash: Any = (0, [d * _PX for d in look.dash]) if look.dash else "solid"
            lines = [shapely.get_coordinates(line) for line in shapes[kinds == 1]]
            axes.add_collection(LineCollection(lines, colors=look.stroke, linewidths=look.width * _PX, linestyles=dash))
        if (kinds == 0).any():
            at = shapely.get_coordinates(shapes[kinds == 0])
            axes.scatter(
                *at.T,
                s=(2 * look.radius * _PX) ** 2,
                marker=_MARKERS[look.symbol],
                facecolor=look.fill or "none",
                edgecolor=look.stroke,
                linewidths=look.width * _PX,
                zorder=3,
            )
            if look.letter and look.radius >= 6:
                _letters(axes, at, [look.letter] * len(at), look.ink, 5.5)
        if style.layer == "compounds" and scale <= 20_000:
            inside = shapely.get_coordinates(shapely.point_on_surface(rows.geometry.to_numpy()))
            names = rows["name"].fillna("").astype("str") if "name" in rows and scale <= 5000 else [""] * len(rows)
            _letters(axes, inside, [f"{look.letter}\n{n}" if n else look.letter for n in names], look.ink, 6.5)
    return drawn


def _polygons(axes: Any, shapes: np.ndarray[Any, Any], look: Class) -> None:
    outlines = []
    for shape in shapes:
        rings = [shape.exterior, *shape.interiors]
        outlines.append(Outline.make_compound_path(*[Outline(np.asarray(r.coords), closed=True) for r in rings]))
    face = mpl.colors.to_rgba(look.fill, look.opacity) if look.fill else "none"
    dash: Any = (0, [d * _PX for d in look.dash]) if look.dash else "solid"
    axes.add_collection(
        PathCollection(
            outlines,
            facecolor=face,
            edgecolor=look.stroke or "none",
            linewidths=look.width * _PX,
            linestyles=dash,
            hatch="////" if look.hatch else None,
        )
    )


def _letters(axes: Any, at: np.ndarray[Any, Any], words: Sequence[str], ink: str, size: float) -> None:
    for (x, y), word in zip(at, words, strict=True):
        axes.text(
            x, y, word, color=ink, fontsize=size, ha="center", va="center", clip_on=True, zorder=4, linespacing=1.1
        )


def _around(figure: Figure, page: Page, scale: int, imprint: Imprint, paper: Paper) -> None:
    """Title, neat line, scale bar, north arrow, the lines at the foot."""
    width, height = SIZES_MM[paper]
    say = imprint.lang
    across, _ = frame_mm(paper)
    full = figure.add_axes((0, 0, 1, 1), facecolor="none")
    full.set(xlim=(0, width), ylim=(0, height))
    full.axis("off")
    full.add_patch(
        Rectangle((_MARGIN_MM / 2, _MARGIN_MM / 2), width - _MARGIN_MM, height - _MARGIN_MM, fill=False, lw=1.2)
    )
    top = height - _MARGIN_MM
    full.text(width / 2, top - 5, imprint.title, fontsize=18, ha="center", va="center", weight="bold")
    full.text(width - _MARGIN_MM, top - 2, imprint.classification.pick(say), fontsize=9, ha="right", va="top")
    x = _MARGIN_MM + across + 6
    north = top - _TITLE_MM - 4
    full.add_patch(Polygon([(x + 6, north), (x + 2, north - 14), (x + 6, north - 11)], facecolor="black"))
    full.add_patch(
        Polygon([(x + 6, north), (x + 10, north - 14), (x + 6, north - 11)], facecolor="white", edgecolor="black")
    )
    full.text(x + 6, north + 1, Text("北", "N").pick(say), fontsize=10, ha="center", va="bottom")
    _bar(full, x + 16, north - 10, scale)
    left, foot = _MARGIN_MM, _MARGIN_MM + 7
    as_of = Text("数据截至 {0}", "Data as of {0}").pick(say).format(imprint.as_of)
    crs = Text("坐标系 {0}", "CRS {0}").pick(say).format(imprint.crs)
    maker = Text("制图 {0}", "Made by {0}").pick(say).format(imprint.maker or "—")
    checked = Text("审核 ________", "Checked ________").pick(say)
    full.text(left, foot, "    ".join((as_of, crs, maker, checked)), fontsize=8.5, va="center")
    count = Text("第 {0} 页  共 {1} 页", "Page {0} of {1}").pick(say).format(page.number, page.count)
    full.text(width - _MARGIN_MM, foot, count, fontsize=8.5, ha="right", va="center")


def _bar(axes: Any, x: float, y: float, scale: int) -> None:
    """Draw a bar of four fields, the numeric scale above it."""
    field_m = {500: 5, 1000: 10, 2000: 20, 5000: 50}.get(scale, scale // 100)
    field_mm = field_m * 1000 / scale
    for n in range(4):
        axes.add_patch(Rectangle((x + n * field_mm, y), field_mm, 1.6, facecolor="black" if n % 2 else "white",
                                 edgecolor="black", lw=0.6))  # fmt: skip
    axes.text(x + 2 * field_mm, y + 3, f"1:{scale}", fontsize=10, ha="center", va="bottom")
    for n in (0, 2, 4):
        axes.text(x + n * field_mm, y - 1, f"{n * field_m}{' m' if n == 4 else ''}", fontsize=7, ha="center", va="top")


def _legend(figure: Figure, used: Sequence[tuple[LayerStyle, list[Class]]], imprint: Imprint, paper: Paper) -> None:
    handles: list[Any] = []
    labels: list[str] = []
    for style, classes in reversed(used):
        handles.append(Line2D([], [], linestyle="none"))
        labels.append(style.title.pick(imprint.lang))
        for look in classes:
            handles.append(_handle(look))
            labels.append(
                f"{look.letter}  {look.label.pick(imprint.lang)}" if look.letter else look.label.pick(imprint.lang)
            )
    width, height = SIZES_MM[paper]
    across, up = frame_mm(paper)
    anchor = ((_MARGIN_MM + across + 4) / width, (_MARGIN_MM + _FOOT_MM + up - 24) / height)
    legend = figure.legend(handles, labels, loc="upper left", bbox_to_anchor=anchor, frameon=False, fontsize=8)
    legend.set_title(Text("图例", "Legend").pick(imprint.lang), prop=font_manager.FontProperties(size=11))
    legend.set_alignment("left")


def _handle(look: Class) -> Any:  # matplotlib's artists share no useful type
    dash: Any = (0, [d * _PX for d in look.dash]) if look.dash else "solid"
    if look.fill and look.symbol == "circle" and look.radius == 5.0:  # an area: the symbol's defaults were left alone
        face = mpl.colors.to_rgba(look.fill, look.opacity)
        return Patch(facecolor=face, edgecolor=look.stroke, linestyle=dash, hatch="////" if look.hatch else None)
    if look.fill:
        return Line2D([], [], linestyle="none", marker=_MARKERS[look.symbol], markersize=2 * look.radius * _PX,
                      markerfacecolor=look.fill, markeredgecolor=look.stroke)  # fmt: skip
    return Line2D([], [], color=look.stroke, linewidth=look.width * _PX, linestyle=dash)
