"""The yard's addresses: who may send, what an old page's token does, and how far the worker reaches."""

from __future__ import annotations

import io

from flask import Flask
from PIL import Image

from .conftest import Asker

VISIT = {
    "visit_id": "v-0123456789abcdef",
    "node_id": "N2",
    "found": "buried",
    "visited_at": "2026-11-20T09:30:00+08:00",
}


def send(asker: Asker, **more: object):
    return asker.client.post("/api/yard/visits", data=VISIT | more, headers={"X-CSRF-Token": asker.csrf})


def test_the_pack_brings_the_token_that_an_old_page_lacks(asker: Asker) -> None:
    asker.csrf = asker.get("/api/yard").get_json()["csrf"]
    assert send(asker).status_code == 201
    assert send(asker).status_code == 200
    asker.csrf = "old"
    assert send(asker).status_code == 403


def test_the_worker_reaches_the_yard_and_nothing_else(asker: Asker) -> None:
    answer = asker.get("/yard/worker.js")
    assert answer.headers["Service-Worker-Allowed"] == "/yard"
    assert answer.mimetype.endswith("javascript")


def test_a_photo_that_is_none_leaves_no_visit_behind(asker: Asker) -> None:
    answer = send(asker, photo=(io.BytesIO(b"not a picture"), "p.jpg"))
    assert answer.status_code == 400
    assert send(asker).get_json()["already"] is False


def test_a_photo_is_kept_once_and_without_its_metadata(asker: Asker) -> None:
    for _ in range(2):
        picture, exif = io.BytesIO(), Image.Exif()
        exif[0x010F] = "SecretPhone"
        Image.new("RGB", (40, 30)).save(picture, "JPEG", exif=exif)
        picture.seek(0)
        assert send(asker, photo=(picture, "p.jpg")).status_code in (200, 201)
    page = asker.get("/compounds/C1").get_data(as_text=True)
    assert "SecretPhone" not in page
    county = asker.client.application.extensions["mapapp_county"]
    photos = county.db.read("photos")
    assert list(photos["feature_id"]) == [VISIT["visit_id"]]


def test_a_viewer_may_look_but_not_send(served: Flask) -> None:
    viewer = Asker(served)
    viewer.log_in("gu", "guest-password")
    assert viewer.get("/api/yard").get_json()["edits"] is False
    assert send(viewer).status_code == 403
    assert viewer.post("/api/yard/audit", {}).status_code == 403


def test_nobody_logged_in_gets_neither_page_nor_pack(served: Flask) -> None:
    stranger = Asker(served)
    assert stranger.get("/yard").status_code == 302
    assert stranger.get("/api/yard").status_code == 401
