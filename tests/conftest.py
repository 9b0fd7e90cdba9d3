"""What rooms share: one Chromium, for two Playwright loops cannot live in one process, and applications that are closed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; names other than this machine's do not resolve in it."""
    if not CHROMIUM.exists():
        pytest.skip("Debian's Chromium is not installed (apt-get install chromium)")
    driver = subprocess.run([compute_driver_executable()[0], "--version"], capture_output=True, text=True, check=False)
    if driver.returncode:
        pytest.skip(f"Playwright's driver does not start: {driver.stderr.strip()} (apt-get install libatomic1)")
    expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
            env={**os.environ, "LC_ALL": "C.UTF-8"},  # in an ASCII locale Chromium cannot read Chinese file names
        )  # fmt: skip
        yield browser
        browser.close()


@pytest.fixture
def application() -> Iterator[Callable[..., Flask]]:
    """Make applications on a database, with settings by keyword; their counties are closed when the test ends."""
    from mapapp.settings import Settings
    from mapapp.web import create_app

    made: list[Flask] = []

    def make(database: Path, **settings: Any) -> Flask:
        made.append(create_app(Settings(database=str(database), secret_key="test-key", **settings)))
        return made[-1]

    yield make
    for app in made:
        app.extensions["mapapp_county"].close()
