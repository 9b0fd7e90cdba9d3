"""This module is the commands that write papers: report, map sheet, stand-alone map."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from mapapp.cli.group import main
from mapapp.cli.terminal import Answer, OutFile, language, say, subcommand, who
from mapapp.core.progress import Progress
from mapapp.core.text import Text
from mapapp.services import extents


@subcommand(main, "report")
@click.argument("db")
@click.option("--out", required=True, type=OutFile(), help="The .docx to write.")
@click.option("--as-of", metavar="YYYY-MM-DD", help="Date or id of the snapshot; the newest otherwise.")
@click.option("--template", type=click.Path(path_type=Path), help="Your own words; see geodata/report/county.toml.")
def report(db: str, *, out: Path, as_of: str | None, template: Path | None, progress: Progress) -> Answer:
    """Write the county's progress report in the layout of official papers."""
    from mapapp.services import reporting

    done = reporting.write(db, out, as_of=as_of, template=template)
    words = Text("已写出汇报 {file}，数据截至 {as_of}。", "Wrote the report {file}, as of {as_of}.").format(**done)
    if done["missing"]:
        marked = Text("待补充：{names}。", "Not known, marked in the text: {names}.")
        words = Text("{a}{b}", "{a} {b}").format(a=words, b=marked.format(names="、".join(done["missing"])))
    return done, say(words)


@subcommand(main, "sheet")
@click.argument("db")
@click.option("--out", required=True, type=OutFile(), help="The .pdf, or a one-page .png.")
@click.option("--compound", metavar="ID", help="Draw this compound and what is around it.")
@click.option("--bbox", metavar="W,S,E,N", help="Draw this window (degrees).")
@click.option("--scale", metavar="1:2000", help="Scale; the largest that fits one page otherwise.")
@click.option("--paper", type=click.Choice(["A3", "A4"]), default="A3", show_default=True)
@click.option("--snapshot", "as_of", help="Id or date of a snapshot; the live data otherwise.")
def sheet(
    db: str,
    *,
    out: Path,
    compound: str | None,
    bbox: str | None,
    scale: str | None,
    paper: Literal["A3", "A4"],
    as_of: str | None,
    progress: Progress,
) -> Answer:
    """Draw a map sheet with title, legend, scale, north arrow and as-of date."""
    from mapapp.services import sheets

    done = sheets.write(
        db, out, by=who(), compound=compound, bbox=extents.bbox(bbox, where="--bbox"), scale=extents.scale(scale, where="--scale"), paper=paper, snapshot=as_of,
        lang=language(),
    )  # fmt: skip
    words = Text("已写出图幅 {file}：{scale}，{pages} 页。", "Wrote the sheet {file}: {scale}, {pages} page(s).")
    return done, say(words.format(**done))


@subcommand(main, "map")
@click.argument("db")
@click.option("--out", required=True, type=OutFile(), help="The .html to write.")
@click.option("--snapshot", "as_of", help="Id or date of a snapshot; the live data otherwise.")
def map_(db: str, *, out: Path, as_of: str | None, progress: Progress) -> Answer:
    """Write a stand-alone map page that opens with no network."""
    from mapapp.services import standalone

    done = standalone.write(db, out, snapshot=as_of, lang=language(), progress=progress)
    words = Text("已写出独立地图 {file}（{megabytes} MB）。", "Wrote the stand-alone map {file} ({megabytes} MB).")
    return done, say(words.format(**done))
