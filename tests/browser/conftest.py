"""This module serves the town with the real application and drives Chromium against it; no other host is ever asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from waitress.server import create_server

from mapapp.settings import Settings
from mapapp.web import create_app

from . import town

CHROMIUM = Path("/usr/bin/chromium")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
Opener = Callable[..., Page]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the town on a free port and give its address, by waitress from a real GeoPackage."""
    path = tmp_path_factory.mktemp("town") / "town.gpkg"
    town.build(path)
    serving = create_server(
        create_app(Settings(database=str(path), host="127.0.0.1")), host="127.0.0.1", port=0, threads=6
    )
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{serving.effective_port}"
    serving.close()
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; names other than this machine's do not resolve in it."""
    if not CHROMIUM.exists():
        pytest.skip("Debian's Chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )  # fmt: skip
        yield browser
        browser.close()


def wait_for_map(page: Page) -> None:
    """Wait until numbers and tiles are there."""
    page.wait_for_function(
        "() => { try { return Mapapp.summary && Mapapp.maplayer.tiles().counts('compounds').shown > 0; }"
        " catch (error) { return false; } }"
    )


@pytest.fixture
def open_page(chromium: Browser, server: str) -> Iterator[Opener]:
    """Open an address of the server in a fresh context; afterwards no script failed and no other host was asked."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []
    strangers: list[str] = []

    def note(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOOPBACK:
            strangers.append(url)

    def opener(path: str = "/", *, size: tuple[int, int] = (1440, 900), ready: bool = True, **more: object) -> Page:
        phone = size[0] < 500
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=more.pop("locale", "zh-CN"),
            has_touch=phone, is_mobile=phone, reduced_motion="reduce", **more,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda request: note(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(path if path.startswith("http") else server + path)
        if ready:
            wait_for_map(page)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert not strangers, f"other hosts were asked: {strangers}"
    assert not faults, faults
