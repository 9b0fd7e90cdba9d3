"""A page speaks one language: on an English page Chinese is what the county wrote, and nothing else."""

from __future__ import annotations

import re

import geopandas as gpd
import pytest
from flask import Flask
from shapely.geometry import LineString, box

from mapapp import store
from mapapp.core import schema
from mapapp.render.style import STYLE
from mapapp.services import auditing
from mapapp.settings import Settings
from mapapp.web import create_app

CHINESE = re.compile(r"[\u4e00-\u9fff]+")
LETTERS = {entry.letter for style in STYLE.values() for entry in style.classes if entry.letter} | {"中", "中文"}
"""What may stay: the letters of the map, which are symbols, and the way back to Chinese."""
UNITS = {
    word for layer in schema.layers().values() for column in layer.columns for word in CHINESE.findall(column.unit)
}
"""Units as the dictionary writes them; pages write them in their own language."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """Serve a county that holds not one Chinese word of its own."""
    path = str(tmp_path_factory.mktemp("latin") / "latin.gpkg")
    crs = "EPSG:4548"
    compounds = gpd.GeoDataFrame(
        {"compound_id": ["C1", "C2"], "name": ["North Court", "Mill Yard"], "status": ["started", "completed"],
         "programme_year": [2021, 2022], "households": [40, 60], "street": ["Old Town", "Old Town"]},
        geometry=[box(500_000, 3_400_000, 500_100, 3_400_080), box(500_200, 3_400_000, 500_300, 3_400_080)], crs=crs,
    )  # fmt: skip
    pipes = gpd.GeoDataFrame(
        {"pipe_id": ["P1"], "kind": ["sewage"], "material": ["混凝土"], "embed_type": ["直埋"], "diameter_mm": [300.0]},
        geometry=[LineString([(500_000, 3_399_990), (500_300, 3_399_990)])], crs=crs,
    )  # fmt: skip
    with store.create(path, name="Latin County", crs=crs) as db:
        for layer, rows in (("compounds", compounds), ("pipes", pipes)):
            db.apply(db.compare(layer, rows, "add"), by="test")
    auditing.run(path, by="test")
    return create_app(Settings(database=path, host="127.0.0.1"))


def test_english_pages_and_answers_hold_no_chinese_of_ours(app: Flask) -> None:
    stranger, asked = app.test_client(), 0
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/s/", "/static", "/assets", "/basemap")):
            continue
        path = rule.rule.replace("<path:compound_id>", "C1").replace("<layer>", "pipes").replace("<path:id_>", "P1")
        if "<" in path or path.endswith((".docx", ".xlsx", ".toml")) or path == "/report":
            continue  # the report is a Chinese document, whoever asks for it
        answer = stranger.get(path, query_string={"lang": "en", "q": "P1"})
        assert answer.status_code < 500, path
        words = "" if answer.is_streamed else answer.get_data(as_text=True)
        answer.close()
        if answer.mimetype not in ("text/html", "application/json"):
            continue
        asked += 1
        told = set(CHINESE.findall(words)) - LETTERS
        if answer.mimetype == "application/json":
            told -= UNITS
        told -= {"切换到中文"}  # names the way back in its own language
        if "/api/features" in path:
            told -= {"混凝土", "直埋"}  # the stored codes; beside them are their words
        assert not told, (path, sorted(told)[:10])
    assert asked > 20
