"""This module puts the bill of quantities of a plan, or of some of its links, together: low, middle and high."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from mapapp import plan
from mapapp.core.text import Lang, Text
from mapapp.render import bill as sheets
from mapapp.services import plan_routes

_PARTS: Final = ("cost_pipe", "cost_manhole", "cost_pump", "cost_surface", "cost_drop")
ITEMS: Final = {
    "pipe": Text("管道敷设", "Pipe, laid"),
    "manhole": Text("检查井", "Manhole"),
    "new_manhole": Text("现状管上新建检查井", "New manhole on an existing pipe"),
    "surface": Text("路面恢复与穿越", "Reinstatement and crossings"),
    "pump": Text("提升泵站", "Pump station"),
    "drop_manhole": Text("跌水井增加", "Drop manhole, extra"),
    "crossing": Text("其中：穿越", "of which crossings"),
}
SURFACES: Final = {
    "asphalt": Text("沥青", "asphalt"), "concrete": Text("水泥混凝土", "concrete"), "paving": Text("铺装", "paving"),
    "gravel": Text("碎石", "gravel"), "unpaved": Text("土路", "unpaved"), "unknown": Text("路面未知", "surface unknown"),
}  # fmt: skip
UNITS: Final = {"m": Text("m", "m"), "each": Text("座", "each"), "crossing": Text("处", "each")}


def table(links: pd.DataFrame) -> pd.DataFrame:
    """Return ``item group unit quantity amount_low amount amount_high``; the amounts add up to the links' costs.

    The low and high amounts of an item are its pipes' shares of their own range: where levels were guessed it is wider.
    Crossings are counted; their money is part of reinstatement.
    """
    keys = ["item", "group", "unit", "quantity"]
    middle = plan.bill(links)
    if not len(middle):
        return pd.DataFrame(columns=[*keys, "amount_low", "amount", "amount_high"])
    cost = links["cost"].to_numpy(float)
    out = middle.copy()
    for name in ("low", "high"):
        share = np.divide(links[f"cost_{name}"].to_numpy(float), cost, out=np.ones_like(cost), where=cost > 0)
        scaled = links.assign(**{k: links[k].to_numpy(float) * share for k in _PARTS})
        out[f"amount_{name}"] = plan.bill(scaled)["amount"]
    count = int(pd.to_numeric(links["crossings"], errors="coerce").fillna(0).sum())
    if count:
        row = {"item": "crossing", "group": "", "unit": "crossing", "quantity": float(count)}
        out = pd.concat([out, pd.DataFrame([row])], ignore_index=True)
    return out[[*keys, "amount_low", "amount", "amount_high"]]


def rows(links: pd.DataFrame, lang: Lang) -> list[dict[str, Any]]:
    """Return the bill in words, for a page; money in yuan, None where it is part of another row."""
    found = table(links)
    out = []
    for item, group, unit, quantity, low, middle, high in found.itertuples(index=False):
        word = SURFACES[group].pick(lang) if group in SURFACES else str(group)
        out.append(
            {
                "item": ITEMS[item].pick(lang) if item in ITEMS else str(item),
                "group": word.replace("压力管", Text("压力管", "rising main").pick(lang)),
                "unit": UNITS[unit].pick(lang) if unit in UNITS else str(unit),
                "quantity": float(quantity),
                "low": None if pd.isna(low) else float(low),
                "middle": None if pd.isna(middle) else float(middle),
                "high": None if pd.isna(high) else float(high),
            }
        )
    return out


def write(county: str, links: pd.DataFrame, kept: dict[str, Any], path: Path, lang: Lang) -> None:
    """Write the bill as a workbook: quantities, links, pipes, refusals, assumptions.

    Parameters
    ----------
    county : str
        For the heading.
    links : DataFrame
        `Plan.links`, or some of its rows.
    kept : dict
        What is kept beside a plan; see `plan_state.keep`.
    path : Path
    lang : {"zh", "en"}
    """
    refused = pd.DataFrame(kept.get("refusals", []), columns=["compound_id", "reason", "zh", "en"])
    sheets.write(
        path,
        title=Text("{c}拟建接入管工程量清单", "{c}: bill of quantities of planned links").format(c=county).pick(lang),
        made=str(kept.get("at", "")),
        example=bool(kept.get("summary", {}).get("example_prices")),
        bill=pd.DataFrame(rows(links, lang)),
        routes=plan_routes.routes(links),
        pipes=pd.DataFrame(links.drop(columns="geometry", errors="ignore")),
        refused=refused[["compound_id", lang]],
        assumptions=[text[0] if lang == "zh" else text[1] for text in kept.get("assumptions", [])],
        lang=lang,
    )
