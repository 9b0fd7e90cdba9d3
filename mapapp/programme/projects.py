"""This module relates projects and compounds, many to many, and counts works planned and done by the catalogue."""

from __future__ import annotations

import pandas as pd

from mapapp.core import status

PAIRS = ("project_id", "compound_id")


def pairs(projects: pd.DataFrame) -> pd.DataFrame:
    """Return one row per project and compound, each pair once, in the order of the projects.

    Parameters
    ----------
    projects : DataFrame
        ``project_id compound_ids``; ids joined by ``;``. A project without compounds gives no row.
    """
    lists = projects["compound_ids"].astype("str").str.split(r"[;；,，、]", regex=True)
    out = pd.DataFrame({"project_id": projects["project_id"], "compound_id": lists}).explode("compound_id")
    out["compound_id"] = out["compound_id"].astype("str").str.strip()
    out = out[out["compound_id"].notna() & (out["compound_id"] != "")]
    return out.drop_duplicates(list(PAIRS)).reset_index(drop=True)


def summary(projects: pd.DataFrame, compounds: pd.DataFrame, flagged: set[str] | None = None) -> pd.DataFrame:
    """Return one row per project with what its compounds add up to.

    Parameters
    ----------
    projects : DataFrame
        ``project_id compound_ids`` and whatever else; untouched.
    compounds : DataFrame
        ``compound_id status households floor_area_m2 finish_actual``; absent columns count as missing.
    flagged : set of str, optional
        Relapsed compounds.

    Returns
    -------
    DataFrame
        Indexed by ``project_id`` in the given order: ``compounds`` (named and known), ``unknown`` (ids that no compound
        has), ``shared`` (also in another project), ``households``, ``floor_area_m2`` (missing when none is known),
        ``started``, ``completed``, ``relapsed``, ``finished_on`` (last finish month; missing until all are completed and
        dated). The programme year is the project's own; it is not a finish date.
    """
    facts = pd.DataFrame({"compound_id": compounds["compound_id"].astype("str").to_numpy()})
    for name in ("households", "floor_area_m2"):
        given = compounds[name] if name in compounds else pd.Series(float("nan"), index=compounds.index)
        facts[name] = pd.to_numeric(given, errors="coerce").astype("float64").to_numpy()
    state = compounds["status"].astype("object") if "status" in compounds else pd.Series(None, index=compounds.index)
    finish = compounds["finish_actual"] if "finish_actual" in compounds else pd.Series(None, index=compounds.index)
    facts["started"] = state.isin(status.STARTED).to_numpy()
    facts["completed"] = state.isin(status.COMPLETED).to_numpy()
    facts["relapsed"] = facts["compound_id"].isin(flagged or set())
    facts["finish"] = finish.astype("str").where(state.isin(status.COMPLETED)).to_numpy()
    joined = pairs(projects).merge(facts.drop_duplicates("compound_id"), on="compound_id", how="left", indicator="at")
    joined["known"] = joined["at"] == "both"
    joined["shared"] = joined["known"] & joined["compound_id"].duplicated(keep=False)
    flags = ["known", "shared", "started", "completed", "relapsed"]
    joined[flags] = joined[flags].eq(True)
    groups = joined.groupby("project_id")
    out = groups[flags].sum().rename(columns={"known": "compounds"})
    out["unknown"] = groups.size() - out["compounds"]
    out[["households", "floor_area_m2"]] = groups[["households", "floor_area_m2"]].sum(min_count=1)
    whole = groups["finish"].count() == groups.size()
    out["finished_on"] = groups["finish"].max().astype("object").where(whole, None)
    out = out.reindex(projects["project_id"])
    counts = ["compounds", "shared", "started", "completed", "relapsed", "unknown"]
    out[counts] = out[counts].fillna(0).astype("int64")
    return out


def works(recorded: pd.DataFrame, catalogue: pd.DataFrame) -> pd.DataFrame:
    """Return the catalogue with how many compounds plan each item and how many have it done.

    Parameters
    ----------
    recorded : DataFrame
        Table ``works``: ``compound_id code planned done``. Work that is done without having been planned counts as done
        alone.
    catalogue : DataFrame
        See `works.catalogue`.

    Returns
    -------
    DataFrame
        The catalogue's rows and columns, and ``planned`` and ``done``. Codes of no item are left out (see `strangers`).
    """
    out = catalogue.copy()
    for name in ("planned", "done"):
        said = recorded[recorded[name].eq(True).fillna(False)] if name in recorded else recorded.iloc[:0]
        counts = said.drop_duplicates(["compound_id", "code"])["code"].value_counts()
        out[name] = out["code"].map(counts).fillna(0).astype("int64")
    return out


def strangers(recorded: pd.DataFrame, catalogue: pd.DataFrame) -> list[str]:
    """Return codes that are recorded and in no catalogue, sorted."""
    return sorted(set(recorded["code"].dropna().astype("str")) - set(catalogue["code"]))
