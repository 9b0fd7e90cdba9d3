"""The pieces that tiles are made of: varints, cutting, curves, and folders that are whole or absent."""

from __future__ import annotations

import json
import threading

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mapapp import tiles
from mapapp.core.errors import NotFoundError
from mapapp.tiles import cache, clip, grid, protobuf, ragged


def plain_varints(data):
    out, value, shift = [], 0, 0
    for byte in bytes(data):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            out.append(value)
            value, shift = 0, 0
    return out


@given(st.lists(st.integers(0, 2**62), max_size=50))
def test_varints_read_back_as_written(values):
    assert plain_varints(protobuf.varints(np.array(values, dtype=np.int64))) == values
    assert b"".join(map(protobuf.varint, values)) == protobuf.varints(np.array(values, dtype=np.int64)).tobytes()


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1))
def test_zigzag_is_never_negative_and_undone(values):
    coded = protobuf.zigzag(np.array(values, dtype=np.int64)).astype(np.uint64)
    assert [int(c) // 2 if c % 2 == 0 else -(int(c) + 1) // 2 for c in coded] == values


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9))))
def test_ranges_are_many_aranges(pairs):
    starts, counts = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    wanted = [v for s, c in pairs for v in range(s, s + c)]
    assert ragged.ranges(starts, counts).tolist() == wanted


@settings(max_examples=200)
@given(hnp.arrays(np.int64, st.tuples(st.integers(2, 12), st.just(2)), elements=st.integers(-9000, 9000)))
def test_cut_lines_are_what_geos_cuts(xy):
    """Length inside the buffered tile agrees with shapely's, within rounding of the cut points."""
    x, y, lengths = clip.drop_repeats(xy[:, 0], xy[:, 1], np.array([len(xy)]))
    x, y, lengths, part = clip.lines(x, y, lengths)
    got = sum(
        shapely.LineString(p).length for p in np.split(np.column_stack([x, y]), np.cumsum(lengths)[:-1]) if len(p)
    )
    window = shapely.box(clip.LOW, clip.LOW, clip.HIGH, clip.HIGH)
    segments = shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1))
    inside = shapely.intersection(segments, window)
    # A segment along the window's edge counts or not, as rounding has it.
    assert got == pytest.approx(shapely.length(inside).sum(), abs=3.0 * len(xy))
    assert len(part) == len(lengths)
    assert (lengths >= 2).all()


@settings(max_examples=200)
@given(
    st.integers(-6000, 9000), st.integers(-6000, 9000), st.integers(1, 8000), st.integers(3, 9), st.floats(0, 6.28)
)  # fmt: skip
def test_cut_rings_keep_the_area_inside(cx, cy, radius, corners, turn):
    angle = turn + np.arange(corners) * 2 * np.pi / corners
    x = np.rint(cx + radius * np.cos(angle)).astype(np.int64)
    y = np.rint(cy + radius * np.sin(angle)).astype(np.int64)
    ring = shapely.Polygon(np.column_stack([x, y]))
    cx_, cy_, lengths = clip.rings(x, y, np.array([corners]))
    area = clip.twice_areas(cx_, cy_, lengths)[0] / 2
    wanted = ring.intersection(shapely.box(clip.LOW, clip.LOW, clip.HIGH, clip.HIGH)).area if ring.is_valid else area
    assert abs(area) == pytest.approx(wanted, abs=4 * 4224 + 10)


@given(st.integers(0, 2**20), st.integers(0, 2**20))
def test_z_order_interleaves_bits(x, y):
    wanted = sum(((x >> i & 1) << 2 * i) | ((y >> i & 1) << (2 * i + 1)) for i in range(21))
    assert grid.z_order(np.array([x]), np.array([y]))[0] == wanted


@given(st.integers(0, 22), st.integers(-(2**31), 2**31 - 1))
def test_neighbouring_tiles_round_a_point_alike(z, cell):
    """A point has the same place on the world's fine grid, whichever tile it is drawn in."""
    here = np.array([[cell, cell]], dtype=np.int32)
    number = (cell + 2**31) >> (32 - z)
    one, two = grid.to_tile(here, z, number, number)[0][0], grid.to_tile(here, z, number + 1, number)[0][0]
    assert one - two == grid.EXTENT


def frame(n):
    points = shapely.points(np.arange(n) * 10.0 + 500_000, 3_400_000.0)
    return gpd.GeoDataFrame({"id": [f"i{k}" for k in range(n)]}, geometry=points, crs="EPSG:4547")


def build(n, folder):
    return tiles.build(frame(n), folder, attributes=["id"], key="id", version=str(n))


def test_a_reader_keeps_what_it_opened_while_a_new_build_arrives(tmp_path):
    old = build(3, tmp_path)
    build(5, tmp_path)
    assert old.ids.tolist() == ["i0", "i1", "i2"]
    assert (tiles.open(tmp_path).version, tiles.open(tmp_path).rows_count) == ("5", 5)
    assert len([p for p in tmp_path.iterdir() if p.is_dir()]) == 1


def test_a_build_that_fails_leaves_the_former_one(tmp_path):
    build(3, tmp_path)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiles.build(frame(5), tmp_path, attributes=["id"], key="id", version="5", progress=stop)
    assert tiles.open(tmp_path).version == "3"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("harm", ["absent", "empty", "cut", "gone", "format"])
def test_a_damaged_cache_is_no_cache(tmp_path, harm):
    """It is derived data: the answer is to build again, never a wrong tile."""
    build(3, tmp_path)
    pointer = tmp_path / "current.json"
    told = json.loads(pointer.read_text())
    if harm == "absent":
        pointer.unlink()
    elif harm == "empty":
        pointer.write_text("")
    elif harm == "cut":
        (tmp_path / told["data"] / "xy.bin").write_bytes(b"\0" * 8)
    elif harm == "gone":
        (tmp_path / told["data"] / "bbox.bin").unlink()
    else:
        pointer.write_text(json.dumps(told | {"format": cache.FORMAT + 1}))
    with pytest.raises(NotFoundError, match="Build it again"):
        tiles.open(tmp_path)


def test_several_builders_and_readers_at_once_end_with_one_whole_cache(tmp_path):
    build(3, tmp_path)
    faults = []

    def work(n):
        try:
            build(n, tmp_path)
            assert len(tiles.open(tmp_path).ids) in range(3, 11)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4, 11)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert faults == []
    assert tiles.open(tmp_path).version in {str(n) for n in range(4, 11)}
