"""The reader against the practice HubSpot, over real HTTP and both families of paths."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

import pytest

from connectors.base import STREAMS
from connectors.errors import Fatal, Reauthorise, Retry
from connectors.hubspot import limiter, passes
from connectors.records import ChangeField
from tests.connectors.hubspot.copy_of import Copy
from tests.connectors.hubspot.practice import OAUTH, VERSIONS, PracticePortal, practising

OBJECTS = "/crm/objects/2026-09"
LAG_S = 1.5


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticePortal]:
    with practising(tmp_path_factory.mktemp("portal"), deals=260, seed=5) as made:
        # Those that people deleted long ago are beyond HubSpot's 90 days.
        made.call("DELETE", f"{OBJECTS}/deals/31000000005")
        yield made


@pytest.fixture(autouse=True)
def _unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The practice portal allows any number of searches."""
    monkeypatch.setattr(limiter, "SEARCHES_PER_S", 1000.0)


@pytest.fixture(scope="module")
def everything(portal: PracticePortal) -> Copy:
    copy = Copy()
    copy.read(portal.connect())
    return copy


def test_every_record_of_the_portal_is_read(portal: PracticePortal, everything: Copy) -> None:
    counts = portal.state()["counts"]
    told = set()
    for archived in ("false", "true"):
        after = "0"
        while after:
            query = f"?limit=100&after={after}&archived={archived}"
            page = portal.call("GET", f"{OBJECTS}/deals{query}")
            told |= {each["id"] for each in page["results"]}
            after = page.get("paging", {}).get("next", {}).get("after")
    assert everything.deals.keys() == everything.histories.keys() == told
    assert len(told) > counts["deals"] - 10
    assert len(everything.companies) == counts["companies"]
    kinds = ("meetings", "calls", "emails", "notes", "tasks")
    assert len(everything.activities) == sum(counts[kind] for kind in kinds)
    assert any(deal.is_deleted for deal in everything.deals.values())
    assert everything.warnings == []


def test_both_families_of_paths_tell_the_same(portal: PracticePortal, everything: Copy) -> None:
    copy = Copy()
    copy.read(portal.connect("v3"))
    assert copy.same_as(everything)


def test_each_deal_has_a_history_that_begins_at_its_creation_and_ends_as_it_is(
    everything: Copy,
) -> None:
    known = set(get_args(ChangeField))
    for crm_id, deal in everything.deals.items():
        last: dict[str, Any] = {}
        for change in everything.histories[crm_id]:
            assert change.field in known
            assert change.field not in last or change.old == last[change.field]
            if change.field not in last and change.old is None:
                assert abs(change.at - deal.created_at) <= timedelta(seconds=5)
            last[change.field] = change.new
        assert last["stage"] == deal.stage_crm_id
        assert last["pipeline"] == deal.pipeline_crm_id
        assert last["close_date"] == deal.close_on
        assert last["owner"] == deal.owner_crm_id
        assert last.get("amount") == deal.amount
        assert last.get("forecast") == deal.forecast
        assert last.get("next_step") == deal.next_step


def test_activities_hang_on_deals_companies_and_contacts(everything: Copy) -> None:
    found = list(everything.activities.values())
    assert {each.kind for each in found} >= {"meeting", "call", "email", "task"}
    on_deals = [each for each in found if each.deal_crm_id]
    assert len({each.deal_crm_id for each in on_deals} & everything.deals.keys()) > 200
    assert {each.company_crm_id for each in found if each.company_crm_id} <= set(
        everything.companies
    )
    assert any(each.contact_crm_ids for each in found)
    meetings = [each for each in found if each.kind == "meeting"]
    assert {each.is_held for each in meetings} == {True, False}
    assert any(each.is_two_way for each in meetings)
    mails = [each for each in found if each.kind == "email"]
    assert all(each.is_two_way is (each.direction == "inbound") for each in mails)


def test_deals_have_companies_contacts_with_titles_and_labels(everything: Copy) -> None:
    assert {deal.company_crm_id for deal in everything.deals.values() if not deal.is_deleted} <= (
        set(everything.companies)
    )
    roles = everything.contacts.values()
    assert any(role.title for role in roles)
    assert any(role.role for role in roles)
    assert {role.deal_crm_id for role in roles} <= set(everything.deals)


def test_stages_follow_each_pipeline_and_people_have_the_managers_that_were_told(
    portal: PracticePortal, everything: Copy
) -> None:
    reader = portal.connect(managers=portal.state()["managers"]).reader()
    stages = reader.stages()
    for pipeline in {stage.pipeline_crm_id for stage in stages}:
        own = [stage for stage in stages if stage.pipeline_crm_id == pipeline]
        assert [stage.sort_order for stage in own] == list(range(len(own)))
        assert sum(stage.is_won for stage in own) == 1
    known = {(stage.pipeline_crm_id, stage.crm_id) for stage in stages}
    assert {(d.pipeline_crm_id, d.stage_crm_id) for d in everything.deals.values()} <= known
    people = {person.crm_id: person for person in reader.people()}
    owners = {deal.owner_crm_id for deal in everything.deals.values()} - {None}
    assert owners <= people.keys()
    assert all(people[owner].manager_crm_id in people for owner in owners)
    assert not all(person.is_active for person in people.values())


def test_managers_may_be_told_by_team_name_and_e_mail(portal: PracticePortal) -> None:
    plain = portal.connect().reader().people()
    boss, rep = plain[0], next(each for each in plain if each.role_name == "Sales Team 1")
    assert boss.email is not None
    assert boss.manager_crm_id is None
    told = {"team:sales team 1": boss.email.upper(), f"owner:{rep.email}": plain[1].crm_id}
    people = portal.connect(managers=told).reader().people()
    mine = {each.crm_id: each.manager_crm_id for each in people if each.role_name == rep.role_name}
    assert mine.pop(rep.crm_id) == plain[1].crm_id
    assert set(mine.values()) == {boss.crm_id}


def test_the_account_tells_its_clock_and_time_zone(portal: PracticePortal) -> None:
    account = portal.connect(fiscal_year_start_month=2).reader().account()
    assert account.crm_id == str(portal.state()["portal_id"])
    assert account.time_zone == "America/New_York"
    assert account.home_currency == "USD"
    assert account.fiscal_year_start_month == 2


def test_named_deals_come_with_their_whole_history(
    portal: PracticePortal, everything: Copy
) -> None:
    gone = next(crm_id for crm_id, deal in everything.deals.items() if deal.is_deleted)
    wanted = sorted({*sorted(everything.deals)[:3], gone})
    page = portal.connect().reader().deals_by_id(wanted)
    assert {deal.crm_id: deal for deal in page.deals} == {k: everything.deals[k] for k in wanted}
    assert page.complete_histories == frozenset(wanted)
    assert portal.connect().reader().deals_by_id([]).deals == []


@pytest.mark.parametrize("pages", [1, 2])
def test_a_first_read_that_is_killed_again_and_again_ends_with_the_same_copy(
    portal: PracticePortal, everything: Copy, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    monkeypatch.setattr(passes, "LOT", 100)
    copy = Copy()
    for _ in range(60):
        copy.read(portal.connect(), pages=pages)
    assert copy.same_as(everything)
    assert copy.cursors.keys() == {"companies", "deals", "activities"}


def test_a_second_read_costs_few_calls_and_changes_nothing(
    portal: PracticePortal, everything: Copy
) -> None:
    copy = Copy(cursors=dict(everything.cursors))
    reader = copy.read(portal.connect())
    assert copy.deals.keys() <= {"31000000005"}  # deleted within the look-back
    assert copy.activities == {}
    assert reader.calls <= 16


@pytest.mark.parametrize("version", VERSIONS)
def test_trouble_in_the_middle_of_a_read_is_not_noticed(
    portal: PracticePortal, everything: Copy, version: str
) -> None:
    kinds = ("429", "cut", "503", "500", "reset", "423", "477", "524")
    portal.faults(*({"kind": kind, "at": 3 + 6 * place} for place, kind in enumerate(kinds)))
    crm = portal.connect(version)
    copy = Copy()
    reader = crm.reader()
    reader._client._retrying.sleep = lambda _: None
    for stream in STREAMS:
        for page in reader.read(stream, None):
            copy.take(stream, page)
    assert copy.same_as(everything)


def test_an_exhausted_day_stops_the_read_and_the_next_one_goes_on(
    portal: PracticePortal, everything: Copy
) -> None:
    portal.faults({"kind": "429_daily", "at": 20})
    copy = Copy()
    with pytest.raises(Retry, match="daily limit") as told:
        copy.read(portal.connect())
    assert told.value.after == 3600
    assert copy.cursors
    copy.read(portal.connect())
    assert copy.same_as(everything)


def test_a_token_that_ends_in_the_middle_is_renewed_once(
    portal: PracticePortal, everything: Copy
) -> None:
    portal.faults({"kind": "401", "at": 9})
    copy = Copy()
    reader = copy.read(portal.connect(secret=OAUTH))
    assert copy.same_as(everything)
    assert reader._client._tokens.calls == 2


def test_a_static_token_that_ends_asks_for_an_admin(portal: PracticePortal) -> None:
    with pytest.raises(Reauthorise):
        portal.connect(secret={"access_token": "pat-wrong"}).reader().account()


def test_what_the_token_may_not_see_is_left_out_with_a_warning_and_read_once_it_may(
    portal: PracticePortal, everything: Copy
) -> None:
    copy = Copy()
    copy.read(portal.connect(secret={"access_token": "pat-sandbox-deals-only"}))
    assert copy.deals == everything.deals
    assert copy.histories == everything.histories
    assert copy.companies == copy.activities == {}
    assert any("crm.objects.contacts.read" in warning for warning in copy.warnings)
    copy.read(portal.connect())
    assert copy.activities == everything.activities
    assert copy.companies == everything.companies


def test_without_deals_nothing_works_and_the_scope_is_named(portal: PracticePortal) -> None:
    secret = portal.token("pat-contacts", "crm.objects.contacts.read")
    with pytest.raises(Fatal, match=r"crm\.objects\.deals\.read"):
        list(portal.connect(secret=secret).reader().read("deals", None))


def test_after_two_weeks_an_incremental_read_equals_a_full_one(
    portal: PracticePortal, everything: Copy
) -> None:
    portal.advance(14)
    copy = everything.again()
    seen = copy.read(portal.connect()).calls
    fresh = Copy()
    assert fresh.read(portal.connect()).calls > seen
    assert copy.deals != everything.deals
    assert copy.same_as(fresh)


def test_archived_deals_are_told_as_deleted(portal: PracticePortal) -> None:
    copy = Copy()
    copy.read(portal.connect())
    gone = next(crm_id for crm_id, deal in copy.deals.items() if not deal.is_deleted)
    portal.call("DELETE", f"{OBJECTS}/deals/{gone}")
    copy.read(portal.connect())
    assert copy.deals[gone].is_deleted
    fresh = Copy()
    fresh.read(portal.connect())
    assert fresh.deals == copy.deals


def test_a_merge_makes_a_new_deal_whose_mixed_past_proves_nothing(portal: PracticePortal) -> None:
    copy = Copy()
    copy.read(portal.connect())
    first, second = [k for k, deal in copy.deals.items() if not deal.is_deleted][:2]
    body = {"primaryObjectId": first, "objectIdToMerge": second}
    merged = portal.call("POST", f"{OBJECTS}/deals/merge", body)["id"]
    copy.read(portal.connect())
    assert copy.deals[first].is_deleted
    assert copy.deals[second].is_deleted
    assert not copy.deals[merged].is_deleted
    past = copy.histories[merged]
    assert {change.source for change in past if change.old is not None} <= {"system"}
    merged_deal = copy.deals[merged]
    stage = next(
        each.crm_id
        for each in portal.connect().reader().stages()
        if each.pipeline_crm_id == merged_deal.pipeline_crm_id
        and not each.is_closed
        and each.crm_id != merged_deal.stage_crm_id
    )
    portal.call("PATCH", f"{OBJECTS}/deals/{merged}", {"properties": {"dealstage": stage}})
    copy.read(portal.connect())
    moved = [change for change in copy.histories[merged] if change.field == "stage"][-1]
    assert moved.new == stage
    fresh = Copy()
    fresh.read(portal.connect())
    assert fresh.deals == copy.deals
    assert fresh.histories.keys() <= copy.histories.keys()
    assert all(copy.histories[crm_id] == rows for crm_id, rows in fresh.histories.items())


def test_rows_that_search_sees_late_are_read_by_the_next_pass(portal: PracticePortal) -> None:
    copy = Copy()
    copy.read(portal.connect())
    chosen = next(crm_id for crm_id, deal in copy.deals.items() if not deal.is_deleted)
    portal.limits(index_lag_seconds=LAG_S)
    body = {"properties": {"dealname": "Renamed \u540d\u524d"}}
    portal.call("PATCH", f"{OBJECTS}/deals/{chosen}", body)
    copy.read(portal.connect())
    assert copy.deals[chosen].name != "Renamed \u540d\u524d"
    portal.limits(index_lag_seconds=0)
    time.sleep(LAG_S + 0.2)
    copy.read(portal.connect())
    assert copy.deals[chosen].name == "Renamed \u540d\u524d"
