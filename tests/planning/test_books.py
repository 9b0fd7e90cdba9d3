"""Standards and price books that a county brings along."""

from __future__ import annotations

import pytest

from mapapp import resources, store
from mapapp.core.errors import ForbiddenError, InputError
from mapapp.services import plan_books
from mapapp.services.scope import Scope

EDITOR, VIEWER = Scope("li", role="editor"), Scope("gu", role="viewer")
EXAMPLE = resources.geodata("prices", "example.toml").read_bytes()


@pytest.fixture
def db(tmp_path):
    with store.create(str(tmp_path / "c.gpkg"), name="县", crs="EPSG:4549") as made:
        yield made


def test_an_uploaded_book_is_offered_and_used(db):
    """What was uploaded is listed, comes back as it was written, and counts with its own figures."""
    ours = EXAMPLE.replace(b"high = 1.3", b"high = 1.7")
    name = plan_books.keep(db, EDITOR, "prices", "C:\\桌面\\本县.toml", ours, at="2026-11-23")
    assert name == "本县"
    assert plan_books.get(db, "prices", "本县").high == 1.7
    assert plan_books.text_of(db, "prices", "本县") == ours.decode()
    assert {b["name"]: b["uploaded"] for b in plan_books.listed(db, "prices", "zh")} == {"example": False, "本县": True}


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.toml", b"[pipe", "TOML"),
        ("a.toml", "价".encode("gbk"), "UTF-8"),
        ("a.toml", b"low = 1", "pipe"),
        ("a.toml", EXAMPLE.replace(b"drop_manhole = 3000", b"drop_manholes = 3000"), "drop_manholes"),
        ("a.xlsx", b"PK", ".toml"),
        ("a.toml", b"#" * 250_000, "kB"),
        ("a.toml", b"title = 3\n" + EXAMPLE.replace(b"title", b"# title"), "type"),
    ],
)
def test_a_bad_book_is_refused_whole(db, name, body, said):
    """One sentence says what is wrong, and nothing is kept."""
    with pytest.raises(InputError) as caught:
        plan_books.keep(db, EDITOR, "prices", name, body, at="")
    assert said in caught.value.message("en")
    assert [b["name"] for b in plan_books.listed(db, "prices", "en")] == ["example"]


def test_a_path_is_no_name(db, tmp_path):
    """A browser cannot make the server open one of its files."""
    path = tmp_path / "mine.toml"
    path.write_bytes(EXAMPLE)
    for name in (str(path), "../prices/example", "example.toml", ""):
        with pytest.raises(InputError):
            plan_books.get(db, "prices", name)


def test_viewers_upload_nothing(db):
    """Only editors bring books."""
    with pytest.raises(ForbiddenError):
        plan_books.keep(db, VIEWER, "prices", "a.toml", EXAMPLE, at="")
