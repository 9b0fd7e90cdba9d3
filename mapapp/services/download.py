"""This module holds files on their way to whoever takes them away: a name, and the bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

_TYPES: Final = {
    ".csv": "text/csv; charset=utf-8",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".inp": "text/plain; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".toml": "application/toml; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file in memory; the ending of its name says what it is."""

    name: str
    body: bytes

    @property
    def mimetype(self) -> str:
        """The media type of files with this ending."""
        return _TYPES[PurePath(self.name).suffix]


def written(name: str, write: Callable[[Path], object]) -> File:
    """Return as a file in memory what ``write`` puts at the path it is given.

    Parameters
    ----------
    name : str
        What the file is called; the path ends as it does, and is otherwise none of its reader's business.
    write : callable
    """
    with tempfile.TemporaryDirectory(prefix="mapapp-") as folder:
        path = Path(folder) / f"file{PurePath(name).suffix}"
        write(path)
        return File(name, path.read_bytes())
