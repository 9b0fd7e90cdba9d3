"""A message of the reader names the fields of the page, not options of the command line that a planner never saw."""

from __future__ import annotations

import io

import pytest

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
