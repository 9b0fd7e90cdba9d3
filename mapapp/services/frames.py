"""This module gives each asker the tables they may see, cut down before anything is counted or drawn.

A `County` is one open database with its cache; `County.at` opens a `View` for one asker and one moment. Whatever a view
hands out has passed `scope.access`: rows dropped, columns dropped, figures rounded, outlines coarsened.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Hashable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from mapapp import store
from mapapp.core import disclosure, filters, schema
from mapapp.core.errors import InputError, NotFoundError
from mapapp.core.text import Text
from mapapp.services import cache, compound_table, words
from mapapp.services import scope as scopes
from mapapp.services.scope import Access, Scope

if TYPE_CHECKING:
    from mapapp.store import Database

ALIASES: Final[Mapping[str, str]] = {"year": "programme_year", "rule": "rules"}
"""Short names of compound columns in addresses."""
SHORT: Final[Mapping[str, str]] = {column: short for short, column in ALIASES.items()}

_SOURCES: Final = ("compounds", "ledger", "verdicts", "findings", "problems", "management")
_GAP_RULES: Final = frozenset({"not_connected", "no_main", "wrong_outlet", "no_gravity", "inlet_unknown", "no_data"})
_LARGE: Final = 20_000
ENOUGH: Final = 5
"""Compounds from which on a total gives none of them away."""


class County:
    """One county database, opened once per process, with the frames that were read from it.

    Parameters
    ----------
    url : str
        GeoPackage path or ``postgresql://`` URL.
    tiles_folder : Path, optional
        Where tile caches lie; ``<database>.tiles`` beside a file.
    """

    def __init__(self, url: str, *, tiles_folder: Path | None = None) -> None:
        self.url = url
        self.tiles_folder = tiles_folder or beside(url, "tiles")
        self.frames = cache.Cache()
        self._lock = threading.Lock()
        self._db: Database | None = None

    @property
    def db(self) -> Database:
        """The open database."""
        with self._lock:
            if self._db is None:
                self._db = store.open(self.url)
            return self._db

    @property
    def changed_on(self) -> str:
        """The day of the last change of the live data, on this machine's calendar."""
        return changed_on(self.db)

    def close(self) -> None:
        """Close the database; a later use opens it again."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def at(self, scope: Scope, as_of: str | None = None) -> View:
        """Open what ``scope`` sees, live or of a snapshot.

        Parameters
        ----------
        scope : Scope
        as_of : str, optional
            Id or date of a snapshot. A share that is fixed to one ignores anything else that is asked for.

        Raises
        ------
        NotFoundError
            When a user names a snapshot that does not exist, or a share asks for another one than its own.
        """
        notices: list[Text] = []
        if scope.share is not None:
            pinned = scope.share.snapshot
            if as_of is not None and as_of != pinned:
                raise NotFoundError(Text("此分享不含该快照。", "This share does not hold that snapshot."))
            if pinned is None:
                return View(self, scope, None, notices)
            found = next((s for s in self.db.snapshots() if str(s.id) == pinned), None)
            if found is None:
                gone = Text("此分享所依据的快照已被删除。", "The snapshot that this share was made from was removed.")
                return View(self, scope, None, [gone], empty=True)
            return View(self, scope, found, notices)
        if as_of is None:
            return View(self, scope, None, notices)
        hits = [s for s in self.db.snapshots() if as_of in (str(s.id), str(s.as_of))]
        if not hits:
            raise NotFoundError(Text(f"没有快照“{as_of}”。", f"There is no snapshot {as_of!r}."), where="as")
        return View(self, scope, max(hits, key=lambda s: s.id), notices)


def changed_on(db: Database) -> str:
    """Return the day on which the data last changed, ISO 8601, on this machine's calendar; today when it never did.

    Views, users and shares are no data. Live data goes by this day and not by today's, so that nobody takes last
    month's figures for today's.
    """
    last = db.revisions(limit=1)
    if last.empty:
        return date.today().isoformat()
    return datetime.fromisoformat(str(last["at"].iloc[0])).astimezone().date().isoformat()


def beside(url: str, what: str) -> Path:
    """Return where ``what`` of the county at this address lies: ``<database>.<what>``, or a folder of its own for a server."""
    if "://" in url:
        return Path.cwd() / f".mapapp-{what}" / "".join(c if c.isalnum() else "_" for c in url.rpartition("@")[2])
    return Path(f"{url}.{what}")


class View:
    """What one asker sees at one moment. Cheap to make; frames come from the county's cache."""

    def __init__(
        self, county: County, scope: Scope, snapshot: store.Snapshot | None, notices: list[Text], *, empty: bool = False
    ) -> None:
        self.county, self.scope, self.snapshot, self.notices = county, scope, snapshot, notices
        self._empty = empty
        self._versions: dict[str, str] = {}
        self._large: dict[str, bool] = {}

    @property
    def snapshot_id(self) -> int | None:
        """Id of the snapshot looked at; None for the live data."""
        return None if self.snapshot is None else self.snapshot.id

    @property
    def as_of(self) -> str:
        """The date all figures hold for, ISO 8601: the snapshot's, else that of the last change of the data."""
        if self.snapshot is not None:
            return str(self.snapshot.as_of)[:10]
        return self.county.changed_on

    @cached_property
    def _stored(self) -> frozenset[str]:
        """Names of the layers that hold rows at this moment; a view lives for one request, so once is enough."""
        return frozenset(self.county.db.layers(snapshot=self.snapshot_id))

    @cached_property
    def layers(self) -> list[str]:
        """Layers and tables that hold rows and that this asker may see, in the schema's order."""
        if self._empty:
            return []
        there = set(self._stored)
        if "ledger" in there:
            there.add("compounds")
        return [name for name in schema.layers() if name in there and scopes.access(self.scope, name) is not None]

    def access(self, layer: str) -> Access:
        """Return what is open of a layer.

        Raises
        ------
        NotFoundError
            With one and the same message whether the layer does not exist, holds nothing or is not for this asker.
        """
        if layer not in self.layers:
            raise NotFoundError(
                Text(f"没有图层“{layer}”。", f"There is no layer {layer!r}."),
                Text(f"可用的图层：{' '.join(self.layers)}。", f"Layers: {' '.join(self.layers)}."),
            )
        found = scopes.access(self.scope, layer)
        assert found is not None  # layers holds only those with access
        return found

    def version(self, layer: str) -> str:
        """Return a text that changes whenever what this asker sees of the layer may have changed."""
        if layer not in self._versions:
            names = _SOURCES if layer in ("compounds", "verdicts") else (layer,)
            if self.scope.share is not None:
                names = tuple(dict.fromkeys((*names, *_SOURCES, "pipes")))
            parts = [f"{n}:{self._stored_version(n)}" for n in names if n in self._stored]
            told = "|".join([layer, str(self.snapshot_id), repr(self._cut(layer)), *parts])
            self._versions[layer] = hashlib.sha256(told.encode()).hexdigest()[:20]
        return self._versions[layer]

    def _stored_version(self, layer: str) -> str:
        key = f"stored {layer}"
        if key not in self._versions:
            self._versions[key] = self.county.db.version(layer, snapshot=self.snapshot_id)
        return self._versions[key]

    def _cut(self, layer: str) -> Hashable:
        """Return what makes two askers see different things of a layer; personal columns aside, all users see the same."""
        share, allowed = self.scope.share, scopes.access(self.scope, layer)
        if share is None or allowed is None:
            return None
        columns = tuple(sorted(allowed.columns or ()))  # sets have no order of their own
        filters_ = tuple(sorted((k, tuple(v)) for k, v in share.filters.items()))
        return (columns, allowed.rounded, allowed.precision, allowed.rows, filters_, share.unit)

    def frame(self, layer: str) -> pd.DataFrame:
        """Return the layer as this asker sees it: GeoDataFrame in the county's CRS, or DataFrame.

        Raises
        ------
        NotFoundError
            See `access`.
        """
        allowed = self.access(layer)
        if self.large(layer):  # for building tiles alone; a million geometries are not kept
            return self._disclose(layer, allowed, geometry=True)
        key = ("shown", self.county.url, layer, self.version(layer), allowed.personal)
        return self.county.frames.get(key, lambda: self._disclose(layer, allowed, geometry=True))

    def table(self, layer: str) -> pd.DataFrame:
        """Return the same rows and columns as `frame`, without geometry where the layer is large."""
        allowed = self.access(layer)
        if not self.large(layer):
            return self.frame(layer)
        key = ("table", self.county.url, layer, self.version(layer), allowed.personal)
        return self.county.frames.get(key, lambda: self._disclose(layer, allowed, geometry=False))

    def large(self, layer: str) -> bool:
        """Whether a layer has so many rows that its geometry is read only where it is needed."""
        if layer not in self._large:
            allowed = self.access(layer)
            spatial = schema.layer(layer).spatial and layer != "compounds"
            exact = allowed.precision == "full" and allowed.rows in ("all", "own_pipes", "own_nodes")
            self._large[layer] = spatial and exact and self.county.db.count(layer, snapshot=self.snapshot_id) > _LARGE
        return self._large[layer]

    def shapes(self, rows: pd.DataFrame, layer: str) -> pd.DataFrame:
        """Return some rows of `table` with their geometry, as exactly as this asker sees it."""
        if isinstance(rows, gpd.GeoDataFrame) or not self.large(layer):
            return rows
        key, db = schema.layer(layer).key, self.county.db
        found = db.read(layer, ids=[str(i) for i in rows[key]], columns=[key], snapshot=self.snapshot_id)
        places = found.drop_duplicates(key).set_index(key).geometry
        return _placed(rows, places.reindex(rows[key]).to_numpy(), db.crs)

    def _disclose(self, layer: str, allowed: Access, *, geometry: bool) -> pd.DataFrame:
        frame = self._rows(layer, self._raw(layer, geometry=geometry), allowed)
        if layer in ("findings", "verdicts") and allowed.precision == "point":
            frame = self._at_compounds(frame, "feature_id" if layer == "findings" else "compound_id")
        elif isinstance(frame, gpd.GeoDataFrame) and allowed.precision != "full":
            frame = disclosure.show(frame, allowed.precision)
        frame = frame[scopes.columns_of(allowed, [str(c) for c in frame.columns])]
        if allowed.rounded:
            frame = disclosure.round_figures(frame)
        if not allowed.personal:
            texts = [c for c in frame.columns if c in scopes.FREE_TEXT or schema.layer(layer).column(c) is None]
            texts = [c for c in texts if c != "geometry" and c not in scopes.COMPOUND_EXTRA]
            frame = frame.assign(**disclosure.redact(pd.DataFrame(frame[texts])))
        out: pd.DataFrame = frame.reset_index(drop=True)
        return out

    def sums(self, rows: pd.DataFrame, columns: Sequence[str], *, exact: bool = True) -> dict[str, float | int]:
        """Return totals of some compounds of `frame`, by column; a sum of nothing known is left out, not zero.

        Where this asker sees rounded figures, the total of five or more compounds is the exact one, rounded once, so
        that it agrees with what the county publishes; below five it is the sum of the rounded figures, because the
        exact one would give them away. Without ``exact`` it always is: see `narrowing.published`.
        """
        there = [column for column in columns if column in rows.columns]
        figures = pd.DataFrame(rows[there])
        rounded = self.access("compounds").rounded
        if rounded and exact and len(rows) >= ENOUGH:
            uncut = self._raw("compounds")
            figures = pd.DataFrame(uncut.loc[uncut["compound_id"].isin(set(rows["compound_id"])), there])
        sums = figures.apply(pd.to_numeric, errors="coerce").astype("float64").sum(min_count=1).to_frame().T
        if rounded:
            sums = disclosure.round_figures(sums)
        found = {str(column): float(value) for column, value in sums.iloc[0].items() if not math.isnan(value)}
        return {column: int(v) if v.is_integer() else round(v, 2) for column, v in found.items()}

    def _raw(self, layer: str, *, geometry: bool = True) -> pd.DataFrame:
        """Return the layer uncut. Nothing outside this class may touch it."""
        db, at = self.county.db, self.snapshot_id
        if layer == "compounds":
            parts = [self._stored_version(n) for n in _SOURCES if n in self._stored]
            key = ("raw", self.county.url, layer, at, tuple(parts))
            return self.county.frames.get(key, lambda: compound_table.read(db, at))
        return db.read(layer, snapshot=at, geometry=geometry)

    def _kept(self, layer: str, frame: pd.DataFrame) -> filters.Mask:
        """Return the rows that the share's own filters on this layer keep."""
        share = self.scope.share
        wanted = {}
        for column, values in (share.filters if share else {}).items():
            owner, _, own = column.rpartition(".")
            if (owner or "compounds") == layer:
                wanted[ALIASES.get(own, own) if layer == "compounds" else own] = values
        try:  # every value is right here: one that no row holds any more passes none, and the others stay
            return filters.mask(frame, wanted, lists=words.LISTS, vocabulary=wanted)
        except InputError:  # the data moved on: the column is no longer there
            return np.zeros(len(frame), dtype=bool)

    def lost(self) -> dict[str, list[str]]:
        """Return the values of a share's own filters on compounds that no compound of the county holds any more.

        By column, for columns that this asker sees: what they do not see is not named to them.
        """
        share, out = self.scope.share, {}
        raw = self._raw("compounds") if share is not None and "compounds" in self.layers else None
        for name, values in (share.filters if share is not None and raw is not None else {}).items():
            owner, _, own = name.rpartition(".")
            own = ALIASES.get(own, own)
            if owner in ("", "compounds") and raw is not None and self.access("compounds").allows(own):
                there = set(filters.count(raw[own], is_list=own in words.LISTS)) if own in raw.columns else set()
                out[own] = [value for value in values if value not in there]
        return {column: values for column, values in out.items() if values}

    def _shared_ids(self) -> set[str]:
        """Return the compounds that the share's own filters keep."""
        compounds = self._raw("compounds")
        return set(compounds.loc[self._kept("compounds", compounds), "compound_id"])

    def _rows(self, layer: str, frame: pd.DataFrame, allowed: Access) -> pd.DataFrame:
        if self.scope.share is None:
            return frame
        if layer != "compounds":
            frame = frame[self._kept(layer, frame)]
        unit = self.scope.share.unit.strip()
        if allowed.rows == "own_pipes":
            return frame.loc[_names(frame, unit, "ownership", "operator")]
        if allowed.rows == "own_nodes":
            pipes = self._raw("pipes", geometry=False)
            own = pipes[_names(pipes, unit, "ownership", "operator")]
            return frame[frame["node_id"].isin(set(own["from_node"].dropna()) | set(own["to_node"].dropna()))]
        if allowed.rows == "all":
            return frame
        ids = self._shared_ids()
        if allowed.rows == "gaps":
            about = (frame["layer"] == "compounds") & frame["rule"].isin(_GAP_RULES) & frame["feature_id"].isin(ids)
            return frame[about]
        if "compound_ids" in frame.columns:
            return _of_compounds(frame, ids)
        kept = frame[frame["compound_id"].isin(ids)] if "compound_id" in frame.columns else frame.iloc[:0]
        if allowed.rows == "own_problems":
            return kept[_names(kept, unit, "lead_unit", "co_units", "utility_owner")]
        return kept

    def _at_compounds(self, frame: pd.DataFrame, column: str) -> pd.DataFrame:
        """Put each row on a point inside its compound: a finding's own place could give away the pipe beside it."""
        compounds = self._raw("compounds")
        if not isinstance(compounds, gpd.GeoDataFrame):
            return pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
        points = disclosure.as_points(compounds[["compound_id", "geometry"]]).set_index("compound_id").geometry
        points = points[~points.index.duplicated()]
        plain = pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
        return _placed(plain, points.reindex(plain[column]).to_numpy(), compounds.crs)


def _placed(rows: pd.DataFrame, geometry: Any, crs: Any) -> pd.DataFrame:
    placed: pd.DataFrame = gpd.GeoDataFrame(rows, geometry=geometry, crs=crs)
    return placed


def _of_compounds(frame: pd.DataFrame, ids: set[str]) -> pd.DataFrame:
    """Return the rows that name one of the compounds, each naming these alone."""
    items = frame["compound_ids"].astype("str").reset_index(drop=True).str.split(";").explode().str.strip()
    named = items[items.isin(ids)].groupby(level=0).agg(";".join)
    rows = named.index.to_numpy(dtype=np.intp)
    return frame.iloc[rows].assign(compound_ids=named.to_numpy())


def _names(frame: pd.DataFrame, unit: str, *columns: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return the rows that name the unit, alone or among several, in one of the columns; none for an empty unit."""
    hit = np.zeros(len(frame), dtype=bool)
    for column in columns:
        if unit and column in frame.columns:
            words = frame[column].astype("str").str.strip()
            hit |= (words == unit).to_numpy(dtype=bool, na_value=False)
            listed = words.str.split(r"[;；、,，]", regex=True).explode().astype("str").str.strip()
            hit |= frame.index.isin(listed.index[(listed == unit).to_numpy(dtype=bool, na_value=False)])
    return hit
