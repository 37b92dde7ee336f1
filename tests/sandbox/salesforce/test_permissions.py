"""What a test may take from the API user: objects, fields, and calls."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import (
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from tests.sandbox.fixtures import TIMEOUT_S, Sandbox, errors_of, running_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), deals=20) as running:
        yield running


@pytest.fixture(autouse=True)
def shown_again(sandbox: Sandbox) -> Iterator[None]:
    yield
    own(sandbox, "permissions", {"hide": []})
    own(sandbox, "limits", {})


def own(sandbox: Sandbox, name: str, body: Any) -> requests.Response:
    url = f"{sandbox.base_url}/_sandbox/{name}"
    return requests.post(url, json=body, timeout=TIMEOUT_S)


def hide(sandbox: Sandbox, *names: str) -> None:
    own(sandbox, "permissions", {"hide": list(names)}).raise_for_status()


def test_a_hidden_field_is_neither_described_nor_selected(sandbox: Sandbox) -> None:
    client = sandbox.client()
    hide(sandbox, "Opportunity.NextStep")
    names = {field["name"] for field in client.Opportunity.describe()["fields"]}
    assert "NextStep" not in names
    assert "Amount" in names
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query("SELECT Id, NextStep FROM Opportunity LIMIT 1")
    assert errors_of(refused)[0]["errorCode"] == "INVALID_FIELD"
    assert "No such column 'NextStep'" in errors_of(refused)[0]["message"]
    hide(sandbox)
    client.query("SELECT Id, NextStep FROM Opportunity LIMIT 1")


def test_a_hidden_object_is_no_type_and_no_address(sandbox: Sandbox) -> None:
    client = sandbox.client()
    hide(sandbox, "Task")
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query("SELECT Id FROM Task LIMIT 1")
    assert errors_of(refused)[0]["errorCode"] == "INVALID_TYPE"
    assert "sObject type 'Task' is not supported" in errors_of(refused)[0]["message"]
    with pytest.raises(SalesforceResourceNotFound):
        client.Task.describe()
    listed = {each["name"] for each in client.describe()["sobjects"]}
    assert "Task" not in listed
    assert "Event" in listed


def test_a_relationship_to_a_hidden_object_is_not_understood(sandbox: Sandbox) -> None:
    hide(sandbox, "Contact")
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sandbox.client().query("SELECT Id, Contact.Title FROM OpportunityContactRole LIMIT 1")
    assert "Didn't understand relationship 'Contact'" in errors_of(refused)[0]["message"]


@pytest.mark.parametrize("name", ["Oportunity", "Opportunity.Nxt", "Opportunity.Name", "Task.Id"])
def test_what_is_not_there_or_always_seen_can_not_be_hidden(sandbox: Sandbox, name: str) -> None:
    refused = own(sandbox, "permissions", {"hide": [name]})
    assert refused.status_code == 400
    assert name in refused.json()["error"]


def test_the_organisation_refuses_calls_beyond_its_daily_limit(sandbox: Sandbox) -> None:
    client = sandbox.client()
    own(sandbox, "limits", {"daily_calls": 1_000_000, "others": 900_000})
    assert client.limits()["DailyApiRequests"]["Max"] == 1_000_000
    assert client.limits()["DailyApiRequests"]["Remaining"] < 100_000
    assert client.api_usage["api-usage"].total == 1_000_000
    own(sandbox, "limits", {"daily_calls": 100, "others": 100})
    with pytest.raises(SalesforceRefusedRequest) as refused:
        client.query("SELECT Id FROM User LIMIT 1")
    assert errors_of(refused)[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_what_is_hidden_stays_so_over_a_restart(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, deals=20) as sandbox:
        hide(sandbox, "Task")
    with running_sandbox(tmp_path, deals=20) as sandbox:
        listed = {each["name"] for each in sandbox.client().describe()["sobjects"]}
    assert "Task" not in listed
