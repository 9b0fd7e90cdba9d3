"""Users, shares and jobs; of secrets only hashes are stored."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from mapapp import store
from mapapp.core.errors import ConflictError, GoneError, InputError, NotFoundError
from mapapp.core.text import Text
from mapapp.store import secrets


def test_a_user_logs_in_with_the_right_password_only(county: store.Database) -> None:
    user = county.users.add("王工", "correct horse", "editor", unit="住建局")
    assert county.users.verify("王工", "correct horse") == user
    assert county.users.verify("王工", "wrong") is None
    assert county.users.verify("nobody", "correct horse") is None
    county.users.update("王工", role="viewer", disabled=True)
    assert county.users.verify("王工", "correct horse") is None
    assert [u.role for u in county.users.list()] == ["viewer"]
    county.users.update("王工", password="another one", disabled=False)
    assert county.users.verify("王工", "another one") is not None
    county.users.remove("王工")
    with pytest.raises(NotFoundError):
        county.users.get("王工")


def test_wrong_users_are_refused(county: store.Database) -> None:
    county.users.add("li", "long enough")
    with pytest.raises(ConflictError, match="already"):
        county.users.add("li", "long enough")
    with pytest.raises(InputError, match="no role 'king'"):
        county.users.add("x", "long enough", "king")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="8 characters"):
        county.users.add("x", "short")


def test_no_secret_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.gpkg"
    with store.create(path, "c", "EPSG:4544") as db:
        db.users.add("li", "correct horse")
        _, token = db.shares.add({"layers": ["compounds"]}, by="li", passcode="4711-0815")
    body = path.read_bytes()
    assert len(token) >= 32
    assert not any(secret.encode() in body for secret in ("correct horse", token, "4711-0815"))


def test_hashes_are_argon2id_at_a_cost_that_hurts_a_guesser() -> None:
    """OWASP's least for argon2id: 19 MiB and two passes; the same password twice gives two hashes."""
    kind, cost = secrets.password_hash("correct horse").split("$")[1:4:2]
    asked = {name: int(value) for name, _, value in (part.partition("=") for part in cost.split(","))}
    assert kind == "argon2id"
    assert asked["m"] >= 19_456
    assert asked["t"] >= 2
    assert secrets.password_hash("correct horse") != secrets.password_hash("correct horse")


def test_a_share_opens_until_it_expires_or_is_revoked(county: store.Database) -> None:
    share, token = county.shares.add(
        {"layers": ["compounds"], "单位": 1}, by="li", recipient="张三", expires_at="2026-12-09T18:00:00+08:00"
    )
    assert county.shares.open(token, moment=datetime.fromisoformat("2026-12-09T17:59:59+08:00")) == share
    assert (dict(share.spec), share.recipient, share.expires_at) == (
        {"layers": ["compounds"], "单位": 1},
        "张三",
        "2026-12-09T18:00:00+08:00",
    )
    with pytest.raises(GoneError, match="over"):
        county.shares.open(token, moment=datetime.fromisoformat("2026-12-09T10:00:00+00:00"))
    live, other = county.shares.add({}, by="li")
    county.shares.count_view(live.id)
    assert county.shares.open(other).views == 1
    county.shares.revoke(live.id, by="li")
    with pytest.raises(GoneError):
        county.shares.open(other)
    with pytest.raises(NotFoundError, match="no such share"):
        county.shares.open("guess")
    with pytest.raises(InputError, match="no zone"):
        county.shares.add({}, by="li", expires_at="2026-12-09T18:00:00")
    assert [s.id for s in county.shares.list()] == [live.id, share.id]


def test_wrong_pass_codes_are_counted_and_never_shut_a_share_for_good(county: store.Database) -> None:
    share, _ = county.shares.add({}, by="li", passcode="4711")
    assert not any(county.shares.check_passcode(share.id, str(n)) for n in range(12))
    assert county.shares.get(share.id).attempts == 12
    assert county.shares.check_passcode(share.id, "4711")
    assert county.shares.get(share.id).attempts == 0, "the right code forgives"


def test_a_job_tells_how_far_it_is_and_hears_the_wish_to_stop(county: store.Database) -> None:
    job = county.jobs.add("audit", by="li")
    assert (job.state, job.progress, job.cancel) == ("waiting", 0, False)
    county.jobs.request_cancel(job.id)
    told = county.jobs.update(job.id, state="running", progress=0.5, message=Text("读取", "reading"))
    assert (told.state, told.progress, told.message, told.cancel) == ("running", 0.5, Text("读取", "reading"), True)
    done = county.jobs.update(job.id, state="done", result={"findings": 3})
    assert (done.result, county.jobs.list()) == ({"findings": 3}, [done])
    with pytest.raises(NotFoundError, match="no job 99"):
        county.jobs.get(99)
    with pytest.raises(InputError, match="no job state 'lost'"):
        county.jobs.update(job.id, state="lost")  # type: ignore[arg-type]
    assert county.jobs.get(job.id).state == "done"
