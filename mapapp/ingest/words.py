"""This module turns found words into the codes that we store; a word that we do not know is named and stays unknown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from mapapp.core.schema import Column, keeps_unknown_words
from mapapp.ingest.result import Raw

_NOISE = re.compile(r"[\s_\-.·]+")
_TICKS = frozenset("√✓✔☑●▲")
_CROSSES = frozenset({"×", "✗", "✘", "x", "○", "否", "no", "n", "false"})
_YES = frozenset({"是", "有", "yes", "y", "true", "1", "已", "已建", "已成立", "成立", "具备"}) | _TICKS
_NO = frozenset({"否", "无", "没有", "no", "n", "false", "0", "未", "未建", "未成立", "不具备"}) | _CROSSES
_DATE = re.compile(r"(19|20)\d\d\s*([年./-]\s*\d{1,2}\s*([月./-]\s*\d{0,2}\s*日?)?)?(底|初|前)?")
_BRACKETS = re.compile(r"[(\[【][^()\[\]【】]*[)\]】]")
_PART = re.compile(r"[!-~]+|[^!-~]+")
"""A run of letters and digits, or of Chinese characters."""
_MISSING = frozenset(
    {"", "-", "--", "—", "——", "/", "\\", "无数据", "null", "none", "nan", "<null>", "n/a", "na"}
    | {"#n/a", "#ref!", "#value!", "#div/0!", "#name?"}
)
SHOWN = 5
"""How many places one note lists."""


def is_blank(text: str) -> bool:
    """Whether a text stands for nothing: empty, dashes, ``NULL``, a spreadsheet error."""
    return text.strip().casefold() in _MISSING


def plain(value: Any) -> str:
    """Return a value as text in NFKC form; whole floats without ``.0``, missing as an empty text."""
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    if isinstance(value, (bool, np.bool_)):
        return "是" if value else "否"
    return unicodedata.normalize("NFKC", str(value)).strip()


def spread(series: pd.Series, decode: Callable[[Any], Any]) -> list[Any]:
    """Apply ``decode`` once to each distinct value and lay the answers on the rows; missing rows get None."""
    codes, uniques = pd.factorize(series)
    decoded = np.empty(len(uniques) + 1, dtype=object)
    for i, value in enumerate(uniques):
        decoded[i] = decode(value)
    decoded[-1] = None
    return list(decoded[codes])


def _key(text: str) -> str:
    return _NOISE.sub("", text).casefold()


@lru_cache(maxsize=256)
def _dictionary(column: Column) -> dict[str, str]:
    table: dict[str, str] = {}
    for code in column.codes:
        for word in (code.value, *code.words):
            table.setdefault(_key(plain(word)), code.value)
    return table


def decode_word(value: Any, column: Column, header: str = "") -> str | None:
    """Return the code for one value, None for a word that we do not know, ``""`` for a blank.

    A code of ours is itself, ``none`` too, which elsewhere stands for nothing. Tries the word as it stands, then without brackets, then without a date in it (``2022年5月完工``). A tick means what
    the header asks: under 开工情况 started, under 完工情况 completed, under 验收 accepted, under a plain 状态 completed (as ledgers mean it).
    """
    text = plain(value)
    if text in {code.value for code in column.codes}:
        return text
    if is_blank(text) and not (column.name == "aerial_cable_status" and text == "无"):
        return ""
    table = _dictionary(column)
    if column.name == "status" and text in _TICKS | _CROSSES:
        return _tick(text, header, table)
    for form in (text, _BRACKETS.sub("", text), _DATE.sub("", _BRACKETS.sub("", text))):
        found = table.get(_key(form))
        if found is not None:
            return found
    both = {table.get(_key(part.strip("、:"))) for part in _PART.findall(text)}
    return both.pop() if len(both) == 1 else None  # ``1圆形``, ``T混凝土``: the number and the word say the same


_ASKS = (
    (("验收",), "accepted", None),
    (("完工", "竣工"), "completed", None),
    (("开工",), "started", "planned"),
)
"""What a header asks in so many words, and what a tick and a cross answer."""


def _tick(text: str, header: str, table: dict[str, str]) -> str | None:
    for words, yes, no in (*_ASKS, (("状态", "进展", "进度", "情况"), "completed", None)):
        if any(w in header for w in words):
            answer = yes if text in _TICKS else no
            return answer if answer in table.values() else None
    return None


def known_share(values: pd.Series, column: Column) -> float:
    """Return the share of values that `decode_word` knows; bare digits count 0.8."""
    counts = values.map(plain).value_counts()
    counts = counts[[not is_blank(str(w)) for w in counts.index]]
    if not counts.sum():
        return 0.0
    score = sum(
        n * (0.8 if str(word).isdigit() else 1.0) for word, n in counts.items() if decode_word(word, column) is not None
    )
    return float(score / counts.sum())


def read_codes(raw: Raw, theirs: str, column: Column) -> pd.Series:
    """Return a column of codes; words that we do not know become ``unknown`` (or missing), each named in a note.

    Open enumerations (materials, manhole types) keep the word as it is.
    """
    series = raw.frame[theirs]
    fallback = "unknown" if "unknown" in {c.value for c in column.codes} else None
    keeps = keeps_unknown_words(column.name)
    strange: dict[Any, str] = {}

    def decode(value: Any) -> str | None:
        code = decode_word(value, column, theirs)
        if code == "":
            return None
        if code is None:
            strange[value] = plain(value)
            return plain(value) if keeps else fallback
        return code

    out = pd.Series(spread(series, decode), dtype="str")
    if column.name == "status" and not any(w in theirs for words, _, _ in _ASKS for w in words):
        ticked = np.flatnonzero(series.map(lambda v: plain(v) in _TICKS).to_numpy(dtype=bool))
        if len(ticked):
            raw.notes.warn(
                f"{theirs}：{len(ticked)} 处打勾，按“已完工”读取，请核对。",
                f"{theirs}: {len(ticked)} ticks were read as completed. Please check.",
                raw.where(theirs, int(ticked[0])),
            )
    if strange and not keeps:
        becomes = ("按“未知”处理", "stored as unknown") if fallback else ("留空", "left empty")
        note_words(raw, theirs, column, strange, becomes)
    return out


def read_bools(raw: Raw, theirs: str, column: Column) -> pd.Series:
    """Return a nullable boolean column from 是/否, 有/无, ticks, 1/0; other words are missing, each named in a note."""
    strange: dict[Any, str] = {}

    def decode(value: Any) -> bool | None:
        text = plain(value).casefold()
        if text in _YES:
            return True
        if text in _NO:
            return False
        if not is_blank(text):
            strange[value] = text
        return None

    out = pd.Series(spread(raw.frame[theirs], decode), dtype="boolean")
    if strange:
        note_words(raw, theirs, column, strange, ("留空", "left empty"))
    return out


def note_words(raw: Raw, theirs: str, column: Column, strange: dict[Any, str], becomes: tuple[str, str]) -> None:
    """Write one warning that names each unknown value, where it first stands and what became of it."""
    series = raw.frame[theirs]
    told_zh, told_en, first = [], [], ""
    for value, text in list(strange.items())[:SHOWN]:
        hits = np.flatnonzero((series == value).fillna(False).to_numpy(dtype=bool))
        if not len(hits):
            continue
        place = raw.cell(theirs, int(hits[0]))
        first = first or raw.where(theirs, int(hits[0]))
        told_zh.append(f"“{text[:40]}”（{place}，共 {len(hits)} 处）")
        told_en.append(f"“{text[:40]}” ({place}, {len(hits)}x)")
    more = len(strange) - len(told_zh)
    raw.notes.warn(
        f"{column.label.zh}：不认识的值 {'、'.join(told_zh)}{f' 等另 {more} 种' if more > 0 else ''}，{becomes[0]}。",
        f"{column.label.en}: values we do not know: {', '.join(told_en)}{f' and {more} more' if more > 0 else ''}; "
        f"{becomes[1]}.",
        first or raw.place,
    )
