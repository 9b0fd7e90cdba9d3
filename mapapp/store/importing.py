"""This module compares tables with stored layers and applies what differs, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import sqlalchemy as sa

from mapapp.core import schema
from mapapp.core.errors import ConflictError, InputError
from mapapp.core.schema import Layer
from mapapp.core.text import Text
from mapapp.store import changes as comparing
from mapapp.store import history, layers, sources
from mapapp.store.changes import Changes, Mode
from mapapp.store.frames import Rows, rows_of
from mapapp.store.reading import Reader
from mapapp.store.session import Write
from mapapp.store.sources import Source
from mapapp.store.sql import python_values


class Importer(Reader):
    """What imports add to reading."""

    def compare(self, layer: str, frame: pd.DataFrame, mode: Mode) -> Changes:
        """Say what storing a table would do; nothing is written.

        Parameters
        ----------
        layer : str
            Not a derived one.
        frame : GeoDataFrame or DataFrame
            In `crs`, with the layer's key as a column, each id once. Untouched.
        mode : {"add", "update", "replace"}
            With "add" and "update" a missing value in ``frame`` says nothing; "add" refuses ids that are there with
            other content. With "replace" the frame is the whole layer.

        Raises
        ------
        InputError
            For another CRS, missing or repeated ids, or values that a column cannot hold.
        """
        declared = own_layer(layer)
        if mode not in comparing.MODES:
            raise ValueError(f"mode is one of {comparing.MODES}, not {mode!r}")
        incoming = rows_of(frame, declared, self.crs)
        with self._session.reading() as connection:
            return self._compare(connection, declared, incoming, mode)

    def _compare(self, connection: sa.Connection, layer: Layer, incoming: Rows, mode: Mode) -> Changes:
        version = layers.version(connection, layer.name)
        few = mode != "replace" and len(incoming) < 20_000
        ids = python_values(incoming.table.column(layer.key)) if few else None
        stored = layers.read(connection, self._session.dialect, layer, ids=ids)
        return comparing.compare(stored, incoming, layer, mode, version=version)

    def apply(
        self, changes: Changes, *, by: str, source: Source | None = None, trace: pd.DataFrame | None = None
    ) -> int:
        """Store what `compare` found, in one transaction with its history, and return the revision.

        Parameters
        ----------
        changes : Changes
        by : str
            Who imports.
        source : str or mapping, optional
            The file's name, or ``{"file": ..., "sha256": ...}``.
        trace : DataFrame, optional
            ``row`` (position in the compared frame, from 0), ``column``, ``file``, ``sheet``, ``cell``, ``raw``.

        Raises
        ------
        ConflictError
            When mode "add" met other content, or the layer changed since the comparison in a way that matters.
        """
        layer = own_layer(changes.layer)
        changes.check(layer)
        if changes.nothing:
            return self.revision
        assert changes.incoming is not None
        with self._session.writing(by, "import", layer.name) as write:
            if layers.version(write.connection, layer.name) != changes.version:
                again = self._compare(write.connection, layer, changes.incoming, changes.mode)
                again.check(layer)
                if not again.same_effect(changes):
                    raise ConflictError(
                        Text(
                            f"“{layer.title.zh}”在比较之后被别人改过。",
                            f"Somebody changed {layer.name} after the comparison.",
                        ),
                        Text("请重新比较再导入。", "Compare again, then import."),
                    )
                changes = again
            self._apply(write, layer, changes)
            sources.record(write, changes, layer.key, source, trace)
            return write.revision

    def _apply(self, write: Write, layer: Layer, changes: Changes, *, undoes: int | None = None) -> None:
        connection, dialect = write.connection, self._session.dialect
        assert changes.to_add is not None
        assert changes.to_change is not None
        # columns first: dropping and making triggers comes after every change of the table's shape
        add = layers.fit_columns(connection, dialect, layer, changes.to_add)
        change = (
            layers.fit_columns(connection, dialect, layer, changes.to_change) if changes.changed else changes.to_change
        )
        total = changes.added + changes.changed + changes.removed
        with dialect.bulk(connection, layer, total) as aside:
            if changes.removed:
                gone = layers.read(connection, dialect, layer, ids=changes.removed_ids)
                history.record(write, layer, "remove", before=gone, undoes=undoes)
                layers.delete(connection, dialect, layer, changes.removed_ids)
                if aside:
                    dialect.unindex(connection, layer)
            if changes.changed:
                history.record(write, layer, "change", before=changes.replaced, after=changes.to_change, undoes=undoes)
                layers.update(connection, dialect, layer, change, indexed=not aside)
            if changes.added:
                history.record(write, layer, "add", after=changes.to_add, undoes=undoes)
                layers.insert(connection, dialect, layer, add)
        self._describe(
            connection,
            layer,
            [add, change],
            shrunk=bool(changes.removed) or "geometry" in set(changes.differences["column"]),
        )

    def _describe(self, connection: sa.Connection, layer: Layer, written: Sequence[Rows], *, shrunk: bool) -> None:
        shapes = [r.geometry for r in written if r.geometry is not None and len(r)]
        both = np.concatenate(shapes) if shapes else None
        self._session.dialect.describe(connection, layer, layers.box_of(both), layers.types_of(both), shrunk=shrunk)


def own_layer(name: str) -> Layer:
    """Return a layer that people fill; InputError for a derived one."""
    layer = schema.layer(name)
    if layer.derived:
        raise InputError(
            Text(
                f"“{layer.title.zh}”由程序算出，不能导入或编辑。",
                f"{name} is derived; it cannot be imported or edited.",
            ),
            Text("请改它所依据的图层，再运行检查。", "Change the layers it rests on and run the audit again."),
        )
    return layer
