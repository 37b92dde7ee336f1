"""The ledger: our append-only record of changes, typed and split by field.

Splitting by field halves scoring time (measured). `old` and `new` are ids of ours for
stage, owner and pipeline, days for the close date, 1/10,000 of the unit for the amount,
codes for the forecast category. A row is identified by (connection, deal, at, source_ref).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.store.columns import METADATA, Day, Instant, Key
from app.store.deals import PIPELINES, STAGES
from app.store.people import PEOPLE
from rules.tables import FORECASTS, SOURCES


def _ledger(name: str, value: Any) -> sa.Table:
    return sa.Table(
        name,
        METADATA,
        sa.Column("id", Key, primary_key=True),
        sa.Column("connection_id", Key, nullable=False),
        sa.Column("deal_id", Key, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("seen_at", Instant, nullable=False),
        sa.Column("old", value),
        sa.Column("new", value),
        sa.Column("by_id", Key),
        sa.Column("source", sa.SmallInteger, nullable=False),  # rules.tables.SOURCES
        sa.Column("source_ref", sa.String(64), nullable=False),
        sa.UniqueConstraint("connection_id", "deal_id", "at", "source_ref"),
        sa.ForeignKeyConstraint(
            ["connection_id", "deal_id"], ["deals.connection_id", "deals.id"], ondelete="CASCADE"
        ),
    )


STAGE_CHANGES = _ledger("stage_changes", Key)
CLOSE_DATE_CHANGES = _ledger("close_date_changes", Day)
AMOUNT_CHANGES = _ledger("amount_changes", sa.BigInteger)
FORECAST_CHANGES = _ledger("forecast_changes", sa.SmallInteger)
OWNER_CHANGES = _ledger("owner_changes", Key)
PIPELINE_CHANGES = _ledger("pipeline_changes", Key)
NEXT_STEP_CHANGES = _ledger("next_step_changes", sa.Text)

LEDGERS = {
    "stage": STAGE_CHANGES,
    "close_date": CLOSE_DATE_CHANGES,
    "amount": AMOUNT_CHANGES,
    "forecast": FORECAST_CHANGES,
    "owner": OWNER_CHANGES,
    "pipeline": PIPELINE_CHANGES,
    "next_step": NEXT_STEP_CHANGES,
}

OBSERVED = SOURCES.index("observed")

_NAMES: dict[str, tuple[sa.Table, str]] = {
    "stage": (STAGES, "label"),
    "owner": (PEOPLE, "name"),
    "pipeline": (PIPELINES, "name"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """A row of the ledger as people read it.

    `old` and `new`: a label or name (stage, owner, pipeline), a day, 1/10,000 of the
    unit, a forecast category's name, or the next step's text. `ref` is the CRM's row id.
    """

    field: str
    id: int
    deal_id: int
    at: datetime
    seen_at: datetime
    old: str | int | date | None
    new: str | int | date | None
    by_id: int | None
    by_crm_id: str | None
    by: str | None
    source: str
    ref: str


def timeline(conn: sa.Connection, connection_id: int, deal_id: int) -> list[ChangeView]:
    """Every change of a deal in the order of time, as known now."""
    rows = [
        view
        for field, table in LEDGERS.items()
        for view in _views(conn, connection_id, field, table.c.deal_id == deal_id)
    ]
    return sorted(rows, key=lambda row: (row.at, row.field, row.id))


def rows_by_id(
    conn: sa.Connection, connection_id: int, wanted: Mapping[str, Collection[int]]
) -> dict[tuple[str, int], ChangeView]:
    """The named rows (field -> row ids), by (field, id); what is not there is left out."""
    return {
        (view.field, view.id): view
        for field, ids in wanted.items()
        for chunk in _chunks(sorted(ids))
        for view in _views(conn, connection_id, field, LEDGERS[field].c.id.in_(chunk))
    }


def count(conn: sa.Connection, connection_id: int) -> int:
    """How many changes the connection's ledgers hold."""
    return sum(
        conn.scalar(
            sa.select(sa.func.count())
            .select_from(table)
            .where(table.c.connection_id == connection_id)
        )
        or 0
        for table in LEDGERS.values()
    )


def _views(
    conn: sa.Connection, connection_id: int, field: str, where: sa.ColumnElement[bool]
) -> list[ChangeView]:
    table = LEDGERS[field]
    old, new, source = (
        table.c.old,
        table.c.new,
        table.outerjoin(PEOPLE, PEOPLE.c.id == table.c.by_id),
    )
    values: tuple[sa.ColumnElement[Any], ...] = (old, new)
    if field in _NAMES:
        named, label = _NAMES[field]
        before, after = named.alias(), named.alias()
        source = source.outerjoin(before, before.c.id == old).outerjoin(after, after.c.id == new)
        values = (before.c[label], after.c[label])
    query = sa.select(
        table.c.id,
        table.c.deal_id,
        table.c.at,
        table.c.seen_at,
        values[0].label("old"),
        values[1].label("new"),
        table.c.by_id,
        PEOPLE.c.crm_id.label("by_crm_id"),
        PEOPLE.c.name.label("by"),
        table.c.source,
        table.c.source_ref.label("ref"),
    ).select_from(source)
    found = conn.execute(query.where(table.c.connection_id == connection_id, where)).mappings()
    return [_view(field, dict(row)) for row in found]


def _view(field: str, row: dict[str, Any]) -> ChangeView:
    row["source"] = SOURCES[row["source"]]
    if field == "forecast":
        for side in ("old", "new"):
            row[side] = None if row[side] is None else FORECASTS[row[side]]
    return ChangeView(field=field, **row)


def _chunks(ids: list[int], size: int = 1000) -> list[list[int]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]
