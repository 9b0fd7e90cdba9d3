"""This module draws the long section of a planned link: ground, crown, invert, slope, size, manholes, the sewer it joins.

Computed once as a `Section`, then written as SVG by our own few lines (for the page, which colours it by class), or by
matplotlib as PDF or PNG (for the file).
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pandas as pd

from mapapp.core.errors import InputError
from mapapp.core.text import Lang, Text

Array = np.ndarray[Any, Any]

_INTERNAL: Final = Text("内部资料  注意保管", "Internal. Keep safe.")
WORDS: Final = {
    "title": Text("纵断面", "Long section"),
    "ground": Text("地面标高", "Ground"),
    "invert": Text("管内底标高", "Invert"),
    "depth": Text("埋深", "Depth"),
    "size": Text("管径·坡度", "Size, slope"),
    "distance": Text("距离", "Distance"),
    "existing": Text("现状管", "Existing"),
    "pump": Text("提升", "Lift"),
    "no_levels": Text("没有高程，标高未知：按平地示意。", "No heights are known here: drawn as flat ground."),
    "assumed": Text("虚线地面为推算", "A dashed ground line is extrapolated"),
    "unit": Text("单位：m；竖向放大 {n} 倍", "Metres; heights {n} times enlarged"),
}


@dataclass(frozen=True, slots=True)
class Existing:
    """The sewer that is joined: its name, invert and ground there, and the pipe that goes on from it.

    Attributes
    ----------
    name : str
    invert_m, ground_m : float
        NaN where unknown.
    diameter_mm, slope : float
        Of the pipe that goes on; NaN where unknown.
    """

    name: str
    invert_m: float = math.nan
    ground_m: float = math.nan
    diameter_mm: float = math.nan
    slope: float = math.nan


@dataclass(frozen=True, slots=True)
class Section:
    """What is drawn.

    Attributes
    ----------
    pipes : DataFrame
        ``link_id from_m to_m ground_up_m ground_down_m invert_up_m invert_down_m diameter_mm slope pump ground_known``,
        in the order of the flow.
    nodes : tuple of str
        Name of each manhole, one more than pipes; the last is the existing sewer.
    existing : Existing
    known : bool
        Whether levels are known; if not, they are drawn against a flat ground at zero, and no level is written.
    title : str
    """

    pipes: pd.DataFrame
    nodes: tuple[str, ...]
    existing: Existing
    known: bool
    title: str = ""


def section(profile: pd.DataFrame, existing: Existing, *, title: str = "") -> Section:
    """Return the section of pipes that follow one another.

    Parameters
    ----------
    profile : DataFrame
        As `services.plan_routes.profile`: planned links in the order of the flow, with ``from_m to_m``.
    existing : Existing
    title : str

    Raises
    ------
    InputError
        When there is no pipe.
    """
    if not len(profile):
        raise InputError(Text("没有管段可画。", "There is no pipe to draw."), Text("先规划。", "Plan first."))
    levels = ["ground_up_m", "ground_down_m", "invert_up_m", "invert_down_m"]
    known = bool(profile[levels].notna().all(axis=None))
    pipes = profile.copy()
    if not known:
        depth_up, depth_down = (pipes[f"depth_{end}_m"].to_numpy(float) for end in ("up", "down"))
        pipes = pipes.assign(ground_up_m=0.0, ground_down_m=0.0, invert_up_m=-depth_up, invert_down_m=-depth_down)
    nodes = (*pipes["from_node"].astype(str), existing.name)
    return Section(pipes.reset_index(drop=True), nodes, existing, known, title)


def _range(made: Section) -> tuple[float, float]:
    p, e = made.pipes, made.existing
    values = [p["ground_up_m"], p["ground_down_m"], p["invert_up_m"], p["invert_down_m"]]
    flat = np.concatenate([v.to_numpy(float) for v in values] + [np.array([e.invert_m, e.ground_m])])
    if not made.known:
        flat = flat[:-2]
    flat = flat[np.isfinite(flat)]
    low, high = float(flat.min()), float(flat.max())
    return low - 0.5, max(high, low + 1.0) + 0.5


def _ticks(low: float, high: float, most: int) -> list[float]:
    step = 10 ** math.floor(math.log10((high - low) / most))
    step = next(s for s in (step, 2 * step, 5 * step, 10 * step) if (high - low) / s <= most)
    first = math.ceil(low / step) * step
    return [round(first + i * step, 6) for i in range(int((high - first) / step + 1e-9) + 1)]


def _spaced(at: Sequence[float], gap: float) -> list[int]:
    """Return the places that can be written without running into one another, first and last always."""
    kept, last = [], -math.inf
    for i, x in enumerate(at):
        if x - last >= gap:
            kept.append(i)
            last = x
    end = len(at) - 1
    if kept[-1] != end:
        if at[end] - at[kept[-1]] < gap and len(kept) > 1:
            kept.pop()
        kept.append(end)
    return kept


def svg(made: Section, lang: Lang, *, width: int = 760) -> str:
    """Return the section as an SVG drawing: classes for the page's colours, plain colours for everybody else.

    Parameters
    ----------
    made : Section
    lang : {"zh", "en"}
    width : int
        Pixels of the drawing's own space; it scales.
    """
    left, right, top, plot, row = 124, 72, 28, 200, 22
    p, e = made.pipes, made.existing
    length = float(p["to_m"].iloc[-1])
    low, high = _range(made)
    tail = max(0.06 * length, 1.0)  # room for the existing sewer going on

    def x(m: float) -> float:
        return left + (width - left - right) * m / (length + tail)

    def y(z: float) -> float:
        return top + plot * (high - z) / (high - low)

    say = {k: escape(v.pick(lang)) for k, v in WORDS.items()}
    head = made.title or WORDS["title"].pick(lang)
    names = ("ground", "invert", "depth", "size", "distance")
    height = top + plot + 12 + row * len(names) + 24
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" class="section" role="img" '
        f'font-size="12" font-family="sans-serif" fill="#1d2329"><title>{escape(head)}</title>'
    ]

    def line(cls: str, points: Sequence[tuple[float, float]], colour: str, more: str = "") -> None:
        d = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        out.append(f'<polyline class="{cls}" points="{d}" fill="none" stroke="{colour}" {more}/>')

    def word(cls: str, at: float, up: float, text: str, anchor: str = "middle") -> None:
        out.append(f'<text class="{cls}" x="{at:.1f}" y="{up:.1f}" text-anchor="{anchor}">{text}</text>')

    if made.known:
        for z in _ticks(low, high, 6):
            line("s-grid", [(left, y(z)), (width - 8, y(z))], "#dfe1e4", 'stroke-width="1"')
            word("s-axis", left - 8, y(z) + 4, f"{z:g}", "end")
    f, t = p["from_m"].to_numpy(float), p["to_m"].to_numpy(float)
    gu, gd = p["ground_up_m"].to_numpy(float), p["ground_down_m"].to_numpy(float)
    iu, idn = p["invert_up_m"].to_numpy(float), p["invert_down_m"].to_numpy(float)
    d = p["diameter_mm"].to_numpy(float) / 1000.0
    sure = p["ground_known"].astype(bool).to_numpy() if "ground_known" in p else np.full(len(p), made.known)
    pump = p["pump"].astype(bool).to_numpy() if "pump" in p else np.zeros(len(p), bool)
    for k in range(len(p)):
        link = quoteattr(str(p["link_id"].iloc[k]))
        corners = [(f[k], iu[k]), (t[k], idn[k]), (t[k], idn[k] + d[k]), (f[k], iu[k] + d[k])]
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in corners)
        tip = escape(f"{p['link_id'].iloc[k]}  DN{d[k] * 1000:.0f}  {t[k] - f[k]:.1f} m")
        out.append(
            f'<polygon class="s-pipe" data-link={link} points="{points}" fill="#fbe3e0" stroke="#d93025" '
            f'stroke-width="1.5"><title>{tip}</title></polygon>'
        )
        dash = "" if sure[k] and made.known else 'stroke-dasharray="6 4"'
        line("s-ground", [(x(f[k]), y(gu[k])), (x(t[k]), y(gd[k]))], "#7a5c3e", f'stroke-width="2" {dash}')
        line("s-manhole", [(x(f[k]), y(gu[k])), (x(f[k]), y(iu[k]))], "#1d2329", 'stroke-width="2"')
        if pump[k]:
            word("s-pump", x(f[k]) + 4, y(iu[k] + d[k]) - 6, f"&#9650; {say['pump']}", "start")
    line("s-manhole", [(x(t[-1]), y(gd[-1])), (x(t[-1]), y(min(idn[-1], _or(e.invert_m, idn[-1]))))], "#1d2329", 'stroke-width="2"')  # fmt: skip
    _existing_svg(made, out, x, y, length, tail, say, line, word)
    places = [x(m) for m in (*f, t[-1])]
    kept = _spaced(places, 46.0)
    for i in _named(places, made.nodes):
        word("s-node", places[i], top - 10, escape(_short(made.nodes[i])))
    base = top + plot + 12
    for j, name in enumerate(names):
        up = base + row * j
        line("s-grid", [(8, up), (width - 8, up)], "#dfe1e4", 'stroke-width="1"')
        word("s-head", left - 30, up + 15, say[name], "end")
    for i in kept:
        at = places[i]
        g = gu[i] if i < len(p) else gd[-1]
        z = iu[i] if i < len(p) else idn[-1]
        far = f[i] if i < len(p) else t[-1]
        cells = [f"{g:.2f}", f"{z:.2f}"] if made.known else ["?", "?"]
        for j, text in enumerate([*cells, f"{g - z:.2f}"]):
            word("s-cell", at, base + row * j + 15, text)
        word("s-cell", at, base + row * 4 + 15, f"{far:.1f}")
    for k0, k1, dn, slope in _runs(p):
        a, b = x(f[k0]), x(t[k1])
        text = f"DN{dn:.0f} {1000 * slope:.1f}‰" if made.known else f"DN{dn:.0f}"
        if b - a <= _wide(text) + 4 and made.known:
            text = f"{1000 * slope:.1f}‰"
        if b - a > _wide(text) + 4:
            word("s-cell", (a + b) / 2, base + row * 3 + 15, text)
    times = (plot / (high - low)) / ((width - left - right) / (length + tail))
    foot = (WORDS["unit"].format(n=f"{times:.2g}") if made.known else WORDS["no_levels"]).pick(lang)
    if made.known and not sure.all():
        foot += Text("；", "; ").pick(lang) + WORDS["assumed"].pick(lang)
    word("s-axis", left, height - 8, escape(foot), "start")
    out.append("</svg>")
    return "".join(out)


def _existing_svg(
    made: Section, out: list[str], x: Any, y: Any, length: float, tail: float, say: dict[str, str], line: Any, word: Any
) -> None:
    e = made.existing
    if not made.known or not math.isfinite(e.invert_m):
        word("s-old", x(length) + 6, y(made.pipes["invert_down_m"].iloc[-1]) + 4, f"{say['existing']} ?", "start")
        return
    fall = (e.slope if math.isfinite(e.slope) else 0.0) * tail
    d = (e.diameter_mm if math.isfinite(e.diameter_mm) else 300.0) / 1000.0
    corners = [(length, e.invert_m), (length + tail, e.invert_m - fall), (length + tail, e.invert_m - fall + d), (length, e.invert_m + d)]  # fmt: skip
    points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in corners)
    out.append(f'<polygon class="s-existing" points="{points}" fill="#dfe1e4" stroke="#56606b" stroke-width="1.5"/>')
    text = say["existing"] + (f" DN{e.diameter_mm:.0f}" if math.isfinite(e.diameter_mm) else "")
    word("s-old", x(length) + 6, y(e.invert_m) + 16, text, "start")
    word("s-old", x(length) + 6, y(e.invert_m) + 30, f"{e.invert_m:.2f}", "start")


def _or(value: float, other: float) -> float:
    return value if math.isfinite(value) else other


def _short(name: str) -> str:
    return name if len(name) <= 12 else name[:11] + "…"


def _wide(text: str) -> float:
    """Return about how many pixels a word takes at 12 px: a Chinese character is as wide as two others."""
    return sum(12.0 if ord(c) > 0x2E80 else 7.0 for c in text)


def _named(places: Sequence[float], nodes: Sequence[str]) -> list[int]:
    """Return the nodes whose names fit side by side: both ends first, then compounds, then new manholes."""
    end = len(nodes) - 1
    rank = sorted(range(len(nodes)), key=lambda i: (i not in (0, end), nodes[i].startswith("NEW-"), i))
    taken: list[tuple[float, float]] = []
    kept = []
    for i in rank:
        half = _wide(_short(nodes[i])) / 2 + 4
        low, high = places[i] - half, places[i] + half
        if all(high < a or low > b for a, b in taken):
            taken.append((low, high))
            kept.append(i)
    return sorted(kept)


def _runs(p: pd.DataFrame) -> list[tuple[int, int, float, float]]:
    """Return stretches of one size and (to a tenth of a per mille) one slope: first row, last row, mm, slope."""
    key = list(zip(p["diameter_mm"].round(), (p["slope"] * 1e4).round(), strict=True))
    out: list[tuple[int, int, float, float]] = []
    start = 0
    for k in range(1, len(key) + 1):
        if k == len(key) or key[k] != key[start]:
            out.append((start, k - 1, float(p["diameter_mm"].iloc[start]), float(p["slope"].iloc[start])))
            start = k
    return out


def file(made: Section, kind: Literal["pdf", "png"], lang: Lang, *, imprint: str = "") -> bytes:
    """Return the section on an A3 sheet across, as PDF (vector) or PNG (150 dpi).

    Parameters
    ----------
    made : Section
    kind : {"pdf", "png"}
    lang : {"zh", "en"}
    imprint : str
        A line at the foot: county, date, whose prices.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from mapapp.render import sheet

    words = {k: v.pick(lang) for k, v in WORDS.items()}
    length = float(made.pipes["to_m"].iloc[-1])
    span = (-0.02 * length, 1.1 * length)
    look: Any = {"font.family": sheet._family(), "axes.unicode_minus": False, "pdf.fonttype": 42}
    with mpl.rc_context(look):
        figure = Figure(figsize=(420 / 25.4, 297 / 25.4))
        FigureCanvasAgg(figure)
        _plot(figure.add_axes((0.08, 0.36, 0.88, 0.46)), made, words, span)
        _table(figure.add_axes((0.08, 0.08, 0.88, 0.26)), made, words, span)
        figure.text(0.08, 0.94, made.title or words["title"], fontsize=16, weight="bold")
        figure.text(0.96, 0.94, _INTERNAL.pick(lang), fontsize=10, ha="right")
        figure.text(0.08, 0.04, imprint if made.known else f"{words['no_levels']}  {imprint}", fontsize=10)
        body = io.BytesIO()
        # no date inside: the same plan gives the same bytes
        figure.savefig(body, format=kind, dpi=150, metadata={"CreationDate": None} if kind == "pdf" else None)
    return body.getvalue()


def _plot(axes: Any, made: Section, words: dict[str, str], span: tuple[float, float]) -> None:
    p, e = made.pipes, made.existing
    f, t = p["from_m"].to_numpy(float), p["to_m"].to_numpy(float)
    end, d = float(t[-1]), p["diameter_mm"].to_numpy(float) / 1000.0
    gu, gd, iu, idn = (p[c].to_numpy(float) for c in ("ground_up_m", "ground_down_m", "invert_up_m", "invert_down_m"))
    sure = p["ground_known"].astype(bool).to_numpy() if "ground_known" in p else np.full(len(p), made.known)
    for k in range(len(p)):
        corners = [iu[k], idn[k], idn[k] + d[k], iu[k] + d[k]]
        axes.fill([f[k], t[k], t[k], f[k]], corners, facecolor="#fbe3e0", edgecolor="#d93025", linewidth=1.2)
        style = "-" if sure[k] and made.known else "--"
        axes.plot([f[k], t[k]], [gu[k], gd[k]], color="#7a5c3e", linewidth=1.6, linestyle=style)
        axes.plot([f[k], f[k]], [gu[k], iu[k]], color="#1d2329", linewidth=1.6)
        if "pump" in p and bool(p["pump"].iloc[k]):
            axes.text(f[k], iu[k] + d[k], f" {words['pump']}", color="#8a5300", fontsize=9, va="bottom")
    axes.plot([end, end], [gd[-1], min(idn[-1], _or(e.invert_m, idn[-1]))], color="#1d2329", linewidth=1.6)
    if made.known and math.isfinite(e.invert_m):
        size = (e.diameter_mm if math.isfinite(e.diameter_mm) else 300.0) / 1000.0
        low = e.invert_m - (e.slope if math.isfinite(e.slope) else 0.0) * (span[1] - end)
        axes.fill([end, span[1], span[1], end], [e.invert_m, low, low + size, e.invert_m + size],
                  facecolor="#dfe1e4", edgecolor="#56606b", linewidth=1.2)  # fmt: skip
        told = f"{words['existing']} {e.invert_m:.2f}"
        if math.isfinite(e.diameter_mm):
            told = f"{words['existing']} DN{e.diameter_mm:.0f}\n{e.invert_m:.2f}"
        axes.annotate(told, (end, e.invert_m), xytext=(4, -6), textcoords="offset points", va="top", fontsize=9)
    axes.set_xlim(*span)
    axes.set_ylim(*_range(made))
    axes.set_ylabel("m" if made.known else "")
    axes.grid(visible=True, axis="y", color="#dfe1e4")
    axes.set_xticks([])
    if not made.known:
        axes.set_yticks([])
    places = [float(m) for m in (*f, end)]
    for i in _spaced([m / (span[1] - span[0]) for m in places], 0.018):
        axes.annotate(
            made.nodes[i], (places[i], 1.0), xycoords=("data", "axes fraction"), xytext=(0, 6),
            textcoords="offset points", rotation=60, ha="left", va="bottom", fontsize=8,
        )  # fmt: skip


def _table(axes: Any, made: Section, words: dict[str, str], span: tuple[float, float]) -> None:
    p = made.pipes
    axes.set_xlim(*span)
    axes.set_ylim(5, 0)
    axes.set_xticks([])
    axes.set_yticks([i + 0.5 for i in range(5)])
    axes.set_yticklabels([words[k] for k in ("ground", "invert", "depth", "size", "distance")])
    axes.tick_params(length=0)
    for i in range(1, 5):
        axes.axhline(i, color="#c8ccd1", linewidth=0.8)
    f, t = p["from_m"].to_numpy(float), p["to_m"].to_numpy(float)
    wide = span[1] - span[0]
    for i in _spaced([m / wide for m in (*f, t[-1])], 0.012):
        end = i == len(p)
        row = p.iloc[-1 if end else i]
        ground, invert = row["ground_down_m" if end else "ground_up_m"], row["invert_down_m" if end else "invert_up_m"]
        at = float(t[-1] if end else f[i])
        cells = [f"{ground:.2f}", f"{invert:.2f}"] if made.known else ["?", "?"]
        for j, text in ((0, cells[0]), (1, cells[1]), (2, f"{ground - invert:.2f}"), (4, f"{at:.1f}")):
            axes.text(at, j + 0.5, text, rotation=90, ha="center", va="center", fontsize=8)
    for k0, k1, dn, slope in _runs(p):
        text = f"DN{dn:.0f} {1000 * slope:.1f}‰" if made.known else f"DN{dn:.0f}"
        room = (t[k1] - f[k0]) / wide
        if room > 0.012:
            upright = room < 0.006 * len(text)
            axes.text((f[k0] + t[k1]) / 2, 3.5, text.replace(" ", "\n") if upright else text,
                      rotation=90 if upright else 0, ha="center", va="center", fontsize=7 if upright else 8)  # fmt: skip
