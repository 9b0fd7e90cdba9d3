"""A plant and the boundary serve; a river does not; a pump passes on; water must flow there."""

from __future__ import annotations

import pytest

from tests.audit.towns import (
    compound,
    falling,
    found,
    lateral,
    layers,
    main,
    outlet,
    pipe,
    plant,
    rules,
    run,
    verdicts,
    well,
)

HOME = compound("C", 20, 15)


def town(*outlets, pipes=None):
    return run(layers(pipes or [*main(), lateral("L", 30)], outlets=outlets, compounds=[HOME]))


@pytest.mark.parametrize("facility", ["wwtp", "boundary", "污水处理厂"])
def test_plant_and_boundary_serve(facility):
    result = town(outlet("W", facility, 90, 0))
    assert verdicts(result) == {"C": "connected"}
    assert rules(result) == []
    assert "W" in result.verdicts["evidence"][0]


def test_a_river_does_not_serve():
    result = town(outlet("R", "outfall", 90, 0))
    assert verdicts(result) == {"C": "wrong_outlet"}
    assert rules(result) == ["no_outlet", "wrong_outlet"]
    assert "R" in result.verdicts["evidence"][0]


def test_a_pump_is_not_the_end():
    result = town(outlet("P", "pump", 90, 0), plant(900, 0))
    assert verdicts(result) == {"C": "dangling"}
    assert found(result, "no_outlet") == ["L"]


@pytest.mark.parametrize("facility", ["pump", "interceptor"])
def test_pump_and_interceptor_pass_on_to_what_leaves_them(facility):
    rising = pipe("R", (92, 0), (92, 50), flow="pressure", from_invert_m=5, to_invert_m=12, flow_dir="0")
    beyond = falling("B", 12, 11.4, (92, 50), (152, 50))
    result = town(outlet("P", facility, 91, 0), plant(152, 50), pipes=[*main(), lateral("L", 30), rising, beyond])
    assert verdicts(result) == {"C": "connected"}
    assert rules(result) == []


@pytest.mark.parametrize("at", [(90, 0), (92, 1), (60, 3)])
def test_an_outlet_may_lie_beside_the_end_or_the_body(at):
    pipes = [falling("M", 10, 9, (0, 0), (90, 0)), falling("L", 10.5, 10, (0, 20), (0, 0))]
    result = run(layers(pipes, outlets=[plant(*at)], compounds=[compound("C", -10, 15)]))
    assert verdicts(result) == {"C": "connected"}


def test_a_village_has_its_own_plant_and_an_island_has_none():
    village = [falling("V1", 20, 19, (500, 0), (560, 0))]
    island = [pipe("I1", (900, 0), (930, 0)), pipe("I2", (930, 0), (960, 0))]
    result = run(layers([*main(), *village, *island], outlets=[plant(90, 0), plant(560, 0, "W2")]))
    assert rules(result) == ["island"]
    assert found(result, "island") == ["I1"]
    assert result.findings["value"][0] == pytest.approx(60)


def test_an_outfall_beside_a_sewer_takes_no_passing_sewer():
    result = town(plant(90, 0), outlet("R", "outfall", 60, 2))
    assert verdicts(result) == {"C": "connected"}
    assert rules(result) == []


def test_no_outlet_on_record_is_no_data_not_a_dead_end():
    result = town()
    assert verdicts(result) == {"C": "no_data"}
    assert found(result, "no_outlet") == ["L"]


def test_a_dead_end_is_told_once_and_the_upper_end_is_none():
    result = run(layers([*main(), lateral("L", 30), falling("D", 10, 9, (30, -5), (30, -40))], outlets=[plant(90, 0)]))
    assert found(result, "dangling") == ["D"]
    assert found(result, "island") == ["D"]


def test_a_well_that_nothing_uses_is_an_orphan():
    wells = [well("N1", 0, 0), well("N9", 0, 500)]
    assert found(run(layers(main(), wells, [plant(90, 0)])), "orphan_manhole") == ["N9"]
