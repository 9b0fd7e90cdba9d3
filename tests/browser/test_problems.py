"""A gap becomes a problem on the map, is decided in the meeting, gets a photo and is closed; residents answer a share."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import expect

from . import town
from .conftest import serve

pytestmark = pytest.mark.browser

DESK, PHONE = (1440, 900), (390, 844)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a town of these tests' own: they change it."""
    path = tmp_path_factory.mktemp("problems") / "town.gpkg"
    town.build(path)
    with serve(path) as address:
        yield address


def fits(page) -> bool:
    """Whether nothing runs out of the window sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (40, 90, 160)).save(out, "JPEG")
    return out.getvalue()


def test_a_gap_on_the_map_goes_all_the_way_to_closed(open_page):
    """One press on the card lists it; the meeting notes a decision by keyboard; a photo and a note close it and the gap."""
    page = open_page("/?sel=compounds:C10")
    finding = page.locator("#card .finding").first
    finding.get_by_role("button", name="转为问题").click()
    link = finding.get_by_role("link", name="已列为问题")
    expect(link).to_be_visible()
    ticket = link.get_attribute("href")
    assert ticket == "/problems/WT-F9"

    page.goto(page.url.split("/?")[0] + "/problems/new")
    page.locator("[name=category]").select_option("gas")
    page.locator("[name=description]").fill("燃气管位冲突")
    page.locator("[name=raised_at]").fill("2020-01-01")
    page.locator("[name=due]").fill("2020-02-01")
    page.get_by_role("button", name="列入清单").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("燃气管位冲突")

    page.goto(page.url.split("/problems")[0] + "/meeting")
    page.get_by_label("日期").fill("2030-01-15")
    page.get_by_role("button", name="开始").click()
    expect(page.locator(".slide.here")).to_have_count(1)
    assert page.locator(".slide.here h2").evaluate("node => parseFloat(getComputedStyle(node).fontSize)") >= 60
    expect(page.locator(".slide.here.overdue h2")).to_have_text("燃气管位冲突")  # overdue first
    page.keyboard.press("ArrowRight")
    assert page.url.endswith("#WT-F9")
    page.keyboard.press("d")
    page.keyboard.type("排水公司月底前接通")
    page.locator(".slide.here [name=due]").fill("2030-01-31")
    page.locator(".slide.here textarea").press("Control+Enter")
    expect(page.locator(".slide.here .said")).to_have_text("已记入纪要。")
    page.reload()
    expect(page.locator(".slide.here textarea")).to_have_value("排水公司月底前接通")
    with page.expect_download() as got:
        page.get_by_role("link", name="纪要").click()
    assert got.value.suggested_filename.endswith("纪要.docx")

    page.goto(page.url.split("/meeting")[0] + ticket)
    expect(page.locator("#problem-form [name=due]")).to_have_value("2030-01-31")
    page.set_input_files("input[type=file]", {"name": "前.jpg", "mimeType": "image/jpeg", "buffer": picture()})
    page.get_by_role("button", name="上传照片").click()
    expect(page.locator(".photos img")).to_have_count(1)
    assert page.locator(".photos img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 64
    page.locator("#close-form textarea").fill("已接入 W3")
    page.locator("#close-form").get_by_role("button", name="销号").click()
    expect(page.locator(".page-head .pill")).to_have_text("已销号")
    page.goto(page.url.split("/problems")[0] + "/?sel=compounds:C10")
    expect(page.locator("#card .finding").first).to_have_attribute("data-status", "fixed")


def test_deciding_a_gap_fixed_closes_its_problem_and_undo_opens_both(open_page):
    """The other way round: one press settles both, one takes it back."""
    page = open_page("/?sel=compounds:C11")
    finding = page.locator("#card .finding").first
    finding.get_by_role("button", name="转为问题").click()
    expect(finding.get_by_role("link", name="已列为问题")).to_be_visible()
    finding.locator("[data-decide=fixed]").click()
    expect(page.locator("#card .finding").first.get_by_role("link", name="问题已销号")).to_be_visible()
    page.locator("#card .finding").first.get_by_role("button", name="撤销上一次决定").click()
    expect(page.locator("#card .finding").first).to_have_attribute("data-status", "confirmed")
    expect(page.locator("#card .finding").first.get_by_role("link", name="已列为问题")).to_be_visible()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("path", ["/problems?state=all", "/problems/new", "/meeting", "/records?compound=C01"])
def test_pages_fit_the_window(open_page, path, size):
    """Nothing runs out sideways, on a desk or in a hand, and every control is named."""
    page = open_page(path, size=size, ready=False)
    assert fits(page)
    for control in page.locator("main select, main input:not([type=hidden]), main textarea").all():
        assert control.evaluate("node => node.labels.length > 0 || node.hasAttribute('aria-label')")


def test_the_utility_matrix_is_kept_in_place_on_a_phone(open_page):
    """Press a kind to add its line, name the owner, save; the answer is there after a reload."""
    page = open_page("/records?compound=C02", size=PHONE, ready=False)
    page.get_by_role("button", name="+ 通信").click()
    line = page.locator(".matrix .line").first
    expect(line).to_be_visible()
    page.wait_for_load_state("load")  # the script that marks unsaved lines is there
    line.get_by_label("权属单位").fill("移动公司")
    expect(line).to_have_class(re.compile("dirty"))
    line.get_by_label("答复意见").select_option("bury")
    line.get_by_role("button", name="保存").click()
    expect(page.locator(".matrix .line").first.get_by_label("权属单位")).to_have_value("移动公司")
    expect(page.locator(".matrix .line").first).to_have_class(re.compile("answered"))
    assert page.get_by_role("button", name="+ 通信").count() == 0
    assert fits(page)


def test_a_resident_answers_a_share_on_a_phone(open_page):
    """The map of the share leads to the form; after sending, the text is nowhere on the page; the office reads it."""
    page = open_page("/shares", ready=False)
    page.locator("[name=reply]").check()
    page.get_by_role("button", name="生成链接").click()
    address = page.locator("#share-link").input_value()
    phone = open_page(address, size=PHONE)
    phone.locator("#reply-link").click()
    phone.get_by_label("小区").select_option("C03")
    phone.get_by_label("态度").select_option("suggest")
    phone.locator("textarea").fill("希望装路灯")
    assert fits(phone)
    phone.get_by_role("button", name="提交").click()
    expect(phone.get_by_role("status")).to_have_text("已收到，谢谢。")
    assert "希望装路灯" not in phone.content()
    page.goto(page.url.split("/shares")[0] + "/records?compound=C03#opinions")
    expect(page.locator("#opinions")).to_contain_text("希望装路灯")
