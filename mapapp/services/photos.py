"""This module keeps photos: re-encoded without their metadata, under random names in a folder beside the database.

A photo may show faces, and its metadata may tell where somebody lives. So the picture is decoded and written anew as
JPEG (EXIF, GPS and thumbnails stay behind), its name says nothing, and only editors get to see it. A link to one unit
shows the photos of that unit's own problems where its maker ticked it; a public link never does.
"""

from __future__ import annotations

import io
import secrets
import warnings
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from mapapp.core.errors import ForbiddenError, InputError, NotFoundError
from mapapp.core.text import Text
from mapapp.services import frames, plain
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

STAGES: Final = ("before", "after", "site")
LAYERS: Final = ("problems", "inspections", "visits", "compounds", "manholes")
"""What photos may hang on."""
MOST: Final = 24
"""Photos of one problem, inspection or visit."""
LARGEST_MB: Final = 20
_LARGEST_PIXELS: Final = 60_000_000
_LONGEST_SIDE_PX: Final = 1920
_QUALITY: Final = 84
_FORMATS: Final = ("JPEG", "PNG", "WEBP")


def folder(county: County) -> Path:
    """Return where the county's photos lie; see `frames.beside`."""
    return folder_of(county.url)


def folder_of(url: str) -> Path:
    """Return where the photos of the county at this address lie; see `folder`."""
    return frames.beside(url, "photos")


def reencode(stream: IO[bytes]) -> tuple[bytes, int, int, str | None]:
    """Return a picture as a fresh JPEG, upright, at most 1920 px long, with no metadata at all.

    Returns
    -------
    tuple
        The file, its width and height in px, and the ISO date on which the camera says it was taken (None: unknown).

    Raises
    ------
    InputError
        For what is no picture, is damaged, or is too large; nothing of it is kept.
    """
    raw = stream.read(LARGEST_MB * 1_000_000 + 1)
    if len(raw) > LARGEST_MB * 1_000_000:
        raise InputError(
            Text(f"照片超过 {LARGEST_MB} MB。", f"The photo is larger than {LARGEST_MB} MB."), where="photo"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a decompression bomb is a warning to Pillow, a refusal to us
            with Image.open(io.BytesIO(raw), formats=_FORMATS) as opened:
                if opened.width * opened.height > _LARGEST_PIXELS:
                    raise InputError(
                        Text(
                            f"照片有 {opened.width}×{opened.height} 像素，太大。",
                            f"The photo has {opened.width}×{opened.height} px; that is too many.",
                        ),
                        where="photo",
                    )
                taken = _taken(opened.getexif())
                upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError, Warning) as error:
        raise InputError(
            Text("这不是可用的照片。", "This is no photo that can be read."),
            Text("请用 JPEG、PNG 或 WebP（苹果手机请选“兼容性最佳”）。", "Use JPEG, PNG or WebP."),
            where="photo",
        ) from error
    upright.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX), Image.Resampling.LANCZOS)
    clean = Image.new("RGB", upright.size)  # a new picture has no info that save() could carry over
    clean.paste(upright)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return out.getvalue(), clean.width, clean.height, taken


def _taken(exif: Image.Exif) -> str | None:
    try:
        inner = exif.get_ifd(ExifTags.IFD.Exif)
        words = str(inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime) or "")
        return datetime.strptime(words[:10], "%Y:%m:%d").date().isoformat()  # a camera knows no zone
    except (ValueError, SyntaxError, OSError):
        return None


def add(
    county: County,
    scope: Scope,
    layer: str,
    feature_id: str,
    stream: IO[bytes],
    *,
    stage: str = "site",
    caption: str = "",
) -> dict[str, Any]:
    """Keep a photo of something; the caller has checked that it exists and is the asker's to change.

    Returns
    -------
    dict
        The photo's row without its file name, with ``url``.

    Raises
    ------
    ForbiddenError
        For anybody but an editor.
    InputError
        For what is no picture, one too many, or a stage that does not exist. No file is left behind.
    """
    return add_all(county, scope, layer, feature_id, [("", stream)], stage=stage, caption=caption)[0]


def add_all(
    county: County,
    scope: Scope,
    layer: str,
    feature_id: str,
    given: Sequence[tuple[str, IO[bytes]]],
    *,
    stage: str = "site",
    caption: str = "",
) -> list[dict[str, Any]]:
    """Keep several photos, ``(file name, content)``, or none of them: all are read before the first is stored; see `add`."""
    scope.require_editor()
    if layer not in LAYERS or stage not in STAGES:
        raise InputError(Text(f"没有“{stage}”这个阶段。", f"There is no stage {stage!r}."), where="stage")
    there = len(county.db.read("photos", columns=["photo_id"], where={"layer": layer, "feature_id": feature_id}))
    if there + len(given) > MOST:
        raise InputError(
            Text(
                f"最多 {MOST} 张照片，已有 {there} 张，这次 {len(given)} 张，都没有保存。",
                f"{MOST} photos are the most; {there} are there and {len(given)} came. None of these was kept.",
            ),
            Text("请少选几张，或先删除不需要的。", "Choose fewer, or remove some that are not needed."),
            where="photo",
        )
    made = []
    for name, stream in given:
        try:
            made.append(reencode(stream))
        except InputError as error:
            error.where = name.replace("\\", "/").rpartition("/")[2][-60:] or error.where
            raise
    return [_keep(county, scope, layer, feature_id, one, stage=stage, caption=caption) for one in made]


def _keep(
    county: County,
    scope: Scope,
    layer: str,
    feature_id: str,
    made: tuple[bytes, int, int, str | None],
    *,
    stage: str,
    caption: str,
) -> dict[str, Any]:
    body, width, height, taken = made
    photo_id = secrets.token_hex(16)
    name = f"{secrets.token_hex(16)}.jpg"
    place = folder(county)
    place.mkdir(mode=0o750, exist_ok=True, parents=True)
    beside_ = place / f".{name}.part"
    try:
        beside_.write_bytes(body)
        beside_.replace(place / name)
        row = {
            "photo_id": photo_id, "layer": layer, "feature_id": feature_id, "stage": stage, "taken_on": taken,
            "file": name, "caption": caption.strip()[:200] or None, "width_px": width, "height_px": height,
        }  # fmt: skip
        county.db.insert("photos", row, by=scope.name)
    except BaseException:
        beside_.unlink(missing_ok=True)
        (place / name).unlink(missing_ok=True)
        raise
    return _told(row)


def listed(county: County, scope: Scope, layer: str, feature_id: str) -> list[dict[str, Any]]:
    """Return the photos of something in order of arrival; none to anybody but an editor."""
    if not scope.edits:
        return []
    rows = county.db.read("photos", where={"layer": layer, "feature_id": feature_id})
    return [_told(row) for row in plain.records(rows)]


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k != "file"} | {"url": f"/photos/{row['photo_id']}"}


def path(county: County, scope: Scope, photo_id: str) -> Path:
    """Return the file of a photo.

    Raises
    ------
    ForbiddenError
        For anybody but an editor.
    NotFoundError
        When there is no such photo, or its file was lost.
    """
    row = _row(county, scope, photo_id)
    name = Path(str(row["file"])).name  # never outside the folder, whatever an imported table says
    found = folder(county) / name
    if not found.is_file():
        raise _missing()
    return found


def one(county: County, scope: Scope, photo_id: str) -> dict[str, Any]:
    """Return what is known of a photo, without its file name; errors as in `path`."""
    return _told(_row(county, scope, photo_id))


def shared(view: View, tickets: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the photos of problems that a unit link shows, by problem: ``photo_id stage taken_on``, no caption.

    Parameters
    ----------
    view : View
        What the link opens; problems that it does not list have no photos here, whatever is asked for.
    tickets : collection of str
        Problems asked about.

    Returns
    -------
    dict
        Empty for everybody but a unit link with photos ticked. A photo that was removed since is not there.
    """
    spec = view.scope.share
    if spec is None or not view.scope.sees_photos or "problems" not in view.layers:
        return {}
    own = sorted(set(view.table("problems")["ticket_id"].astype("str")) & set(tickets))
    rows = view.county.db.read("photos", snapshot=view.snapshot_id, where={"layer": "problems"})
    out: dict[str, list[dict[str, Any]]] = {}
    for row in plain.records(rows[rows["feature_id"].isin(own)]):
        if (folder(view.county) / Path(str(row["file"])).name).is_file():
            told = {name: row.get(name) for name in ("photo_id", "stage", "taken_on")}
            out.setdefault(str(row["feature_id"]), []).append(told)
    return out


def shared_path(view: View, photo_id: str) -> Path:
    """Return the file of a photo that a unit link shows; NotFoundError for any other, as for one that never was."""
    rows = []
    if view.scope.sees_photos:
        rows = plain.records(view.county.db.read("photos", snapshot=view.snapshot_id, where={"photo_id": photo_id}))
    for row in rows:
        ticket = str(row["feature_id"])
        if any(p["photo_id"] == photo_id for p in shared(view, [ticket]).get(ticket, ())):
            return folder(view.county) / Path(str(row["file"])).name
    raise _missing()


def beside(view: View, answer: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a feature with the photos of its problems, where this asker is a link that shows them."""
    if view.scope.share is None or not view.scope.sees_photos:
        return answer
    if answer["layer"] == "problems":
        return answer | {"photos": shared(view, [answer["id"]]).get(answer["id"], [])}
    listed_ = answer.get("problems") or []
    found = shared(view, [str(p.get("ticket_id")) for p in listed_])
    told = [p | {"photos": found.get(str(p.get("ticket_id")), [])} for p in listed_]
    return answer | {"problems": told} if listed_ else answer


def remove(county: County, scope: Scope, photo_id: str) -> dict[str, Any]:
    """Remove a photo for good, file and all: what should not be kept is not kept in a history. Errors as in `path`."""
    row = _row(county, scope, photo_id)
    county.db.delete("photos", photo_id, by=scope.name)
    (folder(county) / Path(str(row["file"])).name).unlink(missing_ok=True)
    return _told(row)


def _row(county: County, scope: Scope, photo_id: str) -> dict[str, Any]:
    if not scope.edits:
        raise ForbiddenError(Text("照片只有编辑人员可以查看。", "Only editors see photos."))
    rows = plain.records(county.db.read("photos", ids=[photo_id]))
    if not rows:
        raise _missing()
    return rows[0]


def _missing() -> NotFoundError:
    return NotFoundError(Text("没有这张照片。", "There is no such photo."))
