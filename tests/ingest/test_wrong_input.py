"""Wrong input gets one clear sentence; nothing else is ever raised."""

from __future__ import annotations

import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from mapapp import ingest
from mapapp.core.errors import InputError, MapappError, NotFoundError, QuestionError
from tests.ingest.conftest import NEEDS_CRS, WRITERS, street


def refused(path: Path | list[Path], target: str = "pipes", **options: object) -> InputError:
    with pytest.raises(InputError) as caught:
        ingest.read(path, target, **options)  # type: ignore[arg-type]  # options of the call under test
    error = caught.value
    for lang in ("zh", "en"):
        text = error.message(lang)
        assert "{" not in text.replace("{'", "")
        assert "/tmp/" not in text  # never a path of the server
        assert len(text) < 900
    assert error.need is not None
    return error


@pytest.mark.parametrize("name", WRITERS)
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    if name.endswith(".shp"):
        for suffix in (".shx", ".dbf"):
            (tmp_path / name).with_suffix(suffix).write_bytes(b"")
    assert "0 bytes" in refused(tmp_path / name).message("en")


@pytest.mark.parametrize("name", WRITERS)
def test_truncated_and_flipped_files_raise_input_errors_only(
    samples: dict[str, Path], tmp_path: Path, name: str
) -> None:
    source = samples[name]
    whole = source.read_bytes()
    rng = random.Random(name)
    for part in source.parent.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes())
    for trial in range(24):
        damaged = bytearray(whole)
        if trial % 2:
            damaged = damaged[: rng.randrange(len(damaged))]
        for _ in range(rng.randrange(1, 30) if damaged and not trial % 2 else 0):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        (tmp_path / name).write_bytes(bytes(damaged))
        crs = 4544 if source.suffix in NEEDS_CRS else None
        try:
            ingest.read(tmp_path / name, "pipes", crs=crs)
        except MapappError:
            continue  # one sentence; anything else fails this test


def test_damaged_attribute_tables_raise_input_errors_only(samples: dict[str, Path], tmp_path: Path) -> None:
    source = samples["pipes.shp"]
    rng = random.Random(5)
    for suffix in (".dbf", ".shx", ".prj"):
        for _ in range(12):
            for part in source.parent.iterdir():
                (tmp_path / part.name).write_bytes(part.read_bytes())
            target = tmp_path / f"pipes{suffix}"
            data = bytearray(target.read_bytes())
            for _ in range(8):
                data[rng.randrange(len(data))] = rng.randrange(256)
            target.write_bytes(bytes(data[: rng.randrange(1, len(data) + 1)]))
            try:
                ingest.read(tmp_path / "pipes.shp", "pipes")
            except MapappError:
                continue


@pytest.mark.parametrize("suffix", [".dbf", ".shx"])
def test_a_missing_part_of_a_shapefile_is_named(samples: dict[str, Path], tmp_path: Path, suffix: str) -> None:
    for part in samples["pipes.shp"].parent.iterdir():
        if part.suffix != suffix:
            (tmp_path / part.name).write_bytes(part.read_bytes())
    assert suffix in refused(tmp_path / "pipes.shp").message("zh")


@pytest.mark.parametrize(
    ("name", "says"),
    [("a.dwg", "DXF"), ("b.ovobj", "SHP"), ("c.mdb", "Excel"), ("d.rar", "zip"), ("e.parquet", ".gpkg")],
)
def test_formats_that_cannot_be_read_say_what_to_export(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / name).write_bytes(b"whatever it is")
    assert says in refused(tmp_path / name).message("en")


def test_a_dwg_named_dxf_is_known_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.dxf").write_bytes(b"AC1032\0\0\0\0")
    assert "save it as DXF" in refused(tmp_path / "a.dxf").message("en")


@pytest.mark.parametrize("name", ["x.zip", "x.kmz", "x.xlsx", "x.gpkg", "x.xls"])
def test_text_that_only_calls_itself_a_container_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("管线编号,X,Y\nP1,1,2\n", encoding="gb18030")
    refused(tmp_path / name)


def test_a_web_page_saved_as_xls_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.xls").write_text("<html><table><tr><td>小区名称</td></tr></table></html>", encoding="utf-8")
    assert "web page" in refused(tmp_path / "x.xls", "ledger").message("en")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * (80 << 20))
    assert "suspicious" in refused(tmp_path / "b.zip").message("en")
    (tmp_path / "b.zip").rename(tmp_path / "b.xlsx")
    assert "suspicious" in refused(tmp_path / "b.xlsx").message("en")


def test_a_large_archive_is_refused_however_loosely_it_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the ratio alone: what would fill the disk is refused, too."""
    monkeypatch.setattr("mapapp.ingest.archive.MAX_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.csv", b"0" * (2 << 20))
    assert "suspicious" in refused(tmp_path / "b.zip").message("en")


@pytest.mark.parametrize("inner", ["../evil.csv", "/etc/evil.csv", "..\\evil.csv", "C:\\evil.csv", "a/../../evil.csv"])
def test_paths_that_climb_out_of_a_zip_are_refused(tmp_path: Path, inner: str) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr(inner, "管线编号,WKT\n1,LINESTRING(0 0,1 1)\n")
    assert "unsafe path" in refused(tmp_path / "p.zip").message("en")
    assert not (tmp_path.parent / "evil.csv").exists()


def test_links_and_passwords_in_a_zip_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(tmp_path / "l.zip")
    with zipfile.ZipFile(tmp_path / "k.zip", "w") as archive:
        archive.writestr("a.csv", "x")
    data = bytearray((tmp_path / "k.zip").read_bytes())
    at = data.index(b"PK\x01\x02") + 8
    data[at : at + 2] = struct.pack("<H", 1)
    (tmp_path / "k.zip").write_bytes(bytes(data))
    assert "password" in refused(tmp_path / "k.zip").message("en")


def test_a_protected_workbook_is_known(tmp_path: Path) -> None:
    body = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
    (tmp_path / "l.xlsx").write_bytes(body)
    assert "password" in refused(tmp_path / "l.xlsx", "ledger").message("en")


def test_the_wrong_geometry_names_what_is_there_and_what_is_needed(samples: dict[str, Path]) -> None:
    text = refused(samples["pipes.gpkg"], "manholes").message("en")
    assert "3 lines" in text
    assert "points" in text


def test_mixed_geometry_names_the_first_wrong_record(tmp_path: Path) -> None:
    mixed = street()
    mixed.geometry = [*mixed.geometry[:2], shapely.Point(500_000, 3_930_000)]
    mixed.to_file(tmp_path / "m.gpkg")
    assert "record 3" in refused(tmp_path / "m.gpkg").message("en")


def test_ten_thousand_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text(",".join(f"c{i}" for i in range(10_000)) + "\n" + ",".join("1" * 10_000))
    assert "10000 columns" in refused(tmp_path / "w.csv").message("en")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_coordinates_that_are_no_numbers_name_their_record(tmp_path: Path, value: float) -> None:
    points = gpd.GeoDataFrame(
        {"点号": ["a", "b"]}, geometry=[shapely.Point(500_000, 3_930_000), shapely.Point(value, value + 1)], crs=4544
    )
    if np.isnan(value):  # GEOS calls such a point empty, so write it as a line's end
        with np.errstate(invalid="ignore"):
            points.geometry = shapely.linestrings([[(0, 0), (1, 1)], [(0, 0), (value, 1)]])
    points.to_file(tmp_path / "n.gpkg")
    text = refused(tmp_path / "n.gpkg", "manholes" if not np.isnan(value) else "pipes").message("en")
    assert "the first is 2" in text


def test_a_bad_coordinate_in_a_table_names_its_cell(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("点号,X,Y\na,3930000,500000\nb,很远,500010\n", encoding="utf-8")
    assert refused(tmp_path / "p.csv", "manholes", crs=4544).where == "p.csv › B3"


def test_a_table_without_coordinates_is_no_pipe_layer(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("管线编号,管径,材质\na,300,PVC\n", encoding="utf-8")
    assert "no coordinates" in refused(tmp_path / "p.csv").message("en")


def test_unknown_layers_columns_and_datums_are_answered_with_those_there_are(samples: dict[str, Path]) -> None:
    with pytest.raises(NotFoundError, match="pipes"):
        ingest.read(samples["pipes.gpkg"], "tubes")
    assert "管径" in refused(samples["pipes.gpkg"], columns={"diameter_mm": "口口"}).message("zh")
    assert "diameter_mm" in refused(samples["pipes.gpkg"], columns={"dia": "管径"}).message("zh")
    assert "gcj02" in refused(samples["pipes.gpkg"], datum="mars").message("en")
    assert "EPSG" in refused(samples["pipes.gpkg"], crs="EPSG:99999999").message("en")
    assert "metres" in refused(samples["pipes.gpkg"], county_crs=4326).message("en")
    assert "cannot be imported" in refused(samples["pipes.gpkg"], "findings").message("en")


def test_no_crs_is_a_question_with_candidates(samples: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(QuestionError) as caught:
        ingest.read(samples["pipes.csv"], "pipes")
    assert caught.value.option == "crs"
    assert "EPSG:4544" in caught.value.choices
    for part in samples["pipes.shp"].parent.iterdir():
        if part.suffix != ".prj":
            (tmp_path / part.name).write_bytes(part.read_bytes())
    with pytest.raises(QuestionError):
        ingest.read(tmp_path / "pipes.shp", "pipes")


def test_geojson_without_crs_is_wgs84_only_where_it_is_degrees(tmp_path: Path) -> None:
    point = '{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[%s]}}'
    text = '{"type":"FeatureCollection","features":[' + point + "]}"
    (tmp_path / "a.geojson").write_text(text % "105.1,35.5")
    assert ingest.read(tmp_path / "a.geojson", "manholes").source_crs.to_epsg() == 4326  # type: ignore[union-attr]  # placed
    (tmp_path / "b.geojson").write_text(text % "500000,3930000")
    with pytest.raises(QuestionError) as caught:
        ingest.read(tmp_path / "b.geojson", "manholes")
    assert caught.value.option == "crs"


def test_several_sheets_that_fit_are_a_question(tmp_path: Path, workbook: Callable[..., Path]) -> None:
    import openpyxl

    path = workbook([["小区名称", "户数"], ["甲", 1]], sheet="2021")
    book = openpyxl.load_workbook(path)
    sheet = book.create_sheet("2022")
    for row in (["小区名称", "户数"], ["乙", 2]):
        sheet.append(row)
    book.save(path)
    with pytest.raises(QuestionError) as caught:
        ingest.read(path, "ledger")
    assert set(caught.value.choices) >= {"2021", "2022"}
    both = ingest.read(path, "ledger", layer="*")
    assert list(both.frame["programme_year"]) == [2021, 2022]
    assert set(both.trace["sheet"]) == {"2021", "2022"}


@pytest.mark.parametrize("part", [".shp", ".dbf", ".shx"])
@pytest.mark.parametrize("share", [0.4, 0.98])
def test_a_shapefile_that_was_cut_off_is_no_shorter_survey(
    samples: dict[str, Path], tmp_path: Path, part: str, share: float
) -> None:
    """GDAL reads the records that are left and says nothing."""
    for source in samples["pipes.shp"].parent.iterdir():
        data = source.read_bytes()
        (tmp_path / source.name).write_bytes(data[: int(len(data) * share)] if source.suffix == part else data)
    said = refused(tmp_path / "pipes.shp")
    assert said.where == f"pipes{part}"
    assert "incomplete" in said.message("en")


def test_parts_of_two_exports_are_not_joined(samples: dict[str, Path], tmp_path: Path) -> None:
    for source in samples["pipes.shp"].parent.iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    dbf = bytearray((tmp_path / "pipes.dbf").read_bytes())
    dbf[4:8] = (2).to_bytes(4, "little")
    (tmp_path / "pipes.dbf").write_bytes(dbf)
    assert "3 shapes and 2 rows" in refused(tmp_path / "pipes.shp").message("en")


def test_a_drawing_without_its_end_mark_is_incomplete(samples: dict[str, Path], tmp_path: Path) -> None:
    data = samples["pipes.dxf"].read_bytes()
    (tmp_path / "a.dxf").write_bytes(data[: data.rindex(b"OBJECTS")])
    assert "EOF" in refused(tmp_path / "a.dxf").message("en")


def test_a_message_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[1, 2, 3]")
    assert str(tmp_path) not in refused(tmp_path / "a.json").message("en")


def test_a_coordinate_beyond_the_earth_names_its_record(tmp_path: Path) -> None:
    line = '{"type":"LineString","coordinates":[[108,31],[1e300,31]]}'
    text = f'{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"id":1}},"geometry":{line}}}]}}'
    (tmp_path / "a.geojson").write_text(text)
    assert refused(tmp_path / "a.geojson").where == "a.geojson › 1"
