"""Zones, axes and the metric CRS of a county."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from mapapp.core import crs
from mapapp.core.errors import InputError


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [(105.2, 35.5, 4544), (75.1, 39.0, 4534), (134.9, 48.0, 4554), (121.5, 31.2, 4549), (-120.3, 50.7, 32610),
     (58.8, 23.1, 32640), (18.4, -33.9, 32734), (180.0, 10.0, 32660)],
)  # fmt: skip
def test_a_county_gets_the_zone_of_its_meridian(lon: float, lat: float, epsg: int) -> None:
    assert crs.metric_crs(lon, lat).to_epsg() == epsg


@settings(deadline=None)
@given(st.floats(-180, 180), st.floats(-80, 84))
def test_every_place_gets_a_metric_crs_in_which_a_metre_is_a_metre(lon: float, lat: float) -> None:
    here = crs.metric_crs(lon, lat)
    assert crs.is_metric(here)
    north = min(lat + 0.001, 84.0)
    x, y = crs.transform(np.array([lon, lon]), np.array([north - 0.001, north]), crs.WGS84, here)
    assert abs(np.hypot(x[1] - x[0], y[1] - y[0]) / 111.2 - 1) < 0.02


@settings(deadline=None)
@given(st.floats(100, 110), st.floats(20, 50))
def test_there_and_back_again(lon: float, lat: float) -> None:
    target = CRS.from_epsg(4544)
    x, y = crs.transform(np.array([lon]), np.array([lat]), crs.WGS84, target)
    back_x, back_y = crs.transform(x, y, target, crs.WGS84)
    assert abs(back_x[0] - lon) < 1e-8
    assert abs(back_y[0] - lat) < 1e-8


def test_what_is_no_longitude_is_refused() -> None:
    with pytest.raises(InputError, match="518146"):
        crs.metric_crs(518_146.0, 3_930_000.0)


def sizes(first: list[float], second: list[float]) -> tuple[str, bool, int | None]:
    found = crs.magnitude(np.array(first), np.array(second))
    return found.kind, found.swapped, found.zone


def test_size_tells_northing_from_easting() -> None:
    north, east = [3_930_083.87, 3_930_500.0], [518_145.89, 518_600.0]
    assert sizes(east, north) == ("metric", False, None)
    assert sizes(north, east) == ("metric", True, None)
    assert sizes(north, [v + 35e6 for v in east]) == ("zone3", True, 35)
    assert sizes([v + 18e6 for v in east], north) == ("zone6", False, 18)
    assert sizes([105.2], [35.5]) == ("lonlat", False, None)
    assert sizes([35.5], [105.2]) == ("lonlat", True, None)
    assert sizes([1200.0], [800.0]) == ("unknown", False, None)
    assert sizes([np.nan], [np.nan]) == ("unknown", False, None)


def test_a_prefix_names_its_zone_and_leaves_the_datum_open() -> None:
    found = crs.magnitude(np.array([35_518_145.9]), np.array([3_930_083.9]))
    assert crs.candidates(found) == ("EPSG:4523", "EPSG:2359", "EPSG:2411")
    for code in crs.candidates(found):
        assert "zone 35" in CRS(code).name


def test_without_a_prefix_the_county_comes_first() -> None:
    found = crs.magnitude(np.array([518_145.9]), np.array([3_930_083.9]))
    assert crs.candidates(found, CRS.from_epsg(4540))[0] == "EPSG:4540"
    assert set(crs.candidates(found)) == {f"EPSG:{c}" for c in range(4534, 4555)}


def test_heights_are_taken_off() -> None:
    assert crs.flat(CRS.from_epsg(4979)).to_epsg() == 4326
    assert crs.flat(CRS("EPSG:4544+5737")).to_epsg() == 4544


def test_old_datums_are_known() -> None:
    assert [crs.is_legacy(CRS.from_epsg(c)) for c in (2411, 2359, 4214, 4610, 4523, 4544, 4326)] == [True] * 4 + [False] * 3  # fmt: skip


def test_geometry_is_carried_and_missing_stays_missing() -> None:
    shapes = np.array([shapely.Point(105, 35.5), None], dtype=object)
    moved = crs.to_crs(shapes, crs.WGS84, CRS.from_epsg(4544))
    assert abs(moved[0].x - 500_000) < 0.01
    assert moved[1] is None
    assert shapes[0].x == 105  # the input stays as it was
