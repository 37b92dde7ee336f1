"""The least number of calls that reading or writing a CRM takes, from its rows and its limits.

Rows are counted in the practice CRM's own files, without the product. Every object costs at
least one call, since only a call tells that there is nothing new. Not counted, though every
program needs them now and then: descriptions of fields, retries, calls that tell the time.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

# Salesforce: rows a page of a query; ids that fit into 16,384 bytes of URI and headers, each
# with its quotes and comma encoded ('%27' + 18 + '%27%2C').
SF_PAGE, SF_IDS, SF_WRITTEN = 2000, 16_384 // 27, 200
SF_JOB_PAGE = 10_000  # rows of a bulk job that are held at once: memory stays flat
# HubSpot: rows a page of a list (with history), of a search; inputs of a batch.
HS_PAGE, HS_HISTORY, HS_SEARCH, HS_LINKS, HS_WRITTEN = 100, 50, 200, 1000, 100
HS_TYPES = {
    "deals": "0-3",
    "contacts": "0-1",
    "companies": "0-2",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
    "notes": "0-46",
    "tasks": "0-27",
}
HS_ACTIVITIES = ("meetings", "calls", "emails", "notes", "tasks")
EVER = "0000"


def pages(rows: int, size: int, *, at_least: int = 1) -> int:
    """Calls for so many rows."""
    return max(at_least, -(-rows // size))


def reading(crm: str, state: Path, since: str | None) -> dict[str, int]:
    """Calls by stream: of everything, or of what changed from the instant `since` on."""
    with closing(sqlite3.connect(f"file:{state / crm}.db?mode=ro", uri=True)) as conn:
        of = _Salesforce(conn) if crm == "salesforce" else _HubSpot(conn)
        return of.everything() if since is None else of.changed(since)


def writing(crm: str, *, flags: int, flagged_deals: int, tasks: int) -> int:
    """Calls that write so many records: Salesforce by flag, HubSpot by deal."""
    if crm == "salesforce":
        return pages(flags, SF_WRITTEN, at_least=0) + pages(tasks, SF_WRITTEN, at_least=0)
    return pages(flagged_deals, HS_WRITTEN, at_least=0) + pages(tasks, HS_WRITTEN, at_least=0)


class _Rows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def number(self, sql: str, *values: Any) -> int:
        """The one number of a statement."""
        return int(self._conn.execute(sql, values).fetchone()[0])


class _Salesforce(_Rows):
    """Deleted rows are read as well."""

    def everything(self) -> dict[str, int]:
        return {
            **self._structure(),
            **self._streams(EVER),
            "history": _queried(self._rows("OpportunityHistory", EVER)),
        }

    def changed(self, since: str) -> dict[str, int]:
        """History: rows that changed name the deals, whose whole histories are read then."""
        rows = 'FROM "OpportunityHistory" WHERE MAX("CreatedDate", "SystemModstamp") >= ?'
        changed = self.number(f"SELECT COUNT(*) {rows}", since)
        deals = self.number(f'SELECT COUNT(DISTINCT "OpportunityId") {rows}', since)
        whole = self.number(
            f'SELECT COUNT(*) FROM "OpportunityHistory" WHERE "OpportunityId" IN '
            f'(SELECT "OpportunityId" {rows})',
            since,
        )
        by_id, by_row = pages(deals, SF_IDS, at_least=0), pages(whole, SF_PAGE, at_least=0)
        return {
            **self._structure(),
            **self._streams(since),
            "history": pages(changed, SF_PAGE) + max(by_id, by_row),
        }

    def _structure(self) -> dict[str, int]:
        types = 'FROM "RecordType" WHERE "SobjectType" = \'Opportunity\''
        processes = self.number(f'SELECT COUNT(DISTINCT "BusinessProcessId") {types}')
        return {
            "account": 2,  # a token, and the organisation
            "stages": 1 + (1 + processes if processes else 0),
            "people": pages(self._all("User"), SF_PAGE) + pages(self._all("UserRole"), SF_PAGE),
        }

    def _streams(self, since: str) -> dict[str, int]:
        def of(*objects: str) -> int:
            return sum(_queried(self._rows(name, since)) for name in objects)

        return {
            "companies": of("Account"),
            "deals": of("Opportunity"),
            "contacts": of("OpportunityContactRole"),
            "activities": of("Task", "Event", "EmailMessage"),
        }

    def _all(self, name: str) -> int:
        return self.number(f'SELECT COUNT(*) FROM "{name}"')

    def _rows(self, name: str, since: str) -> int:
        return self.number(f'SELECT COUNT(*) FROM "{name}" WHERE "SystemModstamp" >= ?', since)


def _queried(rows: int) -> int:
    """By REST, or by a bulk job where that is less: the job, its state, its pages."""
    return min(pages(rows, SF_PAGE), 2 + pages(rows, SF_JOB_PAGE))


class _HubSpot(_Rows):
    """Archived rows are listed by themselves; a deal's companies and contacts, and those of
    activities, come by associations; titles by contact.
    """

    def everything(self) -> dict[str, int]:
        return {
            **self._structure(),
            "companies": self._listed("companies", HS_PAGE),
            "deals": self._listed("deals", HS_HISTORY) + self._around(EVER),
            "activities": sum(
                self._listed(name, HS_PAGE) + self._links(name, 3, EVER) for name in HS_ACTIVITIES
            ),
        }

    def changed(self, since: str) -> dict[str, int]:
        """What was archived is told by nothing but the list of all that is archived."""

        def found(name: str) -> int:
            archived = pages(self._archived(name, EVER), HS_PAGE)
            return pages(self._live(name, since), HS_SEARCH) + archived

        whole = pages(self._live("deals", since), HS_HISTORY, at_least=0)
        whole += pages(self._archived("deals", since), HS_HISTORY, at_least=0)
        return {
            **self._structure(),
            "companies": found("companies"),
            "deals": found("deals") + whole + self._around(since),
            "activities": sum(found(name) + self._links(name, 3, since) for name in HS_ACTIVITIES),
        }

    def _structure(self) -> dict[str, int]:
        owners = pages(self.number("SELECT COUNT(*) FROM person"), 500)
        return {"account": 1, "stages": 1, "people": owners + 1}  # those who left: one more list

    def _listed(self, name: str, size: int) -> int:
        return pages(self._live(name, EVER), size) + pages(self._archived(name, EVER), size)

    def _around(self, since: str) -> int:
        """Companies and contacts of live deals, and the contacts' titles."""
        contacts = self.number(
            "SELECT COUNT(DISTINCT target_id) FROM link JOIN object ON type = source AND"
            " id = source_id WHERE source = ? AND target = ? AND archived_at IS NULL"
            " AND updated_at >= ?",
            *(HS_TYPES["deals"], HS_TYPES["contacts"], since),
        )
        return self._links("deals", 2, since) + pages(contacts, HS_PAGE, at_least=0)

    def _links(self, name: str, targets: int, since: str) -> int:
        return targets * pages(self._live(name, since), HS_LINKS, at_least=0)

    def _live(self, name: str, since: str) -> int:
        return self._rows(name, "archived_at IS NULL AND updated_at >= ?", since)

    def _archived(self, name: str, since: str) -> int:
        return self._rows(name, "archived_at >= ?", since)

    def _rows(self, name: str, where: str, since: str) -> int:
        sql = f"SELECT COUNT(*) FROM object WHERE type = ? AND {where}"
        return self.number(sql, HS_TYPES[name], since)


def ratio(calls: Mapping[str, int], least: Mapping[str, int]) -> float:
    """All calls beside the least."""
    return round(sum(calls.values()) / sum(least.values()), 2)
