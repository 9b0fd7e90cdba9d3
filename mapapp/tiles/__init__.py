"""This module offers vector tiles of a layer, from a memory-mapped cache beside the county database."""

from mapapp.tiles.build import build
from mapapp.tiles.source import TileSource
from mapapp.tiles.source import open_source as open  # noqa: A004  # tiles.open, as in the contract

__all__ = ["TileSource", "build", "open"]
