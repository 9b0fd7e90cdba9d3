"""This module keeps the tables used last, so that one page's many questions read the database once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

import pandas as pd

_MAX_ROWS: Final = 4_000_000


class Cache:
    """Keeps the frames used last, up to a number of rows in all; safe for threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, pd.DataFrame] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Return the table kept under a key, or make it."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()  # outside the lock: two threads may both build it, and both are right
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > _MAX_ROWS:
                self._kept.popitem(last=False)
        return made
