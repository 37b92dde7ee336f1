"""People and who manages whom, since when."""

import sqlalchemy as sa

from app.store.columns import METADATA, Instant, Key

PEOPLE = sa.Table(
    "people",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("crm_id", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("role_name", sa.Text),
    sa.Column("time_zone", sa.String(64)),
    sa.Column("is_integration", sa.Boolean, nullable=False),
    sa.UniqueConstraint("connection_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
)

MANAGEMENT_PERIODS = sa.Table(
    "management_periods",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("person_id", Key, nullable=False),
    sa.Column("manager_id", Key, nullable=False),
    sa.Column("basis", sa.String(16), nullable=False),  # assumed | observed
    sa.Column("valid_from", Instant, nullable=False),
    sa.Column("valid_to", Instant),
    sa.UniqueConstraint("connection_id", "person_id", "valid_from"),
    sa.ForeignKeyConstraint(["connection_id", "person_id"], ["people.connection_id", "people.id"]),
    sa.ForeignKeyConstraint(["connection_id", "manager_id"], ["people.connection_id", "people.id"]),
)
