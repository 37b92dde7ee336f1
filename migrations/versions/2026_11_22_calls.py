"""Calls to the CRM by the hour."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_22_calls"
down_revision = "2026_11_21_flags"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("crm_calls",
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_crm_calls_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("connection_id", "hour", name="pk_crm_calls")
    )


def downgrade() -> None:
    op.drop_table("crm_calls")
