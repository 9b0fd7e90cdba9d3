"""This module gives the numbers at a glance, each with the address of the rows it was counted from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import pandas as pd

from mapapp.core import filters, status
from mapapp.core.text import Lang
from mapapp.programme import funding, management, totals
from mapapp.render import style
from mapapp.services import problem_list, snapshots, words
from mapapp.services.frames import View

Json = dict[str, Any]

KINDS: Final = ("planned", "started", "completed", "accepted")
_STATUSES: Final[Mapping[str, frozenset[str]]] = {
    "planned": status.IN_PLAN, "started": status.STARTED, "completed": status.COMPLETED, "accepted": status.ACCEPTED,
}  # fmt: skip
_AGES: Final = (("30", 0, 30), ("90", 31, 90), ("old", 91, 10**9))
_NO_SEWER: Final = tuple(name for name, verdict in words.verdicts().items() if verdict.served is False)
"""Verdicts that say "no"; an inlet or a network that nobody has found is not known."""


def address(view: View, **wanted: Sequence[object]) -> str:
    """Return the address of the map and table of compounds with these values, as of the same state.

    Examples
    --------
    ``address(view, year=[2021], status=["completed"])`` is ``/?f.year=2021&f.status=completed&as=3``.
    """
    parts = []
    for name, values in wanted.items():
        listed = sorted({str(v).replace(",", "\\,") for v in values})
        parts.append(f"f.{name}=" + ",".join(quote(v, safe="?") for v in listed))
    if view.snapshot is not None:
        parts.append(f"as={view.snapshot.id}")
    return "/" + ("?" + "&".join(parts) if parts else "")


def overview(view: View, lang: Lang) -> Json:
    """Return everything the dashboard shows.

    Parameters
    ----------
    view : View
        Of a user. Compounds withdrawn from the plan count nowhere.
    lang : str

    Returns
    -------
    dict
        ``as_of live snapshots empty``; ``headline rates status_year status_street progress sewer problems management
        funding``. Every figure carries ``href``, the address of its rows; what is not known is None.
    """
    base: Json = {
        "as_of": view.as_of,
        "live": view.snapshot is None,
        "snapshot": None if view.snapshot is None else str(view.snapshot.id),
        "snapshots": snapshots.listed(view.county.db),
    }
    if "compounds" not in view.layers:
        return base | {"empty": True}
    every = pd.DataFrame(view.table("compounds"))
    table = every[every["status"].astype("object") != "withdrawn"] if "status" in every else every
    table = table.reset_index(drop=True)
    sewer, open_ = _sewer(view, table, lang), _problems(view)
    return base | {
        "empty": False,
        "withdrawn": len(every) - len(table),
        "headline": _headline(view, table, sewer, open_),
        "rates": _rates(view, table),
        "status_year": _bars(view, table, "programme_year", "year", lang),
        "status_street": _bars(view, table, "street", "street", lang),
        "progress": _progress(view, table),
        "sewer": sewer,
        "problems": open_,
        "management": _management(view, table, lang),
        "funding": _funding(view, table, lang),
    }


def _all(view: View, table: pd.DataFrame) -> dict[str, Sequence[object]]:
    """Return the filter that leaves withdrawn compounds out; none where there are none."""
    if "status" not in table or not (view.table("compounds")["status"].astype("object") == "withdrawn").any():
        return {}
    return {"status": [*(s for s in status.LABELS if s != "withdrawn"), *_missing(table["status"])]}


def _missing(column: pd.Series) -> list[str]:
    return [filters.MISSING] if bool(column.isna().any()) else []


def _headline(view: View, table: pd.DataFrame, sewer: Json, open_: Json) -> list[Json]:
    whole = totals.whole(table)
    href = address(view, **_all(view, table))
    out = [{"name": "compounds", "value": len(table), "href": href, "missing": 0}]
    for name, figure in (
        ("households", "households"),
        ("buildings", "buildings"),
        ("area", "floor_area_m2"),
        ("money", "invest_total_wan"),
    ):
        out.append({"name": name, "value": _plain(whole[figure]), "href": href, "missing": int(whole[f"{figure}_missing"])})  # fmt: skip
    if sewer["rows"]:
        out.append({"name": "unserved", "value": sewer["households"], "href": sewer["href"], "missing": 0})
    if open_["total"] is not None:
        out.append({"name": "problems", "value": open_["total"], "href": "/problems", "missing": 0})
    return out


def _plain(value: object) -> float | int | None:
    if value is None or pd.isna(value):  # type: ignore[call-overload]  # one value
        return None
    number = round(float(value), 2)  # type: ignore[arg-type]  # a figure
    return int(number) if number.is_integer() else number


def _rates(view: View, table: pd.DataFrame) -> list[Json]:
    """Return per programme year, and for all: planned, started, completed, accepted, by compounds and by households."""
    years = totals.by_year(table)
    rows = [(int(year), row) for year, row in zip(years.index, years.to_dict("records"), strict=True)]
    known = (
        table[pd.to_numeric(table["programme_year"], errors="coerce").notna()] if "programme_year" in table else table
    )
    rows.append((0, dict(totals.whole(known))))
    out = []
    for year, row in rows:
        where: dict[str, Sequence[object]] = {"year": [year] if year else [y for y, _ in rows if y]}
        cells: Json = {}
        for kind in KINDS:
            cells[kind] = {
                "compounds": int(row[kind]), "households": _plain(row[f"{kind}_households"]),
                "rate": totals.rate(row[kind], row["planned"]),
                "rate_households": totals.rate(row[f"{kind}_households"], row["planned_households"]),
                "href": address(view, **where, status=sorted(_STATUSES[kind])),
            }  # fmt: skip
        in_year = None if row["completed"] and not row["finish_known"] else int(row["completed_in_year"])
        out.append({"year": year or None, "cells": cells, "in_year": in_year, "href": address(view, **where)})
    return out


def _bars(view: View, table: pd.DataFrame, column: str, name: str, lang: Lang) -> Json:
    """Return stacked bars of the map's status classes by a column; a missing value is a bar of its own."""
    if column not in table:
        return {"classes": [], "rows": []}
    classes = [c for c in style.STYLE["compounds"].classes if c.id != "withdrawn"]
    looks = (
        table["status"].map(lambda s: style.status_class(s).id)
        if "status" in table
        else pd.Series("unknown", index=table.index)
    )
    keys = filters.as_words(table[column])
    households = pd.to_numeric(table["households"], errors="coerce") if "households" in table else None
    rows = []
    for key in [*sorted(keys.dropna().unique()), *([filters.MISSING] if bool(keys.isna().any()) else [])]:
        mine = keys.isna() if key == filters.MISSING else keys == key
        parts = []
        for entry in classes:
            hit = mine & (looks == entry.id)
            if n := int(hit.sum()):
                stored = [v or filters.MISSING for v in entry.values] if entry.id != "unknown" else [filters.MISSING]  # noqa: PD011  # a tuple of ours
                parts.append({
                    "id": entry.id, "label": entry.label.pick(lang), "letter": entry.letter, "fill": entry.fill,
                    "ink": entry.ink, "stroke": entry.stroke, "hatch": entry.hatch, "compounds": n,
                    "households": None if households is None else _plain(households[hit].sum(min_count=1)),
                    "href": address(view, **{name: [key]}, status=stored),
                })  # fmt: skip
        label = words.value_label("compounds", column, str(key), lang)
        rows.append({"key": key, "label": label, "compounds": int(mine.sum()), "parts": parts, "href": address(view, **{name: [key]})})  # fmt: skip
    there = {p["id"] for r in rows for p in r["parts"]}
    shown = [{"label": c.label.pick(lang), "letter": c.letter, "fill": c.fill, "ink": c.ink, "stroke": c.stroke, "hatch": c.hatch} for c in classes if c.id in there]  # fmt: skip
    return {"classes": shown, "rows": rows, "most": max((r["compounds"] for r in rows), default=0)}


def _progress(view: View, table: pd.DataFrame) -> Json:
    found = funding.progress(table)
    rows = [
        {
            "year": int(year), "compounds": int(row["compounds"]), "money": _plain(row["money_pct"]),
            "money_known": int(row["money_known"]), "image": _plain(row["image_pct"]),
            "image_known": int(row["image_known"]), "href": address(view, year=[year]),
        }
        for year, row in zip(found.index, found.to_dict("records"), strict=True)
    ]  # fmt: skip
    return {"rows": rows, "dots": _dots(table)}


def _dots(table: pd.DataFrame) -> list[Json]:
    """Return one dot per compound that has both figures and is not yet through with both."""
    wanted = ("invest_total_wan", "invest_done_wan", "image_progress_pct")
    if any(c not in table for c in wanted):
        return []
    total, done, image = (pd.to_numeric(table[c], errors="coerce").astype("float64") for c in wanted)
    money = 100 * done / total.where(total > 0)
    kept = money.notna() & image.notna() & ~((money >= 100) & (image >= 100))
    return [
        {"id": i, "name": n, "money": round(m, 1), "image": round(p, 1), "href": f"/?sel=compounds:{quote(str(i))}"}
        for i, n, m, p in zip(table["compound_id"][kept], table["name"][kept], money[kept], image[kept], strict=True)
    ]


def _sewer(view: View, table: pd.DataFrame, lang: Lang) -> Json:
    if "verdict" not in table:
        return {"rows": [], "households": None, "href": None}
    households = pd.to_numeric(table["households"], errors="coerce") if "households" in table else None
    rows = []
    everywhere = _all(view, table)
    for entry in style.STYLE["verdicts"].classes:
        hit = table["verdict"].isin([v for v in entry.values if v])  # noqa: PD011  # a tuple of ours
        if n := int(hit.sum()):
            found = words.verdicts().get(entry.id)
            rows.append({
                "id": entry.id, "label": (found.title if found else entry.label).pick(lang), "letter": entry.letter,
                "fill": entry.fill, "ink": entry.ink, "stroke": entry.stroke, "hatch": entry.hatch, "compounds": n,
                "households": None if households is None else _plain(households[hit].sum(min_count=1)),
                "href": address(view, **everywhere, verdict=[entry.id]),
            })  # fmt: skip
    unserved = table["verdict"].isin(_NO_SEWER)
    lacking = [r["id"] for r in rows if r["id"] in _NO_SEWER]
    return {
        "rows": rows,
        "households": None if households is None else _plain(households[unserved].sum()),
        "compounds": int(unserved.sum()),
        "href": address(view, **everywhere, verdict=lacking or list(_NO_SEWER)),
        "most": max((float(str(r["households"] or 0)) for r in rows), default=0),
    }


def _problems(view: View) -> Json:
    """Return open problems by lead unit and age in days; a unit of none is told as such."""
    if "problems" not in view.layers or view.access("problems").counts_only:
        return {"total": None, "rows": []}
    table = problem_list.table(view)
    still = table[~table["settled"].astype(bool)]
    age = pd.to_numeric(still["age_days"], errors="coerce")
    unit = filters.as_words(still["lead_unit"]) if "lead_unit" in still else pd.Series(None, index=still.index)
    rows = []
    for name in [*sorted(unit.dropna().unique()), *([None] if bool(unit.isna().any()) else [])]:
        mine = unit.isna() if name is None else unit == name
        ages = {key: int((mine & age.between(low, high)).sum()) for key, low, high in _AGES}
        rows.append({
            "unit": name, "total": int(mine.sum()), "ages": ages | {"unknown": int((mine & age.isna()).sum())},
            "overdue": int((mine & still["overdue"].eq(True).fillna(False)).sum()),
            "href": f"/problems?unit={quote(str(name))}" if name else "/problems",
            "href_overdue": f"/problems?unit={quote(str(name))}&state=overdue" if name else "/problems?state=overdue",
        })  # fmt: skip
    return {
        "total": len(still),
        "rows": sorted(rows, key=lambda r: -r["total"]),
        "overdue": sum(r["overdue"] for r in rows),
    }


def _management(view: View, table: pd.DataFrame, lang: Lang) -> Json:
    """Return the managed share of completed compounds, by programme year and by mode, and the relapse flags."""
    completed = table[table["status"].isin(status.COMPLETED)] if "status" in table else table.iloc[:0]
    kept = pd.DataFrame(view.table("management")) if "management" in view.layers else None
    relapse = management.relapse(table, kept).eq(True).fillna(False)
    flagged = table.loc[relapse.to_numpy(dtype=bool), "compound_id"]
    mode = management.mode(completed, kept)
    has = management.managed(completed, kept).eq(True).fillna(False)
    rows = []
    for year, index in completed.groupby(pd.to_numeric(completed["programme_year"], errors="coerce")).groups.items():
        managed = int(has.loc[index].sum())
        rows.append({"year": int(str(year).partition(".")[0]), "completed": len(index), "managed": managed, "rate": totals.rate(managed, len(index)), "href": address(view, year=[int(str(year).partition(".")[0])], status=sorted(status.COMPLETED))})  # fmt: skip
    counts = mode.fillna("?").value_counts()
    by_mode = [
        {"mode": None if m == "?" else words.value_label("management", "mode", str(m), lang), "compounds": int(n)}
        for m, n in counts.items()
    ]
    names = dict(zip(table["compound_id"], table["name"], strict=True))
    relapsed = [{"id": i, "name": names[i], "href": f"/?sel=compounds:{quote(i)}"} for i in sorted(flagged)]
    return {
        "rows": rows, "completed": len(completed), "managed": int(has.sum()), "modes": by_mode, "relapsed": relapsed,
        "relapsed_href": address(view, relapsed=["true"]),
        "rate": totals.rate(int(has.sum()), len(completed)), "most": int(counts.max()) if len(counts) else 0,
    }  # fmt: skip


def _funding(view: View, table: pd.DataFrame, lang: Lang) -> Json:
    found = funding.by_source(table)
    whole = float(found["amount_wan"].sum())
    rows = [
        {
            "source": name, "label": funding.SOURCES[str(name)].pick(lang), "amount": _plain(row["amount_wan"]),
            "compounds": int(row["compounds"]), "share": totals.rate(row["amount_wan"], whole), "href": address(view, **_all(view, table)),
        }
        for name, row in zip(found.index, found.to_dict("records"), strict=True)
    ]  # fmt: skip
    missing = int(table["invest_total_wan"].isna().sum()) if "invest_total_wan" in table else len(table)
    rest = funding.unassigned(table)
    return {
        "rows": rows,
        "total": _plain(whole),
        "unassigned": _plain(rest) if rest is not None else None,
        "missing": missing,
    }
