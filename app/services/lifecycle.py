"""What people decide about a flag: acknowledge, snooze, dismiss. Every step is kept."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.clock import Clock
from app.errors import BadInput, Conflict
from app.services.evidence import instant
from app.services.flags import FlagView, find, view
from app.services.outgoing import enqueue
from app.store import connections, flags
from app.store.database import Database


def acknowledge(
    db: Database, ref: str, *, by: str, clock: Clock, reason: str | None = None
) -> FlagView:
    """Seen and worked on: silent until new evidence, a higher severity, or four weeks."""
    return _decide(db, ref, "acknowledged", by=by, clock=clock, reason=reason)


def snooze(
    db: Database, ref: str, *, until: datetime, reason: str, by: str, clock: Clock
) -> FlagView:
    """Not now: silent until that instant, or until the severity rises."""
    return _decide(db, ref, "snoozed", by=by, clock=clock, reason=reason, until=until)


def dismiss(db: Database, ref: str, *, reason: str, by: str, clock: Clock) -> FlagView:
    """Not right or not useful: silent until the severity rises or there is new evidence."""
    return _decide(db, ref, "dismissed", by=by, clock=clock, reason=reason)


def _decide(
    db: Database,
    ref: str,
    status: str,
    *,
    by: str,
    clock: Clock,
    reason: str | None,
    until: datetime | None = None,
) -> FlagView:
    """Raises NotFound, Conflict where the flag does not stand, BadInput for a past `until` or
    a reason that says nothing.
    """
    if status != "acknowledged" and not (reason or "").strip():
        raise BadInput("reason", f"say why it is {status}")
    with db.write() as conn:
        row = find(conn, ref)
        if row.status not in flags.STANDING:
            raise Conflict(f"the flag {ref} is {row.status}: only one that stands can be {status}")
        connection = connections.by_id(conn, row.connection_id)
        at = connections.as_of(connection, clock.now())
        if until is not None and until <= at:
            raise BadInput("until", f"must lie after now, {instant(at)}")
        flags.update(
            conn,
            row.id,
            status=status,
            decided_at=at,
            snoozed_until=until,
            reason=reason,
        )
        flags.add_events(conn, [_step(row, status, by=by, at=at, reason=reason, until=until)])
        if connection.mode == "write":
            enqueue(conn, connection.id, [row.id], at=at)
        return view(find(conn, ref))


def _step(
    row: sa.Row[Any],
    action: str,
    *,
    by: str,
    at: datetime,
    reason: str | None,
    until: datetime | None,
) -> dict[str, Any]:
    detail = {"reason": reason, "until": None if until is None else instant(until)}
    return {
        "flag_id": row.id,
        "at": at,
        "by": by,
        "action": action,
        "detail": {name: value for name, value in detail.items() if value is not None},
    }
