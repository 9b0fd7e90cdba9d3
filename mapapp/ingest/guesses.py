"""This module answers what no column says from the names of files, layers, sheets and folders, and says so each time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mapapp.core.schema import Column, Layer
from mapapp.ingest.kml import FOLDER
from mapapp.ingest.result import Raw

_WORDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "kind": (
        ("sewage", r"sanitary|sewage|wastewater|污水|(?:^|[^a-z])ws(?:[^a-z]|$)"),
        ("storm", r"storm|雨水|(?:^|[^a-z])ys(?:[^a-z]|$)"),
        ("combined", r"combined|合流|(?:^|[^a-z])hs(?:[^a-z]|$)"),
    ),
    "facility": (
        ("wwtp", r"treatment|wwtp|wwtf|污水处理|污水厂"),
        ("pump", r"pump|lift|泵站"),
        ("outfall", r"outfall|outlet|排口|排放口|出水口"),
    ),
}
"""Columns that a name may answer when no column does."""
_FIRST_WINS = ("facility",)
"""``污水处理厂泵站``: the first word of the list is meant; of two kinds neither is."""


def fill(raw: Raw, layer: Layer, out: dict[str, pd.Series]) -> None:
    """Add kind, facility and programme year to ``out`` where no column answers and a name does."""
    _year(raw, layer, out)
    for ours, words in _WORDS.items():
        column = layer.column(ours)
        if column is None or not column.codes or ours in out:
            continue
        said = _of_folders(raw, ours, words, column)
        if (whole := _meant(f"{raw.file.rsplit('.', 1)[0]} {raw.layer}", ours, words)) is not None:
            if said is None or said.isna().any():
                raw.notes.warn(
                    f"{column.label.zh}：文件没有这一列，由文件或图层名称推定为 {whole}，请核对。",
                    f"{column.label.en}: the file has no such column; {whole} was inferred from the name of the file "
                    "or layer. Please check.",
                    raw.place,
                )
            said = pd.Series([whole] * len(raw.frame), dtype="str") if said is None else said.fillna(whole)
        if ours == "kind" and (said is None or said.isna().any()):
            count = len(raw.frame) if said is None else int(said.isna().sum())
            raw.notes.warn(
                f"{column.label.zh}：文件没有这一列，{count} 条按未知处理。可用 --column {ours}==sewage 指定。",
                f"{column.label.en}: the file has no such column; {count} records are "
                f"stored as unknown. Set it with --column {ours}==sewage.",
                raw.place,
            )
            said = pd.Series(["unknown"] * len(raw.frame), dtype="str") if said is None else said.fillna("unknown")
        if said is not None:
            out[ours] = said


def _year(raw: Raw, layer: Layer, out: dict[str, pd.Series]) -> None:
    """Take the programme year of a sheet from its own name, the file's or the title's (``2022年老旧小区台账``)."""
    year = re.search(r"(?<!\d)(20[12]\d)(?!\d)", raw.layer) or next(
        (m for text in (raw.file, raw.title) if (m := re.search(r"(?<!\d)(20[12]\d)年(?!\d*月)", text))), None
    )
    if not (raw.letters and year) or layer.column("programme_year") is None or "programme_year" in out:
        return
    out["programme_year"] = pd.Series(np.full(len(raw.frame), float(year[1])))
    raw.notes.warn(
        f"改造年度：表里没有这一列，由工作表、文件名称或标题推定为 {year[1]}，请核对。",
        f"programme year: there is no such column; {year[1]} was inferred from the name of the sheet or file, or the "
        "title. Please check.",
        raw.place,
    )


def _meant(name: str, ours: str, words: Sequence[tuple[str, str]]) -> str | None:
    hits = [code for code, pattern in words if re.search(pattern, name.lower())]
    return hits[0] if len(hits) == 1 or (hits and ours in _FIRST_WINS) else None


def _of_folders(raw: Raw, ours: str, words: Sequence[tuple[str, str]], column: Column) -> pd.Series | None:
    """Return what the folders of a KML say of each placemark, the innermost folder first; None where none says it."""
    if raw.kind != "kml" or FOLDER not in raw.frame:
        return None
    told: dict[str, str] = {}
    for path in raw.frame[FOLDER].dropna().unique():
        inward_out = reversed(str(path).split("/"))
        if answer := next((code for part in inward_out if (code := _meant(part, ours, words))), None):
            told[str(path)] = answer
    if not told:
        return None
    listed = [f"{path} = {code}" for path, code in list(told.items())[:5]]
    raw.notes.warn(
        f"{column.label.zh}：文件没有这一列，由文件夹名称推定（{'、'.join(listed)}），请核对。",
        f"{column.label.en}: the file has no such column; it was inferred from the names of the folders "
        f"({', '.join(listed)}). Please check.",
        raw.place,
    )
    return pd.Series(raw.frame[FOLDER].map(told).to_numpy(), dtype="str")
