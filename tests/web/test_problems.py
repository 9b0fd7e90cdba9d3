"""Pages of problems, meetings, records and replies: roles, tokens, conflicts, and what no share ever tells."""

from __future__ import annotations

import io
import re
from html import unescape

import pytest
from PIL import Image

from mapapp import store

from .conftest import Asker, token_of

PAGES = (
    "/problems",
    "/problems?state=all&unit=水务公司",
    "/problems/T1",
    "/meeting",
    "/records",
    "/records?compound=C1",
)


def form(asker: Asker, path: str, **values: object):
    """Post a form as a browser does."""
    return asker.client.post(path, data={"csrf_token": asker.csrf, **values})


def photo() -> tuple[io.BytesIO, str]:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), (9, 9, 9)).save(out, "PNG")
    return io.BytesIO(out.getvalue()), "李四家.png"


@pytest.mark.parametrize("path", PAGES)
def test_pages_open_in_both_languages(asker, path):
    """No key shows as itself, and nothing from a stranger's file is markup."""
    for lang in ("zh", "en"):
        page = asker.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert page.status_code == 200
        text = page.get_data(as_text=True)
        assert not re.search(r">\s*(problems|meeting|records|nav)\.[a-z_.]+\s*<", text)
        assert "<img src=x" not in text


def test_a_viewer_reads_and_an_editor_writes(served):
    """The viewer's pages hold no form but the log-out's, and no phone number; posting is refused; the editor's works."""
    guest = Asker(served)
    guest.log_in("gu", "guest-password")
    for path in PAGES:
        text = guest.get(path).get_data(as_text=True)
        assert 'method="post"' not in text.replace('method="post" action="/logout"', ""), path
        assert "13612345678" not in text
    assert guest.get("/problems/new").status_code == 403
    for path, body in (("/api/problems", {"category": "gas", "description": "x"}), ("/api/problems/T1", {"status": "closed"}),
                       ("/api/findings/F1/problem", {}), ("/api/records/utilities", {"compound_id": "C1", "owner": "x"})):  # fmt: skip
        assert guest.post(path, body).status_code == 403, path
    editor = Asker(served)
    editor.log_in("li", "editor-password")
    assert editor.post("/api/problems", {"category": "gas", "description": "漏气"}).status_code == 201


@pytest.mark.parametrize(
    "path", ["/problems", "/problems/T1", "/meeting", "/records/utilities", "/api/findings/F1/problem", "/photos/x"]
)
def test_nothing_changes_without_the_pages_own_token(asker, path):
    """A form of another site is refused."""
    assert asker.client.post(path, data={"category": "gas", "description": "x"}).status_code == 403


def test_nobody_logged_in_sees_nothing(served):
    """Pages send to the log-in, questions are answered 401, and photos are not there."""
    stranger = served.test_client()
    for path in (*PAGES, "/photos/x"):
        assert stranger.get(path).status_code == 302, path
    assert stranger.get("/api/problems").status_code == 401


def test_the_second_editor_loses_no_word(asker):
    """409 names the column that changed; what was typed stands in the form again with the new version."""
    page = asker.get("/problems/T1").get_data(as_text=True)
    version = re.search(r'name="row_version" value="(\d+)"', page)[1]
    asker.post("/api/problems/T1", {"due": "2023-01-01"})
    answer = form(
        asker, "/problems/T1", action="save", row_version=version, description="我写的新情况", due="2024-05-05"
    )
    text = unescape(answer.get_data(as_text=True))
    assert answer.status_code == 409
    assert "due" in text
    assert "我写的新情况" in text
    assert 'value="2024-05-05"' in text
    again = re.search(r'name="row_version" value="(\d+)"', text)[1]
    assert again != version
    assert form(asker, "/problems/T1", action="save", row_version=again, description="我写的新情况").status_code == 302


def test_a_wrong_value_is_told_and_kept(asker):
    """Status 400, one sentence, and the form as it was typed."""
    answer = form(asker, "/problems", category="gas", description="漏气", due="去年")
    assert answer.status_code == 400
    assert "去年" in answer.get_data(as_text=True)
    assert asker.post("/api/problems/T1", {"action": "explode"}).status_code == 400
    assert asker.get("/problems?state=nonsense").status_code == 400
    assert asker.get("/problems/T99").status_code == 404


def test_photos_go_in_by_form_and_out_to_editors_alone(served, county):
    """The picture comes back as JPEG without its name; a viewer and a stranger do not get it; removed, it is gone."""
    editor, guest = Asker(served), Asker(served)
    editor.log_in("li", "editor-password")
    guest.log_in("gu", "guest-password")
    assert form(editor, "/problems/T1", action="photo", stage="after", photos=photo()).status_code == 302
    with store.open(str(county)) as db:
        photo_id = db.read("photos")["photo_id"].item()
    got = editor.get(f"/photos/{photo_id}")
    assert (got.status_code, got.mimetype) == (200, "image/jpeg")
    assert got.headers["Cache-Control"].startswith("private")
    assert f"/photos/{photo_id}" in editor.get("/problems/T1").get_data(as_text=True)
    assert guest.get(f"/photos/{photo_id}").status_code == 403
    assert photo_id not in guest.get("/problems/T1").get_data(as_text=True)
    assert served.test_client().get(f"/photos/{photo_id}").status_code == 302
    assert form(guest, f"/photos/{photo_id}").status_code == 403
    assert form(editor, "/problems/T1", action="photo", photos=(io.BytesIO(b"MZ"), "x.jpg")).status_code == 400
    assert form(editor, f"/photos/{photo_id}").status_code == 302
    assert editor.get(f"/photos/{photo_id}").status_code == 404


def test_a_gap_becomes_a_problem_by_one_post(asker):
    """201, then 200 with the same id; the finding tells which problem it is."""
    assert asker.get("/api/findings/F3/problem").get_json() == {"ticket_id": None, "decided_at": ""}
    made = asker.post("/api/findings/F3/problem", {})
    assert (made.status_code, made.get_json()["ticket_id"]) == (201, "WT-F3")
    assert asker.post("/api/findings/F3/problem", {}).status_code == 200
    assert asker.post("/api/problems/WT-F3", {"status": "closed", "note": "已接"}).get_json()["finding_id"] == "F3"
    assert asker.get("/api/findings/F3/problem").get_json()["settled"] is True
    assert asker.post("/api/findings/nothing/problem", {}).status_code == 404


def test_a_meeting_from_start_to_minutes(asker):
    """Started by form, decided by script, agenda and minutes as Word papers."""
    answer = form(asker, "/meeting", held_on="2022-11-22", title="")
    where = answer.headers["Location"]
    assert answer.status_code == 302
    page = asker.get(where).get_data(as_text=True)
    assert 'data-ticket="T1"' in page
    assert 'data-ticket="T3"' not in page  # closed
    meeting = where.rpartition("/")[2]
    done = asker.post(
        f"/api/meetings/{meeting}/decisions", {"ticket_id": "T1", "decision": "三日内修好", "status": "in_progress"}
    )
    assert done.get_json()["status"] == "in_progress"
    assert form(asker, where, remarks="抓紧。").status_code == 302
    for kind in ("agenda", "minutes"):
        paper = asker.get(f"{where}/{kind}.docx")
        assert paper.status_code == 200
        assert paper.data[:2] == b"PK"
    assert asker.get(f"{where}/diary.docx").status_code == 404
    assert form(asker, "/meeting", held_on="morgen").status_code == 400


def test_records_are_kept_by_form(asker):
    """Added, changed with unticked boxes, removed and brought back, each by the page's own forms."""
    new = {
        "compound_id": "C1",
        "item": "绿化改硬化",
        "approved_by": ["业主", "设计"],
        "was_ticked": "approved_by",
        "action": "save",
    }
    assert form(asker, "/records/design_changes", **new).status_code == 302
    (row,) = asker.get("/api/records/design_changes?compound=C1").get_json()["rows"]
    assert row["approved_by"] == "业主;设计"
    unticked = {
        "compound_id": "C1",
        "record": row["change_id"],
        "row_version": row["row_version"],
        "was_ticked": "approved_by",
    }
    assert form(asker, "/records/design_changes", **unticked).status_code == 302
    (row,) = asker.get("/api/records/design_changes?compound=C1").get_json()["rows"]
    assert row["approved_by"] is None
    assert form(asker, "/records/design_changes", compound_id="C1", cost_delta_wan="很多").status_code == 400
    gone = {"compound_id": "C1", "record": row["change_id"], "action": "remove"}
    assert form(asker, "/records/design_changes", **gone).status_code == 302
    assert "找回" in asker.get("/records?compound=C1").get_data(as_text=True)
    assert asker.get("/api/records/users?compound=C1").status_code == 404


# ------------------------------------------------------------------------------------------------------------- by share


def test_the_holder_of_a_share_may_send_an_opinion(asker, share, app, county):
    """Only with the option, with the page's own token; kept as open; not a word of it comes back by any address."""
    path = share(reply=True)
    holder = app.test_client()
    page = holder.get(f"{path}/reply").get_data(as_text=True)
    good = {"compound_id": "C1", "stance": "disagree", "text": "夜间不要施工", "phone": "13900001111"}
    assert holder.post(f"{path}/reply", data=good).status_code == 403
    good["csrf_token"] = token_of(page)
    answer = holder.post(f"{path}/reply", data=good, follow_redirects=True)
    assert answer.status_code == 200
    assert "夜间不要施工" not in answer.get_data(as_text=True)
    with store.open(str(county)) as db:
        kept = db.read("opinions")
    assert (kept["status"].item(), kept["text"].item(), kept["phone"].item()) == ("open", "夜间不要施工", "13900001111")
    for address in ("", "/reply", "/api/view", "/api/summary", "/api/features/compounds", "/api/search?q=夜间"):
        assert "夜间" not in holder.get(path + address).get_data(as_text=True).replace("q=夜间", "")
    for address in ("/api/features/opinions", "/problems", "/records?compound=C1", "/api/problems", "/photos/x"):
        assert holder.get(path + address).status_code == 404, address
    assert "reply-link" in holder.get(path).get_data(as_text=True)
    assert "夜间不要施工" in asker.get("/records?compound=C1").get_data(as_text=True)


def test_a_share_without_the_option_takes_no_opinion(app, share):
    """Neither page nor post nor link is there."""
    path = share()
    holder = app.test_client()
    assert holder.get(f"{path}/reply").status_code == 404
    assert "reply-link" not in holder.get(path).get_data(as_text=True)


def test_a_wrong_opinion_keeps_what_was_written(app, share):
    """A compound outside of the share is refused with 400; too many opinions with 429."""
    path = share(reply=True, filters={"street": ["城关街道"]})
    holder = app.test_client()
    token = token_of(holder.get(f"{path}/reply").get_data(as_text=True))
    sent = {"csrf_token": token, "compound_id": "C4", "stance": "agree", "text": "我的意见"}
    answer = holder.post(f"{path}/reply", data=sent)
    assert answer.status_code == 400
    assert "我的意见" in answer.get_data(as_text=True)
    assert "机密" not in answer.get_data(as_text=True)
    good = {**sent, "compound_id": "C1"}
    statuses = [holder.post(f"{path}/reply", data=good).status_code for _ in range(21)]
    assert (statuses[0], statuses[-2], statuses[-1]) == (302, 302, 429)


def test_a_pass_code_guards_the_reply_field_too(app, share):
    """Before the code there is neither form nor post."""
    path = share(reply=True, code="geheim")
    assert app.test_client().get(f"{path}/reply").status_code == 401


def test_a_decision_on_a_gap_is_told_and_taken_back_over_http(asker):
    """Newest first; what held before holds again; a decision that somebody else made since is not undone."""
    base = "/api/findings/F3"
    first = asker.post(base, {"status": "confirmed", "note": "看过"}).get_json()
    asker.post(base, {"status": "fixed", "note": "接好"})
    rows = asker.get(f"{base}/decisions").get_json()["rows"]
    assert [r["status"] for r in rows] == ["fixed", "confirmed"]
    assert asker.post(f"{base}/undo", {"expected": first["decided_at"]}).status_code == 409
    undone = asker.post(f"{base}/undo", {"expected": rows[0]["at"]}).get_json()
    assert (undone["status"], undone["note"]) == ("confirmed", "看过")


def test_what_was_typed_survives_a_closing_that_came_second(asker):
    """Two close one problem: the second is told, and its note still stands in the box."""
    form(asker, "/problems/T1", status="in_progress", row_version="1")
    late = form(asker, "/problems/T1", status="closed", row_version="1", note="管道已换新")
    assert late.status_code == 409
    assert "管道已换新" in late.get_data(as_text=True)


def test_a_removed_problem_is_brought_back_from_the_list(asker):
    """The list offers the removal; its undo is the row as it was."""
    form(asker, "/problems/T1", action="remove")
    page = asker.get("/problems").get_data(as_text=True)
    edit_id = re.search(r'name="edit_id" value="(\d+)"', page)
    assert edit_id
    assert form(asker, "/problems/T1", action="undo", edit_id=edit_id[1]).status_code == 302
    assert asker.get("/problems/T1").status_code == 200


def test_a_project_that_came_second_keeps_what_was_typed(asker):
    """The form comes back with the words, told what the first changed; saved again they count."""
    form(asker, "/projects", project_id="XM-9", name="一期")
    form(asker, "/projects", project_id="XM-9", name="一期甲", row_version="1")
    late = form(asker, "/projects", project_id="XM-9", name="一期乙", year="2022", row_version="1")
    page = late.get_data(as_text=True)
    assert late.status_code == 409
    assert 'value="一期乙"' in page
    assert "一期甲" in page
    again = re.search(r'name="row_version" value="(\d+)"', page)
    assert again
    assert form(asker, "/projects", project_id="XM-9", name="一期乙", row_version=again[1]).status_code == 302


def test_remarks_that_came_second_stay_in_the_box(asker):
    """The meeting page comes back open at the remarks, with both texts."""
    asker.post("/meeting", {"held_on": "2022-11-22"})
    form(asker, "/meeting/DD2022-11", remarks="抓紧", remarks_seen="")
    late = form(asker, "/meeting/DD2022-11", remarks="另议", remarks_seen="")
    assert late.status_code == 409
    assert "另议</textarea>" in late.get_data(as_text=True)
