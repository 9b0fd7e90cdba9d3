"""This module fills the monthly and provincial forms from a state of the county and gives them as workbooks."""

from __future__ import annotations

import tomllib
from typing import Any

import pandas as pd

from mapapp import resources
from mapapp.core import status
from mapapp.core.errors import ForbiddenError, InputError, NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.programme import months, report
from mapapp.render import forms as sheets
from mapapp.services.download import File
from mapapp.services.frames import View


def listed(lang: Lang) -> list[dict[str, str]]:
    """Return the forms there are: ``name title``, by name."""
    found = sorted(resources.geodata("forms").glob("*.toml"))
    return [{"name": path.stem, "title": str(_spec(path.stem)["title_short"][lang])} for path in found]


def _spec(name: str) -> dict[str, Any]:
    there = {path.stem: path for path in resources.geodata("forms").glob("*.toml")}
    if name not in there:
        raise NotFoundError(
            Text(f"没有表样“{name}”。", f"There is no form {name!r}."),
            Text(f"现有：{' '.join(sorted(there))}。", f"Forms: {' '.join(sorted(there))}."),
        )
    try:
        return tomllib.loads(there[name].read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            Text(f"表样读不出来：{error}。", f"The form cannot be read: {error}."),
            Text("它应是 UTF-8 的 TOML 文件。", "It should be a TOML file in UTF-8."),
            where=f"{name}.toml",
        ) from error


def fill(view: View, name: str, lang: Lang) -> File:
    """Return a form filled from what the view shows, as .xlsx.

    Raises
    ------
    ForbiddenError
        When the asker may not take tables away.
    NotFoundError
        When there is no such form.
    InputError
        When the form names a figure that there is not, or the county holds no compounds.
    """
    if not view.scope.downloads:
        raise ForbiddenError(Text("此处不能下载表格。", "Tables cannot be downloaded here."))
    spec = _spec(name)
    if "compounds" not in view.layers:
        raise InputError(
            Text("县库里还没有小区。", "The county holds no compounds yet."),
            Text("请先导入小区或台账。", "Import compounds or a ledger first."),
        )
    for column in spec["column"]:
        if column.get("codes"):
            column["words"] = {code: word.zh for code, word in status.LABELS.items()}
    table = pd.DataFrame(view.table("compounds"))
    made = months.form(
        table, spec, county=view.county.db.name, as_of=view.as_of, as_of_zh=report.chinese_date(view.as_of),
        year=view.as_of[:4],
    )  # fmt: skip
    body = sheets.book(made.title, made.note, made.sheet, made.heads, made.rows, made.digits, total=made.total)
    title = str(spec["title_short"][lang])
    return File(f"{title}-{view.as_of}.xlsx", body)
