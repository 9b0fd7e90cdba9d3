"""Places to join: a level on record outweighs ground guessed from its neighbours, never ground that was measured."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from mapapp.plan import run
from mapapp.plan.ground import Ground
from mapapp.plan.targets import Targets

from .towns import CRS, frame, line, main_town, square


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


def straight_pipe(length=1000.0):
    """Return a served pipe of 1 km that falls east, and one compound 300 m north of its middle on a street that leads to it."""
    layers, verdicts, served = main_town(length=length)
    layers["compounds"] = frame({"compound_id": ["A"], "households": [100]}, [square(1.5 * length - 10, 300)])
    return layers, verdicts.iloc[:1], served


def test_a_street_that_ends_at_a_pipe_far_from_any_manhole_leads_to_a_new_manhole_there():
    layers, verdicts, served = straight_pipe()
    layers["streets"] = frame({"street_id": ["S"]}, [line((1500, 310), (1500, 0))])
    plan = run(layers, verdicts, served)
    assert plan.links["to_node"].iloc[-1] == "P1"
    assert isinstance(plan.links["new_manhole"].iloc[-1], str)
    assert plan.summary["length_m"] == pytest.approx(300, abs=15)


def test_a_street_over_a_pipe_leads_to_it_too():
    layers, verdicts, served = straight_pipe()
    layers["streets"] = frame({"street_id": ["S"]}, [line((1500, 310), (1500, -500))])
    assert run(layers, verdicts, served).links["to_node"].iloc[-1] == "P1"


def test_a_manhole_in_the_street_is_joined_without_a_pipe_or_a_manhole_between():
    layers, verdicts, served = main_town()
    layers["compounds"] = frame({"compound_id": ["A"], "households": [100]}, [square(155, 200)])
    layers["streets"] = frame({"street_id": ["S"]}, [line((150, 300), (150, 0))])
    links = run(layers, verdicts.iloc[:1], served).links
    assert links["to_node"].iloc[-1] == "M1"
    assert links["length_m"].min() > 1.0


def test_an_unknown_invert_is_taken_from_the_sewers_above_and_below_and_widens_the_range():
    layers, verdicts, served = main_town()
    sure = run(layers, verdicts, served)
    layers["pipes"] = layers["pipes"].drop(columns=["from_invert_m", "to_invert_m"])
    served = served.assign(invert_m=[20.0, np.nan, np.nan, 17.75])
    guessed = run(layers, verdicts, served)
    last = guessed.links.iloc[-1]
    assert not last["target_known"]
    assert last["invert_down_m"] >= 18.4  # between 20.00 and 17.75
    assert guessed.summary["cost_high"] > sure.summary["cost_high"]
    assert any("taken from those above and below" in a.en for a in guessed.assumptions)


def test_a_link_arrives_above_the_water_that_stands_behind_an_adverse_pipe():
    """Where the pipe below lies against its flow, water stands as high as its far end: SWMM saw such links full."""
    layers, verdicts, served = main_town()
    layers["pipes"] = layers["pipes"].assign(to_invert_m=[19.25, 19.75, 17.75], from_invert_m=[20.0, 19.25, 18.5])
    layers["compounds"] = frame({"compound_id": ["A"], "households": [100]}, [square(140, 20)])
    layers["pipes"]["flow_dir"] = "0"
    last = run(layers, verdicts.iloc[:1], served).links.iloc[-1]
    assert last["invert_down_m"] >= 19.75 - 1e-9
