import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.salesforce.client import Client
from connectors.salesforce.fields import Fields
from connectors.salesforce.history import HISTORY, OPPORTUNITY, Histories, histories
from connectors.salesforce.keyset import Cursor
from tests.connectors.salesforce.fake import Answer, FakeOrg, Request, serving

FIRST = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 6, 1, 13, tzinfo=UTC)
MADE = "2026-01-05T09:00:00.000+0000"
IDS = [f"006{number:012d}AAA" for number in range(900)]


class DealsOrg(FakeOrg):
    """Has the deals `IDS`, each with one row of history, made with it."""

    def respond(self, request: Request) -> Answer:
        _, is_query, soql = request.path.partition("/queryAll/?q=")
        if not is_query:
            return super().respond(request)
        self.requests.append(request)
        named = re.findall(r"006\d{12}AAA", soql)
        if "CreatedDate >=" in soql:
            touched = IDS if "OpportunityHistory" in soql else [*IDS[:2], "006999999999999AAA"]
            return self.page([{"Id": crm_id, "OpportunityId": crm_id} for crm_id in touched])
        if "FROM OpportunityHistory" in soql:
            return self.page([self.row(crm_id) for crm_id in named])
        if "Id > " in soql:
            return self.page([self.deal(crm_id) for crm_id in IDS if crm_id > named[0]])
        return self.page([self.deal(crm_id) for crm_id in (named or IDS)])

    @staticmethod
    def page(rows: list[dict[str, Any]]) -> Answer:
        return Answer({"totalSize": len(rows), "done": True, "records": rows})

    @staticmethod
    def deal(crm_id: str) -> dict[str, Any]:
        return {"Id": crm_id, "CreatedDate": MADE, "StageName": "A", "CloseDate": "2026-06-30"}

    @classmethod
    def row(cls, crm_id: str) -> dict[str, Any]:
        return {**cls.deal(crm_id), "Id": f"008{crm_id[3:]}", "OpportunityId": crm_id}


@pytest.fixture
def org() -> Iterator[FakeOrg]:
    with serving(DealsOrg()) as made:
        made.describe("Opportunity", *OPPORTUNITY.needed)
        made.describe("OpportunityHistory", *HISTORY.needed)
        yield made


@pytest.fixture
def fields(client: Client) -> Fields:
    return Fields(client)


def read(
    fields: Fields, cursor: Cursor | None, until: datetime, *, portions: int | None = None
) -> list[Histories]:
    found = histories(fields, cursor, until=until)
    return list(found) if portions is None else [next(found) for _ in range(portions)]


def names(found: list[Histories]) -> list[str]:
    return sorted(crm_id for part in found for crm_id in part.crm_ids)


def test_a_full_pass_gives_each_deal_once_and_ends_at_its_own_beginning(fields: Fields) -> None:
    found = read(fields, None, FIRST)
    assert names(found) == IDS
    assert found[-1].cursor == {"since": FIRST.isoformat()}
    assert sum(len(part.changes) for part in found) == 2 * len(IDS)


def test_a_full_pass_that_was_killed_goes_on_after_its_last_deal(fields: Fields) -> None:
    (first,) = read(fields, None, FIRST, portions=1)
    rest = read(fields, first.cursor, LATER)
    assert 0 < len(first.crm_ids) < len(IDS)
    assert names([first, *rest]) == IDS
    assert rest[-1].cursor == {"since": FIRST.isoformat()}, "what changed meanwhile comes next"


def test_an_incremental_pass_that_was_killed_goes_on_after_its_last_deal(
    org: FakeOrg, fields: Fields
) -> None:
    cursor = {"since": "2026-06-01T11:00:00+00:00"}
    (first,) = read(fields, cursor, FIRST, portions=1)
    rest = read(fields, first.cursor, LATER)
    assert names([first, *rest]) == [*IDS, "006999999999999AAA"]
    assert rest[-1].cursor == {"since": FIRST.isoformat()}
    asked = [r.path for r in org.sent("GET", "CreatedDate >=")]
    assert all("CreatedDate >= 2026-06-01T10:50:00.000Z" in path for path in asked)
    assert sum("SystemModstamp >= 2026-06-01T10:50:00.000Z" in path for path in asked) == 2


def test_a_superseded_row_and_a_deal_without_rows_both_call_for_the_whole_history(
    fields: Fields,
) -> None:
    found = read(fields, {"since": "2026-06-01T11:00:00+00:00"}, FIRST)
    assert "006999999999999AAA" in names(found), "made since, without a row of history"
    assert found[-1].cursor == {"since": FIRST.isoformat()}
