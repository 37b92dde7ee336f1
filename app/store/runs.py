"""Runs: each sync, scoring, write-back or import, with its progress and result."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from app.errors import NotFound
from app.store.columns import METADATA, Instant, Key

RunKind = Literal["sync", "score", "write_back", "import"]
RunStatus = Literal["queued", "running", "done", "failed"]

RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id",
        Key,
        sa.ForeignKey("connections.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("kind", sa.String(16), nullable=False),  # sync | score | write_back | import
    sa.Column("status", sa.String(16), nullable=False),  # queued | running | done | failed
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("queued_at", Instant, nullable=False),
    sa.Column("started_at", Instant),
    sa.Column("finished_at", Instant),
    sa.Column("progress", sa.JSON),
    sa.Column("result", sa.JSON),
    sa.Column("error", sa.Text),
)


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run, as stored."""

    id: int
    connection_id: int
    kind: RunKind
    status: RunStatus
    arguments: Mapping[str, Any]
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: Mapping[str, Any] | None
    result: Mapping[str, Any] | None
    error: str | None


def enqueue(
    conn: sa.Connection,
    connection_id: int,
    kind: RunKind,
    arguments: Mapping[str, Any],
    *,
    at: datetime,
) -> int:
    """Queue a run; an equal one that still waits is taken instead of a second."""
    waiting = conn.execute(
        sa.select(RUNS.c.id, RUNS.c.arguments).where(
            RUNS.c.connection_id == connection_id, RUNS.c.kind == kind, RUNS.c.status == "queued"
        )
    )
    for run_id, present in waiting:
        if present == dict(arguments):
            return int(run_id)
    return _insert(conn, connection_id, kind, arguments=dict(arguments), queued_at=at)


def begin(
    conn: sa.Connection,
    connection_id: int,
    kind: RunKind,
    *,
    arguments: Mapping[str, Any],
    at: datetime,
) -> int:
    """A run that starts at once, in the calling process."""
    return _insert(
        conn,
        connection_id,
        kind,
        arguments=dict(arguments),
        queued_at=at,
        status="running",
        started_at=at,
    )


def _insert(conn: sa.Connection, connection_id: int, kind: RunKind, **columns: Any) -> int:
    values = {"status": "queued", **columns, "connection_id": connection_id, "kind": kind}
    key = conn.execute(RUNS.insert().values(values)).inserted_primary_key
    return int(key[0]) if key is not None else 0


def claim(conn: sa.Connection, *, at: datetime) -> RunRow | None:
    """The oldest queued run, now running; None where none waits."""
    run_id = conn.scalar(
        sa.select(RUNS.c.id).where(RUNS.c.status == "queued").order_by(RUNS.c.id).limit(1)
    )
    if run_id is None:
        return None
    conn.execute(RUNS.update().where(RUNS.c.id == run_id).values(status="running", started_at=at))
    return get(conn, run_id)


def queued(conn: sa.Connection) -> list[RunRow]:
    """The runs that wait, oldest first."""
    waiting = sa.select(RUNS).where(RUNS.c.status == "queued").order_by(RUNS.c.id)
    return [RunRow(*row) for row in conn.execute(waiting)]


def requeue_interrupted(conn: sa.Connection, *, at: datetime) -> int:
    """Queue again what a stopped or killed process left running; the caller holds the lock.

    An import is not taken up again: its files may be gone.
    """
    running = RUNS.c.status == "running"
    conn.execute(
        RUNS.update()
        .where(running, RUNS.c.kind == "import")
        .values(status="failed", finished_at=at, error="interrupted; import the files again")
    )
    return conn.execute(
        RUNS.update().where(running).values(status="queued", progress=None, started_at=None)
    ).rowcount


def report(conn: sa.Connection, run_id: int, progress: Mapping[str, Any]) -> None:
    """Store how far a run is."""
    conn.execute(RUNS.update().where(RUNS.c.id == run_id).values(progress=dict(progress)))


def finish(
    conn: sa.Connection,
    run_id: int,
    *,
    at: datetime,
    result: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> None:
    """End a run with its result, or with the error that a person reads."""
    conn.execute(
        RUNS.update()
        .where(RUNS.c.id == run_id)
        .values(
            status="failed" if error is not None else "done",
            finished_at=at,
            result=None if result is None else dict(result),
            error=error,
        )
    )


def get(conn: sa.Connection, run_id: int) -> RunRow:
    """One run."""
    row = conn.execute(sa.select(RUNS).where(RUNS.c.id == run_id)).first()
    if row is None:
        raise NotFound("there is no such run")
    return RunRow(*row)
