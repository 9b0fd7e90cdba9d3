"""A county of the test's own, copied from the one its module built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mapapp.services.frames import County


@pytest.fixture
def county(built: Path, tmp_path: Path) -> Iterator[County]:
    """Give a copy of the module's ``built`` county, open; closed when the test ends."""
    path = tmp_path / "c.gpkg"
    path.write_bytes(built.read_bytes())
    made = County(str(path))
    yield made
    made.close()
