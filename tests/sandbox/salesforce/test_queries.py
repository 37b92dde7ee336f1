"""Queries over real HTTP, checked against each other and against the shapes of real replies."""

from itertools import pairwise
from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import SalesforceMalformedRequest

from tests.sandbox.fixtures import TIMEOUT_S, Sandbox, errors_of


def error_of(client: Any, soql: str) -> dict[str, Any]:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query(soql)
    content = errors_of(refused)
    assert len(content) == 1
    return content[0]


def test_records_carry_attributes_nulls_and_nested_parents(client: Any) -> None:
    record = client.query(
        "SELECT Id, name, Owner.Name, Account.Owner.Manager.Name, Description, IsClosed, Amount, "
        "CloseDate, CreatedDate FROM Opportunity WHERE Amount != null ORDER BY Id LIMIT 1"
    )["records"][0]
    assert list(record) == [
        "attributes",
        "Id",
        "Name",
        "Owner",
        "Account",
        "Description",
        "IsClosed",
        "Amount",
        "CloseDate",
        "CreatedDate",
    ]
    assert record["attributes"] == {
        "type": "Opportunity",
        "url": f"/services/data/v59.0/sobjects/Opportunity/{record['Id']}",
    }
    assert record["Owner"]["attributes"]["type"] == "User"
    assert record["Account"]["Owner"]["Manager"]["Name"]
    assert record["Description"] is None
    assert isinstance(record["IsClosed"], bool)
    assert isinstance(record["Amount"], float)
    assert record["CreatedDate"].endswith(".000+0000")
    assert len(record["Id"]) == 18


def test_a_missing_parent_is_null(client: Any) -> None:
    record = client.query(
        "SELECT Manager.Name, Manager.UserRole.Name FROM User WHERE ManagerId = null"
    )["records"][0]
    assert record["Manager"] is None


def test_fifteen_characters_of_an_id_are_enough(client: Any) -> None:
    crm_id = client.query("SELECT Id FROM Opportunity LIMIT 1")["records"][0]["Id"]
    assert client.query(f"SELECT Id FROM Opportunity WHERE Id = '{crm_id[:15]}'")["totalSize"] == 1
    assert client.Opportunity.get(crm_id[:15])["Id"] == crm_id


def test_pages_follow_each_other_without_loss(client: Any) -> None:
    headers = {"Sforce-Query-Options": "batchSize=200"}
    soql = "SELECT Id FROM Task ORDER BY Id"
    page = client.query(soql, headers=headers)
    total, pages = page["totalSize"], [page["records"]]
    assert not page["done"]
    while not page["done"]:
        page = client.query_more(page["nextRecordsUrl"], identifier_is_url=True)
        pages.append(page["records"])
    found = [record["Id"] for records in pages for record in records]
    assert [len(records) for records in pages[:-1]] == [200] * (len(pages) - 1)
    assert len(found) == total
    assert found == sorted(set(found))
    assert total > 400


def test_a_cursor_does_not_see_what_comes_later(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    page = client.query("SELECT Id FROM Task", headers={"Sforce-Query-Options": "batchSize=200"})
    client.Task.create({"Subject": "later"})
    total = page["totalSize"]
    count = len(page["records"])
    while not page["done"]:
        page = client.query_more(page["nextRecordsUrl"], identifier_is_url=True)
        assert page["totalSize"] == total
        count += len(page["records"])
    assert count == total


def test_an_unknown_locator_is_refused(client: Any) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query_more("0r8nonsense-2000")
    assert errors_of(refused)[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_counts_and_groups_agree(client: Any) -> None:
    reply = client.query("SELECT COUNT() FROM Opportunity")
    assert reply["records"] == []
    groups = client.query(
        "SELECT StageName s, COUNT(Id), MAX(Amount) most, SUM(Amount) FROM Opportunity "
        "GROUP BY StageName HAVING COUNT(Id) > 0 ORDER BY COUNT(Id) DESC"
    )["records"]
    assert groups[0]["attributes"] == {"type": "AggregateResult"}
    assert {"s", "expr0", "most", "expr1"} <= set(groups[0])
    assert sum(group["expr0"] for group in groups) == reply["totalSize"]
    assert all(a["expr0"] >= b["expr0"] for a, b in pairwise(groups))


def test_child_records_stand_below_their_parent(client: Any) -> None:
    rows = client.query_all(
        "SELECT Id, (SELECT Id, StageName, OpportunityId FROM OpportunityHistories "
        "ORDER BY CreatedDate, Id) FROM Opportunity"
    )["records"]
    for row in rows:
        nested = row["OpportunityHistories"]
        assert nested["totalSize"] == len(nested["records"]) > 0
        assert {each["OpportunityId"] for each in nested["records"]} == {row["Id"]}


def test_polymorphic_parents_tell_name_and_type(client: Any) -> None:
    rows = client.query(
        "SELECT What.Name, What.Type, WhatId, Who.Name, Owner.Name FROM Task "
        "WHERE What.Type = 'Opportunity' AND WhoId != null LIMIT 5"
    )["records"]
    assert rows
    for row in rows:
        assert row["What"]["Type"] == "Opportunity"
        assert row["What"]["attributes"]["type"] == "Name"
        assert row["WhatId"] in row["What"]["attributes"]["url"]
        assert row["Who"]["Name"]


def test_semi_joins_select_by_another_object(client: Any) -> None:
    inside, outside = (
        client.query(
            f"SELECT COUNT() FROM Account WHERE Id {word} (SELECT AccountId FROM Opportunity "
            "WHERE IsWon = true)"
        )["totalSize"]
        for word in ("IN", "NOT IN")
    )
    assert inside > 0
    assert inside + outside == client.query("SELECT COUNT() FROM Account")["totalSize"]


def test_fields_all_needs_a_small_limit(client: Any) -> None:
    record = client.query("SELECT FIELDS(ALL) FROM Opportunity LIMIT 1")["records"][0]
    names = {field["name"] for field in client.Opportunity.describe()["fields"]}
    assert set(record) == names | {"attributes"}
    assert error_of(client, "SELECT FIELDS(ALL) FROM Opportunity")["errorCode"] == "MALFORMED_QUERY"
    assert client.query("SELECT FIELDS(STANDARD) FROM Account")["totalSize"] > 0


def test_deleted_records_come_back_with_query_all_only(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    crm_id = client.query("SELECT Id FROM Opportunity LIMIT 1")["records"][0]["Id"]
    client.Opportunity.delete(crm_id)
    soql = f"SELECT Id, IsDeleted FROM Opportunity WHERE Id = '{crm_id}'"
    assert client.query(soql)["totalSize"] == 0
    assert client.query(soql, include_deleted=True)["records"][0]["IsDeleted"] is True
    history = f"SELECT COUNT() FROM OpportunityHistory WHERE OpportunityId = '{crm_id}'"
    assert client.query(history)["totalSize"] == 0
    assert client.query(history, include_deleted=True)["totalSize"] > 0


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        (
            "SELECT Id, Whizbang__c FROM Opportunity",
            "INVALID_FIELD",
            "No such column 'Whizbang__c' on entity 'Opportunity'",
        ),
        ("SELECT Owner.Foo FROM Opportunity", "INVALID_FIELD", "column 'Foo' on entity 'User'"),
        ("SELECT Boss.Name FROM User", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT Id FROM Whizbang", "INVALID_TYPE", "sObject type 'Whizbang' is not supported"),
        (
            "SELECT Id FROM Opportunity WHERE HasOverdueTask = true",
            "INVALID_FIELD",
            "field 'HasOverdueTask' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Opportunity ORDER BY Description",
            "INVALID_FIELD",
            "field 'Description' can not be sorted in a query call",
        ),
        (
            "SELECT Amount FROM Opportunity GROUP BY Amount",
            "MALFORMED_QUERY",
            "field 'Amount' can not be grouped",
        ),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "grouped or aggregated: Name"),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: <EOF>"),
        (
            "SELECT Id FROM User WHERE Id = 'x' AND Name = 'y' OR Name = 'z'",
            "MALFORMED_QUERY",
            "OR",
        ),
        ("SELECT Id FROM User WHERE CreatedDate > SOMEDAY", "MALFORMED_QUERY", "SOMEDAY"),
        ("SELECT Id FROM User WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "type dateTime"),
        ("SELECT Id FROM User WHERE CreatedDate > '2026'", "INVALID_FIELD", "not be enclosed"),
        ("SELECT Id FROM Opportunity WHERE Amount > 'x'", "INVALID_FIELD", "of type double"),
        ("SELECT Id FROM Opportunity WHERE Name = 5", "INVALID_FIELD", "of type string"),
        (
            "SELECT Id FROM Opportunity WHERE OwnerId LIKE '005%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on id field",
        ),
        (
            "SELECT Id FROM Opportunity WHERE Id = 'nonsense'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: nonsense",
        ),
        ("SELECT Id, Id FROM User", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FROM User OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
    ],
)
def test_what_can_not_be_queried_is_refused_in_the_vendors_words(
    client: Any, soql: str, code: str, words: str
) -> None:
    error = error_of(client, soql)
    assert error["errorCode"] == code
    assert words in error["message"]


def test_a_field_error_points_into_the_query(client: Any) -> None:
    message = error_of(client, "SELECT Id, Whizbang__c FROM Opportunity")["message"]
    assert "^\nERROR at Row:1:Column:12\nNo such column" in message


def test_a_query_longer_than_16_kilobytes_is_refused(
    client: Any, salesforce_sandbox: Sandbox
) -> None:
    soql = "SELECT Id FROM User WHERE Name IN (" + ",".join(["'x'"] * 5000) + ")"
    reply = requests.get(
        f"{salesforce_sandbox.base_url}/services/data/v66.0/query",
        params={"q": soql},
        headers=client.headers,
        timeout=TIMEOUT_S,
    )
    assert reply.status_code == 414
