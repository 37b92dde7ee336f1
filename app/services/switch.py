"""Switching a connection between `observe` and `write`."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from app.clock import Clock
from app.errors import BadInput
from app.services.coaching import plan_within
from app.services.outgoing import enqueue
from app.services.plan import unwritable
from app.services.reconcile import Load, Standing, share_out
from app.store import connections, flags, outbox, people
from app.store.connections import ConnectionRow
from app.store.database import Database
from app.store.deals import DEALS
from app.store.outbox import OutboxRow

Mode = Literal["observe", "write"]


def switch_mode(db: Database, connection_id: int, mode: str, *, clock: Clock) -> None:
    """Let a connection observe only, or write.

    On the switch to `write` the standing flags become the baseline: the top flag of each deal
    is written and the tasks that its owner's manager can take; the other flags are held. Back
    in `observe` nothing more is written, and what waited is forgotten; what stands in the CRM
    stays (`undo` removes it).
    """
    if mode not in {"observe", "write"}:
        raise BadInput("mode", f"{mode!r} is neither observe nor write")
    with db.write() as conn:
        row = connections.by_id(conn, connection_id)
        if row.mode == mode:
            return
        if mode == "observe":
            connections.update(conn, connection_id, mode="observe", write_since_at=None)
            outbox.clear(conn, connection_id)
        else:
            _begin_writing(conn, row, connections.as_of(row, clock.now()))


def preview(db: Database, connection_id: int, *, clock: Clock) -> list[OutboxRow]:
    """What the switch to `write` would put into the outbox; nothing is stored."""
    with db.write() as conn:
        row = connections.by_id(conn, connection_id)
        _begin_writing(conn, row, connections.as_of(row, clock.now()))
        rows = outbox.rows(conn, connection_id)
        conn.rollback()
    return rows


def _begin_writing(conn: sa.Connection, row: ConnectionRow, at: datetime) -> None:
    connections.update(conn, row.id, mode="write", write_since_at=at)
    opened = [flag for flag in flags.states(conn, row.id) if flag.status == "open"]
    marks = _baseline(conn, row, opened)
    events = []
    for flag in opened:
        held = marks[flag.subject_id, flag.rule]
        if held != flag.held:
            flags.update(conn, flag.id, held=held)
        step = {"flag_id": flag.id, "at": at, "by": "switch", "action": "baseline"}
        events.append({**step, "detail": {} if held is None else {"held": held}})
    flags.add_events(conn, events)
    enqueue(conn, row.id, [flag.id for flag in opened], at=at)
    plan_within(conn, connections.by_id(conn, row.id), at)


def _baseline(
    conn: sa.Connection, row: ConnectionRow, opened: Sequence[flags.FlagState]
) -> dict[tuple[int, str], str | None]:
    """The mark of each flag: the top one of each deal is visible, all others are held."""
    manager = {person.id: person.manager_id for person in people.list_all(conn, row.id)}
    owners = conn.execute(
        sa.select(DEALS.c.id, DEALS.c.owner_id).where(
            DEALS.c.connection_id == row.id, ~DEALS.c.is_closed, DEALS.c.deleted_at.is_(None)
        )
    ).all()
    managers = {deal_id: manager.get(owner_id) for deal_id, owner_id in owners}
    never = unwritable(conn, row, managers)
    load = Load(
        managers=managers,
        shown=Counter(),
        open_deals=len(owners),
        new_a_week=None,
        mark="baseline",
    )
    standing = [
        Standing(
            deal_id=flag.subject_id,
            rule=flag.rule,
            severity=flag.severity,
            rank=flag.rank,
            held=None,
            is_new=True,
            never="list" if flag.rule_class == "hygiene" else never.get(flag.subject_id),
        )
        for flag in opened
    ]
    return dict(share_out(standing, load))
