"""This module knows the planner's month: what a ledger leaves blank, how two states differ, and the forms to be filled."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.programme import totals

_DATE: Final = re.compile(r"(20\d\d)\s*[-年./]\s*(\d{1,2})(?:\s*[-月./]\s*(\d{1,2}))?")
DIFFERENCES: Final = ("compound_id", "column", "before", "after")


def date_in(*texts: str) -> str | None:
    """Return the first whole date in the texts as ISO 8601, else the last day of the first month named; None without.

    Examples
    --------
    >>> date_in("填报单位：住建局　截至：2022-06-25"), date_in("台账2022年2月.xlsx"), date_in("台账")
    ('2022-06-25', '2022-02-28', None)
    """
    found = [m for text in texts for m in _DATE.finditer(text) if 1 <= int(m[2]) <= 12]
    for m in found:
        if m[3] and 1 <= int(m[3]) <= monthrange(int(m[1]), int(m[2]))[1]:
            return f"{m[1]}-{int(m[2]):02d}-{int(m[3]):02d}"
    for m in found:
        return f"{m[1]}-{int(m[2]):02d}-{monthrange(int(m[1]), int(m[2]))[1]}"
    return None


def blanked(stored: pd.DataFrame, incoming: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return what is stored where the new ledger has the column but left the cell blank.

    Parameters
    ----------
    stored, incoming : DataFrame
        By ``compound_id``, each once.
    columns : sequence of str
        Those that the file has.

    Returns
    -------
    DataFrame
        `DIFFERENCES`, with ``after`` missing; in the order of ``incoming``.
    """
    there = incoming[incoming["compound_id"].isin(stored["compound_id"])]
    old = stored.drop_duplicates("compound_id").set_index("compound_id").reindex(there["compound_id"])
    parts = []
    for column in columns:
        if column == "compound_id" or column not in old or column not in there:
            continue
        hit = there[column].isna().to_numpy() & old[column].notna().to_numpy()
        parts.append(
            pd.DataFrame({
                "compound_id": old.index[hit], "column": column,
                "before": old[column].astype("object").to_numpy()[hit], "after": None,
            })
        )  # fmt: skip
    kept = [p for p in parts if len(p)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=list(DIFFERENCES))


def with_blanks(stored: pd.DataFrame, incoming: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the ledger as the new file has it, blank cells included: its columns for its compounds, all else as stored.

    Rows come in the order stored, new ones after them. Input untouched.
    """
    out = stored.set_index("compound_id")
    new = incoming.set_index("compound_id")
    fresh = new.index.difference(out.index, sort=False)
    out = out.reindex(out.index.append(fresh))
    known = new.index
    for column in columns:
        if column == "compound_id" or column not in new:
            continue
        if column not in out:
            out[column] = pd.Series(pd.NA, index=out.index, dtype=new[column].dtype)
        values = out[column].astype("object")
        values.loc[known] = new[column].astype("object")
        out[column] = values.astype(new[column].dtype)
    return out.reset_index()


def compare(before: pd.DataFrame, after: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return every cell in which two states of the compounds differ.

    Parameters
    ----------
    before, after : DataFrame
        By ``compound_id``.
    columns : sequence of str
        To compare; one that a state lacks is missing there.

    Returns
    -------
    DataFrame
        `DIFFERENCES`; a compound that came or went has one row with column "" and before/after "" or "exists".
        In the order of ``after``, then of ``before``.
    """
    a, b = (f.drop_duplicates("compound_id").set_index("compound_id") for f in (before, after))
    both = b.index[b.index.isin(a.index)]
    parts = [
        pd.DataFrame({"compound_id": b.index.difference(a.index, sort=False), "column": "", "before": None, "after": "exists"}),
        pd.DataFrame({"compound_id": a.index.difference(b.index, sort=False), "column": "", "before": "exists", "after": None}),
    ]  # fmt: skip
    for column in dict.fromkeys(columns):
        old, new = (_comparable(f, column, both) for f in (a, b))
        differs = ~((old == new) | (old.isna() & new.isna()))
        if differs.any():
            parts.append(
                pd.DataFrame({"compound_id": both[differs], "column": column, "before": old[differs], "after": new[differs]})
            )  # fmt: skip
    kept = [p.astype("object") for p in parts if len(p)]
    if not kept:
        return pd.DataFrame(columns=list(DIFFERENCES))
    out = pd.concat(kept, ignore_index=True)
    order = {c: i for i, c in enumerate([*b.index, *a.index.difference(b.index, sort=False)])}
    out = out.assign(_at=out["compound_id"].map(order)).sort_values("_at", kind="stable").drop(columns="_at")
    return out.astype("object").where(out.notna(), None).reset_index(drop=True)


def _comparable(frame: pd.DataFrame, column: str, ids: pd.Index) -> pd.Series:
    if column not in frame:
        return pd.Series(None, index=range(len(ids)), dtype="object")
    values = frame[column].reindex(ids).reset_index(drop=True)
    if pd.api.types.is_float_dtype(values.dtype):
        values = values.round(6)
    plain = values.astype("object")
    return plain.where(plain.notna(), None)


def moves(differences: pd.DataFrame) -> pd.DataFrame:
    """Return how many compounds went from which status to which: ``before after compounds``, most first."""
    status = differences[differences["column"] == "status"]
    counted = status.groupby(["before", "after"], dropna=False, sort=False).size().rename("compounds").reset_index()
    return counted.sort_values("compounds", ascending=False, kind="stable", ignore_index=True)


@dataclass(frozen=True)
class Form:
    """A form, ready to be laid on a sheet.

    Attributes
    ----------
    heads : tuple of tuple of str
        Per column its header cells, top to bottom; equal neighbours in the upper row are one merged cell.
    rows : tuple of tuple
        Values by column, numbers as numbers; None where nothing is known.
    digits : tuple of int or None
        Places after the point by column; None for text.
    total : bool
        Whether the last row is the total.
    """

    title: str
    note: str
    sheet: str
    heads: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[Any, ...], ...]
    digits: tuple[int | None, ...]
    total: bool


def form(compounds: pd.DataFrame, spec: Mapping[str, Any], **words: str) -> Form:
    """Fill a form from a state of the compounds.

    Parameters
    ----------
    compounds : DataFrame
        One row per compound.
    spec : mapping
        A parsed ``geodata/forms/*.toml``: ``title note sheet group`` (a column, or "compound" for one row each),
        ``total`` (label of the last row; none without) and ``column`` (list of ``head value scale digits text``).
        ``value`` names a figure of `totals.by_groups`, ``<part>/<whole>`` for a rate in per cent, ``#`` for the row's
        number, ``@`` for its group; with ``group = "compound"`` any column.
    **words
        What ``{county}`` and the like in title and note stand for.

    Raises
    ------
    InputError
        When the file names a figure that there is not.
    """
    columns: Sequence[Mapping[str, Any]] = spec["column"]
    group = str(spec["group"])
    each = group == "compound"
    if each:
        table = compounds[compounds["status"].astype("object") != "withdrawn"] if "status" in compounds else compounds
        labels: list[Any] = [None] * len(table)
        figures = table.reset_index(drop=True).reindex(columns=_columns_of(table, columns))
    else:
        figures = totals.by_groups(compounds, group)
        labels = [_label(v, spec) for v in figures.index]
        figures = figures.reset_index(drop=True)
    rows = [tuple(_cell(c, figures, i, labels[i], each=each) for c in columns) for i in range(len(figures))]
    if "total" in spec:
        whole = totals.whole(compounds).to_frame().T.reset_index(drop=True)
        rows.append(tuple(_cell(c, whole, 0, spec["total"], each=False, last=True) for c in columns))
    return Form(
        title=str(spec["title"]).format(**words),
        note=str(spec.get("note", "")).format(**words),
        sheet=str(spec["sheet"]),
        heads=tuple(tuple(c["head"]) if isinstance(c["head"], list) else (c["head"],) for c in columns),
        rows=tuple(rows),
        digits=tuple(None if c["value"] == "@" or c.get("text") else int(c.get("digits", 0)) for c in columns),
        total="total" in spec,
    )


def _columns_of(table: pd.DataFrame, columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the table's columns and those declared ones that a form wants and this county has not filled yet."""
    declared = {c.name for c in schema.layer("compounds").columns}
    wanted = [str(c["value"]) for c in columns]
    return list(dict.fromkeys([*table.columns, *(w for w in wanted if w in declared)]))


def _label(value: object, spec: Mapping[str, Any]) -> str:
    if pd.isna(value):  # type: ignore[call-overload]  # one value of an index
        return str(spec.get("unknown", "未知"))
    word = f"{int(value)}" if isinstance(value, float) and value.is_integer() else str(value)
    return str(spec.get("each", "{value}")).format(value=word)


def _cell(
    column: Mapping[str, Any], figures: pd.DataFrame, row: int, label: object, *, each: bool, last: bool = False
) -> Any:
    value = str(column["value"])
    if value == "#":
        return None if last else row + 1
    if value == "@":
        return label
    if last and (column.get("text") or (value not in figures and "/" not in value)):
        return None  # a year or a progress has no total
    if "/" in value:
        part, _, whole = value.partition("/")
        got = totals.rate(_figure(figures, part, row, value), _figure(figures, whole, row, value))
        return None if got is None else round(got, int(column.get("digits", 0)))
    found = _figure(figures, value, row, value) if not column.get("text") else figures[value].iloc[row]
    if column.get("text"):
        return None if pd.isna(found) else dict(column.get("words", {})).get(str(found), str(found))
    return None if pd.isna(found) else round(float(found) * float(column.get("scale", 1)), int(column.get("digits", 0)))


def _figure(figures: pd.DataFrame, name: str, row: int, said: str) -> float:
    if name not in figures:
        raise InputError(
            Text(f"表样中的“{said}”不是可用的数字。", f"The form names {said!r}, which is no figure there is."),
            Text(f"可用：{' '.join(map(str, figures.columns))}。", f"Figures: {' '.join(map(str, figures.columns))}."),
        )
    return float(pd.to_numeric(figures[name], errors="coerce").iloc[row])
