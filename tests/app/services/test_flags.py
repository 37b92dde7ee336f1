"""The life of a flag: laws that hold for any sequence of findings, decisions and days."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadInput, Conflict, NotFound
from app.services.flags import get_flag, list_flags
from app.services.lifecycle import acknowledge, dismiss, snooze
from app.services.reconcile import (
    NEW_A_WEEK,
    DealCondition,
    Decision,
    Found,
    Load,
    Standing,
    Terms,
    decide,
    share_out,
)
from app.store import flags
from app.store.columns import to_micros
from app.store.database import Database
from app.store.flags import FlagState
from tests.app.services.story import DAY
from tests.app.services.team import Team, push, team_crm
from tests.conftest import NOON

START = datetime(2026, 1, 5, tzinfo=UTC)


def found(*days: int, severity: int = 1) -> Found:
    """A finding that rests on events of these days after START."""
    rows = [f"close_date|{to_micros(START + day * DAY)}|h{day}" for day in days]
    return Found(
        rule_version=1,
        severity=severity,
        rank=50,
        at=START + max(days) * DAY,
        fingerprint="\n".join(sorted(rows)),
    )


def terms(day: float, **values: object) -> Terms:
    plain: dict[str, object] = {
        "kind": "event",
        "rule_class": "risk",
        "fresh": 30 * DAY,
        "limits_id": 1,
        "at": START + day * DAY,
    }
    return Terms(**{**plain, **values})  # type: ignore[arg-type]


def flag(finding: Found, **values: object) -> FlagState:
    plain: dict[str, object] = {
        "id": 1,
        "key": "K",
        "subject_id": 1,
        "rule": "r",
        "rule_version": finding.rule_version,
        "rule_class": "risk",
        "severity": finding.severity,
        "rank": finding.rank,
        "status": "open",
        "held": None,
        "opened_at": finding.at,
        "finding_at": finding.at,
        "settles_at": None,
        "fingerprint": finding.fingerprint,
        "limits_id": 1,
        "decided_at": None,
        "snoozed_until": None,
        "closed_at": None,
        "close_reason": None,
        "written": None,
    }
    return FlagState(**{**plain, **values})  # type: ignore[arg-type]


OLD = found(1)
DISMISSED = flag(OLD, status="dismissed", decided_at=START + 5 * DAY)
SNOOZED = flag(OLD, status="snoozed", decided_at=START + 5 * DAY, snoozed_until=START + 50 * DAY)
SEEN = flag(OLD, status="acknowledged", decided_at=START + 5 * DAY)


@pytest.mark.parametrize(
    ("standing", "finding", "day", "verb"),
    [
        (DISMISSED, OLD, 10, "keep"),
        (DISMISSED, found(1, 3), 10, "keep"),  # a row older than the decision came late
        (DISMISSED, found(1, 6), 10, "return"),
        (DISMISSED, found(1, severity=2), 10, "return"),
        (DISMISSED, found(1, severity=0), 10, "keep"),
        (DISMISSED, OLD, 31, "expire"),
        (SNOOZED, OLD, 10, "keep"),
        (SNOOZED, found(1, 6), 10, "keep"),
        (SNOOZED, found(1, severity=2), 10, "return"),
        (SNOOZED, OLD, 49, "keep"),  # older than 30 days, but snoozed: it is to come back
        (SNOOZED, OLD, 50, "return"),
        (SEEN, OLD, 30, "keep"),
        (SEEN, found(1, 6), 10, "return"),
        (SEEN, found(1, 6), 6.5, "return"),
        (replace(SEEN, decided_at=START + DAY), OLD, 29, "return"),
        (flag(OLD), OLD, 10, "keep"),
        (flag(OLD), found(1, severity=2), 10, "change"),
        (flag(OLD), found(1, 6), 10, "change"),
        (flag(OLD), OLD, 31, "expire"),
        (flag(OLD), None, 10, "resolve"),
        (DISMISSED, None, 10, "resolve"),
    ],
)
def test_what_stands_changes_only_for_a_reason(
    standing: FlagState, finding: Found | None, day: float, verb: str
) -> None:
    assert decide(standing, finding, "open", terms(day)).verb == verb


@pytest.mark.parametrize("standing", [flag(OLD), DISMISSED, SNOOZED, SEEN])
def test_closing_and_deleting_a_deal_ends_every_flag(standing: FlagState) -> None:
    assert decide(standing, OLD, "closed", terms(2)) == Decision("resolve", "deal_closed")
    assert decide(standing, OLD, "deleted", terms(2)) == Decision("resolve", "deal_deleted")


def test_a_flag_that_ends_by_other_limits_is_no_improvement() -> None:
    assert decide(flag(OLD), None, "open", terms(2)).reason == "gone"
    assert decide(flag(OLD), None, "open", terms(2, limits_id=2)).reason == "limits_changed"
    assert decide(flag(OLD), OLD, "open", terms(2, is_retired=True)).reason == "rule_retired"


def test_what_was_dismissed_does_not_come_back_by_flapping() -> None:
    ended = replace(DISMISSED, status="resolved", close_reason="gone")
    assert decide(ended, OLD, "open", terms(9)).verb == "none"
    assert decide(ended, found(1, 8), "open", terms(9)).verb == "reopen"


def test_a_state_from_long_before_the_first_sync_opens_no_flag() -> None:
    since = found(1)
    first = {"kind": "state", "first_synced_at": START + 70 * DAY}
    assert decide(None, since, "open", terms(70, **first)).verb == "none"
    assert decide(None, found(15), "open", terms(70, **first)).verb == "open"


def test_a_held_flag_is_no_more_held_than_its_load_says() -> None:
    load = Load(managers={}, shown=Counter(), open_deals=100)
    marks = share_out([_standing(1, rank=9), _standing(1, rank=5, rule="b")], load)
    assert marks == {(1, "a"): None, (1, "b"): "deal"}


def _standing(deal_id: int, **values: object) -> Standing:
    plain: dict[str, object] = {
        "deal_id": deal_id,
        "rule": "a",
        "severity": 1,
        "rank": 50,
        "held": None,
        "is_new": True,
    }
    return Standing(**{**plain, **values})  # type: ignore[arg-type]


STANDINGS = st.lists(
    st.builds(
        _standing,
        deal_id=st.integers(1, 40),
        rule=st.sampled_from("abc"),
        severity=st.integers(0, 2),
        rank=st.integers(0, 100),
        held=st.sampled_from([None, "cap", "deal", "baseline"]),
        is_new=st.booleans(),
    ).map(lambda one: replace(one, held=None) if one.is_new else one),
    unique_by=lambda one: (one.deal_id, one.rule),
    max_size=60,
)


def _load(shown: Counter[int | None]) -> Load:
    managers = {deal_id: deal_id % 3 for deal_id in range(41)}
    return Load(managers=managers, shown=shown, open_deals=60)


@given(STANDINGS)
@settings(max_examples=200)
def test_the_load_is_a_cap_and_a_second_pass_changes_nothing(standing: list[Standing]) -> None:
    before = Counter[int | None]()
    load = _load(before)
    marks = share_out(standing, load)
    visible = [one for one in standing if marks[one.deal_id, one.rule] is None]
    newly = [one for one in visible if not one.is_visible]
    assert all(count <= NEW_A_WEEK for count in before.values())
    assert sum(before.values()) == len(newly)
    already = {one.deal_id for one in standing if one.is_visible and one.severity == 2}
    critical = {one.deal_id for one in visible if one.severity == 2}
    assert len(critical) <= max(len(already), load.critical_allowed)
    again = [replace(one, is_new=False, held=marks[one.deal_id, one.rule]) for one in standing]
    assert share_out(again, _load(Counter(before))) == marks


EVENTS = st.lists(
    st.tuples(
        st.integers(1, 20),  # days until
        st.sampled_from(["push", "worse", "undo", "close", "reopen", "nothing"]),
        st.sampled_from(["acknowledged", "snoozed", "dismissed", None]),
    ),
    max_size=12,
)


@given(EVENTS)
@settings(max_examples=300)
def test_whatever_happens_one_episode_runs_at_most_and_a_second_pass_keeps(
    events: list[tuple[int, str, str | None]],
) -> None:
    now, standing, finding, condition = START, None, None, "open"
    days: list[int] = []
    for after, event, decision in events:
        now += after * DAY
        day = (now - START).days
        severity = 1
        if event in {"push", "worse"}:
            days.append(day)
            severity = 2 if event == "worse" else 1
        elif event == "undo":
            days = days[:-1]
        elif event in {"close", "reopen"}:
            condition = "closed" if event == "close" else "open"
        finding = found(*days, severity=severity) if days else None
        standing = _apply(standing, finding, condition, now)
        again = _apply(standing, finding, condition, now)
        assert again == standing
        if standing is not None and condition == "closed":
            assert not standing.is_standing
        if standing is not None and standing.is_standing:
            assert finding is not None
            if decision is not None:
                until = now + 15 * DAY if decision == "snoozed" else None
                standing = replace(standing, status=decision, decided_at=now, snoozed_until=until)


def _apply(
    standing: FlagState | None, finding: Found | None, condition: str, now: datetime
) -> FlagState | None:
    """As `app.services.apply` stores it."""
    where: DealCondition = "closed" if condition == "closed" else "open"
    at = terms((now - START) / DAY)
    decision = decide(standing, finding, where, at)
    if decision.verb in {"none", "keep"}:
        return standing
    if decision.verb in {"expire", "resolve"}:
        assert standing is not None
        assert standing.is_standing
        was_dismissed = standing.status == "dismissed"
        return replace(
            standing,
            status="expired" if decision.verb == "expire" else "resolved",
            close_reason=decision.reason,
            decided_at=standing.decided_at if was_dismissed else None,
            snoozed_until=None,
        )
    assert finding is not None
    assert where == "open"
    if decision.verb in {"open", "reopen"}:
        assert standing is None or not standing.is_standing
        return flag(finding)
    assert standing is not None
    kept = standing.snoozed_until
    return replace(flag(finding), snoozed_until=kept, opened_at=standing.opened_at)


def test_people_decide_and_every_step_is_kept(database: Database) -> None:
    team = Team(database, team_crm())
    team.score()
    ref = list_flags(database, team.connection_id).items[0].id
    acknowledge(database, ref, by="Mia", clock=team.clock)
    until = team.clock.now() + 7 * DAY
    snooze(database, ref, until=until, reason="on holiday", by="Mia", clock=team.clock)
    assert get_flag(database, ref).status == "snoozed"
    team.later(8 * DAY)
    assert get_flag(database, ref).status == "open"
    dismiss(database, ref, reason="the customer asked", by="Mia", clock=team.clock)
    team.later(2 * DAY)
    assert get_flag(database, ref).status == "dismissed"
    team.later(DAY, lambda crm: push(crm, "s3", at=team.clock.now() - DAY / 2))
    assert get_flag(database, ref).status == "open"
    with database.read() as conn:
        (row,) = [one for one in flags.states(conn, team.connection_id) if one.key in ref]
        steps = [(step.action, step.by) for step in flags.history(conn, row.id)]
    assert steps == [
        ("opened", "engine"),
        ("shown", "engine"),
        ("acknowledged", "Mia"),
        ("snoozed", "Mia"),
        ("returned", "engine"),
        ("dismissed", "Mia"),
        ("returned", "engine"),
    ]


def test_a_decision_needs_a_flag_that_stands_and_a_reason(database: Database) -> None:
    team = Team(database, team_crm())
    team.score()
    ref = list_flags(database, team.connection_id).items[0].id
    with pytest.raises(BadInput, match="reason"):
        dismiss(database, ref, reason=" ", by="Mia", clock=team.clock)
    with pytest.raises(BadInput, match="until"):
        snooze(database, ref, until=NOON, reason="later", by="Mia", clock=team.clock)
    with pytest.raises(NotFound):
        acknowledge(database, "flg_1_NOSUCH", by="Mia", clock=team.clock)
    team.later(timedelta(days=40))
    with pytest.raises(Conflict, match="expired"):
        acknowledge(database, ref, by="Mia", clock=team.clock)
