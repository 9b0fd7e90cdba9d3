"""Derived tables are replaced whole; what planners decided about a finding is never lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from mapapp import store
from mapapp.core.errors import ConflictError, InputError, NotFoundError

from .conftest import CRS, E0, N0


def _findings(*ids: str) -> gpd.GeoDataFrame:
    frame = pd.DataFrame({"finding_id": list(ids), "rule": "dangling", "status": "open"})
    return gpd.GeoDataFrame(frame, geometry=[shapely.Point(E0, N0)] * len(ids), crs=CRS)


def test_a_decision_outlives_runs_and_the_finding_itself(county: store.Database) -> None:
    county.replace_derived({"findings": _findings("a", "b")}, by="li")
    county.decide("a", "dismissed", "现场看过", by="wang")
    for ids in ("a", "b"), ("b",), ("b", "a"):
        county.replace_derived({"findings": _findings(*ids)}, by="li")
    back = county.read("findings").set_index("finding_id")
    assert back.loc["a", ["status", "note", "decided_by"]].tolist() == ["dismissed", "现场看过", "wang"]
    assert back.loc["a", "decided_at"].endswith("Z")
    assert back.loc["b", "status"] == "open"
    assert pd.isna(back.loc["b", "note"])
    county.decide("a", "open", None, by="li")
    assert county.read("findings", ids=["a"])["status"].tolist() == ["open"]
    assert county.history("findings", "a").query("column == 'status'")["after"].tolist() == ["dismissed", "open"]


def test_the_same_result_again_is_the_same_version(county: store.Database) -> None:
    county.replace_derived({"findings": _findings("a")}, by="li")
    county.decide("a", "confirmed", None, by="wang")
    county.replace_derived({"findings": _findings("a")}, by="li")
    version, revision = county.version("findings"), county.revision
    assert county.replace_derived({"findings": _findings("a")}, by="li") == revision
    assert county.version("findings") == version
    county.replace_derived({"findings": _findings("a", "c")}, by="li")
    assert county.version("findings") != version


def test_a_wrong_decision_is_refused(county: store.Database) -> None:
    county.replace_derived({"findings": _findings("a")}, by="li")
    with pytest.raises(InputError, match=r"no status 'done'.*confirmed"):
        county.decide("a", "done", None, by="li")
    with pytest.raises(NotFoundError, match="no finding z"):
        county.decide("z", "fixed", None, by="li")


def test_of_two_who_decide_on_one_finding_the_second_is_told_of_the_first(county: store.Database) -> None:
    county.replace_derived({"findings": _findings("a")}, by="li")
    seen = county.decide("a", "dismissed", "现场看过", by="wang", expected="")
    with pytest.raises(ConflictError, match=r"wang decided 'dismissed' at .*现场看过.*Reload"):
        county.decide("a", "confirmed", None, by="li", expected="")
    assert county.read("findings")["status"].tolist() == ["dismissed"]
    county.decide("a", "confirmed", None, by="li", expected=seen)
    assert county.read("findings")["status"].tolist() == ["confirmed"]


def test_a_decision_and_its_entry_in_the_log_are_one_transaction(
    county: store.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is there without the other, whichever write fails, and of many at once none is missing from the log."""
    county.replace_derived({"findings": _findings("a")}, by="li")
    first = county.decide("a", "confirmed", "看过", by="wang")
    told = [{"at": first, "by": "wang", "status": "confirmed", "note": "看过"}]
    assert county.decisions("a") == told
    with monkeypatch.context() as broken:
        broken.setattr("mapapp.store.database._told", lambda *given: 1 / 0)  # after the decision, before its entry
        with pytest.raises(ZeroDivisionError):
            county.decide("a", "fixed", None, by="li")
    assert county.read("findings")["status"].tolist() == ["confirmed"]
    assert county.decisions("a") == told
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: county.decide("a", "fixed", str(n), by="li"), range(12)))
    assert sorted(int(d["note"] or 0) for d in county.decisions("a")[1:]) == list(range(12))


def test_tables_not_named_stay_and_a_failure_changes_none(county: store.Database) -> None:
    verdicts = gpd.GeoDataFrame({"compound_id": ["c"], "verdict": ["no_data"]}, geometry=[None], crs=CRS)
    county.replace_derived({"findings": _findings("a"), "verdicts": verdicts}, by="li")
    county.replace_derived({"findings": _findings()}, by="li")
    assert (county.count("findings"), county.count("verdicts")) == (0, 1)
    with pytest.raises(InputError, match="more than once"):
        county.replace_derived({"verdicts": verdicts.iloc[:0], "findings": _findings("x", "x")}, by="li")
    assert county.count("verdicts") == 1


def test_candidates_without_an_id_get_one(county: store.Database) -> None:
    frame = gpd.GeoDataFrame(
        {"compound_id": ["c", "c"], "rank": [1, 2], "gravity": [True, None]}, geometry=[None, None], crs=CRS
    )
    county.replace_derived({"candidates": frame}, by="li")
    assert county.read("candidates")["candidate_id"].tolist() == ["c:1", "c:2"]


def test_many_findings_replace_many(county: store.Database) -> None:
    county.replace_derived({"findings": _findings(*(f"f{i}" for i in range(2500)))}, by="li")
    county.replace_derived({"findings": _findings("one")}, by="li")
    box = (E0 - 1, N0 - 1, E0 + 1, N0 + 1)
    assert county.read("findings", bbox=box)["finding_id"].tolist() == ["one"]
