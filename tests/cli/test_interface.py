"""The command line as those outside of this repository rely on it: every name of the interface, its exit codes, its JSON."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner, Result

from mapapp import cli

INTERFACE = """
demo     [DB] --host --port --no-serve
create   DB --name --crs
import   DB LAYER FILES --layer --crs --datum --encoding --columns --column --replace --update --dry-run
audit    DB --out
plan     DB --standard --prices --budget --out --swmm
snapshot DB --as-of
report   DB --out --as-of
sheet    DB --out --compound --bbox --scale
map      DB --out
export   DB LAYER --out
share    DB create list revoke
user     DB add list remove
serve    DB --host --port --workers
"""
COMMANDS = {line.split()[0]: line.split()[1:] for line in INTERFACE.strip().splitlines()}
CLI = (sys.executable, "-W", "ignore", "-c", "from mapapp.cli import main; main()")
LAYERS = "compounds buildings pipes manholes outlets inlets streets survey_areas ledger problems projects management meetings"


def run(*words: object) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


def answer(*words: object) -> dict[str, object]:
    """Run with --json: exit 0, and stdout is one JSON object in one line."""
    done = run(*words, "--json")
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def state(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a county of one street by the commands alone, audited, planned and frozen once."""
    room = tmp_path_factory.mktemp("county")
    db, x, y = room / "county.gpkg", 500_000, 3_900_000
    answer("create", db, "--name", "云岭县", "--crs", "EPSG:4544")
    street = [shapely.LineString([(x - 100, y), (x + 300, y)])]
    pipe = {"pipe_id": ["P"], "kind": ["sewage"], "diameter_mm": [400], "from_invert_m": [10.0], "to_invert_m": [9.0]}
    frames = {
        "pipes": gpd.GeoDataFrame(pipe, geometry=[shapely.LineString([(x, y), (x + 100, y)])], crs=4544),
        "compounds": gpd.GeoDataFrame(
            {
                "compound_id": ["A", "B"],
                "name": ["甲院", "乙院"],
                "households": [10, 20],
                "programme_year": [2021, 2021],
            },
            geometry=[shapely.box(x - 40, y - 20, x + 5, y + 20), shapely.box(x + 40, y + 30, x + 60, y + 50)],
            crs=4544,
        ),
        "outlets": gpd.GeoDataFrame(
            {"id": ["W"], "facility": ["wwtp"]}, geometry=[shapely.Point(x + 100, y)], crs=4544
        ),
        "streets": gpd.GeoDataFrame({"street_id": ["S"]}, geometry=street, crs=4544),
    }
    for layer, frame in frames.items():
        frame.to_file(room / f"{layer}.gpkg")
        assert answer("import", db, layer, room / f"{layer}.gpkg")["written"] is True
    pd.DataFrame({"小区名称": ["甲院", "乙院"], "户数": [11, 20]}).to_csv(room / "ledger.csv", index=False)
    assert answer("import", db, "ledger", room / "ledger.csv")["added"] == 2
    answer("audit", db)
    answer("plan", db)
    answer("snapshot", db, "--as-of", "2026-11-25")
    return db


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_is_named_in_its_help(name: str) -> None:
    done = run(name, "--help") if name not in ("share", "user") else run(name, "some.gpkg", "--help")
    assert done.exit_code == 0
    assert [w for w in COMMANDS[name] if w.islower() and not re.search(rf"(?<![\w-]){w}(?![\w-])", done.stdout)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_json(name: str) -> None:
    inner = {"share": ("create", "list", "revoke"), "user": ("add", "list", "remove")}.get(name, ())
    for words in [(name, "x.gpkg", i) for i in inner] or [(name,)]:
        assert "--json" in run(*words, "--help").stdout


def test_layers_of_the_interface_are_all_importable_names(county: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "empty.csv"
    nothing.write_text("")
    for layer in LAYERS.split():
        done = run("import", county, layer, nothing)
        assert (done.exit_code, "0" in done.stderr) == (2, True), layer  # the file is empty; the layer is known


def test_papers_tables_and_maps_are_written_and_told_as_one_object(county: Path, tmp_path: Path) -> None:
    written = [
        ("report", county, "--out", tmp_path / "a.docx"),
        ("sheet", county, "--out", tmp_path / "a.png", "--compound", "B", "--scale", "1:2000"),
        ("map", county, "--out", tmp_path / "a.html"),
        ("export", county, "links", "--out", tmp_path / "a.parquet"),
        ("audit", county, "--out", tmp_path / "a.xlsx"),
    ]
    for words in written:
        assert answer(*words)
        assert Path(str(words[words.index("--out") + 1])).stat().st_size > 100


def test_plan_prints_what_the_interface_promises(county: Path, tmp_path: Path) -> None:
    told = answer("plan", county, "--swmm", tmp_path / "a.inp")
    promised = "unserved linked refused pipes length_m pumps cost_low cost cost_high lower_bound gap_pct seconds"
    assert set(promised.split()) <= set(told)
    assert (tmp_path / "a.inp").stat().st_size > 100


def test_shares_and_users_are_made_listed_and_ended(county: Path) -> None:
    made = answer("share", county, "create", "--title", "月报")
    listed = answer("share", county, "list")["shares"]
    assert isinstance(listed, list)
    assert [s["id"] for s in listed] == [made["id"]]
    assert answer("share", county, "revoke", made["id"])["revoked"] is True
    assert answer("user", county, "add", "li", "--role", "editor", "--password", "a long enough word")["name"] == "li"
    assert answer("user", county, "remove", "li")["removed"] is True


@pytest.mark.parametrize("words", [
    ("import", "DB", "roads", "pipes.gpkg"), ("import", "DB", "pipes", "nowhere.shp"), ("import", "DB"),
    ("import", "DB", "pipes", "pipes.gpkg", "--datum", "mars"), ("audit", "nowhere.gpkg"), ("frobnicate",),
    ("export", "DB", "links", "--out", "a.docx"), ("snapshot", "DB", "--as-of", "soon"),
    ("create", "DB", "--name", "x", "--crs", "EPSG:4544"), ("create", "new.gpkg", "--name", "x", "--crs", "EPSG:4326"),
    ("plan", "DB", "--standard", "nobody"), ("share", "DB", "revoke", "99"), ("serve", "nowhere.gpkg"),
    ("sheet", "DB", "--out", "a.pdf", "--bbox", "9,9,1,1"), ("map", "DB", "--out", "no/such/folder/a.html"),
])  # fmt: skip
def test_a_wrong_request_ends_with_two_one_message_and_nothing_written(county: Path, words: tuple[str, ...]) -> None:
    before, there = state(county), set(county.parent.iterdir())
    at = {w: county.parent / w for w in words if re.fullmatch(r"[\w/]+\.(gpkg|shp|docx|pdf|html)", w)} | {"DB": county}
    done = run(*(at.get(w, w) for w in words), "--json")
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr
    assert set(json.loads(done.stdout)) == {"error", "where"}
    assert (state(county), set(county.parent.iterdir())) == (before, there)


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_server_says_its_address_in_one_json_object(county: Path, command: str) -> None:
    words = [*CLI, command, str(county), "--port", "0", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        with urllib.request.urlopen(f"{told['address']}healthz", timeout=30) as response:
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""
        assert process.wait(timeout=30) == 0
    assert told["name"] == "云岭县"
