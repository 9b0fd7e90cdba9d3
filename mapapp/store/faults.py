"""This module turns what a database refuses into one sentence a planner can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from mapapp.core.errors import ConflictError, ForbiddenError, InputError, MapappError
from mapapp.core.text import Text


def not_a_database(where: str) -> InputError:
    """Say that a file is no database at all."""
    return InputError(
        Text("这个文件不是数据库。", "This file is not a database."),
        Text(
            "请选择 mapapp 建立的 .gpkg，或先 mapapp create。", "Choose a .gpkg made by mapapp, or run mapapp create."
        ),
        where=where,
    )


def foreign(where: str) -> InputError:
    """Say that a database is somebody else's."""
    return InputError(
        Text("这个数据库不是 mapapp 的县库。", "This database was not made by mapapp."),
        Text("请先建县库，再用 mapapp import 导入它。", "Create a county database and import this one into it."),
        where=where,
    )


def read_only(where: str) -> ForbiddenError:
    """Say that a database cannot be written."""
    return ForbiddenError(
        Text("县库是只读的，不能保存。", "The county database is read-only; nothing can be saved."),
        Text("请取消只读，或复制到可写的文件夹。", "Make it writable, or copy it to a folder where you may write."),
        where=where,
    )


def _known(error: sa.exc.DBAPIError, where: str) -> MapappError | None:
    said = str(error.orig).lower()
    if "locked" in said or "busy" in said or "lock timeout" in said:
        return ConflictError(
            Text("县库正被另一个程序占用。", "Another program holds the county database."),
            Text(
                "请关闭它（如 QGIS 的编辑），稍后再试。",
                "Close it there (such as an edit session in QGIS) and try again.",
            ),
            where=where,
        )
    if "not a database" in said:
        return not_a_database(where)
    if "readonly" in said or "read-only" in said or "permission denied" in said:
        return read_only(where)
    if "malformed" in said:
        return InputError(
            Text("县库文件已损坏。", "The county database is damaged."),
            Text("请从备份恢复。", "Restore it from a backup."),
            where=where,
        )
    if "is full" in said or "no space" in said:
        return InputError(
            Text("磁盘已满，什么也没有保存。", "The disk is full; nothing was saved."),
            Text("请腾出空间后再试。", "Free some space and try again."),
            where=where,
        )
    if "unable to open" in said or "disk i/o error" in said:
        return InputError(
            Text("打不开县库文件。", "The county database cannot be opened."),
            Text("请检查文件夹和权限。", "Check the folder and the permissions."),
            where=where,
        )
    if isinstance(error, sa.exc.OperationalError) and ("connection" in said or "does not exist" in said):
        return InputError(
            Text("连不上数据库服务器，或库不存在。", "The database server cannot be reached, or has no such database."),
            Text("请检查地址、用户和口令。", "Check address, user and password."),
            where=where,
        )
    return None


@contextmanager
def told(where: str) -> Iterator[None]:
    """Run database work; what the user can mend is said in a sentence, anything else stays our fault."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if (known := _known(error, where)) is not None:
            raise known from error
        raise
