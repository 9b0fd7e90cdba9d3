"""This module holds what a reader hands on (`Raw`) and what reading returns (`Reading`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS

from mapapp.core.text import Text

Severity = Literal["info", "warning", "error"]
TRACE_COLUMNS = ("row", "column", "file", "sheet", "cell", "raw")


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that reading noticed: a unit recognised, an offset undone, a word it does not know."""

    severity: Severity
    text: Text
    where: str = ""


class Notes(list[Note]):
    """Notes in the order in which they were made."""

    def info(self, zh: str, en: str, where: str = "") -> None:
        """Add what a reader should know and need not act on."""
        self.append(Note("info", Text(zh, en), where))

    def warn(self, zh: str, en: str, where: str = "") -> None:
        """Add a doubt that somebody should look at."""
        self.append(Note("warning", Text(zh, en), where))


@dataclass(frozen=True, slots=True)
class Match:
    """How one of our columns was found in their file.

    Attributes
    ----------
    theirs : str
        Their name; ``=value`` for a constant that the user gave.
    how : str
        ``confirmed`` (the user said so), ``name`` (our own name), ``alias``, ``proposal`` (similar, not applied),
        ``file name`` (their file says it, not a column).
    sure : float
        0 to 1.
    unit : str
        The unit written in their header, empty when there is none.
    """

    theirs: str
    how: str
    sure: float
    unit: str = ""


@dataclass(slots=True, eq=False)
class Raw:
    """One foreign table as it lies, before anything is understood.

    Attributes
    ----------
    frame : pandas.DataFrame
        Their columns under their names, without geometry.
    geometry : numpy.ndarray or None
        Shapely geometries by row, None where the format has none.
    crs : pyproj.CRS or None
        As declared by the file; None when it declares none.
    file, layer : str
        Names for messages; ``layer`` is the sheet of a workbook.
    rows : numpy.ndarray
        Number of each row as the planner sees it: the spreadsheet's row, else the feature, from 1.
    letters : dict
        Spreadsheet column letters by column name; empty where there are no cells.
    kind : str
        The reader: ``shp gpkg geojson kml dxf fgb csv excel``.
    shifts : numpy.ndarray or None
        How many columns right of ``letters`` the cells of each row lie, where tables stood side by side.
    title : str
        The text above the header of a table.
    uncalculated : tuple of str
        Cells of the sheet that hold a formula without its result.
    """

    frame: pd.DataFrame
    geometry: NDArray[np.object_] | None
    crs: CRS | None
    file: str
    layer: str
    rows: NDArray[np.int64]
    kind: str
    letters: dict[str, str] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)
    shifts: NDArray[np.int64] | None = None
    title: str = ""
    uncalculated: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Return ``ledger.xlsx › 2022``, the head of every place in a message."""
        return f"{self.file} › {self.layer}" if self.layer and self.letters else self.file

    def cell(self, column: str, position: int) -> str:
        """Return where a value lies: ``C7`` in a sheet, ``feature 12, DIAMETER`` elsewhere."""
        number = int(self.rows[position])
        letters = self.letters.get(column)
        if letters and self.shifts is not None:
            letters = _further(letters, int(self.shifts[position]))
        return f"{letters}{number}" if letters else f"{number}, {column}"

    def where(self, column: str, position: int) -> str:
        """Return the full place of a value."""
        return f"{self.place} › {self.cell(column, position)}"

    def take(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Raw:
        """Return the rows that ``keep`` selects, with a fresh index; notes are shared."""
        rows = self.frame[keep] if keep.dtype == bool else self.frame.iloc[keep]
        return replace(
            self,
            frame=rows.reset_index(drop=True),
            geometry=None if self.geometry is None else self.geometry[keep],
            rows=self.rows[keep],
            shifts=None if self.shifts is None else self.shifts[keep],
        )


def letter(column: int) -> str:
    """Return the spreadsheet letters of a column counted from 0: ``A``, ``Z``, ``AA``."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _further(letters: str, columns: int) -> str:
    number = 0
    for mark in letters:
        number = 26 * number + ord(mark) - 64
    return letter(number - 1 + columns)


@dataclass(slots=True, eq=False)
class Reading:
    """A foreign file in our words, and everything one must know to believe it.

    Attributes
    ----------
    frame : GeoDataFrame or DataFrame
        Rows in our columns, in `crs`; ``RangeIndex``; the key filled and unique.
    target : str
        Our layer.
    mapping : Mapping of str to Match
        Our column to theirs, as applied.
    proposals : Mapping of str to Match
        Similar names that were *not* applied; confirm one through ``columns``.
    unmapped : Mapping of str to tuple
        Their columns that were not used, with up to three sample values.
    notes : list of Note
    trace : pandas.DataFrame
        ``row column file sheet cell raw``: for tables (Excel, CSV) every stored value; for map formats the values
        that differ from what the file says. ``row`` is the row of `frame`.
    doubtful : pandas.DataFrame
        ``row name best compound_id score reason``: names without an exact match, and rows that could not be kept apart.
    crs, source_crs, proposed_crs : pyproj.CRS or None
        Of the frame; of the file; proposed for a new county. None for tables.
    sha256 : str
        Of the file, or of the files one after the other.
    """

    frame: pd.DataFrame
    target: str
    mapping: Mapping[str, Match]
    proposals: Mapping[str, Match]
    unmapped: Mapping[str, tuple[str, ...]]
    notes: list[Note]
    trace: pd.DataFrame
    doubtful: pd.DataFrame
    crs: CRS | None
    source_crs: CRS | None
    proposed_crs: CRS | None
    sha256: str
    file: str
    layer: str
