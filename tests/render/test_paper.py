"""The report on paper: the standard's layout, real headings, and LibreOffice opens it without complaint."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from docx import Document
from docx.oxml.ns import qn

from mapapp.render import paper


class Line(NamedTuple):
    style: str
    text: str


LINES = [
    Line("title", "关于云岭县的汇报"),
    Line("h1", "一、基本情况"),
    Line("h2", "（一）组织"),
    Line("body", "共 33.18 万㎡。"),
]
ANNEX = pd.DataFrame({"序号": [1, 2], "小区名称": ["甲", None], "户数": [12.0, 3.5]})


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "report.docx"
    paper.write(LINES, "附件：一览表", ANNEX, "2022年11月25日", path)
    return path


def test_margins_are_those_of_the_standard(written: Path) -> None:
    section = Document(str(written)).sections[0]
    margins = (section.top_margin, section.left_margin, section.right_margin, section.bottom_margin)
    assert [round(m.mm) for m in margins] == [37, 28, 26, 35]
    assert round(section.page_width.mm) == 210


def test_headings_are_real_word_headings(written: Path) -> None:
    styles = {p.text: p.style.name for p in Document(str(written)).paragraphs}
    assert (styles["一、基本情况"], styles["（一）组织"]) == ("Heading 1", "Heading 2")


@pytest.mark.parametrize(
    ("style", "font"), [("Title", "方正小标宋简体"), ("Body Text", "仿宋_GB2312"), ("Heading 1", "黑体")]
)
def test_fonts_are_named_for_chinese_text_too(written: Path, style: str, font: str) -> None:
    fonts = Document(str(written)).styles[style].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == font


def test_the_annex_prints_missing_cells_empty(written: Path) -> None:
    cells = [[c.text for c in row.cells] for row in Document(str(written)).tables[0].rows]
    assert cells == [["序号", "小区名称", "户数"], ["1", "甲", "12"], ["2", "", "3.5"]]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_it_and_prints_the_square_metre_sign(written: Path, tmp_path: Path) -> None:
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "pdf"]
    subprocess.run([*command, "--outdir", str(tmp_path), str(written)], check=True, capture_output=True, timeout=120)
    text = subprocess.run(["pdftotext", str(tmp_path / "report.pdf"), "-"], check=True, capture_output=True).stdout
    assert "33.18 万㎡" in text.decode().replace("  ", " ")
