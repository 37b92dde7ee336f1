import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.batches import Outgoing
from connectors.errors import Fatal, Retry, Skip
from connectors.records import FlagWrite, TaskWrite
from connectors.salesforce import outgoing
from connectors.salesforce.batches import run
from connectors.salesforce.client import Client
from connectors.salesforce.writer import TASK_SHAPE, SalesforceWriter
from tests.connectors.salesforce.fake import Answer, FakeOrg

UPSERT = "/composite/sobjects/"


def flag(number: int = 1, **values: Any) -> FlagWrite:
    base: dict[str, Any] = {
        "key": f"K{number}",
        "deal_crm_id": f"006{number:012d}AAA",
        "deal_name": "Acme",
        "owner_crm_id": "005A",
        "rule": "close-date-slippage",
        "title": "The promised date keeps moving away",
        "severity": "warning",
        "status": "open",
        "rank": 61,
        "reason": "Moved three times",
        "evidence": "1 June: 30 June -> 30 September",
        "questions": "What changed?",
        "opened_at": datetime(2026, 6, 1, 9, 0, 0, 123, tzinfo=UTC),
    }
    return FlagWrite(**{**base, **values})


def rows(count: int) -> list[Outgoing]:
    return [Outgoing(place, f"K{place}", {"n": place}) for place in range(count)]


def good(each: Outgoing) -> dict[str, Any]:
    return {"id": f"id-{each.key}", "success": True, "created": True, "errors": []}


def bad(code: str, message: str = "no") -> dict[str, Any]:
    error = {"statusCode": code, "message": message, "fields": []}
    return {"success": False, "errors": [error]}


class Org:
    """Answers a batch row by row and keeps the sizes of the batches."""

    def __init__(self, answer: Callable[[Outgoing, int], Mapping[str, Any]]) -> None:
        self.answer = answer
        self.sizes: list[int] = []

    def __call__(self, batch: Sequence[Outgoing]) -> list[Any]:
        self.sizes.append(len(batch))
        return [self.answer(each, len(batch)) for each in batch]


def test_rows_go_in_batches_of_200_and_come_back_in_order() -> None:
    org = Org(lambda each, _: good(each))
    results = run(rows(450), org, pause=lambda _: None)
    assert org.sizes == [200, 200, 50]
    assert [result.key for result in results] == [f"K{n}" for n in range(450)]
    assert {result.outcome for result in results} == {"written"}


def test_one_bad_row_is_parked_alone_with_the_crms_own_words() -> None:
    words = "Close date can't be in the past"
    org = Org(
        lambda each, _: (
            bad("FIELD_CUSTOM_VALIDATION_EXCEPTION", words) if each.place == 7 else good(each)
        )
    )
    results = run(rows(20), org, pause=lambda _: None)
    assert org.sizes == [20]
    assert [r.key for r in results if r.outcome != "written"] == ["K7"]
    assert results[7].outcome == "parked"
    assert results[7].error == f"FIELD_CUSTOM_VALIDATION_EXCEPTION: {words}"


@pytest.mark.parametrize(
    "error",
    [
        bad("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"),
        bad("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "System.LimitException: Apex CPU time limit"),
    ],
)
def test_locked_rows_and_spent_cpu_are_tried_again_in_halved_batches(
    error: dict[str, Any],
) -> None:
    naps: list[float] = []
    org = Org(lambda each, size: good(each) if size <= 50 or each.place >= 100 else error)
    results = run(rows(200), org, pause=naps.append)
    assert org.sizes == [200, 100, 50, 50]
    assert {result.outcome for result in results} == {"written"}
    assert all(nap > 0 for nap in naps)


def test_a_row_locked_to_the_end_is_left_for_a_later_try() -> None:
    org = Org(lambda each, _: bad("UNABLE_TO_LOCK_ROW") if each.place == 3 else good(each))
    results = run(rows(8), org, pause=lambda _: None)
    assert [r.outcome for r in results] == ["written"] * 3 + ["retry"] + ["written"] * 4
    assert org.sizes == [8, 1, 1, 1]


def test_a_call_refused_for_one_rows_sake_is_halved_until_that_row_stands_alone() -> None:
    def answer(each: Outgoing, _: int) -> Mapping[str, Any]:
        if each.place == 5:
            raise Skip("JSON_PARSER_ERROR: bad value", code="JSON_PARSER_ERROR")
        return good(each)

    results = run(rows(16), Org(answer), pause=lambda _: None)
    assert [r.key for r in results if r.outcome == "parked"] == ["K5"]
    assert sum(r.outcome == "written" for r in results) == 15


def test_trouble_before_anything_was_written_is_raised() -> None:
    def send(_: Sequence[Outgoing]) -> Sequence[dict[str, Any]]:
        raise Retry("down", after=900)

    with pytest.raises(Retry) as told:
        run(rows(3), send, pause=lambda _: None)
    assert told.value.after == 900


def test_trouble_after_a_batch_tells_what_stands_and_what_does_not() -> None:
    def answer(each: Outgoing, _: int) -> Mapping[str, Any]:
        if each.place >= 200:
            raise Retry("down")
        return good(each)

    results = run(rows(450), Org(answer), pause=lambda _: None)
    assert [r.outcome for r in results] == ["written"] * 200 + ["retry"] * 250


def test_an_answer_of_another_length_is_never_matched_to_rows() -> None:
    with pytest.raises(Fatal, match="1 rows for 2"):
        run(rows(2), lambda _: [{"success": True}], pause=lambda _: None)


def test_flags_are_upserted_by_key_and_named_as_ours(org: FakeOrg, client: Client) -> None:
    org.answer("PATCH", UPSERT, [{"id": "a001", "success": True, "created": True, "errors": []}])
    (result,) = SalesforceWriter(client).write_flags([flag()])
    assert (result.key, result.crm_id, result.created) == ("K1", "a001", True)
    (sent,) = org.sent("PATCH", UPSERT)
    assert sent.path.endswith("/composite/sobjects/Forestage_Flag__c/Key__c")
    assert sent.headers["Sforce-Call-Options"] == "client=forestage"
    body = json.loads(sent.body)
    assert body["allOrNone"] is False
    assert body["records"][0] == {
        "attributes": {"type": "Forestage_Flag__c"},
        "Key__c": "K1",
        "Opportunity__c": "006000000000001AAA",
        "OwnerId": "005A",
        "Name": "The promised date keeps moving away",
        "Rule__c": "close-date-slippage",
        "Severity__c": "warning",
        "Status__c": "open",
        "Rank__c": 61,
        "Reason__c": "Moved three times",
        "Evidence__c": "1 June: 30 June -> 30 September",
        "Questions__c": "What changed?",
        "Opened_At__c": "2026-06-01T09:00:00Z",
    }


def test_flags_of_one_deal_travel_together_and_results_keep_the_callers_order(
    org: FakeOrg, client: Client
) -> None:
    org.answer("PATCH", UPSERT, [{"id": f"a{n}", "success": True, "errors": []} for n in range(3)])
    given = [flag(2), flag(1), flag(3, deal_crm_id=flag(2).deal_crm_id)]
    results = SalesforceWriter(client).write_flags(given)
    sent = json.loads(org.sent("PATCH", UPSERT)[0].body)["records"]
    assert [record["Key__c"] for record in sent] == ["K1", "K2", "K3"]
    assert [(r.key, r.crm_id) for r in results] == [("K2", "a1"), ("K1", "a0"), ("K3", "a2")]


def test_a_missing_package_is_said_in_plain_words(org: FakeOrg, client: Client) -> None:
    words = "Provided external ID field does not exist or is not accessible: Key__c"
    org.answer("PATCH", UPSERT, Answer([{"message": words, "errorCode": "NOT_FOUND"}], status=404))
    with pytest.raises(Fatal, match="not installed"):
        SalesforceWriter(client).write_flags([flag(1), flag(2)])
    assert len(org.sent("PATCH", UPSERT)) == 1


def test_deleting_what_is_gone_already_is_no_failure(org: FakeOrg, client: Client) -> None:
    org.answer(
        "DELETE",
        "/composite/sobjects",
        [
            {"id": "a1", "success": True, "errors": []},
            bad("ENTITY_IS_DELETED"),
            bad("INSUFFICIENT_ACCESS_OR_READONLY", "not yours"),
        ],
    )
    results = SalesforceWriter(client).remove("flag", ["a1", "a2", "a3"])
    assert [r.outcome for r in results] == ["written", "written", "parked"]
    assert org.sent("DELETE", "")[0].path.endswith("?ids=a1,a2,a3&allOrNone=false")


def test_long_texts_are_cut_and_what_would_be_stored_equals_what_was_cut() -> None:
    long = flag(reason="word " * 100, evidence="line\n" * 9000, title="  ", questions="")
    row = outgoing.flag_row(long)
    assert len(row["Reason__c"]) <= 255
    assert len(row["Evidence__c"]) + row["Evidence__c"].count("\n") <= 36_000
    assert row["Name"] is None
    assert row["Questions__c"] is None
    assert outgoing.stored_flag(long) == outgoing.flag_values(
        {
            **row,
            "Rank__c": 61.0,
            "Opened_At__c": "2026-06-01T09:00:00.000+0000",
            "Evidence__c": row["Evidence__c"].replace("\n", "\r\n"),
        }
    )


def test_a_task_without_a_flag_hangs_on_nothing_and_a_kept_status_is_not_sent() -> None:
    task = TaskWrite(
        key="T1", owner_crm_id="005M", subject="1:1", body="Ask", due_on=date(2026, 6, 5)
    )
    row = outgoing.task_row(task, flag_ids={}, status=None)
    assert row == {
        "Forestage_Key__c": "T1",
        "OwnerId": "005M",
        "Subject": "1:1",
        "Description": "Ask",
        "ActivityDate": "2026-06-05",
        "WhatId": None,
    }
    assert outgoing.task_row(task, flag_ids={}, status="Not Started")["Status"] == "Not Started"


def test_without_an_owner_none_is_sent_and_none_is_compared() -> None:
    assert "OwnerId" not in outgoing.flag_row(flag(owner_crm_id=None))
    assert "owner_crm_id" not in outgoing.stored_flag(flag(owner_crm_id=None))


def test_a_task_that_a_person_moved_to_an_opportunity_is_not_looked_up_among_our_flags(
    org: FakeOrg, client: Client
) -> None:
    org.describe("Task", *TASK_SHAPE.needed)
    row = dict.fromkeys(TASK_SHAPE.needed)
    moved = {"Id": "00T1", "Forestage_Key__c": "T1", "WhatId": "006000000000001AAA"}
    org.rows("/query/.*FROM Task", {**row, **moved, "IsClosed": False})
    standing = SalesforceWriter(client).standing_tasks(["T1"])
    assert standing["T1"].values["flag_key"] is None
    assert org.sent("GET", "Forestage_Flag__c") == []
