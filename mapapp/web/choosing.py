"""This module reads which of our columns each column of a file was chosen to be, and offers the choice: import and month alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import request

from mapapp.core import schema
from mapapp.web import i18n

COLUMN = "column."
_FIELDS = {"--crs": "import.crs", "--datum": "import.datum", "--encoding": "import.encoding", "--layer": "import.sheet"}


def spoken(message: str) -> str:
    """Return a message of the reader for the page: options of the command line by the names of the page's fields."""

    def field(option: re.Match[str]) -> str:
        name = re.split("[(（]", i18n.t(_FIELDS[option[0].strip()]))[0].strip()
        return f"“{name}”"

    return re.sub(r"(?:(?<=用) )?--(?:crs|datum|encoding|layer)\b(?: (?=指))?", field, message)


def chosen() -> dict[str, str]:
    """Return ``column.<ours>`` to their column, as posted; what the reader found by itself stays its own.

    An empty text means that ours is none of theirs.
    """
    rows = list(zip(*(request.form.getlist(name) for name in ("theirs", "ours", "was")), strict=False))
    left = {f"{COLUMN}{was}": "" for _, ours, was in rows if was and ours != was}
    left |= {f"{COLUMN}{name}": "" for name in request.form.getlist("left")}
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


def asked(option: str, choices: tuple[str, ...], layer: str, answers: Mapping[str, str]) -> dict[str, Any]:
    """Return `offer` for a table whose every column has to be chosen; nothing for another question."""
    return offer({}, dict.fromkeys(choices, ()), layer, answers) if option == "columns" else {}
