"""Field history of the practice Salesforce: off, on, and what a save leaves."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from connectors.sandbox.salesforce import field_history
from connectors.sandbox.salesforce.field_history import Tracking
from connectors.sandbox.salesforce.practice import Practice
from connectors.sandbox.salesforce.values import stamp
from tests.sandbox.fixtures import TIMEOUT_S, Sandbox, errors_of, running_sandbox

QUERY = (
    "SELECT Field, DataType, OldValue, NewValue, CreatedById, CreatedDate "
    "FROM OpportunityFieldHistory"
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), deals=20) as running:
        yield running


def switch(sandbox: Sandbox, *, is_on: Any) -> requests.Response:
    url = f"{sandbox.base_url}/_sandbox/settings"
    return requests.post(url, json={"field_history": is_on}, timeout=TIMEOUT_S)


def test_without_tracking_there_is_no_such_object(sandbox: Sandbox) -> None:
    client = sandbox.client()
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query(QUERY)
    assert errors_of(refused)[0]["errorCode"] == "INVALID_TYPE"
    with pytest.raises(SalesforceResourceNotFound):
        client.restful("sobjects/OpportunityFieldHistory/describe")
    assert switch(sandbox, is_on="yes").status_code == 400


def test_a_save_leaves_a_row_for_each_tracked_field_that_changed_and_two_for_an_owner(
    sandbox: Sandbox,
) -> None:
    client = sandbox.client()
    assert switch(sandbox, is_on=True).ok
    assert client.query(QUERY)["records"] == []
    deal = client.query("SELECT Id, OwnerId FROM Opportunity WHERE IsClosed = false LIMIT 1")
    crm_id, owner = deal["records"][0]["Id"], deal["records"][0]["OwnerId"]
    other = client.query(f"SELECT Id, Name FROM User WHERE Id != '{owner}' LIMIT 1")["records"][0]
    body = {"OwnerId": other["Id"], "NextStep": "Call", "Amount": 1234.5, "Description": "x"}
    client.restful(f"sobjects/Opportunity/{crm_id}", method="PATCH", json=body)
    rows = client.query(f"{QUERY} WHERE OpportunityId = '{crm_id}'")["records"]
    told = {(row["Field"], row["DataType"]): row["NewValue"] for row in rows}
    assert told == {
        ("Owner", "EntityId"): other["Id"],
        ("Owner", "Text"): other["Name"],
        ("NextStep", "Text"): "Call",
        ("Amount", "Currency"): 1234.5,
    }
    with pytest.raises(SalesforceMalformedRequest):
        client.query(f"{QUERY} WHERE NewValue = 'Call'")
    assert switch(sandbox, is_on=False).ok
    with pytest.raises(SalesforceMalformedRequest):
        client.query(QUERY)


def test_tracking_that_was_switched_on_in_the_past_tells_nothing_before(tmp_path: Path) -> None:
    practice = Practice(tmp_path, seed=3, deals=40, tracked_days=90)
    since = stamp(practice.clock.now() - timedelta(days=90, minutes=5))
    table = field_history.OBJECT
    found = practice.store.select(f'SELECT MIN("CreatedDate"), COUNT(*) FROM "{table}"')
    practice.store.close()
    assert found[0][0] >= since
    assert found[0][1] > 40


def test_of_a_long_text_only_that_it_changed_is_kept() -> None:
    tracking = Tracking(since="2026", blank={}, new_id=lambda: "017", name_of=str)
    old = {
        "Id": "006",
        "OwnerId": "005",
        "Amount": 1.0,
        "StageName": "A",
        "CloseDate": "2026-05-05",
        "ForecastCategoryName": "Pipeline",
        "NextStep": "short",
    }
    row = old | {"NextStep": "x" * 256}
    left = field_history.rows(old, row, at="2026-05-01", by="005", tracking=tracking)
    assert [(each["Field"], each["OldValue"], each["NewValue"]) for each in left] == [
        ("NextStep", None, None)
    ]
