"""Tiles hold what the frame holds, where it lies, and nothing that the asker may not see."""

from __future__ import annotations

import math

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from mapapp import tiles
from mapapp.core.errors import InputError, NotFoundError

CRS = "EPSG:4547"  # CGCS2000 3-degree, central meridian 114 E
X0, Y0 = 500_000.0, 3_400_000.0
NAMES = ["kind", "diameter_mm", "name"]


def pipes(geometry, **columns):
    n = len(geometry)
    data = {"pipe_id": [f"P{i}" for i in range(n)], "kind": ["sewage"] * n, "diameter_mm": [300.0] * n} | columns
    return gpd.GeoDataFrame(data, geometry=list(geometry), crs=CRS)


def build(frame, tmp_path, **options):
    options = {"attributes": NAMES, "key": "pipe_id", "version": "1"} | options
    return tiles.build(frame, tmp_path / "cache", **options)


def town(n=9_000, seed=0):
    """More pipes than a low-zoom tile shows one by one."""
    rng = np.random.default_rng(seed)
    start = np.column_stack([rng.uniform(0, 6000, n) + X0, rng.uniform(0, 6000, n) + Y0])
    end = start + rng.uniform(-80, 80, (n, 2))
    kind = rng.choice(["sewage", "storm"], n)
    return pipes(
        shapely.linestrings(np.stack([start, end], axis=1)), kind=kind, diameter_mm=rng.choice([300.0, 600], n)
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    frame = town()
    return frame, build(frame, tmp_path_factory.mktemp("many"))


def at(source, z):
    """All tile addresses of a zoom that the layer's bounds touch, buffers included."""
    west, south, east, north = source.bounds

    def number(lon, lat):
        y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
        return int((lon + 180) / 360 * 2**z), int(y * 2**z)

    (x0, y1), (x1, y0) = number(west, south), number(east, north)
    return [(z, x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)]


def read(data):
    if not data:
        return []
    (layer,) = mapbox_vector_tile.decode(data, default_options={"y_coord_down": True}).values()
    return layer["features"]


def features(source, z, **options):
    return [f for a in at(source, z) for f in read(source.tile(*a, **options))]


def test_a_line_lies_where_it_was_drawn(tmp_path):
    """The position in the tile agrees with pyproj and the tile formula within one unit."""
    frame = pipes([shapely.LineString([(X0, Y0), (X0 + 50, Y0 + 20)])])
    source = build(frame, tmp_path)
    (z, x, y) = at(source, 16)[0]
    (feature,) = read(source.tile(z, x, y))
    lon, lat = frame.geometry.to_crs(4326).iloc[0].coords[0]
    want_x = ((lon + 180) / 360 * 2**z - x) * 4096
    want_y = ((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z - y) * 4096
    got = feature["geometry"]["coordinates"][0]
    assert got == pytest.approx([want_x, want_y], abs=1)


def test_attributes_keep_type_and_missing_stays_missing(tmp_path):
    line = shapely.LineString([(X0, Y0), (X0 + 50, Y0)])
    frame = pipes(
        [line, line], kind=["sewage", None], diameter_mm=[300.5, np.nan], name=["<b>东街</b>", ""],
        rank=pd.array([-7, None], dtype="Int64"), pump=pd.array([True, None], dtype="boolean"),
        big=[2**40, 1], far=[np.inf, 1.5],
    )  # fmt: skip
    source = build(frame, tmp_path, attributes=[*NAMES, "rank", "pump", "big", "far"])
    first, second = sorted((f["properties"] for f in features(source, 17)[:2]), key=lambda p: p["pipe_id"])
    assert first == {
        "pipe_id": "P0", "kind": "sewage", "diameter_mm": 300.5, "name": "<b>东街</b>", "rank": -7, "pump": True,
        "big": 2**40,
    }  # fmt: skip
    assert second == {"pipe_id": "P1", "name": "", "big": 1, "far": 1.5}


def test_a_line_that_leaves_and_returns_is_two_pieces_and_length_is_kept(tmp_path):
    """The pieces of all tiles, cut at the tile edges, add up to the line."""
    zigzag = [(X0 + 300 * (i % 2), Y0 + 40 * i) for i in range(60)]
    source = build(pipes([shapely.LineString(zigzag)]), tmp_path)
    total = 0.0
    for address in at(source, 17):
        for feature in read(source.tile(*address)):
            inside = shapely.clip_by_rect(shapely.geometry.shape(feature["geometry"]), 0, 0, 4096, 4096)
            total += inside.length
    whole = sum(shapely.geometry.shape(f["geometry"]).length * 2**5 for f in read(source.tile(*at(source, 12)[0])))
    assert len(at(source, 17)) > 4
    assert total == pytest.approx(whole, rel=0.01)


def test_a_polygon_with_a_hole_winds_as_the_specification_says(tmp_path):
    """Outer ring clockwise on screen, hole the other way; area is that of the polygon."""
    shape = shapely.Point(X0, Y0).buffer(90).difference(shapely.Point(X0, Y0).buffer(30))
    source = build(pipes([shape]), tmp_path)
    areas = 0.0
    for address in at(source, 18):
        for feature in read(source.tile(*address)):
            polygon = shapely.geometry.shape(feature["geometry"])
            for part in shapely.get_parts(polygon):
                assert part.exterior.is_ccw
                assert all(not ring.is_ccw for ring in part.interiors)
                # In the buffer a cut hole may run along its cut outer ring, so each ring is measured by itself.
                outer, *holes = [shapely.Polygon(r) for r in (part.exterior, *part.interiors)]
                window = shapely.box(0, 0, 4096, 4096)
                areas += outer.intersection(window).area - sum(h.intersection(window).area for h in holes)

    unit = 40075016.685578488 / 2**18 / 4096 * math.cos(math.radians((source.bounds[1] + source.bounds[3]) / 2))
    assert areas * unit**2 == pytest.approx(shape.area, rel=0.01)


def test_nothing_and_oddities_are_no_reason_to_fail(tmp_path):
    """Rows that cannot be placed are listed, the others drawn."""
    line = shapely.LineString([(X0, Y0), (X0 + 50, Y0)])
    with np.errstate(invalid="ignore"):
        nowhere = shapely.LineString([(float("nan"), 1), (2, 3)])
    odd = [
        None, shapely.LineString(), line, shapely.LineString([(1e300, 1e300), (1e301, 0)]),
        shapely.Point(X0, Y0 + 30),
        shapely.MultiPoint([(X0, Y0 + 60), (X0 + 9, Y0 + 60)]),
        shapely.MultiLineString([line.coords, [(X0, Y0 + 9), (X0, Y0 + 20)]]),
        shapely.GeometryCollection([shapely.Point(X0, Y0), line]),
        shapely.MultiPolygon([shapely.box(X0, Y0, X0 + 9, Y0 + 9)]),
        shapely.LineString([(X0, Y0), (X0, Y0)]), nowhere, shapely.GeometryCollection(),
    ]  # fmt: skip
    source = build(pipes(odd), tmp_path)
    drawn = {f["properties"]["pipe_id"] for f in features(source, 18)}
    assert drawn == {"P2", "P4", "P5", "P6", "P7", "P8", "P9"}
    assert source.undrawn.tolist() == [0, 1, 3, 10, 11]


def test_an_empty_layer_gives_empty_tiles(tmp_path):
    source = build(pipes([]), tmp_path)
    assert source.bounds is None
    assert source.tile(3, 1, 2) == b""
    assert source.tile(14, 0, 0, mask=np.zeros(0, dtype=bool)) == b""


@pytest.mark.parametrize("address", [(-1, 0, 0), (23, 0, 0), (3, 8, 0), (3, 0, -1)])
def test_a_tile_that_does_not_exist_is_said_so(many, address):
    with pytest.raises(NotFoundError, match="no tile"):
        many[1].tile(*address)


@pytest.mark.parametrize("z", range(23))
def test_every_zoom_answers_a_valid_tile(many, z):
    _, source = many
    address = at(source, z)[len(at(source, z)) // 2]
    read(source.tile(*address))


@pytest.mark.parametrize("z", [0, 6, 10, 12, 13])
def test_every_pipe_is_a_member_of_something_at_low_zoom(many, z):
    """No suburb vanishes: with a mask of one row, that row is seen."""
    frame, source = many
    for row in range(0, len(frame), 997):
        mask = np.zeros(len(frame), dtype=bool)
        mask[row] = True
        found = features(source, z, mask=mask)
        assert {f["properties"]["pipe_id"] for f in found} == {f"P{row}"}


def test_low_zooms_count_and_carry_the_largest(many, tmp_path):
    """All pipes on one spot: one dot or segment that says how many, how large, and of each kind apart."""
    line = shapely.LineString([(X0, Y0), (X0 + 400, Y0 + 100)])
    n = 5_000
    frame = pipes([line] * n, kind=["sewage", "storm"] * (n // 2), diameter_mm=[300.0] * (n - 1) + [900.0])
    frame["severity"] = ["info"] * (n - 1) + ["error"]
    source = build(frame, tmp_path, attributes=[*NAMES, "severity"], group=["kind"])
    found = [f["properties"] for f in read(source.tile(*at(source, 10)[0]))]
    assert {(p["kind"], p["count"], p["max_diameter_mm"], p["worst"]) for p in found} == {
        ("sewage", 2500, 300.0, "info"), ("storm", 2500, 900.0, "error"),
    }  # fmt: skip
    mask = np.ones(n, dtype=bool)
    mask[-1] = False
    mask[:10:2] = False
    found = [f["properties"] for f in read(source.tile(*at(source, 10)[0], mask=mask))]
    assert {(p["kind"], p["count"], p["max_diameter_mm"], p["worst"]) for p in found} == {
        ("sewage", 2495, 300.0, "info"), ("storm", 2499, 300.0, "info"),
    }  # fmt: skip


@pytest.mark.parametrize("z", [0, 8, 11, 12, 13, 14, 16])
def test_what_a_mask_hides_leaves_no_trace(many, z, tmp_path):
    """Tiles under a mask say the same as tiles of a layer that never held the hidden rows."""
    frame, source = many
    mask = (frame["kind"] == "sewage").to_numpy() & (np.arange(len(frame)) % 9 > 0)
    alone = build(frame[mask].reset_index(drop=True), tmp_path)
    address = at(source, z)[len(at(source, z)) // 2]

    def said(data):
        return sorted(str((sorted(f["properties"].items()), _lines(f))) for f in read(data))

    assert said(source.tile(*address, mask=mask)) == said(alone.tile(*address))
    assert b"storm" not in source.tile(*address, mask=mask)
    assert max((f.get("id", 0) for f in read(source.tile(*address, mask=mask))), default=0) < mask.sum()


def _lines(feature):
    coordinates = feature["geometry"]["coordinates"]
    return sorted(map(str, coordinates)) if feature["geometry"]["type"].startswith("Multi") else coordinates


@pytest.mark.parametrize("z", [9, 15])
def test_only_listed_attributes_leave_the_server(many, z):
    _, source = many
    address = at(source, z)[0]
    data = source.tile(*address, attributes=["diameter_mm"])
    assert {k for f in read(data) for k in f["properties"]} <= {"diameter_mm", "max_diameter_mm", "count"}
    assert b"pipe_id" not in data
    assert b"kind" not in data


def test_a_mask_of_the_wrong_length_is_refused(many):
    with pytest.raises(ValueError, match="rows"):
        many[1].tile(5, 0, 0, mask=[True])


def test_small_polygons_become_counted_dots_and_large_ones_stay(tmp_path):
    """A city of small houses and one large park, from afar."""
    rng = np.random.default_rng(3)
    corners = rng.uniform((X0, Y0), (X0 + 3000, Y0 + 3000), (6000, 2))
    houses = shapely.box(corners[:, 0], corners[:, 1], corners[:, 0] + 10, corners[:, 1] + 8)
    park = shapely.box(X0, Y0 + 3000, X0 + 900, Y0 + 3900)
    source = build(pipes([*houses, park]), tmp_path)
    found = features(source, 12)
    shapes = {f["geometry"]["type"] for f in found}
    assert shapes == {"Point", "MultiPoint", "Polygon"}
    assert {f["properties"]["pipe_id"] for f in found if f["geometry"]["type"] == "Polygon"} == {"P6000"}


def test_ids_are_those_of_the_frame_in_its_order(many):
    frame, source = many
    assert source.ids.tolist() == frame["pipe_id"].tolist()
    assert source.rows(["P7", "nobody", "P0"]).tolist() == [7, -1, 0]


def test_a_layer_without_crs_is_refused_and_leaves_nothing(tmp_path):
    frame = pipes([shapely.Point(0, 0)]).set_crs(None, allow_override=True)
    with pytest.raises(InputError, match="coordinate system"):
        build(frame, tmp_path)
    assert not (tmp_path / "cache").exists()


def test_the_frame_is_left_as_it_was(tmp_path):
    frame = town(200)
    before = frame.copy(deep=True)
    build(frame, tmp_path)
    assert_geodataframe_equal(frame, before)


def test_the_same_frame_gives_the_same_bytes(tmp_path):
    one, two = build(town(5000), tmp_path / "a"), build(town(5000), tmp_path / "b")
    for z in (7, 12, 15):
        assert [one.tile(*a) for a in at(one, z)] == [two.tile(*a) for a in at(two, z)]


@pytest.mark.parametrize("name", ["count", "worst"])
def test_names_of_aggregates_are_reserved(tmp_path, name):
    """A column of that name would make the map take features for aggregates."""
    with pytest.raises(ValueError, match=name):
        build(pipes([shapely.Point(X0, Y0)], **{name: [1]}), tmp_path, attributes=[name])
    assert not (tmp_path / "cache").exists()


def test_aggregates_name_each_group_by_its_own_column_whatever_the_order_of_attributes(tmp_path):
    """Findings list the rule before the status: neither may be read from the other's table of values."""
    frame = town()
    rules = np.array([f"rule{i % 20}" for i in range(len(frame))])
    frame = frame.assign(rule=rules, severity=np.where(rules == "rule1", "error", "notice"), status="open")
    source = build(frame, tmp_path, attributes=["rule", "severity", "status"])
    found = [f["properties"] for f in features(source, 8)]
    assert {p["status"] for p in found} == {"open"}
    assert {p["rule"] for p in found} == set(rules)
    assert {p["severity"] for p in found if p["rule"] == "rule1"} == {"error"}
