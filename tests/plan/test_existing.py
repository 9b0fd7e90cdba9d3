"""The served network as the plan takes it: where it drains, what it carries, what has room, new manholes in mid-pipe."""

import numpy as np
import pandas as pd
import pytest
import shapely

from mapapp.plan import bill, flow, load_prices, load_standard, run
from mapapp.plan.existing import Existing
from mapapp.plan.targets import connected

from .towns import frame, line, main_town, square

STANDARD = load_standard("gb50014-2021")


def network(layers, verdicts, served):
    return Existing.of(layers, served, STANDARD, connected(layers["compounds"], verdicts))


def test_pipes_drain_to_the_plant_whichever_way_they_were_drawn():
    layers, verdicts, served = main_town()
    turned = layers["pipes"].copy()
    turned.geometry = shapely.reverse(turned.geometry.to_numpy())
    turned[["from_invert_m", "to_invert_m"]] = turned[["to_invert_m", "from_invert_m"]].to_numpy()
    for pipes in (layers["pipes"], turned):
        made = network(layers | {"pipes": pipes}, verdicts, served)
        assert made.out.tolist() == [0, 1, 2, -1]
        assert made.up.tolist() == [0, 1, 2]
        assert (made.up_m > made.down_m).all()
        assert made.below(0) == [0, 1, 2]


def test_capacity_is_manning_at_the_greatest_fill_and_households_add_up_downstream():
    """C's 200 households enter at the lower end of its pipe: P0 carries nothing yet, P1 and P2 do."""
    made = network(*main_town())
    fill = float(STANDARD.fill(np.array(400.0)))
    wanted = 1000 * flow.capacity(0.4, 0.005, STANDARD.roughness, fill)
    assert made.capacity_lps == pytest.approx([float(wanted)] * 3)
    assert made.households.tolist() == [0, 200, 200]


def test_unknown_size_or_slope_is_unknown_capacity_not_none():
    layers, verdicts, served = main_town()
    holes = layers["pipes"].assign(diameter_mm=[np.nan, 400, 400], to_invert_m=[19.25, np.nan, 18.5])
    made = network(layers | {"pipes": holes}, verdicts, served)
    assert np.isnan(made.capacity_lps).tolist() == [True, True, True]  # the last one rises against its own levels
    plan = run(layers | {"pipes": holes}, verdicts, served)
    assert plan.summary["linked"] == 1
    assert any("taken to have room" in a.en for a in plan.assumptions)


def test_storm_abandoned_and_pressure_pipes_receive_nothing():
    layers, verdicts, served = main_town()
    odd = layers["pipes"].assign(kind=["storm", "sewage", "sewage"], status=[None, "abandoned", None],
                                 flow=[None, None, "pressure"])  # fmt: skip
    assert len(network(layers | {"pipes": odd}, verdicts, served).pipe_id) == 0


def test_a_link_in_mid_pipe_ends_at_the_pipe_and_pays_for_a_new_manhole():
    """The straight way to the middle of P1 is 30 m, to its manholes 80 m: a new manhole is worth it."""
    plan = run(*main_town())
    last = plan.links[plan.links["downstream_link_id"].isna()].iloc[0]
    assert (last["to_node"], last["new_manhole"]) == ("P1", "NEW-M001")
    depth = last["new_manhole_depth_m"]
    assert depth == pytest.approx(3.0)
    assert last["cost_new_manhole"] == pytest.approx(float(load_prices("example").manhole_cost(400.0, depth)))
    assert last["invert_down_m"] >= 20.0 - 0.005 * 225 - 1e-6
    found = bill(plan.links).set_index("item")
    assert found.loc["new_manhole", "quantity"] == 1
    assert found["amount"].sum() == pytest.approx(plan.summary["cost"])
    assert plan.lower_bound <= plan.summary["cost"] + 1e-6


def test_near_a_manhole_no_new_one_is_built():
    layers, verdicts, served = main_town()
    layers["compounds"] = frame({"compound_id": ["A"], "households": [100]}, [square(142, 30)])
    plan = run(layers, verdicts.iloc[:1], served)
    last = plan.links[plan.links["downstream_link_id"].isna()].iloc[0]
    assert last["to_node"] == "M1"
    assert pd.isna(last["new_manhole"])
    assert "new_manhole" not in set(bill(plan.links)["item"])


def test_a_sewer_without_room_is_not_joined_and_the_reason_says_so():
    """DN100 at 5 per mille has no room for 2,000 households, and the plant is fenced in: the reason is room, not distance."""
    fence = frame({"name": ["fence"]}, [shapely.Point(450, 0).buffer(50).boundary])
    plan = run(*main_town(diameter=100.0, households=2000), forbidden=fence)
    assert plan.refused[["compound_id", "reason"]].to_numpy().tolist() == [["A", "no_room"]]
    assert "full" in plan.refused["en"].iloc[0]
    assert len(plan.links) == 0


def test_a_farther_sewer_with_room_is_taken_instead_of_a_full_one():
    layers, verdicts, served = main_town(diameter=100.0, households=500)
    other = main_town(diameter=600.0)
    aside = [shapely.affinity.translate(g, 0, 150) for g in other[0]["pipes"].geometry]
    more = other[0]["pipes"].assign(pipe_id=["Q0", "Q1", "Q2"]).set_geometry(aside, crs=served.crs)
    places = other[2].assign(pipe_id=["Q0", "Q0", "Q1", "Q2"], node=["N0", "N1", "N2", "N3"])
    places = places.set_geometry([shapely.affinity.translate(g, 0, 150) for g in places.geometry], crs=served.crs)
    layers["pipes"] = pd.concat([layers["pipes"], more], ignore_index=True)
    fence = frame({"name": ["fence"]}, [shapely.Point(450, 0).buffer(50).boundary])
    plan = run(layers, verdicts, pd.concat([served, places], ignore_index=True), forbidden=fence)
    ends = plan.links.loc[plan.links["downstream_link_id"].isna(), "to_node"]
    assert ends.str[0].isin(["Q", "N"]).all()
    assert plan.summary["linked"] == 1
    assert any("no room left" in a.en for a in plan.assumptions)


def test_two_links_that_fill_a_sewer_together_do_not_both_join_it():
    """Room for one of two compounds with 600 households each: one is linked, the other refused for want of room."""
    layers, verdicts, served = main_town(diameter=200.0)
    standard = STANDARD
    layers["compounds"] = frame(
        {"compound_id": ["A", "B"], "households": [600, 600]}, [square(200, 30), square(230, -60)]
    )
    verdicts = pd.DataFrame({"compound_id": ["A", "B"], "verdict": "no_main", "nearest_pipe_id": None})
    made = network(layers, verdicts, served)
    room = float(made.capacity_lps[0])
    assert standard.design_flow_lps(600) < room < standard.design_flow_lps(1200)
    fence = frame({"name": ["fence"]}, [shapely.Point(450, 0).buffer(50).boundary])
    plan = run(layers, verdicts, served, forbidden=fence)
    assert plan.refused["reason"].tolist() == ["no_room"]
    ends = plan.links[plan.links["downstream_link_id"].isna()]
    assert ends["households"].tolist() == [600]
    assert standard.design_flow_lps(600) <= room


def test_a_pipe_farther_down_that_runs_too_full_is_named():
    layers, verdicts, served = main_town(households=400)
    small = layers["pipes"].assign(diameter_mm=[400.0, 400.0, 100.0])
    plan = run(layers | {"pipes": small}, verdicts, served)
    assert plan.summary["linked"] == 1
    said = plan.remarks[plan.remarks["kind"] == "downstream"]
    assert said["en"].str.contains("P2").all()
    assert len(said) == 1


def test_a_network_without_levels_or_outlets_still_has_an_answer():
    layers, verdicts, served = main_town()
    bare = layers | {"pipes": layers["pipes"][["pipe_id", "geometry"]]}
    del bare["outlets"]
    plan = run(bare, verdicts, served.assign(invert_m=np.nan))
    assert plan.summary["linked"] == 1
    assert any("no known invert" in a.en for a in plan.assumptions)


def test_a_ring_of_pipes_is_read_without_end():
    layers, verdicts, served = main_town()
    ring = pd.concat(
        [layers["pipes"], frame({"pipe_id": ["R"], "kind": ["sewage"]}, [line((450, 0), (200, 90), (0, 0))])]
    )
    made = network(layers | {"pipes": ring.reset_index(drop=True)}, verdicts, served)
    assert len(made.below(0)) == 3
