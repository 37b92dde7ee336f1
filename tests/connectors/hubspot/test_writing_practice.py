"""Set-up and writer against the practice HubSpot, read back by a client of others."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.objects import PublicObjectSearchRequest

from connectors.errors import Fatal
from connectors.hubspot import limiter, outgoing
from connectors.hubspot.writer import HubSpotWriter
from connectors.records import FlagWrite, TaskWrite
from tests.connectors.hubspot.practice import TOKEN, VERSIONS, PracticePortal, practising

OBJECTS = "/crm/objects/2026-09"


@pytest.fixture(autouse=True)
def _unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "SEARCHES_PER_S", 1000.0)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticePortal]:
    with practising(tmp_path_factory.mktemp("portal"), deals=230, seed=2) as made:
        with pytest.raises(Fatal, match="setup --deploy"):
            made.connect().writer().standing_flags()
        setup = made.connect().setup()
        assert len(setup.missing()) == 7
        assert len(setup.install()) == 9
        yield made


@pytest.fixture(scope="module")
def deals(portal: PracticePortal) -> list[Any]:
    reader = portal.connect().reader()
    found = [deal for page in reader.read("deals", None) for deal in page.deals]
    return [deal for deal in found if not deal.is_deleted]


@pytest.fixture(params=VERSIONS)
def writer(request: pytest.FixtureRequest, portal: PracticePortal) -> Iterator[HubSpotWriter]:
    made = portal.connect(request.param).writer()
    made._pause = lambda _: None
    yield made
    clean = portal.connect().writer()
    for kind, standing in (("flag", clean.standing_flags()), ("task", clean.standing_tasks())):
        assert kind in {"flag", "task"}
        clean.remove(
            "flag" if kind == "flag" else "task", [each.crm_id for each in standing.values()]
        )


def flag_on(deal_id: str, number: int = 0, **values: Any) -> FlagWrite:
    base: dict[str, Any] = {
        "key": f"FLAG{number}X{deal_id}",
        "deal_crm_id": deal_id,
        "deal_name": "Ada <b>& Co",
        "owner_crm_id": "1",
        "rule": f"rule-{number}",
        "title": f"Title {number} \u4e2d\u6587",
        "severity": "warning",
        "status": "open",
        "rank": 50 + number,
        "reason": "Moved " + "again and " * 80,
        "evidence": "1 May: 30 June to 30 September\n2 June: 30 September to 31 December",
        "questions": "What changed for the customer?\nWho signs?",
        "opened_at": datetime(2026, 6, 1, 9, 30, 0, 77, tzinfo=UTC),
    }
    return FlagWrite(**{**base, **values})


def task_for(key: str, owner: str | None, **values: Any) -> TaskWrite:
    base: dict[str, Any] = {
        "subject": "1:1 with Ada",
        "body": "Ask why:\n<script>alert(1)</script> & so on",
        "due_on": date(2026, 12, 1),
    }
    return TaskWrite(key=key, owner_crm_id=owner, **{**base, **values})


def properties(portal: PracticePortal, deal_id: str) -> dict[str, Any]:
    names = ",".join((*outgoing.SHOWN, outgoing.STATE))
    told = portal.call("GET", f"{OBJECTS}/deals/{deal_id}?properties={names}")
    return dict(told["properties"])


def test_nothing_is_missing_after_set_up_and_doing_it_twice_changes_nothing(
    portal: PracticePortal,
) -> None:
    for version in VERSIONS:
        setup = portal.connect(version).setup()
        assert setup.missing() == []
        assert setup.install() == []


def test_the_run_time_token_needs_no_right_to_create_properties(portal: PracticePortal) -> None:
    scopes = ("crm.objects.deals.read", "crm.objects.contacts.read")
    crm = portal.connect(secret=portal.token("pat-reads", *scopes))
    assert crm.setup().missing() == []
    portal.call("DELETE", "/crm/properties/2026-09/deals/forestage_snooze_until")
    assert crm.setup().missing() == ["property deals.forestage_snooze_until"]
    with pytest.raises(Fatal, match=r"crm\.schemas\.deals\.write.*set-up needs it once"):
        crm.setup().install()
    assert portal.connect().setup().install() == ["property deals.forestage_snooze_until"]


def test_flags_stand_exactly_as_predicted_in_full_batches(
    writer: HubSpotWriter, deals: list[Any]
) -> None:
    flags = [flag_on(deal.crm_id, number) for deal in deals for number in range(2)]
    before = writer.calls
    results = writer.write_flags(flags)
    assert {(r.outcome, r.created) for r in results} == {("written", True)}
    assert [r.key for r in results] == [flag.key for flag in flags]
    batches = -(-len(deals) // 100)
    assert writer.calls - before == 2 * batches
    standing = writer.standing_flags()
    assert standing.keys() == {flag.key for flag in flags}
    for flag, result in zip(flags, results, strict=True):
        assert standing[flag.key].values == writer.as_stored(flag)
        assert standing[flag.key].crm_id == result.crm_id
    again = writer.write_flags(flags)
    assert {(r.outcome, r.created) for r in again} == {("written", False)}
    assert writer.standing_flags([flags[0].key]).keys() == {flags[0].key}
    assert writer.standing_flags([]) == {}


def test_people_see_the_top_flag_and_plain_words(
    portal: PracticePortal, writer: HubSpotWriter, deals: list[Any]
) -> None:
    deal_id = deals[0].crm_id
    writer.write_flags([flag_on(deal_id, number, reason="Moved again") for number in (1, 3, 2)])
    shown = properties(portal, deal_id)
    assert shown[outgoing.TOP] == "Title 3 \u4e2d\u6587"
    assert shown[outgoing.FLAGS].splitlines() == [
        f"Title {number} \u4e2d\u6587 (warning): Moved again" for number in (3, 2, 1)
    ]
    assert "30 June to 30 September" in shown[outgoing.EVIDENCE]
    assert "FLAG" not in shown[outgoing.FLAGS] + shown[outgoing.EVIDENCE]


def test_a_flag_that_ends_leaves_the_others_standing(
    portal: PracticePortal, writer: HubSpotWriter, deals: list[Any]
) -> None:
    deal_id = deals[1].crm_id
    top, other = flag_on(deal_id, 5), flag_on(deal_id, 4)
    writer.write_flags([top, other])
    ended = replace(top, status="resolved")
    assert writer.write_flags([ended])[0].outcome == "written"
    assert properties(portal, deal_id)[outgoing.TOP] == other.title
    standing = writer.standing_flags()
    assert standing[top.key].values == writer.as_stored(ended)
    assert standing[other.key].values == writer.as_stored(other)


def test_removing_flags_clears_what_is_shown_and_keeps_the_rest(
    portal: PracticePortal, writer: HubSpotWriter, deals: list[Any]
) -> None:
    deal_id = deals[2].crm_id
    one, two = writer.write_flags([flag_on(deal_id, 1), flag_on(deal_id, 2)])
    assert one.crm_id is not None
    assert two.crm_id is not None
    assert writer.remove("flag", [two.crm_id])[0].outcome == "written"
    assert writer.standing_flags().keys() == {one.key}
    gone = writer.remove("flag", [one.crm_id, f"{deal_id}:NEVER", "999:GONE"])
    assert {result.outcome for result in gone} == {"written"}
    assert [result.key for result in gone] == [one.crm_id, f"{deal_id}:NEVER", "999:GONE"]
    assert not any(properties(portal, deal_id)[name] for name in (*outgoing.SHOWN, outgoing.STATE))


def test_what_people_changed_shows_in_the_standing(
    portal: PracticePortal, writer: HubSpotWriter, deals: list[Any]
) -> None:
    flag = flag_on(deals[3].crm_id)
    writer.write_flags([flag])
    body = {"properties": {outgoing.FLAGS: "not true, I called them"}}
    portal.call("PATCH", f"{OBJECTS}/deals/{flag.deal_crm_id}", body)
    assert writer.standing_flags()[flag.key].values != writer.as_stored(flag)


def test_a_flag_on_a_deal_that_is_gone_is_parked_unless_it_has_ended(
    writer: HubSpotWriter, deals: list[Any]
) -> None:
    good, lost = flag_on(deals[4].crm_id), flag_on("31999999999", 1)
    ended = flag_on("31999999999", 2, status="expired")
    results = writer.write_flags([good, lost, ended])
    assert [result.outcome for result in results] == ["written", "parked", "written"]
    assert "deleted" in (results[1].error or "")


def test_flags_beyond_what_a_property_holds_are_parked_alone(
    writer: HubSpotWriter, deals: list[Any]
) -> None:
    many = [
        flag_on(deals[5].crm_id, number, evidence="proof " * 1000, questions="why? " * 1000)
        for number in range(12)
    ]
    good = flag_on(deals[6].crm_id)
    results = writer.write_flags([*many, good])
    assert {result.outcome for result in results[:-1]} == {"parked"}
    assert results[-1].outcome == "written"


def test_tasks_stand_as_predicted_and_are_found_by_their_key(
    writer: HubSpotWriter, deals: list[Any]
) -> None:
    tasks = [task_for(f"TASK{number}", deals[0].owner_crm_id) for number in range(130)]
    results = writer.write_tasks(tasks)
    assert {(r.outcome, r.created) for r in results} == {("written", True)}
    assert {(r.outcome, r.created) for r in writer.write_tasks(tasks)} == {("written", False)}
    standing = writer.standing_tasks()
    assert standing.keys() == {task.key for task in tasks}
    for task, result in zip(tasks, results, strict=True):
        assert standing[task.key].values == writer.as_stored(task)
        assert standing[task.key].crm_id == result.crm_id
    assert writer.standing_tasks(["TASK7", "NONE"]).keys() == {"TASK7"}
    ids = [standing[task.key].crm_id for task in tasks]
    for _ in range(2):
        assert {result.outcome for result in writer.remove("task", ids)} == {"written"}
    assert writer.standing_tasks([tasks[0].key]) == {}


def test_a_task_is_due_in_the_portals_morning_and_its_body_is_escaped(
    portal: PracticePortal, writer: HubSpotWriter, deals: list[Any]
) -> None:
    result = writer.write_tasks([task_for("ONE", deals[0].owner_crm_id)])[0]
    names = "hs_timestamp,hs_task_body,hs_task_status,hubspot_owner_id"
    told = portal.call("GET", f"{OBJECTS}/tasks/{result.crm_id}?properties={names}")["properties"]
    assert told["hs_timestamp"] == "2026-12-01T14:00:00.000Z"  # 9:00 in New York
    assert "<script>" not in told["hs_task_body"]
    assert "<br>" in told["hs_task_body"]
    assert told["hubspot_owner_id"] == deals[0].owner_crm_id
    assert told["hs_task_status"] == "NOT_STARTED"
    assert writer.as_stored(task_for("ONE", None))["body"].startswith("Ask why:\n<script>")  # type: ignore[attr-defined]


def test_a_status_that_a_person_gave_is_kept_until_another_is_wanted(
    portal: PracticePortal, writer: HubSpotWriter, deals: list[Any]
) -> None:
    task = task_for("KEPT", deals[0].owner_crm_id)
    crm_id = writer.write_tasks([task])[0].crm_id
    place = f"{OBJECTS}/tasks/{crm_id}"
    portal.call("PATCH", place, {"properties": {"hs_task_status": "IN_PROGRESS"}})
    writer.write_tasks([replace(task, subject="1:1 with Ada and Bo")])
    told = portal.call("GET", f"{place}?properties=hs_task_status,hs_task_subject")["properties"]
    assert told["hs_task_status"] == "IN_PROGRESS"
    assert told["hs_task_subject"] == "1:1 with Ada and Bo"
    writer.write_tasks([replace(task, status="completed")])
    assert writer.standing_tasks(["KEPT"])["KEPT"].values["status"] == "completed"


def test_our_own_tasks_are_read_back_with_their_key(
    portal: PracticePortal, writer: HubSpotWriter, deals: list[Any]
) -> None:
    result = writer.write_tasks([task_for("MINE", deals[0].owner_crm_id)])[0]
    pages = portal.connect().reader().read("activities", None)
    found = {each.crm_id: each for page in pages for each in page.activities}
    assert found[str(result.crm_id)].key == "MINE"
    standing = {each.key for each in found.values() if not each.is_deleted}
    assert standing == {"MINE", None}


def test_trouble_while_writing_is_waited_out(
    portal: PracticePortal, writer: HubSpotWriter, deals: list[Any]
) -> None:
    writer._client._retrying.sleep = lambda _: None
    portal.faults({"kind": "503", "at": 0}, {"kind": "423", "at": 1}, {"kind": "cut", "at": 3})
    flags = [flag_on(deal.crm_id) for deal in deals[:150]]
    assert {result.outcome for result in writer.write_flags(flags)} == {"written"}
    assert writer.standing_flags().keys() == {flag.key for flag in flags}


def test_the_official_client_sees_what_was_written(
    portal: PracticePortal, writer: HubSpotWriter, deals: list[Any]
) -> None:
    flag = flag_on(deals[7].crm_id)
    writer.write_flags([flag])
    crm = HubSpot(access_token=TOKEN, host=portal.base_url).crm
    found = crm.deals.basic_api.get_by_id(flag.deal_crm_id, properties=[outgoing.TOP])
    assert found.properties[outgoing.TOP] == flag.title
    wanted = {"propertyName": outgoing.TOP, "operator": "HAS_PROPERTY"}
    request = PublicObjectSearchRequest(filter_groups=[{"filters": [wanted]}])
    assert crm.deals.search_api.do_search(request).total == 1
