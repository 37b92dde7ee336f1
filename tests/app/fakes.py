"""A CRM in memory: a real Reader over records, with pages, cursors and trouble on demand."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from connectors.base import Stream
from connectors.errors import Retry
from connectors.records import (
    AccountInfo,
    ActivityRecord,
    ChangeRecord,
    CompanyRecord,
    ContactRecord,
    DealRecord,
    Page,
    PersonRecord,
    StageRecord,
)

_Record = TypeVar("_Record")


@dataclass
class FakeCrm:
    """What the CRM holds; a test changes it between two refreshes."""

    now: datetime
    companies: list[CompanyRecord] = field(default_factory=list)
    deals: list[DealRecord] = field(default_factory=list)
    changes: list[ChangeRecord] = field(default_factory=list)
    activities: list[ActivityRecord] = field(default_factory=list)
    contacts: list[ContactRecord] = field(default_factory=list)
    stages: list[StageRecord] = field(default_factory=list)
    people: list[PersonRecord] = field(default_factory=list)
    crm_id: str = "00D1"

    def change_deal(self, crm_id: str, **values: object) -> None:
        """Edit a deal as a person would."""
        self.deals = [
            replace(deal, **values) if deal.crm_id == crm_id else deal  # type: ignore[arg-type]
            for deal in self.deals
        ]


class FakeReader:
    """Reads a FakeCrm. `shuffle` gives pages in another order, `fail_after` stops it with
    Retry after so many pages. A cursor is the number of the next page; that of the last page
    says 0: the look-back of this CRM is everything.
    """

    def __init__(
        self,
        crm: FakeCrm,
        *,
        page_size: int = 3,
        shuffle: int | None = None,
        fail_after: int | None = None,
    ) -> None:
        self.crm = crm
        self.pages = 0
        self._page_size = page_size
        self._shuffle = shuffle
        self._fail_after = fail_after

    @property
    def calls(self) -> int:
        return self.pages

    def account(self) -> AccountInfo:
        return AccountInfo(
            crm_id=self.crm.crm_id,
            name="Acme",
            time_zone="Europe/Berlin",
            home_currency="EUR",
            fiscal_year_start_month=2,
            now=self.crm.now,
        )

    def stages(self) -> Sequence[StageRecord]:
        return self.crm.stages

    def people(self) -> Sequence[PersonRecord]:
        return self.crm.people

    def read(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        start = int(cursor or 0)
        pages = self._pages(stream)[start:]
        if self._shuffle is not None:
            random.Random(self._shuffle).shuffle(pages)
        for number, page in enumerate(pages, start=start + 1):
            if self.pages == self._fail_after:
                raise Retry("the line was cut")
            self.pages += 1
            is_last = number == start + len(pages)
            # Out of order, no page's end says where to go on.
            going_on = None if self._shuffle is not None else str(number)
            yield replace(page, cursor="0" if is_last else going_on)

    def deals_by_id(self, crm_ids: Sequence[str]) -> Page:
        self.pages += 1
        wanted = frozenset(crm_ids)
        return Page(
            cursor=None,
            deals=[deal for deal in self.crm.deals if deal.crm_id in wanted],
            changes=[change for change in self.crm.changes if change.deal_crm_id in wanted],
            complete_histories=wanted,
        )

    def _pages(self, stream: Stream) -> list[Page]:
        match stream:
            case "companies":
                return [Page(cursor=None, companies=lot) for lot in self._lots(self.crm.companies)]
            case "deals":
                return [Page(cursor=None, deals=lot) for lot in self._lots(self.crm.deals)]
            case "history":
                return self._histories()
            case "contacts":
                return [Page(cursor=None, contacts=lot) for lot in self._lots(self.crm.contacts)]
            case "activities":
                return [
                    Page(cursor=None, activities=lot) for lot in self._lots(self.crm.activities)
                ]

    def _histories(self) -> list[Page]:
        deals = list(dict.fromkeys(change.deal_crm_id for change in self.crm.changes))
        return [
            Page(
                cursor=None,
                changes=[row for row in self.crm.changes if row.deal_crm_id in set(lot)],
                complete_histories=frozenset(lot),
            )
            for lot in self._lots(deals)
        ]

    def _lots(self, records: Sequence[_Record]) -> list[Sequence[_Record]]:
        size = self._page_size
        return [records[start : start + size] for start in range(0, len(records), size)]
