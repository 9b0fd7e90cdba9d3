"""A message of the reader names the fields of the page, not options of the command line that a planner never saw."""

from __future__ import annotations

import io

import pytest
from flask import Flask

from mapapp.web import choosing
from tests.web.conftest import Asker


@pytest.mark.parametrize(("lang", "field"), [("zh", "请用“坐标系”指明"), ("en", "Name it with “CRS”")])
def test_a_question_on_the_page_names_its_field(asker: Asker, lang: str, field: str) -> None:
    table = "小区编号,X,Y\nC8,3930000,36500000\n".encode("gb18030")
    data = {"files": (io.BytesIO(table), "点.csv"), "layer": "compounds", "csrf_token": asker.csrf}
    page = asker.client.post(f"/import?lang={lang}", data=data, content_type="multipart/form-data")
    assert page.status_code == 422
    text = page.get_data(as_text=True)
    assert field in text
    assert "--crs" not in text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("可用 --column kind==sewage 指定。", "可用“整个文件都是”指定。"),
        ("请检查所选图层，或用 --column 指明一列。", "请检查所选图层，或用“每一列是什么”指明一列。"),
        ("核对后用 --column diameter_mm=旁注管径 确认。", "核对后用“每一列是什么”确认。"),
        ("请指明各列（用 --column ours=theirs），至少", "请指明各列（用“每一列是什么”），至少"),
        ("需要时用 --layer 指明。", "需要时用“图层或工作表”指明。"),
    ],
)
def test_no_note_of_the_reader_shows_an_option_on_the_page(app: Flask, said: str, shown: str) -> None:
    with app.test_request_context("/?lang=zh"):
        assert choosing.spoken(said) == shown


def test_a_file_that_says_its_kind_nowhere_can_be_told_it_on_the_page(asker: Asker) -> None:
    """One answer for the whole file, offered only where no column gives it."""
    table = '管线编号,WKT\nP8,"LINESTRING (500000 3930000, 500030 3930000)"\n'.encode("gb18030")
    data = {"files": (io.BytesIO(table), "管线.csv"), "layer": "pipes", "crs": "EPSG:4549", "csrf_token": asker.csrf}
    page = asker.client.post("/import?lang=zh", data=data, content_type="multipart/form-data").get_data(as_text=True)
    assert 'name="constant.kind"' in page
    assert "--column" not in page
    word = page.split('name="upload" value="')[1].split('"')[0]
    again = {"upload": word, "layer": "pipes", "crs": "EPSG:4549", "constant.kind": "sewage", "csrf_token": asker.csrf}
    assert '<option value="sewage" selected>' in asker.client.post("/import", data=again).get_data(as_text=True)
    asker.client.post(f"/import/{word}", data={"csrf_token": asker.csrf})
    assert "sewage" in asker.get("/api/features/pipes/P8").get_data(as_text=True)
