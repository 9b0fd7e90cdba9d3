"""A built wheel carries everything: templates, static files, geodata."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_built_wheel_makes_the_demo_county(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("mapapp-*.whl")
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
        files.extractall(tmp_path / "installed")
    for needed in (
        "mapapp/templates/base.html",
        "mapapp/web/static/tilelayer.js",
        "mapapp/geodata/field-dictionary.csv",
    ):
        assert needed in names
    environ = os.environ | {"PYTHONPATH": str(tmp_path / "installed"), "PYTHONSAFEPATH": "1"}
    code = "import mapapp, sys; print(mapapp.__file__, file=sys.stderr); from mapapp.cli import main; main()"
    command = [sys.executable, "-c", code, "demo", "county.gpkg", "--no-serve", "--json"]
    done = subprocess.run(command, check=True, capture_output=True, cwd=tmp_path, env=environ, text=True)
    assert str(tmp_path) in done.stderr
    assert json.loads(done.stdout)["built"] is True
