"""Whether the organisation is one that somebody could run: shares, cycles, batches."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from functools import lru_cache
from statistics import median, quantiles

import pytest

from connectors.sandbox import acts
from connectors.sandbox.organisation import Organisation
from tests.sandbox.organisation.judge import Judge

END = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SEEDS = (11, 12, 13)


@lru_cache(maxsize=4)
def read(seed: int) -> tuple[Judge, list[acts.Act], list[acts.Truth]]:
    it = Organisation.create(seed=seed, deals=2000, end=END)
    stream = [*it.setup_acts(), *it.acts()]
    return Judge(stream), stream, it.truth()


def final_stages(judge: Judge) -> Counter[str]:
    return Counter(
        str(deal.stages[-1].new) if deal.stages else deal.created.stage
        for deal in judge.deals.values()
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_about_a_quarter_of_the_deals_is_open_and_a_fifth_won(seed: int) -> None:
    judge, _, _ = read(seed)
    stages = final_stages(judge)
    open_ = 2000 - stages["Closed Won"] - stages["Closed Lost"]
    assert 0.22 <= open_ / 2000 <= 0.32
    assert 0.17 <= stages["Closed Won"] / 2000 <= 0.25


@pytest.mark.parametrize("seed", SEEDS)
def test_most_deals_are_sound(seed: int) -> None:
    judge, _, rows = read(seed)
    planted = {row.deal for row in rows if not row.is_decoy}
    assert 0.1 <= len(planted) / len(judge.deals) <= 0.3


@pytest.mark.parametrize("seed", SEEDS)
def test_each_bad_habit_shows_in_the_deals_of_those_who_have_it(seed: int) -> None:
    judge, _, rows = read(seed)
    planted = {(row.deal, row.rule) for row in rows if not row.is_decoy}
    for place, rule in ((3, "late-entry"), (1, "close-date-slippage"), (5, "stage-regression")):
        share = {True: [0, 0], False: [0, 0]}
        for key, deal in judge.deals.items():
            has_habit = int(deal.created.owner.removeprefix("person-rep-")) % 10 == place
            share[has_habit][0] += (key, rule) in planted
            share[has_habit][1] += 1
        assert share[True][0] / share[True][1] > 2.5 * share[False][0] / share[False][1]


@pytest.mark.parametrize("seed", SEEDS)
def test_won_deals_take_months_not_days(seed: int) -> None:
    judge, _, _ = read(seed)
    cycles = [
        (deal.stages[-1].at - deal.created.at).days
        for deal in judge.deals.values()
        if deal.stages and deal.stages[-1].new == "Closed Won"
    ]
    assert 90 <= median(cycles) <= 220


@pytest.mark.parametrize("seed", SEEDS)
def test_only_conversions_share_a_default_close_date(seed: int) -> None:
    judge, _, _ = read(seed)
    made = [deal.created for deal in judge.deals.values()]
    at_end = [deal for deal in made if judge.is_period_end(deal.close_on)]
    assert {deal.via for deal in at_end} == {"conversion"}
    assert all(judge.is_period_end(deal.close_on) for deal in made if deal.via == "conversion")
    assert 0.36 <= len(at_end) / len(made) <= 0.6
    offsets = Counter((deal.close_on - deal.at.date()).days for deal in made)
    assert max(offsets.values()) / len(made) < 0.05


@pytest.mark.parametrize("seed", range(20, 30))
def test_even_few_deals_share_the_default_date_often_enough_to_be_told(seed: int) -> None:
    it = Organisation.create(seed=seed, deals=200, end=END)
    made = [act for act in it.acts() if isinstance(act, acts.CreateDeal)]
    assert sum(act.via == "conversion" for act in made) / len(made) > 0.31


@pytest.mark.parametrize("seed", SEEDS)
def test_deals_of_each_type_and_source_are_expected_at_the_first_stage(seed: int) -> None:
    judge, _, _ = read(seed)
    groups = defaultdict(list)
    for deal in judge.deals.values():
        created = deal.created
        if created.via != "import" and not judge.is_renewal(deal):
            position = judge.position(deal, created.stage)
            groups[created.deal_type, created.lead_source].append(position)
    for positions in groups.values():
        known = [position for position in positions if position is not None]
        assert len(known) < 30 or quantiles(known, n=4)[0] == 0
        assert sum(position > 0 for position in known) < len(known) / 4


@pytest.mark.parametrize("seed", SEEDS)
def test_batches_are_where_operations_acted_and_nowhere_else(seed: int) -> None:
    judge, _, rows = read(seed)
    assert {key[1] for key in judge.batches} == {"person-ops"}
    assert {key[0] for key in judge.batches} == {"create", "date", "stage"}
    imported = [row for row in rows if row.kind == "import"]
    created = {(d.created.by, d.created.at.date()) for d in judge.deals.values()}
    assert all(("person-ops", row.at.date()) in created for row in imported)


@pytest.mark.parametrize("seed", SEEDS)
def test_most_stage_moves_follow_a_two_way_talk(seed: int) -> None:
    _, stream, _ = read(seed)
    talks = defaultdict(list)
    for act in stream:
        if isinstance(act, acts.PlanMeeting):
            talks[act.deal].append(act.starts_at)
        elif (isinstance(act, acts.LogCall) and act.outcome == "connected") or (
            isinstance(act, acts.LogEmail) and act.direction == "inbound"
        ):
            talks[act.deal].append(act.at)
    moves = [a for a in stream if isinstance(a, acts.EditDeal) and a.stage]
    backed = sum(any(0 <= (m.at - t).days < 7 for t in talks[m.deal]) for m in moves)
    assert backed / len(moves) > 0.7


def test_there_are_contacts_with_and_without_executive_titles_on_deals() -> None:
    _, stream, _ = read(SEEDS[0])
    titles = Counter(act.title for act in stream if isinstance(act, acts.AddContact))
    assert titles["Chief Financial Officer"]
    assert titles["Buyer"]
    roles = [act for act in stream if isinstance(act, acts.AddContactRole)]
    assert Counter(act.deal for act in roles if act.is_primary).most_common(1)[0][1] == 1
