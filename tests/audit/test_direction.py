"""Water runs by inverts, else by record, else either way; never against a known direction."""

from __future__ import annotations

import pytest

from tests.audit.towns import compound, falling, found, lateral, layers, main, pipe, plant, rules, run, verdicts, well

HOME, END = compound("C", -10, 15), [plant(90, 0)]


def chain(*levels, flip=(), nodes=True):
    """Three pipes along y = 0 with their own levels; drawn backwards where their number is in ``flip``."""
    out = [falling("L", 11, 10, (0, 20), (0, 0), from_node="N0", to_node="N1")]
    for i, (a, b) in enumerate(levels):
        x0, x1 = 30.0 * i, 30.0 * (i + 1)
        record = {"from_node": f"N{i + 1}", "to_node": f"N{i + 2}"} if nodes else {}
        if i in flip:
            record = {"from_node": f"N{i + 2}", "to_node": f"N{i + 1}"} if nodes else {}
            out.append(falling(f"P{i}", b, a, (x1, 0), (x0, 0), **record))
        else:
            out.append(falling(f"P{i}", a, b, (x0, 0), (x1, 0), **record))
    if not nodes:
        out[0].pop("from_node"), out[0].pop("to_node")
    return layers(out, outlets=END, compounds=[HOME])


@pytest.mark.parametrize("nodes", [True, False])
def test_a_reversed_drawing_is_no_adverse_slope_and_still_serves(nodes):
    result = run(chain((10, 9.7), (9.7, 9.4), (9.4, 9.1), flip={1}, nodes=nodes))
    assert rules(result) == ["reversed"]
    assert found(result, "reversed") == ["P1"]
    assert verdicts(result) == {"C": "connected"}


@pytest.mark.parametrize("nodes", [True, False])
def test_a_truly_adverse_slope_is_no_reversed_drawing_and_water_passes_below_the_compound(nodes):
    result = run(chain((10, 9.4), (9.4, 9.7), (9.7, 9.1), nodes=nodes))
    assert rules(result) == ["adverse_slope"]
    assert found(result, "adverse_slope") == ["P1"]
    assert result.findings["value"][0] == pytest.approx(0.3)
    assert verdicts(result) == {"C": "connected"}


def test_a_crest_above_the_compound_stops_its_water():
    result = run(chain((10, 9.4), (9.4, 11.5), (11.5, 9.1)))
    assert found(result, "adverse_slope") == ["P1"]
    assert verdicts(result) == {"C": "no_gravity"}


@pytest.mark.parametrize("flow_dir", ["0", "+", "正向"])
def test_recorded_flow_is_used_where_levels_are_missing(flow_dir):
    pipes = [pipe("A", (0, 0), (90, 0), flow_dir=flow_dir), pipe("L", (0, 20), (0, 0))]
    assert verdicts(run(layers(pipes, outlets=END, compounds=[HOME]))) == {"C": "connected"}


def test_water_never_runs_against_a_recorded_direction():
    pipes = [pipe("A", (0, 0), (90, 0), flow_dir="1"), pipe("L", (0, 20), (0, 0), flow_dir="0")]
    result = run(layers(pipes, outlets=END, compounds=[HOME]))
    assert verdicts(result) == {"C": "dangling"}
    assert found(result, "dangling") == ["A"]


def test_unknown_direction_runs_either_way_and_has_no_dangling_ends():
    pipes = [pipe("A", (0, 0), (90, 0)), pipe("L", (0, 20), (0, 0)), pipe("D", (90, 0), (120, 0))]
    result = run(layers(pipes, outlets=END, compounds=[HOME]))
    assert verdicts(result) == {"C": "connected"}
    assert rules(result) == []
    assert "unknown" in result.verdicts["evidence_en"][0]


def test_reaching_by_component_is_not_reaching_by_flow():
    branch = pipe("B", (30, 0), (30, -60), from_invert_m=9.7, to_invert_m=9.0, flow_dir="0")
    own = falling("L", 9.5, 9.0, (60, -60), (30, -60), level="lateral")
    result = run(layers([*main(), branch, own], outlets=END, compounds=[compound("C", 55, -70)]))
    assert verdicts(result) == {"C": "dangling"}
    assert found(result, "dangling") == ["B"]


def test_a_loop_reaches_the_plant():
    loop = [
        falling("A", 10, 9.7, (0, 0), (30, 0)),
        falling("B", 9.7, 9.4, (30, 0), (30, 30)),
        pipe("X", (30, 30), (0, 30)),
        pipe("Y", (0, 30), (0, 0)),
    ]
    out = falling("O", 9.4, 9.0, (30, 30), (90, 0))
    result = run(layers([*loop, out], outlets=END, compounds=[HOME]))
    assert verdicts(result) == {"C": "connected"}


def test_a_split_with_one_lost_branch_serves_and_tells_of_the_branch():
    lost = falling("D", 9.7, 9.2, (30, 0), (30, -50))
    result = run(layers([*main(), lost, lateral("L", 30)], outlets=END, compounds=[compound("C", 20, 15)]))
    assert verdicts(result) == {"C": "connected"}
    assert rules(result) == ["dangling"]
    assert found(result, "dangling") == ["D"]


def test_nodes_at_the_opposite_ends_mean_a_reversed_drawing():
    wells = [well("N1", 0, 0), well("N2", 40, 0), well("N3", 90, 0)]
    pipes = [falling("A", 10, 9.7, (40, 0), (0, 0), from_node="N1", to_node="N2")]
    pipes += [
        falling("B", 9.7, 9.4, (40, 0), (90, 0), from_node="N2", to_node="N3"),
        falling("L", 11, 10, (0, 20), (0, 0)),
    ]
    result = run(layers(pipes, wells, END, [HOME]))
    assert rules(result) == ["reversed"]
    assert verdicts(result) == {"C": "connected"}


def test_two_adverse_pipes_in_a_row_are_both_adverse():
    result = run(chain((10, 9.4), (9.4, 9.6), (9.6, 9.8)))
    assert found(result, "adverse_slope") == ["P1", "P2"]


def test_two_reversed_pipes_in_a_row_are_both_reversed():
    result = run(chain((10, 9.7), (9.7, 9.4), (9.4, 9.1), flip={0, 1}))
    assert found(result, "reversed") == ["P0", "P1"]
    assert verdicts(result) == {"C": "connected"}
