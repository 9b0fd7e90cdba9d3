"""A relapse beside the status: a line of its own in the legend, which shows the relapsed compounds alone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, expect

from mapapp import store

from . import town
from .conftest import Watch, serve

pytestmark = pytest.mark.browser


def test_the_legend_explains_the_outline_and_shows_the_relapsed_alone(chromium: Browser, tmp_path: Path) -> None:
    """Two relapses: a line with their count below the statuses, on screen and on paper; pressed, the map shows two."""
    path = tmp_path / "town.gpkg"
    town.build(path)
    flags = pd.DataFrame({"compound_id": ["C01", "C02", "C03"], "relapse_items": ["楼道堆物", "乱搭建", None]})
    with store.open(str(path)) as db:
        db.apply(db.compare("management", flags, "add"), by="test")
    with serve(path) as address:
        watch = Watch(chromium, address)
        page = watch.open("/")
        line = page.locator('[data-layer="compounds"] [data-value=relapsed]')
        expect(line.locator(".count")).to_have_text("2")
        expect(line).to_have_attribute("aria-pressed", "false")
        line.click()
        expect(page.locator("#facts .fact b").first).to_have_text("2")
        expect(line).to_have_attribute("aria-pressed", "true")
        assert "f.relapsed=true" in page.url
        assert page.evaluate("Mapapp.printLegend.list().map(n => n.textContent).join('|')").count("反弹2") == 1
        line.click()
        expect(page.locator("#facts .fact b").first).to_have_text("12")
        watch.end()
