"""This module opens a delivery: tells the format, unpacks, and hands the right table or layer to the right reader."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mapapp.core import schema
from mapapp.core.errors import InputError, QuestionError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.ingest import archive
from mapapp.ingest.csvfile import read_csv
from mapapp.ingest.drawing import read_dxf
from mapapp.ingest.foreign import empty
from mapapp.ingest.kml import read_kml
from mapapp.ingest.result import Raw
from mapapp.ingest.sheets import read_workbook
from mapapp.ingest.survey import is_line_table, join_lines, pick_points
from mapapp.ingest.vector import read_vector

_SUFFIXES = {
    "shp": (".shp",),
    "gpkg": (".gpkg",),
    "geojson": (".geojson", ".json"),
    "fgb": (".fgb",),
    "kml": (".kml", ".kmz", ".ovkml"),
    "dxf": (".dxf",),
    "csv": (".csv", ".txt", ".tsv"),
    "excel": (".xlsx", ".xlsm", ".xls"),
    "zip": (".zip",),
}
_KINDS = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes}
_PARTS = {".shp", ".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".xml", ".qix", ".qpj"}
_ADVICE: Mapping[str, tuple[str, str]] = {
    ".dwg": ("请在 CAD 中“另存为 DXF”（2007 或更高版本）。", "In the CAD program, save it as DXF (2007 or newer)."),
    ".ovobj": (
        "请在奥维中导出为 SHP 或 DXF（不加偏）。",
        "In Ovital, export it as SHP or DXF (these are not shifted).",
    ),
    ".ovkmz": (
        "请在奥维中导出为 SHP 或 DXF（不加偏）。",
        "In Ovital, export it as SHP or DXF (these are not shifted).",
    ),
    ".mdb": ("请在 Access 中把点表、线表导出为 Excel。", "In Access, export the point and the line table to Excel."),
    ".accdb": ("请在 Access 中把点表、线表导出为 Excel。", "In Access, export the point and the line table to Excel."),
    ".rar": ("请解压后改用 zip。", "Unpack it and use a zip."),
    ".7z": ("请解压后改用 zip。", "Unpack it and use a zip."),
    ".pdf": (
        "图纸没有坐标，请向设计单位索取 DXF 或 SHP。",
        "A plan has no coordinates; ask the designer for DXF or SHP.",
    ),
    ".doc": ("请把表格另存为 Excel。", "Save its table as Excel."),
    ".docx": ("请把表格另存为 Excel。", "Save its table as Excel."),
    ".et": ("请在 WPS 中另存为 .xlsx。", "In WPS, save it as .xlsx."),
    ".gdb": ("请导出为 GeoPackage 或 shapefile。", "Export it as GeoPackage or shapefile."),
    ".dbf": ("请把 .shp、.shx、.dbf 一起打成 zip 再导入。", "Give .shp, .shx and .dbf together, best as a zip."),
}
ALL_SHEETS = "*"
_SQLITE = b"SQLite format 3\x00"


@dataclass(slots=True)
class Delivery:
    """What was opened: one table, or several sheets that the user wants read as one (``layer="*"``)."""

    raws: list[Raw]


@contextmanager
def open_delivery(
    paths: list[Path],
    points: list[Path],
    target: Layer,
    *,
    layer: str | None,
    encoding: str | None,
    columns: Mapping[str, str] | None,
) -> Iterator[Delivery]:
    """Open one file, the parts of a shapefile, or a point and a line table; temporary files vanish afterwards.

    Raises
    ------
    InputError
        For what cannot be read, with the way to export it.
    QuestionError
        When several files, layers or sheets could be meant (option ``layer``).
    """
    with tempfile.TemporaryDirectory(prefix="mapapp-") as room:
        main, others = _gather(paths, Path(room), layer)
        tables = [main, *others, *points]
        options: dict[str, Any] = {"encoding": encoding, "columns": columns}
        if len(tables) == 1:
            raws = _open(main, target, Path(room), layer=layer, **options)
            whole = layer == ALL_SHEETS or (len(raws) == 1 and not is_lines_for(target, raws[0]))
            yield Delivery(raws if whole else [_survey(raws, target)])
            return
        yield Delivery([_survey([raw for p in tables for raw in _half(p, Path(room), layer, options)], target)])


def _half(path: Path, room: Path, layer: str | None, options: dict[str, Any]) -> list[Raw]:
    """Open one of two survey tables; its header is that of a line table or of a point table."""
    try:
        return _open(path, schema.layer("pipes"), room, layer=layer, **options)
    except QuestionError:
        raise
    except InputError:
        return _open(path, schema.layer("manholes"), room, layer=layer, **options)


def is_lines_for(target: Layer, raw: Raw) -> bool:
    """Whether this is a line table whose points are still to be found."""
    return target.name == "pipes" and is_line_table(raw)


def _gather(paths: list[Path], room: Path, layer: str | None) -> tuple[Path, list[Path]]:
    """Return the main file and further tables; parts of a shapefile that lie apart are brought together."""
    if not paths:
        raise empty("")
    for path in paths:
        if not path.exists():
            raise InputError(
                Text("没有这个文件。", "There is no such file."),
                Text("请检查路径。", "Check the path."),
                where=path.name,
            )
    if len(paths) == 1 and paths[0].is_dir():
        inside = sorted(p for p in paths[0].iterdir() if p.is_file())
        return _main_of(inside, paths[0].name, layer), []
    if len(paths) == 1:
        return paths[0], []
    if {p.suffix.lower() for p in paths} <= _PARTS:
        shapes = [p for p in paths if p.suffix.lower() == ".shp"]
        if len(shapes) == 1 and len({p.stem for p in paths if p.suffix.lower() != ".xml"}) == 1:
            if len({p.parent for p in paths}) == 1:
                return shapes[0], []
            for path in paths:
                shutil.copyfile(path, room / path.name)
            return room / shapes[0].name, []
    if len(paths) == 2 and all(_KINDS.get(p.suffix.lower()) in ("csv", "excel") for p in paths):
        return paths[0], [paths[1]]
    raise InputError(
        Text(
            f"一次给了 {len(paths)} 个文件，不知道怎样合在一起。",
            f"{len(paths)} files were given at once, and they do not belong together.",
        ),
        Text(
            "请逐个导入；shapefile 的各部分应同名，点表和线表应是 Excel 或 CSV。",
            "Import them one by one. Parts of a shapefile share one name; point and line tables are Excel or CSV.",
        ),
        where="、".join(p.name for p in paths[:4]),
    )


def _main_of(files: list[Path], where: str, layer: str | None) -> Path:
    mains = [f for f in files if _KINDS.get(f.suffix.lower(), "zip") != "zip"]
    mains = [f for f in mains if f.suffix.lower() not in (".txt", ".json")] or mains
    if len(mains) > 1 and layer is not None:
        named = [f for f in mains if layer in (f.stem, f.name)]
        mains = named or mains
    if len(mains) == 1:
        return mains[0]
    if not mains:
        told = [f for f in files if f.suffix.lower() in _ADVICE]
        if told:
            raise _unsupported(told[0])
        raise InputError(
            Text("里面没有可以读取的文件。", "There is nothing in it that can be read."),
            Text(
                "需要 shp、gpkg、geojson、kml、dxf、fgb、csv 或 Excel。",
                "It needs shp, gpkg, geojson, kml, dxf, fgb, csv or Excel.",
            ),
            where=where,
        )
    names = tuple(f.stem for f in mains[:20])
    raise QuestionError(
        Text(f"里面有 {len(mains)} 个文件。", f"There are {len(mains)} files in it."),
        Text(f"请用 --layer 指明：{'、'.join(names)}。", f"Name one with --layer: {', '.join(names)}."),
        option="layer",
        choices=names,
        where=where,
    )


def _open(
    path: Path,
    target: Layer,
    room: Path,
    *,
    layer: str | None,
    encoding: str | None,
    columns: Mapping[str, str] | None,
) -> list[Raw]:
    if not path.stat().st_size:
        raise InputError(
            Text("文件是空的（0 字节）。", "The file is empty (0 bytes)."),
            Text("请重新复制或导出。", "Copy or export it again."),
            where=path.name,
        )
    kind = _kind(path)
    if kind == "zip":
        inner = _main_of(archive.unpack(path, room), path.name, layer)
        inside = None if layer in (inner.stem, inner.name) else layer
        return _open(inner, target, room, layer=inside, encoding=encoding, columns=columns)
    if kind == "kml":
        return [read_kml(path, target, layer=layer)]
    if kind == "dxf":
        return [read_dxf(path, target, layer=layer, encoding=encoding)]
    if kind == "csv":
        return read_csv(path, target, encoding, columns)
    if kind == "excel":
        return read_workbook(path, target, layer, columns)
    return [read_vector(path, kind, target, room, layer=layer, encoding=encoding)]


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in _ADVICE:
        raise _unsupported(path)
    with path.open("rb") as file:
        head = file.read(32)
    if head[:6] in (b"AC1012", b"AC1015", b"AC1018", b"AC1021", b"AC1024", b"AC1027", b"AC1032"):
        raise _unsupported(path.with_suffix(".dwg"))
    kind = _KINDS.get(suffix)
    if kind is None:
        known = " ".join(sorted(_KINDS))
        raise InputError(
            Text(
                f"不支持“{path.suffix or path.name}”格式。",
                f"Files of type {path.suffix or path.name!r} cannot be read.",
            ),
            Text(f"可以导入：{known}。", f"These can: {known}."),
            where=path.name,
        )
    if kind == "gpkg" and not head.startswith(_SQLITE[: len(head)]):
        raise InputError(
            Text("这不是 GeoPackage 文件（文件头不符）。", "This is not a GeoPackage (its first bytes are wrong)."),
            Text("请检查扩展名，或重新导出。", "Check the extension, or export it again."),
            where=path.name,
        )
    return kind


def _unsupported(path: Path) -> InputError:
    zh, en = _ADVICE[path.suffix.lower()]
    return InputError(
        Text(f"{path.suffix} 格式不能直接读取。", f"A {path.suffix} file cannot be read directly."),
        Text(zh, en),
        where=path.name,
    )


def _survey(raws: list[Raw], target: Layer) -> Raw:
    """Join point and line tables for pipes; take the point table for manholes."""
    lines = [r for r in raws if is_line_table(r)]
    points = [r for r in raws if r not in lines and pick_points(r) is not None]
    if target.name == "pipes" and len(lines) == 1 and len(points) == 1:
        return join_lines(lines[0], points[0])
    if "point" in target.geometry and len(points) == 1:
        return points[0]
    if target.name == "pipes" and len(lines) == 1 and not points:
        raise InputError(
            Text(
                "只有线表，没有点表，线没有坐标。",
                "There is a line table without its point table; the lines have no coordinates.",
            ),
            Text("请把点表（点号、X、Y）一起导入。", "Give the point table (number, X, Y) along with it."),
            where=lines[0].place,
        )
    names = tuple(r.layer or r.file for r in raws)
    raise QuestionError(
        Text(f"有 {len(raws)} 张表都像是“{target.title.zh}”。", f"{len(raws)} tables could be {target.name}."),
        Text(f"请用 --layer 指明：{'、'.join(names)}。", f"Name one with --layer: {', '.join(names)}."),
        option="layer",
        choices=names,
        where=raws[0].file,
    )
