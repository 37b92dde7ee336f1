"""Coaching tasks: agendas for managers and clean-up lists for reps."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.store.activities import ACTIVITIES
from app.store.columns import METADATA, Day, Instant, Key

COACHING_TASKS = sa.Table(
    "coaching_tasks",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("key", sa.String(26), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # agenda | deal | clean_up
    sa.Column("cycle", sa.String(16), nullable=False),  # 2026-W47
    sa.Column("rep_id", Key, nullable=False),
    sa.Column("owner_id", Key),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("due_on", Day, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),  # open | completed | deleted
    sa.Column("subject_ids", sa.JSON, nullable=False),  # flags; of a clean-up list: deals
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("crm_id", sa.String(64)),
    sa.Column("written", sa.String(64)),  # sha256 of the last write's payload, null: none
    sa.Column("stands", sa.String(64)),  # sha256 of that payload as the CRM stores it
    sa.UniqueConstraint("connection_id", "key"),
    sa.ForeignKeyConstraint(["connection_id", "rep_id"], ["people.connection_id", "people.id"]),
    sa.ForeignKeyConstraint(["connection_id", "owner_id"], ["people.connection_id", "people.id"]),
)


@dataclass(frozen=True, slots=True)
class TaskState:
    """A coaching task as it is stored."""

    id: int
    key: str
    kind: str
    cycle: str
    rep_id: int
    owner_id: int | None
    subject: str
    body: str
    due_on: date
    status: str
    subject_ids: list[int]
    created_at: datetime
    crm_id: str | None
    written: str | None
    stands: str | None


_STATE = [COACHING_TASKS.c[name] for name in TaskState.__slots__]


def states(
    conn: sa.Connection, connection_id: int, keys: Collection[str] | None = None
) -> list[TaskState]:
    """The coaching tasks of a connection, oldest first."""
    query = sa.select(*_STATE).where(COACHING_TASKS.c.connection_id == connection_id)
    if keys is not None:
        query = query.where(COACHING_TASKS.c.key.in_(keys))
    return [TaskState(*row) for row in conn.execute(query.order_by(COACHING_TASKS.c.id))]


def insert(conn: sa.Connection, connection_id: int, values: Mapping[str, Any]) -> int:
    """Store a new task and give its id."""
    return int(
        conn.execute(
            sa.insert(COACHING_TASKS)
            .values(connection_id=connection_id, **values)
            .returning(COACHING_TASKS.c.id)
        ).scalar_one()
    )


def update(conn: sa.Connection, task_id: int, **columns: Any) -> None:
    """Change columns of one task."""
    conn.execute(sa.update(COACHING_TASKS).where(COACHING_TASKS.c.id == task_id).values(**columns))


def delete(conn: sa.Connection, connection_id: int, keys: Collection[str]) -> None:
    """Forget tasks."""
    conn.execute(
        sa.delete(COACHING_TASKS).where(
            COACHING_TASKS.c.connection_id == connection_id, COACHING_TASKS.c.key.in_(keys)
        )
    )


def seen_in_crm(conn: sa.Connection, connection_id: int) -> dict[str, str]:
    """What reading the CRM told of our own tasks, by key: `deleted`, `completed` or `open`."""
    found = conn.execute(
        sa.select(ACTIVITIES.c.key, ACTIVITIES.c.deleted_at, ACTIVITIES.c.is_held)
        .where(ACTIVITIES.c.connection_id == connection_id, ACTIVITIES.c.key.is_not(None))
        .order_by(ACTIVITIES.c.id)
    )
    return {
        row.key: "deleted" if row.deleted_at else "completed" if row.is_held else "open"
        for row in found
    }


def forget_seen(conn: sa.Connection, connection_id: int, key: str) -> None:
    """A task was just written: what was read of it before says nothing any more."""
    conn.execute(
        sa.update(ACTIVITIES)
        .where(
            ACTIVITIES.c.connection_id == connection_id,
            ACTIVITIES.c.key == key,
            ACTIVITIES.c.deleted_at.is_(None),
        )
        .values(is_held=None)
    )
