"""Tests of the six monthly ledgers and their planted errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mapapp import demo, ingest
from mapapp.demo import delivery
from mapapp.programme.checks import check


@pytest.fixture(scope="module")
def story(county: demo.County) -> demo.Story:
    return demo.months(county)


def test_planted_row_errors_are_all_found_and_nothing_else(story: demo.Story) -> None:
    """The programme's checks flag exactly the planted rows, month by month."""
    rowwise = ("unit", "date_status", "duplicate", "ratio")
    for month in story.months:
        found = check(month.ledger, month.as_of)
        planted = story.truth[(story.truth["as_of"] == month.as_of) & story.truth["check"].isin(rowwise)]
        got = set(found[["check", "compound_id"]].itertuples(index=False, name=None))
        assert got == set(planted[["check", "compound_id"]].itertuples(index=False, name=None)), month.as_of


def test_printed_sums_are_wrong_only_where_planted(story: demo.Story) -> None:
    """Sums printed in a ledger are those of its rows, but for the planted one."""
    for month in story.months:
        off = (month.printed - delivery.sums(month.ledger)).abs() > 0.005
        wrong = {(str(off.index[i]), str(off.columns[k])) for i, k in np.argwhere(off.to_numpy())}
        planted = story.truth.query("as_of == @month.as_of and check == 'sum'")
        assert wrong == {("2021", c) for c in planted["column"]}


def test_started_exceeds_planned_only_where_planted(story: demo.Story) -> None:
    """Nobody starts more than the year holds, except in the planted month."""
    over = {m.as_of for m in story.months if (m.summary["started_compounds"] > m.summary["planned_compounds"]).any()}
    assert over == set(story.truth.loc[story.truth["check"] == "started_over_planned", "as_of"])


def test_names_change_only_where_planted(county: demo.County, story: demo.Story) -> None:
    """A name differs from the compound's in the planted row alone."""
    true = county.layers["ledger"].set_index("compound_id")["name"]
    changed = {
        (m.as_of, i) for m in story.months for i, n in m.ledger.set_index("compound_id")["name"].items() if n != true[i]
    }
    planted = story.truth[story.truth["check"] == "name_changed"]
    assert changed == set(planted[["as_of", "compound_id"]].itertuples(index=False, name=None))


def test_the_story_only_goes_forward(story: demo.Story) -> None:
    """The number of compounds started never falls, and by November all 23 of 2022 have started."""
    started = [
        int(
            m.ledger.query("programme_year == 2022")
            .drop_duplicates("compound_id")["status"]
            .isin(["started", "under_way"])
            .sum()
        )
        for m in story.months
    ]
    assert started == sorted(started)
    assert started[0] < started[-1] == 23


def test_the_last_month_is_the_countys_ledger(county: demo.County, story: demo.Story) -> None:
    """November differs from the stored ledger in the planted cell alone."""
    ours, theirs = county.layers["ledger"], story.months[-1].ledger
    differs = (ours.astype("object").fillna("") != theirs.astype("object").fillna("")).to_numpy()
    planted = story.truth.query("as_of == '2022-11-25' and check == 'ratio'")["compound_id"].tolist()
    assert [ours.at[i, "compound_id"] for i, _ in np.argwhere(differs)] == planted


def test_a_months_workbook_reads_back(county: demo.County, story: demo.Story, tmp_path: Path) -> None:
    """The importer gets every row of every month from the workbook, totals and hidden sheet left out."""
    path = demo.month_files(county, story, tmp_path)[2]
    month = story.months[2].ledger
    read = ingest.read(path, "ledger", layer="改造台账").frame
    pd.testing.assert_series_equal(
        read["households"].reset_index(drop=True),
        month.sort_values("programme_year", kind="stable")["households"].reset_index(drop=True),
        check_dtype=False,
    )
