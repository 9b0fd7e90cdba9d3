"""This module writes the county's progress report and its annex from a snapshot."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from mapapp import resources, store
from mapapp.core.errors import InputError
from mapapp.core.text import Lang, Text
from mapapp.programme import report, template, totals, works
from mapapp.render import paper
from mapapp.services import counties, download
from mapapp.services.download import File
from mapapp.services.scope import Scope

Json = dict[str, Any]

_TABLES: Final = ("verdicts", "problems", "meetings", "management", "design_changes", "opinions",
                  "inspections", "works")  # fmt: skip
_OWN: Final = "report_template"
_LARGEST: Final = 100_000


@dataclass(frozen=True, slots=True)
class Composed:
    """A report ready for paper, with the snapshot it stands on (None: the live data)."""

    report: report.Report
    snapshot: int | None

    @property
    def day(self) -> str:
        """The as-of date as official papers write it."""
        return report.chinese_date(self.report.as_of)


def write(url: str, out: Path, *, as_of: str | None = None, template: Path | None = None) -> Json:
    """Write the progress report as .docx, or its annex as .xlsx, and return the figures it printed.

    Parameters
    ----------
    url : str
        The county database.
    out : Path
        The .docx or .xlsx to write.
    as_of : str, optional
        Id or date of a snapshot; the newest snapshot otherwise, and the live data where there is none, as of their last change.
    template : Path, optional
        The county's own words; what it keeps in its database, else ``geodata/report/county.toml`` otherwise.

    Raises
    ------
    InputError
        When the county holds no compounds, the extension is neither, or the template cannot be used.
    NotFoundError
        When there is no such snapshot.
    """
    writer = _WRITERS.get(out.suffix.lower())
    if writer is None:
        raise InputError(
            Text(
                f"汇报写成 .docx，附表写成 .xlsx，不是“{out.suffix}”。",
                f"A report is a .docx, its annex an .xlsx, not {out.suffix!r}.",
            ),
            where=out.name,
        )
    words = _from_file(template) if template is not None else None
    with store.open(url) as db:
        composed = compose(db, as_of=as_of or "newest", words=words)
    writer(composed, out)
    missing = [gap.words().zh for gap in composed.report.missing]
    return {
        "file": out.name,
        "as_of": composed.report.as_of,
        "snapshot": composed.snapshot,
        "missing": missing,
        "facts": composed.report.facts,
    }


def compose(db: store.Database, *, as_of: str | None = None, words: str | None = None) -> Composed:
    """Compose the report in memory.

    Parameters
    ----------
    db : Database
    as_of : str, optional
        Id or date of a snapshot; ``newest`` for the one made last; the live data, as of their last change, otherwise.
    words : str, optional
        A template as TOML; the county's own, else the shipped one otherwise.

    Raises
    ------
    InputError, NotFoundError
        See `write`.
    """
    if as_of == "newest":
        newest = max((s.id for s in db.snapshots()), default=None)
        as_of = None if newest is None else str(newest)
    at, day = counties.moment(db, as_of)
    there = set(db.layers(snapshot=at))
    tables: dict[str, pd.DataFrame] = {n: db.read(n, snapshot=at) for n in _TABLES if n in there}
    tables["compounds"] = db.effective_compounds(snapshot=at)
    if not len(tables["compounds"]):
        raise InputError(
            Text("县库里还没有小区。", "The county holds no compounds yet."),
            Text("请先导入小区或台账。", "Import compounds or a ledger first."),
        )
    if "works" in tables:
        tables["works"] = _items(tables["works"])
    return Composed(report.compose(tables, _parsed(words or template_text(db)), county=db.name, as_of=day), at)


def _items(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the items that are planned or done anywhere, with the county's heads, in the catalogue's order."""
    wanted = rows["planned"].astype("boolean").fillna(False) | rows["done"].astype("boolean").fillna(False)
    items = works.catalogue()
    hit = items[items["code"].isin(set(rows.loc[wanted.astype(bool), "code"]))]
    return pd.DataFrame({"code": hit["code"], "head": hit["county_head"]}).reset_index(drop=True)


def preview(db: store.Database, lang: Lang, *, as_of: str | None = None) -> Json:
    """Return what the report would say, before it is written.

    Returns
    -------
    dict
        ``as_of title snapshot``; ``paragraphs``: style and text; ``years``: figures per programme year, each with how
        many compounds it is unknown for, and ``total``; ``missing``: what the text marks, in words; ``mark``: with what;
        ``own``: whether the county uses its own words; ``rows``: rows of the annex.
    """
    composed = compose(db, as_of=as_of)
    made = composed.report
    return {
        "as_of": made.as_of,
        "title": made.title,
        "snapshot": None if composed.snapshot is None else str(composed.snapshot),
        "paragraphs": [{"style": p.style, "text": p.text} for p in made.paragraphs],
        "years": _years(made.years),
        "missing": [gap.words().pick(lang) for gap in made.missing],
        "mark": _parsed(template_text(db))["missing"],
        "own": db.setting(_OWN) is not None,
        "rows": len(made.annex),
    }


_SHOWN: Final = ("floor_area_m2", "buildings", "households", "invest_total_wan")
_COUNTED: Final = ("compounds", "started", "completed", "completed_in_year")


def _years(years: pd.DataFrame) -> list[Json]:
    """Return the figures as text: area in 万㎡, money in 万元; None where nothing is known."""
    rows: list[Json] = []
    for year, row in years.iterrows():
        told: Json = {"year": str(year)} | {name: int(row[name]) for name in _COUNTED}
        for name in _SHOWN:
            value = row[name] / 10_000 if name == "floor_area_m2" else row[name]
            told[name] = None if pd.isna(value) else template.plain(float(value))
            told[f"{name}_missing"] = int(row[f"{name}_missing"])
        told["rate"] = totals.rate(row["completed"], row["compounds"])
        rows.append(told)
    return rows


def document(db: store.Database, *, as_of: str | None = None) -> File:
    """Return the report as a .docx in the layout of official papers."""
    return _file(compose(db, as_of=as_of), ".docx")


def annex(db: store.Database, *, as_of: str | None = None) -> File:
    """Return the table of compounds as an .xlsx."""
    return _file(compose(db, as_of=as_of), ".xlsx")


def _file(composed: Composed, suffix: str) -> File:
    kind = "进展情况汇报" if suffix == ".docx" else "情况一览表"
    name = f"{composed.report.facts['county']}老旧小区改造{kind}{composed.report.as_of}{suffix}"
    return download.written(name, lambda path: _WRITERS[suffix](composed, path))


def _write_docx(composed: Composed, path: Path) -> None:
    made = composed.report
    paper.write(made.paragraphs, made.annex_title, made.annex, composed.day, path)


def _write_xlsx(composed: Composed, path: Path) -> None:
    made = composed.report
    paper.write_annex(made.annex_title.removeprefix("附件："), made.annex, composed.day, path)


_WRITERS: Final[dict[str, Callable[[Composed, Path], None]]] = {".docx": _write_docx, ".xlsx": _write_xlsx}


# -- the words ---------------------------------------------------------------------------------------------------------


def template_text(db: store.Database) -> str:
    """Return the words in use as TOML: the county's own, else the shipped ones."""
    own = db.setting(_OWN)
    return str(own) if own is not None else shipped_text()


def shipped_text() -> str:
    """Return the template that comes with the program."""
    return resources.geodata("report", "county.toml").read_text(encoding="utf-8")


def keep_template(db: store.Database, scope: Scope, body: bytes, *, name: str = "") -> None:
    """Keep the county's own words, after they were checked; nothing is kept of what is wrong.

    Raises
    ------
    ForbiddenError
        When the asker is no administrator: the words speak for the whole county.
    InputError
        When it is no TOML in UTF-8, lacks a part, or names a figure that does not exist.
    """
    scope.require_administrator()
    if len(body) > _LARGEST:
        raise InputError(Text("模板太大。", "The template is too large."), where=name or None)
    text = _decoded(body, name)
    template.checked(_parsed(text, name))
    db.set_setting(_OWN, text)


def drop_template(db: store.Database, scope: Scope) -> None:
    """Go back to the shipped words; ForbiddenError unless the asker is an administrator."""
    scope.require_administrator()
    db.set_setting(_OWN, None)


def _from_file(path: Path) -> str:
    try:
        return _decoded(path.read_bytes(), path.name)
    except OSError as error:
        raise _unreadable(error.strerror or str(error), path.name) from error


def _decoded(body: bytes, name: str) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable("UTF-8", name) from error


def _parsed(text: str, name: str = "") -> Json:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(str(error), name) from error


def _unreadable(why: str, name: str) -> InputError:
    return InputError(
        Text(f"模板读不出来：{why}。", f"The template cannot be read: {why}."),
        Text("它应是 UTF-8 的 TOML 文件。", "It should be a TOML file in UTF-8."),
        where=name or None,
    )
