"""What is shown once and is no flag: notices of whole incidents, and clean-up lines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.store.columns import METADATA, Instant, Key

CLEAN_UP_LINES = sa.Table(
    "clean_up_lines",
    METADATA,
    sa.Column("connection_id", Key, nullable=False, primary_key=True),
    sa.Column("deal_id", Key, nullable=False, primary_key=True),
    sa.Column("rule", sa.String(64), nullable=False, primary_key=True),
    sa.Column("rule_class", sa.String(16), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(
        ["connection_id", "deal_id"], ["deals.connection_id", "deals.id"], ondelete="CASCADE"
    ),
)
"""Findings that were old already at the first sync: they open no flag, the rep tidies them up."""

NOTICES = sa.Table(
    "notices",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("key", sa.String(128), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by_id", Key),
    sa.Column("deals", sa.Integer, nullable=False),
    sa.Column("deal_crm_ids", sa.JSON, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("first_seen_at", Instant, nullable=False),
    sa.UniqueConstraint("connection_id", "key"),
)


def replace_clean_up(
    conn: sa.Connection, connection_id: int, lines: Sequence[Mapping[str, Any]]
) -> None:
    """Make the clean-up lines these (`deal_id, rule, rule_class, at, sentence`); rows that
    are the same already are not touched.
    """
    stored = {
        (row.deal_id, row.rule): (row.rule_class, row.at, row.sentence)
        for row in conn.execute(
            sa.select(CLEAN_UP_LINES).where(CLEAN_UP_LINES.c.connection_id == connection_id)
        )
    }
    wanted = {
        (line["deal_id"], line["rule"]): (line["rule_class"], line["at"], line["sentence"])
        for line in lines
    }
    changed = {key for key, value in wanted.items() if stored.get(key) != value}
    gone = [key for key in stored if key not in wanted or key in changed]
    if gone:
        conn.execute(
            sa.delete(CLEAN_UP_LINES).where(
                CLEAN_UP_LINES.c.connection_id == connection_id,
                CLEAN_UP_LINES.c.deal_id == sa.bindparam("the_deal"),
                CLEAN_UP_LINES.c.rule == sa.bindparam("the_rule"),
            ),
            [{"the_deal": deal_id, "the_rule": rule} for deal_id, rule in gone],
        )
    new = [
        {"connection_id": connection_id, **line}
        for line in lines
        if (line["deal_id"], line["rule"]) in changed
    ]
    if new:
        conn.execute(sa.insert(CLEAN_UP_LINES), new)


def clean_up(conn: sa.Connection, connection_id: int) -> list[sa.Row[Any]]:
    """The clean-up lines: `deal_id, rule, rule_class, at, sentence`, oldest first."""
    return list(
        conn.execute(
            sa.select(CLEAN_UP_LINES)
            .where(CLEAN_UP_LINES.c.connection_id == connection_id)
            .order_by(CLEAN_UP_LINES.c.at, CLEAN_UP_LINES.c.deal_id, CLEAN_UP_LINES.c.rule)
        )
    )


def keep_notices(
    conn: sa.Connection, connection_id: int, notices: Sequence[Mapping[str, Any]], *, at: datetime
) -> None:
    """Store notices that are new or name other deals than before (`kind, key, at, by_id,
    deal_crm_ids, sentence`); none is ever removed.
    """
    stored = {
        row.key: (row.deal_crm_ids, row.sentence)
        for row in conn.execute(
            sa.select(NOTICES.c.key, NOTICES.c.deal_crm_ids, NOTICES.c.sentence).where(
                NOTICES.c.connection_id == connection_id
            )
        )
    }
    for notice in notices:
        values = {**notice, "deals": len(notice["deal_crm_ids"])}
        if notice["key"] not in stored:
            conn.execute(
                sa.insert(NOTICES).values(connection_id=connection_id, first_seen_at=at, **values)
            )
        elif stored[notice["key"]] != (notice["deal_crm_ids"], notice["sentence"]):
            conn.execute(
                sa.update(NOTICES)
                .where(NOTICES.c.connection_id == connection_id, NOTICES.c.key == notice["key"])
                .values(**values)
            )


def notices(conn: sa.Connection, connection_id: int) -> list[sa.Row[Any]]:
    """The notices of a connection, newest first."""
    return list(
        conn.execute(
            sa.select(NOTICES)
            .where(NOTICES.c.connection_id == connection_id)
            .order_by(NOTICES.c.at.desc(), NOTICES.c.key)
        )
    )


def page(
    conn: sa.Connection,
    connection_id: int,
    *,
    after: tuple[datetime, int] | None = None,
    limit: int | None = None,
) -> list[sa.Row[Any]]:
    """The notices of a connection, newest first; `after`: instant and id of the last one seen."""
    query = sa.select(NOTICES).where(NOTICES.c.connection_id == connection_id)
    if after is not None:
        at, last = after
        query = query.where((NOTICES.c.at < at) | ((NOTICES.c.at == at) & (NOTICES.c.id > last)))
    return list(conn.execute(query.order_by(NOTICES.c.at.desc(), NOTICES.c.id).limit(limit)))
