"""The yard on a phone, with the network cut: kept first, sent later, once; and the verdict follows the evidence."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from mapapp import store

from . import town
from .conftest import Watch, serve

pytestmark = pytest.mark.browser
PHONE = (390, 844)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("yard") / "town.gpkg"
    town.build(path)
    return path


@pytest.fixture(scope="module")
def yard(county: Path, chromium: Browser) -> Iterator[Watch]:
    with serve(county) as address:
        watch = Watch(chromium, address)
        yield watch
        watch.end()


def manhole(county: Path, node: str) -> tuple[float, float]:
    with store.open(str(county)) as db:
        point = db.read("manholes", ids=[node]).to_crs(4326).geometry.iloc[0]
    return point.x, point.y


def open_yard(yard: Watch, at: tuple[float, float], **more: Any) -> Page:
    where = {"longitude": at[0], "latitude": at[1], "accuracy": 6}
    page = yard.open("/yard", size=PHONE, ready=False, permissions=["geolocation"], geolocation=where, **more)
    expect(page.locator("#fix")).to_contain_text("±6")
    return page


def found(county: Path, node: str) -> str | None:
    with store.open(str(county)) as db:
        value = db.read("manholes", ids=[node])["found"].iloc[0]
    return None if value != value else str(value)


def visits(county: Path) -> int:
    with store.open(str(county)) as db:
        return db.count("visits")


def test_the_phone_is_plotted_where_it_stands(yard: Watch, county: Path) -> None:
    """Standing on a candidate manhole is 0 m from it; the next one, 60 m east, is 60 m east."""
    page = open_yard(yard, manhole(county, "W11"))
    rows = page.locator(".place")
    expect(rows.nth(0)).to_contain_text("W11")
    expect(rows.nth(0).locator(".place-far b")).to_have_text("0 米")
    expect(rows.nth(1).locator(".place-far")).to_contain_text("60 米")
    expect(rows.nth(1).locator(".place-far")).to_contain_text("东")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_everything_a_thumb_needs_is_large_and_low(yard: Watch, county: Path) -> None:
    """Five marks, photo, note and save lie in the lower half, each at least 44 px high."""
    page = open_yard(yard, manhole(county, "W11"))
    boxes = [page.locator(s).first.bounding_box() for s in ("#marks label", "#photo-label", "#note", "#save")]
    assert page.locator("#marks label").count() == 5
    for box in boxes:
        assert box is not None
        assert box["height"] >= 44
        assert 422 < box["y"] < 844 - box["height"]


def test_without_signal_a_draft_is_kept_and_sent_once_later(yard: Watch, county: Path, tmp_path: Path) -> None:
    """Cut the network: the page still opens, the draft outlives a reload; with signal it is sent, with its photo."""
    page = open_yard(yard, manhole(county, "W11"))
    page.wait_for_selector("body[data-kept=yes]")
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector(".place")
    page.locator(".place").first.tap()
    page.locator("#marks label", has_text="被压埋").tap()
    picture = io.BytesIO()
    Image.new("RGB", (3000, 2000), "#775533").save(picture, "JPEG")
    page.set_input_files("#photo", {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()})
    expect(page.locator("#photo-small")).to_be_visible()
    page.fill("#note", "车棚下")
    page.tap("#save")
    expect(page.locator("#signal")).to_contain_text("待发 1 条")
    page.reload()
    expect(page.locator("#signal")).to_contain_text("待发 1 条")
    assert visits(county) == 0
    page.context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#signal")).to_have_text("在线")
    assert (visits(county), found(county, "W11")) == (1, "buried")
    with store.open(str(county)) as db:
        visit, photo = db.read("visits").iloc[0], db.read("photos").iloc[0]
    assert (visit["note"], visit["node_id"], visit["compound_id"]) == ("车棚下", "W11", "C08")
    assert (photo["layer"], photo["feature_id"], photo["width_px"]) == ("visits", visit["visit_id"], 1600)


def test_an_answer_that_got_lost_does_not_double_the_visit(yard: Watch, county: Path) -> None:
    """The server stores, the answer never arrives: the draft stays, is sent again, and one visit is stored."""
    page = open_yard(yard, manhole(county, "W12"), service_workers="block")
    before = visits(county)
    lost: list[int] = []

    def lose(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/api/yard/visits", lose, times=1)
    page.locator(".place", has_text="W12").tap()
    page.locator("#marks label", has_text="已找到").tap()
    page.tap("#save")
    expect(page.locator("#signal")).to_contain_text("无信号")
    expect(page.locator("#signal")).to_contain_text("待发 1 条")
    assert (lost, visits(county)) == ([201], before + 1)
    page.evaluate("Mapapp.yard.flush()")
    expect(page.locator("#signal")).to_have_text("在线")
    assert visits(county) == before + 1


def test_without_a_position_a_compound_is_chosen(yard: Watch) -> None:
    """Refused geolocation: the page says so, and lists the chosen compound's inlets by rank."""
    page = yard.open("/yard", size=PHONE, ready=False)
    page.wait_for_selector(".place")
    page.select_option("#compound", "C08")
    expect(page.locator(".place b").nth(0)).to_have_text("W11")
    expect(page.locator("#fix")).to_contain_text("定位")


def test_newer_evidence_offers_the_audit_and_the_audit_answers(yard: Watch, county: Path) -> None:
    """After a mark the page says that the audit is older; a tap runs it again and the notice goes."""
    page = open_yard(yard, manhole(county, "W11"))
    page.locator("#audit").tap()
    expect(page.locator("#newer")).to_be_hidden()
    with store.open(str(county)) as db:
        assert db.jobs.list()[0].state == "done"
