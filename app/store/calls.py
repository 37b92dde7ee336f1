"""Calls made to each CRM account, by the hour: what its call budget has spent."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from app.store.columns import METADATA, Instant, Key

CRM_CALLS = sa.Table(
    "crm_calls",
    METADATA,
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("hour", Instant, primary_key=True),  # its beginning, by our clock
    sa.Column("calls", sa.Integer, nullable=False),
)
DAY = timedelta(hours=24)


def add(conn: sa.Connection, connection_id: int, calls: int, *, at: datetime) -> None:
    """Count calls that were made up to `at`; hours older than a day are forgotten."""
    mine = CRM_CALLS.c.connection_id == connection_id
    conn.execute(sa.delete(CRM_CALLS).where(mine, CRM_CALLS.c.hour <= at - 2 * DAY))
    hour = at.replace(minute=0, second=0, microsecond=0)
    more = sa.update(CRM_CALLS).where(mine, CRM_CALLS.c.hour == hour)
    if not conn.execute(more.values(calls=CRM_CALLS.c.calls + calls)).rowcount:
        row = {"connection_id": connection_id, "hour": hour, "calls": calls}
        conn.execute(sa.insert(CRM_CALLS).values(row))


def of_the_day(conn: sa.Connection, connection_id: int, *, at: datetime) -> int:
    """Calls of the 24 hours before `at`, to the full hour."""
    query = sa.select(sa.func.sum(CRM_CALLS.c.calls)).where(
        CRM_CALLS.c.connection_id == connection_id, CRM_CALLS.c.hour > at - DAY
    )
    return conn.scalar(query) or 0
