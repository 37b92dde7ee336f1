"""Whole histories of deals from OpportunityHistory, with those of OpportunityFieldHistory.

The API gives no earlier stage, so a deal's rows are always read together. The pass goes
over the deals, not over the history rows, because a deal without any row has a history
too: its creation.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.records import ChangeRecord
from connectors.salesforce import field_history
from connectors.salesforce.client import Row, chunks, in_list
from connectors.salesforce.fields import Fields, Shape
from connectors.salesforce.keyset import Cursor, by_id, since_of, soql_instant
from connectors.salesforce.mapping import changes, instant

OPPORTUNITY = Shape(
    sobject="Opportunity",
    needed=("Id", "CreatedDate", "StageName", "CloseDate"),
    optional=("CreatedById", "Amount", "ForecastCategory"),
)
HISTORY = Shape(
    sobject="OpportunityHistory",
    needed=("Id", "OpportunityId", "CreatedDate", "StageName", "CloseDate"),
    optional=("CreatedById", "Amount", "ForecastCategory"),
    silent=("PrevCloseDate", "PrevAmount"),
)
_CHANGED = Shape(sobject="OpportunityHistory", needed=("Id", "OpportunityId"))
_CREATED = Shape(sobject="Opportunity", needed=("Id",))
_CREATED_AT = Shape(sobject="Opportunity", needed=("Id", "CreatedDate"))
_TRACKED = "tracked"
_EVER = soql_instant(datetime(1970, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Histories:
    """The whole histories of the named deals, and the cursor to store with them."""

    crm_ids: frozenset[str]
    changes: Sequence[ChangeRecord]
    cursor: Cursor
    total: int | None


def histories(fields: Fields, cursor: Cursor | None, *, until: datetime) -> Iterator[Histories]:
    """Everything (no cursor, or one inside a full pass), else the histories that changed.

    Cursors: `{until, full_after}` inside a full pass, `{since, until, after}` inside an
    incremental one, `{since}` at the end of either, with `tracked` where field history
    is on. Ends with a portion that closes it.
    """
    if cursor is None or "full_after" in cursor:
        yield from _all(fields, cursor, until=until)
    else:
        yield from _changed(fields, cursor, until=until)


def of_deals(fields: Fields, opportunities: Sequence[Row]) -> Iterator[Sequence[ChangeRecord]]:
    """Changes of the given Opportunity rows, in portions whose ids one query can carry."""
    by_id = {row["Id"]: row for row in opportunities}
    for ids in chunks(list(by_id)):
        where = f"WHERE OpportunityId IN {in_list(ids)} ORDER BY OpportunityId, CreatedDate, Id"
        rows: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for page in fields.query(HISTORY, where, deleted=True):
            for row in page.rows:
                rows[row["OpportunityId"]].append(row)
        tracked = field_history.of_deals(fields, ids)
        yield [
            change
            for crm_id in ids
            for change in (
                *changes(by_id[crm_id], rows[crm_id]),
                *field_history.changes(by_id[crm_id], tracked.get(crm_id, ())),
            )
        ]


def _all(fields: Fields, cursor: Cursor | None, *, until: datetime) -> Iterator[Histories]:
    begun = cursor["until"] if cursor else until.isoformat()
    for page in by_id(fields, OPPORTUNITY, cursor["full_after"] if cursor else None):
        rows = {row["Id"]: row for row in page.rows}
        for ids in chunks(list(rows)):
            here: Cursor = {"until": begun, "full_after": ids[-1]}
            yield _portion(fields, [rows[crm_id] for crm_id in ids], here, page.total)
    warn_of_gap(fields)
    yield Histories(frozenset(), (), done(fields, begun), None)


def _changed(fields: Fields, cursor: Cursor, *, until: datetime) -> Iterator[Histories]:
    """Ids are visited in our own order. A deal touched again since an interrupted run began
    may be passed over here; it lies after that run's `until` and so in the next run.
    """
    begun = cursor.get("until", until.isoformat())
    base = {key: cursor[key] for key in ("since", _TRACKED) if key in cursor}
    ids = _touched(fields, base)
    left = sorted(crm_id for crm_id in ids if crm_id > cursor.get("after", ""))
    for portion in chunks(left):
        rows = list(_opportunities(fields, portion))
        here = {**base, "until": begun, "after": portion[-1]}
        yield _portion(fields, rows, here, len(ids))
    yield Histories(frozenset(), (), done(fields, begun), None)


def done(fields: Fields, begun: str) -> Cursor:
    """What is read up to `begun`, and whether field history was on by then: where it is not,
    all of it is new once it appears.
    """
    return {"since": begun, **({_TRACKED: True} if field_history.is_on(fields) else {})}


def warn_of_gap(fields: Fields) -> None:
    """Warn where field history begins later than the first deal was made."""
    if not field_history.is_on(fields):
        return
    first = fields.query(_CREATED_AT, "ORDER BY CreatedDate LIMIT 1", deleted=True)
    for row in (row for page in first for row in page.rows):
        field_history.warn_of_gap(fields, instant(row["CreatedDate"]))


def _touched(fields: Fields, base: Cursor) -> set[str]:
    """Deals with a new or superseded history row, and new deals, which may have no row yet."""
    since = soql_instant(since_of(base))
    where = f"WHERE CreatedDate >= {since} OR SystemModstamp >= {since}"
    touched = {
        row["OpportunityId"]
        for page in fields.query(_CHANGED, where, deleted=True)
        for row in page.rows
    }
    created = f"WHERE CreatedDate >= {since}"
    for page in fields.query(_CREATED, created, deleted=True):
        touched.update(row["Id"] for row in page.rows)
    return touched | field_history.touched(fields, since if _TRACKED in base else _EVER)


def _opportunities(fields: Fields, ids: Sequence[str]) -> Iterator[Row]:
    for page in fields.query(OPPORTUNITY, f"WHERE Id IN {in_list(ids)}", deleted=True):
        yield from page.rows


def _portion(fields: Fields, rows: Sequence[Row], cursor: Cursor, total: int) -> Histories:
    found = [change for portion in of_deals(fields, rows) for change in portion]
    return Histories(frozenset(row["Id"] for row in rows), found, cursor, total)
