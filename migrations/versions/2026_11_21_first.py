"""The first tables: connections, runs, limits and people."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    api_keys()
    connections()
    cursors()
    limit_versions()
    people()
    runs()
    management_periods()


def downgrade() -> None:
    for table in (
        "management_periods",
        "runs",
        "people",
        "limit_versions",
        "cursors",
        "connections",
        "api_keys",
    ):
        op.drop_table(table)


def api_keys() -> None:
    op.create_table("api_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("name", name="uq_api_keys_name"),
        sa.UniqueConstraint("prefix", name="uq_api_keys_prefix")
    )


def connections() -> None:
    op.create_table("connections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("crm", sa.String(length=16), nullable=False),
        sa.Column("mode", sa.String(length=16), server_default="observe", nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("setup", sa.JSON(), nullable=True),
        sa.Column("account_crm_id", sa.String(length=64), nullable=True),
        sa.Column("account_name", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("home_currency", sa.String(length=8), nullable=True),
        sa.Column("fiscal_start_month", sa.Integer(), server_default="1", nullable=False),
        sa.Column("settle_minutes", sa.Integer(), server_default="60", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("first_synced_at", sa.BigInteger(), nullable=True),
        sa.Column("crm_seen_at", sa.BigInteger(), nullable=True),
        sa.Column("crm_seen_by_us_at", sa.BigInteger(), nullable=True),
        sa.Column("write_since_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
        sa.UniqueConstraint("name", name="uq_connections_name")
    )


def cursors() -> None:
    op.create_table("cursors",
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stream", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_cursors_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("connection_id", "stream", name="pk_cursors")
    )


def limit_versions() -> None:
    op.create_table("limit_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("difference", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_limit_versions_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_limit_versions")
    )
    op.create_index("ix_limit_versions_connection_id", "limit_versions", ["connection_id"], unique=False)


def people() -> None:
    op.create_table("people",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crm_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("role_name", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("is_integration", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_people_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("connection_id", "crm_id", name="uq_people_connection_id_crm_id"),
        sa.UniqueConstraint("connection_id", "id", name="uq_people_connection_id_id")
    )


def runs() -> None:
    op.create_table("runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_runs_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_runs")
    )
    op.create_index("ix_runs_connection_id", "runs", ["connection_id"], unique=False)


def management_periods() -> None:
    op.create_table("management_periods",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("manager_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id", "manager_id"], ["people.connection_id", "people.id"], name="fk_management_periods_connection_id_manager_id"),
        sa.ForeignKeyConstraint(["connection_id", "person_id"], ["people.connection_id", "people.id"], name="fk_management_periods_connection_id_person_id"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_management_periods_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_management_periods"),
        sa.UniqueConstraint("connection_id", "person_id", "valid_from", name="uq_management_periods_connection_id_person_id_valid_from")
    )
