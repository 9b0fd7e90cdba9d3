"""A size that stands beside one line of a drawing is proposed; what could belong to two lines, or disagrees, is not."""

from __future__ import annotations

from pathlib import Path

import ezdxf

from mapapp import ingest

X, Y = 500_000.0, 3_930_000.0


def drawing(path: Path, scale: float = 1.0) -> Path:
    """Five sewers: two with a size, two that share one text, one with two sizes."""
    document = ezdxf.new("R2010")
    document.header["$INSUNITS"] = 4 if scale == 1000.0 else 6
    document.appids.add("SURVEY")
    space = document.modelspace()
    for number, (x, y) in enumerate([(0, 0), (40, 0), (0, 30), (0, 32), (0, 60)]):
        start, end = ((X + x) * scale, (Y + y) * scale), ((X + x + 40) * scale, (Y + y) * scale)
        line = space.add_line(start, end, dxfattribs={"layer": "WS"})
        line.set_xdata("SURVEY", [(1000, f"管{number}"), (1040, 0.5 * number)])
    texts = [
        ("WS DN300 PE i=3‰", 12, 0.8), ("%%c400", 55, 0.8), ("DN500", 15, 30.9), ("DN200", 5, 61), ("DN250", 30, 61),
        ("W12", 2, 0.8), ("DN900", 15, 90),
    ]  # fmt: skip
    for text, x, y in texts:
        at = ((X + x) * scale, (Y + y) * scale)
        space.add_text(text, height=1.5 * scale, dxfattribs={"insert": at})
    document.saveas(path)
    return path


def test_a_size_beside_one_line_is_proposed_and_not_applied(tmp_path: Path) -> None:
    told = ingest.read(drawing(tmp_path / "a.dxf"), "pipes", crs=4544)
    assert told.proposals["diameter_mm"].theirs == "旁注管径"
    assert "diameter_mm" not in told.mapping
    assert any("旁注管径" in note.text.zh for note in told.notes if note.severity == "warning")


def test_the_confirmed_sizes_are_those_of_their_own_lines_in_metres_and_millimetres(tmp_path: Path) -> None:
    for scale in (1.0, 1000.0):
        path = drawing(tmp_path / f"{scale:g}.dxf", scale)
        told = ingest.read(path, "pipes", crs=4544, columns={"diameter_mm": "旁注管径"}).frame
        assert told["diameter_mm"].fillna(0).tolist() == [300, 400, 0, 0, 0]


def test_extended_data_are_columns_that_can_be_mapped(tmp_path: Path) -> None:
    told = ingest.read(drawing(tmp_path / "a.dxf"), "pipes", crs=4544, columns={"pipe_id": "XDATA SURVEY 1"})
    assert told.frame["pipe_id"].tolist() == ["管0", "管1", "管2", "管3", "管4"]
    assert "XDATA SURVEY 2" in told.unmapped
