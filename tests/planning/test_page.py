"""The plan page over HTTP: who may do what, one link, its papers, its project."""

from __future__ import annotations

import io
import re
import time

import openpyxl
import pytest

from mapapp import store
from mapapp.core.errors import NotFoundError
from mapapp.services import plan_link
from mapapp.services.frames import County
from mapapp.services.scope import Scope, ShareSpec


class Asker:
    """Somebody with a browser: keeps cookies, and sends the page's own CSRF token."""

    def __init__(self, app, name: str = "", password: str = "") -> None:
        self.client, self.csrf = app.test_client(), ""
        if name:
            self._look("/login")
            sent = {"name": name, "password": password, "csrf_token": self.csrf}
            assert self.client.post("/login", data=sent).status_code == 302
        self._look("/plan")

    def _look(self, path: str) -> None:
        page = self.client.get(path).get_data(as_text=True)
        self.csrf = re.search(r'name="csrf[-_]token"[^>]*(?:content|value)="([^"]+)"', page)[1]

    def get(self, path: str):
        return self.client.get(path, headers={"Accept": "application/json"})

    def post(self, path: str, body: dict):
        return self.client.post(path, json=body, headers={"X-CSRF-Token": self.csrf, "Accept": "application/json"})

    def wait(self, job: int) -> dict:
        for _ in range(600):
            told = self.get(f"/api/plan/jobs/{job}").json
            if told["state"] not in ("waiting", "running"):
                return told
            time.sleep(0.1)
        raise AssertionError("planning did not end")


def test_planning_anew_is_a_job(app):
    """It answers at once, is one at a time, ends as done, and the page shows who asked for what."""
    asker = Asker(app)
    job = asker.post("/api/plan", {"budget": "70000", "pinned": ["C3"]})
    assert job.status_code == 202
    assert asker.post("/api/plan", {}).status_code == 409
    assert asker.wait(job.json["id"])["state"] == "done"
    found = asker.get("/api/plan").json
    assert (found["asked"]["budget"], found["asked"]["pinned"]) == (70000, ["C3"])
    assert found["job"] is None


@pytest.mark.parametrize(
    "body", [{"budget": "-1"}, {"budget": "viel"}, {"budget": "nan"}, {"standard": "../../etc/passwd"}, {"prices": "x"}]
)
def test_a_bad_choice_starts_nothing(app, body):
    """It is said in one sentence, before a job is begun."""
    asker = Asker(app)
    answer = asker.post("/api/plan", body)
    assert answer.status_code == 400
    assert answer.json["error"]
    assert asker.get("/api/plan").json["job"] is None


def test_viewers_look_and_do_nothing(served):
    """A viewer reads plan, stages, link and bill; every change is refused."""
    asker = Asker(served, "gu", "guest-password")
    link = asker.get("/api/plan").json["routes"][0]["link_id"]
    for path in (
        "/plan",
        "/api/plan/stages?budget=1000",
        f"/api/plan/links/{link}",
        "/plan/bill.xlsx",
        "/plan/plan.inp",
    ):
        assert asker.get(path).status_code == 200, path
    changes = ["/api/plan", "/api/plan/stages", f"/api/plan/links/{link}/project", "/api/plan/jobs/1/cancel"]
    for path in changes:
        assert asker.post(path, {}).status_code == 403, path


def test_nobody_sees_a_plan_without_logging_in(served):
    """Pages send to the login, questions are refused, and no link's name is told."""
    client = served.test_client()
    for path in ("/plan", "/api/plan", "/plan/bill.xlsx", "/plan/section/L0001.svg", "/plan/plan.inp"):
        answer = client.get(path)
        assert answer.status_code in (302, 401, 403), path
        assert "一村" not in answer.get_data(as_text=True)


def test_a_share_shows_no_page_bill_or_file_of_a_link_and_a_public_one_no_route(planned):
    """Whatever a stored share names: routes are for a unit alone, and what stands behind them for nobody outside."""
    county = County(str(planned))
    for kind in ("public", "unit"):
        spec = ShareSpec(
            kind=kind, layers=("compounds", "pipes", "links"), unit="住建局", gaps=True, levels=True, download=True
        )
        view = county.at(Scope("外人", share=spec))
        assert ("links" in view.layers) == (kind == "unit")
        for ask in (
            lambda v: plan_link.link(v, "L0001", "zh"),
            lambda v: plan_link.bill_file(v, None, "zh"),
            plan_link.swmm_file,
        ):
            with pytest.raises(NotFoundError):
                ask(view)
    county.close()


def test_a_link_has_profile_and_bill(app):
    """The bill adds up to the route's cost, low, middle and high; the drawing names the existing sewer it joins."""
    asker = Asker(app)
    for route in asker.get("/api/plan").json["routes"]:
        found = asker.get(f"/api/plan/links/{route['link_id']}").json
        for name, column in (("low", "cost_low"), ("middle", "cost"), ("high", "cost_high")):
            assert sum(row[name] or 0 for row in found["bill"]) == pytest.approx(route[column], abs=0.01)
        assert found["svg"].startswith("<svg")
        assert "<script" not in found["svg"]
        assert set(found["links"]) & set(found["path"])


def test_one_click_makes_one_project(app, planned):
    """A link becomes a project once, with history; taken back, it can be made again under another number."""
    asker = Asker(app)
    route = asker.get("/api/plan").json["routes"][0]
    link = route["link_id"]
    made = asker.post(f"/api/plan/links/{link}/project", {})
    assert made.status_code == 201
    again = asker.post(f"/api/plan/links/{link}/project", {})
    assert (again.status_code, again.json["project_id"]) == (200, made.json["project_id"])
    with store.open(str(planned)) as db:
        row = db.read("projects").iloc[0]
        assert (row["kind"], row["compound_ids"]) == ("sewer_link", route["compounds"][0]["id"])
        assert len(db.history("projects", made.json["project_id"]))
    undone = asker.post(f"/api/plan/projects/{made.json['project_id']}/undo", {"edit_id": str(made.json["edit_id"])})
    assert undone.status_code == 200
    third = asker.post(f"/api/plan/links/{link}/project", {})
    assert third.json["project_id"] != made.json["project_id"]


def test_an_editor_of_a_unit_makes_projects_of_its_own_compounds(served):
    """城投公司 owns C3 only: its link becomes a project in its name, another compound's link is refused."""
    asker = Asker(served, "cheng", "editor-password")
    routes = {r["route_id"]: r["link_id"] for r in asker.get("/api/plan").json["routes"]}
    assert asker.post(f"/api/plan/links/{routes['C1']}/project", {}).status_code == 403
    assert asker.post(f"/api/plan/links/{routes['C3']}/project", {}).status_code == 201


def test_papers_open(app, tmp_path):
    """The section is SVG, PDF and PNG; the bill a workbook whose first sheet adds up and warns of example prices."""
    asker = Asker(app)
    link = asker.get("/api/plan").json["routes"][0]["link_id"]
    for kind, magic in (("svg", b"<svg"), ("pdf", b"%PDF"), ("png", b"\x89PNG")):
        assert asker.get(f"/plan/section/{link}.{kind}").data.startswith(magic)
    assert asker.get("/plan/section/nope.svg").status_code == 404
    path = tmp_path / "bill.xlsx"
    path.write_bytes(asker.get("/plan/bill.xlsx?lang=en").data)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Bill", "Links", "Pipes", "Refused", "Assumptions"]
    rows = list(book["Bill"].iter_rows(values_only=True))
    assert any("examples" in str(row[0]) for row in rows)
    middle = [row[5] for row in rows[5:-1] if isinstance(row[5], int | float)]
    assert sum(middle) == pytest.approx(asker.get("/api/plan").json["summary"]["cost"], abs=0.1)
    assert rows[-1][5].startswith("=SUM(")
    book.close()


def test_an_uploaded_price_book_prices_the_plan(app):
    """A book at twice the price, uploaded and chosen, doubles the cost; the page no longer calls it an example."""
    asker = Asker(app)
    before = asker.get("/api/plan").json["summary"]["cost"]
    text = asker.get("/plan/books/prices/example.toml").get_data(as_text=True)
    dear = text.replace("example = true", "example = false")
    for key in ("[pipe]", "[manhole]"):  # every figure between "values = [" and the next table
        head, _, rest = dear.partition(key)
        before_, _, table = rest.partition("values = [")
        figures, _, after_ = table.partition("],\n]")
        figures = re.sub(r"\d+", lambda m: str(2 * int(m[0])), figures)
        dear = f"{head}{key}{before_}values = [{figures}],\n]{after_}"
    sent = {"file": (io.BytesIO(dear.encode()), "ours.toml")}
    head = {"X-CSRF-Token": asker.csrf, "Accept": "application/json"}
    up = asker.client.post("/api/plan/books/prices", data=sent, headers=head)
    assert (up.status_code, up.json["name"]) == (201, "ours")
    job = asker.post("/api/plan", {"prices": "ours"}).json["id"]
    assert asker.wait(job)["state"] == "done"
    after = asker.get("/api/plan").json["summary"]
    assert after["cost"] > 1.5 * before
    assert after["example_prices"] is False
