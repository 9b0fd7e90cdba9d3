"""This module writes the county's progress report as a list of paragraphs; another lays them out on paper.

Every figure comes from the tables it is given (a snapshot); what is not known is printed as the template's mark for
missing figures. Which sentence is chosen follows the facts: "all completed" is only written when all are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

from mapapp.core import status
from mapapp.core.text import Text
from mapapp.programme import management as caring
from mapapp.programme import totals
from mapapp.programme.problems import SETTLED
from mapapp.programme.template import LABELS, NUMBERS, NUMERALS, YEAR_FIGURES, YEAR_KEYS, Facts, Filler, checked, pieces

Style = Literal["title", "h1", "h2", "body", "annex"]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph and its place in the hierarchy."""

    style: Style
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A figure the report names and nobody knows: of which year (None: of the whole county), and for how many compounds."""

    figure: str
    year: int | None = None
    unknown: int | None = None

    def words(self) -> Text:
        """Return what is missing as a reader would say it."""
        label = LABELS.get(self.figure, Text(self.figure, self.figure))
        if self.year is None:
            return label
        count = Text(f"（{self.unknown} 个小区）", f" ({self.unknown} compounds)") if self.unknown else Text("", "")
        return Text(f"{self.year}年{label.zh}{count.zh}", f"{label.en} of {self.year}{count.en}")


@dataclass(frozen=True, slots=True)
class Report:
    """The report, ready to be laid out.

    Attributes
    ----------
    years : DataFrame
        `totals.by_year`: the figures of the first section.
    facts : mapping
        Every other figure by name; None where it is not known.
    missing : tuple of Gap
        What the text marks as not known.
    """

    title: str
    paragraphs: tuple[Paragraph, ...]
    annex_title: str
    annex: pd.DataFrame
    as_of: str
    years: pd.DataFrame
    facts: Facts
    missing: tuple[Gap, ...] = ()


def chinese_date(iso: str) -> str:
    """Return 2026-11-05 as 2026年11月5日, and 2022-05 as 2022年5月."""
    return "".join(f"{int(part)}{unit}" for part, unit in zip(iso.split("-"), "年月日", strict=False))


def compose(tables: Mapping[str, pd.DataFrame], template: Mapping[str, Any], *, county: str, as_of: str) -> Report:
    """Compose the report.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``compounds`` (with what the ledger says), and where there are any ``verdicts problems meetings management
        design_changes opinions inspections works`` (``works``: columns ``head`` and ``code`` of the items of the programme).
    template : mapping
        The parsed template; see ``geodata/report/county.toml``.
    county, as_of : str
        Name of the county; ISO date of the snapshot.

    Returns
    -------
    Report
        An empty county gives a report that says so with missing figures, never with zeros that nobody counted.

    Raises
    ------
    InputError
        See `checked`.
    """
    checked(template)
    filler = Filler(template["missing"])
    facts = {"county": county, "as_of": chinese_date(as_of)} | gather(tables, as_of)
    years = totals.by_year(tables["compounds"])
    lines = list(_lines(template, filler, facts, years, tables["compounds"]))
    return Report(
        title=filler.format(template["title"], **facts).replace("\n", ""),
        paragraphs=tuple(lines),
        annex_title=filler.format(template["annex"], **facts),
        annex=annex(tables["compounds"]),
        as_of=as_of,
        years=years,
        facts=facts,
        missing=(*_unknown(years, template["year"]), *(Gap(name) for name in filler.missing)),
    )


def _unknown(years: pd.DataFrame, words: Mapping[str, str]) -> Iterator[Gap]:
    """Name the yearly figures that the sentences use and that not every compound has."""
    used = {name for key in YEAR_KEYS for _, name in pieces(words[key])}
    for year, row in years.iterrows():
        for name, column in YEAR_FIGURES.items():
            if name in used and row[f"{column}_missing"]:
                yield Gap(name, int(str(year)), int(row[f"{column}_missing"]))


def gather(tables: Mapping[str, pd.DataFrame], as_of: str) -> dict[str, float | str | None]:
    """Return the figures the sentences may name; those whose table is absent stay None.

    Compounds withdrawn from the plan count nowhere, and neither does what hangs on them alone.
    """
    compounds = _live(tables["compounds"])
    tables = {name: _about(table, compounds) for name, table in tables.items()} | {"compounds": compounds}
    facts: dict[str, float | str | None] = {"total": len(compounds)}
    if (problems := tables.get("problems")) is not None:
        facts |= _problems(problems)
    if (meetings := tables.get("meetings")) is not None:
        facts["meetings"] = len(_until(meetings, "held_on", as_of))
    if (changes := tables.get("design_changes")) is not None:
        facts["design_changes"] = len(changes)
        facts["design_changes_wished"] = int(_column(changes, "reason").eq("resident_feedback").sum())
    if (opinions := tables.get("opinions")) is not None:
        facts["opinions"] = len(opinions)
        facts["opinions_answered"] = int(_column(opinions, "replied_on").notna().sum())
    if (inspections := tables.get("inspections")) is not None:
        facts |= _inspections(_until(inspections, "held_on", as_of))
    facts |= _management(compounds, tables.get("management"), as_of)
    if (verdicts := tables.get("verdicts")) is not None and len(verdicts):
        facts |= _sewer(verdicts, compounds)
    if (works := tables.get("works")) is not None and len(works):
        facts |= _works(works)
    return facts


def _live(compounds: pd.DataFrame) -> pd.DataFrame:
    return compounds[_column(compounds, "status") != "withdrawn"].reset_index(drop=True)


def _about(table: pd.DataFrame, compounds: pd.DataFrame) -> pd.DataFrame:
    """Return rows about these compounds, and rows about no compound in particular."""
    if "compound_id" not in table:
        return table
    return table[table["compound_id"].isna() | table["compound_id"].isin(compounds["compound_id"])]


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    return table[name].astype("object") if name in table else pd.Series(None, index=table.index, dtype="object")


def _until(table: pd.DataFrame, column: str, as_of: str) -> pd.DataFrame:
    """Return what had taken place by then; a meeting that is only called has not been held."""
    day = _column(table, column)
    return table[(day.notna() & (day.astype("str").str[:10] <= as_of[:10])).to_numpy(dtype=bool)]


def _problems(problems: pd.DataFrame) -> dict[str, float | str | None]:
    over = problems["status"].isin(SETTLED)
    still = problems.loc[~over, "category"].value_counts()
    facts: dict[str, float | str | None] = {"problems": len(problems), "problems_closed": int(over.sum())}
    facts |= {f"open_{category}": int(n) for category, n in still.items()}
    sewer = ("sewer_main_missing", "sewer_inlet_unknown")
    facts |= {f"open_{category}": int(still.get(category, 0)) for category in sewer}
    facts["open_sewer"] = sum(int(still.get(category, 0)) for category in sewer)
    owners = _column(problems[~over & problems["category"].eq("aerial_cables")], "utility_owner").dropna()
    named = {name.strip() for cell in owners.astype("str") for name in re.split("[;；、]", cell) if name.strip()}
    return facts | {"aerial_cable_owners": len(named) or None}


def _inspections(inspections: pd.DataFrame) -> dict[str, float | str | None]:
    bad = _column(inspections, "result").isin(["rectify", "stopped"])
    mended = bad & _column(inspections, "rectified_on").notna()
    return {
        "inspections": len(inspections),
        "inspections_bad": int(bad.sum()),
        "inspections_mended": int(mended.sum()),
    }


def _management(compounds: pd.DataFrame, management: pd.DataFrame | None, as_of: str) -> dict[str, float | str | None]:
    flagged = int(caring.relapse(compounds, management).eq(True).fillna(False).sum())
    if management is None:
        return {"relapsed": flagged} if "status" in compounds else {}
    kept = caring.managed(compounds, management)
    facts: dict[str, float | str | None] = {
        "relapsed": flagged,
        "managed": int(kept.eq(True).fillna(False).sum()),
        "unmanaged": int(kept.eq(False).fillna(False).sum()),
        "management_unknown": int(kept.isna().sum()),
    }
    takeover = _column(management, "takeover_date")
    ahead = takeover.astype("str").str[:10] > as_of[:10]
    facts["takeovers"] = int((takeover.notna() & (ahead | _column(management, "mode").eq(caring.NOBODY))).sum())
    return facts


def _works(works: pd.DataFrame) -> dict[str, float | str | None]:
    """Count distinct items, rounded down to ten ("more than 30") as such papers do, and only where that is true."""
    heads, items = list(dict.fromkeys(works["head"].dropna())), int(works["code"].nunique())
    told = f"{items // 10 * 10}余" if items > 10 and items % 10 else str(items)
    count = NUMERALS[len(heads)] if len(heads) < len(NUMERALS) else str(len(heads))
    return {"heads": "、".join(heads) or None, "head_count": count if heads else None, "items": told}


_UNSERVED: Final = ("not_connected", "no_main", "dangling", "wrong_outlet", "no_gravity")
"""Verdicts that say "no"; an inlet or a network that nobody has found is not known, and told apart."""


def _sewer(verdicts: pd.DataFrame, compounds: pd.DataFrame) -> dict[str, float | str | None]:
    count = verdicts["verdict"].value_counts()
    unserved = verdicts[verdicts["verdict"].isin(_UNSERVED)]
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
    template: Mapping[str, Any], filler: Filler, facts: Facts, years: pd.DataFrame, compounds: pd.DataFrame
) -> Iterator[Paragraph]:
    yield Paragraph("title", filler.format(template["title"], **facts))
    yield Paragraph("body", filler.format(template["intro"], **facts))
    for number, section in enumerate(template["section"], start=1):
        yield Paragraph("h1", f"{NUMERALS[number]}、{section['heading']}")
        lines = [
            line for item in section.get("body", ()) for line in _body(item, template, filler, facts, years, compounds)
        ]
        yield from numbered(lines, section.get("number", ""))
        shown = 0
        for part in section.get("part", ()):
            lines = [line for item in part["body"] for line in _body(item, template, filler, facts, years, compounds)]
            if lines:  # a heading without a fact under it says nothing
                shown += 1
                yield Paragraph("h2", f"（{NUMERALS[shown]}）{part['heading']}")
                yield from numbered(lines, part.get("number", ""))
    yield Paragraph("body", filler.format(template["closing"], **facts))
    yield Paragraph("annex", filler.format(template["annex"], **facts))


def numbered(lines: Sequence[Paragraph], kind: str) -> list[Paragraph]:
    """Return the paragraphs counted as ``1.`` or ``一是``; a single one needs no number.

    What is counted is what was written: a sentence that was left out for want of its fact leaves no hole.
    """
    if kind not in NUMBERS or len(lines) < 2 or len(lines) >= len(NUMERALS):
        return list(lines)
    heads = (f"{n}." if kind == "1." else f"{NUMERALS[n]}是" for n in range(1, len(lines) + 1))
    return [Paragraph(line.style, head + line.text) for head, line in zip(heads, lines, strict=True)]


def _body(
    item: str | Mapping[str, str],
    template: Mapping[str, Any],
    filler: Filler,
    facts: Facts,
    years: pd.DataFrame,
    compounds: pd.DataFrame,
) -> Iterator[Paragraph]:
    if item == "@years":
        for year, row in years.iterrows():
            rows = compounds[pd.to_numeric(compounds["programme_year"], errors="coerce") == year]
            yield Paragraph("body", year_sentence(int(str(year)), row, rows, template["year"], template["missing"]))
    elif item == "@works":
        if facts.get("items"):
            yield Paragraph("body", filler.format(template["works"]["facts"], **facts))
    elif isinstance(item, str):
        yield Paragraph("body", filler.format(item, **facts))
    elif "when" not in item or facts.get(item["when"]):
        yield Paragraph("body", filler.format(item["text"], **facts))


def year_sentence(year: int, row: pd.Series, rows: pd.DataFrame, words: Mapping[str, str], mark: str) -> str:
    """Return one programme year in a sentence or three; the tail is chosen by the facts."""
    filler = Filler(mark)
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
    finish = live["finish_actual"].astype("str") if "finish_actual" in live else pd.Series(dtype="str")
    early = bool(
        (finish.str[:4] < str(year)).fillna(False).any()
    )  # "the rest followed later" would not be true of them
    if row["completed"] == count == row["finish_known"] and 0 < row["completed_in_year"] < count and not early:
        done = finish.max()
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
    """Return the table of compounds with the headers that paper uses; the input's order within each year.

    Each year ends with its subtotal, the table with the total, both as in `totals.by_year`: withdrawn compounds do not
    count, and a sum in which any compound is unknown stays empty.
    """
    table = pd.DataFrame(compounds.drop(columns="geometry", errors="ignore")).reindex(columns=list(_ANNEX))
    table["programme_year"] = pd.to_numeric(table["programme_year"], errors="coerce").astype("Int64")
    table = table.sort_values("programme_year", kind="stable", na_position="last", ignore_index=True)
    table.insert(0, "no", pd.Series(range(1, len(table) + 1), dtype="Int64"))
    for name in ("buildings", "households", "floor_area_m2", "invest_total_wan"):
        table[name] = pd.to_numeric(table[name], errors="coerce").astype("float64")
    years = totals.by_year(compounds)
    parts = []
    for year, group in table.groupby("programme_year", sort=True, dropna=False):
        parts.append(group)
        if year in years.index:
            parts.append(_sum_row("小计", years.loc[[year]]).assign(programme_year=year))
    if len(years) > 1:
        parts.append(_sum_row("合计", years))
    whole = pd.concat([part.astype(object) for part in parts], ignore_index=True) if parts else table.astype(object)
    whole["floor_area_m2"] = pd.to_numeric(whole["floor_area_m2"], errors="coerce") / 10_000
    whole["status"] = whole["status"].map(lambda word: status.LABELS[word].zh if word in status.LABELS else None)
    return whole.rename(columns={"no": "序号"} | _ANNEX)


def _sum_row(name: str, years: pd.DataFrame) -> pd.DataFrame:
    row: dict[str, object] = {
        "no": None,
        **dict.fromkeys(_ANNEX),
        "name": f"{name}（{int(years['compounds'].sum())}个）",
    }
    for figure in ("buildings", "households", "floor_area_m2", "invest_total_wan"):
        known = not years[f"{figure}_missing"].any()
        row[figure] = years[figure].sum() if known else None
    return pd.DataFrame([row], dtype=object)
