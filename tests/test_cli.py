"""The command line keeps its promises: names, exit codes, one JSON object, one message and no traceback."""

import hashlib
import json
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner, Result

from mapapp import cli

COMMANDS = {
    "audit": ["--out", "--json"],
    "create": ["--name", "--crs"],
    "demo": ["--host", "--port", "--no-serve"],
    "export": ["--out"],
    "import": ["--layer", "--crs", "--datum", "--encoding", "--columns", "--column", "--replace", "--update", "--dry-run"],
    "map": ["--out"],
    "report": ["--out", "--as-of"],
    "serve": ["--host", "--port", "--workers"],
    "share": [],
    "sheet": ["--out", "--compound", "--bbox", "--scale"],
    "snapshot": ["--as-of", "--json"],
    "user": [],
}  # fmt: skip


def run(*words: object) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words], catch_exceptions=False)


def answer(*words: object) -> dict[str, object]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, object] = json.loads(result.stdout)
    return found


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """Make a county of one street: a served compound, one that is not, and a plant."""
    xy = {"gate": (500_000, 3_900_000), "plant": (500_100, 3_900_000)}
    pipes = gpd.GeoDataFrame(
        {"pipe_id": ["P1"], "kind": ["sewage"], "from_invert_m": [10.0], "to_invert_m": [9.0]},
        geometry=[shapely.LineString(xy.values())],
        crs=4544,
    )
    homes = gpd.GeoDataFrame(
        {"compound_id": ["A", "B"], "name": ["甲院", "乙院"], "households": [10, 20], "programme_year": [2021, 2021]},
        geometry=[
            shapely.box(499_960, 3_899_980, 500_005, 3_900_020),
            shapely.box(500_040, 3_900_030, 500_060, 3_900_050),
        ],
        crs=4544,
    )
    outlets = gpd.GeoDataFrame({"id": ["W"], "facility": ["wwtp"]}, geometry=[shapely.Point(xy["plant"])], crs=4544)
    db = tmp_path / "county.gpkg"
    assert run("create", db, "--name", "云岭县", "--crs", "EPSG:4544").exit_code == 0
    for layer, frame in {"pipes": pipes, "compounds": homes, "outlets": outlets}.items():
        frame.to_file(tmp_path / f"{layer}.gpkg")
        answer("import", db, layer, tmp_path / f"{layer}.gpkg")
    return db


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_of_the_interface_is_there(name: str) -> None:
    text = run(name, "--help").stdout
    assert [option for option in COMMANDS[name] if option not in text] == []


def test_the_same_file_twice_changes_nothing(county: Path) -> None:
    again = answer("import", county, "compounds", county.with_name("compounds.gpkg"))
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 2)


def test_a_dry_run_shows_what_would_change_and_writes_nothing(county: Path) -> None:
    before = fingerprint(county)
    moved = gpd.read_file(county.with_name("compounds.gpkg")).assign(households=[11, 20])
    moved.to_file(county.with_name("later.gpkg"))
    told = answer("import", county, "compounds", county.with_name("later.gpkg"), "--update", "--dry-run")
    assert (told["changed"], told["written"]) == (1, False)
    assert fingerprint(county) == before


def test_known_ids_with_other_content_are_refused_with_the_differences(county: Path) -> None:
    gpd.read_file(county.with_name("compounds.gpkg")).assign(households=[11, 20]).to_file(
        county.with_name("later.gpkg")
    )
    result = run("import", county, "compounds", county.with_name("later.gpkg"))
    assert result.exit_code == 2
    assert "--update" in result.stderr
    assert "households" in result.stderr


def test_audit_prints_one_object_with_counts_by_verdict(county: Path) -> None:
    told = answer("audit", county)
    assert told["by_verdict"] == {"connected": 1, "not_connected": 1}


@pytest.mark.parametrize("extension", ["gpkg", "geojson", "csv", "xlsx", "parquet"])
def test_derived_tables_are_exported_by_extension(county: Path, extension: str) -> None:
    answer("audit", county)
    told = answer("export", county, "verdicts", "--out", county.with_name(f"verdicts.{extension}"))
    assert told["rows"] == 2


@pytest.mark.parametrize("words", [
    ("import", "DB", "roads", "compounds.gpkg"),
    ("import", "DB", "pipes", "nowhere.shp"),
    ("import", "DB", "pipes", "compounds.gpkg"),
    ("import", "nowhere.gpkg", "pipes", "pipes.gpkg"),
    ("export", "DB", "verdicts", "--out", "verdicts.docx"),
    ("snapshot", "DB", "--as-of", "November"),
    ("sheet", "DB", "--out", "sheet.pdf", "--scale", "1:1234"),
    ("report", "DB", "--out", "report.pdf"),
])  # fmt: skip
def test_wrong_input_ends_with_two_one_message_and_an_untouched_county(county: Path, words: tuple[str, ...]) -> None:
    before = fingerprint(county)
    files = {"DB": str(county)} | {n: str(county.with_name(n)) for n in words if "." in n and not n.startswith("1:")}
    result = run(*[files.get(word, word) for word in words])
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert 1 <= len(result.stderr.strip().splitlines()) <= 2
    assert fingerprint(county) == before


def test_a_fault_of_ours_ends_with_one_and_a_sentence(county: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("mapapp.services.auditing.run", broken)
    result = run("audit", county)
    assert result.exit_code == 1
    assert "boom" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("environ", "lang"), [({}, "zh"), ({"LANG": "en_GB.UTF-8"}, "en"), ({"LANG": "C.UTF-8"}, "zh")]
)
def test_the_terminal_speaks_chinese_unless_the_locale_is_english(environ: dict[str, str], lang: str) -> None:
    assert cli.language(environ) == lang


def test_the_stand_alone_map_and_the_report_are_written(county: Path) -> None:
    answer("audit", county)
    answer("snapshot", county, "--as-of", "2022-11-25")
    assert answer("map", county, "--out", county.with_name("map.html"))["megabytes"]
    assert answer("report", county, "--out", county.with_name("report.docx"))["as_of"] == "2022-11-25"
    assert answer("sheet", county, "--out", county.with_name("sheet.pdf"))["pages"] == 1


@pytest.mark.parametrize(
    "words", [["import", "DB", "compounds"], ["audit", "DB", "--bogus"], ["share", "DB", "create", "--bogus"]]
)
def test_a_misspelt_command_still_answers_in_json(county: Path, words: list[str]) -> None:
    result = run(*(county if w == "DB" else w for w in words), "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]


def test_a_map_is_not_written_under_the_name_of_another_format(county: Path) -> None:
    result = run("map", county, "--out", county.with_name("map.pdf"))
    assert result.exit_code == 2
    assert not county.with_name("map.pdf").exists()
