"""A local city system is fitted by control points; what the fit leaves is told, the parameters are kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp import ingest
from mapapp.core.errors import InputError
from mapapp.ingest.control import fit

HOME = np.array([518_145.0, 3_930_083.0])  # easting, northing in EPSG:4544
CORNERS = np.array([[0.0, 0.0], [2000.0, 0.0], [2000.0, 1500.0], [0.0, 1500.0], [900.0, 700.0]])


def control(path: Path, local: np.ndarray, known: np.ndarray, names: Sequence[str] = "ABCDE") -> Path:
    """Write the points as surveyors do: name, local X (north), local Y, known X (north), known Y."""
    rows = [f"{n},{a[1]},{a[0]},{b[1]},{b[0]}" for n, a, b in zip(names, local, known, strict=False)]
    path.write_text("点名,本地X,本地Y,X,Y\n" + "\n".join(rows), "utf-8")
    return path


def town(path: Path) -> Path:
    path.write_text("点号,X,Y\nW1,750,1000\nW2,100,200\n", "utf-8")  # northing first, in the local system
    return path


def test_a_turned_and_shifted_local_system_comes_home(tmp_path: Path) -> None:
    """To a millimetre; nothing but the residuals is told."""
    turn = np.deg2rad(3.0)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = control(tmp_path / "c.csv", CORNERS, CORNERS @ rotation + HOME)
    read = ingest.read(town(tmp_path / "t.csv"), "manholes", county_crs=4544, control=points)
    want = np.array([[1000.0, 750.0], [200.0, 100.0]]) @ rotation + HOME
    assert np.abs(shapely.get_coordinates(read.frame.geometry) - want).max() < 1e-3
    assert [n.severity for n in read.notes if "control points" in n.text.en] == ["info"]


def test_a_drawing_has_east_first_and_its_control_points_may_have_north_first(tmp_path: Path) -> None:
    """The fit would be a mirror, and nobody surveys in one."""
    import ezdxf

    drawing = ezdxf.new()
    drawing.modelspace().add_lwpolyline([(100, 200), (150, 200)], dxfattribs={"layer": "污水"})
    drawing.saveas(tmp_path / "d.dxf")
    points = control(tmp_path / "c.csv", CORNERS, CORNERS + HOME)
    read = ingest.read(tmp_path / "d.dxf", "pipes", county_crs=4544, control=points)
    want = np.array([[100.0, 200.0], [150.0, 200.0]]) + HOME
    assert np.abs(shapely.get_coordinates(read.frame.geometry) - want).max() < 1e-3


def test_a_wrong_point_is_named_and_three_points_prove_nothing(tmp_path: Path) -> None:
    known = CORNERS + HOME
    wrong = known.copy()
    wrong[4, 0] += 40.0
    loud = ingest.read(
        town(tmp_path / "t.csv"), "manholes", county_crs=4544, control=control(tmp_path / "c.csv", CORNERS, wrong)
    )
    assert any(n.severity == "warning" and "(E)" in n.text.en for n in loud.notes)
    three = control(tmp_path / "c.csv", CORNERS[:3], known[:3])
    quiet = ingest.read(tmp_path / "t.csv", "manholes", county_crs=4544, control=three)
    assert any("nothing to check it with" in n.text.en for n in quiet.notes)


@pytest.mark.parametrize("local", [CORNERS[:2], np.array([[0.0, 0.0], [10, 10], [20, 20], [30, 30.0]])])
def test_too_few_points_or_points_on_one_line_are_refused(tmp_path: Path, local: np.ndarray) -> None:
    points = control(tmp_path / "c.csv", local, local + HOME)
    with pytest.raises(InputError, match=r"control points"):
        ingest.read(town(tmp_path / "t.csv"), "manholes", county_crs=4544, control=points)


def test_a_row_without_four_numbers_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("点名,x,y,X,Y\nA,1,2,3,4\nB,5,六,7,8\n", "utf-8")
    with pytest.raises(InputError, match=r"c\.csv › 3: This row does not hold four coordinates"):
        ingest.read(town(tmp_path / "t.csv"), "manholes", county_crs=4544, control=tmp_path / "c.csv")


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_every_affine_map_is_found_again(linear: list[float], dx: float, dy: float) -> None:
    matrix = np.array(linear).reshape(2, 2) + np.eye(2) * 5  # never singular
    known = CORNERS @ matrix + [dx, dy]
    found = fit(CORNERS, known)
    assert np.abs(found(CORNERS) - known).max() < 1e-5
