"""Every page on a phone: it fits the width, and what is pressed is large enough for a thumb; both languages."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page

from .conftest import Opener

PAGES = [
    "/", "/dashboard", "/month", "/compare", "/projects", "/gaps", "/compounds/C08", "/plan", "/problems", "/problems/new",
    "/meeting", "/report", "/import", "/shares", "/users", "/records", "/login", "/yard", "/nothing-here",
]  # fmt: skip
SMALL = """() => [...document.querySelectorAll("button, .button, summary")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 0 && box.bottom > 0 && box.height < 43.5 && !one.classList.contains("link");
}).map((one) => one.outerHTML.slice(0, 120))"""


def faults(page: Page) -> list[str]:
    page.wait_for_load_state("load")
    wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    return [*([f"{wide} px too wide"] if wide > 0 else []), *page.evaluate(SMALL)]


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_every_page_fits_a_phone_and_a_thumb(open_page: Opener, locale: str) -> None:
    """At 390 pixels nothing scrolls sideways, and buttons are 44 pixels high."""
    page = open_page(PAGES[0], size=(390, 844), locale=locale)
    found = {PAGES[0]: faults(page)}
    for path in PAGES[1:]:
        page.goto(urljoin(page.url, path))
        found[path] = faults(page)
    assert not {path: faulty for path, faulty in found.items() if faulty}
