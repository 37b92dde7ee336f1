"""Refresh: once a week the ids of all deals are compared, for what no change tells.

Deals that were purged, or taken from the user's sight, vanish from a CRM without a trace; deals
that come into its sight carry an old modification. Neither is found by reading what changed.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa

from app.services.progress import Progress
from app.services.refresh_context import Context
from app.services.refresh_pages import transactions
from app.store import connections
from app.store.columns import from_micros
from app.store.database import Database
from app.store.deals import DEALS, raise_generation
from connectors.base import Census, Reader

STREAM = "census"
EVERY = timedelta(days=7)
MOST_GONE = 0.2
"""More than this share of the deals gone at once is no tidying up: the user lost its rights."""
FEW = 20
"""So many may always go."""
_A_CALL = 200
_Id = TypeVar("_Id", int, str)


def census(db: Database, context: Context, reader: Reader, progress: Progress) -> None:
    """Mark deals as deleted that the CRM no longer has, and read those that it has and we lack;
    a week after the last time, and at each full refresh.
    """
    if not isinstance(reader, Census) or not _is_due(db, context):
        return
    if not context.is_first:  # all of it has just been read
        _compare(db, context, reader, progress)
    at = from_micros(context.seen_at)
    with db.write() as conn:
        connections.set_cursor(conn, context.connection_id, STREAM, value=at.isoformat(), at=at)


def _is_due(db: Database, context: Context) -> bool:
    with db.read() as conn:
        last = connections.cursor(conn, context.connection_id, STREAM)
    return last is None or from_micros(context.seen_at) - datetime.fromisoformat(last) >= EVERY


def _compare(db: Database, context: Context, reader: Census, progress: Progress) -> None:
    with db.read() as conn:
        mine = DEALS.c.connection_id == context.connection_id
        columns = sa.select(DEALS.c.crm_id, DEALS.c.id, DEALS.c.deleted_at).where(mine)
        ours = {
            crm_id: (deal_id, deleted_at) for crm_id, deal_id, deleted_at in conn.execute(columns)
        }
    theirs: set[str] = set()
    for ids in reader.deal_ids():
        theirs.update(ids)
        progress(STREAM, len(theirs), None)
    stand = {
        crm_id: deal_id for crm_id, (deal_id, deleted_at) in ours.items() if deleted_at is None
    }
    gone = [deal_id for crm_id, deal_id in stand.items() if crm_id not in theirs]
    if len(gone) > max(FEW, len(stand) * MOST_GONE):
        context.tally.warn(
            f"{len(gone):,} of {len(stand):,} deals can no longer be seen: they are kept, since so "
            "many at once look like a right that was taken from the user (View All)"
        )
    else:
        _delete(db, context, gone)
    _read(db, context, reader, sorted(theirs - stand.keys()))


def _lots(ids: Sequence[_Id]) -> Iterator[Sequence[_Id]]:
    return (ids[start : start + _A_CALL] for start in range(0, len(ids), _A_CALL))


def _delete(db: Database, context: Context, deal_ids: Sequence[int]) -> None:
    for some in _lots(deal_ids):
        with db.write() as conn:
            mine = (DEALS.c.connection_id == context.connection_id) & DEALS.c.id.in_(some)
            at = from_micros(context.seen_at)
            conn.execute(sa.update(DEALS).where(mine).values(deleted_at=at))
            raise_generation(conn, context.connection_id, some)
        context.tally.updated += len(some)


def _read(db: Database, context: Context, reader: Census, crm_ids: Sequence[str]) -> None:
    for some in _lots(crm_ids):
        page = reader.deals_by_id(some)
        for lot in transactions(page):
            with db.write() as conn:
                for step in lot:
                    step(conn, context)
        context.tally.read += len(page.deals) + len(page.changes)
        for warning in page.warnings:
            context.tally.warn(warning)
