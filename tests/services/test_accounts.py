"""Accounts and guessing: the clock is given, so that nobody waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mapapp import store
from mapapp.core.errors import InputError
from mapapp.services import accounts, attempts

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[store.Database]:
    with store.create(str(tmp_path / "c.gpkg"), name="县", crs="EPSG:4549") as made:
        yield made


def test_four_wrong_answers_are_free_and_then_each_waits_longer_up_to_an_hour(db: store.Database) -> None:
    waits, now = [], NOON
    for _ in range(14):
        assert attempts.claim(db, "user:li", now=now) is None
        left = attempts.wait(db, "user:li", now=now)
        waits.append(left.total_seconds() / 60 if left else 0)
        now += left or timedelta(0)
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_a_wait_ends_and_a_right_answer_forgets(db: store.Database) -> None:
    for _ in range(5):
        attempts.claim(db, "user:li", now=NOON)
    assert attempts.wait(db, "user:li", now=NOON + timedelta(seconds=59))
    assert attempts.wait(db, "user:li", now=NOON + timedelta(seconds=60)) is None
    assert attempts.wait(db, "user:wang", now=NOON) is None
    attempts.right(db, "user:li")
    attempts.claim(db, "user:li", now=NOON)
    assert attempts.wait(db, "user:li", now=NOON) is None


def test_names_that_nobody_has_leave_no_trace(db: store.Database) -> None:
    with pytest.raises(accounts.WrongError):
        accounts.log_in(db, "nobody", "some-password")
    assert db.setting(attempts._key("user:nobody")) is None


def test_names_that_nobody_has_wait_like_the_others(db: store.Database) -> None:
    kinds = []
    for _ in range(7):
        with pytest.raises((accounts.WrongError, accounts.LockedError)) as told:
            accounts.log_in(db, "nobody else", "some-password")
        kinds.append(told.type)
    assert kinds == [accounts.WrongError] * 5 + [accounts.LockedError] * 2


def test_short_passwords_and_unknown_roles_are_refused(db: store.Database) -> None:
    for password, role in [("short", "viewer"), ("long-enough-password", "king")]:
        with pytest.raises(InputError):
            accounts.add(db, name="li", password=password, role=role)
    assert accounts.listed(db) == []


def test_a_new_password_is_a_new_mark_and_the_list_shows_no_hash(db: store.Database) -> None:
    before = accounts.add(db, name="li", password="first-password", role="editor")
    accounts.set_password(db, "li", "second-password")
    assert accounts.find(db, "li").mark != before.mark
    assert accounts.log_in(db, "li", "second-password").role == "editor"
    assert set(accounts.listed(db)[0]) == {"name", "role", "unit", "disabled"}
