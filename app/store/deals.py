"""Deals, their companies, pipelines and stages: what the CRM says now."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from app.errors import NotFound
from app.store.columns import METADATA, Day, Instant, Key
from app.store.merge import select_in
from app.store.people import PEOPLE


def _of_connection() -> sa.Column[int]:
    return sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    )


COMPANIES = sa.Table(
    "companies",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    _of_connection(),
    sa.Column("crm_id", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.UniqueConstraint("connection_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
)

PIPELINES = sa.Table(
    "pipelines",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    _of_connection(),
    sa.Column("crm_id", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("expected_entry", sa.Integer),  # position; null: proposed from history
    sa.UniqueConstraint("connection_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
)

STAGES = sa.Table(
    "stages",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    _of_connection(),
    sa.Column("pipeline_id", Key, nullable=False),
    sa.Column("crm_id", sa.String(255), nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("sort_order", sa.Integer),  # null: a stage that only history names
    sa.Column("is_closed", sa.Boolean, nullable=False),
    sa.Column("is_won", sa.Boolean, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("probability", sa.Float),
    sa.Column("forecast", sa.SmallInteger),
    sa.UniqueConstraint("connection_id", "pipeline_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
    sa.ForeignKeyConstraint(
        ["connection_id", "pipeline_id"], ["pipelines.connection_id", "pipelines.id"]
    ),
)

STAGE_PERIODS = sa.Table(
    "stage_periods",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    _of_connection(),
    sa.Column("stage_id", Key, nullable=False),
    sa.Column("position", sa.Integer),  # null: closed, parking or unknown
    sa.Column("role", sa.SmallInteger),  # rules.tables.ROLES, null: unknown
    sa.Column("basis", sa.String(16), nullable=False),  # assumed | proposed | confirmed
    sa.Column("valid_from", Instant, nullable=False),
    sa.Column("valid_to", Instant),
    sa.UniqueConstraint("connection_id", "stage_id", "valid_from"),
    sa.ForeignKeyConstraint(["connection_id", "stage_id"], ["stages.connection_id", "stages.id"]),
)

DEALS = sa.Table(
    "deals",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    _of_connection(),
    sa.Column("crm_id", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("pipeline_id", Key, nullable=False),
    sa.Column("stage_id", Key, nullable=False),
    sa.Column("company_id", Key),
    sa.Column("owner_id", Key),
    sa.Column("created_by_id", Key),
    sa.Column("modified_by_id", Key),
    sa.Column("amount", sa.BigInteger),  # 1/10,000 of the unit
    sa.Column("currency", sa.String(8)),
    sa.Column("close_on", Day),
    sa.Column("deal_type", sa.String(255)),
    sa.Column("lead_source", sa.String(255)),
    sa.Column("segment", sa.SmallInteger),  # rules.tables.SEGMENTS, null: new
    sa.Column("next_step", sa.Text),
    sa.Column("forecast", sa.SmallInteger),
    sa.Column("is_closed", sa.Boolean, nullable=False),
    sa.Column("is_won", sa.Boolean, nullable=False),
    sa.Column("is_private", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("modified_at", Instant, nullable=False),
    sa.Column("deleted_at", Instant),
    sa.Column("first_seen_at", Instant, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("scored_generation", sa.BigInteger, nullable=False, server_default="0"),
    # Up to here its ledgers agree with the row; 0: never looked at.
    sa.Column("reconciled_generation", sa.BigInteger, nullable=False, server_default="0"),
    sa.UniqueConstraint("connection_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
    sa.Index("ix_deals_company", "connection_id", "company_id"),
    sa.ForeignKeyConstraint(
        ["connection_id", "pipeline_id"], ["pipelines.connection_id", "pipelines.id"]
    ),
    sa.ForeignKeyConstraint(["connection_id", "stage_id"], ["stages.connection_id", "stages.id"]),
    sa.ForeignKeyConstraint(
        ["connection_id", "company_id"], ["companies.connection_id", "companies.id"]
    ),
    sa.ForeignKeyConstraint(["connection_id", "owner_id"], ["people.connection_id", "people.id"]),
    sa.ForeignKeyConstraint(
        ["connection_id", "created_by_id"], ["people.connection_id", "people.id"]
    ),
    sa.ForeignKeyConstraint(
        ["connection_id", "modified_by_id"], ["people.connection_id", "people.id"]
    ),
)

_VIEWED = (
    "amount",
    "currency",
    "close_on",
    "segment",
    "next_step",
    "forecast",
    "is_closed",
    "is_won",
    "is_private",
    "created_at",
    "modified_at",
    "deleted_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DealView:
    """A deal with the names that people know; `amount` in 1/10,000 of the unit."""

    id: int
    crm_id: str
    name: str
    pipeline: str
    stage: str
    company: str | None
    owner_id: int | None
    owner_crm_id: str | None
    owner: str | None
    amount: int | None
    currency: str | None
    close_on: date | None
    segment: int | None
    next_step: str | None
    forecast: int | None
    is_closed: bool
    is_won: bool
    is_private: bool
    created_at: datetime
    modified_at: datetime
    deleted_at: datetime | None


def views(
    conn: sa.Connection, connection_id: int, where: sa.ColumnElement[bool] | None = None
) -> list[DealView]:
    """Deals of a connection with their names, by id; `where` is a condition on DEALS."""
    here = DEALS.c.connection_id == connection_id
    query = (
        sa.select(
            DEALS.c.id,
            DEALS.c.crm_id,
            DEALS.c.name,
            PIPELINES.c.name.label("pipeline"),
            STAGES.c.label.label("stage"),
            COMPANIES.c.name.label("company"),
            DEALS.c.owner_id,
            PEOPLE.c.crm_id.label("owner_crm_id"),
            PEOPLE.c.name.label("owner"),
            *(DEALS.c[name] for name in _VIEWED),
        )
        .select_from(DEALS)
        .join(PIPELINES, PIPELINES.c.id == DEALS.c.pipeline_id)
        .join(STAGES, STAGES.c.id == DEALS.c.stage_id)
        .outerjoin(COMPANIES, COMPANIES.c.id == DEALS.c.company_id)
        .outerjoin(PEOPLE, PEOPLE.c.id == DEALS.c.owner_id)
        .where(here if where is None else here & where)
        .order_by(DEALS.c.id)
    )
    return [DealView(**row) for row in conn.execute(query).mappings()]


def view(
    conn: sa.Connection,
    connection_id: int,
    *,
    crm_id: str | None = None,
    deal_id: int | None = None,
) -> DealView:
    """One deal, by the CRM's id or ours."""
    where = DEALS.c.crm_id == crm_id if deal_id is None else DEALS.c.id == deal_id
    found = views(conn, connection_id, where)
    if not found:
        raise NotFound(f"there is no deal {crm_id if deal_id is None else deal_id}")
    return found[0]


def ids_by_crm_id(
    conn: sa.Connection, connection_id: int, crm_ids: Collection[str]
) -> dict[str, int]:
    """Our ids of the deals that we have, by the CRM's."""
    return dict(select_in(conn, DEALS, ("crm_id", "id"), connection_id, values=crm_ids))


def count(conn: sa.Connection, connection_id: int) -> int:
    """How many deals of the connection stand (deleted ones left out)."""
    stands = (DEALS.c.connection_id == connection_id) & DEALS.c.deleted_at.is_(None)
    return conn.scalar(sa.select(sa.func.count()).select_from(DEALS).where(stands)) or 0


def dirty_ids(
    conn: sa.Connection,
    connection_id: int,
    *,
    since: str = "scored_generation",
    after: int = 0,
    limit: int,
) -> list[int]:
    """Deals changed since they were last scored (or `since` another mark), by id; those with
    an id beyond `after`.
    """
    query = (
        sa.select(DEALS.c.id)
        .where(
            DEALS.c.connection_id == connection_id,
            DEALS.c.id > after,
            DEALS.c.generation > DEALS.c[since],
        )
        .order_by(DEALS.c.id)
        .limit(limit)
    )
    return list(conn.scalars(query))


def raise_generation(conn: sa.Connection, connection_id: int, deal_ids: Collection[int]) -> None:
    """Mark deals as changed: their rules have something new to see."""
    if deal_ids:
        mine = (DEALS.c.connection_id == connection_id) & DEALS.c.id.in_(sorted(deal_ids))
        conn.execute(sa.update(DEALS).where(mine).values(generation=DEALS.c.generation + 1))
