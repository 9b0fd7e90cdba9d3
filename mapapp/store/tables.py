"""This module declares the store's own tables: revisions, history, sources, snapshots, decisions, people and jobs.

They carry the prefix ``mapapp_`` and are not registered as GeoPackage contents, so that a desktop program shows the
planner's layers alone.
"""

from __future__ import annotations

import sqlalchemy as sa

META = sa.MetaData()

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # sqlite counts up INTEGER primary keys only


def _id(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, _BIG, primary_key=True, autoincrement=True)


migrations = sa.Table(
    "mapapp_migrations",
    META,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

settings = sa.Table(
    "mapapp_settings",
    META,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),  # JSON
)

layers = sa.Table(
    "mapapp_layers",
    META,
    sa.Column("layer", sa.Text, primary_key=True),
    sa.Column("counter", _BIG, nullable=False),
    sa.Column("token", sa.Text, nullable=False),  # so that two copies of a file that went different ways differ
    sa.Column("content", sa.Text),  # "version sha256" of a derived table as it was last written
)

revisions = sa.Table(
    "mapapp_revisions",
    META,
    _id("revision"),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("layer", sa.Text),
    sqlite_autoincrement=True,
)

history = sa.Table(
    "mapapp_history",
    META,
    _id("edit_id"),
    sa.Column("revision", _BIG, nullable=False, index=True),
    sa.Column("layer", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # add, change, remove
    sa.Column("feature_id", sa.Text),  # missing: a block of many rows
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("row_version", sa.Integer),  # after the edit
    sa.Column("undoes", _BIG),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index("mapapp_history_feature", "layer", "feature_id"),
    sqlite_autoincrement=True,
)

sources = sa.Table(
    "mapapp_sources",
    META,
    _id("source_id"),
    sa.Column("revision", _BIG, nullable=False, index=True),
    sa.Column("layer", sa.Text, nullable=False, index=True),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text),
    sa.Column("trace", sa.LargeBinary),
    sqlite_autoincrement=True,
)

decisions = sa.Table(
    "mapapp_decisions",
    META,
    sa.Column("finding_id", sa.Text, primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at", sa.Text, nullable=False),
)

blocks = sa.Table(
    "mapapp_blocks",
    META,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

snapshots = sa.Table(
    "mapapp_snapshots",
    META,
    _id(),
    sa.Column("as_of", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("title", sa.Text),
    sa.Column("revision", _BIG, nullable=False),
    sqlite_autoincrement=True,
)

snapshot_layers = sa.Table(
    "mapapp_snapshot_layers",
    META,
    sa.Column("snapshot_id", _BIG, primary_key=True, autoincrement=False),
    sa.Column("layer", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),  # of the live layer when it was frozen
    sa.Column("content", sa.Text, nullable=False),  # sha256 over the blocks
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("blocks", sa.Text, nullable=False),  # JSON list of sha256
    sa.Column("bounds", sa.Text),  # JSON
)

users = sa.Table(
    "mapapp_users",
    META,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("unit", sa.Text),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("disabled", sa.Boolean(create_constraint=False), nullable=False),
)

shares = sa.Table(
    "mapapp_shares",
    META,
    _id(),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("spec", sa.Text, nullable=False),  # JSON
    sa.Column("title", sa.Text),
    sa.Column("recipient", sa.Text),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text),
    sa.Column("passcode_hash", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("views", sa.Integer, nullable=False),
    sa.Column("last_viewed_at", sa.Text),
    sa.Column("revoked_at", sa.Text),
    sqlite_autoincrement=True,
)

jobs = sa.Table(
    "mapapp_jobs",
    META,
    _id(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("message", sa.Text),  # JSON {"zh", "en"}
    sa.Column("result", sa.Text),  # JSON
    sa.Column("cancel", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("updated_at", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

FIRST = (migrations, settings, layers, revisions, history, sources, decisions, blocks, snapshots, snapshot_layers)
"""Tables of the first version."""

PEOPLE = (users, shares, jobs)
"""Tables that the second version added."""
