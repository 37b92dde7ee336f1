"""jsforce, a client by others in another language, against the practice Salesforce."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.fixtures import (
    CONSUMER_KEY,
    CONSUMER_SECRET,
    PASSWORD,
    USERNAME,
    Sandbox,
    running_sandbox,
)
from tests.sandbox.node import drive, needs_node
from tests.sandbox.salesforce.test_deploy import PARTS, deploy, grant

HERE = Path(__file__).parent
pytestmark = needs_node


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("crm"), deals=300) as running:
        client = running.client()
        deploy(running, client, PARTS)
        grant(client)
        yield running


@pytest.fixture(scope="module")
def seen(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script in `drive.mjs` saw."""
    deal = sandbox.client().query("SELECT Id FROM Opportunity LIMIT 1")["records"][0]["Id"]
    secrets = [CONSUMER_KEY, CONSUMER_SECRET, USERNAME, PASSWORD]
    return drive(HERE, tmp_path_factory.mktemp("jsforce"), sandbox.base_url, *secrets, deal)


def test_jsforce_signs_in_three_ways(seen: dict[str, Any], sandbox: Sandbox) -> None:
    assert seen["users"] == [sandbox.state()["user_id"]] * 3


def test_jsforce_describes(seen: dict[str, Any]) -> None:
    assert {"Opportunity", "Task", "Note__c"} <= set(seen["objects"])
    assert {"StageName", "CloseDate", "PushCount"} <= set(seen["fields"])


def test_jsforce_pages_through_a_query(seen: dict[str, Any]) -> None:
    assert seen["pages"][0] == 2000
    assert len(seen["pages"]) > 1
    assert sum(seen["pages"]) == seen["distinct"] == seen["total"]
    assert len(seen["found"]) == 3


def test_jsforce_upserts_one_and_many(seen: dict[str, Any]) -> None:
    assert seen["one"]["success"] is True
    assert seen["one"]["created"] is True
    assert (seen["again"]["id"], seen["again"]["created"]) == (seen["one"]["id"], False)
    assert [each["success"] for each in seen["many"]] == [True] * 3
    assert [each["created"] for each in seen["many"]] == [False, True, True]
    assert seen["kind"] == "z"
    assert seen["task"] == {"closed": True, "removed": True}


def test_jsforce_understands_errors_and_limits(seen: dict[str, Any]) -> None:
    assert seen["refused"]["code"] == "INVALID_FIELD"
    assert "No such column 'Whizbang__c' on entity 'Opportunity'" in seen["refused"]["message"]
    assert seen["usage"]["limit"] - seen["left"] in (
        seen["usage"]["used"],
        seen["usage"]["used"] + 1,
    )
