"""The sandbox as a process: its clock, its people working on, restarts, faults."""

import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from simple_salesforce.exceptions import (
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
)

from connectors.sandbox.salesforce.values import instant
from tests.sandbox.fixtures import TIMEOUT_S, Sandbox, errors_of, running_sandbox

SOQL = "SELECT Id FROM User LIMIT 1"


def test_people_work_on_when_the_clock_is_advanced(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    before = fresh_sandbox.state()
    planted = len(fresh_sandbox.truth())
    seen = client.query("SELECT MAX(SystemModstamp) latest FROM Opportunity")["records"][0]
    assert fresh_sandbox.advance(28) > 0
    after = fresh_sandbox.state()
    passed = instant(after["now"]) - instant(before["now"])
    assert timedelta(days=28) <= passed < timedelta(days=28, minutes=5)
    changed = client.query(
        f"SELECT SystemModstamp FROM Opportunity WHERE SystemModstamp > {seen['latest']} "
        "ORDER BY SystemModstamp"
    )["records"]
    assert changed
    assert all(before["now"] <= each["SystemModstamp"] <= after["now"] for each in changed)
    assert len(fresh_sandbox.truth()) >= planted
    reply = requests.get(f"{fresh_sandbox.base_url}/services/data", timeout=TIMEOUT_S)
    assert instant(after["now"]).strftime("%d %b %Y") in reply.headers["Date"]


def test_the_truth_names_deals_that_are_there(fresh_sandbox: Sandbox) -> None:
    rows = fresh_sandbox.truth()
    client = fresh_sandbox.client()
    deals = {
        row["Id"]
        for row in client.query_all("SELECT Id FROM Opportunity", include_deleted=True)["records"]
    }
    assert rows
    assert {row["deal"] for row in rows} <= deals
    assert {row["decoy"] for row in rows} == {True, False}
    url = f"{fresh_sandbox.base_url}/_sandbox/truth"
    assert requests.get(url, timeout=TIMEOUT_S).text == fresh_sandbox.truth_path.read_text("utf-8")


def test_a_restart_goes_on_where_it_stopped_even_after_a_kill(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, deals=30) as sandbox:
        crm_id = sandbox.client().Account.create({"Name": "Kept Ltd"})["id"]
        sandbox.advance(14)
        counts, now = sandbox.state()["counts"], sandbox.state()["now"]
        truth = sandbox.truth_path.read_text("utf-8")
        sandbox.process.kill()
    with running_sandbox(tmp_path, deals=999, seed=7) as sandbox:
        state = sandbox.state()
        assert state["counts"] == counts
        assert timedelta() <= instant(state["now"]) - instant(now) < timedelta(minutes=5)
        assert sandbox.truth_path.read_text("utf-8") == truth
        client = sandbox.client()
        assert client.Account.get(crm_id)["Name"] == "Kept Ltd"
        assert client.Account.create({"Name": "New Ltd"})["id"] > crm_id
        stages = client.Opportunity.describe()["fields"]
        assert any(field["name"] == "StageName" and field["picklistValues"] for field in stages)
        assert sandbox.advance(14) > 0


def test_the_same_seed_gives_the_same_organisation(tmp_path: Path) -> None:
    names = []
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        with running_sandbox(tmp_path / run, deals=30, seed=5) as sandbox:
            rows = sandbox.client().query_all("SELECT Id, Name FROM Opportunity ORDER BY Id")
            names.append([(row["Id"], row["Name"]) for row in rows["records"]])
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        ("403_limit", SalesforceRefusedRequest, 403),
        ("429", SalesforceGeneralError, 429),
        ("500", SalesforceGeneralError, 500),
        ("503", SalesforceGeneralError, 503),
    ],
)
def test_a_fault_fails_its_calls_and_is_over(
    fresh_sandbox: Sandbox, kind: str, error: type[Exception], status: int
) -> None:
    client = fresh_sandbox.client()
    fresh_sandbox.fail({"kind": kind, "path": "/query", "times": 2})
    for _ in range(2):
        with pytest.raises(error) as failed:
            client.query(SOQL)
        assert getattr(failed.value, "status", None) == status
    assert client.query(SOQL)["totalSize"] == 1


def test_a_session_that_ends_midway_is_renewed_by_the_client(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    fresh_sandbox.fail({"kind": "401", "at": 2})
    assert client.query(SOQL)["totalSize"] == 1
    before = client.session_id
    assert client.query(SOQL)["totalSize"] == 1
    assert client.session_id != before


def test_a_cut_connection_leaves_half_a_reply(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    fresh_sandbox.fail({"kind": "cut"})
    with pytest.raises(requests.exceptions.RequestException):
        client.query(SOQL)
    assert client.query(SOQL)["totalSize"] == 1


def test_a_slow_call_is_slow(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    fresh_sandbox.fail({"kind": "slow", "seconds": 0.4})
    begun = time.monotonic()
    client.query(SOQL)
    assert time.monotonic() - begun >= 0.4


def test_a_lock_error_strikes_one_row_of_a_collection(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    fresh_sandbox.fail({"kind": "lock", "path": "composite"})
    body = {"records": [{"attributes": {"type": "Account"}, "Name": name} for name in "ab"]}
    results = client.restful("composite/sobjects", method="POST", json=body)
    assert [result["success"] for result in results] == [False, True]
    assert results[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"


def test_nonsense_to_the_sandbox_itself_is_refused(fresh_sandbox: Sandbox) -> None:
    url = f"{fresh_sandbox.base_url}/_sandbox"
    for name, body in (("faults", [{"kind": "fire"}]), ("advance", {"days": -1})):
        reply = requests.post(f"{url}/{name}", json=body, timeout=TIMEOUT_S)
        assert reply.status_code == 400
        assert reply.json()["error"]


def test_calls_are_counted_in_every_reply_and_in_the_limits(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    client.query(SOQL)
    used = client.api_usage["api-usage"].used
    assert used == fresh_sandbox.state()["calls"]
    limits = client.limits()["DailyApiRequests"]
    assert limits["Max"] - limits["Remaining"] == used + 1


def test_a_body_that_is_no_json_is_refused(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.restful("composite/sobjects", method="POST", data="{")
    assert errors_of(refused)[0]["errorCode"] == "JSON_PARSER_ERROR"


def test_a_client_that_dies_while_sending_changes_nothing(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    count = client.query("SELECT COUNT() FROM Account")["totalSize"]
    body = b'{"Name": "Never stored Ltd"}'
    head = (
        "POST /services/data/v66.0/sobjects/Account HTTP/1.1\r\nHost: sandbox\r\n"
        f"Authorization: {client.headers['Authorization']}\r\n"
        f"Content-Length: {len(body) + 1}\r\n\r\n"
    )
    host, port = fresh_sandbox.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert client.query("SELECT COUNT() FROM Account")["totalSize"] == count
