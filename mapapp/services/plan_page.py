"""This module answers the plan page: the last plan, stages for a budget, one link with profile and bill, a project of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely

from mapapp.core import crs as crss
from mapapp.core.errors import ConflictError, InputError, NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.plan import swmm
from mapapp.render import section as sections
from mapapp.services import (
    download,
    numbering,
    plain,
    plan_bill,
    plan_books,
    plan_drawings,
    plan_jobs,
    plan_routes,
    plan_state,
    planning,
    records,
    rights,
    words,
)
from mapapp.services.download import File
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

Json = dict[str, Any]
Array = np.ndarray[Any, Any]

_CURVE_POINTS = 400


def links_of(view: View) -> pd.DataFrame:
    """Return the stored links as this asker sees them; empty columns when there are none.

    Raises
    ------
    NotFoundError
        For every share: what it may know of links is the layer of its map.
    """
    if view.scope.share is not None:
        raise NotFoundError(Text("没有方案。", "There is no plan."))
    if "links" not in view.layers:
        return pd.DataFrame({"link_id": pd.Series(dtype="str")})
    return view.frame("links")


def _planned(view: View) -> pd.DataFrame:
    links = links_of(view)
    if not len(links):
        raise NotFoundError(Text("还没有拟建接入管。", "No link is planned yet."), Text("请先规划。", "Plan first."))
    return links


def _kept(view: View, what: str, links: pd.DataFrame, make: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """Return what follows from the links alone, worked out once for each plan: a slider asks many times a second."""
    version = view.version("links") if len(links) else ""
    return view.county.frames.get(("plan", what, view.county.url, version), lambda: make(links))


def _table(view: View, links: pd.DataFrame) -> pd.DataFrame:
    return _kept(view, "routes", links, plan_routes.routes)


def _names(view: View, links: pd.DataFrame) -> Array:
    kept = _kept(view, "names", links, lambda rows: pd.DataFrame({"route": plan_routes.names(rows)}))
    return np.asarray(kept["route"].to_numpy(object))


def overview(view: View, lang: Lang) -> Json:
    """Return all that the page shows at first: figures, routes, stages, refusals, assumptions, choices, projects, job."""
    db = view.county.db
    links = links_of(view)
    kept = plan_state.load(db)
    compounds = compounds_of(view)
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
    out |= _stages(view, links, asked.get("budget"), frozenset(asked.get("pinned", ())))
    out["routes"] = _routes(view, links, compounds, lang)
    out["summary"] = kept["summary"] if kept else None
    if kept:
        out |= {
            "at": kept["at"],
            "by": kept["by"],
            "changed": plan_state.changed(db, kept, lang),
            "check": {**kept["check"], "sentence": planning.check_words(kept["check"]).pick(lang)},
            "assumptions": [Text(*text).pick(lang) for text in kept["assumptions"]],
            "remarks": [
                {"compound_id": r["compound_id"], "name": name_of(compounds, r["compound_id"]), "why": r[lang]}
                for r in kept.get("remarks", [])
            ],
            "refusals": [
                {"compound_id": r["compound_id"], "name": name_of(compounds, r["compound_id"]), "why": r[lang]}
                for r in kept["refusals"]
            ],
        }
    return out


def compounds_of(view: View) -> pd.DataFrame:
    """Return the compounds as this asker sees them, by id."""
    if "compounds" not in view.layers:
        return pd.DataFrame(columns=["compound_id"]).set_index("compound_id")
    return pd.DataFrame(view.table("compounds")).drop_duplicates("compound_id").set_index("compound_id")


def name_of(compounds: pd.DataFrame, compound_id: str) -> str:
    """Return a compound's name; its id where it has none."""
    if compound_id in compounds.index and "name" in compounds.columns:
        found = compounds.at[compound_id, "name"]
        if isinstance(found, str) and found:
            return found
    return compound_id


def _evidence(compounds: pd.DataFrame, compound_id: str, lang: Lang) -> str | None:
    """Return what the audit says of the gap, to be read beside the link that closes it."""
    for column in ("evidence" if lang == "zh" else "evidence_en", "evidence"):
        if compound_id in compounds.index and column in compounds.columns:
            found = compounds.at[compound_id, column]
            if isinstance(found, str) and found:
                return found
    return None


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


def _routes(
    view: View, links: pd.DataFrame, compounds: pd.DataFrame, lang: Lang, only: str | None = None
) -> list[Json]:
    """Return every route (or ``only`` one) with the gap it closes, where to write its label, the project made of it."""
    if not len(links):
        return []
    table = _table(view, links)
    route = _names(view, links)
    if only is not None:
        table, links, route = table[table["route_id"] == only], links[route == only], route[route == only]
    # the label stands on the longest pipe of the route
    order = np.lexsort((-links["length_m"].to_numpy(float), route.astype(str)))
    first = np.unique(route[order].astype(str), return_index=True)
    longest = dict(zip(first[0], order[first[1]], strict=True))
    rows = [longest[str(r)] for r in table["route_id"]]
    at = shapely.line_interpolate_point(links.geometry.to_numpy()[rows], 0.5, normalized=True)
    xy = shapely.get_coordinates(crss.to_crs(at, view.county.db.crs, crss.WGS84))
    projects = _projects(view)
    out = []
    for i, row in enumerate(plain.records(table)):
        ids = str(row["compound_ids"] or row["route_id"]).split(";")
        verdict = compounds.at[ids[0], "verdict"] if ids[0] in compounds.index and "verdict" in compounds else None
        known = isinstance(verdict, str) and verdict
        out.append(
            {
                **row,
                "compounds": [{"id": c, "name": name_of(compounds, c)} for c in ids],
                "gap": words.value_label("compounds", "verdict", str(verdict), lang) if known else None,
                "evidence": _evidence(compounds, ids[0], lang),
                "link_id": str(links["link_id"].iloc[int(rows[i])]),
                "at": [round(float(xy[i, 0]), 6), round(float(xy[i, 1]), 6)],
                "project": projects.get(";".join(ids)),
            }
        )
    return out


def _projects(view: View) -> dict[str, Json]:
    """Return projects of kind sewer_link by the compounds they join."""
    if "projects" not in view.layers:
        return {}
    table = pd.DataFrame(view.table("projects"))
    mine = table[table["kind"] == "sewer_link"] if "kind" in table.columns else table.iloc[:0]
    return {
        ";".join(sorted(str(row["compound_ids"] or "").split(";"))): {"id": row["project_id"], "name": row.get("name")}
        for row in plain.records(mine)
    }


# ---------------------------------------------------------------------------------------------------------------- stages


def stages(view: View, budget: float | None, pinned: frozenset[str]) -> Json:
    """Return what a budget per stage builds, from the layout that is stored: nothing is planned anew, nothing is written.

    Returns
    -------
    dict
        ``stages`` (sums), ``stage_of`` (route to stage), ``now`` (link ids of stage 1), ``curve`` (the best households for
        each sum, as pairs), ``budget``.

    Raises
    ------
    InputError
        For a budget that is negative or no number.
    """
    return _stages(view, _planned(view), checked_budget(budget), pinned)


def checked_budget(budget: float | None) -> float | None:
    """Return the budget; InputError when it is negative or no number."""
    if budget is not None and not 0 <= budget < float("inf"):
        raise InputError(
            Text(f"预算为 {budget}。", f"The budget is {budget}."),
            Text("须为零或正数。", "It must be zero or more."),
            where="budget",
        )
    return budget


def _stages(view: View, links: pd.DataFrame, budget: float | None, pinned: frozenset[str]) -> Json:
    if not len(links):
        return {"stages": [], "stage_of": {}, "now": [], "curve": [[0.0, 0.0]], "budget": budget}
    best = _kept(view, "curve", links, lambda rows: pd.DataFrame(plan_state.best_for_each_sum(rows)))
    curve = best.to_numpy(float)
    if len(curve) > _CURVE_POINTS:
        curve = curve[np.linspace(0, len(curve) - 1, _CURVE_POINTS).astype(int)]
    stage = plan_state.stage_of(links, budget, pinned)
    route = _names(view, links)
    of_route = pd.Series(stage).groupby(route).max()  # a route stands when its last pipe does
    return {
        "stages": plan_state.by_stage(links, stage, of_route),
        "stage_of": {str(r): int(s) for r, s in of_route.items()},
        "now": [str(i) for i in links["link_id"].to_numpy(object)[stage == 1]],
        "curve": curve.round(2).tolist(),
        "budget": budget,
    }


def keep_stages(county: County, scope: Scope, budget: float | None, pinned: Sequence[str]) -> Json:
    """Store the stages of a budget with the plan, so that map, exports and bill carry them.

    Raises
    ------
    ForbiddenError
        For a viewer.
    InputError
        For a bad budget, or pinned compounds that no link serves.
    ConflictError
        When there is no plan that belongs to the stored links.
    """
    scope.require_editor()
    budget, db = checked_budget(budget), county.db
    kept = plan_state.load(db)
    if kept is None or plan_jobs.running(county) is not None:
        raise ConflictError(
            Text("方案正在更新或尚未生成。", "The plan is being made, or there is none."),
            Text("请稍后再试。", "Try again when it is done."),
        )
    links = db.read("links")
    if unknown := sorted(set(pinned) - set(links["own_compounds"].dropna())):
        raise InputError(
            Text(f"这些小区没有拟建接入管：{'、'.join(unknown)}。", f"No planned link serves {', '.join(unknown)}."),
            where="pinned",
        )
    cut, _ = plan_state.restage(links, budget, frozenset(pinned))
    db.replace_derived({"links": cut}, by=scope.name)
    asked = {**kept["asked"], "budget": budget, "pinned": sorted(pinned)}
    now = cut[cut["stage"] == 1]
    summary = {
        **kept["summary"],
        "budget": budget,
        "stages": int(cut["stage"].max()) if len(cut) else 0,
        "cost_stage_1": round(float(now["cost"].sum()), 2),
        "households_stage_1": round(float(now["own_households"].sum())),
    }
    db.set_setting(plan_state.SETTING, {**kept, "asked": asked, "summary": summary, "links": db.version("links")})
    return {"budget": budget, "pinned": sorted(pinned), "stages": summary["stages"]}


# --------------------------------------------------------------------------------------------------------------- one link


def _row(links: pd.DataFrame, link_id: str) -> int:
    hit = np.flatnonzero((links["link_id"] == link_id).to_numpy(bool))
    if not len(hit):
        raise NotFoundError(Text(f"没有拟建管段“{link_id}”。", f"There is no planned link {link_id!r}."))
    return int(hit[0])


def link(view: View, link_id: str, lang: Lang) -> Json:
    """Return the route a pipe belongs to: figures, bill, the long section as SVG, and what it needs below it.

    Raises
    ------
    NotFoundError
        When there is no such pipe (any more).
    """
    links = _planned(view)
    row = _row(links, link_id)
    mine = _names(view, links)
    route = mine[row]
    compounds = compounds_of(view)
    found = _routes(view, links, compounds, lang, only=route)[0]
    needs, below = [], found["below"]
    tops = _table(view, links).set_index("route_id")["below"].to_dict()
    while isinstance(below, str) and below not in needs:
        needs.append(below)
        below = tops.get(below)
    head = int(plan_routes.heads(links)[row])
    return {
        "route": found,
        "bill": plan_bill.rows(links[mine == route], lang),
        "svg": sections.svg(_section(view, links, head, lang), lang),
        "pipe": plain.records(pd.DataFrame(links.iloc[[row]].drop(columns="geometry")))[0],
        "needs": [{"id": r, "name": name_of(compounds, r)} for r in needs],
        "links": [str(i) for i in links.loc[mine == route, "link_id"]],
        "path": [str(links["link_id"].iloc[i]) for i in plan_routes.path(links, head)],
    }


def _section(view: View, links: pd.DataFrame, head: int, lang: Lang) -> sections.Section:
    profile = plan_routes.profile(links, head)
    compounds = compounds_of(view)
    start = str(profile["from_node"].iloc[0])
    end = str(profile["to_node"].iloc[-1])
    title = Text("{a} 至 {b} 纵断面", "Long section from {a} to {b}").format(a=name_of(compounds, start), b=end)
    named = profile.assign(from_node=[name_of(compounds, str(n)) for n in profile["from_node"]])
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


# ----------------------------------------------------------------------------------------------------------------- files


def section_file(view: View, link_id: str, kind: Literal["svg", "pdf", "png"], lang: Lang) -> File:
    """Return the long section of the route of a pipe as a file."""
    links = _planned(view)
    made = _section(view, links, int(plan_routes.heads(links)[_row(links, link_id)]), lang)
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
    links = _planned(view)
    name = f"bill-{view.as_of}.xlsx"
    kept = plan_state.load(view.county.db) or {}
    if link_id is not None:
        mine = _names(view, links)
        links = links[mine == mine[_row(links, link_id)]]
        name = f"bill-{link_id}.xlsx"
    return download.written(name, lambda path: plan_bill.write(view.county.db.name, links, kept, path, lang))


def swmm_file(view: View) -> File:
    """Return the plan as an EPA SWMM input file.

    Raises
    ------
    InputError
        When levels are unknown.
    """
    links = _planned(view)
    kept = plan_state.load(view.county.db)
    name = kept["asked"]["standards"] if kept else planning.Choices().standard
    standard = planning.load_books(view.county.db, planning.Choices(standard=name))[0]
    text = swmm.to_inp(links, standard, existing=planning.network(view.county.db, standard))
    return File(f"plan-{view.as_of}.inp", text.encode())


# --------------------------------------------------------------------------------------------------------------- project


def make_project(county: County, scope: Scope, link_id: str, lang: Lang) -> Json:
    """Make a project of the route of a pipe; asked again, it is the same one.

    Returns
    -------
    dict
        ``project_id made edit_id``.

    Raises
    ------
    ForbiddenError
        For a viewer, and for an editor of a unit that has nothing to do with the compounds.
    NotFoundError
        When there is no such pipe.
    """
    scope.require_editor()
    view = county.at(scope)
    links = _planned(view)
    row = _row(links, link_id)
    compounds = compounds_of(view)
    route = _routes(view, links, compounds, lang, only=_names(view, links)[row])[0]
    if route["project"]:
        return {"project_id": route["project"]["id"], "made": False, "edit_id": 0}
    unit = rights.own_unit(county, scope)
    ids = [c["id"] for c in route["compounds"]]
    if unit is not None:
        for found in plain.records(compounds.reindex(ids).reset_index()):
            if not rights.names_unit(found, unit, ("owner_unit", "contractor", "designer")):
                raise rights.not_yours(unit)
    year = date.today().year
    values: Json = {
        "name": Text("{names}污水接入", "Sewer link of {names}")
        .format(names="、".join(c["name"] for c in route["compounds"]))
        .pick(lang),
        "year": year,
        "compound_ids": ";".join(sorted(ids)),
        "kind": "sewer_link",
        "owner_unit": unit,
        "invest_total_wan": round(route["cost"] / 1e4, 2),
        "note": _note(route, plan_state.load(county.db)),
    }
    project_id, edit_id = numbering.add(county, "projects", f"XM{year}", values, by=scope.name)
    return {"project_id": project_id, "made": True, "edit_id": edit_id}


def _note(route: Json, kept: Json | None) -> str:
    parts = [
        f"拟建接入管 {route['length_m']:.0f} 米，最大 DN{route['diameter_mm']:.0f}，接入 {route['to_node']}",
        f"估算 {route['cost_low'] / 1e4:.1f}～{route['cost_high'] / 1e4:.1f} 万元",
    ]
    if route["below"]:
        parts.append(f"须与起自 {route['below']} 的接入管同期或后期实施")
    if kept and kept["summary"].get("example_prices"):
        parts.append("示例价格，非实际造价")
    if kept:
        parts.append(f"方案 {kept['at'][:10]}")
    return "；".join(parts)


def take_back_project(county: County, scope: Scope, project_id: str, edit_id: int) -> None:
    """Undo the making of a project.

    Raises
    ------
    ForbiddenError
        For a viewer, and for an editor of another unit.
    NotFoundError, ConflictError
        When that was not the edit, or somebody changed the project since.
    """
    unit = rights.own_unit(county, scope)
    rows = plain.records(county.db.read("projects", ids=[project_id]))
    if unit is not None and not (rows and rights.names_unit(rows[0], unit, ("owner_unit",))):
        raise rights.not_yours(unit)
    records.take_back(county, scope, "projects", project_id, edit_id)
