"""This module gives the plan page all that it shows at first."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mapapp.core.text import Lang, Text
from mapapp.services import plan_books, plan_drawings, plan_jobs, plan_stages, plan_state, plan_view, plan_words
from mapapp.services.frames import View

Json = dict[str, Any]


def overview(view: View, lang: Lang) -> Json:
    """Return all that the page shows at first: figures, routes, stages, refusals, assumptions, choices, projects, job."""
    db = view.county.db
    links = plan_view.links_of(view)
    kept = plan_state.load(db)
    compounds = plan_view.compounds_of(view)
    asked = kept["asked"] if kept else {}
    ground = plan_drawings.dem(db, view.county.url)
    out: Json = {
        "planned": kept is not None or len(links) > 0,
        "books": {kind: plan_books.listed(db, kind, lang) for kind in plan_books.KINDS},
        "streets": _streets(view),
        "edits": view.scope.edits,
        "job": plan_jobs.current(view.county, lang),
        "asked": asked,
        "as_of": view.as_of,
        "ground": ground[0] if ground else None,
    }
    if not out["planned"]:
        return out
    out |= plan_stages.cut(view, links, asked.get("budget"), frozenset(asked.get("pinned", ())))
    out["routes"] = plan_view.routes(view, links, compounds, lang)
    out["summary"] = kept["summary"] if kept else None
    if kept:
        out |= {
            "at": kept["at"],
            "by": kept["by"],
            "changed": plan_state.changed(db, kept, lang),
            "check": {**kept["check"], "sentence": plan_words.check_words(kept["check"]).pick(lang)},
            "assumptions": [Text(*text).pick(lang) for text in kept["assumptions"]],
            "remarks": [
                {
                    "compound_id": r["compound_id"],
                    "name": plan_view.name_of(compounds, r["compound_id"]),
                    "why": r[lang],
                }
                for r in kept.get("remarks", [])
            ],
            "refusals": [
                {
                    "compound_id": r["compound_id"],
                    "name": plan_view.name_of(compounds, r["compound_id"]),
                    "why": r[lang],
                }
                for r in kept["refusals"]
            ],
        }
    return out


def _streets(view: View) -> list[Json]:
    """Return the streets that have a name, once each, for choosing which no pipe may follow."""
    if "streets" not in view.layers:
        return []
    table = pd.DataFrame(view.table("streets"))
    if "name" not in table.columns:
        return []
    named = table[table["name"].notna() & (table["name"].astype(str) != "")]
    by = named.groupby("name")["street_id"].agg(lambda ids: [str(i) for i in ids])
    return [{"name": str(name), "ids": ids} for name, ids in by.items()]
