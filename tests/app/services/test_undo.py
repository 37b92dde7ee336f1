"""Undo: export first, remove what Forestage wrote, keep what people edited."""

import json
from pathlib import Path

import pytest

from app.errors import BadInput
from app.services.switch import switch_mode
from app.services.undo import undo
from app.store import connections, flags, outbox, tasks
from app.store.database import Database
from connectors.errors import ConnectorError
from tests.app.fake_crm import FakeWriter
from tests.app.services.team import team_crm
from tests.app.services.test_writeback import Writing


def test_what_people_edited_stays_and_the_rest_goes(database: Database, tmp_path: Path) -> None:
    team = Writing(database, team_crm())
    team.write()
    edited = team.key("s1")
    team.records.flags[edited]["questions"] = "I asked already"
    team.records.flags[team.key("s0")]["owner_crm_id"] = "u9"  # moved with its deal: no edit
    export = tmp_path / "export.jsonl"
    writer = FakeWriter(team.records)
    report = undo(database, team.connection_id, writer, clock=team.clock, export=export)
    assert (report.flags.removed, report.flags.edited, report.tasks.removed) == (3, 1, 2)
    assert set(team.records.flags) == {edited}
    assert team.records.tasks == {}
    lines = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
    assert [line["kind"] for line in lines] == ["flag"] * 4 + ["task"] * 2
    assert {line["values"]["questions"] for line in lines[:4]} >= {"I asked already"}
    with database.read() as conn:
        assert connections.by_id(conn, team.connection_id).mode == "observe"
        assert outbox.rows(conn, team.connection_id) == []
        assert tasks.states(conn, team.connection_id) == []
        written = {flag.key for flag in flags.states(conn, team.connection_id) if flag.written}
    assert written == {edited}
    assert team.write().calls == 0


def test_a_dry_run_only_counts(sqlite_database: Database, tmp_path: Path) -> None:
    team = Writing(sqlite_database, team_crm())
    team.write()
    export = tmp_path / "export.jsonl"
    report = undo(
        sqlite_database,
        team.connection_id,
        FakeWriter(team.records),
        clock=team.clock,
        export=export,
        dry_run=True,
    )
    assert (report.flags.removed, report.tasks.removed, report.export) == (4, 2, None)
    assert (len(team.records.flags), export.exists()) == (4, False)
    with sqlite_database.read() as conn:
        assert connections.by_id(conn, team.connection_id).mode == "write"


def test_nothing_is_removed_where_the_export_cannot_be_kept(
    sqlite_database: Database, tmp_path: Path
) -> None:
    team = Writing(sqlite_database, team_crm())
    team.write()
    export = tmp_path / "export.jsonl"
    export.write_text("another one\n", encoding="utf-8")
    writer = FakeWriter(team.records)
    with pytest.raises(BadInput, match="export"):
        undo(sqlite_database, team.connection_id, writer, clock=team.clock, export=export)
    assert len(team.records.flags) == 4
    assert export.read_text(encoding="utf-8") == "another one\n"


def test_an_undo_that_was_cut_off_goes_on_where_it_stopped(
    sqlite_database: Database, tmp_path: Path
) -> None:
    team = Writing(sqlite_database, team_crm())
    team.write()
    del team.records.flags[team.key("s1")]  # removed just before the process died
    undo(
        sqlite_database,
        team.connection_id,
        FakeWriter(team.records),
        clock=team.clock,
        export=tmp_path / "rest.jsonl",
    )
    switch_mode(sqlite_database, team.connection_id, "write", clock=team.clock)
    assert team.write().flags.created == 4


def test_what_a_cut_off_write_left_in_the_crm_is_removed_too(
    database: Database, tmp_path: Path
) -> None:
    team = Writing(database, team_crm())
    with pytest.raises(ConnectorError):
        team.write(break_at=5)
    undo(
        database,
        team.connection_id,
        FakeWriter(team.records),
        clock=team.clock,
        export=tmp_path / "export.jsonl",
    )
    assert (team.records.flags, team.records.tasks) == ({}, {})
