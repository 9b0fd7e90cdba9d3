"""This module draws what stands around the map of a sheet: title, frame, grid ticks, scale bar, north arrow, legend, locator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import geopandas as gpd
import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle

from mapapp.core.text import Lang, Text
from mapapp.render.style import Class, LayerStyle

MARGIN_MM, TITLE_MM, LEGEND_MM, FOOT_MM = 12.0, 16.0, 62.0, 14.0
MM: Final = 1 / 25.4
PX: Final = 0.75  # a screen pixel of the style table is 0.75 pt on paper
MARKERS: Final = MappingProxyType(
    {"circle": "o", "square": "s", "diamond": "D", "triangle": "^", "drop": "v", "cross": "X", "rect": "s"}
)
_AREAS: Final = frozenset({"compounds", "verdicts", "buildings", "survey_areas", "waters"})
_BAR_MM: Final = 36.0
_GAP_MM: Final = 5.0
_TOP_MM: Final = 26.0  # north arrow and scale above the legend
_LOCATOR_MM: Final = (44.0, 36.0)
_INK, _SOFT = "#1d2329", "#56606b"

Size = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Imprint:
    """What stands around the map."""

    title: str
    as_of: str
    crs: str
    maker: str = ""
    classification: Text = Text("内部资料  注意保管", "Internal. Keep safe.")
    lang: Lang = "zh"


def ticks(axes: Any, bounds: Sequence[float], scale: int) -> None:
    """Mark round coordinates of the county's CRS at the frame, about every six centimetres, in km."""
    step = _round(0.06 * scale)
    for spine in axes.spines.values():
        spine.set(linewidth=1.0, color=_INK, zorder=9)
    axes.set_xticks(np.arange(math.ceil(bounds[0] / step), bounds[2] / step) * step)
    axes.set_yticks(np.arange(math.ceil(bounds[1] / step), bounds[3] / step) * step)
    places = max(0, 3 - int(math.log10(step)))
    label = lambda value, _: f"{value / 1000:.{places}f}"  # noqa: E731  # matplotlib wants a function of two
    axes.xaxis.set_major_formatter(label)
    axes.yaxis.set_major_formatter(label)
    axes.tick_params(direction="in", length=5, width=0.6, color=_INK, labelsize=5.5, labelcolor=_SOFT, pad=2,
                     top=True, right=True)  # fmt: skip
    for text in axes.get_yticklabels():
        text.set(rotation=90, va="center")


def _round(wish: float) -> float:
    base = 10 ** math.floor(math.log10(wish))
    return float(next(n * base for n in (1, 2, 5, 10) if n * base >= wish * 0.7))


def around(figure: Figure, number: int, count: int, scale: int, imprint: Imprint, size: Size, frame: Size) -> None:
    """Draw title, neat line, north arrow and scale, and the lines at the foot; sizes in mm."""
    width, height = size
    across, up = frame
    say = imprint.lang
    full = figure.add_axes((0, 0, 1, 1), facecolor="none", zorder=5)
    full.set(xlim=(0, width), ylim=(0, height))
    full.axis("off")
    edge = MARGIN_MM / 2
    full.add_patch(Rectangle((edge, edge), width - 2 * edge, height - 2 * edge, fill=False, lw=1.4, edgecolor=_INK))
    top, right = height - MARGIN_MM, width - MARGIN_MM
    full.text(
        MARGIN_MM + across / 2, top - 5, imprint.title, fontsize=20, ha="center", va="center", weight="bold", color=_INK
    )
    full.text(right, top - 3, imprint.classification.pick(say), fontsize=9, ha="right", va="top", color="#8A1818")
    left, below = MARGIN_MM + across + _GAP_MM, MARGIN_MM + FOOT_MM
    full.add_patch(Rectangle((left, below), right - left, up, fill=False, lw=1.0, edgecolor=_INK))
    x, north = left + 8, below + up - 8
    full.add_patch(Polygon([(x, north), (x - 3.5, north - 13), (x, north - 10)], facecolor=_INK))
    full.add_patch(
        Polygon([(x, north), (x + 3.5, north - 13), (x, north - 10)], facecolor="white", edgecolor=_INK, lw=0.8)
    )
    full.text(x, north + 1, Text("北", "N").pick(say), fontsize=9, ha="center", va="bottom", color=_INK)
    _bar(full, left + 15, north - 11, scale, right - left - 15 - 4)
    as_of = Text("数据截至 {0}", "Data as of {0}").pick(say).format(imprint.as_of)
    crs = Text("坐标系 {0}，图廓注记单位为公里", "CRS {0}, grid in km").pick(say).format(imprint.crs)
    maker = Text("制图 {0}", "Made by {0}").pick(say).format(imprint.maker or "________")
    checked = Text("审核 ________", "Checked ________").pick(say)
    foot = MARGIN_MM + 5
    full.text(MARGIN_MM, foot, "    ".join((as_of, crs, maker, checked)), fontsize=8, va="center", color=_INK)
    pages = Text("第 {0} 页  共 {1} 页", "Page {0} of {1}").pick(say).format(number, count)
    full.text(right, foot, pages, fontsize=8, ha="right", va="center", color=_INK)


def _bar(axes: Any, x: float, y: float, scale: int, room: float) -> None:
    """Draw a bar of four fields, the numeric scale above it; it never leaves the room it has (mm)."""
    field_m = _round(min(_BAR_MM, room - 8) / 4 * scale / 1000 / 1.4)
    field_mm = field_m * 1000 / scale
    for n in range(4):
        axes.add_patch(Rectangle((x + n * field_mm, y), field_mm, 1.6, facecolor=_INK if n % 2 else "white",
                                 edgecolor=_INK, lw=0.6))  # fmt: skip
    axes.text(x + 2 * field_mm, y + 3, f"1:{scale}", fontsize=10, ha="center", va="bottom", color=_INK)
    for n in (0, 2, 4):
        unit = " m" if n == 4 else ""
        axes.text(x + n * field_mm, y - 1, f"{n * field_m:g}{unit}", fontsize=6.5, ha="center", va="top", color=_INK)


def legend(
    figure: Figure, used: Sequence[tuple[LayerStyle, list[Class]]], imprint: Imprint, size: Size, frame: Size
) -> None:
    """List what is drawn, top layer first; the type shrinks where the list would not fit beside the map."""
    handles: list[Any] = []
    labels: list[str] = []
    heads = []
    for style, classes in reversed(used):
        alone = len(classes) == 1 and classes[0].label.zh == style.title.zh
        if not alone:
            heads.append(len(labels))
            handles.append(Line2D([], [], linestyle="none"))
            labels.append(style.title.pick(imprint.lang))
        for look in classes:
            handles.append(_handle(look, area=style.layer in _AREAS))
            word = look.label.pick(imprint.lang)
            labels.append(f"{look.letter}  {word}" if look.letter else word)
    width, height = size
    across, up = frame
    room_mm = up - _TOP_MM - _LOCATOR_MM[1] - 12
    points = min(8.0, room_mm / 25.4 * 72 / (1.75 * (len(labels) + 2)))
    anchor = ((MARGIN_MM + across + _GAP_MM + 2) / width, (MARGIN_MM + FOOT_MM + up - _TOP_MM) / height)
    made = figure.legend(handles, labels, loc="upper left", bbox_to_anchor=anchor, frameon=False, fontsize=points,
                         labelspacing=0.55, handlelength=2.2, handletextpad=0.9, borderaxespad=0)  # fmt: skip
    made.set_title(
        Text("图例", "Legend").pick(imprint.lang), prop=font_manager.FontProperties(size=points + 3, weight="bold")
    )
    made.set_alignment("left")
    made.set_zorder(6)
    for n in heads:
        made.get_texts()[n].set(weight="bold", color=_SOFT)


def _handle(look: Class, *, area: bool) -> Any:  # matplotlib's artists share no useful type
    dash: Any = (0, [d * PX for d in look.dash]) if look.dash else "solid"
    if area:
        face = mpl.colors.to_rgba(look.fill, look.opacity) if look.fill else "none"
        return Patch(
            facecolor=face, edgecolor=look.stroke or "none", linestyle=dash, hatch="////" if look.hatch else None
        )
    if look.fill:
        return Line2D([], [], linestyle="none", marker=MARKERS[look.symbol], markersize=min(2 * look.radius * PX, 8),
                      markerfacecolor=look.fill, markeredgecolor=look.stroke)  # fmt: skip
    return Line2D([], [], color=look.stroke, linewidth=look.width * PX, linestyle=dash)


def locator(
    figure: Figure, compounds: gpd.GeoDataFrame, bounds: Sequence[float], imprint: Imprint, size: Size, frame: Size
) -> None:
    """Show in a small map where the sheet lies among all compounds; left out when the sheet holds nearly all of them."""
    points = compounds.geometry[compounds.geometry.notna()].centroid
    x, y = points.x.to_numpy(), points.y.to_numpy()
    inside = (x >= bounds[0]) & (x <= bounds[2]) & (y >= bounds[1]) & (y <= bounds[3])
    if not len(x) or inside.mean() > 0.9:
        return
    width, height = size
    across, _ = frame
    wide, high = _LOCATOR_MM
    left, below = MARGIN_MM + across + _GAP_MM, MARGIN_MM + FOOT_MM
    at = (left + (LEGEND_MM - _GAP_MM - wide) / 2, below + 4)
    axes = figure.add_axes((at[0] / width, at[1] / height, wide / width, high / height), zorder=6, facecolor="#F5F4F0")
    axes.scatter(x, y, s=5, color=_SOFT, linewidths=0)
    west, south, east, north = (
        min(x.min(), bounds[0]),
        min(y.min(), bounds[1]),
        max(x.max(), bounds[2]),
        max(y.max(), bounds[3]),
    )
    half = max((east - west) / wide, (north - south) / high) * 1.1 / 2
    middle = (west + east) / 2, (south + north) / 2
    axes.set(xlim=(middle[0] - half * wide, middle[0] + half * wide), ylim=(middle[1] - half * high, middle[1] + half * high),
             xticks=[], yticks=[])  # fmt: skip
    axes.add_patch(
        Rectangle(
            (bounds[0], bounds[1]),
            bounds[2] - bounds[0],
            bounds[3] - bounds[1],
            fill=False,
            edgecolor="#D93025",
            lw=1.4,
        )
    )
    axes.set_title(Text("本图位置", "This sheet").pick(imprint.lang), fontsize=7, color=_SOFT, pad=2)
