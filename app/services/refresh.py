"""Refresh: read a CRM through its connector and store what is new."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from app.clock import Clock
from app.errors import Conflict
from app.services.progress import Progress, silent
from app.services.refresh_census import census
from app.services.refresh_context import Context, Tally
from app.services.refresh_ids import Ids
from app.services.refresh_ledger import reconcile
from app.services.refresh_pages import transactions
from app.services.refresh_structure import store_people, store_stages
from app.store import connections, deals
from app.store.columns import from_micros, to_micros
from app.store.database import Database
from connectors.base import STREAMS, Reader, Stream
from connectors.records import AccountInfo, Page

DEALS_A_TRANSACTION = 100
OBJECTS_A_COLLECTION = 20_000  # Python's own: 700


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a refresh did. `read`: records told by the CRM; `inserted`, `updated`: rows of
    deals, people, activities and the like; `changes`: new rows of the ledgers.
    """

    read: int
    inserted: int
    updated: int
    changes: int
    calls: int
    seconds: float
    warnings: tuple[str, ...]


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Look for reference cycles seldom: pages are millions of objects without any, and to go
    through them again and again takes a third of a refresh's CPU time.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(OBJECTS_A_COLLECTION, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@_rarely_collecting()
def refresh(
    db: Database,
    connection_id: int,
    reader: Reader,
    *,
    clock: Clock,
    full: bool = False,
    progress: Progress | None = None,
) -> SyncReport:
    """Read what changed since the stored cursors (`full`: everything) and store it.

    Killed at any line, the next one goes on from the last stored page and ends with the same
    store. Raises `connectors.errors.ConnectorError` where the CRM fails, with all pages
    before it stored; Conflict where the credentials open another account than before.
    """
    started, calls = time.monotonic(), reader.calls
    context = _begin(db, connection_id, reader.account(), clock=clock, full=full)
    _structure(db, context, reader)
    for stream in STREAMS:
        _stream(db, context, reader, stream=stream, progress=progress or silent)
    census(db, context, reader, progress or silent)
    _reconcile(db, context, progress or silent)
    if context.is_first:
        with db.write() as conn:
            seen_at = from_micros(context.seen_at)
            connections.update(conn, connection_id, first_synced_at=seen_at)
    tally = context.tally
    return SyncReport(
        read=tally.read,
        inserted=tally.inserted,
        updated=tally.updated,
        changes=tally.changes,
        calls=reader.calls - calls,
        seconds=round(time.monotonic() - started, 3),
        warnings=tuple(tally.warnings),
    )


def _begin(
    db: Database, connection_id: int, account: AccountInfo, *, clock: Clock, full: bool
) -> Context:
    with db.write() as conn:
        row = connections.by_id(conn, connection_id)
        if row.account_crm_id not in {None, account.crm_id}:
            raise Conflict(
                f"{row.name!r} is the account {row.account_name}, but the CRM answers as "
                f"{account.name}: histories of two accounts never mix"
            )
        connections.update(
            conn,
            connection_id,
            account_crm_id=account.crm_id,
            account_name=account.name,
            time_zone=account.time_zone,
            home_currency=account.home_currency,
            fiscal_start_month=account.fiscal_year_start_month,
            crm_seen_at=account.now,
            crm_seen_by_us_at=clock.now(),
        )
        if full:
            connections.forget_cursors(conn, connection_id)
        return Context(
            connection_id=connection_id,
            ids=Ids(conn, connection_id),
            seen_at=to_micros(account.now),
            is_first=row.first_synced_at is None,
            programs=frozenset((row.setup or {}).get("integration_users", ())),
            tally=Tally(),
        )


def _structure(db: Database, context: Context, reader: Reader) -> None:
    people, stages = reader.people(), reader.stages()
    with db.write() as conn:
        store_people(conn, context, people)
    with db.write() as conn:
        store_stages(conn, context, stages)


def _stream(
    db: Database, context: Context, reader: Reader, *, stream: Stream, progress: Progress
) -> None:
    with db.read() as conn:
        cursor = connections.cursor(conn, context.connection_id, stream)
    done = 0
    progress(stream, 0, None)
    for page in reader.read(stream, cursor):
        whole = _with_missing_deals(db, context, reader, page)
        _store(db, context, whole, stream=stream)
        done += _size(page)
        progress(stream, done, page.total)


def _store(db: Database, context: Context, page: Page, *, stream: Stream) -> None:
    *lots, last = transactions(page)
    for lot in lots:
        with db.write() as conn:
            for step in lot:
                step(conn, context)
    with db.write() as conn:
        for step in last:
            step(conn, context)
        if page.cursor is not None:
            at = from_micros(context.seen_at)
            connections.set_cursor(conn, context.connection_id, stream, value=page.cursor, at=at)
    context.tally.read += _size(page)
    for warning in page.warnings:
        context.tally.warn(warning)


def _with_missing_deals(db: Database, context: Context, reader: Reader, page: Page) -> Page:
    """The page, with the deals that its history names and that we don't have: they were
    created after the stream of deals was read.
    """
    named = {change.deal_crm_id for change in page.changes} - {deal.crm_id for deal in page.deals}
    with db.read() as conn:
        missing = named - deals.ids_by_crm_id(conn, context.connection_id, named).keys()
    if not missing:
        return page
    late = reader.deals_by_id(sorted(missing))
    kept = [row for row in page.changes if row.deal_crm_id not in late.complete_histories]
    return replace(
        page,
        companies=(*late.companies, *page.companies),
        deals=(*late.deals, *page.deals),
        changes=(*late.changes, *kept),
        warnings=(*page.warnings, *late.warnings),
    )


def _size(page: Page) -> int:
    records = (page.companies, page.deals, page.changes, page.activities, page.contacts)
    return sum(map(len, records))


def _reconcile(db: Database, context: Context, progress: Progress) -> None:
    """Look at every deal that changed since the last look, whichever refresh stored it."""
    done, after = 0, 0
    while True:
        with db.write() as conn:
            deal_ids = deals.dirty_ids(
                conn,
                context.connection_id,
                since="reconciled_generation",
                after=after,
                limit=DEALS_A_TRANSACTION,
            )
            if not deal_ids:
                return
            reconcile(conn, context, deal_ids)
        done, after = done + len(deal_ids), deal_ids[-1]
        progress("ledger", done, None)
