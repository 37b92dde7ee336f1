"""Whole histories of all deals from one bulk job over OpportunityHistory, deal by deal."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from connectors.errors import Skip
from connectors.records import ChangeRecord
from connectors.salesforce import bulk, field_history, history
from connectors.salesforce.client import Row, chunks
from connectors.salesforce.fields import Fields
from connectors.salesforce.history import HISTORY, Histories
from connectors.salesforce.keyset import Cursor, soql_instant
from connectors.salesforce.mapping import changes

_ROWS = replace(
    HISTORY,
    needed=(*HISTORY.needed, "Opportunity.CreatedDate"),
    optional=(*HISTORY.optional, "Opportunity.CreatedById"),
)
_ORDER = "ORDER BY OpportunityId, CreatedDate, Id"
_deal_of = itemgetter("OpportunityId")


def histories(fields: Fields, cursor: Cursor | None, *, until: datetime) -> Iterator[Histories]:
    """See `history.histories`; the first read of many rows is done by bulk.

    Its cursors are `{until, job, total, locator, skip}`: the page to go on with, and the deal
    whose rows at its beginning belong to a history that was told before.
    A deal without any row of history is not told of.
    """
    if cursor is None or "job" in cursor:
        if (yield from _in_bulk(fields, cursor, until=until)):
            return
        cursor = None
    yield from history.histories(fields, cursor, until=until)


def _in_bulk(
    fields: Fields, cursor: Cursor | None, *, until: datetime
) -> Generator[Histories, None, bool]:
    """False where there is nothing left but to read by REST, from the beginning."""
    place = cursor or _new_job(fields, until)
    if place is None:
        return False
    if cursor is None:
        yield Histories(frozenset(), (), place, None)
    try:
        for rows, here in _whole(fields, place):
            deals = list(_by_deal(rows))
            yield Histories(
                frozenset(deal["Id"] for deal, _ in deals),
                _changes(fields, deals),
                here,
                place["total"],
            )
    except Skip as error:
        if not bulk.is_lost(error):
            raise
        fields.warn(f"{_ROWS.sobject} is read by REST: {error}")
        return False
    history.warn_of_gap(fields)
    yield Histories(frozenset(), (), history.done(fields, place["until"]), None)
    return True


def _new_job(fields: Fields, until: datetime) -> Cursor | None:
    told = (fields.describe(_ROWS.sobject) or {}).values()
    if not any(each.get("relationshipName") == "Opportunity" for each in told):
        return None
    # Rows that come later are found by the next run; whole histories they do not complete now.
    job = bulk.begin(fields, _ROWS, f"CreatedDate <= {soql_instant(until)}", _ORDER)
    if job is None:
        return None
    return {"until": until.isoformat(), "job": job.id, "total": job.rows, "locator": ""}


def _whole(fields: Fields, place: Cursor) -> Iterator[tuple[Sequence[Row], Cursor]]:
    """The job's rows in portions that end where a deal's do, each with the cursor after it.

    The last deal of a page waits for the next page, so the cursor points at the page in which
    that deal begins.
    """
    held: list[Row] = []
    skip, start = place.get("skip"), place["locator"]
    for part in bulk.parts(fields, _ROWS, place["job"], start):
        fresh = part.rows
        if part.locator == place["locator"]:
            fresh = [row for row in fresh if _deal_of(row) != skip]
        before = _deal_of(held[0]) if held else skip
        rows = [*held, *fresh]
        last = _deal_of(rows[-1]) if rows and part.following is not None else None
        if not held or before != last:
            skip, start = before, part.locator
        held = [row for row in rows if _deal_of(row) == last]
        whole = rows[: len(rows) - len(held)]
        here = {**place, "locator": start, "skip": skip}
        if here != place:  # else all of it was stored with this very cursor
            yield whole, here


def _by_deal(rows: Sequence[Row]) -> Iterator[tuple[Row, Sequence[Row]]]:
    """Each deal, as far as its history tells of it, with its rows."""
    for crm_id, group in groupby(rows, key=_deal_of):
        own = list(group)
        parent: Mapping[str, Any] = own[0].get("Opportunity") or {}
        created_at = parent.get("CreatedDate") or own[0]["CreatedDate"]
        deal = {
            "Id": crm_id,
            "CreatedDate": created_at,
            "CreatedById": parent.get("CreatedById"),
        }
        yield deal, own


def _changes(fields: Fields, deals: Sequence[tuple[Row, Sequence[Row]]]) -> list[ChangeRecord]:
    found: list[ChangeRecord] = []
    tracked: dict[str, Sequence[Row]] = {}
    for ids in chunks([deal["Id"] for deal, _ in deals]):
        tracked.update(field_history.of_deals(fields, ids))
    for deal, rows in deals:
        found += changes(deal, rows)
        found += field_history.changes(deal, tracked.get(deal["Id"], ()))
    return found
