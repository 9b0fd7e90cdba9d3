"""A gap and the problem made of it go together, in both directions; every decision has a history and an undo."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from mapapp.core.errors import ConflictError, ForbiddenError, InputError
from mapapp.services import deciding, problem_list, problems, records, rights
from mapapp.services.frames import County

from .test_problems import BOSS, CRS, GUEST, OFFICE, WATER, built

__all__ = ["built"]  # the same small county


def state(county: County, finding: str = "F1") -> tuple[str, str]:
    ticket = county.db.read("problems", ids=[f"WT-{finding}"])["status"].item()
    return county.db.read("findings", ids=[finding])["status"].item(), ticket


def test_closing_either_closes_the_other_and_opening_either_opens_the_other(county: County) -> None:
    ticket, _ = problems.from_finding(county, OFFICE, "F1")
    assert state(county) == ("confirmed", "open")
    told = deciding.decide(county, OFFICE, "F1", status="fixed", note="主管已建")["problem"]
    assert told == {"ticket_id": ticket, "status": "closed", "settled": True}
    assert state(county) == ("fixed", "closed")
    assert "销号：主管已建" in county.db.read("problems", ids=[ticket])["measure"].item()
    problems.edit(county, OFFICE, ticket, {"status": "in_progress"})
    assert state(county) == ("confirmed", "in_progress")
    problems.edit(county, OFFICE, ticket, {"status": "resolved", "measure": "接好了"})
    assert state(county) == ("fixed", "resolved")
    deciding.decide(county, OFFICE, "F1", status="open")
    assert state(county) == ("open", "in_progress")
    deciding.decide(county, OFFICE, "F1", status="dismissed", note="看错了")
    assert state(county) == ("dismissed", "closed")


def test_every_decision_is_in_the_history_and_can_be_taken_back(county: County) -> None:
    problems.from_finding(county, OFFICE, "F1")
    deciding.decide(county, BOSS, "F1", status="fixed", note="好了")
    assert [(d["status"], d["by"]) for d in deciding.history(county, OFFICE, "F1")] == [
        ("fixed", "wang"),
        ("confirmed", "li"),
    ]
    seen = deciding.history(county, OFFICE, "F1")[0]["at"]
    deciding.undo(county, OFFICE, "F1", expected=seen)
    assert state(county) == ("confirmed", "in_progress")
    assert deciding.history(county, OFFICE, "F1")[0]["undoes"] == seen
    with pytest.raises(ConflictError):
        deciding.undo(county, OFFICE, "F1", expected=seen)
    with pytest.raises(InputError):
        deciding.undo(county, OFFICE, "F2")
    with pytest.raises(ForbiddenError):
        deciding.history(county, GUEST, "F1")


def test_undoing_a_closing_opens_the_gap_again(county: County) -> None:
    ticket, _ = problems.from_finding(county, OFFICE, "F1")
    problems.edit(county, OFFICE, ticket, {"status": "closed"}, note="接通")
    newest = records.history(county.at(OFFICE), "problems", ticket, "zh")[0]["edit_id"]
    problems.undo(county, OFFICE, ticket, newest)
    assert state(county) == ("confirmed", "open")


def test_a_problem_is_resolved_when_the_audit_no_longer_finds_its_gap_and_goes_on_when_it_does(county: County) -> None:
    ticket, _ = problems.from_finding(county, OFFICE, "F1")
    findings = county.db.read("findings")
    county.db.replace_derived({"findings": findings[findings["finding_id"] != "F1"]}, by="audit")
    assert deciding.problems_follow(county.db, by="audit") == 1
    row = county.db.read("problems", ids=[ticket])
    assert row["status"].item() == "resolved"
    assert "不再发现" in row["measure"].item()
    assert deciding.problems_follow(county.db, by="audit") == 0
    county.db.replace_derived({"findings": findings}, by="audit")
    assert deciding.problems_follow(county.db, by="audit") == 1
    assert state(county) == ("confirmed", "in_progress")


def test_an_editor_of_a_unit_decides_about_its_own_compounds_and_pipes_alone(county: County) -> None:
    deciding.decide(county, WATER, "F1", status="confirmed")
    with pytest.raises(ForbiddenError):
        deciding.decide(county, WATER, "F2", status="confirmed")
    pipe = gpd.GeoDataFrame(
        {"pipe_id": ["P1"], "ownership": ["水务公司"]}, geometry=[shapely.LineString([(500_000, 3_400_000), (500_009, 3_400_000)])], crs=CRS,
    )  # fmt: skip
    county.db.apply(county.db.compare("pipes", pipe, "add"), by="t")
    assert deciding.decide(county, WATER, "F2", status="confirmed")["status"] == "confirmed"


def test_an_import_by_a_unit_holds_its_own_rows_alone(county: County) -> None:
    """C2 belongs to the water company, C1 does not; the refusal names it and counts."""
    ledger = pd.DataFrame({"compound_id": ["C1", "C2"], "name": ["东风小区", "建设小区"], "households": [12, 30]})
    rights.require_rows(county, WATER, "ledger", ["C2"], ledger)
    rights.require_rows(county, OFFICE, "ledger", ["C1", "C2"], ledger)
    with pytest.raises(ForbiddenError, match=r"1 rows.*水务公司.*东风小区"):
        rights.require_rows(county, WATER, "ledger", ["C1", "C2"], ledger)


def test_a_removed_problem_can_be_brought_back_by_who_edits_all(county: County) -> None:
    problems.remove(county, OFFICE, "WT2022-001")
    gone = problem_list.removed(county.at(OFFICE))
    assert [g["id"] for g in gone] == ["WT2022-001"]
    assert problem_list.removed(county.at(WATER)) == []
    with pytest.raises(ForbiddenError):
        problems.undo(county, WATER, "WT2022-001", gone[0]["edit_id"])
    problems.undo(county, OFFICE, "WT2022-001", gone[0]["edit_id"])
    assert problem_list.removed(county.at(OFFICE)) == []
