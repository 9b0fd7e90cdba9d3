"""This module lists the scripts of the canvas layer in the order in which a page loads them."""

from __future__ import annotations

from typing import Final

TILE_SCRIPTS: Final = (
    "tiles/decode.js",
    "tiles/blocks.js",
    "tiles/classes.js",
    "tiles/draw.js",
    "tiles/pick.js",
    "tiles/over.js",
    "tilelayer.js",
)
"""Paths below the folder of static files; each needs those before it, and Leaflet."""
