"""Set-up and writer against the practice Salesforce, read back by a client of others."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce

from connectors.records import FlagWrite, TaskWrite
from connectors.salesforce.writer import SalesforceWriter
from tests.connectors.salesforce.practice import CREDENTIALS, PracticeOrg, practising


class _ToLoopback(HTTPAdapter):
    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeOrg]:
    with practising(tmp_path_factory.mktemp("org"), deals=60, seed=2) as made:
        setup = made.connect().setup()
        assert setup.missing() == [
            "object Forestage_Flag__c",
            "field Task.Forestage_Key__c",
        ]
        assert "CustomObject Forestage_Flag__c" in setup.install()
        yield made


@pytest.fixture(scope="module")
def deals(org: PracticeOrg) -> list[Any]:
    """Deals that stand, of people who still work there: others take no flag."""
    reader = org.connect().reader()
    active = {person.crm_id for person in reader.people() if person.is_active}
    found = [deal for page in reader.read("deals", None) for deal in page.deals]
    return [deal for deal in found if deal.owner_crm_id in active and not deal.is_deleted]


@pytest.fixture
def writer(org: PracticeOrg) -> SalesforceWriter:
    return SalesforceWriter(org.connect()._client(), pause=lambda _: None)


@pytest.fixture
def plain(org: PracticeOrg) -> Iterator[Salesforce]:
    """simple-salesforce as anyone would use it."""
    with requests.Session() as session:
        session.mount("https://", _ToLoopback())
        token = requests.post(
            f"{org.base_url}/services/oauth2/token",
            data={
                "grant_type": "client_credentials",
                "client_id": CREDENTIALS["consumer_key"],
                "client_secret": CREDENTIALS["consumer_secret"],
            },
            timeout=10,
        ).json()["access_token"]
        yield Salesforce(
            session_id=token,
            instance_url=org.base_url.replace("http://", "https://"),
            session=session,
            version="66.0",
        )


def flag_on(deal: Any, number: int = 0) -> FlagWrite:
    return FlagWrite(
        key=f"FLAG{number}{deal.crm_id}",
        deal_crm_id=deal.crm_id,
        deal_name=deal.name,
        owner_crm_id=deal.owner_crm_id,
        rule="close-date-slippage",
        title="The promised date keeps moving away",
        severity="critical",
        status="open",
        rank=80,
        reason="Moved " + "again and " * 40,
        evidence="1 May: 30 June to 30 September\n2 June: 30 September to 31 December",
        questions="What changed for the customer?\nWho signs?",
        opened_at=datetime(2026, 6, 1, 9, 30, 0, 77, tzinfo=UTC),
    )


def task_for(owner: str, key: str, **values: Any) -> TaskWrite:
    base: dict[str, Any] = {
        "subject": "1:1 with Ada",
        "body": "Ask why the date moved",
        "due_on": date(2026, 12, 1),
    }
    return TaskWrite(key=key, owner_crm_id=owner, **{**base, **values})


def test_nothing_is_missing_after_the_installation_and_doing_it_twice_changes_nothing(
    org: PracticeOrg,
) -> None:
    setup = org.connect().setup()
    assert setup.missing() == []
    assert setup.install() == []


def test_flags_stand_in_the_crm_exactly_as_predicted(
    writer: SalesforceWriter, deals: list[Any]
) -> None:
    flags = [flag_on(deal) for deal in deals]
    results = writer.write_flags(flags)
    assert {(r.outcome, r.created) for r in results} == {("written", True)}
    standing = writer.standing_flags([flag.key for flag in flags])
    for flag, result in zip(flags, results, strict=True):
        assert standing[flag.key].crm_id == result.crm_id
        assert standing[flag.key].values == writer.as_stored(flag)


def test_writing_twice_makes_no_second_record(
    writer: SalesforceWriter, deals: list[Any], plain: Salesforce
) -> None:
    flags = [flag_on(deal) for deal in deals]
    writer.write_flags(flags)
    before = plain.query("SELECT COUNT() FROM Forestage_Flag__c")["totalSize"]
    results = writer.write_flags([replace(flag, rank=81) for flag in flags])
    assert {(r.outcome, r.created) for r in results} == {("written", False)}
    assert plain.query("SELECT COUNT() FROM Forestage_Flag__c")["totalSize"] == before


def test_others_see_sentence_severity_evidence_and_owner(
    writer: SalesforceWriter, deals: list[Any], plain: Salesforce
) -> None:
    flag = flag_on(deals[0])
    writer.write_flags([flag])
    found = plain.query_all(
        "SELECT Name, Reason__c, Severity__c, Evidence__c, OwnerId, Opportunity__c "
        f"FROM Forestage_Flag__c WHERE Key__c = '{flag.key}'"
    )["records"]
    assert len(found) == 1
    assert found[0]["Severity__c"] == "critical"
    assert found[0]["OwnerId"] == flag.owner_crm_id
    assert found[0]["Opportunity__c"] == flag.deal_crm_id
    assert len(found[0]["Reason__c"]) <= 255
    assert "30 September to 31 December" in found[0]["Evidence__c"]


def test_a_bad_row_is_parked_and_the_others_are_written(
    writer: SalesforceWriter, deals: list[Any]
) -> None:
    good, bad = (
        flag_on(deals[0], 1),
        replace(flag_on(deals[1], 1), owner_crm_id="005000000000000AAA"),
    )
    first, second = writer.write_flags([good, bad])
    assert first.outcome == "written"
    assert second.outcome == "parked"
    assert second.error


def test_a_flag_for_a_deleted_deal_is_parked_with_the_crms_own_words(
    org: PracticeOrg, writer: SalesforceWriter
) -> None:
    pages = list(org.connect().reader().read("deals", None))
    deleted = next(deal for page in pages for deal in page.deals if deal.is_deleted)
    (result,) = writer.write_flags([flag_on(deleted)])
    assert result.outcome == "parked"
    assert "deleted" in str(result.error)


def test_locked_rows_are_written_in_the_end(
    org: PracticeOrg, writer: SalesforceWriter, deals: list[Any]
) -> None:
    org.faults(*({"kind": "lock", "path": "PATCH .*Forestage_Flag__c"} for _ in range(2)))
    flags = [flag_on(deal, 2) for deal in deals]
    results = writer.write_flags(flags)
    assert {result.outcome for result in results} == {"written"}
    assert set(writer.standing_flags([flag.key for flag in flags])) == {flag.key for flag in flags}


def test_an_expired_session_in_the_middle_of_writing_writes_once(
    org: PracticeOrg, writer: SalesforceWriter, deals: list[Any]
) -> None:
    flags = [flag_on(deal, 3) for deal in deals]
    org.faults({"kind": "401", "path": "PATCH"}, {"kind": "cut", "path": "PATCH"})
    assert {result.outcome for result in writer.write_flags(flags)} == {"written"}
    assert set(writer.standing_flags([flag.key for flag in flags])) == {flag.key for flag in flags}


def test_tasks_hang_on_their_flag_or_on_nothing_and_stand_as_predicted(
    writer: SalesforceWriter, deals: list[Any], plain: Salesforce
) -> None:
    flag = flag_on(deals[0])
    (written,) = writer.write_flags([flag])
    owner = str(flag.owner_crm_id)
    tasks = [task_for(owner, "T1", flag_key=flag.key), task_for(owner, "T2", body="Agenda\nline 2")]
    assert {r.outcome for r in writer.write_tasks(tasks)} == {"written"}
    standing = writer.standing_tasks(["T1", "T2"])
    for task in tasks:
        assert standing[task.key].values == writer.as_stored(task)
    rows = plain.query_all(
        "SELECT WhatId, OwnerId, Subject, ActivityDate, Status, Priority FROM Task "
        "WHERE Forestage_Key__c IN ('T1','T2') ORDER BY Forestage_Key__c"
    )["records"]
    assert [row["WhatId"] for row in rows] == [written.crm_id, None]
    assert {row["ActivityDate"] for row in rows} == {"2026-12-01"}
    assert {row["Status"] for row in rows} == {"Not Started"}


def test_an_open_task_keeps_the_status_that_its_owner_gave_it(
    writer: SalesforceWriter, deals: list[Any], plain: Salesforce
) -> None:
    owner = deals[0].owner_crm_id
    (made,) = writer.write_tasks([task_for(owner, "T3")])
    plain.restful(f"sobjects/Task/{made.crm_id}", method="PATCH", json={"Status": "In Progress"})
    writer.write_tasks([task_for(owner, "T3", body="New line")])
    row = plain.restful(f"sobjects/Task/{made.crm_id}")
    assert row
    assert (row["Status"], row["Description"]) == ("In Progress", "New line")
    writer.write_tasks([task_for(owner, "T3", status="completed")])
    assert writer.standing_tasks(["T3"])["T3"].values["status"] == "completed"


def test_our_own_tasks_come_back_with_their_key(
    org: PracticeOrg, writer: SalesforceWriter, deals: list[Any]
) -> None:
    writer.write_tasks([task_for(deals[0].owner_crm_id, "T4")])
    pages = list(org.connect().reader().read("activities", None))
    ours = [row for page in pages for row in page.activities if row.key]
    assert "T4" in {row.key for row in ours}
    assert all(row.deal_crm_id is None and row.is_held is False for row in ours if row.key == "T4")


def test_what_was_written_can_be_removed_and_removing_twice_is_no_failure(
    writer: SalesforceWriter, deals: list[Any]
) -> None:
    (made,) = writer.write_flags([flag_on(deals[2], 9)])
    for _ in range(2):
        (gone,) = writer.remove("flag", [str(made.crm_id)])
        assert (gone.key, gone.outcome) == (made.crm_id, "written")
    assert writer.standing_flags([flag_on(deals[2], 9).key]) == {}


def test_all_that_is_ours_can_be_listed_without_knowing_the_keys(
    writer: SalesforceWriter, deals: list[Any]
) -> None:
    writer.write_flags([flag_on(deals[3])])
    writer.write_tasks([task_for(deals[3].owner_crm_id, "T5")])
    assert flag_on(deals[3]).key in writer.standing_flags()
    assert "T5" in writer.standing_tasks()
    assert writer.standing_flags([]) == {}
