"""Writing by API: checks, side effects, collections."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from tests.sandbox.fixtures import TIMEOUT_S, Sandbox, errors_of

DEAL = {"Name": "By API", "StageName": "Prospecting", "CloseDate": "2030-06-30"}


def create(client: Any, name: str = "Opportunity", **values: Any) -> str:
    body = {**(DEAL if name == "Opportunity" else {}), **values}
    created = getattr(client, name).create(body)
    assert created["success"] is True
    assert created["errors"] == []
    return str(created["id"])


def refusal(client: Any, name: str, body: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        getattr(client, name).create(body)
    return errors_of(refused)[0]


def collection(client: Any, method: str, path: str, **body: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.restful(
        f"composite/sobjects{path}", method=method, json=body
    )
    return found


def test_a_created_deal_has_owner_author_and_the_sandboxs_time(
    client: Any, salesforce_sandbox: Sandbox
) -> None:
    crm_id = create(client)
    record = client.Opportunity.get(crm_id)
    state = salesforce_sandbox.state()
    assert record["OwnerId"] == record["CreatedById"] == state["user_id"]
    assert record["CreatedDate"] == record["SystemModstamp"] <= state["now"]
    assert record["CreatedDate"][:10] == state["now"][:10]
    assert record["Probability"] == 10.0
    assert record["RecordTypeId"].startswith("012")


def test_changing_the_stage_by_api_leaves_history_and_moves_the_stamp(client: Any) -> None:
    crm_id = create(client, Amount=500)
    status = client.Opportunity.update(crm_id, {"StageName": "Closed Won", "Amount": 700})
    assert status == 204
    rows = client.query(
        "SELECT StageName, Amount, PrevAmount, CloseDate, PrevCloseDate, CreatedById "
        f"FROM OpportunityHistory WHERE OpportunityId = '{crm_id}' ORDER BY CreatedDate, Id"
    )["records"]
    assert [row["StageName"] for row in rows] == ["Prospecting", "Closed Won"]
    assert (rows[1]["PrevAmount"], rows[1]["Amount"]) == (500.0, 700.0)
    record = client.Opportunity.get(crm_id)
    assert record["IsWon"] is True
    assert record["CloseDate"] == record["LastModifiedDate"][:10]
    assert rows[1]["PrevCloseDate"] == "2030-06-30"


def test_completing_a_task_moves_the_deals_last_activity(client: Any) -> None:
    deal = create(client)
    task = create(client, "Task", Subject="Call", WhatId=deal, ActivityDate="2026-01-15")
    assert client.Opportunity.get(deal)["LastActivityDate"] is None
    client.Task.update(task, {"Status": "Completed"})
    record = client.Task.get(task)
    assert record["IsClosed"] is True
    assert record["CompletedDateTime"] is not None
    assert client.Opportunity.get(deal)["LastActivityDate"] == "2026-01-15"
    found = client.query(f"SELECT HasOpenActivity FROM Opportunity WHERE Id = '{deal}'")
    assert found["records"][0]["HasOpenActivity"] is False


def test_an_event_gets_its_end_from_its_length(client: Any) -> None:
    crm_id = create(
        client,
        "Event",
        Subject="Review",
        StartDateTime="2026-05-20T10:00:00+02:00",
        DurationInMinutes=45,
    )
    record = client.Event.get(crm_id)
    assert record["StartDateTime"] == "2026-05-20T08:00:00.000+0000"
    assert record["EndDateTime"] == "2026-05-20T08:45:00.000+0000"
    assert record["ActivityDate"] == "2026-05-20"


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"StageName": None}, "REQUIRED_FIELD_MISSING", "StageName"),
        ({"NextStep": "x" * 256}, "STRING_TOO_LONG", "NextStep"),
        ({"OwnerId": "nonsense"}, "MALFORMED_ID", "OwnerId"),
        ({"AccountId": "006Fs0000000001IAA"}, "FIELD_INTEGRITY_EXCEPTION", "AccountId"),
        ({"IsWon": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", "IsWon"),
        ({"StageName": "Nowhere"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "StageName"),
        ({"Probability": 5000}, "NUMBER_OUTSIDE_VALID_RANGE", "Probability"),
    ],
)
def test_a_bad_value_is_refused_with_code_and_field(
    client: Any, values: dict[str, Any], code: str, field: str
) -> None:
    error = refusal(client, "Opportunity", {**DEAL, **values})
    assert error["errorCode"] == code
    assert error["fields"] == [field]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Whizbang__c": 1}, "INVALID_FIELD"),
        ({"CloseDate": "30.6.2026"}, "JSON_PARSER_ERROR"),
        ({"Amount": "much"}, "JSON_PARSER_ERROR"),
        ({"OwnerId": "005Fs0000009999IAA"}, "INVALID_CROSS_REFERENCE_KEY"),
    ],
)
def test_nonsense_is_refused(client: Any, values: dict[str, Any], code: str) -> None:
    assert refusal(client, "Opportunity", {**DEAL, **values})["errorCode"] == code


def test_history_can_not_be_written(client: Any) -> None:
    error = refusal(client, "OpportunityHistory", {"StageName": "Prospecting"})
    assert error["errorCode"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


def test_an_inactive_user_can_not_own_a_task(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    user = client.query("SELECT Id FROM User WHERE IsActive = true AND ManagerId != null LIMIT 1")
    crm_id = user["records"][0]["Id"]
    client.User.update(crm_id, {"IsActive": False})
    error = refusal(client, "Task", {"Subject": "Call", "OwnerId": crm_id})
    assert error["errorCode"] == "INACTIVE_OWNER_OR_USER"


def test_a_deleted_record_is_gone_for_reading_and_writing(client: Any) -> None:
    crm_id = create(client)
    assert client.Opportunity.delete(crm_id) == 204
    acts: list[Callable[[], Any]] = [
        lambda: client.Opportunity.get(crm_id),
        lambda: client.Opportunity.update(crm_id, {"Name": "again"}),
        lambda: client.Opportunity.delete(crm_id),
    ]
    for act in acts:
        with pytest.raises(SalesforceResourceNotFound) as refused:
            act()
        assert errors_of(refused)[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_one_bad_row_of_a_collection_does_not_stop_the_others(client: Any) -> None:
    kind = {"attributes": {"type": "Opportunity"}}
    results = collection(
        client,
        "POST",
        "",
        allOrNone=False,
        records=[{**kind, **DEAL}, {**kind, "Name": "no stage"}, {**kind, **DEAL}],
    )
    assert [result["success"] for result in results] == [True, False, True]
    assert results[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert results[1]["errors"][0]["fields"] == ["StageName", "CloseDate"]
    changed = collection(
        client,
        "PATCH",
        "",
        records=[
            {**kind, "id": results[0]["id"], "NextStep": "Call"},
            {**kind, "NextStep": "no id"},
        ],
    )
    assert [result["success"] for result in changed] == [True, False]
    assert client.Opportunity.get(results[0]["id"])["NextStep"] == "Call"
    gone = client.restful(
        "composite/sobjects",
        method="DELETE",
        params={"ids": f"{results[0]['id']},{results[2]['id']},006Fs000000zzzz"},
    )
    assert [result["success"] for result in gone] == [True, True, False]


def test_all_or_none_undoes_every_row(client: Any) -> None:
    kind = {"attributes": {"type": "Account"}}
    results = collection(
        client, "POST", "", allOrNone=True, records=[{**kind, "Name": "Undone Ltd"}, {**kind}]
    )
    assert [result["success"] for result in results] == [False, False]
    assert results[0]["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert results[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert client.query("SELECT COUNT() FROM Account WHERE Name = 'Undone Ltd'")["totalSize"] == 0


def test_more_than_200_rows_are_refused(client: Any) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": "x"}] * 201
    with pytest.raises(SalesforceMalformedRequest):
        collection(client, "POST", "", records=records)


def test_updated_and_deleted_are_listed_by_time(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    kept, gone = create(client), create(client)
    client.Opportunity.delete(gone)
    now = fresh_sandbox.state()["now"]
    base = f"{fresh_sandbox.base_url}/services/data/v66.0/sobjects/Opportunity"
    edges = {"start": now[:11] + "00:00:00+00:00", "end": "2100-01-01T00:00:00Z"}

    def listed(what: str) -> Any:
        url = f"{base}/{what}/"
        return requests.get(url, params=edges, headers=client.headers, timeout=TIMEOUT_S).json()

    assert kept in listed("updated")["ids"]
    assert gone not in listed("updated")["ids"]
    deleted = listed("deleted")
    assert gone in [each["id"] for each in deleted["deletedRecords"]]
    assert deleted["latestDateCovered"] <= now[:10] + "T23:59:59.000+0000"


def test_rows_that_are_no_records_are_refused_one_by_one(client: Any) -> None:
    for method in ("POST", "PATCH"):
        results = collection(client, method, "", records=["text", 5, {}, None])
        assert [result["success"] for result in results] == [False] * 4
        assert {result["errors"][0]["statusCode"] for result in results} == {"INVALID_TYPE"}
