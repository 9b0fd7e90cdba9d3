"""The map page: painting, legend, filters, card, table, address, measure."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from pyproj import Transformer

from . import town
from .conftest import wait_for_map

pytestmark = pytest.mark.browser


def fact(page: Page, nth: int) -> str:
    return page.locator("#facts .fact b").nth(nth).inner_text()


def expect_drawn(page: Page, layer: str, count: int) -> None:
    """Wait until the canvas shows so many features of a layer."""
    page.wait_for_function("([layer, n]) => Mapapp.maplayer.tiles().counts(layer).shown === n", arg=[layer, count])


def at(page: Page, east: float, north: float) -> tuple[float, float]:
    """Where a place of the county lies on the screen."""
    lon, lat = Transformer.from_crs(town.CRS, 4326, always_xy=True).transform(east, north)
    box = page.evaluate(
        "([lat, lon]) => { const m = Mapapp.maplayer.map(), p = m.latLngToContainerPoint([lat, lon]),"
        " r = m.getContainer().getBoundingClientRect(); return [p.x + r.left, p.y + r.top]; }",
        [lat, lon],
    )
    return box[0], box[1]


def test_the_map_paints_compounds_in_the_colours_of_their_status(seen):
    """Completed compounds are green on the canvas, and all twelve are drawn."""
    green = seen.evaluate("""() => [...document.querySelectorAll("canvas.leaflet-tile")].reduce((n, c) => {
        const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 150 && d[i + 1] > d[i] + 40 && d[i + 1] > d[i + 2] + 20) n++;
        return n; }, 0)""")
    assert green > 2000
    expect_drawn(seen, "compounds", 12)


def test_legend_entries_count_what_is_shown(seen):
    """Each status has its letter and its count; the class nobody has is not listed; unknown is listed as unknown."""
    group = seen.locator('[data-layer="compounds"]')
    counts = {
        row.get_attribute("data-value"): row.locator(".count").inner_text() for row in group.locator("li .entry").all()
    }
    assert counts == {"not_started": "2", "under_way": "3", "completed": "5", "accepted": "1", "unknown": "1"}
    assert (
        group.locator("li .swatch text").all_inner_texts() or group.locator("li .swatch").first.text_content() == "未"
    )


def test_a_filter_changes_map_counts_and_address(open_page):
    """One tick: four compounds on the map, four in the facts, four in the table, one parameter in the address."""
    page = open_page()
    page.click("[data-filter=year]")
    page.check("input[data-column=year][data-value='2021']")
    expect(page.locator("#facts .fact b").first).to_have_text("4")
    expect(page.locator("#table-toggle .count")).to_contain_text("4")
    expect_drawn(page, "compounds", 4)
    assert "f.year=2021" in page.url
    assert fact(page, 1) == "500"


def test_a_legend_entry_is_a_switch(open_page):
    """Switched off, completed compounds leave map and totals; switched on again, the address is as before."""
    page = open_page()
    entry = page.locator('[data-layer="compounds"] [data-value=completed]')
    entry.click()
    expect(page.locator("#facts .fact b").first).to_have_text("7")
    assert entry.get_attribute("aria-checked") == "false"
    expect_drawn(page, "compounds", 7)
    entry.click()
    expect(page.locator("#facts .fact b").first).to_have_text("12")
    assert "f.status" not in page.url


def test_a_legend_entry_of_the_findings_filters_by_its_rule(open_page):
    """Switched off, a rule leaves the map, the counts and the address says which rules are left."""
    page = open_page("/?on=compounds,findings")
    entries = page.locator('[data-layer="findings"] [role=switch][data-column=rule]')
    rule = entries.first.get_attribute("data-value")
    before = page.evaluate("Mapapp.summary.layers.findings")
    entries.first.click()
    page.wait_for_function("before => Mapapp.summary.layers.findings < before", arg=before)
    assert "f.rule=" in page.url
    assert rule not in page.evaluate("Object.keys(Mapapp.summary.by['findings.rule'])")
    assert page.evaluate("Mapapp.state.get().f.rule.length") >= 1


def test_a_filter_on_units_narrows_the_map_although_a_cell_holds_several(open_page):
    """Three compounds name the water company beside another unit; the server says which."""
    page = open_page("/?f.unit=县自来水公司")
    expect(page.locator("#facts .fact b").first).to_have_text("3")
    expect_drawn(page, "compounds", 3)


def test_unknown_is_not_zero(open_page):
    """Three compounds state no investment: the total says so instead of counting them as nothing."""
    page = open_page()
    expect(page.locator("#facts")).to_contain_text("3 个未填")
    page.goto(page.url.split("?")[0] + "?f.year=2022")
    wait_for_map(page)
    page.click("#table-toggle")
    expect(page.locator("#table tbody tr").first.locator("td").last).to_have_text("?")


def test_totals_carry_their_units_and_their_date(seen):
    """万㎡, 万元, 户 and 栋 stand beside the numbers, the date beside the total."""
    facts = seen.locator("#facts").inner_text()
    assert {"万㎡", "万元", "户", "栋"} <= set(re.findall(r"万㎡|万元|户|栋", facts))
    assert "10.50" in facts
    assert "截至" in facts


def test_attributes_from_a_strangers_file_are_text(open_page):
    """A click on the map opens the card; a name full of markup is shown letter by letter and runs nowhere."""
    page = open_page()
    page.mouse.click(*at(page, town.EAST + 630, town.NORTH + 185))
    expect(page.locator("#card .card-title")).to_have_text(town.EVIL)
    page.click("#table-toggle")
    page.wait_for_selector("#table tbody tr")
    assert page.evaluate("window.stolen") is None
    assert page.locator("#main img").count() == 0
    assert "sel=compounds:C08" in page.url


def test_the_card_answers_so_what(open_page):
    """Verdict in a sentence, three lines of evidence, ranked candidates, the next step as a button."""
    page = open_page("/?sel=compounds:C08")
    expect(page.locator("#card .verdict.bad b")).to_be_visible()
    assert page.locator("#card .evidence").first.locator("li").count() == 3
    assert page.locator("#card tbody tr").count() == 2
    page.get_by_role("button", name="W11").first.click()
    page.wait_for_selector("path.flash")


def test_a_decision_about_a_finding_is_kept(open_page):
    """Confirmed with a note, it is still confirmed after a reload; a dismissal needs its reason."""
    page = open_page("/?sel=compounds:C10")
    page.click("[data-decide=dismissed]")
    expect(page.locator(".toast.error")).to_be_visible()
    page.fill(".finding input", "现场看过")
    page.click("[data-decide=confirmed]")
    expect(page.locator(".finding .state")).to_have_text("已确认")
    page.reload()
    expect(page.locator(".finding .state")).to_have_text("已确认")


def test_back_forward_reload_and_paste_all_work(open_page):
    """Selection and filter are entries of the history; panning is not; a pasted address gives the same view."""
    page = open_page()
    page.locator('[data-layer="pipes"] [data-value=storm]').click()
    page.mouse.click(*at(page, town.EAST + 75, town.NORTH + 55))
    expect(page.locator("#card .card-title")).to_have_text("粮食局家属院")
    pasted = page.url
    page.go_back()
    expect(page.locator("#card")).to_be_hidden()
    page.go_back()
    expect(page.locator('[data-layer="pipes"] [data-value=storm]')).to_have_attribute("aria-checked", "true")
    page.go_forward()
    page.go_forward()
    expect(page.locator("#card .card-title")).to_have_text("粮食局家属院")
    other = open_page(pasted)
    expect(other.locator("#card .card-title")).to_have_text("粮食局家属院")
    other.wait_for_function("() => Object.keys(Mapapp.maplayer.tiles().counts('pipes').classes).join() === 'sewage'")


def test_a_snapshot_is_chosen_and_stays_in_the_address(open_page):
    """As of the snapshot's date: facts and address say so, and back returns to now."""
    page = open_page()
    now = page.locator("#facts .panel-head").inner_text()
    page.select_option("#as-of-select", index=1)
    expect(page.locator("#facts .panel-head")).to_contain_text("2022年11月25日")
    assert "as=" in page.url
    page.go_back()
    expect(page.locator("#facts .panel-head")).to_have_text(now, use_inner_text=True)


def test_a_verdict_on_the_map_is_its_compounds(open_page):
    """With verdicts in place of statuses, a click opens the compound's card all the same."""
    page = open_page("/?on=verdicts", ready=False)
    page.wait_for_function(
        "() => { try { return Mapapp.maplayer.tiles().counts('verdicts').shown > 0; } catch (e) { return false; } }"
    )
    page.mouse.click(*at(page, town.EAST + 75, town.NORTH + 55))
    expect(page.locator("#card .card-title")).to_have_text("粮食局家属院")
    assert "sel=compounds:C01" in page.url


def test_the_address_round_trips(seen):
    """parse(address(state)) is the state, commas and colons in values included."""
    state = {
        "at": {"z": 15, "lat": 31.5, "lon": 117.02}, "on": ["compounds", "pipes"],
        "f": {"street": ["a,b", "人民路"], "rule": ["no_main"]}, "sel": {"layer": "pipes", "id": "P:1/2"}, "as": "1", "lang": "en",
    }  # fmt: skip
    assert seen.evaluate("s => Mapapp.state.parse(Mapapp.state.address(s))", state) == state


def test_row_and_map_select_each_other(open_page):
    """A row flies to its compound and marks itself; sorting is announced in the heading."""
    page = open_page()
    page.click("#table-toggle")
    page.click("#table [data-sort=households]")
    page.click("#table [data-sort=households]")
    expect(page.locator("#table th[aria-sort=descending]")).to_have_count(1)
    page.locator("#table tbody tr").first.click()
    expect(page.locator("#card .card-title")).to_have_text("河西单栋楼")
    expect(page.locator("#table tr.here")).to_have_attribute("data-id", "C12")


def test_search_finds_by_part_of_a_name(open_page):
    """Arrow key and Enter choose a hit, and the map goes there."""
    page = open_page()
    page.keyboard.press("/")
    page.keyboard.type("纺织")
    expect(page.locator("#search-list [role=option]").first).to_contain_text("纺织厂宿舍")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#card .card-title")).to_have_text("纺织厂宿舍")


def test_measured_length_is_right(open_page):
    """Two points 300 m apart measure 300 m, within the width of a pixel."""
    page = open_page()
    page.click("#control-measure")
    for step in (0, 300):
        page.mouse.click(*at(page, town.EAST + step, town.NORTH + 130))
        page.wait_for_timeout(350)  # not a double click
    length = float(page.locator("#measure-length").inner_text().split()[0])
    assert length == pytest.approx(300, abs=6)


def test_county_coordinates_agree_with_proj(seen):
    """The page's own Gauss-Krüger is PROJ's, to a millimetre, for zones with and without prefix."""
    for code, lon, lat in (("EPSG:4548", 117.3, 31.6), ("EPSG:4527", 116.1, 40.2), ("EPSG:4508", 110.5, 22.0)):
        north, east = Transformer.from_crs(4490, code).transform(lat, lon)
        got = seen.evaluate("([lat, lon, code]) => Mapapp.controls.project(lat, lon, code)", [lat, lon, code])
        assert got["north"] == pytest.approx(north, abs=0.001)
        assert got["east"] == pytest.approx(east, abs=0.001)


def test_a_failure_says_what_to_do_and_goes_away(open_page):
    """When the counts cannot be fetched the facts say so and offer to try again, which works."""
    page = open_page()
    page.route("**/api/summary*", lambda route: route.abort())
    page.locator('[data-layer="compounds"] [data-value=completed]').click()
    expect(page.locator("#facts .notice.error")).to_be_visible()
    page.unroute("**/api/summary*")
    page.get_by_role("button", name="再试一次").click()
    expect(page.locator("#facts .fact b").first).to_have_text("7")


def test_tiles_that_are_still_being_made_are_asked_for_again(open_page):
    """A large layer answers "not yet" at first; the map says so and fills by itself."""
    page = open_page("/", ready=False)
    wait_for_map(page)
    page.route("**/tiles/pipes/**", lambda route: route.fulfill(status=503, body=""))
    page.evaluate(
        "Mapapp.maplayer.tiles().setSource('pipes', {url: Mapapp.view.layers.find(l => l.name === 'pipes').tiles})"
    )
    expect(page.locator(".toast")).to_contain_text("正在准备地图")
    page.unroute("**/tiles/pipes/**")
    expect_drawn(page, "pipes", 18)
