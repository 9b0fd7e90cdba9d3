"""This module compares two states of the county: which compounds changed, in what, and where they lie."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from mapapp.core import schema, status
from mapapp.core.text import Lang
from mapapp.programme import months, totals
from mapapp.render import style
from mapapp.services import describing, plain, snapshots, tiling
from mapapp.services import months as telling
from mapapp.services.frames import County, View
from mapapp.services.scope import Scope

Json = dict[str, Any]

LIVE: Final = "now"
_DERIVED: Final = ("verdict", "sewer_pending", "problems_open", "relapsed")
_FIGURES: Final = ("compounds", "started", "completed", "accepted", "households", "invest_done_wan")


def compare(county: County, scope: Scope, a: str | None, b: str | None, lang: Lang) -> Json:
    """Return what differs between two states.

    Parameters
    ----------
    a, b : str, optional
        Ids or dates of snapshots; "now" is the live data. By default the two newest snapshots, or the newest and now.

    Returns
    -------
    dict
        ``states`` (every state one can choose, oldest first), ``a b`` (chosen: ``id as_of title``), ``rows`` (one per
        compound that differs: ``compound_id name street before after others at``), ``moves``, ``totals``, ``map`` (what
        the script needs: tiles, style and bounds of both).

    Raises
    ------
    NotFoundError
        When there is no such snapshot.
    """
    made = sorted(snapshots.listed(county.db), key=lambda s: (s["as_of"], int(s["id"])))
    now: Json = {"id": LIVE, "as_of": county.at(scope).as_of, "title": None}
    states: list[Json] = [*made, now]
    second = b or (made[-1]["id"] if len(made) > 1 else LIVE)
    first = a or (made[-2]["id"] if len(made) > 1 else made[-1]["id"] if made else LIVE)
    views = [county.at(scope, None if s == LIVE else s) for s in (first, second)]
    frames = [_table(v) for v in views]
    columns = _columns(*frames)
    found = months.compare(frames[0], frames[1], columns)
    chosen = [_state(v, states) for v in views]
    return {
        "states": states,
        "a": chosen[0],
        "b": chosen[1],
        "same": chosen[0]["id"] == chosen[1]["id"],
        "rows": _rows(found, frames, views, lang),
        "moves": _moves(found, lang),
        "totals": _totals(frames),
        "map": _map(views, states, county, scope, lang),
    }


def _state(view: View, states: list[Json]) -> Json:
    wanted = LIVE if view.snapshot is None else str(view.snapshot.id)
    return next(s for s in states if s["id"] == wanted)


def _table(view: View) -> pd.DataFrame:
    if "compounds" not in view.layers:
        return pd.DataFrame({"compound_id": pd.Series(dtype="str"), "name": pd.Series(dtype="str")})
    return view.table("compounds")


def _columns(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """Return declared columns in their order, then what the audit and the problems say; those that neither has are out."""
    declared = [c.name for c in schema.layer("compounds").columns if c.name not in ("compound_id", "snapshot_as_of")]
    return [c for c in dict.fromkeys(("status", *declared, *_DERIVED)) if c in before or c in after]


def _rows(found: pd.DataFrame, frames: list[pd.DataFrame], views: list[View], lang: Lang) -> list[Json]:
    known: dict[str, Json] = {}
    for frame, view in zip(frames, views, strict=True):  # the later state last, so that it wins
        shaped = view.shapes(frame, "compounds") if len(frame) else frame
        for ident, name, street, state, at in zip(
            frame["compound_id"], frame["name"], frame.get("street", pd.Series([None] * len(frame))),
            frame.get("status", pd.Series([None] * len(frame))), plain.lonlat(shaped), strict=True,
        ):  # fmt: skip
            word = None if pd.isna(state) else str(state)
            before = known.get(ident, {}).get("after")
            known[ident] = {
                "compound_id": ident, "name": None if pd.isna(name) else name, "street": None if pd.isna(street) else street,
                "before": before if frame is frames[1] else None, "after": word, "at": at,
            }  # fmt: skip
    out = []
    for ident, group in found.groupby("compound_id", sort=False):
        row = dict(known[str(ident)])
        came, went = (bool(((group["column"] == "") & (group[c] == "exists")).any()) for c in ("after", "before"))
        if went:
            row["before"], row["after"] = row["after"], None
        others = group[~group["column"].isin(["", "status"])]
        cells = telling.cells(others, {}, lang)
        looks = {k: _look(row[k], lang) for k in ("before", "after")}
        moved = bool((group["column"] == "status").any())
        out.append(row | {"others": cells, "came": came, "went": went, "moved": moved, "looks": looks})
    return out


def _look(value: str | None, lang: Lang) -> Json:
    """Return how a status looks: the map's colour and letter, and its own word."""
    dressed = style.status_class(value)
    label = status.LABELS.get(value or "", dressed.label)
    return {"label": label.pick(lang), "letter": dressed.letter, "fill": dressed.fill, "ink": dressed.ink}


def _moves(found: pd.DataFrame, lang: Lang) -> list[Json]:
    return [
        {"before": _look(r["before"], lang), "after": _look(r["after"], lang), "compounds": int(r["compounds"])}
        for r in months.moves(found).to_dict("records")
    ]


def _totals(frames: list[pd.DataFrame]) -> list[Json]:
    whole = [totals.whole(f) for f in frames]
    return [{"figure": name, "before": _plain(whole[0][name]), "after": _plain(whole[1][name])} for name in _FIGURES]


def _plain(value: float) -> float | None:
    return None if pd.isna(value) else round(float(value), 2)


def _map(views: list[View], states: list[Json], county: County, scope: Scope, lang: Lang) -> Json:
    """Return what the swipe map draws: addresses of the compounds' tiles by state, the style, the bounds."""
    # addresses alone: the tiles of a state are built when the slider asks for it
    states_ = {s["id"]: county.at(scope, None if s["id"] == LIVE else s["id"]) for s in states}
    tiles = {name: tiling.address(view, "compounds") for name, view in states_.items() if "compounds" in view.layers}
    streets = next((tiling.address(v, "streets") for v in (*views, *states_.values()) if "streets" in v.layers), None)
    return {
        "tiles": tiles,
        "streets": streets,
        "style": describing.style(lang),
        "bounds": describing.whole(views[1]) or describing.whole(views[0]),
    }
