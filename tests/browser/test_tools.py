"""The map's tools: measure by mouse and keyboard, locate, fullscreen; tiles that fail and are asked for again."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from pyproj import Transformer

from . import town
from .conftest import Opener

pytestmark = pytest.mark.browser


def test_a_double_click_ends_the_measuring_and_the_figures_stay(open_page: Opener) -> None:
    """After the double click the pointer draws no further; the next click begins another measure."""
    page = open_page()
    page.click("#control-measure")
    page.mouse.click(600, 400)
    page.mouse.dblclick(700, 400)
    told = page.locator("#measure-length").inner_text()
    page.mouse.move(640, 500)
    page.wait_for_timeout(200)
    expect(page.locator("#measure-length")).to_have_text(told)
    page.mouse.click(640, 600)
    expect(page.locator("#measure-length")).not_to_have_text(told)


def test_lengths_and_areas_are_measured_by_keyboard_and_esc_leaves_the_card_open(open_page: Opener) -> None:
    """Enter sets points at the cross, arrows move the map under it; a triangle has an area; Esc ends only the measuring."""
    page = open_page("/?sel=compounds:C02")
    expect(page.locator("#card")).to_be_visible()
    page.focus("#control-measure")
    page.keyboard.press("Enter")
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press("Enter")
        page.keyboard.press(key)
        page.wait_for_timeout(400)
    page.keyboard.press("Enter")
    expect(page.locator("#measure-area")).to_contain_text("㎡")
    page.keyboard.press("Escape")
    expect(page.locator(".measure-box")).to_have_count(0)
    expect(page.locator("#card")).to_be_visible()


def test_a_layer_that_comes_later_counts_as_loading(open_page: Opener) -> None:
    """Printing waits for isLoading(): tiles of a layer that is switched on late must be in it."""
    page = open_page()
    page.evaluate("Mapapp.maplayer.map().setZoom(17, {animate: false})")
    page.wait_for_function("() => !Mapapp.maplayer.tiles().isLoading()")
    assert page.evaluate(
        "() => { const t = Mapapp.maplayer.tiles(); t.setVisible('manholes', true); return t.isLoading(); }"
    )


def test_tiles_that_failed_are_asked_for_again_at_a_press(open_page: Opener) -> None:
    """The server fails: the map says so and offers to try again, which brings what was missing."""
    page = open_page()
    page.route("**/tiles/pipes/**", lambda route: route.fulfill(status=500, body=""))
    page.evaluate(
        "Mapapp.maplayer.tiles().setSource('pipes', {url: Mapapp.view.layers.find(l => l.name === 'pipes').tiles})"
    )
    again = page.locator(".toast.error").get_by_role("button", name="再试一次")
    expect(again).to_be_visible()
    page.unroute("**/tiles/pipes/**")
    again.click()
    page.wait_for_function("() => Mapapp.maplayer.tiles().counts('pipes').shown === 18")


def test_where_am_i_says_when_that_is_elsewhere(open_page: Opener) -> None:
    """In the county the map goes there; far away it stays where it is and says so instead of going blank."""
    lon, lat = Transformer.from_crs(town.CRS, 4326, always_xy=True).transform(town.EAST + 300, town.NORTH + 100)
    page = open_page(permissions=["geolocation"], geolocation={"latitude": lat, "longitude": lon, "accuracy": 9})
    page.click("#control-locate")
    expect(page.locator(".toast")).to_contain_text("误差约 9 米")
    page.wait_for_function("() => Mapapp.maplayer.map().getZoom() >= 17")
    away = open_page(permissions=["geolocation"], geolocation={"latitude": lat + 5, "longitude": lon, "accuracy": 9})
    before = away.evaluate("Mapapp.maplayer.map().getCenter().lat")
    away.click("#control-locate")
    expect(away.locator(".toast")).to_contain_text("您不在本县")
    assert away.evaluate("Mapapp.maplayer.map().getCenter().lat") == before


def test_a_phone_has_the_tools_too(open_page: Opener) -> None:
    """Beside the layers stand measure, whole county and print; measuring folds the sheet and sets points by taps."""
    page = open_page(size=(390, 844))
    page.get_by_role("tab", name="图层").tap()
    page.locator("#tools").get_by_role("button", name="量距离和面积").tap()
    for y in (300, 420):
        page.touchscreen.tap(180, y)
        page.wait_for_timeout(400)
    expect(page.locator("#measure-length")).to_contain_text("米")
