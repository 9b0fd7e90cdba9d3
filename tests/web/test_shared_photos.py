"""Photos in links: a public link never, a unit link where its maker ticked it, and then of the unit's own problems alone."""

from __future__ import annotations

import dataclasses
import io

import pytest
from flask import Flask
from PIL import Image

from mapapp.services import photos
from mapapp.services.scope import Scope
from tests.web.conftest import Asker
from tests.web.test_shares import entered, unit

LI = Scope("li", role="editor")


def picture() -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 90, 20)).save(out, "JPEG")
    out.seek(0)
    return out


@pytest.fixture
def hung(app: Flask) -> dict[str, str]:
    """Hang photos on a problem of the water company, one of the power company, one elsewhere, and an inspection."""
    county = app.extensions["mapapp_county"]
    things = {"own": ("problems", "T1"), "other": ("problems", "T2"), "visit": ("visits", "C1")}
    return {
        name: photos.add(county, LI, layer, id_, picture(), caption="李四家门口")["photo_id"]
        for name, (layer, id_) in things.items()
    }


def codes(guest: Asker, base: str, hung: dict[str, str]) -> dict[str, int]:
    return {name: guest.get(f"{base}/photos/{id_}").status_code for name, id_ in hung.items()}


@pytest.mark.parametrize("live", [True, False])
def test_a_unit_link_shows_photos_of_its_own_problems_when_ticked(app: Flask, share, hung, live: bool) -> None:
    base = unit(share, photos=True, live=live)
    assert Asker(app).get(f"{base}/photos/{hung['own']}").status_code == 401  # the pass code comes first
    guest = entered(app, base)
    assert codes(guest, base, hung) == {"own": 200, "other": 404, "visit": 404}
    answer = guest.get(f"{base}/photos/{hung['own']}")
    assert answer.mimetype == "image/jpeg"
    assert "no-store" in answer.headers["Cache-Control"]
    told = guest.get(base + "/api/features/problems/T1").get_json()["photos"]
    assert [(p["photo_id"], set(p)) for p in told] == [(hung["own"], {"photo_id", "stage", "taken_on"})]
    card = guest.get(base + "/api/features/compounds/C1").get_data(as_text=True)
    assert hung["own"] in card
    assert hung["other"] not in card
    assert "李四" not in card
    assert guest.get(base + "/api/features/photos").status_code == 404


def test_without_the_tick_there_are_none(app: Flask, share, hung) -> None:
    base = unit(share)
    guest = entered(app, base)
    assert set(codes(guest, base, hung).values()) == {404}
    assert "photo" not in guest.get(base + "/api/features/compounds/C1").get_data(as_text=True)


def test_a_public_link_never_carries_photos_whatever_is_stored(app: Flask, asker: Asker, hung) -> None:
    state = {"kind": "public", "layers": ["compounds", "problems"], "photos": True}
    made = asker.post("/api/shares", state).get_json()
    assert any("照片" in sentence for sentence in made["left_out"])
    base = "/s/" + made["url"].rpartition("/s/")[2]
    assert set(codes(Asker(app), base, hung).values()) == {404}
    county = app.extensions["mapapp_county"]
    from mapapp.services.scope import ShareSpec

    forced = dataclasses.replace(ShareSpec(layers=("compounds", "problems")), photos=True)
    assert photos.shared(county.at(Scope("x", share=forced)), ["T1"]) == {}


def test_a_removed_photo_is_gone_from_links_too_and_a_viewer_sees_none(app: Flask, share, hung) -> None:
    base = unit(share, photos=True)
    guest = entered(app, base)
    photos.remove(app.extensions["mapapp_county"], LI, hung["own"])
    assert codes(guest, base, hung)["own"] == 404
    assert guest.get(base + "/api/features/problems/T1").get_json()["photos"] == []
