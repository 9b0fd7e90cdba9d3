"""Uploading: look first, then confirm; nothing is written before, and a stranger's file name is only a name."""

from __future__ import annotations

import io
import json
import re

import pytest
from flask import Flask

from tests.web.conftest import X0, Y0, Asker


def geojson(**change: object) -> bytes:
    ring = [[X0 + 2000, Y0], [X0 + 2100, Y0], [X0 + 2100, Y0 + 80], [X0 + 2000, Y0]]
    one = {"type": "Feature", "properties": {"小区编号": "C8", "小区名称": "新来小区", "户数": 80, "怪列": "?"} | change,
           "geometry": {"type": "Polygon", "coordinates": [ring]}}  # fmt: skip
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    return json.dumps({"type": "FeatureCollection", "crs": crs, "features": [one]}).encode()


def upload(user: Asker, body: bytes, name: str = "小区.geojson", **fields: str):
    data = {"files": (io.BytesIO(body), name), "layer": "compounds", "csrf_token": user.csrf, **fields}
    return user.client.post("/import", data=data, content_type="multipart/form-data")


def names(user: Asker) -> set[str]:
    return {row["compound_id"] for row in user.get("/api/features/compounds").get_json()["rows"]}


def word_of(page: str) -> str:
    return re.search(r'action="/import/([^"]+)"', page)[1]


def test_a_preview_writes_nothing_and_a_confirmation_writes_what_was_shown(asker: Asker) -> None:
    page = upload(asker, geojson()).get_data(as_text=True)
    assert "怪列" in page  # what was not used is listed
    assert "C8" not in names(asker)
    done = asker.client.post(f"/import/{word_of(page)}", data={"csrf_token": asker.csrf})
    assert done.status_code == 302
    assert "C8" in names(asker)
    assert asker.client.post(f"/import/{word_of(page)}", data={"csrf_token": asker.csrf}).status_code == 404


def test_the_same_through_the_interface(asker: Asker) -> None:
    head = {"X-CSRF-Token": asker.csrf}
    data = {"files": (io.BytesIO(geojson()), "a.geojson")}
    found = asker.client.post(
        "/api/import/compounds", data=data, headers=head, content_type="multipart/form-data"
    ).get_json()
    assert (found["added"], found["written"]) == (1, False)
    done = asker.client.post(f"/api/import/compounds/{found['upload']}", json={}, headers=head).get_json()
    assert (done["added"], done["written"]) == (1, True)


def test_a_county_changed_since_the_preview_is_not_overwritten_blindly(asker: Asker, app: Flask) -> None:
    page = upload(asker, geojson()).get_data(as_text=True)
    app.extensions["mapapp_county"].db.edit("compounds", "C1", {"households": 124}, by="somebody")
    answer = asker.client.post(f"/import/{word_of(page)}", data={"csrf_token": asker.csrf})
    assert answer.status_code == 409
    assert "C8" not in names(asker)


def test_discarding_removes_the_files(asker: Asker) -> None:
    word = word_of(upload(asker, geojson()).get_data(as_text=True))
    asker.client.post(f"/import/{word}", data={"csrf_token": asker.csrf, "discard": "1"})
    assert asker.client.post(f"/import/{word}", data={"csrf_token": asker.csrf}).status_code == 404


@pytest.mark.parametrize(
    "name", ["../../evil.geojson", "..\\..\\evil.geojson", "/etc/evil.geojson", ".by", "a\x00b.geojson"]
)
def test_a_file_name_cannot_climb_out(asker: Asker, name: str) -> None:
    answer = upload(asker, geojson(), name)
    assert answer.status_code in (200, 400)
    assert "/etc" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("body", [b"", b"not json", b"PK\x03\x04broken"])
def test_a_file_that_cannot_be_read_gets_one_sentence(asker: Asker, body: bytes) -> None:
    answer = upload(asker, body)
    page = answer.get_data(as_text=True)
    assert answer.status_code in (400, 422)
    assert "Traceback" not in page
    assert "/tmp" not in page
    assert names(asker) == {"C1", "C2", "C3", "C4"}


def test_a_file_without_crs_gets_a_question_and_the_files_stay(asker: Asker) -> None:
    table = f"小区编号,X,Y\nC8,{Y0},{X0}\n".encode("gb18030")
    answer = upload(asker, table, "点.csv")
    page = answer.get_data(as_text=True)
    if answer.status_code == 422:  # a question, and its answer needs no second upload
        word = re.search(r'name="upload" value="([^"]+)"', page)[1]
        data = {"upload": word, "layer": "compounds", "crs": "EPSG:4549", "csrf_token": asker.csrf}
        answer = asker.client.post("/import", data=data)
    assert answer.status_code == 200
    assert "新增" in answer.get_data(as_text=True)


def test_attributes_of_a_strangers_file_are_escaped_in_the_preview(asker: Asker) -> None:
    page = upload(asker, geojson(小区名称="<script>alert(1)</script>", 怪列="<b>x</b>")).get_data(as_text=True)
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page


def test_what_one_uploaded_another_cannot_confirm(served: Flask) -> None:
    one, other = Asker(served), Asker(served)
    one.log_in("li", "editor-password")
    other.log_in("wang", "boss-password")
    word = word_of(upload(one, geojson()).get_data(as_text=True))
    assert other.client.post(f"/import/{word}", data={"csrf_token": other.csrf}).status_code == 404


def test_a_column_taken_wrongly_or_not_at_all_is_chosen_in_the_preview(asker: Asker) -> None:
    """What was chosen is read so, stays chosen when one looks again, and is what is stored."""
    page = upload(asker, geojson(怪列="47", 户数="9")).get_data(as_text=True)
    word = word_of(page)
    chosen = {"theirs": ["户数", "怪列"], "ours": ["", "households"], "was": ["households", ""]}
    for _ in range(2):
        again = {"upload": word, "layer": "compounds", "csrf_token": asker.csrf, **chosen}
        page = asker.client.post("/import", data=again).get_data(as_text=True)
        assert re.search(r'value="怪列" form="again">.*?value="households" selected', page, re.S)
        chosen = {"theirs": ["怪列"], "ours": ["households"], "was": [""], "left": ["households"]}
    asker.client.post(f"/import/{word}", data={"csrf_token": asker.csrf})
    rows = asker.get("/api/features/compounds").get_json()["rows"]
    assert [r["households"] for r in rows if r["compound_id"] == "C8"] == [47]


def test_the_preview_speaks_the_planners_words(asker: Asker) -> None:
    """What stands in the tables are labels, values as people read them and a reason, never our codes."""
    ledger = "小区名称,户数\n没有这样的小区,3\n".encode()
    doubt = upload(asker, ledger, "台账.csv", layer="ledger").get_data(as_text=True)
    assert "没有这个名称" in doubt
    page = upload(asker, geojson(小区编号="C1", 户数=125)).get_data(as_text=True)
    assert re.search(r'<th scope="row">C1</th><td>户数</td><td class="muted">[\d,]+</td><td><b>125</b></td>', page)
    assert not re.search(r">(?:alias|no_such_name|before|reason|import\.how\.\w+)<", doubt + page)


def test_control_points_carry_a_local_system_home_and_are_kept_nowhere(asker: Asker) -> None:
    table = "点号,X,Y\nW8,100,200\n".encode("gb18030")
    corners = [(0, 0), (0, 500), (500, 500), (500, 0)]
    control = "\n".join(f"K{i},{x},{y},{Y0 + x},{X0 + y}" for i, (x, y) in enumerate(corners))
    fields = {"layer": "manholes", "csrf_token": asker.csrf, "control": (io.BytesIO(control.encode()), "../控制点.csv")}
    page = upload(asker, table, "点.csv", **fields).get_data(as_text=True)
    assert "控制点.csv" in page
    assert "0.000" in page
    word = word_of(page)
    asker.client.post(f"/import/{word}", data={"csrf_token": asker.csrf})
    assert "W8" in {row["node_id"] for row in asker.get("/api/features/manholes").get_json()["rows"]}
    assert asker.client.post(f"/import/{word}", data={"csrf_token": asker.csrf}).status_code == 404


def test_columns_chosen_once_are_used_for_the_next_file_of_the_kind_and_that_is_said(asker: Asker) -> None:
    """Only where the file has them all; a new choice takes their place."""
    word = word_of(upload(asker, geojson(怪列="47")).get_data(as_text=True))
    chosen = {"theirs": ["户数", "怪列"], "ours": ["", "households"], "was": ["households", ""]}
    asker.client.post("/import", data={"upload": word, "layer": "compounds", "csrf_token": asker.csrf, **chosen})
    asker.client.post(f"/import/{word}", data={"csrf_token": asker.csrf})
    page = upload(asker, geojson(小区编号="C9", 小区名称="又来小区", 怪列="52")).get_data(as_text=True)
    assert "households ← 怪列" in page
    asker.client.post(f"/import/{word_of(page)}", data={"csrf_token": asker.csrf})
    rows = asker.get("/api/features/compounds").get_json()["rows"]
    assert {r["compound_id"]: r["households"] for r in rows if r["compound_id"] in ("C8", "C9")} == {"C8": 47, "C9": 52}
    without = json.loads(geojson(小区编号="C10"))
    del without["features"][0]["properties"]["怪列"]
    assert "households ←" not in upload(asker, json.dumps(without).encode()).get_data(as_text=True)
