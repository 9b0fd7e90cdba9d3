"""This module reads numbers, diameters and dates as people write them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pandas as pd

from mapapp.core.schema import Column
from mapapp.ingest import long
from mapapp.ingest.result import Raw
from mapapp.ingest.words import is_blank, note_words, plain, spread

_NUMBER = re.compile(
    r"^(?:约|近|大约|共|~|≈|>|<|≥|≤)?\s*([-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:e[-+]?\d+)?)\s*(万|亿)?\s*(?:余|多)?\s*"
    r"(?:m2|m3|m³|m²|平方米|平米|方|元|户|栋|幢|个|处|部|人|层|套|座|台|公里|千米|km|mm|毫米|cm|m|米|%|年|岁|分)?\s*(?:余|多|左右|以上)?$",
    re.IGNORECASE,
)
_BOX = re.compile(r"(\d+(?:\.\d+)?)\s*(?:mm|m)?\s*[x×*＊X]\s*(\d+(?:\.\d+)?)\s*(?:mm|m)?", re.IGNORECASE)
_ROUND = re.compile(r"^(?:dn|de|φ|ø|⌀|Φ|d)?\s*[=:]?\s*(\d+(?:\.\d+)?)\s*(mm|毫米|cm|m|米)?$", re.IGNORECASE)
_DATE = re.compile(
    r"^(\d{4})\s*[年./\-]\s*(\d{1,2})(?:\s*[月./\-]\s*(\d{1,2})?)?\s*日?(?:[ T]\d{1,2}:\d{2}.*)?(?:前|底|初)?$"
)
_COMPACT = re.compile(r"^(19|20)(\d{2})(\d{2})(\d{2})?$")
_YEAR = re.compile(r"(?<!\d)(1[89]\d{2}|20\d{2})(?!\d)")
_DECADE = re.compile(r"^(?:20世纪|上世纪)?(\d)0年代")
_EXCEL_DAYS = (20000, 60000)
"""Serial numbers between 1954 and 2064 are taken for dates."""
METRES_BELOW = 10.0


def read_number(value: Any) -> float | None:
    """Return the number in a text; None when there is none; NaN for a blank.

    ``"1,234.5"``, full-width digits, ``约300户``, ``3.2万`` (times 10,000) are understood; a range is not.
    """
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return float(value)
    text = plain(value).replace("，", ",")
    if is_blank(text):
        return float("nan")
    m = _NUMBER.match(text)
    if not m or not m[1]:
        return None
    try:
        number = float(m[1].replace(",", ""))
    except ValueError:
        return None
    return number * {"万": 1e4, "亿": 1e8}.get(m[2] or "", 1.0)


def read_numbers(raw: Raw, theirs: str, column: Column) -> pd.Series:
    """Return a float column; texts without a number are missing and named in a note. Infinite numbers are missing."""
    series = raw.frame[theirs]
    if pd.api.types.is_bool_dtype(series.dtype):
        return series.astype("float64").reset_index(drop=True)
    if pd.api.types.is_numeric_dtype(series.dtype):
        out = pd.Series(series.to_numpy(dtype="float64", na_value=np.nan))
    elif (plain_numbers := long.numbers(series)) is not None:
        out = pd.Series(plain_numbers)
    else:
        strange: dict[Any, str] = {}

        def decode(value: Any) -> float:
            number = read_number(value)
            if number is None:
                strange[value] = plain(value)
                return float("nan")
            return number

        out = pd.Series([np.nan if v is None else v for v in spread(series, decode)], dtype="float64")
        if strange:
            note_words(raw, theirs, column, strange, ("留空", "left empty"))
    return out.where(np.isfinite(out))


def read_years(raw: Raw, theirs: str, column: Column) -> pd.Series:
    """Return years: ``1985年``, ``80年代`` (1980), ``1980-1990`` and ``2000年以前`` (the first year named)."""
    strange: dict[Any, str] = {}

    def decode(value: Any) -> float:
        if isinstance(value, (dt.date, dt.datetime, pd.Timestamp)):
            return float(value.year)
        text = plain(value)
        if m := _YEAR.search(text):
            return float(m[1])
        if m := _DECADE.match(text):
            return 1900.0 + 10 * int(m[1]) if int(m[1]) >= 3 else 2000.0 + 10 * int(m[1])
        if not is_blank(text) and text not in ("0", "9999"):
            strange[value] = text
        return float("nan")

    out = pd.Series([np.nan if v is None else v for v in spread(raw.frame[theirs], decode)], dtype="float64")
    if strange:
        note_words(raw, theirs, column, strange, ("留空", "left empty"))
    return out


def read_date(value: Any, *, month: bool) -> str | None:
    """Return an ISO date (or ``YYYY-MM``), None when it is none, ``""`` for a blank.

    Understands dates of the file, ``2023年5月``, ``2023.5``, ``2023-05-06``, ``20230506``, and Excel serial numbers
    between 20000 and 60000. ``2023.1`` as a *number* may have been 2023.10: January is read, and the caller warns.
    A bare year gives a blank day: only the year is kept (``2023``).
    """
    if isinstance(value, (dt.datetime, dt.date)):
        return "" if pd.isna(value) else pd.Timestamp(value).strftime("%Y-%m" if month else "%Y-%m-%d")
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        number = float(value)
        if not np.isfinite(number) or number == 0:
            return ""
        if 1e11 < number < 4e12:  # milliseconds since 1970, as ArcGIS servers write them
            return pd.Timestamp(number, unit="ms").strftime("%Y-%m" if month else "%Y-%m-%d")
        if _EXCEL_DAYS[0] <= number <= _EXCEL_DAYS[1]:
            stamp = pd.Timestamp("1899-12-30") + pd.Timedelta(days=int(number))
            return stamp.strftime("%Y-%m" if month else "%Y-%m-%d")
    text = plain(value)
    if is_blank(text):
        return ""
    if m := _DATE.match(text):
        year, mon, day = int(m[1]), int(m[2]), int(m[3]) if m[3] else None
    elif m := _COMPACT.match(text):
        year, mon, day = int(m[1] + m[2]), int(m[3]), int(m[4]) if m[4] else None
    elif m := re.match(r"^((?:19|20)\d\d)年?(?:底|初|前)?$", text):
        return m[1]
    else:
        return None
    try:
        stamp = pd.Timestamp(year=year, month=mon, day=day or 1)
    except ValueError:
        return None
    if not 1850 <= year <= 2150:
        return None
    return stamp.strftime("%Y-%m" if month or day is None else "%Y-%m-%d")


def read_dates(raw: Raw, theirs: str, column: Column) -> pd.Series:
    """Return ISO dates as text; what is no date is missing and named in a note; a missing day stays missing."""
    series = raw.frame[theirs]
    strange: dict[Any, str] = {}
    tenths: list[float] = []

    def decode(value: Any) -> str | None:
        date = read_date(value, month=column.kind == "month")
        if date is None:
            strange[value] = plain(value)
        elif isinstance(value, float) and re.fullmatch(r"(19|20)\d\d\.1", repr(value)):
            tenths.append(value)
        return date or None

    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        form = "%Y-%m" if column.kind == "month" else "%Y-%m-%d"
        return pd.Series(series.dt.strftime(form).to_numpy(), dtype="str")
    out = pd.Series(spread(series, decode), dtype="str")
    if tenths:
        raw.notes.warn(
            f"{theirs}：{tenths[0]} 是数字，可能是 1 月，也可能是写丢了 0 的 10 月；按 1 月读取。",
            f"{theirs}: {tenths[0]} is a number; it may be January or an October that lost its 0; read as January.",
            raw.place,
        )
    if strange:
        note_words(raw, theirs, column, strange, ("留空", "left empty"))
    return out


def read_diameters(raw: Raw, theirs: str, column: Column, unit: str) -> tuple[pd.Series, pd.Series]:
    """Return diameters in millimetres, and the shape where the text tells it (``rect`` for a box, else missing).

    ``DN300``, ``Φ300``, ``d300``, ``300``, ``0.3`` (below 10: metres), ``300mm``, ``0.3m``. A box ``width X height``
    keeps its width as ``diameter_mm`` and the shape ``rect``; the height is said in a note, because the layer has no
    column for it. A unit in the header (mm, cm, m) overrules the size.
    """
    series = raw.frame[theirs]
    factor = {"mm": 1.0, "毫米": 1.0, "cm": 10.0, "厘米": 10.0, "m": 1000.0, "米": 1000.0}.get(unit)
    n = len(series)
    if pd.api.types.is_numeric_dtype(series.dtype):
        number = series.to_numpy(dtype="float64", na_value=np.nan)
        box = np.zeros(n, dtype=bool)
        own = np.zeros(n, dtype=bool)
    else:
        strange: dict[Any, str] = {}

        def decode(value: Any) -> tuple[float, bool, bool]:
            text = plain(value)
            if is_blank(text):
                return float("nan"), False, False
            if m := _BOX.search(text):
                return float(m[1]), True, False
            if m := _ROUND.match(text):
                scale = {"mm": 1.0, "毫米": 1.0, "cm": 10.0, "m": 1000.0, "米": 1000.0}.get((m[2] or "").lower())
                return float(m[1]) * (scale or 1.0), False, scale is not None
            number = read_number(value)
            if number is None:
                strange[value] = text
                return float("nan"), False, False
            return number, False, False

        cells = [(np.nan, False, False) if c is None else c for c in spread(series, decode)]
        number = np.array([c[0] for c in cells], dtype=float)
        box = np.array([c[1] for c in cells], dtype=bool)
        own = np.array([c[2] for c in cells], dtype=bool)
        if strange:
            note_words(raw, theirs, column, strange, ("留空", "left empty"))
    with np.errstate(invalid="ignore"):
        absent = ~np.isfinite(number) | (number <= 0) | (np.isin(number, (999, 9999, 99999)))
        small = (number < METRES_BELOW) & ~absent & ~own
    _note_absent(raw, theirs, number, absent & np.isfinite(number))
    number = np.where(absent, np.nan, number)
    if factor is not None:
        contradicts = factor == 1.0 and small.any()
        number = np.where(own, number, number * factor)
        if contradicts:
            number = np.where(small, number * 1000.0, number)
            raw.notes.warn(
                f"{theirs}：表头写 mm，但有 {int(small.sum())} 个值小于 10，按米读取。",
                f"{theirs}: the header says mm, but {int(small.sum())} values are below 10; read as metres.",
                raw.where(theirs, int(np.flatnonzero(small)[0])),
            )
    elif small.any():
        number = np.where(small, number * 1000.0, number)
        raw.notes.info(
            f"{theirs}：{int(small.sum())} 个值小于 10，按米读取。",
            f"{theirs}: {int(small.sum())} values are below 10 and were read as metres.",
            raw.where(theirs, int(np.flatnonzero(small)[0])),
        )
    if box.any():
        first = int(np.flatnonzero(box)[0])
        raw.notes.info(
            f"{theirs}：{int(box.sum())} 段为矩形断面（如 {plain(series.iloc[first])}）"
            "，宽度存为 diameter_mm，断面形式 rect，高度未存。",
            f"{theirs}: {int(box.sum())} box sections (such as {plain(series.iloc[first])}): the width is stored as "
            "diameter_mm with shape rect; the height is not stored.",
            raw.where(theirs, first),
        )
    shape = pd.Series(["rect" if b else None for b in box] if box.any() else [None] * n, dtype="str")
    return pd.Series(number, dtype="float64"), shape


def _note_absent(raw: Raw, theirs: str, number: np.ndarray, absent: np.ndarray) -> None:
    if absent.any():
        values = sorted({f"{v:g}" for v in number[absent]})
        raw.notes.info(
            f"{theirs}：{int(absent.sum())} 个值（{'、'.join(values[:5])}）表示缺失，留空。",
            f"{theirs}: {int(absent.sum())} values ({', '.join(values[:5])}) stand for missing; left empty.",
            raw.where(theirs, int(np.flatnonzero(absent)[0])),
        )
