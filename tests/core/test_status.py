"""The chain of statuses: what comes later counts as all that came before it."""

from __future__ import annotations

from mapapp.core import status


def test_a_later_step_counts_as_every_earlier_one() -> None:
    """Accepted is completed, completed is started, started is in the plan."""
    assert status.ACCEPTED < status.COMPLETED < status.STARTED < status.IN_PLAN < set(status.LABELS)
    assert {"started", "under_way"} == status.STARTED - status.COMPLETED
    assert {"planned", "preparing"} == status.IN_PLAN - status.STARTED
    assert {"completed"} == status.COMPLETED - status.ACCEPTED


def test_a_withdrawn_compound_is_in_no_plan_and_a_relapse_stays_completed() -> None:
    assert "withdrawn" not in status.IN_PLAN
    assert "relapsed" in status.COMPLETED
