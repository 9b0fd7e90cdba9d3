"""This module fills our columns from theirs: words, numbers, units, dates, sentinels; and remembers what it changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mapapp.core.schema import Column, Layer
from mapapp.ingest import guesses, long, units
from mapapp.ingest.levels import clear_sentinels
from mapapp.ingest.result import TRACE_COLUMNS, Match, Raw
from mapapp.ingest.values import read_dates, read_diameters, read_numbers, read_years
from mapapp.ingest.words import decode_word, is_blank, plain, read_bools, read_codes, spread

_LEVELS = ("from_invert_m", "to_invert_m", "ground_elev_m", "bottom_elev_m")
_DEPTHS = ("from_depth_m", "to_depth_m", "depth_m", "max_depth_m")
_AXES = ("x_north", "y_east")


def fill(raw: Raw, layer: Layer, mapping: Mapping[str, Match]) -> pd.DataFrame:
    """Return a frame with the mapped columns of ``layer`` in their declared types, row for row with ``raw``.

    Nothing that is said in ``raw`` is lost in silence: every word and number that could not be used is in the notes.
    """
    n = len(raw.frame)
    out: dict[str, pd.Series] = {}
    shape: pd.Series | None = None
    for ours, match in mapping.items():
        column = layer.column(ours)
        if column is None or ours in _AXES:
            continue
        if match.theirs.startswith("="):
            out[ours] = _constant(match.theirs[1:], column, n)
        elif ours == "diameter_mm":
            out[ours], shape = read_diameters(raw, match.theirs, column, match.unit)
        else:
            out[ours] = _read(raw, match.theirs, column)
    if shape is not None and shape.notna().any() and layer.column("shape") is not None:
        out["shape"] = out["shape"].where(out["shape"].notna(), shape) if "shape" in out else shape
    _scale(raw, mapping, out)
    _clear(raw, layer, out)
    guesses.fill(raw, layer, out)
    order = {c.name: i for i, c in enumerate(layer.columns)}
    frame = pd.DataFrame({k: out[k] for k in sorted(out, key=order.__getitem__)}, index=pd.RangeIndex(n))
    for ours in frame.columns:
        column = layer.column(ours)
        if column is not None and column.kind == "int":
            frame[ours] = _whole(frame[ours], raw, mapping.get(ours), column)
    return frame


def _read(raw: Raw, theirs: str, column: Column) -> pd.Series:
    if column.name == "built_year" or column.unit == "year":
        return read_years(raw, theirs, column)
    if column.kind in ("int", "float"):
        return read_numbers(raw, theirs, column)
    if column.kind == "enum":
        return read_codes(raw, theirs, column)
    if column.kind == "bool":
        return read_bools(raw, theirs, column)
    if column.kind in ("date", "month"):
        return read_dates(raw, theirs, column)
    text = read_text(raw.frame[theirs], narrow=column.name.endswith(("_id", "_node")) or column.name == "id")
    if column.name.endswith("_date"):
        text = text.mask(text.isin(["0", "9999"]))
    if column.kind == "list":
        return text.str.replace(r"\s*[;；,，、]\s*", ";", regex=True)
    return text


def read_text(series: pd.Series, *, narrow: bool = False) -> pd.Series:
    """Return texts stripped, blanks missing; ids (``narrow``) also in half-width form, so that tables join."""
    if isinstance(series.dtype, pd.StringDtype):
        if not narrow or bool(pc.all(pc.string_is_ascii(pa.array(series, from_pandas=True))).as_py() in (True, None)):
            out = series.str.strip(" \t\r\n{}" if narrow else None).reset_index(drop=True)
            out = out.mask(out.eq("").fillna(False)).astype("str")
            return _without_point(out) if narrow else out
    elif pd.api.types.is_integer_dtype(series.dtype):
        return series.astype("str").reset_index(drop=True)

    def decode(value: Any) -> str | None:
        if isinstance(value, (dt.datetime, dt.date)):
            text = pd.Timestamp(value).strftime("%Y-%m-%d")
        elif isinstance(value, str):
            text = plain(value).strip("{}") if narrow else value.strip()
        else:
            text = plain(value)
        return None if is_blank(text) else text

    out = pd.Series(spread(series, decode), dtype="str")
    return _without_point(out) if narrow else out


def _without_point(ids: pd.Series) -> pd.Series:
    """Return ids that a program had made floats of (``12.0``), all of them, as they were (``12``), so that tables join."""
    known = ids.dropna()
    if len(known) and known.iloc[0].endswith(".0") and known.str.fullmatch(r"\d+\.0").all():
        return ids.str.removesuffix(".0")
    return ids


def _constant(text: str, column: Column, n: int) -> pd.Series:
    if column.codes:
        value: Any = decode_word(text, column) or text
    elif column.kind in ("int", "float"):
        return pd.Series(np.full(n, float(text)), dtype="float64")
    else:
        value = text
    return pd.Series([value] * n, dtype="str")


def _scale(raw: Raw, mapping: Mapping[str, Match], out: dict[str, pd.Series]) -> None:
    """Bring areas, money and lengths to the stored unit; areas first, because money is compared with them."""

    def others() -> dict[str, np.ndarray]:
        names = ("households", "buildings", "floor_area_m2")
        return {k: out[k].to_numpy(dtype="float64", na_value=np.nan) for k in names if k in out}

    for ours in out:
        match = mapping.get(ours)
        if match is None or match.theirs.startswith("=") or not pd.api.types.is_float_dtype(out[ours].dtype):
            continue
        values = out[ours].to_numpy()
        said = units.own(raw, match.theirs, units.AREA_M2 if "_m2" in ours else {})
        values = np.where(np.isnan(said), values, np.nan)
        if ours == "floor_area_m2":
            ratio = {k: v for k, v in others().items() if k != "floor_area_m2"}
            values = units.scale(raw, match, values, units.FLOOR_AREA, ratio)
        elif ours.endswith("_wan_m2"):
            values = values * units.AREA_M2.get(match.unit, 1e4) / 1e4
        elif ours.endswith("_m2"):
            values = units.times(values, units.AREA_M2.get(match.unit, 1.0))
        elif ours.endswith("_km"):
            values = units.times(values, units.LENGTH_KM.get(match.unit, 1.0))
        elif ours.endswith("_m"):
            values = units.depth(raw, match, values) if ours in _DEPTHS else values
            values = units.times(values, units.LENGTH_M.get(match.unit, 1.0))
        elif raw.letters and ours.endswith(("_pct", "_rate")):
            values = units.percent(raw, match, values)
        if ours.endswith("_wan_m2"):
            said = said / 1e4
        values = np.where(np.isnan(said), values, said)  # a cell that names its own unit is in that one
        out[ours] = pd.Series(values, dtype="float64")
    found = 1.0
    for ours in sorted(out, key=lambda name: name != "invest_total_wan"):  # the total first: its ratios tell the unit
        match = mapping.get(ours)
        if match is None or not ours.endswith("_wan") or match.theirs.startswith("="):
            continue
        values = out[ours].to_numpy(dtype="float64")
        said = units.own(raw, match.theirs, units.MONEY_WAN)
        values = np.where(np.isnan(said), values, np.nan)
        if ours == "invest_total_wan":
            scaled = units.scale(raw, match, values, units.MONEY, others())
            found = units.factor_of(values, scaled)
            values = scaled
        elif match.unit in units.MONEY_WAN or found == 1.0:
            values = units.times(values, units.MONEY_WAN.get(match.unit, 1.0))
        else:  # money of one table is in one unit
            values = units.times(values, found)
            raw.notes.warn(
                f"{match.theirs}：没有写单位，按总投资的单位读取（乘 {found:g} 得万元），请核对。",
                f"{match.theirs}: no unit is given; read in the unit of the total investment (times {found:g} gives "
                "wan yuan). Please check.",
                raw.place,
            )
        out[ours] = pd.Series(np.where(np.isnan(said), values, said), dtype="float64")


def _clear(raw: Raw, layer: Layer, out: dict[str, pd.Series]) -> None:
    """Make sentinels missing among levels, depths and lengths."""
    for names, what in ((_LEVELS, ("标高", "levels")), (_DEPTHS, ("深度", "depths"))):
        columns = {c: out[c].to_numpy(dtype="float64") for c in names if c in out}
        for name, values in clear_sentinels(columns, raw.notes, what=what, where=raw.place).items():
            out[name] = pd.Series(values)
    if "length_m" in out:
        length = out["length_m"]
        out["length_m"] = length.where((length > 0) & (length < 9000))


def _whole(values: pd.Series, raw: Raw, match: Match | None, column: Column) -> pd.Series:
    number = values.to_numpy(dtype="float64", na_value=np.nan)
    with np.errstate(invalid="ignore"):
        broken = np.isfinite(number) & (np.abs(number - np.round(number)) > 1e-9)
        absent = np.isfinite(number) & ((np.abs(number) >= 1e15) | ((column.minimum == 0) & (number < 0)))
    if broken.any() and match is not None:
        first = int(np.flatnonzero(broken)[0])
        raw.notes.warn(
            f"{column.label.zh}：{int(broken.sum())} 个值不是整数（如 {number[first]:g}），已四舍五入。",
            f"{column.label.en}: {int(broken.sum())} values are not whole (such as {number[first]:g}); rounded.",
            raw.where(match.theirs, first),
        )
    if absent.any() and match is not None:
        first = int(np.flatnonzero(absent)[0])
        raw.notes.warn(
            f"{column.label.zh}：{int(absent.sum())} 个负值或超大值（如 {number[first]:g}），留空。",
            f"{column.label.en}: {int(absent.sum())} negative or huge values (such as {number[first]:g}); left empty.",
            raw.where(match.theirs, first),
        )
    return pd.Series(np.where(absent, np.nan, np.round(number))).astype("Int64")


def trace(raw: Raw, frame: pd.DataFrame, layer: Layer, mapping: Mapping[str, Match]) -> pd.DataFrame:
    """Return where each stored value came from: ``row column file sheet cell raw``.

    For tables every value; for map formats (whose rows are features, not cells) and for text tables of 5,000 rows and
    more only values that differ from what the file says in more than type: numbers changed or dropped, and words
    replaced by ``unknown`` or nothing; of long text tables also the key, which tells the line of each record.
    """
    parts = []
    long_text = raw.kind == "csv" and len(frame) >= long.LONG
    for ours, match in mapping.items():
        if ours not in frame or match.theirs.startswith("="):
            continue
        theirs = raw.frame[match.theirs]
        there = theirs.notna().to_numpy()
        if not raw.letters or (long_text and ours != layer.key):
            there = there & _altered(frame[ours], theirs)
        rows = np.flatnonzero(there)
        if not len(rows):
            continue
        letter = raw.letters.get(match.theirs)
        numbers = raw.rows[rows].astype(str).astype(object)
        if letter and raw.shifts is not None:
            cells = np.array([raw.cell(match.theirs, int(i)) for i in rows], dtype=object)
        else:
            cells = letter + numbers if letter else numbers + f", {match.theirs}"
        texts = np.array([_as_written(v) for v in theirs.to_numpy()[rows]], dtype=object)
        sheet = raw.layer if raw.letters else ""
        place = {"row": rows, "column": ours, "file": raw.file, "sheet": sheet, "cell": cells, "raw": texts}
        parts.append(pd.DataFrame(place))
    if not parts:
        return pd.DataFrame({c: pd.Series(dtype="int64" if c == "row" else "str") for c in TRACE_COLUMNS})
    out = pd.concat(parts, ignore_index=True)
    return out[out["raw"] != ""].sort_values(["row", "column"], kind="stable", ignore_index=True)


def _as_written(value: Any) -> str:
    return value if isinstance(value, str) else plain(value)


def _altered(stored: pd.Series, theirs: pd.Series) -> np.ndarray:
    if pd.api.types.is_float_dtype(stored.dtype) or stored.dtype == "Int64":
        ours = stored.to_numpy(dtype="float64", na_value=np.nan)
        if pd.api.types.is_numeric_dtype(theirs.dtype):
            said = theirs.to_numpy(dtype="float64", na_value=np.nan)
            return np.asarray((ours != said) & ~(np.isnan(ours) & np.isnan(said)))
        said = pd.to_numeric(theirs, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        return np.asarray(ours != said)
    return np.asarray(stored.isna() | (stored == "unknown").fillna(False), dtype=bool)
