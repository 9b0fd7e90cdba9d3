"""The demo county's report has exactly the totals of the county report, and own words are checked before they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from mapapp import demo, store
from mapapp.core.errors import ForbiddenError, InputError
from mapapp.services import reporting
from mapapp.services.scope import Scope

BOSS, EDITOR = Scope("wang", role="administrator"), Scope("li", role="editor")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[store.Database]:
    county = demo.county()
    path = str(tmp_path_factory.mktemp("report") / "demo.gpkg")
    with store.create(path, name=county.name, crs=county.crs) as made:
        for name in ("compounds", "ledger", "problems", "meetings", "management"):
            made.apply(made.compare(name, county.layers[name], "add"), by="test")
        made.snapshot(county.as_of, by="test", title=None)
        yield made


def text(db: store.Database) -> str:
    return "\n".join(p["text"] for p in reporting.preview(db, "zh", as_of="newest")["paragraphs"])


@pytest.mark.parametrize(
    "said",
    [
        "2020年，我县实施改造老旧小区20个，涉及建筑面积33.18万平方米，58栋楼，住户2670户，项目总投资5767.33万元。目前已全部完工。",
        "2021年，我县实施改造老旧小区28个，涉及建筑面积13.58万平方米，47栋楼，住户1146户，项目总投资3525.75万元。当年完工25个，剩余3个在2022年5月全部完成。",
        "2022年，我县实施改造老旧小区23个，涉及建筑面积11.62万平方米，37栋楼，住户1332户，项目总投资*万元。截至目前，23个小区的改造工作已全部启动。",
        "71个小区中",
    ],
)
def test_the_demo_county_reports_the_totals_of_the_county_report(db: store.Database, said: str) -> None:
    assert said in text(db)


def test_what_is_missing_is_named_with_its_year_and_count(db: store.Database) -> None:
    assert "2022年总投资（23 个小区）" in reporting.preview(db, "zh", as_of="newest")["missing"]


def test_the_annex_sums_each_year_and_all(db: store.Database, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(reporting.annex(db, as_of="newest").body)
    rows = list(openpyxl.load_workbook(tmp_path / "a.xlsx").active.values)[3:]
    sums = {(row[1], row[2]): row[4:8] for row in rows if row[0] is None}
    assert len(rows) == 71 + 4
    assert sums[(2020, "小计（20个）")] == pytest.approx((58, 2670, 33.18, 5767.33))
    assert sums[(None, "合计（71个）")][:3] == pytest.approx((142, 5148, 58.38))
    assert sums[(2022, "小计（23个）")][3] is None


def test_works_heads_and_items_come_from_the_catalogue(db: store.Database) -> None:
    """Twelve items of three heads are "more than ten"; withdrawn wishes do not count."""
    codes = ["B01", "B02", "B03", "B04", "B05", "B09", "B08", "B06", "B07", "B11", "B12", "B13", "W01"]
    rows = pd.DataFrame({"code": codes, "planned": [True] * 12 + [False], "done": [None] * 13})
    items = reporting._items(rows)
    facts = reporting.report.gather({"compounds": pd.DataFrame({"status": []}), "works": items}, "2022-11-25")
    assert (facts["heads"], facts["head_count"], facts["items"]) == ("基础设施、居住环境、安防系统", "三", "10余")


def test_own_words_are_used_once_kept_and_only_by_an_administrator(db: store.Database) -> None:
    words = reporting.shipped_text().replace("以上汇报，不妥之处，请批评指正。", "特此汇报。")
    with pytest.raises(ForbiddenError):
        reporting.keep_template(db, EDITOR, words.encode())
    reporting.keep_template(db, BOSS, words.encode())
    assert "特此汇报。" in text(db)
    reporting.drop_template(db, BOSS)
    assert "特此汇报。" not in text(db)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{meetings}", "{meetngs}", "no figure 'meetngs'"),
        ("{meetings}", "{meetings.__class__}", "not a name"),
        ("{meetings}", "{meetings:9999999}", "not a name"),
        ("{meetings}", "{meetings", "brace"),
        ("closing =", "ending =", "closing is absent"),
        ("none_started =", "none =", "year.none_started is absent"),
        ('when = "audited"', 'when = "audted"', "body"),
        ("title =", "title", "cannot be read"),
    ],
)
def test_wrong_words_are_refused_and_the_old_ones_stay(db: store.Database, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        reporting.keep_template(db, BOSS, reporting.shipped_text().replace(old, new).encode(), name="t.toml")
    assert reporting.template_text(db) == reporting.shipped_text()
