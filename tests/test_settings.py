"""Settings are read once, checked whole, and a bad value is told with its name."""

from __future__ import annotations

import pytest

from mapapp.core.errors import InputError
from mapapp.settings import Settings


def test_a_loopback_address_is_local_and_every_other_is_not() -> None:
    assert all(Settings("x.gpkg", host=h).local for h in ("127.0.0.1", "localhost", "::1", "127.3.2.1"))
    assert not any(Settings("x.gpkg", host=h).local for h in ("0.0.0.0", "10.0.0.5", "::", "map.county.example"))


def test_a_public_address_or_a_wish_for_logins_ends_local_mode() -> None:
    assert not Settings("x.gpkg", public_url="https://map.county.example").local
    assert not Settings("x.gpkg", login_on_loopback=True).local


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAPAPP_UPLOAD_MB", "many"), ("MAPAPP_BEHIND_HTTPS", "perhaps"), ("MAPAPP_LANGUAGE", "fr"), ("MAPAPP_BASEMAP", "google"),
     ("MAPAPP_BASEMAP", "tianditu"), ("MAPAPP_PUBLIC_URL", "map.county.example"), ("MAPAPP_THREADS", "0")],
)  # fmt: skip
def test_a_bad_value_is_refused_and_named(name: str, value: str) -> None:
    with pytest.raises(InputError) as told:
        Settings.from_environ({name: value}, database="x.gpkg")
    assert told.value.where


def test_the_command_line_wins_over_the_environment() -> None:
    read = Settings.from_environ(
        {"MAPAPP_THREADS": "7", "MAPAPP_HOSTS": "a.example, b.example"}, database="x.gpkg", threads=2
    )
    assert (read.threads, read.hosts) == (2, ("a.example", "b.example"))


def test_secrets_are_not_in_the_settings_text() -> None:
    text = repr(Settings("x.gpkg", secret_key="s3cret", basemap="tianditu", tianditu_token="abcdef123456"))
    assert "s3cret" not in text
    assert "abcdef123456" not in text
