"""Tests that the audit finds every planted gap of the demo county, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from mapapp import audit, demo
from mapapp.audit.rules import RULES

KEY = ["rule", "layer", "feature_id"]


@pytest.fixture(scope="module")
def result(county: demo.County) -> audit.AuditResult:
    return audit.run(county.layers)


def keys(frame: pd.DataFrame) -> set[tuple[str, ...]]:
    return set(frame[KEY].itertuples(index=False, name=None))


def test_recall_is_one(county: demo.County, result: audit.AuditResult) -> None:
    """Every planted gap is found, under its rule and at its feature."""
    assert keys(county.truth) - keys(result.findings) == set()


def test_precision_is_one(county: demo.County, result: audit.AuditResult) -> None:
    """Nothing is reported that was not planted."""
    assert keys(result.findings) - keys(county.truth) == set()


def test_every_verdict_is_the_true_one(county: demo.County, result: audit.AuditResult) -> None:
    """All 71 compounds get their planted verdict; each of the eight verdicts occurs."""
    both = county.verdicts.merge(result.verdicts, on="compound_id", suffixes=("", "_found"))
    wrong = both[both["verdict"] != both["verdict_found"]]
    assert wrong[["compound_id", "verdict", "verdict_found"]].to_numpy().tolist() == []
    assert len(both) == 71
    assert both["verdict"].nunique() == 8


def test_every_rule_is_planted(county: demo.County) -> None:
    """Only duplicate ids are missing: a county database refuses them (see the next test)."""
    assert set(RULES) - set(county.truth["rule"]) == {"duplicate_id"}


def test_one_id_twice_is_found_before_the_store(county: demo.County, result: audit.AuditResult) -> None:
    """Two far-apart storm pipes of one id, a slip in a survey, make one more finding and change no other."""
    pipes = county.layers["pipes"].copy()
    a, b = np.random.default_rng(1).choice(np.flatnonzero(pipes["kind"] == "storm"), 2, replace=False)
    pipes.loc[b, "pipe_id"] = pipes.loc[a, "pipe_id"]
    found = audit.run({**county.layers, "pipes": pipes}).findings
    assert keys(found) == keys(result.findings) | {("duplicate_id", "pipes", str(pipes.loc[a, "pipe_id"]))}


def test_truth_names_features_that_exist(county: demo.County) -> None:
    """Every row of truth points at a row of its layer, and a compound's row carries its verdict."""
    from mapapp.core import schema

    for layer, rows in county.truth.groupby("layer"):
        assert set(rows["feature_id"]) <= set(county.layers[str(layer)][schema.layer(str(layer)).key])
    judged = county.truth.dropna(subset="verdict").merge(county.verdicts, on="compound_id", suffixes=("", "_true"))
    assert (judged["verdict"] == judged["verdict_true"]).all()


def test_the_traps_are_there(county: demo.County) -> None:
    """Precision means something: crossings, a rising main, abandoned, planned and parallel pipes, a cut end, a village."""
    pipes = county.layers["pipes"]
    assert {"abandoned", "planned"} <= set(pipes["status"])
    rising = pipes[pipes["flow"] == "pressure"]
    assert (rising["to_invert_m"] > rising["from_invert_m"]).all()
    assert len(rising) == 1
    sewage, storm = (
        pipes.geometry[(pipes["kind"] == k) & (pipes["status"] == "in_use")].dropna() for k in ("sewage", "storm")
    )
    crossings = storm.sindex.query(sewage, predicate="crosses")
    assert crossings.shape[1] > 50
    plants = county.layers["outlets"].query("facility == 'wwtp'")
    assert len(plants) == 2
    area = shapely.union_all(county.layers["survey_areas"].geometry)
    ends = shapely.get_point(sewage.to_numpy(), 0)
    assert (shapely.distance(shapely.boundary(area), ends) < 0.5).sum() >= 1
    assert (pipes["note"] == "双管").sum() == 1


@pytest.mark.parametrize("seed", [7, 1999])
def test_other_seeds_are_other_towns_with_the_same_totals(seed: int) -> None:
    """A seed changes the town; totals and the audit's agreement with the truth stay."""
    town = demo.county(seed)
    assert town.layers["compounds"]["households"].sum() == 2_670 + 1_146 + 1_332
    assert keys(audit.run(town.layers).findings) == keys(town.truth)
