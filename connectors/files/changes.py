"""History rows of one deal to changes with an old and a new value."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from connectors.files.history import FIELDS, History, HistoryRow
from connectors.records import ChangeRecord, ChangeValue, DealRecord

AT_CREATION = timedelta(minutes=1)  # exports tell instants to the minute


def changes_of(deal: DealRecord, history: History) -> Iterator[ChangeRecord]:
    """The changes of a deal, by time. Each field begins with a row whose old value is None.

    A field without a row gets one only where its value at creation is sure: in a log of
    changes that keeps the field and began before the deal. Nothing is made up for the rest.
    """
    rows = history.rows.get(deal.crm_id, ())
    current = _current(deal)
    known: dict[str, ChangeValue] = {}
    for column in FIELDS:
        first = next((row for row in rows if column in row.values), None)
        start = _at_creation(deal, history, column, first=first, current=current)
        if start is not None:
            known[column] = start
            yield _change(deal, column, new=start)
    for row in rows:
        for column, new in row.values.items():
            old = row.before.get(column, known.get(column))
            if column in known and old == new:
                continue
            is_first = column not in known
            yield _change(deal, column, old=old, new=new, row=row, is_first=is_first)
            known[column] = new


def _at_creation(
    deal: DealRecord,
    history: History,
    column: str,
    *,
    first: HistoryRow | None,
    current: Mapping[str, ChangeValue],
) -> ChangeValue:
    """The value that the deal was created with, where no row of its own tells it."""
    if first is not None:
        created_by_row = first.at <= deal.created_at + AT_CREATION
        return None if created_by_row else first.before.get(column)
    is_whole = history.starts_at is not None and history.starts_at <= deal.created_at
    return current[column] if history.is_log and column in history.tracked and is_whole else None


def _current(deal: DealRecord) -> Mapping[str, ChangeValue]:
    return {
        "stage": deal.stage_crm_id,
        "close_date": deal.close_on,
        "amount": deal.amount,
        "forecast_category": deal.forecast,
        "owner_id": deal.owner_crm_id,
        "pipeline": deal.pipeline_crm_id,
        "next_step": deal.next_step,
    }


def _change(
    deal: DealRecord,
    column: str,
    *,
    new: ChangeValue,
    old: ChangeValue = None,
    row: HistoryRow | None = None,
    is_first: bool = True,
) -> ChangeRecord:
    at = deal.created_at if row is None else row.at
    if is_first and abs(at - deal.created_at) <= AT_CREATION:
        at = deal.created_at
    return ChangeRecord(
        deal_crm_id=deal.crm_id,
        field=FIELDS[column],
        at=at,
        old=old,
        new=new,
        source_ref=f"first:{column}" if row is None else row.ref,
        by_crm_id=deal.created_by_crm_id if row is None else row.by,
        source="unknown" if row is None else row.source,
    )
