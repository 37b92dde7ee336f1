"""Bulk query jobs of the practice Salesforce, also through a client that we did not write."""

import csv
import io
from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from tests.sandbox.fixtures import TIMEOUT_S, Sandbox, errors_of

SOQL = "SELECT Id, Name, Amount, IsClosed, CreatedDate, Account.Name FROM Opportunity"


def made(client: Any, soql: str = SOQL, operation: str = "query") -> str:
    body = {"operation": operation, "query": soql}
    return str(client.restful("jobs/query", method="POST", json=body)["id"])


def complete(client: Any, job_id: str) -> None:
    while client.restful(f"jobs/query/{job_id}")["state"] != "JobComplete":
        pass


def page(sandbox: Sandbox, client: Any, job_id: str, **query: str) -> requests.Response:
    url = f"{sandbox.base_url}/services/data/v66.0/jobs/query/{job_id}/results"
    headers = {"Authorization": f"Bearer {client.session_id}"}
    return requests.get(url, params=query, headers=headers, timeout=TIMEOUT_S)


def test_a_job_is_queued_works_completes_and_its_pages_hold_every_row_once(
    salesforce_sandbox: Sandbox, client: Any
) -> None:
    job_id = made(client)
    early = page(salesforce_sandbox, client, job_id)
    assert early.status_code == 400
    states = [client.restful(f"jobs/query/{job_id}")["state"] for _ in range(3)]
    assert states == ["InProgress", "JobComplete", "JobComplete"]
    rows: list[dict[str, str]] = []
    query = {"maxRecords": "25"}
    while True:
        got = page(salesforce_sandbox, client, job_id, **query)
        found = list(csv.DictReader(io.StringIO(got.text)))
        assert got.headers["Content-Type"] == "text/csv"
        assert int(got.headers["Sforce-NumberOfRecords"]) == len(found) <= 25
        rows += found
        if got.headers["Sforce-Locator"] == "null":
            break
        query["locator"] = got.headers["Sforce-Locator"]
    told = {row["Id"]: row for row in client.query_all(SOQL)["records"]}
    assert [row["Id"] for row in rows] == list(told)
    for row in rows:
        record = told[row["Id"]]
        assert row["Name"] == record["Name"]
        assert row["IsClosed"] == str(record["IsClosed"]).lower()
        assert row["Account.Name"] == record["Account"]["Name"]
        assert row["CreatedDate"] == record["CreatedDate"].replace("+0000", "Z")
        assert (float(row["Amount"]) if row["Amount"] else None) == record["Amount"]


def test_a_job_can_be_aborted_and_one_that_has_ended_deleted(client: Any) -> None:
    job_id = made(client)
    aborted = client.restful(f"jobs/query/{job_id}", method="PATCH", json={"state": "Aborted"})
    assert aborted["state"] == "Aborted"
    assert job_id in {job["id"] for job in client.restful("jobs/query")["records"]}
    url = f"{client.base_url}jobs/query/{job_id}"
    assert client._call_salesforce("DELETE", url).status_code == 204
    with pytest.raises(SalesforceResourceNotFound):
        client.restful(f"jobs/query/{job_id}")


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT COUNT() FROM Opportunity", "API_ERROR"),
        ("SELECT StageName, COUNT(Id) FROM Opportunity GROUP BY StageName", "API_ERROR"),
        ("SELECT Id FROM Opportunity LIMIT 5 OFFSET 5", "API_ERROR"),
        ("SELECT Id, (SELECT Id FROM OpportunityContactRoles) FROM Opportunity", "API_ERROR"),
        ("SELECT Nonsense FROM Opportunity", "INVALID_FIELD"),
        ("SELECT Id FROM OpportunityFieldHistory", "INVALID_TYPE"),
    ],
)
def test_what_bulk_cannot_read_is_refused_at_once(client: Any, soql: str, code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        made(client, soql)
    assert errors_of(refused)[0]["errorCode"] == code


def test_an_object_that_bulk_does_not_support_is_refused(
    fresh_sandbox: Sandbox,
) -> None:
    url = f"{fresh_sandbox.base_url}/_sandbox/settings"
    told = requests.post(url, json={"not_in_bulk": ["Task"]}, timeout=TIMEOUT_S)
    assert told.ok
    with pytest.raises(SalesforceMalformedRequest) as refused:
        made(fresh_sandbox.client(), "SELECT Id FROM Task")
    assert "not supported by the Bulk API" in errors_of(refused)[0]["message"]


def test_simple_salesforces_own_bulk_client_reads_a_job(client: Any) -> None:
    pages = list(client.bulk2.User.query("SELECT Id FROM User", max_records=5))
    ids = [row["Id"] for each in pages for row in csv.DictReader(io.StringIO(each))]
    assert sorted(ids) == sorted(
        row["Id"] for row in client.query_all("SELECT Id FROM User")["records"]
    )
    assert len(pages) > 1
