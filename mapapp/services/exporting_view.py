"""This module gives a table of a view as a file: exactly what the asker sees, where they may take it away."""

from __future__ import annotations

from mapapp.core import filters, schema
from mapapp.core.errors import ForbiddenError
from mapapp.core.text import Text
from mapapp.render import files
from mapapp.services import download, narrowing
from mapapp.services.download import File
from mapapp.services.frames import View


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
    return download.written(f"{layer}-{view.as_of}.{kind}", lambda path: files.write(frame, schema.layer(layer), path))
