"""What a planner draws or brings: links by hand, forbidden ground, footways, a ground model; on the page and the command line."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time

import geopandas as gpd
import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from PIL import Image, TiffImagePlugin

from mapapp import store
from mapapp.cli import main
from mapapp.core.errors import ForbiddenError, InputError
from mapapp.services import plan_drawings, plan_state
from mapapp.services.scope import Scope

from . import town
from .test_page import Asker


def lonlat(*points):
    shape = gpd.GeoSeries([shapely.LineString([(town.X0 + x, town.Y0 + y) for x, y in points])], crs=town.CRS)
    return shapely.get_coordinates(shape.to_crs(4326).iloc[0]).round(8).tolist()


def tif(*, crs: int = 4549, height: float = 18.0) -> bytes:
    """Return a GeoTIFF of 10 m cells over the town, falling east."""
    grid = (height - 0.005 * 10 * np.arange(120)[None, :] + np.zeros((80, 1))).astype(np.float32)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33550], tags.tagtype[33550] = (10.0, 10.0, 0.0), 12
    tags[33922], tags.tagtype[33922] = (0.0, 0.0, 0.0, town.X0 - 300, town.Y0 + 500, 0.0), 12
    tags[34735], tags.tagtype[34735] = (1, 1, 0, 1, 3072, 0, 1, crs), 3
    out = io.BytesIO()
    Image.fromarray(grid).save(out, "TIFF", tiffinfo=tags)
    return out.getvalue()


def test_a_drawn_link_is_checked_beside_ours_and_nothing_is_kept(app, planned):
    """C1 over a corner to W7: sized, drawn as a section, compared; the plan stays as it was."""
    asker = Asker(app)
    with store.open(str(planned)) as db:
        before = db.version("links")
    body = {"drawn": [{"compound_id": "", "line": lonlat((380, 22), (360, 12), (350, 1))}]}
    found = asker.post("/api/plan/drawn?lang=en", body).json
    one = found["links"][0]
    assert (one["compound_id"], one["name"], one["figures"]["to_node"]) == ("C1", "一村", "W7")
    assert one["figures"]["length_m"] > one["ours"]["length_m"]
    assert one["svg"].startswith("<svg")
    assert one["swmm"] is True
    with store.open(str(planned)) as db:
        assert db.version("links") == before


def test_accepted_it_is_in_the_plan_and_the_page_remembers_it(app, planned):
    asker = Asker(app)
    line = lonlat((380, 22), (360, 12), (350, 1))
    ring = lonlat((600, 300), (640, 300), (640, 340))
    sent = {"drawn": [{"compound_id": "C1", "line": line}], "areas": [ring], "footways": True}
    assert asker.wait(asker.post("/api/plan", sent).json["id"])["state"] == "done"
    found = asker.get("/api/plan").json
    assert found["asked"]["drawn"] == [{"compound_id": "C1", "line": line}]
    assert (found["asked"]["areas"], found["asked"]["footways"]) == ([ring], True)
    with store.open(str(planned)) as db:
        links = db.read("links")
    assert set(links.loc[links["own_compounds"] == "C1", "corridor"]) == {"drawn"}


@pytest.mark.parametrize(
    "drawn",
    ["x", [{"line": [[1, 2]]}], [{"line": [[1, 2], ["a", 3]]}], [{"line": [[999, 2], [3, 4]]}], [{"line": None}]],
)
def test_a_drawing_that_is_none_is_refused_in_a_sentence(app, drawn):
    answer = Asker(app).post("/api/plan/drawn", {"drawn": drawn})
    assert answer.status_code == 400
    assert answer.json["error"]


def test_viewers_draw_nothing(served):
    asker = Asker(served, "gu", "guest-password")
    for path in ("/api/plan/drawn", "/api/plan/ground", "/api/plan/ground/remove"):
        assert asker.post(path, {}).status_code == 403, path


def test_a_ground_model_is_kept_once_read_and_used(app, planned, tmp_path):
    """What is no GeoTIFF is refused and leaves the old one; a good one is named in the next plan's assumptions."""
    asker = Asker(app)

    def send(body: bytes, name: str):
        head = {"X-CSRF-Token": asker.csrf, "Accept": "application/json"}
        return asker.client.post("/api/plan/ground", data={"file": (io.BytesIO(body), name)}, headers=head)

    assert send(b"no picture", "x.tif").status_code == 400
    assert send(tif(), "县.tif").status_code == 201
    assert send(b"no picture", "x.tif").status_code == 400
    assert asker.get("/api/plan").json["ground"] == "县.tif"
    assert asker.wait(asker.post("/api/plan", {}).json["id"])["state"] == "done"
    assert any("地面模型" in text for text in asker.get("/api/plan").json["assumptions"])
    assert asker.post("/api/plan/ground/remove", {}).status_code == 200
    assert asker.get("/api/plan").json["ground"] is None
    assert list((planned.parent / (planned.name + ".ground")).iterdir()) == []


def test_an_upload_by_a_viewer_or_too_large_leaves_no_file(planned):
    with store.open(str(planned)) as db:
        with pytest.raises(ForbiddenError):
            plan_drawings.keep_dem(db, str(planned), Scope("gu", "viewer"), "a.tif", io.BytesIO(tif()), at="")
        with pytest.raises(InputError):
            plan_drawings.keep_dem(db, str(planned), Scope("li", "editor"), "a.tif", io.BytesIO(b"II"), at="")
        assert plan_drawings.dem(db, str(planned)) is None
    folder = planned.parent / (planned.name + ".ground")
    assert not folder.exists() or not list(folder.iterdir())


def test_the_command_takes_them_as_files(bare, tmp_path):
    """--drawn, --forbid-area, --dem and --footways: the drawing leads C1, nothing touches the area, remarks are printed."""
    line = gpd.GeoDataFrame(
        {"compound_id": ["C1", "nobody"]},
        geometry=[shapely.LineString([(town.X0 + 380, town.Y0 + 22), (town.X0 + 350, town.Y0 + 1)]),
                  shapely.LineString([(town.X0, town.Y0), (town.X0 + 9, town.Y0)])], crs=town.CRS,
    )  # fmt: skip
    line.to_crs(4326).to_file(tmp_path / "drawn.geojson")
    area = gpd.GeoDataFrame(
        geometry=[shapely.box(town.X0 + 100, town.Y0 + 60, town.X0 + 108, town.Y0 + 70)], crs=town.CRS
    )
    area.to_crs(4326).to_file(tmp_path / "area.geojson")
    (tmp_path / "ground.tif").write_bytes(tif())
    words = ["plan", str(bare), "--drawn", str(tmp_path / "drawn.geojson"), "--forbid-area", str(tmp_path / "area.geojson"),
             "--dem", str(tmp_path / "ground.tif"), "--footways", "--json"]  # fmt: skip
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert {r["kind"] for r in said["remarks"]} >= {"unknown_compound"}
    with store.open(str(bare)) as db:
        links = db.read("links")
        assert set(links.loc[links["own_compounds"] == "C1", "corridor"]) == {"drawn"}
        assert not shapely.intersects(links.geometry.to_numpy(), area.geometry.iloc[0]).any()
        assert plan_state.load(db)["asked"]["drawn"][0]["compound_id"] == "C1"


@pytest.mark.parametrize("option", ["--drawn", "--forbid-area", "--dem"])
def test_a_file_that_is_no_use_stores_nothing(bare, tmp_path, option):
    path = tmp_path / "x.tif"
    path.write_bytes(b"nothing")
    done = CliRunner().invoke(main, ["plan", str(bare), option, str(path)])
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    with store.open(str(bare)) as db:
        assert plan_state.load(db) is None


def test_ctrl_c_leaves_the_last_good_plan(planned):
    """A real process that is interrupted as soon as it plans: it ends in time, and the stored plan is whole, old or new."""
    with store.open(str(planned)) as db:
        before = plan_state.load(db)
    code = "from mapapp.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "plan", str(planned), "--budget", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    time.sleep(1.5)  # libraries are loading, or the plan is being made: any moment must do
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (0, 1, 2, 130, -signal.SIGINT)
    assert b"sqlite" not in said.lower()
    with store.open(str(planned)) as db:
        kept = plan_state.load(db)
        assert kept is not None  # links and what is said of them belong together
        assert kept["at"] == before["at"] or kept["asked"]["budget"] == 1
        assert len(db.read("links"))
