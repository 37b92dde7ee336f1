"""Coaching tasks: agendas for managers and clean-up lists for reps."""

import sqlalchemy as sa

from app.store.columns import METADATA, Day, Instant, Key

COACHING_TASKS = sa.Table(
    "coaching_tasks",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("key", sa.String(26), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # agenda | deal | clean_up
    sa.Column("cycle", sa.String(16), nullable=False),  # 2026-W47
    sa.Column("rep_id", Key, nullable=False),
    sa.Column("owner_id", Key),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("due_on", Day, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),  # open | completed | deleted
    sa.Column("subject_ids", sa.JSON, nullable=False),  # flags; of a clean-up list: deals
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("crm_id", sa.String(64)),
    sa.Column("written", sa.String(64)),  # sha256 of the last write's payload, null: none
    sa.Column("stands", sa.String(64)),  # sha256 of that payload as the CRM stores it
    sa.UniqueConstraint("connection_id", "key"),
    sa.ForeignKeyConstraint(["connection_id", "rep_id"], ["people.connection_id", "people.id"]),
    sa.ForeignKeyConstraint(["connection_id", "owner_id"], ["people.connection_id", "people.id"]),
)
