"""What must be written to a CRM: one row a record, the newest state wins."""

import sqlalchemy as sa

from app.store.columns import METADATA, Instant, Key

OUTBOX = sa.Table(
    "outbox",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("kind", sa.String(8), nullable=False),  # flag | task
    sa.Column("key", sa.String(26), nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),  # a FlagWrite or TaskWrite
    sa.Column("state", sa.String(8), nullable=False),  # waiting | sending | parked
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("not_before", Instant),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),  # raised by every newer payload
    sa.Column("error", sa.Text),  # the CRM's own words
    sa.UniqueConstraint("connection_id", "kind", "key"),
)
