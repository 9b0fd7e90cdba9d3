"""This module builds the demo county's database."""

from __future__ import annotations

import os
from pathlib import Path

from mapapp import demo, store
from mapapp.core.progress import Progress, part, silent
from mapapp.core.text import Text
from mapapp.services import auditing


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
        told = demo.past(county)
        first, then = next(told)
        with store.create(making, name=county.name, crs=county.crs) as db:
            for done, (layer, frame) in enumerate({**county.layers, **then}.items()):
                progress(0.2 + 0.3 * done / len(county.layers), Text(f"写入 {layer}", f"storing {layer}"))
                db.apply(db.compare(layer, frame, "add"), by=by, source="demo county")
        # months change no pipe, no outline and no answer about sewers: one audit holds for all of them
        auditing.run(making, by=by, progress=part(progress, 0.5, 0.7))
        with store.open(making) as db:
            db.snapshot(first, by=by, title=None)
            for done, (day, tables) in enumerate(told):
                progress(0.7 + 0.05 * done, Text(f"月度台账 {day}", f"the ledger of {day}"))
                for layer, frame in tables.items():
                    changes = db.compare(layer, frame, "replace")
                    if not changes.nothing:
                        db.apply(changes, by=by, source=f"demo county {day}")
                db.snapshot(day, by=by, title=None)
            name = db.name
        if path is not None:
            Path(making).replace(path)
    finally:
        if path is not None:
            for left in path.parent.glob(f".{path.stem}-{os.getpid()}.gpkg*"):
                left.unlink(missing_ok=True)
    return {"database": url, "name": name, "built": True}
