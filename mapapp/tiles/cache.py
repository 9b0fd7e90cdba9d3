"""This module keeps arrays in a folder so that readers see either the old set whole or the new set whole.

::

    folder/current.json        which data folder is current, the arrays in it and what they describe
    folder/<random>/*.bin      raw little-endian arrays, memory-mapped by readers

A build writes into a new data folder and replaces ``current.json`` last. A crash leaves an unreferenced data folder,
which a later build removes when it is a day old. Readers that have the former set open keep it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from mapapp.core.errors import NotFoundError
from mapapp.core.text import Text

FORMAT = 2
_POINTER = "current.json"
_STALE_S = 86_400
_SMALL = 1 << 20  # bytes; a mapping holds a file descriptor, and a small array is read as quickly


class Writer:
    """Arrays being written beside the current ones; nothing is visible before `commit`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = secrets.token_hex(8)
        self._path = folder / self.name
        self._path.mkdir(parents=True)
        self._open: dict[str, BinaryIO] = {}
        self._arrays: dict[str, tuple[str, int, tuple[int, ...]]] = {}

    def append(self, name: str, values: npt.NDArray[Any]) -> None:
        """Add rows to the array ``name``; type and row shape are those of the first call."""
        if name not in self._open:
            self._open[name] = (self._path / f"{name}.bin").open("wb")
            self._arrays[name] = (values.dtype.str, 0, values.shape[1:])
        dtype, rows, row = self._arrays[name]
        self._open[name].write(np.ascontiguousarray(values, dtype=dtype).data)
        self._arrays[name] = (dtype, rows + len(values), row)

    def close(self) -> None:
        """Bring everything onto the disk."""
        for file in self._open.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()
        self._open = {}

    def abandon(self) -> None:
        """Remove what was written."""
        for file in self._open.values():
            file.close()
        shutil.rmtree(self._path, ignore_errors=True)

    def commit(self, meta: Mapping[str, Any]) -> None:
        """Make the arrays current, in one step."""
        self.close()
        before = _pointer(self.folder)
        body = json.dumps({"format": FORMAT, "data": self.name, "arrays": self._arrays, "meta": meta})
        beside = self.folder / f"{_POINTER}.{self.name}"
        with beside.open("w", encoding="utf-8") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.folder / _POINTER)
        if before is not None and before["data"] != self.name:
            shutil.rmtree(self.folder / before["data"], ignore_errors=True)
        self._remove_stale()

    def _remove_stale(self) -> None:
        for path in self.folder.iterdir():
            if path.is_dir() and path.name != self.name and time.time() - path.stat().st_mtime > _STALE_S:
                shutil.rmtree(path, ignore_errors=True)


def read(folder: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Map the current arrays of a folder into memory.

    Raises
    ------
    NotFoundError
        When there is no complete cache of this format. It is derived data: build it again.
    """
    for _ in range(3):  # a build may remove the folder between our two looks
        pointer = _pointer(folder)
        if pointer is None or pointer.get("format") != FORMAT:
            break
        try:
            return _map(folder / pointer["data"], pointer["arrays"]), pointer["meta"]
        except (OSError, ValueError):
            continue
    raise NotFoundError(
        Text("没有可用的瓦片缓存。", "There is no usable tile cache."),
        Text("请重新生成。", "Build it again."),
        where=folder.name,
    )


def _pointer(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / _POINTER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "data" in found else None


def _map(path: Path, arrays: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    out: dict[str, npt.NDArray[Any]] = {}
    for name, (dtype, rows, row) in arrays.items():
        shape = (rows, *row)
        if 0 in shape:  # an empty file cannot be mapped
            out[name] = np.empty(shape, dtype=dtype)
            continue
        file = path / f"{name}.bin"
        if np.prod(shape, dtype=np.int64) * np.dtype(dtype).itemsize <= _SMALL:
            small = np.fromfile(file, dtype=dtype)
            small.flags.writeable = False
            out[name] = small.reshape(shape)
            continue
        mapped = np.memmap(file, dtype=dtype, mode="r", shape=shape)
        out[name] = mapped.view(np.ndarray)  # plain arrays slice faster; the mapping lives on as their base
    return out
