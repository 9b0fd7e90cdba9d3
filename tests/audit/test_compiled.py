"""Compiled loops and plain numpy give the same answers; only the time differs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely

from mapapp import audit, demo
from mapapp.audit import checks_layer, tables
from mapapp.core import geometry


@pytest.fixture(scope="module")
def layers():
    return demo.county().layers


@pytest.fixture
def compiled(monkeypatch):
    """As on a network so large that the compiled loops pay."""
    pytest.importorskip("numba")
    monkeypatch.setattr(geometry, "_COMPILED_FROM", 0)
    monkeypatch.setattr(geometry, "_COMPILED_FROM_READY", 0)


def answers(result):
    """Return what a planner sees, places to the micrometre."""
    findings = pd.DataFrame(result.findings.drop(columns="geometry"))
    place = shapely.to_wkt(np.asarray(result.findings.geometry.array), rounding_precision=6)
    verdicts = result.verdicts[["compound_id", "verdict", "evidence", "nearest_pipe_id", "distance_m"]]
    return findings.assign(place=place), pd.DataFrame(verdicts)


def arrow(frame):
    table = pa.Table.from_pandas(pd.DataFrame(frame.drop(columns="geometry")), preserve_index=False)
    return table.append_column("geometry", pa.array(shapely.to_wkb(frame.geometry.array), type=pa.binary()))


@pytest.fixture(scope="module")
def plain(layers):
    return answers(audit.run(layers))


@pytest.mark.parametrize("kind", ["frame", "arrow", "shuffled arrow"])
def test_the_compiled_audit_says_the_same_of_frames_of_arrow_and_of_rows_in_no_order(layers, plain, compiled, kind):
    pipes, manholes = layers["pipes"], layers["manholes"]
    if "shuffled" in kind:
        pipes = pipes.sample(frac=1, random_state=1).reset_index(drop=True)
    if "arrow" in kind:
        pipes, manholes = arrow(pipes), arrow(manholes)
    found = answers(audit.run({**layers, "pipes": pipes, "manholes": manholes}))
    for before, after in zip(plain, found, strict=True):
        pd.testing.assert_frame_equal(before, after)


@pytest.mark.parametrize("length", [1, 7, 8, 9, 15, 16])
def test_ids_that_differ_in_one_letter_are_distinct_and_equal_ones_are_not(compiled, length):
    names = [f"{i:016d}"[-length:] for i in range(10 if length == 1 else 40)]
    assert checks_layer._surely_distinct(pa.array([*names, "", "padding" * 2]))
    assert not checks_layer._surely_distinct(pa.array([*names, names[3], "padding" * 2]))


def test_points_come_straight_from_the_bytes_and_a_missing_one_goes_the_long_way():
    place = shapely.points([1.0, 2.0], [3.0, 4.0])
    for geometry_, missing in ((place, [False, False]), (np.array([place[0], None]), [False, True])):
        table = pa.table({"id": ["a", "b"], "geometry": pa.array(shapely.to_wkb(geometry_), type=pa.binary())})
        found = tables.points_of(tables.Table(table), "id")
        assert found.x[0] == 1.0
        assert found.y[0] == 3.0
        assert found.missing.tolist() == missing
