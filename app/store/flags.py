"""Flags, their episodes and every step of their lifecycle; notices."""

import sqlalchemy as sa

from app.store.columns import METADATA, Instant, Key

FLAGS = sa.Table(
    "flags",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("key", sa.String(26), nullable=False),  # base32(sha256(identity))[:26]
    sa.Column("subject_kind", sa.String(8), nullable=False),  # deal | person | team
    sa.Column("subject_id", Key, nullable=False),
    sa.Column("rule", sa.String(64), nullable=False),
    sa.Column("rule_version", sa.Integer, nullable=False),
    sa.Column("rule_class", sa.String(16), nullable=False),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("actionability", sa.Float, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("held", sa.String(16)),  # null: not held; cap | deal | baseline | pilot | private
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("finding_at", Instant, nullable=False),  # newest event, or the state's start
    sa.Column("settles_at", Instant),  # written to the CRM from then on; null: settled
    sa.Column("closed_at", Instant),
    sa.Column("close_reason", sa.String(16)),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),  # [{kind, ref, at, old, new, by, source}]
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("limits_id", Key, sa.ForeignKey("limit_versions.id"), nullable=False),
    sa.Column("decided_at", Instant),  # acknowledged, snoozed or dismissed
    sa.Column("snoozed_until", Instant),
    sa.Column("reason", sa.Text),  # of the decision
    sa.Column("crm_id", sa.String(64)),  # their record, once written
    sa.Column("written", sa.String(64)),  # sha256 of the last write's payload, null: none
    sa.Column("stands", sa.String(64)),  # sha256 of that payload as the CRM stores it
    sa.UniqueConstraint("connection_id", "key"),
    sa.UniqueConstraint("connection_id", "subject_kind", "subject_id", "rule"),
    sa.Index("ix_flags_status", "connection_id", "status"),
)

FLAG_EPISODES = sa.Table(
    "flag_episodes",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "flag_id", Key, sa.ForeignKey("flags.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
    sa.Column("reason", sa.String(16)),
)

FLAG_EVENTS = sa.Table(
    "flag_events",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "flag_id", Key, sa.ForeignKey("flags.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.String(128), nullable=False),  # engine, or who decided
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("detail", sa.JSON),
)

CLEAN_UP_LINES = sa.Table(
    "clean_up_lines",
    METADATA,
    sa.Column("connection_id", Key, nullable=False, primary_key=True),
    sa.Column("deal_id", Key, nullable=False, primary_key=True),
    sa.Column("rule", sa.String(64), nullable=False, primary_key=True),
    sa.Column("rule_class", sa.String(16), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(
        ["connection_id", "deal_id"], ["deals.connection_id", "deals.id"], ondelete="CASCADE"
    ),
)
"""Findings that were old already at the first sync: they open no flag, the rep tidies them up."""

NOTICES = sa.Table(
    "notices",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("key", sa.String(128), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by_id", Key),
    sa.Column("deals", sa.Integer, nullable=False),
    sa.Column("deal_crm_ids", sa.JSON, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("first_seen_at", Instant, nullable=False),
    sa.UniqueConstraint("connection_id", "key"),
)
