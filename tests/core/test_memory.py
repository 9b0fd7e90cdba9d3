"""Freed memory is used again inside the block, and what follows works as before."""

from __future__ import annotations

import resource

import pytest

from mapapp.core import memory

_SIZE = 64 << 20


def faults() -> int:
    """Return how many pages the system had to hand out while a large array was made."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray(_SIZE)[_SIZE // 2] = 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_a_second_array_takes_the_pages_of_the_first():
    if memory._allocator() is None:
        pytest.skip("another allocator than GNU's")
    with memory.kept():
        faults()
        assert faults() < _SIZE // 4096 // 10


def test_a_fault_inside_the_block_is_passed_on_and_memory_goes_back():
    with pytest.raises(ValueError, match="inside"), memory.kept():
        raise ValueError("inside")
    assert len(bytearray(_SIZE)) == _SIZE
