"""Who may come in, with which role, and what a forged request gets."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from mapapp.settings import Settings
from mapapp.web import create_app
from tests.web.conftest import Asker

OPEN = {"/healthz", "/readyz", "/login", "/favicon.ico"}


def every_path(app: Flask) -> list[tuple[str, str]]:
    fill = {"layer": "compounds", "id_": "C1", "finding_id": "F1", "job_id": "1", "compound_id": "C1", "number": "1", "word": "w" * 20,
            "z": "10", "x": "853", "y": "418", "kind": "csv", "name": "leaflet.js", "filename": "css/base.css", "token": "t" * 32, "ticket_id": "T1"}  # fmt: skip
    out = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", lambda m: fill.get(m[1], "1"), rule.rule)
        out += [(method, path) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return out


def test_without_a_login_nothing_but_the_open_addresses_answers(served: Flask) -> None:
    asked = every_path(served)
    assert len(asked) > 40
    for method, path in asked:
        answer = Asker(served).client.open(path, method=method, buffered=True)
        words = answer.get_data(as_text=True)
        for secret in ("东风小区", "试验县", "PWATER1", "4549"):
            assert secret not in words, (method, path)
        if path in OPEN or path.startswith(("/static/", "/assets/", "/s/")):
            continue
        sent_away = answer.status_code == 302 and "/login" in answer.headers["Location"]
        assert sent_away or answer.status_code in (401, 403), (method, path, answer.status_code)


def test_addresses_that_do_not_exist_look_like_those_that_do(served: Flask) -> None:
    assert Asker(served).get("/nothing").status_code == Asker(served).get("/shares").status_code == 302


@pytest.mark.parametrize(
    ("name", "password"), [("gu", "wrong-password"), ("nobody", "guest-password"), ("", ""), ("GU", "guest-password")]
)
def test_a_wrong_name_and_a_wrong_password_are_told_apart_by_nothing(served: Flask, name: str, password: str) -> None:
    guest = Asker(served)
    guest.look("/login")
    answer = guest.client.post("/login", data={"name": name, "password": password, "csrf_token": guest.csrf})
    assert answer.status_code == 403
    assert "用户名或密码不对" in answer.get_data(as_text=True)
    assert guest.get("/api/view").status_code == 401


def test_roles_open_what_they_should_and_no_more(served: Flask) -> None:
    asked = {
        "/api/view": (200, 200, 200), "/import": (403, 200, 200), "/shares": (403, 200, 200), "/users": (403, 403, 200),
        "/api/shares": (403, 200, 200), "/api/snapshots": (200, 200, 200),
    }  # fmt: skip
    for i, login in enumerate([("gu", "guest-password"), ("li", "editor-password"), ("wang", "boss-password")]):
        user = Asker(served)
        assert user.log_in(*login) == 302
        for path, statuses in asked.items():
            assert user.get(path).status_code == statuses[i], (login[0], path)


def test_a_viewer_changes_nothing(served: Flask) -> None:
    user = Asker(served)
    user.log_in("gu", "guest-password")
    posts = [("/api/findings/F1", {"status": "confirmed"}), ("/api/shares", {"layers": ["compounds"]}),
             ("/api/snapshots", {"as_of": "2026-11-25"}), ("/api/import/compounds", {}), ("/users", {"name": "x"})]  # fmt: skip
    for path, body in posts:
        assert user.post(path, body).status_code == 403, path


def test_personal_columns_and_numbers_are_for_editors_alone(served: Flask) -> None:
    viewer, editor = Asker(served), Asker(served)
    viewer.log_in("gu", "guest-password")
    editor.log_in("li", "editor-password")
    paths = ["/api/view", "/api/features/compounds", "/api/features/compounds/C1", "/api/features/compounds/C2", "/api/features/pipes",
             "/api/features/problems", "/api/search?q=138", "/api/search?q=张三", "/api/export/pipes.csv", "/api/export/compounds.csv"]  # fmt: skip
    for path in paths:
        words = viewer.get(path).get_data(as_text=True)
        for secret in ("13812345678", "13912345678", "13612345678", "13712345678", "户主电话", "张三 "):
            assert secret not in words or secret.strip() in path, (path, secret)
    assert viewer.get("/api/features/compounds?sort=户主电话").status_code == 400
    assert viewer.get("/api/features/compounds?f.户主电话=13812345678").status_code == 400
    assert "13812345678" in editor.get("/api/features/compounds/C1").get_data(as_text=True)


def test_a_session_begins_anew_at_login_and_ends_at_logout(served: Flask) -> None:
    user = Asker(served)
    user.look("/login")
    before = user.csrf
    user.log_in("li", "editor-password")
    assert user.csrf != before
    user.client.post("/logout", data={"csrf_token": user.csrf})
    assert user.get("/api/view").status_code == 401


def test_removing_a_user_or_changing_the_password_ends_their_sessions(served: Flask) -> None:
    editor, guest, boss = Asker(served), Asker(served), Asker(served)
    editor.log_in("li", "editor-password")
    guest.log_in("gu", "guest-password")
    boss.log_in("wang", "boss-password")
    assert boss.post("/users", {"remove": "gu"}).status_code == 302
    assert boss.post("/users", {"name": "li", "password": "a-new-password", "change": True}).status_code == 302
    assert guest.get("/api/view").status_code == 401
    assert editor.get("/api/view").status_code == 401
    assert boss.post("/users", {"remove": "wang"}).status_code == 400


def test_guessing_a_password_is_stopped_and_others_are_not(served: Flask) -> None:
    thief, owner = Asker(served), Asker(served)
    statuses = [thief.log_in("li", f"wrong-{i}") for i in range(7)]
    assert statuses == [403] * 5 + [429] * 2
    assert thief.log_in("li", "editor-password") == 429
    assert owner.log_in("wang", "boss-password") == 302


@pytest.mark.parametrize("headers", [{}, {"X-CSRF-Token": "guess"}, {"X-CSRF-Token": ""}])
def test_a_changing_request_without_the_pages_token_is_refused(asker, headers: dict[str, str]) -> None:
    for path, body in [("/api/shares", {"layers": ["compounds"]}), ("/api/findings/F1", {"status": "confirmed"}), ("/shares", {}),
                       ("/import", {}), ("/users", {}), ("/logout", {})]:  # fmt: skip
        assert asker.client.post(path, json=body, headers=headers).status_code == 403, path
    assert asker.client.delete("/api/shares/1", headers=headers).status_code == 403


def test_a_request_from_another_site_is_refused_even_with_the_token(asker) -> None:
    for foreign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        head = {"X-CSRF-Token": asker.csrf, **foreign}
        assert asker.client.post("/api/shares", json={"layers": ["compounds"]}, headers=head).status_code == 403


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "\\\\evil"]
)
def test_login_goes_on_to_this_server_alone(served: Flask, target: str) -> None:
    user = Asker(served)
    user.look("/login")
    data = {"name": "gu", "password": "guest-password", "csrf_token": user.csrf, "next": target}
    assert user.client.post("/login", data=data).headers["Location"] == "/"


def test_cookies_are_closed_to_scripts_and_to_other_sites(county) -> None:
    app = create_app(Settings(database=str(county), host="0.0.0.0", secret_key="k", behind_https=True))
    cookie = app.test_client().get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    assert "SameSite=Lax" in cookie


def test_a_public_address_asks_for_a_login_even_when_the_server_listens_on_loopback(county) -> None:
    app = create_app(Settings(database=str(county), public_url="https://map.county.example", secret_key="k"))
    assert app.test_client().get("/api/view", headers={"Host": "map.county.example"}).status_code == 401


def test_a_decision_needs_an_editor_and_a_dismissal_its_reason(served: Flask) -> None:
    editor = Asker(served)
    editor.log_in("li", "editor-password")
    assert editor.post("/api/findings/F1", {"status": "dismissed"}).status_code == 400
    assert editor.post("/api/findings/F1", {"status": "dismissed", "note": " \n"}).status_code == 400
    assert editor.post("/api/findings/F1", {"status": "nonsense"}).status_code == 400
    assert editor.post("/api/findings/F9", {"status": "confirmed"}).status_code == 404
    assert editor.post("/api/findings/F1", {"status": "dismissed", "note": "现场已核"}).status_code == 200
    rows = editor.get("/api/features/findings").get_json()["rows"]
    assert next(r for r in rows if r["finding_id"] == "F1")["status"] == "dismissed"


def test_no_changing_address_there_is_lets_a_viewer_through(served: Flask) -> None:
    user = Asker(served)
    user.log_in("gu", "guest-password")
    before = served.extensions["mapapp_county"].db.revision
    for method, path in every_path(served):
        if method == "GET" or path in ("/login", "/logout") or path.startswith("/s/"):
            continue
        answer = user.client.open(path, method=method, json={}, headers={"X-CSRF-Token": user.csrf})
        assert answer.status_code in (403, 404), (method, path, answer.status_code)
    assert served.extensions["mapapp_county"].db.revision == before


def test_no_page_a_viewer_can_reach_breaks_or_tells_a_phone_number(served: Flask) -> None:
    user = Asker(served)
    user.log_in("gu", "guest-password")
    for method, path in every_path(served):
        if method != "GET" or path.startswith(("/s/", "/static/", "/assets/", "/basemap/")):
            continue
        answer = user.get(path)
        assert answer.status_code < 500, path
        for secret in ("13812345678", "13912345678", "13612345678", "户主电话"):
            assert secret not in answer.get_data(as_text=True), path


def test_no_address_takes_a_change_without_the_pages_token(app: Flask, asker) -> None:
    asked = 0
    for rule in app.url_map.iter_rules():
        for method in sorted({"POST", "PUT", "PATCH", "DELETE"} & set(rule.methods or ())):
            path = re.sub(r"<(int|any[^:]*):[^>]+>", "1", rule.rule)
            path = re.sub(r"<[^>]+>", "x", path)
            if path.startswith("/s/"):
                continue  # a share answers 404 before it looks at anything else
            assert asker.client.open(path, method=method, json={}).status_code == 403, (method, path)
            asked += 1
    assert asked > 20
