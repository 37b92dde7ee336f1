"""`connectors.base.Reader` for Salesforce."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from connectors.base import Stream
from connectors.errors import Skip
from connectors.records import AccountInfo, Page, PersonRecord, StageRecord
from connectors.salesforce import activities, mapping, structure
from connectors.salesforce.client import Client, Row, chunks, in_list
from connectors.salesforce.fields import HIDDEN, Fields, Shape
from connectors.salesforce.history import of_deals
from connectors.salesforce.history_bulk import histories
from connectors.salesforce.keyset import Cursor, by_id, portions

_STAMP = ("Id", "SystemModstamp", "IsDeleted")
ACCOUNT = Shape(sobject="Account", needed=(*_STAMP, "Name"))
DEAL = Shape(
    sobject="Opportunity",
    needed=(
        *_STAMP,
        *("Name", "StageName", "CloseDate", "CreatedDate", "OwnerId", "IsClosed", "IsWon"),
    ),
    optional=(
        *("AccountId", "Amount", "CreatedById", "LastModifiedById", "IsPrivate", "Type"),
        *("LeadSource", "NextStep", "ForecastCategory"),
    ),
    silent=("ForecastCategoryName", "RecordTypeId", "CurrencyIsoCode"),
)
DEAL_ID = Shape(sobject="Opportunity", needed=("Id",))
CONTACT_ROLE = Shape(
    sobject="OpportunityContactRole",
    needed=(*_STAMP, "OpportunityId", "ContactId"),
    optional=("Role", "IsPrimary", "Contact.Title"),
)
_ACTIVITY = (*_STAMP, "CreatedDate")
TASK = Shape(
    sobject="Task",
    needed=(*_ACTIVITY, "IsClosed"),
    optional=("WhatId", "WhoId", "AccountId", "OwnerId", "ActivityDate", "TaskSubtype"),
    silent=(
        *("CompletedDateTime", "Type", "CallDisposition", "CallDurationInSeconds", "CallType"),
        *("IsRecurrence", activities.KEY_FIELD),
    ),
)
EVENT = Shape(
    sobject="Event",
    needed=_ACTIVITY,
    optional=(
        *("WhatId", "WhoId", "AccountId", "OwnerId", "ActivityDate", "StartDateTime"),
        *("DurationInMinutes", "Subject"),
    ),
    silent=("ActivityDateTime", "IsChild", "IsRecurrence", "No_Show__c"),
)
EMAIL = Shape(
    sobject="EmailMessage",
    needed=_ACTIVITY,
    optional=("RelatedToId", "Incoming", "MessageDate", "CreatedById"),
)
_ACTIVITIES = ((TASK, activities.task), (EVENT, activities.event), (EMAIL, activities.email))


class SalesforceReader:
    """Reads one org. Not for sharing between threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._fields = Fields(client)
        self._deals_until: datetime | None = None

    @property
    def calls(self) -> int:
        """HTTP requests sent so far."""
        return self._client.calls

    def account(self) -> AccountInfo:
        """The org's identity, time zone, fiscal year and clock."""
        return structure.account(self._client, self._fields)

    def stages(self) -> Sequence[StageRecord]:
        """All stages by record type, inactive ones too."""
        return structure.stages(self._client, self._fields)

    def people(self) -> Sequence[PersonRecord]:
        """All users but portal customers, inactive ones too."""
        return structure.people(self._fields)

    def read(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Pages of a stream; see `connectors.base.Reader`."""
        place: Cursor | None = orjson.loads(cursor) if cursor else None
        # The clock of the last answer: what changes after it is read by the next run.
        until = self._client.now()
        if stream == "deals":
            self._deals_until = until
        try:
            for page, here in self._streams()[stream](place, until):
                yield replace(
                    page,
                    cursor=orjson.dumps(here).decode(),
                    warnings=[*page.warnings, *self._fields.take_warnings()],
                )
        except Skip as error:
            if stream == "deals":
                raise
            self._leave_out(stream, error)
            # No cursor: once the object is shown, all of it is read.
            yield Page(cursor=None, warnings=self._fields.take_warnings())

    def deals_by_id(self, crm_ids: Sequence[str]) -> Page:
        """The named deals with their whole history, as they are now."""
        rows: list[Row] = []
        for ids in chunks(crm_ids):
            for found in self._fields.query(DEAL, f"WHERE Id IN {in_list(ids)}", deleted=True):
                rows.extend(found.rows)
        page = Page(cursor=None, deals=[mapping.deal(row) for row in rows])
        try:
            changes = [change for portion in of_deals(self._fields, rows) for change in portion]
        except Skip as error:
            self._leave_out("history", error)
        else:
            whole = frozenset(row["Id"] for row in rows)
            page = replace(page, changes=changes, complete_histories=whole)
        return replace(page, warnings=self._fields.take_warnings())

    def deal_ids(self) -> Iterator[Sequence[str]]:
        """The ids of all deals that the user can see, deleted ones left out."""
        for page in by_id(self._fields, DEAL_ID, None, deleted=False):
            yield [row["Id"] for row in page.rows]

    def _leave_out(self, what: str, error: Skip) -> None:
        """Go on without an object that the user can't see; raise what is no such error."""
        if error.code != HIDDEN:
            raise error
        self._fields.warn(f"{what} is not read: {error}")

    def _streams(self) -> Mapping[Stream, Callable[..., Iterator[tuple[Page, Cursor]]]]:
        return {
            "companies": self._companies,
            "deals": self._deals,
            "history": self._history,
            "contacts": self._contacts,
            "activities": self._activities,
        }

    def _companies(self, cursor: Cursor | None, until: datetime) -> Iterator[tuple[Page, Cursor]]:
        for part in portions(self._fields, ACCOUNT, cursor, until=until):
            found = [mapping.company(row) for row in part.rows if not row["IsDeleted"]]
            yield Page(cursor=None, companies=found, total=part.total), part.cursor

    def _deals(self, cursor: Cursor | None, until: datetime) -> Iterator[tuple[Page, Cursor]]:
        for part in portions(self._fields, DEAL, cursor, until=until):
            found = [mapping.deal(row) for row in part.rows]
            yield Page(cursor=None, deals=found, total=part.total), part.cursor

    def _contacts(self, cursor: Cursor | None, until: datetime) -> Iterator[tuple[Page, Cursor]]:
        for part in portions(self._fields, CONTACT_ROLE, cursor, until=until):
            found = [mapping.contact(row) for row in part.rows]
            yield Page(cursor=None, contacts=found, total=part.total), part.cursor

    def _history(self, cursor: Cursor | None, until: datetime) -> Iterator[tuple[Page, Cursor]]:
        # A deal made after the deals were read is not stored yet; its history waits too.
        until = min(until, self._deals_until or until)
        for part in histories(self._fields, cursor, until=until):
            page = Page(
                cursor=None,
                changes=part.changes,
                complete_histories=part.crm_ids,
                total=part.total,
            )
            yield page, part.cursor

    def _activities(self, cursor: Cursor | None, until: datetime) -> Iterator[tuple[Page, Cursor]]:
        """Tasks, then events, then mails; the cursor holds one for each of them."""
        places: dict[str, Any] = dict(cursor or {})
        for shape, to_record in _ACTIVITIES:
            try:
                for part in portions(self._fields, shape, places.get(shape.sobject), until=until):
                    places[shape.sobject] = part.cursor
                    found = [to_record(row) for row in part.rows if not _is_shadow(row)]
                    if found or "job" in part.cursor:
                        page = Page(cursor=None, activities=found, total=part.total)
                        yield page, dict(places)
            except Skip as error:
                self._leave_out(shape.sobject, error)
        yield Page(cursor=None), places


def _is_shadow(row: Row) -> bool:
    """A row that stands for nothing that took place: a group event's copy for a colleague, or
    the pattern of a recurring series, whose occurrences are rows of their own.
    """
    return bool(row.get("IsChild") or row.get("IsRecurrence"))
