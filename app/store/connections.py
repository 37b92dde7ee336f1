"""Connections: the CRM accounts that Forestage serves, their cursors and confirmed set-up."""

import sqlalchemy as sa

from app.store.columns import METADATA, Instant, Key

CONNECTIONS = sa.Table(
    "connections",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("crm", sa.String(16), nullable=False),  # salesforce | hubspot | files
    sa.Column("mode", sa.String(16), nullable=False, server_default="observe"),  # observe | write
    sa.Column("config", sa.JSON, nullable=False),  # not secret: base_url, api_version, ...
    sa.Column("secret", sa.Text),  # Fernet token of a JSON object, null: none needed
    sa.Column("setup", sa.JSON),  # confirmed proposals (services/setup.py), null: none yet
    sa.Column("account_crm_id", sa.String(64)),
    sa.Column("account_name", sa.Text),
    sa.Column("time_zone", sa.String(64), nullable=False, server_default="UTC"),
    sa.Column("home_currency", sa.String(8)),
    sa.Column("fiscal_start_month", sa.Integer, nullable=False, server_default="1"),
    sa.Column("settle_minutes", sa.Integer, nullable=False, server_default="60"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("first_synced_at", Instant),  # CRM clock; null: never fully synced
    sa.Column("crm_seen_at", Instant),  # last Date header of the CRM ...
    sa.Column("crm_seen_by_us_at", Instant),  # ... and our clock when it came
    sa.Column("write_since_at", Instant),  # switch to write
)

CURSORS = sa.Table(
    "cursors",
    METADATA,
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("stream", sa.String(32), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
)
