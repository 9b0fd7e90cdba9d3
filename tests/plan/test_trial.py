"""A tree costed in the middle of a search costs exactly what it costs when it is laid."""

import numpy as np
import pytest

from mapapp.plan import load_standard, planning
from mapapp.plan.improve import from_nothing, improve, nearest_first, without
from mapapp.plan.layout import lay
from mapapp.plan.reroute import Router
from mapapp.plan.trial import Trial
from tests.plan.test_bound import rough_town


@pytest.fixture(params=["crown", "invert", "water"])
def site(request, monkeypatch):
    """Return a town's corridors, standard and prices, as the search gets them; pipes join in all three ways."""
    from dataclasses import replace

    seen = []
    search = planning.search
    monkeypatch.setattr(planning, "search", lambda s, *rest: seen.append(s) or search(s, *rest))
    standard = replace(load_standard("gb50014-2021"), join=request.param)
    planning.run(*rough_town("ciw".index(request.param[0])), standard=standard, time_limit_s=0.3)
    return seen[-1]  # the first run in a process warms up by a small plan


def levels(laid, c, kept):
    """Return the invert at which each node of a laid tree takes water, pump or not."""
    level = np.full(c.n, np.nan)
    p = laid.pipes[laid.pipes["edge"].isin(kept) & (laid.pipes["node_up"] >= 0)]
    level[p["node_up"]] = np.where(p["pump"], -np.inf, p["invert_up_m"])
    begins = p[p["own"] >= 0]
    level[c.compound + begins["own"]] = level[begins["node_up"]]
    return level


def test_the_sum_is_that_of_the_layout_whatever_was_costed_before(site):
    c, rng, trial, router = site.corridors, np.random.default_rng(0), Trial(site), Router.of(site)
    edges = from_nothing(site, nearest_first(site, np.ones(c.compounds, bool)))
    for turn in range(25):
        tried, laid = trial.cost(edges), lay(site, edges)
        assert tried.value == pytest.approx(laid.value, rel=1e-3 if site.standard.join == "water" else 1e-9)
        assert (tried.found[:, 3] > 0).sum() == laid.pipes["pump"].sum()
        if turn % 3:
            trial.take(tried)
        rows = rng.choice(c.compounds, 1 + turn % 3, replace=False)
        kept = without(c, edges, rows)
        mask = np.zeros(len(c.a), bool)
        mask[kept] = True
        level = tried.levels(c.n, c.compound, mask)
        np.testing.assert_allclose(level, levels(laid, c, kept), atol=0.01)  # a trifle under water levels
        ways = [router.insert(int(row), level) for row in rows]
        edges = np.unique(np.concatenate([kept, *ways]))


def test_improving_never_makes_it_dearer_and_leaves_a_tree(site):
    c, trial = site.corridors, Trial(site)
    edges = from_nothing(site, nearest_first(site, np.ones(c.compounds, bool)))
    better = improve(site, trial, edges, np.random.default_rng(0), lambda: False)
    assert lay(site, better).value <= lay(site, edges).value
    assert trial.last.value == pytest.approx(lay(site, better).value, rel=1e-3)


def test_edges_with_a_ring_or_cut_off_are_no_tree(site):
    c, trial = site.corridors, Trial(site)
    edges = from_nothing(site, nearest_first(site, np.ones(c.compounds, bool)))
    assert trial.cost(np.union1d(edges, np.flatnonzero(c.kind == "street"))) is None  # blocks are rings
    assert trial.cost(edges[c.b[edges] != c.root]) is None
