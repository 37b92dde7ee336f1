"""Flags, coaching tasks and what must be written to a CRM."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_flags"
down_revision = "2026_11_21_ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    notices()
    outbox()
    coaching_tasks()
    flags()
    flag_episodes()
    flag_events()
    clean_up_lines()


def downgrade() -> None:
    for table in (
        "clean_up_lines",
        "flag_events",
        "flag_episodes",
        "flags",
        "coaching_tasks",
        "outbox",
        "notices",
    ):
        op.drop_table(table)


def notices() -> None:
    op.create_table("notices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("deals", sa.Integer(), nullable=False),
        sa.Column("deal_crm_ids", sa.JSON(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_notices_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("connection_id", "key", name="uq_notices_connection_id_key")
    )


def outbox() -> None:
    op.create_table("outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=26), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_outbox_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("connection_id", "kind", "key", name="uq_outbox_connection_id_kind_key")
    )


def coaching_tasks() -> None:
    op.create_table("coaching_tasks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("cycle", sa.String(length=16), nullable=False),
        sa.Column("rep_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("subject_ids", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("crm_id", sa.String(length=64), nullable=True),
        sa.Column("written", sa.String(length=64), nullable=True),
        sa.Column("stands", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["connection_id", "owner_id"], ["people.connection_id", "people.id"], name="fk_coaching_tasks_connection_id_owner_id"),
        sa.ForeignKeyConstraint(["connection_id", "rep_id"], ["people.connection_id", "people.id"], name="fk_coaching_tasks_connection_id_rep_id"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_coaching_tasks_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_coaching_tasks"),
        sa.UniqueConstraint("connection_id", "key", name="uq_coaching_tasks_connection_id_key")
    )


def flags() -> None:
    op.create_table("flags",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=26), nullable=False),
        sa.Column("subject_kind", sa.String(length=8), nullable=False),
        sa.Column("subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("rule_class", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("actionability", sa.Float(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("held", sa.String(length=16), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("finding_at", sa.BigInteger(), nullable=False),
        sa.Column("settles_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("close_reason", sa.String(length=16), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("limits_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("snoozed_until", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("crm_id", sa.String(length=64), nullable=True),
        sa.Column("written", sa.String(length=64), nullable=True),
        sa.Column("stands", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_flags_connection_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["limits_id"], ["limit_versions.id"], name="fk_flags_limits_id"),
        sa.PrimaryKeyConstraint("id", name="pk_flags"),
        sa.UniqueConstraint("connection_id", "key", name="uq_flags_connection_id_key"),
        sa.UniqueConstraint("connection_id", "subject_kind", "subject_id", "rule", name="uq_flags_connection_id_subject_kind_subject_id_rule")
    )
    op.create_index("ix_flags_status", "flags", ["connection_id", "status"], unique=False)


def flag_episodes() -> None:
    op.create_table("flag_episodes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("flag_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["flag_id"], ["flags.id"], name="fk_flag_episodes_flag_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_flag_episodes")
    )
    op.create_index("ix_flag_episodes_flag_id", "flag_episodes", ["flag_id"], unique=False)


def flag_events() -> None:
    op.create_table("flag_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("flag_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["flag_id"], ["flags.id"], name="fk_flag_events_flag_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_flag_events")
    )
    op.create_index("ix_flag_events_flag_id", "flag_events", ["flag_id"], unique=False)


def clean_up_lines() -> None:
    op.create_table("clean_up_lines",
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("rule_class", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id", "deal_id"], ["deals.connection_id", "deals.id"], name="fk_clean_up_lines_connection_id_deal_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("connection_id", "deal_id", "rule", name="pk_clean_up_lines")
    )
