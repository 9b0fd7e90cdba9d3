"""Tests that the county written as planners have it reads back as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from mapapp import demo, ingest


@pytest.fixture(scope="module")
def written(county: demo.County, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return demo.files(county, tmp_path_factory.mktemp("county"))


def test_the_ledger_reads_back_whole(county: demo.County, written: dict[str, Path]) -> None:
    """Merged headers, 小计 rows, 万㎡, 2022.5 and 2022年5月 come back as the ledger's own values."""
    read = ingest.read(written["ledger"], "ledger").frame.set_index("compound_id")
    ours = county.layers["ledger"].set_index("compound_id").loc[read.index]
    assert len(read) == 71
    for column in ("name", "programme_year", "buildings", "households", "status", "start_actual", "sewer_connection"):
        assert read[column].tolist() == ours[column].tolist(), column
    for column in ("floor_area_m2", "invest_total_wan"):
        assert np.allclose(read[column], ours[column], equal_nan=True, atol=0.6), column
    assert read["finish_actual"].fillna("").tolist() == ours["finish_actual"].fillna("").tolist()


def test_the_shapefile_is_gbk_without_a_cpg(county: demo.County, written: dict[str, Path]) -> None:
    """Names survive, outlines keep their place to a centimetre."""
    assert not written["compounds"].with_suffix(".cpg").exists()
    read = ingest.read(written["compounds"], "compounds").frame
    ours = county.layers["compounds"]
    assert read["name"].tolist() == ours["name"].tolist()
    near = shapely.hausdorff_distance(
        shapely.normalize(read.geometry.to_numpy()), shapely.normalize(ours.geometry.to_numpy())
    )
    assert near.max() < 0.01


def test_the_zipped_pipes_read_back(county: demo.County, written: dict[str, Path]) -> None:
    """Kinds as numbers and diameters in metres come back as ours; the pipe without a place is not in a shapefile."""
    read = ingest.read(written["pipes"], "pipes").frame.set_index("pipe_id")
    ours = county.layers["pipes"].set_index("pipe_id")
    assert set(ours.index) - set(read.index) == set(county.truth.query("rule == 'null_geometry'")["feature_id"])
    ours = ours.loc[read.index]
    assert read["kind"].tolist() == ours["kind"].tolist()
    assert np.allclose(read["diameter_mm"], ours["diameter_mm"])
    assert read["status"].tolist() == ours["status"].tolist()


def test_the_survey_tables_join_to_lines(county: demo.County, written: dict[str, Path]) -> None:
    """X is northing and the easting carries its zone; points and lines become the pipes they were."""
    read = ingest.read(written["survey"], "pipes", crs="EPSG:4523", county_crs=county.crs).frame.set_index("pipe_id")
    ours = county.layers["pipes"].set_index("pipe_id").loc[read.index]
    straight = (ours.geometry.count_coordinates() == 2).to_numpy()
    far = shapely.distance(
        shapely.get_point(read.geometry.to_numpy(), 0), shapely.get_point(ours.geometry.to_numpy(), 0)
    )
    assert np.nanmax(far[straight]) < 0.01


def test_the_streets_are_in_degrees(county: demo.County, written: dict[str, Path]) -> None:
    """GeoJSON has longitude and latitude and comes back to the county's metres."""
    read = ingest.read(written["streets"], "streets", county_crs=county.crs).frame
    assert len(read) == len(county.layers["streets"])
    assert abs(read.length.sum() - county.layers["streets"].length.sum()) < 1
