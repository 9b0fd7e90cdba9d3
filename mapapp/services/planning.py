"""This module plans the missing links of a county and stores them beside its findings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from mapapp import audit, plan, store
from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.progress import Progress, part, silent
from mapapp.core.text import Lang, Text
from mapapp.plan import Plan
from mapapp.render import files
from mapapp.services import auditing


def compute(
    layers: dict[str, pd.DataFrame],
    *,
    standard: str = "gb50014-2021",
    prices: str = "example",
    budget: float | None = None,
    seed: int = 0,
    pinned: frozenset[str] = frozenset(),
    progress: Progress = silent,
    cancelled: Callable[[], bool] | None = None,
) -> Plan:
    """Audit the layers as they are now and plan a link for every unserved compound; nothing is stored."""
    if not len(layers.get("compounds", ())):
        raise InputError(
            Text("县库里还没有小区。", "The county holds no compounds yet."),
            Text("请先导入小区。", "Import compounds first."),
        )
    found = audit.run(layers, progress=part(progress, 0.0, 0.3))
    given = dict(layers)
    if "waters" in given:
        given["water"] = given.pop("waters")
    return plan.run(
        given,
        found.verdicts,
        found.served,
        standard=standard,
        prices=prices,
        budget=budget,
        seed=seed,
        pinned=pinned,
        progress=part(progress, 0.3, 0.9),
        cancelled=cancelled,
    )


def run(
    url: str,
    *,
    by: str,
    standard: str = "gb50014-2021",
    prices: str = "example",
    budget: float | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Plan:
    """Plan the county's links and store them.

    Parameters
    ----------
    url : str
        The county database.
    by : str
        Who runs it, for the history.
    standard, prices : str
        Name of a shipped file or path of one's own.
    budget : float, optional
        Yuan per stage.
    out : Path, optional
        Also write the links there, in the format of the extension.

    Raises
    ------
    InputError
        When there are no compounds, or a standard, price book or budget cannot be used.
    """
    with store.open(url) as db:
        progress(0.0, Text("读取图层", "reading layers"))
        layers = auditing.layers_of(db)
        if "waters" in db.layers():
            layers["waters"] = db.read("waters")
        made = compute(layers, standard=standard, prices=prices, budget=budget, progress=progress)
        progress(0.9, Text("写入结果", "storing the results"))
        db.replace_derived({"links": made.links}, by=by)
        if out is not None:
            files.write(db.read("links"), schema.layer("links"), out)
    return made


def summary(made: Plan) -> dict[str, Any]:
    """Return the figures of a plan, its refusals, stages and assumptions as one JSON object."""
    return {
        **made.summary,
        "refusals": made.refused.astype("object").where(made.refused.notna(), None).to_dict("records"),
        "curve": made.stages.astype("object").where(made.stages.notna(), None).to_dict("records"),
        "assumptions": [{"zh": text.zh, "en": text.en} for text in made.assumptions],
    }


def describe(made: Plan, lang: Lang) -> str:
    """Return the same for a person to read."""
    words = Text(
        "{unserved} 个未接入小区：拟接入 {linked} 个，不能接入 {refused} 个。管线 {length_m:.0f} m，泵站 {pumps} 座。\n"
        "估算 {cost:.0f} 元（{cost_low:.0f}～{cost_high:.0f}）；下界 {lower_bound:.0f} 元，最多高出最优 {gap_pct:.1f} %。",
        "{unserved} unserved compounds: {linked} linked, {refused} refused. {length_m:.0f} m of pipe, {pumps} pumps.\n"
        "Estimate {cost:.0f} yuan ({cost_low:.0f} to {cost_high:.0f}); lower bound {lower_bound:.0f}, at most {gap_pct:.1f} % "
        "above the best possible.",
    )
    lines = [words.format(**made.summary).pick(lang), "", Text("假设", "Assumptions").pick(lang)]
    lines += [f"- {text.pick(lang)}" for text in made.assumptions]
    return "\n".join(lines)
