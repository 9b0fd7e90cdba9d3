"""One month in a real browser: ledger in, differences, checks with their cells, snapshot, comparison, numbers, a form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from mapapp import demo, store

from .conftest import Watch, serve

pytestmark = pytest.mark.browser
PHONE = (390, 844)


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    county = demo.county()
    return demo.month_files(county, demo.months(county), tmp_path_factory.mktemp("ledgers"))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a county that holds outlines, streets and problems, and no ledger yet."""
    path, county = tmp_path_factory.mktemp("month") / "county.gpkg", demo.county()
    with store.create(str(path), name=county.name, crs=county.crs) as db:
        outlines = county.layers["compounds"][["compound_id", "name", "street", "geometry"]]
        for name, frame in (("compounds", outlines), ("streets", county.layers["streets"])):
            db.apply(db.compare(name, frame, "add"), by="test")
    with serve(path) as url:
        yield url


@pytest.fixture
def watch(chromium: Browser, address: str) -> Iterator[Watch]:
    made = Watch(chromium, address)
    yield made
    made.end()


def import_ledger(page: Page, path: Path, *, blanks: str = "clear") -> None:
    page.set_input_files("input[name=files]", str(path))
    page.select_option("select[name=blanks]", blanks)
    page.click("#ledger-form button")
    expect(page.locator("#preview h3")).to_contain_text(path.name)


def test_a_month_from_ledger_to_snapshot_comparison_and_form(watch: Watch, ledgers: list[Path], tmp_path: Path) -> None:
    """June and July go in; what July changes and has wrong is on the page; the two snapshots differ on map and in table."""
    page = watch.open("/month", ready=False)
    for ledger in ledgers[:2]:
        import_ledger(page, ledger)
        faults = page.locator("#checks tr[data-check]")
        told = {(f.get_attribute("data-check"), f.get_attribute("data-column")) for f in faults.all()}
        june = ledger == ledgers[0]
        assert told == (
            {("sum", "households")} if june else {("unit", "floor_area_m2"), ("date_status", "start_actual")}
        )
        expect(faults.first).to_contain_text("改造台账 › I56" if june else "改造台账 › J60")
        page.click("#confirm")
        expect(page.locator(".notice.success").first).to_contain_text("已写入")
        page.click("#freeze button")
        expect(page.locator(".snapshots li").first).to_contain_text(ledger.stem[-7:])
    import_ledger(page, ledgers[1])
    expect(page.locator("#nothing")).to_be_visible()
    expect(page.locator("#confirm")).to_have_count(0)
    page.click("button[name=discard]")

    with page.expect_download() as download:
        page.click("form[action*=monthly] button")
    download.value.save_as(tmp_path / "form.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "form.xlsx").active
    assert sheet is not None
    assert "2022年7月25日" in str(sheet["A2"].value)

    page.click("text=与上一期对比")
    expect(page.locator("h1")).to_have_text("两期对比")
    rows = page.locator("#changes tr[data-id]")
    expect(rows).to_have_count(21)
    swipe(page)


def swipe(page: Page) -> None:
    """Drag the line: it uncovers the later map; both maps keep one place; a row takes both there."""
    expect(page.locator("#swipe")).to_have_attribute("data-ready", "1")
    frame = page.locator("#swipe").bounding_box()
    assert frame is not None
    clip = "getComputedStyle(document.getElementById('map-b')).clipPath"
    before = page.evaluate(clip)
    page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] / 4, frame["y"] + frame["height"] / 2, steps=4)
    page.mouse.up()
    expect(page.locator("#swipe-line")).to_have_value(re.compile(r"^2[45](\.5)?$"))
    assert page.evaluate(clip) != before
    centres = (
        "['map-a', 'map-b'].map(id => document.getElementById(id).querySelector('.leaflet-map-pane').style.transform)"
    )
    page.locator("#changes tr[data-at] td").first.click()
    one, other = page.evaluate(centres)
    assert one == other
    expect(page.locator("#changes .chosen-row")).to_have_count(1)


def test_a_figure_of_the_dashboard_opens_its_rows_on_the_map(watch: Watch, address: str) -> None:
    """The number that was clicked is the number of compounds the map then counts."""
    page = watch.open("/dashboard", ready=False)
    link = page.locator(".rates tbody tr").nth(1).locator("a[data-kind=completed]")
    said = int(link.inner_text())
    link.click()
    page.wait_for_function("n => window.Mapapp && Mapapp.summary && Mapapp.summary.totals.compounds === n", arg=said)
    assert said > 0
    assert "f.year=2021" in page.url


@pytest.mark.parametrize("path", ["/month", "/dashboard", "/compare", "/projects"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_fit_a_phone_in_both_languages(watch: Watch, path: str, language: str) -> None:
    """Nothing is wider than the screen, and no text shows its key."""
    page = watch.open(f"{path}?lang={language}", size=PHONE, ready=False)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    words = page.locator("main").inner_text()
    assert not re.search(r"\b(?:month|dash|compare|projects|works|nav)\.[a-z_.]+\b", words)
    if language == "en":
        assert "月" not in page.locator("main h2").first.inner_text()
