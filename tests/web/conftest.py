"""A small town whose every secret is a word that must not be seen in the wrong place, and the real application on it."""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import mapbox_vector_tile
import pandas as pd
import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mapapp import store

CRS = "EPSG:4549"
X0, Y0 = 500_000.0, 3_400_000.0  # lon 120, lat 30.72


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """Return the tile that holds a point, in the usual scheme."""
    n = 2**z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return z, int((lon + 180) / 360 * n), int(y * n)


def features_of(answer: TestResponse) -> list[dict[str, object]]:
    """Return everything in a tile, decoded by somebody else's decoder."""
    body = gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") == "gzip" else answer.data
    decoded = mapbox_vector_tile.decode(body) if body else {}
    return [f["properties"] for layer in decoded.values() for f in layer["features"]]


def box(i: int, width: float = 130.0) -> shapely.Polygon:
    return shapely.box(X0 + 317 * i, Y0 + 7, X0 + 317 * i + width, Y0 + 97)


def fill(db: store.Database) -> None:
    compounds = gpd.GeoDataFrame(
        {
            "compound_id": ["C1", "C2", "C3", "C4"],
            "name": ["东风小区", "<img src=x onerror=alert(1)>小区", "建设小区", "机密小区"],
            "street": ["城关街道", "城关街道", "河东街道", "河东街道"],
            "status": ["completed", "started", None, "planned"],
            "programme_year": [2020, 2021, None, 2022],
            "households": [123, 47, None, 61],
            "buildings": [7, 1, 3, 5],
            "floor_area_m2": [12345.0, 3210.0, None, 5432.0],
            "invest_total_wan": [345.5, 91.25, None, 77.75],
            "fund_local_wan": [44.25, None, None, None],
            "owner_unit": ["住建局", "住建局", None, "城投公司"],
            "address": ["东风路1号", None, None, "机密路9号"],
            "户主电话": ["13812345678", None, None, None],
            "自带列": ["随文件带来", "联系13712345678", None, None],
        },
        geometry=[box(i) for i in range(4)],
        crs=CRS,
    )
    pipes = gpd.GeoDataFrame(
        {
            "pipe_id": ["PWATER1", "PTELE2", "PNONE3"],
            "kind": ["sewage", "storm", "sewage"],
            "ownership": ["水务公司", "电信公司", None],
            "from_node": ["N1", "N3", None],
            "to_node": ["N2", "N4", None],
            "from_invert_m": [11.111, 22.222, None],
            "to_invert_m": [10.777, 21.777, None],
            "from_depth_m": [2.345, None, None],
            "diameter_mm": [300.0, 400.0, 200.0],
            "note": ["张三 13912345678", None, None],
        },
        geometry=[shapely.LineString([(X0 - 50, Y0 - 20 - 10 * i), (X0 + 900, Y0 - 20 - 10 * i)]) for i in range(3)],
        crs=CRS,
    )
    manholes = gpd.GeoDataFrame(
        {"node_id": ["N1", "N2", "N3"], "kind": ["污水井"] * 3, "ground_elev_m": [13.579, 13.246, 13.9]},
        geometry=gpd.points_from_xy([X0, X0 + 900, X0 + 5], [Y0 - 20, Y0 - 20, Y0 - 30]),
        crs=CRS,
    )
    problems = pd.DataFrame(
        {
            "ticket_id": ["T1", "T2", "T3"],
            "compound_id": ["C1", "C1", "C4"],
            "category": ["water", "power", "water"],
            "description": ["李四反映漏水 13612345678", "停电", "机密问题"],
            "lead_unit": ["水务公司", "供电公司", "水务公司"],
            "status": ["open", "open", "closed"],
        }
    )
    for name, frame in {"compounds": compounds, "pipes": pipes, "manholes": manholes, "problems": problems}.items():
        db.apply(db.compare(name, frame, "add"), by="test")
    audit(db, compounds)


def audit(db: store.Database, compounds: gpd.GeoDataFrame) -> None:
    verdicts = gpd.GeoDataFrame(
        {
            "compound_id": ["C1", "C2", "C3", "C4"],
            "verdict": ["connected", "not_connected", "no_data", "no_main"],
            "evidence": ["接入 PWATER1", "距 PWATER1 27.123 m", "无普查", "150 m 内无管"],
            "nearest_pipe_id": ["PWATER1", "PWATER1", None, None],
            "distance_m": [1.5, 27.123, None, None],
        },
        geometry=compounds.geometry.to_list(),
        crs=CRS,
    )
    findings = gpd.GeoDataFrame(
        {
            "finding_id": ["F1", "F2", "F3"],
            "rule": ["not_connected", "near_miss", "no_main"],
            "severity": ["error", "warning", "error"],
            "layer": ["compounds", "pipes", "compounds"],
            "feature_id": ["C2", "PWATER1", "C4"],
            "related": ["PWATER1", "PTELE2", None],
            "value": [27.123, 0.4, None],
            "unit": ["m", "m", None],
            "message": ["距 PWATER1 27.123 m", "PWATER1 与 PTELE2 差 0.4 m", "无主管"],
            "fix": ["接入", "补测", "新建"],
            "status": ["open", "open", "open"],
        },
        geometry=[shapely.Point(X0 + 321, Y0 - 20), shapely.Point(X0, Y0 - 20), shapely.Point(X0 + 990, Y0 + 50)],
        crs=CRS,
    )
    candidates = gpd.GeoDataFrame(
        {"candidate_id": ["K1"], "compound_id": ["C2"], "rank": [1], "manhole_id": ["N2"], "length_m": [27.123]},
        geometry=[shapely.LineString([(X0 + 321, Y0), (X0 + 321, Y0 - 20)])],
        crs=CRS,
    )
    db.replace_derived({"findings": findings, "verdicts": verdicts, "candidates": candidates}, by="test")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("county") / "county.gpkg"
    with store.create(str(path), name="试验县", crs=CRS) as db:
        fill(db)
        db.users.add("gu", "guest-password", "viewer")
        db.users.add("li", "editor-password", "editor")
        db.users.add("wang", "boss-password", "administrator")
    return path


@pytest.fixture
def county(built: Path, tmp_path: Path) -> Path:
    """Give a county database of the test's own."""
    path = tmp_path / "county.gpkg"
    path.write_bytes(built.read_bytes())
    return path


@pytest.fixture
def app(county: Path, application: Callable[..., Flask]) -> Flask:
    """Give the application as on the planner's own machine: no login."""
    return application(county)


@pytest.fixture
def served(county: Path, application: Callable[..., Flask]) -> Flask:
    """Give the application as on an office server: users and roles."""
    return application(county, host="0.0.0.0")


def token_of(page: str) -> str:
    found = re.search(r'name="csrf[-_]token"[^>]*(?:content|value)="([^"]+)"', page)
    assert found, page[:400]
    return found[1]


class Asker:
    """Somebody with a browser: keeps cookies, and sends the page's own CSRF token."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.csrf = ""

    def look(self, path: str = "/") -> None:
        self.csrf = token_of(self.client.get(path).get_data(as_text=True))

    def log_in(self, name: str, password: str) -> int:
        self.look("/login")
        answer = self.client.post("/login", data={"name": name, "password": password, "csrf_token": self.csrf})
        if answer.status_code == 302:
            self.look("/gaps")
        return answer.status_code

    def post(self, path: str, body: dict[str, object]):
        return self.client.post(path, json=body, headers={"X-CSRF-Token": self.csrf})

    def get(self, path: str):
        return self.client.get(path, buffered=True)


@pytest.fixture
def asker(app: Flask) -> Asker:
    made = Asker(app)
    made.look("/users")  # the cheapest page with a form
    return made


Share = Callable[..., str]


@pytest.fixture
def share(asker: Asker) -> Share:
    """Make a share and return its path."""

    def make(**state: object) -> str:
        answer = asker.post("/api/shares", {"kind": "public", "layers": ["compounds"], **state})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return "/s/" + answer.get_json()["url"].rpartition("/s/")[2]

    return make
