"""What every answer of the server keeps to: headers, hosts, languages, errors, caching."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from flask import Flask

from mapapp.core.errors import ConflictError, ForbiddenError, GoneError, InputError, MapappError, NotFoundError
from mapapp.core.text import Text
from mapapp.web import errors
from tests.web.conftest import features_of, tile_of

PAGES = ["/", "/gaps", "/compounds/C1", "/import", "/shares", "/users"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_served_and_names_no_other_host(asker, path: str) -> None:
    answer = asker.get(path)
    assert answer.status_code == 200
    # the SVG name space is a name, not a request
    assert not re.findall(r"(?:src|href|action)=\"(?:https?:)?//[^\"]*", answer.get_data(as_text=True))


@pytest.mark.parametrize("path", PAGES)
def test_every_inline_script_and_style_carries_the_nonce_of_its_own_answer(asker, path: str) -> None:
    answer = asker.get(path)
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)[1]
    page = answer.get_data(as_text=True)
    for tag in re.findall(r"<(?:script|style)\b[^>]*>", page):
        assert "src=" in tag or "application/json" in tag or f'nonce="{nonce}"' in tag, tag
    assert not re.search(r"<[a-z][^>]*\s(?:style|on[a-z]+)=", re.sub(r"(?s)<script.*?</script>", "", page))
    assert nonce not in asker.get(path).headers["Content-Security-Policy"]


def test_headers_are_strict_on_every_answer(asker) -> None:
    for path in ["/", "/api/view", "/healthz", "/nothing-here", "/static/css/base.css"]:
        head = asker.get(path).headers
        assert "default-src 'none'" in head["Content-Security-Policy"]
        assert "unsafe" not in head["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in head["Content-Security-Policy"]
        assert head["X-Content-Type-Options"] == "nosniff"
        assert head["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1"])
def test_on_loopback_another_host_name_is_refused_because_a_name_can_be_pointed_at_us(app: Flask, host: str) -> None:
    client = app.test_client()
    assert client.get("/api/summary", headers={"Host": host}).status_code == 403
    assert client.get("/api/summary", headers={"Host": "localhost:8000"}).status_code == 200


@pytest.mark.parametrize(
    ("header", "query", "words"),
    [
        ("", "", "没有图层"),
        ("en-GB,en;q=0.8", "", "There is no layer"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "没有图层"),
        ("zh", "?lang=en", "There is no layer"),
        ("fr", "", "没有图层"),
    ],
)
def test_language_is_the_one_asked_for_and_chinese_otherwise(app: Flask, header: str, query: str, words: str) -> None:
    head = {"Accept-Language": header} if header else {}
    assert words in app.test_client().get("/api/features/nothing" + query, headers=head).get_json()["error"]


def test_the_language_switch_is_remembered(app: Flask) -> None:
    client = app.test_client()
    client.get("/gaps?lang=en", headers={"Accept-Language": "zh"})
    assert '<html lang="en"' in client.get("/gaps", headers={"Accept-Language": "zh"}).get_data(as_text=True)


@pytest.mark.parametrize(
    ("error", "status"),
    [(NotFoundError, 404), (ForbiddenError, 403), (ConflictError, 409), (GoneError, 410), (InputError, 400), (MapappError, 400),
     (errors.LoginNeeded, 401), (ZeroDivisionError, 500)],
)  # fmt: skip
def test_one_table_turns_exceptions_into_statuses(error: type[Exception], status: int) -> None:
    made = error(Text("", "")) if issubclass(error, MapappError) else error()
    assert errors.status_of(made) == status


def test_our_own_fault_is_told_without_a_traceback_or_a_path(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.add_url_rule("/api/broken", view_func=lambda: 1 / 0)
    answer = app.test_client().get("/api/broken")
    assert answer.status_code == 500
    assert "Traceback" not in answer.get_data(as_text=True)
    assert ".py" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "path",
    ["/api/features/pipess", "/api/features/compounds?sort=nothing", "/api/features/compounds?f.nothing=1",
     "/api/features/compounds?limit=-1", "/api/features/compounds?limit=99999",
     "/api/features/compounds/C99", "/tiles/compounds/3/99/0.mvt", "/api/view?as=2001-01-01", "/api/features/compounds?offset=x"],
)  # fmt: skip
def test_a_bad_request_is_told_in_one_sentence_in_both_languages(asker, path: str) -> None:
    for lang in ("zh", "en"):
        answer = asker.get(path + ("&" if "?" in path else "?") + "lang=" + lang)
        assert answer.status_code in (400, 404)
        assert answer.get_json()["error"]
        assert (lang == "zh") == bool(re.search("[一-鿿]", answer.get_json()["error"]))


def test_a_value_that_no_row_has_is_said_and_passes_no_row(asker) -> None:
    told = asker.get("/api/summary?f.status=flying").get_json()
    assert told["totals"]["compounds"] == 0
    assert "flying" in told["notices"][0]


def test_tiles_are_kept_for_good_by_version_and_asked_again_without(asker) -> None:
    layer = next(one for one in asker.get("/api/view").get_json()["layers"] if one["name"] == "compounds")
    z, x, y = tile_of(120.0006, 30.721, 14)
    path = layer["tiles"].format(z=z, x=x, y=y)
    first = asker.client.get(path, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in first.headers["Cache-Control"]
    assert "东风小区" in {f["name"] for f in features_of(first)}
    assert asker.client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert "no-cache" in asker.get(path.partition("?")[0]).headers["Cache-Control"]


def test_ready_only_when_the_database_can_be_read(app: Flask, county) -> None:
    assert app.test_client().get("/readyz").status_code == 200
    app.extensions["mapapp_county"].close()
    county.write_bytes(b"not a database")
    assert app.test_client().get("/readyz").status_code == 503
    assert app.test_client().get("/healthz").status_code == 200


def test_the_interface_describes_itself_completely(asker, app: Flask) -> None:
    described = asker.get("/api/openapi.json").get_json()
    assert described["openapi"].startswith("3.")
    for path in (
        "/api/view",
        "/api/summary",
        "/api/features/{layer}",
        "/tiles/{layer}/{z}/{x}/{y}.mvt",
        "/s/{token}/api/view",
    ):
        assert path in described["paths"]
    assert all(op["summary"] for path in described["paths"].values() for op in path.values())


@pytest.mark.parametrize(
    "path", ["/assets/leaflet/leaflet.js", "/assets/leaflet/leaflet.css", "/assets/jquery/jquery.min.js"]
)
def test_scripts_come_from_installed_packages(asker, path: str) -> None:
    assert asker.get(path).status_code == 200
    assert asker.get("/assets/leaflet/../../../settings.py").status_code == 404


def test_two_editors_on_one_finding_cannot_overwrite_each_other_unseen(asker) -> None:
    seen = asker.get("/api/features/findings").get_json()["rows"][0]
    where = f"/api/findings/{seen['finding_id']}"
    mine = asker.post(where, {"status": "confirmed", "expected": seen["decided_at"] or ""})
    theirs = asker.post(where, {"status": "fixed", "expected": seen["decided_at"] or ""})
    assert (mine.status_code, theirs.status_code) == (200, 409)
    assert "已确认" in theirs.get_json()["error"]
    assert asker.post(where, {"status": "fixed", "expected": mine.get_json()["decided_at"]}).status_code == 200


def test_scripts_travel_packed_and_are_kept_as_long_as_they_stay_the_same(asker) -> None:
    """A slow line gets a quarter; an address with the file's state is kept for good, one without is asked for again."""
    path = re.search(r'src="(/static/js/app\.js\?v=[0-9a-f]+)"', asker.get("/").get_data(as_text=True))
    assert path is not None
    packed = asker.client.get(path[1], headers={"Accept-Encoding": "gzip"}, buffered=True)
    plain = asker.get("/static/js/app.js")
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) * 2 < len(plain.data)
    assert "immutable" in packed.headers["Cache-Control"]
    assert "immutable" not in plain.headers["Cache-Control"]
    assert "immutable" not in asker.get("/static/js/app.js?v=1").headers["Cache-Control"]
    again = asker.client.get("/static/js/app.js", headers={"If-None-Match": plain.headers["ETag"]}, buffered=True)
    assert again.status_code == 304
    told = asker.client.get("/api/view", headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert json.loads(gzip.decompress(told.data))["county"]
    assert "Accept-Encoding" in told.headers["Vary"]
    page = asker.client.get("/", headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert "Content-Encoding" not in page.headers  # see web.assets
