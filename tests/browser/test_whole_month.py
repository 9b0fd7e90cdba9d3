"""One planner's month from the ledger to the link: each step in the browser, on one county, with the real server."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import docx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from mapapp import demo, store
from mapapp.demo import delivery
from mapapp.services import auditing

from .conftest import Watch, serve, wait_for_map

pytestmark = pytest.mark.browser

YEARS = (
    "2020年，我县实施改造老旧小区20个，涉及建筑面积33.18万平方米，58栋楼，住户2670户，项目总投资5767.33万元。目前已全部完工。",
    "2021年，我县实施改造老旧小区28个，涉及建筑面积13.58万平方米，47栋楼，住户1146户，项目总投资3525.75万元。当年完工25个，剩余3个在2022年5月全部完成。",
    "2022年，我县实施改造老旧小区23个，涉及建筑面积11.62万平方米，37栋楼，住户1332户，项目总投资*万元。截至目前，23个小区的改造工作已全部启动。",
)
"""The three years as the county report has them."""


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, Path]]:
    """Serve a county with its network, audited, with October's ledger; give November's as handed in, and corrected."""
    folder, county = tmp_path_factory.mktemp("whole-month"), demo.county()
    story = demo.months(county)
    path, october, november = folder / "county.gpkg", story.months[-2], story.months[-1]
    with store.create(str(path), name=county.name, crs=county.crs) as db:
        layers = {n: county.layers[n] for n in ("pipes", "manholes", "outlets", "streets", "survey_areas")}
        layers["compounds"] = county.layers["compounds"][["compound_id", "name", "street", "geometry"]]
        for name, frame in (layers | {"ledger": october.true}).items():
            db.apply(db.compare(name, frame, "add"), by="test")
        db.snapshot(october.as_of, by="test", title=None)
    auditing.run(str(path), by="test")
    wrong = demo.month_files(county, story, folder)[-1]
    right = delivery.ledger_book(
        november.true, delivery.sums(november.true), folder / "改造台账2022-11（更正）.xlsx", county=county.name,
        as_of=november.as_of, summary=november.summary.assign(started_compounds=november.summary["planned_compounds"]),
    )  # fmt: skip
    with serve(path) as address:
        yield address, wrong, right


def look(page: Page, ledger: Path) -> None:
    page.set_input_files("input[name=files]", str(ledger))
    page.select_option("select[name=blanks]", "clear")
    page.click("#ledger-form button")
    expect(page.locator("#preview h3")).to_contain_text(ledger.name)


def test_one_month_end_to_end(chromium: Browser, month: tuple[str, Path, Path], tmp_path: Path) -> None:
    """Import, differences, check, correction, snapshot, meeting, problem closed with a photo, report, sheet, share."""
    address, wrong, right = month
    watch = Watch(chromium, address)
    page = watch.open("/month", ready=False)
    import_and_freeze(page, wrong, right)
    ticket = meeting(page, address)
    close_with_photo(page, address, ticket)
    report(page, address, tmp_path)
    share(watch, page, address)
    watch.end()


def import_and_freeze(page: Page, wrong: Path, right: Path) -> None:
    """Find each planted error in its cell and none in the corrected ledger; see what changes; store and freeze it."""
    look(page, wrong)
    faults = page.locator("#checks tr[data-check]")
    told = {f.get_attribute("data-check"): f.inner_text() for f in faults.all()}
    assert set(told) == {"ratio", "started_over_planned"}
    for words in told.values():
        assert re.search(rf"{re.escape(wrong.name)} › \S+ › [A-Z]+\d+", words), words
    page.click("button[name=discard]")
    look(page, right)
    expect(faults).to_have_count(0)
    expect(page.locator("#changes tr", has_text="形象进度").first).to_be_visible()
    page.click("#confirm")
    expect(page.locator(".notice.success").first).to_contain_text("已写入")
    page.click("#freeze button")
    expect(page.locator(".snapshots li").first).to_contain_text("2022-11-25")


def meeting(page: Page, address: str) -> str:
    """Make a gap on the map a problem with one press; let the meeting decide who does what until when."""
    page.goto(address + "/gaps?f.verdict=no_main")
    compound = page.locator(".gap-table tbody th a").first.get_attribute("href")
    assert compound
    page.goto(f"{address}/?sel=compounds:{compound.rpartition('/')[2].partition('?')[0]}")
    wait_for_map(page)
    finding = page.locator("#card .finding").first
    finding.get_by_role("button", name="转为问题").click()
    link = finding.get_by_role("link", name="已列为问题")
    expect(link).to_be_visible()
    ticket = link.get_attribute("href") or ""
    page.goto(address + "/meeting")
    page.get_by_label("日期").fill("2030-01-15")
    page.get_by_role("button", name="开始").click()
    slide = page.locator(".slide.here")
    slide.locator("textarea").fill("县排水公司年底前建成主管")
    slide.locator("[name=lead_unit]").fill("县排水公司")
    slide.locator("[name=due]").fill("2030-01-31")
    slide.locator("button[type=submit]").click()
    expect(slide.locator(".said")).to_have_text("已记入纪要。")
    with page.expect_download() as got:
        page.get_by_role("link", name="纪要").click()
    assert "县排水公司年底前建成主管" in "\n".join(p.text for p in docx.Document(str(got.value.path())).paragraphs)
    return ticket


def close_with_photo(page: Page, address: str, ticket: str) -> None:
    """Settle the problem and its gap with a picture and a note; the history has each step."""
    page.goto(address + ticket)
    expect(page.locator("#problem-form [name=lead_unit]")).to_have_value("县排水公司")
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (40, 90, 160)).save(out, "JPEG")
    page.check("input[name=stage][value=after]")
    page.set_input_files("input[type=file]", {"name": "后.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()})
    page.get_by_role("button", name="上传照片").click()
    expect(page.locator(".photos figcaption")).to_contain_text("整改后")
    page.locator("#close-form textarea").fill("主管已建成，接户管已接通")
    page.locator("#close-form").get_by_role("button", name="销号").click()
    expect(page.locator(".page-head .pill")).to_have_text("已销号")
    expect(page.locator("#decisions li").first).to_contain_text("已整改")
    expect(page.locator(".history").first.locator("li")).to_have_count(3)  # raised, decided in the meeting, closed


def report(page: Page, address: str, folder: Path) -> None:
    """Open the Word file: it has exactly the totals of the county report; the sheet is a PDF."""
    page.goto(address + "/report")
    with page.expect_download() as got:
        page.locator("a[data-download]").first.click()
    got.value.save_as(folder / "report.docx")
    paragraphs = [p.text for p in docx.Document(str(folder / "report.docx")).paragraphs]
    for year in YEARS:
        assert year in paragraphs
    assert not any("累计登记问题" in p for p in paragraphs)  # raised after the snapshot that the report stands on
    assert any("数据截至2022年11月25日" in p for p in paragraphs)
    page.locator("#sheet-form [name=compound]").select_option(index=1)
    page.locator("#sheet-form [name=paper]").select_option("A4")
    with page.expect_download() as got:
        page.locator("#sheet-form button").first.click()
    assert Path(str(got.value.path())).read_bytes().startswith(b"%PDF-")


def share(watch: Watch, page: Page, address: str) -> None:
    """Open the link as a stranger: this year's 23 compounds and not one pipe."""
    page.goto(address + "/?f.year=2022")
    wait_for_map(page)
    page.click("#share-button")
    page.click("#share-make")
    link = page.locator("#share-link").input_value()
    guest = watch.open(link)
    expect(guest.locator("#facts .fact b").first).to_have_text("23")
    assert guest.locator('[data-layer="pipes"]').count() == 0
    assert guest.request.get(link + "/tiles/pipes/15/25956/13935.mvt").status == 404
