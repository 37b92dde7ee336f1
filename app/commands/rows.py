"""Rows of the store as the commands print them in JSON."""

from typing import Any

from app.store.connections import ConnectionRow


def connection_as_json(row: ConnectionRow) -> dict[str, Any]:
    """A connection without its secret."""
    return {
        "name": row.name,
        "crm": row.crm,
        "mode": row.mode,
        "account": {"crm_id": row.account_crm_id, "name": row.account_name},
        "time_zone": row.time_zone,
        "home_currency": row.home_currency,
        "config": dict(row.config),
        "set_up": row.setup is not None,
        "created_at": row.created_at,
        "first_synced_at": row.first_synced_at,
        "write_since_at": row.write_since_at,
    }
