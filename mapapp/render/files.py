"""This module writes one table to a file that others can open: GeoPackage, GeoJSON, CSV, Excel, GeoParquet.

Whole or not at all: everything is written beside the target and then moved onto it.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import geopandas as gpd
import pandas as pd
import shapely
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from mapapp.core.errors import InputError
from mapapp.core.schema import Layer
from mapapp.core.text import Text

_FORMULA = re.compile(r"^[=+\-@\t\r]")
"""A cell that begins like this is run as a formula by spreadsheet programs; strangers wrote it."""

_ILLEGAL_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def write(frame: pd.DataFrame, layer: Layer, path: Path) -> None:
    """Write a table to ``path`` in the format its extension names.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        A GeoDataFrame in the county's metric CRS. GeoPackage and GeoParquet keep that CRS, CSV and Excel carry the
        geometry as WKT in it; GeoJSON is EPSG:4326 (RFC 7946). An empty table gives a file with its columns.
    layer : Layer
        Names the table inside the file and explains its columns in the Excel file's second sheet.
    path : Path
        An existing file is replaced, and only by a complete one.

    Raises
    ------
    InputError
        When the extension is none of ours, or the folder cannot be written to.
    """
    write_as = writer(path)
    with whole(path) as beside:
        write_as(frame, layer, beside)


def writer(path: Path) -> Callable[[pd.DataFrame, Layer, Path], None]:
    """Return what writes files of the extension; InputError when it is none of ours."""
    found = WRITERS.get(path.suffix.lower())
    if found is None:
        known = " ".join(WRITERS)
        raise InputError(
            Text(f"不认识扩展名“{path.suffix}”。", f"The extension {path.suffix!r} is not one we write."),
            Text(f"可用：{known}。", f"Use one of {known}."),
            where=path.name,
        )
    return found


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a place beside ``path``, of the same name; what is written there is moved onto ``path`` at the end.

    When the body fails, an earlier file at ``path`` stays as it was and nothing is left beside it.

    Raises
    ------
    InputError
        When the folder cannot be written to.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".mapapp-", dir=path.absolute().parent) as folder:
            beside = Path(folder) / path.name
            yield beside
            beside.replace(path)
    except OSError as error:
        raise InputError(
            Text(f"无法写入：{error.strerror or error}。", f"Cannot write there: {error.strerror or error}."),
            Text("请检查文件夹是否存在、可写。", "Check that the folder exists and can be written to."),
            where=path.name,
        ) from error


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Geometry as WKT in the last column, for formats that know none."""
    if not isinstance(frame, gpd.GeoDataFrame):
        return frame
    geometry = frame.geometry
    wkt = pd.Series(shapely.to_wkt(geometry.to_numpy(), rounding_precision=3), index=frame.index, dtype="object")
    return pd.DataFrame(frame.drop(columns=geometry.name)).assign(geometry=wkt)


def _disarmed(frame: pd.DataFrame) -> pd.DataFrame:
    out = frame.copy()
    for name in out.columns:
        if pd.api.types.is_numeric_dtype(out[name]) or pd.api.types.is_bool_dtype(out[name]):
            continue
        words = out[name].astype("object")
        armed = words.map(lambda word: isinstance(word, str) and bool(_FORMULA.match(word)) and not _is_number(word))
        out[name] = words.where(~armed.astype(bool), "'" + words.astype("str"))
    return out


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _csv(frame: pd.DataFrame, layer: Layer, path: Path) -> None:
    # utf-8-sig: Excel on Windows reads it as GBK otherwise
    _disarmed(_flat(frame)).to_csv(path, index=False, encoding="utf-8-sig")


def _xlsx(frame: pd.DataFrame, layer: Layer, path: Path) -> None:
    flat = _flat(frame)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(layer.name)
    bold = Font(bold=True)

    def head(words: list[str], target: object) -> list[WriteOnlyCell]:
        cells = [WriteOnlyCell(target, value=word) for word in words]
        for cell in cells:
            cell.font = bold
        return cells

    sheet.freeze_panes = "A2"
    sheet.append(head(list(flat.columns), sheet))
    columns = [_cells(flat[name]) for name in flat.columns]
    for row in zip(*columns, strict=True):
        cells: list[object] = []
        for value in row:
            if isinstance(value, str) and value.startswith("="):
                cell = WriteOnlyCell(sheet, value=value)
                cell.data_type = "s"  # text, not a formula
                cells.append(cell)
            else:
                cells.append(value)
        sheet.append(cells)
    notes = book.create_sheet("字段说明 columns")
    notes.append(head(["column", "名称", "name", "单位 unit"], notes))
    for name in flat.columns:
        column = layer.column(name)
        notes.append([name, column.label.zh, column.label.en, column.unit] if column else [name, "", "", ""])
    book.save(path)


def _cells(column: pd.Series) -> list[object]:
    """Return plain Python values; missing is an empty cell."""
    values = column.astype("object")
    values = values.where(values.notna(), None)
    return [_ILLEGAL_XML.sub("", v) if isinstance(v, str) else v for v in values.tolist()]


def _geojson(frame: pd.DataFrame, layer: Layer, path: Path) -> None:
    spatial = _as_spatial(frame)
    if spatial.crs is not None:
        spatial = spatial.to_crs(4326)
    path.write_text(spatial.to_json(drop_id=True, ensure_ascii=False), encoding="utf-8")


def _gpkg(frame: pd.DataFrame, layer: Layer, path: Path) -> None:
    _as_spatial(frame).to_file(path, layer=layer.name, driver="GPKG", engine="pyogrio")


def _parquet(frame: pd.DataFrame, layer: Layer, path: Path) -> None:
    frame.to_parquet(path, index=False)


def _as_spatial(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    if isinstance(frame, gpd.GeoDataFrame):
        return frame
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([None] * len(frame), index=frame.index))


WRITERS: Mapping[str, Callable[[pd.DataFrame, Layer, Path], None]] = MappingProxyType(
    {
        ".gpkg": _gpkg,
        ".geojson": _geojson,
        ".csv": _csv,
        ".xlsx": _xlsx,
        ".parquet": _parquet,
    }
)
