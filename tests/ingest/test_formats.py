"""One street, every format: the same pipes come out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from mapapp import ingest
from mapapp.core.errors import QuestionError
from tests.ingest.conftest import NEEDS_CRS, ROWS, WRITERS, _csv, _shp, street


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_gives_the_same_pipes(samples: dict[str, Path], name: str) -> None:
    path = samples[name]
    reading = ingest.read(
        path, "pipes", crs="EPSG:4544" if path.suffix in NEEDS_CRS else None, county_crs=4544, datum="wgs84"
    )
    frame = reading.frame
    assert reading.crs is not None
    assert reading.crs.to_epsg() == 4544
    assert list(frame.index) == [0, 1, 2]
    assert list(frame["kind"]) == ["sewage", "sewage", "storm"]
    away = shapely.distance(frame.geometry.to_numpy(), street().geometry.to_numpy())
    assert away.max() < 0.01
    if name.endswith("dxf"):
        return  # a drawing holds lines and layers only
    assert list(frame["pipe_id"]) == ["P1", "P2", "P3"]
    assert list(frame["diameter_mm"]) == [300, 400, 600]
    assert list(frame["material"]) == ["PVC", "混凝土", "砖"]
    assert frame["shape"].iloc[2] == "rect"
    assert list(frame["from_node"]) == [r[2] for r in ROWS]
    np.testing.assert_array_equal(frame["to_invert_m"], [101.2, 100.8, np.nan])  # 9999 is no level
    np.testing.assert_array_equal(frame["from_invert_m"], [101.5, 101.2, np.nan])


def test_the_input_file_gives_the_same_ids_and_hash_each_time(samples: dict[str, Path]) -> None:
    first, again = (ingest.read(samples["pipes.dxf"], "pipes", crs=4544) for _ in range(2))
    assert list(first.frame["pipe_id"]) == list(again.frame["pipe_id"])
    assert first.frame["pipe_id"].is_unique
    assert first.sha256 == again.sha256
    assert len(first.sha256) == 64


@pytest.mark.parametrize(
    ("encoding", "cpg"), [("gb18030", False), ("utf-8", False), ("gb18030", True), ("utf-8", True)]
)
def test_shapefile_texts_are_read_with_and_without_cpg(tmp_path: Path, encoding: str, cpg: bool) -> None:
    reading = ingest.read(_shp(tmp_path / "p.shp", encoding=encoding, cpg=cpg), "pipes")
    assert list(reading.frame["material"]) == ["PVC", "混凝土", "砖"]


def test_a_cpg_that_lies_is_overruled_and_said(tmp_path: Path) -> None:
    path = _shp(tmp_path / "p.shp")
    path.with_suffix(".cpg").write_text("UTF-8")
    reading = ingest.read(path, "pipes")
    assert reading.frame["material"].iloc[1] == "混凝土"
    assert any(n.severity == "warning" and ".cpg" in n.text.en for n in reading.notes)


def test_parts_of_a_shapefile_may_be_given_as_a_list(samples: dict[str, Path]) -> None:
    parts = [p for p in samples["pipes.shp"].parent.iterdir() if p.suffix in (".shp", ".shx", ".dbf", ".prj")]
    assert len(ingest.read(parts, "pipes").frame) == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030", "utf-16"])
def test_csv_encodings_are_told_apart(tmp_path: Path, encoding: str) -> None:
    reading = ingest.read(_csv(tmp_path / "p.csv", encoding), "pipes", crs=4544)
    assert list(reading.frame["kind"]) == ["sewage", "sewage", "storm"]


def test_multi_part_lines_merge_where_they_chain_and_stay_otherwise(tmp_path: Path) -> None:
    lines = street()
    x, y = 500_000.0, 3_930_000.0
    lines.geometry = [
        shapely.MultiLineString([[(x, y), (x + 10, y)], [(x + 10, y), (x + 20, y)]]),
        shapely.MultiLineString([[(x, y), (x + 10, y)], [(x + 20, y), (x + 10, y)]]),  # drawn against each other
        shapely.MultiLineString([[(x, y), (x + 10, y)], [(x + 30, y), (x + 40, y)]]),
    ]
    lines.to_file(tmp_path / "m.gpkg")
    frame = ingest.read(tmp_path / "m.gpkg", "pipes").frame
    assert list(frame.geom_type) == ["LineString", "LineString", "MultiLineString"]
    assert frame.geometry.iloc[1].coords[0] == (x, y)  # the way the first part runs


def test_a_line_without_length_stays_a_line_for_the_audit_to_report(tmp_path: Path) -> None:
    lines = street()
    spot = (500_000.0, 3_930_000.0)
    lines.geometry = [shapely.MultiLineString([[spot, spot]]), *lines.geometry[1:]]
    lines.to_file(tmp_path / "z.gpkg")
    frame = ingest.read(tmp_path / "z.gpkg", "pipes").frame
    assert list(frame.geom_type) == ["LineString"] * 3
    assert frame.length.iloc[0] == 0


def test_a_wrong_encoding_is_named_with_the_one_that_fits(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="Use --encoding gb18030"):
        ingest.read(_shp(tmp_path / "s.shp"), "pipes", encoding="utf-8")


def test_a_workbook_saved_as_xls_reads_the_same(samples: dict[str, Path], tmp_path: Path) -> None:
    import shutil
    import subprocess

    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice, which writes .xls for this test, is not installed")
    done = subprocess.run(
        [office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xls", "--outdir",
         str(tmp_path), str(samples["pipes.xlsx"])],
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    if not (tmp_path / "pipes.xls").exists():
        pytest.skip(f"LibreOffice wrote no .xls here ({done.returncode})")
    reading = ingest.read(tmp_path / "pipes.xls", "pipes", crs=4544)
    assert list(reading.frame["pipe_id"]) == ["P1", "P2", "P3"]
    assert list(reading.frame["diameter_mm"]) == [300, 400, 600]


def test_a_geojson_written_in_gbk_is_read(samples: dict[str, Path], tmp_path: Path) -> None:
    text = samples["pipes.geojson"].read_text("utf-8")
    (tmp_path / "g.geojson").write_bytes(text.encode("gb18030"))
    assert list(ingest.read(tmp_path / "g.geojson", "pipes").frame["material"]) == ["PVC", "混凝土", "砖"]


def test_kml_attributes_come_from_extended_data_and_from_lines_of_text(tmp_path: Path) -> None:
    line = "<LineString><coordinates>105,35.5 105.001,35.5</coordinates></LineString>"
    (tmp_path / "e.kml").write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><name>污水</name>'
        f'<Placemark><ExtendedData><Data name="管线编号"><value>A</value></Data><SchemaData><SimpleData name="管径">'
        f"DN300</SimpleData></SchemaData></ExtendedData>{line}</Placemark>"
        f"<Placemark><description>管线编号：B&lt;br&gt;管径：DN400</description>{line}</Placemark>"
        "<Placemark><name>井</name><Point><coordinates>105,35.5</coordinates></Point></Placemark>"
        "</Folder></Document></kml>",
        "utf-8",
    )
    reading = ingest.read(tmp_path / "e.kml", "pipes", datum="wgs84")
    assert reading.frame["pipe_id"].tolist() == ["A", "B"]
    assert reading.frame["diameter_mm"].tolist() == [300, 400]
    assert set(reading.frame["kind"]) == {"sewage"}  # the folder says so
    assert any("1 points do not belong" in n.text.en for n in reading.notes)


def test_the_folders_of_a_kml_tell_the_kind_of_what_lies_in_them(tmp_path: Path) -> None:
    """Innermost folder first; a placemark in a folder that says nothing stays unknown, and both are said."""
    line = "<Placemark><LineString><coordinates>105,35.{0} 105.001,35.{0}</coordinates></LineString></Placemark>"
    folders = (("污水管", 1), ("雨水管", 2), ("其他", 3))
    body = "".join(f"<Folder><name>{name}</name>{line.format(n)}</Folder>" for name, n in folders)
    head = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><name>管网</name>'
    (tmp_path / "survey.kml").write_text(f"{head}{body}</Folder></Document></kml>", "utf-8")
    reading = ingest.read(tmp_path / "survey.kml", "pipes", datum="wgs84")
    assert reading.frame["kind"].tolist() == ["sewage", "storm", "unknown"]
    told = " ".join(n.text.en for n in reading.notes if n.severity == "warning")
    assert "管网/污水管 = sewage" in told
    assert "1 records are stored as unknown" in told


def test_closed_polylines_of_a_drawing_are_outlines(tmp_path: Path) -> None:
    import ezdxf

    document = ezdxf.new()
    corners = [(500_000, 3_930_000), (500_050, 3_930_000), (500_050, 3_930_040), (500_000, 3_930_040)]
    document.modelspace().add_lwpolyline(corners, close=True, dxfattribs={"layer": "小区"})
    document.saveas(tmp_path / "c.dxf")
    reading = ingest.read(tmp_path / "c.dxf", "compounds", crs=4544)
    assert reading.frame.geometry.iloc[0].area == pytest.approx(2000)


def test_survey_tables_may_be_two_sheets_of_one_workbook(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "点表"
    for row in (["物探点号", "X", "Y", "地面高程"], ["W1", 3_930_000, 500_000, 440], ["W2", 3_930_000, 500_030, 440]):
        book.active.append(row)
    lines = book.create_sheet("线表")
    for row in (["起点点号", "连接点号", "管径", "管线类型"], ["W1", "W2", 300, "WS"]):
        lines.append(row)
    book.save(tmp_path / "s.xlsx")
    pipes = ingest.read(tmp_path / "s.xlsx", "pipes", crs=4544)
    assert pipes.frame.geometry.iloc[0].length == pytest.approx(30)
    assert set(pipes.trace["sheet"]) == {"线表"}
    assert len(ingest.read(tmp_path / "s.xlsx", "manholes", crs=4544).frame) == 2


def test_a_long_text_table_is_read_as_a_short_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By columns or row by row: the same records, totals and remarks left out, and each record traced to its line."""
    lines = [f'P{i},{"污水" if i % 3 else ""},DN{300 + i % 2}, {90 + i / 100} ,"LINESTRING (500000 {3930000 + i},500010 3930000)"'
             for i in range(60)]  # fmt: skip
    odd = [
        "合计,,18000,,",
        "",
        "管线编号,管线类型,管径,起点管底标高,WKT",
        "填表人：张三,,,,",
        "说明一句话,,,,",
        "X1,,,,",
    ]
    text = "\n".join(["管线编号,管线类型,管径,起点管底标高,WKT", *lines[:30], *odd, *lines[30:]])
    (tmp_path / "p.csv").write_text(text, "utf-8")
    short = ingest.read(tmp_path / "p.csv", "pipes", crs=4544)
    monkeypatch.setattr("mapapp.ingest.long.LONG", 10)
    longer = ingest.read(tmp_path / "p.csv", "pipes", crs=4544)
    assert longer.frame.equals(short.frame)
    assert longer.notes == short.notes
    keys = short.trace[short.trace["column"] == "pipe_id"]
    assert longer.trace[longer.trace["column"] == "pipe_id"].reset_index(drop=True).equals(keys.reset_index(drop=True))


def test_a_shape_of_the_section_is_no_geometry_and_axes_may_be_named_each_in_its_way(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(
        '管线编号,shape,WKT\na,圆形,"LINESTRING (500000 3930000,500010 3930000)"\n', "utf-8"
    )
    assert ingest.read(tmp_path / "p.csv", "pipes", crs=4544).frame["shape"].tolist() == ["circular"]
    (tmp_path / "m.csv").write_text("点号,X坐标,Y\nW1,3930000,500000\n", "utf-8")
    point = ingest.read(tmp_path / "m.csv", "manholes", crs=4544).frame.geometry.iloc[0]
    assert (point.x, point.y) == (500000, 3930000)
