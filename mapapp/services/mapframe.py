"""This module gives the page its Folium map: an empty, framed one whose layers come as tiles when the page asks."""

from __future__ import annotations

from dataclasses import dataclass

from mapapp.core.text import Lang, Text
from mapapp.services import describing
from mapapp.services.frames import View


@dataclass(frozen=True, slots=True)
class Parts:
    """The map in the pieces a page needs: head, body and script as HTML, and the map's name in scripts."""

    head: str
    body: str
    script: str
    name: str


def parts(
    view: View, lang: Lang, *, base: str, basemap: str | None, attribution: Text = Text("", ""), nonce: str
) -> Parts:
    """Return the map of a view, ready to be put into a page.

    Parameters
    ----------
    view : View
    lang : str
    base : str
        Path of tile addresses, ``/s/<token>`` for a share.
    basemap : str, optional
        Same-origin template of a base map; none by default.
    attribution : Text
        Whose base map it is.
    nonce : str
        Put on each script and style, so that the content security policy lets them run.
    """
    from mapapp.render import webmap

    box = describing.whole(view)
    below = webmap.BaseMap(basemap, attribution.pick(lang)) if basemap else None
    page_map = webmap.page_map(webmap.MapConfig(bounds=box, basemap=below))
    made = webmap.page_parts(page_map, nonce=nonce)
    return Parts(made.head, made.body, made.script, webmap.MAP_NAME)
