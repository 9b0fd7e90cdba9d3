"""This module finds our columns among theirs: exact names and aliases first, similar names only as proposals."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from mapapp.core.errors import InputError
from mapapp.core.schema import Column, Layer
from mapapp.core.text import Text
from mapapp.ingest.result import Match
from mapapp.ingest.words import known_share

_BRACKETS = re.compile(r"[(\[{〔【《<]([^()\[\]{}〔〕【】《》<>]*)[)\]}〕】》>]")
_NOISE = re.compile(r"[\s_\-.,、:：;；/\\|*#'\"“”‘’·]+")
_UNIT = re.compile(
    r"^(万?(m2|m²|㎡|平方米|平米|方|元|公里|户)|亿元|元|km|公里|千米|mm|毫米|cm|厘米|m|米|个|栋|幢|户|人|处|部|套|%|％)$"
)
_UNIT_TAIL = re.compile(r"(万平方米|万平米|万㎡|万m2|平方米|㎡|亿元|万元)$")
_ENGLISH_UNITS = {
    "yuan": "元", "cny": "元", "rmb": "元", "10000yuan": "万元", "tenthousandyuan": "万元", "wanyuan": "万元",
    "10kyuan": "万元", "10000cny": "万元", "10kcny": "万元", "10000rmb": "万元", "rmb10000": "万元", "cny10000": "万元",
    "millionyuan": "百万元", "millioncny": "百万元", "millionrmb": "百万元", "rmbmillion": "百万元", "cnymillion": "百万元",
    "100millionyuan": "亿元", "yiyuan": "亿元", "sqm": "m2", "squaremetres": "m2", "squaremeters": "m2",
    "10000m2": "万m2", "10000sqm": "万m2", "ha": "公顷", "hectares": "公顷", "m2": "m2", "km": "km", "mm": "mm", "%": "%",
}  # fmt: skip
_ENGLISH_TAIL = re.compile(
    r"(?<=[a-z])(?:\s*,\s*|\s+)(?:in\s+)?((?:10,?000\s|10k\s|ten thousand\s|wan\s|(?:100\s)?million\s)?"
    r"(?:yuan|cny|rmb|m2|sqm|square met(?:re|er)s|ha|hectares|km|mm))$"
)
_WAN_M2 = "_wan_m2"
_ROW_NUMBERS = frozenset({"序号", "序", "no", "xh"})
_LAST_RESORT = frozenset({"id", "objectid", "fid", "编号", "osmid", "楼号", "栋号"})
"""Names that may be a key, and more often count something within something else (楼号: within its compound)."""
_SAMPLE = 2000
_FUZZY = 0.75
_CUT_RANK = 50
SEPARATOR = " › "
"""Stands between the rows of a two-row header: ``投资(万元) › 中央补助``."""


@lru_cache(maxsize=4096)
def normalise(name: str) -> str:
    """Return a name without case, width, brackets and punctuation: ``建筑面积（万㎡）`` is ``建筑面积``."""
    text = unicodedata.normalize("NFKC", name).casefold().strip()
    stripped = _BRACKETS.sub("", text)
    return _NOISE.sub("", stripped or text)


@lru_cache(maxsize=4096)
def unit_of(name: str) -> str:
    """Return the unit written in a header, in NFKC form (``万m2``), else an empty string."""
    text = unicodedata.normalize("NFKC", name).casefold()
    for inner in reversed(_BRACKETS.findall(text)):
        word = inner.replace("单位", "").strip(" :")
        if _UNIT.match(word):
            return str(word)
        if english := _english_unit(word):
            return english
    if text.endswith(_WAN_M2):
        return "万m2"
    for part in reversed(text.split(SEPARATOR)):
        if m := re.search(r"单位[::]\s*(\S+)", part):
            return m[1]
        if m := _UNIT_TAIL.search(part.strip()):
            return m[1]
        if m := _ENGLISH_TAIL.search(part.strip()):
            return _english_unit(m[1])
    return ""


def _english_unit(words: str) -> str:
    return _ENGLISH_UNITS.get(re.sub(r"[\s,.]|^in\s", "", words), "")


def keys_of(header: str) -> list[str]:
    """Ways to read one header, most telling first; a two-row header also by its lower and its upper part."""
    parts = header.split(SEPARATOR)
    texts = ["".join(parts)]
    if len(parts) > 1:
        texts += [parts[-1], parts[-1] + parts[0]]
        if normalise(parts[-1]) in ("合计", "小计", "总计", "总数", "总额"):
            texts.append(parts[0])
    texts += [t.removeprefix("其中").lstrip(":： ") for t in texts if t.startswith("其中")]
    if shorter := _ENGLISH_TAIL.sub("", header.casefold()):
        texts.append(shorter)
    out = []
    for text in texts:
        flat = _NOISE.sub("", re.sub(r"[()\[\]{}]", "", unicodedata.normalize("NFKC", text).casefold()))
        out += [flat, normalise(text)]
    return list(dict.fromkeys(k for k in out if k))


def alias_table(layer: Layer) -> dict[str, list[tuple[str, int]]]:
    """Normalised name to our columns, each with the rank of the alias; our own name ranks first."""
    table: dict[str, list[tuple[str, int]]] = {}
    cuts: dict[str, set[tuple[str, int]]] = {}
    for column in layer.columns:
        if column.name.endswith(_WAN_M2) and (home := layer.column(column.name.replace("_wan_m2", "_m2"))) is not None:
            table.setdefault(normalise(column.name), []).append((home.name, 1))  # one fact has one home: square metres
            continue
        names = (column.name, *column.aliases)
        for rank, name in enumerate(names):
            for key in dict.fromkeys((normalise(name), *keys_of(name))):
                seen = table.setdefault(key, [])
                if column.name not in [c for c, _ in seen]:
                    seen.append((column.name, rank))
            for cut in _cut(name):
                cuts.setdefault(normalise(cut), set()).add((column.name, rank + _CUT_RANK))
    for key, owners in cuts.items():  # a cut that could be two columns is none
        if key not in table and len({c for c, _ in owners}) == 1:
            table[key] = [min(owners)]
    return table


def _cut(name: str) -> set[str]:
    """Return what dBASE leaves of a name: its first ten bytes, in UTF-8 or in GBK."""
    pieces = {name.encode(codec)[:10].decode(codec, "ignore") for codec in ("utf-8", "gb18030")}
    return {p for p in pieces if p != name and len(p) > 2}


def match_columns(
    frame: pd.DataFrame,
    layer: Layer,
    given: Mapping[str, str] | None,
    *,
    place: str,
    reserved: Iterable[str] = (),
) -> tuple[dict[str, Match], dict[str, Match]]:
    """Find our columns among the columns of ``frame``.

    Parameters
    ----------
    given : mapping of ours to theirs, optional
        What the user confirmed; ``""`` leaves a column out, ``=value`` sets a constant.
    place : str
        The file, for messages.
    reserved : iterable of str
        Their columns that already serve as coordinates.

    Returns
    -------
    applied, proposals : dict of str to Match
        What will be read, and similar names that need a confirmation.

    Raises
    ------
    InputError
        When ``given`` names a column that the layer or the file does not have.
    """
    applied: dict[str, Match] = {}
    left_out: set[str] = set()
    for ours, theirs in (given or {}).items():
        column = layer.column(ours)
        if column is None:
            names = " ".join(c.name for c in layer.columns)
            raise InputError(
                Text(f"图层 {layer.name} 没有字段“{ours}”。", f"Layer {layer.name} has no column {ours!r}."),
                Text(f"可用字段：{names}。", f"Columns: {names}."),
                where=place,
            )
        if theirs == "":
            left_out.add(ours)
        elif theirs.startswith("="):
            applied[ours] = Match(theirs, "confirmed", 1.0)
        else:
            applied[ours] = Match(_named(theirs, frame, place), "confirmed", 1.0, unit_of(theirs))
    used = {m.theirs for m in applied.values()} | set(reserved)
    table = alias_table(layer)
    order = {c.name: i for i, c in enumerate(layer.columns)}
    has_name = any(ours == "name" for h in frame.columns for k in keys_of(str(h)) for ours, _ in table.get(k, ()))
    options: list[tuple[tuple[float, ...], str, str, str]] = []
    for position, header in enumerate(map(str, frame.columns)):
        if header in used:
            continue
        for depth, key in enumerate(keys_of(header)):
            for ours, rank in table.get(key, ()):
                if ours in applied or ours in left_out:
                    continue
                column = layer.column(ours)
                fit = _fit(frame[header], column, key, layer.key, has_name=has_name)  # type: ignore[arg-type]  # declared
                if fit is not None:
                    how = "name" if rank == 0 and key == normalise(ours) else "alias"
                    options.append(((-fit, depth, rank, order[ours], position), ours, header, how))
    for _, ours, header, how in sorted(options):
        if ours not in applied and header not in used:
            applied[ours] = Match(header, how, 1.0, unit_of(header))
            used.add(header)
    return applied, _propose(frame, layer, applied, used, left_out)


def is_row_number(match: Match) -> bool:
    """Whether a key was taken from a column that only counts rows (序号), and nobody confirmed that."""
    return match.how != "confirmed" and normalise(match.theirs) in _ROW_NUMBERS


def _fit(values: pd.Series, column: Column, key: str, layer_key: str, *, has_name: bool) -> float | None:
    """How well the values suit the column, 0 to 1; None when they cannot be meant.

    Keys: the share of distinct values; a row number (序号) never where names are known. Enumerations: the share of
    known words, digits counting a little less than words because cities number their types differently.
    """
    sample = values.dropna()
    if len(sample) > _SAMPLE:
        sample = sample.iloc[np.linspace(0, len(sample) - 1, _SAMPLE).astype(int)]
    if column.name == layer_key:
        whole = values.dropna()
        distinct = whole.nunique() / max(len(values), 1)
        if key in _ROW_NUMBERS:
            return None if has_name or distinct < 1 else 0.05
        return round(distinct, 2) * (0.5 if key in _LAST_RESORT else 1.0)
    if not len(sample):
        return 0.0
    if column.codes:
        return known_share(sample, column)
    if column.kind in ("int", "float") and sample.dtype == object:
        return 0.9
    return 1.0


def _named(theirs: str, frame: pd.DataFrame, place: str) -> str:
    headers = [str(h) for h in frame.columns]
    if theirs in headers:
        return theirs
    close = [h for h in headers if normalise(h) == normalise(theirs)]
    if len(close) == 1:
        return close[0]
    listed = "、".join(headers[:30])
    raise InputError(
        Text(f"文件里没有列“{theirs}”。", f"The file has no column {theirs!r}."),
        Text(f"现有的列：{listed}。", f"Columns there: {', '.join(headers[:30])}."),
        where=place,
    )


def _propose(
    frame: pd.DataFrame, layer: Layer, applied: Mapping[str, Match], used: set[str], left_out: set[str]
) -> dict[str, Match]:
    """Similar names for what is still open, best first; never applied."""
    scored: list[tuple[float, str, str]] = []
    for header in map(str, frame.columns):
        if header in used or frame[header].isna().all():
            continue
        key = normalise(header)
        for column in layer.columns:
            if column.name in applied or column.name in left_out:
                continue
            best = max(_similar(key, normalise(n)) for n in (column.name, *column.aliases))
            if best >= _FUZZY:
                scored.append((-best, column.name, header))
            elif column.name == "kind" and known_share(frame[header].dropna().head(_SAMPLE), column) == 1.0:
                scored.append((-_FUZZY, column.name, header))  # its words are those of no other column
    proposals: dict[str, Match] = {}
    taken: set[str] = set()
    for score, ours, header in sorted(scored):
        if ours not in proposals and header not in taken:
            proposals[ours] = Match(header, "proposal", round(-score, 2), unit_of(header))
            taken.add(header)
    return proposals


@lru_cache(maxsize=65536)
def _similar(a: str, b: str) -> float:
    if not a or not b or min(len(a), len(b)) < 2:
        return 0.0
    if len(b) >= 2 and b in a and not b.isascii():
        return 0.75 + 0.2 * len(b) / len(a)
    if abs(len(a) - len(b)) > max(len(a), len(b)) / 2:
        return 0.0
    return difflib.SequenceMatcher(None, a, b).ratio()


def save_mapping(mapping: Mapping[str, Match] | Mapping[str, str], path: str | Path) -> None:
    """Write a mapping as TOML, to be edited, confirmed and used again (`load_mapping`)."""
    lines = ['# ours = theirs; an empty text leaves a column out, "=value" sets a constant', "[columns]"]
    for ours, theirs in mapping.items():
        text = theirs.theirs if isinstance(theirs, Match) else theirs
        # a JSON text is a TOML basic string, but for the one control character that JSON lets pass
        lines.append(f"{ours} = {json.dumps(text, ensure_ascii=False)}".replace("\x7f", "\\u007f"))
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def load_mapping(path: str | Path) -> dict[str, str]:
    """Read a mapping written by `save_mapping`.

    Raises
    ------
    InputError
        When the file is missing, is not TOML or holds no ``[columns]`` table of texts.
    """
    name = Path(path).name
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            Text("字段对应表无法读取。", "The column mapping cannot be read."),
            Text("请给出 save_mapping 写出的 TOML 文件。", "Give a TOML file as written by save_mapping."),
            where=name,
        ) from error
    columns = data.get("columns")
    if not isinstance(columns, dict) or not all(isinstance(v, str) for v in columns.values()):
        raise InputError(
            Text("字段对应表里没有 [columns] 一节。", "The column mapping has no [columns] table of texts."),
            Text('请写成 pipe_id = "管线编号"。', 'Write lines such as pipe_id = "管线编号".'),
            where=name,
        )
    return dict(columns)
