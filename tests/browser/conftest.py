"""This module serves the town with the real application and drives Chromium against it; no other host is ever asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page
from waitress.server import create_server

from mapapp.settings import Settings
from mapapp.web import create_app

from . import town

PATIENCE_MS = 20_000
"""How long a busy machine may take before a test calls it a failure."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
Opener = Callable[..., Page]


@contextmanager
def serve(path: Path) -> Iterator[str]:
    """Serve a database with waitress on a free port and give its address."""
    serving = create_server(
        create_app(Settings(database=str(path), host="127.0.0.1")), host="127.0.0.1", port=0, threads=6
    )
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{serving.effective_port}"
    serving.close()
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the town from a real GeoPackage and give its address."""
    path = tmp_path_factory.mktemp("town") / "town.gpkg"
    town.build(path)
    with serve(path) as address:
        yield address


def wait_for_map(page: Page | Frame) -> None:
    """Wait until numbers and tiles are there."""
    page.wait_for_function(
        "() => { try { return Mapapp.summary && Mapapp.maplayer.tiles().counts('compounds').shown > 0; }"
        " catch (error) { return false; } }"
    )


class Watch:
    """Notes what a page must not do: fail in a script, break its content security policy, ask another host."""

    def __init__(self, chromium: Browser, server: str) -> None:
        self.chromium, self.server = chromium, server
        self.contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    def note(self, url: str) -> None:
        """Write down a request that leaves this machine."""
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOOPBACK:
            self.faults.append(f"another host was asked: {url}")

    def said(self, text: str) -> None:
        """Write down what the console says of the content security policy."""
        if "Content Security Policy" in text:
            self.faults.append(text)

    def open(self, path: str = "/", *, size: tuple[int, int] = (1440, 900), ready: bool = True, **more: Any) -> Page:
        """Open an address in a fresh context."""
        phone = size[0] < 500
        context = self.chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=more.pop("locale", "zh-CN"),
            has_touch=phone, is_mobile=phone, reduced_motion="reduce", **more,
        )  # fmt: skip
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: self.note(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self.said(message.text))
        page.goto(path if path.startswith("http") else self.server + path)
        if ready:
            wait_for_map(page)
        return page

    def end(self) -> None:
        """Close what was opened; nothing forbidden may have been noted."""
        for context in self.contexts:
            context.close()
        assert not self.faults, self.faults


@pytest.fixture
def open_page(chromium: Browser, server: str) -> Iterator[Opener]:
    """Open addresses of the server, each in a fresh context; afterwards nothing forbidden happened."""
    watch = Watch(chromium, server)
    yield watch.open
    watch.end()


@pytest.fixture(scope="module")
def seen(chromium: Browser, server: str) -> Iterator[Page]:
    """Give the map page as it opens, shared by tests that only look."""
    watch = Watch(chromium, server)
    yield watch.open()
    watch.end()
