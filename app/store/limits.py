"""Versions of the limits of a connection; a flag carries the version that made it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.store.columns import METADATA, Instant, Key

LIMIT_VERSIONS = sa.Table(
    "limit_versions",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id",
        Key,
        sa.ForeignKey("connections.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.String(128), nullable=False),
    sa.Column("limits", sa.JSON, nullable=False),  # the overrides; {} = the defaults
    sa.Column("difference", sa.JSON, nullable=False),
)


@dataclass(frozen=True, slots=True)
class LimitVersion:
    """The overrides in force; `id` 0: the defaults, nothing stored yet."""

    id: int
    overrides: Mapping[str, Any]


def current(conn: sa.Connection, connection_id: int) -> LimitVersion:
    """The newest version of a connection's limits."""
    row = conn.execute(
        sa.select(LIMIT_VERSIONS.c.id, LIMIT_VERSIONS.c.limits)
        .where(LIMIT_VERSIONS.c.connection_id == connection_id)
        .order_by(LIMIT_VERSIONS.c.id.desc())
        .limit(1)
    ).first()
    return LimitVersion(0, {}) if row is None else LimitVersion(row.id, row.limits)


def add(
    conn: sa.Connection,
    connection_id: int,
    overrides: Mapping[str, Any],
    *,
    by: str,
    at: datetime,
) -> LimitVersion:
    """Store a new version, whole; `difference` is worked out against the one before."""
    before = current(conn, connection_id).overrides
    difference = {
        name: {"old": before.get(name), "new": overrides.get(name)}
        for name in sorted({*before, *overrides})
        if before.get(name) != overrides.get(name)
    }
    version_id = conn.execute(
        sa.insert(LIMIT_VERSIONS)
        .values(
            connection_id=connection_id,
            at=at,
            by=by,
            limits=dict(overrides),
            difference=difference,
        )
        .returning(LIMIT_VERSIONS.c.id)
    ).scalar_one()
    return LimitVersion(version_id, dict(overrides))


def ensure(conn: sa.Connection, connection_id: int, *, at: datetime) -> LimitVersion:
    """The version in force; the defaults are stored as the first one where there is none."""
    version = current(conn, connection_id)
    return version if version.id else add(conn, connection_id, {}, by="defaults", at=at)
