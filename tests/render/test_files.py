"""One table, every format: what is written can be read again."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.render import files

PIPES = schema.layer("pipes")


def town() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"pipe_id": ["P1", "P2"], "diameter_mm": [300.0, None], "material": ["混凝土", "=cmd()"]},
        geometry=shapely.linestrings([[[500000, 4000000], [500010, 4000000]], [[500010, 4000000], [500010, 4000020]]]),
        crs=4544,
    )


@pytest.mark.parametrize("extension", [".gpkg", ".geojson", ".parquet"])
def test_geometry_and_attributes_survive_a_round_trip(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"pipes{extension}"
    files.write(town(), PIPES, path)
    back = gpd.read_parquet(path) if extension == ".parquet" else gpd.read_file(path)
    assert list(back["pipe_id"]) == ["P1", "P2"]
    assert pd.isna(back["diameter_mm"][1])
    assert back.to_crs(4544).geometry.iloc[0].distance(town().geometry.iloc[0]) < 0.001


def test_a_stranger_s_formula_is_text_in_every_spreadsheet(tmp_path: Path) -> None:
    files.write(town(), PIPES, tmp_path / "pipes.xlsx")
    files.write(town(), PIPES, tmp_path / "pipes.csv")
    assert pd.read_excel(tmp_path / "pipes.xlsx", sheet_name="pipes", engine="calamine")["material"][1] == "=cmd()"
    assert pd.read_csv(tmp_path / "pipes.csv")["material"][1] == "'=cmd()"


def test_an_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    files.write(town().iloc[:0], PIPES, tmp_path / "none.csv")
    assert list(pd.read_csv(tmp_path / "none.csv").columns) == ["pipe_id", "diameter_mm", "material", "geometry"]


def test_an_unknown_extension_is_refused_and_names_those_we_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.docx.*\.gpkg"):
        files.write(town(), PIPES, tmp_path / "pipes.docx")
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_fails_half_way_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    kept = tmp_path / "map.html"
    kept.write_text("before")
    with pytest.raises(RuntimeError, match="half way"), files.whole(kept) as beside:  # noqa: PT012  # the body is the case
        beside.write_text("after")
        raise RuntimeError("half way")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("map.html", "before")]


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot write"):
        files.write(town(), PIPES, tmp_path / "nowhere" / "pipes.csv")
