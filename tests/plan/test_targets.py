"""Places to join: a level on record outweighs ground guessed from its neighbours, never ground that was measured."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from mapapp.plan.ground import Ground
from mapapp.plan.targets import Targets

from .towns import CRS


def target(invert_m, ground_m):
    wells = gpd.GeoDataFrame({"ground_elev_m": [9.9]}, geometry=[shapely.Point(30, 0)], crs=CRS)
    served = gpd.GeoDataFrame(
        {"pipe_id": ["P"], "node": ["N"], "invert_m": [invert_m], "ground_m": [ground_m]},
        geometry=[shapely.Point(0, 0)], crs=CRS,
    )  # fmt: skip
    return Targets.of(served, Ground.of({"manholes": wells}, None))


def test_a_level_a_little_above_guessed_ground_is_kept_and_the_ground_lifted():
    """Without this a link was planned metres below the sewer that it joins, and SWMM saw it full."""
    got = target(10.0, np.nan)
    assert got.invert_m[0] == pytest.approx(10.0)
    assert got.ground_m[0] > 10.5


@pytest.mark.parametrize(("invert_m", "ground_m"), [(20.0, np.nan), (10.0, 9.9)])
def test_a_level_far_above_the_guess_or_above_measured_ground_is_a_fault(invert_m, ground_m):
    got = target(invert_m, ground_m)
    assert np.isnan(got.invert_m[0])
    assert got.ground_m[0] == pytest.approx(9.9)


def test_a_level_below_the_ground_changes_nothing():
    got = target(7.0, np.nan)
    assert (got.invert_m[0], got.ground_m[0]) == pytest.approx((7.0, 9.9))
