"""This module serves a supervisor in the yard: which manholes to look for, what was found, and what that changes.

What is found goes two ways: a row in ``visits``, which is the evidence, and ``manholes.found``, which the audit reads.
A phone sends late and more than once, so a visit carries an id that the phone made, and of two visits to one manhole
the one made later counts, whichever arrives first.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from mapapp.core import schema
from mapapp.core.errors import ConflictError, InputError, NotFoundError
from mapapp.core.text import Lang, Text
from mapapp.services import auditing, jobs, photos, plain, words
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

Json = dict[str, Any]

INLET_TYPES: Final = ("接户井", "预留口")
"""Manholes that are made to take a compound's sewage, as surveys call them."""

HIDDEN: Final = ("buried", "covered_by_structure", "not_found", "no_access")
_NEAR_M: Final = 30.0  # an inlet or a lost manhole this near to an unserved compound is worth a look
_MOST: Final = 5000
_AUDITED: Final = "yard_audited_revision"
AUDIT: Final = jobs.Kind(
    "audit",
    cancelled=Text("已取消，数据没有改动。", "Cancelled; no data changed."),
    failed=Text("数据检查出错，数据没有改动。", "The audit failed; no data changed."),
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,63}")


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at one place, as a phone sends it.

    Parameters
    ----------
    visit_id : str
        Made by the phone, once, and sent again unchanged.
    found : str
        One of `marks`.
    visited_at : str
        ISO 8601 with its zone.
    node_id, compound_id : str, optional
        The manhole looked for; the compound it is for. At least one of them.
    lon, lat : float, optional
        WGS 84, degrees; where the phone was.
    accuracy_m : float, optional
    note : str
    """

    visit_id: str
    found: str
    visited_at: str
    node_id: str | None = None
    compound_id: str | None = None
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None
    note: str = ""


def marks(lang: Lang) -> list[Json]:
    """Return what a manhole can be marked as, in the order of the schema: ``value`` and ``label``."""
    column = schema.layer("visits").column("found")
    codes = column.codes if column is not None else ()
    return [{"value": c.value, "label": words.value_label("visits", "found", c.value, lang)} for c in codes]


def pack(view: View, lang: Lang) -> Json:
    """Return all that the phone needs to work without signal: unserved compounds and the manholes to look for there.

    Returns
    -------
    dict
        ``as_of county edits marks``; ``compounds``: id, name, street, verdict, its title, outline (rings of lon, lat),
        ``at``; ``places``: id, ``at`` (lon, lat, EPSG:4326, which CGCS2000 equals within its accuracy), found, kind,
        road, ground and depth in m, ``wanted``: for which compound, with rank, length in m and gravity, and ``last``,
        the newest visit; ``audit``: see `evidence`. No personal data. At most 5,000 places; ``left_out`` counts the
        rest.
    """
    homes = _unserved(view)
    nodes, wanted = _places(view, homes)
    return {
        "as_of": view.as_of,
        "county": view.county.db.name,
        "edits": view.scope.edits,
        "marks": marks(lang),
        "compounds": _compounds(homes, lang),
        "places": _told(view, nodes.iloc[:_MOST], wanted, lang),
        "left_out": max(len(nodes) - _MOST, 0),
        "audit": evidence(view.county),
    }


def _unserved(view: View) -> pd.DataFrame:
    if "compounds" not in view.layers:
        return pd.DataFrame({"compound_id": pd.Series(dtype="str")})
    homes = view.frame("compounds")
    if "verdict" not in homes:
        return homes.iloc[:0]
    served = {name for name, found in words.verdicts().items() if found.served}
    return homes[homes["verdict"].notna() & ~homes["verdict"].isin(served)].reset_index(drop=True)


def _places(view: View, homes: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list[Json]]]:
    """Return the manholes worth a look, and by manhole for which compounds: candidates first, then lost inlets."""
    if "manholes" not in view.layers or not len(homes):
        return pd.DataFrame({"node_id": pd.Series(dtype="str")}), {}
    pairs = pd.concat([_candidates(view, homes), _lost(view, homes)], ignore_index=True)
    pairs = pairs.drop_duplicates(["node_id", "compound_id"])
    wanted: dict[str, list[Json]] = {}
    for node, row in zip(pairs["node_id"], plain.records(pairs.drop(columns="node_id")), strict=True):
        wanted.setdefault(str(node), []).append(row)
    table = view.table("manholes")
    nodes = view.shapes(table[table["node_id"].isin(set(wanted))].reset_index(drop=True), "manholes")
    return nodes, wanted


_PAIR: Final = ("node_id", "compound_id", "rank", "length_m", "gravity")


def _candidates(view: View, homes: pd.DataFrame) -> pd.DataFrame:
    if "candidates" not in view.layers:
        return pd.DataFrame(columns=list(_PAIR))
    rows = view.table("candidates")
    rows = pd.DataFrame(rows[rows["compound_id"].isin(set(homes["compound_id"]))])
    return rows.rename(columns={"manhole_id": "node_id"}).reindex(columns=list(_PAIR))


def _lost(view: View, homes: pd.DataFrame) -> pd.DataFrame:
    """Return inlet manholes and lost ones in or beside an unserved compound, with the distance to its outline, m."""
    table = view.table("manholes")
    look = np.zeros(len(table), dtype=bool)
    for column, values in (("type", INLET_TYPES), ("found", HIDDEN)):
        if column in table:
            look |= table[column].isin(values).to_numpy(dtype=bool)
    near = view.shapes(table[look].reset_index(drop=True), "manholes")
    if not isinstance(near, gpd.GeoDataFrame) or not isinstance(homes, gpd.GeoDataFrame):
        return pd.DataFrame(columns=list(_PAIR))
    shapes = np.asarray(homes.geometry.values, dtype=object)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    which, node = near.sindex.query(shapes[there], predicate="dwithin", distance=_NEAR_M)
    home = np.flatnonzero(there)[which]
    away = shapely.distance(shapes[home], np.asarray(near.geometry.values, dtype=object)[node])
    return pd.DataFrame({
        "node_id": near["node_id"].to_numpy()[node],
        "compound_id": homes["compound_id"].to_numpy()[home],
        "length_m": np.round(away, 1),
    }).sort_values(["length_m", "node_id"], kind="stable").reindex(columns=list(_PAIR))  # fmt: skip


def _compounds(homes: pd.DataFrame, lang: Lang) -> list[Json]:
    columns = [c for c in ("compound_id", "name", "street", "verdict") if c in homes]
    rows = plain.records(pd.DataFrame(homes)[columns])
    outlines = _outlines(homes)
    for row, at, outline in zip(rows, plain.lonlat(homes), outlines, strict=True):
        row["title"] = words.value_label("compounds", "verdict", str(row.get("verdict")), lang)
        row["at"], row["outline"] = at, outline
    return rows


def _outlines(homes: pd.DataFrame) -> list[list[Any]]:
    """Return the outer rings of each outline, degrees to 7 places (a centimetre)."""
    if not isinstance(homes, gpd.GeoDataFrame) or homes.crs is None:
        return [[] for _ in range(len(homes))]
    shapes = np.asarray(homes.geometry.to_crs(4326).values, dtype=object)
    parts, owner = shapely.get_parts(shapes, return_index=True)
    areal = shapely.get_type_id(parts) == 3
    rings = shapely.get_exterior_ring(parts[areal])
    out: list[list[Any]] = [[] for _ in range(len(homes))]
    for at, ring in zip(owner[areal].tolist(), rings, strict=True):
        out[at].append(np.round(shapely.get_coordinates(ring), 7).tolist())
    return out


def _told(view: View, nodes: pd.DataFrame, wanted: Mapping[str, list[Json]], lang: Lang) -> list[Json]:
    columns = [c for c in ("node_id", "kind", "type", "road", "found", "ground_elev_m", "depth_m") if c in nodes]
    rows = plain.records(pd.DataFrame(nodes)[columns])
    last = _last(view, [str(r["node_id"]) for r in rows])
    out = []
    for row, at in zip(rows, plain.lonlat(nodes), strict=True):
        if at is not None:
            row["kind"] = words.value_label("manholes", "kind", str(row.get("kind") or "unknown"), lang)
            out.append(row | {"at": at, "wanted": wanted[str(row["node_id"])], "last": last.get(str(row["node_id"]))})
    return out


def _last(view: View, nodes: list[str]) -> dict[str, Json]:
    """Return the newest visit of each manhole: when, and what was found."""
    if "visits" not in view.layers or not nodes:
        return {}
    visits = view.table("visits")
    visits = visits[visits["node_id"].isin(nodes)].sort_values(["visited_at", "visit_id"], kind="stable")
    newest = visits.drop_duplicates("node_id", keep="last")
    told = plain.records(newest[["visit_id", "visited_at", "found"]])
    return dict(zip(newest["node_id"].astype("str"), told, strict=True))


def record(county: County, scope: Scope, visit: Visit, photo: IO[bytes] | None = None) -> Json:
    """Store a visit and mark its manhole; the same visit sent again changes nothing.

    Parameters
    ----------
    county, scope
    visit : Visit
    photo : binary file, optional
        Kept with the visit, re-encoded; one per visit.

    Returns
    -------
    dict
        ``visit_id``; ``already``: whether it was known; ``counts``: whether this visit is the one the manhole is now
        marked by (a later one may be known); ``found``: the mark of the manhole now; ``audit``: see `evidence`.

    Raises
    ------
    ForbiddenError
        When the asker may not change data.
    InputError
        For a mark, an id, a moment, a position or a photo that is none; nothing is stored then.
    NotFoundError
        When there is no such manhole or compound.
    """
    scope.require_editor()
    visit = checked(visit)
    picture = photos.reencode(photo)[0] if photo is not None else None
    db = county.db
    if visit.node_id and not len(db.read("manholes", ids=[visit.node_id], columns=["node_id"], geometry=False)):
        raise NotFoundError(Text(f"没有检查井“{visit.node_id}”。", f"There is no manhole {visit.node_id!r}."))
    if visit.compound_id and not len(_compound_ids(county, visit.compound_id)):
        raise NotFoundError(Text(f"没有小区“{visit.compound_id}”。", f"There is no compound {visit.compound_id!r}."))
    already = bool(len(db.read("visits", ids=[visit.visit_id])))
    if not already:
        values = {name: getattr(visit, name) for name in Visit.__dataclass_fields__}
        try:
            db.insert("visits", values | {"note": visit.note or None, "visited_by": scope.name}, by=scope.name)
        except ConflictError:  # sent twice at once: the other one was first
            already = True
    if picture is not None and not photos.listed(county, scope, "visits", visit.visit_id):
        photos.add(county, scope, "visits", visit.visit_id, io.BytesIO(picture))
    counts, found = _mark(county, visit, by=scope.name) if visit.node_id else (True, None)
    return {"visit_id": visit.visit_id, "already": already, "counts": counts, "found": found, "audit": evidence(county)}


def _compound_ids(county: County, wanted: str) -> pd.DataFrame:
    """Return the rows of that id; one that only the ledger knows is a compound, too."""
    for layer in ("compounds", "ledger"):
        rows = county.db.read(layer, ids=[wanted], columns=["compound_id"], geometry=False)
        if len(rows):
            return rows
    return rows


def _mark(county: County, visit: Visit, *, by: str) -> tuple[bool, str | None]:
    """Write the newest visit's mark to the manhole; return whether this visit is it, and the mark."""
    db, node = county.db, str(visit.node_id)
    for _ in range(5):
        version = db.row_version("manholes", node)  # before the visits are read: a later one changes it
        visits = db.read("visits", where={"node_id": node}).sort_values(["visited_at", "visit_id"], kind="stable")
        newest = visits.iloc[-1]
        try:
            db.edit("manholes", node, {"found": newest["found"]}, by=by, expected=version)
        except ConflictError:
            continue
        return bool(newest["visit_id"] == visit.visit_id), str(newest["found"])
    raise ConflictError(
        Text(f"检查井 {node} 正被别人修改。", f"Others are changing manhole {node} right now."),
        Text("稍后会再发送。", "It will be sent again."),
    )


def checked(visit: Visit) -> Visit:
    """Return the visit with its moment in UTC, or say what is wrong with it.

    A moment that has not come yet (a phone's clock may be wrong) becomes now, so that it cannot outrank every later
    visit.
    """
    if not _ID.fullmatch(visit.visit_id):
        raise InputError(Text("踏勘编号无效。", "The visit's id is not valid."), where="visit_id")
    known = {m["value"] for m in marks("zh")}
    if visit.found not in known:
        raise InputError(
            Text(f"没有标记“{visit.found}”。", f"There is no mark {visit.found!r}."),
            Text(f"可用：{' '.join(sorted(known))}。", f"Use one of {' '.join(sorted(known))}."),
            where="found",
        )
    if not visit.node_id and not visit.compound_id:
        raise InputError(
            Text("踏勘没有指明检查井或小区。", "The visit names neither a manhole nor a compound."), where="node_id"
        )
    _check_place(visit)
    at = min(_moment(visit.visited_at), datetime.now(UTC))
    moment = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    values = {name: getattr(visit, name) for name in Visit.__dataclass_fields__}
    return Visit(**(values | {"visited_at": moment}))


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min
    if at.tzinfo is None:
        raise InputError(
            Text(f"“{text[:40]}”不是带时区的时间。", f"{text[:40]!r} is not a moment with its zone."),
            Text("请写成 2026-11-25T09:30:00+08:00 这样。", "Write it like 2026-11-25T09:30:00+08:00."),
            where="visited_at",
        )
    return at.astimezone(UTC)


def _check_place(visit: Visit) -> None:
    both = visit.lon is not None and visit.lat is not None
    if (visit.lon is None) != (visit.lat is None) or (
        both and not (abs(float(visit.lon or 0)) <= 180 and abs(float(visit.lat or 0)) <= 90)
    ):
        raise InputError(
            Text("位置不是经纬度。", "The position is not longitude and latitude."),
            Text("请重新定位，或不带位置发送。", "Locate again, or send it without a position."),
            where="lon",
        )
    if visit.accuracy_m is not None and not (math.isfinite(visit.accuracy_m) and visit.accuracy_m >= 0):
        raise InputError(
            Text("定位精度不是一个长度。", "The accuracy of the position is no length."), where="accuracy_m"
        )


def evidence(county: County) -> Json:
    """Tell whether manholes were marked since the audit ran: ``newer``, how many ``changes``, and since ``when``."""
    db = county.db
    told = db.revisions(limit=5000)
    audited = max(_largest(told[told["kind"] == "derive"]["revision"]), int(db.setting(_AUDITED, 0) or 0))
    edits = told[told["kind"].isin(["edit", "undo"]) & (told["layer"] == "manholes") & (told["revision"] > audited)]
    return {"newer": bool(len(edits)), "changes": len(edits), "when": None if edits.empty else str(edits["at"].min())}


def _largest(numbers: pd.Series) -> int:
    return int(numbers.max()) if len(numbers) else 0


def audit_again(county: County, scope: Scope) -> Json:
    """Run the audit in the background and return its job; ``/api/jobs/<id>`` tells how far it is.

    A job that is under way already is returned instead of a second one.

    Raises
    ------
    ForbiddenError
        When the asker may not change data.
    """
    scope.require_editor()
    job, _ = jobs.start(county, AUDIT, lambda report: _audit(county, report, by=scope.name), by=scope.name)
    return {"job": job}


def _audit(county: County, report: jobs.Report, *, by: str) -> Mapping[str, Any]:
    db = county.db
    before = db.revision
    outcome = auditing.run(county.url, by=by, progress=report)
    db.set_setting(_AUDITED, before)
    return outcome.summary()
