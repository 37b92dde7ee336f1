"""The ledger: our append-only record of changes, typed and split by field.

Splitting by field halves scoring time (measured). `old` and `new` are ids of ours for
stage, owner and pipeline, days for the close date, 1/10,000 of the unit for the amount,
codes for the forecast category. A row is identified by (connection, deal, at, source_ref).
"""

from typing import Any

import sqlalchemy as sa

from app.store.columns import METADATA, Day, Instant, Key


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
