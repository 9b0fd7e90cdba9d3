"""Machine code is made once per machine, loaded without the compiler, and never trusted blindly."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from mapapp.core import geometry, loops, machine

_LENGTHS = """
import sys
from mapapp.core import loops
import numpy as np
print(loops.lengths(np.array([0.0, 3.0]), np.array([0.0, 4.0]), np.array([0, 2]))[0], "numba" in sys.modules)
"""


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Keep the code in a folder of its own, not loaded yet."""
    monkeypatch.setattr(machine, "_state", {})
    monkeypatch.setattr(machine, "_loops", {"_lengths": machine._loops["_lengths"]})  # the others take seconds
    path = tmp_path / "loops.bin"
    monkeypatch.setattr(machine, "_places", lambda: [path])
    return path


def test_a_second_process_loads_the_loops_without_the_compiler():
    assert machine.prepare()
    done = subprocess.run([sys.executable, "-c", _LENGTHS], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["5.0", "False"]


def test_a_damaged_file_is_noticed_and_made_anew(elsewhere):
    machine.prepare()
    good = elsewhere.read_bytes()
    elsewhere.write_bytes(good[:-100] + bytes(100))
    machine._state.clear()
    assert machine._stored() is None
    machine.load()
    assert machine._stored() is not None


def test_where_nothing_can_be_compiled_numpy_takes_over(elsewhere, monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(geometry, "_COMPILED_FROM", 0)
    assert not machine.prepare()
    assert not geometry.compiled_pays(10**9)
    with pytest.raises(RuntimeError, match="cannot run"):
        loops.lengths(np.zeros(2), np.zeros(2), np.array([0, 2]))


def test_arrays_of_another_type_are_refused_and_scattered_ones_copied():
    x, offsets = np.arange(8.0)[::2], np.array([0, 4])
    assert loops.lengths(x, x * 0, offsets)[0] == 6.0
    with pytest.raises(TypeError, match="float32"):
        loops.lengths(x.astype(np.float32), x, offsets)
