"""The map asks nobody but the own server, the stand-alone page asks nobody at all, and data never becomes markup."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pytest
import shapely

from mapapp.core.errors import InputError
from mapapp.render import webmap
from mapapp.render.scripts import TILE_SCRIPTS
from mapapp.render.webmap import BaseMap, MapConfig, StandaloneConfig, page_map, page_parts, standalone

NASTY = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>\u2028"
CRS = "EPSG:4547"


def layers():
    boxes = [shapely.box(500_000 + 300 * i, 3_400_000, 500_180 + 300 * i, 3_400_150) for i in range(3)]
    boxes[2] = boxes[2].difference(boxes[2].centroid.buffer(20))
    return {
        "compounds": gpd.GeoDataFrame(
            {
                "compound_id": ["C0", "C1", "C2"], "name": ["东街", NASTY, "西街"], "households": [10, 20, 30],
                "status": ["completed", "started", None], "leader": ["张三丰", None, None], "empty": [None, None, None],
            },
            geometry=boxes, crs=CRS,
        ),
        "pipes": gpd.GeoDataFrame(
            {"pipe_id": ["P0", "P1"], "kind": ["storm", "sewage"]},
            geometry=[shapely.LineString([(500_000, 3_399_900), (500_700, 3_399_900)]), None], crs=CRS,
        ),
    }  # fmt: skip


def test_parts_name_local_addresses_only_and_carry_the_nonce():
    parts = page_parts(page_map(MapConfig(bounds=(114, 30, 114.1, 30.1))), nonce="n0nce")
    whole = parts.head + parts.body + parts.script
    assert not re.findall(r"(?:https?:)?//[a-z]", whole)
    assert set(re.findall(r'(?:src|href)="([^"]*)"', whole)) == {
        webmap.LEAFLET_JS, webmap.LEAFLET_CSS, *(f"/static/{name}" for name in TILE_SCRIPTS),
    }  # fmt: skip
    assert all('nonce="n0nce"' in tag for tag in re.findall(r"<(?:script|style)(?![^>]*src)[^>]*>", whole))
    assert 'id="map_mapapp"' in parts.body
    assert "vector_layer_mapapp" in parts.script
    assert not re.search(r"\son\w+=|style=", parts.body)


def test_two_maps_do_not_share_settings():
    one = page_map(MapConfig(leaflet_js="/one.js"))
    two = page_parts(page_map(MapConfig()))
    assert "/one.js" not in two.head
    assert "/one.js" in page_parts(one).head


def test_a_base_map_is_shown_with_its_source_escaped():
    parts = page_parts(page_map(MapConfig(basemap=BaseMap("/basemap/{z}/{x}/{y}", "天地图 <b>"))))
    assert "/basemap/{z}/{x}/{y}" in parts.script
    assert "<b>" not in parts.script


def test_sources_cannot_end_the_script():
    parts = page_parts(page_map(MapConfig(sources=[{"id": NASTY, "style": {"classes": []}}])))
    assert parts.script.count("</script>") == 1
    assert "\u2028" not in parts.script


def test_packed_coordinates_read_back():
    frame = layers()["compounds"]
    packed = webmap.pack(frame, ["compound_id", "status"])
    xy = np.cumsum(np.array(packed["xy"]).reshape(-1, 2), axis=0) / 1e6
    wanted = shapely.get_coordinates(frame.geometry.to_crs(4326).array)
    assert len(xy) == len(wanted)
    assert np.abs(np.sort(xy, axis=0) - np.sort(wanted, axis=0)).max() < 1e-6
    assert packed["parts"] == [1, 1, 2]
    assert packed["columns"]["status"] == {"values": ["completed", "started"], "codes": [1, 2, 0]}


def test_personal_columns_and_unlisted_ones_are_not_in_the_file(tmp_path):
    page = standalone(
        layers(), StandaloneConfig("县", "2026-11-25", columns={"compounds": ["status"]}), tmp_path / "a.html"
    )
    text = page.read_text("utf-8")
    assert "张三丰" not in text
    assert "households" not in text
    assert "东街" not in text
    assert "张三丰" not in standalone(layers(), StandaloneConfig("县", "x"), tmp_path / "b.html").read_text("utf-8")


def test_nothing_to_draw_is_said_and_nothing_is_written(tmp_path):
    with pytest.raises(InputError, match="nothing to draw"):
        standalone({}, StandaloneConfig("县", "2026-11-25"), tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def browser(chromium):
    return chromium


@pytest.mark.browser
def test_the_stand_alone_page_opens_paints_and_answers_a_click_without_a_network(browser, tmp_path):
    """Every request but the file itself is blocked and counted; compounds are painted; a click shows escaped text."""
    path = standalone(layers(), StandaloneConfig(f"某县{NASTY}", "2026年11月25日"), tmp_path / "map.html")
    context = browser.new_context(viewport={"width": 1200, "height": 800}, offline=True)
    page = context.new_page()
    asked, faults = [], []
    page.on("request", lambda r: None if r.url.split("#")[0] == path.as_uri() else asked.append(r.url))
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]")
    page.wait_for_timeout(400)
    counts = page.evaluate("vector_layer_mapapp.counts('compounds')")
    assert counts == {"loaded": 3, "shown": 3, "classes": {"completed": 1, "under_way": 1, "unknown": 1}}
    near = (
        """([x, y, dx, dy]) => { const p = map_mapapp.latLngToContainerPoint([y, x]); return [p.x + dx, p.y + dy]; }"""
    )
    where = layers()["compounds"].geometry.centroid.to_crs(4326)
    green = page.evaluate(near, [where[0].x, where[0].y, 25, 25])
    assert colour(page, green) == pytest.approx((0x3D, 0xA3, 0x5D), abs=60)
    page.evaluate("vector_layer_mapapp.setHidden('compounds', ['completed'])")
    page.wait_for_timeout(100)
    assert min(colour(page, green)) > 200
    page.mouse.click(*page.evaluate(near, [where[1].x, where[1].y, 20, 20]))
    page.wait_for_selector(".card")
    assert page.text_content(".card h2") == NASTY
    assert "20" in page.text_content(".card dl")
    assert page.text_content(".title h1") == f"某县{NASTY}"
    assert "2026年11月25日" in page.text_content(".title")
    assert page.evaluate("window.hacked") is None
    page.keyboard.press("Escape")
    assert page.query_selector(".card") is None
    assert asked == []
    assert faults == []
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1200, 800), (390, 844)])
def test_the_stand_alone_page_is_used_by_keyboard_and_tells_codes_in_words(browser, tmp_path, size):
    """The legend folds by a button, the card takes the focus and Esc gives it back; a code is a word."""
    words = {"compounds": {"ownership_origin": {"公房": "public housing"}}}
    labels = {"compounds": {"ownership_origin": ("Origin", "")}}
    given = layers()
    given["compounds"] = given["compounds"].assign(ownership_origin="公房")
    config = StandaloneConfig("County", "2026-11-25", lang="en", words=words, labels=labels)
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True)
    page = context.new_page()
    page.goto(standalone(given, config, tmp_path / "map.html").as_uri())
    page.wait_for_selector("body[data-ready]")
    page.focus(".legend h2 button")
    folded = page.get_attribute(".legend h2 button", "aria-expanded") == "false"
    assert folded == (size[0] < 640)
    page.keyboard.press("Enter")
    assert page.is_visible(".legend details") is folded
    if size[0] < 640:
        page.keyboard.press("Enter")
    centre = given["compounds"].geometry.centroid.to_crs(4326)[0]
    at = page.evaluate("([x, y]) => { const p = map_mapapp.latLngToContainerPoint([y, x]); return [p.x, p.y]; }",
                       [centre.x, centre.y])  # fmt: skip
    page.mouse.click(*at)
    page.wait_for_selector(".card")
    told = page.inner_text(".card dl")
    assert "Origin" in told
    assert "public housing" in told
    assert page.evaluate("document.activeElement.closest('.card') !== null")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.classList.contains('folium-map')")
    context.close()


def colour(page, at):
    """Return the colour of one pixel of a screenshot."""
    import io

    from PIL import Image

    shot = page.screenshot(clip={"x": round(at[0]), "y": round(at[1]), "width": 2, "height": 2})
    return Image.open(io.BytesIO(shot)).convert("RGB").getpixel((0, 0))


@pytest.mark.browser
def test_the_stand_alone_page_shows_a_relapse_in_map_and_legend(browser, tmp_path):
    """A flag beside the status: one line, counted once; a click on it means the compound."""
    given = layers()
    given["compounds"] = given["compounds"].assign(relapsed=[True, False, None])
    context = browser.new_context(viewport={"width": 1200, "height": 800}, offline=True)
    page = context.new_page()
    page.goto(standalone(given, StandaloneConfig("County", "2026-11-25", lang="en"), tmp_path / "map.html").as_uri())
    page.wait_for_selector("body[data-ready]")
    row = page.locator(".legend details", has=page.locator("b", has_text="Relapsed"))
    assert row.locator("summary small").inner_text() == "1"
    assert row.locator("label span").all_inner_texts() == ["Relapsed"]
    where = given["compounds"].geometry.centroid.to_crs(4326)[0]
    at = page.evaluate("([x, y]) => { const p = map_mapapp.latLngToContainerPoint([y, x]); return [p.x, p.y]; }",
                       [where.x, where.y])  # fmt: skip
    page.mouse.click(*at)
    assert page.text_content(".card dt") == "Renovation status"
    context.close()
