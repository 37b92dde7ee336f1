"""Connections: the CRM accounts that Forestage serves, their cursors and confirmed set-up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa

from app.errors import NotFound
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


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """One connection, as stored; `secret` is still sealed."""

    id: int
    name: str
    crm: str
    mode: str
    config: Mapping[str, Any]
    secret: str | None
    setup: Mapping[str, Any] | None
    account_crm_id: str | None
    account_name: str | None
    time_zone: str
    home_currency: str | None
    fiscal_start_month: int
    settle_minutes: int
    created_at: datetime
    first_synced_at: datetime | None
    crm_seen_at: datetime | None
    crm_seen_by_us_at: datetime | None
    write_since_at: datetime | None


def create(
    conn: sa.Connection,
    *,
    name: str,
    crm: str,
    config: Mapping[str, Any],
    secret: str | None,
    at: datetime,
) -> int:
    """Add a connection in `observe`; gives its id. `secret` is sealed by the caller."""
    values = {"name": name, "crm": crm, "config": dict(config), "secret": secret, "created_at": at}
    key = conn.execute(sa.insert(CONNECTIONS).values(values)).inserted_primary_key
    return int(key[0]) if key is not None else 0


def get(conn: sa.Connection, name: str) -> ConnectionRow:
    """The connection of that name; NotFound names the nearest one."""
    row = conn.execute(sa.select(CONNECTIONS).where(CONNECTIONS.c.name == name)).first()
    if row is not None:
        return ConnectionRow(*row)
    names = conn.scalars(sa.select(CONNECTIONS.c.name).order_by(CONNECTIONS.c.name)).all()
    near = get_close_matches(name, names, n=1) or names[:1]
    hint = f"did you mean {near[0]!r}?" if near else "there is none yet"
    raise NotFound(f"there is no connection {name!r}; {hint}")


def by_id(conn: sa.Connection, connection_id: int) -> ConnectionRow:
    """The connection with that id of ours."""
    row = conn.execute(sa.select(CONNECTIONS).where(CONNECTIONS.c.id == connection_id)).first()
    if row is None:
        raise NotFound(f"there is no connection with the id {connection_id}")
    return ConnectionRow(*row)


def list_all(conn: sa.Connection) -> list[ConnectionRow]:
    """All connections, by name."""
    rows = conn.execute(sa.select(CONNECTIONS).order_by(CONNECTIONS.c.name))
    return [ConnectionRow(*row) for row in rows]


def update(conn: sa.Connection, connection_id: int, **columns: Any) -> None:
    """Change the named columns."""
    conn.execute(sa.update(CONNECTIONS).where(CONNECTIONS.c.id == connection_id).values(**columns))


def locked_secret(conn: sa.Connection, connection_id: int) -> str | None:
    """The sealed secret; nobody else may have it until the transaction ends."""
    mine = sa.select(CONNECTIONS.c.secret).where(CONNECTIONS.c.id == connection_id)
    return conn.scalar(mine.with_for_update())


def as_of(row: ConnectionRow, now: datetime) -> datetime:
    """The CRM's present: its clock as last seen plus what has passed since, else `now`."""
    if row.crm_seen_at is None or row.crm_seen_by_us_at is None:
        return now
    return row.crm_seen_at + (now - row.crm_seen_by_us_at)


def cursor(conn: sa.Connection, connection_id: int, stream: str) -> str | None:
    """Where reading a stream stopped; None: at its beginning."""
    return conn.scalar(
        sa.select(CURSORS.c.value).where(
            CURSORS.c.connection_id == connection_id, CURSORS.c.stream == stream
        )
    )


def set_cursor(
    conn: sa.Connection, connection_id: int, stream: str, *, value: str, at: datetime
) -> None:
    """Store where reading a stream stopped; in the transaction of what was read."""
    mine = (CURSORS.c.connection_id == connection_id) & (CURSORS.c.stream == stream)
    done = conn.execute(sa.update(CURSORS).where(mine).values(value=value, updated_at=at))
    if not done.rowcount:
        row = {"connection_id": connection_id, "stream": stream, "value": value, "updated_at": at}
        conn.execute(sa.insert(CURSORS).values(row))


def forget_cursors(conn: sa.Connection, connection_id: int) -> None:
    """Let the next sync read everything again."""
    conn.execute(sa.delete(CURSORS).where(CURSORS.c.connection_id == connection_id))
