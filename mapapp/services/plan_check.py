"""This module checks a link that a planner drew on the map: its levels, size and cost, what is wrong with it, and ours beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mapapp.core.text import Lang
from mapapp.plan import swmm
from mapapp.render import section as sections
from mapapp.services import plan_drawings, plan_link, plan_routes, plan_view, planning
from mapapp.services.frames import County
from mapapp.services.scope import Scope

Json = dict[str, Any]
_FIGURES = ("length_m", "cost_low", "cost", "cost_high", "pumps", "diameter_mm")


def check(county: County, scope: Scope, choices: planning.Choices, lang: Lang) -> Json:
    """Return what the drawn links of ``choices`` come to; nothing is stored.

    Returns
    -------
    dict
        ``links``: one per compound with ``compound_id name figures ours svg swmm`` (figures ``length_m cost_low cost cost_high
        pumps diameter_mm to_node``; ``ours`` the planned link of that compound or None); ``remarks``: ``compound_id kind
        sentence``.

    Raises
    ------
    ForbiddenError
        For a viewer.
    InputError
        For a standard or price book that cannot be used.
    """
    scope.require_editor()
    db = county.db
    standard, prices = planning.load_books(db, choices)
    ground = plan_drawings.dem(db, county.url)
    made = planning.compute(
        planning.layers_of(db), standard=standard, prices=prices, only_drawn=True,
        by_hand=plan_drawings.lines(choices.drawn, db.crs), areas=plan_drawings.grounds(choices.areas, db.crs),
        dem=ground[1] if ground else None,
    )  # fmt: skip
    view = county.at(scope)
    compounds = plan_view.compounds_of(view)
    ours = plan_routes.routes(plan_view.links_of(view))
    out = []
    for row in plan_routes.routes(made.links).to_dict("records"):
        name = str(row["route_id"])
        head = int(np.flatnonzero((made.links["own_compounds"] == name).to_numpy(bool))[0])
        part = plan_routes.profile(made.links, head)
        end = str(part["to_node"].iloc[-1])
        named = part.assign(from_node=[plan_view.name_of(compounds, str(node)) for node in part["from_node"]])
        planned = ours[ours["compound_ids"].fillna("").str.split(";").map(lambda ids, n=name: n in ids)]
        found = swmm.check(part, standard, existing=made.existing) if part["invert_up_m"].notna().all() else None
        out.append(
            {
                "compound_id": name,
                "name": plan_view.name_of(compounds, name),
                "figures": {k: float(row[k]) for k in _FIGURES} | {"to_node": end},
                "ours": {k: float(planned[k].iloc[0]) for k in _FIGURES} if len(planned) else None,
                "svg": sections.svg(sections.section(named, plan_link.existing_of(view, end)), lang),
                "swmm": None if found is None else _agrees(found),
            }
        )
    remarks = made.remarks[made.remarks["kind"] != "downstream"] if len(out) else made.remarks
    return {
        "links": out,
        "remarks": [
            {"compound_id": r["compound_id"], "kind": r["kind"], "sentence": r[lang]}
            for r in remarks.to_dict("records")
        ],
    }


def _agrees(found: pd.DataFrame) -> bool:
    new = found[found["new"]]
    return bool(new["fill_ok"].all() and new["velocity_ok"].all() and (new["flooding_lps"] <= 1e-6).all())
