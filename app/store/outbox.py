"""What must be written to a CRM: one row a record, the newest state wins.

A row goes waiting -> sending (committed before the call) -> gone. A payload that comes
while a row is sent raises `version`, so that the older call does not take it away.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from app.store.columns import METADATA, Instant, Key

OUTBOX = sa.Table(
    "outbox",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("kind", sa.String(8), nullable=False),  # flag | task
    sa.Column("key", sa.String(26), nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),  # a FlagWrite or TaskWrite
    sa.Column("state", sa.String(8), nullable=False),  # waiting | sending | parked
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("not_before", Instant),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),  # raised by every newer payload
    sa.Column("error", sa.Text),  # the CRM's own words
    sa.UniqueConstraint("connection_id", "kind", "key"),
)

Kind = Literal["flag", "task"]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One record that waits to be written, is being written, or was refused."""

    id: int
    kind: Kind
    key: str
    payload: Mapping[str, Any]
    state: str
    not_before: datetime | None
    attempts: int
    version: int
    error: str | None


_ROW = [OUTBOX.c[name] for name in OutboxRow.__slots__]


def rows(
    conn: sa.Connection,
    connection_id: int,
    *,
    kind: Kind | None = None,
    state: str | None = None,
    keys: Collection[str] | None = None,
) -> list[OutboxRow]:
    """The rows of a connection, flags first, in the order of writing."""
    query = sa.select(*_ROW).where(OUTBOX.c.connection_id == connection_id)
    if kind is not None:
        query = query.where(OUTBOX.c.kind == kind)
    if state is not None:
        query = query.where(OUTBOX.c.state == state)
    if keys is not None:
        query = query.where(OUTBOX.c.key.in_(keys))
    query = query.order_by(OUTBOX.c.kind, OUTBOX.c.priority.desc(), OUTBOX.c.id)
    return [OutboxRow(*row) for row in conn.execute(query)]


def put(
    conn: sa.Connection,
    connection_id: int,
    *,
    kind: Kind,
    key: str,
    payload: Mapping[str, Any],
    priority: int,
    at: datetime,
    not_before: datetime | None = None,
) -> None:
    """Let `payload` be what is written next for this record; nothing changes if it is already.

    A parked row gets a new try, as what it says has changed.
    """
    stored = next(iter(rows(conn, connection_id, kind=kind, keys=[key])), None)
    if stored is None:
        conn.execute(
            sa.insert(OUTBOX).values(
                connection_id=connection_id,
                kind=kind,
                key=key,
                payload=dict(payload),
                state="waiting",
                priority=priority,
                created_at=at,
                not_before=not_before,
                attempts=0,
                version=1,
            )
        )
    elif stored.payload != payload:
        conn.execute(
            sa.update(OUTBOX)
            .where(OUTBOX.c.id == stored.id)
            .values(
                payload=dict(payload),
                state="sending" if stored.state == "sending" else "waiting",
                priority=priority,
                not_before=not_before,
                attempts=0,
                version=OUTBOX.c.version + 1,
            )
        )


def withdraw(conn: sa.Connection, connection_id: int, kind: Kind, key: str) -> None:
    """The record needs no write any more. A row being sent stays: its call may be through."""
    conn.execute(
        sa.delete(OUTBOX).where(
            OUTBOX.c.connection_id == connection_id,
            OUTBOX.c.kind == kind,
            OUTBOX.c.key == key,
            OUTBOX.c.state != "sending",
        )
    )


def take(
    conn: sa.Connection, connection_id: int, kind: Kind, *, now: datetime, limit: int
) -> list[OutboxRow]:
    """Mark the next due rows as being sent and give them; commit before calling the CRM.

    A task that hangs on a flag waits while that flag is still to be written.
    """
    query = sa.select(*_ROW).where(
        OUTBOX.c.connection_id == connection_id,
        OUTBOX.c.kind == kind,
        OUTBOX.c.state == "waiting",
        OUTBOX.c.not_before.is_(None) | (OUTBOX.c.not_before <= now),
    )
    if kind == "task":
        flag = OUTBOX.alias("flag")
        query = query.where(
            ~sa.exists().where(
                flag.c.connection_id == connection_id,
                flag.c.kind == "flag",
                flag.c.key == OUTBOX.c.payload["flag_key"].as_string(),
            )
        )
    query = query.order_by(OUTBOX.c.priority.desc(), OUTBOX.c.id).limit(limit)
    taken = [OutboxRow(*row) for row in conn.execute(query)]
    if taken:
        conn.execute(
            sa.update(OUTBOX)
            .where(OUTBOX.c.id.in_([row.id for row in taken]))
            .values(state="sending")
        )
    return taken


def done(conn: sa.Connection, row: OutboxRow) -> None:
    """`row` stands in the CRM: take it away, or let its newer payload wait."""
    here = OUTBOX.c.id == row.id
    conn.execute(sa.delete(OUTBOX).where(here, OUTBOX.c.version == row.version))
    conn.execute(sa.update(OUTBOX).where(here).values(state="waiting"))


def release(conn: sa.Connection, row: OutboxRow) -> None:
    """The CRM was not told `row`: let it wait again."""
    conn.execute(sa.update(OUTBOX).where(OUTBOX.c.id == row.id).values(state="waiting"))


def postpone(conn: sa.Connection, row: OutboxRow, *, until: datetime, error: str | None) -> None:
    """Passing trouble with this row: again from `until` on; a newer payload goes at once."""
    here = OUTBOX.c.id == row.id
    conn.execute(
        sa.update(OUTBOX)
        .where(here, OUTBOX.c.version == row.version)
        .values(not_before=until, attempts=row.attempts + 1, error=error)
    )
    conn.execute(sa.update(OUTBOX).where(here).values(state="waiting"))


def park(conn: sa.Connection, row: OutboxRow, *, error: str | None) -> None:
    """The CRM refuses this row: keep it with the CRM's words until what it says changes."""
    here = OUTBOX.c.id == row.id
    conn.execute(
        sa.update(OUTBOX)
        .where(here)
        .values(
            state=sa.case((OUTBOX.c.version == row.version, "parked"), else_="waiting"),
            attempts=row.attempts + 1,
            error=error,
        )
    )


def clear(conn: sa.Connection, connection_id: int) -> int:
    """Forget everything that waits; gives the number of rows."""
    return conn.execute(sa.delete(OUTBOX).where(OUTBOX.c.connection_id == connection_id)).rowcount
