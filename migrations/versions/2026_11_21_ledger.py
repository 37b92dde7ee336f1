"""The ledger, split by field."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_ledger"
down_revision = "2026_11_21_deals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    amount_changes()
    close_date_changes()
    forecast_changes()
    next_step_changes()
    owner_changes()
    pipeline_changes()
    stage_changes()


def downgrade() -> None:
    for table in (
        "stage_changes",
        "pipeline_changes",
        "owner_changes",
        "next_step_changes",
        "forecast_changes",
        "close_date_changes",
        "amount_changes",
    ):
        op.drop_table(table)


def amount_changes() -> None:
    op.create_table("amount_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.BigInteger(), nullable=True),
        sa.Column("new", sa.BigInteger(), nullable=True),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("source_ref", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["connection_id", "deal_id"], ["deals.connection_id", "deals.id"], name="fk_amount_changes_connection_id_deal_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_amount_changes"),
        sa.UniqueConstraint("connection_id", "deal_id", "at", "source_ref", name="uq_amount_changes_connection_id_deal_id_at_source_ref")
    )


def close_date_changes() -> None:
    op.create_table("close_date_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.Integer(), nullable=True),
        sa.Column("new", sa.Integer(), nullable=True),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("source_ref", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["connection_id", "deal_id"], ["deals.connection_id", "deals.id"], name="fk_close_date_changes_connection_id_deal_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_close_date_changes"),
        sa.UniqueConstraint("connection_id", "deal_id", "at", "source_ref", name="uq_close_date_changes_connection_id_deal_id_at_source_ref")
    )


def forecast_changes() -> None:
    op.create_table("forecast_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.SmallInteger(), nullable=True),
        sa.Column("new", sa.SmallInteger(), nullable=True),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("source_ref", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["connection_id", "deal_id"], ["deals.connection_id", "deals.id"], name="fk_forecast_changes_connection_id_deal_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_forecast_changes"),
        sa.UniqueConstraint("connection_id", "deal_id", "at", "source_ref", name="uq_forecast_changes_connection_id_deal_id_at_source_ref")
    )


def next_step_changes() -> None:
    op.create_table("next_step_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("source_ref", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["connection_id", "deal_id"], ["deals.connection_id", "deals.id"], name="fk_next_step_changes_connection_id_deal_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_next_step_changes"),
        sa.UniqueConstraint("connection_id", "deal_id", "at", "source_ref", name="uq_next_step_changes_connection_id_deal_id_at_source_ref")
    )


def owner_changes() -> None:
    op.create_table("owner_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("new", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("source_ref", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["connection_id", "deal_id"], ["deals.connection_id", "deals.id"], name="fk_owner_changes_connection_id_deal_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_owner_changes"),
        sa.UniqueConstraint("connection_id", "deal_id", "at", "source_ref", name="uq_owner_changes_connection_id_deal_id_at_source_ref")
    )


def pipeline_changes() -> None:
    op.create_table("pipeline_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("new", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("source_ref", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["connection_id", "deal_id"], ["deals.connection_id", "deals.id"], name="fk_pipeline_changes_connection_id_deal_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_pipeline_changes"),
        sa.UniqueConstraint("connection_id", "deal_id", "at", "source_ref", name="uq_pipeline_changes_connection_id_deal_id_at_source_ref")
    )


def stage_changes() -> None:
    op.create_table("stage_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("new", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("source_ref", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["connection_id", "deal_id"], ["deals.connection_id", "deals.id"], name="fk_stage_changes_connection_id_deal_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_stage_changes"),
        sa.UniqueConstraint("connection_id", "deal_id", "at", "source_ref", name="uq_stage_changes_connection_id_deal_id_at_source_ref")
    )
