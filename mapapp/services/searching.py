"""This module finds what a name or an id typed by a person may mean, among what the asker may see."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from mapapp.core import schema
from mapapp.core.text import Lang
from mapapp.services.frames import View
from mapapp.services.plain import lonlat, records
from mapapp.services.viewing import in_language

Json = dict[str, Any]

_SEARCHED: Final = ("compounds", "streets", "problems", "outlets", "manholes", "pipes", "findings")
_SEARCH_COLUMNS: Final = ("name", "address", "street", "community")


def search(view: View, text: str, lang: Lang, *, limit: int = 12) -> list[Json]:
    """Return what a name or id typed by a person may mean, best first: equal, then beginning, then containing.

    Looks only at columns this asker sees. An empty text gives nothing. Case does not matter.
    """
    wanted = text.strip().lower()[:100]
    if not wanted:
        return []
    out: list[tuple[int, int, Json]] = []
    for place, layer in enumerate(
        name for name in _SEARCHED if name in view.layers and not view.access(name).counts_only
    ):
        frame = view.table(layer)
        key = schema.layer(layer).key
        rank = pd.Series(9, index=frame.index)
        for weight, column in enumerate(c for c in ("name", key, *_SEARCH_COLUMNS[1:]) if c in frame.columns):
            if layer in ("pipes", "manholes") and column != key:
                continue  # a hundred thousand pipes in one road are no answer
            words = frame[column].astype("str").str.lower()
            for score, hit in enumerate(
                (words == wanted, words.str.startswith(wanted), words.str.contains(wanted, regex=False))
            ):
                rank = rank.mask(
                    hit.fillna(False).astype(bool) & (rank > score + 3 * min(weight, 1)), score + 3 * min(weight, 1)
                )
        best = frame[rank < 9].assign(_rank=rank[rank < 9]).sort_values("_rank", kind="stable").iloc[:limit]
        for row, point in zip(records(in_language(best, lang)), lonlat(view.shapes(best, layer)), strict=True):
            title = str(row.get("name") or row.get("message") or row[key])
            under = [schema.layer(layer).title.pick(lang), str(row[key]), str(row.get("street") or "")]
            item = {
                "layer": layer,
                "id": row[key],
                "title": title,
                "subtitle": " · ".join(u for u in under if u),
                "at": point,
            }
            out.append((int(str(row["_rank"])), place, item))
    return [item for _, _, item in sorted(out, key=lambda found: found[:2])[:limit]]
