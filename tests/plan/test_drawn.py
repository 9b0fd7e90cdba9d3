"""Links drawn by hand: matched, sized, checked in sentences, and taken into the plan."""

import geopandas as gpd
import pytest
import shapely

from mapapp.plan import check_drawn, run

from .towns import X, Y, frame, line, main_town, square


def drawn(*points, name=None):
    return frame({"compound_id": [name]}, [line(*points)])


def kinds(plan):
    return set(plan.remarks["kind"]) - {"downstream"}


def test_a_drawn_link_gets_levels_and_sizes_and_nothing_else_is_laid():
    """From the compound over a corner to M2: both legs carry its sewage, the last one ends at the manhole's level or above."""
    plan = check_drawn(*main_town(), drawn((225, 30), (280, 30), (300, 2)))
    assert set(plan.links["corridor"]) == {"drawn"}
    assert plan.links["length_m"].sum() == pytest.approx(55 + (20**2 + 30**2) ** 0.5, abs=0.2)
    last = plan.links[plan.links["downstream_link_id"].isna()].iloc[0]
    assert last["to_node"] == "M2"
    assert last["invert_down_m"] >= 18.5 - 1e-9
    assert kinds(plan) <= {"drop"}  # from minimum cover down to a sewer 3 m deep
    assert (plan.links["diameter_mm"] >= 300).all()


def test_it_may_be_drawn_from_the_sewer_and_end_in_mid_pipe():
    plan = check_drawn(*main_town(), drawn((210, 1), (215, 40), name="A"))
    last = plan.links[plan.links["downstream_link_id"].isna()].iloc[0]
    assert (last["to_node"], last["new_manhole"]) == ("P1", "NEW-M001")
    assert shapely.get_coordinates(last.geometry)[-1] == pytest.approx([X + 210, Y], abs=0.01)


def test_accepted_the_compound_leaves_by_it_alone_and_the_bound_holds():
    own = run(*main_town())
    plan = run(*main_town(), by_hand=drawn((225, 30), (280, 30), (300, 2)))
    assert plan.summary["linked"] == 1
    assert set(plan.links["corridor"]) == {"drawn"}
    assert plan.summary["cost"] > own.summary["cost"]
    assert plan.lower_bound <= plan.summary["cost"] + 1e-6


def test_what_lies_in_its_way_is_said():
    layers, verdicts, served = main_town()
    layers["buildings"] = frame({"building_id": ["H1"]}, [shapely.box(250, 20, 260, 40)])
    layers["water"] = frame({"water_id": ["W"]}, [shapely.box(285, -50, 290, 80)])
    layers["streets"] = frame({"street_id": ["S"], "class": ["main"]}, [line((270, -100), (270, 100))])
    plan = check_drawn(layers, verdicts, served, drawn((245, 35), (280, 35), (300, 2)))
    assert {"building", "river", "main_road"} <= kinds(plan)
    assert plan.remarks["en"].str.contains("H1").any()
    assert plan.summary["linked"] == 1


def test_a_fall_that_is_not_there_is_said_with_both_figures():
    """The sewer is lifted to a metre above the ground of the compound: a pump is counted in, and the fall is told."""
    layers, verdicts, served = main_town()
    manholes = layers["manholes"].assign(ground_elev_m=24.0)
    lifted = served.assign(invert_m=23.2, ground_m=24.5)
    layers["manholes"] = manholes
    plan = check_drawn(layers, verdicts, lifted, drawn((225, 30), (280, 30), (300, 2)))
    said = plan.remarks.set_index("kind")["en"]
    assert "fall" in said.index
    assert "m needed at the least slope" in said["fall"]
    assert plan.links["pump"].sum() >= 1


def test_cover_lost_in_a_dip_between_manholes_is_said():
    layers, verdicts, served = main_town()
    dip = frame({"elev_m": [15.0]}, [shapely.Point(250, 30)])
    plan = check_drawn(layers | {"spot_heights": dip}, verdicts, served, drawn((225, 30), (280, 30), (300, 2)))
    assert "cover" in kinds(plan)
    assert plan.remarks.set_index("kind").loc["cover", "zh"].startswith("覆土不足")


def test_a_receiving_sewer_without_room_is_said_and_the_drawing_taken_all_the_same():
    plan = check_drawn(*main_town(diameter=100.0, households=900), drawn((225, 30), (280, 30), (300, 2)))
    assert "no_room" in kinds(plan)
    assert plan.summary["linked"] == 1


@pytest.mark.parametrize(
    ("shape", "name", "kind"),
    [
        (line((225, 30), (225, 500)), None, "no_sewer"),
        (line((900, 900), (990, 900)), None, "no_compound"),
        (line((225, 30), (280, 2)), "Z", "unknown_compound"),
        (line((225, 30), (280, 2)), "C", "unknown_compound"),
        (line((900, 900), (990, 900)), "A", "far_from_compound"),
        (shapely.Point(0, 0), "A", "no_line"),
        (shapely.LineString(), "A", "no_line"),
    ],
)
def test_a_drawing_that_cannot_be_used_is_said_in_a_sentence_and_changes_nothing(shape, name, kind):
    plan = run(*main_town(), by_hand=frame({"compound_id": [name]}, [shape]))
    assert kind in kinds(plan)
    assert plan.remarks["zh"].str.len().min() > 5
    assert plan.summary["linked"] == 1
    assert plan.summary["cost"] == pytest.approx(run(*main_town()).summary["cost"], rel=0.05)


def test_the_second_drawing_for_one_compound_is_left_out_and_told():
    two = frame({"compound_id": ["A", "A"]}, [line((225, 30), (300, 2)), line((225, 30), (150, 2))])
    plan = run(*main_town(), by_hand=two)
    assert "twice" in kinds(plan)
    assert plan.links["length_m"].sum() < 90


def test_other_compounds_are_planned_as_ever():
    layers, verdicts, served = main_town()
    more = frame({"compound_id": ["B"], "households": [60]}, [square(60, 40)])
    layers["compounds"] = gpd.GeoDataFrame(
        {"compound_id": ["A", "C", "B"], "households": [100, 200, 60]},
        geometry=[*layers["compounds"].geometry, *more.geometry], crs=served.crs,
    )  # fmt: skip
    verdicts.loc[2] = ["B", "no_main", None]
    plan = run(layers, verdicts, served, by_hand=drawn((225, 30), (280, 30), (300, 2)))
    assert plan.summary["linked"] == 2
    assert set(plan.links["corridor"]) >= {"drawn", "straight"}
