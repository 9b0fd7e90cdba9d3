"""This module writes and reads the GeoPackage format: geometry blobs, metadata tables, the R-tree and its triggers.

Source: OGC 12-128r19, GeoPackage Encoding Standard 1.3 and 1.4, clauses 1.1.1 (identification), 2.1.3 (blob format),
annex F.3 (R-tree spatial index; the trigger names are the standard's).
"""

# ruff: noqa: S608  # every identifier is quoted or our own; every value is bound

from __future__ import annotations

import sqlite3
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

APPLICATION_ID = 0x47504B47  # "GPKG"
USER_VERSION = 10300

_EMPTY, _ENVELOPE_XY, _LITTLE = 0x10, 0x02, 0x01
_ENVELOPE_BYTES = (0, 32, 48, 48, 64, 0, 0, 0)

Blobs = npt.NDArray[np.object_]


def encode(geometry: npt.NDArray[np.object_], srs_id: int) -> Blobs:
    """Return GeoPackage blobs of plane geometry; missing geometry is None.

    Lines and polygons carry their envelope, so that readers need not decode them to filter; points and empty geometry
    carry none (the standard recommends so).

    Parameters
    ----------
    geometry : array of shapely geometry or None
    srs_id : int
        Of ``gpkg_spatial_ref_sys``.
    """
    n = len(geometry)
    out = np.full(n, None, dtype=object)
    there = np.flatnonzero(~shapely.is_missing(geometry))
    if not len(there):
        return out
    some = geometry[there]
    empty = shapely.is_empty(some)
    bare = empty | (shapely.get_type_id(some) == 0)
    box = shapely.bounds(some)[:, [0, 2, 1, 3]]
    head = np.empty(
        len(some), dtype=[("magic", "S2"), ("version", "u1"), ("flags", "u1"), ("srs", "<i4"), ("box", "<f8", 4)]
    )
    head["magic"], head["version"], head["srs"], head["box"] = b"GP", 0, srs_id, box
    head["flags"] = _LITTLE | np.where(bare, 0, _ENVELOPE_XY) | np.where(empty, _EMPTY, 0)
    raw = head.tobytes()
    bodies = shapely.to_wkb(some, output_dimension=2, byte_order=1, flavor="iso")
    ends = np.where(bare, 8, 40).tolist()
    step = head.dtype.itemsize
    out[there] = _objects(
        [raw[i * step : i * step + end] + body for i, (end, body) in enumerate(zip(ends, bodies, strict=True))]
    )
    return out


def _objects(items: list[bytes]) -> Blobs:
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


def wkb(blob: bytes | None) -> bytes | None:
    """Return the WKB inside one blob; None for None."""
    return None if blob is None else blob[8 + _ENVELOPE_BYTES[(blob[3] >> 1) & 7] :]


def envelope(blob: bytes | None) -> tuple[float, float, float, float] | None:
    """Return (xmin, xmax, ymin, ymax) of a blob; None when missing or empty."""
    if not blob or blob[3] & _EMPTY:
        return None
    if (blob[3] >> 1) & 7:
        return struct.unpack_from("<4d" if blob[3] & _LITTLE else ">4d", blob, 8)
    geometry = shapely.from_wkb(wkb(blob))
    if geometry is None or geometry.is_empty:
        return None
    xmin, ymin, xmax, ymax = geometry.bounds
    return xmin, xmax, ymin, ymax


def register_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that the standard's R-tree triggers call."""

    def edge(i: int) -> Any:
        def value(blob: bytes | None) -> float | None:
            box = envelope(blob)
            return None if box is None else box[i]

        return value

    for i, name in enumerate(("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY")):
        connection.create_function(name, 1, edge(i), deterministic=True)
    connection.create_function("ST_IsEmpty", 1, lambda blob: int(envelope(blob) is None), deterministic=True)


def metadata_sql() -> list[str]:
    """Return the statements that make an empty GeoPackage."""
    return [
        f"PRAGMA application_id = {APPLICATION_ID}",
        f"PRAGMA user_version = {USER_VERSION}",
        """CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY,
           organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL,
           description TEXT)""",
        """CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL,
           identifier TEXT UNIQUE, description TEXT DEFAULT '',
           last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
           min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
           CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id))""",
        """CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
           geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
           CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
           CONSTRAINT uk_gc_table_name UNIQUE (table_name),
           CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
           CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id))""",
        """CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,
           definition TEXT NOT NULL, scope TEXT NOT NULL,
           CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))""",
    ]


REFERENCE_SYSTEMS: tuple[tuple[str, int, str, int, str, str], ...] = (
    ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined", "undefined Cartesian coordinate reference system"),
    ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinate reference system"),
    (
        "WGS 84 geodetic",
        4326,
        "EPSG",
        4326,
        'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
        'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,'
        'AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]',
        "longitude/latitude coordinates in decimal degrees on the WGS 84 spheroid",
    ),
)
"""The three rows that every GeoPackage must hold (table 3 of the standard)."""

RTREE_EXTENSION = ("gpkg_rtree_index", "http://www.geopackage.org/spec120/#extension_rtree", "write-only")


def rtree_triggers(table: str) -> dict[str, str]:
    """Return the triggers of 1.3 (annex F.3), by name, that keep ``rtree_<table>_geom`` current.

    The six that `USER_VERSION` asks for. Those of 1.4 differ for upserts alone, which nothing here uses.
    """
    tree = f'"rtree_{table}_geom"'
    new = "NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom)"
    gone = "(NEW.geom ISNULL OR ST_IsEmpty(NEW.geom))"
    box = "ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)"
    put = f"INSERT OR REPLACE INTO {tree} VALUES (NEW.fid, {box})"
    bodies = {
        "insert": f'AFTER INSERT ON "{table}" WHEN ({new}) BEGIN {put}; END',
        "update1": f'AFTER UPDATE OF geom ON "{table}" WHEN OLD.fid = NEW.fid AND ({new}) BEGIN {put}; END',
        "update2": f'AFTER UPDATE OF geom ON "{table}" WHEN OLD.fid = NEW.fid AND {gone} '
        f"BEGIN DELETE FROM {tree} WHERE id = OLD.fid; END",
        "update3": f'AFTER UPDATE ON "{table}" WHEN OLD.fid != NEW.fid AND ({new}) '
        f"BEGIN DELETE FROM {tree} WHERE id = OLD.fid; {put}; END",
        "update4": f'AFTER UPDATE ON "{table}" WHEN OLD.fid != NEW.fid AND {gone} '
        f"BEGIN DELETE FROM {tree} WHERE id IN (OLD.fid, NEW.fid); END",
        "delete": f'AFTER DELETE ON "{table}" WHEN OLD.geom NOTNULL BEGIN DELETE FROM {tree} WHERE id = OLD.fid; END',
    }
    return {
        f"rtree_{table}_geom_{name}": f'CREATE TRIGGER "rtree_{table}_geom_{name}" {body}'
        for name, body in bodies.items()
    }
