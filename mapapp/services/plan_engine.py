"""This module has SWMM check a plan, and writes the file for those who want to look themselves."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Final

import pandas as pd

from mapapp.core.errors import InputError, MapappError
from mapapp.core.text import Text
from mapapp.plan import Standard, swmm
from mapapp.plan.existing import Existing
from mapapp.render import files

CHECKED_LINKS: Final = 3000
"""Up to so many pipes SWMM checks a plan as it is made; a larger one is checked in SWMM itself, from the exported file."""

_one_engine = threading.Lock()  # SWMM's library holds one model per process


def check(links: pd.DataFrame, standard: Standard, existing: Existing | None = None) -> dict[str, Any]:
    """Have SWMM run the gravity links and the existing sewers below them; return ``ran`` and what it found, or why it did not.

    Returns
    -------
    dict
        ``ran`` false with ``zh en`` (empty for no links); or true with ``links flooding overfull too_fast`` (counts of planned pipes), ``agrees``,
        and ``existing existing_flooding existing_overfull`` of the sewers below.
    """
    if not len(links):
        return {"ran": False, "zh": "", "en": ""}
    if len(links) > CHECKED_LINKS:
        why = Text(
            f"管段超过 {CHECKED_LINKS} 条，未自动校核；请导出 .inp 用 SWMM 计算。",
            f"More than {CHECKED_LINKS} pipes: not checked automatically; export the .inp and run SWMM.",
        )
        return {"ran": False, **why._asdict()}
    try:
        with _one_engine:
            every = swmm.check(links, standard, existing=existing)
    except MapappError as error:
        return {"ran": False, "zh": error.message("zh"), "en": error.message("en")}
    found, old = every[every["new"]], every[~every["new"]]
    counts = {
        "existing": len(old),
        "existing_flooding": int((old["flooding_lps"] > 1e-6).sum()),
        "existing_overfull": int((~old["fill_ok"].astype(bool)).sum()),
        "links": len(found),
        "flooding": int((found["flooding_lps"] > 1e-6).sum()),
        "overfull": int((~found["fill_ok"].astype(bool)).sum()),
        "too_fast": int((~found["velocity_ok"].astype(bool)).sum()),
    }
    return {"ran": True, **counts, "agrees": not (counts["flooding"] or counts["overfull"] or counts["too_fast"])}


def write(path: Path, links: pd.DataFrame, standard: Standard, existing: Existing) -> Text | None:
    """Write a plan as an EPA SWMM input file; return why there is none, where it has no pipes or no levels."""
    try:
        text = swmm.to_inp(links, standard, existing=existing)
    except InputError as error:
        return Text(error.message("zh"), error.message("en"))
    with files.whole(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return None
