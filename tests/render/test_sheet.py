"""Map sheets: true scale, pages that cover the extent, Chinese that can be read."""

import shutil
import subprocess
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from mapapp.core.errors import InputError
from mapapp.render import sheet

IMPRINT = sheet.Imprint("云岭县老旧小区改造一张图", "2022年11月25日", "EPSG:4544", "住建局")


def town() -> dict[str, gpd.GeoDataFrame]:
    homes = gpd.GeoDataFrame(
        {"name": ["甲院 ㎡", "乙院"], "status": ["completed", None]},
        geometry=shapely.box([0, 200], [0, 200], [100, 300], [100, 300]),
        crs=4544,
    )
    pipes = gpd.GeoDataFrame({"kind": ["sewage"]}, geometry=[shapely.LineString([(0, 0), (300, 300)])], crs=4544)
    return {"compounds": homes, "pipes": pipes}


@given(st.floats(1, 5e3), st.floats(1, 5e3), st.sampled_from(sheet.SCALES[3:]))
def test_pages_cover_the_extent_at_the_scale(width: float, height: float, scale: int) -> None:
    cut = sheet.pages((0, 0, width, height), scale, "A3")
    union = shapely.union_all(shapely.box(*zip(*[p.bounds for p in cut], strict=True)))
    assert union.buffer(1e-6).covers(shapely.box(0, 0, width, height))
    assert cut[0].bounds[2] - cut[0].bounds[0] == pytest.approx(sheet.frame_mm("A3")[0] * scale / 1000)


def test_the_largest_scale_that_fits_on_one_page_is_chosen() -> None:
    scale = sheet.fitting_scale((0, 0, 600, 300), "A3")
    assert len(sheet.pages((0, 0, 600, 300), scale, "A3")) == 1
    assert len(sheet.pages((0, 0, 600, 300), sheet.SCALES[sheet.SCALES.index(scale) - 1], "A3")) > 1


def test_too_many_pages_are_refused_with_a_scale_that_fits() -> None:
    with pytest.raises(InputError, match=r"1:50000 \(one page\)"):
        sheet.pages((0, 0, 9000, 9000), 500, "A3")


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
def test_a_pdf_carries_title_scale_date_and_page_as_text(tmp_path: Path) -> None:
    cut = sheet.pages((0, 0, 300, 300), 2000, "A4")
    sheet.write(town(), cut, 2000, IMPRINT, "A4", tmp_path / "map.pdf")
    text = subprocess.run(
        ["pdftotext", str(tmp_path / "map.pdf"), "-"], check=True, capture_output=True
    ).stdout.decode()
    for said in ("1:2000", "2022", "EPSG:4544"):
        assert said in text


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
@pytest.mark.parametrize("flags", [[True, False], [False, False], None])
def test_a_relapse_has_a_line_in_the_legend_where_there_is_one(tmp_path: Path, flags: list[bool] | None) -> None:
    """The outline is explained where it is drawn, and nowhere else; the status keeps its own line and is drawn once."""
    layers = town()
    if flags is not None:
        layers["compounds"] = layers["compounds"].assign(relapsed=flags)
    cut = sheet.pages((0, 0, 300, 300), 2000, "A4")
    sheet.write(layers, cut, 2000, IMPRINT, "A4", tmp_path / "map.pdf")
    text = subprocess.run(
        ["pdftotext", str(tmp_path / "map.pdf"), "-"], check=True, capture_output=True
    ).stdout.decode()
    assert text.count("反弹") == (1 if flags and any(flags) else 0)
    assert "已完工" in text
    assert text.count("完") == 3  # twice in the legend, once on the compound


def test_a_png_is_drawn_in_a4_at_two_hundred_dots_per_inch(tmp_path: Path) -> None:
    sheet.write(town(), sheet.pages((0, 0, 300, 300), 2000, "A4"), 2000, IMPRINT, "A4", tmp_path / "map.png")
    width = int.from_bytes((tmp_path / "map.png").read_bytes()[16:20], "big")
    assert abs(width - 297 / 25.4 * 200) < 1


def test_a_png_of_several_pages_is_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds one"):
        sheet.write(town(), sheet.pages((0, 0, 900, 300), 500, "A4"), 500, IMPRINT, "A4", tmp_path / "map.png")
    assert list(tmp_path.iterdir()) == []
