"""Versions of the limits of a connection; a flag carries the version that made it."""

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
