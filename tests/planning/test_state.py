"""The last good plan: kept whole, told when it is out of date, cut into stages without planning anew."""

from __future__ import annotations

import pytest

from mapapp import store
from mapapp.core.errors import InputError
from mapapp.core.progress import Cancelled
from mapapp.services import jobs, plan_jobs, plan_page, plan_stages, plan_state, planning
from mapapp.services.frames import County
from mapapp.services.scope import Scope

from . import town

EDITOR = Scope("li", role="editor")


@pytest.fixture
def county(planned):
    made = County(str(planned))
    yield made
    made.close()


def test_every_unserved_compound_has_a_link_or_a_reason(county):
    """The page accounts for all four: three linked, the far one refused in words."""
    found = plan_page.overview(county.at(EDITOR), "en")
    assert {c["id"] for r in found["routes"] for c in r["compounds"]} == {"C1", "C2", "C3"}
    assert [(r["compound_id"], "2000 m" in r["why"]) for r in found["refusals"]] == [("C9", True)]
    assert found["summary"]["linked"] + found["summary"]["refused"] == found["summary"]["unserved"] == 4
    assert found["changed"] == []
    assert found["check"]["ran"]
    assert found["check"]["agrees"]


def test_a_plan_says_what_changed_since(county):
    """A pipe edited after the plan makes it out of date; taking the edit back does too, because nobody planned since."""
    edit = county.db.edit("pipes", "P3", {"diameter_mm": 500.0}, by="li")
    kept = plan_state.load(county.db)
    assert plan_state.changed(county.db, kept, "en") == ["Pipes"]
    county.db.undo(edit.edit_id, by="li")
    assert plan_state.load(county.db)["by"] == "li"


def test_links_of_another_run_are_not_told_with_this_plans_figures(county):
    """When the stored links are not those of the kept plan, its sums are not shown."""
    county.db.replace_derived(
        {"links": county.db.read("links").iloc[:2].drop(columns="row_version", errors="ignore")}, by="x"
    )
    assert plan_state.load(county.db) is None
    assert plan_page.overview(county.at(EDITOR), "en")["summary"] is None


@pytest.mark.parametrize("budget", [None, 0.0, 50_000.0, 1e9])
def test_stages_of_a_budget_leave_the_layout(county, budget):
    """Stages add up to the plan whatever the budget; none but a single dearer link is above it; the curve never falls."""
    before = county.db.version("links")
    found = plan_stages.stages(county.at(EDITOR), budget, frozenset())
    links = county.db.read("links")
    assert sum(s["cost"] for s in found["stages"]) == pytest.approx(links["cost"].sum())
    assert sum(s["households"] for s in found["stages"]) == 210
    assert found["curve"][-1][1] == 210
    assert all(a[1] <= b[1] for a, b in zip(found["curve"], found["curve"][1:], strict=False))
    assert (found["now"] == []) == (budget == 0.0)
    assert county.db.version("links") == before


def test_the_kept_stages_are_those_of_the_budget(county):
    """Keeping a budget changes stages, not sums, and the plan is still the last good plan."""
    all_ = plan_state.load(county.db)["summary"]
    plan_stages.keep_stages(county, EDITOR, 60_000.0, ["C3"])
    kept = plan_state.load(county.db)
    assert kept["asked"]["budget"] == 60_000.0
    assert kept["summary"]["cost"] == all_["cost"]
    links = county.db.read("links")
    assert int(links.loc[links["own_compounds"] == "C3", "stage"].iloc[0]) == 1
    with pytest.raises(InputError, match="C9"):
        plan_stages.keep_stages(county, EDITOR, None, ["C9"])


def test_a_cancelled_job_leaves_the_last_plan(county, monkeypatch):
    """Asked to stop, the work ends, says so, and what is stored stays byte for byte."""
    before = (county.db.version("links"), county.db.setting(plan_state.SETTING))
    job = county.db.jobs.add(plan_jobs.PLAN.name, by="li").id
    county.db.jobs.request_cancel(job)
    jobs.carry_out(
        county,
        plan_jobs.PLAN,
        job,
        lambda report: plan_jobs.make(county, planning.Choices(budget=1.0), report, by="li"),
    )
    assert plan_jobs.told(county, job, "en")["state"] == "cancelled"
    assert (county.db.version("links"), county.db.setting(plan_state.SETTING)) == before


def test_a_report_hears_a_cancel_within_a_second(county):
    """The wish to stop is heard in a tight loop without asking the database each time."""
    job = county.db.jobs.add(plan_jobs.PLAN.name, by="li").id
    report = jobs.Report(county.db, job)
    assert not report.stopped(at_once=True)
    county.db.jobs.request_cancel(job)
    assert not report.stopped()
    with pytest.raises(Cancelled):
        report(0.5, plan_state.Text("别", "else"))


def test_no_pipe_follows_a_forbidden_street(bare):
    """Without the back street the plan finds other ways, and says which street was closed."""
    free, _ = planning.run(str(bare), by="li")
    assert "S2" in set(free.links["corridor"])
    made, _ = planning.run(str(bare), by="li", forbidden=frozenset({"S2"}))
    assert "S2" not in set(made.links["corridor"])
    assert made.summary["linked"] == 3
    assert any("S2" in text.en for text in made.assumptions)


def test_a_county_without_compounds_is_told_what_to_import(tmp_path):
    """One sentence, and nothing stored."""
    with store.create(str(tmp_path / "empty.gpkg"), name="空", crs=town.CRS):
        pass
    with pytest.raises(InputError, match="no compounds"):
        planning.run(str(tmp_path / "empty.gpkg"), by="li")
    with store.open(str(tmp_path / "empty.gpkg")) as db:
        assert plan_state.load(db) is None
