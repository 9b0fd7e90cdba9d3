"""The long section: what is drawn is what is known."""

from __future__ import annotations

import itertools
import math
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from mapapp.core.errors import InputError
from mapapp.render import section

SVG = "{http://www.w3.org/2000/svg}"


def profile(n: int = 3, **more: object) -> pd.DataFrame:
    """Return pipes of 40 m falling 0.2 m each under ground that falls as much."""
    at = np.arange(n)
    frame = pd.DataFrame(
        {
            "link_id": [f"L{i}" for i in at], "from_node": ["<甲>", *(f"NEW-{i}" for i in at[1:])], "from_m": 40.0 * at,
            "to_m": 40.0 * (at + 1), "ground_up_m": 10 - 0.2 * at, "ground_down_m": 9.8 - 0.2 * at,
            "invert_up_m": 8.5 - 0.2 * at, "invert_down_m": 8.3 - 0.2 * at, "depth_up_m": 1.5, "depth_down_m": 1.5,
            "diameter_mm": 300.0, "slope": 0.005, "pump": False, "ground_known": True,
        }
    )  # fmt: skip
    return frame.assign(**more)


def texts(drawing: str) -> list[str]:
    return [t.text or "" for t in ET.fromstring(drawing).iter(f"{SVG}text")]


def test_levels_sizes_and_the_sewer_are_written():
    """First and last ground and invert, the slope in per mille, and the existing sewer's size and invert."""
    made = section.section(profile(), section.Existing("W7", 7.5, 9.3, 400.0, 0.003))
    said = texts(section.svg(made, "en"))
    assert {"10.00", "8.50", "9.40", "7.90", "1.50", "0.0", "120.0"} <= set(said)
    assert "DN300 5.0‰" in said
    assert {"Existing DN400", "7.50", "W7", "<甲>"} <= set(said)


def test_what_is_not_known_is_a_question_mark():
    """Without levels nothing is written that looks like one."""
    blank = dict.fromkeys(("ground_up_m", "ground_down_m", "invert_up_m", "invert_down_m"), np.nan)
    said = texts(section.svg(section.section(profile(**blank), section.Existing("W7")), "en"))
    assert "?" in said
    assert "8.50" not in said
    assert any("No heights" in s for s in said)


def test_names_are_text_never_markup():
    """A compound called like a tag stays text in every place of the drawing."""
    made = section.section(profile(link_id='"/><script>x</script>'), section.Existing("<b>", 7.5), title="<i>")
    root = ET.fromstring(section.svg(made, "zh"))
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {"svg", "title", "text", "polyline", "polygon"}


@pytest.mark.parametrize("n", [1, 2, 60])
def test_everything_lies_inside_the_drawing(n):
    """However many pipes, no corner is outside the sheet and no two names of nodes overlap."""
    root = ET.fromstring(section.svg(section.section(profile(n), section.Existing("W7", 3.0, math.nan)), "zh"))
    width, height = (float(v) for v in root.get("viewBox").split()[2:])
    for shape in [*root.iter(f"{SVG}polygon"), *root.iter(f"{SVG}polyline")]:
        for pair in shape.get("points").split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height
    names = sorted(float(t.get("x")) for t in root.iter(f"{SVG}text") if t.get("class") == "s-node")
    assert all(b - a > 20 for a, b in itertools.pairwise(names))


def test_paper_is_the_same_twice():
    """PDF and PNG are drawn, and one plan gives one file."""
    made = section.section(profile(pump=True), section.Existing("W7", 7.5, 9.3, 400.0, 0.003), title="东风小区")
    assert section.file(made, "pdf", "zh") == section.file(made, "pdf", "zh")
    assert section.file(made, "png", "en").startswith(b"\x89PNG")


def test_no_pipe_no_drawing():
    """Said in a sentence."""
    with pytest.raises(InputError, match="no pipe"):
        section.section(profile(1).iloc[:0], section.Existing("W7"))
