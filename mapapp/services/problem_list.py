"""This module lists problems: which ones an asker sees and asks for, in the order a meeting takes them, in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mapapp.core import schema
from mapapp.core.text import Lang
from mapapp.programme import problems as reckoning
from mapapp.services import forms, plain, rights
from mapapp.services.frames import View

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which problems are asked for; an empty member asks nothing.

    Parameters
    ----------
    category, status, unit, street, compound : str
        One code, one unit named anywhere on the problem, one street, one compound's id.
    state : {"open", "overdue", "settled", "all"}
        Whether settled.
    text : str
        Words in the description, measure, id or the compound's name.
    """

    category: str = ""
    status: str = ""
    unit: str = ""
    street: str = ""
    compound: str = ""
    state: str = "open"
    text: str = ""


def table(view: View) -> pd.DataFrame:
    """Return all problems this asker sees with ``settled overdue days_left age_days``, ``compound`` (name) and ``street``."""
    declared = schema.layer("problems")
    if "problems" in view.layers and not view.access("problems").counts_only:
        rows = pd.DataFrame(view.table("problems"))
    else:
        rows = pd.DataFrame({c.name: pd.Series(dtype="str") for c in declared.columns})
    rows = reckoning.with_due(rows.reindex(columns=list(dict.fromkeys([*rows.columns, "compound_id"]))), view.as_of)
    names = pd.DataFrame({"compound_id": pd.Series(dtype="str")})
    if "compounds" in view.layers:
        compounds = pd.DataFrame(view.table("compounds"))
        names = compounds.reindex(columns=["compound_id", "name", "street"]).drop_duplicates("compound_id")
    at = names.set_index("compound_id")
    for ours, theirs in (("compound", "name"), ("street", "street")):
        known = at[theirs] if theirs in at.columns else pd.Series(dtype="str")
        rows[ours] = rows["compound_id"].map(known).astype("str")
    return rows


def select(rows: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """Return the rows of `table` that are asked for."""
    keep = pd.Series(True, index=rows.index)
    if wanted.state == "open":
        keep &= ~rows["settled"]
    elif wanted.state == "overdue":
        keep &= rows["overdue"]
    elif wanted.state == "settled":
        keep &= rows["settled"]
    for column, value in (("category", wanted.category), ("status", wanted.status), ("street", wanted.street),
                          ("compound_id", wanted.compound)):  # fmt: skip
        if value:
            keep &= (rows[column] == value).fillna(False).astype(bool)
    if wanted.unit:
        keep &= _units(rows).map(lambda named: wanted.unit in named)
    if wanted.text:
        said = [
            rows[c].astype("str").fillna("") for c in ("ticket_id", "description", "measure", "compound") if c in rows
        ]
        hay = said[0].str.cat(pd.concat(said[1:], axis=1), sep="\n").str.lower()
        keep &= hay.str.contains(wanted.text.lower(), regex=False).fillna(False).astype(bool)
    return rows[keep.to_numpy(dtype=bool)]


def _units(rows: pd.DataFrame) -> pd.Series:
    there = [rows[c].astype("str").fillna("") for c in reckoning.UNIT_COLUMNS if c in rows.columns]
    if not there:
        return pd.Series([[]] * len(rows), index=rows.index, dtype=object)
    joined = there[0].str.cat(pd.concat(there[1:], axis=1), sep=";") if len(there) > 1 else there[0]
    return joined.str.split(r"[;；、]", regex=True).map(lambda items: {i.strip() for i in items if i.strip()})


def listed(view: View, wanted: Wanted, lang: Lang) -> Json:
    """Return the list: rows in the order a meeting takes them, counts, and what can be filtered by.

    Returns
    -------
    dict
        ``rows`` (values with ``category_label status_label``), ``total`` of all there are, ``counts`` by state,
        ``units`` (per lead unit), ``options`` for the filters, ``as_of``.
    """
    everything = table(view)
    some = reckoning.in_order(select(everything, wanted))
    return {
        "rows": labelled(some, lang),
        "total": len(everything),
        "counts": {
            "open": int((~everything["settled"]).sum()),
            "overdue": int(everything["overdue"].sum()),
            "settled": int(everything["settled"].sum()),
            "all": len(everything),
        },
        "units": plain.records(reckoning.by_unit(everything)),
        "options": options(view, everything, lang),
        "removed": removed(view),
        "as_of": view.as_of,
    }


def removed(view: View) -> list[Json]:
    """Return the five newest removals that can be brought back, ``id edit_id at by``; none but to who edits all of them."""
    if view.snapshot is not None or not view.scope.edits or rights.own_unit(view.county, view.scope) is not None:
        return []
    told = view.county.db.history("problems")
    gone = told[told["kind"] == "remove"].drop_duplicates("edit_id")
    there = set(view.county.db.read("problems", columns=["ticket_id"])["ticket_id"])
    gone = gone[~gone["id"].isin(there)].drop_duplicates("id", keep="last").tail(5)
    return [
        {"id": str(i), "edit_id": int(e), "at": str(a), "by": str(b)}
        for i, e, a, b in zip(gone["id"], gone["edit_id"], gone["at"], gone["by"], strict=True)
    ]


def labelled(rows: pd.DataFrame, lang: Lang) -> list[Json]:
    """Return rows as JSON values, with the words for their codes."""
    out = plain.records(rows)
    for row in out:
        for name in ("category", "status", "raised_by"):
            value = row.get(name)
            row[f"{name}_label"] = "" if value is None else forms.code_label("problems", name, str(value), lang)
        row["finding_id"] = reckoning.finding_of(str(row["ticket_id"]))
        row["at"] = _at(row.get("location"))
    return out


def _at(location: object) -> str | None:
    """Return where the map opens for a place written as ``lon,lat``; None for one in words."""
    found = re.fullmatch(r"\s*(-?\d{1,3}\.\d+)\s*[,，]\s*(-?\d{1,2}\.\d+)\s*", str(location or ""))
    return f"18/{float(found[2]):.5f}/{float(found[1]):.5f}" if found else None


def options(view: View, rows: pd.DataFrame, lang: Lang) -> Json:
    """Return what the filters and the form offer: codes with their words, units, streets, compounds (id, name)."""
    declared = schema.layer("problems")
    out: Json = {}
    for name in ("category", "status"):
        column = declared.column(name)
        out[name] = [
            (c.value, forms.code_label("problems", name, c.value, lang)) for c in (column.codes if column else ())
        ]
    out["units"] = sorted({unit for named in _units(rows) for unit in named})
    out["streets"], out["compounds"] = [], []
    if "compounds" in view.layers:
        compounds = pd.DataFrame(view.table("compounds")).reindex(columns=["compound_id", "name", "street"])
        out["streets"] = sorted(compounds["street"].dropna().unique().tolist())
        named = compounds["name"].fillna(compounds["compound_id"])
        out["compounds"] = sorted(
            zip(compounds["compound_id"].tolist(), named.tolist(), strict=True), key=lambda c: c[1]
        )
    return out
