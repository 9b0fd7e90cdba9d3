"""The SWMM model: new links, the existing sewers below them with guesses marked, and what the other engine says."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import shapely

from mapapp.plan import flow as manning
from mapapp.plan import load_standard, run
from mapapp.plan.downstream import below
from mapapp.plan.swmm import check, to_inp

from .towns import frame, main_town, square

STANDARD = load_standard("gb50014-2021")


def section(text, name):
    rows = text.split(f"[{name}]\n")[1].split("\n\n")[0].splitlines()
    return [r.split() for r in rows if r]


def model(town):
    plan = run(*town)
    return plan, to_inp(plan.links, STANDARD, existing=plan.existing)


def test_the_existing_sewers_below_the_link_are_in_the_model_cut_at_the_new_manhole():
    """The link joins P1 in the middle: its lower half and P2 lead on to the plant, P0 is not below."""
    plan, text = model(main_town())
    pipes = {r[0]: r for r in section(text, "CONDUITS")}
    assert {"E-P1", "E-P1.1", "E-P2", "X-N-M3"} <= set(pipes)
    assert "E-P0" not in pipes
    assert pipes["E-P1"][2] == pipes["E-P1.1"][1] == "M-NEW-M001"
    assert pipes[plan.links["link_id"].iloc[-1]][2] == "M-NEW-M001"
    assert [r[0] for r in section(text, "OUTFALLS")] == ["O-N-M3"]
    assert "assumed" not in text.split("[OPTIONS]")[1]


def test_swmm_carries_everything_to_the_plant_without_flooding():
    """The last existing pipe carries the design flow of the 200 connected and the 100 new households."""
    plan, _ = model(main_town())
    found = check(plan.links, STANDARD, existing=plan.existing)
    assert found["flooding_lps"].max() == 0
    assert found.loc[found["new"], ["fill_ok", "velocity_ok"]].all(axis=None)
    assert found.set_index("link_id").loc["P2", "flow_lps"] == pytest.approx(
        float(STANDARD.design_flow_lps(300)), rel=0.02
    )


def test_unknown_levels_and_sizes_are_interpolated_and_marked():
    """M2 has no invert: it lies on the line between the middle of P1 and M3; P2 has no size: as large as P1."""
    layers, verdicts, served = main_town()
    layers["pipes"] = layers["pipes"].assign(
        from_invert_m=[20.0, 19.25, np.nan], to_invert_m=[19.25, np.nan, 17.75], diameter_mm=[400.0, 400.0, np.nan]
    )
    served = served.assign(invert_m=[20.0, 19.25, np.nan, 17.75])
    plan, text = model((layers, verdicts, served))
    level = {r[0]: float(r[1]) for r in section(text, "JUNCTIONS")}
    assert 17.75 < level["N-M2"] < 19.25
    assert {"N-M2", "E-P2"} <= {r[1] for r in section(text, "TAGS")}
    sizes = {r[0]: r[2] for r in section(text, "XSECTIONS")}
    assert sizes["E-P2"] == sizes["E-P1"]
    assert check(plan.links, STANDARD, existing=plan.existing)["flooding_lps"].max() == 0


def test_with_no_level_at_all_the_arriving_link_gives_it():
    layers, verdicts, served = main_town()
    layers["pipes"] = layers["pipes"].drop(columns=["from_invert_m", "to_invert_m"])
    plan = run(layers, verdicts, served.assign(invert_m=np.nan))
    made = below(plan.links, plan.existing, STANDARD)
    assert np.isfinite(made.invert_m).all()
    assert made.guessed.all()
    assert (made.invert_m[made.up] >= made.invert_m[made.down]).all()
    assert check(plan.links, STANDARD, existing=plan.existing)["flooding_lps"].max() == 0


def test_names_that_a_model_file_cannot_hold_are_written_plainly_and_stay_apart():
    layers, verdicts, served = main_town()
    odd = {"M1": "井 1;", "M2": '井_1"', "M3": "厂 门"}
    layers["manholes"]["node_id"] = layers["manholes"]["node_id"].replace(odd)
    layers["pipes"]["pipe_id"] = ["管 0", "管 1", "管;2"]
    served = served.assign(node=served["node"].replace(odd), pipe_id=["管 0", "管 0", "管 1", "管;2"])
    verdicts["nearest_pipe_id"] = [None, "管 0"]
    plan, text = model((layers, verdicts, served))
    names = [r[0] for r in section(text, "JUNCTIONS")]
    assert len(set(names)) == len(names)
    assert text.isascii()
    assert check(plan.links, STANDARD, existing=plan.existing)["flooding_lps"].max() == 0


def test_without_the_network_every_tree_ends_in_a_free_outfall():
    plan = run(*main_town())
    text = to_inp(plan.links, STANDARD)
    assert len(section(text, "OUTFALLS")) == 1
    assert "E-P1" not in text
    assert check(plan.links, STANDARD)["new"].all()


def test_what_a_rising_main_brings_enters_the_existing_sewer():
    """The compound lies 6 m below the sewer: a pump lifts its sewage, and the plant gets it all the same."""
    layers, verdicts, served = main_town()
    layers["compounds"] = frame(
        {"compound_id": ["A", "C"], "households": [300, 200]}, [square(200, 120), square(0, -40)]
    )
    low = frame({"elev_m": [12.0, 12.0]}, shapely.points([[210, 118], [210, 150]]))
    plan = run(layers | {"spot_heights": low}, verdicts, served)
    assert plan.links["pump"].any()
    found = check(plan.links, STANDARD, existing=plan.existing).set_index("link_id")
    assert found.loc["P2", "flow_lps"] == pytest.approx(float(STANDARD.design_flow_lps(500)), rel=0.03)


def test_two_links_in_one_new_manhole_share_it():
    layers, verdicts, served = main_town()
    layers["compounds"] = frame(
        {"compound_id": ["A", "B"], "households": [50, 50]}, [square(215, 30), square(215, -50)]
    )
    verdicts = pd.DataFrame({"compound_id": ["A", "B"], "verdict": "no_main", "nearest_pipe_id": None})
    plan, text = model((layers, verdicts, served))
    names = [r[0] for r in section(text, "JUNCTIONS")]
    assert len(set(names)) == len(names)
    assert plan.links["new_manhole"].nunique() == sum(n.startswith("M-") for n in names)


def test_a_level_above_its_own_ground_is_not_believed_by_the_model_either():
    layers, verdicts, served = main_town()
    served = served.assign(invert_m=[20.0, 19.25, 40.0, 17.75])
    layers["pipes"] = layers["pipes"].assign(to_invert_m=[19.25, np.nan, 17.75], from_invert_m=[20.0, 19.25, np.nan])
    layers["compounds"] = frame({"compound_id": ["A"], "households": [100]}, [square(290, 20)])
    plan, text = model((layers, verdicts.iloc[:1], served))
    assert plan.links["to_node"].iloc[-1] == "M2"
    level = {r[0]: float(r[1]) for r in section(text, "JUNCTIONS")}
    assert level["N-M2"] < 22
    assert "N-M2" in {r[1] for r in section(text, "TAGS")}
    found = check(plan.links, STANDARD, existing=plan.existing)
    assert found["flooding_lps"].max() == 0


def test_a_standard_with_a_wall_gives_swmm_the_n_that_is_as_fast():
    """SWMM knows Manning only: the n of each pipe is the one of Colebrook-White's velocity at the greatest fill."""
    wall = dataclasses.replace(load_standard("gb50014-2021"), wall_mm=1.5)
    layers, verdicts, served = main_town()
    plan = run(layers, verdicts, served, standard=wall)
    rough = [float(row[4]) for row in section(to_inp(plan.links, wall, existing=plan.existing), "CONDUITS")]
    fill, fall = wall.fill(300.0), plan.links["slope"].iloc[0]
    radius = manning.radius(0.3, fill)
    assert rough[0] != wall.roughness
    assert manning.speed(radius, fall, rough[0]) == pytest.approx(
        manning.speed(radius, fall, wall.resistance), rel=1e-4
    )
    smooth = dataclasses.replace(wall, wall_mm=0.1)
    assert (run(layers, verdicts, served, standard=smooth).existing.capacity_lps > plan.existing.capacity_lps).all()


def test_places_without_a_name_are_not_taken_for_manholes_named_by_a_number():
    """Manholes called 0, 1, 2 and places without a name: in the model each has an id of its own, and SWMM runs it."""
    layers, verdicts, served = main_town()
    served = served.assign(node=["0", None, "1", "2"])
    layers["manholes"] = layers["manholes"].assign(node_id=["0", "x", "1", "2"])
    plan, text = model((layers, verdicts, served))
    names = [r[0] for r in section(text, "JUNCTIONS")]
    assert len(names) == len({n.lower() for n in names})
    assert check(plan.links, STANDARD, existing=plan.existing)["flooding_lps"].max() == 0
