"""Deals with their whole history, companies and contacts: one pass serves all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.errors import Skip
from connectors.hubspot import history, mapping, passes
from connectors.hubspot.client import Row
from connectors.hubspot.fields import Fields, Link, Shape, needed
from connectors.hubspot.structure import Structure
from connectors.records import ChangeRecord, ContactRecord, DealRecord, Page

_STAMPS = ("hs_lastmodifieddate",)
DEAL = Shape(
    name="deals",
    needed=("dealname", "pipeline", "dealstage", *_STAMPS),
    optional=(
        *("amount", "closedate", "hubspot_owner_id", "dealtype", "hs_next_step"),
        *("hs_manual_forecast_category", "deal_currency_code", "hs_created_by_user_id"),
    ),
    silent=(
        *("lead_source", "hs_analytics_source", "hs_is_closed", "hs_is_closed_won"),
        history.MERGED,
    ),
    history=history.PROPERTIES,
)
TOUCHED = Shape(name="deals", needed=_STAMPS)
_TITLE = Shape(name="contacts", optional=("jobtitle",), modified="lastmodifieddate")
_NOT_AT_ALL = timedelta(0)


class Deals:
    """Reads deals; keeps the titles of contacts that it has seen. One for each reader.

    `merged`: of the page read last, deals into which others were merged since the cursor.
    """

    def __init__(self, fields: Fields, structure: Structure) -> None:
        self._fields = fields
        self._structure = structure
        self._titles: dict[str, str | None] = {}
        self.merged: Sequence[str] = ()

    def read(
        self, cursor: passes.Cursor | None, until: datetime
    ) -> Iterator[tuple[Page, passes.Cursor]]:
        """All deals, or those that changed. Raises `Fatal` where deals can't be seen."""
        since = passes.since_of(cursor) if cursor and not passes.is_full(cursor) else None
        try:
            for lot in self._lots(cursor, until):
                self.merged = [] if since is None else list(_merged_since(lot.rows, since))
                yield self.page(lot.rows), lot.cursor
        except Skip as error:
            raise needed(error) from None

    def named(self, ids: Sequence[str]) -> Sequence[Row]:
        """These deals as they are now, archived ones too; a merged one under its new id."""
        live = self._fields.by_id(DEAL, ids)
        left = sorted(set(ids) - {str(row["id"]) for row in live})
        return [*live, *self._fields.by_id(DEAL, left, archived=True)]

    def page(self, rows: Sequence[Row]) -> Page:
        """A page of deals with all that belongs to them."""
        unique = list({str(row["id"]): row for row in rows}.values())
        ids = [str(row["id"]) for row in unique if not row.get("archived")]
        companies = self._linked("companies", ids) or {}
        deals: list[DealRecord] = []
        changes: list[ChangeRecord] = []
        for row in unique:
            deals += self._records(row, companies)
            changes += history.changes(row, self._structure)
        contacts = self._contacts(ids)
        return Page(
            cursor=None,
            deals=deals,
            changes=changes,
            complete_histories=frozenset(str(row["id"]) for row in unique),
            contacts=contacts or (),
            complete_contacts=frozenset(() if contacts is None else ids),
        )

    def _lots(self, cursor: passes.Cursor | None, until: datetime) -> Iterator[passes.Lot]:
        if cursor is None or passes.is_full(cursor):
            yield from passes.everything(self._fields, DEAL, cursor, until=until)
            return
        found = passes.changes(self._fields, TOUCHED, cursor, until=until, sweep_every=_NOT_AT_ALL)
        for lot in found:
            yield passes.Lot(self._whole(lot.rows), lot.cursor)

    def _whole(self, touched: Sequence[Row]) -> Sequence[Row]:
        """The rows that search or a list of archived ones named, with their histories. One
        that was archived in between is told by the next pass.
        """
        rows: list[Row] = []
        for archived in (False, True):
            ids = [str(row["id"]) for row in touched if bool(row.get("archived")) is archived]
            rows += self._fields.by_id(DEAL, ids, archived=archived)
        return rows

    def _records(
        self, row: Mapping[str, Any], companies: Mapping[str, Sequence[Link]]
    ) -> Iterator[DealRecord]:
        """The deal, and those that were merged into it: their ids are gone, so they are told
        as deleted, under what is known of the one that they became.
        """
        links = companies.get(str(row["id"]), ())
        record = mapping.deal(
            row,
            structure=self._structure,
            created_at=history.created_at(row),
            company=_main(links),
        )
        yield record
        for crm_id in mapping.merged_ids(row):
            yield replace(record, crm_id=crm_id, is_deleted=True)

    def _contacts(self, ids: Sequence[str]) -> Sequence[ContactRecord] | None:
        """None where they can't be read."""
        linked = self._linked("contacts", ids)
        if linked is None:
            return None
        self._learn_titles({link.crm_id for links in linked.values() for link in links})
        return [
            mapping.contact(
                deal_id,
                link.crm_id,
                labels=link.labels,
                title=self._titles.get(link.crm_id),
            )
            for deal_id, links in linked.items()
            for link in links
        ]

    def _learn_titles(self, ids: set[str]) -> None:
        new = sorted(ids - self._titles.keys())
        try:
            rows = self._fields.by_id(_TITLE, new)
        except Skip as error:
            self._fields.warn(f"titles of contacts are not read: {error}")
            return
        self._titles.update(dict.fromkeys(new))
        self._titles.update(
            (str(row["id"]), row["properties"].get("jobtitle") or None) for row in rows
        )

    def _linked(self, target: str, ids: Sequence[str]) -> Mapping[str, Sequence[Link]] | None:
        try:
            return self._fields.linked("deals", target, ids)
        except Skip as error:
            self._fields.warn(f"{target} of deals are not read: {error}")
            return None


def _merged_since(rows: Sequence[Row], since: datetime) -> Iterator[str]:
    for row in rows:
        at = None if row.get("archived") else history.merged_at(row)
        if at is not None and at >= since:
            yield str(row["id"])


def _main(links: Sequence[Link]) -> str | None:
    """The primary company, else the one with the lowest id."""
    ranked = sorted(links, key=lambda link: (not link.is_primary, int(link.crm_id)))
    return ranked[0].crm_id if ranked else None
