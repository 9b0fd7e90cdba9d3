"""Published designs: met or beaten under their own criteria and cost function, checked by plain code."""

import math

import numpy as np
import pandas as pd
import pytest

from mapapp import resources
from mapapp.core.errors import InputError
from mapapp.plan import flow
from mapapp.plan.hydraulics import rules, size_sewers
from mapapp.plan.prices import load_prices, prices_from
from mapapp.plan.standard import load_standard, standard_from

FOLDER = resources.geodata("literature")


@pytest.fixture(scope="module")
def chico():
    """Return pipes, and the design found for them under the files' criteria and prices."""
    pipes = pd.read_csv(FOLDER / "chico-sur.csv")
    standard = load_standard(FOLDER / "chico-sur-standard.toml")
    found = size_sewers(pipes, standard, load_prices(FOLDER / "chico-sur-prices.toml"), pumps=False)
    return pipes, found


def navarro(diameter_m, length_m, cover_up_m, cover_down_m):
    """Return the pesos of one pipe, the formula as the paper writes it."""
    wall = 0.0869 * diameter_m**0.935
    depth = 0.15 + diameter_m + 2 * wall + (cover_up_m + cover_down_m) / 2
    volume = depth * (2 * 0.2 + diameter_m) * length_m
    return 1.32 * (9579.31 * length_m * (1000 * diameter_m) ** 0.5737 + 1163.77 * volume**1.31)


def carries(diameter_m, slope, fill):
    """Return the flow (L/s) at a fill: Darcy-Weisbach and Colebrook-White, k = 0.0015 mm."""
    t = 2 * math.acos(1 - 2 * fill)
    area, radius = diameter_m**2 / 8 * (t - math.sin(t)), diameter_m / 4 * (1 - math.sin(t) / t)
    x = math.sqrt(8 * 9.81 * radius * slope)
    return -2000 * area * x * math.log10(1.5e-6 / (14.8 * radius) + 2.51 * 1.14e-6 / (4 * radius * x))


def test_chico_sur_costs_less_than_the_published_design(chico):
    """160 pipes: 5 519 383 thousand pesos published, and every cost in that list is reproduced."""
    pipes, found = chico
    d = pipes.published_diameter_mm / 1000
    cost = [
        navarro(*x)
        for x in zip(
            d, pipes.length_m, pipes.ground_up_m - pipes.published_invert_up_m - d,
            pipes.ground_down_m - pipes.published_invert_down_m - d, strict=True,
        )
    ]  # fmt: skip
    assert np.abs(np.array(cost) / 1000 - pipes.published_cost_thousand).max() < 1
    assert pipes.published_cost_thousand.sum() == 5_519_383
    assert found.cost.sum() < 5_448_000e3  # 1.3 % less


def test_the_design_found_for_chico_sur_keeps_the_published_criteria(chico):
    _, found = chico
    by = found.set_index("pipe_id")
    total = 0.0
    for p in found.itertuples():
        d = p.diameter_mm / 1000
        slope = (p.invert_up_m - p.invert_down_m) / p.length_m
        assert carries(d, slope, 0.70 if d <= 0.6 else 0.75) >= p.flow_lps * (1 - 1e-6)
        up, down = p.ground_up_m - p.invert_up_m - d, p.ground_down_m - p.invert_down_m - d
        assert min(up, down) >= 1.2 - 1e-9
        assert max(p.depth_up_m, p.depth_down_m) <= 20
        if isinstance(p.downstream_pipe_id, str):
            below = by.loc[p.downstream_pipe_id]
            assert below.invert_up_m <= p.invert_down_m + 1e-9
            assert below.diameter_mm >= p.diameter_mm
        total += navarro(d, p.length_m, up, down)
    assert found.cost.sum() == pytest.approx(total, rel=1e-6)


def test_where_the_published_design_breaks_its_own_criteria(chico):
    """The last pipe is DN600 below DN800, and two pipes carry a little less than their flow."""
    pipes, _ = chico
    below = pipes.downstream_pipe_id.map(pipes.set_index("pipe_id").published_diameter_mm)
    assert pipes.pipe_id[below < pipes.published_diameter_mm].tolist() == ["107-108"]
    slope = (pipes.published_invert_up_m - pipes.published_invert_down_m) / pipes.length_m
    d = pipes.published_diameter_mm / 1000
    room = [carries(x, s, 0.70 if x <= 0.6 else 0.75) for x, s in zip(d, slope, strict=True)]
    assert sorted(pipes.pipe_id[np.array(room) < pipes.flow_lps]) == ["100-101", "108-109"]


@pytest.mark.parametrize("roughness", [0.013, flow.Wall(1.5e-6), flow.Wall(3e-4)])
def test_gradient_undoes_speed(roughness):
    slope = np.geomspace(1e-4, 0.2, 30)
    v = flow.speed(0.1, slope, roughness)
    assert flow.gradient(0.1, v, roughness) == pytest.approx(slope, rel=1e-9)


def test_the_order_of_the_pipes_changes_nothing(chico):
    pipes, found = chico
    standard, prices = load_standard(FOLDER / "chico-sur-standard.toml"), load_prices(FOLDER / "chico-sur-prices.toml")
    mixed = size_sewers(pipes.sample(frac=1, random_state=1), standard, prices, pumps=False)
    assert mixed.cost.sum() == pytest.approx(found.cost.sum(), rel=1e-12)


FLAT = pd.DataFrame({
    "pipe_id": ["a"], "downstream_pipe_id": [None], "ground_up_m": [10.0], "ground_down_m": [10.0], "length_m": [100.0],
    "flow_lps": [20.0],
})  # fmt: skip
RULES = {"sizes_mm": [300], "min_slope": [[0, 0.0]], "max_fill": [[0, 1.0]], "min_velocity_ms": 0.6}


def test_a_pipe_may_flow_full_and_be_fast_enough_when_full():
    """DN300 at n = 0.013 and 0.6 m/s full needs (0.6 x 0.013 / 0.075^(2/3))^2 = 0.001924."""
    standard = standard_from(RULES | {"velocity_at": "full", "velocity_exempts_smallest": False}, "full")
    free = prices_from(
        {"pipe": {"pieces": [{"terms": [[1, 0, 1]]}]}, "manhole": {"pieces": [{"terms": [[0, 0, 0]]}]}}, "x"
    )
    assert size_sewers(FLAT, standard, free, pumps=False).slope[0] == pytest.approx(0.0019239, rel=1e-3)


@pytest.mark.parametrize(
    ("pipe", "message"),
    [
        ({"pieces": [{"terms": [[-5, 0, 0], [1, 0, 1]]}]}, "price is -"),
        ({"pieces": [{"terms": [[1e30, 0, 0]]}]}, "terms"),
        ({"diameters_mm": [300], "depths_m": [1, 2], "values": [[5, -1]]}, "values"),
        ({"diameters_mm": [300], "depths_m": [2, 1], "values": [[5, 6]]}, "depths_m"),
    ],
)
def test_negative_and_absurd_prices_are_refused_in_one_sentence(pipe, message):
    with pytest.raises(InputError, match=message):
        size_sewers(
            FLAT,
            standard_from(RULES, "r"),
            prices_from({"pipe": pipe, "manhole": {"pieces": [{"terms": [[0, 0, 0]]}]}}, "x"),
        )


def test_a_price_by_a_power_of_the_length_is_not_for_a_plan():
    with pytest.raises(InputError, match="power of the length"):
        rules(
            load_standard(FOLDER / "chico-sur-standard.toml"),
            load_prices(FOLDER / "chico-sur-prices.toml"),
            pumps=False,
        )


PLAIN = {"pieces": [{"terms": [[1, 0, 1]]}]}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"low": "x"}, "low"),
        ({"pump": {"each": "a"}}, "pump"),
        ({"nope": 1}, "nope"),
        ({"pipe": 5}, "pipe"),
        ({"title": 3}, "title"),
    ],
)
def test_a_book_with_a_wrong_value_is_refused_by_its_key(change, key):
    with pytest.raises(InputError, match=f"{key} = "):
        prices_from({"pipe": PLAIN, "manhole": PLAIN} | change, "mine")
