"""A county is audited without waiting for a compiler, and quick ways give what slow ones give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mapapp.audit.model import near_few

_ONE_COUNTY = """
import sys
sys.path.insert(0, sys.argv[1])
import towns
from mapapp import audit
layers = towns.layers(
    [towns.falling("P1", 10, 9, (0, 0), (50, 0)), towns.falling("P2", 9, 8, (50, 0), (90, 0))],
    manholes=[{"node_id": "M1", "geometry": towns.point(50, 0)}],
    outlets=[towns.plant(91, 0)],
    compounds=[{"compound_id": "C1", "geometry": towns.square(-10, -10)}, {"compound_id": "C2", "geometry": towns.square(40, 30)}],
)
assert len(audit.run(layers).candidates)
print(*({"numba", "scipy"} & set(sys.modules)))
"""


def test_the_audit_of_one_county_loads_neither_numba_nor_scipy():
    """They take two seconds and a quarter of a second, longer than the audit of 20,000 pipes."""
    done = subprocess.run(
        [sys.executable, "-c", _ONE_COUNTY, str(Path(__file__).parent)], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []


@given(
    st.lists(st.tuples(st.integers(-60, 60), st.integers(-60, 60)), max_size=40),
    st.lists(st.tuples(st.integers(-60, 60), st.integers(-60, 60)), max_size=12),
    st.sampled_from([0.3, 1.0, 2.0, 5.0]),
)
def test_the_many_near_a_few_are_those_of_brute_force(many, few, reach):
    """Every pair within reach, once; cell borders and the points on them do not matter."""
    x, y = np.array(many, dtype=float).reshape(-1, 2).T / 4
    fx, fy = np.array(few, dtype=float).reshape(-1, 2).T / 4
    place, other, distance = near_few(x, y, fx, fy, reach)
    apart = np.hypot(x[:, None] - fx, y[:, None] - fy)
    assert sorted(zip(place.tolist(), other.tolist(), strict=True)) == [
        (i, j) for i, j in np.argwhere(apart <= reach + 1e-9).tolist()
    ]
    assert np.allclose(distance, apart[place, other])
