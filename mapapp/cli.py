"""This module is the command line: it parses options, calls one service, prints the answer.

Answers go to stdout, progress and errors to stderr. Exit codes: 0 done; 2 the input or the request is wrong (one clear
message, nothing written); 1 our fault. Rooms are imported inside the commands, so that ``mapapp --help`` is quick.
"""

from __future__ import annotations

import functools
import getpass
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import click

from mapapp import __version__
from mapapp.core.errors import InputError, MapappError
from mapapp.core.progress import Cancelled, Progress
from mapapp.core.text import Lang, Text

Answer = tuple[Mapping[str, object], str]
"""What a command returns: the JSON object, and the same for a person to read."""


def language(environ: Mapping[str, str] = os.environ) -> Lang:
    """Return the language of the terminal: English where the locale or MAPAPP_LANG says so, else Chinese."""
    chosen = environ.get("MAPAPP_LANG") or environ.get("LC_ALL") or environ.get("LANG") or ""
    return "en" if chosen.lower().startswith("en") else "zh"


def say(text: Text) -> str:
    """Return the text in the terminal's language."""
    return text.pick(language())


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this uid, as in a bare container
        return "cli"


class Terminal:
    """Prints progress on stderr once the work takes longer than a second; a line at a time where it is no terminal."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._start = clock, clock()
        self._last, self._open = self._start, False

    def __call__(self, done: float, doing: Text) -> None:
        """Report; see `mapapp.core.progress.Progress`."""
        now = self._clock()
        live = sys.stderr.isatty()
        if now - self._start < 1 or now - self._last < (0.2 if live else 2.0):
            return
        self._last, self._open = now, live
        over = "\r\x1b[K" if live else ""  # write over the last line
        click.echo(f"{over}{done:4.0%} {say(doing)}", err=True, nl=not live)

    def close(self) -> None:
        """End an unfinished progress line."""
        if self._open:
            click.echo("", err=True)


@contextmanager
def _faults(as_json: bool) -> Iterator[Terminal]:
    """Give a place to report progress to; turn whatever is raised into one message and an exit code."""
    terminal = Terminal()
    try:
        yield terminal
    except MapappError as error:
        terminal.close()
        click.echo(error.message(language()), err=True)
        if as_json:
            click.echo(json.dumps({"error": error.message(language()), "where": error.where}, ensure_ascii=False))
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, Cancelled):
        terminal.close()
        click.echo(say(Text("已取消，什么也没有写入。", "Cancelled; nothing was written.")), err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:  # our fault, whatever it is: the person gets one sentence
        terminal.close()
        if os.environ.get("MAPAPP_DEBUG"):
            traceback.print_exc()
        fault = Text(
            "程序内部出错（{name}：{what}）。数据没有改动。设置 MAPAPP_DEBUG=1 可查看详情并反馈给我们。",
            "This is our fault ({name}: {what}). No data was changed. "
            "Set MAPAPP_DEBUG=1 for the details, and please report them.",
        )
        click.echo(say(fault.format(name=type(error).__name__, what=error)), err=True)
        sys.exit(1)
    terminal.close()


def _print(answer: Answer, as_json: bool) -> None:
    facts, words = answer
    click.echo(json.dumps(facts, ensure_ascii=False, default=str) if as_json else words)


def command(function: Callable[..., Answer]) -> Callable[..., None]:
    """Give a function that returns an `Answer` the ``--json`` option, progress and error handling."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
    @functools.wraps(function)
    def run(*args: object, as_json: bool, **options: object) -> None:
        with _faults(as_json) as terminal:
            answer = function(*args, progress=terminal, **options)
        _print(answer, as_json)

    return run


def _with_sub(group: click.Group, name: str) -> Callable[[Callable[..., Answer]], click.Command]:
    return lambda function: group.command(name)(command(function))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mapapp")
def main() -> None:
    """mapapp: status of renovated compounds, missing sewer links with evidence, one link to share.

    DB is a GeoPackage path or a postgresql:// URL.
    """


@_with_sub(main, "create")
@click.argument("db")
@click.option("--name", required=True, help="Name of the county, as it stands on the map.")
@click.option("--crs", required=True, help="Metric CRS of the county, such as EPSG:4544.")
def create(db: str, *, name: str, crs: str, progress: Progress) -> Answer:
    """Create an empty county database."""
    from mapapp.services import counties

    county = counties.create(db, name=name, crs=crs)
    done = Text("已建立 {db}：{name}，坐标系 {crs}。", "Created {db}: {name}, CRS {crs}.")
    return county, say(done.format(db=db, name=name, crs=county["crs"]))


def _columns(values: Sequence[str]) -> Mapping[str, str] | Path | None:
    """Read ``--columns``: one .toml file, or any number of ours=theirs."""
    if not values:
        return None
    if len(values) == 1 and "=" not in values[0]:
        return Path(values[0])
    pairs = [value.partition("=") for value in values]
    if bad := [value for value, (_, sign, theirs) in zip(values, pairs, strict=True) if not (sign and theirs)]:
        raise InputError(
            Text(f"--column {bad[0]} 不是“我方=对方”的形式。", f"--column {bad[0]} is not of the form ours=theirs."),
            Text("例如 --column pipe_id=管段号。", "For example --column pipe_id=FACILITYID."),
        )
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


@_with_sub(main, "import")
@click.argument("db")
@click.argument("layer")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--layer", "theirs", help="Layer or sheet inside the file.")
@click.option("--crs", help="CRS of the file's coordinates, such as EPSG:4544.")
@click.option("--datum", type=click.Choice(["wgs84", "cgcs2000", "gcj02", "bd09"]), help="Datum of lon/lat data.")
@click.option("--encoding", help="Text encoding of the file, such as gb18030.")
@click.option("--columns", "--column", "columns", multiple=True, help="ours=theirs (repeatable), or a saved .toml.")
@click.option("--save-columns", type=click.Path(path_type=Path), help="Save the mapping used, to use it again.")
@click.option("--replace", "mode", flag_value="replace", help="Replace the whole layer.")
@click.option("--update", "mode", flag_value="update", help="Change rows with the same id.")
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
def import_(
    db: str,
    layer: str,
    files: tuple[Path, ...],
    *,
    theirs: str | None,
    crs: str | None,
    datum: str | None,
    encoding: str | None,
    columns: tuple[str, ...],
    save_columns: Path | None,
    mode: Literal["replace", "update"] | None,
    dry_run: bool,
    progress: Progress,
) -> Answer:
    """Read planners' files into a LAYER of the county database."""
    from mapapp import store
    from mapapp.services import importing

    options = importing.Options(
        source_layer=theirs, crs=crs, datum=datum, encoding=encoding, columns=_columns(columns), mode=mode or "add"
    )
    with store.open(db) as county:
        preview = importing.preview(county, layer, files, options, progress=progress)
        if save_columns is not None:
            importing.save_mapping(preview, save_columns)
        if not dry_run:
            preview = importing.apply(county, preview, by=_who(), progress=progress)
    return preview.summary(), preview.describe(language())


@_with_sub(main, "audit")
@click.argument("db")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the findings (.gpkg .geojson .csv .xlsx).")
def audit(db: str, *, out: Path | None, progress: Progress) -> Answer:
    """Find sewer gaps: build the network, run the rules, give each compound its verdict."""
    from mapapp.services import auditing

    outcome = auditing.run(db, by=_who(), out=out, progress=progress)
    return outcome.summary(), outcome.describe(language())


@_with_sub(main, "snapshot")
@click.argument("db")
@click.option("--as-of", required=True, metavar="YYYY-MM-DD", help="The date the figures stand for.")
@click.option("--title", help="A title, such as 十一月调度会.")
def snapshot(db: str, *, as_of: str, title: str | None, progress: Progress) -> Answer:
    """Freeze the county as of a date, to map, compare and share it."""
    from mapapp.services import counties

    made = counties.snapshot(db, as_of=as_of, title=title, by=_who())
    done = Text("已冻结快照 {id}，截至 {as_of}。", "Snapshot {id} frozen, as of {as_of}.")
    return made, say(done.format(**made))


@_with_sub(main, "export")
@click.argument("db")
@click.argument("layer")
@click.option("--out", required=True, type=click.Path(path_type=Path), help=".gpkg .geojson .csv .xlsx .parquet")
@click.option("--snapshot", "as_of", help="Id or date of a snapshot; the live data otherwise.")
@click.option("--personal", is_flag=True, help="Include columns with personal data (never by default).")
def export(db: str, layer: str, *, out: Path, as_of: str | None, personal: bool, progress: Progress) -> Answer:
    """Write a layer or a derived table to a file, by its extension."""
    from mapapp.services import exporting

    done = exporting.export(db, layer, out, snapshot=as_of, personal=personal)
    words = Text("已写出 {rows} 行到 {file}。", "Wrote {rows} rows to {file}.")
    return done, say(words.format(**done))


@_with_sub(main, "report")
@click.argument("db")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The .docx to write.")
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


def _scale(words: str | None) -> int | None:
    """Read 1:2000 or 2000."""
    if words is None:
        return None
    number = words.strip().removeprefix("1:")
    if not number.isdecimal():
        raise InputError(
            Text(f"“{words}”不是比例尺。", f"{words!r} is not a scale."),
            Text("请写成 1:2000 这样。", "Write it like 1:2000."),
            where="--scale",
        )
    return int(number)


def _bbox(words: str | None) -> tuple[float, float, float, float] | None:
    """Read W,S,E,N in degrees."""
    if words is None:
        return None
    try:
        west, south, east, north = (float(part) for part in words.split(","))
    except ValueError:
        west, south, east, north = 0.0, 0.0, 0.0, 0.0
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError(
            Text(f"“{words}”不是范围。", f"{words!r} is not an extent."),
            Text("请写成 西,南,东,北（经纬度）。", "Write west,south,east,north in degrees."),
            where="--bbox",
        )
    return west, south, east, north


@_with_sub(main, "sheet")
@click.argument("db")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The .pdf, or a one-page .png.")
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
        db, out, by=_who(), compound=compound, bbox=_bbox(bbox), scale=_scale(scale), paper=paper, snapshot=as_of,
        lang=language(),
    )  # fmt: skip
    words = Text("已写出图幅 {file}：{scale}，{pages} 页。", "Wrote the sheet {file}: {scale}, {pages} page(s).")
    return done, say(words.format(**done))


@_with_sub(main, "map")
@click.argument("db")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The .html to write.")
@click.option("--snapshot", "as_of", help="Id or date of a snapshot; the live data otherwise.")
def map_(db: str, *, out: Path, as_of: str | None, progress: Progress) -> Answer:
    """Write a stand-alone map page that opens with no network."""
    from mapapp.services import mapping

    done = mapping.standalone(db, out, snapshot=as_of, lang=language(), progress=progress)
    words = Text("已写出独立地图 {file}（{megabytes} MB）。", "Wrote the stand-alone map {file} ({megabytes} MB).")
    return done, say(words.format(**done))


def _serve(db: str, host: str, port: int, workers: int) -> None:
    from mapapp.settings import Settings
    from mapapp.web import serving

    serving.serve(Settings.from_environ(os.environ, database=db, host=host, port=port, workers=workers))


@main.command("serve")
@click.argument("db")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
def serve(db: str, host: str, port: int, workers: int) -> None:
    """Serve the map of one county. Off a loopback address, users must log in."""
    with _faults(as_json=False):
        _serve(db, host, port, workers)


@main.command("demo")
@click.argument("db", default="demo-county.gpkg")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--no-serve", is_flag=True, help="Only build the county.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def demo(db: str, host: str, port: int, no_serve: bool, as_json: bool) -> None:
    """Build the demo county when it is absent, serve it, print the address."""
    with _faults(as_json) as progress:
        from mapapp.services import demo as service

        done = service.build(db, by=_who(), progress=progress)
    made = Text("演示县已建立：{database}", "Demo county built: {database}")
    there = Text("演示县已存在：{database}", "Demo county is already there: {database}")
    _print((done, say((made if done["built"] else there).format(**done))), as_json)
    if not no_serve:
        with _faults(as_json=False):
            _serve(db, host, port, 1)


@main.group("user")
def user() -> None:
    """Users of a served county: viewers read, editors change, administrators do all."""


@main.group("share")
def share() -> None:
    """Share links: make, list, revoke."""


if __name__ == "__main__":
    main()
