"""The base map: off by default, and its key never leaves the server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from flask import Flask

from mapapp.core.errors import InputError, NotFoundError
from mapapp.settings import Settings
from mapapp.web import basemap, create_app

TIANDITU = Settings("x.gpkg", basemap="tianditu", tianditu_token="abcdef0123456789")


def test_off_by_default(app: Flask, asker) -> None:
    assert asker.get("/basemap/3/1/1").status_code == 404
    assert "basemap/" not in asker.get("/").get_data(as_text=True)


def test_the_key_goes_to_the_map_server_and_into_no_page(county) -> None:
    address = basemap.upstream(TIANDITU, "vec", 10, 853, 418)
    assert "tk=abcdef0123456789" in address
    assert address.startswith("https://t7.tianditu.gov.cn/vec_w/wmts?")
    app = create_app(Settings(str(county), basemap="tianditu", tianditu_token="abcdef0123456789", secret_key="k"))
    page = app.test_client().get("/").get_data(as_text=True)
    assert "/basemap/{z}/{x}/{y}" in page
    assert "abcdef0123456789" not in page


def test_only_known_kinds_and_tiles_that_exist_are_asked_for() -> None:
    with pytest.raises(NotFoundError):
        basemap.upstream(TIANDITU, "../secret", 3, 1, 1)
    with pytest.raises(InputError):
        basemap.upstream(TIANDITU, "vec", 3, 8, 0)


@pytest.fixture
def map_server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            html = self.path.startswith("/5/")
            self.send_response(404 if self.path.startswith("/4/") else 200)
            self.send_header("Content-Type", "text/html" if html else "image/png")
            self.end_headers()
            self.wfile.write(b"<script>alert(1)</script>" if html else b"\x89PNG" + self.path.encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{{z}}/{{x}}/{{y}}"
        server.shutdown()


def test_images_are_passed_on_and_nothing_else_is(county, map_server: str) -> None:
    client = create_app(Settings(str(county), basemap="xyz", basemap_url=map_server, secret_key="k")).test_client()
    answer = client.get("/basemap/3/1/2")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/png", b"\x89PNG/3/1/2")
    assert client.get("/basemap/4/1/2").status_code == 502
    assert client.get("/basemap/5/1/2").status_code == 502
