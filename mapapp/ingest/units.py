"""This module tells 万㎡ from ㎡ and 亿元 from 万元, by what the header says and by what is plausible.

The soft limits are those of the domain notes, section 1.8, from twelve published samples: 40-200 m2 per household,
800-15000 m2 per building, 80-1500 yuan per m2, 0.5-12 wan yuan per household.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mapapp.core.crs import Floats
from mapapp.ingest.result import Match, Raw
from mapapp.ingest.words import plain, spread

_M2 = ("m2", "m²", "㎡", "平方米", "平米", "方")
AREA_M2 = {f"万{u}": 1e4 for u in _M2} | dict.fromkeys(_M2, 1.0) | {"公顷": 1e4}
MONEY_WAN = {"亿元": 1e4, "百万元": 100.0, "万元": 1.0, "元": 1e-4}
_NEVER_GUESSED = ("百万元",)
"""Nobody in a county writes millions but who says so."""
LENGTH_KM = {"m": 1e-3, "米": 1e-3, "km": 1.0, "公里": 1.0, "千米": 1.0}
LENGTH_M = {
    "m": 1.0,
    "米": 1.0,
    "km": 1e3,
    "公里": 1e3,
    "千米": 1e3,
    "cm": 0.01,
    "厘米": 0.01,
    "mm": 1e-3,
    "毫米": 1e-3,
}

M2_PER_HOUSEHOLD = (40.0, 200.0)
M2_PER_BUILDING = (800.0, 15000.0)
YUAN_PER_M2 = (80.0, 1500.0)
WAN_PER_HOUSEHOLD = (0.5, 12.0)
_NO_METRE, _CM_UP_TO, _MM_ABOVE, _SENTINEL_DEPTH = 30.0, 500.0, 1500.0, 9999.0
_OWN = re.compile(
    r"^(?:约|近|共)?\s*(\d[\d,]*(?:\.\d+)?)\s*((?:万|亿)(?:m2|m²|平方米|平米|方|元)|元|m2|m²|平方米|平米)$"
)
_SLACK = 5.0
"""A median within the limits stretched by this factor is believed; a 万 mistake is 10,000 times off."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """A ratio that tells the unit: numerator over ``by``, expected within ``limits`` (in stored units)."""

    by: str
    limits: tuple[float, float]
    words: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Quantity:
    """The units that a quantity comes in, as factors to the stored unit, and the ratios that tell them apart."""

    factors: Mapping[str, float]
    default: str
    yardsticks: tuple[Yardstick, ...]


FLOOR_AREA = Quantity(
    AREA_M2,
    "平方米",
    (
        Yardstick("households", M2_PER_HOUSEHOLD, ("㎡/户", "m2 per household")),
        Yardstick("buildings", M2_PER_BUILDING, ("㎡/栋", "m2 per building")),
    ),
)
MONEY = Quantity(
    MONEY_WAN,
    "万元",
    (
        Yardstick("households", WAN_PER_HOUSEHOLD, ("万元/户", "wan yuan per household")),
        Yardstick("floor_area_m2", (YUAN_PER_M2[0] / 1e4, YUAN_PER_M2[1] / 1e4), ("万元/㎡", "wan yuan per m2")),
    ),
)


def scale(raw: Raw, match: Match, values: Floats, quantity: Quantity, others: Mapping[str, Floats]) -> Floats:
    """Return the values in the stored unit.

    The unit comes from the header; without one, from the ratio; without either it is the default, with a warning.
    When the header's unit gives a median ratio that is impossible, and exactly one other unit a plausible one, the
    other unit is used and the contradiction is said as a warning. Single rows that are 10,000 times off are named
    and left as they are.
    """
    theirs, unit, factors, default = match.theirs, match.unit, quantity.factors, quantity.default
    found = next(
        ((y, values / _positive(others[y.by])) for y in quantity.yardsticks if _usable(values, others.get(y.by))), None
    )
    stated = unit if unit in factors else ""
    options = dict.fromkeys(f for name, f in factors.items() if name not in _NEVER_GUESSED or name == stated)
    chosen = factors.get(stated, factors[default])
    if found is None:
        if not stated and len(values[np.isfinite(values)]):
            raw.notes.warn(
                f"{theirs}：没有写单位，也没有可比的户数或栋数，按{default}读取。",
                f"{theirs}: no unit is given and nothing to compare with; read as {default}.",
                raw.place,
            )
        return values * chosen
    yardstick, ratio = found
    median = float(np.nanmedian(ratio))
    fitting = [f for f in options if _plausible(median * f, yardstick.limits)]
    if stated and chosen not in fitting and len(fitting) == 1:
        other = _name(factors, fitting[0])
        raw.notes.warn(
            f"{theirs}：表头写“{stated}”，但按此合 {median * chosen:.4g} {yardstick.words[0]}，不可能；按{other}为 "
            f"{median * fitting[0]:.4g}，已按{other}读取，请核对。",
            f"{theirs}: the header says {stated}, which gives {median * chosen:.4g} {yardstick.words[1]}; that cannot "
            f"be. {other} gives {median * fitting[0]:.4g} and was used. Please check.",
            raw.place,
        )
        chosen = fitting[0]
    elif not stated and len(fitting) == 1:
        chosen = fitting[0]
        raw.notes.info(
            f"{theirs}：没有写单位，由比值（{median * chosen:.4g} {yardstick.words[0]}）认作{_name(factors, chosen)}。",
            f"{theirs}: no unit is given; the ratio ({median * chosen:.4g} {yardstick.words[1]}) says "
            f"{_name(factors, chosen)}.",
            raw.place,
        )
    elif chosen not in fitting:
        raw.notes.warn(
            f"{theirs}：按{stated or default}读取，合 {median * chosen:.4g} "
            f"{yardstick.words[0]}，超出常见范围，请核对。",
            f"{theirs}: read as {stated or default}, which gives {median * chosen:.4g} {yardstick.words[1]}; unusual, "
            "please check.",
            raw.place,
        )
    elif stated:
        raw.notes.info(
            f"{theirs}：单位 {stated}（表头），合 {median * chosen:.4g} {yardstick.words[0]}。",
            f"{theirs}: unit {stated} (header), {median * chosen:.4g} {yardstick.words[1]}.",
            raw.place,
        )
    low, high = yardstick.limits
    with np.errstate(invalid="ignore"):
        odd = np.flatnonzero((ratio * chosen < low / 1000) | (ratio * chosen > high * 1000))
    for i in odd[:5]:
        raw.notes.warn(
            f"{theirs}：{raw.cell(theirs, int(i))} 的值合 {ratio[i] * chosen:.4g} "
            f"{yardstick.words[0]}，像是差了一万倍；未改动。",
            f"{theirs}: the value in {raw.cell(theirs, int(i))} gives {ratio[i] * chosen:.4g} {yardstick.words[1]}, "
            "10,000 times off by the look of it; not changed.",
            raw.where(theirs, int(i)),
        )
    return times(values, chosen)


def own(raw: Raw, theirs: str, factors: Mapping[str, float]) -> Floats:
    """Return the values of cells that name their own unit (``0.8万㎡``, ``250万元``) in the stored unit, NaN elsewhere."""
    series = raw.frame[theirs]
    if pd.api.types.is_numeric_dtype(series.dtype):
        return np.full(len(series), np.nan)

    def decode(value: object) -> float:
        said = names_its_unit(value)
        return float("nan") if said is None or said[1] not in factors else said[0] * factors[said[1]]

    return np.array([np.nan if v is None else v for v in spread(series, decode)], dtype=float)


def names_its_unit(value: object) -> tuple[float, str] | None:
    """Return number and unit of a cell that names an area or a sum of money in full, else None."""
    found = _OWN.match(plain(value)) if isinstance(value, str) else None
    return None if found is None else (float(found[1].replace(",", "")), found[2])


def depth(raw: Raw, match: Match, values: Floats) -> Floats:
    """Return depths in metres where the header gives no unit and their size says that they are not metres.

    Sewers lie 0.3 to 15 m deep: a median above 30 is no metre, up to 500 it can be centimetres alone, above 1500
    millimetres alone; between the two nobody can tell, and the values are left as they are, with a question.
    """
    known = values[np.isfinite(values) & (values > 0) & (values < _SENTINEL_DEPTH)]
    if match.unit or not len(known) or (median := float(np.median(known))) <= _NO_METRE:
        return values
    theirs = match.theirs
    if _CM_UP_TO < median <= _MM_ABOVE:
        raw.notes.warn(
            f"{theirs}：没有写单位，中位数 {median:g}，可能是厘米或毫米；按米读取，请在表头写明单位。",
            f"{theirs}: no unit is given; the median {median:g} may be centimetres or millimetres. Read as metres; "
            "please write the unit in the header.",
            raw.place,
        )
        return values
    zh, en, factor = ("厘米", "centimetres", 0.01) if median <= _CM_UP_TO else ("毫米", "millimetres", 1e-3)
    raw.notes.warn(
        f"{theirs}：没有写单位，中位数 {median:g} 不可能是米，按{zh}读取，请核对。",
        f"{theirs}: no unit is given; the median {median:g} cannot be metres. Read as {en}; please check.",
        raw.place,
    )
    return np.where((values <= 0) | (values >= _SENTINEL_DEPTH), values, values * factor)


def percent(raw: Raw, match: Match, values: Floats) -> Floats:
    """Return percentages from 0 to 100; a column of a workbook's percent cells holds 0.6 where it shows 60 %.

    Only where no value is above one and one lies between nought and one, cells written with a percent sign apart: those
    say what they are. A column of noughts and ones alone stays as it is, with a question: 1 may be 1 % or all of it.
    """
    signed = np.array(
        [isinstance(v, str) and v.strip().endswith(("%", "％")) for v in raw.frame[match.theirs]], dtype=bool
    )
    known = values[np.isfinite(values) & ~signed]
    if not len(known) or known.min() < 0 or known.max() > 1 or known.max() == 0:
        return values
    if signed.any() and not (values[signed] > 1).any():
        return values  # 0.5 % and 0.4: nothing says that they are meant differently
    theirs = match.theirs
    shares = known[(known > 0) & (known < 1)]
    if not len(shares):
        if not signed.any():
            raw.notes.warn(
                f"{theirs}：只有 0 和 1，按 1% 读取；若 1 表示 100%，请在表中改为百分数。",
                f"{theirs}: holds 0 and 1 alone, read as 1 %; where 1 means 100 %, write it as a percentage.",
                raw.place,
            )
        return values
    raw.notes.warn(
        f"{theirs}：不带百分号的都不超过 1，按小数表示的百分比读取（{shares[0]:g} 即 {shares[0] * 100:g}%），请核对。",
        f"{theirs}: nothing without a percent sign is above 1; read as shares ({shares[0]:g} is {shares[0] * 100:g} %). Please check.",
        raw.place,
    )
    return np.where(signed, values, times(values, 100.0))


def factor_of(before: Floats, after: Floats) -> float:
    """Return the factor that `scale` used, the one of `MONEY_WAN` nearest to the ratio; 1 without any number."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.nanmedian(np.where(before != 0, after / before, np.nan)) if np.isfinite(before).any() else np.nan
    return min(MONEY_WAN.values(), key=lambda f: abs(np.log(f / ratio))) if np.isfinite(ratio) and ratio > 0 else 1.0


def times(values: Floats, factor: float) -> Floats:
    """Return the values in another unit, without the tail that binary fractions grow: 0.07 亿元 are 700 万元."""
    return values if factor == 1.0 else np.round(values * factor, 6)


def _positive(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)


def _usable(values: Floats, by: Floats | None) -> bool:
    if by is None:
        return False
    with np.errstate(invalid="ignore"):
        return bool(((values > 0) & (by > 0)).any())


def _plausible(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] / _SLACK <= value <= limits[1] * _SLACK


def _name(factors: Mapping[str, float], factor: float) -> str:
    return next(n for n in ("万平方米", "平方米", "万元", "亿元", "元", *factors) if factors.get(n) == factor)
