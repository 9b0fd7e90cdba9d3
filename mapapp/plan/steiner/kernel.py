"""This module compiles the hot loops, keeping their types visible to the type checker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

Array = np.ndarray[Any, Any]
F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile ``function`` at its first call and keep the machine code on disk."""
    return cast(F, njit(cache=True)(function))
