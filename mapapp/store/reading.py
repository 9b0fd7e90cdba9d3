"""This module reads the county database: layers, live or frozen, and what is known about them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import sqlalchemy as sa

from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.store import layers, snapshots, tables
from mapapp.store.frames import ARROW, Kind, Rows, frame_of
from mapapp.store.jobs import Jobs
from mapapp.store.people import Shares, Users
from mapapp.store.session import Session
from mapapp.store.sql import Box, table


class Reader:
    """What can be asked of an open county database."""

    def __init__(self, session: Session, url: str) -> None:
        self._session, self.url = session, url
        self.users, self.shares, self.jobs = Users(session), Shares(session), Jobs(session)
        self._crs: pyproj.CRS | None = None
        self._boxes: dict[str, tuple[str, Box | None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; a GeoPackage is one plain file again."""
        self._session.close()

    # ------------------------------------------------------------------------------------------------ about the county

    @property
    def name(self) -> str:
        """The county's name."""
        return str(self.setting("name"))

    @property
    def crs(self) -> pyproj.CRS:
        """The county's one metric CRS."""
        if self._crs is None:
            stored = self.setting("crs")
            code = self._session.dialect.srs_id
            # by code where there is one, so that it equals what others make from the same code
            known = code in (stored.get("id") or {}).values()
            self._crs = pyproj.CRS.from_epsg(code) if known else pyproj.CRS.from_json_dict(stored)
        return self._crs

    @property
    def revision(self) -> int:
        """The number of the last change to any layer; 0 for an empty database."""
        with self._session.reading() as connection:
            return layers.latest_revision(connection)

    @property
    def read_only(self) -> bool:
        """Whether every write is refused."""
        return self._session.read_only

    def setting(self, key: str, default: Any = None) -> Any:
        """Return a setting, ``default`` when it was never set."""
        with self._session.reading() as connection:
            found = connection.execute(sa.select(tables.settings.c.value).where(tables.settings.c.key == key)).scalar()
        return default if found is None else json.loads(found)

    def set_setting(self, key: str, value: Any) -> None:
        """Keep anything that JSON holds under a key.

        Raises
        ------
        InputError
            For the county's CRS, which never changes.
        """
        if key in ("crs", "srs_id", "schema"):
            raise InputError(Text("县库的坐标系不能更改。", "The county's CRS cannot be changed."))
        with self._session.writing("mapapp", "setting") as write:
            write.connection.execute(sa.delete(tables.settings).where(tables.settings.c.key == key))
            write.connection.execute(
                sa.insert(tables.settings).values(key=key, value=json.dumps(value, ensure_ascii=False))
            )

    def layers(self, *, snapshot: int | None = None) -> list[str]:
        """Return the names of layers and tables that hold rows, derived ones included, in the schema's order."""
        with self._session.reading() as connection:
            if snapshot is not None:
                return [n for n in schema.layers() if snapshots.frozen(connection, snapshot, n).rows]
            return [n for n, any_row in connection.execute(_any_row()).mappings().one().items() if any_row]

    def count(self, layer: str, *, snapshot: int | None = None) -> int:
        """Return how many rows a layer holds."""
        declared = schema.layer(layer)
        with self._session.reading() as connection:
            if snapshot is not None:
                return snapshots.frozen(connection, int(snapshot), declared.name).rows
            return layers.count(connection, declared.name)

    def version(self, layer: str, snapshot: int | None = None) -> str:
        """Return a word that changes exactly when the layer's content does; short, fit for addresses.

        Writes by other programs count, because triggers in the database notice them.
        """
        declared = schema.layer(layer)
        with self._session.reading() as connection:
            if snapshot is not None:
                return snapshots.frozen(connection, int(snapshot), declared.name).version
            return layers.version(connection, declared.name)

    def bounds(self, layer: str | None = None, *, snapshot: int | None = None) -> Box | None:
        """Return (xmin, ymin, xmax, ymax) of a layer or of all that is stored, in `crs`; None when there is nothing.

        A GeoPackage answers from its R-tree, whose 32-bit numbers round outwards (below 0.5 m at northings of 4,000 km).
        """
        names = [schema.layer(layer).name] if layer else [n for n, d in schema.layers().items() if d.spatial]
        boxes = [box for n in names if schema.layer(n).spatial and (box := self._box(n, snapshot)) is not None]
        if not boxes:
            return None
        low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
        return float(low[0]), float(low[1]), float(high[2]), float(high[3])

    def _box(self, layer: str, snapshot: int | None) -> Box | None:
        with self._session.reading() as connection:
            if snapshot is not None:
                return snapshots.frozen(connection, int(snapshot), layer).bounds
            version = layers.version(connection, layer)
            if self._boxes.get(layer, ("", None))[0] != version:
                self._boxes[layer] = version, self._session.dialect.bounds(connection, layer)
            return self._boxes[layer][1]

    def columns(self, layer: str, *, snapshot: int | None = None) -> dict[str, Kind]:
        """Return the stored columns with their kinds: the declared ones, and those that files brought along."""
        declared = schema.layer(layer)
        with self._session.reading() as connection:
            return self._columns(connection, declared, snapshot)

    def _columns(self, connection: sa.Connection, layer: Layer, snapshot: int | None) -> dict[str, Kind]:
        live = self._session.dialect.columns(connection, layer.name)
        if snapshot is None:
            return live
        return snapshots.columns_of(connection, snapshots.frozen(connection, int(snapshot), layer.name), live)

    def read(
        self,
        layer: str,
        *,
        snapshot: int | None = None,
        columns: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        bbox: Box | None = None,
        where: Mapping[str, Any] | None = None,
        geometry: bool = True,
    ) -> pd.DataFrame:
        """Return rows of a layer, in their order of arrival.

        Parameters
        ----------
        layer : str
        snapshot : int, optional
            Id of a snapshot; the live rows otherwise.
        columns : sequence of str, optional
            Only these (``row_version`` may be among them); all otherwise. A column that a snapshot does not know yet
            is missing throughout.
        ids : sequence of str, optional
            Only the rows with these ids; unknown ids give no row.
        bbox : (xmin, ymin, xmax, ymax), optional
            Only rows whose envelope meets the box, in `crs`. Ignored for tables without geometry.
        where : mapping, optional
            Column to a value or several; None among them means missing. Columns narrow each other.
        geometry : bool
            Whether a layer brings its geometry.

        Returns
        -------
        GeoDataFrame in `crs`, or DataFrame for a table without geometry; with a plain index, and all declared columns
        even when there is no row.

        Raises
        ------
        NotFoundError
            For an unknown layer or snapshot.
        InputError
            For an unknown column.
        """
        got = self.read_arrow(layer, columns, snapshot=snapshot, ids=ids, bbox=bbox, where=where, geometry=geometry)
        declared = schema.layer(layer)
        if not (declared.spatial and geometry):
            return frame_of(Rows(got), None)
        return frame_of(layers.rows_of_arrow(got, declared), self.crs)

    def read_arrow(
        self,
        layer: str,
        columns: Sequence[str] | None = None,
        *,
        snapshot: int | None = None,
        ids: Sequence[str] | None = None,
        bbox: Box | None = None,
        where: Mapping[str, Any] | None = None,
        geometry: bool = True,
    ) -> pa.Table:
        """Return what `read` returns as an Arrow table, geometry as WKB in a last column ``geometry``.

        This is the quick way for a million rows: no Python object per cell.
        """
        declared = schema.layer(layer)
        dialect = self._session.dialect
        with self._session.reading() as connection:
            if snapshot is not None:
                what = snapshots.frozen(connection, int(snapshot), declared.name)
                live = dialect.columns(connection, declared.name)
                there = snapshots.columns_of(connection, what, live)
                picked = layers.picked_columns(live | there, columns, declared)
                known = {n: k for n, k in picked.items() if n in there}
                got = snapshots.read(
                    connection,
                    what,
                    declared,
                    known,
                    geometry=geometry,
                    ids=ids,
                    bbox=bbox,
                    where={n: v for n, v in (where or {}).items() if layers.picked_columns(there, [n], declared)},
                )
                return _filled(got, picked)
            stored = dialect.columns(connection, declared.name)
            picked = layers.picked_columns(stored, columns, declared)
            conditions = layers.conditions(dialect, declared, stored, ids=ids, bbox=bbox, where=where)
            return layers.read_arrow(connection, dialect, declared, picked, geometry=geometry, where=conditions)

    def effective_compounds(self, snapshot: int | None = None) -> pd.DataFrame:
        """Return the compounds as the ledger has them: a ledger value that is not missing wins.

        Compounds stand first, in their order; ledger rows without a compound follow with missing geometry.
        """
        compounds = self.read("compounds", snapshot=snapshot)
        ledger = self.read("ledger", snapshot=snapshot)
        return overlay(compounds, ledger, "compound_id")

    @property
    def path(self) -> Path | None:
        """The GeoPackage's path; None for a server."""
        return getattr(self._session.dialect, "path", None)


@cache
def _any_row() -> sa.Select[*tuple[Any, ...]]:
    """Return the one question which layers hold rows: a map asks it with every tile."""
    return sa.select(*(sa.exists(sa.select(table(name).c.fid)).label(name) for name in schema.layers()))


def overlay(under: pd.DataFrame, over: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return ``under`` with the values of ``over`` that are not missing, row by row of the same key.

    Rows of ``over`` that ``under`` lacks follow at the end, with missing geometry.
    """
    at = pd.Index(over[key]).get_indexer(under[key])
    hit = at >= 0
    rest = over[~over[key].isin(under[key])]
    columns: dict[str, pd.Series[Any]] = {}
    names = [c for c in dict.fromkeys((*under.columns, *over.columns)) if c != "geometry"]
    for name in names:
        base = under[name] if name in under else pd.Series(pd.NA, index=under.index, dtype=over[name].dtype)
        if name in over and name != key:
            theirs = over[name].take(np.where(hit, at, 0)).reset_index(drop=True) if len(over) else base
            base = base.reset_index(drop=True).where(~(hit & theirs.notna().to_numpy()), theirs) if len(over) else base
        tail = rest[name] if name in rest else pd.Series(pd.NA, index=rest.index, dtype=base.dtype)
        columns[name] = (
            pd.concat([base, tail], ignore_index=True).astype(base.dtype) if len(rest) else base.reset_index(drop=True)
        )
    frame = pd.DataFrame(columns)
    if not isinstance(under, gpd.GeoDataFrame):
        return frame
    shapes = np.concatenate([under.geometry.to_numpy(), np.full(len(rest), None, dtype=object)])
    out: pd.DataFrame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, index=frame.index, crs=under.crs))
    return out


def _filled(got: pa.Table, picked: Mapping[str, Kind]) -> pa.Table:
    """Add columns that a snapshot does not know, in their place."""
    columns = {
        n: got.column(n) if n in got.column_names else pa.chunked_array([pa.nulls(got.num_rows, ARROW[k])])
        for n, k in picked.items()
    }
    if "geometry" in got.column_names:
        columns["geometry"] = got.column("geometry")
    return pa.table(columns)
