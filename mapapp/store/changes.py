"""This module compares an incoming table with a stored layer: what would be added, changed, removed or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from shapely.geometry.base import BaseGeometry

from mapapp.core.errors import ConflictError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.store.frames import ARROW, Rows, kind_of, nulls, series_of

Mode = Literal["add", "update", "replace"]
MODES: tuple[Mode, ...] = ("add", "update", "replace")

SAME_PLACE_M = 1e-6
"""Vertices closer than this are the same: what is left of a coordinate after formats and transformations."""
_SAME_NUMBER = 1e-9
_SHOWN = 3

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Changes:
    """What storing a table would do; nothing is written before `Database.apply`.

    Attributes
    ----------
    layer : str
    mode : {"add", "update", "replace"}
    added, changed, removed, unchanged : int
        Rows. With mode "add" a row that is there with other content is counted as changed *and* refused.
    differences : DataFrame
        One row per changed cell: ``id``, ``column``, ``before``, ``after``; the column ``geometry`` holds geometry.
    refused : tuple of str
        Ids that mode "add" does not accept, because they are there with other content.
    added_ids, removed_ids : tuple of str
    """

    layer: str
    mode: Mode
    added: int
    changed: int
    removed: int
    unchanged: int
    differences: pd.DataFrame
    refused: tuple[str, ...]
    added_ids: tuple[str, ...] = field(repr=False, default=())
    removed_ids: tuple[str, ...] = field(repr=False, default=())
    # what apply needs: the incoming rows, those to add and to change, what the latter replace, the state compared with
    incoming: Rows | None = field(repr=False, default=None)
    to_add: Rows | None = field(repr=False, default=None)
    to_change: Rows | None = field(repr=False, default=None)
    replaced: Rows | None = field(repr=False, default=None)
    version: str = ""

    @property
    def nothing(self) -> bool:
        """Whether applying would leave everything as it is."""
        return not (self.added or self.changed or self.removed)

    def same_effect(self, other: Changes) -> bool:
        """Whether both would do the same to the layer."""
        return (
            (self.added_ids, self.removed_ids, self.refused) == (other.added_ids, other.removed_ids, other.refused)
            and self.changed == other.changed
            and self.differences[["id", "column"]].equals(other.differences[["id", "column"]])
            and _same_words(self.differences["before"], other.differences["before"])
        )

    def check(self, layer: Layer) -> None:
        """Refuse when mode "add" met ids that are there with other content.

        Raises
        ------
        ConflictError
            With the first differences in the message.
        """
        if not self.refused:
            return
        some = self.differences.head(_SHOWN)
        shown = "; ".join(f"{i} {c} {_word(b)} → {_word(a)}" for i, c, b, a in some.itertuples(index=False))
        more = len(self.differences) - len(some)
        raise ConflictError(
            Text(
                f"“{layer.title.zh}”中有 {len(self.refused)} 个编号已存在且内容不同：{shown}{f'；另有 {more} 处' if more else ''}。",
                f"{len(self.refused)} ids of {layer.name} are there already with other content: {shown}"
                f"{f'; {more} more differences' if more else ''}.",
            ),
            Text(
                "按编号更新请用 --update，整层替换请用 --replace。",
                "Use --update to change them by id, or --replace for the whole layer.",
            ),
        )


def compare(stored: Rows, incoming: Rows, layer: Layer, mode: Mode, *, version: str = "") -> Changes:
    """Compare rows by the layer's key.

    With "add" and "update" a missing value or geometry in ``incoming`` says nothing and leaves what is stored; with
    "replace" it counts, columns that ``incoming`` lacks become missing, and rows that it lacks are removed.

    Parameters
    ----------
    stored : Rows
        What is in the database; at least the rows whose ids are in ``incoming``, for "replace" all.
    incoming : Rows
    layer : Layer
    mode : {"add", "update", "replace"}
    version : str
        Of the layer when ``stored`` was read.
    """
    whole = mode == "replace"
    if whole:
        incoming = _with_columns(incoming, stored)
    new_ids = pd.Index(series_of(incoming.table.column(layer.key)))
    old_ids = pd.Index(series_of(stored.table.column(layer.key)))
    found = old_ids.get_indexer(new_ids)
    matched = np.flatnonzero(found >= 0)
    after, before = incoming.take(matched), stored.take(found[matched])

    differs = np.zeros(len(matched), dtype=bool)
    cells: list[pd.DataFrame] = []
    ids = new_ids[matched]
    by_fold = {n.casefold(): n for n in stored.table.column_names}
    befores: dict[str, pa.ChunkedArray] = {}
    afters: dict[str, pa.ChunkedArray] = {}
    for position, name in enumerate(after.table.column_names):
        new = after.table.column(name)
        there = by_fold.get(name.casefold())
        old = before.table.column(there) if there else pa.chunked_array([nulls(kind_of(new.type), len(matched))])
        if name == layer.key:
            afters[name] = new
            befores[name] = old
            continue
        other = _differs(old, new, whole=whole)
        befores[name] = old
        afters[name] = new if whole or not new.null_count else pc.if_else(new.is_null(), *_alike(old, new))
        if other.any():
            differs |= other
            at = np.flatnonzero(other)
            cells.append(
                _cells(
                    ids,
                    at,
                    position,
                    there or name,
                    series_of(old.take(pa.array(at))),
                    series_of(new.take(pa.array(at))),
                )
            )
    shape = after.geometry
    if after.geometry is not None and before.geometry is not None:
        other = _moved(before.geometry, after.geometry, whole=whole)
        shape = (
            after.geometry if whole else np.where(shapely.is_missing(after.geometry), before.geometry, after.geometry)
        )
        if other.any():
            differs |= other
            at = np.flatnonzero(other)
            cells.append(
                _cells(
                    ids,
                    at,
                    10_000,
                    "geometry",
                    pd.Series(before.geometry[at], dtype=object),
                    pd.Series(after.geometry[at], dtype=object),
                )
            )

    added = np.flatnonzero(found < 0)
    gone = np.setdiff1d(np.arange(len(old_ids)), found[matched]) if whole else np.empty(0, dtype=int)
    return Changes(
        layer=layer.name,
        mode=mode,
        added=len(added),
        changed=int(differs.sum()),
        removed=len(gone),
        unchanged=int((~differs).sum()),
        differences=_in_order(cells),
        refused=tuple(ids[differs]) if mode == "add" else (),
        added_ids=tuple(new_ids[added]),
        removed_ids=tuple(old_ids[gone]),
        incoming=incoming,
        to_add=incoming.take(added),
        to_change=Rows(pa.table(afters), shape).take(differs),
        replaced=Rows(pa.table(befores), before.geometry).take(differs),
        version=version,
    )


def _with_columns(incoming: Rows, stored: Rows) -> Rows:
    there = {n.casefold() for n in incoming.table.column_names}
    out = incoming.table
    for name in stored.table.column_names:
        column = stored.table.column(name)
        if name.casefold() not in there and column.null_count < len(column):
            out = out.append_column(name, nulls(kind_of(column.type), len(incoming)))
    return Rows(out, incoming.geometry)


def _alike(old: pa.ChunkedArray, new: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return both columns in one kind: the stored one where the values allow it, else text."""
    if old.type == new.type:
        return old, new
    try:
        return old, new.cast(old.type)
    except pa.ArrowException:
        return old.cast(ARROW["str"]), new.cast(ARROW["str"])


def _differs(old: pa.ChunkedArray, new: pa.ChunkedArray, *, whole: bool) -> Mask:
    old, new = _alike(old, new)
    has_old, has_new = (c.is_valid().to_numpy() for c in (old, new))
    if pa.types.is_floating(old.type):
        a, b = (c.to_numpy() for c in (old, new))
        same = np.isclose(a, b, rtol=_SAME_NUMBER, atol=_SAME_NUMBER)
    else:
        same = pc.equal(old, new).fill_null(False).to_numpy(zero_copy_only=False)
    appears = has_new & ~has_old
    vanishes = has_old & ~has_new if whole else False
    out: Mask = (has_old & has_new & ~same) | appears | vanishes
    return out


def _moved(old: npt.NDArray[np.object_], new: npt.NDArray[np.object_], *, whole: bool) -> Mask:
    no_old, no_new = shapely.is_missing(old), shapely.is_missing(new)
    same = shapely.equals_exact(old, new, SAME_PLACE_M)
    out: Mask = (~no_old & ~no_new & ~same) | (no_old & ~no_new) | ((~no_old & no_new) if whole else False)
    return out


def _cells(
    ids: pd.Index[Any], at: npt.NDArray[Any], position: int, column: str, before: pd.Series[Any], after: pd.Series[Any]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "_row": at,
            "_column": position,
            "id": ids[at],
            "column": column,
            "before": before.astype(object).to_numpy(),
            "after": after.astype(object).to_numpy(),
        }
    )


def _in_order(cells: Sequence[pd.DataFrame]) -> pd.DataFrame:
    if not cells:
        return pd.DataFrame(
            {
                "id": pd.Series(dtype="str"),
                "column": pd.Series(dtype="str"),
                "before": pd.Series(dtype=object),
                "after": pd.Series(dtype=object),
            }
        )
    all_cells = pd.concat(cells, ignore_index=True).sort_values(["_row", "_column"], kind="stable")
    return all_cells[["id", "column", "before", "after"]].reset_index(drop=True)


def _same_words(a: pd.Series[Any], b: pd.Series[Any]) -> bool:
    return len(a) == len(b) and all(_word(x) == _word(y) for x, y in zip(a, b, strict=True))


def _word(value: Any) -> str:
    if isinstance(value, BaseGeometry):
        return str(value.geom_type)
    return "-" if value is None or pd.isna(value) else str(value)[:40]
