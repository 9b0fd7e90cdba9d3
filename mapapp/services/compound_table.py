"""This module joins all that is known of each compound into one table, uncut: what views filter, count and disclose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mapapp.programme import management
from mapapp.programme.problems import SETTLED
from mapapp.services import words

if TYPE_CHECKING:
    from mapapp.store import Database


def read(db: Database, snapshot: int | None) -> pd.DataFrame:
    """Return every compound with what else is known of it, uncut: the one table that filters and totals look at.

    Added to the stored columns, where known: ``verdict``, ``evidence``, ``distance_m`` (m) of the audit, ``rules`` (ids
    of the open findings about it, ``;`` between), ``unit`` (every unit that builds, owns or answers for something
    there), ``problems_open``, ``sewer_pending`` and ``relapsed`` (true, false, or missing where nobody knows) and
    ``letter``.
    """
    there = set(db.layers(snapshot=snapshot))
    table = db.effective_compounds(snapshot=snapshot)
    if "verdicts" in there:
        verdicts = db.read("verdicts", snapshot=snapshot)
        kept = [c for c in ("compound_id", "verdict", "evidence", "evidence_en", "distance_m") if c in verdicts.columns]
        table = table.merge(pd.DataFrame(verdicts[kept]).drop_duplicates("compound_id"), on="compound_id", how="left")
        table["sewer_pending"] = pending(table["verdict"])
    if "findings" in there:
        findings = pd.DataFrame(db.read("findings", snapshot=snapshot)[["layer", "feature_id", "rule", "status"]])
        open_ = findings[(findings["layer"] == "compounds") & ~findings["status"].isin(["dismissed", "fixed"])]
        table["rules"] = table["compound_id"].map(_joined(open_["rule"], open_["feature_id"])).astype("str")
    units = [_pairs(table, "owner_unit")]
    if "problems" in there:
        problems = db.read("problems", snapshot=snapshot)
        units += [_pairs(problems, column) for column in ("lead_unit", "co_units", "utility_owner")]
        still = problems[~problems["status"].isin(SETTLED)] if "status" in problems else problems
        counts = still.groupby("compound_id").size()
        table["problems_open"] = table["compound_id"].map(counts).fillna(0).astype("Int64")
    flag = management.relapse(table, db.read("management", snapshot=snapshot) if "management" in there else None)
    if bool(flag.notna().any()):
        table["relapsed"] = flag
    pairs = pd.concat(units, ignore_index=True)
    table["unit"] = table["compound_id"].map(_joined(pairs["unit"], pairs["compound_id"])).astype("str")
    table["letter"] = table["status"].map(words.status_letter)
    return table


def _pairs(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    if column not in frame.columns:
        return pd.DataFrame({"compound_id": pd.Series(dtype="str"), "unit": pd.Series(dtype="str")})
    return pd.DataFrame({"compound_id": frame["compound_id"].astype("str"), "unit": frame[column].astype("str")})


def _joined(values: pd.Series, by: pd.Series) -> pd.Series:
    """Return each group's distinct items, sorted, joined by ``;``."""
    items = values.astype("str").str.split(r"[;；、]", regex=True).explode().astype("str").str.strip()
    pairs = pd.DataFrame({"by": by.reindex(items.index) if by.index.is_unique else by, "item": items}).dropna()
    pairs = pairs[pairs["item"] != ""].drop_duplicates().sort_values(["by", "item"])
    return pairs.groupby("by")["item"].agg(";".join)


def pending(verdict: pd.Series) -> pd.Series:
    """Return whether a compound waits for a sewer: false when connected, missing when nobody knows."""
    served = {name: found.served for name, found in words.verdicts().items() if found.served is not None}
    return verdict.map(served).map({True: False, False: True}).astype("boolean")
