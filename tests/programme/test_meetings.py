"""Minutes: every decision on its own line, tied to its problem, beside the meeting's own words."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp.programme import meetings

IDS = st.text(
    st.characters(exclude_characters="】\n\r", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=9
)


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.none(), st.text(max_size=80)), IDS, st.text(min_size=1, max_size=80))
def test_a_noted_decision_is_found_again(minutes, ticket, decision):
    """Whatever stood there before; its white space is one space."""
    noted = meetings.decisions(meetings.with_decision(minutes, ticket, decision)).set_index("ticket_id")["decision"]
    assert noted.get(ticket, "") == " ".join(decision.split())


def test_deciding_again_replaces_and_an_empty_decision_takes_it_away():
    """One problem has one decision in one meeting; other lines stay where they are."""
    first = meetings.with_decision("逐个过。\n【B】乙办", "A", "甲办\n下周")
    assert first == "逐个过。\n【B】乙办\n【A】甲办 下周"
    again = meetings.with_decision(first, "B", "丙办")
    assert again == "逐个过。\n【B】丙办\n【A】甲办 下周"
    assert meetings.with_decision(again, "B", " ") == "逐个过。\n【A】甲办 下周"
    assert meetings.remarks(again) == ["逐个过。"]


def test_a_meeting_dealt_with_what_it_names_and_what_points_to_it():
    """A later meeting does not take a problem away from the minutes of an earlier one."""
    rows = pd.DataFrame({"ticket_id": ["A", "B", "C"], "meeting_id": ["M2", "M1", None]})
    assert meetings.dealt_with(rows, "M1", "【A】甲办")["ticket_id"].tolist() == ["A", "B"]


def test_ids_come_from_the_month():
    """The second meeting of a month gets a number; no date is refused."""
    assert meetings.next_id("2022-11-22", set()) == "DD2022-11"
    assert meetings.next_id("2022-11-29", {"DD2022-11", "DD2022-11-2"}) == "DD2022-11-3"
    with pytest.raises(ValueError, match="Invalid isoformat"):
        meetings.next_id("22.11.2022", set())
