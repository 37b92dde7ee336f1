"""The clock and the stream of acts: order, determinism, advancing, restarting."""

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox import acts
from connectors.sandbox.organisation import Organisation

END = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TWO_YEARS = timedelta(days=730)


def organisation(seed: int = 7, deals: int = 300) -> Organisation:
    return Organisation.create(seed=seed, deals=deals, end=END)


def created(stream: Iterable[acts.Act]) -> list[acts.CreateDeal]:
    return [act for act in stream if isinstance(act, acts.CreateDeal)]


def test_the_same_seed_gives_the_same_acts_and_truth() -> None:
    one, two = organisation(), organisation()
    assert list(one.setup_acts()) == list(two.setup_acts())
    assert list(one.acts()) == list(two.acts())
    assert one.truth() == two.truth()


def test_another_seed_gives_other_acts() -> None:
    assert list(organisation(1).acts()) != list(organisation(2).acts())


def test_acts_come_in_order_of_time_and_end_at_the_end() -> None:
    instants = [act.at for act in organisation().acts()]
    assert instants == sorted(instants)
    assert instants[-1] <= END


@pytest.mark.parametrize("deals", [1, 40, 150, 700])
def test_exactly_the_wanted_number_of_deals_is_created_within_two_years(deals: int) -> None:
    made = created(organisation(deals=deals).acts())
    assert len(made) == deals
    assert min(act.at for act in made) >= END - TWO_YEARS
    assert max(act.at for act in made) <= END


def test_advancing_14_days_at_once_equals_advancing_7_and_7() -> None:
    whole, halves = organisation(), organisation()
    first = list(whole.acts())
    assert first == list(halves.acts())
    at_once = list(whole.advance(14))
    assert at_once == [*halves.advance(7), *halves.advance(7)]
    assert whole.truth() == halves.truth()
    assert at_once
    assert all(END < act.at <= END + timedelta(days=14) for act in at_once)


def test_after_a_restart_from_json_the_organisation_goes_on_as_if_never_stopped() -> None:
    running = organisation()
    list(running.acts())
    list(running.advance(7))
    restarted = Organisation.from_state(json.loads(json.dumps(running.state())))
    assert restarted.now == running.now
    assert restarted.truth() == running.truth()
    assert list(restarted.advance(7)) == list(running.advance(7))
    assert restarted.truth() == running.truth()


def test_a_clock_moved_before_anything_was_read_gives_the_same_days() -> None:
    read, unread = organisation(), organisation()
    list(read.acts())
    assert list(unread.advance(10)) == list(read.advance(10))


def test_advancing_moves_the_clock_even_before_its_acts_are_read() -> None:
    it = organisation()
    it.advance(3)
    assert it.now == END + timedelta(days=3)


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        organisation().advance(-1)


def test_an_end_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        Organisation.create(seed=1, deals=10, end=END.replace(tzinfo=None))


def test_days_to_come_bring_new_deals_and_move_open_ones_and_new_behaviour() -> None:
    it = organisation(deals=1000)
    known = {act.key for act in created(it.acts())}
    before = it.truth()
    coming = list(it.advance(28))
    assert created(coming)
    assert any(isinstance(a, acts.EditDeal) and a.deal in known for a in coming)
    new = [row for row in it.truth() if row not in before]
    assert {row.is_decoy for row in new} == {True, False}
    assert all(row.at > END for row in new)


def test_the_truth_tells_nothing_of_the_future() -> None:
    it = organisation()
    assert max(row.at for row in it.truth()) <= END


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**31), deals=st.integers(1, 160))
def test_whatever_an_act_names_was_made_before(seed: int, deals: int) -> None:
    it = Organisation.create(seed=seed, deals=deals, end=END)
    known: set[str] = set()
    for act in [*it.setup_acts(), *it.acts(), *it.advance(5)]:
        for name in _named(act):
            assert name in known, (act, name)
        key = getattr(act, "key", None)
        if key is not None:
            assert key not in known, act
            known.add(key)


_REFERENCES = ("owner", "account", "deal", "contact", "meeting", "task", "pipeline", "manager")


def _named(act: acts.Act) -> list[str]:
    told = {f.name: getattr(act, f.name) for f in dataclasses.fields(act)}
    names = [told[name] for name in _REFERENCES if told.get(name) is not None]
    return names + list(told.get("contacts", ()))


def test_a_deal_that_is_closed_or_deleted_is_left_alone_unless_it_is_reopened() -> None:
    it = organisation(deals=600)
    ended: dict[str, str] = {}
    for act in it.acts():
        if isinstance(act, acts.EditDeal):
            if act.deal in ended:
                assert ended.pop(act.deal) == "Closed Lost"
                assert act.stage is not None
            if act.stage in {"Closed Won", "Closed Lost"}:
                ended[act.deal] = act.stage
        elif isinstance(act, acts.DeleteDeal):
            assert act.deal not in ended
            ended[act.deal] = "deleted"


def test_people_work_on_workdays() -> None:
    saves = [a for a in organisation().acts() if isinstance(a, acts.EditDeal | acts.CreateDeal)]
    assert all(act.at.weekday() < 5 for act in saves)


def test_the_company_has_a_vp_managers_and_reps_in_one_tree() -> None:
    setup = list(organisation(deals=2000).setup_acts())
    people = {act.key: act for act in setup if isinstance(act, acts.AddPerson)}
    titles = Counter(person.title for person in people.values())
    assert titles["VP Sales"] == 1
    reps = [p for p in people.values() if p.title == "Account Executive" and p.role]
    spans = Counter(rep.manager for rep in reps)
    assert all(6 <= span <= 8 for span in spans.values())
    assert {people[key].manager for key in spans if key} == {"person-vp"}
    assert sum(person.is_integration for person in people.values()) == 1
    assert len({person.email for person in people.values()}) == len(people)


def test_the_two_pipelines_have_sales_processes_of_their_own() -> None:
    setup = organisation().setup_acts()
    pipelines = [act for act in setup if isinstance(act, acts.AddPipeline)]
    assert [sum(not s.is_closed for s in p.stages) for p in pipelines] == [6, 3]
    shared = {s.label: s for s in pipelines[0].stages}
    assert all(shared.get(s.label, s) == s for s in pipelines[1].stages)


def test_two_thousand_deals_are_written_within_seconds() -> None:
    begin = time.process_time()
    it = organisation(deals=2000)
    assert sum(1 for _ in it.acts()) > 30_000
    assert time.process_time() - begin < 10
