"""This module checks a ledger: what cannot be, and what is hardly likely. It flags; it never repairs.

The plausibility bands are soft limits drawn from eleven published programmes (county reports and provincial annexes of
2021 to 2023); a figure ten thousand times off means that 万 was taken for 1, or the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from mapapp.core import status
from mapapp.core.text import Text


@dataclass(frozen=True, slots=True)
class Band:
    """A plausible range of one figure per another."""

    figure: str
    per: str
    low: float
    high: float
    unit: Text
    scale: float = 1.0


BANDS: Final = (
    Band("floor_area_m2", "households", 40, 200, Text("㎡/户", "m2 per household")),
    Band("households", "buildings", 5, 150, Text("户/栋", "households per building")),
    Band("floor_area_m2", "buildings", 800, 15000, Text("㎡/栋", "m2 per building")),
    Band("invest_total_wan", "floor_area_m2", 80, 1500, Text("元/㎡", "yuan per m2"), scale=10_000),
    Band("invest_total_wan", "households", 0.5, 12, Text("万元/户", "10,000 yuan per household")),
)

COLUMNS: Final = ("compound_id", "check", "column", "value", "message", "message_en")
PLACE: Final = ("file", "sheet", "cell", "raw")
"""Where the value stands in the file it came from."""

TITLES: Final = {
    "sum": Text("合计不符", "Sum does not add up"),
    "count": Text("个数不符", "Count does not agree"),
    "started_over_planned": Text("开工多于计划", "More started than planned"),
    "unit": Text("单位可疑（万）", "Unit in doubt (10,000)"),
    "ratio": Text("数值可疑", "Figure in doubt"),
    "duplicate": Text("重复", "Twice"),
    "date_order": Text("时间先后", "Order of dates"),
    "date_future": Text("时间在后", "Date in the future"),
    "date_status": Text("时间与状态", "Date against status"),
    "money_over": Text("投资超出", "Money over the total"),
    "progress_status": Text("进度与状态", "Progress against status"),
    "name_changed": Text("名称改变", "Name changed"),
    "unmatched": Text("对不上小区", "No such compound"),
}
"""Every check by its id, in the order in which a planner reads them."""


def check(ledger: pd.DataFrame, as_of: str | None = None) -> pd.DataFrame:
    """Return everything that does not add up, one row per fault.

    Parameters
    ----------
    ledger : DataFrame
        One row per compound in the units of the schema (m2, households, 10,000 yuan). Missing values and columns are
        not faults here; they are counted where totals are shown.
    as_of : str, optional
        ISO date the ledger stands for; dates of done things after it are faults.

    Returns
    -------
    DataFrame
        `COLUMNS` and an empty `PLACE` (see `locate`); ``check`` is one of ``ratio unit duplicate date_order date_future
        date_status money_over progress_status``. Empty when all is well.
    """
    parts = [_bands(ledger), _duplicates(ledger), _dates(ledger, as_of), _progress(ledger)]
    found = together(*parts)
    # one wrong area shows per household and per building: it is one fault of one cell
    return found[~found.duplicated(["compound_id", "check", "column"])].reset_index(drop=True)


def together(*parts: pd.DataFrame) -> pd.DataFrame:
    """Return faults found by several checks as one table of `COLUMNS` and `PLACE`; a place that is not known is missing."""
    found = [part for part in parts if len(part)] or [pd.DataFrame(columns=list(COLUMNS))]
    out = pd.concat(found, ignore_index=True).reindex(columns=[*COLUMNS, *PLACE])
    return out.astype("object").where(out.notna(), None)


def _number(ledger: pd.DataFrame, name: str) -> pd.Series:
    if name not in ledger:
        return pd.Series(np.nan, index=ledger.index)
    return pd.to_numeric(ledger[name], errors="coerce").astype("float64")


def _text(ledger: pd.DataFrame, name: str) -> pd.Series:
    return ledger[name].astype("object") if name in ledger else pd.Series(None, index=ledger.index, dtype="object")


def _rows(ledger: pd.DataFrame, hit: pd.Series, kind: str, column: str, value: pd.Series, text: Text) -> pd.DataFrame:
    """Lay one message over the rows that are hit; ``{value}`` is filled per row."""
    chosen = ledger.index[hit.to_numpy(dtype=bool)]
    shown = value.loc[chosen].map(lambda v: _figure(v) if isinstance(v, float) else str(v))
    return pd.DataFrame(
        {
            "compound_id": _text(ledger, "compound_id").loc[chosen],
            "check": kind,
            "column": column,
            "value": shown,
            "message": [text.zh.format(value=v) for v in shown],
            "message_en": [text.en.format(value=v) for v in shown],
        }
    )


def _figure(value: float) -> str:
    """Four places that mean something, never a power of ten: 855,000 and 36.66."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _bands(ledger: pd.DataFrame) -> pd.DataFrame:
    """Compare all ratios; money is not measured by an area that is itself at fault."""
    sizes = [_band(ledger, band) for band in BANDS if band.per != "floor_area_m2"]
    areas = pd.concat(sizes)
    wrong = areas.index[areas["column"] == "floor_area_m2"]
    trusted = ledger.assign(floor_area_m2=_number(ledger, "floor_area_m2").mask(ledger.index.isin(wrong)))
    return pd.concat([*sizes, *(_band(trusted, band) for band in BANDS if band.per == "floor_area_m2")])


def _band(ledger: pd.DataFrame, band: Band) -> pd.DataFrame:
    whole = _number(ledger, band.per)
    ratio = _number(ledger, band.figure) * band.scale / whole.where(whole > 0)
    out = (ratio < band.low) | (ratio > band.high)
    middle = (band.low * band.high) ** 0.5
    slip = out & (np.abs(np.log10((ratio / middle).where(ratio > 0))).sub(4).abs() < 0.7)
    plain = Text(
        f"{{value}} {band.unit.zh}，一般在 {band.low:g}～{band.high:g} 之间。",
        f"{{value}} {band.unit.en}; usually {band.low:g} to {band.high:g}.",
    )
    unit = Text(
        f"{{value}} {band.unit.zh}，差约一万倍：多半是“万”的单位弄错了。",
        f"{{value}} {band.unit.en}, about 10,000 times off: probably 万 (10,000) was mistaken.",
    )
    return pd.concat(
        [
            _rows(ledger, out & ~slip, "ratio", band.figure, ratio, plain),
            _rows(ledger, slip, "unit", band.figure, ratio, unit),
        ]
    )


def _duplicates(ledger: pd.DataFrame) -> pd.DataFrame:
    name = _text(ledger, "name")
    place = pd.DataFrame({"name": name, "street": _text(ledger, "street"), "year": _text(ledger, "programme_year")})
    hit = name.notna() & place.duplicated(keep=False)
    text = Text("同一街道、同一年度有两行“{value}”。", "Two rows of one street and year are called {value!r}.")
    return _rows(ledger, hit, "duplicate", "name", name, text)


_ORDER = Text("完工时间 {value} 早于开工时间。", "Finished {value}, before it started.")
_FUTURE = Text("实际时间 {value} 晚于截至日期。", "{value} lies after the as-of date.")
_EARLY_FINISH = Text("有完工时间 {value}，状态却不是已完工。", "Finished {value}, but the status says otherwise.")
_EARLY_START = Text("有开工时间 {value}，状态却是未开工。", "Started {value}, but the status says not started.")


def _dates(ledger: pd.DataFrame, as_of: str | None) -> pd.DataFrame:
    start, finish, state = (_text(ledger, name) for name in ("start_actual", "finish_actual", "status"))
    order = start.notna() & finish.notna() & (finish.astype("str") < start.astype("str"))
    unfinished = state.isin(set(status.LABELS) - status.COMPLETED) & finish.notna()
    unstarted = state.isin(set(status.LABELS) - status.STARTED - {"withdrawn"}) & start.notna()
    parts = [
        _rows(ledger, order, "date_order", "finish_actual", finish, _ORDER),
        _rows(ledger, unfinished, "date_status", "finish_actual", finish, _EARLY_FINISH),
        _rows(ledger, unstarted, "date_status", "start_actual", start, _EARLY_START),
    ]
    if as_of is not None:
        for column, dates in (("start_actual", start), ("finish_actual", finish)):
            late = dates.notna() & (dates.astype("str").str[:7] > as_of[:7])
            parts.append(_rows(ledger, late, "date_future", column, dates, _FUTURE))
    return pd.concat(parts)


_OVER = Text("已完成投资 {value} 万元，超过总投资的 130 %。", "{value} (10,000 yuan) spent, over 130 % of the total.")
_BOUNDS = Text("形象进度 {value} %，应在 0～100 之间。", "Progress {value} %, should lie within 0 and 100.")
_PART = Text("状态已完工，形象进度却只有 {value} %。", "Completed, but the progress is {value} %.")
_WHOLE = Text("形象进度 {value} %，状态却不是已完工。", "Progress {value} %, but the status is not completed.")


def _progress(ledger: pd.DataFrame) -> pd.DataFrame:
    done, total = _number(ledger, "invest_done_wan"), _number(ledger, "invest_total_wan")
    progress, state = _number(ledger, "image_progress_pct"), _text(ledger, "status")
    bounds = (progress < 0) | (progress > 100)
    part = state.isin(status.COMPLETED) & (progress < 100) & ~bounds
    whole = state.isin(set(status.LABELS) - status.COMPLETED) & (progress == 100)
    return pd.concat(
        [
            _rows(ledger, done > 1.3 * total, "money_over", "invest_done_wan", done, _OVER),
            _rows(ledger, bounds, "progress_status", "image_progress_pct", progress, _BOUNDS),
            _rows(ledger, part, "progress_status", "image_progress_pct", progress, _PART),
            _rows(ledger, whole, "progress_status", "image_progress_pct", progress, _WHOLE),
        ]
    )


_SUM = Text(
    "{label}写 {value}，{rows} 行之和是 {summed}，相差 {off}。",
    "{label} says {value}; its {rows} rows sum to {summed}, a difference of {off}.",
)


def sums(totals: pd.DataFrame) -> pd.DataFrame:
    """Return the printed sums that do not agree with their rows.

    Parameters
    ----------
    totals : DataFrame
        One row per printed sum, in one unit each: ``sheet cell label block grand column printed summed parts rows
        tolerance``; ``parts`` is the sum of the printed subtotals for a grand total, missing elsewhere.

    Returns
    -------
    DataFrame
        `COLUMNS` and `PLACE`, ``check`` "sum", no compound. A grand total that adds up wrong subtotals rightly carries
        their fault on and is not a fault of its own.
    """
    off = (totals["printed"] - totals["summed"]).astype("float64")
    wrong = off.abs() > totals["tolerance"].astype("float64")
    carried = (totals["printed"] - totals["parts"]).astype("float64").abs() <= totals["tolerance"].astype("float64")
    rows = totals[(wrong & ~(totals["grand"].astype(bool) & carried)).to_numpy(dtype=bool)]
    told = [
        _SUM.format(
            label=f"{t['block']} {t['label']}".strip(), value=_exact(t["printed"]), rows=t["rows"],
            summed=_exact(t["summed"]), off=_exact(t["printed"] - t["summed"]),
        )
        for t in rows.to_dict("records")
    ]  # fmt: skip
    return _about_file(rows, "sum", told)


def _exact(value: float) -> str:
    return f"{value:,.4f}".rstrip("0").rstrip(".")


def _about_file(rows: pd.DataFrame, kind: pd.Series | str, told: list[Text]) -> pd.DataFrame:
    """Lay messages over printed figures, which belong to no compound."""
    shown = [_exact(value) for value in rows["printed"]]
    found = pd.DataFrame({"check": kind, "column": rows["column"], "value": shown}, index=rows.index)
    found["message"], found["message_en"] = [t.zh for t in told], [t.en for t in told]
    return together(found.assign(sheet=rows["sheet"], cell=rows["cell"], raw=shown))


_KINDS: Final = {
    "planned_compounds": (status.IN_PLAN, Text("计划", "planned")),
    "started_compounds": (status.STARTED, Text("开工", "started")),
    "completed_compounds": (status.COMPLETED, Text("完工", "completed")),
}
_COUNT = Text(
    "{year}年度{what}写 {value} 个，各行中是 {counted} 个。",
    "{year} says {value} compounds {what}; its rows hold {counted}.",
)
_STARTED_OVER = Text(
    "{year}年度新开工写 {value} 个，多于计划的 {planned} 个；各行中开工的是 {counted} 个。",
    "{year} says {value} compounds started, more than the {planned} planned; its rows hold {counted} started.",
)


def counts(printed: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """Return the printed counts that do not agree: more started than planned, or other than the rows say.

    Parameters
    ----------
    printed : DataFrame
        ``sheet cell programme_year column printed``; ``column`` one of ``planned_compounds started_compounds
        completed_compounds``.
    ledger : DataFrame
        One row per compound, ``programme_year status``.

    Returns
    -------
    DataFrame
        `COLUMNS` and `PLACE`, ``check`` "started_over_planned" or "count". Rows without a status are counted as what
        is not known: where a year has any, its counts are not compared with the rows.
    """
    if not len(printed):
        return together()
    year, state = _number(ledger, "programme_year"), _text(ledger, "status")
    kept = printed[printed["programme_year"].isin(year[state.notna()]) & printed["column"].isin(_KINDS)]
    counted = [
        int(((year == p["programme_year"]) & state.isin(_KINDS[p["column"]][0])).sum()) for p in kept.to_dict("records")
    ]
    known = ~kept["programme_year"].isin(year[state.isna()])
    plan = kept[kept["column"] == "planned_compounds"].drop_duplicates("programme_year").set_index("programme_year")
    planned = kept["programme_year"].map(plan["printed"]).astype("float64")
    over = (kept["column"] == "started_compounds") & (kept["printed"] > planned)
    other = known & (kept["printed"] != pd.Series(counted, index=kept.index, dtype="float64"))
    table = kept.assign(counted=counted, planned=planned, over=over)[over | other]
    told = [
        (_STARTED_OVER if t["over"] else _COUNT).format(
            year=t["programme_year"], value=_exact(t["printed"]), counted=t["counted"], what=_KINDS[t["column"]][1],
            planned=_exact(t["planned"]),
        )
        for t in table.to_dict("records")
    ]  # fmt: skip
    kind = pd.Series(np.where(table["over"], "started_over_planned", "count"), index=table.index, dtype="object")
    return _about_file(table, kind, told)


_RENAMED = Text("名称写作“{value}”，原为“{before}”。", "The name is now {value!r}; it was {before!r}.")


def renamed(ledger: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose compound is known by another name; ``known`` has ``compound_id name``.

    Blanks inside a name do not count; a compound that is not known, and a name that is missing, are no fault here.
    """
    names = known.drop_duplicates("compound_id").set_index("compound_id")["name"]
    before = _text(ledger, "compound_id").map(names.astype("object"))
    now = _text(ledger, "name")
    plain, was = (s.astype("str").str.replace(r"\s+", "", regex=True) for s in (now, before))
    hit = now.notna() & before.notna() & (plain != was)
    found = _rows(ledger, hit, "name_changed", "name", now, Text("{value}", "{value}"))
    told = [_RENAMED.format(value=v, before=b) for v, b in zip(now[hit], before[hit], strict=True)]
    return together(found.assign(message=[t.zh for t in told], message_en=[t.en for t in told]))


_REASONS: Final = {
    "second_row_for_this_compound": ("duplicate", Text("“{value}”报了两行，只用第一行。", "{value!r} has two rows; the first is used.")),
    "several_compounds_of_that_name": ("unmatched", Text("叫“{value}”的小区不止一个，按街道也分不清。", "Several compounds are called {value!r}, and the street does not decide.")),
    "similar_name": ("unmatched", Text("没有小区叫“{value}”，相近的是“{best}”。", "No compound is called {value!r}; {best!r} is similar.")),
    "no_such_name": ("unmatched", Text("没有小区叫“{value}”。", "No compound is called {value!r}.")),
    "no_name": ("unmatched", Text("这一行没有小区名称。", "This row names no compound.")),
}  # fmt: skip


def doubted(doubtful: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that could not be joined to one compound of their own.

    Parameters
    ----------
    doubtful : DataFrame
        ``row name best compound_id reason`` as reading a ledger gives it.
    names : DataFrame
        ``row sheet cell`` of each record's name; may be empty.
    """
    rows = doubtful[doubtful["reason"].isin(_REASONS)]
    kinds = [_REASONS[reason] for reason in rows["reason"]]
    told = [
        kind[1].format(value=name, best=best)
        for kind, name, best in zip(kinds, rows["name"], rows["best"], strict=True)
    ]
    found = pd.DataFrame(
        {"compound_id": rows["compound_id"].to_numpy(), "check": [k for k, _ in kinds], "column": "name"}
        | {"value": rows["name"].to_numpy(), "message": [t.zh for t in told], "message_en": [t.en for t in told]}
    )
    places = names.drop_duplicates("row").set_index("row") if len(names) else pd.DataFrame(columns=["sheet", "cell"])
    at = places.reindex(pd.to_numeric(rows["row"]).to_numpy())
    return together(found.assign(sheet=at["sheet"].to_numpy(), cell=at["cell"].to_numpy(), raw=found["value"]))


def locate(faults: pd.DataFrame, trace: pd.DataFrame) -> pd.DataFrame:
    """Return the faults with the place of their value, where ``trace`` knows one and they have none yet.

    Parameters
    ----------
    faults : DataFrame
        `COLUMNS` and `PLACE`.
    trace : DataFrame
        ``compound_id column file sheet cell raw``, one row per stored value; the first counts.
    """
    keys = ["compound_id", "column"]
    where = trace.drop_duplicates(keys)[[*keys, *PLACE]].astype(dict.fromkeys(keys, "object"))
    found = faults[keys].merge(where, on=keys, how="left")
    out = faults.reset_index(drop=True).copy()
    for name in PLACE:
        theirs = found[name].astype("object")
        out[name] = out[name].where(out[name].notna(), theirs.where(theirs.notna(), None))
    return out
