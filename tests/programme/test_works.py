"""The works catalogue is a plain file that a county may edit."""

from pathlib import Path

import pytest

from mapapp.core.errors import InputError
from mapapp.programme import works


def test_the_shipped_catalogue_has_36_items_in_four_heads_and_three_classes() -> None:
    items = works.catalogue()
    assert len(items) == 36
    assert set(items["national_class"]) == {"基础", "完善", "提升"}
    assert set(items["county_head"].dropna()) == {"居住环境", "基础设施", "房屋修缮", "安防系统"}


def test_items_done_are_named_by_code_or_by_name() -> None:
    assert list(works.done(["B01;供气", None, "空中楼阁"], works.catalogue())["code"]) == ["B01", "B06"]


def test_a_code_that_stands_twice_is_refused(tmp_path: Path) -> None:
    works.catalogue().iloc[[0, 0]].to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(InputError, match="B01 twice"):
        works.catalogue(tmp_path / "own.csv")
