"""This module reads which of our columns each column of a file was chosen to be, and offers the choice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import request

from mapapp.core import schema
from mapapp.services import words
from mapapp.web import i18n

COLUMN = "column."
CONSTANT = "constant."
_ONE_FOR_ALL = ("kind", "facility")
"""Columns that a whole file may answer at once: a drawing of sewage pipes says so nowhere."""
_FIELDS = {
    "--crs": "import.crs", "--datum": "import.datum", "--encoding": "import.encoding", "--layer": "import.sheet",
    "--column": "import.choose", "--update": "import.mode.update", "--replace": "import.mode.replace",
}  # fmt: skip
_OPTION = re.compile(
    r"(?:(?<=用) )?--(crs|datum|encoding|layer|column|update|replace)\b"
    r"(?: (?:[a-z_]+=[^\s，。；）).]*|[^\s，。；）).]+=theirs))?(?: (?=[指确]))?"
)


def spoken(message: str) -> str:
    """Return a message of the reader for the page: options of the command line by the names of the page's fields."""

    def field(option: re.Match[str]) -> str:
        constant = "==" in option[0]
        name = re.split("[(（]", i18n.t("import.all" if constant else _FIELDS[f"--{option[1]}"]))[0].strip()
        return f"“{name}”"

    return _OPTION.sub(field, message)


def chosen() -> dict[str, str]:
    """Return ``column.<ours>`` to their column, as posted; what the reader found by itself stays its own.

    An empty text means that ours is none of theirs.
    """
    rows = list(zip(*(request.form.getlist(name) for name in ("theirs", "ours", "was")), strict=False))
    left = {f"{COLUMN}{was}": "" for _, ours, was in rows if was and ours != was}
    left |= {f"{COLUMN}{name}": "" for name in request.form.getlist("left")}
    left |= {
        f"{COLUMN}{name.removeprefix(CONSTANT)}": f"={value}"
        for name, value in request.form.items()
        if name.startswith(CONSTANT) and value
    }
    return left | {f"{COLUMN}{ours}": theirs for theirs, ours, was in rows if ours and ours != was}


def offer(
    mapping: Mapping[str, Mapping[str, Any]],
    unmapped: Mapping[str, tuple[str, ...]],
    layer: str,
    answers: Mapping[str, str],
) -> dict[str, Any]:
    """Return the file's columns with samples and what each was taken for, and the columns of ours there are.

    Parameters
    ----------
    mapping : mapping
        Ours to ``theirs`` and ``how``.
    unmapped : mapping
        Theirs to samples.
    layer : str
        Whose columns are ours.
    answers : mapping
        What was chosen before, see `chosen`.
    """
    left = [n.removeprefix(COLUMN) for n, theirs in answers.items() if n.startswith(COLUMN) and not theirs]
    taken = [(m["theirs"], (), ours, m["how"] == "confirmed") for ours, m in mapping.items() if m["theirs"][:1] != "="]
    rest = [(theirs, samples, "", False) for theirs, samples in unmapped.items()]
    ours = [(c.name, c.label.pick(i18n.language())) for c in schema.layer(layer).columns]
    return {"preview_columns": [*taken, *rest], "our_columns": ours, "left": left}


def one_for_all(
    mapping: Mapping[str, Mapping[str, Any]], layer: str
) -> list[tuple[str, str, list[tuple[str, str, bool]]]]:
    """Return the columns that no column of the file answers and one answer could: name, label, codes with their words."""
    out = []
    for name in _ONE_FOR_ALL:
        column, said = schema.layer(layer).column(name), str(mapping.get(name, {}).get("theirs", "="))
        if column is None or not said.startswith("="):
            continue
        codes = [
            (c.value, words.value_label(layer, name, c.value, i18n.language()), said == f"={c.value}")
            for c in column.codes
        ]
        out.append((name, column.label.pick(i18n.language()), codes))
    return out


def asked(option: str, choices: tuple[str, ...], layer: str, answers: Mapping[str, str]) -> dict[str, Any]:
    """Return `offer` for a table whose every column has to be chosen; nothing for another question."""
    return offer({}, dict.fromkeys(choices, ()), layer, answers) if option == "columns" else {}
