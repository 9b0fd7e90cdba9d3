"""This module builds the demo county's database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from mapapp import demo, store
from mapapp.core.progress import Progress, part, silent
from mapapp.core.text import Text
from mapapp.programme import problems as reckoning
from mapapp.services import auditing, photos


def build(url: str, *, by: str, progress: Progress = silent) -> dict[str, object]:
    """Build the demo county where there is none yet: layers, audit, and six months, each frozen as it truly stood.

    A file is built beside its place and moved there when it is complete, so that an interrupted build leaves nothing.

    Returns
    -------
    dict
        ``database``, ``name``, ``built`` (False when it was there already).
    """
    path = None if "://" in url else Path(url)
    if path is not None and path.exists():
        with store.open(url) as db:
            return {"database": url, "name": db.name, "built": False}
    making = url if path is None else str(path.with_name(f".{path.stem}-{os.getpid()}.gpkg"))
    try:
        progress(0.0, Text("生成演示县", "making the demo county"))
        county = demo.county()
        told = list(demo.past(county))
        with store.create(making, name=county.name, crs=county.crs) as db:
            for done, (layer, frame) in enumerate({**county.layers, **told[0][1]}.items()):
                progress(0.2 + 0.3 * done / len(county.layers), Text(f"写入 {layer}", f"storing {layer}"))
                if layer not in _ABOUT_GAPS:
                    db.apply(db.compare(layer, frame, "add"), by=by, source="demo county")
        # months change no pipe, no outline and no answer about sewers: one audit holds for all of them
        auditing.run(making, by=by, progress=part(progress, 0.5, 0.7))
        with store.open(making) as db:
            became = _became(db, county.layers["problems"])
            for done, (day, tables) in enumerate(told):
                progress(0.7 + 0.04 * done, Text(f"月度台账 {day}", f"the ledger of {day}"))
                for layer, frame in tables.items():
                    changes = db.compare(layer, _renamed(layer, frame, became), "replace")
                    if not changes.nothing:
                        db.apply(changes, by=by, source=f"demo county {day}")
                _confirm(db, by=by)
                db.snapshot(day, by=by, title=None)
            name = db.name
        progress(0.95, Text("照片", "photos"))
        _draw(county.layers["photos"], photos.folder_of(making))
        if path is not None:
            pictures = Path(making + ".photos")
            shutil.rmtree(f"{path}.photos", ignore_errors=True)  # of a county that is no longer there
            pictures.replace(f"{path}.photos")
            Path(making).replace(path)
    finally:
        if path is not None:
            for left in path.parent.glob(f".{path.stem}-{os.getpid()}.gpkg*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    return {"database": url, "name": name, "built": True}


_ABOUT_GAPS: Final = ("problems", "photos")
"""Tables that name findings, and so wait for the audit."""


def _became(db: store.Database, problems: pd.DataFrame) -> dict[str, str]:
    """Return the ids of problems that are gaps the audit found, as if somebody had made them with the one click."""
    found = db.read("findings", columns=["finding_id", "layer", "feature_id", "rule"], geometry=False)
    verdicts = db.read("verdicts", columns=["compound_id", "verdict", "evidence"], geometry=False)
    gaps = found[found["layer"] == "compounds"].merge(
        verdicts, left_on=["feature_id", "rule"], right_on=["compound_id", "verdict"]
    )
    finding = dict(zip(gaps["compound_id"], gaps["finding_id"], strict=True))
    # a dangling connection is a finding about the pipe that the verdict's evidence names
    ends = found[(found["layer"] == "pipes") & found["rule"].isin(_DANGLING)]
    for row in verdicts[verdicts["verdict"] == "dangling"].to_dict("records"):
        named = ends[[str(pipe) in str(row["evidence"]) for pipe in ends["feature_id"]]]
        if len(named) == 1:
            finding[row["compound_id"]] = named["finding_id"].iloc[0]
    led = problems[problems["lead_unit"] == _SEWERS].drop_duplicates("compound_id")
    pairs = zip(led["ticket_id"], led["compound_id"], strict=True)
    return {ticket: reckoning.ticket_of(finding[c]) for ticket, c in pairs if c in finding}


_SEWERS: Final = "县排水公司"
_DANGLING: Final = ("dangling", "near_miss", "mid_pipe_junction")


def _renamed(layer: str, frame: Any, became: Mapping[str, str]) -> Any:
    column = {"problems": "ticket_id", "photos": "feature_id"}.get(layer)
    return frame if column is None else frame.assign(**{column: frame[column].replace(became)})


def _confirm(db: store.Database, *, by: str) -> None:
    """Confirm the findings that became problems, as making one does."""
    findings = db.read("findings", columns=["finding_id", "status"], geometry=False)
    open_ = set(findings.loc[findings["status"] == "open", "finding_id"])
    for ticket in db.read("problems", columns=["ticket_id"])["ticket_id"]:
        finding = reckoning.finding_of(str(ticket))
        if finding is not None and finding in open_:
            db.decide(finding, "confirmed", None, by=by)


def _draw(rows: pd.DataFrame, folder: Path) -> None:
    folder.mkdir(mode=0o750, exist_ok=True, parents=True)
    for name in rows["file"]:
        (folder / str(name)).write_bytes(demo.picture(str(name)))
