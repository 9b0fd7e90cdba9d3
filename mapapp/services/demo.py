"""This module builds the demo county's database."""

from __future__ import annotations

import os
from pathlib import Path

from mapapp import demo, store
from mapapp.core.progress import Progress, part, silent
from mapapp.core.text import Text
from mapapp.services import auditing


def build(url: str, *, by: str, progress: Progress = silent) -> dict[str, object]:
    """Build the demo county where there is none yet: layers, audit, one snapshot.

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
        with store.create(making, name=county.name, crs=county.crs) as db:
            for done, (layer, frame) in enumerate(county.layers.items()):
                progress(0.2 + 0.4 * done / len(county.layers), Text(f"写入 {layer}", f"storing {layer}"))
                db.apply(db.compare(layer, frame, "add"), by=by, source="demo county")
        auditing.run(making, by=by, progress=part(progress, 0.6, 0.9))
        with store.open(making) as db:
            db.snapshot(county.as_of, by=by, title=None)
            name = db.name
        if path is not None:
            Path(making).replace(path)
    finally:
        if path is not None:
            for left in path.parent.glob(f".{path.stem}-{os.getpid()}.gpkg*"):
                left.unlink(missing_ok=True)
    return {"database": url, "name": name, "built": True}
