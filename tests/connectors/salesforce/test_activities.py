from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.salesforce.activities import email, event, task

MADE = "2026-03-10T15:00:00.000+0000"
BASE: dict[str, Any] = {"Id": "00T1", "CreatedDate": MADE, "IsDeleted": False}
CONTACT = "003000000000001AAA"


def made_task(**values: Any) -> Any:
    return task({**BASE, "IsClosed": True, "TaskSubtype": "Task", **values})


def made_event(**values: Any) -> Any:
    start = {"StartDateTime": "2026-03-11T10:00:00.000+0000", "DurationInMinutes": 45}
    return event({**BASE, **start, **values})


@pytest.mark.parametrize(
    ("disposition", "seconds", "expected"),
    [
        ("Connected", 5, True),
        ("Meaningful Connect", None, True),
        ("Not interested", 30, True),
        ("Spoke with gatekeeper", 300, False),
        ("No answer", 300, False),
        ("Left voicemail", 180, False),
        ("Not connected", None, False),
        ("Disconnected number", None, False),
        ("Busy", None, False),
        (None, 119, False),
        (None, 120, True),
        ("Sequence step 3", 121, True),
        (None, None, None),
        ("Sequence step 3", None, None),
    ],
)
def test_a_call_is_connected_by_its_disposition_else_by_its_length(
    disposition: str | None, seconds: int | None, *, expected: bool | None
) -> None:
    call = made_task(TaskSubtype="Call", CallDisposition=disposition, CallDurationInSeconds=seconds)
    assert (call.kind, call.is_two_way) == ("call", expected)


def test_an_open_task_is_nothing_that_took_place() -> None:
    plan = made_task(IsClosed=False, TaskSubtype="Call", CallDurationInSeconds=600)
    assert (plan.is_held, plan.is_two_way) == (False, False)


def test_our_own_task_carries_its_key() -> None:
    assert made_task(Forestage_Key__c="K1").key == "K1"
    assert made_task().key is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({}, "task"),
        ({"TaskSubtype": "Email"}, "email"),
        ({"TaskSubtype": "ListEmail"}, "email"),
        ({"Type": "Call"}, "call"),
        ({"Type": "Meeting"}, "meeting"),
        ({"TaskSubtype": "Call", "Type": "Meeting"}, "call"),
        ({"TaskSubtype": None, "Type": "Other"}, "task"),
    ],
)
def test_the_kind_is_the_subtype_else_the_type(values: dict[str, Any], kind: str) -> None:
    assert made_task(**values).kind == kind


def test_a_call_counts_on_its_date_and_a_task_when_it_was_completed() -> None:
    when = {"ActivityDate": "2026-03-02", "CompletedDateTime": "2026-03-06T17:00:00.000+0000"}
    assert made_task(TaskSubtype="Call", **when).at == datetime(2026, 3, 2, tzinfo=UTC)
    assert made_task(**when).at == datetime(2026, 3, 6, 17, tzinfo=UTC)
    same_day = {**when, "ActivityDate": "2026-03-06"}
    assert made_task(TaskSubtype="Call", **same_day).at == datetime(2026, 3, 6, 17, tzinfo=UTC)
    assert made_task(ActivityDate="2026-03-02").at == datetime(2026, 3, 2, tzinfo=UTC)
    assert made_task().at == datetime(2026, 3, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("what", "deal", "company"),
    [
        ("006000000000001AAA", "006000000000001AAA", "001A"),
        ("001000000000001AAA", None, "001000000000001AAA"),
        ("a00000000000001AAA", None, "001A"),
        (None, None, "001A"),
    ],
)
def test_what_an_activity_hangs_on_is_told_by_the_ids_prefix(
    what: str | None, deal: str | None, company: str | None
) -> None:
    record = made_task(WhatId=what, AccountId="001A")
    assert (record.deal_crm_id, record.company_crm_id) == (deal, company)


def test_a_lead_is_a_customer_but_no_contact_and_a_queue_is_no_owner() -> None:
    record = made_event(WhoId="00Q000000000001AAA", OwnerId="00G000000000001AAA")
    assert record.contact_crm_ids == ()
    assert record.is_two_way is True
    assert record.owner_crm_id is None
    assert made_event(WhoId=CONTACT, OwnerId="005A").contact_crm_ids == (CONTACT,)


@pytest.mark.parametrize(
    "subject", ["Canceled: demo", "CANCELLED - demo", "No-show: kickoff", "[Declined] Kickoff"]
)
def test_a_meeting_called_off_was_not_held(subject: str) -> None:
    meeting = made_event(Subject=subject, WhoId=CONTACT)
    assert (meeting.is_held, meeting.is_two_way) == (False, False)


def test_a_meeting_about_cancelling_was_held() -> None:
    assert made_event(Subject="Talk about cancelled order", WhoId=CONTACT).is_held is True


def test_a_no_show_field_of_the_orgs_own_is_believed() -> None:
    assert made_event(No_Show__c=True, WhoId=CONTACT).is_held is False


def test_a_meeting_without_a_contact_may_or_may_not_be_with_the_customer() -> None:
    meeting = made_event()
    assert (meeting.is_held, meeting.is_two_way, meeting.minutes) == (True, None, 45)
    assert meeting.at == datetime(2026, 3, 11, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("incoming", "direction"), [(True, "inbound"), (False, "outbound"), (None, "none")]
)
def test_a_mail_is_two_way_only_when_it_came_in(incoming: bool | None, direction: str) -> None:
    mail = email({**BASE, "Incoming": incoming, "RelatedToId": "006000000000001AAA"})
    assert (mail.direction, mail.is_two_way) == (direction, incoming)
    assert mail.deal_crm_id == "006000000000001AAA"
