"""The reader against the practice Salesforce, over real HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, get_args

import pytest

from connectors.base import STREAMS, Stream
from connectors.errors import Retry
from connectors.records import ChangeField, Page
from connectors.salesforce.reader import SalesforceReader
from tests.connectors.salesforce.practice import PracticeOrg, practising


@dataclass
class Copy:
    """What a store holds that upserts every page, and replaces whole histories."""

    companies: dict[str, Any] = field(default_factory=dict)
    deals: dict[str, Any] = field(default_factory=dict)
    histories: dict[str, Any] = field(default_factory=dict)
    contacts: dict[str, Any] = field(default_factory=dict)
    activities: dict[str, Any] = field(default_factory=dict)
    cursors: dict[Stream, str | None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def take(self, stream: Stream, page: Page) -> None:
        self.cursors[stream] = page.cursor
        self.warnings += page.warnings
        for name in ("companies", "deals", "contacts", "activities"):
            getattr(self, name).update({row.crm_id: row for row in getattr(page, name)})
        for crm_id in page.complete_histories:
            self.histories[crm_id] = []
        for change in page.changes:
            self.histories[change.deal_crm_id].append(change)

    def read(self, org: PracticeOrg, *, pages: int | None = None) -> SalesforceReader:
        """Read all streams on from their cursors; `pages`: be killed after so many in each."""
        reader = org.connect().reader()
        for stream in STREAMS:
            for number, page in enumerate(reader.read(stream, self.cursors.get(stream))):
                self.take(stream, page)
                if pages is not None and number + 1 >= pages:
                    break
        return reader

    def same_as(self, other: "Copy") -> bool:
        names = ("companies", "deals", "histories", "contacts", "activities")
        return all(getattr(self, name) == getattr(other, name) for name in names)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeOrg]:
    with practising(tmp_path_factory.mktemp("org"), deals=450, seed=5) as made:
        yield made


@pytest.fixture(scope="module")
def everything(org: PracticeOrg) -> Copy:
    copy = Copy()
    copy.read(org)
    return copy


def test_every_record_of_the_org_is_read(org: PracticeOrg, everything: Copy) -> None:
    client = org.connect().reader()._client

    def ids(sobject: str) -> set[str]:
        return {row["Id"] for row in client.rows(f"SELECT Id FROM {sobject}", deleted=True)}

    assert set(everything.deals) == set(everything.histories) == ids("Opportunity")
    assert set(everything.companies) == ids("Account")
    assert set(everything.contacts) == ids("OpportunityContactRole")
    found = ids("Task") | ids("Event WHERE IsChild = false") | ids("EmailMessage")
    assert set(everything.activities) == found
    assert any(deal.is_deleted for deal in everything.deals.values())
    assert everything.warnings == []


def test_each_deal_has_a_whole_history_that_begins_at_its_creation_and_ends_as_it_is(
    everything: Copy,
) -> None:
    known = set(get_args(ChangeField))
    for crm_id, deal in everything.deals.items():
        last: dict[str, Any] = {}
        for change in everything.histories[crm_id]:
            assert change.field in known
            assert change.old == last.get(change.field)
            if change.field not in last:
                assert abs(change.at - deal.created_at) <= timedelta(seconds=5)
            last[change.field] = change.new
        assert last["stage"] == deal.stage_crm_id
        assert last["close_date"] == deal.close_on
        assert last["amount"] == deal.amount
        assert last["forecast"] == deal.forecast


def test_stages_follow_each_record_types_own_sales_process(
    org: PracticeOrg, everything: Copy
) -> None:
    stages = org.connect().reader().stages()
    pipelines = {stage.pipeline_crm_id for stage in stages}
    known = {(stage.pipeline_crm_id, stage.crm_id) for stage in stages}
    assert len(pipelines) == 2
    assert {
        (deal.pipeline_crm_id, deal.stage_crm_id) for deal in everything.deals.values()
    } <= known
    for pipeline in pipelines:
        own = [stage for stage in stages if stage.pipeline_crm_id == pipeline]
        assert [stage.sort_order for stage in own] == sorted(stage.sort_order for stage in own)
        assert sum(stage.is_won for stage in own) == 1
        assert all(0 <= (stage.probability or 0) <= 1 for stage in own)
    first, second = ({s for p, s in known if p == pipeline} for pipeline in pipelines)
    assert first != second


def test_people_have_managers_and_machines_are_told_apart(
    org: PracticeOrg, everything: Copy
) -> None:
    people = {person.crm_id: person for person in org.connect().reader().people()}
    owners = {deal.owner_crm_id for deal in everything.deals.values()}
    humans = [people[owner] for owner in owners if owner and not people[owner].is_integration]
    assert humans
    assert all(
        person.manager_crm_id in people for person in humans if person.role_name != "VP Sales"
    )
    assert any(person.is_integration for person in people.values())


def test_the_account_tells_its_clock_fiscal_year_and_time_zone(org: PracticeOrg) -> None:
    account = org.connect().reader().account()
    assert account.crm_id.startswith("00D")
    assert account.time_zone == "America/New_York"
    assert account.fiscal_year_start_month == 2
    assert account.now.tzinfo is not None


def test_named_deals_come_with_their_whole_history(org: PracticeOrg, everything: Copy) -> None:
    wanted = sorted(everything.deals)[:3]
    page = org.connect().reader().deals_by_id(wanted)
    assert {deal.crm_id: deal for deal in page.deals} == {k: everything.deals[k] for k in wanted}
    assert page.complete_histories == frozenset(wanted)
    for crm_id in wanted:
        own = [change for change in page.changes if change.deal_crm_id == crm_id]
        assert own == everything.histories[crm_id]
    assert org.connect().reader().deals_by_id([]).deals == []


@pytest.mark.parametrize("pages", [1, 3])
def test_a_first_read_that_is_killed_again_and_again_ends_with_the_same_copy(
    org: PracticeOrg, everything: Copy, pages: int
) -> None:
    copy = Copy()
    for _ in range(1 + 20 // pages):
        copy.read(org, pages=pages)
    assert copy.same_as(everything)
    assert all("since" in (cursor or "") for cursor in copy.cursors.values())


def test_a_second_read_costs_few_calls_and_changes_nothing(
    org: PracticeOrg, everything: Copy
) -> None:
    copy = Copy(cursors=dict(everything.cursors))
    reader = copy.read(org)
    assert copy.deals == {}
    assert copy.histories == {}
    assert reader.calls < 30


def test_trouble_in_the_middle_of_a_read_is_not_noticed(org: PracticeOrg, everything: Copy) -> None:
    kinds = ("401", "429", "cut", "503", "500", "401", "cut")
    org.faults(*({"kind": kind, "at": 3 + 5 * place} for place, kind in enumerate(kinds)))
    copy = Copy()
    copy.read(org)
    assert copy.same_as(everything)


def test_an_exhausted_call_limit_stops_the_read_and_the_next_one_goes_on(
    org: PracticeOrg, everything: Copy
) -> None:
    org.faults({"kind": "403_limit", "at": 18})
    copy = Copy()
    with pytest.raises(Retry, match="REQUEST_LIMIT_EXCEEDED") as told:
        copy.read(org)
    assert told.value.after == 900
    assert copy.cursors
    copy.read(org)
    assert copy.same_as(everything)


def test_after_two_weeks_an_incremental_read_equals_a_full_one(
    org: PracticeOrg, everything: Copy
) -> None:
    org.advance(14)
    copy = Copy(
        companies=dict(everything.companies),
        deals=dict(everything.deals),
        histories=dict(everything.histories),
        contacts=dict(everything.contacts),
        activities=dict(everything.activities),
        cursors=dict(everything.cursors),
    )
    seen = copy.read(org).calls
    fresh = Copy()
    assert fresh.read(org).calls > seen
    assert copy.deals != everything.deals
    assert copy.same_as(fresh)
