"""Runs: each sync, scoring, write-back or import, with its progress and result."""

import sqlalchemy as sa

from app.store.columns import METADATA, Instant, Key

RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id",
        Key,
        sa.ForeignKey("connections.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("kind", sa.String(16), nullable=False),  # sync | score | write_back | import
    sa.Column("status", sa.String(16), nullable=False),  # queued | running | done | failed
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("queued_at", Instant, nullable=False),
    sa.Column("started_at", Instant),
    sa.Column("finished_at", Instant),
    sa.Column("progress", sa.JSON),
    sa.Column("result", sa.JSON),
    sa.Column("error", sa.Text),
)
