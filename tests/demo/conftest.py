"""One demo county for all tests of this room."""

from __future__ import annotations

import pytest

from mapapp import demo


@pytest.fixture(scope="session")
def county() -> demo.County:
    return demo.county()
