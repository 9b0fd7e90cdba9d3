"""The pages of paper: what is given out, to whom, and what is said when it cannot be."""

from __future__ import annotations

import io

import pytest
from flask import Flask

from mapapp.services import reporting

from .conftest import Asker


def test_the_report_page_shows_the_text_and_marks_what_is_missing(asker: Asker) -> None:
    page = asker.get("/report").get_data(as_text=True)
    assert "试验县" in page
    assert "<mark>*</mark>" in page
    assert "2020年总投资" not in page


@pytest.mark.parametrize(
    ("path", "begins"),
    [
        ("/report/report.docx", b"PK"),
        ("/report/annex.xlsx", b"PK"),
        ("/report/sheet.pdf?compound=C1&paper=A4", b"%PDF"),
        ("/report/sheet.png?bbox=120,30.719,120.012,30.723", b"\x89PNG"),
    ],
)
def test_papers_come_as_named_files(asker: Asker, path: str, begins: bytes) -> None:
    answer = asker.get(path)
    assert answer.status_code == 200
    assert answer.data.startswith(begins)
    assert "attachment" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/report/sheet.pdf?scale=1:3", "不是比例尺"),
        ("/report/sheet.pdf?scale=3000", "没有比例尺"),
        ("/report/sheet.pdf?paper=A0", "没有纸张"),
        ("/report/sheet.pdf?bbox=1,2,3", "不是范围"),
        ("/report/sheet.pdf?compound=C9", "没有小区"),
        ("/report/report.docx?as=2001-01-01", "没有快照"),
    ],
)
def test_a_wrong_request_is_told_in_a_sentence(asker: Asker, path: str, said: str) -> None:
    answer = asker.client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code in (400, 404)
    assert said in answer.get_json()["error"]


def test_the_county_sends_its_own_words_back(asker: Asker) -> None:
    words = asker.get("/report/template.toml").data.replace("以上汇报".encode(), "特此汇报".encode())
    sent = {"csrf_token": asker.csrf, "template": (io.BytesIO(words), "own.toml")}
    assert asker.client.post("/report/template", data=sent).status_code == 302
    assert "特此汇报" in asker.get("/report").get_data(as_text=True)
    bad = {"csrf_token": asker.csrf, "template": (io.BytesIO(b"title = {"), "own.toml")}
    asker.client.post("/report/template", data=bad)
    page = asker.get("/report").get_data(as_text=True)
    assert "own.toml" in page
    assert "特此汇报" in page


def test_only_an_administrator_changes_the_words_of_the_county(served: Flask) -> None:
    editor = Asker(served)
    editor.log_in("li", "editor-password")
    sent = {"csrf_token": editor.csrf, "template": (io.BytesIO(reporting.shipped_text().encode()), "own.toml")}
    assert editor.client.post("/report/template", data=sent).status_code == 403


def test_nothing_personal_on_the_page_that_a_viewer_prints(served: Flask) -> None:
    viewer = Asker(served)
    viewer.log_in("gu", "guest-password")
    page = viewer.get("/compounds/C1").get_data(as_text=True)
    assert "东风小区" in page
    for secret in ("13812345678", "13612345678", "13712345678"):
        assert secret not in page


def test_a_strangers_name_is_text_on_the_page(asker: Asker) -> None:
    page = asker.get("/compounds/C2").get_data(as_text=True)
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_a_share_reaches_none_of_it(app: Flask, share) -> None:
    base = share(layers=["compounds"])
    for path in ("/report", "/yard", "/api/yard", "/compounds/C1", "/report/annex.xlsx"):
        assert Asker(app).get(base + path).status_code == 404
