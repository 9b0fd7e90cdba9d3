"""This module reads what a monthly ledger says about itself: its printed subtotals, totals and counts, each with its cell.

`ingest.read` leaves these rows out, because they are no records; the programme's checks compare them with the rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import python_calamine as calamine
from numpy.typing import NDArray

from mapapp.core import schema
from mapapp.core.schema import Layer
from mapapp.ingest import grid, layout, sheets
from mapapp.ingest import totals as totals_
from mapapp.ingest.columns import match_columns
from mapapp.ingest.csvfile import read_cells, read_csv
from mapapp.ingest.opening import ALL_SHEETS
from mapapp.ingest.result import Match, Notes, Raw, letter
from mapapp.ingest.values import read_number
from mapapp.ingest.words import plain

COUNTS: Final = ("planned_compounds", "started_compounds", "completed_compounds")
TOTAL_COLUMNS: Final = (
    "sheet", "cell", "label", "block", "grand", "column", "header", "printed", "summed", "parts", "rows", "tolerance",
)  # fmt: skip
COUNT_COLUMNS: Final = ("sheet", "cell", "programme_year", "column", "printed")
_WORKBOOKS: Final = frozenset({".xlsx", ".xlsm", ".xls"})
_TEXTS: Final = frozenset({".csv", ".txt", ".tsv"})
_LABELLED: Final = 6


@dataclass(frozen=True)
class Printed:
    """What a workbook prints besides its records.

    Attributes
    ----------
    ledgers : tuple of str
        Sheets whose rows are compounds.
    totals : DataFrame
        `TOTAL_COLUMNS`, one row per printed sum, in the *file's* units: ``printed`` as written, ``summed`` over the
        ``rows`` records it stands for, ``parts`` the sum of the printed subtotals (grand totals alone), ``tolerance``
        what rounding can explain; ``block`` the programme year of its rows where they share one.
    counts : DataFrame
        `COUNT_COLUMNS`: compounds planned, started and completed per year, from summary sheets.
    names : DataFrame
        ``row sheet cell``: where the name of each record lies, by its position in the ledger sheet.
    """

    ledgers: tuple[str, ...]
    totals: pd.DataFrame
    counts: pd.DataFrame
    names: pd.DataFrame


def read_printed(
    path: Path, *, sheet: str | None = None, columns: Mapping[str, str] | None = None, encoding: str | None = None
) -> Printed:
    """Return what a ledger prints besides its records.

    Parameters
    ----------
    path : Path
        A workbook or a text table (one ledger without a sheet's name); any other file gives empty tables.
    sheet : str, optional
        The ledger sheet; all of them without one, and for ``*``.
    columns, encoding : optional
        As for `ingest.read`.

    Raises
    ------
    InputError
        When the file cannot be read.
    QuestionError
        When the encoding of a text table cannot be told.
    """
    layer, suffix = schema.layer("ledger"), path.suffix.lower()
    if suffix in _TEXTS:
        raws = read_csv(path, layer, encoding, columns)
    elif suffix in _WORKBOOKS:
        raws = sheets.read_workbook(path, layer, None, columns)
    else:
        return Printed((), _frame([], TOTAL_COLUMNS), _frame([], COUNT_COLUMNS), _frame([], ("row", "sheet", "cell")))
    if suffix in _WORKBOOKS and sheet not in (None, ALL_SHEETS, *(r.layer for r in raws)):
        raws += sheets.read_workbook(path, layer, sheet, columns)  # a hidden one that was asked for
    mapped = [(raw, match_columns(raw.frame, layer, columns, place=raw.place)[0]) for raw in raws]
    ledgers = [(raw, m) for raw, m in mapped if ("name" in m or "compound_id" in m) and not set(COUNTS) & set(m)]
    chosen = [(raw, m) for raw, m in ledgers if sheet in (None, ALL_SHEETS, raw.layer)]
    totals: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    for raw, mapping in chosen:
        totals += _totals(_cells(path, raw.layer, encoding), raw, mapping, layer)
        header = mapping["name" if "name" in mapping else "compound_id"].theirs
        names += [{"row": i, "sheet": raw.layer, "cell": raw.cell(header, i)} for i in range(len(raw.frame))]
    counts = [c for raw, m in mapped if set(COUNTS) & set(m) and "programme_year" in m for c in _counts(raw, m)]
    return Printed(
        tuple(raw.layer for raw, _ in ledgers if raw.layer),
        _frame(totals, TOTAL_COLUMNS),
        _frame(counts, COUNT_COLUMNS),
        # positions count within one sheet; of several, nobody could tell which
        _frame(names if len(chosen) == 1 else [], ("row", "sheet", "cell")),
    )


def _frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns))


def _counts(raw: Raw, mapping: Mapping[str, Match]) -> list[dict[str, Any]]:
    out = []
    for i, said in enumerate(raw.frame[mapping["programme_year"].theirs]):
        year = re.search(r"20\d\d", plain(said) if said is not None else "")
        for column in COUNTS:
            if year and column in mapping and not layout.blank(value := raw.frame[mapping[column].theirs].iloc[i]):
                number = read_number(value)
                if number is not None and not math.isnan(number):
                    out.append({
                        "sheet": raw.layer, "cell": raw.cell(mapping[column].theirs, i), "column": column,
                        "programme_year": int(year[0]), "printed": number,
                    })  # fmt: skip
    return out


def _totals(cells: grid.Cells, raw: Raw, mapping: Mapping[str, Match], layer: Layer) -> list[dict[str, Any]]:
    """Return the printed sums of a sheet; tables that stand side by side have each its own."""
    shifts = np.zeros(len(raw.rows), dtype=np.int64) if raw.shifts is None else raw.shifts
    return [
        told
        for shift in np.unique(shifts)
        for told in _totals_of(cells, raw, mapping, layer, int(shift), raw.rows[shifts == shift])
    ]


def _totals_of(
    cells: grid.Cells, raw: Raw, mapping: Mapping[str, Match], layer: Layer, shift: int, rows: NDArray[np.int64]
) -> list[dict[str, Any]]:
    position = {letter(c): c for c in range(max((len(r) for r in cells), default=0))}
    at = {header: position[letters] + shift for header, letters in raw.letters.items()}
    labelled = sorted(at.values())[:_LABELLED]
    records = [int(n) - 1 for n in rows]
    first = min(records)
    while first and (
        all(map(layout.blank, cells[first - 1])) or totals_.is_total([cells[first - 1][c] for c in labelled])
    ):
        first -= 1  # a total may stand above its rows
    totals = [i for i in range(first, len(cells)) if totals_.is_total([cells[i][c] for c in labelled])]
    summed = {ours: m.theirs for ours, m in mapping.items() if m.theirs in at and _adds_up(layer, ours)}
    years = mapping.get("programme_year")
    year_at = at.get(years.theirs) if years else None
    out: list[dict[str, Any]] = []
    done = -1
    for i in totals:
        label = "".join(dict.fromkeys(plain(cells[i][c]) for c in labelled if isinstance(cells[i][c], str)))
        grand = totals_.GRAND.search(label) is not None
        its = [r for r in records if r < i and (grand or r > done)]
        if not its:  # a total that stands above its rows
            below = [t for t in totals if t > i]
            its = [r for r in records if r > i and (grand or not below or r < below[0])]
        elif not grand:
            done = i
        said = (
            set() if year_at is None else {plain(cells[r][year_at]) for r in its if not layout.blank(cells[r][year_at])}
        )
        block = said.pop() if len(said) == 1 else ""
        for ours, header in summed.items():
            told = _number(cells[i][at[header]])
            if told is None:
                continue
            parts = [v for r in its if (v := _number(cells[r][at[header]])) is not None]
            own = [t["printed"] for t in out if t["column"] == ours and not t["grand"]]
            out.append({
                "sheet": raw.layer, "cell": f"{letter(at[header])}{i + 1}", "label": label, "block": block, "grand": grand,
                "column": ours, "header": header, "printed": told, "summed": math.fsum(parts),
                "parts": math.fsum(own) if grand and own else math.nan, "rows": len(its),
                "tolerance": _tolerance(parts, told, whole=_whole(layer, ours)),
            })  # fmt: skip
    return out


def _cells(path: Path, sheet: str, encoding: str | None) -> grid.Cells:
    """Return the cells as they lie, every row as wide as the widest, merged texts in each of their cells."""
    if path.suffix.lower() in _TEXTS:
        return grid.spread_text(rows := read_cells(path, encoding, Notes()), (), max(map(len, rows)))
    book = calamine.load_workbook(str(path))
    try:
        cells, merges = sheets._cells(book, sheet, path.name)
    finally:
        book.close()
    return grid.spread_text(cells, merges, max((len(r) for r in cells), default=0))


def _adds_up(layer: Layer, name: str) -> bool:
    column = layer.column(name)
    return column is not None and column.kind in ("int", "float") and column.unit not in ("", "%", "year")


def _whole(layer: Layer, name: str) -> bool:
    column = layer.column(name)
    return column is not None and column.kind == "int"


def _number(value: Any) -> float | None:
    number = None if layout.blank(value) else read_number(value)
    return None if number is None or math.isnan(number) else number


def _tolerance(parts: Sequence[float], told: float, *, whole: bool) -> float:
    """Half a unit of the last place of every figure involved; counted things are exact."""
    slack = 1e-9 * max(1.0, abs(told))
    if whole:
        return slack
    places = max((_places(p) for p in parts), default=0)
    return slack + 0.5 * 10.0**-places * len(parts) + 0.5 * 10.0 ** -_places(told)


def _places(number: float) -> int:
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
