"""Activities (headers only) and contact roles."""

import sqlalchemy as sa

from app.store.columns import METADATA, Instant, Key

ACTIVITIES = sa.Table(
    "activities",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("crm_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("deal_crm_id", sa.String(64)),  # theirs: the deal may be new to us
    sa.Column("company_crm_id", sa.String(64)),
    sa.Column("owner_id", Key),
    sa.Column("at", Instant, nullable=False),
    sa.Column("logged_at", Instant, nullable=False),
    sa.Column("direction", sa.SmallInteger, nullable=False),
    sa.Column("is_held", sa.Boolean),
    sa.Column("is_two_way", sa.Boolean),
    sa.Column("minutes", sa.Integer),
    sa.Column("key", sa.String(64)),  # ours: such a row feeds no rule
    sa.Column("deleted_at", Instant),
    sa.UniqueConstraint("connection_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
    sa.Index("ix_activities_deal", "connection_id", "deal_crm_id"),
    sa.ForeignKeyConstraint(["connection_id", "owner_id"], ["people.connection_id", "people.id"]),
)

CONTACTS = sa.Table(
    "contacts",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("crm_id", sa.String(64), nullable=False),
    sa.Column("title", sa.Text),
    sa.UniqueConstraint("connection_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
)

ACTIVITY_CONTACTS = sa.Table(
    "activity_contacts",
    METADATA,
    sa.Column("connection_id", Key, nullable=False, primary_key=True),
    sa.Column("activity_id", Key, nullable=False, primary_key=True),
    sa.Column("contact_id", Key, nullable=False, primary_key=True),
    sa.ForeignKeyConstraint(
        ["connection_id", "activity_id"],
        ["activities.connection_id", "activities.id"],
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["connection_id", "contact_id"], ["contacts.connection_id", "contacts.id"]
    ),
)

CONTACT_ROLES = sa.Table(
    "contact_roles",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("crm_id", sa.String(64), nullable=False),
    sa.Column("deal_crm_id", sa.String(64), nullable=False),
    sa.Column("contact_id", Key, nullable=False),
    sa.Column("role", sa.String(255)),
    sa.Column("is_primary", sa.Boolean, nullable=False),
    sa.Column("valid_from", Instant, nullable=False),
    sa.Column("valid_to", Instant),
    sa.UniqueConstraint("connection_id", "crm_id", "valid_from"),
    sa.Index("ix_contact_roles_contact", "connection_id", "contact_id"),
    sa.ForeignKeyConstraint(
        ["connection_id", "contact_id"], ["contacts.connection_id", "contacts.id"]
    ),
)
