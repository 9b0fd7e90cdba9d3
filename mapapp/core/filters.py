"""This module filters tables by column and value, in pandas alone, with a clear error for what is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from mapapp.core.errors import InputError
from mapapp.core.text import Text

MISSING: Final = "?"
"""The value that stands for "not known" in a filter and in its counts."""

Filters = Mapping[str, Sequence[str]]
"""Column name to accepted values: values of one column are alternatives, columns narrow each other."""

Mask = npt.NDArray[np.bool_]


def as_words(column: pd.Series) -> pd.Series:
    """Return a column's values as the words that filters and addresses use.

    Whole numbers lose their ``.0``; booleans are ``true`` and ``false``; missing and blank stay missing (NaN).
    """
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.map({True: "true", False: "false"}, na_action="ignore").astype("str")
    if pd.api.types.is_numeric_dtype(column.dtype):
        number = pd.to_numeric(column, errors="coerce").astype("float64")
        words = number.map(lambda v: f"{v:.0f}" if float(v).is_integer() else f"{v:.10g}", na_action="ignore")
        return words.astype("str")
    words = column.astype("str").str.strip()
    return words.where(words.notna() & (words != ""))


def mask(
    frame: pd.DataFrame,
    filters: Filters,
    *,
    lists: Iterable[str] = (),
    vocabulary: Mapping[str, Collection[str]] | None = None,
) -> Mask:
    """Return which rows pass all filters.

    Parameters
    ----------
    frame : DataFrame
        Any table. Untouched.
    filters : mapping
        See `Filters`. An empty mapping passes every row; a column with no values passes none.
    lists : iterable of str
        Columns whose cells hold several items joined by ``;``: a row passes when any item does.
    vocabulary : mapping, optional
        Values of a column that are right even where no row holds them now: the codes of an enumeration.

    Returns
    -------
    array of bool, one per row

    Raises
    ------
    InputError
        For a column that the table does not have, or a value that no row of that column holds and no vocabulary knows.
        The message names what there is *in this table*: one that was cut down cannot give away what was cut.
    """
    passed = np.ones(len(frame), dtype=bool)
    for column, values in filters.items():
        if column not in frame.columns or column == "geometry":
            raise _no_column(column, frame)
        words = as_words(frame[column])
        wanted = {str(v).strip() for v in values}
        if column in set(lists):
            hit, known = _any_item(words, wanted)
        else:
            hit = words.isin(wanted).to_numpy(dtype=bool)
            known = set(words.dropna().unique())
        if MISSING in wanted:
            hit = hit | words.isna().to_numpy(dtype=bool)
        # an empty table knows no values: nothing passes, and nothing can be called wrong
        known |= set((vocabulary or {}).get(column, ()))
        if len(frame) and (unknown := sorted(wanted - known - {MISSING})):
            raise _no_value(column, unknown[0], known)
        passed &= hit
    return passed


def count(column: pd.Series, *, is_list: bool = False) -> dict[str, int]:
    """Return how many rows hold each value, most frequent first, then by value; missing rows under `MISSING`.

    With ``is_list`` a row counts once for each of its items, so the counts may exceed the rows.
    """
    words = as_words(column)
    if is_list:
        words = words.str.split(";").map(lambda items: sorted({i.strip() for i in items}), na_action="ignore").explode()
        words = words.astype("str")  # a column with nothing known comes back as numbers
        words = words.where(words != "")
    counts = words.fillna(MISSING).value_counts()
    pairs = sorted(counts.items(), key=lambda pair: (-int(pair[1]), str(pair[0])))
    return {str(value): int(n) for value, n in pairs}


def order(frame: pd.DataFrame, column: str, *, descending: bool = False, tie: str | None = None) -> pd.DataFrame:
    """Return the rows ordered by a column, missing last in both directions, ties by the column ``tie``.

    Raises
    ------
    InputError
        When there is no such column.
    """
    if column not in frame.columns or column == "geometry":
        raise _no_column(column, frame)
    by = [column] + ([tie] if tie and tie != column and tie in frame.columns else [])
    return frame.sort_values(by, ascending=[not descending] + [True] * (len(by) - 1), na_position="last", kind="stable")


def _any_item(words: pd.Series, wanted: set[str]) -> tuple[Mask, set[str]]:
    items = words.reset_index(drop=True).str.split(";").explode().dropna().astype("str").str.strip()
    hit = np.zeros(len(words), dtype=bool)
    hit[items.index[items.isin(wanted)].to_numpy(dtype=np.intp)] = True
    return hit, set(items[items != ""].unique())


def _some(names: Iterable[str], limit: int = 12) -> str:
    shown = sorted(names)
    return " ".join(shown[:limit]) + (" …" if len(shown) > limit else "")


def _no_column(column: str, frame: pd.DataFrame) -> InputError:
    names = _some((str(c) for c in frame.columns if c != "geometry"), 40)
    return InputError(
        Text(f"没有名为“{column}”的列。", f"There is no column {column!r}."),
        Text(f"可用的列：{names}。", f"Columns: {names}."),
        where="f",
    )


def _no_value(column: str, value: str, known: set[str]) -> InputError:
    names = _some(known)
    return InputError(
        Text(f"没有一行的 {column} 是“{value}”。", f"No row has {value!r} in {column}."),
        Text(f"可用的值：{names}。", f"Values: {names}."),
        where=f"f.{column}",
    )
