"""Flags, their episodes and every step of their lifecycle."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.store.columns import METADATA, Instant, Key
from app.store.deals import DEALS, STAGES
from app.store.people import PEOPLE

STANDING = ("open", "acknowledged", "snoozed", "dismissed")  # an episode runs
SHOWN_STATUSES = ("open", "acknowledged", "snoozed")  # what a list of flags has by default

FLAGS = sa.Table(
    "flags",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("key", sa.String(26), nullable=False),  # base32(sha256(identity))[:26]
    sa.Column("subject_kind", sa.String(8), nullable=False),  # deal | person | team
    sa.Column("subject_id", Key, nullable=False),
    sa.Column("rule", sa.String(64), nullable=False),
    sa.Column("rule_version", sa.Integer, nullable=False),
    sa.Column("rule_class", sa.String(16), nullable=False),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("actionability", sa.Float, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("held", sa.String(16)),  # null: not held; cap | deal | baseline | pilot | private
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("finding_at", Instant, nullable=False),  # newest event, or the state's start
    sa.Column("settles_at", Instant),  # written to the CRM from then on; null: settled
    sa.Column("closed_at", Instant),
    sa.Column("close_reason", sa.String(16)),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),  # [{kind, ref, at, old, new, by, source}]
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("limits_id", Key, sa.ForeignKey("limit_versions.id"), nullable=False),
    sa.Column("decided_at", Instant),  # acknowledged, snoozed or dismissed
    sa.Column("snoozed_until", Instant),
    sa.Column("reason", sa.Text),  # of the decision
    sa.Column("crm_id", sa.String(64)),  # their record, once written
    sa.Column("written", sa.String(64)),  # sha256 of the last write's payload, null: none
    sa.Column("stands", sa.String(64)),  # sha256 of that payload as the CRM stores it
    sa.UniqueConstraint("connection_id", "key"),
    sa.UniqueConstraint("connection_id", "subject_kind", "subject_id", "rule"),
    sa.Index("ix_flags_status", "connection_id", "status"),
)

FLAG_EPISODES = sa.Table(
    "flag_episodes",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "flag_id", Key, sa.ForeignKey("flags.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
    sa.Column("reason", sa.String(16)),
)

FLAG_EVENTS = sa.Table(
    "flag_events",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "flag_id", Key, sa.ForeignKey("flags.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.String(128), nullable=False),  # engine, or who decided
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("detail", sa.JSON),
)


@dataclass(frozen=True, slots=True)
class FlagState:
    """A deal's flag as reconciling needs it: without its sentence and evidence."""

    id: int
    key: str
    subject_id: int
    rule: str
    rule_version: int
    rule_class: str
    severity: int
    rank: int
    status: str
    held: str | None
    opened_at: datetime
    finding_at: datetime
    settles_at: datetime | None
    fingerprint: str
    limits_id: int
    decided_at: datetime | None
    snoozed_until: datetime | None
    closed_at: datetime | None
    close_reason: str | None
    written: str | None

    @property
    def is_standing(self) -> bool:
        """Whether an episode of it runs."""
        return self.status in STANDING


_STATE = [FLAGS.c[name] for name in FlagState.__slots__]


def states(
    conn: sa.Connection, connection_id: int, deal_ids: Collection[int] | None = None
) -> list[FlagState]:
    """The flags of all deals of a connection, or of some, closed ones too."""
    query = sa.select(*_STATE).where(
        FLAGS.c.connection_id == connection_id, FLAGS.c.subject_kind == "deal"
    )
    if deal_ids is not None:
        query = query.where(FLAGS.c.subject_id.in_(deal_ids))
    return [FlagState(*row) for row in conn.execute(query)]


def insert(conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Store new flags; gives their ids by key."""
    if not rows:
        return {}
    made = conn.execute(sa.insert(FLAGS).returning(FLAGS.c.key, FLAGS.c.id), list(rows))
    return {row.key: row.id for row in made}


def update(conn: sa.Connection, flag_id: int, **columns: Any) -> None:
    """Change columns of one flag."""
    conn.execute(sa.update(FLAGS).where(FLAGS.c.id == flag_id).values(**columns))


def begin_episodes(conn: sa.Connection, flag_ids: Iterable[int], *, at: datetime) -> None:
    """Begin an episode of each flag."""
    rows = [{"flag_id": flag_id, "opened_at": at} for flag_id in flag_ids]
    if rows:
        conn.execute(sa.insert(FLAG_EPISODES), rows)


def end_episode(conn: sa.Connection, flag_id: int, *, at: datetime, reason: str) -> None:
    """End the running episode of a flag."""
    conn.execute(
        sa.update(FLAG_EPISODES)
        .where(FLAG_EPISODES.c.flag_id == flag_id, FLAG_EPISODES.c.closed_at.is_(None))
        .values(closed_at=at, reason=reason)
    )


def add_events(conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep steps: `flag_id, at, by, action, detail`."""
    if rows:
        conn.execute(sa.insert(FLAG_EVENTS), list(rows))


def history(conn: sa.Connection, flag_id: int) -> list[sa.Row[Any]]:
    """Every step of a flag, oldest first: `at, by, action, detail`."""
    return list(
        conn.execute(
            sa.select(
                FLAG_EVENTS.c.at, FLAG_EVENTS.c.by, FLAG_EVENTS.c.action, FLAG_EVENTS.c.detail
            )
            .where(FLAG_EVENTS.c.flag_id == flag_id)
            .order_by(FLAG_EVENTS.c.id)
        )
    )


def shown_since(conn: sa.Connection, connection_id: int, since: datetime) -> dict[int, int]:
    """How often a flag of a deal became visible after `since`, by deal id."""
    rows = conn.execute(
        sa.select(FLAGS.c.subject_id, sa.func.count())
        .join_from(FLAG_EVENTS, FLAGS, FLAG_EVENTS.c.flag_id == FLAGS.c.id)
        .where(
            FLAGS.c.connection_id == connection_id,
            FLAGS.c.subject_kind == "deal",
            FLAG_EVENTS.c.action == "shown",
            FLAG_EVENTS.c.at > since,
        )
        .group_by(FLAGS.c.subject_id)
    )
    return {row[0]: row[1] for row in rows}


_OWNER = PEOPLE.alias("owner")
OWNER = _OWNER.c
"""The columns of the deal's owner in `with_deals`."""


def with_deals(connection_id: int) -> sa.Select[Any]:
    """Flags with the deal that they are about: all columns of the flag, `deal_crm_id,
    deal_name, deal_stage, deal_close_on, deal_amount, deal_currency, deal_is_private,
    owner_id, owner_crm_id, owner_name`.
    """
    return (
        sa.select(
            FLAGS,
            DEALS.c.crm_id.label("deal_crm_id"),
            DEALS.c.name.label("deal_name"),
            STAGES.c.label.label("deal_stage"),
            DEALS.c.close_on.label("deal_close_on"),
            DEALS.c.amount.label("deal_amount"),
            DEALS.c.currency.label("deal_currency"),
            DEALS.c.is_private.label("deal_is_private"),
            DEALS.c.owner_id,
            OWNER.crm_id.label("owner_crm_id"),
            OWNER.name.label("owner_name"),
        )
        .select_from(FLAGS)
        .outerjoin(
            DEALS,
            (FLAGS.c.subject_kind == "deal")
            & (DEALS.c.connection_id == FLAGS.c.connection_id)
            & (DEALS.c.id == FLAGS.c.subject_id),
        )
        .outerjoin(STAGES, STAGES.c.id == DEALS.c.stage_id)
        .outerjoin(_OWNER, OWNER.id == DEALS.c.owner_id)
        .where(FLAGS.c.connection_id == connection_id)
    )
