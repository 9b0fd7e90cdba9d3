"""This module opens zip files without trusting them: no bombs, no paths that climb out, no links, names in GBK."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.ingest.foreign import empty, parsing

MAX_MEMBERS = 5000
MAX_BYTES = 4 << 30
MAX_RATIO = 200
_FREE_BYTES = 64 << 20
"""Below this size a high ratio is no danger: an empty .dbf packs a thousand times."""
_BLOCK = 1 << 20


def member_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name; names without the UTF-8 flag are tried as GB 18030, as Windows writes them."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return info.filename


def check_zip(path: Path, what: str) -> list[tuple[zipfile.ZipInfo, str]]:
    """Return the members of a zip (also of .xlsx and .kmz) after checking that it is safe to unpack.

    Raises
    ------
    InputError
        Not a zip, damaged, encrypted, too many members, too large, packed too densely, or a path that leaves it.
    """
    with parsing(path.name, what), zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise _bomb(path, f"{len(infos)} 个文件", f"{len(infos)} members")
    total = sum(i.file_size for i in infos)
    packed = max(path.stat().st_size, 1)
    if total > MAX_BYTES or (total > _FREE_BYTES and total > MAX_RATIO * packed):
        raise _bomb(path, f"解压后 {total >> 20} MB", f"{total >> 20} MB when unpacked")
    members = []
    for info in infos:
        name = member_name(info).replace("\\", "/")
        parts = PurePosixPath(name).parts
        link = stat.S_ISLNK(info.external_attr >> 16)
        if name.startswith("/") or ".." in parts or ":" in (parts[0] if parts else "") or "\0" in name or link:
            raise InputError(
                Text(f"压缩包里有不安全的路径“{name[:60]}”。", f"The archive holds an unsafe path, {name[:60]!r}."),
                Text("请重新打包，只放数据文件。", "Pack it again with the data files alone."),
                where=path.name,
            )
        if info.flag_bits & 0x1:
            raise InputError(
                Text("压缩包设有密码。", "The archive is protected by a password."),
                Text("请去掉密码再导入。", "Remove the password and import again."),
                where=path.name,
            )
        if not info.is_dir():
            members.append((info, name))
    return members


def verify(path: Path, what: str) -> None:
    """Check a zip-based document, reading it through once so that sizes that lie are found before a parser does."""
    members = check_zip(path, what)
    with parsing(path.name, what), zipfile.ZipFile(path) as archive:
        for info, _ in members:
            with archive.open(info) as file:
                while file.read(_BLOCK):
                    pass


def unpack(path: Path, folder: Path) -> list[Path]:
    """Unpack a zip into ``folder``, one plain folder for each of its own, and return the files.

    Raises
    ------
    InputError
        As `check_zip`; also for an archive without files.
    """
    members = [
        (info, name)
        for info, name in check_zip(path, "zip")
        if not name.startswith("__MACOSX/") and not PurePosixPath(name).name.startswith(".")
    ]
    if not members:
        raise empty(path.name)
    out = []
    rooms: dict[str, Path] = {}
    with parsing(path.name, "zip"), zipfile.ZipFile(path) as archive:
        for number, (info, name) in enumerate(members):
            parent = str(PurePosixPath(name).parent)
            room = rooms.setdefault(parent, folder / f"folder{len(rooms)}")
            room.mkdir(exist_ok=True)
            target = room / (PurePosixPath(name).name[-120:] or f"member{number}")
            left = info.file_size
            with archive.open(info) as source, target.open("wb") as sink:
                while block := source.read(min(_BLOCK, left + 1)):
                    left -= len(block)
                    if left < 0:
                        raise _bomb(path, "大小与目录不符", "more than its directory says")
                    sink.write(block)
            out.append(target)
    return out


def _bomb(path: Path, zh: str, en: str) -> InputError:
    return InputError(
        Text(f"压缩包异常（{zh}），已拒绝。", f"The archive is suspicious ({en}) and was refused."),
        Text("请解压后直接导入其中的文件。", "Unpack it and import the file itself."),
        where=path.name,
    )
