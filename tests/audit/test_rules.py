"""One table of rules feeds everything: it is complete, in both languages, and the page of rules is current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mapapp.audit.handbook import page
from mapapp.audit.rules import RULES
from mapapp.audit.verdicts import VERDICTS
from mapapp.core import schema

ROOT = Path(__file__).parents[2]
NAMED = [
    "invalid_geometry",
    "duplicate_id",
    "duplicate_geometry",
    "zero_length",
    "overlap",
    "null_geometry",
    "node_missing",
    "mid_pipe_junction",
    "near_miss",
    "dangling",
    "island",
    "no_outlet",
    "contradicts_ledger",
    "adverse_slope",
    "flat_slope",
    "diameter_decreases",
    "level_mismatch",
    "ground_mismatch",
    "cross_connection",
    "orphan_manhole",
    "manhole_spacing",
    "cover_shallow",
    "reversed",
    "sentinel_value",
    "not_connected",
    "no_main",
    "wrong_outlet",
    "no_gravity",
    "inlet_unknown",
    "no_data",
]


def test_the_rules_are_those_that_others_rely_on():
    assert sorted(RULES) == sorted(NAMED)
    assert set(VERDICTS) == {"connected", "dangling"} | (set(NAMED) & set(VERDICTS))


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.id)
def test_every_rule_says_what_why_how_and_how_not_in_both_languages(rule):
    for text in (rule.title, rule.why, rule.fix, rule.trap, rule.message):
        assert re.search("[一-鿿]", text.zh)
        assert text.en
        assert not re.search("[一-鿿]", text.en)
    assert re.findall(r"{(\w+)", rule.message.zh).sort() == re.findall(r"{(\w+)", rule.message.en).sort()
    for need in rule.needs:
        for one in need.split("|"):
            layer, _, column = one.partition(".")
            assert not column or schema.layer(layer).column(column) is not None


def test_the_page_of_rules_is_current():
    written = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m mapapp.audit.handbook > docs/rules.md"
