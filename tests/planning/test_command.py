"""`mapapp plan`: figures as JSON, the bill and the SWMM file beside them, a bad book said in one sentence."""

from __future__ import annotations

import json

import openpyxl
import pytest
from click.testing import CliRunner

from mapapp import store
from mapapp.cli import main
from mapapp.core.errors import InputError
from mapapp.services import plan_state, planning


def test_the_command_writes_bill_and_model(bare, tmp_path):
    """The figures others rely on are there; the workbook and the .inp are written; the page finds the plan."""
    bill, inp = tmp_path / "bill.xlsx", tmp_path / "plan.inp"
    words = ["plan", str(bare), "--budget", "90000", "--pin", "C3", "--out", str(bill), "--swmm", str(inp), "--json"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    names = "unserved linked refused pipes length_m pumps cost_low cost cost_high lower_bound gap_pct seconds"
    assert set(names.split()) <= set(said)
    assert said["swmm"]["agrees"]
    openpyxl.load_workbook(bill).close()
    assert "[CONDUITS]" in inp.read_text(encoding="utf-8")
    with store.open(str(bare)) as db:
        kept = plan_state.load(db)
        assert kept["asked"]["pinned"] == ["C3"]
        assert kept["summary"]["cost"] == said["cost"]


def test_a_book_that_is_not_there_stores_nothing(bare):
    """Exit code 2, the names that there are, no plan."""
    done = CliRunner().invoke(main, ["plan", str(bare), "--prices", "nobody"])
    assert done.exit_code == 2
    assert "example" in done.stderr
    with store.open(str(bare)) as db:
        assert plan_state.load(db) is None


@pytest.mark.parametrize(("option", "id_"), [("pinned", "没有的小区"), ("forbidden", "没有的街")])
def test_an_id_that_nothing_has_is_said_and_stores_nothing(bare, option, id_):
    """A mistyped id would otherwise be a plan without the wish, and nobody would know."""
    with pytest.raises(InputError, match=id_):
        planning.run(str(bare), by="li", **{option: frozenset({id_})})
    with store.open(str(bare)) as db:
        assert db.setting("plan") is None


def test_a_file_that_nobody_can_write_is_refused_before_anything_is_stored(bare, tmp_path):
    """An extension that is none of ours: exit code 2, no plan, no file."""
    done = CliRunner().invoke(main, ["plan", str(bare), "--out", str(tmp_path / "links.foo")])
    assert done.exit_code == 2
    assert ".foo" in done.stderr
    assert not list(tmp_path.glob("links*"))
    with store.open(str(bare)) as db:
        assert plan_state.load(db) is None


def test_without_levels_there_is_a_plan_and_a_sentence_instead_of_a_model(bare, tmp_path):
    """A county without a single height still gets its links and costs; why there is no .inp is told."""
    with store.open(str(bare)) as db:
        for layer, columns in (("manholes", ["ground_elev_m", "depth_m"]), ("pipes", ["from_invert_m", "to_invert_m"])):
            frame = db.read(layer)
            frame[[c for c in columns if c in frame]] = float("nan")
            db.apply(db.compare(layer, frame, "replace"), by="li")
    inp = tmp_path / "plan.inp"
    done = CliRunner().invoke(main, ["plan", str(bare), "--swmm", str(inp), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["linked"] + said["refused"] == said["unserved"]
    assert not inp.exists()
    assert "level" in said["swmm"]["no_file"]["en"]
