"""This module keeps freed memory at hand while a large computation runs, instead of asking the system for it again and again."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # mallopt(3)
_TRIM_USUAL, _MMAP_USUAL = 64 << 20, 65_536  # what the allocator comes to by itself once large arrays were freed
_NEVER = (1 << 31) - 1


@cache
def _allocator() -> ctypes.CDLL | None:
    """Return the C library where it is GNU's; None elsewhere."""
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018  # raises where it is another one
        library.malloc_trim.argtypes = [ctypes.c_size_t]
    except (OSError, AttributeError, TypeError):
        return None
    return library


@contextmanager
def kept() -> Iterator[None]:
    """Reuse freed memory inside the block; at its end what is free goes back to the system.

    GNU's allocator maps every array above some megabytes anew and the system clears it page by page, which takes as long
    as the arithmetic on tens of millions of elements. Nothing happens where another allocator is used.
    """
    library = _allocator()
    if library is None:
        yield
        return
    library.mallopt(_MMAP_MAX, 0)
    library.mallopt(_TRIM_THRESHOLD, _NEVER)
    try:
        yield
    finally:
        library.mallopt(_MMAP_MAX, _MMAP_USUAL)
        library.mallopt(_TRIM_THRESHOLD, _TRIM_USUAL)
        library.malloc_trim(0)
