"""Two writers, a reader and bulk reads on one SQLite file lose nothing.

5 s in the normal run; the long form is
`FORESTAGE_SAFETY_SECONDS=60 .venv/bin/pytest -n0 tests/app/store/test_sqlite_safety.py`.
"""

import os
import threading
import time
from collections.abc import Callable
from itertools import count

import sqlalchemy as sa

from app.store import connections
from app.store.connections import CURSORS
from app.store.database import Database
from app.store.frames import load_tables
from tests.conftest import NOON

SECONDS = float(os.environ.get("FORESTAGE_SAFETY_SECONDS", "5"))


class Shared:
    """One store under two writers, a reader and bulk reads, with what each has been told."""

    def __init__(self, db: Database) -> None:
        self.db = db
        with db.write() as conn:
            self.connection_id = connections.create(
                conn, name="shared", crm="files", config={}, secret=None, at=NOON
            )
        self.end = time.monotonic() + SECONDS
        self.acknowledged: dict[str, int] = {"a": 0, "b": 0}
        self.seen: dict[str, int] = {"reads": 0, "bulk reads": 0}

    def total(self, conn: sa.Connection) -> int:
        """The shared counter, which began at 60."""
        return connections.by_id(conn, self.connection_id).settle_minutes - 60

    def write(self, name: str) -> None:
        """Adds a row and raises the shared counter, in one transaction each time."""
        for number in count(1):
            with self.db.write() as conn:
                total = connections.by_id(conn, self.connection_id).settle_minutes
                connections.set_cursor(
                    conn, self.connection_id, f"{name}{number}", value=str(number), at=NOON
                )
                connections.update(conn, self.connection_id, settle_minutes=total + 1)
            self.acknowledged[name] = number
            if time.monotonic() > self.end:
                return

    def read(self) -> None:
        while time.monotonic() < self.end:
            least = sum(self.acknowledged.values())
            with self.db.read() as conn:
                rows = conn.scalar(sa.select(sa.func.count()).select_from(CURSORS)) or 0
                assert self.total(conn) == rows >= least
            self.seen["reads"] += 1

    def read_in_bulk(self) -> None:
        query = {
            "rows": "SELECT count(*) AS n FROM cursors",
            "total": "SELECT settle_minutes - 60 AS n FROM connections",
        }
        while time.monotonic() < self.end:
            least = sum(self.acknowledged.values())
            with self.db.snapshot() as snapshot:
                frames = snapshot.frames(query)
            assert frames["rows"].item() == frames["total"].item() >= least
            load_tables(self.db, self.connection_id)
            self.seen["bulk reads"] += 1


def test_writers_readers_and_bulk_reads_lose_nothing(sqlite_database: Database) -> None:
    shared = Shared(sqlite_database)
    _together(
        [lambda: shared.write("a"), lambda: shared.write("b"), shared.read, shared.read_in_bulk]
    )

    with sqlite_database.read() as conn:
        stored = set(conn.scalars(sa.select(CURSORS.c.stream)))
        total = shared.total(conn)
        assert conn.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert stored == {
        f"{name}{n}" for name, last in shared.acknowledged.items() for n in range(1, last + 1)
    }
    assert total == len(stored)
    assert min(*shared.acknowledged.values(), *shared.seen.values()) > 3


def _together(work: list[Callable[[], None]]) -> None:
    """Run all at once; the first error of any of them is raised."""
    errors: list[BaseException] = []

    def guarded(one: Callable[[], None]) -> None:
        try:
            one()
        except BaseException as error:  # noqa: BLE001 (raised again below)
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
