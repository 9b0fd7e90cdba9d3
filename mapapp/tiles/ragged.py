"""This module handles ragged arrays: many short lists laid end to end, with their lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def ranges(starts: npt.NDArray[Any], counts: npt.NDArray[Any]) -> Ints:
    """Return ``concatenate([arange(s, s + c) for s, c in zip(starts, counts)])``."""
    counts = counts.astype(np.int64)
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts.astype(np.int64) - (ends - counts), counts) + np.arange(total)


def starts_of(counts: npt.NDArray[Any]) -> Ints:
    """Return where each list begins, and the total length at the end; length n + 1."""
    out = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=out[1:])
    return out


def sums(values: npt.NDArray[Any], counts: npt.NDArray[Any]) -> Ints:
    """Return the sum of each list; 0 for an empty one."""
    total = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=total[1:])
    edges = starts_of(counts)
    return total[edges[1:]] - total[edges[:-1]]
