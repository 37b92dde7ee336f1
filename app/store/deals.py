"""Deals, their companies, pipelines and stages: what the CRM says now."""

import sqlalchemy as sa

from app.store.columns import METADATA, Day, Instant, Key


def _of_connection() -> sa.Column[int]:
    return sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    )


COMPANIES = sa.Table(
    "companies",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    _of_connection(),
    sa.Column("crm_id", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.UniqueConstraint("connection_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
)

PIPELINES = sa.Table(
    "pipelines",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    _of_connection(),
    sa.Column("crm_id", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("expected_entry", sa.Integer),  # position; null: proposed from history
    sa.UniqueConstraint("connection_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
)

STAGES = sa.Table(
    "stages",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    _of_connection(),
    sa.Column("pipeline_id", Key, nullable=False),
    sa.Column("crm_id", sa.String(255), nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("sort_order", sa.Integer),  # null: a stage that only history names
    sa.Column("is_closed", sa.Boolean, nullable=False),
    sa.Column("is_won", sa.Boolean, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("probability", sa.Float),
    sa.Column("forecast", sa.SmallInteger),
    sa.UniqueConstraint("connection_id", "pipeline_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
    sa.ForeignKeyConstraint(
        ["connection_id", "pipeline_id"], ["pipelines.connection_id", "pipelines.id"]
    ),
)

STAGE_PERIODS = sa.Table(
    "stage_periods",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    _of_connection(),
    sa.Column("stage_id", Key, nullable=False),
    sa.Column("position", sa.Integer),  # null: closed, parking or unknown
    sa.Column("role", sa.SmallInteger),  # rules.tables.ROLES, null: unknown
    sa.Column("basis", sa.String(16), nullable=False),  # assumed | proposed | confirmed
    sa.Column("valid_from", Instant, nullable=False),
    sa.Column("valid_to", Instant),
    sa.UniqueConstraint("connection_id", "stage_id", "valid_from"),
    sa.ForeignKeyConstraint(["connection_id", "stage_id"], ["stages.connection_id", "stages.id"]),
)

DEALS = sa.Table(
    "deals",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    _of_connection(),
    sa.Column("crm_id", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("pipeline_id", Key, nullable=False),
    sa.Column("stage_id", Key, nullable=False),
    sa.Column("company_id", Key),
    sa.Column("owner_id", Key),
    sa.Column("created_by_id", Key),
    sa.Column("modified_by_id", Key),
    sa.Column("amount", sa.BigInteger),  # 1/10,000 of the unit
    sa.Column("currency", sa.String(8)),
    sa.Column("close_on", Day),
    sa.Column("deal_type", sa.String(255)),
    sa.Column("lead_source", sa.String(255)),
    sa.Column("segment", sa.SmallInteger),  # rules.tables.SEGMENTS, null: new
    sa.Column("next_step", sa.Text),
    sa.Column("forecast", sa.SmallInteger),
    sa.Column("is_closed", sa.Boolean, nullable=False),
    sa.Column("is_won", sa.Boolean, nullable=False),
    sa.Column("is_private", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("modified_at", Instant, nullable=False),
    sa.Column("deleted_at", Instant),
    sa.Column("first_seen_at", Instant, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("scored_generation", sa.BigInteger, nullable=False, server_default="0"),
    # Up to here its ledgers agree with the row; 0: never looked at.
    sa.Column("reconciled_generation", sa.BigInteger, nullable=False, server_default="0"),
    sa.UniqueConstraint("connection_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
    sa.ForeignKeyConstraint(
        ["connection_id", "pipeline_id"], ["pipelines.connection_id", "pipelines.id"]
    ),
    sa.ForeignKeyConstraint(["connection_id", "stage_id"], ["stages.connection_id", "stages.id"]),
    sa.ForeignKeyConstraint(
        ["connection_id", "company_id"], ["companies.connection_id", "companies.id"]
    ),
    sa.ForeignKeyConstraint(["connection_id", "owner_id"], ["people.connection_id", "people.id"]),
    sa.ForeignKeyConstraint(
        ["connection_id", "created_by_id"], ["people.connection_id", "people.id"]
    ),
    sa.ForeignKeyConstraint(
        ["connection_id", "modified_by_id"], ["people.connection_id", "people.id"]
    ),
)
