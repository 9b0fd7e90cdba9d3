"""This module says what a plan came to, as one JSON object and for a person to read."""

from __future__ import annotations

import math
from typing import Any

from mapapp.core.text import Lang, Text
from mapapp.plan import Plan


def summary(made: Plan, check: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a plan, its refusals, stages, assumptions and check as one JSON object."""
    return {
        **made.summary,
        "refusals": made.refused.astype("object").where(made.refused.notna(), None).to_dict("records"),
        "curve": made.stages.astype("object").where(made.stages.notna(), None).to_dict("records"),
        "assumptions": [{"zh": text.zh, "en": text.en} for text in made.assumptions],
        "remarks": made.remarks.to_dict("records"),
        "swmm": check,
    }


def check_words(check: dict[str, Any]) -> Text:
    """Return what SWMM said, as a sentence."""
    if not check.get("ran"):
        why = Text(check.get("zh", ""), check.get("en", ""))
        return Text("未用 SWMM 校核。{why}", "Not checked with SWMM. {why}").format(why=why)
    if check["agrees"]:
        agrees = Text(
            "SWMM 动力波校核：{links} 条自流管段无溢流，充满度与流速均在标准内。",
            "SWMM (dynamic wave) agrees: no flooding in {links} gravity pipes, fills and velocities within the standard.",
        ).format(links=check["links"])
        if not check.get("existing"):
            return agrees
        old = Text(
            "模型含下游现状管 {n} 条：溢流 {f} 处，超设计充满度 {o} 条。",
            " With {n} existing pipes below: {f} flood, {o} above the standard's fill.",
        ).format(n=check["existing"], f=check.get("existing_flooding", 0), o=check.get("existing_overfull", 0))
        return Text(agrees.zh + old.zh, agrees.en + old.en)
    return Text(
        "SWMM 校核不一致：溢流 {flooding} 处，充满度超限 {overfull} 条，流速超限 {too_fast} 条（共 {links} 条）。",
        "SWMM disagrees: {flooding} places flood, {overfull} pipes too full, {too_fast} too fast (of {links}).",
    ).format(**{k: check[k] for k in ("flooding", "overfull", "too_fast", "links")})


def describe(made: Plan, check: dict[str, Any], lang: Lang) -> str:
    """Return the same for a person to read."""
    words = Text(
        "{unserved} 个未接入小区：拟接入 {linked} 个，不能接入 {refused} 个。管线 {length_m:.0f} 米，泵站 {pumps} 座。\n"
        "估算 {cost:.0f} 元（{cost_low:.0f}～{cost_high:.0f}）；下界 {lower_bound:.0f} 元，{gap}。\n{check}",
        "{unserved} unserved compounds: {linked} linked, {refused} refused. {length_m:.0f} m of pipe, {pumps} pumps.\n"
        "Estimate {cost:.0f} yuan ({cost_low:.0f} to {cost_high:.0f}); lower bound {lower_bound:.0f}, {gap}.\n{check}",
    )
    gap = made.summary["gap_pct"]
    told = (
        Text("没有可证明的差距", "with no certified gap")
        if gap is None
        else Text("最多高出最优 {gap:.1f} %", "at most {gap:.1f} % above the best possible").format(
            gap=math.ceil(10.0 * gap - 1e-9) / 10.0  # a promise is rounded up
        )
    )
    filled = words.format(**made.summary | {"gap": told, "check": check_words(check)})
    lines = [filled.pick(lang)]
    if none := check.get("no_file"):
        lines.append(
            Text("没有写 SWMM 文件：{why}", "No SWMM file was written: {why}").format(why=Text(**none)).pick(lang)
        )
    lines += ["", Text("假设", "Assumptions").pick(lang)]
    lines += [f"- {text.pick(lang)}" for text in made.assumptions]
    for row in [*made.refused.to_dict("records"), *made.remarks.to_dict("records")]:
        lines.append(f"! {row['compound_id']}: {row[lang]}" if row["compound_id"] else f"! {row[lang]}")
    return "\n".join(lines)
