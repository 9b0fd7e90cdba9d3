"""This module keeps uploaded files between a preview and its confirmation, and runs both on the import service."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from mapapp.core import schema
from mapapp.core.errors import ConflictError, InputError, MapappError, NotFoundError, QuestionError
from mapapp.core.text import Text
from mapapp.services import rights, tiling
from mapapp.services.frames import County
from mapapp.services.scope import Scope

if TYPE_CHECKING:
    from mapapp.services import importing

LAYERS: Final = (
    "compounds", "ledger", "pipes", "manholes", "outlets", "inlets", "buildings", "streets", "survey_areas", "waters", "railways",
    "spot_heights", "problems", "projects", "management", "meetings",
)  # fmt: skip
_HOURS: Final = 6.0
_MOST_FILES: Final = 40
_CONTROL: Final = ".control"
_COLUMNS: Final = "import_columns"
"""The setting that holds, by layer, the columns that were chosen when a file was last confirmed."""


def _root() -> Path:
    """Return the folder that all processes of this user of the machine share, and no other user can look into."""
    if not hasattr(os, "getuid"):  # where there are no such numbers each user has a temporary folder of their own
        root = Path(tempfile.gettempdir()) / "mapapp-uploads"
        root.mkdir(exist_ok=True)
        return root
    root = Path(tempfile.gettempdir()) / f"mapapp-uploads-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    if root.is_symlink() or root.stat().st_uid != os.getuid():
        raise InputError(
            Text(f"临时文件夹“{root}”属于别的用户。", f"The temporary folder {root} belongs to another user."),
            Text("请管理员删除它，或用 TMPDIR 另设。", "Have it removed, or set TMPDIR to another one."),
        )
    return root


def keep(files: Iterable[tuple[str, IO[bytes]]], scope: Scope) -> str:
    """Put uploaded files aside and return the word they can be found by for some hours.

    Names lose their folders; a name that would climb out of the folder cannot.

    Raises
    ------
    ForbiddenError
        When the asker may not change data.
    InputError
        For no file at all, or more than forty.
    """
    scope.require_editor()
    forget_old()
    given = [(name, stream) for name, stream in files if name]
    if not given or len(given) > _MOST_FILES:
        raise InputError(
            Text("没有收到文件。", "No file was received.") if not given else Text("文件太多。", "Too many files."),
            Text("请选择一个文件，或一个图层的全部组成文件。", "Choose one file, or all parts of one layer."),
            where="files",
        )
    word = secrets.token_urlsafe(16)
    folder = _root() / word
    folder.mkdir(mode=0o700)
    for number, (name, stream) in enumerate(given):
        with (folder / (_plain(name) or f"file{number}")).open("wb") as out:
            shutil.copyfileobj(stream, out)
    (folder / ".by").write_text(scope.name, encoding="utf-8")
    return word


def keep_control(word: str, scope: Scope, name: str, stream: IO[bytes]) -> None:
    """Put the control points of a local system beside uploaded files, in place of those given before.

    They vanish with the files and are stored nowhere.
    """
    scope.require_editor()
    beside = _folder(word, scope) / _CONTROL
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    with (beside / (_plain(name) or "control.csv")).open("wb") as out:
        shutil.copyfileobj(stream, out)


def _plain(name: str) -> str:
    """Return a file's name without folders and without marks that mean something to a file system."""
    return re.sub(r"[\x00-\x1f/\\:]", "_", name.replace("\\", "/").rpartition("/")[2]).lstrip(".")[-120:]


def forget_old(*, now: float | None = None) -> None:
    """Remove what was uploaded some hours ago and never confirmed."""
    for folder in _root().iterdir():
        with contextlib.suppress(OSError):
            if (now or time.time()) - folder.stat().st_mtime > _HOURS * 3600:
                shutil.rmtree(folder, ignore_errors=True)


def _folder(word: str, scope: Scope) -> Path:
    folder = _root() / word
    kept_by = folder / ".by"
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,40}", word) or not kept_by.is_file():
        raise _gone()
    if kept_by.read_text(encoding="utf-8") != scope.name:
        raise _gone()
    return folder


def files(scope: Scope, word: str) -> list[Path]:
    """Return the uploaded files that a word stands for, by name; NotFoundError when they are gone or another's."""
    return sorted(p for p in _folder(word, scope).iterdir() if not p.name.startswith("."))


def _gone() -> NotFoundError:
    return NotFoundError(
        Text("上传的文件已不在。", "The uploaded files are no longer there."),
        Text("请重新上传。", "Upload them again."),
    )


def preview(county: County, scope: Scope, word: str, layer: str, answers: Mapping[str, str]) -> dict[str, Any]:
    """Return what storing the uploaded files would change; nothing is written.

    Parameters
    ----------
    answers : mapping
        ``crs datum encoding mode source_layer`` and ``column.<ours>`` as far as the user gave them.

    Raises
    ------
    ForbiddenError, NotFoundError, InputError, QuestionError
        See `mapapp.services.importing.preview`.
    """
    scope.require_editor()
    folder = _folder(word, scope)
    found = _read(county, folder, layer, answers)
    rights.require_import(county, scope, found)
    remembered = {"layer": layer, "answers": dict(answers), "revision": county.db.revision}
    (folder / ".asked").write_text(json.dumps(remembered), encoding="utf-8")
    return dict(found.summary()) | {"upload": word, "title": schema.layer(layer).title}


def apply(county: County, scope: Scope, word: str) -> dict[str, Any]:
    """Store what was previewed, in one transaction.

    Raises
    ------
    ConflictError
        When the county was changed since the preview: what would happen is no longer what was shown.
    ForbiddenError, NotFoundError, InputError
    """
    scope.require_editor()
    folder = _folder(word, scope)
    asked = folder / ".asked"
    if not asked.is_file():
        raise _gone()
    remembered = json.loads(asked.read_text(encoding="utf-8"))
    if remembered["revision"] != county.db.revision:
        raise ConflictError(
            Text("预览之后数据已被他人改动。", "The data was changed by somebody since the preview."),
            Text("请重新预览后再确认。", "Preview again, then confirm."),
        )
    from mapapp.services import importing

    found = _read(county, folder, remembered["layer"], remembered["answers"])
    rights.require_import(county, scope, found)
    done = importing.apply(county.db, found, by=scope.name)
    _remember(county, remembered["layer"], remembered["answers"])
    shutil.rmtree(folder, ignore_errors=True)
    warm_up(county)
    return dict(done.summary())


def warm_up(county: County) -> threading.Thread:
    """Prepare the tiles of all layers in the background, as users see them."""

    def work() -> None:
        with contextlib.suppress(
            MapappError, OSError
        ):  # nobody waits for it: the page builds what is missing and tells
            tiling.prepare(county.at(Scope("warm-up", role="viewer")))

    thread = threading.Thread(target=work, name="tiles", daemon=True)
    thread.start()
    return thread


def discard(scope: Scope, word: str) -> None:
    """Remove uploaded files that are not wanted after all."""
    shutil.rmtree(_folder(word, scope), ignore_errors=True)


def _read(county: County, folder: Path, layer: str, answers: Mapping[str, str]) -> Any:
    from mapapp.services import importing

    if layer not in LAYERS:
        schema.layer(layer)  # an unknown one names those there are
        raise InputError(Text(f"“{layer}”不能导入。", f"{layer} cannot be imported."), where="layer")
    mode = answers.get("mode") or "add"
    if mode not in ("add", "update", "replace"):
        raise InputError(Text(f"方式“{mode}”未知。", f"Mode {mode!r} is unknown."), where="mode")
    columns = {k.removeprefix("column."): v for k, v in answers.items() if k.startswith("column.")}
    options = importing.Options(
        source_layer=answers.get("source_layer") or None,
        crs=answers.get("crs") or None,
        datum=answers.get("datum") or None,
        encoding=answers.get("encoding") or None,
        columns=columns or None,
        mode=mode,  # type: ignore[arg-type]  # one of the three words, checked above
        control=next(folder.glob(f"{_CONTROL}/*"), None),
    )
    files = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    try:
        return _as_last_time(county, layer, files, options)
    except MapappError as error:
        # readers of formats quote the path they were given; a page tells the file's name alone
        error.saw, error.need = _without(folder, error.saw), error.need and _without(folder, error.need)
        raise


def _as_last_time(county: County, layer: str, files: list[Path], options: importing.Options) -> importing.Preview:
    """Preview; where nobody chose columns and the file has all those that were chosen last time, with these, and say so."""
    from mapapp.ingest import Note
    from mapapp.services import importing

    last: dict[str, str] = (county.db.setting(_COLUMNS) or {}).get(layer, {}) if not options.columns else {}
    try:
        found = importing.preview(county.db, layer, files, options)
    except QuestionError as error:
        if error.option != "columns" or not last or not set(filter(None, last.values())) <= set(error.choices):
            raise
    else:
        now = {ours: match.theirs for ours, match in found.reading.mapping.items()}
        headers = {*now.values(), *found.reading.unmapped}
        same = all(now.get(ours, "") == theirs for ours, theirs in last.items())
        if same or not set(filter(None, last.values())) <= headers:
            return found
    found = importing.preview(county.db, layer, files, replace(options, columns=last))
    listed = [f"{ours} ← {theirs}" for ours, theirs in last.items() if theirs]
    said = Text(
        f"按上次选定的列读取（{'、'.join(listed)}）。", f"Read with the columns chosen last time ({', '.join(listed)})."
    )
    found.reading.notes.append(Note("info", said, found.reading.file))
    return found


def _remember(county: County, layer: str, answers: Mapping[str, str]) -> None:
    """Keep which columns were chosen for the next file of the kind; what one whole file was said to be is not kept."""
    chosen = {
        name.removeprefix("column."): theirs
        for name, theirs in answers.items()
        if name.startswith("column.") and not theirs.startswith("=")
    }
    if any(chosen.values()):
        county.db.set_setting(_COLUMNS, {**(county.db.setting(_COLUMNS) or {}), layer: chosen})


def _without(folder: Path, text: Text) -> Text:
    return Text(*(words.replace(f"{folder}/", "").replace(str(folder), "") for words in text))
