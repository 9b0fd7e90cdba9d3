"""The words and the looks, read from the files: every key exists, both languages say the same, contrast is enough."""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
from pathlib import Path

import pytest

from mapapp import resources, web
from mapapp.web.i18n_map import TEXTS, page_texts

STATIC = Path(resources.__file__).parent / "web" / "static"
TEMPLATES = resources.folder("templates")
PAGES = [TEMPLATES / name for name in ("base.html", "nav.html", "map.html", "compound.html", "gaps.html")]
NAMES = {
    name
    for page in PAGES
    for listed in re.findall(r"for name in \[(.*?)\]", page.read_text("utf-8"))
    for name in re.findall(r"'(\w+)'", listed)
}
SCRIPTS = [STATIC / "js" / f"{name}.js" for name in sorted(NAMES)]
PREFIXES = ("finding.", "history.", "gaps.", "sheet.", "facts.tab", "table.tab", "layers.tab", "card.photo.")
"""Keys that scripts put together from a word of the data."""


def used() -> set[str]:
    source = "\n".join(path.read_text(encoding="utf-8") for path in [*SCRIPTS, *PAGES])
    return set(
        re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)+|close|retry|unknown|unknown_short|yes|no|as_of)["']""", source)
    )


def asked(paths: list[Path]) -> set[str]:
    source = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    return set(re.findall(r"""\bt\(\s*["']([\w.]+\w)["']\s*[,)]""", source))


def test_every_text_that_a_script_asks_for_exists():
    """t("…") with a literal key finds a text among those that the page hands to its scripts."""
    assert asked(SCRIPTS) - set(TEXTS) == set()


def test_every_text_that_a_template_asks_for_exists():
    """A template may use the texts of every page."""
    modules = [
        importlib.import_module(f"mapapp.web.{m.name}")
        for m in pkgutil.iter_modules(web.__path__)
        if m.name.startswith("i18n")
    ]
    pages = sorted(TEMPLATES.glob("*.html"))
    assert asked(pages) - {key for module in modules for key in module.TEXTS} == set()


def test_every_text_is_used():
    """A text nobody asks for is deleted."""
    spare = {
        key for key in TEXTS if key not in used() and not key.startswith(PREFIXES) and not key.startswith("error.")
    }
    assert spare == set()


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_both_languages_fill_the_same_fields(key):
    """A text names the same {fields} in Chinese and in English, and is empty in neither."""
    zh, en = (
        {name for _, name, _, _ in string.Formatter().parse(page_texts(lang)[key]) if name} for lang in ("zh", "en")
    )
    assert zh == en
    assert TEXTS[key].zh.strip()
    assert TEXTS[key].en.strip()


def test_pages_hold_no_inline_handler_style_or_markup_from_data():
    """What the content security policy forbids is not there to begin with; scripts never write markup."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"\son\w+=|\sstyle=|javascript:", text), page.name
        assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", text), page.name
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            script.name
        )
        assert not re.search(r"\?\.\w|\?\?|^\s*import\s|=>", text), f"{script.name}: older browsers cannot read it"


def test_no_page_asks_another_host():
    """No address of another host stands in script, style or template, but for the name space of SVG."""
    for path in [*SCRIPTS, *PAGES, *(STATIC / "css").glob("*.css")]:
        found = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text(encoding="utf-8")))
        assert found <= {"http://www.w3.org", "https://www.example.gov.cn"}, path.name


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [("ink", "paper"), ("ink", "paper-3"), ("ink-2", "paper"), ("ink-2", "paper-2"), ("ink-2", "page"), ("accent", "paper"),
     ("accent-ink", "accent"), ("bad", "bad-soft"), ("warn", "warn-soft"), ("good", "good-soft"), ("ink", "accent-soft")],
)  # fmt: skip
def test_contrast_is_enough_to_read(scheme, ink, paper):
    """WCAG 2.2, 1.4.3: text stands out from its ground by 4.5 to 1, in both schemes."""
    blocks = re.findall(r":root \{(.*?)\}", (STATIC / "css" / "base.css").read_text(encoding="utf-8"), re.DOTALL)
    tokens = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme]))
    light, dark = sorted((_luminance(tokens[ink]), _luminance(tokens[paper])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
