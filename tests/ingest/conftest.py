"""This module writes one hand-built street into every format that planners deliver."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import ezdxf
import geopandas as gpd
import openpyxl
import pyogrio
import pytest
import shapely

DATA = Path(__file__).parents[3] / "shared" / "data"
X, Y = 500_000.0, 3_930_000.0  # EPSG:4544, central meridian 105 E
ROWS = [  # number, kind, from, to, size, material, from invert, to invert, line
    ("P1", "WS", "W1", "W2", "DN300", "PVC", 101.5, 101.2, [(X, Y), (X + 30, Y)]),
    ("P2", "污水", "W2", "W3", "Φ400", "砼", 101.2, 100.8, [(X + 30, Y), (X + 60, Y)]),
    ("P3", "YS", "Y1", "Y2", "600X400", "砖", None, 9999.0, [(X, Y + 20), (X + 40, Y + 20)]),
]
HEADERS = ("管线编号", "管线类型", "起点点号", "终点点号", "管径", "材质", "起点管底标高", "终点管底标高")


def street() -> gpd.GeoDataFrame:
    """Three pipes whose answers are known: two sewage, one storm culvert, one missing and one sentinel level."""
    table = [dict(zip(HEADERS, row[:8], strict=True)) for row in ROWS]
    return gpd.GeoDataFrame(table, geometry=[shapely.LineString(r[8]) for r in ROWS], crs=4544)


def _shp(path: Path, *, encoding: str = "gb18030", cpg: bool = False) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dBASE cuts names at ten bytes, GDAL says so
        pyogrio.write_dataframe(street(), path, driver="ESRI Shapefile", encoding=encoding)
    if not cpg:
        path.with_suffix(".cpg").unlink()
    return path


def _zip(path: Path) -> Path:
    _shp(path.with_suffix(".shp"))
    with zipfile.ZipFile(path, "w") as archive:
        for part in path.parent.glob(f"{path.stem}.*"):
            if part.suffix in (".shp", ".shx", ".dbf", ".prj"):
                archive.write(part, f"管线/{part.name}")
    return path


def _kml(path: Path) -> Path:
    marks = []
    for row, line in zip(ROWS, street().to_crs(4326).geometry, strict=True):
        cells = "".join(
            f"<tr><td>{h}</td><td>{'' if v is None else v}</td></tr>" for h, v in zip(HEADERS, row[:8], strict=True)
        )
        where = " ".join(f"{x!r},{y!r},0" for x, y in line.coords)
        marks.append(
            f"<Placemark><name>{row[0]}</name><description><![CDATA[<table>{cells}</table>]]></description>"
            f"<LineString><coordinates>{where}</coordinates></LineString></Placemark>"
        )
    text = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>{"".join(marks)}</Folder></Document></kml>'
    if path.suffix == ".kmz":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("doc.kml", text)
    else:
        path.write_text(text, encoding="utf-8")
    return path


def _table(*, wkt: bool = True) -> list[list[object]]:
    head = [*HEADERS, "WKT"] if wkt else list(HEADERS)
    lines = [[*row[:8], shapely.LineString(row[8]).wkt] if wkt else list(row[:8]) for row in ROWS]
    return [head, *lines]


def _csv(path: Path, encoding: str = "gb18030") -> Path:
    rows = (",".join(f'"{"" if v is None else v}"' for v in row) for row in _table())
    path.write_bytes("\r\n".join(rows).encode(encoding))
    return path


def _xlsx(path: Path) -> Path:
    book = openpyxl.Workbook()
    for row in _table():
        book.active.append(row)
    book.save(path)
    return path


def _dxf(path: Path) -> Path:
    document = ezdxf.new("R2000", setup=False)
    document.encoding = "gbk"
    document.header["$DWGCODEPAGE"] = "ANSI_936"
    for row in ROWS:
        layer = "污水管线" if row[1] in ("WS", "污水") else "YS_LINE"
        document.modelspace().add_lwpolyline(row[8], dxfattribs={"layer": layer})
    document.saveas(path)
    return path


def _ogr(driver: str, **options: str) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        pyogrio.write_dataframe(street(), path, driver=driver, **options)
        return path

    return write


WRITERS: dict[str, Callable[[Path], Path]] = {
    "pipes.shp": _shp,
    "pipes.zip": _zip,
    "pipes.gpkg": _ogr("GPKG"),
    "pipes.geojson": _ogr("GeoJSON"),
    "pipes.fgb": _ogr("FlatGeobuf", SPATIAL_INDEX="NO"),
    "pipes.kml": _kml,
    "pipes.kmz": _kml,
    "pipes.csv": _csv,
    "pipes.xlsx": _xlsx,
    "pipes.dxf": _dxf,
}
NEEDS_CRS = (".csv", ".xlsx", ".dxf")


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the street in every format, by file name."""
    folder = tmp_path_factory.mktemp("samples")
    out = {}
    for name, write in WRITERS.items():
        room = folder / name.replace(".", "_")
        room.mkdir()
        out[name] = write(room / name)
    return out


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of .xlsx files: ``workbook(rows, merges=(), sheet="2022")``."""

    def write(
        rows: list[list[object]], *, merges: tuple[str, ...] = (), sheet: str = "台账", name: str = "l.xlsx"
    ) -> Path:
        book = openpyxl.Workbook()
        book.active.title = sheet
        for row in rows:
            book.active.append(row)
        for area in merges:
            book.active.merge_cells(area)
        book.save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real data, or skip."""
    if not DATA.is_dir():
        pytest.skip("real data (../shared/data) is not here")
    return DATA
