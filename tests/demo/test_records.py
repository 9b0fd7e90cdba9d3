"""Tests that the demo county's records agree with its ledger, its problems and its management."""

from __future__ import annotations

import io
import itertools
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mapapp import demo, store
from mapapp.core import schema
from mapapp.programme import opinions, works
from mapapp.services import auditing
from mapapp.services import demo as service

RECORDS = ("utilities", "opinions", "design_changes", "inspections", "works")
RENAMED = {"problems": ["ticket_id"], "photos": ["feature_id"]}
"""What the build writes otherwise than it was told: a problem that is a gap carries the finding's id."""


@pytest.fixture(scope="module")
def ledger(county: demo.County) -> pd.DataFrame:
    return county.layers["ledger"].set_index("compound_id")


def test_records_belong_to_compounds_and_keys_are_unique(county: demo.County, ledger: pd.DataFrame) -> None:
    """No record hangs in the air and none is there twice."""
    for name in RECORDS:
        rows = county.layers[name]
        assert set(rows["compound_id"]) <= set(ledger.index)
        assert rows[schema.layer(name).key].is_unique


def test_nothing_happens_after_the_day_the_county_tells_of(county: demo.County) -> None:
    """Every date of every record is in its order and not in the future."""
    for name in RECORDS:
        rows = county.layers[name]
        days = [c.name for c in schema.layer(name).columns if c.kind == "date" and c.name in rows]
        assert (rows[days].max().dropna() <= county.as_of).all()
        for first, then in itertools.pairwise(days):
            both = rows[[first, then]].dropna()
            assert (both[first] <= both[then]).all(), (name, then)


def test_an_owner_without_an_answer_is_pending(county: demo.County, ledger: pd.DataFrame) -> None:
    """Pending and unanswered are one; each compound has nine owners; some of this year's have not answered."""
    rows = county.layers["utilities"]
    assert (rows["answered_on"].isna() == (rows["answer"] == "pending")).all()
    assert (rows.groupby("compound_id")["owner"].nunique() == 9).all()
    handed = rows.loc[rows["handed_over_on"].notna(), "compound_id"]
    assert ledger.loc[handed, "status"].isin(["handed_over", "managed"]).all()


def test_an_owner_with_an_open_problem_has_not_agreed(county: demo.County) -> None:
    """Who holds a problem open did not simply agree; the four cable owners of one compound do not answer alike."""
    rows = county.layers["utilities"].set_index(["compound_id", "owner"])["answer"]
    still = county.layers["problems"].query("status not in ['closed', 'resolved']").dropna(subset="utility_owner")
    pairs = [
        (c, o)
        for c, owners in zip(still["compound_id"], still["utility_owner"], strict=True)
        for o in owners.split(";")
    ]
    assert (rows.loc[pairs] != "agreed").all()
    cables = still.query("category == 'aerial_cables'")["compound_id"]
    for compound in cables:
        assert rows.loc[compound].loc[["电信公司", "移动公司", "联通公司", "广电公司"]].nunique() == 4


def test_single_votes_give_the_ledgers_rates(county: demo.County, ledger: pd.DataFrame) -> None:
    """Where a whole vote is kept, participation and consent come out as the ledger has them, to the nearest household."""
    rows = county.layers["opinions"]
    voted = rows.loc[rows["stance"].isin(["agree", "disagree"]), "compound_id"].unique()
    assert len(voted) == 2
    for compound in voted:
        homes = ledger.at[compound, "households"]
        found = opinions.rates(rows[rows["compound_id"] == compound], homes)
        assert found.participation_pct == pytest.approx(ledger.at[compound, "participation_rate"], abs=51 / homes)
        assert found.consent_pct == pytest.approx(ledger.at[compound, "consent_rate"], abs=51 / found.votes)


def test_look_backs_are_what_management_sums_up(county: demo.County) -> None:
    """The newest look back has management's date and score; exactly the relapsed ones failed and stay so."""
    held = county.layers["management"].dropna(subset="inspection_date").set_index("compound_id")
    looked = (
        county.layers["inspections"].query("kind == 'look_back'").sort_values("held_on").groupby("compound_id").last()
    )
    assert set(looked.index) == set(held.index)
    looked = looked.loc[held.index]
    assert (looked["held_on"] == held["inspection_date"]).all()
    assert (looked["score"] == held["inspection_score"]).all()
    assert ((looked["result"] != "passed") == held["relapse_items"].notna()).all()
    assert held["relapse_items"].notna().any()


def test_works_are_as_far_as_the_ledger_says(county: demo.County, ledger: pd.DataFrame) -> None:
    """Codes are the catalogue's; what is done has a day; cables and illegal structures follow the ledger."""
    rows = county.layers["works"]
    assert set(rows["code"]) <= set(works.catalogue()["code"])
    assert (rows["finished_on"].notna() == rows["done"]).all()
    cables = rows[rows["code"] == "B13"].set_index("compound_id")["done"]
    assert (cables == ledger.loc[cables.index, "aerial_cable_status"].isin(["bundled", "buried"])).all()
    share = rows.groupby("compound_id")["done"].mean().astype(float)
    now = ledger[ledger["programme_year"] == 2022].index
    assert np.corrcoef(share[now], ledger.loc[now, "image_progress_pct"])[0, 1] > 0.9


def test_residents_wish_for_parking_changed_a_design(county: demo.County) -> None:
    """Each such problem led to paving instead of greening, and the works hold parking there."""
    asked = county.layers["problems"].query("category == 'resident_demand'")["compound_id"]
    changes = county.layers["design_changes"]
    paved = changes.loc[changes["item"] == "绿化改硬化停车位", "compound_id"]
    parking = county.layers["works"].query("code == 'W05'")["compound_id"]
    assert set(asked) <= set(paved) <= set(parking)
    signed = changes["approved_by"].eq("业主;设计;监理;施工")
    assert signed.any()
    assert not signed.all()


def test_a_past_month_knows_nothing_of_later_ones(county: demo.County) -> None:
    """No table of a past month holds a day after it, but for what was planned; the last month is the county."""
    told = list(demo.past(county))
    for day, tables in told[:-1]:
        for name, rows in tables.items():
            kinds = {c.name: c.kind for c in schema.layer(name).columns}
            for column in (c for c in rows if kinds.get(str(c)) in ("date", "month")):
                if column not in ("due", "start_plan", "finish_plan"):
                    assert (rows[column].dropna().str.slice(0, 10) <= day).all(), (day, name, column)
    assert all(rows is county.layers[name] for name, rows in told[-1][1].items())


def test_the_built_county_tells_six_months_and_ends_as_it_is(
    county: demo.County, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Snapshots by month as the story has them; the live state is the generated county, and auditing again changes nothing."""
    path = str(tmp_path_factory.mktemp("built") / "county.gpkg")
    assert service.build(path, by="test")["built"] is True
    with store.open(path) as db:
        made = db.snapshots()
        assert [s.as_of for s in made] == [m.as_of for m in demo.months(county).months]
        for frozen, month in zip(made, demo.months(county).months, strict=True):
            effective = db.effective_compounds(snapshot=frozen.id).set_index("compound_id")
            true = month.true.set_index("compound_id").loc[effective.index]
            for column in ("status", "start_actual", "accepted_at", "image_progress_pct", "invest_total_wan"):
                pd.testing.assert_series_equal(effective[column], true[column], check_dtype=False)
        for name, frame in county.layers.items():
            key = schema.layer(name).key
            plain = pd.DataFrame(frame).drop(columns="geometry", errors="ignore")
            told, held = list(plain.columns.difference(RENAMED.get(name, []))), pd.DataFrame(db.read(name))
            order = [key] if key in told else ["compound_id", "category", "raised_at"]
            plain, held = (t[told].sort_values(order, ignore_index=True) for t in (plain, held))
            pd.testing.assert_frame_equal(held, plain, check_dtype=False)
        derived = [db.version(n) for n in ("findings", "verdicts", "candidates")]
        assert made[-1].revision == db.revision
        linked = {t.removeprefix("WT-") for t in db.read("problems")["ticket_id"] if t.startswith("WT-")}
        findings = db.read("findings").set_index("finding_id")
        # every sewer problem is a gap that the audit found: a compound's, or the pipe's that its connection ends on
        problems = db.read("problems")
        assert len(linked) == int((problems["lead_unit"] == "县排水公司").sum()) > 4
        assert set(findings.index[findings["status"] == "confirmed"]) == linked
        rules = findings.loc[list(linked)].groupby("layer")["rule"].agg(set)
        assert rules["pipes"] == {"dangling", "near_miss", "mid_pipe_junction"}
        seen = db.read("photos")
        assert set(seen.loc[seen["layer"] == "problems", "feature_id"]) <= set(db.read("problems")["ticket_id"])
    assert {p.name for p in Path(path + ".photos").iterdir()} == set(seen["file"])
    auditing.run(path, by="test")
    with store.open(path) as db:
        assert derived == [db.version(n) for n in ("findings", "verdicts", "candidates")]
    assert service.build(path, by="test")["built"] is False


def test_no_gap_that_the_audit_finds_is_settled_on_paper(county: demo.County) -> None:
    """A sewer problem stays open as long as the compound's verdict does."""
    served = set(county.verdicts.loc[county.verdicts["verdict"] == "connected", "compound_id"])
    sewer = county.layers["problems"].query("lead_unit == '县排水公司'")
    assert len(sewer)
    assert (~sewer["status"].isin(["closed", "resolved"]) | sewer["compound_id"].isin(served)).all()


def test_visits_say_what_the_manholes_say(county: demo.County) -> None:
    """Each visit found what its manhole is marked by, within the accuracy of a phone; the lost inlets were looked for."""
    visits, holes = county.layers["visits"], county.layers["manholes"].set_index("node_id")
    assert (visits["found"].to_numpy() == holes.loc[visits["node_id"], "found"].to_numpy()).all()
    places = gpd.GeoSeries.from_xy(visits["lon"], visits["lat"], crs=4326).to_crs(county.crs)
    assert (places.distance(holes.loc[visits["node_id"]].geometry.reset_index(drop=True)) < 15).all()
    assert set(holes.index[holes["found"] != "located"]) <= set(visits["node_id"])
    assert (visits["visited_at"].str[:10] <= county.as_of).all()


def test_photos_hang_on_what_is_there_and_are_drawn_the_same_each_time(county: demo.County) -> None:
    """Before, after and site; an after only where the problem is settled; a JPEG without metadata of the size that is told."""
    photos, problems = county.layers["photos"], county.layers["problems"].set_index("ticket_id")
    for layer, key in (("problems", "ticket_id"), ("visits", "visit_id"), ("inspections", "inspection_id")):
        assert set(photos.loc[photos["layer"] == layer, "feature_id"]) <= set(county.layers[layer][key])
    after = photos.query("stage == 'after'")["feature_id"]
    assert len(after)
    assert problems.loc[after, "status"].isin(["closed", "resolved"]).all()
    row = photos.iloc[0]
    with Image.open(io.BytesIO(demo.picture(row["file"]))) as picture:
        assert picture.size == (row["width_px"], row["height_px"])
        assert not picture.getexif()
    assert demo.picture(row["file"]) == demo.picture(row["file"])


@pytest.mark.parametrize("seed", [7, 1999])
def test_other_seeds_have_records_too(seed: int) -> None:
    """Records follow the seed and keep each compound's works in the catalogue."""
    town = demo.county(seed)
    assert all(len(town.layers[n]) for n in RECORDS)
    assert Counter(town.layers["opinions"]["stance"])["agree"] > 0
    assert len(list(demo.past(town))) == 6
