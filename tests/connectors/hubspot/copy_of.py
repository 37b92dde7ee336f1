"""What a store holds that upserts every page and replaces whole histories."""

from dataclasses import dataclass, field, replace
from typing import Any

from connectors.base import STREAMS, Stream
from connectors.hubspot.connection import HubSpotConnection
from connectors.hubspot.reader import HubSpotReader
from connectors.records import Page

NAMES = ("companies", "deals", "contacts", "activities")


@dataclass
class Copy:
    companies: dict[str, Any] = field(default_factory=dict)
    deals: dict[str, Any] = field(default_factory=dict)
    histories: dict[str, Any] = field(default_factory=dict)
    contacts: dict[str, Any] = field(default_factory=dict)
    activities: dict[str, Any] = field(default_factory=dict)
    cursors: dict[Stream, str | None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def take(self, stream: Stream, page: Page) -> None:
        self.cursors[stream] = page.cursor or self.cursors.get(stream)
        self.warnings += page.warnings
        for name in NAMES:
            getattr(self, name).update({row.crm_id: row for row in getattr(page, name)})
        for crm_id in page.complete_histories:
            self.histories[crm_id] = []
        for change in page.changes:
            self.histories[change.deal_crm_id].append(change)

    def read(self, crm: HubSpotConnection, *, pages: int | None = None) -> HubSpotReader:
        """Read all streams on from their cursors; `pages`: be killed after so many in each."""
        reader = crm.reader()
        for stream in STREAMS:
            for number, page in enumerate(reader.read(stream, self.cursors.get(stream))):
                self.take(stream, page)
                if pages is not None and number + 1 >= pages:
                    break
        return reader

    def again(self) -> "Copy":
        """A copy of this one, to go on with."""
        return replace(
            self,
            **{name: dict(getattr(self, name)) for name in (*NAMES, "histories", "cursors")},
            warnings=[],
        )

    def same_as(self, other: "Copy") -> bool:
        return all(getattr(self, name) == getattr(other, name) for name in (*NAMES, "histories"))
