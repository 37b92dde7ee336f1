from typing import Any

import orjson
import pytest

from connectors.errors import Skip
from connectors.salesforce.client import Client
from connectors.salesforce.history import HISTORY
from connectors.salesforce.reader import (
    ACCOUNT,
    DEAL,
    EMAIL,
    EVENT,
    TASK,
    SalesforceReader,
)
from tests.connectors.salesforce.fake import Answer, FakeOrg

AT = "2026-05-01T10:00:00.000+0000"
EMPTY = {"totalSize": 0, "done": True, "records": []}


@pytest.fixture
def reader(client: Client) -> SalesforceReader:
    return SalesforceReader(client)


def event(crm_id: str, **values: Any) -> dict[str, Any]:
    base = {"Id": crm_id, "SystemModstamp": AT, "IsDeleted": False, "CreatedDate": AT}
    return {**base, "StartDateTime": AT, **values}


def with_activities(org: FakeOrg) -> None:
    org.describe("Task", *TASK.needed, *TASK.optional)
    org.describe("Event", *EVENT.needed, *EVENT.optional, *EVENT.silent)
    org.answer("GET", "/queryAll/.*FROM Task", EMPTY)


def test_copies_of_group_events_and_patterns_of_series_are_no_activities(
    org: FakeOrg, reader: SalesforceReader
) -> None:
    with_activities(org)
    org.describe("EmailMessage", *EMAIL.needed, *EMAIL.optional)
    org.answer("GET", "/queryAll/.*FROM EmailMessage", EMPTY)
    rows = [event("00U1"), event("00U2", IsChild=True), event("00U3", IsRecurrence=True)]
    org.rows("/queryAll/.*FROM Event", *rows)
    pages = list(reader.read("activities", None))
    assert [row.crm_id for page in pages for row in page.activities] == ["00U1"]


def test_an_org_without_email_messages_is_read_all_the_same_with_a_warning(
    org: FakeOrg, reader: SalesforceReader
) -> None:
    with_activities(org)
    org.rows("/queryAll/.*FROM Event", event("00U1"))
    pages = list(reader.read("activities", None))
    assert [row.crm_id for page in pages for row in page.activities] == ["00U1"]
    warnings = [warning for page in pages for warning in page.warnings]
    assert [w for w in warnings if w.startswith("EmailMessage is not read")]
    assert set(orjson.loads(pages[-1].cursor or "")) == {"Task", "Event"}


def test_a_user_who_sees_no_tasks_reads_events_all_the_same_with_a_warning(
    org: FakeOrg, reader: SalesforceReader
) -> None:
    with_activities(org)
    org.answer("GET", "/sobjects/Task/describe", Answer([{"errorCode": "NOT_FOUND"}], status=404))
    org.rows("/queryAll/.*FROM Event", event("00U1"))
    pages = list(reader.read("activities", None))
    assert [row.crm_id for page in pages for row in page.activities] == ["00U1"]
    assert any(w.startswith("Task is not read") for page in pages for w in page.warnings)
    assert "Task" not in orjson.loads(pages[-1].cursor or "")


def test_an_object_that_is_refused_for_another_reason_than_being_hidden_stops_the_reading(
    org: FakeOrg, reader: SalesforceReader
) -> None:
    org.describe("Account", *ACCOUNT.needed)
    refusal = [{"errorCode": "INVALID_TYPE_FOR_OPERATION", "message": "no"}]
    org.answer("GET", "/queryAll/.*FROM Account", Answer(refusal, status=400))
    with pytest.raises(Skip, match="INVALID_TYPE_FOR_OPERATION"):
        list(reader.read("companies", None))


def test_the_history_of_a_deal_made_after_the_deals_were_read_waits_for_the_deal(
    org: FakeOrg, reader: SalesforceReader
) -> None:
    org.describe("Opportunity", *DEAL.needed, *DEAL.optional)
    org.describe("OpportunityHistory", *HISTORY.needed, *HISTORY.optional)
    org.answer("GET", "/queryAll/", EMPTY)
    list(reader.read("deals", None))
    later = {"Date": "Mon, 01 Jun 2026 14:00:00 GMT"}
    org.answer("GET", r"/services/data/v66.0/$", Answer({}, headers=later))
    org.answer("GET", "/queryAll/", Answer(EMPTY, headers=later))
    pages = list(reader.read("history", None))
    assert orjson.loads(pages[-1].cursor or "") == {"since": "2026-06-01T12:00:00+00:00"}
