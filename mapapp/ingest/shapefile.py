"""This module settles what a shapefile leaves open: missing parts, and the encoding of its .dbf."""

from __future__ import annotations

import codecs
import shutil
import struct
from pathlib import Path

import numpy as np

from mapapp.core.errors import InputError, QuestionError
from mapapp.core.text import Text
from mapapp.ingest.foreign import cut_off
from mapapp.ingest.result import Notes

_LDID = {0x4D: "gb18030", 0x4F: "cp950", 0x7A: "gb18030", 0x78: "cp950"}
"""Language driver id (byte 29 of the .dbf header) to codec: 0x4D is code page 936."""
_ROWS = 20_000
_FIELDS_END = 0x0D
_NEEDED = (".shx", ".dbf")
_MAGIC = b"\x00\x00\x27\x0a"


def sibling(path: Path, suffix: str) -> Path | None:
    """Return the part of a shapefile with this suffix, whatever its case."""
    for candidate in path.parent.glob(f"{_escape(path.stem)}.*"):
        if candidate.stem == path.stem and candidate.suffix.lower() == suffix:
            return candidate
    return None


def _escape(stem: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in stem)


def settle_shapefile(path: Path, encoding: str | None, notes: Notes) -> str:
    """Check that the parts are there and return the encoding of the attributes.

    The order is: what the user says; ``.cpg``; the language driver id; UTF-8 if every text is valid UTF-8, else
    GB 18030. A ``.cpg`` that contradicts the bytes is overruled, with a warning.

    Raises
    ------
    InputError
        When ``.shx`` or ``.dbf`` is missing or cut off, when they count different records, or ``encoding`` is no codec.
    QuestionError
        When no encoding fits.
    """
    missing = [s for s in _NEEDED if sibling(path, s) is None]
    if missing:
        raise InputError(
            Text(
                f"缺少同名的 {'、'.join(missing)} 文件。",
                f"The part {' and '.join(missing)} of this shapefile is missing.",
            ),
            Text(
                "请把 .shp、.shx、.dbf（以及 .prj、.cpg）一起打成 zip 再导入。",
                "Give .shp, .shx, .dbf (and .prj, .cpg) together, best as a zip.",
            ),
            where=path.name,
        )
    dbf = sibling(path, ".dbf")
    assert dbf is not None
    _check_sizes(path, dbf)
    texts, ldid = _texts(dbf)
    if encoding is not None:
        codec = _codec(encoding, path.name)
        if _failures(texts, codec):
            fits = tuple(c for c in ("gb18030", "utf-8", "big5") if not _failures(texts, c))
            raise QuestionError(
                Text(f"属性文字不是 {encoding} 编码。", f"The attribute texts are not {encoding}."),
                Text(
                    f"请改用 --encoding {fits[0]}。" if fits else "请换一种编码。",
                    f"Use --encoding {fits[0]}." if fits else "Name another encoding.",
                ),
                option="encoding",
                choices=fits,
                where=dbf.name,
            )
        return codec
    declared, said_by = "", ""
    cpg = sibling(path, ".cpg")
    if cpg is not None:
        declared, said_by = _from_cpg(cpg.read_bytes()[:64].decode("ascii", "ignore").strip()), ".cpg"
    elif ldid in _LDID:
        declared, said_by = _LDID[ldid], "LDID"
    tries = list(dict.fromkeys(c for c in (declared, "utf-8", "gb18030") if c))
    for codec in tries:
        if not _failures(texts, codec):
            if declared and codec != declared:
                notes.warn(
                    f"{said_by} 声明编码 {declared}，但内容不符，已按 {codec} 读取。",
                    f"{said_by} declares {declared}, but the texts are not; read as {codec}.",
                    dbf.name,
                )
            elif codec == "gb18030" and not declared:
                notes.info("没有 .cpg，按 GB 18030（GBK）读取。", "There is no .cpg; read as GB 18030 (GBK).", dbf.name)
            return codec
    raise QuestionError(
        Text("属性文字的编码无法识别。", "The encoding of the attributes cannot be told."),
        Text("请用 --encoding 指明，例如 gbk、utf-8、big5。", "Name it with --encoding, such as gbk, utf-8 or big5."),
        option="encoding",
        choices=("gb18030", "utf-8", "big5", "latin-1"),
        where=dbf.name,
    )


def _check_sizes(path: Path, dbf: Path) -> None:
    """Refuse parts that are shorter than they say, or that count different records: GDAL reads such files in silence.

    Lengths are those of the ESRI Shapefile Technical Description (July 1998), pages 4 and 23: file lengths in 16-bit
    words, big-endian, at byte 24; records of eight bytes in the ``.shx`` after a header of a hundred.
    """
    shx = sibling(path, ".shx")
    assert shx is not None
    for part in (path, shx):
        with part.open("rb") as file:
            head = file.read(28)
        if (
            len(head) == 28
            and head[:4] == _MAGIC
            and (told := 2 * struct.unpack(">I", head[24:])[0]) > (size := part.stat().st_size)
        ):
            raise cut_off(
                part.name, f"应有 {told} 字节，只有 {size} 字节", f"it should have {told} bytes and has {size}"
            )
    with dbf.open("rb") as file:
        head = file.read(32)
    if len(head) < 32:
        return  # `_texts` says so
    rows, header, width = struct.unpack("<IHH", head[4:12])
    there = max(0, dbf.stat().st_size - header) // max(1, width)
    if there < rows:
        raise cut_off(
            dbf.name, f"应有 {rows} 条记录，只有 {there} 条", f"it should have {rows} records and has {there}"
        )
    shapes = (shx.stat().st_size - 100) // 8
    if shapes != rows:
        raise InputError(
            Text(
                f"有 {shapes} 个图形、{rows} 条属性，对不上。", f"It has {shapes} shapes and {rows} rows of attributes."
            ),
            Text(
                "这几个文件不是同一次导出的，请重新导出并一起打成 zip。",
                "These parts are not of one export; export them again and give them together as a zip.",
            ),
            where=path.name,
        )


def mend_names(path: Path, codec: str, room: Path) -> Path:
    """Return the shapefile, or a copy of it in ``room`` whose field names end at a whole character.

    dBASE keeps ten bytes of a name; where that cuts a character in two, GDAL's caller cannot decode the name.
    """
    dbf = sibling(path, ".dbf")
    if dbf is None:
        return path
    data = dbf.read_bytes()[: 32 + 32 * 2048]
    mended = bytearray(data)
    for at in range(32, min(struct.unpack("<H", data[8:10])[0], len(data) - 31), 32):
        if data[at] == _FIELDS_END:
            break
        name = data[at : at + 11].split(b"\0")[0]
        whole = name.decode(codec, "ignore").encode(codec)
        mended[at : at + 11] = whole.ljust(11, b"\0")
    if mended == data:
        return path
    for suffix in (".shp", ".shx", ".dbf", ".prj"):
        part = sibling(path, suffix)
        if part is not None:
            shutil.copyfile(part, room / f"{path.stem}{suffix}")
    with (room / f"{path.stem}.dbf").open("r+b") as file:
        file.write(mended)
    return room / f"{path.stem}.shp"


def _codec(name: str, file: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise InputError(
            Text(f"不认识编码“{name}”。", f"{name!r} is not an encoding that we know."),
            Text("例如 gbk、utf-8、big5。", "Try gbk, utf-8 or big5."),
            where=file,
        ) from error


def _from_cpg(text: str) -> str:
    word = text.lower().replace("ansi", "").replace("oem", "").strip(" -_")
    if word in ("936", "gbk", "gb2312", "gb18030", "cp936", "54936"):
        return "gb18030"
    if word in ("65001", "utf8", "utf-8"):
        return "utf-8"
    for candidate in (word, f"cp{word}"):
        try:
            return codecs.lookup(candidate).name
        except LookupError:
            continue
    return ""


def _texts(dbf: Path) -> tuple[list[bytes], int]:
    """Distinct field names and texts of the first rows, as bytes, and the language driver id.

    Raises
    ------
    InputError
        When the header is not that of a .dbf.
    """
    with dbf.open("rb") as file:
        head = file.read(32)
        if len(head) < 32:
            raise _damaged(dbf)
        rows, header, width = struct.unpack("<IHH", head[4:12])
        if header < 33 or width < 1:
            raise _damaged(dbf)
        fields = file.read(header - 32)
        body = file.read(min(rows, _ROWS) * width)
    texts: set[bytes] = set()
    records = np.frombuffer(body[: len(body) // width * width], dtype=np.uint8).reshape(-1, width)
    at = 1
    for i in range(0, len(fields) - 31, 32):
        if fields[i] == _FIELDS_END:
            break
        texts.add(fields[i : i + 11].split(b"\0")[0])
        length = fields[i + 16]
        if fields[i + 11] == ord("C") and length and at + length <= width and len(records):
            column = np.ascontiguousarray(records[:, at : at + length]).view(f"S{length}").ravel()
            texts.update(bytes(t).rstrip(b" ") for t in np.unique(column))
        at += length
    return [t for t in texts if not t.isascii()], head[29]


def _damaged(dbf: Path) -> InputError:
    return InputError(
        Text("文件头损坏或不完整。", "Its header is damaged or incomplete."),
        Text("请重新导出 shapefile。", "Export the shapefile again."),
        where=dbf.name,
    )


def _failures(texts: list[bytes], codec: str) -> int:
    """How many texts are not in this encoding; a character cut off by the field's end is forgiven."""
    bad = 0
    for text in texts:
        try:
            text.decode(codec)
        except UnicodeDecodeError as error:
            bad += not (
                error.reason in ("unexpected end of data", "incomplete multibyte sequence")
                and error.start >= len(text) - 3
            )
    return bad
