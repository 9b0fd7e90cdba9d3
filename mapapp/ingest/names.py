"""This module joins ledger rows to compounds: by id, else by exactly the same name; everything else is listed."""

from __future__ import annotations

import difflib
import re
import unicodedata

import numpy as np
import pandas as pd

DOUBTFUL_COLUMNS = ("row", "name", "best", "compound_id", "score", "reason")
_NOISE = re.compile(r"[\s()\[\]{}【】〔〕《》“”\"'·\-_,、.。]+")
_CLOSE = 0.6


def normalise_name(name: str) -> str:
    """Return a compound's name without width, case, blanks and brackets; its words and numbers stay."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", name).casefold())


def match_names(frame: pd.DataFrame, compounds: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give each row of a table the ``compound_id`` of the compound that it means.

    A known id counts first. Then the name, equal but for width, blanks and brackets; where several compounds bear it,
    the street decides. Nothing else is applied: a similar name is listed with its best candidate, for a person.

    Parameters
    ----------
    frame : DataFrame
        With ``compound_id`` or ``name``, perhaps ``street``.
    compounds : DataFrame
        With ``compound_id``, ``name``, perhaps ``street``.

    Returns
    -------
    frame : DataFrame
        The same rows with ``compound_id``; where there is no exact match, their own id or missing.
    doubtful : DataFrame
        ``row name best compound_id score reason`` for each row that stays without, with the best candidate.
    """
    out = frame.copy()
    n = len(frame)
    empty = pd.Series([None] * n, index=frame.index, dtype="str")
    given = frame["compound_id"].astype("str") if "compound_id" in frame else empty
    names = frame["name"].astype("str") if "name" in frame else empty
    known = compounds["compound_id"].astype("str")
    result = given.where(given.isin(known))
    table = _lookup(compounds)
    streets = frame["street"].astype("str") if "street" in frame else empty
    doubts: list[tuple[int, object, object, object, float, str]] = []
    by_key = {key: rows[0][0] for key, rows in table.items()}
    for at in np.flatnonzero(result.isna().to_numpy()):  # a ledger has a hundred rows
        name = names.iloc[at]
        if pd.isna(name):
            doubts.append((int(at), given.iloc[at], None, None, 0.0, "no_name"))
            continue
        rows = table.get(normalise_name(name), [])
        if len(rows) > 1 and pd.notna(streets.iloc[at]):
            rows = [r for r in rows if r[2] == normalise_name(streets.iloc[at])] or rows
        if len(rows) == 1:
            result.iloc[int(at)] = rows[0][0]
        elif rows:
            doubts.append((int(at), name, rows[0][1], rows[0][0], 1.0, "several_compounds_of_that_name"))
        else:
            close = difflib.get_close_matches(normalise_name(name), by_key, n=1, cutoff=_CLOSE)
            best = table[close[0]][0] if close else (None, None, "")
            score = difflib.SequenceMatcher(None, normalise_name(name), close[0]).ratio() if close else 0.0
            doubts.append(
                (int(at), name, best[1], best[0], round(score, 2), "similar_name" if close else "no_such_name")
            )
    out["compound_id"] = result.where(result.notna(), given).astype("str")  # an id of theirs is never thrown away
    return out, pd.DataFrame(doubts, columns=list(DOUBTFUL_COLUMNS))


def _lookup(compounds: pd.DataFrame) -> dict[str, list[tuple[str, str, str]]]:
    table: dict[str, list[tuple[str, str, str]]] = {}
    n = len(compounds)
    streets = compounds["street"] if "street" in compounds else pd.Series([None] * n)
    names = compounds["name"] if "name" in compounds else pd.Series([None] * n)
    for cid, name, street in zip(compounds["compound_id"], names, streets, strict=True):
        if pd.notna(name) and pd.notna(cid):
            key = normalise_name(str(name))
            table.setdefault(key, []).append(
                (str(cid), str(name), "" if pd.isna(street) else normalise_name(str(street)))
            )
    return table


def keep_one_row_each(
    frame: pd.DataFrame, trace: pd.DataFrame, key: str
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Keep the first row of each key (rows without key stay) and list the others as doubtful.

    A ledger table holds one row per compound; a second row for the same one cannot be stored and must be seen.
    """
    twin = (frame[key].duplicated() & frame[key].notna()).to_numpy()
    if not twin.any():
        return frame, trace, pd.DataFrame({c: pd.Series(dtype="object") for c in DOUBTFUL_COLUMNS})
    rows = np.flatnonzero(twin)
    names = frame["name"].to_numpy(dtype=object)[rows] if "name" in frame else np.full(len(rows), None)
    ids = frame[key].to_numpy(dtype=object)[rows]
    twice = pd.DataFrame({"row": rows, "name": names, "best": names, "compound_id": ids, "score": 1.0})
    twice["reason"] = "second_row_for_this_compound"
    number = np.cumsum(~twin) - 1
    kept = trace[~trace["row"].isin(rows)].copy()
    kept["row"] = number[kept["row"].to_numpy()]
    return frame[~twin].reset_index(drop=True), kept.reset_index(drop=True), twice
