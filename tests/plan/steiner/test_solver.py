"""The link layout: right against brute force, honest about its bound, sturdy against awkward graphs."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp.core.errors import InputError
from mapapp.plan.steiner import solver as solver_module
from mapapp.plan.steiner import steiner_tree


def brute_force(n, u, v, w, terminals):
    """Cheapest spanning tree over every superset of the terminals."""
    best = np.inf
    others = [x for x in range(n) if x not in terminals]
    order = np.argsort(w, kind="stable")
    for size in range(len(others) + 1):
        for extra in combinations(others, size):
            inside = set(terminals) | set(extra)
            parent = {x: x for x in inside}

            def find(x, parent=parent):
                while parent[x] != x:
                    x = parent[x]
                return x

            cost, joined = 0.0, 1
            for e in order:
                if u[e] in inside and v[e] in inside and find(u[e]) != find(v[e]):
                    parent[find(u[e])] = find(v[e])
                    cost, joined = cost + w[e], joined + 1
            if joined == len(inside):
                best = min(best, cost)
    return best


@st.composite
def towns(draw):
    n = draw(st.integers(2, 8))
    ends = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(ends, ends, st.sampled_from([0.0, 1.0, 1.0, 2.0, 3.5, 7.0])), max_size=22))
    terminals = draw(st.lists(ends, min_size=2, max_size=5))
    u, v, w = (np.array(x) for x in zip(*edges, strict=True)) if edges else (np.empty(0, int),) * 3
    return n, u, v, w.astype(float), np.array(terminals)


def check_tree(tree, u, v, w, terminals):
    """Assert that the edges form a tree, join the terminals, cost what is said, the bound not above."""
    parent = {int(x): int(x) for x in np.concatenate([u, v, terminals])}

    def find(x):
        while parent[x] != x:
            x = parent[x]
        return x

    for e in tree.edges:
        a, b = find(int(u[e])), find(int(v[e]))
        assert a != b, "a ring"
        parent[a] = b
    assert len({find(int(t)) for t in terminals}) <= 1
    assert tree.cost == pytest.approx(w[tree.edges].sum())
    assert tree.lower_bound <= tree.cost


@given(towns())
@settings(max_examples=150, deadline=None)
def test_small_graphs_with_zeros_ties_loops_and_parallels_are_solved_to_the_optimum(town):
    n, u, v, w, terminals = town
    best = brute_force(n, u, v, w, set(terminals.tolist()))
    if np.isinf(best):
        with pytest.raises(InputError, match="cut off"):
            steiner_tree(u, v, w, terminals)
        return
    tree = steiner_tree(u, v, w, terminals)
    check_tree(tree, u, v, w, terminals)
    assert tree.cost == pytest.approx(best)
    assert tree.lower_bound == pytest.approx(best)


@pytest.mark.parametrize("reducing", [True, False])
@given(towns(), st.integers(0, 3))
@settings(max_examples=80, deadline=None)
def test_the_search_alone_keeps_its_bound_below_the_optimum(reducing, town, seed):
    """Without the exact solver for few terminals, and without reductions, tree and bound still stand."""
    n, u, v, w, terminals = town
    best = brute_force(n, u, v, w, set(terminals.tolist()))
    if np.isinf(best):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver_module, "_EXACT_CELLS", 0.0)
        if not reducing:
            patch.setattr(solver_module, "reduce", lambda *a, **k: None)
        tree = steiner_tree(u, v, w, terminals, seed=seed)
    check_tree(tree, u, v, w, terminals)
    assert tree.cost >= best - 1e-9
    assert tree.lower_bound <= best + 1e-9
    assert tree.cost <= 1.05 * best + 1e-9


def grid(side, rng, low=1.0):
    x = np.arange(side * side).reshape(side, side)
    u = np.concatenate([x[:, :-1].ravel(), x[:-1].ravel()])
    v = np.concatenate([x[:, 1:].ravel(), x[1:].ravel()])
    return u, v, rng.uniform(low, 2.0, len(u))


def test_one_seed_gives_one_answer():
    rng = np.random.default_rng(5)
    u, v, w = grid(20, rng)
    terminals = rng.choice(400, 40, replace=False)
    one, two = (steiner_tree(u, v, w, terminals, seed=3) for _ in range(2))
    assert one.edges.tolist() == two.edges.tolist()
    assert one.lower_bound == two.lower_bound


def test_edge_order_and_node_names_do_not_matter_for_the_bound_and_the_gap_is_small():
    rng = np.random.default_rng(6)
    u, v, w = grid(20, rng)
    terminals = rng.choice(400, 40, replace=False)
    names, order = rng.permutation(100_000)[:400], rng.permutation(len(u))
    one = steiner_tree(u, v, w, terminals)
    two = steiner_tree(names[v[order]], names[u[order]], w[order], names[terminals])
    check_tree(one, u, v, w, terminals)
    assert max(one.lower_bound, two.lower_bound) <= min(one.cost, two.cost)
    assert one.gap_pct < 3.0


def test_all_zero_costs_give_a_connected_tree_of_cost_zero():
    u, v, w = grid(8, np.random.default_rng(0))
    tree = steiner_tree(u, v, 0.0 * w, np.arange(0, 64, 5))
    check_tree(tree, u, v, 0.0 * w, np.arange(0, 64, 5))
    assert tree.cost == tree.lower_bound == 0.0


def test_none_and_one_terminal_need_no_pipe():
    for terminals in ([], [3], [3, 3]):
        tree = steiner_tree([0, 1], [1, 3], [1.0, 1.0], terminals)
        assert len(tree.edges) == 0
        assert tree.cost == tree.lower_bound == 0.0


def test_two_terminals_get_the_shortest_path_and_proof():
    u, v, w = grid(15, np.random.default_rng(2))
    tree = steiner_tree(u, v, w, [0, 224])
    assert tree.cost == pytest.approx(tree.lower_bound, rel=1e-9)


@pytest.mark.parametrize("cost", [-1.0, np.nan, np.inf])
def test_impossible_costs_are_refused_with_their_value(cost):
    with pytest.raises(InputError, match=str(cost)):
        steiner_tree([0, 1], [1, 2], [1.0, cost], [0, 2])


def test_the_time_limit_is_kept_and_still_gives_tree_and_bound():
    rng = np.random.default_rng(9)
    u, v, w = grid(120, rng)
    terminals = rng.choice(14_400, 300, replace=False)
    tree = steiner_tree(u, v, w, terminals, time_limit_s=0.5)
    check_tree(tree, u, v, w, terminals)
    assert 0 < tree.lower_bound <= tree.cost


def test_large_graphs_are_recombined_into_a_tree_no_dearer_than_before(monkeypatch):
    side = 40
    x = np.arange(side * side).reshape(side, side)
    u, v = np.concatenate([x[:, :-1].ravel(), x[:-1].ravel()]), np.concatenate([x[:, 1:].ravel(), x[1:].ravel()])
    rng = np.random.default_rng(3)
    w, terminals = rng.uniform(1, 3, len(u)), rng.choice(side * side, 60, replace=False)
    plain = steiner_tree(u, v, w, terminals, time_limit_s=0.05)
    monkeypatch.setattr(solver_module, "_LARGE", 100)
    monkeypatch.setattr(solver_module, "_UNION_S", 0.3)
    mixed = steiner_tree(u, v, w, terminals, time_limit_s=2.0)
    nodes = np.unique(np.concatenate([u[mixed.edges], v[mixed.edges]]))
    assert len(nodes) == len(mixed.edges) + 1  # with the sum: a tree over all
    assert np.isin(terminals, nodes).all()
    assert mixed.lower_bound <= mixed.cost == pytest.approx(w[mixed.edges].sum())
    assert mixed.cost <= plain.cost
    assert plain.lower_bound <= mixed.cost
