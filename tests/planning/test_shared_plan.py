"""A planned link in a share: its route for a unit whose maker ticked it, and nothing for anybody else."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
from flask import Flask

from mapapp import store
from mapapp.core import disclosure
from mapapp.services.scope import Scope, ShareSpec, access
from tests.planning import town
from tests.web.conftest import Asker, features_of, tile_of

LAYERS = ["compounds", "links", "findings"]
LEVELS = {"slope", "ground_up_m", "ground_down_m", "invert_up_m", "invert_down_m", "depth_up_m", "depth_down_m"}
MONEY = {"cost", "cost_low", "cost_high"}
NEVER = {"from_node", "to_node", "corridor", "flow_lps", "target_spare_lps", "new_manhole", "own_compounds", "street"}


def made(app: Flask, **state: object) -> tuple[Asker, str]:
    """Make a share of every kind and enter it as a stranger."""
    maker, guest = Asker(app), Asker(app)
    maker.look("/users")
    code = "8642" if state.get("kind") == "unit" else ""
    answer = maker.post("/api/shares", {"layers": LAYERS, "pass_code": code, **state})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    base = "/s/" + answer.get_json()["url"].rpartition("/s/")[2]
    if code:
        guest.look(base)
        guest.client.post(base + "/enter", data={"code": code, "csrf_token": guest.csrf})
    return guest, base


def unit(app: Flask, **more: object) -> tuple[Asker, str]:
    return made(app, kind="unit", unit="城投公司", recipient="城投公司", **more)


def rows(guest: Asker, base: str) -> list[dict[str, object]]:
    answer = guest.get(base + "/api/features/links")
    return answer.get_json()["rows"] if answer.status_code == 200 else []


def shapes(guest: Asker, base: str) -> list[shapely.Geometry]:
    ids = [r["link_id"] for r in rows(guest, base)]
    found = [guest.get(f"{base}/api/features/links/{i}").get_json()["geometry"] for i in ids]
    return gpd.GeoSeries([shapely.geometry.shape(g) for g in found if g], crs=4326).to_crs(town.CRS).to_list()


@pytest.mark.parametrize("choices", [{}, {"gaps": True, "investment": True, "levels": True, "download": True}])
def test_a_public_link_carries_no_planned_link_whatever_was_ticked(app: Flask, choices: dict[str, bool]) -> None:
    guest, base = made(app, kind="public", **choices)
    z, x, y = tile_of(120.0012, 30.7212, 14)
    for path in ("features/links", "features/links/L0001", "export/links.csv", "features/links?f.pump=False"):
        assert guest.get(f"{base}/api/{path}").status_code in (400, 403, 404), path
    assert guest.get(f"{base}/tiles/links/{z}/{x}/{y}.mvt").status_code == 404
    view = guest.get(base + "/api/view").get_json()
    assert "links" not in [layer["name"] for layer in view["layers"]]
    assert not guest.get(base + "/api/features/compounds/C1").get_json().get("links")
    assert not guest.get(base + "/api/summary?f.links.pump=False").get_json()["layers"].get("links")
    assert "L0001" not in guest.get(base).get_data(as_text=True)


def test_a_unit_link_without_gaps_carries_no_planned_link(app: Flask) -> None:
    guest, base = unit(app)
    assert guest.get(base + "/api/features/links").status_code == 404


def test_a_unit_link_with_gaps_shows_routes_without_levels_money_or_names_of_sewers(app: Flask) -> None:
    guest, base = unit(app, gaps=True)
    found = rows(guest, base)
    assert found
    assert not (LEVELS | MONEY | NEVER) & set(found[0])
    assert {"length_m", "diameter_mm", "compound_ids"} <= set(found[0])
    z, x, y = tile_of(120.0012, 30.7212, 14)
    drawn = features_of(guest.get(f"{base}/tiles/links/{z}/{x}/{y}.mvt"))
    assert drawn
    assert all(not (LEVELS | MONEY | NEVER) & set(f) for f in drawn)
    view = guest.get(base + "/api/view").get_json()
    assert next(layer for layer in view["layers"] if layer["name"] == "links")["on"]


@pytest.mark.parametrize(("ticked", "there"), [("levels", LEVELS), ("investment", MONEY)])
def test_levels_and_money_of_planned_links_are_there_only_when_ticked(app: Flask, ticked: str, there: set[str]) -> None:
    guest, base = unit(app, gaps=True, **{ticked: True})
    shown = set(rows(guest, base)[0])
    assert there <= shown
    assert not ((LEVELS | MONEY) - there | NEVER) & shown


def test_a_route_ends_short_of_the_existing_sewer(app: Flask, planned) -> None:
    guest, base = unit(app, gaps=True)
    with store.open(str(planned)) as db:
        uncut, wells = db.read("links"), db.read("manholes")
    joined = wells[wells["node_id"].isin(uncut["to_node"])].union_all()
    assert (uncut.distance(joined) < 0.01).any()
    assert all(shape.distance(joined) > 9.9 for shape in shapes(guest, base))


def test_a_filtered_share_has_the_links_of_its_own_compounds_and_names_no_other(app: Flask, planned) -> None:
    with store.open(str(planned)) as db:
        links = db.read("links")
        links.loc[:, "compound_ids"] = "C1;C3"
        db.replace_derived({"links": links}, by="test")
    guest, base = unit(app, gaps=True, filters={"unit": ["城投公司"]}, live=True)
    assert {r["compound_ids"] for r in rows(guest, base)} == {"C3"}
    assert not any("C1" in str(f) for f in features_of(guest.get(base + "/tiles/links/14/13653/6705.mvt")))


def test_routes_stay_whole_but_near_where_they_join() -> None:
    cut = disclosure.as_routes(town.fork())
    assert cut.length.round(1).tolist() == [50, 50, 40, 30]  # the fourth begins where the third ends
    assert disclosure.as_routes(town.fork().iloc[:0]).empty


def test_a_tampered_share_opens_no_further_column() -> None:
    spec = ShareSpec(kind="unit", unit="u", layers=("links",), gaps=True, columns={"links": ("to_node", "cost")})
    assert access(Scope("x", share=spec), "links").columns == {"link_id"}
