"""The key that signs sessions: one for all processes, readable by its owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mapapp.core.errors import InputError
from mapapp.web import secret


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    database = str(tmp_path / "county.gpkg")
    key = secret.beside(database)
    assert len(key) >= 32
    assert secret.beside(database) == key
    assert stat.S_IMODE(Path(database + ".key").stat().st_mode) == 0o600


def test_a_key_that_cannot_be_kept_is_told_with_the_way_round(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="MAPAPP_SECRET_KEY"):
        secret.beside(str(tmp_path / "no such folder" / "county.gpkg"))


def test_databases_on_a_server_get_a_fresh_key() -> None:
    assert secret.beside("postgresql://host/db") != secret.beside("postgresql://host/db")
