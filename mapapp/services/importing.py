"""This module takes planners' files into the county: first a preview that writes nothing, then the same, applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from mapapp import ingest, store
from mapapp.core import schema
from mapapp.core.progress import Progress, silent
from mapapp.core.text import Lang, Text
from mapapp.ingest import columns as columns_
from mapapp.ingest.result import Reading
from mapapp.store.changes import Mode

_JOINED_BY_NAME = ("ledger", "management")
_SHOWN = 10


@dataclass(frozen=True)
class Options:
    """The answers that the user gave: layer, CRS, datum, encoding, columns, control points, what to do with known ids."""

    source_layer: str | None = None
    crs: str | None = None
    datum: str | None = None
    encoding: str | None = None
    columns: Mapping[str, str] | Path | None = None
    mode: Mode = "add"
    control: Path | None = None


@dataclass(frozen=True)
class Preview:
    """What a file holds, how it was understood, and what storing it would change.

    Attributes
    ----------
    reading : Reading
        Rows in our columns, with mapping, unmapped columns, notes, trace and doubtful matches.
    changes : Changes
        Against what is stored.
    revision : int or None
        Of the county after it was applied; None for a preview.
    """

    layer: str
    options: Options
    reading: Reading
    changes: store.Changes
    revision: int | None = None

    def summary(self) -> dict[str, object]:
        """Return everything a person or a script needs to judge the import, as one JSON object."""
        reading, changes = self.reading, self.changes
        return {
            "layer": self.layer,
            "file": reading.file,
            "source_layer": reading.layer,
            "sha256": reading.sha256,
            "rows": len(reading.frame),
            "written": self.revision is not None,
            "revision": self.revision,
            "added": changes.added,
            "changed": changes.changed,
            "removed": changes.removed,
            "unchanged": changes.unchanged,
            "refused": list(changes.refused),
            "crs": reading.crs.to_string() if reading.crs else None,
            "source_crs": reading.source_crs.to_string() if reading.source_crs else None,
            "mapping": {
                ours: {"theirs": m.theirs, "how": m.how, "sure": m.sure, "unit": m.unit}
                for ours, m in reading.mapping.items()
            },
            "proposals": {ours: m.theirs for ours, m in reading.proposals.items()},
            "unmapped": {theirs: list(samples) for theirs, samples in reading.unmapped.items()},
            "notes": [
                {"severity": n.severity, "where": n.where, "zh": n.text.zh, "en": n.text.en} for n in reading.notes
            ],
            "doubtful": _records(reading.doubtful),
            "differences": _records(changes.differences.head(1000)),
        }

    def describe(self, lang: Lang) -> str:
        """Return the same for a person to read."""
        return "\n".join(self._lines(lang))

    def _lines(self, lang: Lang) -> Iterator[str]:
        reading, changes = self.reading, self.changes
        title = schema.layer(self.layer).title
        head = Text(
            "{file} → {title}：{rows} 行。{done}新增 {added}，更改 {changed}，移除 {removed}，不变 {unchanged}。",
            "{file} → {title}: {rows} rows. {done}{added} added, {changed} changed, {removed} removed, "
            "{unchanged} unchanged.",
        )
        done = Text("", "") if self.revision is not None else Text("（预览，未写入）", "(preview, nothing written) ")
        yield head.format(
            file=reading.file, title=title, rows=len(reading.frame), done=done, added=changes.added,
            changed=changes.changed, removed=changes.removed, unchanged=changes.unchanged,
        ).pick(lang)  # fmt: skip
        if reading.mapping:
            yield Text("对应的列：", "Columns:").pick(lang)
            for ours, match in reading.mapping.items():
                yield f"  {ours} ← {match.theirs} ({match.how}{', ' + match.unit if match.unit else ''})"
        if reading.proposals:
            yield Text("相似但未采用的列（用 --column 确认）：", "Similar, not used (confirm with --column):").pick(
                lang
            )
            for ours, match in reading.proposals.items():
                yield f"  {ours} ? {match.theirs}"
        if reading.unmapped:
            yield Text("没有用到的列：", "Columns not used:").pick(lang)
            for theirs, samples in reading.unmapped.items():
                yield f"  {theirs}: {', '.join(samples)}"
        yield from self._table(Text("存疑的匹配", "Doubtful matches"), reading.doubtful, lang)
        yield from self._table(Text("差异", "Differences"), changes.differences, lang)
        for note in reading.notes:
            yield f"[{note.severity}] {note.where + ': ' if note.where else ''}{note.text.pick(lang)}"

    @staticmethod
    def _table(title: Text, table: pd.DataFrame, lang: Lang) -> Iterator[str]:
        if not len(table):
            return
        yield f"{title.pick(lang)} ({len(table)})"
        for row in _records(table.head(_SHOWN)):
            yield "  " + ", ".join(f"{k}={v}" for k, v in row.items() if v is not None)
        if len(table) > _SHOWN:
            yield "  …"


def preview(
    db: store.Database, layer: str, files: Sequence[Path], options: Options, *, progress: Progress = silent
) -> Preview:
    """Read files for one of our layers and compare them with what is stored; nothing is written.

    Parameters
    ----------
    db : Database
    layer : str
        Our layer or table.
    files : sequence of Path
        One file, the parts of one shapefile, or the point table and the line table of a survey.
    options : Options

    Raises
    ------
    QuestionError
        When an answer is needed: which CRS, sheet, layer or encoding.
    InputError
        When the files cannot be used, with the place of the fault.
    NotFoundError
        When there is no such layer.
    """
    columns = columns_.load_mapping(options.columns) if isinstance(options.columns, Path) else options.columns
    progress(0.0, Text("读取文件", "reading the file"))
    reading = ingest.read(
        list(files) if len(files) > 1 else files[0],
        layer,
        layer=options.source_layer,
        crs=options.crs,
        datum=options.datum,
        encoding=options.encoding,
        columns=columns,
        county_crs=db.crs,
        compounds=_compounds(db) if layer in _JOINED_BY_NAME else None,
        control=options.control,
    )
    progress(0.5, Text("与库中数据比较", "comparing with what is stored"))
    return Preview(layer, options, reading, db.compare(layer, reading.frame, options.mode))


def apply(db: store.Database, previewed: Preview, *, by: str, progress: Progress = silent) -> Preview:
    """Store what was previewed, in one transaction with history.

    Raises
    ------
    ConflictError
        When ids are there already with other content and neither update nor replace was asked for, or when the layer
        was changed since the preview in a way that changes the outcome.
    """
    progress(0.7, Text("写入县库", "storing"))
    reading = previewed.reading
    source = {"file": reading.file, "sha256": reading.sha256}
    revision = db.apply(previewed.changes, by=by, source=source, trace=reading.trace)
    return replace(previewed, revision=revision)


def _compounds(db: store.Database) -> pd.DataFrame | None:
    return db.read("compounds") if "compounds" in db.layers() else None


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return rows as plain values; a geometry is named by its type."""
    words = table.astype("object").map(lambda v: getattr(v, "geom_type", v))
    words = words.where(words.notna(), None)
    return [{str(k): v for k, v in row.items()} for row in words.to_dict("records")]


def save_mapping(previewed: Preview, path: Path) -> None:
    """Write the mapping that was used, to be given again with ``--columns``."""
    columns_.save_mapping(previewed.reading.mapping, path)
