"""This module makes a project of a planned link, once, and takes it back."""

from __future__ import annotations

from datetime import date
from typing import Any

from mapapp.core.text import Lang, Text
from mapapp.services import numbering, plain, plan_state, plan_view, records, rights
from mapapp.services.frames import County
from mapapp.services.scope import Scope

Json = dict[str, Any]


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
    links = plan_view.planned(view)
    row = plan_view.row_of(links, link_id)
    compounds = plan_view.compounds_of(view)
    route = plan_view.routes(view, links, compounds, lang, only=plan_view.names(view, links)[row])[0]
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
