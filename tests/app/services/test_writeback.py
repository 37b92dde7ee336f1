"""Write-back: what changed, once, flags before tasks, whatever happens on the way."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.services.coaching import plan_tasks
from app.services.lifecycle import acknowledge
from app.services.switch import switch_mode
from app.services.writeback import FIRST_WAIT, WriteReport, write_back
from app.store import connections, flags, outbox
from app.store.database import Database
from connectors.errors import ConnectorError, Fatal
from connectors.records import FlagWrite, TaskWrite
from tests.app.fake_crm import CrmRecords, FakeWriter
from tests.app.fakes import FakeCrm
from tests.app.services.story import DAY, change
from tests.app.services.team import Team, close, push, team_crm
from tests.conftest import NOON


class Writing(Team):
    """A team whose connection writes into CrmRecords."""

    def __init__(self, db: Database, crm: FakeCrm) -> None:
        super().__init__(db, crm)
        self.score()
        switch_mode(db, self.connection_id, "write", clock=self.clock)
        self.records = CrmRecords()

    def write(self, **trouble: Any) -> WriteReport:
        writer = FakeWriter(self.records, **trouble)
        return write_back(self.db, self.connection_id, writer, clock=self.clock)

    def plan(self) -> int:
        return plan_tasks(self.db, self.connection_id, clock=self.clock)

    def waiting(self) -> list[outbox.OutboxRow]:
        with self.db.read() as conn:
            return outbox.rows(conn, self.connection_id)

    def key(self, deal: str) -> str:
        return next(key for key, flag in self.records.flags.items() if flag["deal_crm_id"] == deal)


def test_flags_and_tasks_are_written_once_and_never_again_unchanged(database: Database) -> None:
    team = Writing(database, team_crm())
    first = team.write()
    assert (first.flags.created, first.tasks.created, first.waiting) == (4, 2, 0)
    flag = team.records.flags[team.key("s1")]
    assert (flag["owner_crm_id"], flag["severity"], flag["status"]) == ("u1", "warning", "open")
    assert "2026-04-05 -> 2026-05-05 by Rob Rep (h-s1-close_date" in flag["evidence"]
    team.score()
    team.plan()
    again = team.write()
    assert (again.flags.written, again.tasks.written, again.calls) == (0, 0, 0)
    assert len(team.records.writes) == 6


def test_in_observe_nothing_waits_and_nothing_is_written(database: Database) -> None:
    team = Team(database, team_crm())
    team.score()
    assert plan_tasks(database, team.connection_id, clock=team.clock) == 0
    records = CrmRecords()
    writer = FakeWriter(records)
    report = write_back(database, team.connection_id, writer, clock=team.clock)
    assert (report.flags.written, report.mode, writer.calls) == (0, "observe", 0)
    with database.read() as conn:
        assert outbox.rows(conn, team.connection_id) == []
    dry = write_back(database, team.connection_id, writer, clock=team.clock, dry_run=True)
    assert [item["kind"] for item in dry.items] == ["flag"] * 4 + ["task"] * 2
    with database.read() as conn:
        assert connections.by_id(conn, team.connection_id).mode == "observe"
        assert outbox.rows(conn, team.connection_id) == []


def test_only_what_changed_is_written_and_an_end_is_told(database: Database) -> None:
    team = Writing(database, team_crm())
    team.write()
    team.later(DAY, lambda crm: close(crm, "s1", at=NOON + DAY / 2))
    report = team.write()
    assert (report.flags.written, report.flags.created) == (1, 0)
    assert team.records.flags[team.key("s1")]["status"] == "resolved"


def test_a_flag_moves_with_the_owner_of_its_deal(database: Database) -> None:
    team = Writing(database, team_crm())
    team.write()

    def hand_over(crm: FakeCrm) -> None:
        crm.change_deal("s1", owner_crm_id="u2", modified_at=NOON + DAY / 2)
        crm.changes.append(change("s1", "owner", NOON + DAY / 2, old="u1", new="u2"))

    team.later(DAY, hand_over)
    assert team.write().flags.written == 1
    assert team.records.flags[team.key("s1")]["owner_crm_id"] == "u2"


def test_a_decision_in_the_service_is_told_to_the_crm(database: Database) -> None:
    team = Writing(database, team_crm())
    team.write()
    ref = f"flg_1_{team.key('s1')}"
    acknowledge(database, ref, by="Mia", clock=team.clock)
    team.write()
    assert team.records.flags[team.key("s1")]["status"] == "acknowledged"


def test_what_may_still_change_waits_until_its_window_closes(database: Database) -> None:
    team = Writing(database, team_crm())
    team.write()
    pushed = NOON + DAY - timedelta(minutes=10)
    team.later(DAY, lambda crm: push(crm, "q1", at=pushed))
    assert team.write().waiting == 1
    assert len(team.records.flags) == 4
    team.clock.advance(timedelta(minutes=50))
    assert team.write().flags.created == 1


def test_what_is_undone_before_its_window_closes_is_never_written(database: Database) -> None:
    team = Writing(database, team_crm())
    team.write()
    pushed = NOON + DAY - timedelta(minutes=20)
    team.later(DAY, lambda crm: push(crm, "q1", at=pushed))
    assert len(team.waiting()) == 1
    back = NOON + DAY + timedelta(minutes=10)
    team.later(timedelta(minutes=20), lambda crm: push(crm, "q1", at=back, days=-30))
    assert team.waiting() == []


def test_one_bad_row_is_parked_with_the_crms_words_and_stops_no_other(database: Database) -> None:
    team = Writing(database, team_crm())
    bad = team.waiting()[0].key
    report = team.write(refuse=[bad])
    assert (report.flags.written, report.flags.parked) == (3, 1)
    (row,) = team.waiting()
    assert (row.key, row.state, row.error) == (bad, "parked", "FIELD_CUSTOM: not here")
    assert team.write().flags.written == 0
    deal = next(deal for deal in ("s0", "s1", "s2", "s3") if deal not in str(team.records.flags))
    team.later(DAY, lambda crm: push(crm, deal, at=NOON + DAY / 4))
    assert team.write().flags.written == 1


def test_passing_trouble_with_a_row_is_tried_again_later(database: Database) -> None:
    team = Writing(database, team_crm())
    busy = team.waiting()[0].key
    report = team.write(busy=[busy])
    assert (report.flags.retried, report.waiting) == (1, 1)
    assert team.write().flags.written == 0
    team.clock.advance(FIRST_WAIT)
    assert team.write().flags.written == 1


@pytest.mark.parametrize("error", [None, Fatal("no permission")])
@pytest.mark.parametrize("after", range(7))
def test_cut_off_anywhere_the_next_run_writes_nothing_twice(
    sqlite_database: Database, after: int, error: ConnectorError | None
) -> None:
    team = Writing(sqlite_database, team_crm())
    if after < 6:
        with pytest.raises(ConnectorError):
            team.write(break_at=after, error=error)
    else:
        team.write(break_at=after, error=error)
    report = team.write()
    assert report.waiting == 0
    keys = [record.key for record in team.records.writes]
    assert (len(keys), len(set(keys))) == (6, 6)
    with sqlite_database.read() as conn:
        written = conn.scalars(sa.select(flags.FLAGS.c.written)).all()
    assert None not in written
    team.score()
    team.plan()
    assert team.write().calls == 0


def test_flags_are_written_before_tasks(database: Database) -> None:
    team = Writing(database, team_crm())
    team.write()
    kinds = [type(record) for record in team.records.writes]
    assert kinds == [FlagWrite] * 4 + [TaskWrite] * 2


def test_a_newer_payload_that_comes_while_a_row_is_sent_is_written_too(
    database: Database,
) -> None:
    team = Writing(database, team_crm())
    with database.write() as conn:
        taken = outbox.take(conn, team.connection_id, "flag", now=team.clock.now(), limit=1)
    newer = {**taken[0].payload, "rank": 99}
    with database.write() as conn:
        outbox.put(
            conn,
            team.connection_id,
            kind="flag",
            key=taken[0].key,
            payload=newer,
            priority=1,
            at=NOON,
        )
        outbox.done(conn, taken[0])
    row = next(row for row in team.waiting() if row.key == taken[0].key)
    assert (row.state, row.version, row.payload["rank"]) == ("waiting", 2, 99)


def test_what_ended_before_a_cut_off_write_reached_the_crm_is_never_written(
    database: Database,
) -> None:
    team = Writing(database, team_crm())
    with pytest.raises(ConnectorError):
        team.write(break_at=0, error=Fatal("not installed"))

    def end_both(crm: FakeCrm) -> None:
        close(crm, "s0", at=NOON + DAY / 2)
        close(crm, "s2", at=NOON + DAY / 2)

    team.later(DAY, end_both)
    team.plan()
    team.write()
    assert {flag["deal_crm_id"] for flag in team.records.flags.values()} == {"s1", "s3"}
    assert ["Rob" in task["subject"] for task in team.records.tasks.values()] == [True]


def test_an_agenda_waits_with_a_flag_that_may_still_change(database: Database) -> None:
    team = Writing(database, team_crm())
    team.write()
    pushed = NOON + DAY - timedelta(minutes=10)
    team.later(DAY, lambda crm: push(crm, "q1", at=pushed))
    team.plan()
    assert team.write().waiting == 2
    assert not any("Deal q1" in task["body"] for task in team.records.tasks.values())
    team.clock.advance(timedelta(minutes=50))
    assert team.write().tasks.written == 1
    assert any("Deal q1" in task["body"] for task in team.records.tasks.values())
