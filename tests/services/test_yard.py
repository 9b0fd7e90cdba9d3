"""What is found in the yard: kept once, the later look counts, and the verdict follows the evidence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point, box

from mapapp import store
from mapapp.core.errors import ForbiddenError, InputError, NotFoundError
from mapapp.services import auditing, yard
from mapapp.services.frames import County
from mapapp.services.scope import Scope

CRS = "EPSG:4548"
E, N = 502_000.0, 3_486_000.0
EDITOR, VIEWER = Scope("li", role="editor"), Scope("gu", role="viewer")
VISIT = yard.Visit("v-0123456789abcdef", "located", "2026-11-20T09:30:00+08:00", "J1", "C1", 117.02, 31.49, 6.0, "树下")


@pytest.fixture
def county(tmp_path: Path) -> Iterator[County]:
    """Build a compound whose inlet nobody found, beside a sewer that reaches a plant, and one that is connected."""
    path = str(tmp_path / "yard.gpkg")
    nodes = [Point(E + 60 * i, N) for i in range(6)]
    pipes = [LineString([a, b]) for a, b in pairwise(nodes)] + [LineString([(E + 130, N + 40), (E + 120, N)])]
    layers = {
        "compounds": gpd.GeoDataFrame({"compound_id": ["C1", "C2"], "name": ["甲院", "乙院"]}, geometry=[box(E, N + 20, E + 60, N + 80), box(E + 110, N + 20, E + 170, N + 80)], crs=CRS),
        "pipes": gpd.GeoDataFrame({"pipe_id": [f"P{i}" for i in range(6)], "kind": "sewage", "level": ["main"] * 5 + ["lateral"],
                                   "from_invert_m": [50.0, 49.8, 49.6, 49.4, 49.2, 50.5], "to_invert_m": [49.8, 49.6, 49.4, 49.2, 49.0, 49.7]}, geometry=pipes, crs=CRS),
        "manholes": gpd.GeoDataFrame({"node_id": [f"W{i}" for i in range(6)] + ["J1", "J9"], "kind": "sewage", "type": ["排水井"] * 6 + ["接户井", "接户井"],
                                      "found": [None] * 6 + ["not_found", None]}, geometry=[*nodes, Point(E + 30, N + 30), Point(E + 900, N)], crs=CRS),
        "outlets": gpd.GeoDataFrame({"id": ["CL"], "facility": ["wwtp"]}, geometry=[nodes[-1]], crs=CRS),
    }  # fmt: skip
    with store.create(path, name="试验县", crs=CRS) as db:
        for name, frame in layers.items():
            db.apply(db.compare(name, frame, "add"), by="test")
    auditing.run(path, by="test")
    made = County(path)
    yield made
    made.close()


def verdict(county: County, compound: str) -> str:
    return str(county.db.read("verdicts", ids=[compound])["verdict"].iloc[0])


def test_the_pack_names_candidates_and_lost_inlets_of_unserved_compounds_only(county: County) -> None:
    told = yard.pack(county.at(VIEWER), "zh")
    assert [c["compound_id"] for c in told["compounds"]] == ["C1"]
    ids = [p["node_id"] for p in told["places"]]
    assert "J1" in ids
    assert "J9" not in ids
    assert all(w["compound_id"] == "C1" for p in told["places"] for w in p["wanted"])
    assert not told["edits"]


def test_positions_are_those_of_the_database_in_degrees(county: County) -> None:
    told = yard.pack(county.at(EDITOR), "en")
    place = next(p for p in told["places"] if p["node_id"] == "J1")
    there = county.db.read("manholes", ids=["J1"]).to_crs(4326).geometry.iloc[0]
    assert place["at"] == pytest.approx([there.x, there.y], abs=2e-6)


def test_a_visit_is_stored_and_marks_its_manhole_with_history(county: County) -> None:
    done = yard.record(county, EDITOR, VISIT)
    assert (done["already"], done["counts"], done["found"]) == (False, True, "located")
    row = county.db.read("visits").iloc[0]
    assert (row["visited_at"], row["visited_by"], row["note"]) == ("2026-11-20T01:30:00Z", "li", "树下")
    told = county.db.history("manholes", "J1")
    change = told[told["column"] == "found"].iloc[-1]
    assert (change["before"], change["after"], change["by"]) == ("not_found", "located", "li")


def test_the_same_visit_sent_again_changes_nothing(county: County) -> None:
    yard.record(county, EDITOR, VISIT)
    before = county.db.revision
    assert yard.record(county, EDITOR, replace(VISIT, note="其他"))["already"]
    assert (county.db.count("visits"), county.db.revision) == (1, before)


def test_of_two_visits_the_later_look_counts_whichever_comes_first(county: County) -> None:
    later = replace(VISIT, visit_id="v-later-0001", found="buried", visited_at="2026-11-21T08:00:00+08:00")
    assert yard.record(county, EDITOR, later)["found"] == "buried"
    late_news = yard.record(county, EDITOR, VISIT)
    assert (late_news["counts"], late_news["found"], county.db.count("visits")) == (False, "buried", 2)


def test_a_visit_half_stored_is_finished_when_it_is_sent_again(county: County) -> None:
    """The server died between the two writes: the next sending marks the manhole."""
    values = {name: getattr(yard.checked(VISIT), name) for name in yard.Visit.__dataclass_fields__}
    county.db.insert("visits", values, by="li")
    done = yard.record(county, EDITOR, VISIT)
    assert (done["already"], done["found"]) == (True, "located")


def test_a_clock_that_runs_ahead_cannot_outrank_all_later_visits() -> None:
    assert yard.checked(replace(VISIT, visited_at="2099-01-01T00:00:00Z")).visited_at < "2099"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"found": "gone"}, "no mark"),
        ({"visit_id": "x"}, "id is not valid"),
        ({"visited_at": "2026-11-20 09:30"}, "not a moment"),
        ({"lon": 200.0}, "not longitude"),
        ({"lat": None}, "not longitude"),
        ({"accuracy_m": -1.0}, "no length"),
        ({"node_id": None, "compound_id": None}, "neither a manhole"),
    ],
)
def test_a_wrong_visit_is_told_in_a_sentence(change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        yard.checked(replace(VISIT, **change))  # type: ignore[arg-type]  # wrong on purpose


def test_nothing_is_stored_of_a_visit_to_nowhere_or_by_a_viewer(county: County) -> None:
    with pytest.raises(NotFoundError, match="no manhole 'J7'"):
        yard.record(county, EDITOR, replace(VISIT, node_id="J7"))
    with pytest.raises(ForbiddenError):
        yard.record(county, VIEWER, VISIT)
    assert county.db.count("visits") == 0


def test_the_verdict_changes_with_the_evidence(county: County) -> None:
    """The inlet is found: "inlet unknown" becomes "not connected" once the audit has run again in the background."""
    assert verdict(county, "C1") == "inlet_unknown"
    assert yard.evidence(county)["newer"] is False
    yard.record(county, EDITOR, VISIT)
    assert yard.evidence(county)["changes"] == 1
    job = yard.audit_again(county, EDITOR)["job"]
    for _ in range(200):
        if county.db.jobs.get(job).state not in ("waiting", "running"):
            break
        time.sleep(0.05)
    assert county.db.jobs.get(job).state == "done"
    assert verdict(county, "C1") == "not_connected"
    assert yard.evidence(county)["newer"] is False
