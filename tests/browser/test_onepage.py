"""The page of a compound and the report in a browser: one screen, one sheet of A4, and downloads that work."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from . import town

pytestmark = pytest.mark.browser


def test_the_page_of_a_compound_is_one_screen_of_evidence(open_page):
    """Name as text, verdict, all lines of evidence, candidates, findings, and our own tiles on the small map."""
    page = open_page("/compounds/C08", ready=False)
    expect(page.locator("h1")).to_have_text(town.EVIL)
    assert page.locator(".evidence li").count() >= 4
    assert page.locator(".part-sewer tbody tr").count() == 2
    expect(page.locator(".finding").first).to_be_visible()
    page.wait_for_function(
        "() => { var n = 0; Mapapp.smallMap.eachLayer(l => { if (l.counts) n = l.counts('compounds').shown; }); return n > 0; }"
    )
    assert page.evaluate("window.stolen") is None


def test_the_page_of_a_compound_is_one_sheet_of_paper(open_page):
    """One page of A4, without buttons or navigation, and marked as internal."""
    page = open_page("/compounds/C08", ready=False)
    page.wait_for_selector(".finding")
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    page.emulate_media(media="print")
    expect(page.locator(".page-act")).to_be_hidden()
    expect(page.locator(".only-paper")).to_be_visible()


@pytest.mark.parametrize("path", ["/compounds/C08", "/report"])
def test_nothing_is_wider_than_a_phone(open_page, path):
    page = open_page(path, size=(390, 844), ready=False)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_report_and_a_sheet_are_downloaded_in_place(open_page):
    """The report by its link; a wrong window is told beside the form, a right one is a file."""
    page = open_page("/report", ready=False)
    with page.expect_download() as got:
        page.click("text=下载汇报 .docx")
    assert got.value.suggested_filename.endswith("2022-11-25.docx")
    page.fill("input[name=bbox]", "1,2,3")
    page.click("#sheet-form button.primary")
    expect(page.locator("#sheet-fault")).to_contain_text("不是范围")
    page.fill("input[name=bbox]", "")
    page.select_option("select[name=compound]", "C01")
    with page.expect_download() as got:
        page.click("#sheet-form button.primary")
    assert got.value.suggested_filename.endswith(".pdf")
