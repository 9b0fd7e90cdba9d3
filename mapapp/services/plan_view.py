"""This module gives the stored plan as who asks may see it: its links, its routes with the gaps they close, names of compounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import shapely

from mapapp.core import crs as crss
from mapapp.core.errors import NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.services import plain, plan_routes, words
from mapapp.services.frames import View

Json = dict[str, Any]
Array = np.ndarray[Any, Any]


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


def planned(view: View) -> pd.DataFrame:
    """Return the stored links as this asker sees them; NotFoundError when there are none."""
    links = links_of(view)
    if not len(links):
        raise NotFoundError(Text("还没有拟建接入管。", "No link is planned yet."), Text("请先规划。", "Plan first."))
    return links


def kept(view: View, what: str, links: pd.DataFrame, make: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """Return what follows from the links alone, worked out once for each plan: a slider asks many times a second."""
    version = view.version("links") if len(links) else ""
    return view.county.frames.get(("plan", what, view.county.url, version), lambda: make(links))


def routes_table(view: View, links: pd.DataFrame) -> pd.DataFrame:
    """Return one row per route, as `plan_routes.routes`."""
    return kept(view, "routes", links, plan_routes.routes)


def names(view: View, links: pd.DataFrame) -> Array:
    """Return the route of each pipe."""
    found = kept(view, "names", links, lambda rows: pd.DataFrame({"route": plan_routes.names(rows)}))
    return np.asarray(found["route"].to_numpy(object))


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


def routes(view: View, links: pd.DataFrame, compounds: pd.DataFrame, lang: Lang, only: str | None = None) -> list[Json]:
    """Return every route (or ``only`` one) with the gap it closes, where to write its label, the project made of it."""
    if not len(links):
        return []
    table = routes_table(view, links)
    route = names(view, links)
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


def row_of(links: pd.DataFrame, link_id: str) -> int:
    """Return the row of a pipe; NotFoundError when there is none of that id (any more)."""
    hit = np.flatnonzero((links["link_id"] == link_id).to_numpy(bool))
    if not len(hit):
        raise NotFoundError(Text(f"没有拟建管段“{link_id}”。", f"There is no planned link {link_id!r}."))
    return int(hit[0])
