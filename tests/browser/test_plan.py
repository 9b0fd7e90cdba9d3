"""The plan page in a browser: planned from nothing, staged while the slider moves, one link looked at and made a project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pytest
from playwright.sync_api import Browser, Page, expect
from shapely import box

from mapapp import store

from . import town
from .conftest import Watch, serve

pytestmark = pytest.mark.browser
PHONE = (390, 844)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the town, surveyed with its laterals: what has none is known not to be connected."""
    path = tmp_path_factory.mktemp("plan") / "town.gpkg"
    town.build(path)
    with store.open(str(path)) as db:
        x0, y0, x1, y1 = db.bounds("compounds")
        area = gpd.GeoDataFrame(
            {"area_id": ["全县"], "covers": ["all"], "laterals": ["yes"]},
            geometry=[box(x0 - 500, y0 - 500, x1 + 500, y1 + 500)], crs=db.crs,
        )  # fmt: skip
        db.apply(db.compare("survey_areas", area, "add"), by="test")
    return path


@pytest.fixture(scope="module")
def watch(county: Path, chromium: Browser) -> Iterator[Watch]:
    with serve(county) as address:
        made = Watch(chromium, address)
        page = made.open("/plan", ready=False)
        expect(page.locator("#plan-run")).to_have_text("开始规划")  # an empty state that teaches
        page.click("#plan-run")
        expect(page.locator("#plan-job progress")).to_be_visible()
        page.wait_for_selector("#plan-routes .plan-route", timeout=90_000)
        expect(page.locator("#plan-job")).to_be_hidden()
        yield made
        made.end()


def planned(watch: Watch, path: str = "/plan", **more: object) -> Page:
    page = watch.open(path, ready=False, **more)
    page.wait_for_selector("#plan-routes .plan-route")
    return page


def test_the_plan_says_what_it_costs_and_how_good_it_is(watch):
    """Figures, example prices, the bound in plain words, the other engine's word, every assumption, links on the map."""
    page = planned(watch)
    figures = page.locator("#plan-figures")
    expect(figures).to_contain_text("示例价格")
    expect(page.locator("#plan-proof")).to_contain_text("最多比最优高")
    expect(page.locator("#plan-check")).to_contain_text("SWMM")
    assert page.locator("#plan-assumptions li").count() >= 4
    page.wait_for_function("() => Mapapp.planMap.tiles().counts('links').shown > 0")
    expect(page.locator(".plan-label").first).to_contain_text("万元")


def test_the_budget_moves_the_stages_at_once(watch):
    """Moving the slider changes sentence, list and map without planning anew, and the address keeps it."""
    page = planned(watch)
    everything = page.evaluate("Mapapp.plan.data().curve.slice(-1)[0][0]")
    page.evaluate("window.mark = performance.now()")
    page.fill("#plan-budget-wan", str(everything / 3 / 10_000))
    page.wait_for_function("() => document.querySelectorAll('.plan-stage').length > 1")
    assert page.evaluate("performance.now() - window.mark") < 3000
    assert "budget=" in page.url
    first = page.locator("#plan-first").inner_text()
    page.fill("#plan-budget-wan", "0")
    expect(page.locator("#plan-first")).to_have_text("这个预算一条也建不了。")
    page.wait_for_function("() => Mapapp.planMap.tiles().counts('links').shown === 0")
    page.fill("#plan-budget-wan", str(everything / 3 / 10_000))
    expect(page.locator("#plan-first")).to_have_text(first)
    page.reload()
    page.wait_for_selector(".plan-stage + .plan-stage")


def test_a_link_shows_its_section_and_becomes_a_project(watch, county):
    """A click opens profile and bill, back closes them, one click makes a project, another takes it back."""
    page = planned(watch)
    page.locator(".plan-open").first.click()
    card = page.locator("#plan-card")
    expect(card.locator("svg.section .s-pipe").first).to_be_visible()
    expect(card.locator(".plan-bill tfoot")).to_contain_text("合计")
    assert "link=" in page.url
    page.click("#plan-project")
    expect(card.locator(".plan-tag")).to_contain_text("已立项 XM")
    with store.open(str(county)) as db:
        assert list(db.read("projects")["kind"]) == ["sewer_link"]
    page.click("#plan-project-undo")
    expect(card.locator("#plan-project")).to_be_visible()
    page.go_back()
    expect(card).to_be_hidden()


def test_cancel_leaves_the_last_plan(watch, county):
    """Cancelled while it works, planning says so and links stay as they were."""
    page = planned(watch)
    with store.open(str(county)) as db:
        before = db.setting("plan"), db.version("links")
    page.fill("#plan-budget-wan", "1")
    page.click("#plan-run")
    page.click("#plan-cancel")
    expect(page.locator("#plan-job")).to_be_hidden(timeout=60_000)
    expect(page.locator("#toasts")).to_contain_text("已取消")
    with store.open(str(county)) as db:
        assert db.jobs.list()[0].state == "cancelled"
        assert (db.setting("plan"), db.version("links")) == before


def test_on_a_phone_the_plan_fits(watch):
    """Nothing is wider than the screen, what a thumb touches is 44 px, a link opens as a sheet, Esc closes it."""
    page = planned(watch, size=PHONE, locale="en")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    small = page.evaluate("""() => [...document.querySelectorAll("#main button, #main select, #main input, #main summary")]
        .filter(n => n.offsetParent && !n.closest(".leaflet-control") && !n.closest("label.check") && n.type !== "file")
        .map(n => [n.id || n.className, n.offsetHeight]).filter(x => x[1] < 44)""")
    assert small == []
    page.locator(".plan-open").first.click()
    expect(page.locator("#plan-card svg.section")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.keyboard.press("Escape")
    expect(page.locator("#plan-card")).to_be_hidden()


def test_a_link_drawn_on_the_map_is_checked_and_taken_into_the_plan(watch, county):
    """Three clicks from a compound to the sewer, figures beside ours, accepted: the plan's link is the drawn one."""
    page = planned(watch)
    ends = page.evaluate("""async () => {
        const route = Mapapp.plan.data().routes[0], found = await fetch("/api/features/links/" + route.link_id);
        const line = (await found.json()).geometry.coordinates;
        return [line[0], line[line.length - 1]];
    }""")
    page.evaluate("document.getElementById('plan-choices').open = true")
    page.click("#plan-draw-link")
    for place in ends:
        page.evaluate("([x, y]) => Mapapp.planMap.map().setView([y - 0.0003, x], 18, {animate: false})", place)
        at = page.evaluate(
            "([x, y]) => { const m = Mapapp.planMap.map(), p = m.latLngToContainerPoint([y, x]),"
            " r = m.getContainer().getBoundingClientRect(); return [p.x + r.left, p.y + r.top]; }",
            place,
        )
        page.mouse.click(*at)
        page.wait_for_timeout(400)
    page.click("#plan-draw-done")
    page.wait_for_selector("#plan-check-remarks li", timeout=60_000)
    if page.locator("#plan-accept").count() == 0:
        raise AssertionError(page.locator("#plan-check-remarks").inner_text())
    page.click("#plan-accept")
    expect(page.locator("#plan-job")).to_be_visible()
    expect(page.locator("#plan-job")).to_be_hidden(timeout=90_000)
    with store.open(str(county)) as db:
        assert "drawn" in set(db.read("links")["corridor"])


def test_footways_and_an_area_drawn_on_the_map_are_in_the_next_plan(watch, county):
    """The tick and three clicks around a corner of the town go into the plan; the list names the area and takes it away."""
    page = planned(watch)
    page.evaluate("document.getElementById('plan-choices').open = true")
    page.check("#plan-footways")
    page.click("#plan-draw-area")
    box = page.locator(".plan-map .leaflet-container").first.bounding_box()
    for right, down in ((0.7, 0.8), (0.75, 0.8), (0.75, 0.86)):
        page.mouse.click(box["x"] + box["width"] * right, box["y"] + box["height"] * down)
        page.wait_for_timeout(400)
    page.click("#plan-draw-done")
    expect(page.locator("#plan-drawings .plan-list").last).to_contain_text("1")
    page.click("#plan-run")
    expect(page.locator("#plan-job")).to_be_visible()
    expect(page.locator("#plan-job")).to_be_hidden(timeout=90_000)
    with store.open(str(county)) as db:
        asked = db.setting("plan")["asked"]
    assert asked["footways"] is True
    assert [len(ring) for ring in asked["areas"]] == [3]
    page.reload()
    page.wait_for_selector("#plan-routes .plan-route")
    assert page.is_checked("#plan-footways")
    page.evaluate("document.getElementById('plan-choices').open = true")
    page.locator("#plan-drawings .plan-list button").last.click()
    assert page.evaluate("document.querySelectorAll('#plan-drawings .plan-list').length") <= 1


def test_the_plan_is_shared_from_its_page_with_the_routes_ticked(watch):
    """One click leads to the dialog for a unit with planned links ticked; the stranger sees them drawn, and no cost."""
    page = planned(watch)
    page.click("#plan-share")
    page.wait_for_selector("#share-make")
    assert page.is_checked("input[name=kind][value=unit]")
    assert page.is_checked("input[name=layer][value=links]")
    page.fill("#share-unit", "水务公司")
    page.fill("#share-code", "8642")
    page.click("#share-make")
    link = page.input_value("#share-link")
    guest = watch.open(link, ready=False)
    guest.fill("input[name=code]", "8642")
    guest.press("input[name=code]", "Enter")
    guest.wait_for_function(
        "() => { try { return Mapapp.maplayer.tiles().counts('links').shown > 0; } catch (e) { return false; } }"
    )
    assert "约" not in guest.locator("#facts").inner_text()
