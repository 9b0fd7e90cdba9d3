"""This module is the county database: a GeoPackage file by default, PostGIS by address, through the same code."""

from mapapp.store.changes import Changes
from mapapp.store.database import Database
from mapapp.store.history import Edit
from mapapp.store.jobs import Job
from mapapp.store.opening import create, open  # noqa: A004  # store.open is the contract's name
from mapapp.store.people import Share, User
from mapapp.store.snapshots import Snapshot

__all__ = ["Changes", "Database", "Edit", "Job", "Share", "Snapshot", "User", "create", "open"]
