"""Coaching tasks: one agenda a rep and cycle, news only, and what people did with them."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from app.services import setup
from app.services.coaching import plan_tasks
from app.services.lifecycle import dismiss
from app.store import notices, tasks
from app.store.database import Database
from connectors.records import ActivityRecord
from tests.app.fake_crm import FakeWriter
from tests.app.services.story import DAY, activity
from tests.app.services.team import Team, close, push, team_crm
from tests.app.services.test_writeback import Writing
from tests.conftest import NOON

FRIDAY = date(2026, 3, 6)


def _tasks(team: Team) -> list[tasks.TaskState]:
    with team.db.read() as conn:
        return tasks.states(conn, team.connection_id)


def _agenda(team: Writing, rep: str) -> dict[str, Any]:
    (task,) = [task for task in team.records.tasks.values() if rep in task["subject"]]
    return task


def _set(team: Writing, **values: Any) -> None:
    proposal = setup.propose(team.db, team.connection_id).as_json()
    document = setup.SetupProposal.from_json({**proposal, **values})
    setup.accept(team.db, team.connection_id, document, by="test", clock=team.clock)


def test_an_agenda_names_deals_evidence_questions_and_the_next_call(database: Database) -> None:
    team = Writing(database, team_crm())
    team.write()
    task = _agenda(team, "Ann Rep")
    assert task["owner_crm_id"] == "m1"
    assert task["subject"] == "1:1 with Ann Rep: 2 deals to coach"
    assert (task["due_on"], task["status"]) == (FRIDAY, "open")
    body = task["body"]
    assert body.index("1. Deal s2") < body.index("2. Deal s0")
    assert "by 30 days in all: from 2 Apr 2026 to 2 May 2026" in body
    assert "close date: 2026-04-02 -> 2026-05-02 by Rob Rep" in body
    assert "What was the last date based on" in body
    assert "Who: the CFO" in body
    assert "FORECAST, apart from the coaching\n1. Deal s2: 30,000.00 EUR, close date" in body


def test_an_agenda_has_five_deals_at_most(sqlite_database: Database) -> None:
    team = Writing(sqlite_database, team_crm(slips=14))
    team.write()
    assert _agenda(team, "Rob Rep")["body"].count("What happened") == 5


def test_at_least_half_of_an_agenda_is_early_while_there_are_early_deals(
    database: Database,
) -> None:
    crm = team_crm(slips=14)
    for name in ("s1", "s3"):  # the lowest ranked ones
        crm.change_deal(name, stage_crm_id="qualify")
    team = Writing(database, crm)
    team.write()
    body = _agenda(team, "Rob Rep")["body"]
    talks = [line.split(",")[0] for line in body.splitlines() if ", CRM id " in line]
    assert talks[:3] == ["1. Deal s13", "2. Deal s11", "3. Deal s9"]
    assert {talk[3:] for talk in talks[3:]} == {"Deal s1", "Deal s3"}


def test_planning_again_changes_nothing(sqlite_database: Database) -> None:
    team = Writing(sqlite_database, team_crm())
    before = _tasks(team)
    team.clock.advance(DAY)
    assert team.plan() == 0
    assert _tasks(team) == before


def test_a_closed_deal_leaves_the_agenda_and_an_empty_one_is_completed(
    database: Database,
) -> None:
    team = Writing(database, team_crm())
    team.write()
    team.later(DAY, lambda crm: close(crm, "s0", at=NOON + DAY / 2))
    team.plan()
    team.write()
    assert "Deal s0" not in _agenda(team, "Ann Rep")["body"]
    team.later(DAY, lambda crm: close(crm, "s2", at=NOON + DAY + DAY / 2))
    team.plan()
    team.write()
    assert _agenda(team, "Ann Rep")["status"] == "completed"
    team.later(DAY / 2, lambda crm: push(crm, "q0", at=team.clock.now() - DAY / 4))
    team.plan()
    team.clock.advance(DAY / 4)
    team.write()
    assert _agenda(team, "Rob Rep")["status"] == "open"


def test_an_agenda_that_we_completed_ourselves_opens_again_in_its_cycle(
    sqlite_database: Database,
) -> None:
    team = Writing(sqlite_database, team_crm(slips=2))
    team.write()
    team.later(DAY, lambda crm: close(crm, "s1", at=NOON + DAY / 2))
    team.plan()
    team.write()
    (key,) = [key for key, task in team.records.tasks.items() if "Rob" in task["subject"]]
    assert team.records.tasks[key]["status"] == "completed"
    ours = activity("t1", kind="task", key=key, deal_crm_id=None, contact_crm_ids=(), is_held=True)
    team.later(DAY / 4, lambda crm: crm.activities.append(ours))
    team.later(DAY / 4, lambda crm: push(crm, "q0", at=team.clock.now() - DAY / 8))
    for _ in range(2):
        team.plan()
        team.plan()
        team.write()
    assert team.records.tasks[key]["status"] == "open"
    assert "Deal q0" in team.records.tasks[key]["body"]


def test_an_open_task_is_taken_over_by_the_next_cycle(database: Database) -> None:
    team = Writing(database, team_crm())
    team.write()
    before = {task.rep_id: task for task in _tasks(team)}
    team.later(5 * DAY)
    assert team.plan() == 2
    after = {task.rep_id: task for task in _tasks(team)}
    assert {task.cycle for task in before.values()} == {"2026-W10"}
    assert {(task.cycle, task.due_on) for task in after.values()} == {
        ("2026-W11", FRIDAY + 7 * DAY)
    }
    assert {task.key for task in after.values()} == {task.key for task in before.values()}
    assert team.write().tasks.created == 0


def _did(team: Writing, rep: str, **values: Any) -> None:
    """A person did something with the rep's agenda in the CRM, and the next sync tells it."""
    (key,) = [key for key, task in team.records.tasks.items() if rep in task["subject"]]
    if values.get("is_deleted"):
        del team.records.tasks[key]
    else:
        team.records.tasks[key]["status"] = "completed"
    told: ActivityRecord = activity(
        "t1", kind="task", key=key, deal_crm_id=None, contact_crm_ids=(), **values
    )
    team.later(DAY, lambda crm: crm.activities.append(told))


@pytest.mark.parametrize("did", [{"is_deleted": True}, {"is_held": True}])
def test_a_task_that_people_ended_is_not_made_again_in_its_cycle(
    database: Database, did: dict[str, bool]
) -> None:
    team = Writing(database, team_crm())
    team.write()
    _did(team, "Ann Rep", **did)
    team.plan()
    team.later(DAY / 4, lambda crm: push(crm, "s0", at=team.clock.now() - DAY / 8))
    team.plan()
    team.clock.advance(DAY / 8)
    team.write()
    rep = [task for task in team.records.tasks.values() if "Ann" in task["subject"]]
    assert [task["status"] for task in rep] in ([], ["completed"])
    team.later(5 * DAY)
    assert team.plan() == 2
    assert team.write().tasks.created == 1


def test_a_task_deleted_since_the_last_sync_is_not_written_again(database: Database) -> None:
    team = Writing(database, team_crm())
    team.write()
    (key,) = [key for key, task in team.records.tasks.items() if "Ann" in task["subject"]]
    del team.records.tasks[key]
    team.later(DAY, lambda crm: close(crm, "s0", at=NOON + DAY / 2))
    team.plan()
    assert team.write().tasks.written == 0
    assert key not in team.records.tasks
    assert {task.status for task in _tasks(team) if task.key == key} == {"deleted"}


def test_a_decided_flag_leaves_the_agenda(sqlite_database: Database) -> None:
    team = Writing(sqlite_database, team_crm())
    team.write()
    dismiss(sqlite_database, f"flg_1_{team.key('s0')}", reason="agreed", by="Mia", clock=team.clock)
    team.plan()
    team.write()
    assert "Deal s0" not in _agenda(team, "Ann Rep")["body"]


def test_an_inactive_manager_is_stood_in_for(sqlite_database: Database) -> None:
    crm = team_crm()
    crm.people = [replace(person, is_active=person.crm_id != "m1") for person in crm.people]
    team = Writing(sqlite_database, crm)
    team.write()
    assert _agenda(team, "Ann Rep")["owner_crm_id"] == "u2"
    _set(team, default_task_owner="u1")
    team.plan()
    team.write()
    assert _agenda(team, "Ann Rep")["owner_crm_id"] == "u1"


def test_the_day_of_the_one_to_one_is_a_setting(sqlite_database: Database) -> None:
    team = Writing(sqlite_database, team_crm())
    _set(team, one_to_one={"weekday": 3})
    team.later(5 * DAY)
    team.plan()
    assert {task.due_on for task in _tasks(team)} == {date(2026, 3, 11)}


def test_in_deal_mode_each_visible_flag_has_a_task_of_its_own(database: Database) -> None:
    team = Writing(database, team_crm())
    _set(team, coaching="deal")
    team.plan()
    team.write()
    assert set(team.records.tasks) == set(team.records.flags)
    task = team.records.tasks[team.key("s0")]
    assert (task["flag_key"], task["subject"]) == (team.key("s0"), "Coach: Deal s0")
    team.later(DAY, lambda crm: close(crm, "s0", at=NOON + DAY / 2))
    team.plan()
    team.write()
    assert team.records.tasks[team.key("s0")]["status"] == "completed"
    assert team.records.tasks[team.key("s1")]["status"] == "open"


def test_a_tidy_up_list_clears_itself(database: Database) -> None:
    crm = team_crm()
    crm.now = NOON + 40 * DAY
    team = Writing(database, crm)
    team.write()
    (ann, rob) = sorted(team.records.tasks.values(), key=lambda task: str(task["owner_crm_id"]))
    assert (ann["subject"], rob["owner_crm_id"]) == ("Tidy up 2 deals from before Forestage", "u2")
    for number, deal in enumerate(("s0", "s2")):
        at = crm.now + timedelta(hours=1 + number)
        team.later(DAY, partial(close, crm_id=deal, at=at))
        team.plan()
        team.write()
        task = next(task for task in team.records.tasks.values() if task["owner_crm_id"] == "u2")
        assert task["status"] == ("open", "completed")[number]
    with database.read() as conn:
        assert len(notices.clean_up(conn, team.connection_id)) == 2


def test_a_writer_is_asked_before_a_known_task_is_written(sqlite_database: Database) -> None:
    team = Writing(sqlite_database, team_crm())
    team.write()
    team.records.tasks[next(iter(team.records.tasks))]["status"] = "completed"
    team.later(DAY, lambda crm: close(crm, "s0", at=NOON + DAY / 2))
    team.later(DAY, lambda crm: close(crm, "s1", at=NOON + DAY + DAY / 2))
    assert plan_tasks(sqlite_database, team.connection_id, clock=team.clock) == 2
    assert isinstance(FakeWriter(team.records).standing_tasks(), dict)
    assert team.write().tasks.written == 1
