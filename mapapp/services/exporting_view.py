"""This module gives a table of a view as a file: exactly what the asker sees, where they may take it away."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mapapp.core import filters, schema
from mapapp.core.errors import ForbiddenError
from mapapp.core.text import Text
from mapapp.render import files
from mapapp.services import narrowing
from mapapp.services.frames import View

_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file to hand over."""

    name: str
    mimetype: str
    body: bytes


def table(view: View, layer: str, wanted: filters.Filters, kind: str) -> File:
    """Return the filtered rows of a layer as ``csv``, ``xlsx``, ``geojson`` or ``gpkg``.

    Raises
    ------
    ForbiddenError
        When the asker may not take tables away, or sees only counts.
    NotFoundError, InputError
        For a layer, column or value that this asker does not see.
    """
    allowed = view.access(layer)
    if not view.scope.downloads or allowed.counts_only:
        raise ForbiddenError(Text("此处不能下载表格。", "Tables cannot be downloaded here."))
    frame = narrowing.select(view, layer, wanted).reset_index(drop=True)
    if view.scope.share is not None and "geometry" in frame.columns:
        frame = frame.drop(columns="geometry")  # a unit takes a table of its items along, never a map
    name = f"{layer}-{view.as_of}.{kind}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        files.write(frame, schema.layer(layer), path)
        return File(name, _TYPES[kind], path.read_bytes())
