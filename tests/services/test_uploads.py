"""Uploaded files lie where only this user of the machine can look."""

from __future__ import annotations

import io
import os
import tempfile
import time
from pathlib import Path

import pytest

from mapapp.core.errors import InputError, NotFoundError
from mapapp.services import uploads
from mapapp.services.scope import Scope

EDITOR = Scope("li", role="editor")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_two_users_of_one_machine_do_not_meet(elsewhere: Path) -> None:
    word = uploads.keep([("a.csv", io.BytesIO(b"x"))], EDITOR)
    (folder,) = elsewhere.iterdir()
    assert folder.name == f"mapapp-uploads-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in uploads.files(EDITOR, word)] == ["a.csv"]


@pytest.mark.parametrize("how", ["owner", "link"])
def test_a_folder_that_somebody_else_put_there_is_not_used(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Whoever guesses the name and makes the folder first would otherwise read what others upload."""
    if how == "owner":
        monkeypatch.setattr(os, "getuid", lambda: elsewhere.stat().st_uid + 1)
    else:
        (elsewhere / "theirs").mkdir()
        (elsewhere / f"mapapp-uploads-{os.getuid()}").symlink_to(elsewhere / "theirs")
    with pytest.raises(InputError, match="belongs to another user"):
        uploads.keep([("a.csv", io.BytesIO(b"x"))], EDITOR)
    assert not any(p.is_file() for p in elsewhere.rglob("*"))


def test_what_nobody_confirmed_is_gone_after_some_hours(elsewhere: Path) -> None:
    old = uploads.keep([("a.csv", io.BytesIO(b"x"))], EDITOR)
    uploads.forget_old(now=time.time() + 5 * 3600)
    assert uploads.files(EDITOR, old)
    uploads.forget_old(now=time.time() + 7 * 3600)
    with pytest.raises(NotFoundError, match="Upload them again"):
        uploads.files(EDITOR, old)
