"""Scoring: history becomes flags that open once, follow their deals, and end for a reason."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
import sqlalchemy as sa

from app.errors import BadInput
from app.services.flags import FlagFilters, list_flags
from app.services.outgoing import RULES
from app.services.score import score
from app.store import deals, flags, generations, notices
from app.store.columns import METADATA
from app.store.database import Database
from app.store.deals import DEALS
from rules.deal import DEAL_RULES
from rules.facts import Facts
from tests.app.fakes import FakeCrm
from tests.app.services.story import DAY
from tests.app.services.team import Team, close, push, team_crm
from tests.conftest import NOON

SLIP = "close-date-slippage"
PUSHED = NOON - 5 * DAY


def _everything(db: Database) -> dict[str, list[str]]:
    with db.read() as conn:
        return {
            table.name: sorted(map(repr, conn.execute(sa.select(table))))
            for table in METADATA.sorted_tables
        }


def _flag(team: Team, deal: str) -> flags.FlagState:
    with team.db.read() as conn:
        (flag,) = flags.states(conn, team.connection_id, [_id(conn, deal)])
    return flag


def _id(conn: sa.Connection, deal: str) -> int:
    return deals.view(conn, 1, crm_id=deal).id


def _steps(team: Team, flag_id: int) -> list[str]:
    with team.db.read() as conn:
        return [step.action for step in flags.history(conn, flag_id)]


def test_each_slipped_deal_gets_one_flag_with_its_proof(database: Database) -> None:
    team = Team(database, team_crm())
    report = team.score()
    assert report.as_json()["by_rule"][SLIP] == {
        "found": 4,
        "opened": 4,
        "kept": 0,
        "resolved": 0,
        "reopened": 0,
        "held": 0,
        "excluded": 0,
        "errors": 0,
    }
    assert set(report.by_rule) == {rule.slug for rule in DEAL_RULES}
    assert (report.deals, report.as_of, report.errors) == (34, NOON, [])
    page = list_flags(database, team.connection_id)
    assert [item.subject["crm_id"] for item in page.items] == ["s3", "s1", "s2", "s0"]
    item = page.items[0].as_json()
    assert set(item) == {
        *("id", "rule", "rule_version", "class", "severity", "rank", "status", "held"),
        *("opened_at", "subject", "deal", "sentence", "questions", "limits_version", "evidence"),
    }
    assert item["deal"] == {
        "crm_id": "s3",
        "name": "Deal s3",
        "owner": {"crm_id": "u1", "name": "Rob Rep"},
        "stage": "Prove",
        "close_date": "2026-05-11",
    }
    assert item["evidence"] == [
        {
            "kind": "change",
            "ref": "h-s3-close_date-202602251200-2026-05-11",
            "at": "2026-02-25T12:00:00Z",
            "old": "2026-04-11",
            "new": "2026-05-11",
            "by": "Rob Rep",
            "source": "user",
        }
    ]


def test_a_second_scoring_touches_no_row(database: Database) -> None:
    team = Team(database, team_crm(slips=14))
    team.score()
    before = _everything(database)
    report = team.score()
    assert _everything(database) == before
    assert (report.by_rule[SLIP]["opened"], report.by_rule[SLIP]["kept"]) == (0, 14)


def test_time_alone_changes_no_flag_that_still_stands(database: Database) -> None:
    team = Team(database, team_crm())
    team.score()
    before = _everything(database)["flags"]
    team.clock.advance(3 * DAY)
    team.score()
    assert _everything(database)["flags"] == before


def test_closing_a_deal_ends_its_flag(database: Database) -> None:
    team = Team(database, team_crm())
    team.score()
    report = team.later(DAY, lambda crm: close(crm, "s1", at=NOON + DAY / 2))
    flag = _flag(team, "s1")
    assert (flag.status, flag.close_reason, flag.closed_at) == (
        "resolved",
        "deal_closed",
        NOON + DAY,
    )
    assert report.by_rule[SLIP]["resolved"] == 1
    assert _steps(team, flag.id) == ["opened", "shown", "resolved"]


def test_deleting_a_deal_ends_its_flag(database: Database) -> None:
    team = Team(database, team_crm())
    team.score()
    team.later(DAY, lambda crm: crm.change_deal("s1", is_deleted=True))
    assert _flag(team, "s1").close_reason == "deal_deleted"


def test_an_event_expires_and_only_a_newer_one_opens_it_again(database: Database) -> None:
    team = Team(database, team_crm())
    team.score()
    team.later(26 * DAY)
    flag = _flag(team, "s1")
    assert (flag.status, flag.close_reason) == ("expired", "expired")
    assert team.later(DAY).by_rule[SLIP]["reopened"] == 0
    report = team.later(DAY, lambda crm: push(crm, "s1", at=NOON + 28 * DAY - DAY / 2))
    again = _flag(team, "s1")
    assert report.by_rule[SLIP]["reopened"] == 1
    assert (again.id, again.status, again.opened_at) == (flag.id, "open", NOON + 28 * DAY)
    with database.read() as conn:
        episodes = conn.execute(
            sa.select(flags.FLAG_EPISODES).where(flags.FLAG_EPISODES.c.flag_id == flag.id)
        ).all()
    assert [(row.opened_at, row.closed_at, row.reason) for row in episodes] == [
        (NOON, NOON + 26 * DAY, "expired"),
        (NOON + 28 * DAY, None, None),
    ]


def test_new_evidence_raises_the_severity_of_the_same_flag(database: Database) -> None:
    team = Team(database, team_crm())
    team.score()
    before = _flag(team, "s1")

    def push_twice(crm: FakeCrm) -> None:
        push(crm, "s1", at=NOON + DAY / 4)
        push(crm, "s1", at=NOON + DAY / 2)

    team.later(DAY, push_twice)
    flag = _flag(team, "s1")
    assert (flag.id, flag.opened_at) == (before.id, before.opened_at)
    assert flag.severity > before.severity
    assert len(flag.fingerprint.split("\n")) == 3


def test_a_manager_gets_ten_new_flags_a_week_and_the_rest_is_held(database: Database) -> None:
    team = Team(database, team_crm(slips=14))
    report = team.score()
    items = list_flags(database, team.connection_id).items
    assert report.by_rule[SLIP]["held"] == 4
    assert [item.held for item in items] == [None] * 10 + ["cap"] * 4
    report = team.later(7 * DAY)
    assert report.by_rule[SLIP]["held"] == 0


def test_only_a_share_of_the_open_deals_is_critical(database: Database) -> None:
    team = Team(database, team_crm(slips=8, quiet=32))

    def push_all(crm: FakeCrm) -> None:
        for number in range(8):
            push(crm, f"s{number}", at=NOON + DAY / 4 + number * timedelta(minutes=1))
            push(crm, f"s{number}", at=NOON + DAY / 2 + number * timedelta(minutes=1))

    team.later(DAY, push_all)
    items = list_flags(database, team.connection_id).items
    critical = [item for item in items if item.severity == "critical"]
    assert len(critical) == 8
    assert len([item for item in critical if item.held is None]) == 2


def test_old_events_of_the_first_sync_open_no_flag_and_go_to_the_clean_up(
    database: Database,
) -> None:
    crm = team_crm()
    crm.now = NOON + 40 * DAY
    team = Team(database, crm)
    report = team.score()
    assert (report.by_rule[SLIP]["found"], report.by_rule[SLIP]["opened"]) == (4, 0)
    with database.read() as conn:
        lines = notices.clean_up(conn, team.connection_id)
    assert len(lines) == 4
    team.later(DAY, lambda crm: close(crm, "s1", at=crm.now - DAY / 2))
    with database.read() as conn:
        assert len(notices.clean_up(conn, team.connection_id)) == 3


def test_a_past_instant_stores_nothing_and_lists_the_flags_of_then(database: Database) -> None:
    team = Team(database, team_crm())
    before = _everything(database)
    report = score(database, team.connection_id, clock=team.clock, as_of=PUSHED + DAY)
    assert _everything(database) == before
    answer = report.as_json()
    assert {item["subject"]["crm_id"] for item in answer["items"]} == {"s0", "s1", "s2", "s3"}
    assert all(item["status"] == "open" for item in answer["items"])
    earlier = score(database, team.connection_id, clock=team.clock, as_of=PUSHED - DAY)
    assert earlier.as_json()["items"] == []


def test_a_dry_run_now_lists_what_would_stand(database: Database) -> None:
    team = Team(database, team_crm())
    dry = score(database, team.connection_id, clock=team.clock, dry_run=True).as_json()
    team.score()
    stored = list_flags(database, team.connection_id).as_json()
    for item in stored["items"]:
        item["limits_version"] = 0  # the first version is stored with the first flags
    assert dry["items"] == stored["items"]


def test_an_instant_to_come_is_refused(database: Database) -> None:
    team = Team(database, team_crm())
    with pytest.raises(BadInput, match="as_of"):
        score(database, team.connection_id, clock=team.clock, as_of=NOON + DAY)


def test_a_deal_that_moves_on_while_it_is_scored_stays_for_the_next_pass(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(database, team_crm())
    with database.read() as conn:
        moved = _id(conn, "s1")
    read = generations.read

    def read_then_move(conn: sa.Connection, connection_id: int) -> dict[int, int]:
        found = read(conn, connection_id)
        return {**found, moved: found[moved] - 1}

    monkeypatch.setattr(generations, "read", read_then_move)
    team.score()
    monkeypatch.undo()
    with database.read() as conn:
        dirty = conn.scalars(
            sa.select(DEALS.c.crm_id).where(DEALS.c.generation != DEALS.c.scored_generation)
        ).all()
        assert len(flags.states(conn, team.connection_id)) == 3
    assert dirty == ["s1"]
    assert team.score().by_rule[SLIP]["opened"] == 1


def test_flags_come_in_pages_and_by_filters(database: Database) -> None:
    team = Team(database, team_crm(slips=5))
    team.score()
    first = list_flags(database, team.connection_id, limit=3)
    rest = list_flags(database, team.connection_id, limit=3, after=first.next)
    everything = list_flags(database, team.connection_id)
    assert (len(first.items), len(rest.items), rest.next, everything.next) == (3, 2, None, None)
    assert [*first.items, *rest.items] == everything.items
    of_ann = list_flags(database, team.connection_id, filters=FlagFilters(owner="Ann Rep"))
    assert {item.subject["crm_id"] for item in of_ann.items} == {"s0", "s2", "s4"}
    closed = FlagFilters(status=["resolved"], rule=SLIP, severity="warning", deal="s1")
    assert list_flags(database, team.connection_id, filters=closed).items == []
    with pytest.raises(BadInput, match="status"):
        list_flags(database, team.connection_id, filters=FlagFilters(status=["up"]))
    with pytest.raises(BadInput, match="after"):
        list_flags(database, team.connection_id, after="nonsense")


def test_one_failing_rule_leaves_its_flags_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(database, team_crm())
    team.score()
    monkeypatch.setitem(RULES, SLIP, replace(RULES[SLIP], find=_fail))
    report = team.later(DAY, lambda crm: close(crm, "s1", at=NOON + DAY / 2))
    assert report.by_rule[SLIP]["errors"] == 1
    assert report.errors
    assert _flag(team, "s1").status == "open"


def _fail(_facts: Facts, _limits: object) -> pl.LazyFrame:
    raise ValueError("the rule is broken")
