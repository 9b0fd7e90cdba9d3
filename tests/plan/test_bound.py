"""The bound: below every plan that anybody finds for the same town, whatever the ground, the levels and the neighbours."""

import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from mapapp.plan import run

CRS = "EPSG:4547"


def rough_town(seed, above_m=20):
    """Build a shaken street grid on rough ground, compounds everywhere, three sewers of which some lie too high."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(5) * 90.0, np.arange(5) * 90.0)
    p = np.stack([x, y], axis=-1) + rng.normal(0, 8, (5, 5, 2))
    lines = np.concatenate([
        np.stack([p[:, :-1], p[:, 1:]], axis=2).reshape(-1, 2, 2), np.stack([p[:-1], p[1:]], axis=2).reshape(-1, 2, 2)
    ])  # fmt: skip
    streets = gpd.GeoDataFrame({"street_id": range(len(lines))}, geometry=shapely.linestrings(lines), crs=CRS)
    at = rng.uniform(0, 360, (8, 2))
    homes = gpd.GeoDataFrame(
        {"compound_id": list("ABCDEFGH"), "households": rng.integers(10, 300, 8)},
        geometry=shapely.box(at[:, 0], at[:, 1], at[:, 0] + 25, at[:, 1] + 25), crs=CRS,
    )  # fmt: skip
    wells = gpd.GeoDataFrame(
        {"node_id": range(25), "ground_elev_m": above_m + rng.normal(0, 0.8, 25)},
        geometry=shapely.points(p.reshape(-1, 2)), crs=CRS,
    )  # fmt: skip
    sewers = gpd.GeoDataFrame(
        {"pipe_id": ["P1", "P2", "P3"], "ground_m": [float(above_m)] * 3, "invert_m": above_m - rng.uniform(0.5, 3.5, 3)},
        geometry=shapely.points(p[[0, 2, 4], [4, 0, 4]]), crs=CRS,
    )  # fmt: skip
    verdicts = pd.DataFrame({"compound_id": homes["compound_id"], "verdict": "not_connected"})
    return {"streets": streets, "compounds": homes, "manholes": wells}, verdicts, sewers


@pytest.mark.parametrize("seed", range(3))
def test_no_plan_of_any_seed_costs_less_than_the_bound_of_another(seed):
    plans = [run(*rough_town(seed), seed=s, time_limit_s=0.6) for s in range(2)]
    assert all(p.summary["linked"] == 8 for p in plans)
    assert 0 < max(p.lower_bound for p in plans) <= min(p.links["cost"].sum() for p in plans)


def test_a_sewer_above_everybody_puts_a_pump_into_the_bound():
    layers, verdicts, sewers = rough_town(0)
    low = run(layers, verdicts, sewers.assign(invert_m=10.0), time_limit_s=0.5)
    high = run(layers, verdicts, sewers.assign(invert_m=30.0, ground_m=32.0), time_limit_s=0.5)
    assert high.summary["pumps"] >= 1
    assert high.lower_bound >= low.lower_bound + 350_000
    assert high.lower_bound <= high.links["cost"].sum()


@pytest.mark.parametrize("seed", range(3))
def test_every_plan_fits_into_the_corridors_spread_over_levels_at_no_more_than_its_cost(seed, monkeypatch):
    from mapapp.plan import bound, planning

    seen = []
    search = planning.search
    monkeypatch.setattr(
        planning, "search", lambda site, joined, *a: seen.append((site, joined)) or search(site, joined, *a)
    )
    plan = run(*rough_town(seed), time_limit_s=0.5)
    site, joined = seen[-1]
    cost = plan.links["cost"].sum()
    far = time.monotonic() + 60
    # a known plan that is far too dear leaves everything in; one that is as cheap as the best must not cut the best off
    wide = bound.lower_bound(site, joined, 10 * cost, far)
    assert 0 < wide <= cost
    assert bound.lower_bound(site, joined, cost, far) <= cost
    assert wide > 0.6 * cost


@pytest.mark.parametrize("seed", range(3))
def test_a_town_below_the_datum_is_bounded_as_one_above_it(seed):
    """Heights count from anywhere: below zero the bound is neither above the cost nor another than above zero."""
    high, low = (run(*rough_town(seed, above_m), time_limit_s=5.0).summary for above_m in (20, -100))
    assert low["cost"] == pytest.approx(high["cost"], rel=0.02)
    assert low["lower_bound"] == pytest.approx(high["lower_bound"], rel=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_what_the_bound_suggests_is_a_tree_that_joins_every_compound(seed, monkeypatch):
    from mapapp.plan import bound, planning
    from mapapp.plan.layout import lay

    seen, shown = [], []
    search = planning.search
    monkeypatch.setattr(
        planning, "search", lambda site, joined, *a: seen.append((site, joined)) or search(site, joined, *a)
    )
    cost = run(*rough_town(seed), time_limit_s=0.5).links["cost"].sum()
    bound.lower_bound(*seen[-1], 2 * cost, time.monotonic() + 60, lambda edges: shown.append(edges) or 2 * cost)
    site, joined = seen[-1]
    laid = [lay(site, edges) for edges in shown if len(edges)]
    assert laid
    assert all((each.compounds[joined] >= 0).all() for each in laid)
    assert min(each.value for each in laid) < 1.3 * cost
