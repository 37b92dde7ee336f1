"""Refresh: storing a page in short transactions, its cursor with the last of them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

import sqlalchemy as sa

from app.services.refresh_activities import end_roles, store_activities, store_contacts
from app.services.refresh_changes import store_changes
from app.services.refresh_context import Context
from app.store.columns import to_days, to_micros
from app.store.deals import COMPANIES, DEALS
from app.store.merge import Sheet, merge, select_in
from connectors.records import CompanyRecord, DealRecord, Page
from rules.tables import FORECASTS

ROWS_A_TRANSACTION = 500  # about 20 ms: other writers wait no longer

Step = Callable[[sa.Connection, Context], None]
_Record = TypeVar("_Record")

_COMPANY = Sheet(table=COMPANIES, columns=("crm_id", "name"))
_DEAL = Sheet(
    table=DEALS,
    columns=(
        "crm_id",
        "name",
        "pipeline_id",
        "stage_id",
        "company_id",
        "owner_id",
        "created_by_id",
        "modified_by_id",
        "amount",
        "currency",
        "close_on",
        "deal_type",
        "lead_source",
        "next_step",
        "forecast",
        "is_closed",
        "is_won",
        "is_private",
        "created_at",
        "modified_at",
        "deleted_at",
    ),
    raises="generation",
)


def transactions(page: Page) -> Iterator[list[Step]]:
    """What to store of a page, in lots that fit one short transaction each; at least one lot.

    A page stored twice, or stored in part and then whole, gives the same store.
    """
    lot: list[Step] = []
    filled = 0
    for weight, step in _steps(page):
        if lot and filled + weight > ROWS_A_TRANSACTION:
            yield lot
            lot, filled = [], 0
        lot.append(step)
        filled += weight
    yield lot


def _steps(page: Page) -> Iterator[tuple[int, Step]]:
    for companies in _lots(page.companies):
        yield len(companies), _bound(store_companies, companies)
    for deals in _lots(page.deals):
        yield len(deals), _bound(store_deals, deals)
    # A history is stored whole: what comes before a row decides what it means.
    ordered = sorted(page.changes, key=attrgetter("deal_crm_id", "at"))
    histories = [list(rows) for _, rows in groupby(ordered, key=attrgetter("deal_crm_id"))]
    for lot in _packed(histories):
        yield len(lot), _bound(store_changes, lot)
    for activities in _lots(page.activities):
        yield len(activities), _bound(store_activities, activities)
    for contacts in _lots(page.contacts):
        yield len(contacts), _bound(store_contacts, contacts)
    told = frozenset(role.crm_id for role in page.contacts)
    for deal_crm_ids in _lots(sorted(page.complete_contacts)):
        yield len(deal_crm_ids), partial(end_roles, deal_crm_ids=deal_crm_ids, told=told)


def _bound(
    store: Callable[[sa.Connection, Context, Sequence[_Record]], None], records: Sequence[_Record]
) -> Step:
    return lambda conn, context: store(conn, context, records)


def _lots(records: Sequence[_Record]) -> Iterator[Sequence[_Record]]:
    for start in range(0, len(records), ROWS_A_TRANSACTION):
        yield records[start : start + ROWS_A_TRANSACTION]


def _packed(groups: Sequence[list[_Record]]) -> Iterator[list[_Record]]:
    lot: list[_Record] = []
    for group in groups:
        if lot and len(lot) + len(group) > ROWS_A_TRANSACTION:
            yield lot
            lot = []
        lot = [*lot, *group]
    if lot:
        yield lot


def store_companies(
    conn: sa.Connection, context: Context, companies: Sequence[CompanyRecord]
) -> None:
    """Companies by name."""
    rows = [(company.crm_id, company.name) for company in companies]
    context.tally.add(merge(conn, _COMPANY, rows, connection_id=context.connection_id))
    context.ids.reload(conn, "companies", (company.crm_id for company in companies))


def store_deals(conn: sa.Connection, context: Context, deals: Sequence[DealRecord]) -> None:
    """Deals as the CRM has them now; of two readings of one deal the newest counts."""
    values = {deal.crm_id for deal in deals}
    known = select_in(conn, DEALS, ("crm_id", "modified_at"), context.connection_id, values=values)
    newest: dict[str, int] = dict(known)
    fresh = [
        deal
        for deal in sorted(deals, key=attrgetter("modified_at"))
        if to_micros(deal.modified_at) >= newest.get(deal.crm_id, 0)
    ]
    _learn(conn, context, fresh)
    rows = [_row(context, deal) for deal in fresh]
    written = merge(
        conn,
        _DEAL,
        rows,
        connection_id=context.connection_id,
        on_insert={"first_seen_at": context.seen_at},
    )
    context.tally.add(written)


def _learn(conn: sa.Connection, context: Context, deals: Collection[DealRecord]) -> None:
    ids = context.ids
    for of_person in ("owner_crm_id", "created_by_crm_id", "modified_by_crm_id"):
        ids.learn(conn, "people", map(attrgetter(of_person), deals))
    ids.learn(conn, "companies", (deal.company_crm_id for deal in deals))
    ids.learn(conn, "pipelines", (deal.pipeline_crm_id for deal in deals))
    ids.learn_stages(
        conn,
        {
            (_pipeline(context, deal), deal.stage_crm_id): (deal.is_closed, deal.is_won)
            for deal in deals
        },
    )


def _pipeline(context: Context, deal: DealRecord) -> int:
    pipeline_id = context.ids.of("pipelines", deal.pipeline_crm_id)
    if pipeline_id is None:
        raise ValueError(f"the deal {deal.crm_id} has no pipeline")
    return pipeline_id


def _row(context: Context, deal: DealRecord) -> tuple[object, ...]:
    ids = context.ids
    pipeline_id = _pipeline(context, deal)
    return (
        deal.crm_id,
        deal.name,
        pipeline_id,
        ids.stage(pipeline_id, deal.stage_crm_id),
        ids.of("companies", deal.company_crm_id),
        ids.of("people", deal.owner_crm_id),
        ids.of("people", deal.created_by_crm_id),
        ids.of("people", deal.modified_by_crm_id),
        deal.amount,
        deal.currency,
        None if deal.close_on is None else to_days(deal.close_on),
        deal.deal_type,
        deal.lead_source,
        deal.next_step,
        None if deal.forecast is None else FORECASTS.index(deal.forecast),
        deal.is_closed,
        deal.is_won,
        deal.is_private,
        to_micros(deal.created_at),
        to_micros(deal.modified_at),
        to_micros(deal.modified_at) if deal.is_deleted else None,
    )
