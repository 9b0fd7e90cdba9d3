"""A share shows exactly what it lists. Each test is an attack by somebody who holds a link, or by somebody who does not."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from mapapp.services import attempts, sharing
from mapapp.services.accounts import LockedError
from tests.web.conftest import Asker, features_of, tile_of, token_of

# every one of these words is in the county and on no public link
SECRETS = [
    "PWATER1", "PTELE2", "水务公司", "电信公司", "张三", "李四", "机密", "13812345678", "13912345678", "13612345678", "13712345678",
    "27.123", "12345", "3210", "345.5", "44.25", "11.111", "2.345", "13.579", "随文件带来", "户主电话", "自带列", "东风路1号",
    "not_connected\"", "距 ", "N1\"", "城投公司",
]  # fmt: skip
FILTER = {"year": ["2020", "2021"]}


def paths(token_path: str, app: Flask) -> list[str]:
    """Every address a share has, with every layer, id and word somebody could try."""
    layers = ["compounds", "pipes", "manholes", "problems", "verdicts", "findings", "candidates", "ledger", "nothing"]
    ids = ["C1", "C4", "PWATER1", "N1", "F1", "T1", "K1", "C99"]
    z, x, y = tile_of(120.004, 30.7213, 14)
    out = [""]
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/s/") or "GET" not in rule.methods:
            continue
        path = rule.rule.removeprefix("/s/<token>").replace("<int:z>/<int:x>/<int:y>", f"{z}/{x}/{y}")
        path = path.replace("<any(csv,xlsx,geojson,gpkg):kind>", "csv")
        for layer in layers if "<layer>" in path else [""]:
            for id_ in ids if "<path:id_>" in path else [""]:
                out.append(path.replace("<layer>", layer).replace("<path:id_>", id_))
    tricks = ["lang=en", "f.invest_total_wan=345.5", "f.verdict=not_connected", "f.pipes.ownership=水务公司", "sort=invest_total_wan",
              "columns=address", "as=1", "f.street=机密", "f.compound_id=C4", "limit=1000&offset=0", "q=机密", "q=PWATER", "q=T1"]  # fmt: skip
    questions = ["/api/view", "/api/summary", "/api/features/compounds", "/api/search", "/api/features/problems"]
    out += [f"{question}?{trick}" for question in questions for trick in tricks]
    return [token_path + path for path in out]


def told(answer) -> str:
    if "mapbox-vector-tile" in answer.mimetype:
        return json.dumps(features_of(answer), ensure_ascii=False)
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("live", [True, False])
def test_no_address_of_a_public_share_tells_what_it_does_not_list(app: Flask, share, live: bool) -> None:
    base = share(filters=FILTER, layers=["compounds", "problems", "pipes", "findings"], live=live)
    stranger = Asker(app)
    asked = paths(base, app)
    assert len(asked) > 100
    for path in asked:
        answer = stranger.get(path)
        assert answer.status_code < 500, path
        words = told(answer)
        for secret in SECRETS:
            # a message may repeat what was asked, and the style table names every verdict there could be
            if secret.strip('"') in path or ("/api/view" in path and secret == 'not_connected"'):
                continue
            assert secret not in words, (path, secret)


def test_a_public_share_shows_what_it_lists_rounded(app: Flask, share) -> None:
    answer = Asker(app).get(share(filters=FILTER) + "/api/features/compounds")
    rows = answer.get_json()["rows"]
    assert [r["compound_id"] for r in rows] == ["C1", "C2"]
    assert set(rows[0]["_labels"]) == {"status"}
    assert set(rows[0]) - {"_labels"} == {"compound_id", "name", "street", "status", "programme_year", "letter", "households", "floor_area_m2",
                            "buildings", "_id", "_at"}  # fmt: skip
    assert (rows[0]["households"], rows[0]["floor_area_m2"]) == (120, 12500)


def test_counts_and_totals_of_a_share_are_of_its_own_rows(app: Flask, share) -> None:
    base = share(filters=FILTER, layers=["compounds", "problems"])
    summary = Asker(app).get(base + "/api/summary").get_json()
    assert summary["totals"]["compounds"] == 2
    assert summary["layers"] == {"compounds": 2, "problems": 2}
    assert set(summary["by"]) == {"year", "status", "street", "problems.category", "category"}
    assert "invest_total_wan" not in summary["totals"]


def test_outlines_of_a_public_share_lie_on_a_grid_of_three_decimals(app: Flask, share) -> None:
    base = share()
    for id_ in ("C1", "C2", "C3", "C4"):
        shape = Asker(app).get(f"{base}/api/features/compounds/{id_}").get_json()["geometry"]
        for lon, lat in shape["coordinates"][0]:
            assert abs(lon * 1000 - round(lon * 1000)) < 1e-6
            assert abs(lat * 1000 - round(lat * 1000)) < 1e-6


def test_tiles_of_a_public_share_hold_coarse_outlines_and_listed_attributes_alone(app: Flask, share) -> None:
    base = share(filters=FILTER)
    for z in (8, 12, 16, 18):
        found = features_of(
            Asker(app).get(base + "/tiles/compounds/{}/{}/{}.mvt".format(*tile_of(120.0006, 30.7215, z)))
        )
        for one in found:
            assert not set(one) - {"compound_id", "name", "street", "year", "status", "letter", "count"}
            assert one.get("compound_id", "C1") in ("C1", "C2")


def test_a_parameter_cannot_widen_a_share(app: Flask, share) -> None:
    base, stranger = share(filters=FILTER), Asker(app)
    assert stranger.get(base + "/api/summary?f.year=2022").get_json()["totals"]["compounds"] == 0
    assert stranger.get(base + "/api/features/compounds?f.compound_id=C4").get_json()["total"] == 0
    assert stranger.get(base + "/api/features/compounds?columns=address").status_code == 400
    assert stranger.get(base + "/api/view?as=99").status_code == 404
    assert stranger.get(base + "/api/summary?f.year=2020").get_json()["totals"]["compounds"] == 1


def test_a_hidden_feature_and_one_that_does_not_exist_are_told_apart_by_nothing(app: Flask, share) -> None:
    base, stranger = share(filters=FILTER), Asker(app)
    for hidden, absent in [
        ("compounds/C4", "compounds/C9"),
        ("pipes/PWATER1", "pipes/PWATER9"),
        ("verdicts/C1", "verdicts/C9"),
    ]:
        one, other = (stranger.get(f"{base}/api/features/{path}") for path in (hidden, absent))
        assert one.status_code == other.status_code == 404
        swap = hidden.rpartition("/")[2], absent.rpartition("/")[2]
        assert one.get_data(as_text=True).replace(*swap) == other.get_data(as_text=True)


def test_a_share_has_its_reading_addresses_and_no_others(app: Flask, served: Flask, share) -> None:
    base = share()
    for path in (
        "/api/snapshots",
        "/api/shares",
        "/api/findings/F1",
        "/api/import/compounds",
        "/users",
        "/api/jobs/1",
        "/../api/view",
    ):
        assert Asker(app).get(base + path).status_code in (404, 405)
    assert Asker(app).post(base + "/api/findings/F1", {"status": "dismissed"}).status_code in (403, 404, 405)


def test_a_public_share_cannot_be_downloaded(app: Flask, share) -> None:
    assert Asker(app).get(share(download=True) + "/api/export/compounds.csv").status_code == 403


def test_what_the_kind_never_carries_is_left_out_and_said(asker) -> None:
    made = asker.post("/api/shares", {"kind": "public", "layers": ["compounds", "pipes", "manholes"]}).get_json()
    assert len(made["left_out"]) == 2
    refused = asker.post("/api/shares", {"kind": "public", "layers": ["pipes"]})
    assert refused.status_code == 400
    never = asker.post(
        "/api/shares", {"kind": "public", "layers": ["compounds"], "columns": {"compounds": ["address"]}}
    )
    assert never.status_code == 400


def test_a_filter_by_what_the_link_does_not_show_is_made_and_its_maker_warned(asker) -> None:
    body = {"kind": "public", "layers": ["compounds"], "filters": {"verdict": ["not_connected"]}}
    warned = asker.post("/api/shares", body).get_json()["left_out"]
    assert len(warned) == 1
    assert "its reader can tell" in warned[0] or "推知" in warned[0]
    assert asker.post("/api/shares", body | {"gaps": True}).get_json()["left_out"] == []
    assert asker.post("/api/shares", body | {"filters": {"year": ["2021"]}}).get_json()["left_out"] == []


def unit(share, **more: object) -> str:
    layers = ["compounds", "pipes", "manholes", "problems", "findings", "verdicts"]
    return share(kind="unit", unit="水务公司", recipient="水务公司", layers=layers, pass_code="8642", **more)


def entered(app: Flask, base: str, code: str = "8642") -> Asker:
    guest = Asker(app)
    guest.look(base)
    guest.client.post(base + "/enter", data={"code": code, "csrf_token": guest.csrf})
    return guest


def test_a_unit_sees_its_own_pipes_without_levels_and_its_own_items(app: Flask, share) -> None:
    base = unit(share)
    guest = entered(app, base)
    pipes = guest.get(base + "/api/features/pipes").get_json()["rows"]
    assert [p["pipe_id"] for p in pipes] == ["PWATER1"]
    assert not {"from_invert_m", "from_depth_m", "note"} & set(pipes[0])
    manholes = guest.get(base + "/api/features/manholes").get_json()["rows"]
    assert {m["node_id"] for m in manholes} == {"N1", "N2"}
    assert not {"ground_elev_m", "depth_m", "x_north"} & set(manholes[0])
    problems = guest.get(base + "/api/features/problems").get_json()["rows"]
    assert {p["ticket_id"] for p in problems} == {"T1", "T3"}
    assert "description" not in problems[0]
    for path in paths(base, app):
        words = told(guest.get(path))
        for secret in (
            "PTELE2",
            "电信公司",
            "张三",
            "李四",
            "13812345678",
            "11.111",
            "13.579",
            "2.345",
            "345.5",
            "供电公司",
            'N3"',
        ):
            assert secret not in words or secret.strip('"') in path, (path, secret)


def test_levels_and_investment_are_there_only_when_ticked(app: Flask, share) -> None:
    base = unit(share, levels=True, investment=True)
    guest = entered(app, base)
    assert guest.get(base + "/api/features/pipes").get_json()["rows"][0]["from_invert_m"] == 11.111
    assert guest.get(base + "/api/features/compounds").get_json()["rows"][0]["invest_total_wan"] == 345.5


def test_a_gap_of_a_unit_link_is_a_symbol_inside_the_compound_never_at_the_pipe(app: Flask, share) -> None:
    base = unit(share, gaps=True)
    found = entered(app, base).get(base + "/api/features/findings").get_json()["rows"]
    assert {f["finding_id"] for f in found} == {"F1", "F3"}
    assert all("message" not in f and "related" not in f for f in found)
    lon, lat = next(f["_at"] for f in found if f["finding_id"] == "F1")
    assert 120.0033 < lon < 120.0047
    assert lat > 30.7206  # the finding itself lies at the pipe, below that


def test_nothing_is_told_before_the_pass_code(app: Flask, share) -> None:
    base = unit(share, title="秘密标题")
    for path in paths(base, app):
        answer = Asker(app).get(path)
        assert answer.status_code in (200, 401, 404)
        assert answer.status_code != 200 or path == base
        told = re.sub(r'(value|content|nonce)="[\w-]{20,}"', "", answer.get_data(as_text=True))  # random tokens
        for secret in ("东风小区", "秘密标题", "水务公司", "C1"):
            assert secret not in told or secret in path, (path, secret)
    assert "试验县" in Asker(app).get(base).get_data(as_text=True)  # whose gate it is


def guess(guest: Asker, base: str, code: str, address: str = "127.0.0.1") -> int:
    body = {"code": code, "csrf_token": guest.csrf}
    return guest.client.post(base + "/enter", data=body, environ_base={"REMOTE_ADDR": address}).status_code


def test_guessing_a_pass_code_is_stopped(app: Flask, share) -> None:
    base = unit(share)
    guest = Asker(app)
    guest.look(base)
    codes = [guess(guest, base, f"000{i}") for i in range(7)]
    assert codes[:5] == [403] * 5
    assert codes[5:] == [429] * 2
    # the right one does not help while it waits
    assert guess(guest, base, "8642") == 429
    assert guest.get(base + "/api/view").status_code == 401


def test_one_who_guesses_makes_nobody_else_wait_and_shuts_no_link_for_good(app: Flask, share) -> None:
    base = unit(share)
    thief, recipient = Asker(app), Asker(app)
    thief.look(base)
    recipient.look(base)
    assert {guess(thief, base, f"{i:04}", "10.0.0.9") for i in range(15)} == {403, 429}
    assert guess(recipient, base, "8642", "10.0.0.1") == 302
    assert recipient.get(base + "/api/view").status_code == 200


def test_many_addresses_together_wait_too_and_the_wait_ends(app: Flask, share) -> None:
    county, token = app.extensions["mapapp_county"], unit(share)[3:]
    opened = sharing.open_(county, token)
    for _ in range(sharing.FREE_TOGETHER):
        attempts.claim(county.db, f"share:{opened.number}", free=sharing.FREE_TOGETHER)
    with pytest.raises(LockedError, match="1 min"):
        sharing.enter(county, opened, "8642", who="somebody new")
    left = attempts.wait(county.db, f"share:{opened.number}", now=datetime.now(UTC) + timedelta(minutes=2))
    assert left is None


def test_the_gate_keeps_the_language_and_the_view_that_were_asked_for(app: Flask, share) -> None:
    base = unit(share)
    guest = Asker(app)
    page = guest.client.get(base + "?lang=en&at=15/30.7/120.0&_external=1&next=//evil").get_data(as_text=True)
    guest.csrf = token_of(page)
    assert "Pass code" in page
    found = re.search(r'action="([^"]+)"', page)
    assert found is not None
    action = found.group(1).replace("&amp;", "&")
    went = guest.client.post(action, data={"code": "8642", "csrf_token": guest.csrf})
    assert went.status_code == 302
    assert went.headers["Location"].startswith(base)
    assert "lang=en" in went.headers["Location"]
    assert "evil" not in went.headers["Location"]


def test_the_pass_of_one_share_opens_no_other(app: Flask, share) -> None:
    one, other = unit(share), unit(share)
    guest = entered(app, one)
    assert guest.get(one + "/api/view").status_code == 200
    assert guest.get(other + "/api/view").status_code == 401
    cookie = next(c for c in guest.client._cookies.values() if c.key.startswith("pass"))
    thief = Asker(app)
    thief.client.set_cookie("pass2", cookie.value, path=other)
    assert thief.get(other + "/api/view").status_code == 401


def test_a_share_ends_at_its_very_second(app: Flask, asker) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3, hours=5)
    made = asker.post("/api/shares", {"layers": ["compounds"], "expires_at": end.isoformat()}).get_json()
    assert datetime.fromisoformat(made["expires_at"]) == end
    county, token = app.extensions["mapapp_county"], made["url"].rpartition("/")[2]
    assert sharing.open_(county, token, now=end - timedelta(seconds=1)).number == made["id"]
    with pytest.raises(sharing.GoneError):
        sharing.open_(county, token, now=end)


def test_fourteen_days_without_a_word_and_never_in_the_past(asker) -> None:
    made = asker.post("/api/shares", {"layers": ["compounds"]}).get_json()
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=13, hours=23) < left <= timedelta(days=14)
    for wrong in ("2020-01-01T00:00:00+08:00", "2026-12-09T18:00", "tomorrow", "2999-01-01T00:00:00Z"):
        assert asker.post("/api/shares", {"layers": ["compounds"], "expires_at": wrong}).status_code == 400


def test_a_revoked_share_is_gone_and_an_unknown_one_was_never_there(app: Flask, asker) -> None:
    made = asker.post("/api/shares", {"layers": ["compounds"]}).get_json()
    base = "/s/" + made["url"].rpartition("/s/")[2]
    assert Asker(app).get(base).status_code == 200
    assert asker.client.delete(f"/api/shares/{made['id']}", headers={"X-CSRF-Token": asker.csrf}).status_code == 200
    over = Asker(app).get(base)
    assert over.status_code == 410
    assert "试验县" not in over.get_data(as_text=True)
    assert Asker(app).get(base + "/api/view").status_code == 410
    for token in ("x", "x" * 32, base[3:-1] + ("A" if base[-1] != "A" else "B")):
        assert Asker(app).get("/s/" + token).status_code == 404


def test_a_share_by_default_keeps_its_numbers_while_the_data_moves_on(app: Flask, share) -> None:
    fixed, live = share(), share(live=True)
    app.extensions["mapapp_county"].db.edit("compounds", "C1", {"status": "accepted"}, by="test")
    status = [Asker(app).get(f"{base}/api/features/compounds/C1").get_json()["attributes"] for base in (fixed, live)]
    values = [next(a["value"] for a in one if a["name"] == "status") for one in status]
    assert values == ["completed", "accepted"]


def test_a_share_of_what_has_vanished_opens_and_says_so(app: Flask, share) -> None:
    base = share(layers=["compounds", "problems"], filters={"street": ["河东街道"]}, live=True)
    db = app.extensions["mapapp_county"].db
    db.apply(db.compare("problems", db.read("problems").iloc[:0], "replace"), by="test")
    compounds = db.read("compounds")
    db.apply(db.compare("compounds", compounds[compounds["street"] != "河东街道"], "replace"), by="test")
    assert Asker(app).get(base).status_code == 200
    view = Asker(app).get(base + "/api/view").get_json()
    assert len(view["notices"]) == 2
    assert Asker(app).get(base + "/api/summary").get_json()["totals"]["compounds"] == 0


def test_a_filter_value_that_vanished_hides_nothing_else_and_is_named(app: Flask, share) -> None:
    base = share(filters={"street": ["河东街道", "城关街道"]}, live=True)
    db = app.extensions["mapapp_county"].db
    compounds = db.read("compounds")
    db.apply(db.compare("compounds", compounds[compounds["street"] != "河东街道"], "replace"), by="test")
    view = Asker(app).get(base + "/api/view").get_json()
    assert [note for note in view["notices"] if "河东街道" in note]
    assert Asker(app).get(base + "/api/summary").get_json()["totals"]["compounds"] > 0


def test_an_embeddable_share_may_be_framed_anywhere_and_nothing_else_may(app: Flask, asker) -> None:
    made = asker.post("/api/shares", {"layers": ["compounds"], "embeddable": True, "title": "<b>"}).get_json()
    assert made["embed"].startswith("<iframe ")
    assert "<b>" not in made["embed"]
    base = "/s/" + made["url"].rpartition("/s/")[2]
    open_ = Asker(app).get(base).headers
    assert "frame-ancestors *" in open_["Content-Security-Policy"]
    assert "X-Frame-Options" not in open_
    closed = asker.post("/api/shares", {"layers": ["compounds"]}).get_json()
    for path in ("/s/" + closed["url"].rpartition("/s/")[2], "/shares"):
        head = asker.get(path).headers
        assert "frame-ancestors 'none'" in head["Content-Security-Policy"]
        assert head["X-Frame-Options"] == "DENY"
    assert asker.client.delete(f"/api/shares/{made['id']}", headers={"X-CSRF-Token": asker.csrf}).status_code == 200
    over = Asker(app).get(base)  # the page that frames it shows why it ended
    assert over.status_code == 410
    assert "X-Frame-Options" not in over.headers


def test_shared_pages_are_not_indexed_and_tell_no_referrer(app: Flask, share) -> None:
    base = share(title="东风片区")
    for path in ("", "/api/view", "/api/features/compounds"):
        head = Asker(app).get(base + path).headers
        assert head["Referrer-Policy"] == "no-referrer"
        assert "noindex" in head["X-Robots-Tag"]
        assert head["Cache-Control"].startswith("private")
        assert "Set-Cookie" not in head
    assert '<meta name="robots" content="noindex' in Asker(app).get(base).get_data(as_text=True)
    assert "noindex" in Asker(app).get("/s/unknown-token-unknown-token").headers["X-Robots-Tag"]


def test_only_a_share_that_says_so_may_be_framed_and_only_there(app: Flask, share) -> None:
    plain, framed = share(), share(embed=["https://www.county.example"])
    assert "frame-ancestors 'none'" in Asker(app).get(plain).headers["Content-Security-Policy"]
    head = Asker(app).get(framed).headers
    assert "frame-ancestors https://www.county.example" in head["Content-Security-Policy"]
    assert "X-Frame-Options" not in head


@pytest.mark.parametrize(
    "origin", ["javascript:alert(1)", "https://a.example; script-src *", "'self'", "https://a.example/x y"]
)
def test_an_embedding_site_cannot_rewrite_the_policy(asker, origin: str) -> None:
    assert asker.post("/api/shares", {"layers": ["compounds"], "embed": [origin]}).status_code == 400


def test_views_are_counted_and_nothing_about_who(app: Flask, asker, share) -> None:
    base = share()
    for _ in range(3):
        Asker(app).get(base)
    listed = asker.get("/api/shares").get_json()["shares"][0]
    assert listed["views"] == 3
    assert "token" not in json.dumps(listed)
    assert base[3:] not in asker.get("/shares").get_data(as_text=True)


def test_the_token_is_stored_nowhere(app: Flask, share, county) -> None:
    token = share()[3:]
    assert len(token) >= 22  # 128 bits in base64
    app.extensions["mapapp_county"].close()
    for file in county.parent.rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes(), file.name


def test_the_watermark_names_the_recipient_and_the_date(app: Flask, share) -> None:
    view = Asker(app).get(share(recipient="城关街道办") + "/api/view").get_json()
    assert re.fullmatch(r"内部资料 · 城关街道办 · \d{4}-\d\d-\d\d", view["share"]["watermark"])


def test_a_link_that_opens_on_this_machine_alone_is_made_with_a_warning(asker, served: Flask) -> None:
    body = {"layers": ["compounds"]}
    assert "--host 0.0.0.0" in asker.post("/api/shares", body).get_json()["only_here"]
    away = Asker(served)
    away.log_in("wang", "boss-password")
    assert away.post("/api/shares", body).get_json()["only_here"] is None


def test_the_form_without_a_script_makes_a_share_with_its_qr_code(asker) -> None:
    form = {"kind": "public", "layers": ["compounds"], "recipient": "街道办", "days": "7", "csrf_token": asker.csrf}
    answer = asker.client.post("/shares", data=form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 201
    assert re.search(r'value="http://localhost/s/[\w-]{32}"', page)
    assert "<svg" in page


def test_names_from_strangers_files_are_escaped_in_every_page(asker, app: Flask, share) -> None:
    for page in [asker.get("/compounds/C2"), asker.get("/shares"), asker.get("/gaps"), Asker(app).get(share())]:
        assert "<img src=x" not in page.get_data(as_text=True)


def test_a_unit_takes_a_table_of_its_items_along_only_when_allowed_and_never_a_map(app: Flask, share) -> None:
    plain, allowed = unit(share), unit(share, download=True)
    assert entered(app, plain).get(plain + "/api/export/problems.csv").status_code == 403
    guest = entered(app, allowed)
    assert "T1" in guest.get(allowed + "/api/export/problems.csv").get_data(as_text=True)
    pipes = guest.get(allowed + "/api/export/pipes.csv").get_data(as_text=True)
    assert "PWATER1" in pipes
    assert "PTELE2" not in pipes
    assert "LINESTRING" not in pipes.upper()


def test_a_link_with_a_pass_code_is_not_embeddable(asker) -> None:
    body = {"layers": ["compounds"], "embed": ["https://www.county.example"], "pass_code": "8642"}
    assert asker.post("/api/shares", body).status_code == 400


def test_totals_of_five_or_more_compounds_are_exact_and_rounded_once_and_of_fewer_are_sums_of_what_is_shown(
    app: Flask, share
) -> None:
    county = app.extensions["mapapp_county"]
    compounds = county.db.read("compounds")
    more = (
        compounds.iloc[[0] * 6]
        .reset_index(drop=True)
        .assign(compound_id=[f"D{i}" for i in range(6)], households=13, street="南街")
    )
    county.db.apply(county.db.compare("compounds", more, "add"), by="t")
    guest, base = Asker(app), share(live=True)
    assert guest.get(base + "/api/summary?f.street=南街").get_json()["totals"]["households"] == 80  # six times 13
    fewer = guest.get(share(live=True, filters={"street": ["城关街道"]}) + "/api/summary").get_json()["totals"]
    assert fewer["households"] == 120 + 50


def test_no_choice_of_compounds_gives_an_exact_figure_away(app: Flask, share) -> None:
    """Who may pick any five compounds could watch the rounded total jump and read one compound's figure from it."""
    county = app.extensions["mapapp_county"]
    compounds = county.db.read("compounds")
    more = compounds.iloc[[0] * 12].reset_index(drop=True)
    more = more.assign(compound_id=[f"E{i:02}" for i in range(12)], street=["北街"] * 10 + ["南街"] * 2)
    exact = [13 + 3 * i for i in range(12)]
    county.db.apply(county.db.compare("compounds", more.assign(households=exact), "add"), by="t")
    guest, base = Asker(app), share(live=True)
    shown = {r["compound_id"]: r["households"] for r in guest.get(base + "/api/features/compounds").get_json()["rows"]}

    def total(query: str) -> int:
        return guest.get(f"{base}/api/summary?{query}").get_json()["totals"]["households"]

    for some in ([f"E{i:02}" for i in range(5)], [f"E{i:02}" for i in range(2, 11)]):
        assert total("f.compound_id=" + ",".join(some)) == sum(shown[i] for i in some)
    both = [f"E{i:02}" for i in range(12)]
    assert total("f.street=北街") == round(sum(exact[:10]), -1)
    assert total("f.street=北街,南街") == sum(shown[i] for i in both)  # less 北街 it would be two compounds
    assert total("f.street=北街&f.year=2020") == sum(shown[i] for i in both[:10])


@pytest.mark.parametrize("question", ["summary?f.{}=345.5", "summary?f.compounds.{}=?", "features/compounds?sort={}",
                                      "features/compounds?sort=-{}", "features/compounds?columns=name,{}"])  # fmt: skip
def test_a_hidden_column_can_be_neither_filtered_nor_sorted_nor_asked_for(app: Flask, share, question: str) -> None:
    base, stranger = share(filters=FILTER), Asker(app)
    told = []
    for column in ("invest_total_wan", "leader_phone", "evidence", "自带列", "no_such_column"):
        answer = stranger.get(f"{base}/api/{question.format(column)}")
        assert answer.status_code == 400, column
        told.append(answer.get_data(as_text=True).replace(column, "X"))
    assert len(set(told)) == 1  # one and the same answer whether it exists or not


def test_a_tag_that_was_known_opens_no_hidden_tile(app: Flask, served: Flask, share, asker) -> None:
    z, x, y = tile_of(120.004, 30.7213, 14)
    mine = asker.get(f"/tiles/pipes/{z}/{x}/{y}.mvt")
    assert mine.status_code == 200
    base = share(layers=["compounds"])
    for layer in ("pipes", "findings", "verdicts", "problems"):
        path = f"{base}/tiles/{layer}/{z}/{x}/{y}.mvt"
        answer = Asker(app).client.get(path, headers={"If-None-Match": mine.headers["ETag"]})
        assert answer.status_code == 404
    own, users = (a.get(p + f"/tiles/compounds/{z}/{x}/{y}.mvt") for a, p in ((Asker(app), base), (asker, "")))
    assert own.headers["ETag"] != users.headers["ETag"]


def test_a_share_sets_no_cookie_and_its_pass_is_closed_to_scripts_and_to_other_paths(app: Flask, share) -> None:
    for path in ("", "/api/view", "/api/summary"):
        assert "Set-Cookie" not in Asker(app).get(share() + path).headers
    base = unit(share)
    guest = Asker(app)
    guest.look(base)
    sent = guest.client.post(base + "/enter", data={"code": "8642", "csrf_token": guest.csrf}).headers.getlist(
        "Set-Cookie"
    )
    passed = next(c for c in sent if c.startswith("pass"))
    assert f"Path={base}" in passed
    assert "HttpOnly" in passed
    assert "SameSite=Lax" in passed


def test_a_share_tells_scripts_nothing_of_layers_that_it_does_not_open(app: Flask, share) -> None:
    base = share(layers=["compounds"])
    view = Asker(app).get(base + "/api/view").get_json()
    assert [layer["name"] for layer in view["layers"]] == ["compounds"]
    assert not {"user", "snapshots", "shares"} & set(view)
    assert view["crs"] == ""
    for layer in ("pipes", "verdicts", "ledger", "no_such_layer"):
        told = Asker(app).get(f"{base}/api/features/{layer}").get_json()["error"].replace(layer, "X")
        assert told == Asker(app).get(f"{base}/api/features/nothing").get_json()["error"].replace("nothing", "X")
