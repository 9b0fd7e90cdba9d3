"""This module shows one planned link: figures, long section and bill, on the page and as files."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from mapapp.core.text import Lang, Text
from mapapp.plan import swmm
from mapapp.render import section as sections
from mapapp.services import download, plain, plan_bill, plan_routes, plan_state, plan_view, planning
from mapapp.services.download import File
from mapapp.services.frames import View

Json = dict[str, Any]

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SECTION_TYPES: Final = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}


def link(view: View, link_id: str, lang: Lang) -> Json:
    """Return the route a pipe belongs to: figures, bill, the long section as SVG, and what it needs below it.

    Raises
    ------
    NotFoundError
        When there is no such pipe (any more).
    """
    links = plan_view.planned(view)
    row = plan_view.row_of(links, link_id)
    mine = plan_view.names(view, links)
    route = mine[row]
    compounds = plan_view.compounds_of(view)
    found = plan_view.routes(view, links, compounds, lang, only=route)[0]
    needs, below = [], found["below"]
    tops = plan_view.routes_table(view, links).set_index("route_id")["below"].to_dict()
    while isinstance(below, str) and below not in needs:
        needs.append(below)
        below = tops.get(below)
    head = int(plan_routes.heads(links)[row])
    return {
        "route": found,
        "bill": plan_bill.rows(links[mine == route], lang),
        "svg": sections.svg(_section(view, links, head, lang), lang),
        "pipe": plain.records(pd.DataFrame(links.iloc[[row]].drop(columns="geometry")))[0],
        "needs": [{"id": r, "name": plan_view.name_of(compounds, r)} for r in needs],
        "links": [str(i) for i in links.loc[mine == route, "link_id"]],
        "path": [str(links["link_id"].iloc[i]) for i in plan_routes.path(links, head)],
    }


def _section(view: View, links: pd.DataFrame, head: int, lang: Lang) -> sections.Section:
    profile = plan_routes.profile(links, head)
    compounds = plan_view.compounds_of(view)
    start = str(profile["from_node"].iloc[0])
    end = str(profile["to_node"].iloc[-1])
    title = Text("{a} 至 {b} 纵断面", "Long section from {a} to {b}").format(
        a=plan_view.name_of(compounds, start), b=end
    )
    named = profile.assign(from_node=[plan_view.name_of(compounds, str(n)) for n in profile["from_node"]])
    return sections.section(named, existing_of(view, end), title=title.pick(lang))


def existing_of(view: View, name: str) -> sections.Existing:
    """Return what is known of the sewer that a link joins: a manhole, or a pipe where it joins between two."""
    if "pipes" not in view.layers:
        return sections.Existing(name)
    db = view.county.db
    out = db.read("pipes", where={"from_node": name}, geometry=False)
    if not len(out):
        out = db.read("pipes", ids=[name], geometry=False)
    ground = np.nan
    if "manholes" in view.layers:
        ground = _number(db.read("manholes", ids=[name], geometry=False), "ground_elev_m")
    if not len(out):
        return sections.Existing(name, ground_m=ground)
    up, down, size = (_number(out, c) for c in ("from_invert_m", "to_invert_m", "diameter_mm"))
    length = _number(out, "length_m")
    slope = (up - down) / length if length > 0 else np.nan
    return sections.Existing(name, up, ground, size, max(slope, 0.0) if np.isfinite(slope) else np.nan)


def _number(frame: pd.DataFrame, column: str) -> float:
    if not len(frame) or column not in frame.columns:
        return float("nan")
    found: float = pd.to_numeric(frame[column], errors="coerce").astype("float64").iloc[0]
    return float(found)


def section_file(view: View, link_id: str, kind: Literal["svg", "pdf", "png"], lang: Lang) -> File:
    """Return the long section of the route of a pipe as a file."""
    links = plan_view.planned(view)
    made = _section(view, links, int(plan_routes.heads(links)[plan_view.row_of(links, link_id)]), lang)
    if kind == "svg":
        body = sections.svg(made, lang).encode()
    else:
        kept = plan_state.load(view.county.db)
        when = kept["at"][:10] if kept else view.as_of
        foot = Text("{county}  方案日期 {when}", "{county}  plan of {when}").format(
            county=view.county.db.name, when=when
        )
        body = sections.file(made, kind, lang, imprint=foot.pick(lang))
    return File(f"section-{link_id}.{kind}", body)


def bill_file(view: View, link_id: str | None, lang: Lang) -> File:
    """Return the bill of quantities, of the whole plan or of the route of one pipe, as a workbook."""
    links = plan_view.planned(view)
    name = f"bill-{view.as_of}.xlsx"
    kept = plan_state.load(view.county.db) or {}
    if link_id is not None:
        mine = plan_view.names(view, links)
        links = links[mine == mine[plan_view.row_of(links, link_id)]]
        name = f"bill-{link_id}.xlsx"
    return download.written(name, lambda path: plan_bill.write(view.county.db.name, links, kept, path, lang))


def swmm_file(view: View) -> File:
    """Return the plan as an EPA SWMM input file.

    Raises
    ------
    InputError
        When levels are unknown.
    """
    links = plan_view.planned(view)
    kept = plan_state.load(view.county.db)
    name = kept["asked"]["standards"] if kept else planning.Choices().standard
    standard = planning.load_books(view.county.db, planning.Choices(standard=name))[0]
    text = swmm.to_inp(links, standard, existing=planning.network(view.county.db, standard))
    return File(f"plan-{view.as_of}.inp", text.encode())
