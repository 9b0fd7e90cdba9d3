"""Corridors: footways, main roads, water that is gone round while there is a way, awkward streets."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from mapapp.plan import load_prices, load_standard, run
from mapapp.plan.footways import offset_pieces
from mapapp.plan.obstacles import CROSSED
from mapapp.plan.town import Town

from .towns import X, Y, frame, line, square

MAIN_ROAD = load_prices("example").crossing["main_road"]


def crossing(**classes):
    """Return a cross of two streets, a sewer at the south end, a compound at the north end."""
    streets = frame(
        {"street_id": ["EW", "NS"], "class": [classes.get("ew", "lane"), "lane"], "surface": ["asphalt"] * 2},
        [line((-200, 0), (200, 0)), line((0, -200), (0, 200))],
    )
    compounds = frame({"compound_id": ["A"], "households": [100]}, [square(10, 190)])
    manholes = frame({"node_id": ["M", "N"], "ground_elev_m": [10.0, 12.0]}, shapely.points([[0, -200], [0, 200]]))
    served = frame({"pipe_id": ["P"], "node": ["M"], "invert_m": [6.0], "ground_m": [10.0]}, [shapely.Point(0, -200)])
    verdicts = pd.DataFrame({"compound_id": ["A"], "verdict": ["no_main"]})
    return {"streets": streets, "compounds": compounds, "manholes": manholes}, verdicts, served


def test_crossing_a_main_road_is_paid_once():
    """Along the side street over the main road: one crossing dearer than over a lane, and the links say so."""
    lane, main = run(*crossing()), run(*crossing(ew="main"))
    assert main.summary["cost"] - lane.summary["cost"] == pytest.approx(MAIN_ROAD, abs=1.0)
    assert main.links["crossings"].sum() > 0
    assert lane.links["crossings"].sum() == 0
    assert main.lower_bound <= main.summary["cost"] + 1e-6
    assert "main_road" in CROSSED


def test_laying_along_a_main_road_is_no_crossing():
    layers, verdicts, served = crossing()
    layers["streets"] = layers["streets"].assign(**{"class": ["lane", "main"]})
    assert run(layers, verdicts, served).links["crossings"].sum() == 0


def test_a_straight_link_over_a_main_road_pays_too():
    layers, verdicts, served = crossing()
    layers["streets"] = layers["streets"].iloc[:1].assign(**{"class": "main"})
    served = served.set_geometry([shapely.Point(X + 20, Y - 60)], crs=served.crs)
    layers["compounds"] = layers["compounds"].set_geometry(
        [shapely.box(X + 10, Y + 30, X + 30, Y + 50)], crs=served.crs
    )
    plan = run(layers, verdicts, served)
    assert plan.links["crossings"].sum() == 1
    assert plan.links.loc[plan.links["crossings"] > 0, "cost_surface"].iloc[0] > MAIN_ROAD


def test_footways_keep_their_distance_from_the_centreline():
    layers, verdicts, served = crossing()
    plan = run(layers, verdicts, served, footways=True)
    assert plan.summary["linked"] == 1
    along = plan.links[plan.links["street"].notna()]
    centre = shapely.LineString([(X, Y - 200), (X, Y + 200)])
    far = shapely.distance(shapely.line_interpolate_point(along.geometry.to_numpy(), 0.5, normalized=True), centre)
    assert np.median(far) == pytest.approx(3.0, abs=0.05)
    assert any("footways" in a.en for a in plan.assumptions)


def test_footways_cross_a_main_road_for_money_and_join_round_the_corner_for_none():
    plan = run(*crossing(ew="main"), footways=True)
    assert plan.links["crossings"].sum() == 1
    start, end, owner = offset_pieces(
        np.array([line((0, 0), (100, 0)), line((0, 0), (0, 100)), line((0, 0), (-100, 0))]), np.full(3, 5.0)
    )
    assert len(start) == 3 * 2 + 3 * 2 + 3  # two sides, an end piece at both ends, a corner between each two arms
    assert set(owner) == {0, 1, 2}
    graph = gpd.GeoSeries(shapely.linestrings(np.stack([start, end], axis=1)))
    assert graph.union_all().buffer(0.01).geom_type == "Polygon"  # all hangs together


def test_straight_links_go_round_water_while_there_is_a_way():
    """A pond between compound and sewer: without streets the link goes over the neighbour beside the pond."""
    compounds = frame({"compound_id": ["A", "B"], "households": [50, 50]}, [square(0, 90), square(120, 50)])
    served = frame({"pipe_id": ["P"], "node": ["M"], "invert_m": [4.0], "ground_m": [10.0]}, [shapely.Point(10, 0)])
    verdicts = pd.DataFrame({"compound_id": ["A", "B"], "verdict": "no_main"})
    pond = frame({"water_id": ["W"]}, [shapely.box(-60, 30, 60, 60)])
    plan = run({"compounds": compounds, "water": pond}, verdicts, served)
    assert plan.summary["linked"] == 2
    assert not shapely.crosses(plan.links.geometry.to_numpy(), pond.geometry.iloc[0]).any()


def test_a_river_that_cuts_the_town_in_two_is_crossed_at_its_price():
    layers, verdicts, served = crossing()
    del layers["streets"]
    layers["water"] = frame({"water_id": ["W"]}, [shapely.box(-5000, -20, 5000, 20)])
    plan = run(layers, verdicts, served)
    assert plan.summary["linked"] == 1
    assert plan.links["crossings"].sum() == 1
    assert plan.summary["cost"] > load_prices("example").crossing["river"]


def test_no_straight_link_runs_through_a_foreign_house():
    layers, verdicts, served = crossing()
    del layers["streets"]
    served = served.set_geometry([shapely.Point(X + 20, Y + 100)], crs=served.crs)
    more = frame({"compound_id": ["B"], "households": [9]}, [square(80, 150)])
    layers["compounds"] = pd.concat([layers["compounds"], more], ignore_index=True)
    verdicts = pd.DataFrame({"compound_id": ["A", "B"], "verdict": "no_main"})
    layers["buildings"] = frame({"building_id": ["H"]}, [shapely.box(X - X, 140, 40, 160)])
    plan = run(layers, verdicts, served)
    assert plan.summary["linked"] == 2
    assert not shapely.crosses(plan.links.geometry.to_numpy(), layers["buildings"].geometry.iloc[0]).any()


def test_streets_that_are_no_lines_or_empty_do_no_harm():
    layers, verdicts, served = crossing()
    odd = [shapely.Point(X, Y), shapely.LineString(), None, *layers["streets"].geometry]
    layers["streets"] = gpd.GeoDataFrame(
        {"street_id": list("abcde"), "class": [None, "main", "main", "main", "lane"]}, geometry=odd, crs=served.crs
    )
    for footways in (False, True):
        assert run(layers, verdicts, served, footways=footways).summary["linked"] == 1


def test_the_way_to_the_street_keeps_clear_of_a_foreign_house_while_there_is_another():
    layers, verdicts, served = crossing()
    layers["streets"] = frame(
        {"street_id": ["W", "E"]}, [line((0, 220), (0, -200)), line((80, 220), (80, -200), (0, -200))]
    )
    layers["buildings"] = frame({"building_id": ["H"]}, [shapely.box(4, 150, 8, 230)])
    plan = run(layers, verdicts, served)
    assert not shapely.crosses(plan.links.geometry.to_numpy(), layers["buildings"].geometry.iloc[0]).any()
    assert plan.links["length_m"].sum() > 450


def test_pipes_that_must_run_through_houses_are_said():
    layers, verdicts, served = crossing()
    layers["buildings"] = frame({"building_id": ["H"]}, [shapely.box(-500, 20, 500, 40)])
    notes = [a.en for a in run(layers, verdicts, served).assumptions]
    assert any("run through buildings" in n for n in notes)


def test_a_compound_may_leave_at_the_lowest_place_of_its_outline():
    """The street nearest to it lies on its high side; from the low corner a way is offered too."""
    layers, verdicts, served = crossing()
    layers["compounds"] = frame({"compound_id": ["A"], "households": [100]}, [shapely.box(5, 60, 95, 150)])
    layers["manholes"] = frame({"node_id": list("abcd"), "ground_elev_m": [16.0, 16.0, 12.0, 10.0]},
                               shapely.points([[0, 150], [0, 60], [95, 150], [0, -200]]))  # fmt: skip
    layers["streets"] = frame(
        {"street_id": ["W", "E"]}, [line((0, 220), (0, -200)), line((130, 220), (130, -200), (0, -200))]
    )
    town = Town.of(layers, verdicts, served, load_standard("gb50014-2021"), load_prices("example"))
    site, _ = town.offer(town.full())
    gates = site.corridors.start[site.corridors.kind == "connector"] - (X, Y)
    assert shapely.get_coordinates(town.low)[0] - (X, Y) == pytest.approx((95, 150))
    assert (np.hypot(*(gates - (95, 150)).T) < 0.1).any()
