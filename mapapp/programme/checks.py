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
        `COLUMNS`; ``check`` is one of ``ratio unit duplicate date_order date_future date_status money_over
        progress_status``. Empty when all is well.
    """
    parts = [*(_band(ledger, band) for band in BANDS), _duplicates(ledger), _dates(ledger, as_of), _progress(ledger)]
    found = pd.concat([p for p in parts if len(p)] or [pd.DataFrame(columns=list(COLUMNS))], ignore_index=True)
    return found[list(COLUMNS)]


def _number(ledger: pd.DataFrame, name: str) -> pd.Series:
    if name not in ledger:
        return pd.Series(np.nan, index=ledger.index)
    return pd.to_numeric(ledger[name], errors="coerce").astype("float64")


def _text(ledger: pd.DataFrame, name: str) -> pd.Series:
    return ledger[name].astype("object") if name in ledger else pd.Series(None, index=ledger.index, dtype="object")


def _rows(ledger: pd.DataFrame, hit: pd.Series, kind: str, column: str, value: pd.Series, text: Text) -> pd.DataFrame:
    """Lay one message over the rows that are hit; ``{value}`` is filled per row."""
    chosen = ledger.index[hit.to_numpy(dtype=bool)]
    shown = value.loc[chosen].map(lambda v: f"{v:.4g}" if isinstance(v, float) else str(v))
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
