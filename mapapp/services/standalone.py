"""This module writes the stand-alone map: one page that opens from a USB stick."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from mapapp import store
from mapapp.audit.rules import RULES
from mapapp.audit.verdicts import VERDICTS
from mapapp.core.errors import InputError
from mapapp.core.progress import Progress, silent
from mapapp.core.text import Lang, Text
from mapapp.programme.report import chinese_date
from mapapp.render import webmap
from mapapp.render.style import STYLE
from mapapp.services import compound_table, counties, words


def write(
    url: str, out: Path, *, snapshot: str | None = None, lang: Lang = "zh", progress: Progress = silent
) -> dict[str, object]:
    """Write the county's map to one .html and return its size.

    Everything in it can be read by whoever has the file, so personal columns are left out, and the page carries the
    internal-material mark.

    Raises
    ------
    InputError
        When there is nothing to draw, the file's name is not that of a page, or it cannot be written.
    NotFoundError
        When there is no such snapshot.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(
            Text(
                f"独立地图是 .html 网页，不是“{out.suffix}”。",
                f"A stand-alone map is an .html page, not {out.suffix!r}.",
            ),
            where=out.name,
        )
    with store.open(url) as db:
        at, day = counties.moment(db, snapshot)
        progress(0.0, Text("读取图层", "reading layers"))
        there = set(db.layers(snapshot=at))
        wanted = {style.layer for style in STYLE.values()} - {"compounds"}
        layers = {name: db.read(name, snapshot=at) for name in sorted(wanted & there)}
        if there & {"compounds", "ledger"}:
            layers["compounds"] = compound_table.read(db, at)
        title = db.name
    drawn = {n: f for n, f in layers.items() if isinstance(f, gpd.GeoDataFrame) and len(f)}
    progress(0.5, Text("写出页面", "writing the page"))
    config = webmap.StandaloneConfig(
        title=title,
        as_of=chinese_date(day) if lang == "zh" else day,
        lang=lang,
        watermark=Text("内部资料 注意保管", "Internal. Keep safe.").pick(lang),
        verdicts={name: verdict.title for name, verdict in VERDICTS.items()},
        rules={name: (rule.title, rule.severity) for name, rule in RULES.items()},
        labels={name: _labels(frame, name, lang) for name, frame in drawn.items()},
        words={name: words.of_codes(frame, name, lang) for name, frame in drawn.items()},
    )
    path = webmap.standalone(drawn, config, out)
    return {"file": out.name, "as_of": day, "layers": sorted(drawn), "megabytes": round(path.stat().st_size / 1e6, 2)}


def _labels(frame: gpd.GeoDataFrame, layer: str, lang: Lang) -> dict[str, tuple[str, str]]:
    named = {str(column): words.label(layer, str(column)) for column in frame.columns if column != "geometry"}
    return {column: (text.pick(lang), unit) for column, (text, unit, _) in named.items()}
