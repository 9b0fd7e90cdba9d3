"""Problems: what is overdue, in which order a meeting takes them, what a gap becomes."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp.programme import problems


def listed() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ticket_id": ["a", "b", "c", "d", "e", "f"],
            "lead_unit": ["水务", "供电", "水务", None, "供电", "水务"],
            "status": ["open", "escalated", "closed", None, "in_progress", "resolved"],
            "due": ["2022-11-01", "2022-11-20", "2022-01-01", None, "2022-11", "2022-10-01"],
            "raised_at": ["2022-10-01", "2022-10-02", None, "2022-11-22", "x", "2022-09-01"],
        }
    )


def test_overdue_is_not_settled_and_due_before_the_day():
    """Settled, undated and due-today problems are not overdue; a month without a day is due on its last day."""
    told = problems.with_due(listed(), "2022-11-20").set_index("ticket_id")
    assert told.index[told["overdue"]].tolist() == ["a"]
    assert told["days_left"].to_dict() == {"a": -19, "b": 0, "c": None, "d": None, "e": 10, "f": None}
    assert told.loc["a", "age_days"] == 50
    assert pd.isna(told.loc["e", "age_days"])  # a date that nobody can read is not a date


def test_a_problem_without_a_status_is_not_settled():
    """Nobody said that it is done."""
    told = problems.with_due(listed(), "2022-11-20").set_index("ticket_id")
    assert told.index[told["settled"]].tolist() == ["c", "f"]


def test_the_input_stays_as_it_was_and_an_empty_list_is_fine():
    """Table in, table out; columns that are absent count as missing."""
    before = listed()
    problems.with_due(before, "2022-11-20")
    pd.testing.assert_frame_equal(before, listed())
    nothing = problems.in_order(problems.with_due(pd.DataFrame({"ticket_id": pd.Series(dtype="str")}), "2022-11-20"))
    assert len(nothing) == 0


def test_meetings_take_overdue_problems_first_by_unit():
    """The unit with most overdue comes first, its latest one first; without a unit comes last."""
    rows = pd.DataFrame(
        {
            "ticket_id": ["1", "2", "3", "4", "5"],
            "lead_unit": ["水务", "供电", "供电", None, "水务"],
            "status": "open",
            "due": ["2022-01-01", "2022-03-01", "2022-02-01", "2022-01-15", "2023-01-01"],
        }
    )
    ordered = problems.in_order(problems.with_due(rows, "2022-11-20"))
    assert ordered["ticket_id"].tolist() == ["3", "2", "1", "4", "5"]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["open", "closed", None]), st.sampled_from(["甲", "乙", None]),
            st.one_of(st.none(), st.dates().map(str)),
        ), max_size=12,
    )
)  # fmt: skip
def test_order_loses_nothing_and_keeps_overdue_before_the_rest(rows):
    """Every problem is taken once, and no overdue one after one that is not."""
    frame = pd.DataFrame(rows, columns=["status", "lead_unit", "due"], dtype="str")
    frame["ticket_id"] = [str(i) for i in range(len(frame))]
    ordered = problems.in_order(problems.with_due(frame, "2022-11-20"))
    assert sorted(ordered["ticket_id"]) == sorted(frame["ticket_id"])
    assert ordered["overdue"].tolist() == sorted(ordered["overdue"], reverse=True)


def test_units_add_up_to_the_whole():
    """Problems without a unit are a row of their own, not lost."""
    units = problems.by_unit(problems.with_due(listed(), "2022-11-20"))
    assert units["total"].sum() == 6
    assert units["lead_unit"].isna().sum() == 1
    assert units.iloc[0].to_dict() == {"lead_unit": "水务", "total": 3, "settled": 2, "overdue": 1}


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1))
def test_a_problem_knows_its_finding(finding_id):
    """The way from finding to problem and back is a round trip."""
    assert problems.finding_of(problems.ticket_of(finding_id)) == finding_id


def test_a_gap_becomes_a_problem_of_the_county_reports_category():
    """Unit and due date stay open: the meeting decides them. A finding about a pipe names no compound."""
    gap = {
        "finding_id": "F",
        "rule": "no_main",
        "layer": "compounds",
        "feature_id": "C1",
        "message": "无主管",
        "fix": "新建",
    }
    made = problems.from_finding(gap, raised_at="2022-11-20", location="120.1,30.2")
    assert (made["category"], made["compound_id"], made["status"]) == ("sewer_main_missing", "C1", "open")
    assert "lead_unit" not in made
    assert "due" not in made
    pipe = problems.from_finding({**gap, "layer": "pipes", "rule": "near_miss"}, raised_at="2022-11-20", location=None)
    assert (pipe["compound_id"], pipe["category"]) == (None, "quality")
