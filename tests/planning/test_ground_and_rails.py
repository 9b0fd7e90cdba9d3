"""Spot heights and railways are layers like any other: imported once, used by every plan."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

from mapapp import store
from mapapp.cli import main
from mapapp.services import plan_state, planning
from tests.planning.town import CRS, X0, Y0


def run(*words: str) -> None:
    answer = CliRunner().invoke(main, list(words))
    assert answer.exit_code == 0, answer.output


def rails(folder: Path) -> Path:
    line = shapely.LineString([(X0 - 100, Y0 + 90), (X0 + 700, Y0 + 90)])
    frame = gpd.GeoDataFrame({"名称": ["县铁路"]}, geometry=[line], crs=CRS)
    frame.to_file(folder / "rails.gpkg")
    return folder / "rails.gpkg"


def test_an_imported_railway_costs_every_link_that_crosses_it(bare: Path, tmp_path: Path) -> None:
    before, _ = planning.run(str(bare), by="li")
    run("import", str(bare), "railways", str(rails(tmp_path)))
    after, _ = planning.run(str(bare), by="li")
    assert after.links["crossings"].sum() == before.links["crossings"].sum() + 1
    assert after.summary["cost"] > before.summary["cost"]


def test_imported_spot_heights_are_the_ground_of_links(bare: Path, tmp_path: Path) -> None:
    points = [(x, y) for x in (60, 110, 160) for y in (100, 150, 200)]
    table = pd.DataFrame({"点号": [f"G{i}" for i in range(9)], "X": [Y0 + y for _, y in points],
                          "Y": [X0 + x for x, _ in points], "高程": 27.5})  # fmt: skip
    table.to_csv(tmp_path / "spots.csv", index=False, encoding="gbk")
    run("import", str(bare), "spot_heights", str(tmp_path / "spots.csv"), "--crs", CRS)
    made, _ = planning.run(str(bare), by="li")
    ground = made.links.loc[made.links["from_node"] == "C3", "ground_up_m"]
    assert ground.iloc[0] == pytest.approx(27.5, abs=0.5)


def test_a_spot_height_without_a_column_is_read_from_its_point(bare: Path, tmp_path: Path) -> None:
    gpd.GeoDataFrame({"no": [1]}, geometry=[shapely.Point(X0 + 110, Y0 + 150, 28.25)], crs=CRS).to_file(
        tmp_path / "spots.shp"
    )
    run("import", str(bare), "spot_heights", str(tmp_path / "spots.shp"))
    with store.open(str(bare)) as db:
        assert db.read("spot_heights")["elev_m"].tolist() == [28.25]


def test_a_plan_is_out_of_date_when_one_of_them_changed(bare: Path, tmp_path: Path) -> None:
    with store.open(str(bare)) as db:
        before = plan_state.versions(db)
    run("import", str(bare), "railways", str(rails(tmp_path)))
    with store.open(str(bare)) as db:
        after = plan_state.versions(db)
    assert {k for k in before if before[k] != after[k]} == {"railways"}
    json.dumps(after)
