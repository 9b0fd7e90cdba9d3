"""Edits by hand: history, conflicts, undo, and where each value came from."""

from __future__ import annotations

import pandas as pd
import pytest
import shapely

from mapapp import store
from mapapp.core.errors import ConflictError, InputError, NotFoundError

from .conftest import E0, N0, pipes, put


def test_an_edit_is_in_the_history_with_who_and_what(county: store.Database) -> None:
    put(county, "pipes", pipes(2))
    edit = county.edit("pipes", "p1", {"kind": "storm", "diameter_mm": 500}, by="wang", expected=1)
    assert (edit.before, edit.after) == (
        {"kind": "sewage", "diameter_mm": 300.0},
        {"kind": "storm", "diameter_mm": 500.0},
    )
    told = county.history("pipes", "p1")
    assert told["kind"].tolist() == ["add", "change", "change"]
    assert told[["by", "column", "before", "after"]].to_numpy().tolist()[1:] == [
        ["wang", "kind", "sewage", "storm"],
        ["wang", "diameter_mm", 300.0, 500.0],
    ]
    assert len(county.history("pipes")) == 4


def test_the_second_of_two_editors_is_told_what_the_first_did(county: store.Database) -> None:
    put(county, "pipes", pipes(1))
    seen = county.row_version("pipes", "p0")
    county.edit("pipes", "p0", {"kind": "storm"}, by="wang", expected=seen)
    with pytest.raises(ConflictError, match=r"wang changed p0 at \d{4}-\d\d-\d\d \d\d:\d\d: kind") as caught:
        county.edit("pipes", "p0", {"kind": "combined"}, by="li", expected=seen)
    assert "wang" in caught.value.message("zh")
    assert county.read("pipes")["kind"].tolist() == ["storm"]


def test_undo_brings_back_what_was_there_and_is_an_edit_itself(county: store.Database) -> None:
    put(county, "pipes", pipes(1))
    line = county.read("pipes").geometry[0]
    edit = county.edit("pipes", "p0", {"kind": None, "geometry": shapely.Point(E0, N0)}, by="wang")
    back = county.undo(edit.edit_id, by="li")
    assert (back.before["kind"], back.after["kind"], back.row_version) == (None, "sewage", 3)
    assert county.read("pipes").geometry[0].equals_exact(line, 0)
    county.undo(back.edit_id, by="li")
    assert county.read("pipes")["kind"].isna().all()
    assert county.history("pipes", "p0")["undoes"].dropna().unique().tolist() == [edit.edit_id, back.edit_id]


def test_undo_refuses_when_the_same_value_changed_since(county: store.Database) -> None:
    put(county, "pipes", pipes(1))
    first = county.edit("pipes", "p0", {"kind": "storm"}, by="wang")
    county.edit("pipes", "p0", {"material": "PE"}, by="li")
    county.undo(first.edit_id, by="wang")
    assert county.read("pipes")["material"].tolist() == ["PE"]
    with pytest.raises(ConflictError, match="changed since"):
        county.undo(first.edit_id, by="wang")


def test_rows_added_and_removed_by_hand_can_be_undone(county: store.Database) -> None:
    put(county, "pipes", pipes(2))
    gone = county.delete("pipes", "p0", by="li", expected=1)
    made = county.insert("pipes", {"pipe_id": "new", "kind": "storm", "geometry": shapely.Point(E0, N0)}, by="li")
    assert county.read("pipes")["pipe_id"].tolist() == ["p1", "new"]
    county.undo(gone.edit_id, by="li")
    county.undo(made.edit_id, by="li")
    back = county.read("pipes")
    assert back["pipe_id"].tolist() == ["p1", "p0"]
    assert back[["kind", "diameter_mm"]].to_numpy().tolist() == [["sewage", 300.0]] * 2
    assert back.geometry.notna().all()
    with pytest.raises(ConflictError, match="p1 already"):
        county.insert("pipes", {"pipe_id": "p1"}, by="li")


def test_a_whole_import_can_be_undone(county: store.Database) -> None:
    put(county, "pipes", pipes(3))
    before = county.read("pipes")
    revision = put(county, "pipes", pipes(5, kind="storm").iloc[1:].reset_index(drop=True), "replace")
    county.undo_revision(revision, by="li")
    after = county.read("pipes").sort_values("pipe_id", ignore_index=True)
    pd.testing.assert_frame_equal(
        pd.DataFrame(after.drop(columns="geometry")), pd.DataFrame(before.drop(columns="geometry"))
    )
    assert after.geometry.geom_equals(before.geometry).all()


def test_nothing_changes_when_the_values_are_there_already(county: store.Database) -> None:
    put(county, "pipes", pipes(1))
    version = county.version("pipes")
    assert county.edit("pipes", "p0", {"kind": "sewage"}, by="wang").edit_id == 0
    assert (county.version("pipes"), county.row_version("pipes", "p0"), county.revision) == (version, 1, 1)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"colour": "red"}, "no column 'colour'"),
        ({"pipe_id": "q"}, "cannot be changed"),
        ({"diameter_mm": "thick"}, "takes numbers"),
        ({"geometry": "POINT (0 0)"}, "geometry"),
    ],
)
def test_a_wrong_edit_is_refused_whole(county: store.Database, values: dict[str, object], said: str) -> None:
    put(county, "pipes", pipes(1))
    with pytest.raises(InputError, match=said):
        county.edit("pipes", "p0", {"kind": "storm", **values}, by="wang")
    assert county.read("pipes")["kind"].tolist() == ["sewage"]
    with pytest.raises(NotFoundError, match="no nobody in pipes"):
        county.edit("pipes", "nobody", {"kind": "storm"}, by="wang")


def test_every_stored_value_leads_back_to_its_cell(county: store.Database) -> None:
    trace = pd.DataFrame(
        {
            "row": [0, 0, 1],
            "column": ["name", "households", "name"],
            "file": "台账.xlsx",
            "sheet": "2022",
            "cell": ["B3", "C3", "B4"],
            "raw": ["东苑", "1,332户", "西苑"],
        }
    )
    frame = pd.DataFrame({"compound_id": ["a", "b"], "name": ["东苑", "西苑"], "households": [1332, None]})
    put(county, "ledger", frame, source={"file": "台账.xlsx", "sha256": "ab12"}, trace=trace)
    found = county.trace("ledger", "a", "households")
    assert found[["file", "sheet", "cell", "raw", "sha256", "by"]].to_numpy().tolist() == [
        ["台账.xlsx", "2022", "C3", "1,332户", "ab12", "li"]
    ]
    county.edit("ledger", "a", {"households": 1300}, by="wang")
    assert county.trace("ledger", "a", "households")["kind"].tolist() == ["edit", "import"]
    assert county.trace("ledger", "b")["cell"].tolist() == ["B4"]
    assert county.trace("ledger", "nobody").empty


def test_a_source_without_cells_still_names_the_file(county: store.Database) -> None:
    put(county, "pipes", pipes(3), source="pipes.shp")
    put(county, "pipes", pipes(4), source="more.shp")
    assert county.trace("pipes", "p1")["file"].tolist() == ["pipes.shp"]
    assert county.trace("pipes", "p3", "kind")["file"].tolist() == ["more.shp"]
