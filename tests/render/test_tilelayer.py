"""The canvas layer in a real browser: decodes what the encoder wrote, filters without a request, picks, bears failures."""

from __future__ import annotations

import base64
import math
from pathlib import Path

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from xstatic.pkg import leaflet

import mapapp
from mapapp import tiles
from mapapp.core.errors import NotFoundError
from mapapp.render.style import style_json
from mapapp.render.webmap import MapConfig, page_map, page_parts

pytestmark = pytest.mark.browser
STATIC = Path(mapapp.__file__).parent / "web" / "static"
HOST = "http://map.invalid"


def pipes():
    """Return a street of thirty pipes, every third a storm sewer."""
    x = 500_000 + 40.0 * np.arange(30)
    ends = np.stack([np.column_stack([x, x * 0 + 3_400_000]), np.column_stack([x + 38, x * 0 + 3_400_010])], axis=1)
    return gpd.GeoDataFrame(
        {
            "pipe_id": [f"P{i}" for i in range(30)],
            "kind": ["storm", "sewage", "sewage"] * 10,
            "year": [2000, 2001] * 15,
            "rule": ["dangling;no_main", "dangling", None] * 10,
        },
        geometry=shapely.linestrings(ends),
        crs="EPSG:4547",
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiles")
    return tiles.build(pipes(), folder, attributes=["kind", "year", "rule"], key="pipe_id", version="1")


@pytest.fixture(scope="module")
def browser(chromium):
    return chromium


@pytest.fixture(scope="module")
def page(browser, source):
    """Open the map once; tiles come from the source; ``page.asked`` lists tile requests."""
    url = f"{HOST}/tiles/{{z}}/{{x}}/{{y}}.mvt"
    style = style_json("en")["pipes"]
    config = MapConfig(
        bounds=tuple(source.bounds),
        sources=[{"id": "pipes", "url": url, "style": style, "key": "pipe_id", "bounds": source.bounds}],
    )
    parts = page_parts(page_map(config))
    html = f"<html><head>{parts.head}</head><body style='margin:0'>{parts.body}{parts.script}</body></html>"
    page = browser.new_page(viewport={"width": 900, "height": 600})
    page.asked, page.failing, page.faults = [], False, []

    def answer(route):
        path = route.request.url.removeprefix(HOST)
        if path == "/":
            return route.fulfill(body=html, content_type="text/html")
        if path.startswith("/tiles/"):
            page.asked.append(path)
            if page.failing:
                return route.fulfill(status=500, body="")
            try:
                data = source.tile(*map(int, path[len("/tiles/") : -len(".mvt")].split("/")))
            except NotFoundError:
                return route.fulfill(status=404, body="")
            return route.fulfill(body=data, content_type="application/vnd.mapbox-vector-tile")
        file = (
            STATIC / path[len("/static/") :]
            if path.startswith("/static/")
            else Path(leaflet.BASE_DIR) / Path(path).name
        )
        return route.fulfill(path=str(file)) if file.is_file() else route.fulfill(status=404, body="")

    page.route("**/*", answer)
    page.on("pageerror", lambda e: page.faults.append(str(e)))
    page.goto(f"{HOST}/")
    page.wait_for_function("vector_layer_mapapp.counts('pipes').loaded === 30")
    yield page
    assert page.faults == []
    page.close()


def test_the_decoder_reads_what_the_encoder_wrote(page, source):
    """Feature by feature the same as the reference decoder: geometry, types and values."""
    west, south, east, north = source.bounds
    middle = page.evaluate("(b) => { const p = L.CRS.EPSG3857.latLngToPoint(L.latLng(b[1], b[0]), 15); return [p.x, p.y] }",
                           [(west + east) / 2, (south + north) / 2])  # fmt: skip
    data = source.tile(15, int(middle[0] // 256), int(middle[1] // 256))
    (wanted,) = mapbox_vector_tile.decode(data, default_options={"y_coord_down": True}).values()
    got = page.evaluate(
        """(text) => {
          const b = MapappTiles.decode(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer), out = [];
          for (let f = 0; f < b.n; f++) {
            const p = {}, xy = [];
            b.keys.forEach(k => { if (b.codes[k][f]) p[k] = b.values[b.codes[k][f] - 1]; });
            for (let v = b.from[b.part[f]]; v < b.from[b.part[f + 1]]; v++) xy.push([b.xy[2 * v], b.xy[2 * v + 1]]);
            out.push([p, xy]);
          }
          return out; }""",
        base64.b64encode(data).decode(),
    )
    assert len(got) > 5
    assert got == [[f["properties"], [list(c) for c in f["geometry"]["coordinates"]]] for f in wanted["features"]]


def test_filters_switches_and_styles_ask_for_nothing(page):
    asked = len(page.asked)
    page.evaluate("vector_layer_mapapp.setFilter('pipes', {kind: ['storm']})")
    assert page.evaluate("vector_layer_mapapp.counts('pipes')") == {"loaded": 30, "shown": 10, "classes": {"storm": 10}}
    page.evaluate("vector_layer_mapapp.setFilter('pipes', {kind: ['storm'], year: ['2001']})")
    assert page.evaluate("vector_layer_mapapp.counts('pipes').shown") == 5
    page.evaluate("vector_layer_mapapp.setFilter('pipes', {rule: ['no_main']})")
    assert page.evaluate("vector_layer_mapapp.counts('pipes').shown") == 10
    page.evaluate("vector_layer_mapapp.setFilter('pipes', {rule: ['dangling', null]})")
    assert page.evaluate("vector_layer_mapapp.counts('pipes').shown") == 30
    page.evaluate("vector_layer_mapapp.setFilter('pipes', null).setHidden('pipes', ['sewage'])")
    assert page.evaluate("vector_layer_mapapp.counts('pipes').shown") == 10
    page.evaluate("vector_layer_mapapp.setHidden('pipes', []).setVisible('pipes', false).setVisible('pipes', true)")
    assert page.evaluate("vector_layer_mapapp.counts('pipes').shown") == 30
    assert len(page.asked) == asked


def test_a_click_and_a_hover_name_the_pipe(page):
    page.evaluate("vector_layer_mapapp.setFilter('pipes', null)")
    point = pipes().geometry.to_crs(4326).iloc[14].interpolate(0.5, normalized=True)
    page.evaluate("window.said = []; vector_layer_mapapp.on('pick hover', e => said.push([e.type, e.layer, e.id]))")
    at = page.evaluate(
        "([y, x]) => { const p = map_mapapp.latLngToContainerPoint([y, x]); return [p.x, p.y] }", [point.y, point.x]
    )
    page.mouse.move(*at)
    page.mouse.click(*at)
    page.wait_for_function("said.length >= 2")
    assert ["hover", "pipes", "P14"] in page.evaluate("said")
    assert ["pick", "pipes", "P14"] in page.evaluate("said")
    page.evaluate("vector_layer_mapapp.setFilter('pipes', {kind: ['storm']})")
    assert page.evaluate("([y, x]) => vector_layer_mapapp.pick(L.latLng(y, x)).length", [point.y, point.x]) == 0


def test_a_failing_server_is_told_and_a_new_source_recovers(page):
    page.failing = True
    page.evaluate("window.told = []; vector_layer_mapapp.on('error', e => told.push([e.layer, e.status]))")
    page.evaluate(f"vector_layer_mapapp.setSource('pipes', {{url: '{HOST}/tiles/{{z}}/{{x}}/{{y}}.mvt?v=2'}})")
    page.wait_for_function("told.length > 0")
    assert page.evaluate("told[0]") == ["pipes", 500]
    page.failing = False
    page.evaluate(f"vector_layer_mapapp.setSource('pipes', {{url: '{HOST}/tiles/{{z}}/{{x}}/{{y}}.mvt'}})")
    page.wait_for_function("vector_layer_mapapp.counts('pipes').loaded === 30")


def test_every_tile_edge_is_crossed_by_an_unbroken_line(page):
    """Along the street no column of pixels is empty, also where one tile ends and the next begins."""
    page.evaluate("vector_layer_mapapp.setFilter('pipes', null)")
    page.wait_for_timeout(300)
    gaps = page.evaluate("""() => {
      const out = [], layer = vector_layer_mapapp;
      Object.values(layer._recs).filter(r => r.coords.z === layer._tileZoom && r.blocks.pipes).forEach(r => {
        const right = layer._recs[(r.coords.x + 1) + ':' + r.coords.y + ':' + r.coords.z];
        if (!right || !right.blocks.pipes) return;
        const size = r.canvas.width, ink = (c, x) => c.getContext('2d').getImageData(x, 0, 1, size).data
          .filter((v, i) => i % 4 === 3 && v > 40).length;
        out.push([ink(r.canvas, size - 1), ink(right.canvas, 0)]);
      });
      return out; }""")
    assert gaps
    for left, right in gaps:
        assert (left > 0) == (right > 0)
        assert abs(left - right) <= 1


def test_no_arrow_is_drawn_where_the_direction_is_not_recorded(page):
    """Unknown stays unknown: a pipe drawn one way does not flow that way."""
    drawn = page.evaluate("""() => {
      const look = MapappTiles.classOf(vector_layer_mapapp.options.sources[0].style, 'sewage');
      const base = { types: [2], parts: [1], lengths: [2], xy: [114000000, 30700000, 600, 0] };
      const ink = codes => new Promise(done => {
        const style = Object.assign({}, vector_layer_mapapp.options.sources[0].style, { classes: [Object.assign({}, look, { values: [''] })], fallback: look.id });
        const columns = codes === null ? {} : { flow_dir: { values: ['0', '1', 'unknown'], codes: [codes] } };
        const layer = MapappTiles.layer({ sources: [{ id: 'one', key: 'id', style: style, data: Object.assign({ columns: columns }, base) }] });
        map_mapapp.setView([30.7, 114.0003], 18, { animate: false });
        layer.once('load', () => {
          let sum = 0;
          Object.values(layer._recs).forEach(r => r.canvas.getContext('2d').getImageData(0, 0, 256, 256).data.forEach((v, i) => { if (i % 4 === 3) sum += v; }));
          setTimeout(() => { layer.remove(); done(sum); });  // Leaflet is still busy with the layer
        });
        layer.addTo(map_mapapp);
      });
      return ink(null).then(a => ink(3).then(b => ink(1).then(c => ink(2).then(d => [a, b, c, d])))); }""")
    nothing, unknown, along, against = drawn
    assert nothing == unknown > 0
    assert along > nothing
    assert against > nothing


def test_a_large_tile_is_decoded_in_a_worker_and_comes_back_the_same(page, tmp_path):
    """The page draws its frames meanwhile; a tile that is none fails there as it does here."""
    lines = shapely.linestrings([[(500_000 + i, 3_400_000), (500_010 + i, 3_400_030)] for i in range(3000)])
    frame = gpd.GeoDataFrame({"pipe_id": [f"P{i}" for i in range(3000)]}, geometry=lines, crs="EPSG:4547")
    large = tiles.build(frame, tmp_path / "large", attributes=[], key="pipe_id", version="1")
    west, south, east, north = large.bounds
    x, y = (int(v) for v in mercantile((west + east) / 2, (south + north) / 2, 14))
    data = large.tile(14, x, y)
    assert len(data) > 30_000
    script = """async (text) => {
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const away = await MapappTiles.parts.decodeAway(bytes.buffer), here = MapappTiles.decode(bytes.buffer);
        const broken = await MapappTiles.parts.decodeAway(bytes.slice(0, 35000).buffer).then(() => "", (e) => e.message);
        return [away.n, here.n, String(away.xy) === String(here.xy), away.values.join() === here.values.join(), broken];
    }"""
    away, here, same, values, broken = page.evaluate(script, base64.b64encode(data).decode())
    assert len(page.workers) == 1
    assert away == here > 1000
    assert (same, values) == (True, True)
    assert "truncated" in broken


def mercantile(lon: float, lat: float, z: int) -> tuple[float, float]:
    """Return the tile that a place lies in, as fractions."""
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return (lon + 180) / 360 * 2**z, y * 2**z
