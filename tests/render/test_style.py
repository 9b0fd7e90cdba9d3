"""One table dresses map, legend, sheet and report: nothing is told apart by colour alone, nothing has no class."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from mapapp.core import schema
from mapapp.core.text import Text
from mapapp.render.style import CJJ61_BROWN, STYLE, status_class, style_json


@pytest.mark.parametrize("style", STYLE.values(), ids=lambda s: s.id)
def test_classes_differ_without_colour(style):
    looks = [(c.letter, c.dash, c.hatch, c.symbol, c.width) for c in style.classes]
    assert len(set(looks)) == len(looks)
    assert any(c.id == style.fallback for c in style.classes)
    schema.layer(style.layer)


@pytest.mark.parametrize("layer", ["compounds", "verdicts", "pipes", "outlets"])
def test_each_class_has_a_label_in_both_languages(layer):
    assert all(c.label.zh and c.label.en for c in STYLE[layer].classes)


def test_every_canonical_status_has_one_shown_class():
    column = schema.layer("compounds").column("status")
    for code in column.codes:
        assert [c.id for c in STYLE["compounds"].classes if code.value in c.values] == [status_class(code.value).id]
    letters = {status_class(s).letter for s in ("planned", "started", "completed", "managed", "relapsed")}
    assert letters == set("未建完验反")


def test_every_kind_of_pipe_has_a_class_and_the_standard_palette_is_one_brown():
    for code in schema.layer("pipes").column("kind").codes:
        assert any(code.value in c.values for c in STYLE["pipes"].classes)
    assert {c.stroke for c in STYLE["pipes_cjj61"].classes} == {CJJ61_BROWN}
    assert [c.letter for c in STYLE["pipes_cjj61"].classes][:3] == ["WS", "YS", "HS"]


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, "", "something else"])
def test_missing_and_strange_values_are_drawn_as_unknown(value):
    assert status_class(value).id == "unknown"
    assert status_class(value).hatch


def test_the_page_gets_plain_values_with_the_audits_own_titles():
    told = style_json(
        "en", verdicts={"no_main": Text("远", "Far away")}, rules={"dangling": (Text("断头", "Dangling end"), "error")}
    )
    assert json.loads(json.dumps(told)) == told
    assert {c["id"]: c["label"] for c in told["verdicts"]["classes"]}["no_main"] == "Far away"
    assert told["findings"]["rules"] == [{"id": "dangling", "label": "Dangling end", "severity": "error"}]
