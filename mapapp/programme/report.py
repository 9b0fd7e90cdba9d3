"""This module writes the county's progress report as a list of paragraphs; another lays them out on paper.

Every figure comes from the tables it is given (a snapshot); what is not known is printed as the template's mark for
missing figures. Which sentence is chosen follows the facts: "all completed" is only written when all are.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from mapapp.core import status
from mapapp.programme import totals

Style = Literal["title", "h1", "h2", "body", "annex"]
Facts = Mapping[str, float | str | None]

_NUMERALS = "零一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph and its place in the hierarchy."""

    style: Style
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """The report, ready to be laid out."""

    title: str
    paragraphs: tuple[Paragraph, ...]
    annex_title: str
    annex: pd.DataFrame
    as_of: str
    facts: Facts
    missing: tuple[str, ...] = field(default=())


class _Filler(string.Formatter):
    """Fills ``{name}``; a figure that is not known becomes the mark, and its name is remembered."""

    def __init__(self, mark: str) -> None:
        self.mark, self.missing = mark, dict[str, None]()

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> str:  # stdlib's types
        value = kwargs.get(str(key))
        if value is None or (isinstance(value, float) and math.isnan(value)):
            self.missing[str(key)] = None
            return self.mark
        return value if isinstance(value, str) else plain(float(value))


def plain(number: float) -> str:
    """Return a figure as official papers print it: at most two decimals, none where they are zero, no separators.

    Examples
    --------
    >>> plain(33.18), plain(2670.0), plain(5767.3), plain(0.1 + 0.2)
    ('33.18', '2670', '5767.3', '0.3')
    """
    return f"{number:.2f}".rstrip("0").rstrip(".")


def chinese_date(iso: str) -> str:
    """Return 2026-11-05 as 2026年11月5日, and 2022-05 as 2022年5月."""
    return "".join(f"{int(part)}{unit}" for part, unit in zip(iso.split("-"), "年月日", strict=False))


def compose(tables: Mapping[str, pd.DataFrame], template: Mapping[str, Any], *, county: str, as_of: str) -> Report:
    """Compose the report.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``compounds`` (with what the ledger says), and where there are any ``verdicts problems meetings management
        design_changes works`` (``works``: columns ``head`` and ``code`` of the items done).
    template : mapping
        The parsed template; see ``geodata/report/county.toml``.
    county, as_of : str
        Name of the county; ISO date of the snapshot.

    Returns
    -------
    Report
        An empty county gives a report that says so with missing figures, never with zeros that nobody counted.
    """
    filler = _Filler(template["missing"])
    facts = {"county": county, "as_of": chinese_date(as_of)} | gather(tables)
    lines = list(_lines(template, filler, facts, totals.by_year(tables["compounds"]), tables["compounds"]))
    return Report(
        title=filler.format(template["title"], **facts),
        paragraphs=tuple(lines),
        annex_title=filler.format(template["annex"], **facts),
        annex=annex(tables["compounds"]),
        as_of=as_of,
        facts=facts,
        missing=tuple(filler.missing),
    )


def gather(tables: Mapping[str, pd.DataFrame]) -> dict[str, float | str | None]:
    """Return the figures the sentences may name; those whose table is absent stay None."""
    compounds = tables["compounds"]
    facts: dict[str, float | str | None] = {"total": len(compounds)}
    if "status" in compounds:
        facts["relapsed"] = int((compounds["status"] == "relapsed").sum())
    if (problems := tables.get("problems")) is not None:
        over = problems["status"].isin(["resolved", "closed"])
        still = problems.loc[~over, "category"].value_counts()
        facts |= {"problems": len(problems), "problems_closed": int(over.sum())}
        facts |= {f"open_{category}": int(n) for category, n in still.items()}
        sewer = ("sewer_main_missing", "sewer_inlet_unknown")
        facts |= {f"open_{category}": int(still.get(category, 0)) for category in sewer}
        facts["open_sewer"] = sum(int(still.get(category, 0)) for category in sewer)
    for name, key in (("meetings", "meetings"), ("design_changes", "design_changes")):
        if (table := tables.get(name)) is not None:
            facts[key] = len(table)
    if (management := tables.get("management")) is not None:
        has = management["mode"].notna() & (management["mode"] != "none")
        facts |= {"managed": int(has.sum()), "unmanaged": int((management["mode"] == "none").sum())}
        if "takeover_date" in management:
            facts["takeovers"] = int((management["mode"].eq("none") & management["takeover_date"].notna()).sum())
    if (verdicts := tables.get("verdicts")) is not None and len(verdicts):
        facts |= _sewer(verdicts, compounds)
    if (works := tables.get("works")) is not None and len(works):
        heads = list(dict.fromkeys(works["head"].dropna()))
        items = works["code"].nunique()
        facts |= {"heads": "、".join(heads), "head_count": _NUMERALS[len(heads)], "items": items // 10 * 10 or items}
    return facts


def _sewer(verdicts: pd.DataFrame, compounds: pd.DataFrame) -> dict[str, float | str | None]:
    count = verdicts["verdict"].value_counts()
    unserved = verdicts[~verdicts["verdict"].isin(["connected", "no_data"])]
    households = compounds.loc[compounds["compound_id"].isin(unserved["compound_id"])].get("households")
    facts: dict[str, float | str | None] = {v: int(count.get(v, 0)) for v in ("no_main", "inlet_unknown", "no_data")}
    known = None if households is None else pd.to_numeric(households, errors="coerce").sum(min_count=1)
    return facts | {
        "audited": len(verdicts),
        "connected": int(count.get("connected", 0)),
        "unserved": len(unserved),
        "unserved_households": None if known is None or pd.isna(known) else float(known),
    }


def _lines(
    template: Mapping[str, Any], filler: _Filler, facts: Facts, years: pd.DataFrame, compounds: pd.DataFrame
) -> Iterator[Paragraph]:
    yield Paragraph("title", filler.format(template["title"], **facts))
    yield Paragraph("body", filler.format(template["intro"], **facts))
    for number, section in enumerate(template["section"], start=1):
        yield Paragraph("h1", f"{_NUMERALS[number]}、{section['heading']}")
        for item in section.get("body", ()):
            yield from _body(item, template, filler, facts, years, compounds)
        shown = 0
        for part in section.get("part", ()):
            lines = [line for item in part["body"] for line in _body(item, template, filler, facts, years, compounds)]
            if lines:  # a heading without a fact under it says nothing
                shown += 1
                yield Paragraph("h2", f"（{_NUMERALS[shown]}）{part['heading']}")
                yield from lines
    yield Paragraph("body", filler.format(template["closing"], **facts))
    yield Paragraph("annex", filler.format(template["annex"], **facts))


def _body(
    item: str | Mapping[str, str],
    template: Mapping[str, Any],
    filler: _Filler,
    facts: Facts,
    years: pd.DataFrame,
    compounds: pd.DataFrame,
) -> Iterator[Paragraph]:
    if item == "@years":
        for year, row in years.iterrows():
            rows = compounds[pd.to_numeric(compounds["programme_year"], errors="coerce") == year]
            yield Paragraph("body", year_sentence(int(str(year)), row, rows, template["year"], filler))
    elif item == "@works":
        if facts.get("items"):
            yield Paragraph("body", filler.format(template["works"]["facts"], **facts))
    elif isinstance(item, str):
        yield Paragraph("body", filler.format(item, **facts))
    elif "when" not in item or facts.get(item["when"]):
        yield Paragraph("body", filler.format(item["text"], **facts))


def year_sentence(year: int, row: pd.Series, rows: pd.DataFrame, words: Mapping[str, str], filler: _Filler) -> str:
    """Return one programme year in a sentence or three; the tail is chosen by the facts."""
    whole = {name: row[name] if not row[f"{name}_missing"] else None for name in totals.FIGURES}
    area = whole["floor_area_m2"]
    figures: dict[str, float | str | None] = {
        "year": str(year),
        "compounds": row["compounds"],
        "area": None if area is None else area / 10_000,
        "buildings": whole["buildings"],
        "households": whole["households"],
        "invest": whole["invest_total_wan"],
        "started": row["started"],
        "completed": row["completed"],
        "waiting": row["compounds"] - row["started"],
        "in_year": row["completed_in_year"],
        "later": row["completed"] - row["completed_in_year"],
    }
    live = rows[rows["status"] != "withdrawn"]
    known, count = int(live["status"].notna().sum()), int(row["compounds"])
    figures["unknown"] = count - known
    text = filler.format(words["facts"], **figures)
    if row["completed"] == count and row["finish_known"] == count and 0 < row["completed_in_year"] < count:
        done = live["finish_actual"].astype("str").max()
        text += filler.format(words["completed_later"], **figures, later_until=chinese_date(done[:7]))
    elif row["completed"] == count:
        text += words["all_completed"]
    elif row["completed"]:
        text += filler.format(words["part_completed"], **figures)
    elif row["started"] == count:
        text += filler.format(words["all_started"], **figures)
    elif row["started"]:
        text += filler.format(words["part_started"], **figures)
    elif known == count:
        text += words["none_started"]
    return text + (filler.format(words["unknown"], **figures) if known < count else "")


_ANNEX = {
    "programme_year": "年度",
    "name": "小区名称",
    "street": "街道",
    "buildings": "楼栋数（栋）",
    "households": "户数（户）",
    "floor_area_m2": "建筑面积（万平方米）",
    "invest_total_wan": "总投资（万元）",
    "status": "进展",
}


def annex(compounds: pd.DataFrame) -> pd.DataFrame:
    """Return the table of compounds with the headers that paper uses; the input's order within each year."""
    table = pd.DataFrame(compounds.drop(columns="geometry", errors="ignore")).reindex(columns=list(_ANNEX))
    table = table.sort_values("programme_year", kind="stable", na_position="last", ignore_index=True)
    table["floor_area_m2"] = pd.to_numeric(table["floor_area_m2"], errors="coerce") / 10_000
    table["status"] = table["status"].map(lambda word: status.LABELS[word].zh if word in status.LABELS else None)
    table.insert(0, "no", range(1, len(table) + 1))
    return table.rename(columns={"no": "序号"} | _ANNEX)
