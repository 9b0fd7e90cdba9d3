"""This module runs the audit on a county database and keeps what planners decided about its findings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from mapapp import audit, store
from mapapp.audit.rules import RULES
from mapapp.audit.tables import READ
from mapapp.audit.verdicts import VERDICTS
from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.progress import Progress, part, silent
from mapapp.core.text import Lang, Text

_LAYERS = ("pipes", "manholes", "outlets", "inlets", "streets", "survey_areas", "buildings")


@dataclass(frozen=True)
class Outcome:
    """What an audit found, counted."""

    compounds: int
    pipes: int
    by_rule: Mapping[str, int]
    by_verdict: Mapping[str, int]
    seconds: float

    def summary(self) -> dict[str, object]:
        """Return the figures as one JSON object."""
        return {
            "compounds": self.compounds,
            "pipes": self.pipes,
            "findings": sum(self.by_rule.values()),
            "by_rule": dict(self.by_rule),
            "by_verdict": dict(self.by_verdict),
            "seconds": round(self.seconds, 3),
        }

    def describe(self, lang: Lang) -> str:
        """Return the figures as a short table."""
        head = Text(
            "{compounds} 个小区，{pipes} 段管线：发现 {findings} 处问题（{seconds:.1f} 秒）。",
            "{compounds} compounds, {pipes} pipes: {findings} findings ({seconds:.1f} s).",
        ).format(**{k: v for k, v in self.summary().items() if not isinstance(v, dict)})
        lines = [head.pick(lang), "", Text("接入结论", "Verdicts").pick(lang)]
        lines += [f"{n:7}  {VERDICTS[v].title.pick(lang)}  ({v})" for v, n in self.by_verdict.items()]
        if self.by_rule:
            lines += ["", Text("问题", "Findings").pick(lang)]
            lines += [f"{n:7}  {RULES[r].title.pick(lang)}  ({r})" for r, n in self.by_rule.items()]
        return "\n".join(lines)


def layers_of(db: store.Database) -> dict[str, pd.DataFrame]:
    """Read what an audit in memory needs, as planning makes one; compounds carry what the ledger says of them."""
    there = set(db.layers())
    layers = {name: db.read(name) for name in _LAYERS if name in there}
    if there & {"compounds", "ledger"}:
        layers["compounds"] = db.effective_compounds()
    return layers


def _tables_of(db: store.Database) -> dict[str, pd.DataFrame | pa.Table]:
    """Read what the audit needs, the large layers as Arrow tables without an object per row."""
    there = set(db.layers())
    layers: dict[str, pd.DataFrame | pa.Table] = {}
    for name in ("pipes", "manholes", "outlets"):
        if name in there:
            stored = db.read_arrow(name, ids=[]).column_names
            layers[name] = db.read_arrow(name, [c for c in READ[name] if c in stored])
    layers |= {name: db.read(name) for name in ("streets", "survey_areas") if name in there}
    if there & {"compounds", "ledger"}:
        layers["compounds"] = db.effective_compounds()
    return layers


def run(url: str, *, by: str, out: Path | None = None, progress: Progress = silent) -> Outcome:
    """Audit the county and store findings, verdicts and candidates; decisions on findings stay.

    Parameters
    ----------
    url : str
        The county database.
    by : str
        Who runs it, for the history.
    out : Path, optional
        Also write the findings there, in the format of the extension.

    Raises
    ------
    InputError
        When there is neither a compound nor a pipe to look at.
    """
    start = time.perf_counter()
    with store.open(url) as db:
        progress(0.0, Text("读取图层", "reading layers"))
        layers = _tables_of(db)
        if not len(layers.get("pipes", ())) and not len(layers.get("compounds", ())):
            raise InputError(
                Text("县库里还没有小区，也没有管线。", "The county holds neither compounds nor pipes yet."),
                Text("请先用 mapapp import 导入。", "Import some first with mapapp import."),
            )
        result = audit.run(layers, progress=part(progress, 0.1, 0.9), crs=db.crs)
        progress(0.9, Text("写入结果", "storing the results"))
        db.replace_derived(
            {"findings": result.findings, "verdicts": result.verdicts, "candidates": result.candidates}, by=by
        )
        if "problems" in db.layers():
            from mapapp.services import deciding  # what stands behind it is of no use to an audit without problems

            deciding.problems_follow(db, by=by)
        if out is not None:
            from mapapp.render import files  # with Excel's and others' writers, which the audit itself has no use for

            files.write(db.read("findings"), schema.layer("findings"), out)
    return Outcome(
        compounds=len(layers.get("compounds", ())),
        pipes=len(layers.get("pipes", ())),
        by_rule=result.findings["rule"].value_counts().to_dict(),
        by_verdict=result.verdicts["verdict"].value_counts().to_dict(),
        seconds=time.perf_counter() - start,
    )
