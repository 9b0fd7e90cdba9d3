"""This module reads who looks after renovated compounds, and where what was put right has come back (反弹).

A relapse is a flag beside the status, not a step back in it: it is what a look back found and nobody has put right. A
ledger that writes 反弹 in its status column raises the same flag.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

NOBODY: Final = "none"
_OPEN: Final = frozenset({"unknown"})


def mode(compounds: pd.DataFrame, management: pd.DataFrame | None) -> pd.Series:
    """Return each compound's mode of management on the compounds' own index; missing where nobody recorded one."""
    found = pd.Series(None, index=compounds.index, dtype="object")
    if management is None or "mode" not in management or "compound_id" not in compounds:
        return found
    kept = management.drop_duplicates("compound_id").set_index("compound_id")["mode"].astype("object")
    found = compounds["compound_id"].map(kept).astype("object")
    return found.mask(found.isin(_OPEN) | found.isna(), None)


def managed(compounds: pd.DataFrame, management: pd.DataFrame | None) -> pd.Series:
    """Return whether each compound is looked after, as booleans; missing where nobody knows.

    A ledger that says long-term management is evidence too, where no record says otherwise.
    """
    kept = mode(compounds, management)
    out = pd.Series(pd.NA, index=compounds.index, dtype="boolean")
    out[kept.notna()] = kept[kept.notna()] != NOBODY
    if "status" in compounds:
        out[kept.isna() & compounds["status"].astype("object").eq("managed")] = True
    return out


def relapse(compounds: pd.DataFrame, management: pd.DataFrame | None = None) -> pd.Series:
    """Return the flag as booleans on the compounds' index.

    True where a look back found something that still stands, or the ledger says so; False where a look back found
    nothing; missing where nobody has looked.
    """
    out = pd.Series(pd.NA, index=compounds.index, dtype="boolean")
    if management is not None and "compound_id" in management and "compound_id" in compounds:
        kept = management.drop_duplicates("compound_id").set_index("compound_id")
        if "inspection_date" in kept:
            looked = compounds["compound_id"].isin(kept.index[kept["inspection_date"].notna()])
            out[looked.to_numpy(dtype=bool)] = False
        if "relapse_items" in kept:
            items = kept["relapse_items"].astype("str").str.strip()
            found = kept.index[(items.notna() & (items != "")).to_numpy(dtype=bool)]
            out[compounds["compound_id"].isin(found).to_numpy(dtype=bool)] = True
    if "status" in compounds:
        out[compounds["status"].astype("object").eq("relapsed")] = True
    return out
