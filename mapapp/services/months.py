"""This module walks a planner through the month: the new ledger with its differences and checks, then what is stored."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from mapapp.core.errors import ConflictError, InputError, QuestionError
from mapapp.core.text import Lang, Text
from mapapp.ingest.opening import ALL_SHEETS
from mapapp.ingest.printed import Printed, read_printed
from mapapp.programme import checks, months
from mapapp.services import importing, rights, snapshots, uploads, words
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

Json = dict[str, Any]

_SETTING: Final = "month"
_ASKED: Final = ".month"
_COLUMN: Final = "column."
_SHOWN: Final = 400
_NO_PLACES: Final = pd.DataFrame(columns=["compound_id", "column", *checks.PLACE])


@dataclass(frozen=True)
class _Month:
    """One ledger as read, compared and checked; nothing of it is written."""

    previewed: importing.Preview
    sheet: str
    as_of: str
    file_faults: pd.DataFrame  # what the file alone can tell: sums, counts, rows that are not stored
    row_faults: pd.DataFrame
    blanked: pd.DataFrame


def _read(county: County, scope: Scope, word: str, answers: Mapping[str, str]) -> _Month:
    db, files = county.db, uploads.files(scope, word)
    if len(files) != 1:
        raise InputError(
            Text("月度台账是一个文件。", "A monthly ledger is one file."),
            Text("请一次上传一个。", "Upload one at a time."),
            where="files",
        )
    path, sheet = files[0], answers.get("source_layer") or None
    chosen = {name.removeprefix(_COLUMN): theirs for name, theirs in answers.items() if name.startswith(_COLUMN)}
    printed = read_printed(path, sheet=sheet, columns=chosen or None, encoding=answers.get("encoding") or None)
    if sheet is None and len(printed.ledgers) > 1:
        raise QuestionError(
            Text(f"有 {len(printed.ledgers)} 张工作表像台账。", f"{len(printed.ledgers)} sheets look like a ledger."),
            Text("请选一张。", "Choose one."),
            option="source_layer",
            # several sheets can be read as one, unless a summary sheet would be taken along
            choices=(*printed.ledgers, *(() if len(printed.counts) else (ALL_SHEETS,))),
            where=path.name,
        )
    sheet = sheet or (printed.ledgers[0] if printed.ledgers else None)
    options = importing.Options(
        source_layer=sheet, encoding=answers.get("encoding") or None, columns=chosen or None, mode="update"
    )
    found = importing.preview(db, "ledger", files, options)
    headed = [n.text.zh for n in found.reading.notes]
    as_of = answers.get("as_of") or months.date_in(*headed, path.name) or ""
    stored = db.read("ledger")
    columns = [c for c, m in found.reading.mapping.items() if not m.theirs.startswith("=")]
    blanked = months.blanked(stored, found.reading.frame, columns)
    if answers.get("blanks") == "clear" and len(blanked):
        found = _cleared(county, found, stored, columns)
    file_faults, row_faults = _faults(county, found, printed, as_of or None)
    return _Month(found, sheet or found.reading.layer, as_of, file_faults, row_faults, blanked)


def _cleared(
    county: County, found: importing.Preview, stored: pd.DataFrame, columns: Sequence[str]
) -> importing.Preview:
    """Let blank cells count: the whole ledger as it would then be, so that one transaction and one undo hold it."""
    frame = found.reading.frame
    full = months.with_blanks(stored, frame, columns)
    at = pd.Index(full["compound_id"]).get_indexer(frame["compound_id"])
    trace = found.reading.trace.assign(row=at[found.reading.trace["row"].to_numpy(dtype=int)])
    changes = county.db.compare("ledger", full, "replace")
    return replace(found, reading=replace(found.reading, trace=trace), changes=changes)


def _faults(
    county: County, found: importing.Preview, printed: Printed, as_of: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    reading = found.reading
    frame, trace = reading.frame, reading.trace
    places = trace.assign(compound_id=_ids_of_trace(found)) if len(trace) else _NO_PLACES
    about_file = checks.together(
        checks.sums(printed.totals),
        checks.counts(printed.counts, frame),
        checks.doubted(reading.doubtful, printed.names),
    )
    about_rows = checks.together(
        checks.locate(checks.check(frame, as_of), places),
        checks.locate(checks.renamed(frame, _known_names(county)), places),
    )
    return about_file.assign(file=reading.file), about_rows


def _ids_of_trace(found: importing.Preview) -> Any:
    changes, trace = found.changes, found.reading.trace
    ids = found.reading.frame["compound_id"]
    if changes.mode == "replace":  # rows are those of the whole ledger
        assert changes.incoming is not None
        ids = pd.Series(changes.incoming.table.column("compound_id").to_pylist())
    return ids.to_numpy()[trace["row"].to_numpy(dtype=int)]


def _known_names(county: County) -> pd.DataFrame:
    """Names by the outlines where there are any: a ledger's own spelling changes from month to month."""
    db = county.db
    layers = [n for n in ("compounds", "ledger") if n in db.layers()]
    frames = [pd.DataFrame(db.read(n, columns=["compound_id", "name"])) for n in layers]
    frames = [f[["compound_id", "name"]] for f in frames if "name" in f]
    empty = pd.DataFrame({"compound_id": pd.Series(dtype="str"), "name": pd.Series(dtype="str")})
    both = pd.concat(frames, ignore_index=True) if frames else empty
    return both[both["name"].notna()].drop_duplicates("compound_id")


def preview(county: County, scope: Scope, word: str, answers: Mapping[str, str], lang: Lang) -> Json:
    """Return what this month's ledger would change and what does not add up in it; nothing is written.

    Parameters
    ----------
    county : County
    scope : Scope
        An editor.
    word : str
        Of the uploaded file, see `uploads.keep`.
    answers : mapping
        ``as_of`` (ISO date; found in the file where it is missing), ``source_layer`` (sheet), ``encoding``, ``blanks``
        ("keep": a blank cell says nothing; "clear": it empties what is stored), and ``column.<ours>`` where the user
        said which of the file's columns ours is.
    lang : str

    Returns
    -------
    dict
        ``file sheet as_of rows added changed removed unchanged nothing differences blanked faults notes mapping
        unmapped``.

    Raises
    ------
    ForbiddenError, InputError, QuestionError, NotFoundError
    """
    scope.require_editor()
    read = _read(county, scope, word, answers)
    rights.require_import(county, scope, read.previewed)
    remembered = {"answers": dict(answers), "revision": county.db.revision}
    (uploads.files(scope, word)[0].parent / _ASKED).write_text(json.dumps(remembered), encoding="utf-8")
    return _summary(county, read, lang) | {"upload": word}


def _summary(county: County, read: _Month, lang: Lang) -> Json:
    changes, reading = read.previewed.changes, read.previewed.reading
    names = _names(county)
    differences = changes.differences.rename(columns={"id": "compound_id"})
    return {
        "file": reading.file,
        "sheet": read.sheet,
        "as_of": read.as_of,
        "rows": len(reading.frame),
        "added": changes.added,
        "changed": changes.changed,
        "removed": changes.removed,
        "unchanged": changes.unchanged,
        "nothing": changes.nothing,
        "mode": changes.mode,
        "differences": cells(differences, names, lang)[:_SHOWN],
        "more": max(0, len(differences) - _SHOWN),
        "added_names": [_new_names(reading.frame).get(i) or names.get(i, i) for i in changes.added_ids[:_SHOWN]],
        "blanked": cells(read.blanked, names, lang)[:_SHOWN],
        "faults": told(checks.together(read.file_faults, read.row_faults), names, lang),
        "notes": [{"where": n.where, "text": n.text.pick(lang), "severity": n.severity} for n in reading.notes],
        "mapping": {ours: {"theirs": m.theirs, "how": m.how} for ours, m in reading.mapping.items()},
        "unmapped": {theirs: list(samples) for theirs, samples in reading.unmapped.items()},
    }


def _new_names(frame: pd.DataFrame) -> dict[str, str]:
    named = frame[frame["name"].notna()] if "name" in frame else frame.iloc[:0].assign(name="")
    return dict(zip(named["compound_id"], named["name"], strict=True))


def apply(county: County, scope: Scope, word: str, lang: Lang) -> Json:
    """Store the previewed ledger in one transaction, and keep what its printed sums said.

    Raises
    ------
    ConflictError
        When the county changed since the preview.
    ForbiddenError, InputError, NotFoundError
    """
    scope.require_editor()
    folder = uploads.files(scope, word)[0].parent
    asked = folder / _ASKED
    if not asked.is_file():
        raise InputError(Text("请先预览。", "Preview it first."))
    remembered = json.loads(asked.read_text(encoding="utf-8"))
    if remembered["revision"] != county.db.revision:
        raise ConflictError(
            Text("预览之后数据已被他人改动。", "The data was changed by somebody since the preview."),
            Text("请重新预览后再确认。", "Preview again, then confirm."),
        )
    read = _read(county, scope, word, remembered["answers"])
    rights.require_import(county, scope, read.previewed)
    done = importing.apply(county.db, read.previewed, by=scope.name)
    kept = {"file": done.reading.file, "sha256": done.reading.sha256, "as_of": read.as_of, "revision": done.revision}
    county.db.set_setting(_SETTING, kept | {"faults": json.loads(read.file_faults.to_json(orient="records"))})
    shutil.rmtree(folder, ignore_errors=True)
    return _summary(county, replace(read, previewed=done), lang)


def last(county: County) -> Json:
    """Return the ledger imported last here: ``file as_of revision``; empty when there was none."""
    found = county.db.setting(_SETTING) or {}
    return {k: found[k] for k in ("file", "as_of", "revision") if k in found}


def standing(view: View, lang: Lang) -> list[Json]:
    """Return what does not add up in the state looked at, each with the cell it was read from.

    For the live state that includes what the last ledger's printed sums said.
    """
    if "compounds" not in view.layers:
        return []
    county, table = view.county, pd.DataFrame(view.table("compounds"))
    faults = checks.check(table, view.as_of)
    if "ledger" in view.layers and view.snapshot is None:
        faults = checks.together(faults, checks.renamed(view.table("ledger"), _known_names(county)))
    faults = checks.locate(faults, _traces(county, sorted(set(faults["compound_id"].dropna()))))
    kept = (county.db.setting(_SETTING) or {}).get("faults") if view.snapshot is None else None
    if kept:
        faults = checks.together(pd.DataFrame(kept), faults)
    return told(faults, dict(zip(table["compound_id"], table["name"], strict=True)), lang)


def _traces(county: County, ids: Sequence[str]) -> pd.DataFrame:
    found = [county.db.trace("ledger", i).assign(compound_id=i) for i in ids]
    return pd.concat([f for f in found if len(f)] or [_NO_PLACES], ignore_index=True)


def changed(view: View, lang: Lang) -> Json:
    """Return who changed what in ledger and compounds since the newest snapshot (ever, where there is none).

    Returns
    -------
    dict
        ``since`` (as-of date or None), ``rows`` (``at by file name label before after``, newest first), ``more``.
    """
    county, db = view.county, view.county.db
    made = db.snapshots()
    newest = max(made, key=lambda s: s.id) if made else None
    revisions = db.revisions(limit=500)
    files = dict(zip(revisions["revision"], revisions["file"], strict=True))
    parts = []
    for layer in ("compounds", "ledger"):
        if layer in view.layers:
            told_ = db.history(layer)
            told_ = told_[told_["revision"] > (newest.revision if newest else 0)]
            allowed = view.access(layer)
            parts.append(told_[[c is None or pd.isna(c) or allowed.allows(str(c)) for c in told_["column"]]])
    rows = pd.concat([p for p in parts if len(p)] or [pd.DataFrame(columns=["revision", "id", "column", "kind"])])
    rows = rows.sort_values("revision", ascending=False, kind="stable")
    names = _names(county)
    out = []
    for row in rows.head(_SHOWN).to_dict("records"):
        file = files.get(row["revision"])
        cell = cells(pd.DataFrame([{**row, "compound_id": row["id"]}]), names, lang)[0]
        out.append(cell | {"at": row["at"], "by": row["by"], "file": None if pd.isna(file) else file})
    since = None if newest is None else str(newest.as_of)[:10]
    return {"since": since, "rows": out, "more": max(0, len(rows) - _SHOWN)}


def cells(differences: pd.DataFrame, names: Mapping[str, str], lang: Lang, *, layer: str = "compounds") -> list[Json]:
    """Return changed cells of a layer in a reader's words: ``compound_id name column label before after``."""
    out = []
    for row in differences.to_dict("records"):
        column = row.get("column")
        column = "" if column is None or pd.isna(column) else str(column)
        ident = str(row["compound_id"])
        out.append({
            "compound_id": ident, "name": names.get(ident, ident), "column": column, "kind": row.get("kind"),
            "label": _label(column, lang, layer), "before": shown(column, row.get("before"), lang, layer),
            "after": shown(column, row.get("after"), lang, layer),
        })  # fmt: skip
    return out


def _label(column: str, lang: Lang, layer: str = "compounds") -> str:
    if column in ("", "geometry"):
        return (Text("范围", "outline") if column else Text("整行", "whole row")).pick(lang)
    return words.label(layer, column)[0].pick(lang)


def shown(column: str, value: object, lang: Lang, layer: str = "compounds") -> str:
    """Return a stored value as people read it, with its unit; missing is a dash."""
    if hasattr(value, "geom_type"):
        return Text("已改", "changed").pick(lang)
    if value is None or value == "" or pd.isna(value):  # type: ignore[call-overload]  # one value
        return "—"
    if not column:
        return Text("有", "there").pick(lang)
    _, unit, kind = words.label(layer, column)
    if kind in ("int", "float") and isinstance(value, (int, float)) and not isinstance(value, bool):
        number = str(int(value)) if unit == "year" or column.endswith("year") else _number(float(value))
        return number + {"%": " %", "m2": " ㎡", "万元": " 万元"}.get(unit, "")
    if isinstance(value, bool):
        value = str(value).lower()
    return words.value_label(layer, column, str(value), lang)


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"


def told(faults: pd.DataFrame, names: Mapping[str, str], lang: Lang) -> list[Json]:
    """Return faults in a reader's words, in the order of `checks.TITLES`: ``check title name message where raw href``."""
    order = {check: i for i, check in enumerate(checks.TITLES)}
    out = []
    for row in faults.astype("object").where(faults.notna(), None).to_dict("records"):
        ident, column = row["compound_id"], str(row["column"])
        place = " › ".join(str(row[k]) for k in ("file", "sheet", "cell") if row[k])
        out.append({
            "check": row["check"], "title": checks.TITLES[row["check"]].pick(lang), "compound_id": ident,
            "name": names.get(ident, ident) if ident else None, "column": column, "label": _label(column, lang),
            "message": row["message"] if lang == "zh" else row["message_en"], "where": place, "cell": row["cell"],
            "raw": row["raw"], "href": f"/?sel=compounds:{ident}" if ident in names else None,
        })  # fmt: skip
    return sorted(out, key=lambda f: order[f["check"]])


def _names(county: County) -> dict[str, str]:
    known = _known_names(county)
    return dict(zip(known["compound_id"], known["name"], strict=True))


def freeze(county: County, scope: Scope, *, as_of: str, title: str) -> Json:
    """Freeze the county as of a date; see `snapshots.freeze`."""
    return snapshots.freeze(county.db, scope, as_of=as_of, title=title or None)


def overview(view: View, lang: Lang) -> Json:
    """Return everything the month's page says before a file is given."""
    return {
        "last": last(view.county),
        "changed": changed(view, lang),
        "faults": standing(view, lang),
        "snapshots": snapshots.listed(view.county.db),
        "as_of": view.as_of,
        "rows": len(view.table("compounds")) if "compounds" in view.layers else 0,
    }
