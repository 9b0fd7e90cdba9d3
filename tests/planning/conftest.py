"""A planned county, made once, and given to each test as its own copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from mapapp.services import planning

from . import town


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "town.gpkg"
    town.town(path)
    planning.run(str(path), by="li", budget=100_000)
    return path


@pytest.fixture
def planned(made: Path, tmp_path: Path) -> Path:
    """Give a county with three unserved compounds linked, and one refused because it is far away."""
    path = tmp_path / "town.gpkg"
    path.write_bytes(made.read_bytes())
    return path


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Give the same county, not planned yet."""
    path = tmp_path / "bare.gpkg"
    town.town(path)
    return path


@pytest.fixture
def app(planned: Path, application: Callable[..., Flask]) -> Flask:
    """Give the application as on the planner's own machine."""
    return application(planned)


@pytest.fixture
def served(planned: Path, application: Callable[..., Flask]) -> Flask:
    """Give the application as on an office server: users and roles."""
    return application(planned, host="0.0.0.0")
