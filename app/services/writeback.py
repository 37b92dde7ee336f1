"""Write-back: drain the outbox into the CRM, newest state only, each record once.

A row is marked as being sent, and that committed, before the call; what is found so at the
start was cut off in between: it is compared with what stands and not written again if it
stands already.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.clock import Clock
from app.services.outgoing import as_flag, as_task, content_digest, digest, enqueue
from app.services.progress import Progress, silent
from app.services.switch import preview
from app.store import connections, flags, outbox, tasks
from app.store.database import Database
from app.store.outbox import Kind, OutboxRow
from connectors.base import Writer
from connectors.records import FlagWrite, Standing, TaskWrite, WriteResult

BATCH = 200
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
KINDS: tuple[Kind, ...] = ("flag", "task")


@dataclass(slots=True, kw_only=True)
class Tally:
    """Records of one kind: written (of these created), found standing already, to be tried
    again, and parked with the CRM's words.
    """

    written: int = 0
    created: int = 0
    standing: int = 0
    retried: int = 0
    parked: int = 0


@dataclass(slots=True, kw_only=True)
class WriteReport:
    """What a write-back did. `waiting`: rows left for later (not settled yet, tried again).
    `mode`: the connection's; in `observe` nothing is written.
    `items`: of a dry run, what would be written: `{kind, key, payload}`.
    """

    flags: Tally = field(default_factory=Tally)
    tasks: Tally = field(default_factory=Tally)
    waiting: int = 0
    calls: int = 0
    seconds: float = 0.0
    mode: str = "write"
    items: Sequence[Mapping[str, Any]] = ()

    def of(self, kind: Kind) -> Tally:
        """The tally of one kind."""
        return self.flags if kind == "flag" else self.tasks


def write_back(
    db: Database,
    connection_id: int,
    writer: Writer,
    *,
    clock: Clock,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> WriteReport:
    """Write what waits, flags before tasks. In `observe` nothing is written; a dry run then
    shows what the switch to `write` would.

    Raises `connectors.errors.ConnectorError` where the CRM fails as a whole: rows that were
    being sent are compared with what stands when it is run again.
    """
    began, calls = time.monotonic(), writer.calls
    drain = _Drain(db, connection_id, writer, clock)
    if dry_run:
        report = WriteReport(items=_would_write(db, connection_id, clock))
    else:
        report = drain.run(progress or silent)
    report.mode = drain.connection.mode
    report.calls = writer.calls - calls
    report.seconds = round(time.monotonic() - began, 3)
    return report


def settle(db: Database, connection_id: int, writer: Writer, *, clock: Clock) -> None:
    """Find out what became of rows that were cut off while they were sent; nothing is written."""
    drain = _Drain(db, connection_id, writer, clock)
    for kind in KINDS:
        drain.recover(kind)


def _would_write(db: Database, connection_id: int, clock: Clock) -> list[dict[str, Any]]:
    with db.read() as conn:
        mode = connections.by_id(conn, connection_id).mode
        rows = outbox.rows(conn, connection_id)
    if mode == "observe":
        rows = preview(db, connection_id, clock=clock)
    return [{"kind": row.kind, "key": row.key, "payload": row.payload} for row in rows]


class _Drain:
    """One draining of a connection's outbox."""

    def __init__(self, db: Database, connection_id: int, writer: Writer, clock: Clock) -> None:
        self.db = db
        self.connection_id = connection_id
        self.writer = writer
        self.clock = clock
        self.report = WriteReport()
        with db.read() as conn:
            self.connection = connections.by_id(conn, connection_id)

    def run(self, tell: Progress) -> WriteReport:
        """Recover, then write batch after batch."""
        if self.connection.mode != "write":
            return self.report
        for kind in KINDS:
            self.recover(kind)
            while batch := self._take(kind):
                self._send(kind, batch)
                done = self.report.of(kind)
                tell(f"{kind}s", done.written + done.standing + done.parked, None)
        with self.db.read() as conn:
            self.report.waiting = len(outbox.rows(conn, self.connection_id, state="waiting"))
        return self.report

    @property
    def now(self) -> datetime:
        """The CRM's present: settling ends by its clock."""
        return connections.as_of(self.connection, self.clock.now())

    def _take(self, kind: Kind) -> list[OutboxRow]:
        with self.db.write() as conn:
            return outbox.take(conn, self.connection_id, kind, now=self.now, limit=BATCH)

    def recover(self, kind: Kind) -> None:
        """Settle what was cut off while it was sent, without writing anything."""
        with self.db.read() as conn:
            rows = outbox.rows(conn, self.connection_id, kind=kind, state="sending")
        if not rows:
            return
        standing = self._standing(kind, rows)
        with self.db.write() as conn:
            for row in rows:
                record = _record(row)
                stands = standing.get(row.key)
                if stands is not None and _says(stands, self.writer.as_stored(record)):
                    self._settle(conn, row, crm_id=stands.crm_id)
                    self.report.of(kind).standing += 1
                else:
                    outbox.release(conn, row)
                    if stands is None:
                        self._reconsider(conn, row)

    def _reconsider(self, conn: sa.Connection, row: OutboxRow) -> None:
        """The CRM never got `row`: what has ended since needs no record there at all."""
        if row.kind == "flag":
            mine = (flags.FLAGS.c.connection_id == self.connection_id) & (
                flags.FLAGS.c.key == row.key
            )
            ids = conn.scalars(sa.select(flags.FLAGS.c.id).where(mine)).all()
            enqueue(conn, self.connection_id, ids, at=self.now)
        elif row.payload["status"] == "completed":
            outbox.withdraw(conn, self.connection_id, "task", row.key)

    def _send(self, kind: Kind, batch: Sequence[OutboxRow]) -> None:
        rows = self._leave_to_people(batch) if kind == "task" else batch
        if not rows:
            return
        write: Callable[[Any], Sequence[WriteResult]] = (
            self.writer.write_flags if kind == "flag" else self.writer.write_tasks
        )
        results = write([_record(row) for row in rows])
        with self.db.write() as conn:
            for row, result in zip(rows, results, strict=True):
                self._take_in(conn, row, result)

    def _take_in(self, conn: sa.Connection, row: OutboxRow, result: WriteResult) -> None:
        tally = self.report.of(row.kind)
        match result.outcome:
            case "written":
                self._settle(conn, row, crm_id=result.crm_id)
                tally.written += 1
                tally.created += result.created
            case "retry":
                wait = min(FIRST_WAIT * 2 ** min(row.attempts, 10), LONGEST_WAIT)
                outbox.postpone(conn, row, until=self.now + wait, error=result.error)
                tally.retried += 1
            case "parked":
                outbox.park(conn, row, error=result.error)
                tally.parked += 1

    def _settle(self, conn: sa.Connection, row: OutboxRow, *, crm_id: str | None) -> None:
        """The CRM says `row`: remember it, and see whether there is already more to say."""
        outbox.done(conn, row)
        table = flags.FLAGS if row.kind == "flag" else tasks.COACHING_TASKS
        mine = (table.c.connection_id == self.connection_id) & (table.c.key == row.key)
        values = {
            "written": digest(row.payload),
            "stands": content_digest(self.writer.as_stored(_record(row))),
        }
        if crm_id is not None:
            values["crm_id"] = crm_id
        conn.execute(sa.update(table).where(mine).values(**values))
        if row.kind == "task":
            tasks.forget_seen(conn, self.connection_id, row.key)
        else:
            ids = conn.scalars(sa.select(table.c.id).where(mine)).all()
            enqueue(conn, self.connection_id, ids, at=self.now)

    def _leave_to_people(self, batch: Sequence[OutboxRow]) -> list[OutboxRow]:
        """Take out tasks that a person deleted or completed in the CRM: both stay as they are."""
        with self.db.read() as conn:
            keys = [row.key for row in batch]
            known = {state.key: state for state in tasks.states(conn, self.connection_id, keys)}
        updates = [row for row in batch if row.key in known and known[row.key].crm_id]
        standing = self._standing("task", updates)
        kept = []
        with self.db.write() as conn:
            for row in batch:
                ended = None
                if row in updates:
                    ended = _ended_by_people(standing.get(row.key), known[row.key])
                if ended is None:
                    kept.append(row)
                else:
                    outbox.done(conn, row)
                    tasks.update(conn, known[row.key].id, status=ended)
        return kept

    def _standing(self, kind: Kind, rows: Sequence[OutboxRow]) -> Mapping[str, Standing]:
        keys = [row.key for row in rows]
        if not keys:
            return {}
        if kind == "flag":
            return self.writer.standing_flags(keys)
        return self.writer.standing_tasks(keys)


def _record(row: OutboxRow) -> FlagWrite | TaskWrite:
    return as_flag(row.payload) if row.kind == "flag" else as_task(row.payload)


def _says(standing: Standing, wanted: Mapping[str, object]) -> bool:
    return all(standing.values.get(name) == value for name, value in wanted.items())


def _ended_by_people(standing: Standing | None, task: tasks.TaskState) -> str | None:
    if standing is None:
        return "deleted"
    is_untouched = content_digest(standing.values) == task.stands
    is_completed = standing.values.get("status") == "completed"
    return "completed" if is_completed and task.status == "open" and not is_untouched else None
