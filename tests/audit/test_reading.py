"""Arrow tables with WKB give the same answer as frames of geometry objects; wrong input gets one sentence."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp import audit
from mapapp.core.errors import InputError, QuestionError
from mapapp.core.geometry import lines_of, lines_of_wkb
from tests.audit.test_invariance import everything
from tests.audit.towns import layers, main, run


def arrow(frame):
    table = frame.drop(columns="geometry")
    columns = {name: pa.array(table[name], from_pandas=True) for name in table}
    return pa.table({**columns, "wkb_geometry": pa.array(frame.geometry.to_wkb(), from_pandas=True)})


def test_arrow_and_frames_give_the_same_findings():
    town = everything()
    quick = audit.run({name: arrow(frame) for name, frame in town.items()})
    slow = run(town)
    assert quick.findings["finding_id"].tolist() == slow.findings["finding_id"].tolist()
    assert quick.verdicts["evidence"].tolist() == slow.verdicts["evidence"].tolist()


COORDINATE = st.floats(-1e6, 1e6, allow_nan=False)
LINE = st.lists(st.tuples(COORDINATE, COORDINATE, COORDINATE), min_size=2, max_size=5).map(shapely.LineString)
ANY = st.one_of(
    LINE, LINE.map(shapely.force_2d), st.lists(LINE, min_size=1, max_size=3).map(shapely.MultiLineString), st.none(),
    st.just(shapely.Point(1, 2)), st.just(shapely.LineString()), LINE.map(lambda g: shapely.set_srid(g, 4544)),
)  # fmt: skip


@given(st.lists(ANY, max_size=8), st.sampled_from([{}, {"byte_order": 0}, {"flavor": "iso"}, {"include_srid": True}]))
@settings(deadline=None, max_examples=80)
def test_bytes_read_as_they_lie_are_the_lines_that_shapely_reads(shapes, options):
    geometry = np.array([*shapes, None], dtype=object)[:-1]
    column = pa.array(shapely.to_wkb(geometry, **options) if len(geometry) else [], pa.binary())
    offsets = np.frombuffer(column.buffers()[1], np.int32)[: len(shapes) + 1].astype(np.int64)
    data = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    valid = np.array([g is not None for g in shapes], dtype=bool)
    quick, slow = lines_of_wkb(data, offsets, valid), lines_of(geometry)
    for name in ("x", "y", "offsets", "row", "missing", "broken"):
        np.testing.assert_array_equal(getattr(quick, name), getattr(slow, name), err_msg=name)


def test_degrees_are_a_question():
    with pytest.raises(QuestionError, match="degrees") as error:
        audit.run({"pipes": layers(main())["pipes"].to_crs(4326)})
    assert error.value.option == "crs"


def test_two_coordinate_systems_are_refused():
    town = everything()
    with pytest.raises(InputError, match="different coordinate systems"):
        audit.run(town | {"manholes": town["manholes"].to_crs(4545)})


@pytest.mark.parametrize("wrong", [{"snap_m": 2.0}, {"snap_m": -1}, {"no_main_m": float("nan")}, {"min_slope": ()}])
def test_settings_that_cannot_be_used_are_refused(wrong):
    with pytest.raises(InputError):
        audit.AuditSettings(**wrong)


def test_numbers_as_text_and_numeric_ids_are_read():
    town = layers(main())
    town["pipes"]["pipe_id"] = [1.0, 2.0, 2.0]
    town["pipes"]["from_invert_m"] = ["10", "9.7", "无"]
    assert "2" in set(run(town).findings["feature_id"])
