"""Explain: each rule's answer about a deal, and why it is quiet."""

from dataclasses import replace

import pytest

from app.clock import FixedClock
from app.errors import NotFound
from app.services.deals import get_deal
from app.services.explain import Verdict, explain
from app.services.flags import list_flags
from app.services.lifecycle import dismiss
from app.store.database import Database
from app.store.ids import deal_ref, parse_deal_ref
from tests.app.services.story import DAY
from tests.app.services.team import Team, close, team_crm
from tests.conftest import NOON

SLIP = "close-date-slippage"


def _verdict(team: Team, deal: str, rule: str = SLIP) -> Verdict:
    explanation = explain(team.db, team.connection_id, deal, clock=team.clock)
    return next(verdict for verdict in explanation.verdicts if verdict.rule == rule)


def test_a_flagged_deal_says_so_with_its_evidence_and_steps(database: Database) -> None:
    team = Team(database, team_crm())
    assert "next scoring" in _verdict(team, "s1").because
    team.score()
    verdict = _verdict(team, "s1")
    assert (verdict.answer, verdict.because) == ("flagged", "open since 2026-03-02T12:00:00Z")
    assert (verdict.severity, len(verdict.evidence)) == ("warning", 1)
    assert [step["action"] for step in verdict.steps] == ["opened", "shown"]
    other = _verdict(team, "s1", "stage-regression")
    assert (other.answer, other.because) == (
        "quiet",
        "nothing in its history meets the rule's limits",
    )


def test_each_reason_for_silence_is_told(database: Database) -> None:
    team = Team(database, team_crm(slips=12))
    team.score()
    held = next(item for item in list_flags(database, team.connection_id).items if item.held)
    assert _verdict(team, held.subject["crm_id"]).answer == "held"
    assert "load" in _verdict(team, held.subject["crm_id"]).because
    ref = next(
        item.id
        for item in list_flags(database, team.connection_id).items
        if item.subject["crm_id"] == "s1"
    )
    dismiss(database, ref, reason="the customer's process", by="Mia", clock=team.clock)
    assert "dismissed: the customer's process" in _verdict(team, "s1").because
    team.later(DAY, lambda crm: close(crm, "s2", at=NOON + DAY / 2))
    assert "the deal is closed" in _verdict(team, "s2").because
    team.later(30 * DAY)
    assert "only what is younger than 30 days" in _verdict(team, "s3").because


def test_what_was_old_at_the_first_sync_is_on_the_tidy_up_list(database: Database) -> None:
    crm = team_crm()
    crm.now = NOON + 40 * DAY
    team = Team(database, crm)
    team.score()
    assert "tidy-up list" in _verdict(team, "s1").because


def test_a_deal_is_found_by_our_id_the_crms_or_its_name(database: Database) -> None:
    team = Team(database, team_crm())
    team.score()
    by_crm_id = get_deal(database, "s1", connection_id=team.connection_id)
    ours = by_crm_id.as_json()["id"]
    assert ours == deal_ref(by_crm_id.deal.id)
    assert parse_deal_ref(ours) == by_crm_id.deal.id
    assert get_deal(database, ours).deal == by_crm_id.deal
    found = explain(database, team.connection_id, "deal S1", clock=team.clock).as_json()
    assert found["deal"]["crm_id"] == "s1"
    changes = [(row["field"], row["old"], row["new"]) for row in found["timeline"]]
    assert changes[-1] == ("close_date", "2026-04-05", "2026-05-05")
    assert ("amount", None, "20000.00") in changes
    assert [flag.rule for flag in by_crm_id.flags] == [SLIP]
    with pytest.raises(NotFound, match="nobody"):
        explain(database, team.connection_id, "nobody", clock=FixedClock(NOON))


def test_a_crm_id_that_looks_like_one_of_ours_means_the_crms_deal(
    sqlite_database: Database,
) -> None:
    crm = team_crm()
    named = replace(crm.deals[0], crm_id="deal_3", name="Theirs")
    crm.deals.append(named)
    team = Team(sqlite_database, crm)
    found = get_deal(sqlite_database, "deal_3", connection_id=team.connection_id)
    assert found.deal.name == "Theirs"


def test_of_deals_with_one_name_none_is_guessed(sqlite_database: Database) -> None:
    crm = team_crm()
    crm.change_deal("s1", name="Deal s0")
    team = Team(sqlite_database, crm)
    with pytest.raises(NotFound, match=r"2 deals are called 'Deal s0': .*\(s0, s1\)"):
        explain(sqlite_database, team.connection_id, "Deal s0", clock=team.clock)
