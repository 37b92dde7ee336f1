"""What was logged as meant, held against what was done."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import pytest

from connectors.sandbox import acts
from connectors.sandbox.organisation import Organisation
from tests.sandbox.organisation.judge import (
    LATE_ENTRY,
    REGRESSION,
    SLIPPAGE,
    WARNING,
    Deal,
    Judge,
    quarter,
)

END = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CASES = [(1, 2000), (2, 700), (3, 250), (4, 250), (5, 60)]
Pair = tuple[str, str]


@lru_cache(maxsize=8)
def read(seed: int, deals: int) -> tuple[Judge, list[acts.Truth], list[acts.Act]]:
    it = Organisation.create(seed=seed, deals=deals, end=END)
    stream = [*it.setup_acts(), *it.acts(), *it.advance(14)]
    return Judge(stream), it.truth(), stream


def pairs(rows: list[acts.Truth], *, is_decoy: bool) -> dict[Pair, str]:
    return {(row.deal, row.rule): row.kind for row in rows if row.is_decoy is is_decoy}


def found(judge: Judge) -> dict[Pair, str]:
    return {
        (key, rule): severity
        for key, deal in judge.deals.items()
        for rule, severity in judge.verdicts(deal).items()
    }


@pytest.mark.parametrize(("seed", "deals"), CASES)
def test_beyond_the_default_goes_exactly_what_was_logged_as_meant(seed: int, deals: int) -> None:
    judge, rows, _ = read(seed, deals)
    warned = {pair for pair, severity in found(judge).items() if severity == WARNING}
    assert warned == pairs(rows, is_decoy=False).keys()


@pytest.mark.parametrize(("seed", "deals"), CASES)
def test_nothing_at_all_stands_against_a_decoy(seed: int, deals: int) -> None:
    judge, rows, _ = read(seed, deals)
    assert not found(judge).keys() & pairs(rows, is_decoy=True).keys()


@pytest.mark.parametrize(("seed", "deals"), CASES)
def test_a_deal_is_never_both_planted_and_decoy_for_a_rule(seed: int, deals: int) -> None:
    _, rows, _ = read(seed, deals)
    assert not pairs(rows, is_decoy=False).keys() & pairs(rows, is_decoy=True).keys()


def test_every_truth_row_stands_at_an_act_on_its_deal() -> None:
    _, rows, stream = read(1, 2000)
    instants = defaultdict(set)
    for act in stream:
        if isinstance(act, acts.CreateDeal):
            instants[act.key].add(act.at)
        elif isinstance(act, acts.EditDeal):
            instants[act.deal].add(act.at)
    assert all(row.at in instants[row.deal] for row in rows)


def test_no_deal_with_a_truth_row_is_deleted() -> None:
    _, rows, stream = read(1, 2000)
    deleted = {act.deal for act in stream if isinstance(act, acts.DeleteDeal)}
    assert deleted
    assert not deleted & {row.deal for row in rows}


PLANTED = {
    LATE_ENTRY: {"met-weeks-before", "met-long-before", "raced-through", "won-on-entry"},
    SLIPPAGE: {
        "long-push",
        "period-crossed",
        "two-pushes",
        "serial-pushes",
        "push-after-pull-in",
        "own-clean-up",
    },
    REGRESSION: {"fall-from-commit", "deep-fall", "skip-then-fall", "second-fall"},
}
DECOYS = {
    LATE_ENTRY: {
        "one-meeting-before",
        "cancelled-meetings",
        "recent-meetings",
        "lost-at-once",
        "import",
        "meetings-of-another-deal",
        "renewal",
    },
    SLIPPAGE: {
        "small-move",
        "pull-in",
        "to-and-fro",
        "typo",
        "default-date",
        "early-move",
        "rewritten-at-closing",
        "reorganisation",
        "renewal",
    },
    REGRESSION: {
        "misclick-back",
        "misclick-forward",
        "workflow-bounce",
        "reopened",
        "reorganisation",
        "renewal",
    },
}


@pytest.mark.parametrize(("is_decoy", "kinds"), [(False, PLANTED), (True, DECOYS)])
def test_every_kind_of_behaviour_comes_up(*, is_decoy: bool, kinds: dict[str, set[str]]) -> None:
    _, rows, _ = read(1, 2000)
    seen = defaultdict(set)
    for row in rows:
        if row.is_decoy is is_decoy:
            seen[row.rule].add(row.kind)
    assert seen == kinds


def _deals_of(rule: str, *kinds: str) -> list[tuple[Judge, Deal, acts.Truth]]:
    judge, rows, _ = read(1, 2000)
    chosen = [r for r in rows if r.rule == rule and r.kind in kinds]
    assert chosen
    return [(judge, judge.deals[row.deal], row) for row in chosen]


def moved(deal: Deal, at: datetime) -> tuple[date, date]:
    """Old and new close date of the save at `at`."""
    change = next(change for change in deal.dates if change.at == at)
    assert isinstance(change.old, date)
    assert isinstance(change.new, date)
    return change.old, change.new


def test_a_long_push_is_21_days_or_more() -> None:
    for _, deal, row in _deals_of(SLIPPAGE, "long-push"):
        old, new = moved(deal, row.at)
        assert (new - old).days >= 21


def test_a_serial_pusher_ends_beyond_45_days_or_is_not_done_yet() -> None:
    totals = defaultdict(int)
    for judge, deal, _ in _deals_of(SLIPPAGE, "serial-pushes"):
        totals[deal.created.key] = sum(max(0, judge.shift(c)) for c in deal.dates)
    assert sum(total >= 45 for total in totals.values()) > len(totals) / 2


def test_a_small_move_stays_under_21_days_and_in_its_quarter_and_alone() -> None:
    for _, deal, row in _deals_of(SLIPPAGE, "small-move"):
        old, new = moved(deal, row.at)
        assert 0 < (new - old).days < 21
        assert quarter(old) == quarter(new)


def test_a_default_date_left_alone_until_a_middle_stage_then_looks_like_a_push() -> None:
    late = 0
    for judge, deal, row in _deals_of(SLIPPAGE, "default-date"):
        old, new = moved(deal, row.at)
        assert judge.is_period_end(old)
        assert (new - old).days >= 21 or quarter(new) > quarter(old)
        late += any(c.at < row.at and judge.position(deal, c.new) == 2 for c in deal.stages)
    assert late


def test_a_slip_of_the_hand_is_corrected_by_the_same_person_within_half_an_hour() -> None:
    for _, deal, row in _deals_of(
        REGRESSION, "misclick-back", "misclick-forward", "workflow-bounce"
    ):
        n = next(i for i, change in enumerate(deal.stages) if change.at == row.at)
        if n + 1 == len(deal.stages):
            continue  # the clock stopped between the two
        slip, fix = deal.stages[n], deal.stages[n + 1]
        assert slip.by == fix.by
        assert slip.old == fix.new
        assert fix.at - slip.at < timedelta(minutes=30)


def test_the_integration_user_bounces_stages_and_nobody_else_does_so_for_a_workflow() -> None:
    for _, deal, row in _deals_of(REGRESSION, "workflow-bounce"):
        edit = next(e for e in deal.edits if e.at == row.at)
        assert (edit.by, edit.via) == ("person-integration", "workflow")


def test_who_met_long_before_had_two_talks_and_a_lag_beyond_the_limit() -> None:
    for judge, deal, row in _deals_of(LATE_ENTRY, "met-weeks-before", "met-long-before"):
        assert row.at == deal.created.at
        assert judge.lag(deal) >= (30 if row.kind == "met-long-before" else 14)


def test_who_raced_through_did_so_within_a_day_from_beyond_the_first_stage() -> None:
    for judge, deal, _ in _deals_of(LATE_ENTRY, "raced-through", "won-on-entry"):
        assert judge.raced(deal)
        assert (judge.position(deal, deal.created.stage) or 0) > 0


def test_a_deep_fall_starts_late_and_goes_two_stages_or_more() -> None:
    for judge, deal, row in _deals_of(REGRESSION, "deep-fall"):
        change = next(change for change in deal.stages if change.at == row.at)
        high, low = judge.position(deal, change.old), judge.position(deal, change.new)
        assert high is not None
        assert low is not None
        assert high >= 4
        assert high - low >= 2
