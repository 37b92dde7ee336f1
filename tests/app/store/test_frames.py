"""The frames that the rules get: exact columns, one instant, never ADBC on the live file."""

import re
import sqlite3
import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from app.clock import FixedClock
from app.errors import NotFound
from app.services.refresh import refresh
from app.store import connections, snapshot
from app.store.database import Database
from app.store.deals import DEALS
from app.store.frames import load_tables
from connectors.records import ContactRecord
from rules.tables import SCHEMAS, Tables
from tests.app.fakes import FakeReader
from tests.app.services.story import connect, deal, small_crm
from tests.conftest import NOON

ROOT = Path(__file__).parents[3]


def _loaded(database: Database) -> Tables:
    connection_id, crm = connect(database), small_crm()
    crm.deals[0] = deal("d1", currency=None, forecast=None, close_on=None, company_crm_id=None)
    refresh(database, connection_id, FakeReader(crm), clock=FixedClock(NOON))
    return load_tables(database, connection_id)


def _schemas(tables: Tables) -> dict[str, pl.Schema]:
    return {name: getattr(tables, name).schema for name in SCHEMAS}


EXPECTED = {name: pl.Schema(columns) for name, columns in SCHEMAS.items()}


def test_an_empty_connection_has_all_frames_with_their_types(database: Database) -> None:
    assert _schemas(load_tables(database, connect(database))) == EXPECTED


def test_a_filled_connection_has_all_frames_with_their_types(database: Database) -> None:
    tables = _loaded(database)
    assert _schemas(tables) == EXPECTED
    assert (tables.time_zone, tables.fiscal_start_month) == ("Europe/Berlin", 2)


def test_values_arrive_as_they_were_told(database: Database) -> None:
    tables = _loaded(database)
    first, second = tables.deals.sort("deal_id").head(2).iter_rows(named=True)
    assert (first["currency"], first["forecast"], first["close_on"]) == (None, None, None)
    assert first["company_id"] is None
    assert (second["currency"], second["close_on"]) == ("EUR", date(2026, 5, 31))
    assert (second["amount"], second["first_seen_at"]) == (50_000_0000, NOON)
    pushes = tables.close_date_changes.filter(pl.col("deal_id") == second["deal_id"]).sort("at")
    assert pushes["new"].to_list() == [date(2026, 4, 30), date(2026, 5, 31)]


def test_our_own_tasks_feed_no_rule(database: Database) -> None:
    tables = _loaded(database)
    assert len(tables.activities) == 3
    assert tables.activities["deal_id"].null_count() == 1
    assert tables.activities["company_id"].null_count() == 2
    assert set(tables.activity_contacts["activity_id"]) <= set(tables.activities["activity_id"])


def test_only_the_connections_own_rows_are_loaded(database: Database) -> None:
    _loaded(database)
    with database.write() as conn:
        other = connections.create(conn, name="b", crm="files", config={}, secret=None, at=NOON)
    tables = load_tables(database, other)
    assert {name: len(getattr(tables, name)) for name in SCHEMAS} == dict.fromkeys(SCHEMAS, 0)


def test_a_text_that_begins_after_many_empty_ones_is_read(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(3000)
    crm.changes = []
    crm.deals[-1] = deal(crm.deals[-1].crm_id, lead_source="Web")
    crm.contacts = [ContactRecord(crm_id="r", deal_crm_id="d3000", contact_crm_id="k")]
    refresh(database, connection_id, FakeReader(crm, page_size=1000), clock=FixedClock(NOON))
    tables = load_tables(database, connection_id)
    assert tables.deals["lead_source"].drop_nulls().to_list() == ["Web"]


def test_an_unknown_connection_is_named(database: Database) -> None:
    with pytest.raises(NotFound, match="17"):
        load_tables(database, 17)


def test_a_snapshot_does_not_see_what_is_written_later(database: Database) -> None:
    _loaded(database)
    query = {"deals": "SELECT count(*) AS n FROM deals WHERE deleted_at IS NULL"}
    with database.snapshot() as before:
        assert before.frames(query)["deals"].item() == 7
        with database.write() as conn:
            conn.execute(sa.update(DEALS).values(deleted_at=NOON))
        assert before.frames(query)["deals"].item() == 7
    with database.snapshot() as after:
        assert after.frames(query)["deals"].item() == 0


def test_a_snapshot_is_thrown_away(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    with sqlite_database.snapshot() as taken:
        taken.frames({"x": "SELECT count(*) AS n FROM deals"})
        assert len(list(copies.rglob("*.db"))) == 1
    assert list(copies.iterdir()) == []


def test_adbc_refuses_the_live_file(sqlite_database: Database, tmp_path: Path) -> None:
    link = tmp_path / "another-name.db"
    link.symlink_to(sqlite_database.path)
    for path in (sqlite_database.path, link):
        with pytest.raises(RuntimeError, match="never open the live"):
            snapshot._open_copy(path, sqlite_database.path)


def test_adbc_for_sqlite_is_named_in_one_place_only() -> None:
    naming = {
        path.relative_to(ROOT).as_posix(): len(
            re.findall(r"adbc_driver_sqlite\.dbapi\.connect", text)
        )
        for top in ("app", "connectors", "rules", "bench")
        for path in (ROOT / top).rglob("*.py")
        if "adbc_driver_sqlite" in (text := path.read_text())
    }
    assert naming == {"app/store/snapshot.py": 1}


def test_the_copy_is_a_sound_database(sqlite_database: Database, tmp_path: Path) -> None:
    _loaded(sqlite_database)
    snapshot._copy(sqlite_database.path, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
