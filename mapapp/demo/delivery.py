"""This module writes the demo county as planners have it: ledgers with merged headers, GBK shapefiles, survey tables."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import shapely
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet

from mapapp.core import schema
from mapapp.demo.assembly import County

# upper header, lower header, our column, factor from our unit to theirs
_COLUMNS: tuple[tuple[str, str, str, float], ...] = (
    ("序号", "", "", 1),
    ("小区编号", "", "compound_id", 1),
    ("小区名称", "", "name", 1),
    ("所属街道", "", "street", 1),
    ("所属社区", "", "community", 1),
    ("改造年度", "", "programme_year", 1),
    ("建成年代", "", "built_year", 1),
    ("改造规模", "楼栋数（栋）", "buildings", 1),
    ("改造规模", "户数（户）", "households", 1),
    ("改造规模", "建筑面积（万㎡）", "floor_area_m2", 1e-4),
    ("投资（万元）", "总投资", "invest_total_wan", 1),
    ("投资（万元）", "已完成投资", "invest_done_wan", 1),
    ("工程进展", "改造状态", "status", 1),
    ("工程进展", "开工时间", "start_actual", 1),
    ("工程进展", "完工时间", "finish_actual", 1),
    ("工程进展", "形象进度（%）", "image_progress_pct", 1),
    ("污水接入情况", "", "sewer_connection", 1),
)
_SUMMED = ("buildings", "households", "floor_area_m2", "invest_total_wan", "invest_done_wan")


def _word(column: str, value: object) -> object:
    """Return the word a street office writes for one of our codes, and months as 2022年5月."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    declared = schema.layer("ledger").column(column)
    if declared is not None and declared.kind == "month":
        year, month = str(value).split("-")
        return (
            f"{year}年{int(month)}月"
            if int(month) % 2
            else float(f"{year}.{int(month)}")
            if int(month) < 10
            else f"{year}.{month}"
        )
    for code in declared.codes if declared is not None else ():
        if code.value == value and code.words:
            return code.words[0]
    return value.item() if isinstance(value, np.generic) else value


def ledger_book(
    ledger: pd.DataFrame,
    printed: pd.DataFrame,
    path: Path,
    *,
    county: str,
    as_of: str,
    summary: pd.DataFrame | None = None,
) -> Path:
    """Write a ledger as a street office would.

    Parameters
    ----------
    ledger : DataFrame
        Columns and units of the schema; one row per compound.
    printed : DataFrame
        Indexed by programme year: the sums to print in the 小计 rows, in our units; the 合计 row adds them up. They need
        not be right.
    path : Path
        ``.xlsx``, replaced when it exists.
    county, as_of : str
        For the title rows.
    summary : DataFrame, optional
        Indexed by programme year: compounds planned, started and completed, for a second sheet.

    Returns
    -------
    Path
        One visible sheet: two title rows, a merged two-row header with units, a block per year with its 小计, a 合计 at the end; one
        hidden sheet with last year's draft.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "改造台账"
    width = len(_COLUMNS)
    for row, text in (
        (1, f"{county}城镇老旧小区改造工作台账"),
        (2, f"填报单位：{county}住房和城乡建设局　　截至：{as_of}"),
    ):
        sheet.cell(row, 1, text).alignment = Alignment(horizontal="center" if row == 1 else "left")
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)
    sheet["A1"].font = Font(size=16, bold=True)
    _header(sheet)
    row = 5
    for year, block in ledger.groupby("programme_year", sort=True):
        sheet.cell(row, 1, f"{year}年度")
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)
        row += 1
        for number, record in enumerate(block.to_dict("records"), start=1):
            _record(sheet, row, number, record)
            row += 1
        _sums(sheet, row, "小计", pd.Series(printed.loc[year]))
        row += 1
    _sums(sheet, row, "合计", printed.sum(min_count=1))
    sheet.freeze_panes = "D5"
    draft = book.create_sheet("上年底稿")
    draft.sheet_state = "hidden"
    draft.append(["小区名称", "户数（户）"])
    for name in ledger["name"].head(5):
        draft.append([str(name), 9999])
    if summary is not None:
        page = book.create_sheet("进度汇总")
        page.append(["改造年度", "计划改造小区数", "新开工小区数", "完工小区数"])
        for at, line in zip(summary.index, summary.to_numpy(dtype=int), strict=True):
            page.append([str(at), *line.tolist()])
    book.save(path)
    return path


def _header(sheet: Worksheet) -> None:
    start = 1
    uppers = [c[0] for c in _COLUMNS]
    for k, (upper, lower, _, _) in enumerate(_COLUMNS, start=1):
        sheet.cell(3, k, upper if k == 1 or uppers[k - 2] != upper else None)
        sheet.cell(4, k, lower or None)
        if not lower:
            sheet.merge_cells(start_row=3, start_column=k, end_row=4, end_column=k)
        if k == len(_COLUMNS) or uppers[k] != upper:
            if k > start:
                sheet.merge_cells(start_row=3, start_column=start, end_row=3, end_column=k)
            start = k + 1


def _scaled(value: object, factor: float) -> object:
    return round(float(value) * factor, 4) if factor != 1 and value is not None else value  # type: ignore[arg-type]  # a number


def _record(sheet: Worksheet, row: int, number: int, record: Mapping[object, object]) -> None:
    sheet.cell(row, 1, number)
    for k, (_, _, ours, factor) in enumerate(_COLUMNS[1:], start=2):
        sheet.cell(row, k, _scaled(_word(ours, record.get(ours)), factor))


def _sums(sheet: Worksheet, row: int, label: str, sums: pd.Series) -> None:
    sheet.cell(row, 1, label)
    sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=7)
    for k, (_, _, ours, factor) in enumerate(_COLUMNS, start=1):
        if ours in _SUMMED and pd.notna(sums[ours]):
            sheet.cell(row, k, round(float(sums[ours]) * factor, 4))


def sums(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return the true sums per programme year, missing where nothing is known."""
    return ledger.groupby("programme_year")[list(_SUMMED)].sum(min_count=1).astype("float64")


def _compounds(county: County) -> gpd.GeoDataFrame:
    c = county.layers["compounds"]
    frame = {
        "小区编号": c["compound_id"],
        "小区名称": c["name"],
        "所属街道": c["street"],
        "建成年代": c["built_year"].astype("int64"),
    }
    frame |= {
        "户数": c["households"].astype("int64"),
        "楼栋数": c["buildings"].astype("int64"),
        "建筑面积": c["floor_area_m2"],
    }
    # a shapefile takes valid outlines as they are; the crossed one goes along as it was drawn
    return gpd.GeoDataFrame(frame, geometry=c.geometry.to_numpy(), crs=county.crs)


def _pipes(county: County) -> gpd.GeoDataFrame:
    """Pipes with the field names of the national survey guideline; diameters in metres, kinds as numbers."""
    p = county.layers["pipes"]
    p = p[p.geometry.notna()]
    frame = {
        "PipeID": p["pipe_id"], "Pipe_Categ": p["kind"].map({"storm": "1", "sewage": "2", "combined": "3"}), "In_JuncID": p["from_node"],
        "Out_JuncID": p["to_node"], "In_Elev": p["from_invert_m"], "Out_Elev": p["to_invert_m"], "QDMS": p["from_depth_m"],
        "ZDMS": p["to_depth_m"], "Shape_Data": p["diameter_mm"] / 1000, "Material": p["material"], "Status": p["status"].map(
            {"in_use": "在用", "abandoned": "废弃", "planned": "规划"}), "Lane_Way": p["road"], "Belong": p["ownership"],
        "FlowDir": p["flow_dir"], "管线等级": p["level"].map({"main": "干管", "branch": "支管", "lateral": "接户管", "internal": "小区内"}),
        "输送方式": p["flow"].map({"gravity": "重力流", "pressure": "压力流"}),
    }  # fmt: skip
    return gpd.GeoDataFrame(frame, geometry=p.geometry.to_numpy(), crs=county.crs)


def _survey(county: County) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Point table and line table of the survey office; X is northing, and the eastings carry their zone (35)."""
    m, p = county.layers["manholes"], county.layers["pipes"]
    xy = shapely.get_coordinates(m.geometry)
    points = pd.DataFrame({
        "图上点号": m["node_id"], "物探点号": m["node_id"], "附属物": m["type"], "X坐标": np.round(xy[:, 1], 3),
        "Y坐标": np.round(xy[:, 0] + 35e6, 3), "地面高程": m["ground_elev_m"], "井深": m["depth_m"],
    })  # fmt: skip
    known = set(m["node_id"])
    p = p[p["from_node"].isin(known) & p["to_node"].isin(known)]
    lines = pd.DataFrame({
        "管段编号": p["pipe_id"], "起点点号": p["from_node"], "终点点号": p["to_node"], "管线类别": p["kind"].map({"sewage": "WS", "storm": "YS", "combined": "HS"}),
        "起点埋深": p["from_depth_m"], "终点埋深": p["to_depth_m"], "起点管底标高": p["from_invert_m"], "终点管底标高": p["to_invert_m"],
        "管径": "DN" + p["diameter_mm"].astype(int).astype(str), "材质": p["material"], "权属单位": p["ownership"], "探测日期": p["survey_date"],
    })  # fmt: skip
    return points, lines


def files(county: County, folder: str | Path) -> dict[str, Path]:
    """Write the county as planners would hand it over.

    Parameters
    ----------
    county : County
    folder : path
        Made when it does not exist; files of the same names are replaced.

    Returns
    -------
    dict of str to Path
        ``ledger`` (.xlsx), ``compounds`` (.shp in GBK, no .cpg), ``pipes`` (zipped .shp in GBK), ``survey`` (.xlsx with a sheet of points
        and one of lines), ``streets`` (.geojson in longitude and latitude).
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    ledger = county.layers["ledger"]
    out = {
        "ledger": ledger_book(
            ledger, sums(ledger), folder / "老旧小区改造台账.xlsx", county=county.name, as_of=county.as_of
        )
    }
    out["compounds"] = folder / "小区范围.shp"
    _compounds(county).to_file(out["compounds"], encoding="GBK", engine="pyogrio")
    out["compounds"].with_suffix(".cpg").unlink(missing_ok=True)
    out["pipes"] = folder / "排水管线.zip"
    with TemporaryDirectory() as made:
        _pipes(county).to_file(Path(made) / "PS_PIPE.shp", encoding="GBK", engine="pyogrio")
        with zipfile.ZipFile(out["pipes"], "w", zipfile.ZIP_DEFLATED) as archive:
            for part in sorted(Path(made).iterdir()):
                if part.suffix != ".cpg":
                    archive.write(part, part.name)
    out["survey"] = folder / "管线普查成果表.xlsx"
    points, lines = _survey(county)
    with pd.ExcelWriter(out["survey"], engine="openpyxl") as writer:
        points.to_excel(writer, sheet_name="点表", index=False)
        lines.to_excel(writer, sheet_name="线表", index=False)
    out["streets"] = folder / "道路.geojson"
    county.layers["streets"].to_crs("EPSG:4326").to_file(out["streets"], driver="GeoJSON", engine="pyogrio")  # type: ignore[operator]  # a GeoDataFrame
    return out
