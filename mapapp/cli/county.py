"""This module is the commands that fill, audit and freeze a county."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import click

from mapapp.cli.group import main
from mapapp.cli.terminal import Answer, OutFile, language, say, subcommand, who
from mapapp.core.errors import InputError
from mapapp.core.progress import Progress
from mapapp.core.text import Text


@subcommand(main, "create")
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


@subcommand(main, "import")
@click.argument("db")
@click.argument("layer")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--layer", "theirs", help="Layer or sheet inside the file.")
@click.option("--crs", help="CRS of the file's coordinates, such as EPSG:4544.")
@click.option("--datum", type=click.Choice(["wgs84", "cgcs2000", "gcj02", "bd09"]), help="Datum of lon/lat data.")
@click.option(
    "--control",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Control points of a local system: name, local X, local Y, known X, known Y.",
)
@click.option("--encoding", help="Text encoding of the file, such as gb18030.")
@click.option("--columns", "--column", "columns", multiple=True, help="ours=theirs (repeatable), or a saved .toml.")
@click.option("--save-columns", type=OutFile(), help="Save the mapping used, to use it again.")
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
    control: Path | None,
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
        source_layer=theirs, crs=crs, datum=datum, encoding=encoding, columns=_columns(columns), mode=mode or "add",
        control=control,
    )  # fmt: skip
    with store.open(db) as county:
        preview = importing.preview(county, layer, files, options, progress=progress)
        if save_columns is not None:
            importing.save_mapping(preview, save_columns)
        if not dry_run:
            preview = importing.apply(county, preview, by=who(), progress=progress)
    return preview.summary(), preview.describe(language())


@subcommand(main, "audit")
@click.argument("db")
@click.option("--out", type=OutFile(), help="Also write the findings (.gpkg .geojson .csv .xlsx).")
def audit(db: str, *, out: Path | None, progress: Progress) -> Answer:
    """Find sewer gaps: build the network, run the rules, give each compound its verdict."""
    from mapapp.services import auditing

    outcome = auditing.run(db, by=who(), out=out, progress=progress)
    return outcome.summary(), outcome.describe(language())


@subcommand(main, "plan")
@click.argument("db")
@click.option("--standard", default="gb50014-2021", show_default=True, help="A shipped standard, or a .toml of yours.")
@click.option("--prices", default="example", show_default=True, help="A shipped price book, or a .toml of yours.")
@click.option("--budget", type=float, metavar="YUAN", help="Money per stage.")
@click.option("--pin", multiple=True, metavar="COMPOUND", help="Must be in the first stage (repeatable).")
@click.option("--forbid", multiple=True, metavar="STREET", help="Id of a street no pipe may follow (repeatable).")
@click.option("--forbid-area", type=click.Path(path_type=Path), metavar="FILE", help="Areas that no link may touch.")
@click.option("--drawn", type=click.Path(path_type=Path), metavar="FILE.geojson", help="Links drawn by hand: lines.")
@click.option("--footways", is_flag=True, help="Lay in both footways of the streets, not along their centre.")
@click.option("--dem", type=click.Path(path_type=Path), metavar="FILE.tif", help="Ground model, GeoTIFF of heights.")
@click.option("--out", type=OutFile(), help="Also write the links (.gpkg .geojson .csv); .xlsx is the bill.")
@click.option("--swmm", type=OutFile(), metavar="FILE.inp", help="Also write an EPA SWMM input file.")
def plan(
    db: str,
    *,
    standard: str,
    prices: str,
    budget: float | None,
    pin: tuple[str, ...],
    forbid: tuple[str, ...],
    forbid_area: Path | None,
    drawn: Path | None,
    footways: bool,
    dem: Path | None,
    out: Path | None,
    swmm: Path | None,
    progress: Progress,
) -> Answer:
    """Plan the missing links: pipes, levels, sizes, cost, stages, and how far at most from the best."""
    from mapapp.services import plan_words, planning

    made, check = planning.run(
        db, by=who(), standard=standard, prices=prices, budget=budget, pinned=frozenset(pin),
        forbidden=frozenset(forbid), forbidden_areas=forbid_area, drawn=drawn, footways=footways, dem=dem, out=out,
        swmm_out=swmm, progress=progress,
    )  # fmt: skip
    return plan_words.summary(made, check), plan_words.describe(made, check, language())


@subcommand(main, "snapshot")
@click.argument("db")
@click.option("--as-of", required=True, metavar="YYYY-MM-DD", help="The date the figures stand for.")
@click.option("--title", help="A title, such as 十一月调度会.")
def snapshot(db: str, *, as_of: str, title: str | None, progress: Progress) -> Answer:
    """Freeze the county as of a date, to map, compare and share it."""
    from mapapp.services import counties

    made = counties.snapshot(db, as_of=as_of, title=title, by=who())
    done = Text("已冻结快照 {id}，截至 {as_of}。", "Snapshot {id} frozen, as of {as_of}.")
    return made, say(done.format(**made))


@subcommand(main, "export")
@click.argument("db")
@click.argument("layer")
@click.option("--out", required=True, type=OutFile(), help=".gpkg .geojson .csv .xlsx .parquet")
@click.option("--snapshot", "as_of", help="Id or date of a snapshot; the live data otherwise.")
@click.option("--personal", is_flag=True, help="Include columns with personal data (never by default).")
def export(db: str, layer: str, *, out: Path, as_of: str | None, personal: bool, progress: Progress) -> Answer:
    """Write a layer or a derived table to a file, by its extension."""
    from mapapp.services import exporting

    done = exporting.export(db, layer, out, snapshot=as_of, personal=personal)
    words = Text("已写出 {rows} 行到 {file}。", "Wrote {rows} rows to {file}.")
    return done, say(words.format(**done))
