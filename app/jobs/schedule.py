"""The clock: at every tick each connection is synced, scored and, in `write`, written back."""

from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

from app.services.parts import Parts
from app.store import connections, runs
from app.store.runs import RunKind


def enqueue_due(parts: Parts) -> int:
    """Queue the round of every connection; what still waits from the last one is not doubled."""
    now = parts.clock.now()
    queued = 0
    with parts.db.write() as conn:
        for row in connections.list_all(conn):
            kinds: list[RunKind] = ["score"] if row.crm == "files" else ["sync", "score"]
            if row.mode == "write":
                kinds.append("write_back")
            for kind in kinds:
                runs.enqueue(conn, row.id, kind, {}, at=now)
                queued += 1
    return queued


def scheduler(parts: Parts, *, minutes: int, wake: Callable[[], None]) -> BackgroundScheduler:
    """A scheduler whose tick only queues runs; the first tick catches up at once."""

    def tick() -> None:
        if enqueue_due(parts):
            wake()

    made = BackgroundScheduler(timezone=UTC)
    if minutes:
        made.add_job(
            tick,
            "interval",
            minutes=minutes,
            coalesce=True,
            max_instances=1,
            next_run_time=datetime.now(UTC),
        )
    return made
