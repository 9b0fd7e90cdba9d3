"""This module keeps the key that signs sessions beside the database, so that several processes and restarts share it."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

from mapapp.core.errors import InputError
from mapapp.core.text import Text


def beside(database: str) -> str:
    """Return the key kept beside a database file, made on first use; a fresh one for a database elsewhere.

    The file can be read by its owner alone. With several processes on a ``postgresql://`` database, set
    ``MAPAPP_SECRET_KEY``; sessions end at each restart otherwise.

    Raises
    ------
    InputError
        When the file can neither be read nor made.
    """
    if "://" in database:
        return secrets.token_urlsafe(32)
    path = Path(database + ".key")
    try:
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return _read(path)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32))
        return _read(path)
    except OSError as error:
        raise InputError(
            Text("无法在数据库旁保存会话密钥。", "The key for sessions cannot be kept beside the database."),
            Text("请让该文件夹可写，或设置 MAPAPP_SECRET_KEY。", "Make the folder writable, or set MAPAPP_SECRET_KEY."),
            where=path.name,
        ) from error


def _read(path: Path) -> str:
    for _ in range(50):  # another process may have made the file and not yet written it
        if key := path.read_text().strip():
            return key
        time.sleep(0.02)
    raise OSError("empty key file")
