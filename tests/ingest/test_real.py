"""Real deliveries of other cities import as they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapapp import ingest

FILES = [
    ("kamloops/sanitary_mains.geojson", "pipes", 623, 32610),
    ("kamloops/mains.geojson", "pipes", 1064, 32610),
    ("kamloops/sanitary_manholes.geojson", "manholes", 435, 32610),
    ("kamloops/manholes.geojson", "manholes", 303, 32610),
    ("kamloops/outlets.geojson", "outlets", 21, 32610),
    ("kamloops/catchbasins.geojson", "inlets", 583, 32610),
    ("kamloops/buildings.geojson", "compounds", 1463, 32610),
    ("ottawa/sanitary_pipes.geojson", "pipes", 507, 32618),
    ("ottawa/combined_pipes.geojson", "pipes", 134, 32618),
    ("ottawa/storm_pipes.geojson", "pipes", 400, 32618),
    ("ottawa/outfalls.geojson", "outlets", 13, 32618),
    ("ottawa/catchbasins.geojson", "inlets", 400, 32618),
    ("ottawa/buildings.geojson", "compounds", 400, 32618),
    ("vermont_sewer_lines.gpkg", "pipes", 20032, 32618),
    ("vermont_treatment_facilities.geojson", "outlets", 293, 32618),
    ("china_osm/shanghai_roads.geojson", "streets", 1778, 4549),
    ("china_osm/shanghai_buildings.geojson", "buildings", 1981, 4549),
    ("china_osm/wuhan_roads.geojson", "streets", 374, 4547),
    ("china_osm/wuhan_buildings.geojson", "compounds", 355, 4547),
    ("oman_pysewer/2_Buildings/building_fut.shp", "buildings", 800, 32640),
    ("oman_pysewer/2_Buildings/buildings_projected.shp", "compounds", 800, 32640),
    ("oman_pysewer/3_Roads/Roads.shp", "streets", 148, 32640),
    ("oman_pysewer/3_Roads/roads_projected.shp", "streets", 148, 32640),
]


@pytest.mark.parametrize(("name", "target", "rows", "epsg"), FILES)
def test_real_files_import_without_a_hand_on_them(data: Path, name: str, target: str, rows: int, epsg: int) -> None:
    reading = ingest.read(data / name, target)
    key = reading.frame.columns[0]
    assert len(reading.frame) == rows
    assert reading.crs is not None
    assert reading.crs.to_epsg() == epsg
    assert reading.frame[key].is_unique
    assert reading.frame[key].notna().all()


def test_kamloops_9999_is_missing_and_the_words_are_ours(data: Path) -> None:
    frame = ingest.read(data / "kamloops/sanitary_mains.geojson", "pipes").frame
    assert frame["from_invert_m"].max() < 600
    assert frame["from_invert_m"].isna().sum() == 4
    assert set(frame["status"]) == {"in_use", "abandoned"}
    assert set(frame["kind"]) == {"sewage"}


def test_ottawa_zeros_are_missing_and_its_types_tell_the_kind(data: Path) -> None:
    for name, kind in (("sanitary", "sewage"), ("combined", "combined"), ("storm", "storm")):
        reading = ingest.read(data / f"ottawa/{name}_pipes.geojson", "pipes")
        assert set(reading.frame["kind"]) == {kind}
        assert reading.mapping["kind"].theirs == "STRUCT_TYPE"
        assert reading.frame["from_invert_m"].min() > 40
        assert reading.frame["diameter_mm"].min() > 0


def test_vermont_is_one_state_of_merged_lines(data: Path) -> None:
    frame = ingest.read(data / "vermont_sewer_lines.gpkg", "pipes").frame
    assert frame["kind"].value_counts().to_dict() == {"sewage": 19343, "combined": 689}
    assert frame["status"].value_counts().to_dict() == {"in_use": 19517, "abandoned": 417, "planned": 97}
    assert (frame.geom_type == "MultiLineString").sum() == 13
    assert frame.geometry.isna().sum() == 12
