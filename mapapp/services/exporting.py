"""This module writes a layer or a derived table of the county to a file."""

from __future__ import annotations

from pathlib import Path

from mapapp import store
from mapapp.core import schema
from mapapp.render import files
from mapapp.services import counties


def export(
    url: str, layer: str, out: Path, *, snapshot: str | None = None, personal: bool = False
) -> dict[str, object]:
    """Write ``layer`` to ``out`` and return what was written.

    Parameters
    ----------
    url : str
        The county database.
    layer : str
        A stored layer or table, or a derived one: findings, verdicts, links, candidates.
    out : Path
        The extension names the format.
    snapshot : str, optional
        Id or date of a snapshot; the live data otherwise.
    personal : bool
        Include the columns that hold personal data. Never by default.

    Raises
    ------
    NotFoundError
        When the layer or the snapshot does not exist.
    InputError
        When the extension is unknown or the file cannot be written.
    """
    declared = schema.layer(layer)
    with store.open(url) as db:
        frame = db.read(declared.name, snapshot=counties.snapshot_id(db, snapshot))
    if not personal:
        frame = frame.drop(columns=[name for name in frame.columns if name in declared.personal])
    files.write(frame, declared, out)
    crs = getattr(frame, "crs", None)
    return {"layer": layer, "rows": len(frame), "file": out.name, "crs": crs.to_string() if crs is not None else None}
