"""Stages: no other choice serves more for a budget, and the order of blocks is the best for every sum at which one ends."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp.plan.phasing import blocks, frontier, stages


@st.composite
def forests(draw):
    n = draw(st.integers(1, 8))
    down = [draw(st.integers(-1, i - 1)) for i in range(n)]
    cost = [draw(st.integers(1, 9)) for _ in range(n)]
    worth = [draw(st.integers(0, 9)) for _ in range(n)]
    return np.array(down), np.array(cost, float), np.array(worth, float)


def every_choice(down, cost, worth):
    """Return money and households of every set of pipes that holds the pipe below each of its own."""
    return [
        (cost[list(map(bool, c))].sum(), worth[list(map(bool, c))].sum())
        for c in product((0, 1), repeat=len(down))
        if all(c[d] for i, d in enumerate(down) if c[i] and d >= 0)
    ]


@given(forests())
@settings(max_examples=80, deadline=None)
def test_no_other_choice_serves_more_households_for_the_money_of_a_whole_block(forest):
    down, cost, worth = forest
    block, below = blocks(down, cost, worth)
    assert all(block[d] <= block[i] for i, d in enumerate(down) if d >= 0)
    assert all(b < k for k, b in enumerate(below))
    choices = every_choice(down, cost, worth)
    for k in range(block.max() + 1):
        built = block <= k
        best = max(w for m, w in choices if m <= cost[built].sum() + 1e-9)
        assert worth[built].sum() == pytest.approx(best)


@given(forests(), st.floats(0, 40))
@settings(max_examples=80, deadline=None)
def test_each_stage_stands_on_what_is_built_and_no_block_is_lost(forest, budget):
    down, cost, worth = forest
    stage, curve = stages(down, cost, worth, budget)
    assert (stage >= 1).all()
    assert all(stage[d] <= stage[i] for i, d in enumerate(down) if d >= 0)
    assert cost[stage == 1].sum() <= budget + 1e-9
    assert curve["cost_sum"].iloc[-1] == pytest.approx(cost.sum())


def test_no_budget_is_one_stage_and_no_pipe_none():
    stage, _ = stages(np.array([-1, 0]), np.ones(2), np.ones(2), None)
    assert stage.tolist() == [1, 1]
    assert len(stages(np.empty(0, int), np.empty(0), np.empty(0), 5.0)[1]) == 0


@given(forests(), st.integers(0, 40))
@settings(max_examples=80, deadline=None)
def test_the_first_stage_serves_as_many_households_as_any_choice_within_the_budget(forest, budget):
    down, cost, worth = forest
    stage, _ = stages(down, cost, worth, float(budget))
    best = max(w for m, w in every_choice(down, cost, worth) if m <= budget)
    assert worth[stage == 1].sum() == best


@given(forests())
@settings(max_examples=80, deadline=None)
def test_the_frontier_holds_the_most_households_for_every_sum_and_nothing_else(forest):
    down, cost, worth = forest
    choices = every_choice(down, cost, worth)
    for money, people in frontier(down, cost, worth):
        assert people == max(w for m, w in choices if m <= money)
        assert money == min(m for m, w in choices if w >= people)


def test_what_a_pin_costs_is_taken_from_the_first_budget():
    down, cost, worth = np.array([-1, -1, -1]), np.array([30.0, 10.0, 10.0]), np.array([1.0, 50.0, 40.0])
    stage, _ = stages(down, cost, worth, 40.0, np.array([True, False, False]))
    assert stage.tolist() == [1, 1, 2]
    assert stages(down, cost, worth, 0.0, np.array([True, False, False]))[0].tolist() == [1, 2, 3]


def test_where_a_budget_serves_nobody_the_cheapest_that_do_are_a_stage_of_their_own():
    stage, _ = stages(np.array([-1, -1]), np.array([90.0, 70.0]), np.array([9.0, 1.0]), 50.0)
    assert stage.tolist() == [3, 2]


def test_a_forest_of_thousands_of_pipes_is_staged_in_a_moment_and_never_worse_than_by_blocks():
    rng = np.random.default_rng(1)
    down = np.array([-1, *(rng.integers(max(0, i - 20), i) for i in range(1, 6000))])
    cost, worth = (
        rng.uniform(1, 100, 6000),
        np.where(rng.random(6000) < 0.2, rng.integers(1, 900, 6000), 0).astype(float),
    )
    stage, curve = stages(down, cost, worth, cost.sum() / 200)
    block, _ = blocks(down, cost, worth)
    whole = np.cumsum(np.bincount(block, cost)) <= cost.sum() / 200
    assert worth[stage == 1].sum() >= np.bincount(block, worth)[whole].sum()
    assert (np.diff(np.unique(stage)) == 1).all()
    assert curve["cost_sum"].is_monotonic_increasing
