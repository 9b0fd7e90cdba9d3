"""Sewage, storm and combined pipes are told apart; what is not in use carries nothing; pressure has no slope."""

from __future__ import annotations

import pytest

from tests.audit.towns import compound, falling, found, lateral, layers, main, outlet, pipe, plant, rules, run, verdicts

HOME, END = compound("C", 20, 15), [plant(90, 0), outlet("R", "outfall", 30, -80)]
STORM = [
    falling("S1", 9.8, 9, (30, -10), (30, -45), kind="storm"),
    falling("S2", 9, 8, (30, -45), (30, -80), kind="storm"),
]


def test_sewage_into_a_storm_pipe_is_a_cross_connection_and_a_wrong_outlet():
    pipes = [*main(), *STORM, falling("L", 10.5, 9.8, (25, 20), (25, 5), (30, -10))]
    result = run(layers(pipes, outlets=END, compounds=[HOME]))
    assert found(result, "cross_connection") == ["L"]
    assert verdicts(result) == {"C": "wrong_outlet"}
    assert rules(result) == ["cross_connection", "wrong_outlet"]


def test_storm_into_a_sewer_is_a_cross_connection_of_its_own_kind():
    pipes = [*main(), falling("S", 10.5, 9.9, (30, 40), (30, 0), kind="storm")]
    result = run(layers(pipes, outlets=END))
    assert found(result, "cross_connection") == ["S"]
    assert list(result.findings["severity"]) == ["warning"]
    assert "Storm" in result.findings["message_en"][0]


def test_storm_into_a_combined_sewer_is_right():
    pipes = [*main(kind="combined"), falling("S", 10.5, 9.9, (30, 40), (30, 0), kind="storm")]
    assert rules(run(layers(pipes, outlets=END))) == []


def test_two_systems_that_pass_through_one_place_in_plan_are_not_joined():
    storm = [
        falling("S1", 12, 11, (30, 40), (30, 0), kind="storm"),
        falling("S2", 11, 10, (30, 0), (30, -80), kind="storm"),
    ]
    result = run(layers([*main(), *storm], outlets=END))
    assert rules(result) == []


@pytest.mark.parametrize("status", ["abandoned", "planned", "under_construction", "empty", "废弃"])
def test_what_is_not_in_use_carries_nothing(status):
    pipes = [*main(), lateral("L", 30)]
    pipes[1] |= {"status": status}
    result = run(layers(pipes, outlets=END, compounds=[HOME]))
    assert verdicts(result) == {"C": "dangling"}
    assert found(result, "dangling") == ["L"]


def test_pressure_pipes_do_not_obey_slope_rules():
    rising = pipe(
        "R", (90, 0), (90, 60), flow="pressure", from_invert_m=5, to_invert_m=15, flow_dir="0", diameter_mm=150
    )
    after = falling("B", 15, 14.4, (90, 60), (150, 60), diameter_mm=300)
    town = layers([*main(diameter_mm=300), rising, after], outlets=[outlet("P", "pump", 90, 0), plant(150, 60)])
    assert rules(run(town)) == []


def test_a_combined_sewer_to_a_plant_serves():
    result = run(layers([*main(kind="combined"), lateral("L", 30)], outlets=END, compounds=[HOME]))
    assert verdicts(result) == {"C": "connected"}


def test_storm_pipes_in_a_compound_do_not_serve_it():
    storm = falling("S", 10.5, 9.9, (25, 20), (25, 2), kind="storm")
    result = run(layers([*main(), storm, lateral("L", 80)], outlets=END, compounds=[HOME]))
    assert verdicts(result) == {"C": "not_connected"}
