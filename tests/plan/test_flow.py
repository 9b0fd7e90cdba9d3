"""Partly full pipes: the fill of the greatest flow, areas undone, dry pipes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapapp.plan import flow


def test_no_fill_carries_more_than_the_fullest() -> None:
    """Above 0.938 of the diameter friction grows faster than the area; a pipe is never counted on beyond it."""
    fills = np.linspace(0.01, 0.999, 2000)
    flows = flow.capacity(1.0, 0.004, 0.013, fills)
    assert fills[flows.argmax()] == pytest.approx(flow.FULLEST, abs=1e-3)
    assert np.isnan(flow.normal_fill(flows.max() * 1.0001, 1.0, 0.004, 0.013))


@given(st.floats(0.0, 1.0), st.floats(0.1, 3.0))
def test_the_fill_of_an_area_undoes_the_area(fill: float, diameter_m: float) -> None:
    back = flow.fill_of_area(flow.area(diameter_m, fill), diameter_m)
    assert flow.area(diameter_m, back) == pytest.approx(flow.area(diameter_m, fill), abs=1e-9 * diameter_m**2)


def test_a_dry_pipe_has_no_depth_and_no_speed() -> None:
    assert flow.normal_fill(0.0, 0.3, 0.004, 0.013) == 0
    assert flow.velocity(0.0, 0.3, 0.0) == 0
    assert flow.radius(0.3, 0.0) == 0
