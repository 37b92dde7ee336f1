"""The database: transactions, revisions and the two engines."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import alembic.config
import pytest
import sqlalchemy as sa

from app.errors import BadInput, Conflict
from app.store import connections
from app.store.connections import CONNECTIONS
from app.store.database import Database
from app.store.gate import WriteGate
from tests.conftest import NOON


def _add(conn: sa.Connection, name: str) -> int:
    return connections.create(conn, name=name, crm="files", config={}, secret=None, at=NOON)


def test_migrations_make_exactly_the_tables_that_the_code_knows(database: Database) -> None:
    database.check()


def test_migrating_twice_changes_nothing(database: Database) -> None:
    database.migrate()
    assert database.revision_is_current()


def test_a_bare_alembic_command_works_on_the_named_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'bare.db'}"
    monkeypatch.setenv("FORESTAGE_DATABASE_URL", url)
    ini = Path(__file__).parents[3] / "alembic.ini"
    alembic.config.main(["-c", str(ini), "upgrade", "head"])
    with closing(Database(url)) as database:
        assert database.revision_is_current()


def test_an_empty_database_is_not_current(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'new' / 'empty.db'}")) as empty:
        assert not empty.revision_is_current()


def test_a_store_of_a_newer_release_is_refused_by_name(database: Database) -> None:
    with database.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '2031_01_01_later'")
    with pytest.raises(Conflict, match=r"2031_01_01_later.*newer Forestage"):
        database.migrate()
    with pytest.raises(Conflict, match="2031_01_01_later"):
        database.revision_is_current()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "no url"])
def test_what_is_no_usable_address_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="database_url"):
        Database(url)


def test_a_write_that_raises_leaves_nothing(database: Database) -> None:
    def fail_half_way() -> None:
        with database.write() as conn:
            _add(conn, "gone")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(CONNECTIONS)) == 0


def test_a_reader_can_not_write(database: Database) -> None:
    with (
        database.read() as conn,
        pytest.raises(sa.exc.DBAPIError, match=r"readonly|read-only"),
    ):
        _add(conn, "no")


def test_a_reader_sees_one_state_while_others_write(database: Database) -> None:
    names = sa.select(CONNECTIONS.c.name)
    with database.read() as reader:
        assert reader.scalars(names).all() == []
        with database.write() as conn:
            _add(conn, "new")
        assert reader.scalars(names).all() == []
    with database.read() as reader:
        assert reader.scalars(names).all() == ["new"]


def test_read_then_write_never_loses_an_update(database: Database) -> None:
    with database.write() as conn:
        connection_id = _add(conn, "counted")
        connections.update(conn, connection_id, settle_minutes=0)

    def raise_by_ten() -> None:
        for _ in range(10):
            with database.write() as conn:
                if not database.is_sqlite:
                    conn.exec_driver_sql("LOCK TABLE connections IN EXCLUSIVE MODE")
                row = connections.by_id(conn, connection_id)
                connections.update(conn, connection_id, settle_minutes=row.settle_minutes + 1)

    threads = [threading.Thread(target=raise_by_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as conn:
        assert connections.by_id(conn, connection_id).settle_minutes == 40


def test_a_write_inside_a_write_is_an_error_not_a_deadlock(sqlite_database: Database) -> None:
    with (
        sqlite_database.write(),
        pytest.raises(RuntimeError, match="inside another"),
        sqlite_database.write(),
    ):
        pass


def test_an_urgent_writer_passes_those_who_wait() -> None:
    gate = WriteGate()
    order: list[str] = []
    waiting = threading.Semaphore(0)

    def take(name: str, *, urgent: bool) -> None:
        waiting.release()
        with gate.hold(urgent=urgent):
            order.append(name)

    def threads() -> Iterator[threading.Thread]:
        for name, urgent in (("bulk 1", False), ("bulk 2", False), ("receiver", True)):
            thread = threading.Thread(target=take, args=(name,), kwargs={"urgent": urgent})
            thread.start()
            waiting.acquire()
            yield thread

    with gate.hold():
        started = list(threads())
        while len(gate._urgent) + len(gate._patient) < 3:
            threading.Event().wait(0.001)
    for thread in started:
        thread.join()
    assert order[0] == "receiver"
    assert sorted(order) == ["bulk 1", "bulk 2", "receiver"]


def test_writers_take_turns() -> None:
    gate, order, ready = WriteGate(), list[str](), threading.Barrier(2)

    def work(name: str) -> None:
        ready.wait()
        for _ in range(50):
            with gate.hold():
                order.append(name)
                threading.Event().wait(0.0005)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = order[10:50]
    assert together.count("a") == pytest.approx(together.count("b"), abs=10)


def test_the_pragmas_that_safety_rests_on_are_set(sqlite_database: Database) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    with sqlite_database.write() as conn:
        for pragma, value in expected.items():
            assert conn.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_an_unknown_connection_names_the_nearest(database: Database) -> None:
    with database.write() as conn:
        _add(conn, "acme")
        _add(conn, "zenith")
        with pytest.raises(Exception, match="did you mean 'acme'"):
            connections.get(conn, "acne")
