"""`connectors.base.Reader` for HubSpot."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from connectors.base import Stream
from connectors.errors import Skip
from connectors.hubspot import activities, mapping, passes
from connectors.hubspot.activities import Links
from connectors.hubspot.client import Client, Row
from connectors.hubspot.deals import Deals
from connectors.hubspot.fields import Fields, Link, Shape
from connectors.hubspot.passes import Cursor, Lot
from connectors.hubspot.structure import Portal, Structure
from connectors.records import (
    AccountInfo,
    ActivityKind,
    ActivityRecord,
    Page,
    PersonRecord,
    StageRecord,
)

COMPANY = Shape(name="companies", needed=("name",), silent=("domain",))
_ACTIVITY = ("hs_timestamp", "hubspot_owner_id")
ACTIVITIES: Sequence[tuple[ActivityKind, Shape]] = (
    (
        "meeting",
        Shape(
            name="meetings",
            optional=(
                *(*_ACTIVITY, "hs_meeting_start_time", "hs_meeting_end_time"),
                "hs_meeting_outcome",
            ),
        ),
    ),
    (
        "call",
        Shape(
            name="calls",
            optional=(
                *(*_ACTIVITY, "hs_call_duration", "hs_call_direction"),
                *("hs_call_disposition", "hs_call_status"),
            ),
        ),
    ),
    ("email", Shape(name="emails", optional=(*_ACTIVITY, "hs_email_direction"))),
    ("note", Shape(name="notes", optional=_ACTIVITY)),
    (
        "task",
        Shape(
            name="tasks",
            optional=(*_ACTIVITY, "hs_task_status"),
            silent=("hs_task_completion_date", activities.KEY),
        ),
    ),
)
_DAILY = timedelta(days=1)
_CONTACTS, _DEALS, _COMPANIES = "contacts", "deals", "companies"
_Pages = Iterator[tuple[Page, Cursor | None]]


class HubSpotReader:
    """Reads one portal. Not for sharing between threads.

    HubSpot gives a deal's history only with the deal, so the pages of `deals` carry the
    histories and the contacts of their deals as well, and those two streams are empty.
    """

    def __init__(self, client: Client, portal: Portal) -> None:
        self._client = client
        self._fields = Fields(client)
        self._structure = Structure(client, portal)
        self._deals = Deals(self._fields, self._structure)

    @property
    def calls(self) -> int:
        """HTTP requests sent so far."""
        return self._client.calls

    def account(self) -> AccountInfo:
        """The portal's identity, time zone, fiscal year and clock."""
        return self._structure.account()

    def stages(self) -> Sequence[StageRecord]:
        """All stages by pipeline. Raises `Fatal` where they can't be read."""
        return self._structure.stages()

    def people(self) -> Sequence[PersonRecord]:
        """All owners, those who left too."""
        return self._structure.people()

    def read(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Pages of a stream; see `connectors.base.Reader`."""
        place: Cursor | None = orjson.loads(cursor) if cursor else None
        passing = self._streams().get(stream)
        if passing is None:
            return
        until = self.account().now
        for page, here in passing(place, until):
            yield replace(
                page,
                cursor=None if here is None else orjson.dumps(here).decode(),
                warnings=[*page.warnings, *self._fields.take_warnings()],
            )

    def deals_by_id(self, crm_ids: Sequence[str]) -> Page:
        """The named deals with their whole history, as they are now."""
        page = self._deals.page(self._deals.named(crm_ids))
        return replace(page, warnings=self._fields.take_warnings())

    def _streams(self) -> Mapping[Stream, Callable[..., _Pages]]:
        """Those that are read by themselves."""
        return {
            "companies": self._companies,
            "deals": self._deal_pages,
            "activities": self._activities,
        }

    def _lots(self, shape: Shape, cursor: Cursor | None, until: datetime) -> Iterator[Lot]:
        if cursor is None or passes.is_full(cursor):
            return passes.everything(self._fields, shape, cursor, until=until)
        return passes.changes(self._fields, shape, cursor, until=until, sweep_every=_DAILY)

    def _companies(self, cursor: Cursor | None, until: datetime) -> _Pages:
        try:
            for lot in self._lots(COMPANY, cursor, until):
                found = [mapping.company(row) for row in lot.rows if not row.get("archived")]
                yield Page(cursor=None, companies=found), lot.cursor
        except Skip as error:
            self._fields.warn(f"companies are not read: {error}")
            yield Page(cursor=None), None

    def _deal_pages(self, cursor: Cursor | None, until: datetime) -> _Pages:
        """With the activities of deals into which others were merged: HubSpot moves them to
        the new deal, which is no change of theirs.
        """
        for page, here in self._deals.read(cursor, until):
            moved = self._of_deals(self._deals.merged)
            yield replace(page, activities=moved), here

    def _of_deals(self, deal_ids: Sequence[str]) -> Sequence[ActivityRecord]:
        found: list[ActivityRecord] = []
        for kind, shape in ACTIVITIES if deal_ids else ():
            try:
                links = self._fields.linked(_DEALS, shape.name, deal_ids)
                ids = sorted({link.crm_id for of_one in links.values() for link in of_one})
                found += self._records(kind, shape, self._fields.by_id(shape, ids))
            except Skip as error:
                self._fields.warn(f"{shape.name} are not read: {error}")
        return found

    def _activities(self, cursor: Cursor | None, until: datetime) -> _Pages:
        """One kind after another, those not read wholly yet first; the cursor holds one for each
        of them. A kind that the token may not see is left out, and read wholly once it may.
        """
        places: dict[str, Any] = dict(cursor or {})
        kinds = sorted(ACTIVITIES, key=lambda each: not passes.is_full(places.get(each[1].name)))
        for kind, shape in kinds:
            try:
                for lot in self._lots(shape, places.get(shape.name), until):
                    places[shape.name] = lot.cursor
                    if lot.rows:
                        found = self._records(kind, shape, lot.rows)
                        yield Page(cursor=None, activities=found), dict(places)
            except Skip as error:
                self._fields.warn(f"{shape.name} are not read: {error}")
        yield Page(cursor=None), places

    def _records(
        self, kind: ActivityKind, shape: Shape, rows: Sequence[Row]
    ) -> Sequence[ActivityRecord]:
        ids = [str(row["id"]) for row in rows if not row.get("archived")]
        deals, companies, contacts = (
            self._fields.linked(shape.name, target, ids)
            for target in (_DEALS, _COMPANIES, _CONTACTS)
        )
        return [
            activities.activity(
                kind,
                row,
                Links(
                    deals=_ids(deals, row),
                    companies=_ids(companies, row),
                    contacts=_ids(contacts, row),
                ),
            )
            for row in rows
        ]


def _ids(links: Mapping[str, Sequence[Link]], row: Mapping[str, Any]) -> Sequence[str]:
    return [link.crm_id for link in links.get(str(row["id"]), ())]
