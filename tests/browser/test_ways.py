"""Other ways to use the page: phone, keyboard, English, dark, paper; a share; the pages of one compound and of the gaps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from mapapp import store

from . import town
from .conftest import Watch, serve, wait_for_map

pytestmark = pytest.mark.browser
PHONE = (390, 844)


def test_on_a_phone_the_map_is_the_page(open_page):
    """Nothing is wider than the screen; the sheet has three heights; what a thumb touches is at least 44 px."""
    page = open_page(size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    heights = []
    for _ in range(3):
        heights.append(page.evaluate("document.getElementById('panels').offsetHeight"))
        page.tap("#sheet-grip")
        page.wait_for_timeout(100)
    assert heights == sorted(heights)
    assert len(set(heights)) == 3
    page.tap(".tab[data-tab=layers]")
    small = page.evaluate("""() => [...document.querySelectorAll("button, select, input, a")].filter(n => n.offsetParent
        && !n.closest(".leaflet-control")).map(n => [n.id || n.className, n.closest("label.check") ? 44 : n.offsetHeight]).filter(x => x[1] < 44)""")
    assert small == []


def test_on_a_phone_a_tap_raises_the_card(open_page):
    """A selected compound shows its verdict in the sheet, and the locate button stays in reach."""
    page = open_page("/?sel=compounds:C10", size=PHONE)
    expect(page.locator("#card .verdict")).to_be_visible()
    button = page.locator("#control-locate").bounding_box()
    assert button is not None
    assert min(button["width"], button["height"]) >= 44


def test_everything_is_reached_by_keyboard(open_page):
    """The skip link opens the table; Enter on a row selects; Esc closes the card; arrows pan the map."""
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_selector("#table tbody tr")
    page.locator("#table tbody tr .link").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#card")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "map_mapapp"
    before = page.evaluate("Mapapp.maplayer.map().getCenter().lng")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("(x) => Mapapp.maplayer.map().getCenter().lng > x", arg=before)


def test_every_control_has_a_name(open_page):
    """Buttons, links and fields are named for those who do not see them."""
    page = open_page("/?sel=compounds:C08")
    page.wait_for_selector("#card .verdict")
    nameless = page.evaluate("""() => [...document.querySelectorAll("button, a[href], input, select")].filter(n => n.offsetParent
        && !(n.textContent.trim() || n.getAttribute("aria-label") || (n.labels && n.labels.length))).map(n => n.outerHTML)""")
    assert nameless == []


def test_focus_is_seen(seen):
    """Whatever Tab reaches has an outline."""
    for _ in range(12):
        seen.keyboard.press("Tab")
        style = seen.evaluate("(s => [s.outlineStyle, s.outlineWidth])(getComputedStyle(document.activeElement))")
        assert style[0] != "none", seen.evaluate("document.activeElement.outerHTML")


def test_the_language_is_the_browsers_until_switched(open_page):
    """An English browser reads English throughout; the switch keeps the view and lands in the address."""
    page = open_page("/?f.year=2021", locale="en-GB")
    expect(page.locator("#facts")).to_contain_text("What is filtered")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.click("#lang-button")
    wait_for_map(page)
    expect(page.locator("#facts")).to_contain_text("筛选结果")
    assert "f.year=2021" in page.url
    assert "lang=zh" in page.url


def test_the_sheet_of_paper_has_all_a_map_needs(open_page):
    """Title, legend with counts, scale, north, as-of date, source; nothing of the screen's panels is printed."""
    page = open_page("/?f.year=2021")
    page.click("#print-button")
    paper = page.locator(".paper")
    page.select_option("#print-size", "a3")
    page.evaluate("document.querySelector('.print-side').style.height = '110mm'")  # too little for the legend as it is
    page.select_option("#print-size", "a4")
    expect(page.locator(".print-legend > li").first).not_to_have_css("zoom", "1")  # made smaller, not cut off
    page.select_option("#print-size", "a3")
    for piece in (".print-head h1", ".print-legend .swatch", ".scale-bar", ".north", ".print-foot b"):
        expect(paper.locator(piece).first).to_be_visible()
    assert "2021" in paper.locator(".print-head").inner_text()
    page.emulate_media(media="print")
    expect(page.locator("#layers")).to_be_hidden()
    assert len(page.pdf(prefer_css_page_size=True)) > 20_000
    page.emulate_media(media="screen")
    page.keyboard.press("Escape")
    expect(page.locator("#layers")).to_be_visible()


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_the_browsers_own_print_command_prints_the_sheet(open_page, tmp_path, size):
    """One page with title, legend and a map that is painted; the screen is as before."""
    page = open_page("/?f.year=2021", size=size)
    page.evaluate(
        "window.addEventListener('beforeprint', () => { window.copies = document.querySelectorAll('.print-copy').length })"
    )
    before = page.url
    made = page.pdf(prefer_css_page_size=True)
    assert page.evaluate("window.copies") == 1
    assert made.count(b"/Type /Page\n") == 1
    assert page.evaluate("document.body.className.includes('printing')") is False
    expect(page.locator("#print-sheet")).to_be_hidden()
    assert page.url == before
    expect(page.locator("#main #map-frame .leaflet-tile").first).to_be_visible()


def test_ctrl_p_opens_the_sheet_and_prints_it_when_its_tiles_are_there(open_page):
    """The shortcut leads to the designed page, never to the bare map."""
    page = open_page()
    page.evaluate("() => { window.print = () => { window.printed = document.body.className } }")
    page.keyboard.press("Control+p")
    expect(page.locator(".print-head h1")).to_be_visible()
    page.wait_for_function("() => window.printed")
    assert "printing" in page.evaluate("window.printed")


def test_an_embeddable_share_shows_its_map_inside_another_sites_page_and_another_share_does_not(open_page, chromium):
    """A page of another origin frames both: one is a map, the other is refused by the browser."""
    page = open_page()
    page.click("#share-button")
    page.check("#share-anywhere")
    link = make_share(page, title="城区")
    snippet = page.locator("#share-embed-code").input_value()
    assert link in snippet
    closed = make_share(open_page())
    body = (snippet + snippet.replace(link, closed)).replace('loading="lazy"', "")  # the second lies below the fold
    with another_site(body) as address, chromium.new_context(viewport={"width": 1440, "height": 900}) as context:
        frames = context.new_page()
        frames.goto(address)
        inside = frames.frames[1]
        wait_for_map(inside)
        expect(inside.locator("#facts .fact b").first).to_have_text("12")
        assert inside.locator("#county").inner_text() == "城区"
        assert not frames.frames[2].url.startswith("http")


@contextmanager
def another_site(body: str) -> Iterator[str]:
    """Serve one page from another origin, as a county's own site would."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(f'<!doctype html><link rel="icon" href="data:,">{body}'.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        thread = threading.Thread(target=site.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{site.server_address[1]}/"
        site.shutdown()
        thread.join(timeout=10)


def make_share(page: Page, **fields: str) -> str:
    if not page.locator(".share-form").count():
        page.click("#share-button")
    for field, value in fields.items():
        page.fill(f"#share-{field}", value)
    page.click("#share-make")
    return page.locator("#share-link").input_value()


def test_a_share_shows_what_was_shared_and_no_pipes(open_page):
    """Made from a filtered view, opened by a stranger: four compounds, no pipe in legend, tiles or address space."""
    maker = open_page("/?f.year=2021")
    link = make_share(maker, recipient="县自来水公司")
    expect(maker.locator(".qr")).to_be_visible()
    expect(maker.locator(".share-result")).to_contain_text("UTC")
    guest = open_page(link)
    expect(guest.locator("#facts .fact b").first).to_have_text("4")
    expect(guest.locator("#map-note")).to_contain_text("前有效")
    expect(guest.locator("#watermark")).to_contain_text("县自来水公司")
    assert guest.locator('[data-layer="pipes"]').count() == 0
    assert guest.locator("#share-button").count() == 0
    assert "P3" not in guest.content()
    assert guest.request.get(link + "/tiles/pipes/15/27000/13360.mvt").status == 404
    assert guest.request.get(link + "/api/features/compounds/C01").status == 404


def test_a_share_with_a_pass_code_asks_for_it(open_page):
    """Without the code nothing but the gate is seen; with it, the map."""
    link = make_share(open_page(), code="7788xy")
    guest = open_page(link, ready=False)
    assert guest.locator("#map-frame").count() == 0
    guest.fill("input[name=code]", "7788xy")
    guest.keyboard.press("Enter")
    wait_for_map(guest)
    expect(guest.locator("#facts .fact b").first).to_have_text("12")


def test_the_dialog_offers_nothing_that_a_public_link_never_carries(open_page):
    """Pipes are no choice of a public link; Esc closes the dialog and the focus is where it was."""
    page = open_page()
    page.click("#share-button")
    assert page.locator("input[name=layer][value=pipes]").count() == 0
    page.check("input[name=kind][value=unit]")
    assert page.locator("input[name=layer][value=pipes]").count() == 1
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "share-button"


def test_the_list_of_gaps_tells_no_data_from_no_main(open_page):
    """Five rows with evidence; one verdict chosen leaves its own; the exports carry the same filter."""
    page = open_page("/gaps", ready=False)
    expect(page.locator(".gap-table tbody tr")).to_have_count(5)
    page.click("[data-verdict=no_data]")
    expect(page.locator(".gap-table tbody tr")).to_have_count(1)
    expect(page.locator(".gap-table tbody th")).to_contain_text("河西单栋楼")
    href = page.locator("#gaps-export a").first.get_attribute("href") or ""
    answer = page.request.get(page.url.split("/gaps")[0] + href)
    assert "f.verdict=no_data" in href
    assert answer.ok
    assert answer.body()[:2] == b"PK"


def test_an_address_that_names_nothing_says_so(open_page):
    """A compound that is not there and a filter that no row has: a sentence, not a blank page."""
    page = open_page("/?sel=compounds:C99")
    expect(page.locator("#card .notice.error")).to_be_visible()
    page.goto(page.url.split("?")[0] + "?f.street=没有这条街&on=compounds,links")
    expect(page.locator("#map-note")).to_contain_text("没有这条街")
    expect(page.locator("#map-note")).to_contain_text("没有图层“拟建接入管”")
    expect(page.locator("#facts .fact b").first).to_have_text("0")
    page.click("#filters-clear")
    expect(page.locator("#facts .fact b").first).to_have_text("12")
    expect(page.locator("#map-note")).not_to_contain_text("没有这条街")


def test_an_empty_county_teaches_what_to_do(chromium, tmp_path):
    """No compound, no pipe: map, facts, list and gaps each say what comes first; unknown is not "no gaps"."""
    path = tmp_path / "empty.gpkg"
    with store.create(str(path), name="新县", crs=town.CRS):
        pass
    with serve(path) as address:
        watch = Watch(chromium, address)
        page = watch.open("/", ready=False)
        expect(page.locator("#facts")).to_contain_text("还没有小区")
        expect(page.locator("#layers")).to_contain_text("还没有管线普查数据")
        page.click("#table-toggle")
        expect(page.locator("#table-body")).to_contain_text("还没有小区")
        page.goto(address + "/gaps")
        expect(page.locator("#gaps")).to_contain_text("还不知道有没有缺口")
        watch.end()


def test_a_share_that_names_a_vanished_layer_opens_and_says_so(chromium, tmp_path):
    """Streets are gone since the link was made: the rest is shown, with a sentence about them."""
    path = tmp_path / "town.gpkg"
    town.build(path)
    with serve(path) as address:
        watch = Watch(chromium, address)
        maker = watch.open()
        maker.click("#share-button")
        maker.check("input[name=kind][value=unit]")
        maker.select_option("#share-live", "live")
        link = make_share(maker, unit="县自来水公司", code="7788xy")
        with store.open(str(path)) as db:
            db.apply(db.compare("streets", db.read("streets").iloc[:0], "replace"), by="test")
        guest = watch.open(link, ready=False)
        guest.fill("input[name=code]", "7788xy")
        guest.keyboard.press("Enter")
        expect(guest.locator("#map-note")).to_contain_text("道路")
        expect(guest.locator("#facts .fact b").first).to_have_text("12")
        watch.end()
