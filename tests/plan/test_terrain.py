"""Ground models: heights between cells, place and CRS from the tags, faults named, covers put the level right."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image, TiffImagePlugin

from mapapp.core.errors import InputError
from mapapp.plan.ground import Ground
from mapapp.plan.terrain import read_terrain

CRS = "EPSG:4547"
X, Y = 500_000.0, 3_000_000.0


def tiff(path, height, *, epsg=4547, nodata=None, place=True):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if place:
        tags[33550], tags[33922] = (10.0, 10.0, 0.0), (0.0, 0.0, 0.0, X, Y, 0.0)
        tags[34735] = (1, 1, 0, 1, 3072, 0, 1, epsg)
        for tag, kind in ((33550, 12), (33922, 12), (34735, 3)):
            tags.tagtype[tag] = kind
    if nodata is not None:
        tags[42113] = nodata
    Image.fromarray(np.asarray(height, np.float32)).save(path, tiffinfo=tags)
    return path


def test_heights_lie_between_cells_and_are_unknown_outside_and_where_missing(tmp_path):
    rows, cols = np.mgrid[0:5, 0:6]
    height = 100.0 + 2.0 * cols - 3.0 * rows
    height[4, 5] = -32768.0
    land = read_terrain(tiff(tmp_path / "a.tif", height, nodata="-32768"), CRS)
    x, y = np.array([X + 5, X + 22, X - 30, X + 55]), np.array([Y - 5, Y - 13, Y - 5, Y - 45])
    found = land.at(x, y)
    assert found[:2] == pytest.approx([100.0, 100 + 2 * 1.7 - 3 * 0.8], abs=1e-6)
    assert np.isnan(found[2:]).all()


def test_a_world_file_places_a_grid_without_tags_and_another_crs_is_followed(tmp_path):
    path = tiff(tmp_path / "b.tif", np.arange(20.0).reshape(4, 5), place=False)
    with pytest.raises(InputError, match=r"no \.tfw"):
        read_terrain(path, CRS)
    path.with_suffix(".tfw").write_text(f"10\n0\n0\n-10\n{X + 5}\n{Y - 5}\n")
    assert read_terrain(path, CRS).at(np.array([X + 15]), np.array([Y - 5])) == pytest.approx([1.0])
    other = read_terrain(tiff(tmp_path / "c.tif", np.full((4, 5), 7.0), epsg=4546), CRS)
    there = gpd.GeoSeries(shapely.points([[X + 20, Y - 20]]), crs="EPSG:4546").to_crs(CRS)
    assert other.at(there.x.to_numpy(), there.y.to_numpy()) == pytest.approx([7.0])


@pytest.mark.parametrize("fault", ["text", "empty", "rgb", "absent"])
def test_what_is_no_ground_model_gets_one_sentence(tmp_path, fault):
    path = tmp_path / "x.tif"
    if fault == "text":
        path.write_text("not a picture")
    elif fault == "empty":
        tiff(path, np.full((3, 3), np.nan))
    elif fault == "rgb":
        Image.new("RGB", (4, 4)).save(path)
    with pytest.raises(InputError):
        read_terrain(path, CRS)


def test_covers_put_the_level_right_and_the_model_keeps_the_shape(tmp_path):
    _, cols = np.mgrid[0:40, 0:40]
    land = read_terrain(tiff(tmp_path / "d.tif", 50.0 + 0.1 * cols), CRS)
    covers = gpd.GeoDataFrame({"ground_elev_m": [53.0]}, geometry=shapely.points([[X + 5, Y - 5]]), crs=CRS)
    ground = Ground.of({"manholes": covers}, None, land)
    level, sure = ground.at(np.array([X + 5, X + 15, X + 395]), np.array([Y - 5, Y - 5, Y - 5]))
    assert level == pytest.approx([53.0, 53.1 - 3.0 * 10 / 250, 53.9], abs=1e-4)
    assert sure.all()
