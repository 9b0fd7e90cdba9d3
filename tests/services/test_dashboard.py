"""Every figure of the dashboard is that of the rows its address opens; unknown stays unknown; projects keep their history."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import pytest
from werkzeug.datastructures import MultiDict

from mapapp.core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from mapapp.services import dashboard, demo, narrowing, projects
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope
from mapapp.web import params

EDITOR, VIEWER = Scope("li", role="editor"), Scope("gu", role="viewer")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "county.gpkg"
    demo.build(str(path), by="test")
    return path


@pytest.fixture(scope="module")
def view(built: Path) -> Iterator[View]:
    county = County(str(built))
    yield county.at(VIEWER, "2022-11-25")
    county.close()


@pytest.fixture
def county(built: Path, tmp_path: Path) -> Iterator[County]:
    shutil.copy(built, tmp_path / "county.gpkg")
    made = County(str(tmp_path / "county.gpkg"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def found(view: View) -> dict:
    return dashboard.overview(view, "zh")


def behind(view: View, href: str) -> pd.DataFrame:
    """Return the rows that the map shows at this address, by the very functions that answer the map."""
    query = MultiDict(parse_qsl(urlsplit(href).query))
    assert query.get("as") == str(view.snapshot_id)
    return narrowing.select(view, "compounds", params.filters(query))


def test_totals_are_the_county_reports(found: dict) -> None:
    said = {h["name"]: h["value"] for h in found["headline"]}
    assert (said["compounds"], said["households"], said["buildings"], said["area"]) == (71, 5148, 142, 583_800)
    assert said["money"] == 9293.08
    assert next(h["missing"] for h in found["headline"] if h["name"] == "money") == 23
    assert found["as_of"] == "2022-11-25"


def test_each_rate_opens_exactly_the_rows_it_was_counted_from(found: dict, view: View) -> None:
    for row in found["rates"]:
        for cell in row["cells"].values():
            rows = behind(view, cell["href"])
            assert (len(rows), int(rows["households"].sum())) == (cell["compounds"], cell["households"])


def test_25_of_28_were_completed_in_their_year(found: dict) -> None:
    year = next(r for r in found["rates"] if r["year"] == 2021)
    assert (year["cells"]["planned"]["compounds"], year["cells"]["completed"]["compounds"], year["in_year"]) == (
        28,
        28,
        25,
    )


@pytest.mark.parametrize("name", ["status_year", "status_street"])
def test_each_part_of_a_bar_opens_its_rows_and_parts_add_up(found: dict, view: View, name: str) -> None:
    for row in found[name]["rows"]:
        assert len(behind(view, row["href"])) == row["compounds"] == sum(p["compounds"] for p in row["parts"])
        for part in row["parts"]:
            assert len(behind(view, part["href"])) == part["compounds"]
    assert sum(r["compounds"] for r in found[name]["rows"]) == 71


def test_households_without_sewer_are_those_of_the_verdicts_and_no_data_is_not_among_them(
    found: dict, view: View
) -> None:
    sewer = found["sewer"]
    rows = behind(view, sewer["href"])
    assert (len(rows), int(rows["households"].sum())) == (sewer["compounds"], sewer["households"])
    assert set(rows["verdict"]).isdisjoint({"connected", "no_data"})
    for row in sewer["rows"]:
        assert len(behind(view, row["href"])) == row["compounds"]


def test_money_of_2022_is_unknown_while_its_progress_is_not(found: dict) -> None:
    year = next(r for r in found["progress"]["rows"] if r["year"] == 2022)
    assert year["money"] is None
    assert (year["money_known"], year["image_known"]) == (0, 23)
    assert 0 < year["image"] < 100


def test_problems_by_unit_add_up_to_the_open_ones(found: dict, view: View) -> None:
    problems = view.table("problems")
    still = problems[~problems["status"].isin(["resolved", "closed"])]
    assert found["problems"]["total"] == len(still) == sum(r["total"] for r in found["problems"]["rows"])
    assert all(sum(r["ages"].values()) == r["total"] for r in found["problems"]["rows"])


def test_managed_is_a_share_of_the_completed_and_a_relapse_stays_completed(found: dict, view: View) -> None:
    managed = found["management"]
    kept = view.table("management")
    assert managed["completed"] == 48
    assert managed["managed"] == int((kept["mode"].notna() & (kept["mode"] != "none")).sum())
    flagged = set(kept.loc[kept["relapse_items"].notna(), "compound_id"])
    assert (
        {r["id"] for r in managed["relapsed"]} == flagged == set(behind(view, managed["relapsed_href"])["compound_id"])
    )


def test_sources_of_money_add_up_to_the_known_investment(found: dict) -> None:
    assert found["funding"]["total"] == 9293.08
    assert found["funding"]["unassigned"] == 0
    assert found["funding"]["missing"] == 23


def test_withdrawn_compounds_leave_every_figure_and_every_address(county: County) -> None:
    county.db.edit("ledger", "YL2022001", {"status": "withdrawn"}, by="li")
    view = county.at(EDITOR)
    found = dashboard.overview(view, "zh")
    assert found["withdrawn"] == 1
    head = found["headline"][0]
    query = MultiDict(parse_qsl(urlsplit(head["href"]).query))
    assert len(narrowing.select(view, "compounds", params.filters(query))) == head["value"] == 70


def test_an_empty_county_has_an_empty_dashboard(tmp_path: Path) -> None:
    from mapapp import store

    store.create(str(tmp_path / "empty.gpkg"), name="空县", crs="EPSG:4549").close()
    made = County(str(tmp_path / "empty.gpkg"))
    assert dashboard.overview(made.at(VIEWER), "en")["empty"]
    assert projects.overview(made.at(VIEWER), "en")["rows"] == []
    made.close()


def project(**changes: str) -> dict[str, str]:
    return {"project_id": "XM-1", "name": "打捆项目", "year": "2022", "compound_ids": "YL2021001;YL2022001"} | changes


def test_a_project_may_hold_compounds_of_other_projects_and_years(county: County) -> None:
    projects.save(county, EDITOR, project())
    found = projects.overview(county.at(EDITOR), "zh")
    row = next(r for r in found["rows"] if r["project_id"] == "XM-1")
    assert (row["compounds"], row["shared"], row["year"]) == (2, 2, 2022)
    assert found["twice"] == 2
    assert found["total"]["compounds"] == 71


def test_the_second_of_two_editors_is_told_what_changed(county: County) -> None:
    projects.save(county, EDITOR, project())
    seen = str(projects.one(county.at(EDITOR), "XM-1")["row_version"])
    projects.save(county, EDITOR, project(name="甲"), seen=seen)
    with pytest.raises(ConflictError, match="name"):
        projects.save(county, EDITOR, project(name="乙"), seen=seen)
    last = projects.overview(county.at(EDITOR), "zh")["history"][0]
    projects.undo(county, EDITOR, str(last["edit_id"]))
    assert projects.one(county.at(EDITOR), "XM-1")["name"] == "打捆项目"


@pytest.mark.parametrize("wrong", [{"name": ""}, {"year": "二〇"}, {"compound_ids": "NOBODY"}])
def test_a_wrong_project_is_refused_in_one_sentence_and_not_kept(county: County, wrong: dict[str, str]) -> None:
    with pytest.raises(InputError):
        projects.save(county, EDITOR, project(**wrong))
    with pytest.raises(NotFoundError):
        projects.one(county.at(EDITOR), "XM-1")


def test_an_editor_of_a_unit_changes_that_units_projects_alone(county: County) -> None:
    county.db.users.add("li", "editor-password", "editor", unit="城投公司")
    with pytest.raises(ForbiddenError, match="城投公司"):
        projects.save(county, EDITOR, project(owner_unit="县住房和城乡建设局"))
    projects.save(county, EDITOR, project(owner_unit="城投公司"))
    with pytest.raises(ForbiddenError):
        projects.save(county, VIEWER, project(project_id="XM-2", owner_unit="城投公司"))


def test_works_are_kept_with_history_and_unticked_ones_become_no(county: County) -> None:
    projects.record_works(county, EDITOR, "YL2022001", planned=["B01", "B02"], done=["B01"])
    projects.record_works(county, EDITOR, "YL2022001", planned=["B02"], done=["B02"])
    ticked = {
        i["code"]: (i["planned"], i["done"]) for i in projects.works_of(county.at(VIEWER), "YL2022001", "zh")["items"]
    }
    assert (ticked["B01"], ticked["B02"], ticked["B03"]) == ((False, False), (True, True), (False, False))
    assert len(county.db.history("works")) > 0
    with pytest.raises(InputError, match="Z99"):
        projects.record_works(county, EDITOR, "YL2022001", planned=["Z99"], done=[])


def test_two_who_tick_the_works_of_one_compound_lose_nothing(county: County) -> None:
    """Both began with nothing ticked; what one ticked stays when the other saves, and each change is undone by itself."""
    boss = Scope("wang", role="administrator")
    nothing: dict[str, list[str]] = {"planned": [], "done": []}
    county.db.apply(county.db.compare("works", county.db.read("works").iloc[:0], "replace"), by="test")
    projects.record_works(county, EDITOR, "YL2022001", planned=["B01"], done=[], seen=nothing)
    projects.record_works(county, boss, "YL2022001", planned=["B02"], done=["B02"], seen=nothing)
    found = projects.works_of(county.at(EDITOR), "YL2022001", "zh")
    assert {i["code"] for i in found["items"] if i["planned"]} == {"B01", "B02"}
    newest = found["history"][0]
    assert newest["by"] == boss.name
    assert "排水" in newest["items"][0]
    projects.undo_works(county, EDITOR, "YL2022001", str(newest["edit_id"]))
    found = projects.works_of(county.at(EDITOR), "YL2022001", "zh")
    assert {i["code"] for i in found["items"] if i["planned"]} == {"B01"}
    with pytest.raises(InputError):
        projects.undo_works(county, EDITOR, "YL2022002", str(newest["edit_id"]))
