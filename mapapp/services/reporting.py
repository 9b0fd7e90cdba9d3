"""This module writes the county's progress report from a snapshot."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from mapapp import resources, store
from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.programme import report
from mapapp.render import paper
from mapapp.services import counties

_TABLES = ("verdicts", "problems", "meetings", "management")


def write(url: str, out: Path, *, as_of: str | None = None, template: Path | None = None) -> dict[str, Any]:
    """Write the progress report as .docx and return the figures it printed.

    Parameters
    ----------
    url : str
        The county database.
    out : Path
        The .docx to write.
    as_of : str, optional
        Id or date of a snapshot; the newest snapshot otherwise, and the live data as of today where there is none.
    template : Path, optional
        The county's own words; ``geodata/report/county.toml`` otherwise.

    Raises
    ------
    InputError
        When the county holds no compounds, the extension is not .docx, or the template cannot be read.
    NotFoundError
        When there is no such snapshot.
    """
    if out.suffix.lower() != ".docx":
        raise InputError(
            Text(f"汇报只能写成 .docx，不是“{out.suffix}”。", f"A report is a .docx, not {out.suffix!r}."),
            where=out.name,
        )
    words = _template(template or resources.geodata("report", "county.toml"))
    with store.open(url) as db:
        made = db.snapshots()
        at = counties.snapshot_id(db, as_of) if as_of else max((s.id for s in made), default=None)
        day = next((str(s.as_of)[:10] for s in made if s.id == at), date.today().isoformat())
        there = set(db.layers())
        tables: dict[str, pd.DataFrame] = {n: db.read(n, snapshot=at) for n in _TABLES if n in there}
        tables["compounds"] = db.effective_compounds(snapshot=at)
        name = db.name
    if not len(tables["compounds"]):
        raise InputError(
            Text("县库里还没有小区。", "The county holds no compounds yet."),
            Text("请先导入小区或台账。", "Import compounds or a ledger first."),
        )
    composed = report.compose(tables, words, county=name, as_of=day)
    paper.write(composed.paragraphs, composed.annex_title, composed.annex, report.chinese_date(day), out)
    return {"file": out.name, "as_of": day, "snapshot": at, "missing": list(composed.missing), "facts": composed.facts}


def _template(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            Text(f"模板读不出来：{error}。", f"The template cannot be read: {error}."),
            Text("它应是 UTF-8 的 TOML 文件。", "It should be a TOML file in UTF-8."),
            where=path.name,
        ) from error
