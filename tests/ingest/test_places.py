"""Where things lie: zones, axes, datums, surveys, names, keys."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import prcoords
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp import ingest
from mapapp.core.errors import InputError, QuestionError
from mapapp.ingest import datum
from tests.ingest.conftest import ROWS, _kml, street

LON, LAT = 105.0, 35.5  # on the central meridian of EPSG:4544
M_PER_DEGREE = 111_320.0


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(np.hypot((a[0] - b[0]) * np.cos(np.radians(a[1])), a[1] - b[1]) * M_PER_DEGREE)


@settings(max_examples=200, deadline=None)
@given(st.floats(74, 134), st.floats(18, 53))
def test_offsets_are_undone_below_a_millimetre_and_agree_with_another_implementation(lon: float, lat: float) -> None:
    here = np.array([lon]), np.array([lat])
    for forward, undo, other in (
        (datum.wgs84_to_gcj02, datum.gcj02_to_wgs84, prcoords.wgs_gcj),
        (datum.wgs84_to_bd09, datum.bd09_to_wgs84, prcoords.wgs_bd),
    ):
        shifted = forward(*here)
        theirs = other((lat, lon), check_china=False)
        assert metres((shifted[0][0], shifted[1][0]), (theirs[1], theirs[0])) < 0.01
        back = undo(*shifted)
        assert metres((back[0][0], back[1][0]), (lon, lat)) < 0.001
        assert 1 < metres((shifted[0][0], shifted[1][0]), (lon, lat)) < 2000


def test_nothing_is_shifted_outside_of_china() -> None:
    assert datum.wgs84_to_gcj02(np.array([-75.7]), np.array([45.4])) == (-75.7, 45.4)


@pytest.mark.parametrize("name", ["gcj02", "bd09"])
def test_a_shifted_kml_comes_home(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = {"gcj02": datum.wgs84_to_gcj02, "bd09": datum.wgs84_to_bd09}[name]
    lines = street().to_crs(4326)
    lines.geometry = shapely.transform(
        lines.geometry.to_numpy(), lambda xy: np.column_stack(forward(xy[:, 0], xy[:, 1]))
    )
    lines[["管线编号", "geometry"]].to_file(tmp_path / "s.geojson", driver="GeoJSON", COORDINATE_PRECISION="12")
    frame = ingest.read(tmp_path / "s.geojson", "pipes", datum=name, county_crs=4544).frame
    assert shapely.distance(frame.geometry.to_numpy(), street().geometry.to_numpy()).max() < 0.01


def test_a_kml_in_china_asks_for_its_datum(tmp_path: Path) -> None:
    path = _kml(tmp_path / "a.kml")
    with pytest.raises(QuestionError, match=r"--datum.*gcj02") as asked:
        ingest.read(path, "pipes")
    assert (asked.value.option, asked.value.choices) == ("datum", ("wgs84", "gcj02", "bd09"))
    true, shifted = (ingest.read(path, "pipes", datum=d, county_crs=4544).frame for d in ("wgs84", "gcj02"))
    assert 200 < true.distance(shifted).min() < true.distance(shifted).max() < 700
    assert ingest.read(path, "pipes", crs=4326, county_crs=4544).frame.geometry.equals(true.geometry)


def test_a_kml_outside_of_china_asks_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.kml").write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>W1</name><LineString>'
        "<coordinates>-75.7,45.4 -75.69,45.41</coordinates></LineString></Placemark></kml>",
        encoding="utf-8",
    )
    assert ingest.read(tmp_path / "a.kml", "pipes").source_crs == 4326


def points(path: Path, first: float, second: float, head: str = "点号,X,Y") -> Path:
    path.write_text(f"{head}\nW1,{first},{second}\nW2,{first + 1},{second + 1}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("first", "second", "crs"),
    [(3_930_084.0, 35_518_146.0, 4523), (35_518_146.0, 3_930_084.0, 4523), (3_930_084.0, 518_146.0, 4544),
     (3_930_084.0, 518_146.0, 4523), (3_930_084.0, 35_518_146.0, 4544), (3_930_084.0, 18_518_146.0, 4496)],
)  # fmt: skip
def test_survey_axes_and_zone_prefixes_are_told_by_size(tmp_path: Path, first: float, second: float, crs: int) -> None:
    frame = ingest.read(points(tmp_path / "p.csv", first, second), "manholes", crs=crs, county_crs=4544).frame
    assert metres(tuple(frame.geometry.to_crs(4326).iloc[0].coords[0]), (105.2, 35.5)) < 5  # domain notes, 2.2


def test_a_prefix_of_another_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="EPSG:4525"):
        ingest.read(points(tmp_path / "p.csv", 3_930_084.0, 37_518_146.0), "manholes", crs=4544)


def test_the_prefix_names_the_zone_in_the_question(tmp_path: Path) -> None:
    with pytest.raises(QuestionError) as caught:
        ingest.read(points(tmp_path / "p.csv", 3_930_084.0, 35_518_146.0), "manholes")
    assert caught.value.choices == ("EPSG:4523", "EPSG:2359", "EPSG:2411")


def test_longitude_and_latitude_columns_in_any_order(tmp_path: Path) -> None:
    path = points(tmp_path / "p.csv", LAT, LON, "点号,纬度,经度")
    frame = ingest.read(path, "manholes", crs=4490).frame
    assert frame.crs.to_epsg() == 4544
    assert abs(frame.geometry.x.iloc[0] - 500_000) < 1


def test_old_datums_warn_about_accuracy(tmp_path: Path) -> None:
    for crs in (2411, 2359, 2432):
        reading = ingest.read(points(tmp_path / "p.csv", 3_930_084.0, 518_146.0), "manholes", crs=crs)
        assert any("no public parameters" in n.text.en for n in reading.notes)


def test_a_declared_crs_that_is_overruled_is_said(samples: dict[str, Path]) -> None:
    reading = ingest.read(samples["pipes.gpkg"], "pipes", crs=4546)
    assert any("declares EPSG:4544" in n.text.en for n in reading.notes)


@pytest.fixture
def survey(tmp_path: Path) -> tuple[Path, Path]:
    pts = {r[2]: r[8][0] for r in ROWS} | {r[3]: r[8][1] for r in ROWS}
    body = "\n".join(f"{k},{y},{35e6 + x},检查井,440.5" for k, (x, y) in pts.items())
    (tmp_path / "点表.csv").write_text(
        f"物探点号,X坐标,Y坐标,附属物,地面高程\n{body}\nZ9,3930500,35500500,检查井,441\n", "gb18030"
    )
    body = "\n".join(f"{r[2]},{r[3]},{r[4]},{r[1]},{r[6] or ''}" for r in ROWS)
    (tmp_path / "线表.csv").write_text(
        f"起点点号,终点点号,管径,管线类型,起点管底标高\n{body}\nW3,W99,300,WS,1\n", "gb18030"
    )
    return tmp_path / "点表.csv", tmp_path / "线表.csv"


def test_point_and_line_tables_become_pipes_and_manholes(survey: tuple[Path, Path]) -> None:
    pipes = ingest.read([*survey], "pipes", crs=4523, county_crs=4544)
    assert shapely.distance(pipes.frame.geometry.to_numpy()[:3], street().geometry.to_numpy()).max() < 0.01
    assert pipes.frame["pipe_id"].is_unique
    holes = ingest.read([*survey], "manholes", crs=4523, county_crs=4544)
    assert set(holes.frame["node_id"]) == {"W1", "W2", "W3", "Y1", "Y2", "Z9"}
    assert set(pipes.frame["from_node"]) <= set(holes.frame["node_id"])
    assert set(holes.frame["ground_elev_m"]) == {440.5, 441}


def test_lines_whose_point_is_unknown_stay_without_geometry_and_are_named(survey: tuple[Path, Path]) -> None:
    reading = ingest.read(survey[1], "pipes", points=survey[0], crs=4523)
    assert reading.frame.geometry.isna().tolist() == [False, False, False, True]
    said = " ".join(n.text.en for n in reading.notes)
    assert "W99" in said
    assert "Z9" in said


def test_a_line_table_alone_asks_for_its_points(survey: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="without its point table"):
        ingest.read(survey[1], "pipes", crs=4523)


COMPOUNDS = pd.DataFrame(
    {"compound_id": ["C1", "C2", "C3", "C4"], "name": ["阳光小区", "和平家属院", "幸福里(一期)", "阳光小区"],
     "street": ["城关镇", "城关镇", "河东街道", "河东街道"]}
)  # fmt: skip


def test_names_join_exactly_and_doubtful_ones_are_listed() -> None:
    ledger = pd.DataFrame(
        {"name": ["和平家属院", "幸福里（一期）", "和平家属楼", "完全没有", "阳光小区"], "street": [None] * 5}
    )
    out, doubtful = ingest.match_names(ledger, COMPOUNDS)
    assert out["compound_id"].fillna("").tolist() == ["C2", "C3", "", "", ""]
    assert doubtful["reason"].tolist() == ["similar_name", "no_such_name", "several_compounds_of_that_name"]
    assert doubtful["best"].iloc[0] == "和平家属院"
    assert "compound_id" not in ledger  # the input stays as it was


def test_the_street_tells_two_compounds_of_one_name_apart() -> None:
    ledger = pd.DataFrame({"name": ["阳光小区", "阳光小区"], "street": ["河东街道", "城关镇"]})
    assert ingest.match_names(ledger, COMPOUNDS)[0]["compound_id"].tolist() == ["C4", "C1"]


def test_an_id_outranks_the_name() -> None:
    ledger = pd.DataFrame({"compound_id": ["C3", "X"], "name": ["和平家属院", "和平家属院"]})
    assert ingest.match_names(ledger, COMPOUNDS)[0]["compound_id"].tolist() == ["C3", "C2"]


def test_an_id_of_theirs_is_kept_when_nothing_matches_and_is_listed() -> None:
    ledger = pd.DataFrame({"compound_id": ["X9"], "name": ["完全没有"]})
    out, doubtful = ingest.match_names(ledger, COMPOUNDS)
    assert out["compound_id"].tolist() == ["X9"]
    assert len(doubtful) == 1


def test_a_second_row_for_a_compound_is_listed_not_stored(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("小区编号,小区名称,户数\nC1,甲,1\nC1,甲,2\nC2,乙,3\n", "utf-8")
    reading = ingest.read(tmp_path / "l.csv", "ledger")
    assert reading.frame["households"].tolist() == [1, 3]
    assert reading.doubtful["reason"].tolist() == ["second_row_for_this_compound"]
    assert reading.trace.loc[reading.trace["column"] == "households", "row"].tolist() == [0, 1]


def test_made_keys_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    lines = street()[["材质", "geometry"]]
    lines.to_file(tmp_path / "a.gpkg")
    gpd.GeoDataFrame(lines.iloc[::-1]).to_file(tmp_path / "b.gpkg")
    a, b = (ingest.read(tmp_path / f"{n}.gpkg", "pipes").frame for n in "ab")
    assert a["pipe_id"].tolist() == b["pipe_id"].tolist()[::-1]


def test_keys_that_repeat_are_told_apart_and_said(tmp_path: Path) -> None:
    lines = street()[["geometry"]].assign(管线编号=["P1", "P1", "P1-2"])
    lines.to_file(tmp_path / "a.gpkg")
    reading = ingest.read(tmp_path / "a.gpkg", "pipes")
    assert reading.frame["pipe_id"].tolist() == ["P1", "P1-3", "P1-2"]
    assert any("P1" in n.text.en and n.severity == "warning" for n in reading.notes)


@pytest.mark.parametrize(
    ("name", "kind"), [("sanitary_mains", "sewage"), ("雨水管线", "storm"), ("WS_LINE", "sewage"), ("mains", "unknown")]
)
def test_a_kind_may_come_from_the_files_name_with_a_warning(tmp_path: Path, name: str, kind: str) -> None:
    street()[["管径", "geometry"]].to_file(tmp_path / f"{name}.gpkg")
    reading = ingest.read(tmp_path / f"{name}.gpkg", "pipes")
    assert set(reading.frame["kind"]) == {kind}
    assert any(n.severity == "warning" and "kind" in n.text.en for n in reading.notes)


def test_a_ledger_without_a_compound_gets_the_key_that_the_compound_will_get(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("小区名称,所属街道,户数\n幸福里（一期）,河东街道,10\n甲,城关镇,20\n", "utf-8")
    (tmp_path / "c.csv").write_text("小区名称,街道,经度,纬度\n幸福里(一期),河东街道,105.1,35.5\n", "utf-8")
    ledger = ingest.read(tmp_path / "l.csv", "ledger").frame
    outlines = ingest.read(tmp_path / "c.csv", "compounds", crs=4490)
    assert ledger["compound_id"].iloc[0] == outlines.frame["compound_id"].iloc[0]
    joined = ingest.read(tmp_path / "l.csv", "ledger", compounds=outlines.frame)
    assert joined.doubtful["name"].tolist() == ["甲"]
