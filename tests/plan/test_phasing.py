"""Stages: the order of blocks is the best for every sum at which a block ends."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp.plan.phasing import blocks, stages


@st.composite
def forests(draw):
    n = draw(st.integers(1, 8))
    down = [draw(st.integers(-1, i - 1)) for i in range(n)]
    cost = [draw(st.integers(1, 9)) for _ in range(n)]
    worth = [draw(st.integers(0, 9)) for _ in range(n)]
    return np.array(down), np.array(cost, float), np.array(worth, float)


@given(forests())
@settings(max_examples=80, deadline=None)
def test_no_other_choice_serves_more_households_for_the_money_of_a_whole_block(forest):
    down, cost, worth = forest
    block, below = blocks(down, cost, worth)
    assert all(block[d] <= block[i] for i, d in enumerate(down) if d >= 0)
    assert all(b < k for k, b in enumerate(below))
    choices = [
        (cost[list(map(bool, c))].sum(), worth[list(map(bool, c))].sum())
        for c in product((0, 1), repeat=len(down))
        if all(c[d] for i, d in enumerate(down) if c[i] and d >= 0)
    ]
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
