"""The share dialog: what goes along, the hour as its maker wrote it, photos with their problems, the state after the end."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from mapapp.services import photos, problems
from mapapp.services.frames import County
from mapapp.services.scope import Scope

from . import town
from .conftest import Opener, Watch, serve, wait_for_map

pytestmark = pytest.mark.browser


def made(page: Page) -> str:
    """Press the button and give the link."""
    page.click("#share-make")
    return page.locator("#share-link").input_value()


def test_what_the_legend_switched_off_is_not_in_the_link(open_page: Opener) -> None:
    """A unit link made with storm drains switched off shows sewage alone, also to who asks its addresses."""
    page = open_page("/?f.pipes.kind=sewage")
    page.click("#share-button")
    page.check("input[name=kind][value=unit]")
    page.fill("#share-unit", "县住建局")
    page.fill("#share-code", "7788xy")
    guest = open_page(made(page), ready=False)
    guest.fill("input[name=code]", "7788xy")
    guest.keyboard.press("Enter")
    wait_for_map(guest)
    kinds = guest.evaluate("Mapapp.view.layers.filter(l => l.name === 'pipes').map(l => l.values.kind)")
    assert kinds in ([], [{}])  # the unit owns storm drains alone, and those were switched off


def test_the_hour_of_the_end_is_kept_as_its_maker_wrote_it(open_page: Opener) -> None:
    """A planner in UTC+8 writes 18:30; the list of links says 18:30 with that zone, wherever the server stands."""
    page = open_page(timezone_id="Asia/Shanghai")
    day = (datetime.now(UTC) + timedelta(days=5)).strftime("%Y-%m-%d")
    page.click("#share-button")
    page.fill("#share-until", f"{day}T18:30")
    expect(page.locator("#share-zone")).to_contain_text("18:30 (UTC+8)")
    made(page)
    page.goto(page.url.split("?")[0] + "shares")
    expect(page.locator("table tbody tr").first).to_contain_text("18:30（UTC+8）")


def test_a_link_of_this_machine_is_made_with_a_warning(open_page: Opener) -> None:
    """Who sends 127.0.0.1 to somebody else is told before that."""
    page = open_page()
    page.click("#share-button")
    made(page)
    expect(page.locator(".dialog .notice.warning")).to_contain_text("只能在这台电脑上打开")


def test_photos_of_a_units_problems_are_on_its_card(chromium: Browser, tmp_path: Path) -> None:
    """Ticked photos bring the layer of problems along; behind the code the unit sees them, at their size, on the card."""
    path = tmp_path / "town.gpkg"
    town.build(path)
    county = County(str(path))
    editor = Scope("local", role="administrator")
    values = {"compound_id": "C02", "category": "quality", "lead_unit": "县自来水公司", "description": "井盖破损"}
    ticket = problems.create(county, editor, values)
    picture = io.BytesIO()
    Image.new("RGB", (640, 480), (40, 90, 160)).save(picture, "JPEG")
    picture.seek(0)
    photos.add(county, editor, "problems", ticket, picture)
    county.close()
    with serve(path) as address:
        watch = Watch(chromium, address)
        page = watch.open()
        page.click("#share-button")
        page.check("input[name=kind][value=unit]")
        page.fill("#share-unit", "县自来水公司")
        page.fill("#share-code", "7788xy")
        page.check("input[name=extra][value=photos]")
        expect(page.locator("input[name=layer][value=problems]")).to_be_checked()
        guest = watch.open(made(page) + "?sel=compounds:C02", ready=False)
        guest.fill("input[name=code]", "7788xy")
        guest.keyboard.press("Enter")
        image = guest.locator("#card .photo-row img")
        expect(image).to_have_count(1)
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640
        assert image.get_attribute("alt")
        watch.end()
